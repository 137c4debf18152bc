"""A job's events become its progress, curve, pictures and files; only what is new is read."""

from __future__ import annotations

import json

import pytest

from trainer.events import EventLog
from trainer.job import Job
from webui.progress import Digest, Digests, glance


@pytest.fixture
def events(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("started", steps=100, epochs=4, images=15, base_model="m.safetensors")
    return log


def steps(log, first, last, total=100, seconds=0.5):
    for step in range(first, last + 1):
        log.emit(
            "step",
            step=step,
            total=total,
            epoch=1,
            epochs=4,
            loss=step / 1000,
            average=0.07,
            lr={"unet": 1e-4},
            seconds=seconds,
        )


def test_remaining_time_is_steps_left_times_mean_seconds(events):
    steps(events, 1, 40)
    summary = Digest(events.path).read().summary()
    assert (summary["step"], summary["total"], summary["remaining_seconds"]) == (40, 100, 30.0)  # 60 steps x 0.5 s


def test_events_that_came_since_are_added_to_what_was_read(events):
    digest = Digest(events.path)
    steps(events, 1, 10)
    assert digest.read().summary()["step"] == 10
    steps(events, 11, 20)
    assert digest.read().curve()["steps"] == list(range(1, 21))


def test_a_curve_of_100000_steps_has_at_most_1000_points_and_keeps_the_extremes(tmp_path):
    path = tmp_path / "events.jsonl"
    lines = [
        json.dumps({"event": "step", "step": n, "total": 100_000, "loss": 9.0 if n == 54_321 else 0.1, "seconds": 1})
        for n in range(1, 100_001)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    curve = Digest(path).read().curve()
    assert len(curve["steps"]) <= 1000
    assert curve["steps"][-1] == 100_000
    assert max(curve["high"]) == 9.0


def test_a_loss_that_is_no_number_leaves_a_gap_and_no_error(events):
    events.emit("step", step=1, total=100, loss=0.1, seconds=1)
    events.emit("step", step=2, total=100, loss=float("nan"), seconds=1)
    curve = Digest(events.path).read().curve()
    assert curve["low"] == [0.1, None] and curve["smooth"] == [0.1, 0.1]


def test_the_running_mean_of_the_first_steps_is_their_mean(events):
    steps(events, 1, 4)
    assert Digest(events.path).read().curve()["smooth"][-1] == pytest.approx(0.0025)  # (1 + 2 + 3 + 4) / 4 / 1000


def test_both_ends_of_a_long_file_tell_what_the_whole_tells(events):
    steps(events, 1, 2000, total=2000)
    events.emit("finished", path="out.safetensors", steps=2000, seconds=1000)
    whole, ends = Digest(events.path).read().summary(), glance(events.path)
    assert events.path.stat().st_size > 200_000
    for name in ("step", "total", "loss", "end", "images", "started", "seconds"):
        assert ends[name] == whole[name]


def test_a_file_that_was_begun_anew_is_read_from_its_start(events):
    steps(events, 1, 50)
    digest = Digest(events.path).read()
    events.path.write_bytes(b"")
    steps(events, 1, 3)
    assert digest.read().curve()["steps"] == [1, 2, 3]


def test_events_of_other_versions_and_torn_lines_are_passed_over(events):
    with events.path.open("ab") as stream:
        stream.write(
            b'{"event": "telepathy", "step": {}}\n[1, 2]\n'
            b'{"event": "step", "step": "many", "loss": "low", "lr": 3}\n{"torn'
        )
    summary = Digest(events.path).read().summary()
    assert summary["step"] == 0


def test_only_the_newest_digests_are_kept(tmp_path):
    digests = Digests(kept=2)
    jobs = [Job.create(tmp_path, f"n{n}", "") for n in range(3)]
    first = digests.of(jobs[0])
    digests.of(jobs[1])
    assert digests.of(jobs[0]) is first
    digests.of(jobs[2])
    assert digests.of(jobs[1]) is not None and digests.of(jobs[0]) is not first
