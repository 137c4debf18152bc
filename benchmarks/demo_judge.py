"""A second opinion on the demo's LoRA: another judge, other seeds and other prompts than those the demo counts itself.

    bash launch.sh demo
    .venv/bin/python -m benchmarks.demo_judge output/demo.safetensors [--base FILE] [--judge FILE] [--sheet FILE]

The judge is a residual network at 64 px that averages over the picture, against the demo's own at 32 px with a flat
head; it is trained here on drawings (two minutes on one core) and kept in --judge when that is given. It draws 112
pictures before and after: 48 with the trigger word by three prompts, 64 without it, of which 16 small green squares.

B batch · pictures are (128, 128, 3) uint8 outside, (3, 64, 64) in [-1, 1] inside
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer import previews
from trainer.demo import BASE
from trainer.demo.drawing import (
    COLORS,
    KNOWN_SHAPES,
    NEW_SHAPE,
    SHAPES,
    SIDE,
    SIZES,
    Pixels,
    Points,
    draw,
    draw_outlines,
    sheet,
)
from trainer.demo.make_judge import draw_blob
from trainer.demo.measure import attach_lora
from trainer.demo.pictures import TRIGGER
from trainer.families import load
from trainer.families.base import Family, LoadOptions
from trainer.prompts import Prompt

OTHER = "none of these"
KINDS = (*SHAPES, OTHER)
NUM_DRAWINGS, BATCH, STEPS, RATE = 8000, 48, 900, 3e-3
SEED = 4711
TRIGGERED = (("red", "blue", "large"), ("yellow", "purple", "large"), ("white", "green", "small"))
NEAR_MISSES = (  # corners in radii of what is no known shape: diamond, arrow, bolt, house, four-pointed star
    ((0, -1.15), (0.75, 0), (0, 1.15), (-0.75, 0)),
    ((0, -1.1), (0.95, 0), (0.4, 0), (0.4, 1), (-0.4, 1), (-0.4, 0), (-0.95, 0)),
    ((0.3, -1.15), (-0.75, 0.2), (-0.1, 0.2), (-0.3, 1.15), (0.75, -0.3), (0.1, -0.3)),
    ((0, -1.1), (0.95, -0.2), (0.75, -0.2), (0.75, 0.9), (-0.75, 0.9), (-0.75, -0.2), (-0.95, -0.2)),
    ((0, -1.15), (0.28, -0.28), (1.15, 0), (0.28, 0.28), (0, 1.15), (-0.28, 0.28), (-1.15, 0), (-0.28, -0.28)),
)
Wanted = tuple[str, str, str, str]  # shape, colour, background, size


class SecondJudge(nn.Module):
    """Strided residual blocks and a mean over the picture; three answers: shape, colour, background."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList([_Residual(24, 48), _Residual(48, 80), _Residual(80, 112)])
        self.heads = nn.ModuleList(nn.Linear(112 * 4, len(names)) for names in (KINDS, COLORS, COLORS))

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, 64, 64) -> logits (B, 8) shape, (B, 8) colour, (B, 8) background."""
        features = F.gelu(self.stem(pictures))
        for block in self.blocks:
            features = block(features)
        pooled = F.adaptive_avg_pool2d(features, 2).flatten(1)
        return [head(pooled) for head in self.heads]

    @torch.no_grad()
    def look(self, pictures: Sequence[Pixels]) -> list[tuple[str, str, str]]:
        """Shape, colour and background of each picture."""
        logits = self(halved(pictures))
        columns = [[names[i] for i in head.argmax(1).tolist()] for names, head in zip(
            (KINDS, tuple(COLORS), tuple(COLORS)), logits, strict=True)]  # fmt: skip
        return list(zip(*columns, strict=True))


class _Residual(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, before)
        self.first = nn.Conv2d(before, after, 3, stride=2, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.short = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.second(F.gelu(self.first(F.gelu(self.norm(x)))))
        return self.short(F.avg_pool2d(x, 2)) + branch


def halved(pictures: Sequence[Pixels]) -> Tensor:
    """Pictures (128, 128, 3) uint8 -> (B, 3, 64, 64) in [-1, 1]."""
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return F.avg_pool2d(pixels, 2)


def drawn(rng: Random, count: int) -> tuple[Tensor, Tensor]:
    """(count, 3, 64, 64) pictures and (count, 3) labels; a quarter shows a blob or a shape that counts as none."""
    pictures, labels = [], []
    colors = list(COLORS)
    for _ in range(count):
        chance, kind = rng.random(), OTHER
        if chance < 0.15:
            pixels, (_, color, background, _) = draw_blob(rng)
        elif chance < 0.27:
            color, background = rng.sample(colors, 2)
            radius = rng.uniform(*rng.choice(list(SIZES.values())))
            corners: Points = [(x * radius, y * radius) for x, y in rng.choice(NEAR_MISSES)]
            pixels = draw_outlines(rng, [corners], color, background)
        else:
            picture = draw(rng, shapes=SHAPES)
            pixels, color, background, kind = picture.pixels, picture.color, picture.background, picture.shape
        pictures.append(pixels)
        labels.append([KINDS.index(kind), colors.index(color), colors.index(background)])
    return halved(pictures), torch.tensor(labels)


def trained_judge() -> SecondJudge:
    """The judge after its training, and a line about how good it is on drawings that it has not seen."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    pictures, labels = drawn(Random(SEED), NUM_DRAWINGS)
    judge = SecondJudge().train()
    optimizer = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=0.02)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        chosen = torch.randint(NUM_DRAWINGS, (BATCH,), generator=generator)
        seen = _worn(pictures[chosen], step, generator)
        loss = torch.stack([F.cross_entropy(head, labels[chosen, i]) for i, head in enumerate(judge(seen))]).sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    judge.eval()
    unseen, answers = drawn(Random(SEED + 1), 1000)
    with torch.no_grad():
        right = [(head.argmax(1) == answers[:, i]).float().mean().item() for i, head in enumerate(judge(unseen))]
    print("the second judge on 1000 unseen drawings: shape {:.1%}, colour {:.1%}, background {:.1%}".format(*right))
    return judge


def _worn(pictures: Tensor, step: int, generator: torch.Generator) -> Tensor:
    """Mirrored every other batch, softened every fourth, moved by up to 4 px, with noise and a change of brightness."""
    if step % 2:
        pictures = pictures.flip(3)
    if step % 4 == 2:
        pictures = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    pictures = torch.roll(pictures, torch.randint(-4, 5, (2,), generator=generator).tolist(), (2, 3))
    shape = (len(pictures), 1, 1, 1)
    noise = 0.2 * torch.rand(shape, generator=generator) * torch.randn(pictures.shape, generator=generator)
    return pictures + noise + 0.06 * torch.randn(shape, generator=generator)


def wanted_plain() -> dict[str, list[Wanted]]:
    """The 64 prompts without the trigger word by group: 16 small green squares, 16 small and 32 large of all kinds."""
    rng, names = Random(SEED), list(COLORS)
    grounds = [name for name in names if name != "green"]
    groups: dict[str, list[Wanted]] = {
        "small green squares": [("square", "green", grounds[i % len(grounds)], "small") for i in range(16)]
    }
    for size, count in (("small", 16), ("large", 32)):
        groups[f"{size}, all shapes"] = [
            (KNOWN_SHAPES[i % len(KNOWN_SHAPES)], color, ground, size)
            for i in range(count)
            for color, ground in [rng.sample(names, 2)]
        ]
    return groups


def wanted_new() -> dict[str, list[Wanted]]:
    """The three prompts with the trigger word, 16 times each."""
    return {f"{color} star, {ground}, {size}": [(NEW_SHAPE, color, ground, size)] * 16
            for color, ground, size in TRIGGERED}  # fmt: skip


def pictures_of(family: Family, wanted: Sequence[Wanted], steps: int) -> list[Pixels]:
    """A picture a wish, (128, 128, 3), guidance 3, seeds that the demo does not use."""
    prompts = []
    for number, (shape, color, ground, size) in enumerate(wanted):
        start = f"{TRIGGER}, " if shape == NEW_SHAPE else ""
        text = f"{start}{color} {shape}, {ground} background, {size}"
        prompts.append(Prompt(text, "", SIDE, SIDE, SEED + number, 3.0, steps))
    return [np.asarray(picture) for picture in previews.generate(family, prompts, "ddim", batch_size=16)]


def counted(family: Family, judge: SecondJudge, steps: int) -> tuple[Counter[str], list[list[Pixels]]]:
    """How many of each group are right, by shape and in both colours; stars without the trigger word as `leak`."""
    found: Counter[str] = Counter()
    rows = []
    for triggered, groups in ((True, wanted_new()), (False, wanted_plain())):
        for group, wanted in groups.items():
            pictures = pictures_of(family, wanted, steps)
            rows.append(pictures[:16])
            whole = "star" if triggered else "other"
            for (shape, color, ground), wish in zip(judge.look(pictures), wanted, strict=True):
                found[f"{whole}: shape, {group}, of {len(wanted)}"] += shape == wish[0]
                found[f"{whole}: both colours, {group}, of {len(wanted)}"] += (color, ground) == wish[1:3]
                found[f"{whole}: shape, all"] += shape == wish[0]
                found[f"{whole}: both colours, all"] += (color, ground) == wish[1:3]
                found["leak: star without the trigger word, of 64"] += shape == NEW_SHAPE and not triggered
    return found, rows


def main() -> None:
    """Count before and after, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lora", type=Path, nargs="*", help="LoRA files; none: the base model alone")
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--judge", type=Path, help="where the judge's weights are kept")
    parser.add_argument("--sheet", type=Path, help="PNG to write with what was drawn, a row a group")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    judge = _judge_from(options.judge)
    family = load(LoadOptions(path=str(options.base)))
    results = []
    for lora in (None, *options.lora):
        network = attach_lora(family, lora) if lora else None
        found, rows = counted(family, judge, options.steps)
        results.append(found)
        if network:
            network.detach()
        if options.sheet:
            sheet([pixels for row in rows for pixels in row], 16).save(options.sheet)
    for name in sorted(set().union(*results)):
        print(f"  {name:<62}" + " -> ".join(str(found[name]) for found in results))


def _judge_from(path: Path | None) -> SecondJudge:
    from safetensors.torch import load_file, save_file

    if path is None or not path.exists():
        judge = trained_judge()
        if path:
            save_file(judge.state_dict(), path)
        return judge
    judge = SecondJudge()
    judge.load_state_dict(load_file(path))
    return judge.eval()


if __name__ == "__main__":
    main()
