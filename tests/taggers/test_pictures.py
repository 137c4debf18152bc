"""Which pictures a folder holds, and how they are opened."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from taggers.pictures import PictureError, list_pictures, open_picture, pad_to_square, resize_square


def test_pictures_are_listed_by_name_and_hidden_files_passed_over(tmp_path: Path, paint):
    for name in ("b [1].PNG", "a.jpg", "._a.jpg", ".ipynb_checkpoints/c.png", "安比/d.webp", "notes.txt"):
        if name.endswith("txt"):
            (tmp_path / name).write_text("x", encoding="utf-8")
        elif name == "._a.jpg":
            (tmp_path / name).write_bytes(b"x")
        else:
            paint(tmp_path / name)
    assert [path.name for path in list_pictures(tmp_path)] == ["a.jpg", "b [1].PNG"]
    assert [path.name for path in list_pictures(tmp_path, recursive=True)] == ["a.jpg", "b [1].PNG", "d.webp"]


def test_what_is_transparent_becomes_white(tmp_path: Path, paint):
    picture = open_picture(paint(tmp_path / "a.png", (255, 0, 0, 0), mode="RGBA"))
    assert picture.mode == "RGB" and picture.getpixel((3, 3)) == (255, 255, 255)


def test_palette_transparency_becomes_white(tmp_path: Path):
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([200, 0, 0, 0, 0, 200])
    palette.save(tmp_path / "p.gif", transparency=0)
    assert open_picture(tmp_path / "p.gif").getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bit_grey_keeps_its_shades(tmp_path: Path):
    Image.fromarray(np.array([[0, 32768], [65535, 257]], np.uint16)).save(tmp_path / "g.png")
    assert np.asarray(open_picture(tmp_path / "g.png"))[:, :, 0].tolist() == [[0, 128], [255, 1]]


def test_a_picture_is_turned_as_its_exif_says(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Image.new("RGB", (30, 10)).save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg").size == (10, 30)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("#ff0000", "#0000ff")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert open_picture(tmp_path / "a.webp").getpixel((0, 0)) == (255, 0, 0)


def test_cmyk_pictures_are_read(tmp_path: Path, paint):
    assert open_picture(paint(tmp_path / "c.jpg", (0, 255, 255, 0), mode="CMYK")).getpixel((2, 2))[0] > 200


def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path):
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + b"\0" * 4)
    with pytest.raises(PictureError, match="100 million"):
        open_picture(tmp_path / "huge.png")


def test_a_picture_between_the_limits_of_pillow_and_ours_is_refused_with_its_size(tmp_path: Path):
    Image.new("1", (12_000, 9_000)).save(tmp_path / "big.png")
    with (
        pytest.warns(Image.DecompressionBombWarning),
        pytest.raises(PictureError, match="big.png is 12000x9000 pixels"),
    ):
        open_picture(tmp_path / "big.png")


@pytest.mark.parametrize("cut", [3, 200])
def test_a_damaged_picture_is_refused_with_the_reason(tmp_path: Path, cut: int):
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:cut])
    with pytest.raises(PictureError, match=r"a\.png is damaged"):
        open_picture(tmp_path / "a.png")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_named_pipe_does_not_hang_the_run(tmp_path: Path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(PictureError, match=r"a\.png is gone or not a regular file"):
        open_picture(tmp_path / "a.png")


def test_padding_puts_the_picture_in_the_middle_and_an_odd_pixel_below():
    padded = np.asarray(pad_to_square(Image.new("RGB", (5, 2), "#000000")))
    assert (padded[:, 0, 0] == [255, 0, 0, 255, 255]).all()


def test_shrinking_takes_the_mean_of_the_covered_area():
    pixels = np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8)
    small = np.asarray(resize_square(Image.fromarray(pixels), 16), np.float64)
    mean = pixels.reshape(16, 2, 16, 2, 3).mean((1, 3))
    assert np.abs(small - mean).max() <= 0.5
