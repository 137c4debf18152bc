"""`python -m taggers DIR --model NAME`: tags a folder. One JSON line a picture on stdout, progress on stderr.

Exit codes: 0 finished, 2 the folder, the options or the tagger are wrong (a message, nothing written), 3 stopped on
request, 1 failed. What was written can be taken back with `--undo RUN`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from taggers import DEFAULT_MODELS_DIR, DEFAULT_TAGGER, TAGGERS, TaggerError, find, load
from taggers.base import Model
from taggers.download import Cancelled, DownloadError, download
from taggers.pictures import PictureError
from taggers.run import DEFAULT_RUNS_DIR, Journal, Run, RunError, find_run, undo
from taggers.single import tag_one
from taggers.tagging import ACTIONS, FolderError, Outcome, Work, pictures_of, tag_folder
from taggers.tags import CONFLICTS, TagOptions, split_typed
from trainer.atomic import WriteError, sweep
from trainer.dataset import tree
from trainer.events import EventLog
from trainer.numbers import NumberError, read_number
from trainer.paths import pasted_path
from trainer.signals import ending_signals, leave_closed_terminal, say

FINISHED, FAILED, WRONG, STOPPED = 0, 1, 2, 3


class Wrong(Exception):
    """The request cannot be carried out; the text is for the user. Exit code 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    warnings.filterwarnings("ignore", message=".*decompression bomb.*")  # pictures.py has its own limit
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    options = _parser().parse_args(arguments)
    try:
        return _command(options)(options)
    except (Wrong, TaggerError, FolderError, PictureError, RunError) as error:
        say(f"error: {error}")
        return WRONG
    except (DownloadError, WriteError) as error:
        say(f"error: {error}")
        return FAILED
    except OSError as error:  # a path of the command line that no file can have, or that may not be used
        say(f"error: {str(error.filename)[:200]}: {error.strerror or error}; choose another path")
        return WRONG


def _command(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    if options.list:
        return _list
    if options.undo:
        return _undo
    if options.download:
        return _download
    if options.one:
        return _one
    return _tag


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m taggers", description="Tags the pictures of a folder.",
                                     epilog="Taggers: " + ", ".join(TAGGERS))  # fmt: skip
    add = parser.add_argument
    add("folder", nargs="?", type=pasted_path, help="the folder with the pictures")
    add("--model", default=DEFAULT_TAGGER, help="name of a tagger or a folder that holds one (default %(default)s)")
    add("--general-threshold", type=_number, default=0.35, help="score that a tag needs (default %(default)s)")
    add("--character-threshold", type=_number, default=0.6, help="score that a character needs (default %(default)s)")
    add("--add-rating", action="store_true", help="write the rating (general, sensitive, ...) too")
    add("--add-model-tag", action="store_true", help="write tags about the image model too (CL tagger only)")
    add("--additional-tags", default="", metavar="A,B", help="tags put before the others, such as a trigger word")
    add("--exclude-tags", default="", metavar="A,B", help="tags never written")
    add("--replace-underscore", action=argparse.BooleanOptionalAction, default=True, help="white_hair as white hair")
    add("--escape", action=argparse.BooleanOptionalAction, default=True, help=r"brackets as \( and \)")
    add("--recursive", action="store_true", help="sub-folders too")
    add("--conflict", choices=CONFLICTS, default="skip", help="what to do where a caption is (default %(default)s)")
    add("--caption-extension", default=".txt", help="default %(default)s")
    add("--model-dir", type=pasted_path, default=DEFAULT_MODELS_DIR, help="where taggers lie (default %(default)s)")
    add("--device", choices=("auto", "cpu"), default="auto", help="cpu: never use a GPU")
    add("--batch-size", type=int, default=4, help="pictures scored together (default %(default)s)")
    add("--limit-to", nargs="+", default=[], metavar="FILE", help="only these pictures of the folder")
    add("--dry-run", action="store_true", help="say what would be written, write nothing")
    add("--one", type=pasted_path, metavar="IMAGE", help="all scores of one picture as JSON; writes nothing")
    add("--undo", metavar="RUN", help="bring back the captions as they were before a run (its id or folder)")
    add("--download", choices=list(TAGGERS), metavar="NAME", help="download a tagger")
    add("--list", action="store_true", help="the taggers, and which are on this machine, as JSON lines")
    add("--runs-dir", type=pasted_path, default=DEFAULT_RUNS_DIR, help="where runs are kept (default %(default)s)")
    add("--run", type=pasted_path, help=argparse.SUPPRESS)
    return parser


def _number(text: str) -> float:
    """A number of the command line; argparse prints what is wrong with it."""
    try:
        return float(read_number(text))
    except NumberError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def work_of(options: argparse.Namespace) -> Work:
    """The checked request. Raises Wrong naming the option and the cure."""
    if options.folder is None:
        raise Wrong("name the folder with the pictures: python -m taggers DIR")
    extension = "." + options.caption_extension.removeprefix(".")
    if (
        not re.fullmatch(r"\.\w{1,16}", extension)
        or tree.is_picture(f"a{extension}")
        or tree.is_unused(f"a{extension}")
    ):
        raise Wrong(f"{options.caption_extension!r} cannot be the extension of captions; use .txt or .caption")
    for name in ("general", "character"):
        threshold = getattr(options, f"{name}_threshold")
        if not 0 < threshold <= 2:
            raise Wrong(f"the {name} threshold is {threshold:g}; choose a score above 0 and up to 1 (above 1: none)")
    if not 1 <= options.batch_size <= 256:
        raise Wrong(f"the batch size is {options.batch_size}; choose 1 to 256")
    words = TagOptions(options.general_threshold, options.character_threshold, options.add_rating,
                       options.add_model_tag, split_typed(options.additional_tags), split_typed(options.exclude_tags),
                       options.replace_underscore, options.escape)  # fmt: skip
    return Work(options.folder, words, options.conflict, extension, options.recursive, tuple(options.limit_to),
                options.batch_size, options.dry_run)  # fmt: skip


def _tag(options: argparse.Namespace) -> int:
    """Tag a folder, telling stdout, stderr and the run's events what became of each picture."""
    if options.run:
        run = Run(options.run)
        return _reported(
            run, lambda: _tag_pictures(options, work_of(options), pictures_of(work_of(options), _warn), run)
        )
    work = work_of(options)
    pictures = pictures_of(work, _warn)
    for folder in {work.folder, *(picture.parent for picture in pictures)}:
        sweep(folder)
    find(options.model, options.model_dir)  # before a run is made: a slip leaves nothing behind
    if options.dry_run:
        return _tag_pictures(options, work, pictures, None)
    own = Run.create(options.runs_dir, work.folder.resolve().name, {"folder": str(work.folder.resolve())})
    own.job.write_process(os.getpid(), sys.argv)
    return _reported(own, lambda: _tag_pictures(options, work, pictures, own))


def _warn(message: str) -> None:
    say(f"warning: {message}")


def _reported(run: Run, action: Callable[[], int]) -> int:
    """Do it; what goes wrong also becomes the run's last event, so that the page can show it."""
    try:
        return action()
    except Exception as error:
        known = isinstance(error, (Wrong, TaggerError, FolderError, RunError, DownloadError, WriteError))
        message = str(error) if known else f"{type(error).__name__}: {error}"
        events = EventLog(run.job.events_path)
        events.emit("failed", kind="data" if known else "bug", message=message,
                    traceback="" if known else traceback.format_exc())  # fmt: skip
        events.close()
        raise


def _tag_pictures(options: argparse.Namespace, work: Work, pictures: list[Path], run: Run | None) -> int:
    events = None if run is None else EventLog(run.job.events_path)
    stopped = _stop_switch(run)
    began = time.monotonic()

    def tell(event: str, **fields: Any) -> None:
        if events is not None:
            events.emit(event, **fields)

    def load_model() -> Model:
        tell("phase", name="loading model", done=0, total=1)
        say(f"loading {options.model} ...")
        model = load(options.model, options.model_dir, options.device)
        say(f"{model.name} runs on {model.device}")
        if model.gpu_unused:
            say("a graphics card is here, but onnxruntime could not use it; install onnxruntime-gpu")
        tell("phase", name="tagging", done=0, total=len(pictures), device=model.device, gpu_unused=model.gpu_unused)
        return model

    tell("started", images=len(pictures), model=options.model, folder=str(work.folder.resolve()), dry_run=work.dry_run)
    journal = None if run is None or work.dry_run else Journal(run.journal_path)
    counts: Counter[str] = Counter()
    try:
        for outcome in tag_folder(work, pictures, load_model, journal, stopped):
            counts[outcome.action] += 1
            line = outcome.as_json()
            _print_line(line)
            tell("picture", index=counts.total() - 1, **line)
            _show(outcome, counts.total(), len(pictures), time.monotonic() - began)
    finally:
        if journal is not None:
            journal.close()
    complete = counts.total() == len(pictures)
    numbers = {action: counts[action] for action in ACTIONS}
    tell("finished" if complete else "stopped", **numbers, seconds=round(time.monotonic() - began, 3))
    _summary(numbers, len(pictures), work, run)
    if not complete:
        return STOPPED
    return WRONG if counts["failed"] == len(pictures) else FINISHED


def _print_line(line: dict[str, Any]) -> None:
    """One JSON line on stdout. Whoever read it may be gone (`... | head`): the tagging goes on without it."""
    say(json.dumps(line, ensure_ascii=False), sys.stdout)


def _show(outcome: Outcome, done: int, total: int, seconds: float) -> None:
    note = f" ({outcome.message})" if outcome.message else ""
    speed = f"{done / seconds:.1f} pictures/s" if seconds > 0 else ""
    say(f"{done}/{total}  {speed}  {outcome.action}: {outcome.image.name}{note}")


def _summary(numbers: dict[str, int], total: int, work: Work, run: Run | None) -> None:
    said = ", ".join(f"{count} {action}" for action, count in numbers.items())
    say(f"{sum(numbers.values())} of {total} pictures: {said}")
    if work.dry_run:
        say("dry run: nothing was written")
    elif run is not None and (numbers["written"] or numbers["appended"]):
        say(f"undo with: python -m taggers --undo {run.id} --runs-dir {run.path.parent}")


def _stop_switch(run: Run | None) -> Callable[[], bool]:
    """Whether to stop: by the run's request file, Ctrl+C or a request of the system. The current batch is finished."""
    asked = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        leave_closed_terminal()
        say("stopping after this batch ...")

    for name in ending_signals():
        signal.signal(name, ask)
    return lambda: bool(asked) or (run is not None and run.job.requested("stop"))


def _one(options: argparse.Namespace) -> int:
    """All scores of one picture, as one JSON object."""
    print(json.dumps(tag_one(load(options.model, options.model_dir, options.device), options.one), ensure_ascii=False))
    return FINISHED


def _undo(options: argparse.Namespace) -> int:
    named = Path(options.undo)
    run = find_run(options.runs_dir, options.undo) or (Run(named) if (named / "journal.jsonl").is_file() else None)
    if run is None:
        raise Wrong(f"there is no run {options.undo} in {options.runs_dir}")
    report = undo(run)
    print(json.dumps(report, ensure_ascii=False))
    return FAILED if report["conflicts"] else FINISHED


def _download(options: argparse.Namespace) -> int:
    """Fetch a tagger; the run's events carry bytes done and total."""
    run = Run(options.run) if options.run else None
    events = None if run is None else EventLog(run.job.events_path)

    def progress(name: str, done: int, total: int | None) -> None:
        if events is not None:
            events.emit("phase", name="downloading", file=name, done=done, total=total)
        share = f"{100 * done / total:.0f} %" if total else ""
        say(f"{name}: {done / 1e6:.1f} MB {share}")

    def fetch() -> int:
        folder = download(TAGGERS[options.download], options.model_dir, progress, _stop_switch(run))
        if events is not None:
            events.emit("finished", path=str(folder))
        say(f"{options.download} is in {folder}")
        return FINISHED

    try:
        return fetch() if run is None else _reported(run, fetch)
    except Cancelled:
        if events is not None:
            events.emit("stopped")
        say("stopped; the next download goes on from here")
        return STOPPED


def _list(options: argparse.Namespace) -> int:
    from taggers import present

    for tagger in TAGGERS.values():
        found = present(tagger.name, options.model_dir)
        line = {"name": tagger.name, "title": tagger.title, "present": found is not None, "bytes": tagger.bytes,
                "model": str(found.model) if found else None}  # fmt: skip
        print(json.dumps(line, ensure_ascii=False))
    return FINISHED


if __name__ == "__main__":
    sys.exit(main())
