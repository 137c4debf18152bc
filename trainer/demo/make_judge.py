"""Makes judge.safetensors: the network of judge.py, trained on drawings only.

    python -m trainer.demo.make_judge [--out FILE] [--steps 900]

About two minutes on one core. Prints how often it is right on 1000 drawings that it has not seen.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.atomic import atomic_write
from trainer.demo.drawing import COLORS, SHAPES, SIZES, Pixels, Points, draw, draw_outlines
from trainer.demo.judge import BLOB, HEADS, WEIGHTS, Judge, shrunk

NUM_DRAWINGS, NUM_UNSEEN, BATCH = 6000, 1000, 64
BLOB_PART = 0.16


def draw_blob(rng: Random) -> tuple[Pixels, tuple[str, str, str, str]]:
    """A random smooth outline, as a half-learned model paints it, and its labels in the order of HEADS."""
    color, background = rng.sample(list(COLORS), 2)
    size = rng.choice(list(SIZES))
    radius = rng.uniform(*SIZES[size])
    waves = [(rng.uniform(0, 0.28) / math.sqrt(count), rng.uniform(0, 2 * math.pi), count) for count in (2, 3, 4, 5, 6)]
    points: Points = []
    for step in range(90):
        angle = step * 2 * math.pi / 90
        wave = sum(height * math.cos(count * angle + phase) for height, phase, count in waves)
        reach = 0.8 * radius * (1 + wave)
        points.append((reach * math.cos(angle), reach * math.sin(angle)))
    return draw_outlines(rng, [points], color, background), (BLOB, color, background, size)


def drawn(rng: Random, count: int) -> tuple[Tensor, Tensor]:
    """(count, 3, 32, 32) pictures and (count, 4) labels; one in six shows a blob."""
    pictures, labels = [], []
    for _ in range(count):
        if rng.random() < BLOB_PART:
            pixels, names = draw_blob(rng)
        else:
            picture = draw(rng, shapes=SHAPES)
            pixels, names = picture.pixels, (picture.shape, picture.color, picture.background, picture.size)
        pictures.append(pixels)
        labels.append([known.index(name) for known, name in zip(HEADS, names, strict=True)])
    return shrunk(pictures), torch.tensor(labels)


def worn(pictures: Tensor, step: int, generator: torch.Generator) -> Tensor:
    """The same pictures shifted by up to 2 px, every third batch softened, with up to 15 % noise."""
    shift = torch.randint(-2, 3, (2,), generator=generator).tolist()
    pictures = torch.roll(pictures, shift, (2, 3))
    if step % 3 == 1:
        pictures = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    strength = 0.15 * torch.rand(len(pictures), 1, 1, 1, generator=generator)
    return pictures + strength * torch.randn(pictures.shape, generator=generator)


def train(steps: int) -> Judge:
    """A judge after `steps` batches of 64 drawings. The same every time on one machine."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    pictures, labels = drawn(Random(3), NUM_DRAWINGS)
    judge = Judge().train()
    optimizer = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    for step in range(steps):
        chosen = torch.randint(NUM_DRAWINGS, (BATCH,), generator=generator)
        logits = judge(worn(pictures[chosen], step, generator))
        loss = torch.stack([F.cross_entropy(head, labels[chosen, i]) for i, head in enumerate(logits)]).sum()
        loss.backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return judge.eval()


@torch.no_grad()
def accuracy(judge: Judge) -> list[float]:
    """How often each answer is right on drawings that the judge has not seen, blobs included: shape, colour, …"""
    pictures, labels = drawn(Random(4), NUM_UNSEEN)
    right = [head.argmax(1) == labels[:, i] for i, head in enumerate(judge(pictures))]
    return [answers.float().mean().item() for answers in right]


def main(argv: Sequence[str] | None = None) -> int:
    """Train, measure, write."""
    from safetensors.torch import save

    parser = argparse.ArgumentParser(prog="python -m trainer.demo.make_judge", description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--steps", type=int, default=900)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    start = time.monotonic()
    judge = train(options.steps)
    halves = {
        name: tensor.half().contiguous() for name, tensor in judge.state_dict().items() if "num_batches" not in name
    }
    halves |= {name: tensor for name, tensor in judge.state_dict().items() if "num_batches" in name}
    atomic_write(options.out, save(halves))
    shape, color, background, size = accuracy(judge)
    print(f"{options.out}: {time.monotonic() - start:.0f} s; right on {NUM_UNSEEN} unseen drawings: "
          f"shape {shape:.1%}, colour {color:.1%}, background {background:.1%}, size {size:.1%}")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
