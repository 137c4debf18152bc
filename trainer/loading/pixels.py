"""From a picture file to the pixels and the mask of one use: read, resized, cropped, changed by chance. LIGHT.

The single changes are pure functions in dataset/pictures.py and dataset/augmentation.py.

H W pixels of the bucket
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trainer.dataset import augmentation, pictures
from trainer.dataset.augmentation import Window, crop_place, face_of, face_window
from trainer.dataset.buckets import BucketChoice, Size
from trainer.dataset.pictures import PictureError, Pixels

if TYPE_CHECKING:
    from trainer.config.dataset import Dataset as DatasetOptions
    from trainer.dataset.scan import Example

READERS = min(8, os.cpu_count() or 1)
Job = TypeVar("Job")
Result = TypeVar("Result")
Mask = np.ndarray  # (H, W) float32 in 0..1
INVISIBLE = (
    "{count} {count|picture is|pictures are} transparent all over ({files}) and {count|trains|train} as white; replace "
    "or remove {count|it|them}"
)


@dataclass(frozen=True)
class Item:
    """A picture as it is trained: which file, brought to which size, cropped to which bucket.

    size: of the picture when it was looked at; None is not compared. mask: picture whose red says what counts. alpha:
    the transparency is the mask. random_crop, colors, face_span: what chance changes (see augmentation.py).
    turned: the camera was not held upright; as_stored: that is not obeyed. root: the data set, every link followed,
    out of which no file beside the picture may lead.
    """

    path: Path
    bucket: Size
    resized: Size
    size: Size | None = None
    interpolation: str | None = None
    mask: Path | None = None
    alpha: bool = False
    random_crop: bool = False
    colors: bool = False
    face_span: tuple[float, float] | None = None
    turned: bool = False
    as_stored: bool = False
    root: Path | None = None


@dataclass(frozen=True)
class Loaded:
    """One use of a picture: (H, W, 3) uint8 RGB, and its mask where it has one.

    invisible: the whole picture is transparent.
    """

    pixels: Pixels
    mask: Mask | None = None
    invisible: bool = False

    def mirrored(self) -> Loaded:
        """Left and right exchanged, the mask too."""
        mask = None if self.mask is None else np.ascontiguousarray(np.flip(self.mask, axis=1))
        return Loaded(np.ascontiguousarray(np.flip(self.pixels, axis=1)), mask, self.invisible)


@dataclass(frozen=True)
class Trial:
    """What reading all pictures showed. unusable: number -> why. invisible: names of those that are all transparent."""

    unusable: dict[int, str] = field(default_factory=dict)
    invisible: tuple[str, ...] = ()


# the picture as it is used; without a Random nothing is left to chance
Read = Callable[[Item, Random | None], Loaded]


def item_of(example: Example, options: DatasetOptions, root: Path | None = None) -> Item:
    """An example with the options of its folder. root: as in Item."""
    face = None if options.enable_bucket else options.face_crop_aug_range
    return Item(
        example.path, example.choice.bucket, example.choice.resized, example.size, options.resize_interpolation,
        example.mask, options.alpha_mask and example.mask is None, options.random_crop, options.color_aug, face,
        example.orientation != 1, options.ignore_exif_orientation, root,
    )  # fmt: skip


def load(item: Item, rng: Random | None = None) -> Loaded:
    """The pixels and the mask of one use. rng decides crops and colours; without it the middle is taken, unchanged.

    Raises PictureError naming the file.
    """
    content = pictures.read_content(item.path, item.alpha, item.as_stored)
    pixels = content.pixels
    height, width = pixels.shape[:2]
    if item.size is not None and item.size != (width, height):
        raise PictureError(
            item.path, f"is {width}x{height} pixels now and was {item.size[0]}x{item.size[1]}; "
            "start again, and delete metadata_cache.json beside it if there is one"
        )  # fmt: skip
    window = _window(item, (width, height), rng)
    pixels = _taken(pixels, window, item)
    mask = None
    if item.mask is not None:
        pixels_of_mask = pictures.read_picture(item.mask, as_stored=item.as_stored)
        mask = _taken(pixels_of_mask, window, item)[..., 0].astype(np.float32) / 255
    elif item.alpha:
        mask = pixels[..., 3].astype(np.float32) / 255
    pixels = pixels[..., :3]
    if rng is not None and item.colors:
        pixels = augmentation.changed_colors(pixels, rng)
    return Loaded(np.ascontiguousarray(pixels), mask, content.invisible)


def try_all(
    items: Sequence[Item], read: Read = load, progress: Callable[[int, int], None] = lambda done, total: None
) -> Trial:
    """Read every picture once as it is trained: the one way to know which ones can be used. progress: done, total."""

    def tried(item: Item) -> bool | str:
        try:
            return read(item, None).invisible
        except (OSError, ValueError) as error:
            return why_unusable(item, error)

    unusable: dict[int, str] = {}
    invisible: list[str] = []
    progress(0, len(items))
    for number, result in enumerate(in_order(items, tried, READERS, ahead=2 * READERS)):
        if isinstance(result, str):
            unusable[number] = result
        elif result:
            invisible.append(items[number].path.name)
        progress(number + 1, len(items))
    return Trial(unusable, tuple(invisible))


def why_unusable(item: Item, error: Exception) -> str:
    """What is wrong with a picture, with its name."""
    reason = str(error)
    return reason if item.path.name in reason else f"{item.path}: {reason}"


def claimed_twice(item: Item, claimed: dict[Path, tuple[Path, Size]]) -> str | None:
    """Why the latents of a picture cannot lie in sd-scripts' file beside it, which another picture or size has already.

    claimed: file, without its ending -> picture and bucket; this picture's is added.
    """
    place = npz_place(item)
    other, bucket = claimed.setdefault(place, (item.path, item.bucket))
    if other != item.path:
        return f"{other} and {item.path} would share {place.name}_*.npz; rename one, or clear cache_as_npz"
    if bucket != item.bucket:
        return f"{item.path} is trained at two sizes, and {place.name}_*.npz holds only one; clear cache_as_npz"
    return None


def npz_place(item: Item) -> Path:
    """<stem>_<width>x<height> beside the picture, with the picture's own size: sd-scripts' file without its ending."""
    width, height = item.size or item.bucket
    return item.path.with_name(f"{item.path.stem}_{width:04d}x{height:04d}")


def in_order(jobs: Iterable[Job], work: Callable[[Job], Result], workers: int = 2, ahead: int = 8) -> Iterator[Result]:
    """Results of `work` in the order of `jobs`, computed by threads up to `ahead` jobs in advance.

    An error of a job is raised when its turn comes. Closing the iterator ends the threads.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="reading")
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def load_mask(item: Item) -> Mask | None:
    """The mask alone, of a picture used without chance."""
    if item.mask is None:
        return load(item).mask
    pixels = pictures.read_picture(item.mask, as_stored=item.as_stored)
    window = _window(item, (pixels.shape[1], pixels.shape[0]), None)
    return _taken(pixels, window, item)[..., 0].astype(np.float32) / 255


def _window(item: Item, size: Size, rng: Random | None) -> Window:
    face = face_of(item.path.stem) if item.face_span is not None and item.resized == size else None
    if face is not None and item.face_span is not None:
        return face_window(size, item.bucket, face, item.face_span, rng, item.random_crop)
    return Window(item.resized, crop_place(item.resized, item.bucket, rng if item.random_crop else None))


def _taken(pixels: Pixels, window: Window, item: Item) -> Pixels:
    """(H', W', C) -> (H, W, C): resized, then cut out."""
    return pictures.fit(pixels, BucketChoice(item.bucket, window.resized, 0.0), item.interpolation, window.place)
