"""A probe of the running page as other people's programs would reach it (SAFETY T2), and a test of the probe itself."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import Server

UNGUARDED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import webui.server
webui.server.protected = lambda app, site: app
webui.server.serve(Path(sys.argv[2]), port=int(sys.argv[3]), open_browser=False, listen=sys.argv[4] == "listen")
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request exactly as written: no cleaning of paths, no headers but these."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    given = {"Host": f"127.0.0.1:{server.port}", **(headers or {})}
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    connection.close()
    return found


JSON = {"Content-Type": "application/json"}
PAUSE = json.dumps({"paused": True}).encode()
FORM = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.html"\r\n\r\n<script>1</script>\r\n--x--\r\n'


def probes(server: Server) -> Iterator[tuple[str, bool]]:
    """(what was tried, whether it was held off)."""

    def held(answer: Answer, *statuses: int) -> bool:
        return answer.status in (statuses or (400, 401, 403, 404, 405, 413, 415, 421, 422))

    evil = {"Host": "evil.example"}
    foreign = {"Origin": "http://evil.example"}
    yield "rebinding: the page", held(ask(server, "GET", "/", headers=evil), 421)
    yield "rebinding: jobs", held(ask(server, "GET", "/api/jobs", headers=evil), 421)
    yield "rebinding: Gradio", held(ask(server, "GET", "/gradio_api/info", headers=evil), 421)
    yield "rebinding: TensorBoard", held(ask(server, "GET", "/tensorboard/data/runs", headers=evil), 421)
    for name, headers in (("foreign", foreign), ("null", {"Origin": "null"}), ("other port", {"Origin": "http://127.0.0.1:3000"}),
                          ("cross-site", {"Sec-Fetch-Site": "cross-site"}), ("same-site",
                          {"Sec-Fetch-Site": "same-site"})):  # fmt: skip
        yield f"CSRF with JSON: {name}", held(ask(server, "POST", "/api/jobs/pause", PAUSE, {**JSON, **headers}))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        yield f"CSRF as {kind}", held(ask(server, "POST", "/api/jobs/pause", PAUSE, {"Content-Type": kind}))
    upload = ask(server, "POST", "/gradio_api/upload", FORM, {"Content-Type": "multipart/form-data; boundary=x"})
    yield "upload through Gradio", held(upload)
    yield "Gradio's queue", held(ask(server, "POST", "/gradio_api/queue/join", b"{}", JSON))
    shared = ask(server, "GET", "/api/jobs", headers={**foreign})
    yield "reading from another origin", held(shared) and "access-control-allow-origin" not in shared.headers
    for path in SECRET_PATHS:
        yield f"file: {path}", b"top secret" not in ask(server, "GET", path).body
    page = ask(server, "GET", "/")
    yield "framing", page.headers.get("x-frame-options") == "SAMEORIGIN"
    yield "sniffing", page.headers.get("x-content-type-options") == "nosniff"
    yield "content policy", "default-src 'self'" in page.headers.get("content-security-policy", "")
    yield (
        "interface listing",
        held(ask(server, "GET", "/openapi.json"), 401, 404) and held(ask(server, "GET", "/docs"), 401, 404),
    )
    yield "change by GET", held(ask(server, "GET", "/api/jobs/pause"))
    yield (
        "forwarded host",
        b"evil.example"
        not in ask(server, "GET", "/", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}).body,
    )
    yield "websocket from another page", websocket_refused(server)


SECRET_PATHS = [
    "/gradio_api/file=secret.txt", "/gradio_api/file=.athanor/settings.json", "/gradio_api/file=../secret.txt",
    "/file=secret.txt",
    "/static/../../secret.txt", "/static/%2e%2e%2f%2e%2e%2fsecret.txt", "/static/..%2fserver.py",
    "/assets/../../../../secret.txt",
    "/tensorboard/../secret.txt", "/tensorboard/%2e%2e/secret.txt", "/api/thumbnails/../../secret.txt",
    "/api/jobs/..%2f..%2fsecret.txt/log.txt",
    "/api/jobs/%2e%2e/config", "/theme.css/../secret.txt", "/gradio_api/proxy=http://127.0.0.1:1/secret.txt",
    "//secret.txt",
]  # fmt: skip


def websocket_refused(server: Server) -> bool:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(
            f"GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: http://evil.example\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return re.match(rb"HTTP/1\.1 (403|4\d\d)", line.recv(200)) is not None


@pytest.fixture
def opened(own_server: Callable[..., Server], tmp_path) -> Callable[..., Server]:
    def make(**options: object) -> Server:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "secret.txt").write_text("top secret", encoding="utf-8")
        return own_server(**options)

    return make


def test_the_page_holds_every_probe_off(opened):
    server = opened()
    assert [name for name, held in probes(server) if not held] == []
    assert ask(server, "GET", "/api/jobs").status == 200


def test_a_page_without_its_guard_fails_the_probe(opened):
    """The test of the test: take the guard away and the probe must notice."""
    failed = {name for name, held in probes(opened(script=UNGUARDED)) if not held}
    assert {"rebinding: the page", "rebinding: jobs", "CSRF with JSON: foreign", "framing", "content policy"} <= failed


def test_with_listen_nothing_is_served_without_the_key(opened):
    server = opened(listen=True)
    for path in (
        "/",
        "/api/jobs",
        "/api/settings",
        "/static/dom.js",
        "/gradio_api/info",
        "/tensorboard/",
        "/assets/index.js",
        "/favicon.ico",
    ):
        assert ask(server, "GET", path).status == 401, path
    assert ask(server, "POST", "/api/jobs/pause", PAUSE, JSON).status == 401
    assert len(server.url.split("token=")[1]) >= 22  # 128 bits in base64
    first = ask(server, "GET", "/?" + server.url.split("?")[1])
    assert (first.status, first.headers["location"]) == (303, "./")
    cookie = {"Cookie": first.headers["set-cookie"].split(";")[0]}
    assert ask(server, "GET", "/api/jobs", headers=cookie).status == 200
    assert (
        ask(server, "POST", "/api/jobs/pause", PAUSE, {**JSON, **cookie, "Origin": "http://evil.example"}).status == 403
    )
    assert [name for name, held in probes(server) if not held and name not in ("framing",)] == []


def test_the_browser_comes_in_with_the_printed_address_and_shows_no_key(page, opened):
    server = opened(listen=True)
    for _ in range(2):  # also where the cookie is there already
        page.goto(server.url)
        page.locator("#tab-jobs-button").wait_for()
        assert "token" not in page.url
    page.reload()
    page.locator("#tab-jobs-button").wait_for()
    assert "token" not in page.evaluate("document.referrer + performance.getEntries().map((e) => e.name).join(' ')")
    page.context.clear_cookies()
    page.goto(f"data:text/html,<a href='{server.url}'>in</a>")  # as a terminal in the browser shows the address
    page.locator("a").click()
    page.locator("#tab-jobs-button").wait_for()
    assert "token" not in page.url
    page.go_back()
    assert page.url.startswith("data:")
