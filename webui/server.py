"""The web server: guard, our routes, TensorBoard, then Gradio's page at "/". What each route does is in routes/."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import re
import secrets
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
from fastapi.responses import FileResponse

from trainer import locks
from trainer.leftovers import sweep_page
from trainer.signals import closed_terminal_is_sigterm, say
from webui.address import Address, AddressError, listening_socket, named_address
from webui.answers import Refusal, answering
from webui.guard import App, Guard
from webui.site import Site, make_own_folders, open_site
from webui.staticfiles import STATIC, styles
from webui.texts import LANGUAGES, texts

STATIC_NAME = re.compile(r"[a-z0-9_\-]{1,60}\.(js|css|svg|png|woff2)")


def interface(site: Site) -> FastAPI:
    """Every route of ours with its errors as answers, without the page."""
    from webui.routes import datasets, files, form, jobs, settings, tagging, tensorboard, thumbnails

    app = answering(FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(site)))
    _add_static(app)
    for subject in (form, jobs, datasets, tagging, thumbnails, files, settings):
        app.include_router(subject.router(site))
    tensorboard.add(app, site)

    @app.api_route("/api/{rest:path}", methods=["GET", "POST"], include_in_schema=False)
    def nothing(rest: str) -> Response:
        """Gradio, which stands behind our routes, would answer these with its own errors."""
        raise Refusal(404, "There is nothing at this address; reload the page.")

    return app


def create_app(site: Site) -> FastAPI:
    """The whole application: our routes, then the page. Ask `protected` for what the network may reach."""
    import gradio as gr

    from webui import page

    app = interface(site)
    return gr.mount_gradio_app(
        app, page.build(), path="/", server_name=site.host, server_port=site.port, footer_links=[], run_history=False,
        allowed_paths=[], blocked_paths=[str(site.root)], show_error=False, max_file_size="1mb", ssr_mode=False,
        enable_monitoring=False, pwa=False, mcp_server=False, theme=page.theme(),
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

    host: the address to listen on, and no other. listen: with a key that is printed once; an address that others can
    reach is refused without. A taken port is replaced by the next free one of twenty. Raises AddressError when the
    address or the port cannot be used, FolderError when the program's own folder cannot be written.
    """
    closed_terminal_is_sigterm()
    address = named_address(host)
    _refuse_without_key(address, listen)
    door = listening_socket(address, port)
    if port and door.getsockname()[1] != port:
        print(f"Port {port} is taken by another program or page; the next free one is used.", flush=True)
    port = door.getsockname()[1]
    token = secrets.token_urlsafe(32) if listen else None
    os.environ["GRADIO_TEMP_DIR"] = str(make_own_folders(root))
    site = open_site(root, address.number, port, lang, listen, token, answered_names(address, allowed_hosts))
    app = protected(create_app(site), site)
    link = _say_where(site, address)
    lock = first_page(site, f"http://{address.host}:{port}/")
    if open_browser and not listen:
        threading.Timer(0.5, webbrowser.open, (link,)).start()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False, proxy_headers=False,
        timeout_graceful_shutdown=2, lifespan="on", ws="auto",
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[door])
    if lock is not None:
        lock.release()
    if site.runner.running():
        say("The page is closed. Training goes on; start Athanor again to watch or stop it.", sys.stdout)


def _lifespan(site: Site) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        folders = (site.root, site.output_dir, site.output_dir / "sample")
        sweep_page(site.jobs_dir, site.state_dir, folders)
        site.runner.watch()
        yield
        site.runner.close()

    return lifespan


def _add_static(app: FastAPI) -> None:
    """./static/<name> (one level: deeper names below /static are Gradio's) and the translations."""

    @app.get("/static/page.css")
    def style_sheet() -> Response:
        return Response(styles(), media_type="text/css", headers={"cache-control": "no-cache"})

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


def answered_names(address: Address, allowed_hosts: Sequence[str]) -> tuple[str, ...]:
    """The host names that browsers may use besides localhost and numbers: those allowed, and the one listened on."""
    return (*allowed_hosts, *([address.name] if address.name else []))


def _refuse_without_key(address: Address, listen: bool) -> None:
    """What others can reach needs the key that --listen brings. Raises AddressError."""
    if not listen and not address.loopback:
        named = address.name or address.number
        raise AddressError(
            f"Refused: {named} can be reached from other machines. Use --listen {named}, which protects the page with "
            "a key."
        )


def first_page(site: Site, link: str) -> locks.Lock | None:
    """A lock that shows later pages over the same folder where this one is; None, and a sentence, for such a later one.

    Both may be used: jobs, settings and drafts lie in the folder, and one of the two starts the jobs.
    """
    path = site.state_dir / "page.lock"
    with contextlib.suppress(OSError):
        lock = locks.take(path, link)
        if lock is None:
            print(
                f"Another page of this folder is open already: {locks.words_in(path)} Both show the same.", flush=True
            )
        return lock
    return None


def _say_where(site: Site, address: Address) -> str:
    """Print where the page is, with the key when there is one, and return that for a browser on this machine."""
    link = f"http://{address.host}:{site.port}/" + (f"?token={site.token}" if site.token else "")
    print(f"Athanor: {link}", flush=True)
    if site.listen and address.loopback:
        print(f"Only this machine reaches {address.number}; write --listen alone for other machines too.", flush=True)
    elif site.listen:
        place = f"Other machines use this machine's address in place of {address.host}. " if address.everywhere else ""
        print(
            f"{place}Whoever has the key can do everything here;\n"
            "over the Internet use an SSH tunnel or a proxy with TLS, since plain http can be read on the way.",
            flush=True,
        )
    return link
