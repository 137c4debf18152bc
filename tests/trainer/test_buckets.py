"""Bucket geometry against values of sd-scripts (tests/golden/buckets.json) and by properties."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.dataset import buckets

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "buckets.json").read_text(encoding="utf-8"))["values"]
SETTINGS = GOLDEN["settings"]
sides = st.integers(1, 6000)
sizes = st.tuples(sides, sides).filter(lambda size: max(size) <= buckets.MAX_ASPECT * min(size))


def options(resolution=(512, 512), **changes):
    values = {"enable_bucket": True, "min_bucket_reso": 256, "max_bucket_reso": 1024, "bucket_reso_steps": 64}
    return SimpleNamespace(**{"resolution": resolution, "bucket_no_upscale": False, **values, **changes})


def name(setting):
    side = "x".join(map(str, setting["max_reso"]))
    return f"{side}-{setting['bucket_reso_steps']}-{setting['bucket_no_upscale']}-{setting['max_bucket_reso']}"


def chosen(setting, size):
    step = setting["bucket_reso_steps"]
    if setting["bucket_no_upscale"]:
        return buckets.choose_bucket_no_upscale(size, tuple(setting["max_reso"]), step)
    return buckets.choose_bucket(size, [tuple(bucket) for bucket in setting["predefined"]])


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s["predefined"]], ids=name)
def test_the_bucket_list_is_that_of_sd_scripts(setting):
    low, high, step = setting["min_bucket_reso"], setting["max_bucket_reso"], setting["bucket_reso_steps"]
    made = buckets.predefined_buckets(tuple(setting["max_reso"]), low, high, step)
    assert made == tuple(map(tuple, setting["predefined"]))


@pytest.mark.parametrize("setting", SETTINGS, ids=name)
def test_every_picture_goes_where_sd_scripts_sends_it(setting):
    rows = [(tuple(size), row) for size, row in zip(GOLDEN["sizes"], setting["select"], strict=True)]
    good = [(size, row) for size, row in rows if isinstance(row, list)]
    assert len(good) >= 98
    for size, row in good:
        choice = chosen(setting, size)
        assert [*choice.bucket, *choice.resized] == row[:4]
        assert choice.ar_error == pytest.approx(row[4], abs=1e-8)
        assert buckets.crop_ltrb(choice.bucket, size) == pytest.approx(row[5:], abs=1e-8)


def test_a_picture_smaller_than_one_step_is_refused_where_sd_scripts_divides_by_zero():
    failing = [
        (setting, tuple(size))
        for setting in SETTINGS
        for size, row in zip(GOLDEN["sizes"], setting["select"], strict=True)
        if isinstance(row, dict)
    ]
    assert failing
    for setting, size in failing:
        with pytest.raises(buckets.BucketError, match="smaller than one step of .*bucket_no_upscale off"):
            chosen(setting, size)


@pytest.mark.parametrize(
    ("size", "bucket", "resized"),
    [
        ((1920, 1080), (640, 384), (683, 384)),
        ((1000, 1500), (384, 640), (427, 640)),
        ((640, 480), (576, 448), (597, 448)),
    ],
)  # KOHYA_COMPAT section 13, run with sd-scripts
def test_known_pictures_at_512_go_to_known_buckets(size, bucket, resized):
    choice = buckets.chooser(options())(size)
    assert (choice.bucket, choice.resized) == (bucket, resized)


@pytest.mark.parametrize(
    ("size", "bucket", "resized"),
    [
        ((1920, 1080), (640, 384), (683, 384)),
        ((1000, 1500), (384, 576), (384, 576)),
        ((300, 300), (256, 256), (300, 300)),
    ],
)
def test_without_upscaling_small_pictures_keep_their_size(size, bucket, resized):
    choice = buckets.chooser(options(bucket_no_upscale=True))(size)
    assert (choice.bucket, choice.resized) == (bucket, resized)


def test_bounds_are_rounded_to_the_step():
    assert buckets.adjusted_bounds((512, 512), 300, 1000, 64) == (256, 1024)


def test_a_resolution_above_max_bucket_reso_is_refused_with_the_number_to_set():
    with pytest.raises(buckets.BucketError, match="set max_bucket_reso to 1280 or more"):
        buckets.chooser(options((1280, 512)))


def test_a_resolution_below_min_bucket_reso_is_refused_with_the_number_to_set():
    with pytest.raises(buckets.BucketError, match="set min_bucket_reso to 128 or less"):
        buckets.chooser(options((512, 128)))


def test_without_buckets_every_picture_covers_the_training_size():
    choice = buckets.chooser(options(enable_bucket=False))((1000, 500))
    assert (choice.bucket, choice.resized) == ((512, 512), (1024, 512))


def test_a_missing_resolution_is_named():
    with pytest.raises(buckets.BucketError, match="resolution is not set; give one side such as 512"):
        buckets.chooser(options(None))


def test_an_absurdly_long_picture_is_refused():
    with pytest.raises(buckets.BucketError, match="1x5000.*crop it or leave it out"):
        buckets.chooser(options())((1, 5000))


@given(sizes)
def test_the_resized_picture_always_covers_its_bucket(size):
    choice = buckets.chooser(options())(size)
    assert choice.resized[0] >= choice.bucket[0]
    assert choice.resized[1] >= choice.bucket[1]
    assert choice.resized[0] == choice.bucket[0] or choice.resized[1] == choice.bucket[1]


@given(sizes.filter(lambda size: min(size) >= 400))
def test_without_upscaling_no_side_grows_beyond_rounding(size):
    choice = buckets.choose_bucket_no_upscale(size, (1024, 1024), 64)
    assert all(after <= before + 1 for after, before in zip(choice.resized, size, strict=True))
    assert all(inner <= outer < inner + 64 for inner, outer in zip(choice.bucket, choice.resized, strict=True))


@given(st.sampled_from([(512, 512), (768, 512), (1024, 1024)]), st.sampled_from([32, 64]))
def test_no_bucket_has_more_area_than_the_training_size(size, step):
    for width, height in buckets.predefined_buckets(size, 256, 2048, step):
        assert width * height <= size[0] * size[1]
        assert width % step == height % step == 0


def test_true_crop_coordinates_are_what_is_cut_from_the_resized_picture():
    choice = buckets.choose_bucket((1920, 1080), [(640, 384)])  # covers it as 683 x 384, and 43 columns go
    assert choice.resized == (683, 384)
    assert buckets.true_size_ids(choice, (1920, 1080)) == (1080, 1920, 0, 21, 384, 640)
    assert buckets.true_size_ids(choice, (1920, 1080), flipped=True) == (1080, 1920, 0, 22, 384, 640)
    assert buckets.size_ids(choice.bucket, (1920, 1080)) == (1080, 1920, 12, 0, 384, 640)  # as sd-scripts
