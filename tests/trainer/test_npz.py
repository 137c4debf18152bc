"""sd-scripts' latent files: written as it writes them, read in every form it ever wrote, rebuilt when stale."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from test_latents import Encoder, read

from trainer.families.base import Conditioning
from trainer.loading.latents import FolderStore, LatentsError, Use, cache_latents
from trainer.loading.npz import NpzStore
from trainer.loading.pixels import Item, load
from trainer.loading.texts import KeptTexts, write_te_outputs

SCALE = 0.18215


@pytest.fixture
def item(tmp_path: Path) -> Item:
    Image.effect_noise((100, 80), 60).convert("RGB").save(tmp_path / "a.png")
    return Item(tmp_path / "a.png", (64, 64), (80, 64), size=(100, 80))


def cached(item: Item, flip: bool = False, read_picture=load, vae: str = "vae", suffix: str = "_sd"):
    said: list[str] = []
    encoder = Encoder()
    store = NpzStore(suffix, SCALE)
    latents = cache_latents([item], read_picture, encoder, vae, flip=flip, store=store, warn=said.append)
    return latents, encoder.pictures, said


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def current(item: Item, suffix: str = "_sd") -> Path:
    return item.path.with_name(f"a_0100x0080{suffix}.npz")


def test_the_file_has_sd_scripts_name_and_arrays(item):
    latents, _, _ = cached(item, flip=True)
    found = arrays(current(item))
    assert found["latents"].shape == found["latents_flipped"].shape == (4, 8, 8)
    assert found["latents"].dtype == np.float32
    assert found["original_size"].tolist() == [100, 80]
    # fitted inside the square: 64 wide, 51.2 high; (64 - 51.2) // 2 = 6
    assert found["crop_ltrb"].tolist() == pytest.approx([0, 6, 64, 57.2])
    assert torch.equal(latents.kept(0).latents, torch.from_numpy(found["latents"]) * SCALE)
    assert "alpha_mask" not in found


def test_latents_stand_without_the_scale_of_the_vae(item):
    plain = cache_latents([item], load, Encoder(), "vae").kept(0).latents
    cached(item)
    assert np.allclose(arrays(current(item))["latents"], plain.numpy() / SCALE, atol=1e-6)


def test_sdxl_has_files_of_its_own(item):
    cached(item, suffix="_sdxl")
    assert current(item, "_sdxl").exists()
    assert not current(item).exists()


def test_a_second_run_reads_the_file_and_encodes_nothing(item):
    first, count, _ = cached(item, flip=True)
    again, none, said = cached(item, flip=True)
    assert (count, none, said) == (2, 0, [])
    assert torch.equal(first.kept(0, mirrored=True).latents, again.kept(0, mirrored=True).latents)


def test_a_file_of_sd_scripts_without_our_mark_is_read_and_its_missing_half_is_added(item):
    values = np.random.default_rng(0).normal(size=(4, 8, 8)).astype(np.float32)
    np.savez(current(item), latents=values, original_size=np.array([100, 80]), crop_ltrb=np.array([0, 6, 64, 57]),
             somebody=np.arange(3))  # fmt: skip
    latents, count, _ = cached(item)
    assert count == 0
    assert torch.equal(latents.kept(0).latents, torch.from_numpy(values) * SCALE)
    latents, count, _ = cached(item, flip=True)
    assert count == 1
    found = arrays(current(item))
    assert np.array_equal(found["latents"], values)
    assert found["somebody"].tolist() == [0, 1, 2]
    assert torch.equal(latents.kept(0).latents, torch.from_numpy(values) * SCALE)
    assert cached(item, flip=True)[1] == 0


def test_newer_names_with_the_latents_size_are_read(item):
    values = np.ones((4, 8, 8), dtype=np.float32)
    np.savez(current(item), latents_8x8=values, latents_16x16=np.zeros((4, 16, 16), dtype=np.float32))
    latents, count, _ = cached(item)
    assert count == 0
    assert latents.kept(0).latents.unique().tolist() == pytest.approx([SCALE])


def test_the_oldest_files_are_read_with_a_word_on_their_family(item):
    np.savez(item.path.with_suffix(".npz"), np.ones((4, 8, 8), dtype=np.float32))
    np.savez(item.path.with_name("a_flip.npz"), np.zeros((4, 8, 8), dtype=np.float32))
    latents, count, said = cached(item, flip=True)
    assert count == 0
    assert latents.kept(0).latents.max() == pytest.approx(SCALE)
    assert latents.kept(0, mirrored=True).latents.max() == 0
    assert "were read from older .npz files (a.png), which do not say for which kind of model" in said[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (np.ones((4, 16, 8), dtype=np.float32), "are of another size"),
        (np.full((4, 8, 8), np.nan, dtype=np.float32), "are not finite"),
    ],
)
def test_latents_that_do_not_fit_are_made_anew_with_the_reason_and_other_arrays_stay(item, content, reason):
    np.savez(current(item), latents=content, somebody=np.arange(3))
    latents, count, said = cached(item)
    assert count == 1
    assert said == [f"the kept latents of a.png {reason} and are made anew"]
    assert latents.kept(0).latents.shape == (4, 8, 8)
    assert arrays(current(item))["somebody"].tolist() == [0, 1, 2]


def test_a_picture_younger_than_its_file_and_a_changed_picture_are_encoded_anew(item):
    np.savez(current(item), latents=np.ones((4, 8, 8), dtype=np.float32))
    later = current(item).stat().st_mtime + 10
    os.utime(item.path, (later, later))
    assert "are older than their picture" in cached(item)[2][0]
    Image.effect_noise((100, 80), 10).convert("RGB").save(item.path)
    _, count, said = cached(item)
    assert count == 1
    assert "were made from another picture, size or VAE" in said[0]
    assert "were made from another picture, size or VAE" in cached(item, vae="other")[2][0]


def test_a_stale_file_never_leaves_its_mirrored_half_behind(item):
    cached(item, flip=True)
    cached(item, vae="other")
    assert "latents_flipped" not in arrays(current(item))


def test_damaged_files_and_files_with_code_are_never_run_and_made_anew(item):
    np.savez(current(item), latents=np.array([{"a": 1}], dtype=object))
    assert cached(item)[2] == ["the kept latents of a.png were damaged and are made anew"]
    current(item).write_bytes(b"PK garbage")
    assert cached(item)[2] == ["the kept latents of a.png were damaged and are made anew"]


def test_the_alpha_mask_is_kept_at_pixel_size_and_mirrored_when_used(item):
    picture = np.full((80, 100, 4), 255, dtype=np.uint8)
    picture[:, :50, 3] = 0
    Image.fromarray(picture).save(item.path)
    masked = Item(item.path, (64, 64), (80, 64), size=(100, 80), alpha=True)
    latents, _, _ = cached(masked, flip=True)
    assert arrays(current(item))["alpha_mask"].shape == (64, 64)
    masks = latents.batch([Use(0), Use(0, mirrored=True)]).masks
    assert (masks[0, 0, 0, 0], masks[0, 0, 0, -1]) == (0, 1)
    assert torch.equal(masks[1], masks[0].flip(-1))
    assert cached(masked, flip=True)[1] == 0


def test_a_file_without_the_alpha_mask_is_completed(item):
    np.savez(current(item), latents=np.ones((4, 8, 8), np.float32))  # as sd-scripts leaves it without alpha_mask
    masked = Item(item.path, (64, 64), (80, 64), size=(100, 80), alpha=True)
    assert cached(item)[1] == 0
    latents, count, _ = cached(masked)
    assert count == 1 and latents.kept(0).mask.shape == (1, 8, 8)
    assert arrays(current(item))["alpha_mask"].shape == (64, 64)
    assert cached(masked)[1] == 0


def test_mask_pictures_are_read_beside_the_file(item, tmp_path):
    Image.new("L", (100, 80), 255).save(tmp_path / "mask.png")
    masked = Item(item.path, (64, 64), (80, 64), size=(100, 80), mask=tmp_path / "mask.png")
    latents, _, _ = cached(masked)
    assert latents.batch([Use(0)]).masks.min() == 1
    assert "alpha_mask" not in arrays(current(item))


def test_two_pictures_or_two_sizes_in_one_file_are_refused_with_the_cure(item):
    other = Item(item.path.with_suffix(".jpg"), (64, 64), (80, 64), size=(100, 80))
    Image.open(item.path).save(other.path)
    with pytest.raises(LatentsError, match=r"a\.png and .*a\.jpg would share a_0100x0080_\*\.npz; rename one"):
        cache_latents([item, other], read, Encoder(), "vae", store=NpzStore("_sd", SCALE))
    twice = Item(item.path, (128, 128), (160, 128), size=(100, 80))
    with pytest.raises(LatentsError, match="is trained at two sizes"):
        cache_latents([item, twice], read, Encoder(), "vae", store=NpzStore("_sd", SCALE))


def test_trusted_files_are_compared_by_date_and_shape_only(item):
    cached(item)
    encoder = Encoder()
    cache_latents([item], load, encoder, "other", store=NpzStore("_sd", SCALE, trusted=True), trust_dates=True)
    assert encoder.pictures == 0
    later = current(item).stat().st_mtime + 10
    os.utime(item.path, (later, later))
    cache_latents([item], load, encoder, "other", store=NpzStore("_sd", SCALE, trusted=True), trust_dates=True)
    assert encoder.pictures == 1


def test_latents_of_sd_scripts_lie_on_their_side_and_are_used_only_where_that_is_asked_for(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (80, 80), "black")
    picture.paste("white", (0, 0, 40, 80))
    picture.save(tmp_path / "a.jpg", exif=exif)
    shown = Item(tmp_path / "a.jpg", (64, 64), (64, 64), size=(80, 80), turned=True)
    stored = replace(shown, as_stored=True)
    values = np.random.default_rng(0).normal(size=(4, 8, 8)).astype(np.float32)
    place = tmp_path / "a_0080x0080_sd.npz"
    np.savez(place, latents=values, original_size=np.array([80, 80]), crop_ltrb=np.array([0, 0, 64, 64]))
    _, made, said = cached(stored)
    assert (made, said) == (0, [])
    upright, made, (said,) = cached(shown)
    assert made == 1 and "which does not turn pictures as the camera was held, and are made anew" in said
    upright = upright.kept(0).latents
    lying, made, _ = cached(stored)  # what is kept now is marked as made of the upright picture
    assert made == 1
    turned = lying.kept(0).latents.rot90(-1, dims=(1, 2))
    assert torch.allclose(upright, turned, atol=0.2) and not torch.allclose(upright, lying.kept(0).latents, atol=0.2)


@pytest.fixture
def away(tmp_path_factory) -> Path:
    """Latents of sevens in a folder of their own."""
    path = tmp_path_factory.mktemp("elsewhere") / "theirs.npz"
    sevens = np.full((4, 8, 8), 7.0, np.float32)
    np.savez(path, latents=sevens, arr_0=sevens, original_size=(100, 80))
    return path


def test_a_link_out_of_the_data_set_in_the_place_of_kept_latents_is_refused_with_the_cure(item, away):
    before = away.read_bytes()
    current(item).symlink_to(away)
    with pytest.raises(LatentsError, match=r"a_0100x0080_sd\.npz is a link that leads outside.*or clear cache_as_npz"):
        cached(item)
    assert away.read_bytes() == before
    assert current(item).is_symlink()


def test_an_older_file_that_is_a_link_out_of_the_data_set_is_named_and_not_read(item, away):
    item.path.with_suffix(".npz").symlink_to(away)
    latents, count, said = cached(item)
    assert count == 1
    assert not (latents.kept(0).latents == 7 * SCALE).any()
    assert any("a.npz is a link that leads outside the data set" in text for text in said)


def test_kept_latents_behind_a_link_within_the_data_set_are_read_and_written_through_it(item):
    current(item).symlink_to("latents of a")
    (item.path.parent / "latents of a").write_bytes(b"damaged")
    cached(item)
    assert current(item).is_symlink()
    assert cached(item)[1] == 0


def test_text_outputs_are_not_written_through_a_link_out_of_the_data_set(item, away):
    before = away.read_bytes()
    place = item.path.with_name("a_te_outputs.npz")
    place.symlink_to(away)
    said: list[str] = []
    write_te_outputs(
        item.path, "cat", KeptTexts(lambda captions: Conditioning(torch.ones(1, 2, 4)), "x"), 2, said.append
    )
    assert len(said) == 1 and "a_te_outputs.npz is a link that leads outside the data set" in said[0]
    assert place.is_symlink() and away.read_bytes() == before


@pytest.mark.parametrize("trusted", [False, True])
def test_kept_latents_of_a_turned_picture_are_never_taken_for_those_of_the_lying_one(tmp_path, trusted):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (80, 80), "black")
    picture.paste("white", (0, 0, 40, 80))
    picture.save(tmp_path / "a.jpg", exif=exif)
    stored = Item(tmp_path / "a.jpg", (64, 64), (64, 64), size=(80, 80), turned=True, as_stored=True)
    shown = replace(stored, as_stored=False)
    stores = [lambda: NpzStore("_sd", SCALE, trusted=trusted), lambda: FolderStore(tmp_path / "kept")]
    for store in stores:
        made = {}
        for item in (stored, shown, stored):
            encoder = Encoder()
            latents = cache_latents([item], load, encoder, "vae", store=store(), trust_dates=trusted).kept(0).latents
            made.setdefault(item.as_stored, []).append(latents[0])
        lying, upright = made[True][0], made[False][0]
        assert (lying[:, 0] > lying[:, -1]).all()  # white at the left, as it is stored
        assert (upright[0] > upright[-1]).all()  # turned by a quarter to the right it is white above
        assert torch.equal(made[True][1], lying)
