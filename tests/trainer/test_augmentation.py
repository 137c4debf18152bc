"""Crops, faces, colours and masks of one use, by value."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from folders import config, pictures
from PIL import Image

from trainer.dataset.augmentation import (
    Face,
    Window,
    changed_colors,
    crop_place,
    face_of,
    face_scales,
    face_window,
    shifted_hue,
    with_gamma,
)
from trainer.dataset.pictures import PictureError, read_picture
from trainer.dataset.scan import scan
from trainer.loading.pixels import Item, item_of, load, load_mask

FACE = Face(500, 400, 200, 160)


@pytest.mark.parametrize(
    ("stem", "face"),
    [
        ("pic_500_400_200_160", Face(500, 400, 200, 160)), ("my_pic_1_2_3_4", Face(1, 2, 3, 4)), ("1_2_3_4", None),
        ("pic_1_2_3_x", None), ("pic_0_2_3_4", None), ("pic", None), ("pic_1_2_0_0", None),
    ],
)  # fmt: skip
def test_a_file_name_tells_where_the_face_is(stem, face):
    assert face_of(stem) == face


def test_the_face_is_scaled_between_its_shares_and_never_enlarged():
    # 512 / (200 x 3) = 0.8533 is above what covers (0.512); 512 / (200 x 1) = 2.56 would enlarge
    assert face_scales((1000, 1500), (512, 768), FACE, (1.0, 3.0)) == (pytest.approx(512 / 600), 1.0)
    # 512 / (200 x 8) = 0.32 does not cover; 512 / (200 x 4) = 0.64
    assert face_scales((1000, 1500), (512, 768), FACE, (4.0, 8.0)) == (pytest.approx(0.512), pytest.approx(0.64))


def test_without_chance_the_window_lies_around_the_face():
    # scale 512 / 600: 853 x 1280, face at 427, 341; 427 - 256 = 171, 341 - 384 < 0
    assert face_window((1000, 1500), (512, 768), FACE, (1.0, 3.0), None) == Window((853, 1280), (171, 0))
    assert face_window((512, 768), (512, 768), FACE, (1.0, 3.0), Random(0)) == Window((512, 768), (0, 0))


def test_a_fixed_face_size_is_not_moved_and_a_range_moves_it_a_twentieth_at_most():
    fixed = {face_window((1000, 1500), (512, 768), FACE, (3.0, 3.0), Random(seed)) for seed in range(20)}
    assert len(fixed) == 1
    windows = [face_window((1000, 1500), (512, 768), FACE, (1.0, 3.0), Random(seed)) for seed in range(200)]
    offsets = [window.place[0] + 256 - int(500 * window.resized[0] / 1000 + 0.5) for window in windows]
    assert max(abs(offset) for offset in offsets) in (10, 11)  # 200 / 20, and a pixel of rounding
    assert all(0 <= window.place[1] <= window.resized[1] - 768 for window in windows)


def test_random_crops_around_a_face_prefer_its_middle_and_stay_inside():
    places = [face_window((1000, 1500), (512, 768), FACE, (1.0, 3.0), Random(seed), True).place for seed in range(300)]
    assert len(set(places)) > 100
    assert all(x >= 0 and y >= 0 for x, y in places)


def test_a_crop_is_taken_from_the_middle_or_anywhere():
    assert crop_place((683, 384), (640, 384)) == (21, 0)
    anywhere = {crop_place((70, 64), (64, 64), Random(seed)) for seed in range(200)}
    assert anywhere == {(x, 0) for x in range(7)}


def test_a_hue_turns_red_into_green_and_blue():
    red = np.array([[[255, 0, 0]]], dtype=np.uint8)
    assert shifted_hue(red, 60).tolist() == [[[0, 255, 0]]]  # 60 of OpenCV's 180
    assert shifted_hue(red, -60).tolist() == [[[0, 0, 255]]]


def test_gamma_works_on_0_to_255_and_cuts():
    pixels = np.array([[[200, 100, 0]]], dtype=np.uint8)
    assert with_gamma(pixels, 1.05).tolist() == [[[255, 125, 0]]]  # 200^1.05 = 260.7, 100^1.05 = 125.9
    assert with_gamma(pixels, 0.95).tolist() == [[[153, 79, 0]]]  # 153.4, 79.4


def test_colours_change_in_a_third_of_the_uses():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    changed = sum(not np.array_equal(changed_colors(pixels, Random(seed)), pixels) for seed in range(1000))
    assert 280 < changed < 380


def test_a_picture_larger_than_the_size_is_cut_anywhere_with_random_crop_and_in_the_middle_without_chance(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 66, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    item = Item(tmp_path / "a.png", (64, 64), (66, 70), random_crop=True)
    assert np.array_equal(load(item).pixels, pixels[3:67, 1:65])
    found = {load(item, Random(seed)).pixels.tobytes() for seed in range(60)}
    windows = {pixels[top : top + 64, left : left + 64].tobytes() for top in range(7) for left in range(3)}
    assert len(found) > 10
    assert found <= windows


def test_alpha_is_the_mask_and_the_colours_under_it_stay_as_stored(tmp_path):
    pixels = np.full((64, 64, 4), (200, 10, 30, 255), dtype=np.uint8)
    pixels[:, :16, 3] = 0
    pixels[:, 16:32, 3] = 51
    Image.fromarray(pixels).save(tmp_path / "a.png")
    loaded = load(Item(tmp_path / "a.png", (64, 64), (64, 64), alpha=True))
    assert np.array_equal(loaded.pixels, pixels[..., :3])
    assert loaded.mask[0, [0, 16, 32]].tolist() == pytest.approx([0, 0.2, 1])
    assert loaded.mirrored().mask[0, -1] == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16", "CMYK"])
def test_pictures_without_transparency_have_a_mask_of_ones(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new(mode, (64, 64), 40_000 if mode == "I;16" else 0).save(path)
    loaded = load(Item(path, (64, 64), (64, 64), alpha=True))
    assert loaded.mask.min() == 1
    assert np.array_equal(loaded.pixels, read_picture(path))


def test_palette_transparency_is_a_mask_too(tmp_path):
    picture = Image.new("P", (64, 64), 0)
    picture.putpalette([9, 9, 9, 200, 0, 0])
    picture.paste(1, (0, 0, 32, 64))
    picture.save(tmp_path / "a.png", transparency=1)
    mask = load(Item(tmp_path / "a.png", (64, 64), (64, 64), alpha=True)).mask
    assert (mask[0, 0], mask[0, -1]) == (0, 1)


def test_the_red_of_a_mask_picture_is_resized_and_cropped_like_its_picture(tmp_path):
    Image.new("RGB", (160, 64)).save(tmp_path / "a.png")
    mask = np.zeros((64, 160, 3), dtype=np.uint8)
    mask[:, 80:] = (255, 0, 0)
    mask[:, :80] = (0, 255, 255)
    Image.fromarray(mask).save(tmp_path / "m.png")
    item = Item(tmp_path / "a.png", (64, 64), (160, 64), mask=tmp_path / "m.png")
    loaded = load(item)
    assert loaded.mask[0].tolist() == [0.0] * 32 + [1.0] * 32
    assert np.array_equal(load_mask(item), loaded.mask)


def test_a_picture_whose_size_changed_since_it_was_looked_at_is_refused(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    with pytest.raises(PictureError, match=r"a\.png is 64x64 pixels now and was 64x128; start again"):
        load(Item(tmp_path / "a.png", (64, 64), (64, 64), size=(64, 128)))


def errors(config):
    return [problem.message for problem in scan(config).errors()]


def test_without_buckets_and_caches_pictures_must_have_the_size_or_be_cut(tmp_path):
    pictures(tmp_path / "1_a", [(512, 512), (600, 512), (500, 700)])
    plain = {"enable_bucket": False, "resolution": 512}
    (said,) = errors(config(tmp_path, **plain))
    assert said.startswith("2 pictures in 1_a are not 512x512 pixels (p001.png, p002.png), and without enable_bucket")
    (said,) = errors(config(tmp_path, **plain, random_crop=True))
    assert said.startswith("1 picture in 1_a is not 512x512 pixels (p002.png)")
    assert errors(config(tmp_path, **plain, cache_latents=True)) == []
    assert errors(config(tmp_path, enable_bucket=True, resolution=512)) == []


def test_what_is_cut_without_resizing_keeps_its_pixels_and_sdxl_is_told_the_cut_size(tmp_path):
    pictures(tmp_path / "1_a", [(600, 512)])
    dataset = scan(config(tmp_path, enable_bucket=False, random_crop=True))
    (example,) = dataset.examples
    assert (example.choice.resized, example.bucket, example.told_size) == ((600, 512), (512, 512), (512, 512))
    assert item_of(example, dataset.folders[0].options).random_crop


def test_a_face_in_the_file_name_allows_larger_pictures_and_finds_the_shared_caption(tmp_path):
    pictures(tmp_path / "1_a", [(1000, 1500)])
    (tmp_path / "1_a" / "p000.png").rename(tmp_path / "1_a" / "p000_500_400_200_160.png")
    face = {"enable_bucket": False, "resolution": "512,768", "face_crop_aug_range": "1.0,3.0"}
    dataset = scan(config(tmp_path, **face))
    assert dataset.errors() == []
    assert dataset.examples[0].caption == "1girl, solo"
    loaded = load(item_of(dataset.examples[0], dataset.folders[0].options))
    assert loaded.pixels.shape == (768, 512, 3)
    assert scan(config(tmp_path, **{**face, "face_crop_aug_range": None})).examples[0].caption == "a"


def masks(tmp_path, sizes, names=None):
    made = pictures(tmp_path / "masks", sizes, caption=None)
    for path, name in zip(made, names or (), strict=False):
        path.rename(path.with_name(name))
    return config(None, masked_loss=True, subsets=[
        {"image_dir": str(tmp_path / "a"), "conditioning_data_dir": str(tmp_path / "masks")}])  # fmt: skip


def test_each_picture_has_the_mask_of_its_name(tmp_path):
    pictures(tmp_path / "a", [(64, 64), (128, 64)])
    dataset = scan(masks(tmp_path, [(64, 64), (128, 64)]))
    assert [example.mask.name for example in dataset.examples] == ["p000.png", "p001.png"]
    assert dataset.problems == ()


def test_missing_extra_and_wrongly_sized_masks_are_errors_with_the_cure(tmp_path):
    pictures(tmp_path / "a", [(64, 64), (128, 64)])
    said = errors(masks(tmp_path, [(64, 128), (64, 64)], ["p000.png", "other.png"]))
    assert any(text.startswith("1 picture has no mask in") and "p001.png" in text for text in said)
    assert any("belongs to no picture (other.png); remove it" in text for text in said)
    assert any("is 64x128 pixels and its picture 64x64; both must have one size" in text for text in said)
