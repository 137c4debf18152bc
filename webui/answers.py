"""What a route says when it refuses: one exception, one JSON shape. When to refuse is up to the routes. LIGHT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse


class Refusal(Exception):
    """A request that cannot be done, in words for the person who made it.

    message: one sentence, with the cure. problems: per field, `{"address": "network.network_dim", "message": "..."}`.
    """

    def __init__(self, status: int, message: str, problems: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = [dict(problem) for problem in problems]


async def answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """The JSON of a Refusal: {"message": ..., "problems": [...]}."""
    assert isinstance(error, Refusal)
    return JSONResponse({"message": error.message, "problems": error.problems}, status_code=error.status)


async def answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's own complaint about a body or a query, in the same shape as a Refusal."""
    details: list[dict[str, Any]] = getattr(error, "errors", list)()
    problems = [
        {"address": ".".join(str(part) for part in detail.get("loc", ())[1:]), "message": str(detail.get("msg", ""))}
        for detail in details
    ]
    message = "The request was not understood: " + "; ".join(f"{p['address']}: {p['message']}" for p in problems[:3])
    return JSONResponse({"message": message, "problems": problems}, status_code=422)


async def answer_file(request: Request, error: Exception) -> JSONResponse:
    """A file that should be there could not be read: say which."""
    name = getattr(error, "filename", None)
    reason = getattr(error, "strerror", None) or str(error)
    return JSONResponse({"message": f"{name}: {reason}" if name else reason, "problems": []}, status_code=500)


async def answer_disk(request: Request, error: Exception) -> JSONResponse:
    """A file could not be written (the error says which and what to do): keep the page alive."""
    return JSONResponse({"message": str(error), "problems": []}, status_code=507)
