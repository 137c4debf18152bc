"""Prompts for previews made from the captions of a data set, for a form that has none; and how many pictures the
prompts of a form come to. LIGHT."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from trainer.config import ConfigError, Note, TrainConfig
from trainer.dataset import captions
from trainer.dataset.reading import Reading
from trainer.prompts import OPTION, PROMPT_EXTENSIONS, Prompt, read_prompts

INTERVALS = ("sample.sample_every_n_epochs", "sample.sample_every_n_steps")
SHARED_BY = 0.6  # of the pictures: what is left of a caption that every prompt should hold
MOST_TAGS = 12
NEGATIVE = "lowres, bad anatomy, bad hands, worst quality"
STEPS = {True: 24, False: 12}  # with a graphics card, and on the processor, where a picture takes a minute
_SIZE = re.compile(r"\s--[wh]\s")
_BRACKET = re.compile(r"(?<!\\)([()\[\]])")


def made_prompts(reading: Reading, config: TrainConfig, fast: bool) -> str:
    """One prompt a line, at the size that is trained: the first caption as it stands, and the tags that most pictures
    share, in their usual order. "" while there are no words.

    fast: whether a graphics card draws; a processor gets one prompt alone.
    """
    listed = [tags for text in _texts(reading, config) if (tags := _tags(text, config))]
    if not listed:
        return ""
    counts = Counter(tag for tags in listed for tag in dict.fromkeys(tags))
    shared = [tag for tag, count in counts.most_common() if count >= SHARED_BY * len(listed)]
    shared.sort(key=lambda tag: sum(tags.index(tag) for tags in listed if tag in tags) / counts[tag])
    lines = [listed[0][:MOST_TAGS], shared[:MOST_TAGS]]
    prompts = list(dict.fromkeys(_prompt(tags, config) for tags in lines if tags))[: 2 if fast else 1]
    width, height = (max(64, side // 64 * 64) for side in config.dataset.resolution or (512, 512))
    options = f"--n {NEGATIVE} --w {width} --h {height} --d 1 --l 7 --s {STEPS[fast]}"
    return "\n".join(f"{prompt} {options}" for prompt in prompts)


def planned_previews(config: TrainConfig, steps: int, steps_per_epoch: int) -> dict[str, Any] | None:
    """{prompts, times, steps, unsized}: how many pictures are drawn each time, how often, the sampling steps of each
    (the most of them), and how many have no size and come out at 512 x 512 while the training is smaller.

    None without prompts, for those of a file, and for lines that cannot be read. Counted as trainer/train.py draws.
    """
    sample, text = config.sample, config.sample.sample_prompts or ""
    if not steps_per_epoch or not text.strip() or text.strip().lower().endswith(PROMPT_EXTENSIONS):
        return None
    try:
        prompts = read_prompts(text)
    except ConfigError:
        return None
    if sample.sample_every_n_epochs:
        finished = config.run.max_train_epochs or steps // steps_per_epoch
        times = finished // sample.sample_every_n_epochs
    else:
        times = steps // sample.sample_every_n_steps if sample.sample_every_n_steps else 0
    width, height = config.dataset.resolution or (Prompt.width, Prompt.height)
    smaller = width * height < Prompt.width * Prompt.height
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {
        "prompts": len(prompts), "times": times + sample.sample_at_first,
        "steps": max(prompt.steps for prompt in prompts),
        "unsized": sum(not _SIZE.search(line) for line in lines) if smaller else 0, "width": width, "height": height,
    }  # fmt: skip


def without_what_comes(notes: Iterable[Note], values: Mapping[str, Any]) -> list[Note]:
    """The notes, without those of intervals that wait for prompts until there are pictures to make them from."""
    waiting = not values.get("dataset.train_data_dir") and not values.get("dataset.subsets")
    return [note for note in notes if not (waiting and note.address in INTERVALS)]


def _texts(reading: Reading, config: TrainConfig) -> list[str]:
    """What each picture of the training folders is trained with."""
    found = []
    for picture in reading.pictures:
        folder = reading.folders[picture.folder]
        if folder.is_reg:
            continue
        if picture.caption is None and picture.tags is None:
            found.append(folder.class_tokens or "")
        else:
            text = captions.with_tags(picture.caption, picture.tags, config.caption.caption_separator)
            found.append(captions.stored(text))
    return found


def _tags(text: str, config: TrainConfig) -> list[str]:
    """The tags without what a line of prompts would read as an option of its own."""
    return [tag for tag in captions.split(text, config.caption.caption_separator) if not OPTION.search(tag)]


def _prompt(tags: list[str], config: TrainConfig) -> str:
    """Tags as a prompt: brackets weigh there, so they are escaped where captions take them as letters."""
    text = ", ".join(tags)
    if not config.caption.weighted_captions:
        text = _BRACKET.sub(r"\\\1", text)
    return f" {text}" if text.startswith("#") else text  # a line that begins with # is a remark
