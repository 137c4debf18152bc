"""Latents: kept ones are a function of the picture's content, damaged ones are made anew, bad pictures are named."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from trainer import seeds
from trainer.loading.latents import (
    DirectLatents,
    Item,
    LatentsError,
    as_pixels,
    cache_latents,
    fingerprint,
    in_order,
)


class Encoder:
    """Stands for a VAE: latents are block means of red, plus a draw from the picture's generator; counts calls."""

    def __init__(self) -> None:
        self.pictures = 0

    def __call__(self, pixels: Tensor, generator: Sequence[torch.Generator]) -> Tensor:
        self.pictures += len(pixels)
        mean = torch.nn.functional.avg_pool2d(pixels[:, :1], 8).expand(-1, 4, -1, -1)
        return mean + torch.stack([torch.randn(mean.shape[1:], generator=one) for one in generator]) * 0.01


def read(item: Item) -> np.ndarray:
    with Image.open(item.path) as picture:
        return np.asarray(picture.convert("RGB").resize(item.bucket))


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
    assert one.latents(2).shape == (4, 8, 16)
    assert torch.equal(one.latents(0), many.latents(2))


def test_a_second_run_takes_the_kept_files_and_encodes_nothing(items, tmp_path):
    first = cache_latents(items, read, Encoder(), "vae", folder=tmp_path / "cache")
    encoder = Encoder()
    second = cache_latents(items, read, encoder, "vae", folder=tmp_path / "cache")
    assert encoder.pictures == 0
    assert torch.equal(first.latents(1), second.latents(1))


def test_memory_and_disk_give_the_same_latents(items, tmp_path):
    memory = cache_latents(items, read, Encoder(), "vae")
    disk = cache_latents(items, read, Encoder(), "vae", folder=tmp_path / "cache")
    assert torch.equal(memory.batch([0, 1], [False, False], []), disk.batch([0, 1], [False, False], []))


def test_a_changed_picture_is_encoded_anew_and_a_renamed_one_is_not(items, tmp_path):
    cache_latents(items, read, Encoder(), "vae", folder=tmp_path / "cache")
    Image.new("RGB", (64, 64), "red").save(items[0].path)
    renamed = items[1].path.rename(tmp_path / "other name.png")
    encoder = Encoder()
    cache_latents([items[0], Item(renamed, (64, 64), (64, 64))], read, encoder, "vae", folder=tmp_path / "cache")
    assert encoder.pictures == 1


@pytest.mark.parametrize(
    "other", [{"bucket": (64, 128)}, {"resized": (70, 64)}, {"details": "lanczos"}], ids=["bucket", "resize", "details"]
)
def test_other_sizes_are_other_latents(items, tmp_path, other):
    cache_latents(items[:1], read, Encoder(), "vae", folder=tmp_path / "cache")
    encoder = Encoder()
    changed = Item(**{"path": items[0].path, "bucket": (64, 64), "resized": (64, 64), **other})
    cache_latents([changed], read, encoder, "vae", folder=tmp_path / "cache")
    assert encoder.pictures == 1


def test_another_vae_is_another_cache(items, tmp_path):
    cache_latents(items, read, Encoder(), "vae one", folder=tmp_path / "cache")
    encoder = Encoder()
    cache_latents(items, read, encoder, "vae two", folder=tmp_path / "cache")
    assert encoder.pictures == 3


@pytest.mark.parametrize("content", [b"", b"garbage" * 99], ids=["empty", "garbage"])
def test_damaged_kept_files_are_made_anew_with_a_word(items, tmp_path, content):
    first = cache_latents(items, read, Encoder(), "vae", folder=tmp_path / "cache")
    victim = sorted((tmp_path / "cache").rglob("*.safetensors"))[0]
    victim.write_bytes(content)
    said: list[str] = []
    encoder = Encoder()
    second = cache_latents(items, read, encoder, "vae", folder=tmp_path / "cache", warn=said.append)
    assert encoder.pictures == 1
    assert "damaged and are made anew" in said[0]
    assert torch.equal(first.latents(0), second.latents(0))


def test_the_mirrored_picture_has_its_own_latents(items):
    cached = cache_latents(items[:1], read, Encoder(), "vae", flip=True)
    plain, mirrored = cached.latents(0), cached.latents(0, flipped=True)
    assert plain[0, 0, 0] < plain[0, 0, -1]  # the drawn gradient grows to the right
    assert mirrored[0, 0, 0] > mirrored[0, 0, -1]


def test_a_bad_picture_is_named_and_left_out_and_the_rest_goes_on(items):
    items[1].path.write_bytes(b"not a picture")
    said: list[str] = []
    cached = cache_latents(items, read, Encoder(), "vae", flip=True, warn=said.append)
    assert list(cached.skipped) == [1]
    assert len(said) == 1
    assert "1.png" in said[0] and "left out" in said[0]
    assert cached.latents(2).shape == (4, 8, 16)


def test_no_usable_picture_is_an_error_that_names_the_first(items):
    for item in items:
        item.path.write_bytes(b"not a picture")
    with pytest.raises(LatentsError, match=r"none of the 3 pictures can be used.*0\.png"):
        cache_latents(items, read, Encoder(), "vae")


def test_a_missing_picture_is_named(items):
    items[0].path.unlink()
    assert "cannot be read" in cache_latents(items, read, Encoder(), "vae").skipped[0]


def test_nan_names_the_picture_and_the_cure(items):
    def broken(pixels: Tensor, generator: Sequence[torch.Generator]) -> Tensor:
        return torch.full((len(pixels), 4, 8, 8), float("nan"))

    with pytest.raises(LatentsError, match=r"0\.png becomes NaN.*choose another one under vae"):
        cache_latents(items[:1], read, broken, "vae")


def test_progress_ends_at_the_total(items):
    seen: list[tuple[int, int]] = []
    cache_latents(items, read, Encoder(), "vae", flip=True, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


def test_trusted_dates_do_not_read_the_picture(items, tmp_path):
    cache_latents(items[:1], read, Encoder(), "vae", folder=tmp_path / "cache", trust_dates=True)
    encoder = Encoder()
    cache_latents(items[:1], read, encoder, "vae", folder=tmp_path / "cache", trust_dates=True)
    assert encoder.pictures == 0


def test_uncached_latents_follow_the_generators_that_are_given(items):
    direct = DirectLatents(items, read, Encoder())
    first = direct.batch([0, 1], [False, True], [seeds.generator(1, "latent", 5, n) for n in range(2)])
    again = direct.batch([0, 1], [False, True], [seeds.generator(1, "latent", 5, n) for n in range(2)])
    other = direct.batch([0, 1], [False, True], [seeds.generator(1, "latent", 6, n) for n in range(2)])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_reading_ahead_gives_the_same_latents_also_when_the_plan_is_left(items):
    plan = [[2], [0, 1], [1], [0]]
    direct = DirectLatents(items, read, Encoder())
    direct.expect(plan)
    for numbers in ([2], [0, 1], [0], [1]):
        fresh = [torch.Generator().manual_seed(4) for _ in numbers]
        alone = DirectLatents(items, read, Encoder()).batch(numbers, [False] * len(numbers), fresh)
        fresh = [torch.Generator().manual_seed(4) for _ in numbers]
        assert torch.equal(direct.batch(numbers, [False] * len(numbers), fresh), alone)
    direct.close()


def test_an_uncached_picture_that_vanishes_is_named(items):
    direct = DirectLatents(items, read, Encoder())
    items[1].path.unlink()
    with pytest.raises(LatentsError, match=r"0\.png, 1\.png\) cannot be read any more"):
        direct.batch([0, 1], [False, False], [torch.Generator(), torch.Generator()])


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
