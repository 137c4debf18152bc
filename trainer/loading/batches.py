"""Which pictures go into which batch: a function of (examples, seed, epoch), nothing else. LIGHT.

Counts and mixing as in kohya-ss/sd-scripts; the order itself is drawn anew, so that any epoch can be made alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trainer.dataset.buckets import Size
from trainer.dataset.scan import Example
from trainer.seeds import python_random


@dataclass(frozen=True)
class BatchPlan:
    """One batch: the size that all its pictures have, and their Example.index. One picture may stand twice in it."""

    bucket: Size
    indices: tuple[int, ...]


def plan(examples: Iterable[Example], batch_sizes: int | Sequence[int], seed: int, epoch: int) -> list[BatchPlan]:
    """The batches of one epoch, in order. Every example comes `repeats` times; a batch never mixes buckets or sets.

    batch_sizes: one for all, or that of each data set by Example.group. The last batch of a bucket may be short. epoch
    counts from 1.
    """
    rng = python_random(seed, "order", epoch)
    batches = []
    for (group, bucket), indices in by_bucket(examples).items():
        rng.shuffle(indices)
        size = _batch_size(batch_sizes, group)
        batches += [BatchPlan(bucket, tuple(indices[start : start + size])) for start in range(0, len(indices), size)]
    rng.shuffle(batches)
    return batches


def by_bucket(examples: Iterable[Example]) -> dict[tuple[int, Size], list[int]]:
    """(data set, bucket) -> Example.index, each as often as it repeats; sorted by data set, width, height."""
    found: dict[tuple[int, Size], list[int]] = {}
    for example in examples:
        found.setdefault((example.group, example.bucket), []).extend([example.index] * example.repeats)
    return dict(sorted(found.items()))


def bucket_counts(examples: Iterable[Example]) -> dict[Size, int]:
    """Bucket -> pictures an epoch shows at it, repeats included, over all data sets; sorted by width, height."""
    found: Counter[Size] = Counter()
    for example in examples:
        found[example.bucket] += example.repeats
    return dict(sorted(found.items()))


def count_batches(examples: Iterable[Example], batch_sizes: int | Sequence[int]) -> int:
    """How many batches an epoch has: per data set and bucket, the pictures with repeats divided by the batch size,
    rounded up."""
    found: Counter[tuple[int, Size]] = Counter()
    for example in examples:
        found[example.group, example.bucket] += example.repeats
    return sum(-(-count // _batch_size(batch_sizes, group)) for (group, _), count in found.items())


def _batch_size(batch_sizes: int | Sequence[int], group: int) -> int:
    return batch_sizes if isinstance(batch_sizes, int) else batch_sizes[group]
