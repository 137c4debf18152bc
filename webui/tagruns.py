"""Tagging as the page sees it: the form's values, the processes it starts, and what their runs say so far. LIGHT.

The addresses are in routes/tagging.py; tagging itself is `python -m taggers`, always a process of its own.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from taggers import DEFAULT_TAGGER, TAGGERS, find, in_folder, present
from taggers.pictures import list_pictures
from taggers.run import Run, find_run, list_runs, undo
from taggers.tags import TagOptions, split_typed
from trainer.atomic import atomic_write
from trainer.dataset import caption_files, links, tree
from trainer.dataset.problems import named
from trainer.events import follow
from trainer.filesystem import is_folder
from trainer.job import Job
from trainer.jsontext import parse, presentable
from trainer.numbers import NumberError, read_number
from webui.runner import append_event

OWN_FOLDER = "folder"  # the model choice "a folder of my own"
CAPTION_EXTENSIONS = (".txt", ".caption")
RUNS_REMEMBERED = 6
THRESHOLDS = ("general_threshold", "character_threshold")


Typed = Annotated[str, Field(max_length=60)]  # a number as somebody writes it


class TaggerForm(BaseModel):
    """Every field of the Tagger tab, in its order. Text as typed: a draft may be wrong, `problems` says where."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(default=DEFAULT_TAGGER, max_length=100)
    model_folder: str = Field(default="", max_length=4000)
    folder: str = Field(default="", max_length=4000)
    general_threshold: float | Typed = 0.35
    character_threshold: float | Typed = 0.6
    add_rating: bool = False
    add_model_tag: bool = False
    additional_tags: str = Field(default="", max_length=4000)
    exclude_tags: str = Field(default="", max_length=20_000)
    replace_underscore: bool = True
    escape: bool = True
    recursive: bool = False
    conflict: Literal["skip", "replace", "prepend", "append"] = "skip"
    caption_extension: Literal[".txt", ".caption"] = ".txt"
    texts_from: str = Field(default="", max_length=4000)  # the folder for which the texts were typed

    def score(self, name: str) -> float:
        """A threshold as a number. Raises NumberError."""
        value = getattr(self, name)
        return read_number(value) if isinstance(value, str) else value

    def options(self) -> TagOptions:
        """What the form says about choosing and writing tags. Raises NumberError for a threshold that is no number."""
        return TagOptions(
            self.score("general_threshold"), self.score("character_threshold"), self.add_rating, self.add_model_tag,
            split_typed(self.additional_tags), split_typed(self.exclude_tags), self.replace_underscore, self.escape,
        )  # fmt: skip


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field. The message is the template with its values, so that it can be translated."""

    address: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """{"address", "message", "template", "values"}."""
        message = self.template
        for name, value in self.values.items():
            message = message.replace("{" + name + "}", str(value))
        values = {name: value if isinstance(value, int) else str(value) for name, value in self.values.items()}
        return {"address": self.address, "message": message, "template": self.template, "values": values}


class Drafts:
    """The Tagger tab's form on disk: one draft, so that a reload or a second window finds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> TaggerForm:
        """The draft; a fresh form when there is none or the file is damaged."""
        try:
            return TaggerForm.model_validate(parse(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return TaggerForm()

    def save(self, form: TaggerForm) -> None:
        """Keep the form. Raises WriteError."""
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, form.model_dump_json(indent=1))


@dataclass(frozen=True)
class FolderCount:
    """What a folder holds for the tagger: pictures, those with a caption, and pictures in sub-folders left out.

    unused: names of pictures of a kind that training does not read.
    unreadable: the folder, it or one below it, whose rights keep the rest from being counted.
    """

    pictures: tuple[Path, ...] = ()
    captioned: int = 0
    deeper: int = 0
    unused: tuple[str, ...] = ()
    unreadable: Path | None = None


def count_folder(folder: Path, recursive: bool, extension: str) -> FolderCount:
    """Count pictures and captions; links that a run will not follow do not count.

    Raises OSError when the folder cannot be read.
    """
    root = links.real(folder)
    found = list_pictures(folder, recursive)
    pictures = [path for path in found if not path.is_symlink() or links.kind_of(path, root) == "file"]
    files = {parent: caption_files.look(parent, extension) for parent in {picture.parent for picture in pictures}}
    names = [(picture.parent, files[picture.parent].of(picture.stem)) for picture in pictures]
    captioned = sum(name is not None and _has_content(parent / name) for parent, name in names)
    below = list(tree.leaves(folder))
    deeper = 0 if recursive else sum(len(leaf.pictures) for leaf in below[1:])
    unused = tuple(name for leaf in (below if recursive else below[:1]) for name in leaf.unused)
    return FolderCount(tuple(pictures), captioned, deeper, unused)


def _has_content(caption: Path) -> bool:
    try:
        return caption.stat().st_size > 0
    except OSError:
        return False


def problems(form: TaggerForm, folder: Path | None, count: FolderCount | None, models_dir: Path) -> list[FieldProblem]:
    """What keeps the form from being started, field by field. folder: absolute; None when nothing was typed."""
    found = []
    model = model_problem(form, models_dir)
    if model is not None:
        found.append(model)
    if folder is None:
        found.append(FieldProblem("folder", "Choose the folder that holds your pictures."))
    elif not is_folder(folder):
        found.append(
            FieldProblem("folder", "{path} is not a folder; check the spelling or browse for it.", {"path": folder})
        )
    elif count is None or count.unreadable is not None:
        place = folder if count is None else count.unreadable
        found.append(FieldProblem("folder", "{path} cannot be read; check its rights.", {"path": place}))
    elif not count.pictures and count.deeper:
        found.append(FieldProblem("folder", "{path} has no pictures of its own, its sub-folders have {n}; "
                                  "tick 'Sub-folders too'.", {"path": folder, "n": count.deeper}))  # fmt: skip
    elif not count.pictures and count.unused:
        found.append(FieldProblem("folder", "{path} holds no pictures of a kind that is read, only {files}; save them "
                                  "as PNG, JPEG or WebP.", {"path": folder, "files": named(count.unused)}))  # fmt: skip
    elif not count.pictures:
        found.append(FieldProblem("folder", "{path} holds no pictures.", {"path": folder}))
    found += filter(None, (threshold_problem(form, name) for name in THRESHOLDS))
    return found


def threshold_problem(form: TaggerForm, name: str) -> FieldProblem | None:
    """Why a threshold cannot be used, or None."""
    try:
        score = form.score(name)
    except NumberError as error:
        told = {"value": getattr(form, name), "cure": error.cure}
        if error.cure:
            said = "{value} is no score; numbers are written with a point, without commas or spaces: write {cure}"
            return FieldProblem(name, said, told)
        return FieldProblem(name, "{value} is no score; write a number above 0 and up to 1, such as 0.35", told)
    return None if 0 < score <= 1 else FieldProblem(name, "Choose a score above 0 and up to 1.")


def model_problem(form: TaggerForm, models_dir: Path) -> FieldProblem | None:
    """Why the chosen model cannot be used now, or None."""
    if form.model == OWN_FOLDER:
        if not form.model_folder.strip():
            return FieldProblem("model_folder", "Choose the folder that holds the tagger.")
        if in_folder(Path(form.model_folder)) is None:
            template = "{path} holds no tagger: expected model.onnx beside selected_tags.csv or tag_mapping.json."
            return FieldProblem("model_folder", template, {"path": form.model_folder.strip()})
        return None
    if form.model not in TAGGERS:
        return FieldProblem("model", "There is no tagger {name}; choose one of the list.", {"name": form.model})
    if present(form.model, models_dir) is None:
        return FieldProblem("model", "{name} is not on this machine yet; download it first.", {"name": form.model})
    return None


def chosen_model(form: TaggerForm, models_dir: Path) -> str:
    """What the command line gets as --model. Raises TaggerError."""
    name = str(Path(form.model_folder).resolve()) if form.model == OWN_FOLDER else form.model
    find(name, models_dir)
    return name


def tag_command(form: TaggerForm, folder: Path, models_dir: Path, run: Run) -> list[str]:
    """The command of a tagging run; every text goes in behind an equals sign, so that none is taken for an option."""
    options = [
        f"--model={chosen_model(form, models_dir)}", f"--model-dir={models_dir}", f"--run={run.path}",
        *(f"--{name.replace('_', '-')}={form.score(name)}" for name in THRESHOLDS),
        f"--additional-tags={form.additional_tags}", f"--exclude-tags={form.exclude_tags}",
        f"--conflict={form.conflict}", f"--caption-extension={form.caption_extension}",
        "--replace-underscore" if form.replace_underscore else "--no-replace-underscore",
        "--escape" if form.escape else "--no-escape",
    ]  # fmt: skip
    switches = {"--add-rating": form.add_rating, "--add-model-tag": form.add_model_tag, "--recursive": form.recursive}
    options += [name for name, on in switches.items() if on]
    return [sys.executable, "-m", "taggers", *options, "--", str(folder)]


class Processes:
    """Starts `python -m taggers` apart from the page, so that it outlives it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, run: Run, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a run's process, its output going to the run's log. Raises OSError."""
        detached: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        with run.job.log_path.open("ab") as log:
            child = subprocess.Popen(
                list(command), cwd=self.root, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, close_fds=True, **detached,
            )  # fmt: skip
        self._children.append(child)
        with contextlib.suppress(Exception):  # it may be over already: then its events say how it ended
            run.job.write_process(child.pid, list(command))

    def reap(self) -> None:
        """Collect ended children: on POSIX they stay zombies otherwise."""
        self._children = [child for child in self._children if child.poll() is None]


class RunView:
    """What a run's events say, read on from where the last look ended. Thread-safe."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: list[dict[str, Any]] = []
        self._offset = 0
        self._counts: Counter[str] = Counter()
        self._first: dict[str, Any] = {}
        self._phase: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._looked_at: list[float] = []
        self._lock = threading.Lock()

    def summary(self) -> dict[str, Any]:
        """State, counts and speed as the page shows them."""
        with self._lock:
            self._read_on()
            state = self.run.job.state()
            self._read_on()  # what was written between the two looks
            settings = self.run.settings()
            undone = self.run.undone()
            return {
                "id": self.run.id, "state": state, "settings": settings, "total": self._first.get("images"),
                "done": sum(self._counts.values()), "counts": self._present(undone), "phase": self._phase.get("name"),
                "device": self._phase.get("device"),
                "gpu_unused": bool(self._phase.get("gpu_unused")), "speed": self._speed(), "seconds": self._seconds(),
                "message": self._last.get("message"), "undone": undone,
                "undoable": state != "running" and undone is None and self.run.journal_path.is_file(),
                "stopping": state == "running" and self.run.job.requested("stop"), "started": self._first.get("time"),
                "bytes_done": self._phase.get("done"), "bytes_total": self._phase.get("total"),
                "log_end": _tail(self.run.job.log_path) if state in ("crashed", "failed") else "",
            }  # fmt: skip

    def pictures(self, start: int, count: int, action: str | None) -> tuple[list[dict[str, Any]], int]:
        """Rows [start, start + count) of those with that action, and how many there are."""
        with self._lock:
            self._read_on()
            left = _left_by_undo(self.run.undone())
            rows = self.rows if left is None else [_after_undo(row, left) for row in self.rows]
            rows = rows if action is None else [row for row in rows if row["action"] == action]
            return rows[start : start + count], len(rows)

    def _present(self, undone: Mapping[str, Any] | None) -> dict[str, int]:
        """How many pictures there are of each action, with what an undo has brought back."""
        left = _left_by_undo(undone)
        return dict(self._counts if left is None else Counter(_after_undo(row, left)["action"] for row in self.rows))

    def _read_on(self) -> None:
        while True:
            events, offset = follow(self.run.job.events_path, self._offset)
            if offset == self._offset:
                return
            self._offset = offset
            for event in events:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if not isinstance(event.get("time"), (int, float)) or not presentable(event):
            return
        if kind == "picture":
            if not _is_row(event):
                return
            self.rows.append(event)
            self._counts[event["action"]] += 1
            if event["tags"]:
                self._looked_at.append(event["time"])
        elif kind == "started":
            self._first = event
        elif kind == "phase":
            self._phase = event
        self._last = event

    def _seconds(self) -> float | None:
        if not self._first:
            return None
        return max(0.0, round(float(self._last["time"]) - float(self._first["time"]), 1))

    def _speed(self) -> float | None:
        """Pictures a second over the last 200 that were looked at."""
        times = self._looked_at[-200:]
        began = self._phase.get("time", times[0] if times else 0) if len(self._looked_at) <= 200 else times[0]
        return round(len(times) / (times[-1] - began), 2) if times and times[-1] > began else None


def _left_by_undo(undone: Mapping[str, Any] | None) -> set[str] | None:
    """The captions that an undo left as they are, None before one."""
    if undone is None:
        return None
    conflicts = undone.get("conflicts")
    listed = conflicts if isinstance(conflicts, list) else []
    return {str(one.get("caption")) for one in listed if isinstance(one, Mapping)}


def _after_undo(row: dict[str, Any], left: Collection[str]) -> dict[str, Any]:
    """A row after an undo: what was written and is gone again says so. left: the captions, every link followed, that
    somebody changed since."""
    if row["action"] not in ("written", "appended"):
        return row
    kept = bool(left) and str(links.real(Path(str(row.get("caption_file"))))) in left
    return row if kept else {**row, "action": "undone"}


def _is_row(event: Mapping[str, Any]) -> bool:
    """Whether the event says of a picture what a line of the table shows."""
    texts = (event.get("action"), event.get("image"))
    return all(isinstance(text, str) for text in texts) and isinstance(event.get("tags"), list) and "index" in event


class Undos:
    """Undoes runs in threads, since ten thousand captions take a minute; remembers how far each is. Thread-safe."""

    def __init__(self) -> None:
        self._going: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def begin(self, run: Run, patience_seconds: float = 1.0) -> str | None:
        """Start undoing a run, unless it is being undone, and wait a moment for the end.

        Returns why it cannot be undone when that shows within the moment, else None.
        """
        with self._lock:
            if run.id in self._going:
                return None
            state: dict[str, Any] = {"done": 0, "total": None, "error": None}
            self._going[run.id] = state
        worker = threading.Thread(target=self._undo, args=(run, state), name="undo", daemon=True)
        worker.start()
        worker.join(patience_seconds)
        error: str | None = state["error"]
        return error

    def progress(self, run_id: str) -> dict[str, Any] | None:
        """{"done", "total"} of an undo that is going on."""
        state = self._going.get(run_id)
        return None if state is None else {"done": state["done"], "total": state["total"]}

    def _undo(self, run: Run, state: dict[str, Any]) -> None:
        try:
            undo(run, lambda done, total: state.update(done=done, total=total))
        except (OSError, ValueError) as error:
            state["error"] = str(error)
        finally:
            with self._lock:
                self._going.pop(run.id, None)


class Views:
    """The views of runs that were asked for lately."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._views: dict[str, RunView] = {}

    def get(self, run_id: str) -> RunView | None:
        """The view of a run, or None when there is no such run."""
        view = self._views.pop(run_id, None)
        if view is None:
            run = find_run(self.runs_dir, run_id)
            if run is None:
                return None
            view = RunView(run)
        self._views[run_id] = view
        while len(self._views) > RUNS_REMEMBERED:
            self._views.pop(next(iter(self._views)))
        return view

    def newest(self, count: int = 1) -> list[RunView]:
        """Views of the newest runs, newest first."""
        found = (self.get(run.id) for run in list_runs(self.runs_dir)[:count])
        return [view for view in found if view is not None]

    def running(self) -> RunView | None:
        """The run that is going, if one is; only the newest few can be."""
        return next((view for view in self.newest(3) if view.run.job.state() == "running"), None)


def mark_stopped(job: Job) -> None:
    """The process was ended without a word of its own: its last event becomes `stopped`."""
    append_event(job, "stopped", forced=True)


def is_picture(path: Path) -> bool:
    """Whether the name is one of a picture, also of a kind that training does not read."""
    return tree.is_picture(path.name) or tree.is_unused(path.name)


def _tail(path: Path, size: int = 4000) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - size))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
