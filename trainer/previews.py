"""Preview pictures: prompt files, the sampling loop, and the files they are kept in. Samplers are in samplers.py.

Nothing here touches the global random state: a run with previews is the run without them.

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from trainer import seeds
from trainer.atomic import WriteError, atomic_writer
from trainer.config import ConfigError, Problem
from trainer.config.problems import did_you_mean
from trainer.families import emphasis
from trainer.families.base import Family
from trainer.families.tokens import clip_tokenizer
from trainer.numbers import ADVICE, NumberError, read_number
from trainer.samplers import scheduler_for
from trainer.saving import sample_name
from trainer.textfiles import TextFileError, parse_document, read_text

ADDRESS = "sample.sample_prompts"
PROMPT_EXTENSIONS = (".txt", ".json", ".toml")
PROMPT_FILE_LIMIT_BYTES = 1_000_000
SMALLEST_SIDE_PX, LARGEST_SIDE_PX = 64, 4096
SMALL_FOR_XL_PX = 700


@dataclass(frozen=True)
class Prompt:
    """One picture to draw. Sizes in pixels, multiples of 8. seed None: one that stays the same for its place."""

    prompt: str
    negative: str = ""
    width: int = 512
    height: int = 512
    seed: int | None = None
    scale: float = 7.5
    steps: int = 30
    sampler: str | None = None  # None: the run's own


@dataclass(frozen=True)
class Made:
    """What came of a prompt: a picture, or a warning in its place, or both. number: the prompt's place, from 0."""

    number: int
    prompt: Prompt
    seed: int
    picture: Image.Image | None
    warning: str | None = None


def read_prompts(text: str) -> tuple[Prompt, ...]:
    """Prompts from a .txt, .json or .toml file, or from lines of text (KOHYA_COMPAT 9.1).

    Raises ConfigError naming the file or line and the cure.
    """
    path = _as_file(text)
    if path is None:
        return _from_lines(text)
    if path.stat().st_size > PROMPT_FILE_LIMIT_BYTES:
        raise _problem(f"{path} is too large for a list of prompts; choose a text file with one prompt a line")
    try:
        content = read_text(path)
    except TextFileError as error:
        raise ConfigError([Problem(ADDRESS, error.template, error.values)]) from None
    if path.suffix.lower() == ".json":
        return _from_json(path, content)
    if path.suffix.lower() == ".toml":
        return _from_toml(path, content)
    return _from_lines(content)


def draw(family: Family, prompts: Sequence[Prompt], sampler: str = "ddim") -> Iterator[Made]:
    """Draw one prompt after the other. A failure is a Made with a warning, never an exception."""
    for number, wanted in enumerate(prompts):
        prompt = replace(wanted, sampler=wanted.sampler or sampler)
        seed = _seed(prompt, number)
        try:
            scheduler, warning = scheduler_for(prompt.sampler or sampler, family.prediction, family.zero_terminal_snr)
            picture = _pictures(family, [prompt], [seed], scheduler)[0]
            yield Made(number, prompt, seed, picture, warning)
        except Exception as error:  # a preview must never end hours of training, whatever goes wrong in it
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            said = str(error).split("\n")[0] or type(error).__name__
            if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
                said = f"there is not enough memory for {prompt.width}x{prompt.height}; choose a smaller --w and --h"
            yield Made(number, prompt, seed, None, f'the preview "{prompt.prompt[:60]}" could not be drawn: {said}')


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
    info = PngInfo()
    info.add_text("parameters", parameters_text(made))
    buffer = io.BytesIO()
    made.picture.save(buffer, format="PNG", pnginfo=info)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as stream:
            stream.write(buffer.getvalue())
    except (WriteError, OSError) as error:
        return f"the preview was not kept: {error.strerror or error}"
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
    family: Family, prompts: Sequence[Prompt], drawn_seeds: Sequence[int], scheduler: Any
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
    for timestep in scheduler.timesteps:
        noisy = scheduler.scale_model_input(latents, timestep)
        noisy = torch.cat([noisy, noisy]) if guided else noisy
        prediction = family.predict(noisy, timestep.expand(len(noisy)), conditioning)
        if guided:
            plain, prompted = prediction.chunk(2)
            prediction = plain + first.scale * (prompted - plain)
        latents = scheduler.step(prediction, timestep, latents, return_dict=False, **draws)[0]
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


def too_small(prompts: Sequence[Prompt], family: str | None) -> list[str]:
    """What to say of previews at a size that SDXL cannot draw well: without a size they are 512 x 512, as elsewhere."""
    sizes = sorted({(one.width, one.height) for one in prompts if one.width * one.height < SMALL_FOR_XL_PX**2})
    if family != "sdxl" or not sizes:
        return []
    width, height = sizes[0]
    return [f"previews of {width} x {height} come out badly with SDXL; write --w 1024 --h 1024 behind the prompts"]


def _drawn_alike(prompt: Prompt) -> tuple[object, ...]:
    return prompt.width, prompt.height, prompt.steps, prompt.scale, prompt.sampler


def _as_file(text: str) -> Path | None:
    """The file a text names, or None when the text holds the prompts themselves."""
    name = text.strip()
    if "\n" in name or len(name) > 1000:
        return None
    with contextlib.suppress(OSError, ValueError):
        if Path(name).is_file():
            return Path(name)
    if Path(name).suffix.lower() in PROMPT_EXTENSIONS:
        raise _problem(f"{name} does not exist; check the path of the prompt file")
    return None


def _from_lines(text: str) -> tuple[Prompt, ...]:
    lines = enumerate(re.split(r"\r\n|\r|\n", text), start=1)  # a prompt may hold the other line ends of Unicode
    prompts = tuple(
        parse_line(line, f"line {number} of the prompts")
        for number, line in lines
        if line.strip() and not line.startswith("#")
    )
    if not prompts:
        raise _problem("there is no prompt; write one a line, or leave the field empty")
    return prompts


def parse_line(line: str, where: str = "line 1 of the prompts") -> Prompt:
    """One line: the prompt, then ` --n negative --w 512 --h 768 --d seed --l scale --s steps --ss sampler`.

    Options of other model families are passed over. where: for errors. Raises ConfigError.
    """
    text, *options = re.split(r"(?:^|\s)--(?=[A-Za-z]+(?:\s|$))", line.strip())
    given: dict[str, str] = {"prompt": text.strip()}
    for option in options:
        flag, _, value = re.sub(r"\s", " ", option, count=1).partition(" ")
        name = _FLAGS.get(flag.lower())
        if name is None:
            known = " ".join(f"--{flag}" for flag in _FLAGS)
            raise _problem(f"{where} has the unknown option --{flag}; known are {known}")
        given[name] = value.strip()
    return _prompt(given, where)


# Options that mean nothing for Stable Diffusion 1 and 2 have the name "".
_FLAGS = {
    "n": "negative_prompt", "w": "width", "h": "height", "d": "seed", "l": "scale", "s": "sample_steps",
    "ss": "sample_sampler", "cn": "", "g": "", "ctr": "", "rcfg": "", "fs": "", "am": "",
}  # fmt: skip


KEYS = ("prompt", "controlnet_image", "guidance_scale", *filter(None, _FLAGS.values()))


def _prompt(given: Mapping[str, Any], where: str) -> Prompt:
    """A prompt from named values, as they stand in a file. where: for errors."""

    def number(name: str, default: float) -> float:
        value = given.get(name)
        if value is None or value == "":
            return default
        try:
            return float(read_number(str(value)))
        except NumberError as error:
            cure = f"; {ADVICE}: write {error.cure}" if error.cure else ""
            raise _problem(f"{where}: {name} is {str(value)[:40]!r}, which is no number{cure}") from None

    prompt, negative = given.get("prompt", ""), given.get("negative_prompt") or ""
    if not isinstance(prompt, str) or not isinstance(negative, str):
        raise _problem(f"{where}: the prompt is not text")
    for name in given:
        if name not in KEYS and (meant := did_you_mean(name, KEYS)):
            raise _problem(f"{where} has the unknown name {name!r}{meant}")
    seed = _whole(given.get("seed"), where)
    sampler = str(given.get("sample_sampler") or "").strip().lower() or None
    return Prompt(
        prompt=prompt,
        negative=negative,
        width=_side(number("width", 512), where),
        height=_side(number("height", 512), where),
        seed=seed,
        scale=number("scale", 7.5),
        steps=max(1, min(1000, int(number("sample_steps", 30)))),
        sampler=sampler,
    )


def _whole(value: Any, where: str) -> int | None:
    """A seed; nothing, or the -1 of image programs, means none."""
    if value is None or value == "":
        return None
    try:
        seed = read_number(str(value))
    except NumberError:
        seed = math.nan
    if not isinstance(seed, int):
        raise _problem(f"{where}: seed is {str(value)[:40]!r}, which is no whole number") from None
    return None if seed < 0 else seed % 2**64


def _side(value: float, where: str) -> int:
    if not 1 <= value <= LARGEST_SIDE_PX:
        raise _problem(f"{where}: a side of {value:g} pixels cannot be drawn; choose 64 to {LARGEST_SIDE_PX}")
    return max(SMALLEST_SIDE_PX, int(value) // 8 * 8)


def _from_json(path: Path, content: str) -> tuple[Prompt, ...]:
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _problem(f"{path} is not readable JSON: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise _problem(f"{path} holds no list of prompts; write a list of texts or of tables with a prompt each")
    return tuple(_entry(entry, {}, f"prompt {number} of {path}") for number, entry in enumerate(entries, start=1))


def _from_toml(path: Path, content: str) -> tuple[Prompt, ...]:
    try:
        table = parse_document(content, str(path), "TOML").get("prompt")
    except TextFileError as error:
        raise ConfigError([Problem(ADDRESS, error.template, error.values)]) from None
    if not isinstance(table, dict) or not isinstance(table.get("subset"), list) or not table["subset"]:
        raise _problem(f"{path} holds no prompts; write [[prompt.subset]] with a prompt, for each picture")
    shared = {name: value for name, value in table.items() if name != "subset"}
    return tuple(
        _entry(entry, shared, f"prompt {number} of {path}") for number, entry in enumerate(table["subset"], start=1)
    )


def _entry(entry: Any, shared: Mapping[str, Any], where: str) -> Prompt:
    """One entry of a JSON or TOML file: a text in the syntax of a line, or a table."""
    if isinstance(entry, str):
        return parse_line(entry, where)
    if not isinstance(entry, dict):
        raise _problem(f"{where} is neither text nor a table")
    return _prompt({**shared, **entry}, where)


def _problem(message: str) -> ConfigError:
    return ConfigError([Problem(ADDRESS, "{message}", {"message": message})])
