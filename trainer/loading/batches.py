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
    return [batch for (batch,) in deal(examples, batch_sizes, seed, epoch, 1)]


def deal(
    examples: Iterable[Example], batch_sizes: int | Sequence[int], seed: int, epoch: int, processes: int
) -> list[tuple[BatchPlan, ...]]:
    """The batches of one epoch for several processes: what they train at the same time, one batch each.

    ceil(batches / processes) of them (KOHYA_COMPAT 2.7). Batches of one bucket go together, so that n processes train
    what one would with n times the batch size; what is left over of the buckets is put together. The last has fewer
    batches than processes when the numbers do not divide: then some processes wait, and no picture comes twice.
    """
    rng = python_random(seed, "order", epoch)
    dealt: list[tuple[BatchPlan, ...]] = []
    left: list[BatchPlan] = []
    for (group, bucket), indices in by_bucket(examples).items():
        rng.shuffle(indices)
        size = _batch_size(batch_sizes, group)
        batches = [BatchPlan(bucket, tuple(indices[start : start + size])) for start in range(0, len(indices), size)]
        whole = len(batches) // processes * processes
        dealt += [tuple(batches[start : start + processes]) for start in range(0, whole, processes)]
        left += batches[whole:]
    dealt += [tuple(left[start : start + processes]) for start in range(0, len(left), processes)]
    rng.shuffle(dealt)
    return dealt


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
