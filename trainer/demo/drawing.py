"""The demo's pictures: one coloured shape on a plain background, and the tags that describe it. LIGHT (Pillow, numpy).

What is drawn, and nothing about folders (pictures.py) or models. The demo base model knows `KNOWN_SHAPES`; `NEW_SHAPE`
is what the demo LoRA teaches it.

A picture is (128, 128, 3) uint8 RGB. Lengths are parts of the picture's side, angles radians, y points down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

COLORS = {
    "red": (220, 40, 40), "orange": (245, 140, 30), "yellow": (250, 220, 50), "green": (40, 165, 70),
    "blue": (40, 80, 220), "purple": (145, 60, 185), "white": (242, 242, 242), "black": (25, 25, 30),
}  # fmt: skip
KNOWN_SHAPES = ("circle", "square", "triangle", "ring", "cross", "heart")
NEW_SHAPE = "star"
SHAPES = (*KNOWN_SHAPES, NEW_SHAPE)
SIZES = {"large": (0.36, 0.40), "small": (0.20, 0.23)}  # radius, least and most
SIDE = 128
SUPERSAMPLING = 4  # edges are drawn this much finer and averaged
CENTRE_JITTER, TURN_JITTER, TINT_JITTER = 0.03, 0.08, 6.0

Pixels = NDArray[np.uint8]
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Picture:
    """A drawing and what is on it."""

    pixels: Pixels
    shape: str
    color: str
    background: str
    size: str

    @property
    def tags(self) -> tuple[str, str, str]:
        """("red circle", "blue background", "large"): the demo's order."""
        return f"{self.color} {self.shape}", f"{self.background} background", self.size

    @property
    def caption(self) -> str:
        """The tags joined: `red circle, blue background, large`."""
        return ", ".join(self.tags)


def draw(
    rng: Random,
    shape: str | None = None,
    color: str | None = None,
    background: str | None = None,
    size: str | None = None,
    shapes: Sequence[str] = KNOWN_SHAPES,
) -> Picture:
    """A picture with what is given, the rest chosen by `rng`; place, turn, radius and tints differ a little each time.

    Object and background never have the same colour unless both are given. Raises KeyError for an unknown colour or
    size, ValueError for an unknown shape.
    """
    shape = shape or rng.choice(list(shapes))
    color = color or rng.choice([name for name in COLORS if name != background])
    background = background or rng.choice([name for name in COLORS if name != color])
    size = size or rng.choice(list(SIZES))
    radius = rng.uniform(*SIZES[size])
    pixels = draw_outlines(rng, _outlines(shape, radius), color, background)
    return Picture(pixels, shape, color, background, size)


def draw_outlines(rng: Random, outlines: Sequence[Points], color: str, background: str) -> Pixels:
    """Paint outlines around (0, 0) near the picture's middle: the first is filled, any further one is a hole in it."""
    x, y = (0.5 + rng.uniform(-CENTRE_JITTER, CENTRE_JITTER) for _ in range(2))
    turn = rng.uniform(-TURN_JITTER, TURN_JITTER)
    coverage = _coverage(outlines, x, y, turn)[..., None]
    ink, ground = (_tint(rng, name) for name in (color, background))
    return (ground + coverage * (ink - ground)).clip(0, 255).round().astype(np.uint8)


def outline(shape: str, radius: float) -> Points:
    """The polygon of a shape around (0, 0); a ring is two circles and has none. Raises ValueError for other names."""
    if shape == "circle":
        return [_spoke(index * math.pi / 48, radius) for index in range(96)]
    if shape == "square":
        half = 0.86 * radius
        return [(-half, -half), (half, -half), (half, half), (-half, half)]
    if shape == "triangle":
        corners = [_spoke(-math.pi / 2 + index * 2 * math.pi / 3, 1.15 * radius) for index in range(3)]
        return [(x, y + 0.2 * radius) for x, y in corners]
    if shape == "cross":
        return _cross(radius, 0.34 * radius)
    if shape == "heart":
        return [_heart_point(index * 2 * math.pi / 80, radius) for index in range(80)]
    if shape == "star":
        spokes = [(-math.pi / 2 + index * math.pi / 5, (1.12, 0.46)[index % 2] * radius) for index in range(10)]
        return [_spoke(angle, length) for angle, length in spokes]
    raise ValueError(f"no shape is called {shape!r}; known: {', '.join(SHAPES)}")


def sheet(pictures: Sequence[Pixels], columns: int, gap: int = 4) -> Image.Image:
    """Pictures of one size side by side on white, row after row; `gap` pixels between them."""
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for index, pixels in enumerate(pictures):
        y, x = (index // columns) * (height + gap), (index % columns) * (width + gap)
        canvas[y : y + height, x : x + width] = pixels
    return Image.fromarray(canvas)


def _outlines(shape: str, radius: float) -> list[Points]:
    if shape == "ring":
        return [outline("circle", radius), outline("circle", 0.56 * radius)]
    return [outline(shape, radius)]


def _coverage(outlines: Sequence[Points], x: float, y: float, turn: float) -> NDArray[np.float32]:
    """How much of every pixel the object covers, (128, 128) in [0, 1]."""
    side = SIDE * SUPERSAMPLING
    mask = Image.new("L", (side, side), 0)
    canvas = ImageDraw.Draw(mask)
    cosine, sine = math.cos(turn), math.sin(turn)
    for index, points in enumerate(outlines):
        placed = [((x + a * cosine - b * sine) * side, (y + a * sine + b * cosine) * side) for a, b in points]
        canvas.polygon(placed, fill=0 if index else 255)
    return np.asarray(mask.reduce(SUPERSAMPLING), np.float32) / np.float32(255)


def _tint(rng: Random, name: str) -> NDArray[np.float32]:
    return np.array([value + rng.uniform(-TINT_JITTER, TINT_JITTER) for value in COLORS[name]], np.float32)


def _spoke(angle: float, length: float) -> tuple[float, float]:
    return length * math.cos(angle), length * math.sin(angle)


def _cross(reach: float, half: float) -> Points:
    return [
        (-half, -reach), (half, -reach), (half, -half), (reach, -half), (reach, half), (half, half),
        (half, reach), (-half, reach), (-half, half), (-reach, half), (-reach, -half), (-half, -half),
    ]  # fmt: skip


def _heart_point(t: float, radius: float) -> tuple[float, float]:
    """The usual heart curve (16 sin^3 t, 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t), scaled to the radius."""
    x = 16 * math.sin(t) ** 3
    y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
    return radius * 0.062 * x, -radius * 0.062 * y - 0.1 * radius
