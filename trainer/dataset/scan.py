"""From folders to a list of examples: which pictures, with which captions, how often, in which bucket. LIGHT.

Rules of kohya-ss/sd-scripts for N_name folders, captions, repeats and regularisation pictures. Nothing is decoded:
sizes come from headers. What is wrong is collected as problems, with paths and cures, instead of raised.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from trainer.dataset import captions
from trainer.dataset.buckets import BucketChoice, BucketError, Size, chooser
from trainer.dataset.captions import CaptionError
from trainer.dataset.folders import Folder, find_folders, holds_pictures, is_hidden, is_picture
from trainer.dataset.pictures import EXTENSIONS, PictureError, read_size
from trainer.dataset.problems import Problem, error, warning
from trainer.seeds import derive

if TYPE_CHECKING:
    from trainer.config import TrainConfig

TEXT_EXTENSIONS = (".txt", ".caption", ".captions", ".tags", ".cap")
UNUSED_PICTURES = frozenset({".gif", ".tif", ".tiff", ".heic", ".heif", ".jxl", ".jfif", ".avif", ".psd"}) - EXTENSIONS
NAMED_AT_MOST = 5
READERS = min(8, (os.cpu_count() or 1) * 2)


@dataclass(frozen=True)
class Example:
    """One picture. index: its place in Dataset.examples, which every later order and random draw refers to.

    caption: as stored, before process(). size: (width, height) as shown. repeats: uses an epoch, balanced for
    regularisation pictures. weight: of its loss. folder: index in Dataset.folders.
    """

    index: int
    path: Path
    caption: str
    has_caption: bool
    size: Size
    choice: BucketChoice
    repeats: int
    weight: float
    is_reg: bool
    folder: int

    @property
    def bucket(self) -> Size:
        """Width and height that it is trained at."""
        return self.choice.bucket


@dataclass(frozen=True)
class Picture:
    """One readable picture. caption: the whole text of its caption file, None without one. folder: index in folders."""

    path: Path
    size: Size
    caption: str | None
    folder: int


@dataclass(frozen=True)
class Reading:
    """What lies in the folders, before sizes, repeats and validation are decided. problems: what is wrong on disk."""

    folders: tuple[Folder, ...]
    pictures: tuple[Picture, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Dataset:
    """What a run trains on. validation: examples held out, numbered on their own. reading: what it was made from."""

    folders: tuple[Folder, ...]
    examples: tuple[Example, ...]
    validation: tuple[Example, ...]
    problems: tuple[Problem, ...]
    reading: Reading

    @property
    def num_images(self) -> int:
        """Training pictures, each once."""
        return sum(not example.is_reg for example in self.examples)

    @property
    def num_reg_images(self) -> int:
        """Regularisation pictures, each once."""
        return sum(folder.images for folder in self.folders if folder.is_reg)

    @property
    def num_train_repeats(self) -> int:
        """Repeats x pictures over the training folders: ss_num_train_images."""
        return sum(example.repeats for example in self.examples if not example.is_reg)

    @property
    def num_reg_repeats(self) -> int:
        """The same over the regularisation folders, before balancing: ss_num_reg_images."""
        return sum(folder.repeats * folder.images for folder in self.folders if folder.is_reg)

    def errors(self) -> list[Problem]:
        """The problems that keep training from starting."""
        return [problem for problem in self.problems if problem.severity == "error"]


def scan(config: TrainConfig) -> Dataset:
    """Look at every folder that the config names. Never raises for what a folder holds; see Dataset.problems."""
    return arrange(read(config), config)


def read(config: TrainConfig) -> Reading:
    """Pictures, sizes and caption texts of every folder; depends only on the folders and on how captions are found."""
    problems: list[Problem] = []
    folders = list(find_folders(config, problems))
    pictures = [
        picture for index, folder in enumerate(folders) for picture in _pictures(folder, index, config, problems)
    ]
    return Reading(tuple(folders), tuple(pictures), tuple(problems))


def arrange(reading: Reading, config: TrainConfig) -> Dataset:
    """Give every picture its bucket, repeats, weight and stored caption; hold some out. Reads no disk."""
    problems = list(reading.problems)
    try:
        choose = chooser(config.dataset)
    except BucketError as fault:
        return Dataset(reading.folders, (), (), (*problems, error(None, "{reason}", reason=fault)), reading)
    found = list(_examples(reading, config, choose, problems))
    images = Counter(example.folder for example in found)
    missing = Counter(example.folder for example in found if not example.has_caption)
    folders = tuple(
        replace(folder, images=images[index], missing_captions=missing[index])
        for index, folder in enumerate(reading.folders)
    )
    problems.extend(_empty_captions(found, folders))
    seed = config.dataset.validation_seed if config.dataset.validation_seed is not None else config.run.seed or 0
    training, validation = _held_out(found, config.dataset.validation_split, seed, problems)
    balanced, unused = _balanced(training)
    if unused:
        problems.append(warning(
            None, "{count} regularisation pictures are not used: there are more of them than training pictures with "
            "their repeats; raise the repeats of the training folder or remove some", count=unused,
        ))  # fmt: skip
    return Dataset(folders, _numbered(balanced), _numbered(validation), tuple(problems), reading)


def _pictures(folder: Folder, index: int, config: TrainConfig, problems: list[Problem]) -> list[Picture]:
    """The readable pictures of a folder by name, with their captions; the rest as problems."""
    try:
        entries = [entry for entry in os.scandir(folder.path) if not is_hidden(entry.name)]
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
    names = sorted(entry.name for entry in entries if is_picture(entry.name) and not entry.is_dir())
    if not names:
        problems.append(
            warning(
                folder.path, "{path} holds no pictures ({kinds})", path=folder.path, kinds=" ".join(sorted(EXTENSIONS))
            )
        )
    problems.extend(_oddities(folder, entries, names))
    extension = "." + captions.for_subset(config.caption, folder.subset).caption_extension.lstrip(".")
    texts = {
        _stem_and_suffix(entry.name): entry.name
        for entry in entries
        if not is_picture(entry.name) and not entry.is_dir()
    }

    def look(name: str) -> Picture | Problem:
        path = folder.path / name
        text_name = texts.get((Path(name).stem, extension.lower()))
        try:
            size = _size(path)
            text = None if text_name is None else captions.read_caption(folder.path / text_name)
        except (PictureError, CaptionError) as fault:
            return warning(path, "{reason}. This picture is not used", reason=fault)
        return Picture(path, size, text, index)

    with ThreadPoolExecutor(READERS) as pool:
        results = list(pool.map(look, names))
    problems.extend(result for result in results if isinstance(result, Problem))
    pictures = [result for result in results if isinstance(result, Picture)]
    problems.extend(_missing_captions(folder, pictures, texts, extension))
    return pictures


def _examples(
    reading: Reading, config: TrainConfig, choose: Callable[[Size], BucketChoice], problems: list[Problem]
) -> Iterator[Example]:
    options = [captions.for_subset(config.caption, folder.subset) for folder in reading.folders]
    for picture in reading.pictures:
        folder = reading.folders[picture.folder]
        try:
            choice = choose(picture.size)
        except BucketError as fault:
            problems.append(
                warning(picture.path, "{path}: {reason}. This picture is not used", path=picture.path, reason=fault)
            )
            continue
        has_caption = picture.caption is not None
        if picture.caption is not None:
            caption = captions.stored(picture.caption, options[picture.folder].enable_wildcard)
        else:
            caption = folder.class_tokens or ""
        weight = config.dataset.prior_loss_weight if folder.is_reg else 1.0
        yield Example(
            0,
            picture.path,
            caption,
            has_caption,
            picture.size,
            choice,
            folder.repeats,
            weight,
            folder.is_reg,
            picture.folder,
        )


def _oddities(folder: Folder, entries: list[os.DirEntry[str]], names: list[str]) -> Iterator[Problem]:
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
    unused = sorted(entry.name for entry in entries if Path(entry.name).suffix.lower() in UNUSED_PICTURES)
    if unused:
        yield warning(
            folder.path, "{count} files in {name} are of a kind that is not read ({files}); "
            "save them as PNG, JPEG or WebP",
            count=len(unused), name=folder.name, files=_named(unused),
        )  # fmt: skip
    for entry in entries:
        if entry.is_dir() and holds_pictures(Path(entry.path)):
            yield warning(
                Path(entry.path),
                "{path} is not read: pictures must lie directly in {name}; move them up",
                path=entry.path,
                name=folder.name,
            )


def _missing_captions(
    folder: Folder, pictures: list[Picture], texts: dict[tuple[str, str], str], extension: str
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
            folder.path, "{count} of {total} pictures in {name} have no {extension} file ({files}), so {fallback}; "
            "tag them or write the files", count=len(missing), total=len(pictures), name=folder.name,
            extension=extension, files=_named(missing), fallback=fallback,
        )  # fmt: skip


def _empty_captions(examples: list[Example], folders: tuple[Folder, ...]) -> Iterator[Problem]:
    empty: dict[int, list[str]] = {}
    for example in examples:
        if example.has_caption and not example.caption:
            empty.setdefault(example.folder, []).append(example.path.name)
    for index, names in empty.items():
        yield warning(
            folders[index].path, "{count} captions in {name} are empty or begin with an empty line ({files}); "
            "these pictures train without words",
            count=len(names), name=folders[index].name, files=_named(names),
        )  # fmt: skip


def _other_extension(
    pictures: list[Picture], texts: dict[tuple[str, str], str], extension: str
) -> tuple[str, int] | None:
    """The text extension that most pictures have instead, and how many."""
    counts = {
        other: sum((picture.path.stem, other) in texts for picture in pictures)
        for other in TEXT_EXTENSIONS
        if other != extension.lower()
    }
    best = max(counts, key=lambda other: counts[other])
    return (best, counts[best]) if counts[best] else None


def _held_out(
    found: list[Example], part: float, seed: int, problems: list[Problem]
) -> tuple[list[Example], list[Example]]:
    """Training and validation examples. `part` of each training folder is held out, drawn by seed and file name."""
    if part <= 0:
        return found, []
    held: set[Path] = set()
    for folder in sorted({example.folder for example in found if not example.is_reg}):
        names = [example.path for example in found if example.folder == folder]
        order = Random(derive(seed, "validation", names[0].parent.name)).sample(names, len(names))
        held.update(order[: int(len(names) * part + 1e-9)])
    if not held:
        problems.append(
            warning(
                None,
                "validation_split {part} of these few pictures is none, so nothing is validated; raise it",
                part=part,
            )
        )
    validation = [replace(example, repeats=1) for example in found if example.path in held]
    return [example for example in found if example.path not in held], validation


def _balanced(examples: list[Example]) -> tuple[list[Example], int]:
    """Regularisation pictures repeated until they are as many as the training pictures; how many stay unused.

    The first round takes each with its folder's repeats, later rounds add one each; a round ends as soon as the count
    is reached. 2 for 15 gives 8 and 7, 3 for 16 gives 6, 5, 5.
    """
    training = [example for example in examples if not example.is_reg]
    reg = [example for example in examples if example.is_reg]
    wanted = sum(example.repeats for example in training)
    repeats: list[int] = []
    count = 0
    for example in reg:
        if count >= wanted:
            break
        repeats.append(example.repeats)
        count += example.repeats
    missing = max(0, wanted - count)
    if repeats:
        every, rest = divmod(missing, len(repeats))
        repeats = [number + every + (place < rest) for place, number in enumerate(repeats)]
    used = [replace(example, repeats=number) for example, number in zip(reg, repeats, strict=False)]
    return training + used, len(reg) - len(used)


def _numbered(examples: Iterable[Example]) -> tuple[Example, ...]:
    return tuple(replace(example, index=index) for index, example in enumerate(examples))


def _size(path: Path) -> Size:
    """read_size, remembered while the file does not change: the form asks again at every edit."""
    try:
        status = path.stat()
    except OSError as fault:
        raise PictureError(f"{path} cannot be read: {fault.strerror}") from fault
    return _size_of(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=100_000)
def _size_of(path: Path, changed: int, length: int) -> Size:
    return read_size(path)


def _stem_and_suffix(name: str) -> tuple[str, str]:
    path = Path(name)
    return path.stem, path.suffix.lower()


def _named(names: list[str]) -> str:
    """The first few names."""
    shown = ", ".join(names[:NAMED_AT_MOST])
    return f"{shown} and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else shown
