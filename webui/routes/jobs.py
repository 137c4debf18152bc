"""Jobs by their ids: listing, watching, starting, stopping."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from trainer.job import list_jobs
from webui.site import Site


def router(site: Site) -> APIRouter:
    """Everything below /api/jobs."""
    routes = APIRouter(prefix="/api/jobs")

    @routes.get("")
    def listing() -> dict[str, Any]:
        return {"jobs": [{"id": job.id, "state": job.state()} for job in list_jobs(site.jobs_dir)]}

    return routes
