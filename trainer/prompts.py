"""The prompts of previews: read from files and lines, in sd-scripts' syntax. What is drawn is in previews.py. LIGHT."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import jsontext
from trainer.config import ConfigError, Problem
from trainer.config.problems import did_you_mean
from trainer.numbers import ADVICE, NumberError, read_number
from trainer.textfiles import TextFileError, parse_document, read_text

ADDRESS = "sample.sample_prompts"
PROMPT_EXTENSIONS = (".txt", ".json", ".toml")
PROMPT_FILE_LIMIT_BYTES = 1_000_000
SMALLEST_SIDE_PX, LARGEST_SIDE_PX = 64, 4096
SMALL_FOR_XL_PX = 700
OPTION = re.compile(r"(?:^|\s)--(?=[A-Za-z]+(?:\s|$))")  # where one begins in a line


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


def too_small(prompts: Sequence[Prompt], family: str | None) -> list[str]:
    """What to say of previews at a size that SDXL cannot draw well: without a size they are 512 x 512, as elsewhere."""
    sizes = sorted({(one.width, one.height) for one in prompts if one.width * one.height < SMALL_FOR_XL_PX**2})
    if family != "sdxl" or not sizes:
        return []
    width, height = sizes[0]
    return [f"previews of {width} x {height} come out badly with SDXL; write --w 1024 --h 1024 behind the prompts"]


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
    text, *options = OPTION.split(line.strip())
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

    if (fault := jsontext.unwritable(given)) is not None:
        raise _problem(f"{where} holds {fault}, which no text has; type it again")
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
        entries = jsontext.parse_written(content)
    except jsontext.NotJsonError as error:
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
