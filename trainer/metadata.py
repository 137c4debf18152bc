"""What a LoRA file says about itself: ss_* keys as sd-scripts writes them, modelspec.* keys, hashes. LIGHT.

Keys and formats: KOHYA_COMPAT 8.3 to 8.5. All values are text; None is "None", switches "True" and "False".
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer import __version__

if TYPE_CHECKING:
    from trainer.config import TrainConfig

LARGEST_METADATA_BYTES = 1_000_000
LEGACY_START, LEGACY_END = 0x100000, 0x110000
MINIMAL_KEYS = (
    "ss_v2",
    "ss_base_model_version",
    "ss_network_module",
    "ss_network_dim",
    "ss_network_alpha",
    "ss_network_args",
)
TITLES = ("author", "description", "license", "tags", "usage_hint", "trigger_phrase")


@dataclass(frozen=True)
class FileFacts:
    """Name and hashes of a base model or VAE; hashes are None where the path is no local file."""

    name: str
    old_hash: str | None = None
    new_hash: str | None = None


@dataclass(frozen=True)
class RunFacts:
    """What the metadata needs to know of a run beyond its configuration. Image numbers count repeats."""

    session_id: int
    started_at: float
    base: FileFacts
    base_version: str
    architecture: str
    optimizer: str
    num_train_images: int
    num_reg_images: int
    num_validation_images: int
    batches_per_epoch: int
    num_epochs: int
    max_train_steps: int
    seed: int
    output_name: str
    dataset_dirs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reg_dataset_dirs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tag_frequency: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bucket_info: Mapping[str, Any] | None = None
    vae: FileFacts | None = None


def build(config: TrainConfig, facts: RunFacts, epoch: int, step: int, now: float | None = None) -> dict[str, str]:
    """All metadata of a LoRA saved at this epoch (from 1) and step, without the hashes of its tensors."""
    now = time.time() if now is None else now
    values: dict[str, Any] = {
        **_run_values(config, facts, epoch, step, now),
        **_option_values(config),
        **_dataset_values(config, facts),
    }
    texts = {f"ss_{name}": value if isinstance(value, str) else str(value) for name, value in values.items()}
    if config.save.no_metadata:
        texts = {name: texts[name] for name in MINIMAL_KEYS if name in texts}
    return _capped({**texts, **_modelspec(config, facts, now)})


def _run_values(config: TrainConfig, facts: RunFacts, epoch: int, step: int, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {
        "session_id": facts.session_id, "training_started_at": facts.started_at, "training_finished_at": now,
        "output_name": facts.output_name, "training_comment": config.save.training_comment,
        "num_train_images": facts.num_train_images, "num_reg_images": facts.num_reg_images,
        "num_validation_images": facts.num_validation_images, "num_batches_per_epoch": facts.batches_per_epoch,
        "num_epochs": facts.num_epochs, "epoch": epoch, "steps": step, "max_train_steps": facts.max_train_steps,
        "seed": facts.seed, "optimizer": facts.optimizer, "v2": facts.base_version.startswith("sd_v2"),
        "base_model_version": facts.base_version, "sd_model_name": facts.base.name,
        "sd_scripts_commit_hash": f"athanor/{__version__}",
    }  # fmt: skip
    for key, file in (("sd_model", facts.base), ("vae", facts.vae)):
        if file is not None and file.new_hash is not None:
            values[f"{key}_hash"], values[f"new_{key}_hash"] = file.old_hash, file.new_hash
    if facts.vae is not None:
        values["vae_name"] = facts.vae.name
    return values


def _option_values(config: TrainConfig) -> dict[str, Any]:
    network, optimizer, noise, loss = config.network, config.optimizer, config.noise, config.loss
    values: dict[str, Any] = {
        "learning_rate": optimizer.learning_rate, "text_encoder_lr": optimizer.text_encoder_lr,
        "unet_lr": optimizer.unet_lr,
        "max_grad_norm": optimizer.max_grad_norm, "gradient_checkpointing": config.precision.gradient_checkpointing,
        "gradient_accumulation_steps": config.run.gradient_accumulation_steps,
        "lr_warmup_steps": config.schedule.lr_warmup_steps,
        "lr_scheduler": config.schedule.lr_scheduler, "network_module": network.network_module,
        "network_dim": network.network_dim,
        "network_alpha": network.network_alpha, "network_dropout": network.network_dropout,
        "scale_weight_norms": network.scale_weight_norms, "mixed_precision": config.precision.mixed_precision,
        "full_fp16": config.precision.full_fp16, "fp8_base": config.precision.fp8_base, "fp8_base_unet": False,
        "clip_skip": config.caption.clip_skip, "max_token_length": config.caption.max_token_length,
        "cache_latents": config.cache.cache_latents, "lowram": False, "noise_offset": noise.noise_offset,
        "noise_offset_random_strength": noise.noise_offset_random_strength,
        "multires_noise_iterations": noise.multires_noise_iterations,
        "multires_noise_discount": noise.multires_noise_discount,
        "adaptive_noise_scale": noise.adaptive_noise_scale, "zero_terminal_snr": noise.zero_terminal_snr,
        "ip_noise_gamma": noise.ip_noise_gamma, "ip_noise_gamma_random_strength": noise.ip_noise_gamma_random_strength,
        "min_snr_gamma": loss.min_snr_gamma, "debiased_estimation": loss.debiased_estimation_loss,
        "loss_type": loss.loss_type,
        "huber_schedule": loss.huber_schedule, "huber_scale": loss.huber_scale, "huber_c": loss.huber_c,
        "prior_loss_weight": config.dataset.prior_loss_weight,
        "caption_dropout_rate": config.caption.caption_dropout_rate,
        "caption_dropout_every_n_epochs": config.caption.caption_dropout_every_n_epochs,
        "caption_tag_dropout_rate": config.caption.caption_tag_dropout_rate, "face_crop_aug_range": None,
        "validation_seed": config.dataset.validation_seed, "validation_split": config.dataset.validation_split,
        "max_validation_steps": config.dataset.max_validation_steps,
        "validate_every_n_epochs": config.dataset.validate_every_n_epochs,
        "validate_every_n_steps": config.dataset.validate_every_n_steps,
        "resize_interpolation": config.dataset.resize_interpolation,
    }  # fmt: skip
    if network.network_args:
        pairs = (text.partition("=") for text in network.network_args)
        given: dict[str, Any] = {name.strip(): value.strip() for name, _, value in pairs}
        values["network_args"] = json.dumps({**given, "dropout": network.network_dropout})
    return values


def _dataset_values(config: TrainConfig, facts: RunFacts) -> dict[str, Any]:
    dataset, caption = config.dataset, config.caption
    return {
        "batch_size_per_device": dataset.train_batch_size,
        "total_batch_size": dataset.train_batch_size * config.run.gradient_accumulation_steps,
        "resolution": dataset.resolution, "color_aug": False, "flip_aug": dataset.flip_aug, "random_crop": False,
        "shuffle_caption": caption.shuffle_caption, "enable_bucket": dataset.enable_bucket,
        "bucket_no_upscale": dataset.bucket_no_upscale, "min_bucket_reso": dataset.min_bucket_reso,
        "max_bucket_reso": dataset.max_bucket_reso, "keep_tokens": caption.keep_tokens,
        "dataset_dirs": json.dumps(facts.dataset_dirs), "reg_dataset_dirs": json.dumps(facts.reg_dataset_dirs),
        "tag_frequency": json.dumps(facts.tag_frequency), "bucket_info": json.dumps(facts.bucket_info),
    }  # fmt: skip


def _modelspec(config: TrainConfig, facts: RunFacts, now: float) -> dict[str, str]:
    width, height = config.dataset.resolution or (512, 512)
    xl = facts.architecture.startswith("stable-diffusion-xl")
    values: dict[str, str] = {
        "sai_model_spec": "1.0.1", "architecture": f"{facts.architecture}/lora",
        "implementation": "https://github.com/Stability-AI/generative-models" if xl else "diffusers",
        "implementation_version": f"athanor/{__version__}", "title": config.save.metadata_title or facts.output_name,
        "date": time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now)), "resolution": f"{width}x{height}",
        "prediction_type": "v" if config.model.v_parameterization else "epsilon",
    }  # fmt: skip
    for name in TITLES:
        text = getattr(config.save, f"metadata_{name}")
        if text:
            values[name] = text
    low, high = config.noise.min_timestep, config.noise.max_timestep
    if low is not None or high is not None:
        values["timestep_range"] = f"{low or 0},{1000 if high is None else high}"
    if config.caption.clip_skip is not None:
        values["encoder_layer"] = str(config.caption.clip_skip)
    return {f"modelspec.{name}": value for name, value in values.items()}


def _capped(values: dict[str, str]) -> dict[str, str]:
    """Drop rare tags until all of it fits: a header above 100 MB makes a file that nothing opens (sd-scripts #1380)."""
    while sum(len(name) + len(value) for name, value in values.items()) > LARGEST_METADATA_BYTES:
        tags = json.loads(values.get("ss_tag_frequency", "{}"))
        if not any(tags.values()):
            longest = max(values, key=lambda name: len(values[name]))
            values[longest] = values[longest][: LARGEST_METADATA_BYTES // 4]
            continue
        halved = {
            folder: dict(sorted(counts.items(), key=lambda item: -item[1])[: len(counts) // 2])
            for folder, counts in tags.items()
        }
        values["ss_tag_frequency"] = json.dumps(halved)
    return values


def tensor_hash(data: bytes | memoryview) -> str:
    """sshs_model_hash of a safetensors file image: SHA-256 of everything behind the header."""
    (length,) = struct.unpack("<Q", bytes(data[:8]))
    return hashlib.sha256(memoryview(data)[8 + length :]).hexdigest()


def legacy_hash(data: bytes | memoryview) -> str:
    """sshs_legacy_hash of a file image that carries only ss_ metadata: 8 digits over bytes 0x100000 to 0x110000."""
    return hashlib.sha256(memoryview(data)[LEGACY_START:LEGACY_END]).hexdigest()[:8]


def model_file_facts(path: Path) -> FileFacts:
    """Name, old (A1111) and new hash of a base model or VAE; a folder gives `IsADirectory` as sd-scripts writes."""
    if path.is_dir():
        return FileFacts(path.name, "IsADirectory", "IsADirectory")
    try:
        whole = hashlib.sha256()
        with path.open("rb") as stream:
            stream.seek(LEGACY_START)
            old = hashlib.sha256(stream.read(LEGACY_END - LEGACY_START)).hexdigest()[:8]
            stream.seek(0)
            while block := stream.read(2**22):
                whole.update(block)
    except FileNotFoundError:
        return FileFacts(path.name)
    return FileFacts(path.name, old, whole.hexdigest())
