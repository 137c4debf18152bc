"""TensorBoard in this process, on this origin, at ./tensorboard/; built over the logs folder when first opened."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import a2wsgi
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from webui.site import Site

RELOAD_SECONDS = 5
LOG_NAME = "events.out.tfevents"


def add(app: FastAPI, site: Site) -> None:
    """Mount TensorBoard and the addresses around it. The guard in front of the application covers it too."""

    @app.get("/tensorboard", include_in_schema=False)
    def slash() -> RedirectResponse:
        return RedirectResponse("./tensorboard/")

    @app.get("/font-roboto/{name}", include_in_schema=False)
    def font(name: str) -> RedirectResponse:
        """TensorBoard's style sheet asks for its fonts at the root."""
        return RedirectResponse(f"../tensorboard/font-roboto/{name}")

    @app.get("/api/tensorboard")
    def what_there_is() -> dict[str, Any]:
        """Whether there is anything to show, and from where."""
        return {"logs": str(site.logs_dir), "runs": has_logs(site.logs_dir)}

    board: Any = a2wsgi.WSGIMiddleware(cast(Any, LazyTensorBoard(lambda: site.logs_dir)), workers=8)
    app.mount("/tensorboard", board)


def has_logs(folder: Path, most_folders: int = 2000) -> bool:
    """True when a TensorBoard file lies below `folder`."""
    for seen, (_, _, files) in enumerate(os.walk(folder)):
        if any(LOG_NAME in name for name in files):
            return True
        if seen > most_folders:
            return True
    return False


class LazyTensorBoard:
    """A WSGI application that imports TensorBoard with the first request, and anew when the logs folder was changed."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._built_for: Path | None = None
        self._application: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI entry. What keeps TensorBoard from starting is a sentence in its frame; the next request tries again."""
        with self._lock:
            folder = self._folder()
            if self._built_for != folder:
                try:
                    self._application = _build(folder)
                except (OSError, ImportError) as error:
                    start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
                    return [f"TensorBoard could not be started: {error}".encode("utf-8", "replace")]
                self._built_for = folder
        return self._application(environ, start_response)


def _build(folder: Path) -> Any:
    from tensorboard import assets, default, program
    from tensorboard.backend import application

    folder.mkdir(parents=True, exist_ok=True)
    board = program.TensorBoard(default.get_plugins(), assets.get_default_assets_zip_provider())
    board.configure(
        argv=["tensorboard", "--logdir", str(folder), "--load_fast=auto", f"--reload_interval={RELOAD_SECONDS}"]
    )
    provider, multiplexer = board._make_data_provider()  # private; the version is pinned and a test covers it
    return application.TensorBoardWSGIApp(
        board.flags, board.plugin_loaders, provider, board.assets_zip_provider, multiplexer
    )
