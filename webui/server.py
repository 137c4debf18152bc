"""The web server: guard, our routes, TensorBoard, then Gradio's page at "/". What each route does is in routes/."""

from __future__ import annotations

import contextlib
import errno
import mimetypes
import os
import re
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported: no call to api.gradio.app
if "HF_HUB_OFFLINE" not in os.environ:
    os.environ.update(HF_HUB_OFFLINE="1", ATHANOR_PAGE_OFFLINE="1")  # this process only, see site.child_environment

import uvicorn
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse

from trainer.atomic import WriteError
from webui.answers import Refusal, answer_disk, answer_file, answer_invalid, answer_refusal
from webui.guard import App, Guard
from webui.site import Site, open_site
from webui.texts import LANGUAGES, texts

STATIC = Path(__file__).parent / "static"
STATIC_NAME = re.compile(r"[a-z0-9_\-]{1,60}\.(js|css|svg|png|woff2)")
PORTS_TRIED = 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def create_app(site: Site) -> FastAPI:
    """The whole application: every route of ours, then the page. Ask `protected` for what the network may reach."""
    import gradio as gr

    from webui import page
    from webui.routes import datasets, files, form, jobs, settings, tagging, tensorboard, thumbnails

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(site))
    app.add_exception_handler(Refusal, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(WriteError, answer_disk)
    app.add_exception_handler(OSError, answer_file)
    _add_static(app)
    for subject in (form, jobs, datasets, tagging, thumbnails, files, settings):
        app.include_router(subject.router(site))
    tensorboard.add(app, site)
    return gr.mount_gradio_app(
        app, page.build(), path="/", server_name=site.host, server_port=site.port, footer_links=[], run_history=False,
        allowed_paths=[], blocked_paths=[str(site.root)], show_error=False, max_file_size="1mb", ssr_mode=False,
        enable_monitoring=False, pwa=False, i18n=page.i18n(), mcp_server=False, theme=page.theme(),
    )  # fmt: skip


def protected(app: FastAPI, site: Site) -> App:
    """The application behind its guard: what uvicorn serves."""
    from webui.page import Opening

    return Guard(Opening(app, site.lang), site.token, site.allowed_hosts, cookie=f"athanor-{site.port}")


def serve(
    root: Path,
    host: str = "127.0.0.1",
    port: int = 28000,
    lang: str | None = None,
    listen: bool = False,
    open_browser: bool = True,
    allowed_hosts: Sequence[str] = (),
) -> None:
    """Serve the page until the process is ended.

    A taken port is replaced by the next free one of twenty. listen: reachable from other machines, with a key that is
    printed once. Raises SystemExit with a sentence when the address cannot be used.
    """
    host = _checked_host(host, listen)
    door = _open_door(host, port)
    port = door.getsockname()[1]
    token = secrets.token_urlsafe(32) if listen else None
    _own_temporary_folder(root)
    site = open_site(root, host, port, lang, listen, token, allowed_hosts)
    app = protected(create_app(site), site)
    address = _say_where(site)
    if open_browser and not listen:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False, proxy_headers=False,
        timeout_graceful_shutdown=2, lifespan="on", ws="auto",
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])
    if site.runner.running():
        print("The page is closed. Training goes on; start Athanor again to watch or stop it.", flush=True)


def _lifespan(site: Site) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        site.runner.watch()
        yield
        site.runner.close()

    return lifespan


def _add_static(app: FastAPI) -> None:
    """./static/<name> (one level: deeper names below /static are Gradio's) and the translations."""

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        path = STATIC / name
        if not STATIC_NAME.fullmatch(name) or not path.is_file():
            raise Refusal(404, f"There is no file {name!r} in the page.")
        kind = {".js": "text/javascript", ".svg": "image/svg+xml"}.get(path.suffix) or mimetypes.guess_type(name)[0]
        return FileResponse(path, media_type=kind, headers={"cache-control": "no-cache"})

    @app.get("/favicon.ico")
    def icon() -> Response:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml", headers={"cache-control": "max-age=86400"})

    @app.get("/openapi.json")
    def listing() -> Response:
        """Gradio would list its interface here."""
        raise Refusal(404, "There is no list of the interface.")

    @app.get("/api/text/{lang}")
    def words(lang: str) -> dict[str, object]:
        if lang not in ("en", *LANGUAGES):
            raise Refusal(404, f"There are no texts in {lang!r}; there are: en, {', '.join(LANGUAGES)}.")
        return texts(lang)


def _checked_host(host: str, listen: bool) -> str:
    """The address to bind. Anything but loopback needs --listen, which brings the key with it."""
    if listen:
        return "0.0.0.0" if host in LOOPBACK else host
    if host not in LOOPBACK:
        raise SystemExit(
            f"Refused: {host} can be reached from other machines. Add --listen, which protects the page with a key."
        )
    return "127.0.0.1" if host == "localhost" else host


def _open_door(host: str, port: int) -> socket.socket:
    """A listening socket on the first free port of `port` ... `port + 19`; port 0 = any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + PORTS_TRIED if port else 1):
        door = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            door.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        try:
            door.bind((host, candidate))
            door.listen(128)
            return door
        except OSError as error:
            door.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise SystemExit(
                    f"The address {host} cannot be used: {error.strerror}. Choose another --host."
                ) from error
        except OverflowError as error:
            raise SystemExit(f"{candidate} is not a port; choose one from 1 to 65535.") from error
    raise SystemExit(f"All ports from {port} to {port + PORTS_TRIED - 1} are taken; choose another with --port.")


def _own_temporary_folder(root: Path) -> None:
    """Gradio's temporary files go to a folder of ours that only this user can read."""
    folder = root / ".athanor" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)


def _say_where(site: Site) -> str:
    """Print the address, with the key when there is one, and return the address for a browser on this machine."""
    name = "127.0.0.1" if site.host == "0.0.0.0" else f"[{site.host}]" if ":" in site.host else site.host
    address = f"http://{name}:{site.port}/" + (f"?token={site.token}" if site.token else "")
    print(f"Athanor: {address}", flush=True)
    if site.listen:
        print(
            "Other machines use this machine's address in place of 127.0.0.1. Whoever has the key can do everything\n"
            "here; over the Internet use an SSH tunnel or a proxy with TLS, since plain http can be read on the way.",
            flush=True,
        )
    return address
