"""The two ends of a run's story: the trainer writes lines, the page derives everything from them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from trainer.events import EventLog, follow, last_event
from trainer.job import Job, find_job, list_jobs


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job.create(tmp_path / "jobs", "安比 test", "[network]\nnetwork_dim = 8\n")


def test_events_are_read_whole_and_only_once(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("step", step=1, loss=0.5)
    first, offset = follow(log.path)
    with log.path.open("ab") as stream:
        stream.write(b'{"event": "step", "st')
    again, same = follow(log.path, offset)
    with log.path.open("ab") as stream:
        stream.write(b'ep": 2}\n')
    rest, _ = follow(log.path, same)
    assert [event["step"] for event in first] == [1]
    assert again == [] and same == offset
    assert [event["step"] for event in rest] == [2]


def test_numbers_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("step", loss=float("nan"), lr={"unet": float("inf")}, path=Path("a"))
    event = json.loads(log.path.read_text(encoding="utf-8"))
    assert (event["loss"], event["lr"], event["path"]) == (None, {"unet": None}, "a")


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "a"}\n\x00\x00\xff{\n[1]\n{"event": "b"}\n')
    assert [event["event"] for event in follow(path)[0]] == ["a", "b"]


def test_the_last_event_is_found_behind_a_long_line(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("step", step=1)
    log.emit("failed", kind="bug", traceback="x" * 300_000)
    last = last_event(log.path)
    assert last is not None and last["event"] == "failed"


def test_a_missing_file_has_no_events(tmp_path: Path) -> None:
    assert follow(tmp_path / "none") == ([], 0)
    assert last_event(tmp_path / "none") is None


def test_jobs_of_one_second_get_different_folders(tmp_path: Path) -> None:
    jobs = {Job.create(tmp_path, "a", "").id for _ in range(3)}
    assert len(jobs) == 3
    assert {job.id for job in list_jobs(tmp_path)} == jobs


def test_the_config_of_a_job_keeps_the_lines_that_a_new_one_lacks_in_a_file_beside_it(job: Job) -> None:
    former = job.config_path.read_bytes()
    assert job.write_config("[network]\nnetwork_dim = 8\nseed = 1\n") is None  # no line is lost
    noted = b"# MY NOTES\r\n" + former
    for number in (1, 2):
        job.config_path.write_bytes(noted)
        aside = job.path / f"config.{number}.toml"
        assert job.write_config("[network]\nnetwork_dim = 4\n") == aside and aside.read_bytes() == noted
    assert job.config_path.read_text("utf-8") == "[network]\nnetwork_dim = 4\n"


@pytest.mark.parametrize("wrong", ["../jobs", "", "20261120-114200-a/b", "x", ".."])
def test_an_id_that_is_no_job_finds_nothing(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "x").mkdir()
    assert find_job(tmp_path, wrong) is None


def test_a_job_that_nobody_started_waits(job: Job) -> None:
    assert job.state() == "waiting"


def test_a_living_process_is_running_and_a_dead_one_crashed(job: Job) -> None:
    job.write_process(os.getpid(), ["python"])
    EventLog(job.events_path).emit("started")
    assert job.state() == "running"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    job.write_process(child.pid, ["python"])
    child.communicate(b"\n")
    assert job.state() == "crashed"


def test_a_pid_that_was_used_again_is_not_taken_for_the_trainer(job: Job) -> None:
    job.write_process(os.getpid(), ["python"])
    record = json.loads(job.process_path.read_text(encoding="utf-8"))
    job.process_path.write_text(json.dumps({**record, "started": record["started"] - 100}), encoding="utf-8")
    EventLog(job.events_path).emit("started")
    assert job.state() == "crashed"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a program that reads what it is given without arguments")
def test_a_program_without_arguments_that_has_the_number_now_is_not_taken_for_the_trainer(job: Job) -> None:
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    job.write_process(child.pid, ["python"])
    record = json.loads(job.process_path.read_text(encoding="utf-8"))
    job.process_path.write_text(json.dumps({**record, "started": record["started"] - 100}), encoding="utf-8")
    EventLog(job.events_path).emit("started")
    assert job.state() == "crashed"
    child.communicate()


def test_a_clock_that_is_set_right_leaves_a_running_job_running(job: Job) -> None:
    job.write_process(os.getpid(), ["other name of Python", *psutil.Process().cmdline()[1:]])
    record = json.loads(job.process_path.read_text(encoding="utf-8"))
    job.process_path.write_text(json.dumps({**record, "started": record["started"] - 3600}), encoding="utf-8")
    assert job.process() is not None and job.process().alive()  # type: ignore[union-attr]


def test_lines_that_a_full_disk_refuses_are_written_later_in_order(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("started")
    real = log._stream

    class Full:
        """Takes half of a line, then nothing."""

        room = 9

        def write(self, data: bytes) -> int:
            if self.room == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            written, self.room = real.write(data[: self.room]), 0
            return written

    log._stream = Full()  # type: ignore[assignment]
    log.emit("step", step=1)
    log.emit("step", step=2)
    log._stream = real
    log.emit("finished")
    assert [(event["event"], event.get("step")) for event in follow(log.path)[0]] == [
        ("started", None), ("step", 1), ("step", 2), ("finished", None),
    ]  # fmt: skip
    log.close()


@pytest.mark.parametrize("end", ["finished", "stopped", "failed"])
def test_the_last_event_decides_once_a_run_has_ended(job: Job, end: str) -> None:
    log = EventLog(job.events_path)
    log.emit("started")
    log.emit(end)
    assert job.state() == end


def test_a_request_is_seen_and_obeyed(job: Job) -> None:
    job.request("stop")
    assert job.requested("stop") and not job.requested("save")
    job.obey("stop")
    assert not job.requested("stop")
    with pytest.raises(ValueError, match="unknown request"):
        job.request("explode")
