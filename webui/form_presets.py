"""Presets: the shipped ones in presets/, and the user's own beside the drafts; and the draft itself. LIGHT.

A preset is a TOML file with a [preset] table (title, about; each in en and zh) and the values that differ from
sd-scripts' defaults. The page names presets by id, never by path.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomlkit

from trainer import jsontext, tomltext
from trainer.atomic import atomic_write
from trainer.config import Problem, flattened
from webui.form import STAND_INS, RawValue, check, default_values, differences, raw_values

ID_PATTERN = re.compile(r"[a-z0-9_][a-z0-9_\-]{0,59}")
LONGEST_NAME = 60
FIRST_PRESET = "sd15_character"
MEMORY_GB = (8, 12, 24)
WRITTEN_FOR_GB = 12
# A preset says how to train, not on what: these keep what the user chose unless the preset names them.
KEPT_SECTIONS = ("model", "log")
KEPT = frozenset({
    "dataset.train_data_dir", "dataset.reg_data_dir", "dataset.subsets", "dataset.datasets", "dataset.dataset_config",
    "dataset.in_json", "save.output_name", "save.output_dir",
    "save.resume", "save.training_comment", "save.metadata_title", "save.metadata_author", "save.metadata_description",
    "save.metadata_license", "save.metadata_tags", "save.metadata_trigger_phrase", "save.metadata_usage_hint",
    "save.metadata_thumbnail", "save.metadata_merged_from", "save.metadata_preprocessor",
    "save.metadata_is_negative_embedding",
    "save.no_metadata", "network.network_weights", "network.dim_from_weights", "network.base_weights",
    "network.base_weights_multiplier", "sample.sample_prompts", "sample.sample_at_first", "sample.sample_sampler",
})  # fmt: skip

# Of the kept sections, what is a way of training all the same: a preset for another base switches it off again.
NOT_KEPT = frozenset({"model.v_parameterization", "model.v2"})
KEPT_FOLDERS = (
    "save.output_dir",
    "log.logging_dir",
)  # every shipped preset names the usual ones; the user's choice wins


class PresetError(ValueError):
    """A preset cannot be read or written. `problem` holds the sentence for the page."""

    def __init__(self, template: str, **values: Any) -> None:
        self.problem = Problem(None, template, values)
        super().__init__(self.problem.message)


@dataclass(frozen=True)
class Preset:
    """One preset. values: raw values by address that differ from the defaults. own: made by the user.

    group: the heading it stands under. memory_gb: the card it is made for, of several with one base; None for any.
    """

    id: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    values: Mapping[str, RawValue]
    own: bool
    order: int = 1000
    group: str = ""
    base: str = ""
    memory_gb: int | None = None


def load(path: Path, own: bool) -> Preset:
    """Read one preset file. Raises PresetError naming the file and what is wrong in it."""
    document = _document(path)
    return _preset(path, document, values_of(_tables(document), path.name), own)


def with_memory(path: Path) -> list[Preset]:
    """A shipped preset for each size of card: as it is for 12 GB, and with its family's changes for 8 and 24 GB.

    The changes are in presets/memory/; a [memory.24] table of the preset itself wins over them. A preset that names no
    family is for any card. Raises PresetError.
    """
    document = _document(path)
    family = document["preset"].get("memory")
    written = load(path, own=False)
    if not family:
        return [written]
    made = []
    for memory_gb in MEMORY_GB:
        title = {language: f"{text} · {memory_gb} GB" for language, text in written.title.items()}
        if memory_gb == WRITTEN_FOR_GB:
            made.append(replace(written, title=title, base=written.id, memory_gb=memory_gb))
            continue
        change = path.parent / "memory" / f"{family}_{memory_gb}gb.toml"
        changes = _document(change)
        own_changes = document.get("memory", {}).get(str(memory_gb), {})
        tables = {**flattened(_tables(document)), **flattened(_tables(changes)), **own_changes}
        about = {language: f"{text} {changes['preset']['about'][language]}" for language, text in written.about.items()}
        made.append(replace(
            written, id=f"{written.id}_{memory_gb}gb", title=title, about=about, base=written.id, memory_gb=memory_gb,
            values=values_of(tables, change.name),
        ))  # fmt: skip
    return made


def _preset(path: Path, document: Mapping[str, Any], values: Mapping[str, RawValue], own: bool) -> Preset:
    told = document["preset"]
    title = {str(key): str(value) for key, value in told.get("title", {}).items()} or {"en": path.stem}
    about = {str(key): str(value) for key, value in dict(told.get("about", {})).items()}
    order = told.get("order", 1000)
    order = order if isinstance(order, int) else 1000
    return Preset(path.stem, title, about, values, own, order, str(told.get("group", "")), path.stem)


def _document(path: Path) -> dict[str, Any]:
    """A preset file as tables, with a [preset] table in any case. Raises PresetError."""
    try:
        document = tomltext.parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError("{path} is not a preset: {reason}", path=path.name, reason=str(error)) from error
    told = document.setdefault("preset", {})
    if not isinstance(told, dict) or not isinstance(told.get("title", {}), dict):
        raise PresetError(
            "{path} is not a preset: {reason}", path=path.name, reason="its [preset] table has no title.en"
        )
    return document


def _tables(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: table for name, table in document.items() if name not in ("preset", "memory")}


def values_of(tables: Mapping[str, Any], name: str) -> dict[str, RawValue]:
    """The raw values that a partial configuration sets, by address. Raises PresetError with the first problem."""
    checked = check(tables)
    wrong = [
        problem for problem in checked.problems if problem.address not in STAND_INS or _given(tables, problem.address)
    ]
    if wrong or checked.preview is None:
        reason = wrong[0].message if wrong else "its values contradict each other"
        raise PresetError("{path} is not a preset: {reason}", path=name, reason=reason)
    return differences(raw_values(checked.preview), default_values())


def shipped(folder: Path) -> list[Preset]:
    """The presets of the program in their order. A file that cannot be read is left out (tests read each one)."""
    paths = sorted(folder.glob("**/*.toml"))
    return list(_shipped(folder, tuple((path, path.stat().st_mtime_ns) for path in paths)))


@functools.lru_cache(maxsize=2)
def _shipped(folder: Path, files: tuple[tuple[Path, int], ...]) -> tuple[Preset, ...]:
    """files: every file with its time of change, so that one that was changed is read anew."""
    found = []
    for path, _ in files:
        if path.parent == folder:
            with contextlib.suppress(PresetError):
                found += with_memory(path)
    return tuple(sorted(found, key=lambda preset: (preset.order, preset.base, preset.memory_gb or 0)))


def _readable(folder: Path) -> list[Preset]:
    found = []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
        with contextlib.suppress(PresetError):
            found.append(load(path, own=True))
    return found


def applied(values: Mapping[str, RawValue], preset: Preset) -> dict[str, RawValue]:
    """The form after choosing a preset: defaults, then paths and names of the user, then the preset."""
    defaults = default_values()
    kept = {
        key: value
        for key, value in differences(values, defaults).items()
        if (key in KEPT or key.partition(".")[0] in KEPT_SECTIONS) and key not in NOT_KEPT
    }
    folders = {key: value for key, value in kept.items() if key in KEPT_FOLDERS and not preset.own}
    return {**defaults, **kept, **preset.values, **folders}


@dataclass(frozen=True)
class OwnPresets:
    """The user's presets as files in one folder. Deleting moves a file aside, so that it can be brought back."""

    folder: Path

    def all(self) -> list[Preset]:
        """Every own preset by title."""
        return sorted(_readable(self.folder), key=lambda preset: preset.title.get("en", "").casefold())

    def get(self, preset_id: str) -> Preset:
        """One preset. Raises PresetError when it is not there."""
        return load(self._path(preset_id), own=True)

    def save(self, name: str, values: Mapping[str, RawValue]) -> Preset:
        """Keep these values under a name; a preset of that name is replaced. Raises PresetError for a bad name."""
        name = self._checked_name(name)
        existing = next((preset for preset in self.all() if preset.title.get("en") == name), None)
        checked = check(values)
        if checked.preview is None:
            raise PresetError("These values contradict each other; correct the red fields first")
        kept = differences(raw_values(checked.preview), default_values())
        preset = Preset(
            existing.id if existing else f"own_{secrets.token_hex(6)}", {"en": name, "zh": name}, {}, kept, True
        )
        self._write(preset)
        return preset

    def rename(self, preset_id: str, name: str) -> Preset:
        """Give a preset another name. Raises PresetError when the name is bad or taken."""
        preset, name = self.get(preset_id), self._checked_name(name)
        if any(other.title.get("en") == name and other.id != preset_id for other in self.all()):
            raise PresetError("A preset named {name} exists already; choose another name", name=name)
        renamed = replace(preset, title={"en": name, "zh": name})
        self._write(renamed)
        return renamed

    def delete(self, preset_id: str) -> None:
        """Move a preset aside. `restore` brings it back."""
        path = self._path(preset_id)
        if not path.is_file():
            raise PresetError("This preset is gone already")
        aside = self.folder / "deleted"
        aside.mkdir(parents=True, exist_ok=True)
        path.replace(aside / path.name)

    def restore(self, preset_id: str) -> Preset:
        """Bring a deleted preset back."""
        path = self._path(preset_id)
        aside = self.folder / "deleted" / path.name
        if not aside.is_file():
            raise PresetError("This preset is gone already")
        aside.replace(path)
        return self.get(preset_id)

    def _path(self, preset_id: str) -> Path:
        if not ID_PATTERN.fullmatch(preset_id):
            raise PresetError("This preset is gone already")
        return self.folder / f"{preset_id}.toml"

    def _checked_name(self, name: str) -> str:
        name = " ".join(name.split())
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise PresetError("Give the preset a name of 1 to {limit} characters", limit=LONGEST_NAME)
        return name

    def _write(self, preset: Preset) -> None:
        document: dict[str, Any] = {"preset": {"title": dict(preset.title)}}
        for address, value in preset.values.items():
            section, _, name = address.partition(".")
            document.setdefault(section, {})[name] = value
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_write(self._path(preset.id), tomlkit.dumps(document))


@dataclass(frozen=True)
class Draft:
    """The form as it was left: the chosen preset, basic or expert, and the values that differ from the defaults.

    rev: counts the saves, so that a window which does not know the newest one is told instead of overwriting it.
    source: {name, values} of the file or job that the values were taken from in place of a preset.
    """

    rev: int
    preset: str
    mode: str
    values: Mapping[str, RawValue]
    saved_at: float = 0.0
    source: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Drafts:
    """The one draft of this site, in a file."""

    path: Path

    def read(self) -> Draft | None:
        """The draft, or None when there is none or the file is damaged (it is left as it is until the next save)."""
        try:
            told = jsontext.parse(self.path.read_text(encoding="utf-8"))
            if not jsontext.presentable(told):
                return None
            rev, source = int(told["rev"]), told.get("source")
            return Draft(
                rev, str(told["preset"]), str(told["mode"]), dict(told["values"]), float(told["saved_at"]),
                {"name": str(source["name"]), "values": dict(source["values"])} if source else None,
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(
        self,
        known_rev: int | None,
        preset: str,
        mode: str,
        values: Mapping[str, RawValue],
        source: Mapping[str, Any] | None = None,
    ) -> tuple[Draft, bool]:
        """Save unless somebody else did since `known_rev` (None: save anyway).

        Returns the draft that is there now, and whether it is ours.
        """
        there = self.read()
        if there is not None and known_rev is not None and known_rev != there.rev:
            return there, False
        rev = (there.rev if there else 0) + 1
        if source:
            source = {"name": source["name"], "values": differences(source["values"], default_values())}
        draft = Draft(rev, preset, mode, differences(values, default_values()), round(time.time(), 3), source)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        told = {
            "rev": draft.rev,
            "preset": draft.preset,
            "mode": draft.mode,
            "values": draft.values,
            "saved_at": draft.saved_at,
            "source": draft.source,
        }
        atomic_write(self.path, json.dumps(told, ensure_ascii=False, indent=1))
        return draft, True


def _given(tables: Mapping[str, Any], address: str | None) -> bool:
    section, _, name = (address or "").partition(".")
    table = tables.get(section)
    return bool(table.get(name)) if isinstance(table, Mapping) else bool(tables.get(address or ""))
