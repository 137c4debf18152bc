"""Every option of sd-scripts is a parameter, an option of the command, or refused by name with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.__main__ import main
from trainer.config import ConfigError, parameters, parse
from trainer.config.commandline import read_words
from trainer.config.imports import IDLE_WITHOUT
from trainer.config.refused import COMMAND_LINE, REFUSED
from trainer.networks.arguments import MODULES

GOLDEN = Path(__file__).parents[1] / "golden" / "sd_scripts_arguments.json"
NAMES = [entry["name"] for entry in json.loads(GOLDEN.read_text(encoding="utf-8"))["arguments"]]
NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512",
          "learning_rate": 1e-4}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_option_of_sd_scripts_stands_in_exactly_one_list(name: str) -> None:
    here = {parameter.name for parameter in parameters()}
    assert sum(name in names for names in (here, REFUSED, COMMAND_LINE)) == 1


def test_only_options_of_sd_scripts_are_refused_and_they_are_few() -> None:
    assert set(REFUSED) <= set(NAMES)
    assert len(REFUSED) <= 30


STOPPING = [name for name, refused in REFUSED.items() if refused.stops]


@pytest.mark.parametrize("name", sorted(set(REFUSED) - set(STOPPING)))
def test_an_option_without_which_nothing_is_lost_is_left_out_with_a_note(name: str) -> None:
    value = "something" if REFUSED[name].takes_value else True
    (note,) = parse({**NEEDED, name: value}).notes
    refused = REFUSED[name]
    assert note.message == f"{name} was left out: {refused.reason}. Use instead: {refused.instead}"


@pytest.mark.parametrize("name", STOPPING)
def test_a_refused_option_is_named_with_the_reason_and_what_to_use_instead(name: str) -> None:
    beside = {IDLE_WITHOUT[name]: "x"} if name in IDLE_WITHOUT else {}
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, name: "something", **beside})
    said = [problem.message for problem in caught.value.problems]
    assert f"{name} is not supported: {REFUSED[name].reason}. Use instead: {REFUSED[name].instead}" in said


@pytest.mark.parametrize(("name", "needed"), IDLE_WITHOUT.items())
def test_an_upload_without_a_place_to_upload_to_is_no_obstacle(name: str, needed: str) -> None:
    (note,) = parse({**NEEDED, name: True}).notes
    assert note.message == f"{name} = True has no effect without {needed}"


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_option_that_is_off_is_no_obstacle(name: str) -> None:
    assert parse({**NEEDED, name: False}).notes == parse({**NEEDED, name: ""}).notes == parse(NEEDED).notes


@pytest.mark.parametrize("name", sorted(set(REFUSED) - set(STOPPING)))
def test_a_word_behind_an_option_that_is_left_out_is_not_taken_for_a_file(name: str) -> None:
    words = ["something"] if REFUSED[name].takes_value else []
    given = read_words(["run.toml", f"--{name}", *words, "--seed", "1"], ())
    assert (given.file, given.options) == (Path("run.toml"), {name: True, "seed": "1"})


# What kohya_ss, sd-scripts' own output_config and launchers write for a parameter that is not used.
MEANS_OFF = [
    ("dynamo_backend", "no"), ("dynamo_backend", "NO"), ("mixed_precision", "none"), ("mixed_precision", False),
    ("token_warmup_min", 0), ("token_warmup_min", "0"), ("vae_batch_size", 0), ("gradient_accumulation_steps", "0"),
    ("lr_scheduler_num_cycles", 0), ("lr_scheduler_num_cycles", "0"), ("lr_scheduler_power", 0.0),
    ("save_precision", "none"), ("save_precision", "None"), ("log_with", "none"), ("resize_interpolation", "default"),
    ("max_token_length", "none"), ("max_token_length", 75), ("lr_scheduler_type", "None"), ("num_machines", 0),
    ("dataset_repeats", 0), ("huber_c", 0), ("huber_scale", 0.0), ("clip_skip", 0), ("seed", -1), ("seed", "-1"),
    ("max_train_epochs", 0), ("save_every_n_epochs", 0), ("sample_every_n_steps", -1), ("min_snr_gamma", "0.0"),
    ("noise_offset", "0.0"), ("scale_weight_norms", 0), ("network_dropout", "0"), ("network_dim", 0),
    ("ddp_timeout", 0), ("main_process_port", 0), ("initial_step", 0), ("save_n_epoch_ratio", 0), ("vae", ""),
    ("gpu_ids", "all"), ("lr_scheduler_timescale", 0), ("v_pred_like_loss", 0), ("max_timestep", 0),
    ("network_args", [""]), ("network_args", ""), ("sample_prompts", " "), ("xformers", "none"), ("sdpa", "false"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), MEANS_OFF)
def test_a_value_that_means_off_elsewhere_is_off_here(name: str, value: object) -> None:
    assert parse({**NEEDED, name: value}).config == parse(NEEDED).config


def test_zero_is_kept_where_it_is_meant() -> None:
    config = parse({**NEEDED, "token_warmup_min": 0, "token_warmup_step": 100}).config
    assert config.caption.token_warmup_min == 0
    assert parse({**NEEDED, "max_train_steps": 0, "max_train_epochs": 3}).config.run.max_train_epochs == 3
    with pytest.raises(ConfigError, match="max_train_steps is 0; it must be 1 or more"):
        parse({**NEEDED, "max_train_steps": 0})


def test_the_toml_that_kohya_ss_writes_for_its_own_trainer_is_taken() -> None:
    written = {
        **NEEDED, "bucket_reso_steps": 64, "clip_skip": 1, "dynamo_backend": "no", "epoch": 1, "enable_bucket": True,
        "huber_c": 0.1, "huber_scale": 1, "huber_schedule": "snr", "huggingface_repo_type": "model",
        "learning_rate": 1e-4, "loss_type": "l2", "lr_scheduler": "cosine", "lr_scheduler_args": [],
        "lr_scheduler_num_cycles": 1,
        "lr_scheduler_power": 1, "max_bucket_reso": 2048, "max_data_loader_n_workers": 0, "max_grad_norm": 1,
        "max_timestep": 1000, "max_token_length": 75, "max_train_steps": 1600, "min_bucket_reso": 256,
        "mixed_precision": "bf16", "network_alpha": 1, "network_args": [], "network_dim": 8,
        "network_module": "networks.lora", "noise_offset_type": "Original", "optimizer_args": [],
        "optimizer_type": "AdamW8bit", "output_name": "last", "prior_loss_weight": 1, "resolution": "512,512",
        "sample_sampler": "euler_a", "save_every_n_epochs": 1, "save_model_as": "safetensors", "save_precision": "bf16",
        "text_encoder_lr": [1e-4], "train_batch_size": 1, "unet_lr": 1e-4, "vae_batch_size": 0, "xformers": True,
        "wandb_run_name": "last", "log_tracker_name": "",
    }  # fmt: skip
    config = parse(written).config
    assert (config.precision.dynamo_backend, config.precision.torch_compile) == ("inductor", False)
    assert (config.network.network_dim, config.optimizer.text_encoder_lr) == (8, 1e-4)


def test_the_reference_shows_all_parameters_and_all_refused_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference"]) == 0
    told = capsys.readouterr().out
    for name in [*(parameter.name for parameter in parameters()), *COMMAND_LINE, *REFUSED]:
        assert f"| `{name}` |" in told
    for refused in REFUSED.values():
        assert refused.reason in told and refused.instead in told
    for methods in MODULES.values():
        for method in methods.values():
            assert method.help in told and all(f"| | `{name}` |" in told for name in method.arguments)
