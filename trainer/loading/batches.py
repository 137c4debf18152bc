"""Which pictures go into which batch: a function of (examples, seed, epoch), nothing else. LIGHT.

Counts and mixing as in kohya-ss/sd-scripts; the order itself is drawn anew, so that any epoch can be made alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from trainer.dataset.buckets import Size
from trainer.dataset.scan import Example
from trainer.seeds import python_random


@dataclass(frozen=True)
class BatchPlan:
    """One batch: the size that all its pictures have, and their Example.index. One picture may stand twice in it."""

    bucket: Size
    indices: tuple[int, ...]


def plan(examples: Iterable[Example], batch_size: int, seed: int, epoch: int) -> list[BatchPlan]:
    """The batches of one epoch, in order. Every example comes `repeats` times; a batch never mixes buckets.

    The last batch of a bucket may be short. epoch counts from 1.
    """
    rng = python_random(seed, "order", epoch)
    batches = []
    for bucket, indices in by_bucket(examples).items():
        rng.shuffle(indices)
        batches += [
            BatchPlan(bucket, tuple(indices[start : start + batch_size]))
            for start in range(0, len(indices), batch_size)
        ]
    rng.shuffle(batches)
    return batches


def by_bucket(examples: Iterable[Example]) -> dict[Size, list[int]]:
    """Bucket -> Example.index, each as often as it repeats; buckets sorted by width, height."""
    found: dict[Size, list[int]] = {}
    for example in examples:
        found.setdefault(example.bucket, []).extend([example.index] * example.repeats)
    return dict(sorted(found.items()))


def bucket_counts(examples: Iterable[Example]) -> dict[Size, int]:
    """Bucket -> pictures an epoch shows at it, repeats included; buckets sorted by width, height."""
    found: Counter[Size] = Counter()
    for example in examples:
        found[example.bucket] += example.repeats
    return dict(sorted(found.items()))


def count_batches(examples: Iterable[Example], batch_size: int) -> int:
    """How many batches an epoch has: per bucket, the pictures with repeats divided by the batch size, rounded up."""
    return sum(-(-count // batch_size) for count in bucket_counts(examples).values())
