"""A working folder for whole runs of the real trainer on a tiny model."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from PIL import Image

from trainer.__main__ import main
from trainer.events import follow

DEFAULTS: dict[str, object] = {
    "pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": 64,
    "enable_bucket": True,
    "min_bucket_reso": 64, "max_bucket_reso": 128, "caption_extension": ".txt", "network_dim": 2, "network_alpha": 2,
    "unet_lr": 1e-2, "text_encoder_lr": 1e-3, "max_train_epochs": 2, "train_batch_size": 2, "shuffle_caption": True,
    "seed": 7,
    "output_name": "t", "cache_latents": True,
}  # fmt: skip


class Place:
    """A working folder with a base model and five captioned pictures."""

    def __init__(self, root: Path, base: Path) -> None:
        self.root = root
        os.link(base, root / "base.safetensors")
        folder = root / "train" / "1_cat"
        folder.mkdir(parents=True)
        rng = random.Random(0)
        for number in range(5):
            picture = Image.effect_noise((64 if number < 3 else 96, 64), 60).convert("RGB")
            picture.putpixel((0, 0), (rng.randrange(256), 0, 0))
            picture.save(folder / f"{number}.png")
            (folder / f"{number}.txt").write_text(f"cat, red, tag {number}", encoding="utf-8")

    def config(self, **values: object) -> str:
        chosen = {**DEFAULTS, **values}
        lines = [f"{name} = {json.dumps(value)}" for name, value in chosen.items() if value is not None]
        (self.root / "run.toml").write_text("\n".join(lines), encoding="utf-8")
        return "run.toml"

    def train(self, job: str = "job", **values: object) -> int:
        return main(["train", self.config(**values), "--job", job])

    def events(self, job: str = "job") -> list[dict[str, Any]]:
        return follow(self.root / job / "events.jsonl")[0]

    def weights(self, name: str = "t") -> dict[str, torch.Tensor]:
        return safetensors.torch.load_file(self.root / "output" / f"{name}.safetensors")

    def losses(self, job: str = "job") -> list[float]:
        return [event["loss"] for event in self.events(job) if event["event"] == "step"]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
