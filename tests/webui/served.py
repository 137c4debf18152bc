"""Routes of the page without the page: errors become answers as in webui.server."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from webui.answers import answering


def served(*routers: APIRouter) -> TestClient:
    """A client of these routes alone."""
    app = answering(FastAPI())
    for router in routers:
        app.include_router(router)
    return TestClient(app, base_url="http://127.0.0.1")
