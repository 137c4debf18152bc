"""The checks of sd-scripts in their order (KOHYA_COMPAT 1.2), each as an error or a note with the cure."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from trainer.config import ConfigError, parse

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}
CACHED = {"cache_text_encoder_outputs": True, "network_train_unet_only": True}

NOTED: list[tuple[str, dict[str, Any], str]] = [
    ("1", {"highvram": True}, "highvram was left out"),
    ("2", {"v2": True, "clip_skip": 2}, "clip_skip"),
    ("3", {"cache_latents_to_disk": True}, "cache_latents was switched on because cache_latents_to_disk is"),
    ("7", {"zero_terminal_snr": True}, "zero_terminal_snr is meant for v-prediction models"),
    ("8", {"sample_every_n_steps": 0}, "sample_every_n_steps = 0 was read as off"),
    ("8", {"sample_every_n_epochs": -1}, "sample_every_n_epochs = -1 was read as off"),
    ("Q-06", {"keep_tokens_separator": "|||"}, "||| is taken out of captions here; sd-scripts leaves it in"),
    ("9", {"caption_extention": ".tag"}, "caption_extention .tag was read as caption_extension"),
    ("12", {"in_json": "meta.json", "color_aug": True}, "color_aug"),
    ("14", {"cache_text_encoder_outputs_to_disk": True, "network_train_unet_only": True},
     "cache_text_encoder_outputs was switched on"),
    ("18", {"lr_warmup_steps": 100}, "warm"),
]  # fmt: skip
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("4", {"adaptive_noise_scale": 0.1}, "adaptive_noise_scale needs noise_offset"),
    ("5", {"scale_v_pred_loss_like_noise_pred": True}, "needs v_parameterization"),
    ("6", {"v_pred_like_loss": 0.5, "v_parameterization": True}, "v_pred_like_loss is for ordinary models only"),
    ("10", {"resolution": "512,512,512"}, "one side such as 512 or width,height"),
    ("11", {"face_crop_aug_range": "4.0,2.0"}, "face_crop_aug_range"),
    ("11", {"face_crop_aug_range": "2.0"}, "face_crop_aug_range"),
    ("13", {"cache_latents": True, "color_aug": True}, "color_aug"),
    ("13", {"cache_latents": True, "random_crop": True}, "random_crop"),
    ("13", {"cache_latents": True, "subsets": [{"image_dir": "x", "color_aug": True}]}, "color_aug"),
    ("13", {"enable_bucket": True, "bucket_reso_steps": 40}, "bucket_reso_steps is 40"),
    ("13", {"enable_bucket": True, "bucket_reso_steps": 512}, "min_bucket_reso 256 is less than one step"),
    ("14", {"cache_text_encoder_outputs": True}, "needs network_train_unet_only"),
    ("14", {**CACHED, "shuffle_caption": True}, "does not go with shuffle_caption"),
    ("14", {**CACHED, "caption_dropout_rate": 0.1}, "does not go with caption_dropout_rate"),
    ("14", {**CACHED, "caption_tag_dropout_rate": 0.1}, "does not go with caption_tag_dropout_rate"),
    ("14", {**CACHED, "token_warmup_step": 5}, "does not go with token_warmup_step"),
    ("14", {**CACHED, "subsets": [{"image_dir": "x", "shuffle_caption": True}]}, "shuffle_caption of x"),
    ("15", {"full_fp16": True}, "full_fp16 needs mixed_precision fp16"),
    ("15", {"full_bf16": True, "mixed_precision": "fp16"}, "full_bf16 needs mixed_precision bf16"),
    ("15", {"fp8_base": True}, "fp8_base needs mixed_precision"),
    ("15", {"fp8_base_unet": True}, "fp8_base_unet needs mixed_precision"),
    ("16", {"log_with": "tensorboard"}, "needs logging_dir"),
    ("17", {"initial_step": 2000, "max_train_steps": 1600}, "initial_step"),
    ("18", {"use_8bit_adam": True, "use_lion_optimizer": True}, "contradicts optimizer_type"),
    ("18", {"max_token_length": 100}, "choose one of 150, 225"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "values", "said"), NOTED, ids=[f"{row[0]}-{next(iter(row[1]))}" for row in NOTED])
def test_what_sd_scripts_warns_of_is_a_note(number: str, values: dict[str, Any], said: str) -> None:
    notes = [note.message for note in parse({**NEEDED, **values}).notes]
    assert any(said in note for note in notes), (number, notes)


@pytest.mark.parametrize(("number", "values", "said"), REFUSED, ids=[f"{row[0]}-{'-'.join(row[1])}" for row in REFUSED])
def test_what_sd_scripts_fails_at_is_refused_with_the_cure(number: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, **values})
    assert said in str(caught.value), number


def test_16_wandb_without_its_package_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for choice in ("wandb", "all"):
        with pytest.raises(ConfigError, match=f"log_with {choice} needs the package wandb.*run pip install wandb"):
            parse({**NEEDED, "log_with": choice, "logging_dir": "logs"})


def test_true_crop_coordinates_do_not_go_with_crops_by_chance() -> None:
    subset = {"image_dir": "x", "face_crop_aug_range": "2.0,4.0"}
    for values in ({"random_crop": True}, {"subsets": [subset]}):
        with pytest.raises(ConfigError, match="true_crop_coordinates is for pictures cut from the middle; clear "):
            parse({**NEEDED, "true_crop_coordinates": True, **values})
    parse({**NEEDED, "true_crop_coordinates": True})
