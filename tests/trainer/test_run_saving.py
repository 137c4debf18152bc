"""What a run leaves in its folders, by name: KOHYA_COMPAT 8.1."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest
import torch
from place import Place, same
from safetensors import safe_open

from trainer.atomic import _host
from trainer.config import parse
from trainer.dataset.report import lengths
from trainer.saving import Moment, outdated


def files(place: Place) -> list[str]:
    return sorted(path.name for path in (place.root / "output").iterdir() if path.is_file())


def states(place: Place, job: str = "job") -> list[str]:
    return sorted(path.name for path in (place.root / job / "state").iterdir())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # 3 steps an epoch
        ({"max_train_epochs": 3, "save_every_n_epochs": 1}, ["t-000001", "t-000002", "t"]),
        ({"max_train_epochs": 4, "save_every_n_epochs": 2}, ["t-000002", "t"]),
        ({"max_train_epochs": 2, "save_every_n_steps": 2}, ["t-step00000002", "t-step00000004", "t-step00000006", "t"]),
        ({"max_train_epochs": 4, "save_n_epoch_ratio": 2, "save_every_n_epochs": 1}, ["t-000002", "t"]),
        ({"max_train_epochs": 5, "save_every_n_epochs": 1, "save_last_n_epochs": 2}, ["t-000003", "t-000004", "t"]),
        ({"max_train_epochs": 3, "save_every_n_steps": 2, "save_last_n_steps": 3},
         ["t-step00000006", "t-step00000008", "t"]),
        ({"max_train_epochs": None, "max_train_steps": 4, "save_every_n_epochs": 1}, ["t-000001", "t"]),
        ({"max_train_epochs": 2, "save_every_n_epochs": 1, "save_every_n_steps": 4, "output_name": None},
         ["epoch-000001", "at-step00000004", "last"]),
        ({"max_train_epochs": 2, "save_every_n_epochs": 1, "save_model_as": "ckpt"}, ["t-000001", "t"]),
    ],
)  # fmt: skip
def test_a_run_leaves_the_files_of_its_settings(place: Place, values: dict[str, object], expected: list[str]) -> None:
    assert place.train(**values) == 0
    assert files(place) == sorted(f"{name}.{values.get('save_model_as', 'safetensors')}" for name in expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"save_every_n_epochs": 1, "save_state": True}, ["t-000001-state", "t-000002-state", "t-state"]),
        ({"save_every_n_epochs": 1, "save_state_on_train_end": True}, ["t-state"]),
        ({"save_every_n_epochs": 1}, []),
        ({"save_every_n_steps": 4, "save_state": True}, ["t-state", "t-step00000004-state", "t-step00000008-state"]),
        ({"save_every_n_epochs": 1, "save_state": True, "save_last_n_epochs": 1}, ["t-000002-state", "t-state"]),
        ({"save_every_n_epochs": 1, "save_state": True, "save_last_n_epochs": 1, "save_last_n_epochs_state": 5},
         ["t-000001-state", "t-000002-state", "t-state"]),
        ({"save_every_n_steps": 2, "save_state": True, "save_last_n_steps_state": 3},
         ["t-state", "t-step00000006-state", "t-step00000008-state"]),
    ],
)  # fmt: skip
def test_a_run_leaves_the_states_of_its_settings(place: Place, values: dict[str, object], expected: list[str]) -> None:
    assert place.train(max_train_epochs=3, **values) == 0
    assert states(place) == expected


def test_the_oldest_file_is_found_as_sd_scripts_finds_it() -> None:
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    steps = parse({**needed, "save_every_n_steps": 100, "save_last_n_steps": 250}).config.save
    assert outdated(steps, Moment("step", 600), 9) == Moment("step", 300)  # 600 - 250 - 1 = 349, rounded down
    assert outdated(steps, Moment("step", 300), 9) is None
    assert outdated(steps, Moment("step", 400), 9) == Moment("step", 100)  # 149, rounded down
    # a limit that is a multiple of the interval: of 50 the last 30 are 20, 30 and 40, so 10 goes (50 - 30 - 1 = 19)
    tens = parse({**needed, "save_every_n_steps": 10, "save_last_n_steps": 30}).config.save
    assert [outdated(tens, Moment("step", number), 9) for number in (30, 40, 50, 60)] == [
        None, None, Moment("step", 10), Moment("step", 20)
    ]  # fmt: skip
    longer = parse({**needed, "save_every_n_steps": 10, "save_last_n_steps": 30, "save_last_n_steps_state": 50})
    assert outdated(longer.config.save, Moment("step", 70), 9, state=True) == Moment("step", 10)  # 70 - 50 - 1 = 19
    assert outdated(longer.config.save, Moment("step", 70), 9) == Moment("step", 30)
    epochs = parse({**needed, "save_every_n_epochs": 2, "save_last_n_epochs": 3}).config.save
    assert outdated(epochs, Moment("epoch", 10), 20) == Moment("epoch", 4)
    assert outdated(epochs, Moment("epoch", 6), 20) is None  # 2, 4 and 6 are the last three
    assert outdated(epochs, Moment("epoch", 8), 20) == Moment("epoch", 2)
    assert outdated(epochs, Moment("end"), 20) is None


def test_every_save_holds_the_weights_of_its_own_step(place: Place) -> None:
    assert place.train("whole", save_every_n_steps=2, save_every_n_epochs=1) == 0  # 6 steps, 3 an epoch
    assert place.train("four", output_name="four", max_train_epochs=None, max_train_steps=4) == 0
    assert same(place.weights("t-step00000004"), place.weights("four"))
    names = ("t-step00000002", "t-000001", "t-step00000004", "t")
    assert not any(same(place.weights(one), place.weights(other)) for one, other in itertools.pairwise(names))
    assert same(place.weights("t-step00000006"), place.weights("t"))


@pytest.mark.parametrize(
    ("precision", "dtype"), [(None, torch.float32), ("float", torch.float32), ("fp16", torch.float16),
                             ("bf16", torch.bfloat16)]
)  # fmt: skip
def test_a_file_has_the_precision_that_was_asked_for(place: Place, precision: str | None, dtype: torch.dtype) -> None:
    assert place.train(max_train_epochs=1, save_precision=precision) == 0
    assert {value.dtype for value in place.weights().values()} == {dtype}


@pytest.mark.parametrize("kind", ["ckpt", "pt"])
def test_an_old_format_holds_the_same_tensors_and_loads_without_code(place: Place, kind: str) -> None:
    assert place.train("a", max_train_epochs=1, output_name="a") == 0
    assert place.train("b", max_train_epochs=1, output_name="b", save_model_as=kind) == 0
    loaded = torch.load(place.root / "output" / f"b.{kind}", weights_only=True)
    assert loaded.keys() == place.weights("a").keys()
    assert all(torch.equal(loaded[key], value) for key, value in place.weights("a").items())
    assert place.train("c", max_train_epochs=1, output_name="b") == 0  # a name is taken whatever the format
    assert (place.root / "output" / "b-2.safetensors").exists()


def test_a_step_file_tells_the_epoch_it_lies_in(place: Place) -> None:  # sd-scripts counts from 0 there
    assert place.train(save_every_n_steps=2) == 0
    told = {}
    for path in sorted((place.root / "output").glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            told[path.stem] = (file.metadata()["ss_epoch"], file.metadata()["ss_steps"])
    assert told == {
        "t": ("2", "6"), "t-step00000002": ("1", "2"), "t-step00000004": ("2", "4"), "t-step00000006": ("2", "6")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("batches", "accumulation", "epochs", "steps", "processes", "expected"),
    [
        (101, 1, 10, 1600, 1, (1010, 10, 101)),  # the published LoRA of KOHYA_COMPAT 2.7
        (101, 4, 10, 1600, 1, (260, 10, 26)),  # the window of one batch at an epoch's end makes a step
        (101, 1, 10, 1600, 2, (510, 10, 51)),
        (101, 2, None, 100, 4, (100, 8, 13)),  # ceil(101 / 4) = 26 batches each, 13 steps
    ],
)
def test_steps_and_epochs_are_counted_as_sd_scripts_counts(
    batches: int, accumulation: int, epochs: int | None, steps: int, processes: int, expected: tuple[int, int, int]
) -> None:
    told = lengths(batches, accumulation, epochs, steps, processes)
    assert (told.steps, told.epochs, told.steps_per_epoch) == expected


def test_temporary_files_of_a_killed_run_are_swept_at_the_next_start(place: Place) -> None:
    folders = ["job", "job/state", "job/samples", "output", "output/sample", "train/1_cat", ".athanor/cache/latents/ab"]
    mine, others = (f".{host}0123456789.athanor-tmp" for host in (_host(), "ffffff"))
    for folder in folders:
        (place.root / folder).mkdir(parents=True, exist_ok=True)
        for name in (mine, others):
            (place.root / folder / name).touch()
            os.utime(place.root / folder / name, (time.time() - 100,) * 2)
    for name in ("t-state.building", "t-000001-state.removing"):
        (place.root / "job" / "state" / name).mkdir()
        (place.root / "job" / "state" / name / "progress.json").touch()
    assert place.train(max_train_epochs=1) == 0
    assert not any((place.root / folder / mine).exists() for folder in folders)
    assert all((place.root / folder / others).exists() for folder in folders)  # another machine may be writing it
    assert states(place) == [others]


def test_states_lie_with_the_job_and_never_under_a_half_written_name(place: Place, tmp_path: Path) -> None:
    assert place.train(save_state_on_train_end=True) == 0
    assert sorted(path.name for path in (place.root / "job" / "state" / "t-state").iterdir()) == [
        "manifest.json", "network.safetensors", "optimizer.json", "optimizer.safetensors", "progress.json"
    ]  # fmt: skip
