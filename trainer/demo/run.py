"""`python -m trainer demo`: the main job without a browser. Draw, tag, train, compare, say where everything lies.

Tagging and training run as processes of their own, as the page runs them; nothing here trains. LIGHT until measuring.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from trainer.atomic import WriteError, atomic_writer
from trainer.config import Parsed, TrainConfig, read, to_toml
from trainer.demo.pictures import TRIGGER, DataSet, DemoError, new_pictures, write_data_set, write_missing_captions
from trainer.events import TERMINAL, follow
from trainer.job import Job
from trainer.signals import answered_by, say

if TYPE_CHECKING:
    from trainer.demo.measure import Measured

PROGRAM = Path(__file__).parents[2]
PRESET = PROGRAM / "presets" / "demo.toml"
PREVIEWED = f"{TRIGGER}, red star, blue background, large --w 128 --h 128 --d 1 --l 7 --s 12"
TAGGER = "demo-tagger"
TAGGING_PATIENCE_SECONDS = 300
GRACE_SECONDS = 60  # for the trainer to save its state after Ctrl-C
LINE_EVERY_SECONDS = 5.0
FINISHED, FAILED, REFUSED, STOPPED = 0, 1, 2, 3
ROW_LABEL_PX = 18


@dataclass(frozen=True)
class Trained:
    """How the training process ended. path: the LoRA file when it finished."""

    exit_code: int
    path: Path | None
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo. 0 finished, 1 failed, 2 it cannot start (nothing is trained), 3 stopped by Ctrl-C, state saved."""
    options = _parser().parse_args(argv)
    try:
        with _ending_as_ctrl_c():
            return _demo(options.folder.resolve(), options.steps)
    except (DemoError, WriteError) as error:
        say(f"error: {error}")
        return REFUSED
    except KeyboardInterrupt:
        say("stopped")
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer demo",
        description="Draw pictures, tag them, train a LoRA on them, and compare before and after.",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROGRAM,
        help="where train, jobs, output and logs lie (default: the program's folder)",
    )
    parser.add_argument("--steps", type=int, help="train for this many steps instead of the preset's (for trying out)")
    return parser


def _demo(folder: Path, steps: int | None) -> int:
    """The whole road, read top to bottom."""
    data_set = write_data_set(folder)
    _say(f"{len(new_pictures())} pictures of a star lie in {data_set.new_dir}, other shapes in {data_set.known_dir}")
    tag(data_set, folder)
    config = demo_config(folder, data_set, steps)
    job = Job.create(folder / "jobs", "demo", to_toml(config))
    _say(f"training {config.run.max_train_steps} steps; job {job.path}")
    # The base model draws in this process while the trainer works in its own: a core each.
    with training(job) as process:
        family, judge, before = _measured_before(config)
        trained = followed(job, process)
    if trained.path is None:
        if trained.exit_code == FAILED:
            say(f"error: the training ended early; its log is {job.log_path}")
        return trained.exit_code
    from trainer.demo.measure import attach_lora, measure

    _say(f"{trained.path} was trained in {trained.seconds:.0f} s; drawing the same pictures with it")
    attach_lora(family, trained.path)
    after = measure(family, judge, workers=min(2, os.cpu_count() or 1))
    sheet = _save_sheet(trained.path, before, after)
    print(summary(before, after))
    print(f"LoRA: {trained.path}\nbefore and after: {sheet}")
    return FINISHED if after.new.shapes > before.new.shapes else FAILED


def demo_config(folder: Path, data_set: DataSet, steps: int | None = None) -> TrainConfig:
    """presets/demo.toml as it is, or with its folders below another `folder`. Raises ConfigError as `read`."""
    overrides = [f"sample_prompts={PREVIEWED}"]
    if folder != PROGRAM:
        overrides += [
            f"train_data_dir={data_set.train_dir}", f"output_dir={folder / 'output'}", f"logging_dir={folder / 'logs'}",
        ]  # fmt: skip
    if steps:
        overrides.append(f"max_train_steps={steps}")
    parsed: Parsed = read(PRESET, overrides)
    return parsed.config


def tag(data_set: DataSet, folder: Path) -> None:
    """Tag the pictures with the demo tagger, trigger word first; what it leaves out gets the words it was drawn by."""
    command = [sys.executable, "-m", "taggers", str(data_set.new_dir), "--model", TAGGER, "--device", "cpu",
               "--additional-tags", TRIGGER, "--runs-dir", str(folder / ".athanor" / "tagging")]  # fmt: skip
    untagged = [path for path in data_set.new_dir.glob("*.png") if not path.with_suffix(".txt").exists()]
    if untagged:
        try:
            done = subprocess.run(
                command, cwd=PROGRAM, capture_output=True, timeout=TAGGING_PATIENCE_SECONDS, check=False
            )
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            if done.returncode:
                _say(f"the tagger could not run ({said[-1] if said else f'exit code {done.returncode}'})")
        except subprocess.TimeoutExpired:
            _say(f"the tagger took more than {TAGGING_PATIENCE_SECONDS} s and was ended")
    from_drawing = write_missing_captions(data_set.new_dir)
    how = "captions were there already"
    if untagged:
        how = f"{from_drawing} captions written from the drawing" if from_drawing else f"tagged by {TAGGER}"
    first = sorted(data_set.new_dir.glob("*.txt"))[0].read_text(encoding="utf-8-sig").strip()
    _say(f"{how}; the first: {first}")


@contextlib.contextmanager
def training(job: Job) -> Iterator[subprocess.Popen[bytes]]:
    """The trainer at work on a job, as the page starts it. Ctrl-C asks it to stop and to save its state."""
    command = [sys.executable, "-m", "trainer", "train", str(job.config_path), "--job", str(job.path)]
    # One thread: two were slower than one with so small a model, and far slower on a busy machine.
    environment = os.environ | {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    # A session of its own: Ctrl-C reaches this process only, which then asks the trainer to stop in order.
    new_group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows only
    own: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {"creationflags": new_group}
    with job.log_path.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=PROGRAM, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **own
        )
    try:
        yield process
    except BaseException:
        _stop(job, process)
        raise


def followed(job: Job, process: subprocess.Popen[bytes]) -> Trained:
    """Show the progress of a training until it ends."""
    offset, last_line = 0, (0, 0.0)
    ending: dict[str, Any] = {}
    while not ending:
        ended = process.poll() is not None
        events, offset = follow(job.events_path, offset)
        for event in events:
            last_line = _tell(event, last_line)
            ending = event if event["event"] in TERMINAL else ending
        if ended and not events:
            break
        time.sleep(0.2)
    process.wait(GRACE_SECONDS)
    path = Path(PROGRAM, ending["path"]) if ending.get("event") == "finished" else None
    return Trained(process.returncode or (FINISHED if path else FAILED), path, float(ending.get("seconds", 0)))


def summary(before: Measured, after: Measured) -> str:
    """What was to be learned and what may have suffered, as a small table of numbers."""

    def row(name: str, first: float, second: float, form: str = "") -> str:
        change = f" ({second / first - 1:+.0%})" if form else ""
        return f"  {name:<58}{format(first, form):>8} -> {format(second, form)}{change}"

    count = len(before.new.pictures)
    rows = [
        row(f"star with the trigger word {TRIGGER}, of {count}", before.new.shapes, after.new.shapes),
        row("  of these in the colours asked for", before.new.both, after.new.both),
        row(f"star without it (leak), of {2 * count}", before.leaked, after.leaked),
    ]
    for size, first, second in (("large", before.large, after.large), ("small", before.small, after.small)):
        rows += [
            row(f"other prompts, {size}: shape right, of {count}", first.shapes, second.shapes),
            row(f"other prompts, {size}: both colours right, of {count}", first.colors, second.colors),
        ]
    return "\n".join([
        "the same seeds, before -> after:",
        *rows,
        row("validation loss on unseen stars, fixed noise", before.loss_new, after.loss_new, ".4f"),
        row("validation loss on other shapes, fixed noise", before.loss_plain, after.loss_plain, ".4f"),
    ])  # fmt: skip


def _measured_before(config: TrainConfig) -> tuple[Any, Any, Measured]:
    """The base model, the judge, and what the model draws untrained."""
    import torch

    from trainer import families
    from trainer.demo.judge import load_judge
    from trainer.demo.measure import measure

    _say("meanwhile the base model draws as it is")
    torch.set_num_threads(1)  # more get in each other's way with so small a model
    options = replace(
        families.options_from(config), path=str(PROGRAM / str(config.model.pretrained_model_name_or_path))
    )
    family, judge = families.load(options), load_judge()
    return family, judge, measure(family, judge)


def _tell(event: dict[str, Any], last: tuple[int, float]) -> tuple[int, float]:
    """Print what an event says, steps at most every 5 s. last: number and time of the step printed last, given back."""
    kind = event["event"]
    if kind == "step":
        step, total, now = event["step"], event["total"], float(event["time"])
        if now - last[1] < LINE_EVERY_SECONDS and step != total:
            return last
        pace = (now - last[1]) / (step - last[0]) if last[0] else float(event["seconds"])
        average = event.get("average") or event.get("loss") or float("nan")
        left = (total - step) * pace
        _say(f"  step {step}/{total}  loss {average:.4f}  {pace:.2f} s a step, about {left:.0f} s left")
        return step, now
    if kind == "warning":
        _say(f"  warning: {event['message']}")
    elif kind == "failed":
        _say(f"  failed: {event['message']}")
        _say(f"  {event.get('advice') or ''}")
    return last


def _stop(job: Job, process: subprocess.Popen[bytes]) -> None:
    """Ask the trainer to stop and wait for it; a second Ctrl-C or too long a wait ends it."""
    _say("stopping; the state is being saved (Ctrl-C again ends at once)")
    job.request("stop")
    try:
        process.wait(GRACE_SECONDS)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    last = job.last_event() or {}
    if last.get("state"):
        _say(f"stopped; the state is {last['state']}")


def _save_sheet(lora: Path, before: Measured, after: Measured) -> Path:
    """Write the pictures in labelled rows beside the LoRA; returns the file, under a free name."""
    from PIL import Image, ImageDraw

    from trainer.checkpoint import free_path
    from trainer.demo.drawing import sheet

    count = len(before.new.pictures)
    training = [picture.pixels for picture in new_pictures()]
    rows = {
        "training pictures": training,
        f"with the trigger word {TRIGGER}, before": before.new.pictures,
        f"with the trigger word {TRIGGER}, after": after.new.pictures,
        "other prompts, large, before": before.large.pictures,
        "other prompts, large, after": after.large.pictures,
        "other prompts, small, before": before.small.pictures,
        "other prompts, small, after": after.small.pictures,
    }
    strips = [sheet(pictures, count) for pictures in rows.values()]
    height = strips[0].height + ROW_LABEL_PX
    canvas = Image.new("RGB", (max(strip.width for strip in strips), height * len(strips)), "white")
    for number, (label, strip) in enumerate(zip(rows, strips, strict=True)):
        ImageDraw.Draw(canvas).text((4, number * height + 3), label, "black")
        canvas.paste(strip, (0, number * height + ROW_LABEL_PX))
    path = free_path(lora.with_name(f"{lora.stem}_before_after.png"))
    with atomic_writer(path) as stream:
        canvas.save(stream, "PNG")
    return path


def _ending_as_ctrl_c() -> contextlib.AbstractContextManager[None]:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    return answered_by(interrupt)


def _say(text: str) -> None:
    say(text, sys.stdout)
