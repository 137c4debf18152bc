"""What a LoRA file says about itself: ss_* keys as sd-scripts writes them, modelspec.* keys, hashes. LIGHT.

Keys and formats: KOHYA_COMPAT 8.3 to 8.5. All values are text; None is "None", switches "True" and "False".
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer import __version__
from trainer.config.problems import ConfigError, Problem
from trainer.dataset import pictures

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
TITLES = ("author", "description", "license", "tags", "usage_hint", "merged_from", "trigger_phrase", "preprocessor",
          "is_negative_embedding")  # fmt: skip
# Parameters that stand under their own name, as they were given; and those that have another name here.
OPTIONS = (
    "training_comment", "learning_rate", "text_encoder_lr", "unet_lr", "gradient_checkpointing",
    "gradient_accumulation_steps", "lr_warmup_steps", "lr_scheduler", "network_module", "network_dim", "network_alpha",
    "network_dropout", "mixed_precision", "full_fp16", "clip_skip", "max_token_length", "cache_latents",
    "noise_offset", "noise_offset_random_strength", "multires_noise_iterations", "multires_noise_discount",
    "adaptive_noise_scale", "zero_terminal_snr", "ip_noise_gamma", "ip_noise_gamma_random_strength", "min_snr_gamma",
    "loss_type", "huber_schedule", "huber_scale", "huber_c", "prior_loss_weight", "scale_weight_norms", "max_grad_norm",
    "caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate", "face_crop_aug_range",
    "fp8_base", "fp8_base_unet", "validation_seed", "validation_split", "max_validation_steps",
    "validate_every_n_epochs", "validate_every_n_steps", "resize_interpolation",
)  # fmt: skip
FOLDER_OPTIONS = (
    "resolution", "color_aug", "flip_aug", "random_crop", "shuffle_caption", "enable_bucket", "bucket_no_upscale",
    "min_bucket_reso", "max_bucket_reso", "keep_tokens",
)  # fmt: skip
# Family and prediction -> (ss_base_model_version, architecture, usual side). SDXL has one version for both predictions.
IDENTITIES = {
    ("sd1", "epsilon"): ("sd_v1", "stable-diffusion-v1", 512),
    ("sd1", "v"): ("sd_v1_v", "stable-diffusion-v1", 512),
    ("sd2", "epsilon"): ("sd_v2", "stable-diffusion-v2-512", 512),
    ("sd2", "v"): ("sd_v2_v", "stable-diffusion-v2-768-v", 768),
    ("sdxl", "epsilon"): ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base", 1024),
    ("sdxl", "v"): ("sdxl_base_v1-0", "stable-diffusion-xl-v1-base", 1024),
}
SDXL_IMPLEMENTATION = "https://github.com/Stability-AI/generative-models"
THUMBNAIL_SIDE_PX, LARGEST_THUMBNAIL = 512, 200_000  # characters of the data: address


@dataclass(frozen=True)
class FileFacts:
    """Name and hashes of a base model or VAE; hashes are None where the path is no local file."""

    name: str
    old_hash: str | None = None
    new_hash: str | None = None


@dataclass(frozen=True)
class RunFacts:
    """What the metadata needs to know of a run beyond its configuration. Image numbers count repeats.

    datasets: entries of ss_datasets where folders are listed one by one; None for N_name folders. thumbnail: a data:
    address.
    """

    session_id: int
    started_at: float
    base: FileFacts
    family: str
    prediction: str
    optimizer: str
    num_train_images: int
    num_reg_images: int
    num_validation_images: int
    batches_per_epoch: int  # of each process
    num_epochs: int
    max_train_steps: int
    seed: int
    output_name: str | None
    dataset_dirs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reg_dataset_dirs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tag_frequency: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bucket_info: Mapping[str, Any] | None = None
    vae: FileFacts | None = None
    datasets: Sequence[Mapping[str, Any]] | None = None
    thumbnail: str | None = None
    processes: int = 1


def build(config: TrainConfig, facts: RunFacts, epoch: int, step: int, now: float | None = None) -> dict[str, str]:
    """All metadata of a LoRA saved at this epoch (from 1) and step, without the hashes of its tensors."""
    now = time.time() if now is None else now
    given = {name: value for section in config for name, value in section[1]}
    values: dict[str, Any] = {
        **_run_values(facts, epoch, step, now),
        **_option_values(given, facts),
        **(_folder_values(given, facts) if facts.datasets is None else _listed_values(facts)),
    }
    texts = {f"ss_{name}": value if isinstance(value, str) else str(value) for name, value in values.items()}
    if config.save.no_metadata:
        texts = {name: texts[name] for name in MINIMAL_KEYS if name in texts}
    texts |= _modelspec(config, facts, now)
    # a name that is no text, as Linux allows, would keep the file from being written
    return _capped({name: text.encode("utf-8", "replace").decode("utf-8") for name, text in texts.items()})


def _run_values(facts: RunFacts, epoch: int, step: int, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {
        "session_id": facts.session_id, "training_started_at": facts.started_at, "training_finished_at": now,
        "output_name": facts.output_name, "num_train_images": facts.num_train_images,
        "num_reg_images": facts.num_reg_images, "num_validation_images": facts.num_validation_images,
        "num_batches_per_epoch": facts.batches_per_epoch, "num_epochs": facts.num_epochs, "epoch": epoch, "steps": step,
        "max_train_steps": facts.max_train_steps, "seed": facts.seed, "optimizer": facts.optimizer,
        "v2": facts.family == "sd2", "base_model_version": IDENTITIES[facts.family, facts.prediction][0],
        "sd_model_name": facts.base.name, "sd_scripts_commit_hash": f"athanor/{__version__}",
    }  # fmt: skip
    for key, file in (("sd_model", facts.base), ("vae", facts.vae)):
        if file is not None and file.new_hash is not None:
            values[f"{key}_hash"], values[f"new_{key}_hash"] = file.old_hash, file.new_hash
    if facts.vae is not None:
        values["vae_name"] = facts.vae.name
    return values


def _option_values(given: Mapping[str, Any], facts: RunFacts) -> dict[str, Any]:
    values = {name: given[name] for name in OPTIONS}
    values |= {"debiased_estimation": given["debiased_estimation_loss"], "lowram": False}
    if values["network_alpha"] == 1:
        values["network_alpha"] = 1  # sd-scripts' default is a whole number and is recorded as "1"
    if "Adafactor" in facts.optimizer and "relative_step=True" in facts.optimizer:
        values["lr_scheduler"] = f"adafactor:{given['learning_rate']}"
        values |= {"learning_rate": None, "text_encoder_lr": None, "unet_lr": None}
    if isinstance(values.get("text_encoder_lr"), tuple):
        values["text_encoder_lr"] = values["text_encoder_lr"][0]  # as sd-scripts writes a list
    if given["network_args"]:
        pairs = (text.partition("=") for text in given["network_args"])
        arguments: dict[str, Any] = {name.strip(): value.strip() for name, _, value in pairs}
        arguments.setdefault("dropout", given["network_dropout"])
        values["network_args"] = json.dumps(arguments)
    return values


def _folder_values(given: Mapping[str, Any], facts: RunFacts) -> dict[str, Any]:
    """What a run with N_name folders tells of its data."""
    batch = given["train_batch_size"]
    whole = batch * facts.processes * given["gradient_accumulation_steps"]
    return {
        "batch_size_per_device": batch, "total_batch_size": whole,
        **{name: given[name] for name in FOLDER_OPTIONS},
        "dataset_dirs": json.dumps(facts.dataset_dirs), "reg_dataset_dirs": json.dumps(facts.reg_dataset_dirs),
        "tag_frequency": json.dumps(facts.tag_frequency), "bucket_info": json.dumps(facts.bucket_info),
    }  # fmt: skip


def _listed_values(facts: RunFacts) -> dict[str, Any]:
    """What a run with folders listed one by one tells: each data set with its options."""
    return {
        "datasets": json.dumps(facts.datasets),
        "dataset_dirs": json.dumps(facts.dataset_dirs),
        "tag_frequency": json.dumps(facts.tag_frequency),
    }


def _modelspec(config: TrainConfig, facts: RunFacts, now: float) -> dict[str, str]:
    _, architecture, side = IDENTITIES[facts.family, facts.prediction]
    width, height = config.dataset.resolution or (side, side)
    title = config.save.metadata_title or facts.output_name or f"LoRA@{now}"
    values: dict[str, str] = {
        "sai_model_spec": "1.0.1", "architecture": f"{architecture}/lora",
        "implementation": SDXL_IMPLEMENTATION if facts.family == "sdxl" else "diffusers",
        "implementation_version": f"athanor/{__version__}", "title": title,
        "date": time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now)), "resolution": f"{width}x{height}",
        "prediction_type": facts.prediction,
    }  # fmt: skip
    for name in TITLES:
        text = getattr(config.save, f"metadata_{name}")
        if text:
            values[name] = text
    if facts.thumbnail:
        values["thumbnail"] = facts.thumbnail
    low, high = config.noise.min_timestep, config.noise.max_timestep
    if low is not None or high is not None:
        values["timestep_range"] = f"{low or 0},{1000 if high is None else high}"
    if config.caption.clip_skip is not None:
        values["encoder_layer"] = str(config.caption.clip_skip)
    return {f"modelspec.{name}": value for name, value in values.items()}


def thumbnail(told: str | None) -> str | None:
    """metadata_thumbnail as it is stored: a data: address. A picture file is made small enough first.

    Raises ConfigError when the file is missing or no picture, or the address is too long to carry around.
    """
    if not told:
        return None
    address = "save.metadata_thumbnail"
    if told.startswith("data:"):
        if len(told) > LARGEST_THUMBNAIL:
            said = "metadata_thumbnail holds {length} characters, {limit} at most; name a picture file"
            raise ConfigError([Problem(address, said, {"length": len(told), "limit": LARGEST_THUMBNAIL})])
        return told
    try:
        small = pictures.on_ground(pictures.read_image(Path(told)))
    except (OSError, ValueError) as error:
        said = "metadata_thumbnail: {path} cannot be read as a picture; choose a .jpg, .png or .webp file, or clear it"
        raise ConfigError([Problem(address, said, {"path": told})]) from error
    small.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX))
    for quality in (90, 75, 50, 25, 10):
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=quality)
        encoded = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
        if len(encoded) <= LARGEST_THUMBNAIL:
            break
    return encoded


def _capped(values: dict[str, str]) -> dict[str, str]:
    """Drop rare tags until all of it fits: a header above 100 MB makes a file that nothing opens (sd-scripts #1380)."""
    while sum(len(name) + len(value) for name, value in values.items()) > LARGEST_METADATA_BYTES:
        tags = json.loads(values.get("ss_tag_frequency", "{}"))
        datasets = json.loads(values.get("ss_datasets", "[]"))
        if not any(tags.values()) and not any(any(entry["tag_frequency"].values()) for entry in datasets):
            longest = max(values, key=lambda name: len(values[name]))
            values[longest] = values[longest][: LARGEST_METADATA_BYTES // 4]
            continue
        values["ss_tag_frequency"] = json.dumps(_halved(tags))
        if datasets:
            halved = [{**entry, "tag_frequency": _halved(entry["tag_frequency"])} for entry in datasets]
            values["ss_datasets"] = json.dumps(halved)
    return values


def _halved(tags: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The more frequent half of each folder's tags."""
    return {
        folder: dict(sorted(counts.items(), key=lambda item: -item[1])[: len(counts) // 2])
        for folder, counts in tags.items()
    }


def tensor_hash(data: bytes | memoryview) -> str:
    """sshs_model_hash of a safetensors file image: SHA-256 of everything behind the header."""
    (length,) = struct.unpack("<Q", bytes(data[:8]))
    return hashlib.sha256(memoryview(data)[8 + length :]).hexdigest()


def legacy_hash(data: bytes | memoryview) -> str:
    """sshs_legacy_hash of a file image that carries only ss_ metadata: 8 digits over bytes 0x100000 to 0x110000."""
    return hashlib.sha256(memoryview(data)[LEGACY_START:LEGACY_END]).hexdigest()[:8]


def base_facts(name: str, path: Path) -> FileFacts:
    """What is told of a base model: a hub id stands as it was given, without hashes; else as `model_file_facts`."""
    return model_file_facts(path) if Path(name).exists() else FileFacts(name)


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
