"""What chance changes in a picture at one use: crop windows, faces, colours. Pure functions of numbers. LIGHT.

Formulas of kohya-ss/sd-scripts (KOHYA_COMPAT 2.8). When they are used, and with which draws: loading/pixels.py.

H W pixels; a place is (left, top)
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from trainer.dataset.buckets import Size
from trainer.dataset.pictures import Pixels

COLOR_CHANCE = 0.33
HUE_SHIFT = 8.0  # of 180, OpenCV's circle of hues
GAMMA = (0.95, 1.05)
LEAST_FACE = 40  # pixels; smaller faces are not moved about


@dataclass(frozen=True)
class Face:
    """Where a face is in its picture: centre and size in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Window:
    """Resize the picture to `resized`, then take the training size from `place` on."""

    resized: Size
    place: tuple[int, int]


def face_of(stem: str) -> Face | None:
    """The face that a file name tells: name_x_y_width_height -> Face; None for other names."""
    parts = stem.split("_")[-4:]
    if stem.count("_") < 4 or not all(part.isascii() and part.isdecimal() for part in parts):
        return None
    x, y, width, height = map(int, parts)
    return Face(x, y, width, height) if x > 0 and max(width, height) > 0 else None


def face_scales(picture: Size, target: Size, face: Face, span: tuple[float, float]) -> tuple[float, float]:
    """Smallest and largest scale at which the face has its wanted share and the picture still covers `target`.

    span: face_crop_aug_range. Pictures are never enlarged.
    """
    size, face_size = min(target), max(face.width, face.height)
    fit = max(target[0] / picture[0], target[1] / picture[1])
    low = min(1.0, max(fit, size / (face_size * span[1])))
    high = min(1.0, max(low, size / (face_size * span[0])))
    return low, high


def face_window(
    picture: Size, target: Size, face: Face, span: tuple[float, float], rng: Random | None, random_crop: bool = False
) -> Window:
    """A window of `target` around the face, at a scale drawn between those of `face_scales`.

    random_crop: moved by the sum of two draws, most often little; otherwise by at most a twentieth of the face. Without
    rng the smallest scale and the exact middle are taken.
    """
    if picture == target:
        return Window(picture, (0, 0))
    low, high = face_scales(picture, target, face, span)
    scale = low if rng is None or low >= high else rng.uniform(low, high)
    resized = (int(picture[0] * scale + 0.5), int(picture[1] * scale + 0.5))
    face_size = max(face.width, face.height)
    wiggle = face_size // 20 if span[0] != span[1] and face_size > min(target) // 10 and face_size >= LEAST_FACE else 0
    place = []
    for length, wanted, middle in zip(resized, target, (face.x, face.y), strict=True):
        middle = int(middle * scale + 0.5)
        start = middle - wanted // 2
        if rng is not None and random_crop:
            reach = max(length - middle, middle)
            start += rng.randint(0, reach) + rng.randint(0, reach) - reach
        elif rng is not None and wiggle:
            start += rng.randint(-wiggle, wiggle)
        place.append(max(0, min(start, length - wanted)))
    return Window(resized, (place[0], place[1]))


def crop_place(resized: Size, bucket: Size, rng: Random | None = None) -> tuple[int, int]:
    """Left and top of the crop: the middle, or with rng any place, width first."""
    spare = (max(0, resized[0] - bucket[0]), max(0, resized[1] - bucket[1]))
    if rng is None:
        return spare[0] // 2, spare[1] // 2
    return rng.randint(0, spare[0]), rng.randint(0, spare[1])


def changed_colors(pixels: Pixels, rng: Random) -> Pixels:
    """color_aug: in a third of the uses another hue or another brightness, else the picture as it is."""
    if rng.random() > COLOR_CHANCE:
        return pixels
    if rng.random() > 0.5:
        return shifted_hue(pixels, rng.uniform(-HUE_SHIFT, HUE_SHIFT))
    return with_gamma(pixels, rng.uniform(*GAMMA))


def shifted_hue(pixels: Pixels, shift: float) -> Pixels:
    """(H, W, 3) uint8 RGB with every hue moved by `shift` of 180, whole steps."""
    import cv2

    hsv = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = ((hsv[..., 0].astype(np.float64) + shift) % 180).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def with_gamma(pixels: Pixels, gamma: float) -> Pixels:
    """(H, W, 3) uint8: each value of 0..255 to the power of gamma, cut at 255."""
    return np.clip(pixels.astype(np.float64) ** gamma, 0, 255).astype(np.uint8)
