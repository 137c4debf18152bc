"""Aspect-ratio buckets: geometry only. Which picture goes into which batch is in loading/batches.py. LIGHT.

Exactly the choices of kohya-ss/sd-scripts, so that a data set trains at the same sizes here and there
(numbers from that program in tests/golden/buckets.json).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.config.dataset import Dataset

Size = tuple[int, int]  # (width, height) in pixels, everywhere in trainer.dataset

# sd-scripts would enlarge a 1x5000 picture to 256x1280000 and then crop nearly all of it away.
MAX_ASPECT = 40


class BucketError(ValueError):
    """A picture fits no bucket, or the bucket settings contradict each other. The text names the cure."""


@dataclass(frozen=True)
class BucketChoice:
    """Where one picture goes: resize to `resized`, then crop to `bucket`.

    ar_error: aspect ratio of the bucket minus that of the picture (width / height). cut: it is not resized at all.
    """

    bucket: Size
    resized: Size
    ar_error: float
    cut: bool = False


def adjusted_bounds(size: Size, minimum: int, maximum: int, step: int) -> tuple[int, int]:
    """Bucket limits as multiples of `step`: the minimum rounded down, the maximum up.

    Raises BucketError when the training size lies outside of them.
    """
    low, high = minimum // step * step, -(-maximum // step) * step
    if min(size) < low:
        raise BucketError(
            f"resolution {size[0]},{size[1]} is smaller than min_bucket_reso {low}; "
            f"set min_bucket_reso to {min(size) // step * step} or less, or raise resolution"
        )
    if max(size) > high:
        raise BucketError(
            f"resolution {size[0]},{size[1]} is larger than max_bucket_reso {high}; "
            f"set max_bucket_reso to {-(-max(size) // step) * step} or more, or lower resolution"
        )
    return low, high


def predefined_buckets(size: Size, minimum: int, maximum: int, step: int) -> tuple[Size, ...]:
    """Every bucket whose area is at most that of the training size, sorted by (width, height).

    minimum and maximum are multiples of `step` (see adjusted_bounds). The square of the training area is always one.
    """
    area = size[0] * size[1]
    side = int(math.sqrt(area) // step) * step
    found = {(side, side)}
    for width in range(minimum, maximum + 1, step):
        height = min(maximum, area // width // step * step)
        if height >= minimum:
            found |= {(width, height), (height, width)}
    return tuple(sorted(found))


def choose_bucket(image_size: Size, buckets: Iterable[Size]) -> BucketChoice:
    """The bucket of `buckets` (sorted) that is nearest in aspect ratio; small pictures are enlarged.

    The first bucket in order wins a tie; a picture that already has a bucket's size keeps it.
    """
    buckets = tuple(buckets)
    ratio = image_size[0] / image_size[1]
    bucket = image_size if image_size in buckets else min(buckets, key=lambda size: abs(size[0] / size[1] - ratio))
    return cover(image_size, bucket)


def choose_bucket_no_upscale(image_size: Size, size: Size, step: int) -> BucketChoice:
    """A bucket made for the picture, never enlarging it: at most the area of `size`, sides rounded down to `step`.

    Raises BucketError when a side is shorter than one step.
    """
    area, ratio = size[0] * size[1], image_size[0] / image_size[1]
    if image_size[0] * image_size[1] > area:
        ideal_width = math.sqrt(area * ratio)
        width = _stepped(ideal_width, step)
        height_for_width = _stepped(width / ratio, step)
        height = _stepped(area / ideal_width, step)
        width_for_height = _stepped(height * ratio, step)
        by_width = _ratio_distance(width, height_for_width, ratio)
        by_height = _ratio_distance(width_for_height, height, ratio)
        resized = (width, int(width / ratio + 0.5)) if by_width < by_height else (int(height * ratio + 0.5), height)
    else:
        resized = image_size
    bucket = (resized[0] // step * step, resized[1] // step * step)
    if min(bucket) < step:
        raise BucketError(
            f"with bucket_no_upscale a picture of {image_size[0]}x{image_size[1]} pixels, fitted to the resolution, "
            f"has a side smaller than one step of {step} pixels; use another picture, a higher resolution, a smaller "
            "bucket_reso_steps, or turn bucket_no_upscale off"
        )
    return BucketChoice(bucket, resized, bucket[0] / bucket[1] - ratio)


def cover(image_size: Size, bucket: Size) -> BucketChoice:
    """Resize so that the picture covers `bucket` with nothing missing; the rest is cropped."""
    width, height = image_size
    image_ratio, bucket_ratio = width / height, bucket[0] / bucket[1]
    scale = bucket[1] / height if image_ratio > bucket_ratio else bucket[0] / width
    return BucketChoice(bucket, (int(width * scale + 0.5), int(height * scale + 0.5)), bucket_ratio - image_ratio)


def cut(image_size: Size, size: Size) -> BucketChoice:
    """Nothing is resized, what is larger than the training size is cropped."""
    return BucketChoice(size, image_size, size[0] / size[1] - image_size[0] / image_size[1], cut=True)


def chooser(options: Dataset, cached: bool = True) -> Callable[[Size], BucketChoice]:
    """The function that maps a picture's size to its BucketChoice under the [dataset] options.

    Without enable_bucket every picture is resized to cover the training size; when its latents are not `cached` it is
    only cropped (whether it may be, is looked at in scan.py).
    Raises BucketError at once when the options contradict each other; the function raises it for a single picture.
    """
    size, step = options.resolution, options.bucket_reso_steps
    if size is None:
        raise BucketError("resolution is not set; give one side such as 512, or width,height such as 512,768")
    if not options.enable_bucket:
        fit = cover if cached else cut
        return lambda image_size: fit(_checked(image_size), size)
    low, high = adjusted_bounds(size, options.min_bucket_reso, options.max_bucket_reso, step)
    if options.bucket_no_upscale:
        return lambda image_size: choose_bucket_no_upscale(_checked(image_size), size, step)
    buckets = predefined_buckets(size, low, high, step)
    return lambda image_size: choose_bucket(_checked(image_size), buckets)


def crop_ltrb(bucket: Size, image_size: Size) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the picture *fitted inside* the bucket: the numbers SDXL gets as crop condition.

    Not the true crop (pixels are covered and cropped, not fitted); kept because sd-scripts trains with it.
    """
    width, height = bucket
    ratio = image_size[0] / image_size[1]
    inner_width: float = width
    inner_height: float = height
    if width / height > ratio:
        inner_width = height * ratio
    else:
        inner_height = width / ratio
    left, top = (width - inner_width) // 2, (height - inner_height) // 2
    return left, top, left + inner_width, top + inner_height


def size_ids(bucket: Size, image_size: Size, flipped: bool = False) -> tuple[int, int, int, int, int, int]:
    """What SDXL is told of a picture: original height, width, crop top, left, target height, width, in pixels.

    The crop is that of `crop_ltrb`. Mirrored, the picture's right side is its left (KOHYA_COMPAT 2.6).
    """
    left, top, right, _ = crop_ltrb(bucket, image_size)
    width, height = bucket
    return image_size[1], image_size[0], int(top), int(width - right if flipped else left), height, width


def true_size_ids(choice: BucketChoice, image_size: Size, flipped: bool = False) -> tuple[int, int, int, int, int, int]:
    """`size_ids` with the top and left that are really cropped from the resized picture, as SDXL was trained.

    For pictures cut from the middle. Mirrored, what was cropped on the right is cropped on the left. Podell et al.
    2023, arXiv:2307.01952, section 2.2.
    """
    (width, height), (resized_width, resized_height) = choice.bucket, choice.resized
    left, top = (resized_width - width) // 2, (resized_height - height) // 2
    if flipped:
        left = resized_width - width - left
    return image_size[1], image_size[0], top, left, height, width


def _checked(image_size: Size) -> Size:
    if max(image_size) > MAX_ASPECT * min(image_size):
        raise BucketError(
            f"a picture of {image_size[0]}x{image_size[1]} pixels is more than {MAX_ASPECT} times as long as it is "
            "wide; crop it or leave it out"
        )
    return image_size


def _stepped(length: float, step: int) -> int:
    return int(length + 0.5) // step * step


def _ratio_distance(width: int, height: int, ratio: float) -> float:
    """How far (width, height) is from `ratio`; a side of 0 is as far as can be."""
    return abs(width / height - ratio) if height else math.inf
