"""The demo's drawings and the folders they are written to."""

from __future__ import annotations

import hashlib
from collections import Counter
from random import Random

import numpy as np
import pytest
from PIL import Image

from trainer.demo import DemoError, drawing, pictures, write_data_set, write_pictures

CAPTIONS = [
    "red star, yellow background, large",
    "orange star, yellow background, large",
    "yellow star, black background, small",
]


def test_the_same_seed_draws_the_same_picture():
    first, second = drawing.draw(Random(3)), drawing.draw(Random(3))
    assert first.tags == second.tags
    assert np.array_equal(first.pixels, second.pixels)


def test_the_demo_draws_the_same_twelve_pictures_on_every_machine():
    captions = [picture.caption for picture in pictures.new_pictures()]
    assert captions[:3] == CAPTIONS
    assert {picture.color for picture in pictures.new_pictures()} == set(drawing.COLORS)
    assert {picture.shape for picture in pictures.new_pictures()} == {"star"}


def test_the_pictures_against_forgetting_show_every_known_shape_equally_often_in_both_sizes():
    shown = Counter((picture.shape, picture.size) for picture in pictures.known_pictures())
    assert shown == {(shape, size): 6 for shape in drawing.KNOWN_SHAPES for size in ("large", "small")}


def test_a_large_red_circle_on_blue_is_red_in_the_middle_and_blue_in_the_corners():
    picture = drawing.draw(Random(0), "circle", "red", "blue", "large")
    assert picture.tags == ("red circle", "blue background", "large")
    assert np.abs(picture.pixels[64, 64].astype(int) - (220, 40, 40)).max() <= 6  # the tint's jitter
    assert np.abs(picture.pixels[0, 0].astype(int) - (40, 80, 220)).max() <= 6


def test_a_ring_has_a_hole_in_the_colour_of_the_background():
    picture = drawing.draw(Random(0), "ring", "red", "blue", "large")
    assert np.array_equal(picture.pixels[64, 64], picture.pixels[0, 0])


@pytest.mark.parametrize("shape", drawing.SHAPES)
def test_every_shape_stays_inside_the_picture(shape):
    for seed in range(20):
        pixels = drawing.draw(Random(seed), shape, size="large").pixels
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert np.ptp(border, axis=0).max() == 0


def test_object_and_background_never_share_a_colour():
    drawn = [drawing.draw(Random(seed)) for seed in range(200)]
    assert all(picture.color != picture.background for picture in drawn)


def test_an_unknown_shape_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'hexagon'.*circle, square"):
        drawing.draw(Random(0), "hexagon")


def test_the_data_set_is_two_folders_with_the_right_counts_and_captions(tmp_path):
    data_set = write_data_set(tmp_path, captions=True)
    new = sorted(data_set.new_dir.glob("*.png"))
    plain = sorted(data_set.known_dir.glob("*.png"))
    assert (len(new), len(plain)) == (12, 72)
    assert Image.open(new[0]).size == (128, 128)
    assert new[0].with_suffix(".txt").read_text("utf-8").startswith("zqx, red star, ")
    assert all("zqx" not in path.with_suffix(".txt").read_text("utf-8") for path in plain)


def test_writing_again_changes_nothing_and_keeps_an_edited_caption(tmp_path):
    paths = write_pictures(tmp_path / "set", captions=True)
    before = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    paths[0].with_suffix(".txt").write_text("my own words", encoding="utf-8")
    assert write_pictures(tmp_path / "set", captions=True) == paths
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] == before
    assert paths[0].with_suffix(".txt").read_text("utf-8") == "my own words"


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "holiday.png").write_bytes(b"not ours")
    with pytest.raises(DemoError, match=r"did not make; rename that folder"):
        write_pictures(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.png"]


def test_captions_that_are_missing_are_written_from_the_drawing(tmp_path):
    paths = write_pictures(tmp_path)
    paths[0].with_suffix(".txt").write_text("tagged already", encoding="utf-8")
    assert pictures.write_missing_captions(tmp_path) == 11
    assert paths[0].with_suffix(".txt").read_text("utf-8") == "tagged already"
    assert paths[1].with_suffix(".txt").read_text("utf-8").strip() == f"zqx, {CAPTIONS[1]}"
