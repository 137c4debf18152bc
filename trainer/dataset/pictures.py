"""A picture file: its size from the header alone, its pixels, and its fit into a bucket. LIGHT (PIL, numpy, cv2).

The one way in which trainer, taggers and page open a picture, so that none of them takes for damaged what another
shows. Pictures come from anywhere, so every size is checked before anything is decoded. Differences to sd-scripts, on
purpose: the camera's rotation (EXIF) is obeyed unless told otherwise, 16-bit grey keeps its shades, see-through parts
become white.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from trainer.dataset.buckets import BucketChoice, Size
from trainer.dataset.png import SIGNATURE, Shade, Visible

Pixels = np.ndarray  # (H, W, 3) uint8 RGB unless said otherwise

HAS_AVIF = features.check("avif")
EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"} | ({".avif"} if HAS_AVIF else set()))
# A .jpg that really holds a WebP is common on the web, so content decides; formats that can run code or fetch are out.
FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "GIF", *(["AVIF"] if HAS_AVIF else [])]
SHOWN_FORMATS = [*FORMATS, "TIFF"]  # what taggers and the page open besides
MAX_PIXELS = 100_000_000
# Pillow warns from 89 million pixels on, with a line of its source; the limit that counts is the one above.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
MAX_SIDE = 65_000
ORIENTATION_TAG = 0x0112
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
SWAPS_SIDES = (5, 6, 7, 8)
WHITE = (255, 255, 255)
TRANSPARENT_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
INTERPOLATIONS = ("lanczos", "nearest", "bilinear", "linear", "bicubic", "cubic", "area", "box")


class PictureError(ValueError):
    """A picture cannot be used. reason: the end of the sentence that begins with the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Header:
    """What a file says before its pixels. stored: width and height of the pixels as they lie in the file.

    orientation: how the camera was held, a number of EXIF; 1 is upright. animated: it holds more than one picture.
    """

    stored: Size
    orientation: int = 1
    animated: bool = False

    @property
    def shown(self) -> Size:
        """Width and height as programs show the picture."""
        return (self.stored[1], self.stored[0]) if self.orientation in SWAPS_SIDES else self.stored


@dataclass(frozen=True)
class Content:
    """A decoded picture. pixels: (H, W, 3) uint8 RGB, or (H, W, 4) with how opaque they are.

    invisible: it is transparent all over.
    """

    pixels: Pixels
    invisible: bool = False


@dataclass(frozen=True)
class _Opened:
    """A picture of which only the header was read. shade: what a PNG without an alpha channel shows as transparent."""

    image: Image.Image
    header: Header
    kind: str
    shade: Shade | None = None


def read_header(path: Path) -> Header:
    """Size and orientation. Reads the header, and all of the file only when it looks cut short.

    Raises PictureError: no picture, damaged, too large, not a regular file.
    """
    try:
        with _stream(path) as stream:
            opened = _identified(stream, path, FORMATS)
            cut = _looks_cut(stream, opened.kind)
    except OSError as error:
        raise PictureError(path, f"cannot be read: {error.strerror or error}") from error
    if cut:
        read_picture(path)
    return opened.header


def read_picture(path: Path, alpha: bool = False, as_stored: bool = False) -> Pixels:
    """The pixels alone of `read_content`."""
    return read_content(path, alpha, as_stored).pixels


def read_content(path: Path, alpha: bool = False, as_stored: bool = False) -> Content:
    """(H, W, 3) uint8 RGB: turned as the camera held it, see-through parts on white, the first picture of an animation.

    alpha: (H, W, 4) with the colours as they are stored and how opaque they are; all of it without transparency.
    as_stored: not turned, as sd-scripts reads it. Raises PictureError naming the file.
    """
    image = read_image(path, FORMATS, as_stored=as_stored)
    invisible = image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0)
    image = image.convert("RGBA") if alpha else on_ground(image)
    return Content(np.asarray(image), invisible)


def read_image(
    path: Path, formats: list[str] = SHOWN_FORMATS, *, as_stored: bool = False, side_px: int | None = None
) -> Image.Image:
    """The picture in 8 bits: RGBA with the colours as they are stored where it has transparency, else RGB.

    Turned as the camera held it unless as_stored. side_px: smaller pixels will do, as long as both sides are this
    long; only JPEG is read smaller. Raises PictureError naming the file.
    """
    try:
        with _stream(path) as stream:
            opened = _identified(stream, path, formats)
            if side_px is not None:
                opened.image.draft("RGB", (side_px, side_px))
            opened.image.load()
            image = _eight_bits(opened.image, opened.shade)
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(path, "needs more memory than there is; make it smaller") from error
    except Exception as error:  # decoders raise anything on damaged files: struct.error, SyntaxError, KeyError ...
        raise PictureError(path, f"is damaged or cut short ({error}); replace or remove it") from error
    orientation = opened.header.orientation
    turned = orientation in ORIENTATIONS and not as_stored
    return image.transpose(ORIENTATIONS[orientation]) if turned else image


def on_ground(image: Image.Image, colour: tuple[int, int, int] = WHITE) -> Image.Image:
    """RGB, the transparent parts of an RGBA picture on a colour."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, (*colour, 255)), image).convert("RGB")


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


def _stream(path: Path) -> IO[bytes]:
    if not path.is_file():  # a named pipe would be waited for for ever
        raise PictureError(path, "is gone or not a regular file")
    return path.open("rb")


def _identified(stream: IO[bytes], path: Path, formats: list[str]) -> _Opened:
    """The picture with only its header read, within the limits of size."""
    visible = Visible(stream) if stream.read(len(SIGNATURE)) == SIGNATURE else None
    stream.seek(0)
    try:
        image = Image.open(cast(IO[bytes], visible or stream), formats=formats)
        header = Header(image.size, _orientation(image), _is_animated(image) or bool(visible and visible.animated))
    except Image.DecompressionBombError:
        raise PictureError(path, f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller") from None
    except UnidentifiedImageError:
        if os.fstat(stream.fileno()).st_size == 0:
            raise PictureError(path, "is empty (0 bytes); replace or remove it") from None
        raise PictureError(path, f"is damaged or no picture of a known kind ({', '.join(formats)})") from None
    except Exception as error:  # decoders raise anything on damaged headers
        raise PictureError(path, f"is damaged ({error}); replace or remove it") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        count = MAX_PIXELS // 1_000_000
        raise PictureError(path, f"is {width}x{height} pixels, more than {count} million; make it smaller")
    if max(width, height) > MAX_SIDE:
        raise PictureError(path, f"is {width}x{height} pixels, longer than {MAX_SIDE}; make it smaller")
    if min(width, height) < 1:
        raise PictureError(path, f"is {width}x{height} pixels; replace or remove it")
    return _Opened(image, header, image.format or "", visible.shade if visible else None)


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


def _is_animated(image: Image.Image) -> bool:
    """More than one picture, of which the first is used. The previews within a camera's JPEG (MPO) are none."""
    return image.format in ("WEBP", "GIF", "AVIF") and bool(getattr(image, "is_animated", False))


def _looks_cut(stream: IO[bytes], kind: str) -> bool:
    """Whether the end of the file lacks the mark that its format ends with. Neither proves anything."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, length - 65_536 if kind in ("JPEG", "MPO") else length - 64))
    tail = stream.read()
    if kind in ("JPEG", "MPO"):
        return b"\xff\xd9" not in tail
    if kind == "PNG":
        return b"IEND" not in tail
    if kind == "WEBP":
        stream.seek(4)
        return int.from_bytes(stream.read(4), "little") + 8 > length
    return True  # GIF, BMP, AVIF are rare: look at all of it


def _eight_bits(image: Image.Image, shade: Shade | None) -> Image.Image:
    """RGBA where the picture has transparency, else RGB, whatever it is stored as."""
    if image.mode in TRANSPARENT_MODES or "transparency" in image.info:
        return image.convert("RGBA")
    rgb = _rgb(image)
    if shade is None:
        return rgb
    seen = _is_seen(np.asarray(image), shade)
    rgb.putalpha(Image.fromarray(seen.astype(np.uint8) * 255))
    return rgb


def _is_seen(values: np.ndarray, shade: Shade) -> np.ndarray:
    """(H, W) bool: where a picture has another shade than the transparent one.

    PIL gives 1, 2 and 4 bits spread over 0 to 255, 16-bit grey as it is, and of 16-bit colours the upper half, so that
    there the 256 nearest values of each channel count as the same.
    """
    if values.dtype == bool:
        wanted: list[int] = [shade.values[0]]
    elif shade.depth < 8:
        wanted = [shade.values[0] * (255 // (2**shade.depth - 1))]
    elif shade.depth == 16 and values.ndim == 3:
        wanted = [value >> 8 for value in shade.values]
    else:
        wanted = list(shade.values)
    different = values != np.array(wanted if values.ndim == 3 else wanted[0])
    return different.any(axis=2) if different.ndim == 3 else different


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # PIL's own conversion clips 16-bit grey to white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(image).astype(np.float64))
        largest = values.max(initial=0)
        if image.mode == "F" and largest <= 1:
            values = values * 255
        elif largest > 255:
            values = values / 256
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
