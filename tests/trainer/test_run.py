"""Whole runs of the real trainer on a tiny model: they end, resume exactly, and say what went wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from place import Place, same
from safetensors import safe_open

from trainer.__main__ import main
from trainer.job import Job

ROOT = Path(__file__).parents[2]


def test_a_run_ends_with_a_lora_that_describes_itself(place: Place) -> None:
    assert place.train(save_every_n_epochs=1, save_precision="fp16", clip_skip=2, logging_dir="logs") == 0
    with safe_open(place.root / "output" / "t.safetensors", "pt") as file:
        keys, told = set(file.keys()), file.metadata()
    modules = tiny.LORA_UNET_MODULES + tiny.LORA_TEXT_MODULES
    assert len(keys) == 3 * modules
    assert {"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight",
            "lora_te_text_model_encoder_layers_0_mlp_fc1.alpha"} <= keys  # fmt: skip
    assert told["ss_tag_frequency"] == json.dumps({"1_cat": {"cat": 5, "red": 5, **{f"tag {n}": 1 for n in range(5)}}})
    assert (told["ss_num_batches_per_epoch"], told["ss_max_train_steps"], told["ss_steps"], told["ss_epoch"]) == (
        "3",
        "6",
        "6",
        "2",
    )
    assert (
        told["ss_base_model_version"] == "sd_v1"
        and len(told["ss_new_sd_model_hash"]) == 64
        and len(told["sshs_model_hash"]) == 64
    )
    assert (place.root / "output" / "t-000001.safetensors").exists() and not (
        place.root / "output" / "t-000002.safetensors"
    ).exists()
    kinds = [event["event"] for event in place.events()]
    assert kinds.count("step") == 6 and kinds.count("epoch") == 2 and kinds[-1] == "finished"
    assert Job(place.root / "job").state() == "finished"


def test_every_module_learns_but_the_skipped_text_layer(place: Place) -> None:
    place.train(clip_skip=2)
    dead = {key for key, value in place.weights().items() if key.endswith("lora_up.weight") and not value.any()}
    assert all(key.startswith("lora_te_text_model_encoder_layers_1_") for key in dead) and len(dead) == 6


def test_curves_are_written_under_sd_scripts_tags(place: Place) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    place.train(logging_dir="logs", log_prefix="x", gradient_accumulation_steps=2, scale_weight_norms=1.0)
    (folder,) = (place.root / "logs").iterdir()
    assert folder.name.startswith("x20")
    curves = EventAccumulator(str(folder / "network_train"))
    curves.Reload()
    tags = set(curves.Tags()["scalars"])
    assert tags == {"loss/current", "loss/average", "loss/epoch_average", "lr/textencoder", "lr/unet",
    "max_norm/keys_scaled",
                    "max_norm/max_key_norm", "norm/avg_key_norm"}  # fmt: skip
    # 3 batches an epoch, windows of 2: steps after batches are 0, 1, 2 | 2, 3, 4
    assert [point.step for point in curves.Scalars("loss/current")] == [0, 1, 2, 2, 3, 4]


@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_a_stopped_and_resumed_run_ends_bit_identical(
    place: Place, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, object] = {
        "max_train_epochs": 3, "network_dropout": 0.2, "network_args": ["rank_dropout=0.1", "module_dropout=0.1"],
        "noise_offset": 0.1,
        "caption_tag_dropout_rate": 0.3, "lr_scheduler": "cosine", "flip_aug": True, "gradient_accumulation_steps": 2,
        "min_snr_gamma": 5, "multires_noise_iterations": 3, "caption_dropout_rate": 0.2,
    }  # fmt: skip
    assert place.train("whole", output_name="whole", **settings) == 0
    stop_when(place, "part", lambda steps: steps >= stop_after, monkeypatch)
    assert place.train("part", output_name="part", **settings) == 3
    stopped = place.events("part")[-1]
    assert (stopped["event"], stopped["step"]) == ("stopped", stop_after)
    before = {path: path.stat().st_mtime_ns for path in Path(stopped["state"]).iterdir()}
    monkeypatch.undo()
    monkeypatch.chdir(place.root)
    assert place.train("rest", output_name="part", resume=stopped["state"], **settings) == 0
    assert place.losses("part") + place.losses("rest") == place.losses("whole")
    assert same(place.weights("part"), place.weights("whole"))
    assert before == {path: path.stat().st_mtime_ns for path in Path(stopped["state"]).iterdir()}


def stop_when(place: Place, job: str, reached: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stop request in place as the page does, right after the event of a step."""
    from trainer.events import EventLog

    emit = EventLog.emit

    def emit_and_ask(self: EventLog, event: str, **fields: Any) -> dict[str, Any]:
        line = emit(self, event, **fields)
        if event == "step" and reached(fields["step"]):
            Job(place.root / job).request("stop")
        return line

    monkeypatch.setattr(EventLog, "emit", emit_and_ask)


@pytest.mark.parametrize("phase", ["caching latents", "caching text"])
def test_a_stop_while_caching_ends_the_run_there_and_the_next_one_uses_what_was_cached(
    place: Place, phase: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.events import EventLog

    emit = EventLog.emit

    def emit_and_ask(self: EventLog, event: str, **fields: Any) -> dict[str, Any]:
        line = emit(self, event, **fields)
        if event == "phase" and fields["name"] == phase and fields["done"] == 1:
            Job(place.root / "job").request("stop")
        return line

    settings: dict[str, object] = {
        "cache_latents_to_disk": True, "cache_text_encoder_outputs": True, "network_train_unet_only": True,
        "shuffle_caption": False, "max_train_epochs": 1,
    }  # fmt: skip
    monkeypatch.setattr(EventLog, "emit", emit_and_ask)
    assert place.train(**settings) == 3
    told = place.events()
    assert (told[-1]["event"], told[-1]["step"], told[-1]["state"]) == ("stopped", 0, None)
    assert [event["done"] for event in told if event["event"] == "phase" and event["name"] == phase][-1] == 1
    assert "stopped before the first step: nothing was trained, so there is no state" in capsys.readouterr().err
    assert not Job(place.root / "job").requested("stop") and not list((place.root / "output").glob("*"))
    monkeypatch.undo()
    monkeypatch.chdir(place.root)
    assert place.train(**settings) == 0
    assert not any("made anew" in event["message"] for event in place.events() if event["event"] == "warning")


def test_a_saved_state_of_an_epoch_goes_on_to_the_same_end(place: Place) -> None:
    assert place.train("whole", save_state=True, save_every_n_epochs=1, max_train_epochs=3) == 0
    assert place.train("rest", save_every_n_epochs=1, max_train_epochs=3, resume="job-none") == 2
    assert place.train("other", network_dim=3, max_train_epochs=3, resume="whole/state/t-000001-state") == 2
    last = place.events("other")[-1]
    assert "network_dim is 3, but the state was trained with 2; set it back, or clear resume" in last["message"]
    assert not any(event.get("name", "").startswith("caching") for event in place.events("other"))
    assert place.train("rest", max_train_epochs=3, resume="whole/state/t-000001-state") == 0
    assert same(place.weights("t-2"), place.weights("t"))
    assert place.losses("rest") == place.losses("whole")[3:]


def test_previews_and_validation_change_nothing(place: Place) -> None:
    assert place.train("plain", output_name="plain", validation_split=0.2) == 0
    (place.root / "prompts.txt").write_text("a cat --w 64 --h 64 --s 2 --d 1\n", encoding="utf-8")
    assert place.train("shown", output_name="shown", validation_split=0.2, sample_prompts="prompts.txt",
    sample_every_n_epochs=1,
                       sample_at_first=True, validate_every_n_steps=1) == 0  # fmt: skip
    assert same(place.weights("plain"), place.weights("shown"))
    samples = [event for event in place.events("shown") if event["event"] == "sample"]
    assert len(samples) == 3 and all((place.root / "shown" / event["file"]).exists() for event in samples)
    measured = [event["loss"] for event in place.events("shown") if event["event"] == "validation"]
    assert len(measured) == 2 * 2 + 2 and len(set(measured)) > 1


def test_a_preview_asked_of_a_run_without_prompts_is_answered(place: Place) -> None:
    Job(place.root / "job").request("sample")
    assert place.train(max_train_epochs=1) == 0
    warnings = [event["message"] for event in place.events() if event["event"] == "warning"]
    assert "no preview was made: this run has no sample_prompts" in warnings


def test_the_same_settings_give_the_same_lora_and_another_seed_another(place: Place) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        place.train(name, output_name=name, seed=seed, max_train_epochs=1)
    assert same(place.weights("a"), place.weights("b"))
    assert not same(place.weights("a"), place.weights("c"))


@pytest.mark.parametrize(
    "values",
    [
        {"mixed_precision": "bf16"}, {"mixed_precision": "bf16", "full_bf16": True}, {"mixed_precision": "fp16"},
        {"mixed_precision": "bf16", "fp8_base": True}, {"mixed_precision": "bf16", "fp8_base_unet": True},
        {"mixed_precision": "fp16", "full_fp16": True},
        {"quantize_base": "nf4", "gradient_checkpointing": True}, {"quantize_base": "int8", "mixed_precision": "bf16"},
        {"optimizer_type": "AdaFactor"}, {"optimizer_type": "CAME", "unet_lr": 1e-3},
        {"optimizer_type": "ProdigyPlusScheduleFree", "unet_lr": 1, "text_encoder_lr": 0.5},
        {"gradient_checkpointing": True}, {"optimizer_type": "Lion"},
        {"optimizer_type": "Prodigy", "unet_lr": 1, "text_encoder_lr": 1}, {"optimizer_type": "AdamW8bit"},
        {"cache_latents": False},
        {"cache_latents_to_disk": True, "flip_aug": True}, {"network_args": ["conv_dim=2"]}, {"max_token_length": 225},
        {"network_train_unet_only": True, "cache_text_encoder_outputs_to_disk": True, "shuffle_caption": False},
        {"network_train_text_encoder_only": True}, {"enable_bucket": False}, {"debiased_estimation_loss": True,
        "loss_type": "huber"},
        {"v_parameterization": True, "zero_terminal_snr": True}, {"text_encoder_lr": 0}, {"use_lion_optimizer": True},
    ],
    ids=lambda values: "-".join(values),
)  # fmt: skip
def test_every_mode_trains_to_finite_weights(place: Place, values: dict[str, object]) -> None:
    assert place.train(max_train_epochs=1, **values) == 0
    assert all(torch.isfinite(value).all() for value in place.weights().values())
    assert any(value.any() for key, value in place.weights().items() if key.endswith("lora_up.weight"))


def test_checkpointing_and_caching_do_not_change_the_numbers(place: Place) -> None:
    place.train("a", output_name="a", max_train_epochs=1, enable_bucket=True)
    place.train("b", output_name="b", max_train_epochs=1, gradient_checkpointing=True, cache_latents_to_disk=True)
    place.train("c", output_name="c", max_train_epochs=1, cache_latents_to_disk=True)
    for name in ("b", "c"):
        torch.testing.assert_close(place.weights(name), place.weights("a"), rtol=1e-4, atol=1e-6)


def test_an_existing_lora_is_never_overwritten(place: Place) -> None:
    place.train("one", max_train_epochs=1)
    first = (place.root / "output" / "t.safetensors").read_bytes()
    assert place.train("two", max_train_epochs=1, seed=8) == 0
    assert (place.root / "output" / "t.safetensors").read_bytes() == first
    assert (place.root / "output" / "t-2.safetensors").exists()
    assert any(
        "this run is saved as t-2" in event["message"] for event in place.events("two") if event["event"] == "warning"
    )


def test_old_epoch_files_of_the_run_are_removed_and_nothing_else(place: Place) -> None:
    (place.root / "output").mkdir()
    (place.root / "output" / "mine-000001.safetensors").write_bytes(b"mine")
    place.train(max_train_epochs=5, save_every_n_epochs=1, save_last_n_epochs=2)
    names = sorted(path.name for path in (place.root / "output").iterdir())
    assert names == ["mine-000001.safetensors", "t-000003.safetensors", "t-000004.safetensors", "t.safetensors"]


def test_training_goes_on_from_a_lora_with_its_ranks(place: Place) -> None:
    place.train("one", output_name="one", network_dim=3)
    torch.save(place.weights("one"), place.root / "output" / "old.pt")  # as older programs keep a LoRA
    for file in ("one.safetensors", "old.pt"):
        assert place.train(file, output_name="two", network_weights=f"output/{file}", dim_from_weights=True,
                           base_weights=[f"output/{file}"], base_weights_multiplier=["0"], unet_lr=1e-9,
                           text_encoder_lr=1e-9, max_train_epochs=1) == 0  # fmt: skip
    assert same(place.weights("two"), place.weights("two-2"))
    key = "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight"
    torch.testing.assert_close(place.weights("two")[key], place.weights("one")[key], rtol=1e-3, atol=1e-6)


def test_the_lora_gives_in_diffusers_what_it_gives_here(place: Place) -> None:
    pytest.importorskip("peft", reason="diffusers loads LoRA files through peft")
    from diffusers import StableDiffusionPipeline

    from trainer import families, networks
    from trainer.networks.base import NetworkOptions

    place.train(network_args=["conv_dim=2"], unet_lr=1e-1)
    (place.root / "plain.toml").write_text(
        'pretrained_model_name_or_path = "base.safetensors"\ntrain_data_dir = "t"\nresolution = 64', encoding="utf-8"
    )
    from trainer.config import read

    family = families.load(families.options_from(read(place.root / "plain.toml").config))
    latents, context = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 32)
    timesteps = torch.tensor([500])
    with torch.no_grad():
        plain = family.unet(latents, timesteps, context).sample
        unet_only = StableDiffusionPipeline.lora_state_dict(
            str(place.root / "output" / "t.safetensors"), unet_config=family.unet.config
        )
        theirs_unet = type(family.unet).from_config(family.unet.config)
        theirs_unet.load_state_dict(family.unet.state_dict())
        StableDiffusionPipeline.load_lora_into_unet(unet_only[0], network_alphas=unet_only[1], unet=theirs_unet)
        theirs = theirs_unet(latents, timesteps, context).sample
        options = NetworkOptions(rank=2, alpha=2, conv_rank=2)
        network = networks.attach(family.network_targets(conv=True), options, 0)
        network.load(place.weights(), "t.safetensors")
        ours = family.unet(latents, timesteps, context).sample
    assert (plain - ours).abs().max() > 1e-3
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pretrained_model_name_or_path": "none.safetensors"}, "none.safetensors"),
        ({"train_data_dir": "nowhere"}, "nowhere does not exist; check the path"),
        ({"train_data_dir": "train/1_cat"}, "is a picture folder itself; set train_data_dir to the folder above it"),
        ({"network_dim": -1}, "network_dim"),
        ({"optimizer_type": "Adamm"}, "did you mean"),
        (
            {"network_module": "lycoris.kohya", "network_args": ["algo=full"], "quantize_base": "int8"},
            "quantize_base does not go with algo=full",
        ),
        ({"resume": "nowhere"}, "nowhere does not exist; check the path"),
        ({"network_weights": "base.safetensors"}, "base.safetensors"),
        ({"network_module": "networks.oft", "network_dim": 3}, "channels cannot be split into 3 blocks"),
        (
            {"network_module": "lycoris.kohya", "network_args": ["algo=boft"], "network_dim": 3},
            "cannot be cut into BOFT blocks of dim 3",
        ),
        ({"output_dir": "run.toml"}, "run.toml is a file, not a folder"),
        ({"logging_dir": "run.toml/logs"}, "nothing can be written below"),
    ],
)
def test_wrong_input_ends_with_code_2_a_sentence_and_no_lora(
    place: Place, capsys: pytest.CaptureFixture[str], values: dict[str, object], words: str
) -> None:
    assert place.train(**values) == 2
    assert words in capsys.readouterr().err
    last = place.events()[-1]
    assert (
        last["event"] == "failed"
        and last["kind"] in ("config", "data", "weights")
        and words in last["message"]
        and last["advice"]
    )
    assert not any(event.get("name", "").startswith("caching") for event in place.events())
    assert not (place.root / "output").exists()


def test_overrides_may_stand_before_and_behind_the_job(place: Place) -> None:
    words = ["train", place.config(), "max_train_epochs=", "--job", "job", "max_train_steps=1", "output_name=x"]
    assert main(words) == 0
    assert place.events()[-1]["steps"] == 1 and (place.root / "output" / "x.safetensors").exists()


def test_a_refused_run_without_a_job_writes_nothing(place: Place) -> None:
    assert main(["train", place.config(network_dim=-1)]) == 2
    assert not (place.root / "jobs").exists()


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("folder", "foreign"),
    [("mine", "config.toml"), ("train", "1_cat"), ("logs", "events.jsonl"), ("half", "notes.txt")],
)
def test_a_folder_that_is_no_job_is_refused_as_one_and_nothing_in_it_changes(
    place: Place, capsys: pytest.CaptureFixture[str], folder: str, foreign: str
) -> None:
    config = place.config()
    (place.root / "mine").mkdir()
    (place.root / "mine" / "config.toml").write_text(f"# MY NOTES: keep!\n{Path(config).read_text('utf-8')}", "utf-8")
    (place.root / "logs").mkdir()
    (place.root / "logs" / "events.jsonl").write_text('{"event": "finished"}\n', "utf-8")
    (place.root / "half" / "state").mkdir(parents=True)
    (place.root / "half" / "notes.txt").write_text("notes", "utf-8")
    before = everything(place.root)
    assert main(["train", "mine/config.toml", "--job", folder, "max_train_steps=1"]) == 2
    assert f'{folder} is no job\'s folder but holds "{foreign}"; choose an empty or a new' in capsys.readouterr().err
    assert everything(place.root) == before and not (place.root / folder / "requests").exists()


def test_a_job_that_has_finished_is_not_trained_again(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    job = Job.create(place.root, "job", "")
    job.events_path.write_text('{"event": "finished"}\n', "utf-8")
    before = everything(job.path)
    assert place.train(job.path.name) == 2
    assert "this job has finished; leave --job out to train in a new one" in capsys.readouterr().err
    assert everything(job.path) == before


def test_a_caption_in_another_encoding_is_named(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.root / "train" / "1_cat" / "0.txt").write_bytes("白色头发".encode("gbk"))
    assert place.train(max_train_epochs=1) == 2
    assert "0.txt: byte 0 (line 1) is not UTF-8 but looks like GBK" in capsys.readouterr().err
    assert not (place.root / "output").exists()


def test_a_broken_picture_is_left_out_and_named(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    picture = place.root / "train" / "1_cat" / "1.png"
    picture.write_bytes(picture.read_bytes()[:200])
    assert place.train(max_train_epochs=1) == 0
    assert "1.png" in capsys.readouterr().err


def test_a_cut_base_model_is_refused_with_the_cure(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    data = (place.root / "base.safetensors").read_bytes()
    (place.root / "cut.safetensors").write_bytes(data[: len(data) // 2])
    assert place.train(pretrained_model_name_or_path="cut.safetensors") == 2
    assert "cut.safetensors" in capsys.readouterr().err


def test_a_loss_that_stays_nan_ends_the_run_with_its_own_kind(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import objective

    real = objective.loss
    monkeypatch.setattr(objective, "loss", lambda *args, **options: real(*args, **options) * float("nan"))
    assert place.train(max_train_epochs=50) == 1
    last = place.events()[-1]
    assert (last["event"], last["kind"]) == ("failed", "nan")
    assert "20 steps in a row" in last["message"]


def test_a_run_without_one_good_step_is_no_finished_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import objective

    real = objective.loss
    monkeypatch.setattr(objective, "loss", lambda *args, **options: real(*args, **options) * float("nan"))
    assert place.train(max_train_epochs=1) == 1
    last = place.events()[-1]
    assert (last["event"], last["kind"]) == ("failed", "nan")
    assert (
        "not a number in any of the 3 steps" in last["message"]
        and not (place.root / "output" / "t.safetensors").exists()
    )


def test_one_bad_step_is_left_out_and_the_run_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import objective

    real, calls = objective.loss, iter(range(1000))
    monkeypatch.setattr(
        objective, "loss", lambda *args, **options: real(*args, **options) * (float("nan") if next(calls) == 2 else 1)
    )
    assert place.train() == 0
    assert all(torch.isfinite(value).all() for value in place.weights().values())
    assert place.losses()[2] is None


def test_out_of_memory_is_told_with_remedies(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import objective

    def exhausted(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(objective, "loss", exhausted)
    assert place.train() == 1
    last = place.events()[-1]
    assert last["kind"] == "out_of_memory" and "gradient_checkpointing" in last["advice"]


def test_a_full_disk_at_a_save_is_told_and_the_old_files_stay(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import atomic

    place.train("one", max_train_epochs=1)
    before = (place.root / "output" / "t.safetensors").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    from trainer import train as loop

    real = loop.save_network

    def save_on_a_full_disk(*args: Any, **options: Any) -> int:
        monkeypatch.setattr(atomic.os, "fsync", full)
        return real(*args, **options)

    monkeypatch.setattr(loop, "save_network", save_on_a_full_disk)
    monkeypatch.setattr(loop, "SAVE_PATIENCE_SECONDS", 0)
    assert place.train("two", max_train_epochs=1) == 1
    assert place.events("two")[-1]["kind"] == "disk"
    assert (place.root / "output" / "t.safetensors").read_bytes() == before


def start_process(place: Place, **values: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "trainer", "train", place.config(**values), "--job", "job"]
    return subprocess.Popen(
        command, cwd=place.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for(condition: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        threading.Event().wait(0.02)


def test_a_trainer_that_is_killed_can_go_on_from_its_last_state(place: Place) -> None:
    process = start_process(place, max_train_epochs=500, save_every_n_steps=2, save_state=True)
    wait_for(lambda: sum(event["event"] == "checkpoint" and event["kind"] == "state" for event in place.events()) >= 2)
    process.kill()
    process.wait()
    assert Job(place.root / "job").state() == "crashed"
    from trainer.states import newest_state

    state, _ = newest_state(place.root / "job" / "state")
    assert state is not None
    done = json.loads((state / "progress.json").read_text(encoding="utf-8"))["step"]
    torn = state.parent / "t-step99999999-state"
    torn.mkdir()  # the newest, and not whole
    assert place.train("rest", max_train_epochs=None, max_train_steps=done + 2, resume=str(state.parent)) == 0
    told = [event["message"] for event in place.events("rest") if event["event"] == "warning"]
    assert f"{torn}: manifest.json is missing, it was not written to its end; an older state is taken" in told
    assert [event["step"] for event in place.events("rest") if event["event"] == "step"] == [done + 1, done + 2]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of Unix")
def test_sigterm_saves_the_state_and_ends_with_code_3(place: Place) -> None:
    process = start_process(place, max_train_epochs=500)
    wait_for(lambda: any(event["event"] == "step" for event in place.events()))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 3
    last = place.events()[-1]
    assert last["event"] == "stopped" and Path(place.root, last["state"], "manifest.json").exists()


def test_check_tells_steps_and_buckets_without_torch(place: Place) -> None:
    script = (
        "import sys; from trainer.__main__ import main; code = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script, "check", place.config(), "--json"], cwd=place.root,
    env=environment,
                          capture_output=True, check=True)  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["steps"], told["epochs"], told["images"], told["batches_per_epoch"]) == (6, 2, 5, 3)
    assert told["buckets"] == [{"width": 64, "height": 64, "count": 5}] or sum(b["count"] for b in told["buckets"]) == 5
