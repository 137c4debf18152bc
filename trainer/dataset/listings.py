"""Pictures that a file lists: metadata of finetune tools (in_json, metadata_file), and metadata_cache.json. LIGHT."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import jsontext, textfiles
from trainer.atomic import atomic_write
from trainer.dataset import links
from trainer.dataset.buckets import Size
from trainer.dataset.pictures import EXTENSIONS
from trainer.filesystem import is_file
from trainer.paths import readings

CACHE_NAME = "metadata_cache.json"
LARGEST_FILE_BYTES = 2**30
LARGEST_SIDE_PX = 8192
NETWORK = ("\\\\", "//", "\\/", "/\\")  # how a path on another machine begins


class ListingError(ValueError):
    """A file that lists pictures cannot be used. The text names the file, the place in it and the cure."""


@dataclass(frozen=True)
class Entry:
    """One listed picture. key: as it stands in the file. size: of its stored pixels, where the file tells it.

    train_resolution: the bucket that old tools (prepare_buckets_latents) chose for it. orientation: how the camera was
    held, where the file tells it.
    """

    key: str
    caption: str | None
    tags: str | None = None
    size: Size | None = None
    train_resolution: Size | None = None
    orientation: int | None = None


def read_metadata(path: Path) -> list[Entry]:
    """The entries of a finetune metadata file: {key: {"caption", "tags"}} in .json, or an object a line in .jsonl.

    Raises ListingError naming the file and the line or key.
    """
    text = _text(path)
    if path.suffix.lower() == ".jsonl":
        return list(_lines(text, path))
    content = _json(text, path)
    if not isinstance(content, dict):
        raise ListingError(f"{path} must hold one table of pictures: {{name: {{caption, tags}}}}")
    return [_entry(str(key), values, path) for key, values in content.items()]


def read_cache(folder: Path, root: Path | None = None) -> list[Entry] | None:
    """The entries of a folder's metadata_cache.json, every one with its size; None when there is no such file.

    root: the data set that the folder belongs to, which no link may lead out of. Raises ListingError.
    """
    path = folder / CACHE_NAME
    kind = links.kind_of(path, root or links.real(folder))
    if kind == "missing":
        return None
    if kind != "file":
        raise ListingError(f"{path} {links.REASONS[kind]}")
    content = _json(_text(path), path)
    entries = []
    for key, values in content.items() if isinstance(content, dict) else ():
        size = _size(values.get("resolution")) if isinstance(values, dict) else None
        if size is None or not isinstance(values.get("caption"), str):
            raise ListingError(f"{path}: {key} has no caption or resolution; delete the file, it is made anew")
        turned = values.get("orientation")
        orientation = turned if type(turned) is int and 1 <= turned <= 8 else None
        entries.append(Entry(key, values["caption"], None, size, orientation=orientation))
    if not entries:
        raise ListingError(f"{path} lists no pictures; delete the file, it is made anew")
    return entries


def write_cache(folder: Path, entries: Iterable[Entry]) -> None:
    """Write metadata_cache.json into a picture folder, as sd-scripts does, which leaves `orientation` unread.

    Raises trainer.atomic.WriteError.
    """
    content = {
        entry.key: {
            "caption": entry.caption or "",
            "resolution": list(entry.size or ()),
            "orientation": entry.orientation,
        }
        for entry in entries
    }
    text = json.dumps(content, ensure_ascii=False, indent=2)
    # a name that is no text, as Linux allows, becomes an escape of JSON and comes back as it was
    atomic_write(folder / CACHE_NAME, text.encode("utf-8", "backslashreplace"))


def locate(key: str, folder: Path) -> Path | None:
    """The picture that a key means: a whole path, a path from `folder`, or either without its extension; as it stands
    there, or as people paste paths and Windows writes them."""
    return next((found for reading in readings(key) if (found := _located(reading, folder)) is not None), None)


def _located(key: str, folder: Path) -> Path | None:
    if _leads_away(key, folder):
        return None
    given = Path(key)
    for place in (given, folder / given) if given.is_absolute() else (folder / given,):
        if place.suffix.lower() in EXTENSIONS and is_file(place):
            return place
        for extension in sorted(EXTENSIONS):
            for candidate in (place.parent / (place.name + extension), place.parent / (place.name + extension.upper())):
                if is_file(candidate):
                    return candidate
    return None


def locate_cached(key: str, folder: Path) -> Path | None:
    """The picture of a metadata_cache.json; a folder that was moved since is found by the picture's name."""
    given = Path(key)
    places = (folder / given.name,) if _leads_away(key, folder) else (given, folder / given.name)
    return next((place for place in places if place.suffix.lower() in EXTENSIONS and is_file(place)), None)


def _leads_away(key: str, folder: Path) -> bool:
    """A network path, which would have Windows log in at a foreign machine, where the pictures lie on this one."""
    return key.startswith(NETWORK) and not str(folder).startswith(NETWORK)


def _lines(text: str, path: Path) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = jsontext.parse_written(line)
        except jsontext.NotJsonError as error:
            raise ListingError(f"{path}, line {number}: this is no JSON ({error}); correct the line") from error
        if not isinstance(values, dict) or not isinstance(values.get("image_path"), str):
            raise ListingError(f"{path}, line {number}: image_path is missing; each line names its picture with it")
        yield _entry(values["image_path"], values, path)


def _entry(key: str, values: Any, path: Path) -> Entry:
    if not isinstance(values, Mapping):
        raise ListingError(f"{path}: {key} must be a table with caption and tags")
    for name in ("caption", "tags"):
        if not isinstance(values.get(name), (str, type(None))):
            raise ListingError(f"{path}: {name} of {key} is {values[name]!r}; text is needed")
        if (fault := jsontext.unwritable(values.get(name))) is not None:
            raise ListingError(f"{path}: {name} of {key} holds {fault}, which no text has; type it again")
    bucket = _size(values.get("train_resolution"))
    if bucket is not None and not all(64 <= side <= LARGEST_SIDE_PX and side % 8 == 0 for side in bucket):
        said = f"two multiples of 8 from 64 to {LARGEST_SIDE_PX} are needed; correct or remove it"
        raise ListingError(f"{path}: train_resolution of {key[:200]} is {list(bucket)}; {said}")
    return Entry(key, values.get("caption"), values.get("tags"), _size(values.get("image_size")), bucket)


def _size(value: Any) -> Size | None:
    whole = isinstance(value, list) and len(value) == 2 and all(type(side) is int and side > 0 for side in value)
    return (value[0], value[1]) if whole else None


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ListingError(f"{path} is not a file; choose a .json or .jsonl file")
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise ListingError(f"{path} is larger than 1 GB; this is no list of pictures")
        return textfiles.decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise ListingError(f"{path} cannot be read: {error.strerror or error}") from error
    except textfiles.TextFileError as error:
        raise ListingError(str(error)) from None


def _json(text: str, path: Path) -> Any:
    try:
        return jsontext.parse_written(text)
    except jsontext.NotJsonError as error:
        raise ListingError(f"{path} is not valid JSON: {error}") from error
