"""Two programs at once: neither takes the other's name, job or files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from place import Place

from trainer import checkpoint, locks, preparation
from trainer.__main__ import main
from trainer.atomic import TEMPORARY_SUFFIX, atomic_writer
from trainer.checkpoint import reserve_name, save_network
from trainer.config import TrainConfig
from trainer.job import Job

ROOT = Path(__file__).parents[2]
HOLDER = (
    "import sys; from pathlib import Path; from trainer import locks\n"
    "lock = locks.take(Path(sys.argv[1]), 'jobs/other'); print(lock is not None, flush=True); sys.stdin.read()"
)
ENDS: list[Callable[[subprocess.Popen[str]], object]] = [
    lambda process: process.communicate(),  # by itself
    lambda process: (process.kill(), process.wait()),
]


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of a file, until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    return process


@pytest.mark.parametrize("end", ENDS, ids=["ended", "killed"])
def test_a_lock_is_free_as_soon_as_its_process_is_gone_however_it_ended(
    tmp_path: Path, end: Callable[[subprocess.Popen[str]], object]
) -> None:
    other = holder(tmp_path / "lock")
    assert locks.take(tmp_path / "lock", "me") is None
    assert locks.words_in(tmp_path / "lock") == "jobs/other"
    end(other)
    lock = locks.take(tmp_path / "lock", "me")
    assert lock is not None and locks.words_in(tmp_path / "lock") == "me"
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_file_that_was_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "lock", locks.lock_open_file
    first = locks.take(path)
    assert first is not None

    def late(descriptor: int) -> None:
        if path.exists():
            first.release()  # between opening and locking: this file is nobody's any more
        real(descriptor)

    monkeypatch.setattr(locks, "lock_open_file", late)
    second = locks.take(path, "second")
    assert second is not None and locks.words_in(path) == "second"
    monkeypatch.undo()
    assert locks.take(path) is None


def test_a_new_file_never_replaces_one_that_came_while_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    with pytest.raises(FileExistsError), atomic_writer(path, replace=False) as stream:
        stream.write(b"mine")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert not [left for left in tmp_path.iterdir() if left.name.endswith(TEMPORARY_SUFFIX)]


def test_a_lora_whose_name_is_taken_while_it_is_written_gets_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, real = tmp_path / "t.safetensors", checkpoint._keys_of

    def meanwhile(path: Path, suffix: str) -> set[str]:
        if not wanted.exists():
            wanted.write_bytes(b"theirs")
        return real(path, suffix)

    monkeypatch.setattr(checkpoint, "_keys_of", meanwhile)
    path, _ = save_network(wanted, {"a.weight": torch.ones(2)}, {}, None)
    assert (path.name, wanted.read_bytes()) == ("t-2.safetensors", b"theirs")


def test_a_name_is_reserved_for_one_run_and_the_other_is_told_whose_it_is(tmp_path: Path) -> None:
    first = reserve_name(tmp_path, "t", "jobs/one", own=False)
    second = reserve_name(tmp_path, "t", "jobs/two", own=False)
    again = reserve_name(tmp_path, "t", "jobs/three", own=True)  # the state of the first, resumed while it goes on
    assert (first.name, second.name, again.name) == ("t", "t-2", "t-3")
    assert first.warning is None
    assert second.warning == f"jobs/one goes on and saves as t in {tmp_path}; this run is saved as t-2"
    for reserved in (first, second, again):
        assert reserved.lock is not None
        reserved.lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_run_beside_another_of_its_name_is_saved_under_the_next_one(place: Place) -> None:
    other = holder(place.root / "output" / ".t.athanor-lock")
    assert place.train(max_train_epochs=1) == 0
    other.communicate()
    told = [event["message"] for event in place.events() if event["event"] == "warning"]
    assert "jobs/other goes on and saves as t in output; this run is saved as t-2" in told
    assert [path.name for path in (place.root / "output").iterdir()] == ["t-2.safetensors"]


def test_two_runs_on_one_card_are_told_of_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    properties = SimpleNamespace(uuid="e0f6e4a0-0000")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    told: list[str] = []
    first = preparation._card(torch.device("cuda"), Job(Path("jobs/one")), told.append)
    assert first is not None and told == []
    assert preparation._card(torch.device("cuda"), Job(Path("jobs/two")), told.append) is None
    assert told == ["jobs/one trains on this graphics card too; both are slower and have to share its memory"]
    first.release()
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_is_being_trained_is_not_trained_twice(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    other = holder(place.root / "job" / ".lock")
    assert place.train() == 2
    other.send_signal(signal.SIGTERM)
    other.wait()
    assert "this job is being trained now by jobs/other; wait for its end" in capsys.readouterr().err
    assert place.events() == []


def test_a_run_that_makes_its_own_job_keeps_others_out_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[bool] = []

    def look(config: TrainConfig, job: Job, events: object) -> int:
        lock = locks.take(job.path / ".lock")
        free.append(lock is not None)
        return 0

    monkeypatch.setattr("trainer.start._train", look)
    assert main(["train", place.config()]) == 0
    assert free == [False]
    assert not list((place.root / "jobs").glob("*/.lock"))
