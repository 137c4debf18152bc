"""How long a run will take and how much graphics memory it needs, from an earlier run on this machine. LIGHT.

Nothing is estimated from formulas: a number is shown only where a run with the same settings has really taken place.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from trainer import jsontext
from trainer.config import TrainConfig, parse
from trainer.config.rates import trained_rates
from trainer.job import Job, list_jobs
from webui.form_import import read_text
from webui.jobabout import shown_name
from webui.progress import Digests

LEAST_STEPS = 10  # the first ones are slower
MOST_JOBS = 100
READ_AT_ONCE = 16  # configurations a look reads at most, so that the form never waits for a long history
# What decides how much work a step is. Sections with None count as a whole.
DECIDING: dict[str, tuple[str, ...] | None] = {
    "dataset": (
        "resolution", "train_batch_size", "enable_bucket", "min_bucket_reso", "max_bucket_reso", "bucket_reso_steps",
        "bucket_no_upscale", "alpha_mask", "masked_loss",
    ),
    "caption": ("max_token_length", "weighted_captions"),
    "network": (
        "network_module", "network_dim", "network_args", "network_dropout", "network_train_unet_only",
        "network_train_text_encoder_only", "scale_weight_norms",
    ),
    "optimizer": ("optimizer_type", "optimizer_args", "use_lion_optimizer", "use_8bit_adam"),
    "precision": None,
    "cache": ("cache_latents", "cache_text_encoder_outputs"),
    "run": ("gradient_accumulation_steps",),
    "distributed": ("num_processes", "gpu_ids", "multi_gpu", "num_machines"),
}  # fmt: skip


class Earlier:
    """The jobs of one folder, remembered by what decides their speed."""

    def __init__(self, jobs_dir: Path) -> None:
        self._jobs_dir = jobs_dir
        self._kinds: dict[str, str] = {}
        self._digests = Digests()
        self._lock = threading.Lock()

    def like(self, config: TrainConfig) -> dict[str, Any] | None:
        """The newest run of the same kind: {id, name, seconds_per_step, vram_gib, gpu}; None when there was none yet.

        seconds_per_step: of its newest steps. vram_gib: the most that its tensors took on a card, None without one.
        """
        wanted, jobs = kind(config), list_jobs(self._jobs_dir)[:MOST_JOBS]
        with self._lock:
            unread = [job for job in jobs if job.id not in self._kinds][:READ_AT_ONCE]
            self._kinds.update({job.id: _kind_of(job) for job in unread})
            alike = [job for job in jobs if self._kinds.get(job.id) == wanted]
        for job in alike:
            digest = self._digests.glance(job)
            told = digest.summary()
            if told["step"] >= LEAST_STEPS and told["seconds_per_step"]:
                return {
                    "id": job.id, "name": shown_name(job, digest.started), "seconds_per_step": told["seconds_per_step"],
                    "vram_gib": told["vram_gib"], "gpu": _gpu(job),
                }  # fmt: skip
        return None


def kind(config: TrainConfig) -> str:
    """Everything that decides how much work a step of this run is, as text."""
    told: dict[str, Any] = {"trained": sorted(name for name, rate in trained_rates(config).items() if rate)}
    for section, names in DECIDING.items():
        told[section] = getattr(config, section).model_dump(mode="json", include=set(names) if names else None)
    told["model"] = os.path.normpath(config.model.pretrained_model_name_or_path or "")
    return json.dumps(told, sort_keys=True)


def _kind_of(job: Job) -> str:
    try:
        return kind(parse(read_text(job.config_path.read_text(encoding="utf-8"), "config.toml")).config)
    except (OSError, ValueError):
        return ""  # written by another version, or damaged: like nothing


def _gpu(job: Job) -> str | None:
    try:
        told = jsontext.parse(job.environment_path.read_text(encoding="utf-8"))["gpu"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(told) if told else None
