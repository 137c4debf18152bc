"""Pictures of every awkward kind, drawn in code: sizes, pixels, limits, fit into a bucket."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from taggers.pictures import open_picture
from trainer.dataset import pictures
from trainer.dataset.buckets import BucketChoice
from trainer.dataset.pictures import PictureError, fit, read_header, read_picture
from webui.thumbnails import NoThumbnail, Thumbnails


def chunk(kind, data, wrong_checksum=False):
    checksum = zlib.crc32(kind + data) ^ wrong_checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png(path, depth, colour_type, size, rows, before=b"", after=b""):
    """A PNG made by hand. rows: the bytes of each row; before, after: chunks around the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + before + pixels + after + chunk(b"IEND", b""))
    return path


def noisy(width, height, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def rotated(path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.new("RGB", (40, 20), "black")
    image.paste((255, 0, 0), (0, 0, 10, 20))  # red on the left as stored
    return saved(path, image, exif=exif, quality=100, subsampling=0)


def huge_png_header(path, width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp"])
def test_size_and_pixels_of_usual_files(tmp_path, kind):
    path = saved(tmp_path / f"a.{kind}", Image.new("RGB", (30, 20), (10, 200, 30)))
    assert read_header(path).shown == (30, 20)
    assert read_picture(path).shape == (20, 30, 3)
    assert np.abs(read_picture(path)[10, 10].astype(int) - (10, 200, 30)).max() <= 3


def test_avif_is_read_where_pillow_can(tmp_path):
    path = saved(tmp_path / "a.avif", Image.new("RGB", (30, 20), "red")) if pictures.HAS_AVIF else None
    assert (path is None) == (".avif" not in pictures.EXTENSIONS)
    assert path is None or read_header(path).shown == (30, 20)


@pytest.mark.parametrize(("orientation", "red_is_at"), [(3, (10, 35)), (6, (5, 10)), (8, (35, 10))])
def test_a_rotated_photo_stands_upright(tmp_path, orientation, red_is_at):
    path = rotated(tmp_path / "a.jpg", orientation)
    pixels = read_picture(path)
    assert read_header(path).shown == (pixels.shape[1], pixels.shape[0])
    assert pixels[red_is_at][0] > 200


def test_a_rotated_photo_lies_as_it_is_stored_where_that_is_asked_for(tmp_path):
    upright, path = (rotated(tmp_path / name, number) for name, number in (("a.jpg", 1), ("b.jpg", 6)))
    assert (read_header(path).stored, read_header(path).orientation) == (read_header(upright).shown, 6)
    assert np.array_equal(read_picture(path, as_stored=True), read_picture(upright))


def test_16_bit_grey_keeps_its_shades(tmp_path):
    shades = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, 256).repeat(4, 0)
    path = saved(tmp_path / "a.png", Image.fromarray(shades))
    assert np.abs(read_picture(path)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_see_through_parts_become_white(tmp_path):
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 255, 255))
    pixels = read_picture(saved(tmp_path / "a.png", image))
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert pixels[3, 3].tolist() == [255, 255, 255]


def test_a_palette_with_a_see_through_colour_becomes_white(tmp_path):
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((0, 0), 1)
    pixels = read_picture(saved(tmp_path / "a.png", image, transparency=0))
    assert pixels[0, 0].tolist() == [0, 255, 0]
    assert pixels[3, 3].tolist() == [255, 255, 255]


@pytest.mark.parametrize(("mode", "colour"), [("L", 120), ("1", 1), ("LA", (120, 255))])
def test_grey_and_black_and_white_become_rgb(tmp_path, mode, colour):
    pixels = read_picture(saved(tmp_path / "a.png", Image.new(mode, (8, 8), colour)))
    assert pixels.shape == (8, 8, 3)
    assert pixels[0, 0].tolist() == [255 if mode == "1" else 120] * 3


def test_a_cmyk_jpeg_has_its_colours(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=95)  # red in print
    red, green, blue = read_picture(path)[4, 4].tolist()
    assert red > 200 > 60 > max(green, blue)


@pytest.mark.parametrize("kind", ["webp", "png", "gif"])
def test_the_first_picture_of_an_animation_is_taken(tmp_path, kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    path = saved(tmp_path / f"a.{kind}", frames[0], save_all=True, append_images=frames[1:], lossless=True)
    assert read_picture(path)[4, 4].tolist() == [255, 0, 0]


def test_content_decides_over_the_name(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (30, 20)).save(path, format="WEBP")
    assert read_header(path).shown == (30, 20)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_a_picture_cut_short_is_found_from_its_size_already(tmp_path, kind):
    path = saved(tmp_path / f"a.{kind}", Image.fromarray(noisy(64, 64)))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(PictureError, match=rf"a\.{kind} is damaged.*replace or remove it"):
        read_header(path)


def test_bytes_behind_the_end_do_no_harm(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.fromarray(noisy(64, 64)))
    path.write_bytes(path.read_bytes() + b"camera data" * 10)
    assert read_header(path).shown == (64, 64)


def test_too_many_pixels_are_refused_from_the_header(tmp_path):
    with pytest.raises(PictureError, match="12000x9000 pixels, more than 100 million; make it smaller"):
        read_header(huge_png_header(tmp_path / "a.png", 12000, 9000))


def test_a_decompression_bomb_is_refused(tmp_path):
    with pytest.raises(PictureError, match="more than 100 million pixels"):
        read_header(huge_png_header(tmp_path / "a.png", 60000, 60000))


@pytest.mark.parametrize(("side", "code"), [(9_700, 0), (12_000, 1)])
def test_the_library_prints_no_warning_of_its_own_on_large_pictures(tmp_path, side, code):
    path = huge_png_header(tmp_path / "a.png", side, side)
    program = (
        "import sys\nfrom pathlib import Path\nfrom trainer.dataset.pictures import PictureError, read_header\n"
        "try:\n    read_header(Path(sys.argv[1]))\nexcept PictureError:\n    sys.exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "is empty .0 bytes."), (b"<svg/>", "damaged or no picture of a known kind")]
)
def test_what_is_no_picture_is_named(tmp_path, content, reason):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=rf"a\.png {reason}|a\.png is {reason}"):
        read_header(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(PictureError, match="not a regular file"):
        read_header(tmp_path / "a.png")


def test_a_shrinking_picture_is_resized_by_area(tmp_path):
    pixels = noisy(100, 80)
    choice = BucketChoice((64, 64), (80, 64), 0.0)
    expected = cv2.resize(pixels, (80, 64), interpolation=cv2.INTER_AREA)[:, 8:72]
    assert np.array_equal(fit(pixels, choice), expected)


def test_a_growing_picture_is_resized_by_lanczos():
    pixels = noisy(40, 32)
    choice = BucketChoice((64, 64), (80, 64), 0.0)
    expected = np.asarray(Image.fromarray(pixels).resize((80, 64), Image.Resampling.LANCZOS))[:, 8:72]
    assert np.array_equal(fit(pixels, choice), expected)


def test_the_crop_leaves_the_odd_pixel_at_the_right_and_bottom():
    pixels = noisy(67, 65)
    assert np.array_equal(fit(pixels, BucketChoice((64, 64), (67, 65), 0.0)), pixels[:64, 1:65])


@pytest.mark.parametrize("interpolation", pictures.INTERPOLATIONS)
def test_every_interpolation_gives_the_asked_size(interpolation):
    assert pictures.resize(noisy(40, 30), (64, 20), interpolation).shape == (20, 64, 3)


def test_an_unknown_interpolation_is_named():
    with pytest.raises(ValueError, match="resize_interpolation 'sharp' is unknown; choose lanczos"):
        pictures.resize(noisy(4, 4), (8, 8), "sharp")


def encoded(kind):
    stream = io.BytesIO()
    image = Image.fromarray(noisy(24, 18))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(stream, kind, exif=exif)
    return stream.getvalue()


WHOLE = {kind: encoded(kind) for kind in ("PNG", "JPEG", "WEBP")}
damage = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=20)


@settings(max_examples=120)
@given(st.sampled_from(sorted(WHOLE)), damage, st.integers(0, 200))
def test_damaged_files_give_pictures_or_one_kind_of_error(tmp_path_factory, kind, changes, cut):
    data = bytearray(WHOLE[kind][: len(WHOLE[kind]) - cut])
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    path.write_bytes(data)
    with contextlib.suppress(PictureError):
        width, height = read_header(path).shown
        assert read_picture(path).shape == (height, width, 3)


LARGE = zlib.compress(b"x" * (3 << 20))  # unpacked it is more than PIL reads of one text
# what may stand in a sound PNG, or be wrong in it without harm to the pixels
HARMLESS = {
    "a large packed text": chunk(b"zTXt", b"a\0\0" + LARGE),
    "a large international text": chunk(b"iTXt", b"a\0\1\0\0\0" + LARGE),
    "a large colour profile": chunk(b"iCCP", b"a\0\0" + LARGE),
    "more text than PIL reads in all": chunk(b"tEXt", b"a\0" + b"x" * (65 << 20)),
    "a text with a wrong checksum": chunk(b"tEXt", b"a\0b", wrong_checksum=True),
    "a transparency with a wrong checksum": chunk(b"tRNS", b"\0\3", wrong_checksum=True),
    "an unknown chunk with a wrong checksum": chunk(b"teSt", b"a", wrong_checksum=True),
    "a gamma cut short": chunk(b"gAMA", b"\0"),
    "a size of pixels cut short": chunk(b"pHYs", b"\0"),
    "a profile packed in no known way": chunk(b"iCCP", b"a\0\7x"),
    "an animation of no size": chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", bytes(26)),
}
READERS = {
    "trainer": lambda path, folder: read_picture(path)[0, 0, 0],
    "tagger": lambda path, folder: open_picture(path).getpixel((0, 0))[0],
    "page": lambda path, folder: Image.open(Thumbnails(folder / "cache").thumbnail(path, 192)).getpixel((0, 0))[0],
}


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("harm", HARMLESS)
def test_what_does_not_touch_the_pixels_makes_no_png_damaged(tmp_path, harm, where):
    path = png(tmp_path / "a.png", 8, 0, (2, 1), [bytes([3, 200])], **{where: HARMLESS[harm]})
    assert read_header(path).shown == (2, 1)
    assert read_picture(path)[0, :, 0].tolist() == [3, 200]


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_pictures_opens_the_same_ones(tmp_path, reader):
    rows = [bytes([80] * 8)] * 8
    path = png(tmp_path / "a.png", 8, 0, (8, 8), rows, before=HARMLESS["a large colour profile"])
    assert abs(int(READERS[reader](path, tmp_path)) - 80) <= 2
    (tmp_path / "b.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")  # PIL would run Ghostscript
    with pytest.raises(
        (PictureError, ValueError, NoThumbnail), match=r"b\.png is damaged or no picture of a known kind"
    ):
        READERS[reader](tmp_path / "b.png", tmp_path)


@pytest.mark.parametrize(
    ("depth", "colour_type", "row", "shade", "width"),
    [
        (1, 0, bytes([0b01000000]), (1,), 2),
        (2, 0, bytes([0b00100000]), (2,), 2),
        (4, 0, bytes([0x13]), (3,), 2),
        (8, 0, bytes([4, 3]), (3,), 2),
        (16, 0, struct.pack(">HH", 301, 300), (300,), 2),  # the upper halves are the same
        (8, 2, bytes([1, 2, 4, 1, 2, 3]), (1, 2, 3), 2),
        (16, 2, struct.pack(">6H", 300, 40000, 9, 300, 40000, 700), (300, 40000, 700), 2),
    ],
)
def test_the_transparent_shade_of_a_png_without_alpha_channel_is_seen_through(
    tmp_path, depth, colour_type, row, shade, width
):
    before = chunk(b"tRNS", struct.pack(f">{len(shade)}H", *shade))
    path = png(tmp_path / "a.png", depth, colour_type, (width, 1), [row], before=before)
    assert read_picture(path, alpha=True)[0, :, 3].tolist() == [255, 0]
    assert read_picture(path)[0, 1].tolist() == [255, 255, 255]
    assert read_picture(path)[0, 0].tolist() != [255, 255, 255]


def test_a_camera_jpeg_with_a_preview_inside_is_one_picture(tmp_path):
    image = Image.fromarray(noisy(16, 8))
    image.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[image.resize((4, 2))])
    assert read_header(tmp_path / "a.jpg") == pictures.Header((16, 8))


@pytest.mark.parametrize(("kind", "count"), [("png", 2), ("webp", 2), ("png", 1), ("webp", 1)])
def test_the_header_says_whether_a_file_holds_an_animation(tmp_path, kind, count):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")][:count]
    path = saved(tmp_path / f"a.{kind}", frames[0], save_all=True, append_images=frames[1:])
    assert read_header(path).animated == (count == 2)


@pytest.mark.parametrize(("opacity", "invisible"), [(0, True), (1, False)])
def test_a_picture_that_is_transparent_all_over_is_told_from_one_that_is_not(tmp_path, opacity, invisible):
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    image.putpixel((3, 3), (255, 0, 0, opacity))
    content = pictures.read_content(saved(tmp_path / "a.png", image))
    assert content.invisible == invisible
    assert content.pixels[0, 0].tolist() == [255, 255, 255]


def test_a_side_too_long_is_named_with_its_limit(tmp_path):
    with pytest.raises(PictureError, match="70000x8 pixels, longer than 65000; make it smaller"):
        read_header(huge_png_header(tmp_path / "a.png", 70_000, 8))
