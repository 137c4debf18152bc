"""Settings of other pages and of finished LoRAs, read back: each value where it belongs, everything else told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from trainer import metadata
from trainer.__main__ import main
from trainer.config import ConfigError, as_sd_scripts, loads, origin_of, parse, read, read_values
from trainer.config.programs import Origin
from trainer.config.programs.kohya_ss import BLOCK_ARGUMENTS, LORA_TYPES, NETWORK_FIELDS
from trainer.config.programs.trainings import DREAMBOOTH, FINE_TUNING, LECO, LORA, TEXTUAL_INVERSION
from trainer.metadata import FileFacts, RunFacts

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}
KOHYA_SS = {
    "LoRA_type": "LyCORIS/LoKr", "LyCORIS_preset": "attn-mlp", "adaptive_noise_scale": 0, "additional_parameters": "",
    "block_alphas": "", "bucket_no_upscale": True, "cache_latents": True, "caption_extension": ".txt",
    "clip_skip": "1", "conv_alpha": 8, "conv_dim": 16, "decompose_both": False, "dynamo_backend": "no",
    "enable_bucket": True, "epoch": 12, "factor": 8, "full_bf16": False, "keep_tokens": "0", "learning_rate": 1.0,
    "lora_network_weights": "", "lr_scheduler": "constant", "lr_warmup": 0, "max_resolution": "1024,1024",
    "max_timestep": 1000, "max_token_length": "75", "max_train_epochs": "", "max_train_steps": 0, "min_snr_gamma": 0,
    "mixed_precision": "bf16", "module_dropout": 0.1, "multires_noise_discount": 0.2, "multires_noise_iterations": 8,
    "network_alpha": 64, "network_dim": 64, "network_dropout": 0, "noise_offset": 0.05, "noise_offset_type": "Multires",
    "num_cpu_threads_per_process": 2, "optimizer": "Prodigy", "optimizer_args": "decouple=True", "rank_dropout": 0,
    "sdxl": True, "sdxl_cache_text_encoder_outputs": False, "sdxl_no_half_vae": True, "seed": "12345",
    "stop_text_encoder_training": 0, "text_encoder_lr": 1.0, "train_batch_size": 4, "unet_lr": 1.0, "unit": 1,
    "use_cp": True, "v2": False, "vae_batch_size": 0, "weighted_captions": False, "xformers": "sdpa",
    "extra_accelerate_launch_args": "--main_process_port 1",
}  # fmt: skip


def said(notes: Any) -> str:
    return "\n".join(note.message for note in notes)


def test_a_lycoris_run_of_kohya_ss_becomes_module_and_arguments() -> None:
    values, notes = as_sd_scripts(KOHYA_SS)
    assert values["network_module"] == "lycoris.kohya"
    assert values["network_args"] == [
        "algo=lokr", "preset=attn-mlp", "conv_dim=16", "conv_alpha=8", "module_dropout=0.1", "factor=8",
        "use_tucker=True",
    ]  # fmt: skip
    assert (values["no_half_vae"], values["sdpa"], values["xformers"]) == (True, True, False)
    assert "extra_accelerate_launch_args = --main_process_port 1 was left out" in said(notes)


def test_what_kohya_ss_does_not_use_for_a_lora_and_what_belongs_nowhere_is_listed() -> None:
    asked = {"no_token_padding": True, "stop_text_encoder_training_pct": 20, "conv_dims": "4,8", "main_process_port": 0}
    values, notes = as_sd_scripts({**KOHYA_SS, **asked, "additional_parameters": "stray --debiased_estimation_loss"})
    assert not asked.keys() & values.keys() and values["debiased_estimation_loss"] is True
    for words in ("no_token_padding was left out: kohya_ss does not use it", "stop_text_encoder_training_pct = 20",
                  "conv_dims = 4,8 was left out", "additional_parameters: stray was left out"):  # fmt: skip
        assert words in said(notes)
    assert as_sd_scripts({**KOHYA_SS, "main_process_port": 29501})[0]["main_process_port"] == 29501
    parsed = parse({**as_sd_scripts({**KOHYA_SS, "LoRA_type": ""})[0], "pretrained_model_name_or_path": "b",
                    "train_data_dir": "t"})  # fmt: skip
    assert "conv_dim=16" in parsed.config.network.network_args and "use_cp = True was left out" in said(parsed.notes)


def test_kohya_ss_uses_only_the_chosen_kind_of_noise() -> None:
    values, _ = as_sd_scripts(KOHYA_SS)
    assert "noise_offset" not in values and values["multires_noise_iterations"] == 8
    values, _ = as_sd_scripts({**KOHYA_SS, "noise_offset_type": "Original"})
    assert values["noise_offset"] == 0.05 and "multires_noise_iterations" not in values


@pytest.mark.parametrize(
    ("kind", "module", "arguments"),
    [
        ("Standard", "networks.lora", ["module_dropout=0.1"]),
        ("Kohya LoCon", "networks.lora", ["conv_dim=16", "conv_alpha=8", "module_dropout=0.1"]),
        ("LoRA-FA", "networks.lora_fa", ["module_dropout=0.1"]),
        ("Kohya DyLoRA", "networks.dylora", ["conv_dim=16", "conv_alpha=8", "unit=1"]),
        ("LyCORIS/iA3", "lycoris.kohya", ["algo=ia3", "preset=attn-mlp"]),
        (
            "LyCORIS/LoHa",
            "lycoris.kohya",
            ["algo=loha", "preset=attn-mlp", "conv_dim=16", "conv_alpha=8", "module_dropout=0.1", "use_tucker=True"],
        ),
        (
            "LyCORIS/DyLoRA",
            "lycoris.kohya",
            ["algo=dylora", "preset=attn-mlp", "conv_dim=16", "conv_alpha=8", "module_dropout=0.1", "block_size=1"],
        ),
    ],
)
def test_every_kind_of_lora_of_kohya_ss_has_its_module(kind: str, module: str, arguments: list[str]) -> None:
    values, _ = as_sd_scripts({**KOHYA_SS, "LoRA_type": kind})
    assert values["network_module"] == module
    assert values["network_args"] == arguments


@pytest.mark.parametrize("kind", LORA_TYPES)
def test_what_comes_of_every_kind_of_lora_is_a_network_of_this_program(kind: str) -> None:
    every = {name: "1" for name in NETWORK_FIELDS} | {"use_cp": True, "LyCORIS_preset": "full"}
    blocks = {name: "" for name in BLOCK_ARGUMENTS}
    values, _ = as_sd_scripts(
        {"LoRA_type": kind, **every, **blocks, "rank_dropout": 0.1, "module_dropout": 0.1, "conv_dim": 16}
    )
    config = parse({**NEEDED, **values, "network_dim": 16}).config
    assert config.network.network_module == LORA_TYPES[kind][0]


def test_a_field_that_its_network_does_not_use_is_told() -> None:
    _, notes = as_sd_scripts({**KOHYA_SS, "LoRA_type": "Kohya DyLoRA"})
    assert "module_dropout = 0.1 was left out: Kohya DyLoRA does not use it" in said(notes)


def test_steps_win_over_epochs_in_a_file_of_kohya_ss() -> None:
    values, notes = as_sd_scripts({**KOHYA_SS, "max_train_steps": 900})
    assert values["max_train_steps"] == 900 and "epoch" not in values
    assert "epoch was left out: max_train_steps is set" in said(notes)


RUN_OF_KOHYA_SS = """
caption_extension = ".txt"
dynamo_backend = "no"
enable_bucket = true
epoch = 4
learning_rate = 0.0001
lr_scheduler_args = ["\\"num_cycles=0.5\\""]
lr_scheduler = "cosine"
max_train_steps = 1000
network_dim = 8
network_module = "networks.lora"
noise_offset_type = "Original"
optimizer_args = ["\\"weight_decay=0.1\\"", "betas=0.9,0.99"]
optimizer_type = "AdamW8bit"
output_name = "x"
persistent_data_loader_workers = 1
stop_text_encoder_training = 100
text_encoder_lr = [1e-5, 1e-5]
unet_lr = 0.0001
wandb_run_name = "x"
"""


def test_the_toml_of_a_run_of_kohya_ss_means_what_its_json_means() -> None:
    values, notes = as_sd_scripts(loads(RUN_OF_KOHYA_SS))
    config = parse({**NEEDED, **values}).config
    assert (config.run.max_train_steps, config.run.max_train_epochs) == (1000, None)  # not 4 epochs
    assert config.optimizer.optimizer_args == ("weight_decay=0.1", "betas=0.9,0.99")
    assert config.schedule.lr_scheduler_args == ("num_cycles=0.5",)
    assert (config.precision.torch_compile, config.dataset.max_bucket_reso) == (False, 1024)  # as sd-scripts
    assert config.log.wandb_run_name is None
    assert "epoch was left out: max_train_steps is set" in said(notes)
    assert "stop_text_encoder_training = 100 was left out" in said(notes)


def test_what_a_json_of_kohya_ss_lacks_is_as_its_page_has_it() -> None:
    file = {"LoRA_type": "Standard", "epoch": 3, "unet_lr": 2e-4, "text_encoder_lr": 0, "train_data_dir": "t",
            "pretrained_model_name_or_path": "b"}  # fmt: skip
    values, notes = as_sd_scripts(file)
    config = parse(values).config
    assert (config.dataset.max_bucket_reso, config.dataset.resolution) == (2048, (512, 512))
    assert (config.network.network_dim, config.schedule.lr_scheduler, config.schedule.lr_warmup_steps) == (
        8, "cosine", 0.1,
    )  # fmt: skip
    assert (config.optimizer.unet_lr, config.run.max_train_epochs) == (2e-4, 3)
    assert "as the page of kohya_ss has them: max_resolution" in said(notes)
    again, changed = as_sd_scripts(values)
    assert (again, changed) == (values, [])  # done twice, it is the same


def test_zeros_of_kohya_ss_are_left_out_as_its_page_does() -> None:
    zeros = {"prior_loss_weight": 0, "max_grad_norm": 0.0, "network_alpha": "0", "huber_c": 0, "keep_tokens": "0",
             "multires_noise_discount": 0, "min_timestep": 0}  # fmt: skip
    values, notes = as_sd_scripts({**KOHYA_SS, **zeros, "max_data_loader_n_workers": 0})
    assert not zeros.keys() & values.keys()
    assert values["max_data_loader_n_workers"] == 0  # the one that it writes in any case
    assert "max_grad_norm = 0 was left out, as the page of kohya_ss leaves it out" in said(notes)


def test_backslashes_in_the_free_arguments_of_kohya_ss_stay() -> None:
    text = '--vae=D:\\m\\v.safetensors --resume "E:\\my state" --network_args "conv_dim=4" conv_alpha=2'
    values, _ = as_sd_scripts({**KOHYA_SS, "LoRA_type": "Standard", "module_dropout": 0, "additional_parameters": text})
    assert (values["vae"], values["resume"]) == ("D:\\m\\v.safetensors", "E:\\my state")
    assert values["network_args"] == ["conv_dim=4", "conv_alpha=2"]


def test_empty_fields_of_kohya_ss_mean_what_its_page_makes_of_them() -> None:
    given = {"unet_lr": "1e-4", "text_encoder_lr": "", "lr_scheduler": "cosine_with_restarts", "epoch": "3",
             "lr_scheduler_num_cycles": ""}  # fmt: skip
    values, notes = as_sd_scripts({"LoRA_type": "Standard", **given})
    assert (values["network_train_unet_only"], values["lr_scheduler_num_cycles"]) == (True, "3")
    assert "lr_scheduler_num_cycles is empty" in said(notes)
    values, notes = as_sd_scripts({"LoRA_type": "Standard", **given, "dataset_config": "d.toml", "max_train_steps": 0})
    assert "epoch" not in values and "trains 1600 steps" in said(notes)


def test_convolutions_that_a_page_switches_off_with_0_stay_off() -> None:
    given = {"conv_dim": 0, "conv_alpha": 0}
    values, _ = as_sd_scripts({**KOHYA_SS, "LoRA_type": "LyCORIS/LoHa", "LyCORIS_preset": "full", **given})
    assert values["network_args"][:4] == ["algo=loha", "preset=full", "conv_dim=0", "conv_alpha=0"]
    values, _ = as_sd_scripts({**LORA_SCRIPTS, **given})
    assert values["network_args"][:3] == ["algo=lokr", "conv_dim=0", "conv_alpha=0"]
    values, _ = as_sd_scripts({**KOHYA_SS, "LoRA_type": "Kohya LoCon", **given, "module_dropout": 0})
    assert "network_args" not in values


def test_switches_of_sdxl_say_nothing_about_another_model() -> None:
    left = {"sdxl": False, "sdxl_cache_text_encoder_outputs": True, "fp8_base_unet": True}
    values, _ = as_sd_scripts({**KOHYA_SS, **left})
    assert not {"cache_text_encoder_outputs", "no_half_vae", "fp8_base_unet"} & values.keys()


def test_block_rates_of_kohya_ss_are_network_arguments() -> None:
    blocks = {"down_lr_weight": "0,1,1", "mid_lr_weight": "1", "up_lr_weight": "", "block_lr_zero_threshold": "0.1"}
    values, _ = as_sd_scripts({"LoRA_type": "Standard", **blocks})
    assert values["network_args"] == ["down_lr_weight=0,1,1", "mid_lr_weight=1", "block_lr_zero_threshold=0.1"]


LORA_SCRIPTS: dict[str, Any] = {
    "model_train_type": "sdxl-lora", "network_module": "lycoris.kohya", "lycoris_algo": "lokr", "conv_dim": 16,
    "conv_alpha": 8, "dropout": 0, "lokr_factor": 8, "train_norm": True, "optimizer_type": "Prodigy",
    "prodigy_d_coef": "2.0", "prodigy_d0": "", "lr_warmup_steps": 100, "optimizer_args_custom": ["eps=1e-8"],
    "network_args_custom": ["rs_lora=True"], "enable_base_weight": False, "base_weights": "a.safetensors",
    "enable_preview": True, "positive_prompts": "1girl,\nsolo", "negative_prompts": "lowres", "sample_width": 1024,
    "sample_height": 1024, "sample_cfg": 7, "sample_seed": 2333, "sample_steps": 24, "sample_sampler": "euler_a",
    "sample_every_n_epochs": 2, "enable_block_weights": False, "down_lr_weight": "1,1", "v2": False,
}  # fmt: skip


def test_form_fields_of_lora_scripts_become_arguments_as_its_page_makes_them() -> None:
    values, notes = as_sd_scripts(LORA_SCRIPTS)
    assert values["network_args"] == [
        "algo=lokr", "conv_dim=16", "conv_alpha=8", "factor=8", "train_norm=True", "rs_lora=True",
    ]  # fmt: skip
    assert values["optimizer_args"] == [
        "decouple=True", "weight_decay=0.01", "use_bias_correction=True", "d_coef=2.0", "safeguard_warmup=True",
        "eps=1e-8",
    ]  # fmt: skip
    assert values["sample_prompts"] == "1girl, solo --n lowres --w 1024 --h 1024 --l 7 --s 24 --d 2333"
    assert "base_weights" not in values and "down_lr_weight" not in values
    assert notes == []


def test_previews_that_are_switched_off_in_lora_scripts_stay_off() -> None:
    values, _ = as_sd_scripts({**LORA_SCRIPTS, "enable_preview": False})
    assert not {name for name in values if name.startswith("sample_") or name.endswith("_prompts")}


def test_base_weights_of_lora_scripts_are_one_a_line() -> None:
    chosen = {
        "enable_base_weight": True,
        "base_weights": "a.safetensors\nb.safetensors\n",
        "base_weights_multiplier": "1",
    }
    values, _ = as_sd_scripts({**LORA_SCRIPTS, **chosen})
    assert (values["base_weights"], values["base_weights_multiplier"]) == (["a.safetensors", "b.safetensors"], ["1"])


def test_the_chosen_cards_of_lora_scripts_are_their_numbers() -> None:
    cards = ["GPU 0: NVIDIA GeForce RTX 4090 (24 GB)", "1"]
    values, _ = as_sd_scripts({**LORA_SCRIPTS, "gpu_ids": cards})
    assert values["gpu_ids"] == "0,1"


def test_fields_of_a_network_that_is_not_chosen_say_nothing() -> None:
    values, _ = as_sd_scripts({**LORA_SCRIPTS, "network_module": "networks.lora", "network_args_custom": []})
    assert "network_args" not in values


def test_the_free_toml_of_lora_scripts_replaces_its_fields() -> None:
    values, _ = as_sd_scripts({**LORA_SCRIPTS, "network_dim": 8, "ui_custom_params": "network_dim = 16\nseed = 3"})
    assert (values["network_dim"], values["seed"]) == (16, 3)
    _, notes = as_sd_scripts({**LORA_SCRIPTS, "ui_custom_params": "network_dim = "})
    assert "ui_custom_params was left out: it is not valid TOML" in said(notes)


def test_dadaptation_of_lora_scripts_sets_the_rates_to_one() -> None:
    values, notes = as_sd_scripts({**LORA_SCRIPTS, "optimizer_type": "DAdaptation", "unet_lr": "1e-4"})
    assert (values["unet_lr"], values["optimizer_args"][:2]) == (1, ["decouple=True", "weight_decay=0.01"])
    assert "all learning rates were set to 1" in said(notes)


@pytest.mark.parametrize(
    ("values", "program", "training", "family"),
    [
        ({"LoRA_type": "Standard"}, "kohya_ss", LORA, ""), ({"LoRA_type": "Flux1"}, "kohya_ss", LORA, "Flux"),
        ({"LoRA_type": "Standard", "flux1_checkbox": True}, "kohya_ss", LORA, "Flux"),
        ({"LoRA_type": "Standard", "t5xxl": "left/over.safetensors"}, "kohya_ss", LORA, ""),
        ({"LoRA_type": "HunyuanImage-2.1"}, "kohya_ss", LORA, "HunyuanImage"),
        ({"max_resolution": "512,512", "learning_rate_te": 1e-5, "epoch": 1}, "kohya_ss", DREAMBOOTH, ""),
        ({"max_resolution": "512,512", "stop_text_encoder_training": 0}, "kohya_ss", DREAMBOOTH, ""),
        ({"max_resolution": "512,512", "train_text_encoder": False}, "kohya_ss", FINE_TUNING, ""),
        ({"max_resolution": "512,512", "token_string": "zxc"}, "kohya_ss", TEXTUAL_INVERSION, ""),
        ({"LoRA_type": "Standard", "train_text_encoder": True}, "kohya_ss", LORA, ""),
        ({"LyCORIS_preset": "", "network_dim": 4, "leco_denoise_guidance_scale": 1.0}, "kohya_ss", LECO, ""),
        ({"model_train_type": "flux-lora"}, "lora-scripts", LORA, "Flux"),
        ({"model_train_type": "sdxl-finetune"}, "lora-scripts", FINE_TUNING, ""),
        ({"model_train_type": "sd-dreambooth"}, "lora-scripts", DREAMBOOTH, ""),
        ({"model_train_type": "lora-master"}, "lora-scripts", LORA, ""),
        ({"network_module": "networks.lora_flux"}, "", LORA, "Flux"),
        ({"network_module": "networks.lora_sd3"}, "", LORA, "SD 3"),
        ({"network_module": "networks.lora_zimage"}, "", LORA, "Z-Image"),
        ({"network_module": "networks.lora_fa"}, "", LORA, ""), ({"network_module": "lycoris.kohya"}, "", LORA, ""),
        ({"network_dim": 8, "ae": "ae.sft"}, "", LORA, "Flux"), ({"network_dim": 8, "clip_g": ""}, "", LORA, ""),
        ({"token_string": "zxc", "init_word": "*"}, "", TEXTUAL_INVERSION, ""), ({"network_dim": 8}, "", LORA, ""),
        ({"train_text_encoder": True, "learning_rate": 1e-6}, "", FINE_TUNING, ""), ({}, "", LORA, ""),
    ],
)  # fmt: skip
def test_a_file_says_what_it_is(values: dict[str, Any], program: str, training: str, family: str) -> None:
    assert origin_of(values) == Origin(program, training, family)


def test_of_a_file_for_another_training_rates_are_left_out_and_pictures_taken() -> None:
    file = {
        "max_resolution": "768,768", "learning_rate": 1e-6, "learning_rate_te": 5e-7, "train_data_dir": "img",
        "lr_warmup": 0, "optimizer": "AdamW", "train_batch_size": 3, "pretrained_model_name_or_path": "base",
    }  # fmt: skip
    values, notes = as_sd_scripts(file)
    assert not {"learning_rate", "learning_rate_te", "network_dim"} & values.keys()
    assert (values["resolution"], values["train_data_dir"], values["train_batch_size"]) == ("768,768", "img", 3)
    assert "Left out, since the file is for DreamBooth: learning_rate, learning_rate_te" in said(notes)
    (problem,) = origin_of(file).problems()
    assert problem.message.startswith("The file is for DreamBooth; here LoRAs are trained, which need other rates")


def test_of_a_file_for_another_family_the_model_and_the_module_are_left_out() -> None:
    file = {"network_module": "networks.lora_flux", "network_dim": 8, "pretrained_model_name_or_path": "flux1-dev",
            "unet_lr": 1e-4, "ae": "ae.sft", "guidance_scale": 1.0, "train_data_dir": "img"}  # fmt: skip
    values, notes = as_sd_scripts(file)
    assert values == {"network_dim": 8, "train_data_dir": "img"}
    assert "Left out, since the file is for Flux: unet_lr, pretrained_model_name_or_path, network_module" in said(notes)


def test_the_pictures_of_a_fine_tuning_file_are_a_listed_folder() -> None:
    values, _ = as_sd_scripts({"max_resolution": "512,512", "image_folder": "img", "dataset_repeats": "50",
                               "train_text_encoder": True, "batch_size": "8", "train_batch_size": 4})  # fmt: skip
    assert values["subsets"] == [{"image_dir": "img"}] and values["dataset_repeats"] == "50"
    assert values["train_batch_size"] == 4 and "batch_size" not in values


def test_a_file_for_something_else_trains_nothing_and_still_tells_its_notes(tmp_path: Path) -> None:
    file = tmp_path / "db.json"
    file.write_text(json.dumps({**NEEDED, "max_resolution": "512,512", "learning_rate_te": 1e-6, "lr_warmup": 5}))
    with pytest.raises(ConfigError, match="The file is for DreamBooth") as caught:
        read(file)
    notes = said(caught.value.notes)
    assert "This is a file of kohya_ss" in notes and "lr_warmup 5 was read as 5 % of the steps" in notes


def test_what_is_refused_comes_together_and_the_notes_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.toml"
    text = 'network_dim = -1\ndeepspeed = true\nfull_fp16 = true\nmixed_precision = "no"\nsomething_new = 3\n'
    file.write_text(text + "".join(f'{name} = "{value}"\n' for name, value in NEEDED.items()))
    assert main(["check", str(file)]) == 2
    printed = capsys.readouterr().err
    for words in ("deepspeed is not supported", "network_dim is -1", "full_fp16 needs mixed_precision fp16",
                  "note: something_new = 3 was left out"):  # fmt: skip
        assert words in printed


def test_a_rule_is_silent_where_a_wrong_value_beside_it_may_be_the_reason() -> None:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, "network_weights": 'a"b', "network_dim": -1, "dim_from_weights": True})
    assert [problem.address for problem in caught.value.problems if problem.address == "network.dim_from_weights"] == []


def test_a_preset_file_of_lora_scripts_is_read(tmp_path: Path) -> None:
    file = tmp_path / "preset.toml"
    file.write_text('[metadata]\nname = "x"\n[data]\nnetwork_dim = 24\nlycoris_algo = "lokr"\n', encoding="utf-8")
    assert read(file, [f"{name}={value}" for name, value in NEEDED.items()]).config.network.network_dim == 24


def test_a_json_of_kohya_ss_trains_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "cat.json"
    file.write_text(json.dumps({**KOHYA_SS, **NEEDED, "LoRA_type": "Standard"}), encoding="utf-8")
    config = read(file).config
    assert (config.run.max_train_epochs, config.optimizer.optimizer_type, config.run.seed) == (12, "Prodigy", 12345)


# A finished LoRA.

TRAINED = parse({
    **NEEDED, "resolution": "512,768", "network_dim": 24, "network_alpha": 12, "network_dropout": 0.1,
    "network_args": ["conv_dim=4"], "unet_lr": 1e-4, "text_encoder_lr": 1e-5, "optimizer_type": "AdamW",
    "optimizer_args": ["weight_decay=0.1", "betas=0.9,0.99"], "lr_scheduler": "cosine", "lr_warmup_steps": 50,
    "max_train_epochs": 10, "seed": 7, "clip_skip": 2, "max_token_length": 225, "shuffle_caption": True,
    "keep_tokens": 1, "train_batch_size": 2, "enable_bucket": True, "min_snr_gamma": 5, "noise_offset": 0.05,
    "caption_tag_dropout_rate": 0.1, "mixed_precision": "bf16", "min_timestep": 100, "metadata_author": "me",
    "output_name": "anby", "caption_extension": ".txt",
}).config  # fmt: skip
FACTS = RunFacts(
    session_id=7, started_at=1000.5, base=FileFacts("anything.safetensors", "1234abcd", "f" * 64), family="sd1",
    prediction="epsilon", optimizer="torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))",
    num_train_images=150, num_reg_images=0, num_validation_images=0, batches_per_epoch=75, num_epochs=10,
    max_train_steps=750, seed=7, output_name="anby", dataset_dirs={"10_anby": {"n_repeats": 10, "img_count": 15}},
)  # fmt: skip
MODULES = ("lora_te_text_model_encoder_layers_0_mlp_fc1", "lora_unet_mid_block_attentions_0_proj_in")


def saved(path: Path, told: dict[str, str] | None, modules: tuple[str, ...] = MODULES) -> Path:
    save_file({f"{name}.lora_down.weight": torch.zeros(4, 8) for name in modules}, str(path), metadata=told)
    return path


def test_the_settings_of_our_own_lora_come_back_whole(tmp_path: Path) -> None:
    file = saved(tmp_path / "anby.safetensors", metadata.build(TRAINED, FACTS, epoch=10, step=750))
    parsed = read(file, [f"{name}={NEEDED[name]}" for name in ("pretrained_model_name_or_path", "train_data_dir")])
    assert parsed.config == TRAINED
    told = said(parsed.notes)
    assert "It was trained on anything.safetensors (sd_v1)" in told
    assert "10_anby (15 x 10)" in told
    assert "Not recorded in a LoRA and therefore as usual: lr_scheduler_num_cycles" in told


def test_a_lora_without_text_encoder_modules_was_trained_on_the_unet_only(tmp_path: Path) -> None:
    told = {"ss_network_module": "networks.lora"}
    file = saved(tmp_path / "a.safetensors", told, ("lora_unet_mid_block_attentions_0_proj_in",))
    assert as_sd_scripts(read_values(file))[0]["network_train_unet_only"] is True


def test_a_run_cut_short_by_its_steps_keeps_its_steps() -> None:
    told = {"ss_learning_rate": "1e-4", "ss_max_train_steps": "700", "ss_num_epochs": "10",
            "ss_num_batches_per_epoch": "75", "ss_gradient_accumulation_steps": "1"}  # fmt: skip
    values, _ = as_sd_scripts(told)
    assert values["max_train_steps"] == 700 and "max_train_epochs" not in values


def test_a_run_with_a_dataset_config_tells_of_its_folders() -> None:
    subset = {"img_count": 40, "num_repeats": 5, "flip_aug": True, "keep_tokens": 2, "image_dir": "x", "is_reg": False}
    dataset = {"batch_size_per_device": 3, "resolution": [640, 640], "enable_bucket": True, "min_bucket_reso": 320,
               "subsets": [subset, {**subset, "keep_tokens": 0}]}  # fmt: skip
    values, notes = as_sd_scripts({"ss_learning_rate": "5e-4", "ss_datasets": json.dumps([dataset])})
    assert (values["resolution"], values["train_batch_size"], values["min_bucket_reso"]) == ("640,640", 3, 320)
    assert (values["flip_aug"], values["keep_tokens"], values["learning_rate"]) == (True, 2, 5e-4)
    assert "Its folders had options of their own" in said(notes)


@pytest.mark.parametrize(
    ("recorded", "name", "arguments"),
    [
        ("bitsandbytes.optim.adamw.AdamW8bit", "AdamW8bit", []),
        ("prodigyopt.prodigy.Prodigy(decouple=True,d_coef=2.0,betas=(0.9, 0.99))", "Prodigy",
         ["decouple=True", "d_coef=2.0", "betas=0.9,0.99"]),
        ("torch.optim.sgd.SGD(momentum=0.9)", "SGDNesterov", []),
        ("torch.optim.adamw.AdamW(betas=[0.9, 0.99],eps=1e-7)", "AdamW", ["betas=0.9,0.99", "eps=1e-7"]),
        ("transformers.optimization.Adafactor(relative_step=True)", "AdaFactor", []),
    ],
)  # fmt: skip
def test_the_optimizer_is_read_out_of_its_recorded_class(recorded: str, name: str, arguments: list[str]) -> None:
    values, _ = as_sd_scripts({"ss_learning_rate": "1", "ss_optimizer": recorded})
    assert (values["optimizer_type"], values["optimizer_args"]) == (name, arguments)


def test_lists_and_names_of_a_lora_come_back_as_they_were_written() -> None:
    told = {
        "ss_learning_rate": "1e-4", "ss_face_crop_aug_range": "(1.0, 3.0)", "ss_text_encoder_lr": "[1e-05, 2e-05]",
        "ss_output_name": "1e3", "ss_training_comment": "2024", "ss_seed": "7",
    }  # fmt: skip
    config = parse({**NEEDED, **as_sd_scripts(told)[0]}).config
    assert config.dataset.face_crop_aug_range == (1.0, 3.0)
    assert config.optimizer.text_encoder_lr == (1e-5, 2e-5)
    assert (config.save.output_name, config.save.training_comment, config.run.seed) == ("1e3", "2024", 7)
    assert parse({**NEEDED, "text_encoder_lr": "[1e-05]"}).config.optimizer.text_encoder_lr == 1e-5


def test_what_a_lora_tells_that_is_no_setting_here_is_listed() -> None:
    told = {
        "ss_learning_rate": "1",
        "ss_guidance_scale": "3.5",
        "ss_optimizer": "my.own.Thing",
        "ss_network_dim": "Dynamic",
    }
    _, notes = as_sd_scripts(told)
    assert "Left out, since they are no settings of this program: ss_guidance_scale" in said(notes)
    assert "the optimizer my.own.Thing was left out" in said(notes)
    assert "network_dim is Dynamic: this LoRA was resized or merged" in said(notes)


def test_a_velocity_lora_switches_v_parameterization_on() -> None:
    values, _ = as_sd_scripts({"ss_base_model_version": "sd_v2_v", "ss_v2": "True"})
    assert values["v_parameterization"] is True


@pytest.mark.parametrize("told", [None, {"format": "pt"}])
def test_a_lora_that_tells_nothing_is_refused(tmp_path: Path, told: dict[str, str] | None) -> None:
    with pytest.raises(ConfigError, match="holds no training settings"):
        read(saved(tmp_path / "a.safetensors", told))


@pytest.mark.parametrize("data", [b"", b"\xff" * 20, b"\x04\0\0\0\0\0\0\0[1]]"])
def test_a_damaged_lora_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(ConfigError, match=r"a\.safetensors cannot be read: it is not a safetensors file"):
        read(tmp_path / "a.safetensors")


def test_recipe_writes_a_file_to_train_again_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "anby.safetensors", metadata.build(TRAINED, FACTS, epoch=10, step=750))
    target = tmp_path / "again.toml"
    assert main(["recipe", str(file), "-o", str(target)]) == 0
    assert "note: It was trained on anything.safetensors" in capsys.readouterr().err
    own = [f"{name}={NEEDED[name]}" for name in ("pretrained_model_name_or_path", "train_data_dir")]
    assert read(target, own).config == TRAINED
    assert main(["recipe", str(file), "-o", str(target)]) == 2


def test_the_old_locon_module_is_read_as_lora_with_convolutions() -> None:
    given = {"network_module": "locon.locon_kohya", "network_args": ["conv_dim=8"]}
    parsed = parse(
        {"pretrained_model_name_or_path": "b.safetensors", "train_data_dir": "t", "resolution": 512, **given}
    )
    assert parsed.config.network.network_module == "networks.lora"
    assert parsed.config.network.network_args == ("conv_dim=8", "conv_alpha=1")
    given = {"network_module": "locon.locon_kohya", "network_dim": 16, "network_alpha": 8}
    whole = parse({"pretrained_model_name_or_path": "b.safetensors", "train_data_dir": "t", "resolution": 512, **given})
    assert whole.config.network.network_args == ("conv_dim=16", "conv_alpha=8")
    assert any(note.message.startswith("conv_dim=16, conv_alpha=8 was added") for note in whole.notes)
    assert "network_module locon.locon_kohya was read as networks.lora" in [note.message for note in parsed.notes]
