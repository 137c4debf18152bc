"""From scores to the text of a caption: which tags, in which words, in which order, beside what stood there. LIGHT.

Pure functions; reading and writing files is in tagging.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taggers.base import Vocabulary
from trainer.dataset.captions import join, spaced, split, split_lines

CONFLICTS = ("skip", "replace", "prepend", "append")
_ESCAPED = re.compile(r"\\([()\[\]\\])")


@dataclass(frozen=True)
class TagOptions:
    """What to keep and how to write it. Thresholds are scores from 0 to 1; above 1 switches a kind off."""

    general_threshold: float = 0.35
    character_threshold: float = 0.6
    add_rating: bool = False
    add_model_tag: bool = False
    additional_tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    replace_underscore: bool = True
    escape: bool = True


@dataclass(frozen=True)
class Chosen:
    """Tags as they are written, best first after the additional ones; rating is the likeliest, written or not."""

    tags: tuple[tuple[str, float], ...]
    rating: str | None


def choose(vocabulary: Vocabulary, scores: NDArray[np.float32], options: TagOptions) -> Chosen:
    """The tags of one picture. scores: (N,) in [0, 1].

    Additional tags come first, as typed, then the rating if asked for, then the rest by falling score. Characters need
    the character threshold, everything else the general one; rating and quality are the likeliest of their kind.
    Excluded tags match before or after the underscores are replaced; one that does not occur is no mistake.
    """
    excluded = {same(tag) for tag in options.exclude_tags}
    best = {kind: _likeliest(vocabulary, scores, kind) for kind in ("rating", "quality")}
    candidates = np.flatnonzero(scores >= min(options.general_threshold, options.character_threshold))
    kept: dict[str, tuple[str, float]] = {same(tag): (tag, 1.0) for tag in options.additional_tags}
    if options.add_rating and best["rating"] is not None:
        _keep(kept, vocabulary.names[best["rating"]], float(scores[best["rating"]]), excluded, options)
    for index in candidates[np.argsort(-scores[candidates], kind="stable")]:
        kind, score = vocabulary.categories[index], float(scores[index])
        if _wanted(kind, score, options) and (kind not in best or best[kind] == index):
            _keep(kept, vocabulary.names[index], score, excluded, options)
    return Chosen(tuple(kept.values()), None if best["rating"] is None else vocabulary.names[best["rating"]])


def _keep(kept: dict[str, tuple[str, float]], name: str, score: float, excluded: set[str], options: TagOptions) -> None:
    """Add a tag unless it is excluded, unnamed, or there already."""
    if name and same(name) not in excluded:
        kept.setdefault(same(name), (written(name, options), round(score, 4)))


def _likeliest(vocabulary: Vocabulary, scores: NDArray[np.float32], kind: str) -> int | None:
    indices = vocabulary.indices(kind)
    return int(indices[scores[indices].argmax()]) if len(indices) else None


def _wanted(kind: str, score: float, options: TagOptions) -> bool:
    """Whether a tag passes; the rating is added apart from the others."""
    if kind == "rating" or (kind == "model" and not options.add_model_tag):
        return False
    return score >= (options.character_threshold if kind == "character" else options.general_threshold)


def written(tag: str, options: TagOptions) -> str:
    """A model's tag as it goes into the caption: underscores, then brackets escaped for prompts that weigh by them."""
    tag = spaced(tag) if options.replace_underscore else tag
    if options.escape:
        tag = tag.replace("\\", "\\\\").replace("(", r"\(").replace(")", r"\)")
    return tag


def same(tag: str) -> str:
    """What a tag is compared by, so that `white_hair`, `white hair` and an escaped form count as one."""
    return spaced(_ESCAPED.sub(r"\1", tag.strip()).casefold())


def split_typed(text: str) -> tuple[str, ...]:
    """Tags from a text field: separated by commas (Chinese ones too) or new lines, empty ones dropped."""
    for separator in ("，", "、", "\n", "\r"):
        text = text.replace(separator, ",")
    return tuple(tag.strip() for tag in text.split(",") if tag.strip())


def merge(existing: str | None, tags: Sequence[str], conflict: str) -> str | None:
    """The new text of a caption, or None when it is to be left alone. existing: the text there, None without a file.

    skip leaves every caption that has text; replace puts the new tags in its place; prepend and append add the tags
    that are not there yet and keep the rest as it is, letter for letter. Each line gets them, as in the tag editor:
    with wildcards every line is a caption of its own, without them training reads the first alone. Empty lines at the
    top, which would hide the rest from training, go.
    """
    new = join(tags)
    if existing is None or not existing.strip():
        return new + "\n"
    if conflict == "skip":
        return None
    if conflict == "replace":
        return None if existing.strip() == new else new + "\n"
    before = split_lines(existing.strip())
    after = [_added(line, tags, conflict) for line in before]
    return None if after == before else "".join(after) + ("\r\n" if "\r\n" in existing else "\n")


def _added(line: str, tags: Sequence[str], conflict: str) -> str:
    """A line with those of the tags that it lacks; an empty line, or what ends one, as it is."""
    there = {same(tag) for tag in split(line)}
    missing = join(tag for tag in tags if same(tag) not in there)
    if not line.strip() or not missing:
        return line
    kept = line.rstrip(", ") if conflict == "append" else line
    return ", ".join([missing, kept] if conflict == "prepend" else [kept, missing] if kept else [missing])
