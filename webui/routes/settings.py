"""The Settings tab: folders, mirrors, patience."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from webui.site import Site


def router(site: Site) -> APIRouter:
    """GET and POST /api/settings."""
    routes = APIRouter(prefix="/api/settings")

    @routes.get("")
    def read() -> dict[str, Any]:
        return {"settings": site.settings.current.model_dump()}

    return routes
