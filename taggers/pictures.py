"""Finds a folder's pictures and opens them safely, upright and on white. LIGHT (PIL).

What goes into a model is its own business (wd.py, cl.py). Pictures are only ever read.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from trainer.dataset.links import is_folder

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jfif")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
LARGEST_PIXELS = 100_000_000
WHITE = (255, 255, 255)


class PictureError(ValueError):
    """A picture cannot be read; the text says why, without the path."""


def list_pictures(folder: Path, recursive: bool = False, passed: list[Path] | None = None) -> list[Path]:
    """Pictures of a folder in the order of their names, sub-folders after the folder's own files.

    Hidden files and folders (.ipynb_checkpoints, ._copies of macOS) are passed over; links to folders are not followed
    and added to `passed`. Links to files are listed, wherever they lead.
    """
    pictures: list[Path] = []
    subfolders: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                subfolders.append(folder / entry.name)
            elif recursive and entry.is_symlink() and is_folder(folder / entry.name):
                if passed is not None:
                    passed.append(folder / entry.name)
            elif Path(entry.name).suffix.lower() in EXTENSIONS:
                pictures.append(folder / entry.name)
    if recursive:
        for subfolder in subfolders:
            pictures += list_pictures(subfolder, True, passed)
    return pictures


def open_picture(path: Path) -> Image.Image:
    """The picture as RGB: turned as its EXIF says, transparency on white, 16 bits scaled to 8, first frame of many.

    Raises PictureError for what is no file, no picture, cut short, or larger than 100 million pixels (seen in its
    header, before anything is decoded).
    """
    if not path.is_file():
        raise PictureError("this is not a file" if path.exists() else "the file is gone")
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > LARGEST_PIXELS:
                raise PictureError(f"{width} x {height} pixels are more than the limit of 100 million; make it smaller")
            picture.load()
            return _upright_rgb(picture)
    except UnidentifiedImageError:
        raise PictureError("this is not a picture that can be read; save it again as PNG or JPEG") from None
    except Image.DecompressionBombError:
        raise PictureError("more than the limit of 100 million pixels; make it smaller") from None
    except MemoryError:
        raise PictureError("not enough memory to open it; make it smaller") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError(f"the file is damaged or cut short ({error}); save it again") from error


def pad_to_square(picture: Image.Image) -> Image.Image:
    """The picture in the middle of a white square; an odd pixel goes to the right or the bottom."""
    width, height = picture.size
    side = max(width, height)
    if width == height:
        return picture
    square = Image.new("RGB", (side, side), WHITE)
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


def resize_square(square: Image.Image, side_px: int) -> Image.Image:
    """The square at side_px: the mean of the covered area when it shrinks, Lanczos when it grows (as sd-scripts)."""
    if square.width == side_px:
        return square
    import cv2

    how = cv2.INTER_AREA if square.width > side_px else cv2.INTER_LANCZOS4
    return Image.fromarray(cv2.resize(np.asarray(square), (side_px, side_px), interpolation=how))


def _upright_rgb(picture: Image.Image) -> Image.Image:
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16-bit grey; convert("RGB") would clip it to a white picture
        values = np.asarray(picture)
        scaled = (values >> 8 if values.max(initial=0) > 255 else values).clip(0, 255)
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture))
        values = values * 255 if values.max(initial=0) <= 1 else values
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (*WHITE, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return picture.convert("RGB")
