"""Jobs start, queue, stop and are found again, with real processes (SAFETY R14)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import webui.runner
from trainer.events import EventLog, follow
from trainer.job import Job
from webui.runner import Runner, end_tree

CANDLE = Path(__file__).with_name("candle.py")


def config(name: str = "anby", **options: float) -> str:
    words = " ".join(f"{key}={value}" for key, value in {"sample": 0, "save": 0, **options}.items())
    return f'[save]\noutput_name = "{name}"\ntraining_comment = "{words}"\n'


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Runners over one jobs folder: a second one is the page after a restart. Who does not end at once is killed."""
    monkeypatch.setattr(webui.runner, "TERMINATE_SECONDS", 0.3)
    runners: list[Runner] = []
    lines: list[str] = []

    def runner(watch: bool = True, **options) -> Runner:
        command = options.pop(
            "command", lambda job: [sys.executable, str(CANDLE), str(job.config_path), "--job", str(job.path)]
        )
        made = Runner(tmp_path / "jobs", tmp_path, command=command, echo=lines.append, **options)
        made.lines = lines
        if watch:
            made.watch()
        runners.append(made)
        return made

    yield runner
    for made in runners:
        made.close()
        for job in made.running():
            end_tree(job.process().pid)


def test_a_job_starts_at_once_trains_and_ends_with_its_log_in_a_file(make):
    runner = make()
    job = runner.submit("anby", config(steps=5))
    assert job.state() == "running"
    wait_for(lambda: job.state() == "finished")
    assert "step" in job.log_path.read_text(encoding="utf-8")
    wait_for(lambda: any("finished" in line for line in runner.lines))
    assert all(line.startswith("[anby] ") for line in runner.lines)


def test_jobs_wait_for_each_other_in_an_order_that_can_be_changed(make):
    runner = make()
    running = runner.submit("a", config(steps=10_000, seconds=0.02))
    b, c, d = (runner.submit(name, config(steps=3)) for name in "bcd")
    assert runner.queue() == [b.id, c.id, d.id]
    assert runner.reorder([d.id, "20990101-000000-nobody", b.id]) == [d.id, b.id, c.id]
    runner.stop(running)
    wait_for(lambda: c.state() == "finished")
    ends = [job.last_event()["time"] for job in (running, d, b, c)]
    assert ends == sorted(ends)


def test_the_queue_survives_a_restart_of_the_page(make):
    first = make()
    running = first.submit("a", config(steps=10_000, seconds=0.02))
    waiting = first.submit("b", config(steps=3))
    first.close()
    second = make()
    assert [job.id for job in second.running()] == [running.id]
    assert second.queue() == [waiting.id]
    second.stop(running)
    wait_for(lambda: waiting.state() == "finished")
    assert running.state() == "stopped"


def test_a_queue_that_is_held_back_starts_nothing_until_it_is_let_go(make):
    runner = make()
    runner.pause(True)
    job = runner.submit("a", config(steps=3))
    assert (job.state(), runner.queue(), make(watch=False).paused) == ("waiting", [job.id], True)
    runner.pause(False)
    wait_for(lambda: job.state() == "finished")


def test_a_job_started_by_hand_leaves_the_queue_held_back_for_the_others(make):
    runner = make()
    runner.pause(True)
    others = [runner.submit(name, config(name, steps=3)) for name in "ab"]
    chosen = runner.submit("c", config("c", steps=3))
    runner.start_now(chosen)
    at_once = runner.submit("d", config("d", steps=3), first=True)
    wait_for(lambda: (chosen.state(), at_once.state()) == ("finished", "finished"))
    assert (runner.queue(), runner.paused) == ([job.id for job in others], True)
    later = make(watch=False)  # the page after a restart
    later.start_now(others[1])
    later.pause(True)  # said once more: it holds back that one too
    runner._advance()
    assert [job.state() for job in others] == ["waiting", "waiting"]


def test_running_again_begins_anew_where_the_run_before_had_gone_on_from_a_state(make):
    runner = make(watch=False)
    runner.pause(True)
    text = f"{config('anby 1')}resume = '/x/state'\ninitial_step = 3\n"
    again = runner.again(Job.create(runner.jobs_dir, "anby 1", text))
    assert again.config_path.read_text(encoding="utf-8") == text.replace("resume = '/x/state'\n", "")


def test_stopping_saves_the_state_and_resuming_names_it(make):
    runner = make()
    job = runner.submit("a", config(steps=10_000, seconds=0.01))
    wait_for(lambda: (job.last_event() or {}).get("event") == "step")
    runner.stop(job)
    assert runner.asked_to_stop(job)
    wait_for(lambda: job.state() == "stopped")
    state = job.last_event()["state"]
    assert Path(state).is_dir()
    resumed = runner.again(job, resume_from=state)
    assert f"resume = {json.dumps(state)}" in resumed.config_path.read_text(encoding="utf-8")
    assert 'output_name = "anby"' in resumed.config_path.read_text(encoding="utf-8")
    wait_for(lambda: (resumed.last_event() or {}).get("event") == "step")
    assert resumed.last_event()["step"] > int(Path(state).name.split("-")[1])


def test_a_job_that_does_not_obey_is_ended_when_the_patience_is_over(make):
    runner = make(patience=lambda: 0.3)
    job = runner.submit("a", config(steps=10_000, seconds=0.01, stubborn=1))
    wait_for(lambda: (job.last_event() or {}).get("event") == "step")
    runner.stop(job)
    wait_for(lambda: job.state() == "stopped", seconds=30)
    assert (
        not psutil.pid_exists(job.process().pid) or psutil.Process(job.process().pid).status() == psutil.STATUS_ZOMBIE
    )
    assert job.last_event()["forced"] is True


@pytest.mark.parametrize("obeyed", [False, True], ids=["waits", "is being done"])
def test_a_request_to_stop_outlives_the_page_and_its_patience_goes_on(make, obeyed):
    """obeyed: the trainer has taken the request and is still saving when the page starts again."""
    first = make()
    job = first.submit("a", config(steps=10_000, seconds=0.01, stubborn=1))
    wait_for(lambda: (job.last_event() or {}).get("event") == "step")
    first.stop(job)
    asked = first.asked_to_stop(job)
    if obeyed:
        job.obey("stop")
    first.close()
    second = make(patience=lambda: 0.1)
    assert second.asked_to_stop(job) == pytest.approx(asked, abs=1)
    wait_for(lambda: job.state() == "stopped", seconds=30)
    assert job.last_event()["forced"] is True
    assert make(watch=False).asked_to_stop(Job.create(job.path.parent, "b", "")) is None


def test_a_new_run_in_a_jobs_folder_was_not_asked_to_stop(tmp_path):
    job = Job.create(tmp_path, "a", "")
    job.request("stop")
    job.obey("stop")
    assert job.stop_requested_at() is not None and not job.requested("stop")
    job.prepare()
    assert job.stop_requested_at() is None


def test_a_job_that_finishes_while_it_is_being_ended_stays_finished(make):
    """Its last words come when it is told to end: nothing is written over them."""
    last_words = (
        "import signal, sys, time\nfrom pathlib import Path\nfrom trainer.events import EventLog\n"
        "log = EventLog(Path(sys.argv[1]))\n"
        "signal.signal(signal.SIGTERM, lambda *_: (log.emit('finished', steps=7), sys.exit(0)))\n"
        "log.emit('step', step=7)\ntime.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": str(CANDLE.parents[2])}
    runner = make(
        command=lambda job: [sys.executable, "-c", last_words, str(job.events_path)], environment=lambda: environment
    )
    job = runner.submit("a", config())
    wait_for(lambda: (job.last_event() or {}).get("event") == "step")
    runner.end(job)
    assert [event["event"] for event in follow(job.events_path)[0]] == ["step", "finished"]
    runner.end(job)  # and once more when it is over
    assert (job.state(), len(follow(job.events_path)[0])) == ("finished", 2)


def test_ending_takes_the_children_along():
    parent = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys, time\n"
         "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
         "print('up', flush=True)\ntime.sleep(600)"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdout.readline().strip() == b"up"
    children = psutil.Process(parent.pid).children()
    assert len(children) == 1
    end_tree(parent.pid)
    parent.wait(timeout=10)
    parent.stdout.close()
    assert not children[0].is_running() or children[0].status() == psutil.STATUS_ZOMBIE


def test_a_trainer_that_dies_without_a_word_is_crashed_and_the_next_job_starts(make):
    runner = make()
    job = runner.submit("a", config(steps=100, crash=3))
    following = runner.submit("b", config(steps=3))
    wait_for(lambda: following.state() == "finished")
    assert runner.state(job) == "crashed"


def test_a_trainer_that_cannot_be_started_fails_with_the_reason(make):
    runner = make(command=lambda job: ["/nowhere/python"])
    job = runner.submit("a", config())
    assert job.state() == "failed"
    assert "could not be started" in job.last_event()["message"]


def test_a_folder_that_cannot_be_moved_stays_a_job_and_the_reason_is_told(make, tmp_path):
    runner = make(watch=False)
    job = Job.create(tmp_path / "jobs", "a", "")
    (tmp_path / "jobs" / ".trash").write_bytes(b"a file in its place")
    with pytest.raises(RuntimeError, match="cannot be moved .*; close programs that use it"):
        runner.remove(job)
    assert job.path.is_dir()


def test_a_fault_in_one_jobs_files_stops_neither_the_watcher_nor_the_others(make):
    followed = []

    def follow_it(job):
        followed.append(job.id)
        raise ValueError("no sense in it")

    runner = make(follow=follow_it)
    first = runner.submit("a", config("a", steps=3))
    second = runner.submit("b", config("b", steps=3))
    wait_for(lambda: second.state() == "finished" and second.id in followed)
    assert first.id in followed
    assert [line for line in runner.lines if "no sense" in line] == ["The jobs folder cannot be read: no sense in it"]


def test_a_last_log_line_without_an_end_is_printed_when_the_job_is_over(make):
    runner = make(command=lambda job: [sys.executable, "-c", "print('first\\nlast', end='')"])
    runner.submit("a", config())
    wait_for(lambda: "[a] last" in runner.lines)


def test_a_removed_job_comes_back_and_a_running_one_stays(make):
    runner = make()
    job = runner.submit("a", config(steps=3))
    wait_for(lambda: job.state() == "finished")
    runner.remove(job)
    assert not job.path.exists()
    assert runner.restore(job.id).state() == "finished"
    assert runner.restore(job.id) is None
    running = runner.submit("b", config(steps=10_000, seconds=0.02))
    with pytest.raises(RuntimeError, match="stop it first"):
        runner.remove(running)


def test_a_job_taken_out_of_the_queue_waits_until_it_is_started_by_hand(make):
    runner = make()
    running = runner.submit("a", config(steps=10_000, seconds=0.02))
    job = runner.submit("b", config(steps=3))
    runner.stop(job)
    assert (runner.queue(), job.state()) == ([], "waiting")
    runner.start_now(job)
    assert runner.queue() == [job.id]
    runner.stop(running)
    wait_for(lambda: job.state() == "finished")
    with pytest.raises(RuntimeError, match="Run again"):
        runner.start_now(job)


def test_of_two_pages_over_one_folder_only_the_first_starts_jobs(make):
    first, second = make(), make()
    first.pause(True)
    job = second.submit("a", config(steps=3))
    first.pause(False)
    wait_for(lambda: job.state() == "finished")
    assert job.id not in second._children
    first.close()
    following = second.submit("b", config(steps=3))
    wait_for(lambda: following.state() == "finished")


def test_only_as_many_jobs_train_at_once_as_are_allowed(make):
    """Each writes another file, so that nothing but the number holds them back."""
    allowed = [1]
    runner = make(watch=False, at_once=lambda: allowed[0])
    jobs = [runner.submit(name, config(name, steps=10_000, seconds=0.02)) for name in "abc"]
    assert [job.state() for job in jobs] == ["running", "waiting", "waiting"]
    allowed[0] = 2
    runner.pause(False)
    assert [job.state() for job in jobs] == ["running", "running", "waiting"]


def test_two_jobs_at_once_never_write_the_same_file(make):
    runner = make(at_once=lambda: 2)
    running = runner.submit("a", config("same", steps=10_000, seconds=0.02))
    same = runner.submit("b", config("same", steps=3))
    other = runner.submit("c", config("other", steps=3))
    wait_for(lambda: other.state() == "finished")
    assert (running.state(), same.state()) == ("running", "waiting")


def test_a_damaged_queue_file_is_an_empty_queue(make, tmp_path):
    runner = make(watch=False)
    (tmp_path / "jobs").mkdir()
    for text in ("{", "[]", '{"order": 3}', ""):
        (tmp_path / "jobs" / "queue.json").write_text(text, encoding="utf-8")
        assert (runner.queue(), runner.paused) == ([], False)


def test_the_end_of_a_torn_event_file_is_closed_before_a_forced_stop_is_written(make):
    runner = make(patience=lambda: 300)
    job = runner.submit("a", config(steps=10_000, seconds=0.02))
    wait_for(lambda: (job.last_event() or {}).get("event") == "step")
    end_tree(job.process().pid)
    with job.events_path.open("ab") as stream:
        stream.write(b'{"event": "st')
    from webui.runner import _write_forced_stop

    _write_forced_stop(job)
    assert job.last_event()["event"] == "stopped"


def test_hundreds_of_old_jobs_are_not_read_again_and_again(make, tmp_path, monkeypatch):
    runner = make(watch=False)
    for number in range(300):
        job = Job.create(tmp_path / "jobs", f"old{number}", "")
        log = EventLog(job.events_path)
        log.emit("finished", steps=1)
        log.close()
    asked: list[str] = []
    state = Job.state
    monkeypatch.setattr(Job, "state", lambda job: asked.append(job.id) or state(job))
    assert runner.running() == [] and len(asked) == 300
    assert runner.running() == [] and len(asked) == 300
