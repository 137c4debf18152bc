"""`python -m trainer demo`: the whole road, with real processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from trainer.config import read
from trainer.demo import pictures
from trainer.demo.run import PRESET, PROGRAM, demo_config, summary
from trainer.job import list_jobs

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
SECONDS_AT_MOST = 280
ROW = re.compile(r"^  (.{58}) *([\d.]+) -> ([\d.]+)", re.MULTILINE)


def command(folder: Path, steps: int | None = None) -> list[str]:
    short = [] if steps is None else ["--steps", str(steps)]
    return [sys.executable, "-m", "trainer", "demo", "--folder", str(folder), *short]


def test_the_preset_is_what_the_demo_trains_with():
    config = read(PRESET).config
    same = demo_config(PROGRAM, pictures.DataSet(Path("train/demo")))
    assert same.sample.sample_prompts  # the page makes them from the captions
    assert same.model_copy(update={"sample": config.sample}) == config
    assert (PROGRAM / str(config.model.pretrained_model_name_or_path)).is_file()


def test_a_folder_that_is_not_the_demos_ends_it_before_training_with_the_cure(tmp_path):
    theirs = tmp_path / "train" / "demo" / "10_star"
    theirs.mkdir(parents=True)
    (theirs / "mine.png").write_bytes(b"hands off")
    done = subprocess.run(
        command(tmp_path, 2), cwd=PROGRAM, env=ENVIRONMENT, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "did not make; rename that folder" in done.stderr.decode()
    assert not (tmp_path / "jobs").exists()


def test_the_numbers_before_and_after_include_the_prompts_where_things_may_get_worse():
    from trainer.demo.measure import Counted, Measured

    def found(shapes: int, colors: int, both: int, stars: int) -> Counted:
        return Counted([None] * 16, shapes, colors, both, stars)

    before = Measured(found(0, 9, 0, 0), found(15, 13, 12, 0), found(16, 11, 11, 0), 0.04, 0.01)
    after = Measured(found(14, 12, 11, 14), found(14, 12, 11, 1), found(9, 10, 8, 2), 0.02, 0.012)
    rows = {name.strip(): (first, second) for name, first, second in ROW.findall(summary(before, after))}
    assert rows == {
        "star with the trigger word zqx, of 16": ("0", "14"),
        "of these in the colours asked for": ("0", "11"),
        "star without it (leak), of 32": ("0", "3"),
        "other prompts, large: shape right, of 16": ("15", "14"),
        "other prompts, large: both colours right, of 16": ("13", "12"),
        "other prompts, small: shape right, of 16": ("16", "9"),
        "other prompts, small: both colours right, of 16": ("11", "10"),
        "validation loss on unseen stars, fixed noise": ("0.0400", "0.0200"),
        "validation loss on other shapes, fixed noise": ("0.0100", "0.0120"),
    }
    assert "(-50%)" in summary(before, after)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_demo_teaches_a_star_leaves_other_prompts_alone_and_tells_where_everything_lies(tmp_path):
    done = subprocess.run(
        command(tmp_path), cwd=PROGRAM, env=ENVIRONMENT, capture_output=True, timeout=1400, check=False
    )
    said = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    numbers = {name.strip(): (float(first), float(second)) for name, first, second in ROW.findall(said)}
    assert numbers["star with the trigger word zqx, of 16"][0] <= 1
    assert numbers["star with the trigger word zqx, of 16"][1] >= 11  # other processors round otherwise
    assert numbers["star without it (leak), of 32"][1] <= 2
    for size in ("large", "small"):
        before, after = numbers[f"other prompts, {size}: shape right, of 16"]
        assert after >= before - 4
    before, after = numbers["validation loss on unseen stars, fixed noise"]
    assert after < 0.7 * before

    assert (tmp_path / "output" / "demo.safetensors").is_file()
    assert (tmp_path / "output" / "demo_before_after.png").is_file()
    assert f"LoRA: {tmp_path / 'output' / 'demo.safetensors'}" in said
    captions = sorted((tmp_path / "train" / "demo" / "10_star").glob("*.txt"))
    assert len(captions) == 12
    assert all(path.read_text("utf-8").startswith("zqx, ") for path in captions)
    assert [job.state() for job in list_jobs(tmp_path / "jobs")] == ["finished"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to one process")
def test_ctrl_c_saves_the_state_and_ends_the_trainer(tmp_path):
    pictures.write_data_set(tmp_path, captions=True)  # the tagger has nothing to do
    demo = subprocess.Popen(
        command(tmp_path, 5000), cwd=PROGRAM, env=ENVIRONMENT, stdout=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    try:
        first = wait_for_a_step(demo, tmp_path / "jobs")
        demo.send_signal(signal.SIGINT)
        said = demo.communicate(timeout=120)[0].decode()
    finally:
        demo.kill()
    (job,) = list_jobs(tmp_path / "jobs")
    assert first["total"] == 5000
    assert demo.returncode == 3
    assert "the state is" in said
    assert job.state() == "stopped"
    process = job.process()
    assert process is not None
    assert not process.alive()


def wait_for_a_step(demo: subprocess.Popen[bytes], jobs: Path) -> dict[str, Any]:
    """The first step event of the demo's job."""
    deadline = time.monotonic() + SECONDS_AT_MOST
    while demo.poll() is None:
        assert time.monotonic() < deadline, "no step was taken in time"
        for job in list_jobs(jobs):
            event = job.last_event() or {}
            if event.get("event") == "step":
                return event
        time.sleep(0.2)
    pytest.fail(f"the demo ended with {demo.returncode} before its first step")
