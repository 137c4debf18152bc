"""What set-up says, in English and Chinese. The sentences are in texts.json, by a short name. LIGHT.

The ones that must be readable before there is a Python are in no-python.en.txt and no-python.zh.txt.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LANGUAGES = ("en", "zh")
LANG_CHINESE = 0x04  # the primary part of a Windows language id


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """Every sentence: short name -> language -> text with {places} for values."""
    texts: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_text(encoding="utf-8"))
    return texts


def text(lang: str, key: str, **values: object) -> str:
    """The sentence `key` in `lang` with its values filled in."""
    return table()[key][lang].format(**values)


def language(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language to speak, "zh" or "en": from --lang, else from the locale (Windows: the display language)."""
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            return _known(arguments[index + 1])
        if argument.startswith("--lang="):
            return _known(argument.partition("=")[2])
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return _known(environment[name])
    return "zh" if _windows_speaks_chinese() else "en"


def _known(word: str) -> str:
    return "zh" if word.lower().startswith("zh") else "en"


def _windows_speaks_chinese() -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    return bool(ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == LANG_CHINESE)
