"""What goes wrong in the middle of a run is named, and what was trained is kept."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from place import DEFAULTS, Place, same

from trainer import objective
from trainer import train as loop
from trainer.atomic import WriteError
from trainer.checkpoint import load_state
from trainer.config import parse
from trainer.dataset.problems import RefusedError
from trainer.failures import NotANumber, explain, out_of_memory_advice
from trainer.start import _preflight
from trainer.train import step_where

NEEDED = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 768}


def bad_losses(monkeypatch: pytest.MonkeyPatch, bad: set[int], value: float = float("nan")) -> None:
    """Make the losses of these batches, counted from 0, NaN."""
    real, calls = objective.loss, iter(range(10_000))
    monkeypatch.setattr(
        objective, "loss", lambda *args, **options: real(*args, **options) * (value if next(calls) in bad else 1)
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_bad_step_changes_no_weight_is_counted_and_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    assert place.train("two", output_name="two", max_train_epochs=None, max_train_steps=2, save_state=True) == 0
    bad_losses(monkeypatch, {2}, value)
    assert place.train("three", output_name="three", max_train_epochs=None, max_train_steps=3, save_state=True) == 0
    assert same(place.weights("two"), place.weights("three"))
    step = [event for event in place.events("three") if event["event"] == "step"][-1]
    assert (step["loss"], step["left_out"]) == (None, 1) and step["average"] > 0
    assert "left out: 1" in capsys.readouterr().out
    warnings = [event["message"] for event in place.events("three") if event["event"] == "warning"]
    assert "step 3: the loss is not a number; such steps are left out" in warnings


def test_bad_steps_are_counted_across_a_resumed_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_losses(monkeypatch, {1, 4})
    assert place.train("one", max_train_epochs=1, save_state_on_train_end=True) == 0
    assert place.train("two", max_train_epochs=2, resume="one/state/t-state") == 0
    assert [event["left_out"] for event in place.events("two") if event["event"] == "step"] == [1, 2, 2]


def test_too_many_bad_steps_end_the_run_with_the_last_good_weights_as_a_state(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.train("good", output_name="good", max_train_epochs=None, max_train_steps=2) == 0
    bad_losses(monkeypatch, set(range(2, 10_000)))
    assert place.train("bad", max_train_epochs=50, max_nan_steps=3) == 1
    last = place.events("bad")[-1]
    assert (last["event"], last["kind"], last["step"]) == ("failed", "nan", 5)
    assert "3 steps in a row (up to step 5)" in last["message"] and "learning rate" in last["advice"]
    kept = load_state(Path(last["state"])).network
    assert all(torch.equal(kept[key], value) for key, value in place.weights("good").items())


def test_a_bad_step_between_good_ones_begins_the_count_anew(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    bad_losses(monkeypatch, {0, 1, 3, 4})
    assert place.train(max_nan_steps=3) == 0


@pytest.mark.parametrize(
    "make",
    [lambda w: torch.optim.AdamW(w, lr=0.1, fused=True), lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9),
     lambda w: torch.optim.AdamW(w, lr=0.1, weight_decay=0.5)],
    ids=["fused", "sgd", "decaying"],
)  # fmt: skip
def test_a_step_on_a_device_leaves_weights_alone_where_gradients_are_not_finite(make: Any) -> None:
    weights = [torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(2))]
    optimizer = make(weights)

    def step(value: float) -> list[torch.Tensor]:
        for weight in weights:
            weight.grad = torch.full_like(weight, value)
        step_where(torch.isfinite(torch.tensor(value)), optimizer, weights)
        return [weight.detach().clone() for weight in weights]

    first = step(1.0)
    assert all((one != 1).all() for one in first)
    assert all(torch.equal(one, other) for one, other in zip(first, step(float("nan")), strict=True))
    last = step(1.0)
    assert all(torch.isfinite(one).all() and (one < before).all() for one, before in zip(last, first, strict=True))


def fail_after(monkeypatch: pytest.MonkeyPatch, batches: int, error: BaseException) -> None:
    """Raise an error in the batch behind the first `batches`."""
    real, calls = loop.backward, iter(range(10_000))

    def backward(*args: Any, **options: Any) -> Any:
        if next(calls) == batches:
            raise error
        return real(*args, **options)

    monkeypatch.setattr(loop, "backward", backward)


def test_out_of_memory_keeps_the_state_and_the_run_goes_on_from_it_to_the_same_end(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.train("whole", output_name="whole") == 0
    with monkeypatch.context() as broken:
        fail_after(broken, 4, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
        assert place.train("part", output_name="part") == 1
    last = place.events("part")[-1]
    assert (last["kind"], last["step"], last["message"]) == ("out_of_memory", 4, "the GPU ran out of memory")
    assert last["advice"].startswith(
        "In this order: switch gradient_checkpointing on; lower train_batch_size from 2 to"
    )
    assert f"resume = {last['state']}" in capsys.readouterr().err
    assert place.train("rest", output_name="part", resume=last["state"]) == 0
    assert same(place.weights("part"), place.weights("whole"))
    assert place.losses("part") + place.losses("rest") == place.losses("whole")


def test_a_lack_of_memory_in_the_optimizer_itself_keeps_no_half_changed_state(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(10_000))
    real = torch.optim.AdamW.step

    def step(self: Any, *args: Any) -> Any:
        if next(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    assert place.train() == 1
    last = place.events()[-1]
    assert last["kind"] == "out_of_memory" and "state" not in last
    assert list((place.root / "job" / "state").iterdir()) == []


def test_a_failure_before_the_first_step_has_no_state_to_keep(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_after(monkeypatch, 0, torch.OutOfMemoryError("CUDA out of memory"))
    assert place.train() == 1
    assert "state" not in place.events()[-1]


def remedies(**values: object) -> list[str]:
    told = out_of_memory_advice(parse({**NEEDED, **values}).config)
    return told.removeprefix("In this order: ").partition(". ")[0].split("; ")


def test_remedies_for_a_lack_of_memory_fit_the_run_in_order_of_effect() -> None:
    assert remedies(train_batch_size=4, cache_latents=True) == [
        "switch gradient_checkpointing on",
        "lower train_batch_size from 4 to 2 and double gradient_accumulation_steps",
        "set mixed_precision to bf16 (fp16 on cards before RTX 30)",
        "lower the resolution below 768",
        "switch network_train_unet_only on",
    ]
    assert remedies(
        gradient_checkpointing=True, mixed_precision="bf16", cache_latents=True, network_train_unet_only=True,
        cache_text_encoder_outputs=True, resolution=512, network_dim=64,
    ) == ["switch fp8_base on", "lower network_dim", "close other programs that use the memory"]  # fmt: skip


def test_a_failure_tells_the_first_change_of_its_advice_as_values_of_parameters() -> None:
    def changes(error: Exception, **values: object) -> object:
        return dict(explain(error, parse({**NEEDED, **values}).config).changes)

    lack = torch.OutOfMemoryError("CUDA out of memory")
    assert changes(lack) == {"precision.gradient_checkpointing": True}
    assert changes(lack, gradient_checkpointing=True, train_batch_size=4) == {
        "dataset.train_batch_size": 2,
        "run.gradient_accumulation_steps": 2,
    }
    rates = {"learning_rate": 1e-4, "unet_lr": 2e-4, "text_encoder_lr": 1e-5, "mixed_precision": "fp16"}
    assert changes(NotANumber("nan"), **rates) == {
        "precision.no_half_vae": True, "optimizer.learning_rate": 3e-5, "optimizer.unet_lr": 6e-5,
        "optimizer.text_encoder_lr": 3e-6,
    }  # fmt: skip
    assert changes(NotANumber("nan"), optimizer_type="Prodigy", learning_rate=1) == {}
    assert changes(KeyError("x")) == {}


def test_a_save_in_between_that_the_disk_refuses_does_not_end_the_run(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = loop.save_network, iter(range(100))

    def save(path: Path, *args: Any) -> int:
        if next(calls) == 0:
            raise OSError(28, f"{path.name} was not written: the disk is full")
        return real(path, *args)

    monkeypatch.setattr(loop, "save_network", save)
    assert place.train(save_every_n_steps=2) == 0
    assert sorted(path.stem for path in (place.root / "output").iterdir()) == ["t", "t-step00000004", "t-step00000006"]
    warnings = [event["message"] for event in place.events() if event["event"] == "warning"]
    assert any("the disk is full; training goes on, and the next save tries again" in text for text in warnings)


def test_the_last_save_waits_for_room_on_the_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = loop.save_network, iter(range(100))

    def save(path: Path, *args: Any) -> int:
        if next(calls) < 2:
            raise OSError(28, "the disk is full")
        return real(path, *args)

    monkeypatch.setattr(loop, "save_network", save)
    monkeypatch.setattr(loop, "SAVE_RETRY_SECONDS", 0)
    assert place.train(max_train_epochs=1) == 0
    assert (place.root / "output" / "t.safetensors").exists()
    assert len([event for event in place.events() if event["event"] == "warning" and "disk" in event["message"]]) == 1


def test_a_disk_that_stays_full_ends_the_run_with_its_kind_and_a_state(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: Any) -> int:
        raise OSError(28, "the disk is full")

    monkeypatch.setattr(loop, "save_network", save)
    monkeypatch.setattr(loop, "SAVE_PATIENCE_SECONDS", 0)
    assert place.train(max_train_epochs=1) == 1
    last = place.events()[-1]
    assert last["kind"] == "disk" and load_state(Path(last["state"])).progress["step"] == 3


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EROFS])
def test_what_no_waiting_cures_is_not_tried_again_and_costs_only_the_file(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    tries: list[Path] = []

    def save(wanted: Path, *_: Any) -> int:
        tries.append(wanted)
        raise WriteError(number, f"{wanted} was not written: {os.strerror(number)}")

    monkeypatch.setattr(loop, "save_network", save)
    monkeypatch.setattr(loop, "SAVE_RETRY_SECONDS", 0)
    assert place.train(max_train_epochs=1) == 1
    last = place.events()[-1]
    assert len(tries) == 1
    assert last["kind"] == "disk" and os.strerror(number) in last["message"]
    assert load_state(Path(last["state"])).progress["step"] == 3


def test_a_disk_that_is_full_for_curves_and_the_last_state_costs_neither_the_run_nor_its_lora(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "the disk is full")

    monkeypatch.setattr(loop, "save_state", full)
    monkeypatch.setattr("torch.utils.tensorboard.SummaryWriter.add_scalar", full)
    monkeypatch.setattr(loop, "SAVE_PATIENCE_SECONDS", 0)
    assert place.train(max_train_epochs=1, save_state_on_train_end=True, logging_dir="logs") == 0
    told = [event["message"] for event in place.events() if event["event"] == "warning"]
    assert "the curves end here, training goes on: the disk is full" in told
    assert "the disk is full; the LoRA is whole, but training cannot go on from its end" in told


def test_a_state_is_saved_though_the_output_folder_is_full_and_old_files_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.save_network

    def save(wanted: Path, *others: Any) -> Any:
        if "step00000003" in wanted.name:
            raise OSError(28, "the disk is full")
        return real(wanted, *others)

    monkeypatch.setattr(loop, "save_network", save)
    assert place.train(max_train_epochs=1, save_every_n_steps=1, save_state=True, save_last_n_steps=1) == 0
    # step 3 would have made the file and the state of step 1 superfluous
    assert sorted(path.stem for path in (place.root / "output").iterdir()) == ["t", "t-step00000001", "t-step00000002"]
    assert {path.name for path in Path("job/state").iterdir()} == {
        "t-state", "t-step00000001-state", "t-step00000002-state", "t-step00000003-state"
    }  # fmt: skip


def test_a_resumed_run_is_told_what_was_changed_meanwhile(place: Place) -> None:
    def warnings(job: str) -> str:
        assert place.train(job, resume="one/state/t-state", max_train_epochs=2) == 0
        return "\n".join(event["message"] for event in place.events(job) if event["event"] == "warning")

    assert place.train("one", max_train_epochs=1, save_state_on_train_end=True) == 0
    unchanged = warnings("same")
    assert "max_train_epochs is 2, it was 1 when the state was saved" in unchanged
    assert not any(words in unchanged for words in ("captions have", "the pictures are", "the base model"))
    folder = place.root / "train" / "1_cat"
    (folder / "0.txt").write_text("a dog", encoding="utf-8")
    assert "captions have been changed since the state was saved" in warnings("captions")
    (folder / "4.png").unlink()
    tensors = safetensors.torch.load_file(place.root / "base.safetensors")
    (place.root / "base.safetensors").unlink()
    safetensors.torch.save_file({**tensors, "more": torch.ones(1)}, place.root / "base.safetensors")
    told = warnings("more")
    assert "the pictures are not those of the state (5 then, 4 now, some may be others)" in told
    assert "the base model is another file than when the state was saved" in told


def test_a_picture_that_vanishes_in_the_middle_is_named_and_the_state_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.backward

    def backward(run: Any, microbatch: Any, *others: Any) -> Any:
        if microbatch.epoch == 2:
            for path in (place.root / "train" / "1_cat").glob("*.png"):
                path.unlink(missing_ok=True)
        return real(run, microbatch, *others)

    monkeypatch.setattr(loop, "backward", backward)
    assert place.train(cache_latents=False, max_data_loader_n_workers=0, max_train_epochs=9) == 2
    last = place.events()[-1]
    assert last["kind"] == "data" and ".png" in last["message"]
    assert json.loads((Path(last["state"]) / "progress.json").read_text(encoding="utf-8"))["step"] == last["step"] >= 3


SUBJECTS = [
    ({"train_data_dir": "nowhere"}, "data", "Correct the data set as named above and start again"),
    ({"resume": "nowhere"}, "config", "Correct the settings named above and start again"),
    (
        {"pretrained_model_name_or_path": "no/base"},
        "weights",
        "Choose another file, or correct the setting named above",
    ),
    ({"initial_step": 999}, "config", "Correct the settings named above and start again"),
    ({"train_data_dir": "nowhere", "resume": "nowhere"}, "data", "Correct what is named above and start again"),
]


@pytest.mark.parametrize(("values", "kind", "advice"), SUBJECTS, ids=[" ".join(one[0]) for one in SUBJECTS])
def test_the_advice_of_a_run_that_is_refused_fits_what_was_refused(
    place: Place, values: dict[str, Any], kind: str, advice: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        _preflight(parse({**DEFAULTS, **values}).config)
    failure = explain(refused.value)
    assert (failure.kind, failure.advice) == (kind, advice)


def test_a_state_beyond_the_end_of_the_run_is_a_matter_of_settings(place: Place) -> None:
    assert place.train("one", max_train_epochs=1, save_state_on_train_end=True) == 0
    assert place.train("two", resume="one/state/t-state", max_train_epochs=None, max_train_steps=2) == 2
    last = place.events("two")[-1]
    assert "the state is at step 3, but the run has 2 steps in all" in last["message"]
    assert (last["kind"], last["advice"]) == ("config", "Correct the settings named above and start again")


def test_an_error_that_is_no_exception_of_training_is_explained_as_itself() -> None:
    assert explain(MemoryError()).kind == "out_of_memory"
    assert explain(KeyError("x")).kind == "bug"
