"""Whatever asks a program to end is answered alike, also when its terminal is gone."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from place import Place

from trainer import spawning
from trainer.events import follow
from trainer.job import Job
from trainer.signals import answered_by, ending_signals

if sys.platform == "win32":
    pytest.skip("signals and terminals of Unix", allow_module_level=True)

import fcntl
import termios

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
ANSWERING = """
import signal, sys
from trainer.signals import answered_by
heard = []
with answered_by(lambda number, _: heard.append(number)):
    for name in sys.argv[1:]:
        signal.raise_signal(getattr(signal, name))
print(*(signal.Signals(number).name for number in heard))
"""


def usual_signals() -> None:
    """A process begins with what a terminal gives it, whatever started the tests."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def in_a_terminal(command: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Callable[..., None]]]:
    """A program in a terminal of its own, and a function that reads what it prints until a condition holds; leaving the
    block closes the terminal, which is all that the program hears of it."""
    master, slave = os.openpty()

    def prepare() -> None:
        usual_signals()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    program = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=prepare,
    )  # fmt: skip
    os.close(slave)

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 240
        while not condition():
            assert program.poll() is None and time.monotonic() < end, "what was waited for did not come"
            if select.select([master], [], [], 0.02)[0]:
                os.read(master, 65536)

    try:
        yield program, wait
    finally:
        os.close(master)


@pytest.mark.parametrize(
    ("ignored", "sent", "heard"),
    [
        ([], ["SIGINT", "SIGTERM", "SIGHUP"], "SIGINT SIGTERM SIGHUP"),
        ([signal.SIGHUP], ["SIGHUP", "SIGTERM"], "SIGTERM"),  # as nohup starts it
    ],
)
def test_every_request_to_end_is_answered_but_one_that_nohup_ignores(
    ignored: list[signal.Signals], sent: list[str], heard: str
) -> None:
    def prepare() -> None:
        usual_signals()
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, "-c", ANSWERING, *sent], env=ENVIRONMENT, capture_output=True, text=True, preexec_fn=prepare,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, heard, "")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows reports a closed console in another way")
def test_a_terminal_that_is_reported_closed_three_times_does_not_change_the_exit_code() -> None:
    code = (
        "import signal, sys\nfrom trainer.signals import answered_by\n"
        "with answered_by(lambda *_: None):\n"
        "    with answered_by(lambda *_: None):\n        signal.raise_signal(signal.SIGHUP)\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "signal.raise_signal(signal.SIGHUP)\nsys.exit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, preexec_fn=usual_signals, check=False)
    assert done.returncode == 3


def test_what_answered_before_answers_again() -> None:
    before = {number: signal.getsignal(number) for number in ending_signals()}
    with answered_by(lambda *_: None):
        assert all(signal.getsignal(number) != answer for number, answer in before.items())
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_closed_terminal_saves_the_state_and_ends_the_run(place: Place) -> None:
    command = [sys.executable, "-m", "trainer", "train", place.config(max_train_epochs=500), "--job", "job"]
    with in_a_terminal(command, place.root) as (trainer, wait):
        wait(lambda: any(event["event"] == "step" for event in place.events()))
    assert trainer.wait(120) == 3
    last = place.events()[-1]
    assert last["event"] == "stopped" and Path(place.root, last["state"], "manifest.json").exists()


@pytest.mark.parametrize("number", ending_signals())
def test_whatever_asks_the_parent_of_several_processes_to_end_asks_the_run(
    tmp_path: Path, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    with spawning._passing_on_signals(Job(tmp_path), []):
        signal.raise_signal(number)
    signal.signal(number, before)
    assert Job(tmp_path).requested("stop")


def test_a_closed_terminal_stops_the_tagger_after_its_batch_and_what_it_wrote_can_be_undone(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (64, 64), "red").save(folder / "0.png")
    for number in range(1, 3000):
        os.link(folder / "0.png", folder / f"{number}.png")
    runs = tmp_path / "runs"

    def events() -> list[dict[str, object]]:
        return [event for path in runs.glob("*/events.jsonl") for event in follow(path)[0]]

    command = [sys.executable, "-m", "taggers", str(folder), "--model", str(ROOT / "taggers" / "demo"), "--batch-size",
               "1", "--runs-dir", str(runs), "--general-threshold", "0.01"]  # fmt: skip
    with in_a_terminal(command, tmp_path) as (tagger, wait):
        wait(lambda: any(event["event"] == "picture" for event in events()))
    assert tagger.wait(120) == 3
    assert events()[-1]["event"] == "stopped"
    (run,) = runs.iterdir()
    undone = subprocess.run(
        [sys.executable, "-m", "taggers", "--undo", str(run)], env=ENVIRONMENT, cwd=tmp_path, capture_output=True,
        check=True,
    )  # fmt: skip
    assert json.loads(undone.stdout)["conflicts"] == []
    assert list(folder.glob("*.txt")) == []


def test_a_closed_terminal_closes_the_page_as_sigterm_does(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom webui.server import serve\n"
        "serve(Path(sys.argv[1]), port=0, open_browser=False)"
    )
    with in_a_terminal([sys.executable, "-c", script, str(tmp_path)], tmp_path) as (page, wait):
        wait((tmp_path / ".athanor").exists)
    assert page.wait(60) == -signal.SIGTERM
