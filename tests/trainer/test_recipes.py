"""Recipes of LoRAs that other programs trained: what they record is taken, and told where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from trainer.config import ConfigError, as_sd_scripts, parse_flat
from trainer.config.problems import Note
from trainer.tools.recipe import recipe

NEEDED = {"pretrained_model_name_or_path": "b.safetensors", "train_data_dir": "t", "resolution": "512"}


def saved(path: Path, told: dict[str, str]) -> Path:
    save_file({"lora_unet_x.lora_down.weight": np.zeros((4, 4), np.float32)}, str(path), metadata=told)
    return path


def taken(**told: str) -> tuple[Any, list[Note]]:
    """The config that metadata becomes, and the notes about it."""
    values, notes = as_sd_scripts({"ss_network_module": "networks.lora", "ss_network_dim": "16", **told})
    return parse_flat({**NEEDED, **values}).config, notes


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"ot_branch": "master", "ot_revision": "1a2b"},
            "made by OneTrainer, which records no settings in its LoRAs; they are in the JSON",
        ),
        ({"software": json.dumps({"name": "ai-toolkit"}), "ss_base_model_version": "sdxl_1.0"}, "made by ai-toolkit"),
        ({"lora_adapter_metadata": "{}", "format": "pt"}, "made by diffusers"),
        ({"ss_output_name": "anby"}, "holds no training settings; only LoRAs saved with their metadata"),
    ],
)
def test_a_lora_that_records_no_settings_says_whose_it_is(tmp_path: Path, told: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        recipe(saved(tmp_path / "a.safetensors", told))


def test_the_settings_that_onetrainer_puts_into_a_lora_are_read(tmp_path: Path) -> None:
    own = {"training_method": "LORA", "model_type": "STABLE_DIFFUSION_15", "lora_rank": 24, "learning_rate": 0.0002}
    text, _ = recipe(saved(tmp_path / "a.safetensors", {"ot_branch": "master", "ot_config": json.dumps(own)}))
    assert "network_dim = 24" in text and "0.0002" in text


@pytest.mark.parametrize("text", ["my.own.Scheduler(steps=100)", "x" * 300])
def test_a_schedule_of_any_length_is_told_as_it_is_recorded(text: str) -> None:
    config, notes = taken(ss_lr_scheduler=text)
    assert config.schedule.lr_scheduler == "constant"
    (told,) = [note for note in notes if note.address == "schedule.lr_scheduler"]
    assert told.message.endswith(f"so constant was chosen. It is: {text}")


@pytest.mark.parametrize(("dim", "alpha"), [("16", 16), ("None", 0)])  # 0 means the same as the rank
def test_an_alpha_of_none_is_the_rank(dim: str, alpha: float) -> None:
    config, _ = taken(ss_network_dim=dim, ss_network_alpha="None")
    assert config.network.network_alpha == alpha


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("ss_loss_type", "weird", "Left out: loss_type is"),
        ("ss_network_module", "networks.unknown", "Left out: network_module is"),
        ("ss_mixed_precision", "weird", "Left out: mixed_precision is"),
        ("ss_network_dim", "99999", "Left out: network_dim is 99999"),
        ("ss_min_snr_gamma", "-1", "Left out: min_snr_gamma is -1"),
    ],
)
def test_a_value_that_is_not_taken_here_is_left_out_and_the_rest_stays(key: str, value: str, words: str) -> None:
    config, notes = taken(ss_learning_rate="0.0003", **{key: value})
    assert config.optimizer.learning_rate == 0.0003
    assert any(note.message.startswith(words) for note in notes), [note.message for note in notes]


def test_of_network_args_only_the_unknown_ones_are_left_out() -> None:
    config, notes = taken(ss_network_args=json.dumps({"conv_dim": "8", "nonsense": "1"}))
    assert config.network.network_args == ("conv_dim=8",)
    assert any("has no argument 'nonsense'" in note.message for note in notes)
