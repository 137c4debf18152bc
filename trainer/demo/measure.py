"""What the demo counts before and after training, with the same seeds: is the star there, is the rest as it was?

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
STEPS, SCALE = 20, 3.0
VALIDATION_TIMESTEPS = (200, 400, 600, 800)


@dataclass(frozen=True)
class Wish:
    """One seed's prompts. shape: what the prompt without the trigger asks for."""

    seed: int
    color: str
    shape: str
    background: str

    def prompt(self, trigger: bool) -> str:
        """`zqx, red star, blue background, large`, or `red circle, blue background, large`."""
        start = f"{TRIGGER}, {self.color} {NEW_SHAPE}" if trigger else f"{self.color} {self.shape}"
        return f"{start}, {self.background} background, large"


@dataclass(frozen=True)
class Measured:
    """Counts out of 16 seeds, validation losses, and the pictures they were counted on."""

    stars: int  # with the trigger
    stars_in_colors: int  # of these, how many in both colours that the prompt named
    leaked: int  # stars without the trigger
    plain_shapes: int  # without the trigger: the shape that was asked for
    plain_colors: int  # without the trigger: both colours right
    loss_new: float  # on stars that were not trained on
    loss_plain: float  # on shapes that the base model knows
    with_trigger: Sequence[Pixels]
    without_trigger: Sequence[Pixels]


def wishes() -> list[Wish]:
    """The 16 prompts, the same every time: each known shape two or three times, all colours."""
    rng, found = Random(5), []
    for seed in range(NUM_SEEDS):
        color, background = rng.sample(list(COLORS), 2)
        found.append(Wish(seed, color, KNOWN_SHAPES[seed % len(KNOWN_SHAPES)], background))
    return found


def measure(family: Family, judge: Judge) -> Measured:
    """Draw 32 pictures with the model as it is now, look at them, and take the validation losses."""
    wanted = wishes()
    with_trigger, without = (generate(family, wanted, trigger) for trigger in (True, False))
    seen, plain = judge.look(with_trigger), judge.look(without)
    stars = [verdict.shape == NEW_SHAPE for verdict in seen]
    colors = [(v.color, v.background) == (w.color, w.background) for v, w in zip(seen, wanted, strict=True)]
    return Measured(
        stars=sum(stars),
        stars_in_colors=sum(star and right for star, right in zip(stars, colors, strict=True)),
        leaked=sum(verdict.shape == NEW_SHAPE for verdict in plain),
        plain_shapes=sum(v.shape == w.shape for v, w in zip(plain, wanted, strict=True)),
        plain_colors=sum(
            (v.color, v.background) == (w.color, w.background) for v, w in zip(plain, wanted, strict=True)
        ),
        loss_new=validation_loss(family, unseen(NEW_SHAPE), [training_caption(p) for p in unseen(NEW_SHAPE)]),
        loss_plain=validation_loss(family, unseen(None), [picture.caption for picture in unseen(None)]),
        with_trigger=with_trigger,
        without_trigger=without,
    )


def generate(family: Family, wanted: Sequence[Wish], trigger: bool) -> list[Pixels]:
    """One picture (128, 128, 3) a wish through the program's own preview sampling: DDIM, 20 steps, guidance 3."""
    prompts = [Prompt(w.prompt(trigger), "", SIDE, SIDE, w.seed, SCALE, STEPS) for w in wanted]
    return [np.asarray(picture) for picture in previews.generate(family, prompts, "ddim", batch_size=NUM_SEEDS)]


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
