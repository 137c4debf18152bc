"""Routes of the page without the page: errors become answers as in webui.server."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient

from webui.answers import Refusal, answer_invalid, answer_refusal


def served(*routers: APIRouter) -> TestClient:
    """A client of these routes alone."""
    app = FastAPI()
    app.add_exception_handler(Refusal, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    for router in routers:
        app.include_router(router)
    return TestClient(app, base_url="http://127.0.0.1")
