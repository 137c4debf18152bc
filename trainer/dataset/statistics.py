"""What a LoRA's metadata tells about its data set: folders, tags, buckets (KOHYA_COMPAT 8.3). LIGHT."""

from __future__ import annotations

from collections import Counter
from typing import Any

from trainer.dataset import captions
from trainer.dataset.scan import Dataset
from trainer.loading.batches import bucket_counts


def folder_counts(dataset: Dataset, is_reg: bool) -> dict[str, dict[str, int]]:
    """ss_dataset_dirs, or ss_reg_dataset_dirs: {"10_x": {"n_repeats": 10, "img_count": 15}}."""
    return {
        folder.name: {"n_repeats": folder.repeats, "img_count": folder.images}
        for folder in dataset.folders
        if folder.is_reg == is_reg
    }


def tag_frequency(dataset: Dataset) -> dict[str, dict[str, int]]:
    """ss_tag_frequency: {"10_x": {"red hair": 12}}: tags in lower case, each picture once, all folders."""
    counts: dict[str, Counter[str]] = {}
    for example in (*dataset.examples, *dataset.validation):
        tags = counts.setdefault(dataset.folders[example.folder].name, Counter())
        tags.update(tag.lower() for tag in captions.split(example.caption))
    return {name: dict(tags) for name, tags in counts.items()}


def bucket_info(dataset: Dataset) -> dict[str, Any]:
    """ss_bucket_info: sizes with counts (repeats included), and how far bucket shapes are from pictures' shapes."""
    buckets = {
        str(number): {"resolution": list(bucket), "count": count}
        for number, (bucket, count) in enumerate(bucket_counts(dataset.examples).items())
    }
    errors = [abs(example.choice.ar_error) for example in dataset.examples]
    return {"buckets": buckets, "mean_img_ar_error": sum(errors) / len(errors) if errors else 0.0}
