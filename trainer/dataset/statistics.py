"""What a LoRA's metadata tells about its data set: folders, tags, buckets (KOHYA_COMPAT 8.3). LIGHT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from trainer.dataset import captions
from trainer.dataset.folders import Folder
from trainer.dataset.scan import Dataset, Example
from trainer.loading.batches import bucket_counts

OF_A_FOLDER = ("color_aug", "flip_aug", "random_crop")
OF_ITS_CAPTIONS = (
    "shuffle_caption", "keep_tokens", "keep_tokens_separator", "secondary_separator", "enable_wildcard",
    "caption_prefix", "caption_suffix",
)  # fmt: skip


def folder_counts(dataset: Dataset, is_reg: bool) -> dict[str, dict[str, int]]:
    """ss_dataset_dirs, or ss_reg_dataset_dirs: {"10_x": {"n_repeats": 10, "img_count": 15}}."""
    return {
        name: {"n_repeats": folder.repeats, "img_count": folder.images}
        for name, folder in zip(_names(dataset), dataset.folders, strict=True)
        if folder.is_reg == is_reg
    }


def tag_frequency(dataset: Dataset) -> dict[str, dict[str, int]]:
    """ss_tag_frequency: {"10_x": {"red hair": 12}}: tags in lower case, each picture once, all folders."""
    return _tag_frequency(dataset, (*dataset.examples, *dataset.validation))


def bucket_info(dataset: Dataset) -> dict[str, Any]:
    """ss_bucket_info: sizes with counts (repeats included), and how far bucket shapes are from pictures' shapes."""
    return _bucket_info(dataset.examples)


def listed(dataset: Dataset) -> list[dict[str, Any]] | None:
    """ss_datasets: each data set with its folders, where any folder is listed; None where all are N_name folders."""
    if all(folder.owner.subset is None for folder in dataset.folders):
        return None
    found = []
    for group, options in enumerate(dataset.groups):
        folders = [folder for folder in dataset.folders if folder.group == group]
        examples = [example for example in dataset.examples if example.group == group]
        held_out = [example for example in dataset.validation if example.group == group]
        if not folders:
            continue
        found.append({
            "is_dreambooth": all(folder.metadata_file is None for folder in folders),
            "batch_size_per_device": options.train_batch_size,
            "num_train_images": sum(example.repeats for example in examples if not example.is_reg),
            "num_reg_images": sum(folder.repeats * folder.images for folder in folders if folder.is_reg),
            "resolution": list(options.resolution or ()), "enable_bucket": options.enable_bucket,
            "min_bucket_reso": options.min_bucket_reso, "max_bucket_reso": options.max_bucket_reso,
            "tag_frequency": _tag_frequency(dataset, (*examples, *held_out)),
            "bucket_info": _bucket_info(examples) if options.enable_bucket else None,
            "resize_interpolation": options.resize_interpolation, "subsets": [_subset(folder) for folder in folders],
        })  # fmt: skip
    return found


def _subset(folder: Folder) -> dict[str, Any]:
    """One folder of ss_datasets: its options, and its class or the file of its captions."""
    told: dict[str, Any] = {"img_count": folder.images, "num_repeats": folder.repeats}
    told |= {name: getattr(folder.options, name) for name in OF_A_FOLDER}
    told |= {name: getattr(folder.captions, name) for name in OF_ITS_CAPTIONS}
    told["resize_interpolation"] = folder.options.resize_interpolation
    if folder.metadata_file is not None:
        return {**told, "metadata_file": folder.metadata_file.name}
    return {**told, "image_dir": folder.name, "class_tokens": folder.class_tokens, "is_reg": folder.is_reg}


def _names(dataset: Dataset) -> list[str]:
    """The name of each folder; one that another folder has already gets " (2)" behind it."""
    seen: Counter[str] = Counter()
    names = []
    for folder in dataset.folders:
        seen[folder.name] += 1
        names.append(folder.name if seen[folder.name] == 1 else f"{folder.name} ({seen[folder.name]})")
    return names


def _tag_frequency(dataset: Dataset, examples: Iterable[Example]) -> dict[str, dict[str, int]]:
    names = _names(dataset)
    counts: dict[str, Counter[str]] = {}
    for example in examples:
        tags = counts.setdefault(names[example.folder], Counter())
        tags.update(tag.lower() for tag in captions.split(example.caption if example.tags is None else example.tags))
    return {name: dict(tags) for name, tags in counts.items()}


def _bucket_info(examples: Sequence[Example]) -> dict[str, Any]:
    buckets = {
        str(number): {"resolution": list(bucket), "count": count}
        for number, (bucket, count) in enumerate(bucket_counts(examples).items())
    }
    errors = [abs(example.choice.ar_error) for example in examples]
    return {"buckets": buckets, "mean_img_ar_error": sum(errors) / len(errors) if errors else 0.0}
