"""The Tagger tab's interface: form, models and their downloads, try one picture, runs and their undo. LIGHT.

What these do is in webui/tagruns.py; the tagging itself is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from taggers import TAGGERS, TaggerError, present
from taggers.base import Vocabulary
from taggers.run import Run
from taggers.tagging import as_unicode
from taggers.tags import choose
from trainer.demo import DemoError, write_pictures
from trainer.demo.pictures import FOLDER_NEW
from trainer.filesystem import is_file, is_folder
from webui.answers import Refusal
from webui.routes.files import checked_path
from webui.runner import end_tree
from webui.site import Site
from webui.tagruns import (
    THRESHOLDS,
    Drafts,
    FieldProblem,
    FolderCount,
    Processes,
    RunView,
    TaggerForm,
    Undos,
    Views,
    chosen_model,
    count_folder,
    is_picture,
    mark_stopped,
    model_problem,
    problems,
    tag_command,
    threshold_problem,
)  # fmt: skip
from webui.thumbnails import thumbnail_path

PICTURES_OFFERED = 60
NAMES_SHOWN = 200
TRY_SECONDS = 300


class FormBody(BaseModel):
    """The form as it stands."""

    model_config = ConfigDict(extra="forbid")
    values: TaggerForm


class TryBody(FormBody):
    """One picture to try the tagger on."""

    picture: str = Field(max_length=4000)


class ScoredTag(BaseModel):
    """One line of what a try answered."""

    tag: str = Field(max_length=300)
    category: str = Field(max_length=20)
    score: float


class CaptionBody(FormBody):
    """Scores of a tried picture, to be turned into the caption that the form would write."""

    scores: list[ScoredTag] = Field(max_length=1000)


def router(site: Site) -> APIRouter:
    """Routes under /api/tagging."""
    routes = APIRouter(prefix="/api/tagging")
    processes = Processes(site.root)
    views = Views(site.state_dir / "tagging")
    downloads = Views(site.state_dir / "downloads")
    undos = Undos()
    _add_form(routes, site, views, downloads, processes, undos)
    _add_models(routes, site, downloads, processes)
    _add_try(routes, site)
    _add_runs(routes, site, views, processes, undos)
    return routes


def _taggers_dir(site: Site) -> Path:
    return site.models_dir / "taggers"


def _folder_of(site: Site, form: TaggerForm) -> tuple[Path | None, FolderCount | None]:
    """The form's folder and what it holds; None where nothing was typed or it is no folder."""
    if not form.folder.strip():
        return None, None
    folder = checked_path(site.root, form.folder)
    try:
        return folder, count_folder(folder, form.recursive, form.caption_extension) if is_folder(folder) else None
    except OSError as error:
        return folder, FolderCount(unreadable=Path(error.filename or folder))


def _placed(site: Site, form: TaggerForm) -> TaggerForm:
    """The form with an absolute model folder: a relative one starts at the project's root, like all others."""
    if not form.model_folder.strip():
        return form
    return form.model_copy(update={"model_folder": str(checked_path(site.root, form.model_folder))})


def _add_form(
    routes: APIRouter, site: Site, views: Views, downloads: Views, processes: Processes, undos: Undos
) -> None:
    drafts = Drafts(site.state_dir / "drafts" / "tagger.json")

    @routes.get("/draft")
    def draft() -> dict[str, Any]:
        return {"values": drafts.read().model_dump()}

    @routes.post("/draft")
    def keep(body: FormBody) -> dict[str, Any]:
        drafts.save(body.values)
        return {"saved": True}

    @routes.get("/status")
    def status() -> dict[str, Any]:
        """What goes on: the models with their downloads, and the newest run."""
        processes.reap()
        newest = views.newest()
        run = {"undoing": undos.progress(newest[0].run.id), **newest[0].summary()} if newest else None
        return {"models": _models(site, downloads), "run": run}

    @routes.post("/check")
    def check(body: FormBody) -> dict[str, Any]:
        form = _placed(site, body.values)
        folder, count = _folder_of(site, form)
        found = problems(form, folder, count, _taggers_dir(site))
        return {
            "problems": [problem.as_json() for problem in found], "folder": _counted(site, form, folder, count),
            "with_subfolders": len(count.pictures) + count.deeper if count is not None and count.deeper else 0,
            "foreign": _texts_of_another(site, form, folder),
            "unused": [] if count is None else list(count.unused[:NAMES_SHOWN]),
        }  # fmt: skip

    @routes.post("/demo")
    def demo() -> dict[str, Any]:
        """Put the demo pictures into the data sets' folder; what is there stays as it is."""
        folder = site.train_dir / "demo" / FOLDER_NEW
        try:
            write_pictures(folder)
        except DemoError as error:
            raise Refusal(409, str(error)) from error
        return {"folder": str(folder), "model": "demo-tagger"}


def _texts_of_another(site: Site, form: TaggerForm, folder: Path | None) -> str | None:
    """The name of the folder for which the form's tags were typed, where it is another one than the chosen."""
    if folder is None or not form.texts_from.strip() or not (form.additional_tags.strip() or form.exclude_tags.strip()):
        return None
    try:
        known = checked_path(site.root, form.texts_from)
    except Refusal:
        return None
    return None if known == folder else known.name or str(known)


def _counted(site: Site, form: TaggerForm, folder: Path | None, count: FolderCount | None) -> dict[str, Any] | None:
    """What the page says about the folder, with the first pictures to try the tagger on."""
    if folder is None or count is None or not count.pictures:
        return None
    kept = count.captioned if form.conflict == "skip" else 0
    return {
        "path": str(folder), "pictures": len(count.pictures), "captioned": count.captioned,
        "to_tag": len(count.pictures) - kept,
        "sample": [_shown(site, path) for path in count.pictures[:PICTURES_OFFERED] if as_unicode(path) == str(path)],
    }  # fmt: skip


def _shown(site: Site, picture: Path) -> dict[str, Any]:
    """A picture for the page: its path, its name and where its thumbnail is."""
    try:
        version = picture.stat().st_mtime_ns
    except OSError:
        version = 0
    folder_id = site.thumbnails.register_folder(picture.parent)
    return {"path": str(picture), "name": picture.name, "thumb": thumbnail_path(folder_id, picture.name, version)}


def _models(site: Site, downloads: Views) -> list[dict[str, Any]]:
    latest: dict[str, dict[str, Any]] = {}
    for view in downloads.newest(6):
        latest.setdefault(str(view.run.settings().get("download")), view.summary())
    return [
        {
            "name": tagger.name, "title": tagger.title, "note": tagger.note, "bytes": tagger.bytes,
            "lineage": tagger.lineage, "own": bool(tagger.folder), "download": latest.get(tagger.name),
            "present": present(tagger.name, _taggers_dir(site)) is not None,
        }
        for tagger in TAGGERS.values()
    ]  # fmt: skip


def _add_models(routes: APIRouter, site: Site, downloads: Views, processes: Processes) -> None:
    starting = threading.Lock()

    def running(name: str) -> RunView | None:
        of_name = (view for view in downloads.newest(6) if view.run.settings().get("download") == name)
        return next((view for view in of_name if view.run.job.state() == "running"), None)

    @routes.post("/models/{name}/download")
    def start(name: str) -> dict[str, Any]:
        if name not in TAGGERS or TAGGERS[name].folder:
            raise Refusal(404, f"There is no tagger {name} to download.")
        with starting:
            if running(name) is None:
                run = Run.create(downloads.runs_dir, name, {"download": name})
                command = [sys.executable, "-m", "taggers", f"--download={name}", f"--model-dir={_taggers_dir(site)}",
                           f"--run={run.path}"]  # fmt: skip
                _start(processes, run, command, site)
        return {"models": _models(site, downloads)}

    @routes.post("/models/{name}/cancel")
    def cancel(name: str) -> dict[str, Any]:
        view = running(name)
        if view is not None:
            view.run.job.request("stop")
        return {"models": _models(site, downloads)}


def _start(processes: Processes, run: Run, command: Sequence[str], site: Site) -> None:
    try:
        processes.start(run, command, site.child_environment())
    except OSError as error:
        raise Refusal(500, f"The tagger could not be started: {error.strerror or error}") from error


def _refused(found: Sequence[FieldProblem]) -> Refusal:
    """A refusal that names the first problem in words and all of them by field."""
    return Refusal(422, found[0].as_json()["message"], [problem.as_json() for problem in found])


def _add_try(routes: APIRouter, site: Site) -> None:
    current: list[subprocess.Popen[bytes]] = []
    changing = threading.Lock()

    def end_current() -> None:
        with changing:
            while current:
                end_tree(current.pop().pid)

    @routes.post("/try")
    def try_one(body: TryBody) -> dict[str, Any]:
        """Every score of one picture. A newer try, or a cancel, ends this one."""
        form = _placed(site, body.values)
        problem = model_problem(form, _taggers_dir(site))
        if problem is not None:
            raise _refused([problem])
        picture = checked_path(site.root, body.picture)
        if not is_picture(picture) or not is_file(picture):
            raise _refused([FieldProblem("picture", "{path} is not a picture file.", {"path": picture})])
        end_current()
        began = time.monotonic()
        command = [sys.executable, "-m", "taggers", f"--model={chosen_model(form, _taggers_dir(site))}",
                   f"--model-dir={_taggers_dir(site)}", f"--one={picture}"]  # fmt: skip
        process = subprocess.Popen(command, cwd=site.root, env=site.child_environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        with changing:
            current.append(process)
        try:
            out, err = process.communicate(timeout=TRY_SECONDS)
        except subprocess.TimeoutExpired:
            end_tree(process.pid)
            raise Refusal(
                504, f"The tagger did not answer within {TRY_SECONDS} seconds; try a smaller model."
            ) from None
        with changing:
            known = process in current
            if known:
                current.remove(process)
        if not known:
            raise Refusal(409, "cancelled")
        if process.returncode != 0:
            raise Refusal(422, _last_error(err))
        answer: dict[str, Any] = json.loads(out)
        return {**answer, **_shown(site, picture), "seconds": round(time.monotonic() - began, 2)}

    @routes.post("/try/cancel")
    def cancel() -> dict[str, Any]:
        end_current()
        return {"cancelled": True}

    @routes.post("/caption")
    def caption(body: CaptionBody) -> dict[str, Any]:
        """The caption that the form would write for these scores."""
        vocabulary = Vocabulary(tuple(s.tag for s in body.scores), tuple(s.category for s in body.scores))
        scores = np.array([s.score for s in body.scores], np.float32)
        wrong = next(filter(None, (threshold_problem(body.values, name) for name in THRESHOLDS)), None)
        if wrong is not None:
            raise Refusal(422, wrong.as_json()["message"], problems=[wrong.as_json()])
        chosen = choose(vocabulary, scores, body.values.options())
        return {"tags": [list(pair) for pair in chosen.tags], "text": ", ".join(tag for tag, _ in chosen.tags)}


def _last_error(stderr: bytes) -> str:
    """The sentence behind the last `error:` of a tagger's output, or its last line."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return errors[-1] if errors else (lines[-1] if lines else "The tagger ended without a word.")


def _add_runs(routes: APIRouter, site: Site, views: Views, processes: Processes, undos: Undos) -> None:
    starting = threading.Lock()

    def summary_of(view: RunView) -> dict[str, Any]:
        return {"undoing": undos.progress(view.run.id), **view.summary()}  # in this order: an undo may end between

    def view_of(run_id: str) -> RunView:
        view = views.get(run_id)
        if view is None:
            raise Refusal(404, "There is no such tagging run; reload the page.")
        return view

    @routes.post("/start")
    def start(body: FormBody) -> dict[str, Any]:
        form = _placed(site, body.values)
        folder, count = _folder_of(site, form)
        found = problems(form, folder, count, _taggers_dir(site))
        if found or folder is None:
            raise _refused(found)
        with starting:
            if views.running() is not None:
                raise Refusal(409, "A tagging run is going on already; wait until it is done, or cancel it.")
            settings = {**form.model_dump(), "folder": str(folder)}
            run = Run.create(views.runs_dir, folder.name or "pictures", settings)
            try:
                command = tag_command(form, folder, _taggers_dir(site), run)
            except TaggerError as error:
                raise Refusal(422, str(error), [{"address": "model", "message": str(error)}]) from error
            _start(processes, run, command, site)
        site.recent.note(folder)
        return summary_of(view_of(run.id))

    @routes.get("/runs")
    def runs() -> dict[str, Any]:
        """The newest runs, newest first."""
        return {"runs": [summary_of(view) for view in views.newest(20)]}

    @routes.get("/runs/{run_id}")
    def summary(run_id: str) -> dict[str, Any]:
        processes.reap()
        return summary_of(view_of(run_id))

    @routes.get("/runs/{run_id}/pictures")
    def pictures(run_id: str, start: int = 0, count: int = 50, action: str = "") -> dict[str, Any]:
        """A page of what became of the pictures."""
        view = view_of(run_id)
        rows, total = view.pictures(max(0, start), max(1, min(count, 200)), action or None)
        folder = str(view.run.settings().get("folder", ""))
        return {"rows": [_row(site, row, folder) for row in rows], "total": total}

    @routes.post("/runs/{run_id}/stop")
    def stop(run_id: str) -> dict[str, Any]:
        view = view_of(run_id)
        if view.run.job.state() == "running":
            view.run.job.request("stop")
        return summary_of(view)

    @routes.post("/runs/{run_id}/end")
    def end(run_id: str) -> dict[str, Any]:
        """End a run that does not stop when asked; captions are written whole or not at all."""
        view = view_of(run_id)
        process = view.run.job.process()
        if view.run.job.state() == "running" and process is not None:
            end_tree(process.pid)
            processes.reap()
            if view.run.job.state() == "crashed":
                mark_stopped(view.run.job)
        return summary_of(view)

    @routes.post("/runs/{run_id}/undo")
    def take_back(run_id: str) -> dict[str, Any]:
        view = view_of(run_id)
        refused = undos.begin(view.run)
        if refused is not None:
            raise Refusal(409, refused)
        return summary_of(view)


def _row(site: Site, row: dict[str, Any], folder: str) -> dict[str, Any]:
    image = Path(row["image"])
    try:
        name = str(image.relative_to(folder)) if folder else image.name
    except ValueError:
        name = image.name
    return {
        "index": row["index"], "name": name.replace(os.sep, "/"), "action": row["action"], "tags": row["tags"],
        "rating": row.get("rating"), "message": row.get("message"), "thumb": _shown(site, image)["thumb"],
    }  # fmt: skip
