"""Where set-up downloads from: the presets in mirrors.json, the user's choice, and the environment. LIGHT.

The choice is one word in `.athanor/mirror`. Addresses from the page's Settings tab win over a preset, and what the user
set in the environment wins over both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from trainer.atomic import atomic_write

PRESETS_FILE = Path(__file__).with_name("mirrors.json")
CHOICE_FILE = Path(".athanor") / "mirror"
SETTINGS_FILE = Path(".athanor") / "settings.json"


class Preset(TypedDict):
    """One entry of mirrors.json."""

    packages: str | None
    torch: list[str]
    models: str | None


@dataclass(frozen=True)
class Mirror:
    """Places to download from. None means: what the tools use by themselves."""

    name: str
    packages: str | None
    """Index of Python packages, for pip."""
    torch: tuple[str, ...]
    """Folders of torch wheels; the build's name (cpu, cu130) is added to each. Tried in this order."""
    models: str | None
    """Endpoint for model downloads, becomes HF_ENDPOINT."""


def names() -> tuple[str, ...]:
    """The words that --mirror takes."""
    return tuple(_presets())


def chosen(root: Path, environment: Mapping[str, str], option: str | None = None) -> Mirror:
    """The mirror to use: the option, else ATHANOR_MIRROR, else the remembered word, else none.

    PIP_INDEX_URL, ATHANOR_TORCH_INDEX and HF_ENDPOINT each override their part. Raises ValueError for a word that
    is not a preset, naming the ones there are.
    """
    word = option or environment.get("ATHANOR_MIRROR") or remembered(root) or "none"
    presets = _presets()
    if word not in presets:
        raise ValueError(word)
    preset = presets[word]
    packages, torch, models = preset["packages"], preset["torch"], preset["models"]
    settings = _settings(root)
    packages = settings.get("package_mirror") or packages
    torch = [settings["torch_mirror"]] if settings.get("torch_mirror") else torch
    models = settings.get("hf_endpoint") or models
    if environment.get("PIP_INDEX_URL"):
        packages = None  # pip reads it itself
    if environment.get("ATHANOR_TORCH_INDEX"):
        torch = [environment["ATHANOR_TORCH_INDEX"]]
    if environment.get("HF_ENDPOINT"):
        models = environment["HF_ENDPOINT"]
    return Mirror(word, packages, tuple(url.rstrip("/") for url in torch), models)


def remembered(root: Path) -> str | None:
    """The word in `.athanor/mirror`, or None when there is none or it is not a preset."""
    try:
        word = (root / CHOICE_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return word if word in _presets() else None


def remember(root: Path, word: str) -> None:
    """Write the choice for the next start."""
    path = root / CHOICE_FILE
    path.parent.mkdir(exist_ok=True)
    atomic_write(path, word + "\n")


def _settings(root: Path) -> dict[str, str]:
    """The addresses that the Settings tab wrote; nothing when there are none or the file is damaged."""
    try:
        raw = json.loads((root / SETTINGS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(raw, dict):
        return {}
    return {name: value for name, value in raw.items() if isinstance(value, str) and _is_address(value)}


def _is_address(value: str) -> bool:
    """Nothing that could be more than an address: these go into pip's options and into requests."""
    return value.startswith(("http://", "https://")) and all("!" <= letter <= "~" for letter in value)


def _presets() -> dict[str, Preset]:
    presets: dict[str, Preset] = json.loads(PRESETS_FILE.read_text(encoding="utf-8"))
    return presets
