"""Whatever a request holds, the page answers with a status below 500 and a sentence. All routes are tried: those of
tomorrow too, since they are read from the application. Set ATHANOR_FUZZ=all for every value in every place."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from PIL import Image

from tests.webui import hostile
from trainer.events import EventLog
from trainer.job import Job
from webui import form, machine
from webui.runner import Runner
from webui.server import interface
from webui.site import Site, open_site

EVERY = os.environ.get("ATHANOR_FUZZ") == "all"
PROJECT = Path(__file__).resolve().parents[2]
NOT_UTF8 = os.fsdecode(b"caf\xe9.png")


@dataclass(frozen=True)
class Request:
    """What is sent, percent-encoded where a browser does."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    kind: str = "application/json"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A page with a job, pictures and a name that is not UTF-8; nothing it starts does anything."""
    for name in ("home", "elsewhere", "deep"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(machine, "PROBE", 'print(\'{"torch": "2", "build": "CPU", "devices": []}\')')
    monkeypatch.setattr(machine, "_devices", None)
    made = open_site(tmp_path / "deep" / "page" / "site")
    runner = Runner(
        made.jobs_dir, made.root, command=lambda job: [sys.executable, "-S", "-c", ""], echo=lambda line: None
    )
    yield replace(made, runner=runner)
    runner.close()


def known_values(site: Site) -> dict[str, Any]:
    """Real names for the requests: a job with damaged events, an open folder."""
    job = Job.create(site.jobs_dir, "anby", "")
    events = EventLog(job.events_path)
    events.emit("started", steps=10, images=2)
    events.close()
    with job.events_path.open("ab") as stream:
        stream.write(b'{"event": "step", "step": 1, "loss": NaN, "total": Infinity, "time": 1}\n')
        stream.write(b'{"event": "warning", "message": "\\ud800", "time": 2}\n{"event": "step", "step": [], "lr": 3}\n')
        stream.write(b'{"event": "checkpoint", "path": "a\\u0000b", "kind": "lora"}\n')
        stream.write(
            b'{"event": "checkpoint", "path": "'
            + b"x" * 5000
            + b'", "kind": "state"}\n{"event": "sample", "file": 7}\n'
        )
        stream.write(b'{"event": "sample", "file": "\\udcff\\u0000"}\n\xff\xfe not json\n')
    folder = site.train_dir / "5_图"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    with contextlib.suppress(OSError):  # Windows and some file systems have no such names
        (folder / NOT_UTF8).write_bytes((folder / "a.png").read_bytes())
        (folder / os.fsdecode(b"caf\xe9.txt")).write_text("x", encoding="utf-8")
        (site.train_dir / os.fsdecode(b"\xb5\xc4")).mkdir()
    (folder / "a.txt").write_bytes("猫".encode("gbk"))
    return {
        "job_id": job.id, "index": 0, "folder": str(folder), "path": str(folder), "mode": "basic", "values": None,
        "folder_id": site.thumbnails.register_folder(folder), "id": job.id, "kind": "file",
    }  # fmt: skip


def requests(listing: dict[str, Any], known: dict[str, Any]) -> Iterator[Request]:
    """Hostile requests to every route of an OpenAPI listing."""
    defined = listing.get("components", {}).get("schemas", {})
    for number, (route, methods) in enumerate(sorted(listing["paths"].items())):
        for method, about in methods.items():
            real = {**known, "name": known["opened"] if "datasets" in route else known["job_id"]}
            if "/form/" in route or route == "/api/jobs":
                real["values"] = form.default_values()
            else:
                real.pop("values")
            whole = route
            for name, value in real.items():
                whole = whole.replace("{" + name + "}", quote(str(value)))
            whole = whole.replace("{", "").replace("}", "")
            parameters = about.get("parameters", [])
            base = {p["name"]: real.get(p["name"], "") for p in parameters if p["in"] == "query"}
            schema = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            body = None if schema is None else hostile.example(schema, real, defined)
            plain = b"" if body is None else json.dumps(body).encode()
            yield Request(method, whole, written(base), plain)
            for p in parameters:
                for text in hostile.drawn(hostile.TEXTS, EVERY, number, hostile.EACH):
                    if p["in"] == "path":
                        changed = route.replace("{" + p["name"] + "}", spelled(text))
                        for name, value in real.items():
                            changed = changed.replace("{" + name + "}", quote(str(value)))
                        yield Request(method, changed, written(base), plain)
                    else:
                        yield Request(method, whole, written({**base, p["name"]: text}), plain)
            if body is not None:
                for content in hostile.bodies(body, EVERY, number):
                    yield Request(method, whole, written(base), content)
                for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
                    yield Request(method, whole, written(base), plain, kind)


def spelled(text: str) -> str:
    """Percent-encoded, also what is not UTF-8."""
    try:
        return quote(text.encode("utf-8", "surrogateescape"), safe="")
    except UnicodeEncodeError:
        return quote(text.encode("utf-8", "surrogatepass"), safe="")


def written(query: dict[str, Any]) -> str:
    return "&".join(f"{name}={spelled(str(value))}" for name, value in query.items())


async def answer(app: Any, request: Request) -> tuple[int, str, bytes]:
    """Status, content type and body, as the web server hands a request to the application."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method.upper(),
        "path": unquote(request.path), "raw_path": request.path.encode("ascii"), "root_path": "", "scheme": "http",
        "query_string": request.query.encode("ascii"), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 28000),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", request.kind.encode())],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with contextlib.suppress(Exception):  # the server prints it; the answer was sent before
        await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    kind = dict(start["headers"]).get(b"content-type", b"").decode()
    return start["status"], kind, b"".join(message.get("body", b"") for message in sent)


def fault(status: int, kind: str, body: bytes) -> str:
    """What is wrong with an answer; "" when nothing is."""
    if status >= 500:
        return body.decode("utf-8", "replace")
    if not kind.startswith("application/json"):
        return f"{kind} is not JSON" if status >= 400 else ""
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except ValueError as error:
        return f"not JSON for a browser: {error}"
    message = content.get("message") if status >= 400 and isinstance(content, dict) else "a sentence"
    if not isinstance(message, str) or len(message) < 8:
        return f"no sentence: {content}"
    return "a traceback" if "Traceback" in message or 'File "' in message else ""


def refuse(word: str) -> None:
    """JSON.parse knows no NaN."""
    raise ValueError(word)


def tree(*folders: Path) -> set[str]:
    return {str(path) for folder in folders for path in folder.iterdir()}


def test_what_a_fault_is() -> None:
    """The test of the test."""
    assert fault(500, "application/json", b"{}") and fault(404, "text/plain", b"Not Found")
    assert fault(200, "application/json", b'{"a":NaN}') and fault(200, "application/json", b'"\xff"')
    assert fault(422, "application/json", b'{"detail":"x"}')
    assert fault(400, "application/json", b'{"message":"Traceback (most recent call last)"}')
    assert not fault(400, "application/json", b'{"message":"a is not a folder"}') and not fault(
        200, "text/html", b"\xff"
    )


def test_no_request_to_any_route_ends_in_an_error_of_the_server(site: Site, tmp_path: Path) -> None:
    app = interface(site)
    known = known_values(site)
    before = tree(PROJECT, tmp_path / "home", tmp_path / "elsewhere", Path(PROJECT.anchor))
    failed: dict[tuple[str, str], list[str]] = {}

    async def all_of_them() -> int:
        opened = await answer(
            app, Request("post", "/api/datasets/open", "", json.dumps({"path": known["folder"]}).encode())
        )
        listing = json.loads(opened[2])
        real = {**known, "opened": listing["id"], "key": listing["thumbnails"][0].split("/")[1].split("?")[0],
                "listing": listing["listing"], "rev": listing["view"]["rev"]}  # fmt: skip
        count = 0
        for request in requests(app.openapi(), real):
            count += 1
            wrong = fault(*await answer(app, request))
            if wrong:
                sample = f"{request.path[:120]!r} ?{request.query[:120]} {request.body[:300]!r}"
                failed.setdefault((f"{request.method} {request.path.split('?')[0][:60]}", wrong[:300]), []).append(
                    sample
                )
        return count

    count = asyncio.run(all_of_them())
    told = "\n".join(
        f"{key[0]}: {key[1]}\n    {len(entries)} times, such as {entries[0]}" for key, entries in failed.items()
    )
    assert not failed, f"{len(failed)} kinds of {count} requests:\n{told}"
    assert tree(PROJECT, tmp_path / "home", tmp_path / "elsewhere", Path(PROJECT.anchor)) == before
