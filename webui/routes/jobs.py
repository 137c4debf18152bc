"""Jobs by their ids: listing, watching, starting, stopping. Paths never come from the browser (SAFETY R5)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from trainer import tomltext
from trainer.config import ConfigError, parse, to_toml
from trainer.job import Job, find_job, list_jobs
from webui import jobfiles, logtail
from webui.answers import Refusal
from webui.form import default_values, raw
from webui.form_import import read_text, take
from webui.form_report import picture_folders
from webui.jobabout import AboutError, about, change, shown_name
from webui.jobfiles import UnreadableConfig, config_text
from webui.jobresult import result
from webui.progress import EventReader, now
from webui.shortpaths import ShortPaths
from webui.site import Site
from webui.thumbnails import NoThumbnail

PICTURES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
MOST_LISTED = 300
LONGEST_BODY = 10_000


class NewJob(BaseModel):
    """A configuration to train: flat, sectioned or by address, as trainer.config.parse takes it."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Any]
    name: str = ""
    queue: bool = False


class Order(BaseModel):
    """Ids of waiting jobs, next first."""

    model_config = ConfigDict(extra="forbid")
    order: list[str]


class Written(BaseModel):
    """What a person writes about a job; what is left out stays. name: "" for the one that the run saves under."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = Field(None, max_length=LONGEST_BODY)
    note: str | None = Field(None, max_length=LONGEST_BODY)
    star: bool | None = None


class Pause(BaseModel):
    """Whether waiting jobs are held back."""

    model_config = ConfigDict(extra="forbid")
    paused: bool


def router(site: Site) -> APIRouter:
    """Everything below /api/jobs."""
    routes = APIRouter(prefix="/api/jobs")

    def job_of(job_id: str) -> Job:
        job = find_job(site.jobs_dir, job_id)
        if job is None:
            raise Refusal(404, f"There is no job {job_id[:80]!r}; it may have been removed.")
        return job

    _add_list(routes, site)
    _add_views(routes, site, job_of)
    _add_pictures(routes, site, job_of)
    _add_actions(routes, site, job_of)
    return routes


def _add_list(routes: APIRouter, site: Site) -> None:
    @routes.get("")
    def listing() -> dict[str, Any]:
        """Every job with its summary, newest first; the queue's order; whether the queue is held back."""
        jobs = list_jobs(site.jobs_dir)
        queue = site.runner.queue()
        shown = [_line(site, job, queue) for job in jobs[:MOST_LISTED]]
        return {
            "jobs": shown,
            "queue": queue,
            "paused": site.runner.paused,
            "now": now(),
            "more": max(0, len(jobs) - MOST_LISTED),
        }

    @routes.get("/running")
    def running() -> dict[str, Any]:
        """What the strip on every tab shows."""
        jobs = [_line(site, job, []) for job in site.runner.running()]
        return {"jobs": jobs, "waiting": len(site.runner.queue()), "now": now()}

    @routes.post("")
    def create(new: NewJob) -> dict[str, Any]:
        """Check a configuration and start it next (put it at the end of the queue with `queue`)."""
        try:
            config = parse(new.values).config
        except ConfigError as error:
            problems = [{"address": problem.address, "message": problem.message} for problem in error.problems]
            raise Refusal(422, "The parameters need a correction before training can start.", problems) from None
        job = site.runner.submit(new.name or config.save.output_name or "job", to_toml(config), first=not new.queue)
        return {"id": job.id, **placed(site, job)}

    @routes.post("/order")
    def order(wanted: Order) -> dict[str, Any]:
        """Change the order of the waiting jobs."""
        return {"queue": site.runner.reorder(wanted.order)}

    @routes.post("/pause")
    def pause(wanted: Pause) -> dict[str, Any]:
        """Hold back the queue, or let it go on."""
        site.runner.pause(wanted.paused)
        return {"paused": site.runner.paused, "queue": site.runner.queue()}


def _add_views(routes: APIRouter, site: Site, job_of: Callable[[str], Job]) -> None:
    @routes.get("/{job_id}")
    def detail(job_id: str) -> dict[str, Any]:
        """All that is known of a job except its log, its curve and its pictures' content."""
        job = job_of(job_id)
        reader = site.digests.of(job)
        digest = reader.digest
        end = _known_end(site, job, reader)
        short = ShortPaths(site.root, _picture_folders(job))
        line = _line(site, job, site.runner.queue(), reader)
        messages = {key: short.text(line["end"][key]) for key in ("message", "advice") if line.get("end", {}).get(key)}
        return {
            "job": {**line, "end": {**line["end"], **messages}} if messages else line,
            "revision": digest.revision,
            "started": digest.started,
            "samples": [
                {"index": sample["number"], **{key: sample.get(key) for key in ("step", "epoch", "prompt", "seed")}}
                for sample in digest.samples.entries()
            ],
            "files": [{"index": entry["number"], **_file(site, job, entry)} for entry in digest.files],
            "older_files": digest.counts["checkpoint"] - len(digest.files),
            "warnings": [
                {"time": entry.get("time"), "message": short.text(entry["message"])} for entry in digest.warnings
            ],
            "more_warnings": digest.counts["warning"] - len(digest.warnings),
            "traceback": end.get("traceback", "") if end.get("event") == "failed" else "",
            "changes": _changes(end),
            "previews": _has_prompts(job),
            "intervals": _has_intervals(job),
            "about": asdict(about(job)),
            "result": result(site.root, job, digest),
            "resumable": jobfiles.newest_state(site.root, digest) is not None,
            "folder": str(job.path),
            "local": not site.listen,
        }

    @routes.get("/{job_id}/remedy")
    def remedy(job_id: str) -> dict[str, Any]:
        """The job's settings as the form holds them, with what its failure advises to change. Starts nothing."""
        job = job_of(job_id)
        changes = _changes(_known_end(site, job, site.digests.of(job)))
        return {"values": {**_form_values(job), **{change["address"]: change["value"] for change in changes}}}

    @routes.get("/{job_id}/values")
    def values(job_id: str) -> dict[str, Any]:
        """The job's settings as the form holds them. Starts nothing."""
        return {"values": _form_values(job_of(job_id))}

    @routes.get("/{job_id}/live")
    def live(job_id: str, log: int = -1) -> dict[str, Any]:
        """One poll: the summary, new log text after byte `log`, and a number that changes when `detail` does."""
        job = job_of(job_id)
        reader = site.digests.of(job)
        line = _line(site, job, site.runner.queue(), reader)
        return {"job": line, "revision": reader.digest.revision, "log": logtail.read(job.log_path, log), "now": now()}

    @routes.get("/{job_id}/curve")
    def curve(job_id: str) -> dict[str, Any]:
        """The loss over the steps, in at most 1000 points."""
        return site.digests.of(job_of(job_id)).curve()

    @routes.get("/{job_id}/log")
    def log(job_id: str, offset: int = -1) -> dict[str, Any]:
        """Log text after a byte offset; -1 = the end of the log."""
        return logtail.read(job_of(job_id).log_path, offset)

    @routes.get("/{job_id}/log.txt")
    def whole_log(job_id: str) -> Response:
        """The whole log to keep."""
        job = job_of(job_id)
        if not (job.log_path.is_file() and os.access(job.log_path, os.R_OK)):
            raise Refusal(404, "This job has written no log yet.")
        return FileResponse(job.log_path, media_type="text/plain; charset=utf-8", filename=f"{job.id}.log.txt")

    @routes.get("/{job_id}/files/{index}")
    def lora(job_id: str, index: int) -> Response:
        """A finished LoRA file, for a browser on another machine."""
        job = job_of(job_id)
        path = _lora_of(site, job, _numbered(site.digests.of(job).digest.files, index))
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    @routes.get("/{job_id}/config")
    def config(job_id: str) -> dict[str, str]:
        """The configuration as TOML."""
        try:
            return {"toml": config_text(job_of(job_id))}
        except UnreadableConfig as error:
            raise Refusal(409, f"The settings of this job cannot be read: {error}.") from error


def _form_values(job: Job) -> dict[str, Any]:
    """Every field of the form as the job was trained. Raises Refusal when its settings cannot be read."""
    try:
        return dict(take(read_text(config_text(job), job.config_path.name)).values)
    except (ValueError, RecursionError) as error:
        raise Refusal(409, "The settings of this job cannot be read.") from error


def placed(site: Site, job: Job) -> dict[str, Any]:
    """Where a job stands that was just put into the queue: its state, its place there and the job it waits for."""
    queue, state = site.runner.queue(), job.state()
    running = site.runner.running() if state == "waiting" else []
    before = [shown_name(other, site.digests.glance(other).started) for other in running]
    return {
        "state": state, "position": queue.index(job.id) + 1 if job.id in queue else None, "before": before[:1],
        "paused": site.runner.paused,
    }  # fmt: skip


def _resume_of(job: Job) -> str:
    """The training state that a job's settings go on from; "" without one."""
    try:
        save = tomltext.parse(config_text(job)).get("save", {})
        return str(save.get("resume") or "") if isinstance(save, dict) else ""
    except (ValueError, RecursionError):
        return ""


def _has_intervals(job: Job) -> bool:
    """Whether the job's settings draw previews by themselves, at steps, epochs or the start."""
    try:
        lines = config_text(job).splitlines()
    except UnreadableConfig:
        return False
    return any(re.match(r"sample_every_n_(epochs|steps) = [1-9]|sample_at_first = true", line) for line in lines)


def _has_prompts(job: Job) -> bool:
    """Whether the job's settings name prompts for previews."""
    try:
        return any(line.startswith("sample_prompts = ") for line in config_text(job).splitlines())
    except UnreadableConfig:
        return False


def _picture_folders(job: Job) -> list[str]:
    """The folders with the pictures of a job; none when its settings cannot be read."""
    try:
        return picture_folders(parse(read_text(config_text(job), "config.toml")).config)
    except (ValueError, RecursionError):
        return []


def _known_end(site: Site, job: Job, reader: EventReader) -> Mapping[str, Any]:
    """How a job ended; while its events are still being read, what their last lines say of it."""
    return site.digests.glance(job).end if reader.unread else reader.digest.end


def _numbered(events: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """The event with that number, or an empty one."""
    return next((event for event in events if event["number"] == number), {})


def _changes(end: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a failure advises to change: parameter, and its value as the form shows it."""
    known = default_values()
    changes = end.get("changes", {}) if end.get("event") == "failed" else {}
    return [{"address": address, "value": raw(value)} for address, value in changes.items() if address in known]


def _add_pictures(routes: APIRouter, site: Site, job_of: Callable[[str], Job]) -> None:
    @routes.get("/{job_id}/samples/{index}")
    def sample(job_id: str, index: int, size: int = 0) -> Response:
        """A preview by its number (-1 = the newest); size = side of a thumbnail in pixels, 0 = the picture itself."""
        job = job_of(job_id)
        found = _newest_sample(site, job) if index == -1 else _numbered(_samples_of(site, job), index)
        if not found:
            raise Refusal(404, "There is no such preview.")
        path = job.path / found["file"]
        shown = path.suffix.lower() in PICTURES and jobfiles.inside([job.path], path)
        if not (shown and path.is_file() and os.access(path, os.R_OK)):
            raise Refusal(404, "This preview's file is gone.")
        kept = {"cache-control": "private, max-age=86400"}
        if not size:
            return FileResponse(path, media_type=PICTURES[path.suffix.lower()], headers=kept)
        try:
            return FileResponse(site.thumbnails.thumbnail(path, size), media_type="image/webp", headers=kept)
        except NoThumbnail as error:
            raise Refusal(404, str(error)) from None


def _samples_of(site: Site, job: Job) -> list[dict[str, Any]]:
    return site.digests.of(job).digest.samples.entries()


def _newest_sample(site: Site, job: Job) -> dict[str, Any]:
    """The newest preview; a list of many jobs asks for it, so the ends of the events are looked at first."""
    samples = site.digests.glance(job).samples.entries() or _samples_of(site, job)
    return samples[-1] if samples else {}


def _add_actions(routes: APIRouter, site: Site, job_of: Callable[[str], Job]) -> None:
    runner = site.runner

    @routes.post("/{job_id}/about")
    def write(job_id: str, written: Written) -> dict[str, Any]:
        """Keep a name, a note or a star for a job."""
        try:
            return asdict(change(job_of(job_id), written.name, written.note, written.star))
        except AboutError as error:
            raise Refusal(422, str(error)) from None

    @routes.post("/{job_id}/start")
    def start(job_id: str) -> dict[str, Any]:
        """Start a waiting job next; a queue that is held back stays so for the others."""
        try:
            runner.start_now(job_of(job_id))
        except RuntimeError as error:
            raise Refusal(409, f"Not started: {error}.") from None
        return {"id": job_id, **placed(site, job_of(job_id))}

    @routes.post("/{job_id}/stop")
    def stop(job_id: str) -> dict[str, Any]:
        """Ask a running job to save its state and stop; take a waiting one out of the queue."""
        job = job_of(job_id)
        _ask(lambda: runner.stop(job))
        return {"id": job_id, "state": job.state(), "patience_seconds": site.settings.current.stop_grace_seconds}

    @routes.post("/{job_id}/end")
    def end(job_id: str) -> dict[str, Any]:
        """End a running job's processes at once; what it did since its last save is lost."""
        job = job_of(job_id)
        runner.end(job)
        return {"id": job_id, "state": job.state()}

    @routes.post("/{job_id}/queue")
    def queue(job_id: str) -> dict[str, Any]:
        """Put a waiting job that is in no queue at the queue's end."""
        try:
            runner.enqueue(job_of(job_id))
        except RuntimeError as error:
            raise Refusal(409, f"Not queued: {error}.") from None
        return {"queue": runner.queue()}

    def _again(job: Job, resume_from: str | None = None) -> Job:
        try:
            return runner.again(job, resume_from)
        except UnreadableConfig as error:
            raise Refusal(409, f"The settings of this job cannot be read: {error}.") from error

    @routes.post("/{job_id}/again")
    def again(job_id: str) -> dict[str, Any]:
        """A new job with the same configuration, from its first step. anew: the one before had gone on from a state."""
        job = job_of(job_id)
        made = _again(job)
        return {"id": made.id, "anew": bool(_resume_of(job)), **placed(site, made)}

    @routes.post("/{job_id}/resume")
    def resume(job_id: str) -> dict[str, Any]:
        """A new job that goes on from the newest training state of this one."""
        job = job_of(job_id)
        state = jobfiles.newest_state(site.root, site.digests.of(job).whole())
        if state is None:
            raise Refusal(
                409, "This job has saved no training state to go on from; use 'Run again', with save_state on."
            )
        made = _again(job, resume_from=str(state))
        return {"id": made.id, "from": str(state), **placed(site, made)}

    @routes.post("/{job_id}/request/{name}")
    def request(job_id: str, name: str) -> dict[str, Any]:
        """Ask a running job for a preview or a save now."""
        job = job_of(job_id)
        if name not in ("sample", "save"):
            raise Refusal(404, "A running job can be asked for 'sample' or 'save'.")
        if job.state() != "running":
            raise Refusal(409, "This job does not run any more.")
        _ask(lambda: job.request(name))
        return {"id": job_id, "requested": name}

    @routes.post("/{job_id}/remove")
    def remove(job_id: str) -> dict[str, Any]:
        """Move a job's folder to the trash. The LoRA files in the output folder stay."""
        try:
            runner.remove(job_of(job_id))
        except RuntimeError as error:
            raise Refusal(409, f"Not removed: {error}.") from None
        return {"id": job_id}

    @routes.post("/{job_id}/restore")
    def restore(job_id: str) -> dict[str, Any]:
        """Bring a removed job back."""
        if runner.restore(job_id) is None:
            raise Refusal(404, "This job is no longer in the trash.")
        return {"id": job_id}

    @routes.post("/{job_id}/open")
    def open_it(job_id: str, file: int = -1) -> dict[str, Any]:
        """Show the job's folder, or that of one of its files, in this machine's file manager."""
        job = job_of(job_id)
        if site.listen:
            raise Refusal(403, "Folders are opened on the machine that runs Athanor; copy the path instead.")
        path = jobfiles.place_of(site.root, _numbered(site.digests.of(job).digest.files, file).get("path"))
        if file != -1 and path is None:
            raise Refusal(404, "This job has saved no such file.")
        return {"opened": str(open_folder(job.path if path is None else path.parent))}


def _ask(request: Callable[[], object]) -> None:
    """Leave a request in a job's folder. Raises Refusal where it cannot be written."""
    try:
        request()
    except OSError as error:
        raise Refusal(409, f"The job cannot be asked: {error.filename}: {error.strerror or error}.") from error


def _lora_of(site: Site, job: Job, entry: Mapping[str, Any]) -> Path:
    """The LoRA file of a checkpoint event. Raises Refusal when it is none, lies elsewhere, or is gone."""
    path = jobfiles.place_of(site.root, entry.get("path"))
    if path is None or entry.get("kind") != "lora" or path.suffix.lower() not in jobfiles.LORA_FILES:
        raise Refusal(404, "This is not a LoRA file; copy its path instead.")
    if not jobfiles.exists(path):
        raise Refusal(404, f"The file {path.name} is gone.")
    folders = jobfiles.output_folders(site.root, site.output_dir, job)
    if not jobfiles.inside(folders, path) or not jobfiles.is_lora(path):
        raise Refusal(404, "This is not a LoRA file; copy its path instead.")
    return path


def open_folder(folder: Path) -> Path:
    """Show a folder in the file manager. Raises Refusal where there is no desktop."""
    if not folder.is_dir():
        raise Refusal(404, f"The folder {folder} is gone.")
    if sys.platform == "win32":
        os.startfile(folder)  # noqa: S606 - a folder that exists, no command line
        return folder
    if sys.platform != "darwin" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise Refusal(409, f"This machine has no desktop to open {folder} on; copy the path instead.")
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        subprocess.Popen(
            [opener, str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        raise Refusal(409, f"{opener} is missing, so {folder} cannot be opened; copy the path instead.") from None
    return folder


def _line(site: Site, job: Job, queue: list[str], reader: EventReader | None = None) -> dict[str, Any]:
    """What a list shows of a job. reading: the share of its events that was read, while a long file is."""
    state = site.runner.state(job)
    if reader is None and state == "running":
        reader = site.digests.of(job)
    elif reader is not None:
        reader.read()  # anew: the state may have come from an event written just now
    unread = reader.unread if reader is not None else 0
    digest = site.digests.glance(job) if reader is None or unread else reader.digest
    asked = site.runner.asked_to_stop(job)
    return {
        "id": job.id,
        "name": shown_name(job, digest.started),
        "star": about(job).star,
        "state": state,
        "position": queue.index(job.id) + 1 if job.id in queue else None,
        "stopping_since": asked if state == "running" else None,
        "patience_seconds": site.settings.current.stop_grace_seconds,
        "reading": reader.share if reader is not None and unread else None,
        **digest.summary(),
    }


def _file(site: Site, job: Job, entry: Mapping[str, Any]) -> dict[str, Any]:
    path = jobfiles.place_of(site.root, entry["path"])
    return {
        "kind": entry.get("kind"), "path": entry["path"] if path is None else str(path),
        "shown": entry["path"] if path is None else jobfiles.below((job.path, site.root), path),
        "step": entry.get("step"), "epoch": entry.get("epoch"),
        "bytes": entry.get("bytes"), "exists": jobfiles.exists(path),
    }  # fmt: skip
