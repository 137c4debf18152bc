"""The form's fields for picture folders that another tab names: the whole data set of a run. LIGHT."""

from __future__ import annotations

from pathlib import Path

from trainer.config.problems import printable
from trainer.dataset import tree
from trainer.dataset.folders import read_folder_name
from webui.form import SUBSETS, RawValue

FOLDER = "dataset.train_data_dir"
USUAL_REPEATS = "10"  # as in the guides


def data_set(folder: Path, recursive: bool, extension: str, root: Path) -> dict[str, RawValue]:
    """Values by address that train on the pictures of `folder` and on no others; regularisation stays as it is.

    recursive: those below it too. root: where paths of the form start. Folders with repeats in their names are meant by
    the one above them where it holds no others of that kind; else they are listed one by one.
    """
    found = [leaf.path for leaf in tree.leaves(folder) if leaf.pictures] if recursive else [folder]
    places = found or [folder]
    above = {place.parent for place in places}
    whole = above.pop() if len(above) == 1 else None
    if whole is not None and set(places) == _with_repeats(whole):
        chosen: dict[str, RawValue] = {FOLDER: shown(whole, root), SUBSETS: []}
    else:
        listed = [{"image_dir": shown(place, root), "num_repeats": repeats_of(place)} for place in places]
        chosen = {FOLDER: "", SUBSETS: listed}
    none: dict[str, RawValue] = {"dataset.datasets": [], "dataset.dataset_config": "", "dataset.in_json": ""}
    return {**none, **chosen, "caption.caption_extension": extension}


def repeats_of(folder: Path, usual: str = USUAL_REPEATS) -> str:
    """The repeats that the folder's name begins with, or the usual ones."""
    named = read_folder_name(folder.name)
    return usual if named is None else str(named[0])


def shown(path: Path, root: Path) -> str:
    """A path as the form writes it: from the project's folder where it lies inside."""
    return f"./{path.relative_to(root).as_posix()}" if path.is_relative_to(root) else printable(str(path))


def _with_repeats(folder: Path) -> set[Path]:
    try:
        return {place for place in folder.iterdir() if read_folder_name(place.name) and place.is_dir()}
    except OSError:
        return set()
