"""The batch plan: counts, mixing, and that it is a function of its arguments."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trainer.dataset.buckets import BucketChoice
from trainer.dataset.scan import Example
from trainer.loading.batches import by_bucket, count_batches, plan

BUCKETS = [(512, 512), (448, 576), (576, 448)]


def example(index, bucket, repeats):
    return Example(
        index, Path(f"{index}.png"), "", True, bucket, BucketChoice(bucket, bucket, 0.0), repeats, 1.0, False, 0
    )


def examples_of(rows):
    return [example(index, BUCKETS[bucket], repeats) for index, (bucket, repeats) in enumerate(rows)]


sets = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6)), min_size=1, max_size=12).map(examples_of)


def test_batches_of_the_published_lora():
    counts = [30, 95, 50, 20, 5]  # KOHYA_COMPAT section 2.7: 40 images x 5, batch 2 -> 101 batches
    buckets = [(512 + 64 * place, 512) for place in range(5)]
    examples = [
        example(place, bucket, count) for place, (bucket, count) in enumerate(zip(buckets, counts, strict=True))
    ]
    assert count_batches(examples, 2) == 101
    assert len(plan(examples, 2, seed=1, epoch=1)) == 101


def test_batches_with_regularisation_pictures():
    examples = [example(i, (512 + 64 * i, 512), count) for i, count in enumerate([3, 3, 18, 6])]
    assert count_batches(examples, 2) == 16  # KOHYA_COMPAT section 13, item 4


@given(sets, st.integers(1, 7), st.integers(0, 2**31), st.integers(1, 50))
def test_every_picture_comes_as_often_as_it_repeats(examples, batch_size, seed, epoch):
    made = plan(examples, batch_size, seed, epoch)
    assert Counter(index for batch in made for index in batch.indices) == {e.index: e.repeats for e in examples}
    assert len(made) == count_batches(examples, batch_size)


@given(sets, st.integers(1, 7), st.integers(0, 2**31))
def test_no_batch_mixes_buckets_and_only_one_a_bucket_is_short(examples, batch_size, seed):
    made = plan(examples, batch_size, seed, 1)
    assert all(examples[index].bucket == batch.bucket for batch in made for index in batch.indices)
    short = Counter(batch.bucket for batch in made if len(batch.indices) < batch_size)
    assert all(count == 1 for count in short.values())


@given(sets, st.integers(1, 7), st.integers(0, 2**31), st.integers(1, 50))
def test_the_same_arguments_give_the_same_plan(examples, batch_size, seed, epoch):
    assert plan(examples, batch_size, seed, epoch) == plan(examples, batch_size, seed, epoch)


def test_epochs_and_seeds_differ():
    examples = examples_of([(0, 3)] * 12)
    plans = {tuple(plan(examples, 2, seed, epoch)) for seed, epoch in ((0, 1), (0, 2), (1, 1))}
    assert len(plans) == 3


def test_buckets_come_in_the_order_of_their_sides():
    assert list(by_bucket(examples_of([(2, 1), (0, 1), (1, 1)]))) == [
        (0, (448, 576)), (0, (512, 512)), (0, (576, 448)),
    ]  # fmt: skip
