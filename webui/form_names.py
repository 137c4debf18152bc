"""Under which other names people look for a parameter: those of scripts and of other programs' pages. LIGHT."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from trainer.config import parameters
from trainer.config.imports import RENAMED
from trainer.config.programs import ai_toolkit, easy_scripts, kohya_ss, onetrainer, words

# What stands beside the field on the pages of kohya_ss, lora-scripts, LoRA_Easy_Training_Scripts and OneTrainer, and
# what guides in Russian call it.
LABELS: Mapping[str, tuple[str, ...]] = {
    "pretrained_model_name_or_path": ("base model", "source model", "checkpoint", "底模", "чекпоинт"),
    "train_data_dir": ("image folder", "input images folder", "dataset", "датасет"),
    "reg_data_dir": ("regularisation directory", "class images", "регуляризация"),
    "subsets": ("subset args", "folders", "concepts"),
    "resolution": ("max resolution", "image size", "разрешение"),
    "output_name": ("model output name", "lora name"), "output_dir": ("output folder",),
    "max_train_epochs": ("epoch", "epoches", "эпохи"), "max_train_steps": ("max train steps", "шаги"),
    "train_batch_size": ("batch size", "bs", "батч"),
    "learning_rate": ("lr", "скорость обучения"), "unet_lr": ("unet learning rate",),
    "text_encoder_lr": ("te learning rate", "text encoder learning rate", "te lr"),
    "lr_scheduler": ("lr scheduler", "scheduler", "шедулер"),
    "lr_warmup_steps": ("lr warmup", "warmup ratio", "разогрев"),
    "lr_scheduler_num_cycles": ("lr number of cycles", "restarts", "рестарты"), "lr_scheduler_power": ("lr power",),
    "optimizer_type": ("optimizer", "оптимайзер"), "optimizer_args": ("optimizer extra arguments",),
    "network_module": ("lora type", "network algo", "peft type"),
    "network_dim": ("network rank (dimension)", "lora rank", "rank", "ранг"), "network_alpha": ("lora alpha", "альфа"),
    "network_dropout": ("dropout probability",),
    "scale_weight_norms": ("scale weight norms", "max norm regularization"),
    "network_args": (
        "convolution rank (dimension)", "convolution alpha", "lycoris preset", "dora weight decompose", "train norm",
        "rank dropout", "module dropout", "use tucker decomposition", "lokr factor", "block weights",
    ),
    "caption_extension": ("caption file extension",), "shuffle_caption": ("shuffle tags", "shuffle tokens"),
    "keep_tokens": ("keep n tokens",), "max_token_length": ("max tokens",),
    "caption_tag_dropout_rate": ("tag dropout",), "clip_skip": ("clip skip", "клип скип"),
    "noise_offset": ("offset noise",), "multires_noise_iterations": ("pyramid noise",),
    "min_snr_gamma": ("min snr",), "max_grad_norm": ("clip grad norm",),
    "gradient_checkpointing": ("gradient checkpointing",), "gradient_accumulation_steps": ("accumulation steps",),
    "enable_bucket": ("aspect ratio bucketing", "arb", "buckets"), "cache_latents": ("latent caching",),
    "flip_aug": ("flip augmentation", "random flip"), "mixed_precision": ("train dtype", "training precision"),
    "save_precision": ("output data type", "saving precision"), "sample_prompts": ("sample prompts", "test prompts"),
    "logging_dir": ("log output directory",), "v_parameterization": ("v-prediction", "vpred", "v2 parameterization"),
    "prior_loss_weight": ("prior loss",), "vae": ("external vae",), "sdpa": ("cross attention",),
    "max_data_loader_n_workers": ("dataloader threads", "max num workers"),
}  # fmt: skip


@functools.cache
def other_names() -> Mapping[str, tuple[str, ...]]:
    """Plain name of a parameter -> other names for it, in lower case."""
    found: dict[str, list[str]] = {name: [] for name in ("subsets", *(parameter.name for parameter in parameters()))}
    for table in (RENAMED, kohya_ss.RENAMED, easy_scripts.RENAMED, words.VARIABLES, onetrainer.SAME, ai_toolkit.TRAIN,
                  ai_toolkit.FOLDER, ai_toolkit.SAVE):  # fmt: skip
        for name, meant in table.items():
            if meant in found and name != meant:
                found[meant].append(name.lower())
    for name, labels in LABELS.items():
        found[name] += labels
    return {name: tuple(dict.fromkeys(names)) for name, names in found.items() if names}
