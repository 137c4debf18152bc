"""Latents: kept ones are a function of the picture's content, damaged ones are made anew, bad pictures are named."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from trainer.loading.latents import (
    DirectLatents,
    FolderStore,
    Latents,
    LatentsError,
    Use,
    as_pixels,
    cache_latents,
    fingerprint,
    in_order,
    tried_latents,
)
from trainer.loading.pixels import Item, Loaded, Read, load


class Encoder:
    """Stands for a VAE: latents are block means of red, plus a draw of the picture's generator. Keeps how many it took
    at a time."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    @property
    def pictures(self) -> int:
        return sum(self.calls)

    def __call__(self, pixels: Tensor, generator: Sequence[torch.Generator]) -> Tensor:
        self.calls.append(len(pixels))
        mean = torch.nn.functional.avg_pool2d(pixels[:, :1], 8).expand(-1, 4, -1, -1)
        return mean + torch.stack([torch.randn(mean.shape[1:], generator=one) for one in generator]) * 0.01


def read(item: Item, rng: Random | None = None) -> Loaded:
    with Image.open(item.path) as picture:
        return Loaded(np.asarray(picture.convert("RGB").resize(item.bucket)))


def uses(*numbers: int, key: int = 0) -> list[Use]:
    return [Use(number, key=(key, slot)) for slot, number in enumerate(numbers)]


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    found = []
    for number, size in enumerate([(64, 64), (64, 64), (128, 64)]):
        path = tmp_path / f"{number}.png"
        gradient = np.linspace(0, 80 * number + 60, size[0]).astype(np.uint8)
        Image.fromarray(np.stack([np.tile(gradient, (size[1], 1))] * 3, axis=-1)).save(path)
        found.append(Item(path, size, size))
    return found


def test_latents_have_the_shape_of_the_bucket_and_do_not_depend_on_the_batch(items):
    one = cache_latents(items, read, Encoder(), "vae", batch_size=1)
    many = cache_latents(items[::-1], read, Encoder(), "vae", batch_size=8)
    assert one.kept(2).latents.shape == (4, 8, 16)
    assert torch.equal(one.kept(0).latents, many.kept(2).latents)


@pytest.mark.parametrize(("batch_size", "calls"), [(1, [1, 1, 1]), (2, [1, 2]), (8, [1, 2])])
def test_at_most_a_batch_of_one_bucket_is_encoded_at_a_time_the_largest_first(items, batch_size, calls):
    encoder = Encoder()
    cache_latents(items, read, encoder, "vae", batch_size=batch_size)
    assert encoder.calls == calls


def test_a_second_run_takes_the_kept_files_and_encodes_nothing(items, tmp_path):
    first = cache_latents(items, read, Encoder(), "vae", store=FolderStore(tmp_path / "cache"))
    encoder = Encoder()
    second = cache_latents(items, read, encoder, "vae", store=FolderStore(tmp_path / "cache"))
    assert encoder.pictures == 0
    assert torch.equal(first.kept(1).latents, second.kept(1).latents)


def test_memory_and_disk_give_the_same_latents(items, tmp_path):
    memory = cache_latents(items, read, Encoder(), "vae")
    disk = cache_latents(items, read, Encoder(), "vae", store=FolderStore(tmp_path / "cache"))
    assert torch.equal(memory.batch(uses(0, 1)).latents, disk.batch(uses(0, 1)).latents)


def test_a_changed_picture_is_encoded_anew_and_a_renamed_one_is_not(items, tmp_path):
    cache_latents(items, read, Encoder(), "vae", store=FolderStore(tmp_path / "cache"))
    Image.new("RGB", (64, 64), "red").save(items[0].path)
    renamed = items[1].path.rename(tmp_path / "other name.png")
    encoder = Encoder()
    cache_latents(
        [items[0], Item(renamed, (64, 64), (64, 64))], read, encoder, "vae", store=FolderStore(tmp_path / "cache")
    )
    assert encoder.pictures == 1


@pytest.mark.parametrize(
    "other",
    [{"bucket": (64, 128)}, {"resized": (70, 64)}, {"interpolation": "lanczos"}],
    ids=["bucket", "resize", "filter"],
)
def test_other_sizes_are_other_latents(items, tmp_path, other):
    cache_latents(items[:1], read, Encoder(), "vae", store=FolderStore(tmp_path / "cache"))
    encoder = Encoder()
    changed = Item(**{"path": items[0].path, "bucket": (64, 64), "resized": (64, 64), **other})
    cache_latents([changed], read, encoder, "vae", store=FolderStore(tmp_path / "cache"))
    assert encoder.pictures == 1


def test_another_vae_is_another_cache(items, tmp_path):
    cache_latents(items, read, Encoder(), "vae one", store=FolderStore(tmp_path / "cache"))
    encoder = Encoder()
    cache_latents(items, read, encoder, "vae two", store=FolderStore(tmp_path / "cache"))
    assert encoder.pictures == 3


@pytest.mark.parametrize("content", [b"", b"garbage" * 99], ids=["empty", "garbage"])
def test_damaged_kept_files_are_made_anew_with_a_word(items, tmp_path, content):
    first = cache_latents(items, read, Encoder(), "vae", store=FolderStore(tmp_path / "cache"))
    victim = sorted((tmp_path / "cache").rglob("*.safetensors"))[0]
    victim.write_bytes(content)
    said: list[str] = []
    encoder = Encoder()
    second = cache_latents(items, read, encoder, "vae", store=FolderStore(tmp_path / "cache"), warn=said.append)
    assert encoder.pictures == 1
    assert "damaged and are made anew" in said[0]
    assert torch.equal(first.kept(0).latents, second.kept(0).latents)


def test_the_mirrored_picture_has_its_own_latents(items):
    cached = cache_latents(items[:1], read, Encoder(), "vae", flip=True)
    plain, mirrored = cached.kept(0).latents, cached.kept(0, mirrored=True).latents
    assert plain[0, 0, 0] < plain[0, 0, -1]  # the drawn gradient grows to the right
    assert mirrored[0, 0, 0] > mirrored[0, 0, -1]


def kept_once(items: Sequence[Item], reading: Read = read, **options) -> Latents:
    return cache_latents(items, reading, Encoder(), "vae", flip=True, **options)


def made_anew(items: Sequence[Item], reading: Read = read, **options) -> Latents:
    return tried_latents(items, reading, Encoder(), 0, 2, **options)


@pytest.mark.parametrize("make", [kept_once, made_anew])
def test_a_bad_picture_is_named_and_left_out_and_the_rest_goes_on(items, make):
    items[1].path.write_bytes(b"not a picture")
    said: list[str] = []
    made = make(items, warn=said.append)
    assert list(made.skipped) == [1]
    assert len(said) == 1
    assert "1.png" in said[0] and "left out" in said[0]
    assert made.batch(uses(2)).latents.shape == (1, 4, 8, 16)
    made.close()


@pytest.mark.parametrize("make", [kept_once, made_anew])
def test_no_usable_picture_is_an_error_that_names_the_first(items, make):
    for item in items:
        item.path.write_bytes(b"not a picture")
    with pytest.raises(LatentsError, match=r"none of the 3 pictures can be used.*0\.png"):
        make(items)


@pytest.mark.parametrize("make", [kept_once, made_anew])
def test_pictures_that_are_transparent_all_over_are_told_once_with_their_number(items, make):
    for item in items[:2]:
        Image.new("RGBA", item.bucket, (255, 0, 0, 0)).save(item.path)
    said: list[str] = []
    make(items, reading=load, warn=said.append)
    assert said == ["2 pictures are transparent all over (0.png, 1.png) and train as white; replace or remove them"]


def test_a_missing_picture_is_named(items):
    items[0].path.unlink()
    assert "cannot be read" in cache_latents(items, read, Encoder(), "vae").skipped[0]


def test_nan_names_the_picture_and_the_cure(items):
    def broken(pixels: Tensor, generator: Sequence[torch.Generator]) -> Tensor:
        return torch.full((len(pixels), 4, 8, 8), float("nan"))

    with pytest.raises(LatentsError, match=r"0\.png becomes NaN.*choose another one under vae"):
        cache_latents(items[:1], read, broken, "vae")


@pytest.mark.parametrize(("make", "total"), [(kept_once, 6), (made_anew, 3)])
def test_progress_ends_at_the_total(items, make, total):
    seen: list[tuple[int, int]] = []
    make(items, progress=lambda done, total: seen.append((done, total)))
    assert (seen[0], seen[-1]) == ((0, total), (total, total))


def test_progress_of_kept_latents_counts_what_is_kept_already(items):
    seen: list[tuple[int, int]] = []
    cache_latents(items, read, Encoder(), "vae", flip=True, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


def test_trusted_dates_do_not_read_the_picture(items, tmp_path):
    cache_latents(items[:1], read, Encoder(), "vae", store=FolderStore(tmp_path / "cache"), trust_dates=True)
    encoder = Encoder()
    cache_latents(items[:1], read, encoder, "vae", store=FolderStore(tmp_path / "cache"), trust_dates=True)
    assert encoder.pictures == 0


def test_uncached_latents_depend_on_the_seed_and_the_key_of_their_use(items):
    direct = DirectLatents(items, read, Encoder(), seed=1)
    first = direct.batch(uses(0, 1, key=5)).latents
    assert torch.equal(first, direct.batch(uses(0, 1, key=5)).latents)
    assert not torch.equal(first, direct.batch(uses(0, 1, key=6)).latents)
    assert not torch.equal(first, DirectLatents(items, read, Encoder(), seed=2).batch(uses(0, 1, key=5)).latents)


def test_reading_ahead_gives_the_same_latents_also_when_the_plan_is_left(items):
    plan = [uses(2), uses(0, 1), uses(1), uses(0)]
    direct = DirectLatents(items, read, Encoder())
    direct.expect(plan)
    for batch in (plan[0], plan[1], plan[3], plan[2]):
        assert torch.equal(direct.batch(batch).latents, DirectLatents(items, read, Encoder()).batch(batch).latents)
    direct.close()


@pytest.mark.parametrize("workers", [0, 3])
def test_as_many_threads_read_ahead_as_wanted_and_0_reads_in_the_training_thread(items, workers):
    meeting = threading.Barrier(workers, timeout=20) if workers else None
    readers = []

    def reading(item: Item, rng: Random | None = None) -> Loaded:
        readers.append(threading.current_thread())
        if meeting is not None:
            meeting.wait()  # passes only when all of them are reading
        return read(item, rng)

    direct = DirectLatents(items, reading, Encoder(), workers=workers)
    plan = [uses(0), uses(1), uses(2)]
    direct.expect(plan)
    for batch in plan:
        direct.batch(batch)
    direct.close()
    assert len(set(readers)) == max(workers, 1)
    assert (threading.current_thread() in readers) is (workers == 0)


def test_a_validation_between_two_steps_does_not_end_the_reading_ahead(items):
    asked = []

    def reading(item: Item, rng: Random | None = None) -> Loaded:
        asked.append(item.path.stem)
        return read(item, rng)

    direct = DirectLatents(items, reading, Encoder())
    direct.expect([uses(0), uses(1)])
    for batch in (uses(0), uses(2), uses(1)):
        direct.batch(batch)
    direct.close()
    assert sorted(asked) == ["0", "1", "2"]


def test_an_uncached_picture_that_vanishes_is_named(items):
    direct = DirectLatents(items, read, Encoder())
    items[1].path.unlink()
    with pytest.raises(LatentsError, match=r"1\.png cannot be read any more"):
        direct.batch(uses(0, 1))


def masked(item: Item, rng: Random | None = None) -> Loaded:
    """The right half of the first picture counts; the others have no mask."""
    mask = np.repeat([[0.0] * 32 + [1.0] * 32], 64, axis=0).astype(np.float32) if item.path.stem == "0" else None
    return Loaded(read(item).pixels, mask)


@pytest.mark.parametrize("kind", ["memory", "disk", "direct"])
def test_masks_come_with_latents_at_their_size_mirrored_with_them_and_ones_for_the_rest(items, tmp_path, kind):
    if kind == "direct":
        latents = DirectLatents(items, masked, Encoder())
    else:
        store = FolderStore(tmp_path / "cache") if kind == "disk" else None
        latents = cache_latents(items, masked, Encoder(), "vae", flip=True, store=store)
    masks = latents.batch([Use(0), Use(0, mirrored=True), Use(1)]).masks
    assert masks.shape == (3, 1, 8, 8)
    assert masks[0, 0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert masks[1, 0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert masks[2].min() == 1
    assert latents.batch([Use(1)]).masks is None


def test_a_changed_mask_or_the_alpha_option_is_another_cache(items, tmp_path):
    item = Item(items[0].path, (64, 64), (64, 64), mask=tmp_path / "mask.png")
    for content, count in ((b"one", 1), (b"two", 1), (b"two", 0)):
        item.mask.write_bytes(content)
        encoder = Encoder()
        cache_latents([item], read, encoder, "vae", store=FolderStore(tmp_path / "cache"))
        assert encoder.pictures == count
    encoder = Encoder()
    cache_latents([Item(items[0].path, (64, 64), (64, 64), alpha=True)], read, encoder, "vae",
                  store=FolderStore(tmp_path / "cache"))  # fmt: skip
    assert encoder.pictures == 1


def test_results_come_in_order_and_closing_ends_the_threads():
    results = in_order(range(100), lambda number: number * 2, workers=3, ahead=5)
    assert [next(results) for _ in range(4)] == [0, 2, 4, 6]
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading")]


def test_an_error_is_raised_when_its_turn_comes():
    def work(number: int) -> float:
        return 1 / (number - 2)

    results = in_order(range(5), work)
    assert next(results) == -0.5
    assert next(results) == -1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_the_fingerprint_changes_with_weights_and_format():
    module = torch.nn.Linear(3, 3)
    first = fingerprint(module)
    assert fingerprint(module.half()) != first
    assert fingerprint(torch.nn.Linear(3, 3)) != first


def test_black_and_white_become_minus_one_and_one():
    pixels = as_pixels([np.array([[[0, 255, 0]]], dtype=np.uint8)])
    assert pixels.shape == (1, 3, 1, 1)
    assert pixels.flatten().tolist() == [-1, 1, -1]


def test_only_pictures_that_may_be_mirrored_are_encoded_twice(items):
    encoder = Encoder()
    cached = cache_latents(items, read, encoder, "vae", flip=[True, False, False])
    assert encoder.pictures == 4
    assert cached.kept(0, mirrored=True).latents.shape == (4, 8, 8)
