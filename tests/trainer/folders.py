"""Small picture folders and configurations for the tests of trainer.dataset."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from trainer.config import TrainConfig, parse


def pictures(folder: Path, sizes, caption="1girl, solo", kind="png") -> list[Path]:
    """Pictures p000.png, p001.png ... of these sizes, each with a caption unless it is None."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, size in enumerate(sizes):
        path = folder / f"p{number:03}.{kind}"
        Image.new("RGB", size, (number % 256, 90, 40)).save(path)
        if caption is not None:
            path.with_suffix(".txt").write_text(caption, encoding="utf-8")
        made.append(path)
    return made


def config(root: Path | None, **changes) -> TrainConfig:
    """A run on `root` at 512 with buckets and .txt captions."""
    values = {
        "pretrained_model_name_or_path": "base.safetensors", "network_module": "networks.lora", "output_dir": "output",
        "train_data_dir": None if root is None else str(root), "resolution": "512",
        "enable_bucket": True, "caption_extension": ".txt",
    }  # fmt: skip
    return parse({**values, **changes}).config
