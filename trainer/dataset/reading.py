"""What lies in the folders of a run: pictures, their sizes and the text of their captions. LIGHT.

Nothing is decoded: sizes come from headers. What is wrong on disk is collected as problems, with paths and cures,
instead of raised. What becomes of the pictures (buckets, repeats, validation) is decided in scan.py.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.dataset import caption_files, captions, links, listings
from trainer.dataset.augmentation import face_of
from trainer.dataset.buckets import Size
from trainer.dataset.caption_files import CaptionFiles
from trainer.dataset.captions import CaptionError
from trainer.dataset.folders import Folder, find_folders, named_as_devices
from trainer.dataset.links import Kind, Place
from trainer.dataset.listings import Entry, ListingError
from trainer.dataset.pictures import EXTENSIONS, Header, PictureError, read_header
from trainer.dataset.problems import Problem, error, named, warning
from trainer.dataset.tree import UNUSED_PICTURES, holds_pictures, is_hidden, is_picture

if TYPE_CHECKING:
    from trainer.config import TrainConfig

TEXT_EXTENSIONS = (".txt", ".caption", ".captions", ".tags", ".cap")
# pictures that are not opened
UNREAD: dict[Kind, str] = {
    "outside": "{count} {count|picture|pictures} in {name} {count|is a link that leads|are links that lead} outside "
    "the data set ({files}), {count|which is|which are} not followed; put {count|a copy in its|copies in their} place",
    "broken": "{count} {count|picture|pictures} in {name} {count|is a link that leads|are links that lead} nowhere "
    "({files}) and {count|is|are} not used; remove {count|it|them}, or bring back what {count|it leads|they lead} to",
    "special": "{count} {count|picture|pictures} in {name} {count|is a pipe, socket or device, not a file|are pipes, "
    "sockets or devices, not files} ({files}), and {count|is|are} not used; remove {count|it|them}",
}
READERS = min(8, (os.cpu_count() or 1) * 2)
DEEPER = "{path} is not read: pictures must lie directly in {name}; move them up"


@dataclass(frozen=True)
class Picture:
    """One readable picture. caption: the whole text of its caption file, None without one. folder: index in folders.

    size: as it is trained. header: what the file says. tags, train_resolution: as a metadata file gives them. mask: its
    picture in conditioning_data_dir.
    """

    path: Path
    size: Size
    header: Header
    caption: str | None
    folder: int
    tags: str | None = None
    train_resolution: Size | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class Reading:
    """What lies in the folders, before sizes, repeats and validation are decided. problems: what is wrong on disk."""

    folders: tuple[Folder, ...]
    pictures: tuple[Picture, ...]
    problems: tuple[Problem, ...]


def read(config: TrainConfig) -> Reading:
    """Pictures, sizes and caption texts of every folder; depends only on the folders and on how captions are found."""
    problems: list[Problem] = []
    folders = list(find_folders(config, problems))
    pictures = [picture for index, folder in enumerate(folders) for picture in _pictures(folder, index, problems)]
    used = {folder.path.resolve() for folder in folders}
    problems = [one for one in problems if not (one.template == DEEPER and one.path and one.path.resolve() in used)]
    return Reading(tuple(folders), tuple(pictures), tuple(problems))


def _pictures(folder: Folder, index: int, problems: list[Problem]) -> list[Picture]:
    """The readable pictures of a folder by name, with their captions; the rest as problems."""
    try:
        listed = listings.read_cache(folder.path, folder.root) if folder.options.cache_info else None
        if folder.metadata_file is not None:
            pictures = _listed_pictures(folder, index, listings.read_metadata(folder.metadata_file), problems)
        elif listed is not None:
            pictures = _cached_pictures(folder, index, listed, problems)
        else:
            pictures = _scanned_pictures(folder, index, problems)
    except ListingError as fault:
        problems.append(error(folder.metadata_file or folder.path / listings.CACHE_NAME, "{reason}", reason=fault))
        return []
    return pictures if folder.mask_folder is None else _masked(pictures, folder, folder.mask_folder, problems)


def _scanned_pictures(folder: Folder, index: int, problems: list[Problem]) -> list[Picture]:
    """What lies in the folder itself."""
    try:
        places = [place for place in links.look_into(folder.path, folder.root) if not is_hidden(place.name)]
    except OSError as fault:
        problems.append(
            error(
                folder.path,
                "{path} cannot be opened: {reason}; check the folder's rights",
                path=folder.path,
                reason=fault.strerror,
            )
        )
        return []
    names = [place.name for place in places if is_picture(place.name) and place.kind == "file"]
    problems.extend(_unread(folder.path, folder.name, places))
    problems.extend(named_as_devices(folder.path, [place.name for place in places]))
    if not names:
        problems.append(
            warning(
                folder.path, "{path} holds no pictures ({kinds})", path=folder.path, kinds=" ".join(sorted(EXTENSIONS))
            )
        )
    problems.extend(_oddities(folder, places, names))
    extension = caption_files.dotted(folder.captions.caption_extension)
    kinds = {place.name: place.kind for place in places}
    texts = [place.name for place in places if not is_picture(place.name) and place.kind != "folder"]
    files = caption_files.find(folder.path, texts, extension)
    stem_of_caption = {name: _stem_of_caption(name, folder, files) for name in names}
    problems.extend(_orphans(folder, files.unused(stem_of_caption.values()), places, extension))

    def look(name: str) -> Picture:
        text_name = files.of(stem_of_caption[name])
        header = _header(folder.path / name)
        text = None if text_name is None else _caption(folder.path / text_name, kinds[text_name])
        return Picture(folder.path / name, _trained_size(header, folder), header, text, index)

    pictures = _looked_at([folder.path / name for name in names], lambda path: look(path.name), problems)
    problems.extend(_told_once(folder, pictures))
    problems.extend(_missing_captions(folder, pictures, {_stem_and_suffix(name) for name in texts}, extension))
    return pictures


def _stem_of_caption(name: str, folder: Folder, files: CaptionFiles) -> str:
    """A picture's name without its ending; cut-out faces (`anby_300_200_80_80.png`) may share their picture's."""
    stem = Path(name).stem
    shared = stem.rsplit("_", 4)[0]
    faces = folder.options.face_crop_aug_range is not None and face_of(stem) is not None
    return shared if faces and files.of(stem) is None and files.of(shared) is not None else stem


def _orphans(folder: Folder, unused: list[str], places: list[Place], extension: str) -> Iterator[Problem]:
    """Captions that no picture has; those of pictures that are there and not read need no word of their own."""
    unread = {
        Path(place.name).stem
        for place in places
        if (is_picture(place.name) and place.kind != "file") or Path(place.name).suffix.lower() in UNUSED_PICTURES
    }
    names = [name for name in unused if name[: -len(extension)] not in unread]
    if names:
        yield warning(
            folder.path, "{count} {extension} {count|file|files} in {name} {count|is|are} the caption of no picture "
            "({files}) and {count|is|are} not read; give {count|it the name of its|them the name of their} picture, "
            "or move {count|it|them} away",
            count=len(names), extension=extension, name=folder.name, files=named(names),
        )  # fmt: skip


def _listed_pictures(folder: Folder, index: int, entries: list[Entry], problems: list[Problem]) -> list[Picture]:
    """The pictures of a metadata file."""
    found = [(entry, listings.locate(entry.key, folder.path)) for entry in entries]
    problems.extend(_not_found(folder, [entry.key for entry, path in found if path is None]))
    of_path = _followed(folder, [(entry, path) for entry, path in found if path is not None], problems)

    def look(path: Path) -> Picture:
        entry, header = of_path[path], _header(path)
        size = _trained_size(header, folder)
        return Picture(path, size, header, entry.caption, index, entry.tags, entry.train_resolution)

    pictures = _looked_at(list(of_path), look, problems)
    problems.extend(_told_once(folder, pictures))
    bare = [picture.path.name for picture in pictures if not picture.caption and not picture.tags]
    if bare:
        said = (
            "{count} {count|picture|pictures} of {name} {count|has|have} neither caption nor tags there ({files}) "
            "and {count|trains|train} without words"
        )
        problems.append(warning(folder.metadata_file, said, count=len(bare), name=folder.name, files=named(bare)))
    return pictures


def _cached_pictures(folder: Folder, index: int, entries: list[Entry], problems: list[Problem]) -> list[Picture]:
    """The pictures of metadata_cache.json; nothing but their names is looked at where it tells all of them.

    sd-scripts writes no orientation into it, so the pictures are asked for theirs.
    """
    found = [(entry, listings.locate_cached(entry.key, folder.path)) for entry in entries]
    problems.extend(_not_found(folder, [entry.key for entry, path in found if path is None]))
    of_path = _followed(folder, [(entry, path) for entry, path in found if path is not None], problems)

    def look(path: Path) -> Picture:
        entry = of_path[path]
        told = Header(entry.size, entry.orientation) if entry.size and entry.orientation else None
        header = told or _header(path)
        return Picture(path, _trained_size(header, folder), header, entry.caption, index)

    return _looked_at(list(of_path), look, problems)


def _followed(folder: Folder, found: list[tuple[Entry, Path]], problems: list[Problem]) -> dict[Path, Entry]:
    """The listed pictures without links that lead outside. A list may name a whole path, which is no link."""
    places = {
        path: Place(path.name, links.kind_of(path, _root_of(path, folder)))
        for _, path in found
    }  # fmt: skip
    problems.extend(_unread(folder.metadata_file or folder.path, folder.name, places.values()))
    return {path: entry for entry, path in found if places[path].kind == "file"}


def _root_of(path: Path, folder: Folder) -> Path:
    """What a listed picture belongs to: the folder's data set; its own folder when the list names a whole path
    elsewhere."""
    listed_inside = Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder.path))
    return folder.root if listed_inside else links.real(path.parent)


def _not_found(folder: Folder, keys: list[str]) -> Iterator[Problem]:
    if keys:
        listing = folder.metadata_file or folder.path / listings.CACHE_NAME
        yield warning(
            listing, "{count} {count|picture|pictures} that {path} lists {count|is|are} not there ({files}) and "
            "{count|is|are} not used",
            count=len(keys), path=listing, files=named(keys),
        )  # fmt: skip


def _looked_at(paths: list[Path], look: Callable[[Path], Picture], problems: list[Problem]) -> list[Picture]:
    """Every path as a Picture, in order; those that cannot be read become problems.

    A picture less is a small loss and goes on; a caption that cannot be read is text that the user meant to train with.
    """

    def tried(path: Path) -> Picture | Problem:
        try:
            return look(path)
        except PictureError as fault:
            return warning(path, "{reason}. This picture is not used", reason=fault)
        except CaptionError as fault:
            return error(path, "{reason}", reason=fault)

    with ThreadPoolExecutor(READERS) as pool:
        results = list(pool.map(tried, paths))
    problems.extend(result for result in results if isinstance(result, Problem))
    return [result for result in results if isinstance(result, Picture)]


def _masked(pictures: list[Picture], folder: Folder, masks: Path, problems: list[Problem]) -> list[Picture]:
    """The pictures with their masks: one of the same name and size each; what does not match is an error."""
    try:
        root = links.real(masks)
        places = [
            place for place in links.look_into(masks, root) if is_picture(place.name) and not is_hidden(place.name)
        ]
    except OSError as fault:
        said = "{path} cannot be opened: {reason}; check the folder's rights"
        problems.append(error(masks, said, path=masks, reason=fault.strerror))
        return []
    problems.extend(_unread(masks, masks.name, places))
    there = {Path(place.name).stem: masks / place.name for place in places if place.kind == "file"}
    stems = {picture.path.stem for picture in pictures}
    missing = [picture.path.name for picture in pictures if picture.path.stem not in there]
    extra = sorted(path.name for stem, path in there.items() if stem not in stems)
    if missing:
        said = (
            "{count} {count|picture has|pictures have} no mask in {path} ({files}); add a picture of the same name "
            "for each"
        )
        problems.append(error(masks, said, count=len(missing), path=masks, files=named(missing)))
    if extra:
        said = (
            "{count} {count|mask|masks} in {path} {count|belongs|belong} to no picture ({files}); remove {count|it "
            "or add its picture|them or add their pictures}"
        )
        problems.append(error(masks, said, count=len(extra), path=masks, files=named(extra)))
    found = [replace(picture, mask=there[picture.path.stem]) for picture in pictures if picture.path.stem in there]
    for picture in found:
        try:
            size = _trained_size(_header(picture.mask or picture.path), folder)
        except PictureError as fault:
            problems.append(error(picture.mask, "{reason}", reason=fault))
            continue
        if size != picture.size:
            said = "the mask {path} is {mask} pixels and its picture {picture}; both must have one size"
            told = {"mask": f"{size[0]}x{size[1]}", "picture": f"{picture.size[0]}x{picture.size[1]}"}
            problems.append(error(picture.mask, said, path=picture.mask, **told))
    return found


def _oddities(folder: Folder, places: list[Place], names: list[str]) -> Iterator[Problem]:
    """Things in a folder that look like pictures and are not read, or collide."""
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(Path(name).stem, []).append(name)
    for stem, twins in stems.items():
        if len(twins) > 1:
            yield warning(
                folder.path / twins[0], "{names} share one caption file, {stem}; "
                "rename one of them if they are different pictures",
                names=" and ".join(twins), stem=stem,
            )  # fmt: skip
    unused = sorted(place.name for place in places if Path(place.name).suffix.lower() in UNUSED_PICTURES)
    if unused:
        yield warning(
            folder.path, "{count} {count|file|files} in {name} {count|is|are} of a kind that is not read ({files}); "
            "save {count|it|them} as PNG, JPEG or WebP",
            count=len(unused), name=folder.name, files=named(unused),
        )  # fmt: skip
    for path in (folder.path / place.name for place in places if place.kind == "folder"):
        if holds_pictures(path):
            yield warning(path, DEEPER, path=path, name=folder.name)


def _told_once(folder: Folder, pictures: list[Picture]) -> Iterator[Problem]:
    """What is allowed in pictures and probably not meant: animations and copies, each kind with its number."""
    moving = [picture.path.name for picture in pictures if picture.header.animated]
    if moving:
        yield warning(
            folder.path, "{count} {count|picture|pictures} in {name} {count|is an animation|are animations} "
            "({files}), of which the first picture is used",
            count=len(moving), name=folder.name, files=named(moving),
        )  # fmt: skip
    copies = _copies([picture.path for picture in pictures])
    if copies:
        yield warning(
            folder.path, "{count} {count|picture|pictures} in {name} {count|is a copy of another|are copies of "
            "others} there ({files}) and {count|weighs|weigh} double; remove {count|it|them} if that is not meant",
            count=len(copies), name=folder.name, files=named([path.name for path in copies]),
        )  # fmt: skip


def _copies(paths: list[Path]) -> list[Path]:
    """The files whose content is that of one before them. Only files of one length are read."""
    of_length: dict[int, list[tuple[Path, int]]] = {}
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            of_length.setdefault(status.st_size, []).append((path, status.st_mtime_ns))
    copies = []
    for length, alike in of_length.items():
        seen: set[str] = set()
        for path, changed in alike if len(alike) > 1 else ():
            with contextlib.suppress(OSError):
                content = _content(path, changed, length)
                if content in seen:
                    copies.append(path)
                seen.add(content)
    return copies


@functools.lru_cache(maxsize=100_000)
def _content(path: Path, changed: int, length: int) -> str:
    whole = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            whole.update(block)
    return whole.hexdigest()


def _unread(path: Path, name: str, places: Iterable[Place]) -> Iterator[Problem]:
    """Pictures of a folder that are not opened: links that lead out of the data set or nowhere, and what is no file."""
    pictures = [place for place in places if is_picture(place.name)]
    for kind, sentence in UNREAD.items():
        names = [place.name for place in pictures if place.kind == kind]
        if names:
            yield warning(path, sentence, count=len(names), name=name, files=named(names))


def _caption(path: Path, kind: Kind) -> str:
    """The text of a caption file. Raises CaptionError, also for a link that is not followed."""
    if kind != "file":
        raise CaptionError(f"{path} {links.REASONS[kind]}")
    return captions.read_caption(path)


def _missing_captions(
    folder: Folder, pictures: list[Picture], texts: set[tuple[str, str]], extension: str
) -> Iterator[Problem]:
    missing = [picture.path.name for picture in pictures if picture.caption is None]
    if not missing:
        return
    fallback = (
        f'the folder\'s name "{folder.class_tokens}" is their caption'
        if folder.class_tokens
        else "their caption is empty"
    )
    other = _other_extension(pictures, texts, extension) if len(missing) == len(pictures) else None
    if other is not None:
        yield warning(
            folder.path, "NO {extension} file in {name}, but {count} {other} files: set caption_extension to {other}, "
            "otherwise {fallback}",
            extension=extension, name=folder.name, count=other[1], other=other[0], fallback=fallback,
        )  # fmt: skip
    else:
        yield warning(
            folder.path, "{count} of {total} {total|picture|pictures} in {name} {count|has|have} no {extension} file "
            "({files}), so {fallback}; tag {count|it or write the file|them or write the files}",
            count=len(missing), total=len(pictures), name=folder.name, extension=extension,
            files=named(missing), fallback=fallback,
        )  # fmt: skip


def _other_extension(pictures: list[Picture], texts: set[tuple[str, str]], extension: str) -> tuple[str, int] | None:
    """The text extension that most pictures have instead, and how many."""
    counts = {
        other: sum((picture.path.stem, other) in texts for picture in pictures)
        for other in TEXT_EXTENSIONS
        if other != extension.lower()
    }
    best = max(counts, key=lambda other: counts[other])
    return (best, counts[best]) if counts[best] else None


def _trained_size(header: Header, folder: Folder) -> Size:
    return header.stored if folder.options.ignore_exif_orientation else header.shown


def _header(path: Path) -> Header:
    """read_header, remembered while the file does not change: the form asks again at every edit."""
    try:
        status = path.stat()
    except OSError as fault:
        raise PictureError(path, f"cannot be read: {fault.strerror}") from fault
    return _header_of(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=100_000)
def _header_of(path: Path, changed: int, length: int) -> Header:
    return read_header(path)


def _stem_and_suffix(name: str) -> tuple[str, str]:
    path = Path(name)
    return path.stem, path.suffix.lower()
