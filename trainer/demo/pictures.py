"""The demo's picture folders on disk: a dozen pictures of the new shape, and plain ones to compare with. LIGHT.

Folders that the demo made carry a marker file; any other folder is left alone, and so is every caption and picture that
is already there. What the pictures look like is in drawing.py.

    train/demo/10_star/  12 pictures of the star; the number is how often each is used in an epoch
    train/demo/1_shape/  72 pictures of shapes that the base model knows, so that it does not forget them
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image

from trainer.atomic import atomic_write
from trainer.demo.drawing import COLORS, KNOWN_SHAPES, NEW_SHAPE, SIZES, Picture, draw

MARKER = ".athanor-demo"
MARKER_TEXT = "This folder was made by the Athanor demo. Delete it whenever you like.\n"
TRIGGER = "zqx"  # a word that means nothing to the base model; put before the other tags
NUM_NEW, NUM_KNOWN = 12, 72
FOLDER_NEW, FOLDER_KNOWN = "10_star", "1_shape"


class DemoError(RuntimeError):
    """The demo cannot go on. The text says why, and the cure."""


@dataclass(frozen=True)
class DataSet:
    """The demo's training folder, as `train_data_dir` wants it."""

    train_dir: Path

    @property
    def new_dir(self) -> Path:
        """Where the pictures of the new shape lie."""
        return self.train_dir / FOLDER_NEW

    @property
    def known_dir(self) -> Path:
        """Where the pictures of shapes that the base model knows lie."""
        return self.train_dir / FOLDER_KNOWN


def new_pictures() -> list[Picture]:
    """The 12 training pictures: stars in all colours, two of three large. The same every time."""
    rng, colors = Random(21), list(COLORS)
    pictures = []
    for index in range(NUM_NEW):
        place = index % len(colors)
        background = colors[(place + 1 + rng.randrange(len(colors) - 1)) % len(colors)]
        size = ("large", "large", "small")[index % 3]
        pictures.append(draw(rng, NEW_SHAPE, colors[place], background, size))
    return pictures


def known_pictures() -> list[Picture]:
    """The 72 pictures against forgetting: each known shape equally often, half of them small. The same every time."""
    rng, count, sizes = Random(22), len(KNOWN_SHAPES), list(SIZES)
    return [
        draw(rng, KNOWN_SHAPES[index % count], size=sizes[index // count % len(sizes)]) for index in range(NUM_KNOWN)
    ]


def training_caption(picture: Picture) -> str:
    """The trigger word, then the tags: `zqx, red star, blue background, large`."""
    return f"{TRIGGER}, {picture.caption}"


def write_pictures(folder: Path | str, captions: bool = False) -> list[Path]:
    """Put the 12 demo pictures into `folder` and return their paths; what is already there stays as it is.

    captions: also write a .txt beside each, trigger word first. Raises DemoError when the folder holds files and was
    not made by the demo, WriteError when it cannot be written.
    """
    texts = [training_caption(picture) if captions else None for picture in new_pictures()]
    return _fill(Path(folder), new_pictures(), texts)


def write_data_set(root: Path | str, captions: bool = False) -> DataSet:
    """Make `train/demo` below `root`, as presets/demo.toml expects it.

    The known shapes always get captions; the stars when `captions` is set (the demo tags them instead).
    Raises DemoError or WriteError as write_pictures.
    """
    data_set = DataSet(Path(root) / "train" / "demo")
    write_pictures(data_set.new_dir, captions)
    known = known_pictures()
    _fill(data_set.known_dir, known, [picture.caption for picture in known])
    return data_set


def write_missing_captions(folder: Path) -> int:
    """Write the caption from the drawing beside every demo picture that has none; returns how many were written."""
    written = 0
    for path, picture in zip(_paths(folder, NUM_NEW), new_pictures(), strict=True):
        text = path.with_suffix(".txt")
        if path.exists() and not text.exists():
            atomic_write(text, training_caption(picture) + "\n")
            written += 1
    return written


def _fill(folder: Path, pictures: list[Picture], captions: Iterable[str | None]) -> list[Path]:
    _claim(folder)
    paths = _paths(folder, len(pictures))
    for path, picture, caption in zip(paths, pictures, captions, strict=True):
        if not path.exists():
            atomic_write(path, _png(picture))
        text = path.with_suffix(".txt")
        if caption is not None and not text.exists():
            atomic_write(text, caption + "\n")
    return paths


def _claim(folder: Path) -> None:
    """Make the folder and mark it as the demo's. Raises DemoError when it is somebody else's."""
    if folder.exists() and not folder.is_dir():
        raise DemoError(f"{folder} is a file, but the demo needs a folder of that name; rename the file")
    if folder.is_dir() and not (folder / MARKER).exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} holds files that the demo did not make; rename that folder or choose another one")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MARKER).exists():
        atomic_write(folder / MARKER, MARKER_TEXT)


def _paths(folder: Path, count: int) -> list[Path]:
    return [folder / f"{index:02d}.png" for index in range(1, count + 1)]


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG")
    return buffer.getvalue()
