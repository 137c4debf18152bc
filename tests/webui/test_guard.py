"""The guard lets our own page in and keeps every other one out (SAFETY R1, R2, R11)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from webui.guard import LARGEST_BODY_BYTES, Guard

TOKEN = "k" * 43


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads the whole body and says yes."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"yes"})


def ask(
    guard: Guard, method: str = "GET", path: str = "/", query: str = "", kind: str = "http", scheme: str = "http",
    chunks: tuple[bytes, ...] = (b"",), **headers: str | None,
) -> tuple[int | None, dict[str, str], list[dict[str, Any]]]:  # fmt: skip
    """Status, headers and all messages of the answer to one request."""
    given = {"host": "127.0.0.1:28000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None]
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode("utf-8", "surrogateescape"),
        "headers": pairs,
        "scheme": scheme,
    }
    sent: list[dict[str, Any]] = []
    waiting = [
        {"type": "http.request", "body": body, "more_body": n < len(chunks) - 1} for n, body in enumerate(chunks)
    ]
    if kind == "websocket":
        waiting = [{"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    names = {k.decode(): v.decode() for k, v in start["headers"]} if start else {}
    return (start["status"] if start else None), names, sent


@pytest.mark.parametrize(
    "host", ["127.0.0.1:28000", "localhost:28000", "LOCALHOST", "[::1]:28000", "192.168.1.5:28000", "127.0.0.1"]
)
def test_localhost_and_addresses_in_numbers_are_answered(host):
    assert ask(Guard(inner), host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "localhost.", "user@127.0.0.1",
    "127.0.0.1/evil", "127.0.0.1:port",
     "127.1", "0x7f000001", "127.0.0.1, evil.example", "[::1"],
)  # fmt: skip
def test_a_name_that_could_be_rebound_is_misdirected(host):
    assert ask(Guard(inner), host=host)[0] == 421


def test_a_request_without_or_with_two_hosts_is_misdirected():
    assert ask(Guard(inner), host=None)[0] == 421
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"host", b"127.0.0.1"), (b"host", b"evil.example")],
    }
    assert Guard(inner).refusal(scope, {"host": "evil.example"})[0] == 421


def test_a_name_given_on_the_command_line_is_answered():
    assert ask(Guard(inner, allowed_hosts=["Lora.Example"]), host="lora.example:443")[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "https://127.0.0.1:28000", "http://127.0.0.1:3000", "http://127.0.0.1"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused_for_reading_and_writing(origin, method):
    assert ask(Guard(inner), method, "/api/jobs", origin=origin, content_type="application/json")[0] == 403


def test_the_own_origin_is_answered():
    answer = ask(
        Guard(inner),
        "POST",
        "/api/jobs",
        origin="http://127.0.0.1:28000",
        content_type="application/json; charset=utf-8",
    )
    assert answer[0] == 200


def test_a_proxy_with_tls_is_only_believed_for_a_name_that_was_given():
    guard = Guard(inner, allowed_hosts=["lora.example"])
    own = {"origin": "https://lora.example", "content_type": "application/json"}
    assert ask(guard, "POST", "/api/jobs", host="lora.example", **own)[0] == 200
    assert (
        ask(guard, "POST", "/api/jobs", host="10.0.0.1", origin="https://10.0.0.1", content_type="application/json")[0]
        == 403
    )


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_link_to_the_front_page_and_to_nothing_else(site):
    assert ask(Guard(inner), "GET", "/", sec_fetch_site=site)[0] == 200
    assert ask(Guard(inner), "GET", "/api/jobs", sec_fetch_site=site)[0] == 403
    assert ask(Guard(inner), "GET", "/tensorboard/", sec_fetch_site=site)[0] == 403
    assert ask(Guard(inner), "POST", "/", sec_fetch_site=site)[0] == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
def test_a_form_of_another_page_cannot_reach_the_interface(kind):
    assert ask(Guard(inner), "POST", "/api/jobs", content_type=kind)[0] == 415


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/run/predict", "/login", "/"]
)
def test_gradio_draws_the_page_but_its_interface_is_closed(path):
    assert ask(Guard(inner), "POST", path, content_type="application/json")[0] == 403


def test_what_only_a_proxy_may_say_is_not_passed_on():
    seen: list[bytes] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await inner(scope, receive, send)

    said = {"x_forwarded_host": "evil.example", "x_forwarded_proto": "https", "forwarded": "host=evil.example"}
    ask(Guard(note), **said)
    assert seen == [b"host"]
    ask(Guard(note, allowed_hosts=["lora.example"]), host="lora.example", **said)
    assert seen == [b"host", b"host", b"x-forwarded-proto"]


def test_only_post_changes_something():
    assert ask(Guard(inner), "DELETE", "/api/jobs/x", content_type="application/json")[0] == 405


def test_a_large_body_is_refused_with_and_without_its_length():
    assert (
        ask(
            Guard(inner), "POST", "/api/x", content_type="application/json", content_length=str(LARGEST_BODY_BYTES + 1)
        )[0]
        == 413
    )
    piece = b"x" * (LARGEST_BODY_BYTES // 2 + 1)
    assert ask(Guard(inner), "POST", "/api/x", content_type="application/json", chunks=(piece, piece, b""))[0] is None


@pytest.mark.parametrize("status", [200, 421])
def test_every_answer_carries_the_safety_headers(status):
    _, headers, _ = ask(Guard(inner), host="127.0.0.1" if status == 200 else "evil.example")
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"
    assert "connect-src 'self'" in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"].replace("'self'", "")


def test_without_the_key_nothing_is_served():
    guard = Guard(inner, TOKEN)
    for path in (
        "/",
        "/api/jobs",
        "/tensorboard/",
        "/static/dom.js",
        "/assets/x.js",
        "/gradio_api/info",
        "/api/thumbnails/a/b",
    ):
        status, _, sent = ask(guard, path=path)
        assert status == 401
        assert b"?token=" in sent[-1]["body"]


def test_the_printed_address_opens_once_and_leaves_a_cookie_but_no_key_in_the_address():
    guard = Guard(inner, TOKEN, cookie="athanor-28000")
    for method in ("GET", "HEAD"):
        status, headers, _ = ask(guard, method, query=f"token={TOKEN}&lang=zh&token={TOKEN}")
        assert (status, headers["location"]) == (303, "./?lang=zh")
        assert headers["set-cookie"] == (f"athanor-28000={TOKEN}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000")
        assert headers["referrer-policy"] == "no-referrer" and headers["cache-control"] == "no-store"
    assert ask(guard, path="/api/jobs", cookie=f"other=1; athanor-28000={TOKEN}")[0] == 200


def test_a_printed_address_that_another_site_links_to_goes_on_from_a_page_of_our_own():
    """A browser sends no Strict cookie along a redirect that began on another site."""
    answer = ask(Guard(inner, TOKEN), query=f'token={TOKEN}&a="><script>', sec_fetch_site="cross-site")
    assert (answer[0], answer[1]["set-cookie"].startswith(f"athanor={TOKEN};")) == (200, True)
    assert answer[2][-1]["body"] == b'<meta http-equiv="refresh" content="0; url=./?a=%22%3E%3Cscript%3E">'


@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_key_is_taken_out_of_the_address_also_where_the_cookie_is_there_or_none_is_needed(token):
    status, headers, _ = ask(Guard(inner, token), query=f"token={TOKEN}&a=1", cookie=f"athanor={TOKEN}")
    assert (status, headers["location"]) == (303, "./?a=1")
    status, headers, _ = ask(Guard(inner, token), query="token=of-an-earlier-start", cookie=f"athanor={TOKEN}")
    assert (status, headers["location"], "set-cookie" in headers) == (303, "./", False)
    assert ask(Guard(inner, token), query="a=1", cookie=f"athanor={TOKEN}")[0] == 200


@pytest.mark.parametrize(
    ("request_", "secure"),
    [
        ({"scheme": "https"}, True),
        ({"host": "lora.example", "x_forwarded_proto": "https"}, True),
        ({"host": "lora.example", "x_forwarded_proto": "HTTPS, http"}, True),
        ({"host": "lora.example", "x_forwarded_proto": "http"}, False),
        ({"host": "lora.example"}, False),
        ({"x_forwarded_proto": "https"}, False),
        ({}, False),
    ],
)
def test_the_cookie_of_a_page_behind_tls_is_never_sent_without(request_, secure):
    guard = Guard(inner, TOKEN, allowed_hosts=["lora.example"])
    cookie = ask(guard, query=f"token={TOKEN}", **request_)[1]["set-cookie"]
    assert cookie.split("; ")[1:4] == ["Path=/", "HttpOnly", "SameSite=Strict"]
    assert ("Secure" in cookie.split("; ")) is secure


@pytest.mark.parametrize(
    "others",
    ["a[b]=1; {}", '{}; json={{"a": [1, 2]}}', "\xe7\xff=\xe9; {}", "athanor=old; {}", "{}; athanor=old", "n;;=; {}",
     "$Version=1; {}", "a=\x01\x7f; {}", 'a="b; {}'],
)  # fmt: skip
def test_cookies_of_other_programs_do_not_hide_the_key(others):
    """Browsers send the cookies of all ports of a host; http.cookies gives up at the first that is not well formed."""
    assert ask(Guard(inner, TOKEN), path="/api/jobs", cookie=others.format(f"athanor={TOKEN}"))[0] == 200


@pytest.mark.parametrize(
    "cookie",
    ["athanor", "athanor=", "=", ";", "athanor=\xff\xfe", "athanor=k\x00k", "athanor=k\r\nk", "a\x00b=1", "athanor[]=1",
     'athanor="', "athanor=" + "k" * 42, "athanor=" + "k" * 44, "Athanor=" + TOKEN, "athanor2=" + TOKEN,
     "x=athanor=" + TOKEN,
     "athanor=\\153" * 43, "k" * 9000],
)  # fmt: skip
def test_a_cookie_that_cannot_be_parsed_or_does_not_fit_is_asked_for_the_key(cookie):
    status, _, sent = ask(Guard(inner, TOKEN), path="/api/jobs", cookie=cookie)
    assert (status, b"?token=" in sent[-1]["body"]) == (401, True)


def test_a_cookie_in_a_header_of_its_own_counts():
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [
        (b"host", b"127.0.0.1"), (b"cookie", f"athanor={TOKEN}".encode()), (b"cookie", b"other=1")]}  # fmt: skip
    assert Guard(inner, TOKEN)._key_fits(scope)


@pytest.mark.parametrize(
    "given", ["", "wrong", TOKEN[:-1], TOKEN + "k", "\xff", "%ff", "%00", "%ed%a0%80", "鑰", "\udcff"]
)
def test_a_wrong_key_opens_nothing(given):
    guard = Guard(inner, TOKEN)
    assert ask(guard, query=f"token={given}")[0] == 401
    assert ask(guard, cookie=f"athanor={given.encode('utf-8', 'surrogateescape').decode('latin-1')}")[0] == 401


def test_the_key_only_opens_the_front_page():
    assert ask(Guard(inner, TOKEN), path="/api/jobs", query=f"token={TOKEN}")[0] == 401


OWN = {"origin": "http://127.0.0.1:28000"}
POST = {"method": "POST", "path": "/api/jobs", "content_type": "application/json"}
SOCKET = {"kind": "websocket", "scheme": "ws"}
# What must not reach the page, and the status it gets (None: the websocket is closed), by the rule that holds it off.
HELD_OFF: dict[str, list[tuple[dict[str, Any], int | None]]] = {
    "_host_known": [
        *(({"method": method, "host": "evil.example", "path": path}, 421)
          for method in ("GET", "HEAD", "OPTIONS") for path in ("/", "/api/jobs", "/tensorboard/", "/static/a.js")),
        ({**POST, "host": "evil.example"}, 421), ({**SOCKET, "host": "evil.example"}, None),
    ],
    "_own_origin": [
        ({**request, "origin": origin}, status)
        for origin in ("http://evil.example", "null", "https://127.0.0.1:28000", "http://127.0.0.1:28000/")
        for request, status in [
            *(({"method": method, "path": path}, 403)
              for method in ("GET", "HEAD", "OPTIONS") for path in ("/", "/api/jobs", "/tensorboard/")),
            (POST, 403), (SOCKET, None),
        ]
    ],
    "_from_elsewhere": [
        ({**request, "sec_fetch_site": site}, 403)
        for site in ("cross-site", "same-site")
        for request in ({"path": "/api/jobs"}, {"method": "OPTIONS"}, {"method": "HEAD", "path": "/static/a.js"}, POST)
    ] + [({**SOCKET, "sec_fetch_site": "cross-site"}, None)],
    "_method_refusal": [
        *(({"method": method, "path": "/api/jobs", "content_type": "application/json"}, 405)
          for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW")),
        *(({**POST, "path": path}, 403) for path in ("/", "/api", "/apis/", "/tensorboard", "/gradio_api/upload")),
        ({"method": "PUT", "path": "/static/a.js", "content_type": "application/json"}, 403),
        *(({**POST, "content_type": kind}, 415) for kind in ("text/plain", "", "application/jsonp", "json", None)),
        *(({**POST, "content_length": length}, 400) for length in ("many", "1e3", "²", "")),
        ({**POST, "content_length": str(LARGEST_BODY_BYTES + 1)}, 413),
    ],
    "_key_fits": [({"path": "/api/jobs"}, 401), ({"method": "HEAD"}, 401), ({"method": "OPTIONS"}, 401), (POST, 401),
                  ({**SOCKET, **OWN}, None)],
}  # fmt: skip
LET_IN: list[dict[str, Any]] = [
    {}, {"method": "HEAD"}, {"method": "OPTIONS", "path": "/api/jobs"}, {"sec_fetch_site": "cross-site"}, OWN | POST,
    {"method": "HEAD", "sec_fetch_site": "same-site"}, {"path": "/api/jobs", "sec_fetch_site": "same-origin"},
    {"path": "/api/jobs", "sec_fetch_site": "none"}, {**POST, "path": "/tensorboard/x", "content_type": "text/plain"},
    {**POST, "content_type": "Application/JSON ; charset=utf-8"}, {**POST, "content_length": str(LARGEST_BODY_BYTES)},
    {**SOCKET, **OWN}, SOCKET,
]  # fmt: skip


class Page:
    """An application that notes what reached it."""

    def __init__(self) -> None:
        self.reached = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        await inner(scope, receive, send)


def outcome(rule: str, request: dict[str, Any]) -> tuple[int | None, int]:
    """(status, requests that reached the page) behind a guard; with a key only where the key is what is tried."""
    page = Page()
    status = ask(Guard(page, TOKEN if rule == "_key_fits" else None), **request)[0]
    return status, page.reached


@pytest.mark.parametrize("rule", HELD_OFF)
def test_what_is_refused_gets_its_status_and_does_not_reach_the_page(rule):
    wrong = [(request, status, outcome(rule, request)) for request, status in HELD_OFF[rule]]
    assert [entry for entry in wrong if entry[2] != (entry[1], 0)] == []


def test_what_is_allowed_reaches_the_page():
    assert [request for request in LET_IN if outcome("", request)[1] != 1] == []
    with_key = [{**request, "cookie": f"athanor={TOKEN}"} for request in LET_IN]
    assert [request for request in with_key if outcome("_key_fits", request)[1] != 1] == []


@pytest.mark.parametrize("rule", HELD_OFF)
def test_each_probe_notices_when_its_rule_is_gone(rule, monkeypatch):
    """The test of the test: nothing else holds the probes of a rule off."""
    if hasattr(Guard, rule):
        monkeypatch.setattr(Guard, rule, lambda self, *given: True)
    else:
        monkeypatch.setattr(f"webui.guard.{rule}", lambda *given: None)
    assert [request for request, _ in HELD_OFF[rule] if outcome(rule, request)[1] != 1] == []


def test_websockets_pass_the_same_door():
    own = {"kind": "websocket", "scheme": "ws", "origin": "http://127.0.0.1:28000"}
    assert ask(Guard(inner), **own)[2] == [{"type": "websocket.accept"}]
    for guard, wrong in (
        (Guard(inner), {"origin": "http://evil.example"}),
        (Guard(inner), {"host": "evil.example"}),
        (Guard(inner, TOKEN), {}),
    ):
        assert ask(guard, **{**own, **wrong})[2][0]["type"] == "websocket.close"
