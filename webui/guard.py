"""The one door in front of everything that is served: whose page asks, by which name, with which key. LIGHT.

Pure ASGI, so that it covers our routes, Gradio's, TensorBoard's and websockets alike (SAFETY R1, R2, R11).
What a route may do with a path or an id is the route's business.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "token"  # its name in the address that the console prints
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LARGEST_BODY_BYTES = 64 * 2**20

# Gradio builds its components with `new Function` and inline scripts and styles: hence the three 'unsafe' words.
# Everything else stays on this origin: no script, font, picture or request can come from or go elsewhere.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
HEADERS = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
KEY_NEEDED = (
    "This Athanor asks for its key. Open the address with ?token=... that the console printed when it started.\n"
    "本页需要钥匙：请打开启动时控制台里显示的带 ?token=... 的网址。\n"
)


class Guard:
    """Lets a request through to `app`, or answers it with a refusal in plain words.

    token: None = anybody who reaches the port may come in (loopback only). allowed_hosts: names besides localhost and
    IP addresses under which a browser may reach us, such as the name of a proxy in front.
    """

    def __init__(
        self, app: App, token: str | None = None, allowed_hosts: Iterable[str] = (), cookie: str = "athanor"
    ) -> None:
        self.app = app
        self.token = token
        self.cookie = cookie
        self.names = frozenset(name.lower().rstrip(".") for name in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self.refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
            return
        if _gives_key(scope):
            await self._take_key(scope, receive, send, headers)
            return
        if self.token is not None and not self._key_fits(scope):
            await _refuse(scope, receive, send, 401, KEY_NEEDED)
            return
        await self.app(self._plain(scope, headers), _limited(receive), _with_headers(scope, send))

    def refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Status and words when this request must not be answered; None when it may."""
        host = headers.get("host", "")
        if sum(name == b"host" for name, _ in scope["headers"]) != 1 or not self._host_known(host):
            return 421, f"Unknown host {host[:100]!r}. Start Athanor with --allow-host NAME to reach it by that name."
        if headers.get("origin") is not None and not self._own_origin(headers["origin"], host, scope):
            return 403, "This request comes from another web page and was refused."
        if _from_elsewhere(scope, headers):
            return 403, "This request comes from another web page and was refused."
        return _method_refusal(scope, headers) if scope["type"] == "http" else None

    def _plain(self, scope: Scope, headers: dict[str, str]) -> Scope:
        """The scope without what only a proxy may say; the protocol is believed under a name of the command line."""
        proxied = self._proxied(headers)
        kept = [
            (name, value) for name, value in scope["headers"]
            if not name.lower().startswith((b"x-forwarded", b"forwarded"))
            or (proxied and name.lower() == b"x-forwarded-proto")
        ]  # fmt: skip
        return {**scope, "headers": kept}

    def _proxied(self, headers: dict[str, str]) -> bool:
        return (urlsplit("//" + headers.get("host", "")).hostname or "").lower() in self.names

    def _over_tls(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Whether the browser speaks TLS: to us, or to a proxy in front whose word is believed."""
        proxy_says = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
        return scope.get("scheme") == "https" or (self._proxied(headers) and proxy_says == "https")

    def _host_known(self, host: str) -> bool:
        """localhost, an address in numbers (a name server cannot rebind it) or a name given on the command line."""
        try:
            parts = urlsplit("//" + host)
            name, _ = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if not name or parts.netloc != host or parts.username is not None or parts.path or parts.query:
            return False
        if name == "localhost" or name in self.names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _own_origin(self, origin: str, host: str, scope: Scope) -> bool:
        scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
        if origin == f"{scheme}://{host}":
            return True
        # A proxy in front that was named with --allow-host may speak TLS to the browser and plain HTTP to us.
        return origin == f"https://{host}" and self._proxied({"host": host})

    def _key_fits(self, scope: Scope) -> bool:
        """Whether one of the cookies of our name is the key.

        Taken apart by hand: one cookie that cannot be parsed, of any program on this host, makes http.cookies drop
        those behind it. There may be several of our name, of which an older page left one for a sub-path.
        """
        lines = (value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie")
        pairs = (pair.partition("=") for line in lines for pair in line.split(";"))
        return any(name.strip() == self.cookie and self._is_token(value.strip().strip('"')) for name, _, value in pairs)

    def _is_token(self, text: str) -> bool:
        return self.token is not None and hmac.compare_digest(text.encode("utf-8"), self.token.encode("utf-8"))

    async def _take_key(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        """The front page without its ?token=, for a browser that has the key: in the address or in its cookie.

        So the key stays in no address bar, history or bookmark, also when a printed address is opened once more.
        """
        query = _query(scope)
        fits = self.token is None or any(name == KEY and self._is_token(value) for name, value in query)
        if not fits and not self._key_fits(scope):
            await _refuse(scope, receive, send, 401, KEY_NEEDED)
            return
        rest = urlencode([(name, value) for name, value in query if name != KEY])
        place = "./" + (f"?{rest}" if rest else "")
        answer = [(b"location", place.encode("latin-1"))]
        if self.token is not None and fits:
            secure = "; Secure" if self._over_tls(scope, headers) else ""
            cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}"
            answer.append((b"set-cookie", cookie.encode("latin-1")))
        if not _another_site(headers):
            await _answer(send, 303, b"", answer)
            return
        # After a link on another site, such as a terminal in the browser, no redirect carries the Strict cookie along:
        # to the browser that site still asks. A page of ours that goes on by itself does.
        answer[0] = (b"content-type", b"text/html; charset=utf-8")
        await _answer(send, 200, f'<meta http-equiv="refresh" content="0; url={escape(place)}">'.encode(), answer)


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _opens_front_page(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and scope["path"] == "/"


def _gives_key(scope: Scope) -> bool:
    """Whether this opens the front page with a key in its address."""
    return _opens_front_page(scope) and any(name == KEY for name, _ in _query(scope))


def _from_elsewhere(scope: Scope, headers: dict[str, str]) -> bool:
    """Whether the browser says that another site asks: one may link to the front page, and to nothing else."""
    return _another_site(headers) and not _opens_front_page(scope)


def _another_site(headers: dict[str, str]) -> bool:
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _method_refusal(scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
    """Rules for requests that change something: JSON only, of bounded size, and nothing through Gradio's own API."""
    if scope["method"] in SAFE_METHODS:
        return None
    if not scope["path"].startswith(("/api/", "/tensorboard/")):
        return 403, "Only Athanor's own interface takes requests; Gradio draws the page and does nothing else."
    if scope["path"].startswith("/api/"):
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if scope["method"] != "POST":
            return 405, "Use POST."
        if kind != "application/json":
            return 415, "Send JSON, with the content type application/json."
    try:
        if int(headers.get("content-length", "0")) > LARGEST_BODY_BYTES:
            return 413, f"The request is larger than {LARGEST_BODY_BYTES >> 20} MiB."
    except ValueError:
        return 400, "The content-length is not a number."
    return None


def _limited(receive: Receive) -> Receive:
    """The body's messages, ended as if the browser had left once they pass LARGEST_BODY_BYTES (chunked bodies)."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > LARGEST_BODY_BYTES:
                return {"type": "http.disconnect"}
        return message

    return limited


def _with_headers(scope: Scope, send: Send) -> Send:
    """Adds the safety headers. TensorBoard brings its own content policy and keeps it; two would forbid its plugins."""

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message["headers"] = [*given, *((name, value) for name, value in _safety_headers() if name not in names)]
        await send(message)

    return sender


def _safety_headers() -> list[tuple[bytes, bytes]]:
    return [*HEADERS, (b"content-security-policy", CONTENT_POLICY.encode("ascii"))]


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": words.splitlines()[0][:120]})
        return
    await _answer(send, status, words.encode("utf-8"), [(b"content-type", b"text/plain; charset=utf-8")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = [(b"content-length", str(len(body)).encode("ascii")), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length, *_safety_headers()]})
    await send({"type": "http.response.body", "body": body})
