"""ss_* and modelspec.* of every family and kind of data set, key by key (KOHYA_COMPAT 8.3 and 8.4)."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from trainer import __version__, metadata
from trainer.config import ConfigError, TrainConfig, parse
from trainer.metadata import LARGEST_THUMBNAIL, MINIMAL_KEYS, FileFacts, RunFacts, build, thumbnail

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512,768"}
FACTS = RunFacts(
    session_id=4036710000, started_at=1700000000.25, base=FileFacts("base.safetensors", "1234abcd", "f" * 64),
    family="sd1", prediction="epsilon", optimizer="torch.optim.adamw.AdamW(weight_decay=0.1)", num_train_images=150,
    num_reg_images=20, num_validation_images=0, batches_per_epoch=75, num_epochs=10, max_train_steps=750, seed=1337,
    output_name="anby", dataset_dirs={"10_anby": {"n_repeats": 10, "img_count": 15}},
    reg_dataset_dirs={"1_girl": {"n_repeats": 1, "img_count": 20}},
    tag_frequency={"10_anby": {"安比": 15, "1girl": 15}},
    bucket_info={"buckets": {"0": {"resolution": [512, 768], "count": 150}}, "mean_img_ar_error": 0.0},
)  # fmt: skip


def config(**values: Any) -> TrainConfig:
    return parse({**NEEDED, **values}).config


def told(facts: RunFacts = FACTS, **values: Any) -> dict[str, str]:
    return build(config(**values), facts, epoch=2, step=150, now=1700000100.5)


# KOHYA_COMPAT 8.3, written down by hand: a run with N_name folders and sd-scripts' defaults.
EVERY_KEY = {
    "ss_session_id": "4036710000", "ss_training_started_at": "1700000000.25",
    "ss_training_finished_at": "1700000100.5", "ss_output_name": "anby", "ss_training_comment": "None",
    "ss_learning_rate": "2e-06", "ss_text_encoder_lr": "None", "ss_unet_lr": "0.0001", "ss_num_train_images": "150",
    "ss_num_validation_images": "0", "ss_num_reg_images": "20", "ss_num_batches_per_epoch": "75",
    "ss_num_epochs": "10", "ss_epoch": "2", "ss_steps": "150", "ss_gradient_checkpointing": "False",
    "ss_gradient_accumulation_steps": "1", "ss_max_train_steps": "750", "ss_lr_warmup_steps": "0",
    "ss_lr_scheduler": "constant", "ss_network_module": "networks.lora", "ss_network_dim": "None",
    "ss_network_alpha": "1", "ss_network_dropout": "None", "ss_mixed_precision": "no", "ss_full_fp16": "False",
    "ss_fp8_base": "False", "ss_fp8_base_unet": "False", "ss_v2": "False", "ss_base_model_version": "sd_v1",
    "ss_clip_skip": "None", "ss_max_token_length": "None", "ss_cache_latents": "False", "ss_seed": "1337",
    "ss_lowram": "False", "ss_noise_offset": "None", "ss_noise_offset_random_strength": "False",
    "ss_multires_noise_iterations": "None", "ss_multires_noise_discount": "0.3", "ss_adaptive_noise_scale": "None",
    "ss_zero_terminal_snr": "False", "ss_ip_noise_gamma": "None", "ss_ip_noise_gamma_random_strength": "False",
    "ss_min_snr_gamma": "None", "ss_debiased_estimation": "False", "ss_loss_type": "l2", "ss_huber_schedule": "snr",
    "ss_huber_scale": "1.0", "ss_huber_c": "0.1", "ss_prior_loss_weight": "1.0", "ss_scale_weight_norms": "None",
    "ss_max_grad_norm": "1.0", "ss_caption_dropout_rate": "0.0", "ss_caption_dropout_every_n_epochs": "0",
    "ss_caption_tag_dropout_rate": "0.0", "ss_face_crop_aug_range": "None",
    "ss_optimizer": "torch.optim.adamw.AdamW(weight_decay=0.1)", "ss_sd_scripts_commit_hash": f"athanor/{__version__}",
    "ss_validation_seed": "None", "ss_validation_split": "0.0", "ss_max_validation_steps": "None",
    "ss_validate_every_n_epochs": "None", "ss_validate_every_n_steps": "None", "ss_resize_interpolation": "None",
    "ss_sd_model_name": "base.safetensors", "ss_sd_model_hash": "1234abcd", "ss_new_sd_model_hash": "f" * 64,
    "ss_batch_size_per_device": "1", "ss_total_batch_size": "1", "ss_resolution": "(512, 768)",
    "ss_color_aug": "False", "ss_flip_aug": "False", "ss_random_crop": "False", "ss_shuffle_caption": "False",
    "ss_enable_bucket": "False", "ss_bucket_no_upscale": "False", "ss_min_bucket_reso": "256",
    "ss_max_bucket_reso": "1024", "ss_keep_tokens": "0",
    "ss_dataset_dirs": '{"10_anby": {"n_repeats": 10, "img_count": 15}}',
    "ss_reg_dataset_dirs": '{"1_girl": {"n_repeats": 1, "img_count": 20}}',
    "ss_tag_frequency": '{"10_anby": {"\\u5b89\\u6bd4": 15, "1girl": 15}}',
    "ss_bucket_info": '{"buckets": {"0": {"resolution": [512, 768], "count": 150}}, "mean_img_ar_error": 0.0}',
}  # fmt: skip


def test_every_key_of_a_run_with_named_folders_has_its_exact_text() -> None:
    assert {name: text for name, text in told(unet_lr=1e-4).items() if name.startswith("ss_")} == EVERY_KEY


def test_values_that_are_set_stand_as_python_writes_them() -> None:
    made = told(
        network_dim=32, network_alpha=16, lr_warmup_steps="10%", min_snr_gamma=5, clip_skip=2, max_token_length=225,
        mixed_precision="bf16", save_model_as="safetensors", debiased_estimation_loss=True, train_batch_size=2,
        gradient_accumulation_steps=3, training_comment="first try",
    )  # fmt: skip
    expected = {
        "network_dim": "32", "network_alpha": "16.0", "lr_warmup_steps": "0.1", "min_snr_gamma": "5.0",
        "clip_skip": "2", "max_token_length": "225", "mixed_precision": "bf16", "debiased_estimation": "True",
        "batch_size_per_device": "2", "total_batch_size": "6", "training_comment": "first try",
    }  # fmt: skip
    assert {name: made[f"ss_{name}"] for name in expected} == expected


def test_of_two_text_encoder_rates_the_first_is_recorded_and_the_batch_counts_processes_and_accumulation() -> None:
    made = told(
        replace(FACTS, processes=4), text_encoder_lr="3e-5,2e-5", unet_lr=1e-4, train_batch_size=2,
        gradient_accumulation_steps=3,
    )  # fmt: skip
    names = ("text_encoder_lr", "unet_lr", "batch_size_per_device", "total_batch_size", "gradient_accumulation_steps")
    assert [made[f"ss_{name}"] for name in names] == ["3e-05", "0.0001", "2", "24", "3"]


def test_network_arguments_are_texts_and_carry_the_dropout() -> None:
    assert "ss_network_args" not in told()
    made = told(network_args=["conv_dim=4", "conv_alpha=1"], network_dropout=0.1)
    assert made["ss_network_args"] == '{"conv_dim": "4", "conv_alpha": "1", "dropout": 0.1}'


def test_adafactor_that_finds_its_own_rate_records_none() -> None:
    optimizer = "transformers.optimization.Adafactor(relative_step=True)"
    made = told(replace(FACTS, optimizer=optimizer), optimizer_type="AdaFactor", learning_rate=1e-3)
    assert [made[f"ss_{name}"] for name in ("learning_rate", "unet_lr", "text_encoder_lr")] == ["None"] * 3
    assert made["ss_lr_scheduler"] == "adafactor:0.001"


def test_an_external_vae_is_named_with_its_hashes() -> None:
    made = told(replace(FACTS, vae=FileFacts("vae.pt", "00112233", "a" * 64)))
    assert (made["ss_vae_name"], made["ss_vae_hash"], made["ss_new_vae_hash"]) == ("vae.pt", "00112233", "a" * 64)
    assert "ss_vae_name" not in told()


@pytest.mark.parametrize(
    ("family", "prediction", "version", "v2", "architecture", "implementation", "side"),
    [
        ("sd1", "epsilon", "sd_v1", "False", "stable-diffusion-v1/lora", "diffusers", 512),
        ("sd1", "v", "sd_v1_v", "False", "stable-diffusion-v1/lora", "diffusers", 512),
        ("sd2", "epsilon", "sd_v2", "True", "stable-diffusion-v2-512/lora", "diffusers", 512),
        ("sd2", "v", "sd_v2_v", "True", "stable-diffusion-v2-768-v/lora", "diffusers", 768),
        ("sdxl", "epsilon", "sdxl_base_v1-0", "False", "stable-diffusion-xl-v1-base/lora",
         "https://github.com/Stability-AI/generative-models", 1024),
        ("sdxl", "v", "sdxl_base_v1-0", "False", "stable-diffusion-xl-v1-base/lora",
         "https://github.com/Stability-AI/generative-models", 1024),
    ],
)  # fmt: skip
def test_every_family_is_named_as_sd_scripts_names_it(
    family: str, prediction: str, version: str, v2: str, architecture: str, implementation: str, side: int
) -> None:
    made = told(replace(FACTS, family=family, prediction=prediction))
    assert (made["ss_base_model_version"], made["ss_v2"]) == (version, v2)
    assert (made["modelspec.architecture"], made["modelspec.implementation"]) == (architecture, implementation)
    assert made["modelspec.prediction_type"] == prediction
    assert metadata.IDENTITIES[family, prediction][2] == side


def test_modelspec_has_what_was_given_and_nothing_else() -> None:
    made = {name: text for name, text in told().items() if name.startswith("modelspec.")}
    assert re.fullmatch(r"2023-11-1[45]T\d\d:\d\d:\d\d", made.pop("modelspec.date"))
    assert made == {
        "modelspec.sai_model_spec": "1.0.1", "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.implementation": "diffusers", "modelspec.implementation_version": f"athanor/{__version__}",
        "modelspec.title": "anby", "modelspec.resolution": "512x768", "modelspec.prediction_type": "epsilon",
    }  # fmt: skip


def test_every_optional_modelspec_key_is_written_when_it_is_given() -> None:
    texts = {name: f"my {name}" for name in ("author", "description", "license", "tags", "usage_hint", "trigger_phrase",
             "merged_from", "preprocessor", "title")}  # fmt: skip
    made = told(
        min_timestep=100, clip_skip=2, metadata_is_negative_embedding="true",
        **{f"metadata_{name}": text for name, text in texts.items()},
    )  # fmt: skip
    assert {name: made[f"modelspec.{name}"] for name in texts} == texts
    assert made["modelspec.is_negative_embedding"] == "true"
    assert (made["modelspec.timestep_range"], made["modelspec.encoder_layer"]) == ("100,1000", "2")
    assert told(max_timestep=900)["modelspec.timestep_range"] == "0,900"


def test_without_metadata_the_minimal_keys_and_modelspec_stay() -> None:
    made = told(no_metadata=True, network_args=["conv_dim=4"])
    assert {name for name in made if name.startswith("ss_")} == set(MINIMAL_KEYS)
    assert made["modelspec.title"] == "anby"
    assert set(told(no_metadata=True)) & set(MINIMAL_KEYS) == set(MINIMAL_KEYS) - {"ss_network_args"}


DATASET = {"is_dreambooth": True, "resolution": [512, 512], "tag_frequency": {"x": {"a": 2}}, "subsets": []}


def test_listed_folders_are_told_as_datasets_in_place_of_the_runs_options() -> None:
    made = told(replace(FACTS, datasets=[DATASET]))
    assert json.loads(made["ss_datasets"]) == [DATASET]
    assert made["ss_dataset_dirs"] == EVERY_KEY["ss_dataset_dirs"]
    for name in ("ss_resolution", "ss_bucket_info", "ss_reg_dataset_dirs", "ss_batch_size_per_device"):
        assert name not in made


def test_tags_of_listed_folders_are_cut_too_when_they_are_too_many() -> None:
    tags = {"x": {f"a rather long tag number {number}": number for number in range(60000)}}
    made = told(replace(FACTS, tag_frequency=tags, datasets=[{**DATASET, "tag_frequency": tags}]))
    assert sum(len(name) + len(text) for name, text in made.items()) <= metadata.LARGEST_METADATA_BYTES
    assert "a rather long tag number 59999" in json.loads(made["ss_datasets"])[0]["tag_frequency"]["x"]


def test_a_picture_becomes_a_small_data_address(tmp_path: Path) -> None:
    Image.effect_noise((1600, 900), 200).convert("RGBA").save(tmp_path / "cover.png")
    made = thumbnail(str(tmp_path / "cover.png"))
    assert made is not None and made.startswith("data:image/jpeg;base64,") and len(made) <= LARGEST_THUMBNAIL
    with Image.open(io.BytesIO(base64.b64decode(made.partition(",")[2]))) as picture:
        assert picture.size == (512, 288)
    assert told(replace(FACTS, thumbnail=made))["modelspec.thumbnail"] == made


def test_a_data_address_is_taken_as_it_is() -> None:
    assert thumbnail("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA"
    assert thumbnail(None) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [("none.png", "none.png cannot be read as a picture"), ("data:" + "A" * 300_000, "200000 at most")],
)
def test_a_thumbnail_that_is_no_picture_is_refused(value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        thumbnail(value)


def test_a_hub_id_is_told_as_it_was_given_and_without_hashes(tmp_path: Path) -> None:
    assert metadata.base_facts("owner/name", tmp_path) == FileFacts("owner/name")
    (tmp_path / "a.safetensors").write_bytes(b"x")
    path = tmp_path / "a.safetensors"
    assert metadata.base_facts(str(path), path).name == "a.safetensors"


def test_a_run_without_a_name_tells_of_none() -> None:
    named = told(replace(FACTS, output_name=None))
    assert (named["ss_output_name"], named["modelspec.title"]) == ("None", "LoRA@1700000100.5")
