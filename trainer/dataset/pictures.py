"""A picture file: its size from the header alone, its pixels, and its fit into a bucket. LIGHT (PIL, numpy, cv2).

Pictures come from anywhere, so every size is checked before anything is decoded. Differences to sd-scripts, on purpose:
the camera's rotation (EXIF) is obeyed unless told otherwise, 16-bit grey keeps its shades, see-through parts become
white.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from trainer.dataset.buckets import BucketChoice, Size

Pixels = np.ndarray  # (H, W, 3) uint8 RGB unless said otherwise

HAS_AVIF = features.check("avif")
EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"} | ({".avif"} if HAS_AVIF else set()))
# A .jpg that really holds a WebP is common on the web, so content decides; formats that can run code or fetch are out.
FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", *(["AVIF"] if HAS_AVIF else [])]
MAX_PIXELS = 100_000_000
MAX_SIDE = 65_000
ORIENTATION_TAG = 0x0112
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
SWAPS_SIDES = (5, 6, 7, 8)
INTERPOLATIONS = ("lanczos", "nearest", "bilinear", "linear", "bicubic", "cubic", "area", "box")


class PictureError(ValueError):
    """A picture cannot be used. The text names the file and the reason."""


@dataclass(frozen=True)
class Header:
    """What a file says before its pixels. stored: width and height of the pixels as they lie in the file.

    orientation: how the camera was held, a number of EXIF; 1 is upright.
    """

    stored: Size
    orientation: int = 1

    @property
    def shown(self) -> Size:
        """Width and height as programs show the picture."""
        return (self.stored[1], self.stored[0]) if self.orientation in SWAPS_SIDES else self.stored


def read_header(path: Path) -> Header:
    """Size and orientation. Reads the header, and all of the file only when it looks cut short.

    Raises PictureError: no picture, damaged, too large, not a regular file.
    """
    try:
        with _opened(path) as stream:
            image = _identified(stream, path)
            header = Header(image.size, _orientation(image))
            cut = _looks_cut(stream, image.format or "")
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror or error}") from error
    if cut:
        read_picture(path)
    return header


def read_picture(path: Path, alpha: bool = False, as_stored: bool = False) -> Pixels:
    """(H, W, 3) uint8 RGB: turned as the camera held it, see-through parts on white, the first picture of an animation.

    alpha: (H, W, 4) with the colours as they are stored and how opaque they are; all of it without transparency.
    as_stored: not turned, as sd-scripts reads it. Raises PictureError naming the file.
    """
    try:
        with _opened(path) as stream:
            image = _identified(stream, path)
            orientation = _orientation(image)  # before decoding, as read_header sees it
            image.load()
            rgb = _rgba(image) if alpha else _rgb(image)
    except PictureError:
        raise
    except Exception as error:  # decoders raise anything on damaged files: struct.error, SyntaxError, KeyError ...
        raise PictureError(f"{path} is damaged or cut short ({error}); replace or remove it") from error
    if orientation in ORIENTATIONS and not as_stored:
        rgb = rgb.transpose(ORIENTATIONS[orientation])
    return np.asarray(rgb)


def fit(
    pixels: Pixels, choice: BucketChoice, interpolation: str | None = None, place: tuple[int, int] | None = None
) -> Pixels:
    """Resize to choice.resized and crop to choice.bucket. (H, W, 3) -> (bucket height, bucket width, 3).

    interpolation: None is area where the picture shrinks and Lanczos where it grows, as sd-scripts does. place: left
    and top of what is kept, None for the middle.
    """
    resized = resize(pixels, choice.resized, interpolation)
    width, height = choice.bucket
    left, top = place or ((resized.shape[1] - width) // 2, (resized.shape[0] - height) // 2)
    return resized[top : top + height, left : left + width]


def resize(pixels: Pixels, size: Size, interpolation: str | None = None) -> Pixels:
    """(H, W, 3) -> (size[1], size[0], 3). Raises ValueError for an unknown interpolation."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    if interpolation is None:
        interpolation = "area" if size[0] <= width and size[1] <= height else "lanczos"
    if interpolation in ("lanczos", "box"):
        filters = {"lanczos": Image.Resampling.LANCZOS, "box": Image.Resampling.BOX}
        return np.asarray(Image.fromarray(pixels).resize(size, filters[interpolation]))
    import cv2

    methods = {
        "nearest": cv2.INTER_NEAREST_EXACT, "bilinear": cv2.INTER_LINEAR, "linear": cv2.INTER_LINEAR,
        "bicubic": cv2.INTER_CUBIC, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA,
    }  # fmt: skip
    if interpolation not in methods:
        raise ValueError(f"resize_interpolation {interpolation!r} is unknown; choose {', '.join(INTERPOLATIONS)}")
    return cv2.resize(pixels, size, interpolation=methods[interpolation])


def _opened(path: Path) -> IO[bytes]:
    if not path.is_file():  # a named pipe would be waited for for ever
        raise PictureError(f"{path} is gone or not a regular file")
    return path.open("rb")


def _identified(stream: IO[bytes], path: Path) -> Image.Image:
    """The picture with only its header read, within the limits of size."""
    try:
        image = Image.open(stream, formats=FORMATS)
    except Image.DecompressionBombError:
        raise PictureError(f"{path} has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller") from None
    except UnidentifiedImageError:
        if os.fstat(stream.fileno()).st_size == 0:
            raise PictureError(f"{path} is empty (0 bytes); replace or remove it") from None
        raise PictureError(f"{path} is damaged or no picture of a known kind ({', '.join(FORMATS)})") from None
    except Exception as error:  # decoders raise anything on damaged headers
        raise PictureError(f"{path} is damaged ({error}); replace or remove it") from error
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureError(
            f"{path} is {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} million; make it smaller"
        )
    if min(width, height) < 1:
        raise PictureError(f"{path} is {width}x{height} pixels; replace or remove it")
    return image


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 when there is none.

    A PNG's EXIF may stand behind the pixels, where PIL finds it only by decoding; that is not worth it.
    """
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # broken EXIF is common and no reason to lose the picture
        return 1
    return value if value in ORIENTATIONS else 1


def _looks_cut(stream: IO[bytes], kind: str) -> bool:
    """Whether the end of the file lacks the mark that its format ends with. Neither proves anything."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, length - 65_536 if kind == "JPEG" else length - 64))
    tail = stream.read()
    if kind == "JPEG":
        return b"\xff\xd9" not in tail
    if kind == "PNG":
        return b"IEND" not in tail
    if kind == "WEBP":
        stream.seek(4)
        return int.from_bytes(stream.read(4), "little") + 8 > length
    return True  # GIF, BMP, AVIF are rare: look at all of it


def _rgba(image: Image.Image) -> Image.Image:
    transparent = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    return image.convert("RGBA") if transparent else _rgb(image).convert("RGBA")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # PIL's own conversion clips 16-bit grey to white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        values = np.asarray(image).astype(np.float64)
        if values.max(initial=0) > 255:
            values = values / 256
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
