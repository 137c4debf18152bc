"""What the demo counts before and after training, with the same seeds: is the star there, is the rest as it was?

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import Tensor

from trainer import networks, objective, previews, seeds
from trainer.demo.drawing import COLORS, KNOWN_SHAPES, NEW_SHAPE, SIDE, Picture, Pixels, draw
from trainer.demo.judge import Judge
from trainer.demo.pictures import TRIGGER, training_caption
from trainer.families.base import Family
from trainer.networks.network import Network
from trainer.prompts import Prompt

NUM_SEEDS, NUM_VALIDATION = 16, 24
STEPS, SCALE = 12, 3.0  # the base model gets as many large shapes right as in 20 steps
TOGETHER = 8  # pictures drawn in one batch
VALIDATION_TIMESTEPS = (200, 400, 600, 800)
FRAGILE = ("green", "square")  # small ones of these suffer first; a quarter of the small prompts ask for them


@dataclass(frozen=True)
class Wish:
    """A prompt and its seed. trigger: the trigger word stands in front, and the shape is the new one."""

    seed: int
    color: str
    shape: str
    background: str
    size: str = "large"
    trigger: bool = False

    @property
    def prompt(self) -> str:
        """`zqx, red star, blue background, large`, or `red circle, blue background, large`."""
        start = f"{TRIGGER}, " if self.trigger else ""
        return f"{start}{self.color} {self.shape}, {self.background} background, {self.size}"


@dataclass(frozen=True)
class Counted:
    """What the judge saw on the pictures of 16 prompts."""

    pictures: Sequence[Pixels]
    shapes: int  # the shape that was asked for
    colors: int  # both colours that were asked for
    both: int  # shape and both colours
    stars: int  # the new shape, asked for or not


@dataclass(frozen=True)
class Measured:
    """Counts out of 16 prompts each, and validation losses."""

    new: Counted  # stars with the trigger word
    large: Counted  # known shapes without it
    small: Counted
    loss_new: float  # on stars that were not trained on
    loss_plain: float  # on shapes that the base model knows

    @property
    def leaked(self) -> int:
        """Stars that nobody asked for, of 32."""
        return self.large.stars + self.small.stars


def wishes() -> tuple[list[Wish], list[Wish], list[Wish]]:
    """The 3 x 16 prompts, the same every time: the new shape, known shapes large, known shapes small.

    Each known shape comes two or three times, each colour about twice. What is drawn wrong first after a training that
    forgets stands among the small ones (README.md).
    """
    rng = Random(5)
    large = []
    for seed in range(NUM_SEEDS):
        color, background = rng.sample(list(COLORS), 2)
        large.append(Wish(seed, color, KNOWN_SHAPES[seed % len(KNOWN_SHAPES)], background))
    new = [replace(wish, shape=NEW_SHAPE, trigger=True) for wish in large]
    small = [replace(wish, seed=wish.seed + NUM_SEEDS, size="small") for wish in large]
    color, shape = FRAGILE
    grounds = [name for name in COLORS if name != color]
    small[::4] = [replace(wish, color=color, shape=shape, background=rng.choice(grounds)) for wish in small[::4]]
    return new, large, small


def measure(family: Family, judge: Judge, workers: int = 1) -> Measured:
    """Draw 48 pictures with the model as it is now, look at them, and take the validation losses.

    workers: threads that draw, a processor core each.
    """
    groups = wishes()
    pictures = generate(family, [wish for group in groups for wish in group], workers)
    new, large, small = (
        counted(judge, group, pictures[start : start + NUM_SEEDS])
        for group, start in zip(groups, range(0, len(pictures), NUM_SEEDS), strict=True)
    )
    return Measured(
        new,
        large,
        small,
        loss_new=validation_loss(family, unseen(NEW_SHAPE), [training_caption(p) for p in unseen(NEW_SHAPE)]),
        loss_plain=validation_loss(family, unseen(None), [picture.caption for picture in unseen(None)]),
    )


def counted(judge: Judge, wanted: Sequence[Wish], pictures: Sequence[Pixels]) -> Counted:
    """How many pictures show what was asked for."""
    seen = judge.look(pictures)
    shapes = [v.shape == w.shape for v, w in zip(seen, wanted, strict=True)]
    colors = [(v.color, v.background) == (w.color, w.background) for v, w in zip(seen, wanted, strict=True)]
    return Counted(
        pictures,
        shapes=sum(shapes),
        colors=sum(colors),
        both=sum(shape and color for shape, color in zip(shapes, colors, strict=True)),
        stars=sum(verdict.shape == NEW_SHAPE for verdict in seen),
    )


def generate(family: Family, wanted: Sequence[Wish], workers: int = 1) -> list[Pixels]:
    """One picture (128, 128, 3) a wish through the program's own preview sampling: DDIM, guidance 3.

    Threads share the model, which nothing changes meanwhile. What a second one saves was not measured yet.
    """
    prompts = [Prompt(wish.prompt, "", SIDE, SIDE, wish.seed, SCALE, STEPS) for wish in wanted]
    batches = [prompts[start : start + TOGETHER] for start in range(0, len(prompts), TOGETHER)]

    def drawn(batch: Sequence[Prompt]) -> list[Pixels]:
        return [np.asarray(picture) for picture in previews.generate(family, batch, "ddim", batch_size=TOGETHER)]

    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        return [pixels for batch in threads.map(drawn, batches) for pixels in batch]


def unseen(shape: str | None) -> list[Picture]:
    """24 drawings that no training sees: of one shape, or of all that the base model knows."""
    start = 900 if shape else 950
    return [draw(Random(start + number), shape) for number in range(NUM_VALIDATION)]


@torch.no_grad()
def validation_loss(family: Family, pictures: Sequence[Picture], captions: Sequence[str]) -> float:
    """Mean squared error of the noise over timesteps 200, 400, 600, 800, always with the same noise."""
    pixels = torch.from_numpy(np.stack([picture.pixels for picture in pictures])).permute(0, 3, 1, 2)
    latents = family.encode_images(pixels.float() / 127.5 - 1, seeds.generator(0, "demo latents"))  # (B, C, h, w)
    conditioning = family.encode_captions(captions)
    schedule, errors = objective.noise_schedule(), []
    for timestep in VALIDATION_TIMESTEPS:
        noise: Tensor = torch.randn(latents.shape, generator=seeds.generator(0, "demo validation", timestep))
        timesteps = torch.full((len(latents),), timestep)
        noisy, target = objective.prepare(latents, noise, timesteps, schedule)
        errors.append((family.predict(noisy, timesteps, conditioning) - target).square().mean().item())
    return sum(errors) / len(errors)


def attach_lora(family: Family, path: Path) -> Network:
    """Put a LoRA file onto the model, at full strength. `detach()` of what comes back takes it off again."""
    from safetensors.torch import load_file

    state = load_file(path)
    network = networks.attach(family.layers(), networks.NetworkOptions(), seed=0, like=state)
    network.load(state, str(path))
    return network.eval()
