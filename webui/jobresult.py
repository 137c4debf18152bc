"""What a finished job has made: the LoRA file, the word that calls it, a prompt to try it with. LIGHT."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from trainer import jsontext
from trainer.families.weights import WeightsError, read_header
from trainer.job import Job
from webui import jobfiles
from webui.progress import Digest

LONGEST_WORD = 100
LONGEST_PROMPT = 1000
# Tags that stand first in most captions and call nothing of their own.
GENERAL = frozenset("1girl 1boy 2girls 2boys 1other solo multiple_girls no_humans".replace("_", " ").split()) | {
    "multiple girls", "no humans", "1 girl", "1 boy",
}  # fmt: skip


def result(root: Path, job: Job, digest: Digest) -> dict[str, Any] | None:
    """{index, name, path, shown, bytes, trigger, prompt} of the file that a finished run wrote last; None without one.

    index: its number among the job's files. trigger, prompt: "" where none is known.
    """
    if digest.end.get("event") != "finished":
        return None
    for entry in reversed(digest.files):
        path = jobfiles.place_of(root, entry.get("path"))
        if entry.get("kind") != "lora" or path is None or not jobfiles.exists(path):
            continue
        prompts = [str(sample.get("prompt") or "") for sample in digest.samples.entries()[:1]]
        return {
            "index": entry["number"], "name": path.stem, "path": str(path), "bytes": entry.get("bytes"),
            "shown": jobfiles.below((job.path, root), path), "trigger": _trigger(path, path.stat().st_mtime_ns),
            "prompt": "".join(prompts)[:LONGEST_PROMPT],
        }  # fmt: skip
    return None


@lru_cache(maxsize=200)
def _trigger(path: Path, modified_ns: int) -> str:
    """The word that its maker gave, or the first tag that every picture of a training folder has."""
    try:
        told = read_header(path).metadata
    except (WeightsError, OSError):
        return ""
    phrase = str(told.get("modelspec.trigger_phrase") or "")
    return (phrase or _first_shared_tag(told.get("ss_tag_frequency")))[:LONGEST_WORD]


def _first_shared_tag(text: Any) -> str:
    try:
        folders = jsontext.parse(str(text or "{}"))
    except ValueError:
        return ""
    for counts in folders.values() if isinstance(folders, Mapping) else ():
        if not isinstance(counts, Mapping) or not counts:
            continue
        numbers = {str(tag): number for tag, number in counts.items() if isinstance(number, int)}
        most = max(numbers.values(), default=0)
        # tags stand in the order in which the captions first have them
        first = next((tag for tag, number in numbers.items() if number == most), "")
        if first and first not in GENERAL:
            return first
    return ""
