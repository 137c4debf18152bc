"""From folders to a list of examples: which pictures, with which captions, how often, in which bucket. LIGHT.

Rules of kohya-ss/sd-scripts for captions, repeats, buckets and regularisation pictures, over what reading.py finds on
disk. What is wrong is collected as problems, with paths and cures, instead of raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from trainer.config.dataset import of_each_group
from trainer.config.dataset_file import expanded
from trainer.dataset import captions, listings
from trainer.dataset.augmentation import face_of
from trainer.dataset.buckets import BucketChoice, BucketError, Size, chooser, cover
from trainer.dataset.folders import Folder
from trainer.dataset.listings import Entry
from trainer.dataset.problems import Problem, error, named, warning
from trainer.dataset.reading import Picture, Reading, read
from trainer.seeds import derive

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.config.dataset import Dataset as DatasetOptions

SEVERAL_LINES = (
    "{count} {count|caption|captions} in {name} {count|has|have} several lines ({files}), and training reads the "
    "first alone; join the lines, or "
    "switch on enable_wildcard, which reads one of them each time"
)
LONG_LETTERS = 4000  # 225 tokens, the most that is read, are about 1000


@dataclass(frozen=True)
class Example:
    """One picture. index: its place in Dataset.examples, which every later order and random draw refers to.

    caption: as stored, before process(). size: (width, height) as it is trained. repeats: uses an epoch, balanced for
    regularisation pictures. weight: of its loss. folder: index in Dataset.folders. group: of its data set, in
    Dataset.groups. tags: what tag statistics count when it is not the caption. mask: the picture of its loss mask.
    orientation: how the camera was held, as EXIF tells.
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
    group: int = 0
    tags: str | None = None
    mask: Path | None = None
    orientation: int = 1

    @property
    def bucket(self) -> Size:
        """Width and height that it is trained at."""
        return self.choice.bucket

    @property
    def told_size(self) -> Size:
        """The size that SDXL is told: the picture's own, or what was cut out of it without resizing."""
        return self.bucket if self.choice.cut else self.size


@dataclass(frozen=True)
class Dataset:
    """What a run trains on. validation: examples held out, numbered on their own. reading: what it was made from.

    groups: the options of each data set; 0 is the run's own, with its N_name and listed folders.
    """

    folders: tuple[Folder, ...]
    examples: tuple[Example, ...]
    validation: tuple[Example, ...]
    problems: tuple[Problem, ...]
    reading: Reading
    groups: tuple[DatasetOptions, ...]

    @property
    def batch_sizes(self) -> list[int]:
        """Batch size of each data set."""
        return [options.train_batch_size for options in self.groups]

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
    """Look at every folder that the config names. Never raises for what a folder holds; see Dataset.problems.

    Raises ConfigError when a dataset_config is named that cannot be read.
    """
    config, _ = expanded(config)
    return arrange(read(config), config)


def arrange(reading: Reading, config: TrainConfig) -> Dataset:
    """Give every picture its bucket, repeats, weight and stored caption; hold some out. Reads no disk."""
    problems = list(reading.problems)
    groups = of_each_group(config.dataset)
    folders = tuple(folder.decided(config) for folder in reading.folders)
    cached = config.cache.cache_latents
    found: list[Example] = []
    for index, options in enumerate(groups):
        own = [picture for picture in reading.pictures if folders[picture.folder].group == index]
        if not own and len(groups) > 1:
            continue
        try:
            choose = chooser(options, cached)
        except BucketError as fault:
            problems.append(Problem("error", None, "{reason}", {"reason": str(fault)}, "dataset.resolution", "config"))
            return Dataset(folders, (), (), tuple(problems), reading, groups)
        found += _examples(own, folders, choose, problems)
    problems.extend(_wrong_sizes(found, folders, cached))
    images = Counter(example.folder for example in found)
    missing = Counter(example.folder for example in found if not example.has_caption)
    folders = tuple(
        replace(folder, images=images[index], missing_captions=missing[index]) for index, folder in enumerate(folders)
    )
    problems.extend(_empty_captions(found, folders))
    problems.extend(_partly_read_captions(reading.pictures, folders))
    training, validation = _held_out(found, folders, config.run.seed or 0, problems)
    balanced, unused = _balanced_groups(training)
    if unused:
        problems.append(warning(
            None, "{count} regularisation {count|picture is|pictures are} not used: there are more of them than "
            "training pictures with their repeats; raise the repeats of the training folder or remove some",
            count=unused,
        ))  # fmt: skip
    return Dataset(folders, _numbered(balanced), _numbered(validation), tuple(problems), reading, groups)


def write_caches(dataset: Dataset) -> None:
    """Write metadata_cache.json into the folders whose cache_info asks for it and that have none yet.

    Raises trainer.atomic.WriteError.
    """
    for index, folder in enumerate(dataset.reading.folders):
        if not dataset.folders[index].options.cache_info or folder.metadata_file is not None:
            continue
        if not (folder.path / listings.CACHE_NAME).exists():
            pictures = [picture for picture in dataset.reading.pictures if picture.folder == index]
            entries = [
                Entry(str(picture.path), folder.class_tokens if picture.caption is None else picture.caption, None,
                      picture.header.stored, orientation=picture.header.orientation)
                for picture in pictures
            ]  # fmt: skip
            listings.write_cache(folder.path, entries)


def _examples(
    pictures: Iterable[Picture], folders: tuple[Folder, ...], choose: Callable[[Size], BucketChoice],
    problems: list[Problem],
) -> Iterator[Example]:  # fmt: skip
    for picture in pictures:
        folder = folders[picture.folder]
        try:
            old = picture.train_resolution if folder.options.enable_bucket else None
            choice = choose(picture.size) if old is None else cover(picture.size, old)
        except BucketError as fault:
            problems.append(
                warning(picture.path, "{path}: {reason}. This picture is not used", path=picture.path, reason=fault)
            )
            continue
        has_caption = picture.caption is not None or picture.tags is not None
        wildcards = folder.captions.enable_wildcard
        if has_caption:
            text = captions.with_tags(picture.caption, picture.tags, folder.captions.caption_separator, wildcards)
            caption = captions.stored(text, wildcards)
        else:
            caption = folder.class_tokens or ""
        yield Example(
            0, picture.path, caption, has_caption, picture.size, choice, folder.repeats,
            folder.options.prior_loss_weight if folder.is_reg else 1.0, folder.is_reg, picture.folder, folder.group,
            (picture.tags or "") if folder.metadata_file else None, picture.mask, picture.header.orientation,
        )  # fmt: skip


def _wrong_sizes(examples: list[Example], folders: tuple[Folder, ...], cached: bool) -> Iterator[Problem]:
    """Without buckets and caches pictures are not resized: they have the training size, or may be cropped to it."""
    wrong: dict[int, list[Example]] = {}
    for example in examples:
        options = folders[example.folder].options
        if cached or options.enable_bucket or example.size == options.resolution:
            continue
        larger = example.size[0] >= example.bucket[0] and example.size[1] >= example.bucket[1]
        face = options.face_crop_aug_range is not None and face_of(example.path.stem) is not None
        if not (larger and (options.random_crop or face)):
            wrong.setdefault(example.folder, []).append(example)
    for index, found in wrong.items():
        width, height = found[0].bucket
        yield error(
            folders[index].path, "{count} {count|picture|pictures} in {name} {count|is|are} not {width}x{height} "
            "pixels ({files}), and without "
            "enable_bucket and cache_latents nothing is resized; switch one of them on, or random_crop for larger "
            "pictures",
            count=len(found), name=folders[index].name, width=width, height=height,
            files=named([example.path.name for example in found]),
        )  # fmt: skip


def _empty_captions(examples: list[Example], folders: tuple[Folder, ...]) -> Iterator[Problem]:
    empty: dict[int, list[str]] = {}
    for example in examples:
        if example.has_caption and not example.caption:
            empty.setdefault(example.folder, []).append(example.path.name)
    for index, names in empty.items():
        yield warning(
            folders[index].path, "{count} {count|caption|captions} in {name} {count|is empty or begins|are empty or "
            "begin} with an empty line ({files}); {count|this picture trains|these pictures train} without words",
            count=len(names), name=folders[index].name, files=named(names),
        )  # fmt: skip


def _partly_read_captions(pictures: Iterable[Picture], folders: tuple[Folder, ...]) -> Iterator[Problem]:
    """Captions of which training reads a part: the first of several lines, the first tokens of a long text."""
    several: dict[int, list[str]] = {}
    long: dict[int, list[str]] = {}
    for picture in pictures:
        wildcards = folders[picture.folder].captions.enable_wildcard
        first, *others = [line.strip() for line in (picture.caption or "").split("\n")]
        if first and any(others) and not wildcards:
            several.setdefault(picture.folder, []).append(picture.path.name)
        if max(map(len, [first, *others] if wildcards else [first])) > LONG_LETTERS:
            long.setdefault(picture.folder, []).append(picture.path.name)
    for index, names in several.items():
        yield warning(
            folders[index].path, SEVERAL_LINES, count=len(names), name=folders[index].name, files=named(names)
        )
    for index, names in long.items():
        yield warning(
            folders[index].path, "{count} {count|caption|captions} in {name} {count|has|have} more than {letters} "
            "letters ({files}); the first {tokens} tokens are read and the rest is cut off, so shorten {count|it|them}",
            count=len(names), name=folders[index].name, letters=LONG_LETTERS, files=named(names),
            tokens=folders[index].captions.max_token_length or 75,
        )  # fmt: skip


def _held_out(
    found: list[Example], folders: tuple[Folder, ...], run_seed: int, problems: list[Problem]
) -> tuple[list[Example], list[Example]]:
    """Training and validation examples. Of each training folder its share is held out, drawn by seed and file name."""
    held: set[tuple[int, Path]] = set()
    asked = 0.0
    for index in sorted({example.folder for example in found if not example.is_reg}):
        options = folders[index].options
        if options.validation_split <= 0:
            continue
        asked = max(asked, options.validation_split)
        names = [example.path for example in found if example.folder == index]
        seed = options.validation_seed if options.validation_seed is not None else run_seed
        order = Random(derive(seed, "validation", names[0].parent.name)).sample(names, len(names))
        held.update((index, path) for path in order[: int(len(names) * options.validation_split + 1e-9)])
    if asked and not held:
        problems.append(
            warning(
                None,
                "validation_split {part} of these few pictures is none, so nothing is validated; raise it",
                part=asked,
            )
        )
    if held and all((example.folder, example.path) in held for example in found if not example.is_reg):
        said = "validation_split {part} keeps every picture for validation and leaves none to train on; lower it"
        problems.append(error(None, said, part=asked))
    validation = [replace(example, repeats=1) for example in found if (example.folder, example.path) in held]
    return [example for example in found if (example.folder, example.path) not in held], validation


def _balanced_groups(examples: list[Example]) -> tuple[list[Example], int]:
    """`_balanced` for each data set on its own."""
    balanced: list[Example] = []
    unused = 0
    for group in sorted({example.group for example in examples}):
        own, left = _balanced([example for example in examples if example.group == group])
        balanced += own
        unused += left
    return balanced, unused


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
