"""A job's events become its progress, curve, pictures and files; only what is new is read."""

from __future__ import annotations

import json
from collections import Counter

import pytest

import trainer.events
import webui.progress
from trainer.events import EventLog, follow
from trainer.job import Job
from webui.progress import Digest, Digests, EventReader, glance
from webui.thinning import ThinCurve


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
    summary = EventReader(events.path).read().summary()
    assert (summary["step"], summary["total"], summary["remaining_seconds"]) == (40, 100, 30.0)  # 60 steps x 0.5 s


def test_events_that_came_since_are_added_to_what_was_read(events):
    reader = EventReader(events.path)
    steps(events, 1, 10)
    assert reader.read().summary()["step"] == 10
    steps(events, 11, 20)
    assert reader.read().curve()["steps"] == list(range(1, 21))


def test_a_curve_of_20000_steps_has_at_most_1000_points_and_keeps_the_extremes(tmp_path):
    path = tmp_path / "events.jsonl"
    lines = [
        json.dumps({"event": "step", "step": n, "total": 20_000, "loss": 9.0 if n == 12_345 else 0.1, "seconds": 1})
        for n in range(1, 20_001)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    curve = EventReader(path).whole().curve()
    assert len(curve["steps"]) <= 1000
    assert curve["steps"][-1] == 20_000
    assert max(curve["high"]) == 9.0


def test_a_loss_that_is_no_number_leaves_a_gap_and_no_error(events):
    events.emit("step", step=1, total=100, loss=0.1, seconds=1)
    events.emit("step", step=2, total=100, loss=float("nan"), seconds=1)
    curve = EventReader(events.path).read().curve()
    assert curve["low"] == [0.1, None] and curve["smooth"] == [0.1, 0.1]


def test_the_running_mean_of_the_first_steps_is_their_mean(events):
    steps(events, 1, 4)
    assert EventReader(events.path).read().curve()["smooth"][-1] == pytest.approx(0.0025)  # (1 + 2 + 3 + 4) / 4 / 1000


def test_both_ends_of_a_long_file_tell_what_the_whole_tells(events):
    steps(events, 1, 2000, total=2000)
    events.emit("finished", path="out.safetensors", steps=2000, seconds=1000)
    whole, ends = EventReader(events.path).read().summary(), glance(events.path).summary()
    assert events.path.stat().st_size > 200_000
    for name in ("step", "total", "loss", "end", "images", "started", "seconds"):
        assert ends[name] == whole[name]


def test_a_file_that_was_begun_anew_is_read_from_its_start(events):
    steps(events, 1, 50)
    reader = EventReader(events.path)
    reader.read()
    events.path.write_bytes(b"")
    steps(events, 1, 3)
    assert reader.read().curve()["steps"] == [1, 2, 3]


def test_events_of_other_versions_and_torn_lines_are_passed_over(events):
    with events.path.open("ab") as stream:
        stream.write(
            b'{"event": "telepathy", "step": {}}\n[1, 2]\n'
            b'{"event": "step", "step": "many", "loss": "low", "lr": 3}\n{"torn'
        )
    summary = EventReader(events.path).read().summary()
    assert summary["step"] == 0


def test_only_the_newest_readers_are_kept(tmp_path):
    digests = Digests(kept=2)
    jobs = [Job.create(tmp_path, f"n{n}", "") for n in range(3)]
    first = digests.of(jobs[0])
    digests.of(jobs[1])
    assert digests.of(jobs[0]) is first
    digests.of(jobs[2])
    assert digests.of(jobs[1]) is not None and digests.of(jobs[0]) is not first


def test_what_is_kept_of_a_run_does_not_grow_with_its_length(events):
    """Every step with a preview of two prompts, a save, a validation, the end of an epoch and a warning."""
    digest, sizes = Digest(), []
    for step in range(1, 6001):
        marks = [("sample", {"file": f"{n}.png"}) for n in (1, 2)]
        marks += [("checkpoint", {"kind": "state", "path": f"s{step}"}), ("validation", {"loss": 0.1}), ("epoch", {})]
        for kind, fields in [("step", {"loss": 0.1, "lr": {"unet": 1e-4}}), *marks, ("warning", {"message": "hot"})]:
            digest.take({"event": kind, "time": 1.0, "step": step, **fields})
        if step % 3000 == 0:
            sizes.append(len(json.dumps(digest.plain())))
    assert sizes[1] < 1.1 * sizes[0]
    assert [sample["number"] for sample in digest.samples.entries()[-2:]] == [11_998, 11_999]
    assert Counter(sample["step"] for sample in digest.samples.entries()).most_common()[-1][1] == 2  # of both prompts
    assert (digest.files[-1]["number"], digest.counts["warning"]) == (5999, 6000)
    assert digest.summary()["samples"] == 12_000
    assert len(digest.curve()["saves"]) <= 500 and digest.curve()["saves"][-1] == 6000


def test_merged_points_are_spread_evenly_over_the_run_with_the_rates_at_their_steps():
    curve = ThinCurve(4)
    for step in range(1, 11):
        curve.add(step, float(step), None, {"unet": step / 1e7, **({"text": 1.0} if step > 8 else {})})
    assert (curve.steps, curve.low, curve.high) == ([4, 8, 10], [1, 5, 9], [4, 8, 10])
    assert curve.rates == {"unet": [4 / 1e7, 8 / 1e7, 1e-6], "text": [None, None, 1.0]}


def test_small_rates_keep_their_digits(events):
    events.emit("step", step=1, loss=0.1, lr={"unet": 1.234e-7})
    assert EventReader(events.path).read().curve()["rates"] == {"unet": [1.234e-7]}


def test_a_job_trained_anew_in_its_folder_shows_the_new_run_and_keeps_the_files_of_the_old_one(events):
    def save(step):
        events.emit("checkpoint", kind="state", path=f"state/{step}", step=step)
        events.emit("sample", step=step, file=f"samples/{step}.png")

    steps(events, 1, 50)
    save(50)
    events.emit("finished", steps=50)
    reader = EventReader(events.path)
    assert reader.read().end["event"] == "finished"
    events.emit("started", steps=20)
    steps(events, 1, 20, total=20)
    save(10)
    digest = reader.read()
    assert digest.curve()["steps"] == list(range(1, 21))
    assert (digest.curve()["saves"], digest.summary()["total"], digest.end) == ([10], 20, {})
    assert [sample["step"] for sample in digest.samples.entries()] == [10]
    assert ([file["step"] for file in digest.files], [state["step"] for state in digest.states]) == ([50, 10], [10])


def test_a_run_that_went_on_from_an_older_state_continues_the_curve_there(events):
    steps(events, 1, 30)
    events.emit("started", steps=100, resumed_from="state/20")
    steps(events, 21, 40)
    assert EventReader(events.path).read().curve()["steps"] == list(range(1, 41))


@pytest.fixture
def long(events, monkeypatch):
    """Small blocks, so that a short file is long: read in several of them, and summed up on disk."""
    monkeypatch.setattr(trainer.events, "LONGEST_READ_BYTES", 4000)
    monkeypatch.setattr(webui.progress, "SAVE_BYTES", 10_000)
    monkeypatch.setattr(webui.progress, "SAVED_FROM_BYTES", 1)
    steps(events, 1, 200)
    events.emit("sample", step=200, file="samples/1.png")
    return events


def test_a_long_file_is_read_in_a_thread_and_its_share_is_told_meanwhile(long):
    reader = EventReader(long.path)
    with webui.progress._ONE_AT_A_TIME:  # the thread waits
        reader.read()
        reader.read()
        assert 0 < reader.share < 0.5 and reader.unread > 20_000
        assert reader.digest.summary()["step"] < 100
    assert reader.whole().summary()["step"] == 200
    assert (reader.unread, reader.share) == (0, 1.0)


def test_a_page_that_starts_anew_reads_only_what_came_since(long, tmp_path, monkeypatch):
    summary = tmp_path / "summary.json"
    before = EventReader(long.path, summary).whole()
    long.emit("finished", steps=200)
    EventReader(long.path, summary).whole()  # the end is always summed up
    read = []
    monkeypatch.setattr(webui.progress, "follow", lambda path, offset: read.append(offset) or follow(path, offset))
    again = EventReader(long.path, summary).read()
    assert read == []
    assert (again.curve(), again.samples.entries()) == (before.curve(), before.samples.entries())
    assert again.summary()["seconds_per_step"] == 0.5
    end = long.path.stat().st_size
    steps(long, 201, 203)
    reader = EventReader(long.path, summary)
    assert reader.read().curve()["steps"] == list(range(1, 204))
    assert read == [end]


def spoil_anew(path, summary):
    """A run in its place that is longer."""
    content = path.read_text(encoding="utf-8").replace('"time": 1', '"time": 2')
    path.write_text(content * 2, encoding="utf-8", newline="\n")


def spoil_shorter(path, summary):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_version(path, summary):
    summary.write_text(json.dumps({**json.loads(summary.read_text("utf-8")), "version": 0}), encoding="utf-8")


def spoil_content(path, summary):
    summary.write_text(
        json.dumps({**json.loads(summary.read_text("utf-8")), "content": {"files": 3}}), encoding="utf-8"
    )


def spoil_half(path, summary):
    summary.write_bytes(summary.read_bytes()[:500])


@pytest.mark.parametrize("spoil", [spoil_anew, spoil_shorter, spoil_version, spoil_content, spoil_half])
def test_a_summary_that_does_not_fit_is_thrown_away(long, tmp_path, spoil):
    summary = tmp_path / "summary.json"
    EventReader(long.path, summary).whole()
    spoil(long.path, summary)
    assert EventReader(long.path, summary).whole().plain() == EventReader(long.path).whole().plain()


def test_a_file_that_was_begun_anew_and_grew_beyond_what_was_read_is_read_from_its_start(events):
    steps(events, 1, 5)
    reader = EventReader(events.path)
    reader.read()
    events.path.write_bytes(b"")
    events.emit("started", steps=7)
    steps(events, 1, 7)
    assert reader.read().curve()["steps"] == list(range(1, 8))
    assert reader.digest.counts["step"] == 7


def test_a_line_longer_than_a_block_is_passed_over(events, monkeypatch):
    monkeypatch.setattr(trainer.events, "LONGEST_READ_BYTES", 4000)
    events.emit("warning", message="x" * 20_000)
    steps(events, 1, 3)
    assert EventReader(events.path).whole().curve()["steps"] == [1, 2, 3]
