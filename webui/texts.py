"""The page's words in other languages: `text/<language>/*.toml`, merged. The English phrase is the key. LIGHT."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from trainer import tomltext

FOLDER = Path(__file__).parent / "text"
LANGUAGES = ("zh",)


def texts(lang: str) -> dict[str, Any]:
    """{"phrases": {English: translation}, "parameters": {address: {"title", "help", ...}}}; empty for English."""
    if lang not in LANGUAGES:
        return {"phrases": {}, "parameters": {}}
    return _merged(tuple((path, path.stat().st_mtime_ns) for path in sorted((FOLDER / lang).glob("*.toml"))))


@lru_cache(maxsize=2)
def _merged(files: tuple[tuple[Path, int], ...]) -> dict[str, Any]:
    """The texts of some files; an update of one of them is seen without a restart."""
    merged: dict[str, Any] = {"phrases": {}, "parameters": {}}
    for path, _ in files:
        content = tomltext.parse(path.read_text(encoding="utf-8-sig"))
        merged["phrases"].update(content.get("phrases", {}))
        merged["parameters"].update(content.get("parameters", {}))
    return merged


def phrase(english: str, lang: str) -> str:
    """One phrase in a language; the English one where no translation is known."""
    return str(texts(lang)["phrases"].get(english, english))
