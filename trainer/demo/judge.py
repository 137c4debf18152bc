"""Says what is on a picture: a small network that has only ever seen drawings, never what a diffusion model made.

It counts for the demo and for tests; how it was trained is in make_judge.py. A class `blob` takes what is no clear
shape.

B batch · pictures are (128, 128, 3) uint8 outside, (3, 32, 32) in [-1, 1] inside
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.demo.drawing import COLORS, SHAPES, SIZES, Pixels

WEIGHTS = Path(__file__).parent / "judge.safetensors"
BLOB = "blob"
KINDS = (*SHAPES, BLOB)
COLOR_NAMES = tuple(COLORS)
SIZE_NAMES = tuple(SIZES)
HEADS = (KINDS, COLOR_NAMES, COLOR_NAMES, SIZE_NAMES)
FLAT_BELOW = 40
SHRINK = 4  # 128 px outside, 32 px inside


@dataclass(frozen=True)
class Verdict:
    """What the judge sees on one picture."""

    shape: str  # one of KINDS
    color: str
    background: str
    size: str


class Judge(nn.Module):
    """Three convolution blocks and four answers; 200 000 numbers. `load_judge` gives a trained one."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(_block(3, 24), _block(24, 48), _block(48, 96), nn.Flatten(), nn.Dropout(0.2))
        self.heads = nn.ModuleList(nn.Linear(96 * 16, len(names)) for names in HEADS)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, 32, 32) -> logits (B, 8) shape, (B, 8) colour, (B, 8) background, (B, 2) size."""
        features = self.body(pictures)
        return [head(features) for head in self.heads]

    @torch.no_grad()
    def look(self, pictures: Sequence[Pixels]) -> list[Verdict]:
        """What is on each picture. A sheet of one colour, which no drawing is, counts as a blob."""
        logits = self(shrunk(pictures))
        columns = [[names[i] for i in head.argmax(1).tolist()] for names, head in zip(HEADS, logits, strict=True)]
        columns[0] = [BLOB if flat(pixels) else kind for kind, pixels in zip(columns[0], pictures, strict=True)]
        return [Verdict(*row) for row in zip(*columns, strict=True)]


def flat(pixels: Pixels) -> bool:
    """True when nothing stands out: no channel differs by 40 of 255 between its darkest and its brightest 3 %.

    The smallest star covers 6 % of a picture, and the two closest colours, red and orange, are 100 apart in green.
    """
    low, high = np.percentile(pixels.reshape(-1, 3), (3, 97), axis=0)
    return bool((high - low).max() < FLAT_BELOW)


def shrunk(pictures: Sequence[Pixels]) -> Tensor:
    """Pictures (128, 128, 3) uint8 -> (B, 3, 32, 32) in [-1, 1], by averaging."""
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return F.avg_pool2d(pixels, SHRINK)


def load_judge(path: Path = WEIGHTS) -> Judge:
    """The trained judge, ready to look."""
    from safetensors.torch import load_file

    judge = Judge()
    judge.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return judge.eval()


def _block(before: int, after: int) -> nn.Sequential:
    """Two 3x3 convolutions, then half the side."""
    layers: list[nn.Module] = []
    for width in (before, after):
        layers += [nn.Conv2d(width, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))
