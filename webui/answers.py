"""What a route answers: JSON that any browser can read, and each error as one JSON shape with a sentence. LIGHT.

When to refuse is up to the routes, which raise Refusal. What they did not foresee, such as a path that no file can
have, gets its sentence here.
"""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from trainer.atomic import WriteError

LONGEST_TEXT = 300
# What a path can be the reason of, by the number of the system's error; all else of an OSError is a failing machine.
PATH_FAULTS = {
    errno.ENOENT: (404, "it does not exist; check the spelling"),
    errno.ENOTDIR: (404, "a part of it is not a folder; check the spelling"),
    errno.EISDIR: (400, "it is a folder, not a file"),
    errno.EACCES: (403, "the user that runs Athanor may not use it; change its rights or choose another"),
    errno.EPERM: (403, "the user that runs Athanor may not use it; change its rights or choose another"),
    errno.EROFS: (403, "it lies on something read-only; choose another"),
    errno.EEXIST: (409, "it exists already; choose another name"),
    errno.ENOTEMPTY: (409, "it is not empty"),
    errno.ENAMETOOLONG: (400, "its name is too long for this disk; shorten it"),
    errno.ELOOP: (400, "it is a link that leads in a circle; remove the link or choose another"),
    errno.EINVAL: (400, "no file can have this name; check the spelling"),
}
NO_PATH = (
    "The request holds a character that no file name or text can have: a zero byte or half a character. Type it again."
)


class Refusal(Exception):
    """A request that cannot be done, in words for the person who made it.

    message: one sentence, with the cure. problems: per field, `{"address": "network.network_dim", "message": "..."}`.
    notes: what is to be said besides, in the same form.
    """

    def __init__(
        self, status: int, message: str, problems: Iterable[Mapping[str, Any]] = (),
        notes: Iterable[Mapping[str, Any]] = (),
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.notes = [dict(note) for note in notes]
        self.status = status
        self.message = message
        self.problems = [dict(problem) for problem in problems]


class Json(JSONResponse):
    """JSON that every browser can read, whatever a file name or a damaged file put into the content.

    Half characters, as Python reads names that are not UTF-8, become U+FFFD; numbers that JSON lacks become null.
    """

    def render(self, content: Any) -> bytes:
        """The content as UTF-8."""
        try:
            return _dumped(content)
        except ValueError:  # UnicodeEncodeError is one
            return _dumped(_plain(content))


def answering(app: FastAPI) -> FastAPI:
    """The application with our JSON and a sentence for every error, of its routes and of those it gets later."""
    app.router.default_response_class = Json
    for kind, answer in (
        (Refusal, answer_refusal), (RequestValidationError, answer_invalid), (HTTPException, answer_http),
        (WriteError, answer_disk), (OSError, answer_file), (ValueError, answer_value), (RecursionError, answer_depth),
        (Exception, answer_fault),
    ):  # fmt: skip
        app.add_exception_handler(kind, answer)
    return app


async def answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """The JSON of a Refusal: {"message": ..., "problems": [...]}, and "notes" where there are any."""
    assert isinstance(error, Refusal)
    return _answer(error.status, error.message, error.problems, error.notes)


async def answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's own complaint about a body or a query, in the same shape as a Refusal."""
    details: list[dict[str, Any]] = getattr(error, "errors", list)()
    problems = [
        {
            "address": _short(".".join(str(part) for part in detail.get("loc", ())[1:])),
            "message": str(detail.get("msg")),
        }
        for detail in details[:100]
    ]
    message = "The request was not understood: " + "; ".join(f"{p['address']}: {p['message']}" for p in problems[:3])
    return _answer(422, message, problems)


async def answer_http(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself: an unknown address, a method, a body that cannot be read."""
    assert isinstance(error, HTTPException)
    words = {
        400: "The request could not be read; reload the page and try again.",
        404: "There is nothing at this address; reload the page.",
        405: "This address does not take such a request; reload the page.",
    }
    return _answer(error.status_code, words.get(error.status_code, str(error.detail)))


async def answer_file(request: Request, error: Exception) -> JSONResponse:
    """A file or folder could not be used: say which and why."""
    assert isinstance(error, OSError)
    status, reason = PATH_FAULTS.get(error.errno or 0, (500, error.strerror or str(error)))
    return _answer(status, f"{_short(str(error.filename))}: {reason}." if error.filename else f"{reason}.")


async def answer_disk(request: Request, error: Exception) -> JSONResponse:
    """A file could not be written (the error says which and what to do): keep the page alive."""
    assert isinstance(error, OSError)
    status, _ = PATH_FAULTS.get(error.errno or 0, (507, ""))
    return _answer(status, str(error))


async def answer_value(request: Request, error: Exception) -> JSONResponse:
    """Text that no path and no file can hold; any other ValueError is a fault of ours."""
    if isinstance(error, UnicodeError) or "null" in str(error):
        return _answer(400, NO_PATH)
    if "depth exceeded" in str(error):
        return await answer_depth(request, error)
    raise error


async def answer_depth(request: Request, error: Exception) -> JSONResponse:
    """Lists within lists within lists."""
    return _answer(400, "The request holds lists or tables nested too deeply; no setting needs that.")


async def answer_fault(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours. The server prints the traceback after this."""
    return _answer(
        500, f"Athanor made a mistake ({type(error).__name__}); its console window says where. Please report it."
    )


def _answer(
    status: int, message: str, problems: Iterable[Mapping[str, Any]] = (), notes: Iterable[Mapping[str, Any]] = ()
) -> JSONResponse:
    told = {"message": message, "problems": list(problems)}
    return Json(told | ({"notes": list(notes)} if notes else {}), status_code=status)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _dumped(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _plain(content: Any) -> Any:
    if isinstance(content, str):
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {_plain(name): _plain(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    return content
