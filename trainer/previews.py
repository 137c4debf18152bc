"""Preview pictures: the sampling loop and the files they are kept in. What to draw is read in prompts.py, samplers
are in samplers.py.

Nothing here touches the global random state: a run with previews is the run without them.

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from trainer import seeds
from trainer.atomic import atomic_writer
from trainer.families import emphasis
from trainer.families.base import Family
from trainer.families.tokens import clip_tokenizer
from trainer.prompts import Prompt
from trainer.samplers import scheduler_for
from trainer.saving import sample_name


@dataclass(frozen=True)
class Made:
    """What came of a prompt: a picture, or a warning in its place, or both. number: the prompt's place, from 0."""

    number: int
    prompt: Prompt
    seed: int
    picture: Image.Image | None
    warning: str | None = None


class NotWanted(Exception):
    """Nobody waits for this picture any more."""


def draw(
    family: Family,
    prompts: Sequence[Prompt],
    sampler: str = "ddim",
    look: Callable[[int], bool] = lambda steps: False,
) -> Iterator[Made]:
    """Draw one prompt after the other. A failure is a Made with a warning, never an exception.

    look: called after every sampling step with the steps done in all; True ends the drawing at once.
    """
    before = 0

    def each_step(step: int) -> None:
        if look(before + step):
            raise NotWanted

    for number, wanted in enumerate(prompts):
        prompt = replace(wanted, sampler=wanted.sampler or sampler)
        seed = _seed(prompt, number)
        try:
            scheduler, warning = scheduler_for(prompt.sampler or sampler, family.prediction, family.zero_terminal_snr)
            picture = _pictures(family, [prompt], [seed], scheduler, each_step)[0]
            yield Made(number, prompt, seed, picture, warning)
        except NotWanted:
            return
        except Exception as error:  # a preview must never end hours of training, whatever goes wrong in it
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            said = str(error).split("\n")[0] or type(error).__name__
            if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
                said = f"there is not enough memory for {prompt.width}x{prompt.height}; choose a smaller --w and --h"
            yield Made(number, prompt, seed, None, f'the preview "{prompt.prompt[:60]}" could not be drawn: {said}')
        before += prompt.steps


def remember_prompts(family: Family, prompts: Sequence[Prompt]) -> None:
    """Encode the prompts now, so that `draw` needs no text encoders."""
    for prompt in prompts:
        captions = _captions([prompt])
        family.remember_captions(captions, _token_length(captions), emphasis=True)


def generate(
    family: Family,
    prompts: Sequence[Prompt | str],
    sampler: str = "ddim",
    batch_size: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Image.Image]:
    """A picture for every prompt, in order; errors are raised. Neighbours of one size and sampler share a batch."""
    wanted = [Prompt(prompt) if isinstance(prompt, str) else prompt for prompt in prompts]
    pictures: list[Image.Image] = []
    while len(pictures) < len(wanted):
        first = wanted[len(pictures)]
        group = [first]
        for prompt in wanted[len(pictures) + 1 :]:
            if len(group) >= batch_size or _drawn_alike(prompt) != _drawn_alike(first):
                break
            group.append(prompt)
        scheduler, _ = scheduler_for(first.sampler or sampler, family.prediction, family.zero_terminal_snr)
        numbers = range(len(pictures), len(pictures) + len(group))
        drawn_seeds = [_seed(prompt, number) for prompt, number in zip(group, numbers, strict=True)]
        pictures += _pictures(family, group, drawn_seeds, scheduler)
        progress(len(pictures), len(wanted))
    return pictures


def file_name(output_name: str, made: Made, epoch: int | None, step: int) -> str:
    """What the file of a picture is called."""
    return sample_name(output_name, made.number, made.seed, epoch, step)


def save(path: Path, made: Made) -> str | None:
    """Write the picture as PNG with its prompt and settings inside; returns a warning when that fails."""
    if made.picture is None:
        return None
    try:
        info = PngInfo()
        info.add_text("parameters", parameters_text(made))
        buffer = io.BytesIO()
        made.picture.save(buffer, format="PNG", pnginfo=info)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as stream:
            stream.write(buffer.getvalue())
    except (OSError, ValueError) as error:  # a preview must never end hours of training, whatever goes wrong in it
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"the preview was not kept: {reason}"
    return None


def parameters_text(made: Made) -> str:
    """Prompt and settings in the form that image programs read from PNG files."""
    prompt = made.prompt
    negative = f"\nNegative prompt: {prompt.negative}" if prompt.negative else ""
    settings = (
        f"Steps: {prompt.steps}, Sampler: {prompt.sampler or 'ddim'}, CFG scale: {prompt.scale:g}, Seed: {made.seed}, "
        f"Size: {prompt.width}x{prompt.height}"
    )
    return f"{prompt.prompt}{negative}\n{settings}"


@torch.no_grad()
def _pictures(
    family: Family,
    prompts: Sequence[Prompt],
    drawn_seeds: Sequence[int],
    scheduler: Any,
    each_step: Callable[[int], None] = lambda step: None,
) -> list[Image.Image]:
    """Draw prompts of one size, step count and scale together: denoise with classifier-free guidance, decode."""
    first = prompts[0]
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in drawn_seeds]
    shape = (family.latent_channels, first.height // 8, first.width // 8)
    latents = torch.stack([torch.randn(shape, generator=generator) for generator in generators]).to(family.device)
    guided = first.scale > 1
    captions = _captions(prompts)
    conditioning = family.encode_captions(captions, _token_length(captions), emphasis=True)
    sizes = torch.tensor([[first.height, first.width, 0, 0, first.height, first.width]], dtype=torch.float32)
    conditioning = replace(conditioning, sizes=sizes.expand(len(captions), -1).to(family.device))
    scheduler.set_timesteps(first.steps, device=family.device)
    latents = latents * scheduler.init_noise_sigma
    draws = {"generator": generators} if _takes_generator(scheduler) else {}
    for step, timestep in enumerate(scheduler.timesteps, start=1):
        noisy = scheduler.scale_model_input(latents, timestep)
        noisy = torch.cat([noisy, noisy]) if guided else noisy
        prediction = family.predict(noisy, timestep.expand(len(noisy)), conditioning)
        if guided:
            plain, prompted = prediction.chunk(2)
            prediction = plain + first.scale * (prompted - plain)
        latents = scheduler.step(prediction, timestep, latents, return_dict=False, **draws)[0]
        each_step(step * first.steps // len(scheduler.timesteps))  # some samplers look twice in a step
    return [_to_image(pixels) for pixels in family.decode_latents(latents)]


def _to_image(pixels: Tensor) -> Image.Image:
    """(3, H, W) in [-1, 1] -> an RGB picture. Raises ValueError when the pixels are NaN."""
    if not torch.isfinite(pixels).all():
        raise ValueError("the picture became NaN; try mixed_precision bf16 or no, or no_half_vae")
    array = ((pixels.float().cpu() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray(np.ascontiguousarray(array.permute(1, 2, 0).numpy()))


def _takes_generator(scheduler: Any) -> bool:
    return "generator" in scheduler.step.__code__.co_varnames[: scheduler.step.__code__.co_argcount]


def _captions(prompts: Sequence[Prompt]) -> list[str]:
    """What the text encoders are asked for prompts drawn together: with guidance the negative ones first."""
    wanted = [prompt.prompt for prompt in prompts]
    return [prompt.negative for prompt in prompts] + wanted if prompts[0].scale > 1 else wanted


def _token_length(captions: Sequence[str]) -> int | None:
    """Room for the longest prompt: 75 (None), 150 or 225 tokens. Brackets that weigh and their numbers take none."""
    count = clip_tokenizer().count
    longest = max(sum(count(words) for words, _ in emphasis.parse(caption)) for caption in captions)
    return None if longest <= 75 else 150 if longest <= 150 else 225


def _seed(prompt: Prompt, number: int) -> int:
    """The prompt's seed, else one of its place, so that pictures of different epochs can be compared."""
    return prompt.seed if prompt.seed is not None else seeds.derive(0, "preview", number) % 2**32


def _drawn_alike(prompt: Prompt) -> tuple[object, ...]:
    return prompt.width, prompt.height, prompt.steps, prompt.scale, prompt.sampler
