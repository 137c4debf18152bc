"""Which folders are trained on: N_name folders and listed ones, with their repeats. LIGHT. What is in them: scan.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.config.dataset import Owner, Subset
from trainer.config.file_names import is_device
from trainer.config.problems import printable
from trainer.dataset import links
from trainer.dataset.links import Place
from trainer.dataset.problems import Problem, error, warning
from trainer.dataset.problems import named as some
from trainer.dataset.tree import holds_pictures, is_hidden, is_picture, leaves
from trainer.filesystem import is_file, is_folder

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.config.caption import Caption
    from trainer.config.dataset import Dataset as DatasetOptions

MAX_REPEATS = 10_000
PLAIN_NUMBER = re.compile(r"[0-9]+", re.ASCII)
THOUSANDS = re.compile(r"[0-9]{1,3}(_[0-9]{3})+(_|$)", re.ASCII)
NUMBERS_BEFORE = re.compile(r"^[+\-\d\s_]*(?:[.,]\d+)*[+\-_\s]*")  # "1.5_cat", "-3 cat"
LONGEST_NUMBER = 20  # characters; more is no number of repeats

LISTED_TOO = "{path} is one of the listed folders already and is used once; leave {option} empty"


@dataclass(frozen=True)
class Folder:
    """One picture folder that is trained on. images: usable pictures in it, each counted once.

    class_tokens: the caption of pictures without one, from the folder's name or its entry. metadata_file: where its
    captions stand when not beside the pictures. group: index of its data set; 0 is the run's own. owner: who decides
    its options; options, captions: what they come to. root: the chosen folder that it belongs to, every link followed;
    links that lead out of it are not followed.
    """

    path: Path
    name: str
    repeats: int
    class_tokens: str | None
    is_reg: bool
    options: DatasetOptions
    captions: Caption
    group: int = 0
    owner: Owner = Owner()
    metadata_file: Path | None = None
    images: int = 0
    missing_captions: int = 0
    root: Path = Path()

    @property
    def mask_folder(self) -> Path | None:
        """The folder with its mask pictures."""
        subset = self.owner.subset
        return Path(subset.conditioning_data_dir) if subset is not None and subset.conditioning_data_dir else None

    @property
    def has_masks(self) -> bool:
        """Whether parts of its pictures count less than others."""
        return self.mask_folder is not None or self.options.alpha_mask

    @property
    def preserved(self) -> bool:
        """Whether its pictures are to stay as the base model predicts them."""
        asked = [one.diff_output_preservation for one in (self.owner.subset, self.owner.group) if one is not None]
        return next((answer for answer in asked if answer is not None), False)

    def decided(self, config: TrainConfig) -> Folder:
        """The folder with its options taken from another configuration of the same folders."""
        return replace(self, options=self.owner.decided(config.dataset), captions=self.owner.decided(config.caption))


def read_folder_name(name: str) -> tuple[int, str] | None:
    """ "10_anby demo" -> (10, "anby demo"); None for a name that does not begin with a number from 1 and "_".

    The number is read as sd-scripts reads it (KOHYA_COMPAT 2.1): 010 and +10 are 10, and it may stand alone.
    """
    number, _, rest = name.partition("_")
    try:
        repeats = int(number) if len(number) <= LONGEST_NUMBER else 0
    except ValueError:
        return None
    return (repeats, rest) if repeats >= 1 else None


def find_folders(config: TrainConfig, problems: list[Problem]) -> Iterator[Folder]:
    """Every folder to read: those of the run (N_name folders, then listed ones), then those of each data set."""
    data = config.dataset
    if not (data.train_data_dir or data.in_json or data.subsets or data.datasets):
        problems.append(
            error(None, "no pictures are named; set train_data_dir to the folder above your picture folders")
        )
    yield from _unseen(_folders_of_the_run(config, problems), problems)
    for number, group in enumerate(data.datasets, start=1):
        listed = (_listed_folder(Owner(group, subset), number, config, problems) for subset in group.subsets)
        yield from _unseen((folder for folder in listed if folder is not None), problems)


def _folders_of_the_run(config: TrainConfig, problems: list[Problem]) -> Iterator[Folder]:
    data = config.dataset
    if data.in_json:
        subset = Subset(image_dir=data.train_data_dir, metadata_file=data.in_json)
        folder = _listed_folder(Owner(None, subset), 0, config, problems)
        if folder is not None:
            yield folder
    else:
        for root, is_reg in ((data.train_data_dir, False), (data.reg_data_dir, True)):
            if root:
                yield from _named_folders(Path(root), is_reg, config, problems)
    for subset in data.subsets:
        folder = _listed_folder(Owner(None, subset), 0, config, problems)
        if folder is not None:
            yield folder


def _listed_folder(owner: Owner, group: int, config: TrainConfig, problems: list[Problem]) -> Folder | None:
    """A folder of a list, or None when what it names is not there."""
    subset = owner.subset
    assert subset is not None
    options, captions = owner.decided(config.dataset), owner.decided(config.caption)
    metadata = Path(subset.metadata_file) if subset.metadata_file else None
    if metadata is not None and not is_file(metadata):
        problems.append(error(metadata, "{path} does not exist; check the path", path=metadata))
        return None
    path = metadata.parent if metadata is not None and not subset.image_dir else Path(subset.image_dir or "")
    masks = Path(subset.conditioning_data_dir) if subset.conditioning_data_dir else path
    if not all([_is_folder(place, problems) for place in {path, masks}]):
        return None
    tokens = next((one.class_tokens for one in (subset, owner.group) if one and one.class_tokens is not None), None)
    return Folder(
        path, path.resolve().name if metadata is None else metadata.name, options.dataset_repeats, tokens,
        subset.is_reg, options, captions, group, owner, metadata, root=links.real(path),
    )  # fmt: skip


def _unseen(folders: Iterable[Folder], problems: list[Problem]) -> Iterator[Folder]:
    """Each folder, or metadata file, of one data set once."""
    seen: set[Path] = set()
    for folder in folders:
        real = (folder.metadata_file or folder.path).resolve()
        if real in seen:
            problems.append(
                warning(folder.path, "{path} is listed twice; the second time is not used", path=folder.path)
            )
            continue
        seen.add(real)
        yield folder


def listed_places(config: TrainConfig) -> set[Path]:
    """The folders that the run lists one by one, every link followed."""
    folders = [Path(subset.image_dir) for subset in config.dataset.subsets if subset.image_dir]
    return {folder.resolve() for folder in folders if is_folder(folder)}


def _is_folder(path: Path, problems: list[Problem]) -> bool:
    if is_folder(path):
        return True
    try:
        exists = path.exists()
    except (OSError, ValueError):  # a name that is too long, or one below a folder that may not be opened
        exists = False
    said = "{path} is a file, not a folder; name the folder" if exists else "{path} does not exist; check the path"
    problems.append(error(path, said, path=path))
    return False


def _named_folders(root: Path, is_reg: bool, config: TrainConfig, problems: list[Problem]) -> Iterator[Folder]:
    """The N_name folders directly under `root`, by name; others are named in a problem, unless they are listed."""
    if not _is_folder(root, problems):
        return
    in_use = listed_places(config)
    data_set = links.real(root)
    try:
        places = [place for place in links.look_into(root, data_set) if not is_hidden(place.name)]
    except OSError as fault:
        problems.append(
            error(
                root, "{path} cannot be opened: {reason}; check the folder's rights", path=root, reason=fault.strerror
            )
        )
        return
    problems.extend(_unfollowed(root, places))
    problems.extend(named_as_devices(root, [root.name, *(place.name for place in places)]))
    folders = [place.name for place in places if place.kind == "folder"]
    named = [(name, parsed) for name in folders if (parsed := read_folder_name(name))]
    for name in folders:
        if not read_folder_name(name) and holds_pictures(root / name) and (root / name).resolve() not in in_use:
            problems.append(warning(
                root / name, "the folder {name} is not used: its name must begin with the repeats, such as 10_{clean}",
                name=name, clean=NUMBERS_BEFORE.sub("", name.strip()) or "name",
            ))  # fmt: skip
    loose = [place.name for place in places if is_picture(place.name) and place.kind == "file"]
    if not named and root.resolve() in in_use:
        option = "reg_data_dir" if is_reg else "train_data_dir"
        problems.append(warning(root, LISTED_TOO, path=root, option=option))
    elif not named and not any(problem.severity == "error" for problem in problems):
        problems.append(_no_named_folders(root, is_reg, bool(loose)))
    if named and loose and root.resolve() not in in_use:
        problems.append(warning(
            root, "{count} {count|picture lies|pictures lie} in {path} beside the folders with repeats in their names "
            "({files}) and {count|is|are} not used; move {count|it|them} into one of those folders, such as {example}",
            count=len(loose), path=root, files=some(loose), example=named[0][0],
        ))  # fmt: skip
    problems.extend(_odd_numbers(root, named))
    for name, (repeats, class_tokens) in named:
        if repeats > MAX_REPEATS:
            said = "the folder {name} asks for {repeats} repeats; rename it with at most {most}"
            problems.append(error(root / name, said, name=name, repeats=repeats, most=MAX_REPEATS))
            continue
        tokens = printable(class_tokens)  # they become a caption, and Linux allows names that are no text
        yield Folder(root / name, name, repeats, tokens, is_reg, config.dataset, config.caption, root=data_set)


def _unfollowed(root: Path, places: Iterable[Place]) -> Iterator[Problem]:
    """Links named as folders with repeats that are not followed: the user meant to train with what they lead to."""
    for place in places:
        if place.kind not in ("outside", "broken") or not read_folder_name(place.name):
            continue
        if place.kind == "broken":
            said = "{path} is a link that leads nowhere; remove it, or bring back what it leads to"
            yield error(root / place.name, said, path=root / place.name)
        else:
            yield error(
                root / place.name, "{path} is a link that leads out of {root}, which is not followed; copy the folder "
                "there in its place, or name it in a dataset_config",
                path=root / place.name, root=root,
            )  # fmt: skip


def _odd_numbers(root: Path, named: Iterable[tuple[str, tuple[int, str]]]) -> Iterator[Problem]:
    """Numbers of repeats that are read otherwise than they look, as Python and so sd-scripts read them."""
    for name, (repeats, class_tokens) in named:
        number = name.partition("_")[0]
        if not PLAIN_NUMBER.fullmatch(number):
            yield warning(
                root / name, 'the folder "{name}" is read as {repeats} {repeats|repeat|repeats}; if that is meant, '
                "rename it to {plain}",
                name=name, repeats=repeats, plain=f"{repeats}_{class_tokens}",
            )  # fmt: skip
        elif THOUSANDS.match(name):
            yield warning(
                root / name, "the folder {name} is read as {repeats} {repeats|repeat|repeats} of {tokens}: the number "
                "ends at the first "
                "_; write it without _ if it is a larger number",
                name=name, repeats=repeats, tokens=class_tokens,
            )  # fmt: skip


def named_as_devices(folder: Path, names: Iterable[str]) -> Iterator[Problem]:
    """Names that Windows opens as devices; told on every system, since data sets travel."""
    devices = [name for name in names if is_device(name)]
    if devices:
        yield warning(
            folder, "{count} {count|name|names} in {path} {count|is the name of a device|are names of devices} on "
            "Windows ({files}), where {count|this file|these files} cannot be opened; rename {count|it|them}",
            count=len(devices), path=folder, files=some(devices),
        )  # fmt: skip


def _no_named_folders(root: Path, is_reg: bool, flat: bool) -> Problem:
    option = "reg_data_dir" if is_reg else "train_data_dir"
    if flat and read_folder_name(root.name):
        return error(
            root,
            "{path} is a picture folder itself; set {option} to the folder above it: {parent}",
            path=root,
            option=option,
            parent=root.parent,
        )
    if flat:
        return error(
            root, "{path} holds pictures but no folder with repeats in its name; "
            "move them into a folder such as {example}",
            path=root, example=root / f"10_{root.name or 'name'}",
        )  # fmt: skip
    below = [leaf for leaf in leaves(root) if leaf.pictures]
    if below:
        first = below[0].path
        return error(
            root,
            "{path} holds no folder with repeats in its name; {count} {count|picture lies|pictures lie} deeper: rename "
            "their folders, such as {example}, and name the folder above them, or list them one by one",
            path=root, count=sum(len(leaf.pictures) for leaf in below), option=option,
            example=first if read_folder_name(first.name) else first.with_name(f"10_{first.name}"),
            folders="\n".join(str(leaf.path) for leaf in below),
        )  # fmt: skip
    return error(
        root, "{path} holds no folder with repeats in its name; put the pictures into a folder such as {example}",
        path=root, example=root / "10_name",
    )  # fmt: skip
