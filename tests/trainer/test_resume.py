"""Stopping, going on and dying: a run in parts is the run in one, and a kill at any moment leaves whole files."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from place import Place

from trainer.__main__ import main
from trainer.events import EventLog
from trainer.job import Job

ROOT = Path(__file__).parents[2]


def ask_after(place: Place, job: str, step: int, monkeypatch: pytest.MonkeyPatch, request: str = "stop") -> None:
    """Put a request in place as the page does, right after the event of a step."""
    emit = EventLog.emit

    def emit_and_ask(self: EventLog, event: str, **fields: Any) -> dict[str, Any]:
        line = emit(self, event, **fields)
        if event == "step" and fields["step"] == step and self.path.parent.name == job:
            Job(place.root / job).request(request)
        return line

    monkeypatch.setattr(EventLog, "emit", emit_and_ask)


def digests(tensors: dict[str, torch.Tensor]) -> dict[str, str]:
    return {key: hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest() for key, value in tensors.items()}


@pytest.mark.parametrize("seed", range(8))
def test_a_run_stopped_at_a_random_step_ends_with_the_tensors_and_losses_of_the_whole(
    place: Place, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 3 batches an epoch in windows of 2: steps 1, 2 | 3, 4
    chance = random.Random(seed)
    settings: dict[str, object] = {
        "seed": seed, "max_train_epochs": 2, "gradient_accumulation_steps": 2, "shuffle_caption": True,
        "network_dropout": 0.2, "network_args": ["rank_dropout=0.1", "module_dropout=0.1"],
        "caption_tag_dropout_rate": 0.3, "caption_dropout_rate": 0.2, "flip_aug": True, "noise_offset": 0.1,
        "lr_scheduler": chance.choice(["cosine", "linear", "constant_with_warmup"]), "lr_warmup_steps": 2,
        "optimizer_type": chance.choice(["AdamW", "AdamW", "Lion", "Prodigy"]),
        "unet_lr": 1e-3, "text_encoder_lr": 1e-3,
    }  # fmt: skip
    if settings["optimizer_type"] == "Prodigy":
        settings |= {"unet_lr": 1, "text_encoder_lr": 1}
    stop = chance.randint(1, 3)
    assert place.train("whole", output_name="whole", **settings) == 0
    ask_after(place, "part", stop, monkeypatch)
    assert place.train("part", output_name="part", **settings) == 3
    told = place.events("part")[-1]
    assert (told["event"], told["step"]) == ("stopped", stop)
    assert place.train("rest", output_name="part", resume=told["state"], **settings) == 0
    assert place.losses("part") + place.losses("rest") == place.losses("whole")
    assert digests(place.weights("part")) == digests(place.weights("whole"))


def test_a_run_that_ended_in_the_middle_of_an_epoch_is_made_longer_from_there(place: Place) -> None:
    length = {"max_train_epochs": None, "shuffle_caption": False}  # 3 batches an epoch
    assert place.train("whole", output_name="whole", **length, max_train_steps=5) == 0
    assert place.train("part", output_name="part", **length, max_train_steps=2, save_state_on_train_end=True) == 0
    state = str(place.root / "part" / "state" / "part-state")
    assert place.train("rest", output_name="rest", resume=state, **length, max_train_steps=5) == 0
    assert place.losses("part") + place.losses("rest") == place.losses("whole")


@pytest.mark.parametrize(("numbers", "each"), [((5, 6), 4), ((0, 1), 2)], ids=["more pictures", "fewer pictures"])
def test_epochs_after_a_state_are_those_of_the_pictures_that_are_there_now(
    place: Place, numbers: tuple[int, ...], each: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.train("one", output_name="one", max_train_epochs=1, save_state_on_train_end=True) == 0  # 3 batches
    for number in numbers:
        picture = place.root / "train" / "1_cat" / f"{number}.png"
        picture.unlink() if picture.exists() else Image.new("RGB", (64, 64)).save(picture)
    goes_on = {
        "resume": str(place.root / "one" / "state" / "one-state"), "max_train_epochs": 3, "save_every_n_epochs": 1,
    }  # fmt: skip
    capsys.readouterr()
    assert main(["check", place.config(**goes_on), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["steps"], made["epochs"]) == (3 + 2 * each, 3)
    assert place.train("rest", output_name="rest", **goes_on) == 0
    assert steps(place, "rest") == [(epoch, 3 + (epoch - 2) * each + n + 1) for epoch in (2, 3) for n in range(each)]
    written = [event["path"] for event in place.events("rest") if event["event"] == "checkpoint"]
    assert [Path(path).name for path in written] == ["rest-000002.safetensors", "rest.safetensors"]
    assert f"the run ends at step {3 + 2 * each}" in capsys.readouterr().err


def test_what_a_run_goes_on_from_is_not_touched_and_may_be_used_twice(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_after(place, "part", 2, monkeypatch)
    assert place.train("part") == 3
    state = Path(place.events("part")[-1]["state"])
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in state.iterdir()}
    keep = {"save_state": True, "save_every_n_steps": 1, "save_last_n_steps": 1}
    for name in ("one", "two"):
        assert place.train(name, output_name=name, resume=str(state), **keep) == 0
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in state.iterdir()}
    assert place.losses("one") == place.losses("two")


def test_a_run_stopped_twice_is_the_whole_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.train("whole", output_name="whole", max_train_epochs=3) == 0
    state = None
    for job, step in (("a", 2), ("b", 5)):
        ask_after(place, job, step, monkeypatch)
        assert place.train(job, output_name="part", max_train_epochs=3, resume=state) == 3
        state = place.events(job)[-1]["state"]
    assert place.train("c", output_name="part", max_train_epochs=3, resume=state) == 0
    assert place.losses("a") + place.losses("b") + place.losses("c") == place.losses("whole")
    assert digests(place.weights("part")) == digests(place.weights("whole"))


def steps(place: Place, job: str = "job") -> list[tuple[int, int]]:
    return [(event["epoch"], event["step"]) for event in place.events(job) if event["event"] == "step"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # 3 steps an epoch, 3 epochs, 9 steps
        ({"initial_step": 4, "skip_until_initial_step": True}, [(2, 5), (2, 6), (3, 7), (3, 8), (3, 9)]),
        ({"initial_step": 4}, [(2, 5), (2, 6), (2, 7), (3, 8), (3, 9)]),
        ({"initial_epoch": 3}, [(3, 7), (3, 8), (3, 9)]),
        ({"initial_epoch": 2, "initial_step": 7, "skip_until_initial_step": True}, [(3, 8), (3, 9)]),
    ],
)
def test_a_run_begins_where_initial_step_or_initial_epoch_say(
    place: Place, values: dict[str, object], expected: list[tuple[int, int]]
) -> None:
    assert place.train(max_train_epochs=3, **values) == 0
    assert steps(place) == expected


def test_skipping_to_a_step_trains_the_batches_the_whole_run_trains_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer import train as loop

    real, seen = loop.backward, {"whole": [], "rest": []}

    def watched(run: Any, microbatch: Any, *others: Any) -> Any:
        seen[run.job.path.name].append((microbatch.epoch, microbatch.position, microbatch.numbers))
        return real(run, microbatch, *others)

    monkeypatch.setattr(loop, "backward", watched)
    settings = {"max_train_epochs": 3, "gradient_accumulation_steps": 2}
    assert place.train("whole", **settings) == 0
    assert place.train("rest", initial_step=3, skip_until_initial_step=True, **settings) == 0
    assert seen["rest"] == seen["whole"][5:]  # windows of 2 and 1, and 2 of the second epoch


def test_the_learning_rate_of_a_run_that_begins_later_is_that_of_its_step(place: Place) -> None:
    def rates(job: str) -> list[float]:
        return [event["lr"]["unet"] for event in place.events(job) if event["event"] == "step"]

    assert place.train("whole", lr_scheduler="linear") == 0
    assert place.train("rest", lr_scheduler="linear", initial_step=4, skip_until_initial_step=True) == 0
    assert rates("rest") == rates("whole")[4:]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"initial_step": 10, "max_train_steps": 10, "max_train_epochs": None}, "not below the 10 steps of the run"),
        ({"initial_step": 6}, "begins at step 6, but the run has 6 steps in all"),
        ({"initial_epoch": 3}, "begins at step 6, but the run has 6 steps in all"),
    ],
)
def test_a_beginning_behind_the_end_is_refused(
    place: Place, capsys: pytest.CaptureFixture[str], values: dict[str, object], words: str
) -> None:
    assert place.train(**values) == 2
    assert words in capsys.readouterr().err


# Saves a LoRA and a state at every "step", keeping two of each, until it is killed. It forks after torch is loaded, so
# that a hundred rounds cost one start; what it says on stdout is what its parent found after each kill.
SAVER = """
import itertools, os, random, signal, sys, time
from pathlib import Path
import torch
from trainer.checkpoint import State, remove_state, save_network, save_state
from trainer.states import incomplete, newest_state
from safetensors import safe_open

torch.set_num_threads(1)
folder = Path(sys.argv[1])

def save_from(first, steps):
    for step in steps:
        tensors = {"lora_unet_x.lora_up.weight": torch.full((64, 256), float(step))}
        moments = {"state": {0: {"exp_avg": torch.full((64, 256), float(step))}}, "param_groups": []}
        save_network(folder / f"t-step{step:08d}.safetensors", tensors, {"ss_steps": str(step)}, None)
        save_state(folder / "state" / f"t-step{step:08d}-state", State({"step": step}, tensors, moments))
        if step > first + 2:
            (folder / f"t-step{step - 2:08d}.safetensors").unlink(missing_ok=True)
            remove_state(folder / "state" / f"t-step{step - 2:08d}-state")

def step_of(path):
    with safe_open(path, "pt") as file:
        told = int(file.metadata()["ss_steps"])
        assert (file.get_tensor("lora_unet_x.lora_up.weight") == told).all(), path
    return told

kept = 2
began = time.monotonic()
save_from(1, (1, 2))
usual = (time.monotonic() - began) / 2
for seed in range(100):
    child = os.fork()
    if child == 0:
        save_from(kept + 1, itertools.count(kept + 1))
    time.sleep(random.Random(seed).uniform(0, 3 * usual))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    files = [step_of(path) for path in folder.glob("t-*.safetensors")]
    state, passed = newest_state(folder / "state")
    assert not passed, passed
    now = int(state.name.split("step")[1][:8]) if state else 0
    assert now >= kept and now >= max(files, default=0) - 1, (seed, kept, now, files)
    usual *= 1.3 if now == kept else 0.9  # what a save takes changes on a busy disk
    kept = now
print(kept)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are a matter of Unix")
def test_a_hundred_kills_while_saving_always_leave_a_whole_file_and_a_whole_state(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SAVER, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20  # it really saved between the kills


def test_a_request_to_save_is_obeyed_in_the_middle_of_a_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_after(place, "job", 2, monkeypatch, "save")
    assert place.train() == 0
    assert (place.root / "output" / "t-step00000002.safetensors").exists()
    assert not Job(place.root / "job").requested("save")
