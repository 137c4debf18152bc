"""Finds a folder's pictures and opens them, upright and on white, as the trainer does. LIGHT (PIL).

What goes into a model is its own business (wd.py, cl.py). Pictures are only ever read.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from trainer.dataset import pictures, tree
from trainer.filesystem import is_folder

WHITE = (255, 255, 255)


class PictureError(ValueError):
    """A picture cannot be read; the text says which file in its folder, and why."""


def list_pictures(
    folder: Path, recursive: bool = False, passed: list[Path] | None = None, depth: int = 0
) -> list[Path]:
    """The pictures that training reads, in the order of their names, sub-folders after the folder's own files.

    Hidden files and folders (.ipynb_checkpoints, ._copies of macOS) are passed over; links to folders are not followed
    and added to `passed`. Links to files are listed, wherever they lead. depth: how far below the first folder.
    """
    found: list[Path] = []
    subfolders: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if tree.is_hidden(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                subfolders.append(folder / entry.name)
            elif recursive and entry.is_symlink() and is_folder(folder / entry.name):
                if passed is not None:
                    passed.append(folder / entry.name)
            elif tree.is_picture(entry.name):
                found.append(folder / entry.name)
    if recursive and depth < tree.DEEPEST:
        for subfolder in subfolders:
            found += list_pictures(subfolder, True, passed, depth + 1)
    return found


def open_picture(path: Path) -> Image.Image:
    """The picture as RGB: turned as its EXIF says, transparency on white, 16 bits scaled to 8, first frame of many.

    Raises PictureError as the trainer's reader does, for the same pictures.
    """
    try:
        return pictures.on_ground(pictures.read_image(path))
    except pictures.PictureError as error:
        raise PictureError(f"{path.name} {error.reason}") from error
    except OSError as error:
        raise PictureError(f"{path.name} cannot be read: {error.strerror or error}") from error


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
