"""sd-scripts' files of cached latents, name.npz beside each picture: read, also older forms, and written.

KOHYA_COMPAT 3.1 and 3.2. Latents stand in them without the VAE's scale. What a file holds besides is kept.

C latent channels · H W pixels of the bucket · h w latent rows, columns
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.atomic import atomic_write
from trainer.dataset import links
from trainer.dataset.buckets import Size, crop_ltrb
from trainer.dataset.problems import named
from trainer.loading.latents import Kept, LatentsError, Task
from trainer.loading.pixels import Item, Mask, claimed_twice, load_mask, npz_place

# Our own array: what the latents were made of. Other programs ignore it, and keep it.
KEY = "athanor_key"
OURS = ("latents", "latents_flipped", "alpha_mask", "original_size", "crop_ltrb", KEY)
CHANNELS = 4  # of SD's and SDXL's latents; other families' files may have the same name
LARGEST_BYTES = 2**29  # of all arrays unpacked; latents and mask of 4096 x 4096 pixels take 68 MiB
Arrays = dict[str, np.ndarray]


class NpzStore:
    """Kept latents in sd-scripts' files."""

    def __init__(self, suffix: str, scale: float, trusted: bool = False) -> None:
        """suffix: "_sd" or "_sdxl", the end of the file's name. scale: of latents against the VAE's own.

        trusted: what a file was made of is not compared, only dates and shapes (skip_cache_check).
        """
        self._suffix, self._scale, self._trusted = suffix, scale, trusted
        self._unmarked: list[str] = []
        self._unfollowed: dict[Path, str] = {}
        self._claimed: dict[Path, tuple[Path, Size]] = {}

    def find(self, task: Task) -> Kept | str | None:
        """As Store. A file of ours must be made of the same picture and VAE; one of sd-scripts must be younger than the
        picture; both must have the bucket's shape and finite numbers."""
        self.claim(task.item)
        reason: str | None = None
        for path, unmarked in ((self.place(task.item), False), (_older(task), True)):
            kind = links.kind_of(path, _root(task.item))
            if kind != "file":
                if kind != "missing" and path not in self._unfollowed:
                    self._unfollowed[path] = links.REASONS[kind]
                continue
            found = self._usable(path, task)
            if isinstance(found, Kept):
                if unmarked and task.item.path.name not in self._unmarked:
                    self._unmarked.append(task.item.path.name)
                return found
            reason = reason or found
        return reason

    def keep(self, task: Task, latents: Tensor, mask: Mask | None) -> None:
        """As Store: into the current form of the file. What was made of another picture goes, what is not ours stays.

        The mirrored half comes after the other one; beside latents of sd-scripts it gets no mark.
        """
        path, item = self.place(task.item), task.item
        arrays = read_arrays(path) or {}
        mark = _text(arrays.get(KEY))
        if mark != task.made_of and not (task.mirrored and mark is None):
            arrays = {name: array for name, array in arrays.items() if name not in OURS}
            arrays[KEY] = np.array(task.made_of)
        size = item.size or item.bucket
        arrays["latents_flipped" if task.mirrored else "latents"] = (latents.float() / self._scale).numpy()
        arrays["original_size"] = np.array(size)
        arrays["crop_ltrb"] = np.array(crop_ltrb(item.bucket, size))
        if item.alpha and mask is not None:
            arrays["alpha_mask"] = np.ascontiguousarray(np.flip(mask, axis=1)) if task.mirrored else mask
        atomic_write(path.resolve(), _packed(arrays))  # a link within the data set stays one

    def notes(self) -> list[str]:
        """Which pictures' latents came from files that do not say for which family they are, and which files were not
        opened."""
        unfollowed = [f"{path} {reason}" for path, reason in self._unfollowed.items()]
        if not self._unmarked:
            return unfollowed
        return [
            *unfollowed,
            f"the latents of {len(self._unmarked)} pictures were read from older .npz files ({named(self._unmarked)}), "
            "which do not say for which kind of model they were made; remove those files if it was another kind",
        ]

    def place(self, item: Item) -> Path:
        """<stem>_<width>x<height>_sd.npz beside the picture."""
        place = npz_place(item)
        return place.with_name(f"{place.name}{self._suffix}.npz")

    def claim(self, item: Item) -> None:
        """Keep a picture's file for it. Raises LatentsError for two pictures, or one at two sizes, in one file, and
        for a link that is not followed in the place of the file."""
        place = self.place(item)
        kind = links.kind_of(place, _root(item))
        if kind not in ("file", "missing"):
            raise LatentsError(f"{place} {links.REASONS[kind]}, or clear cache_as_npz")
        reason = claimed_twice(item, self._claimed)
        if reason is not None:
            raise LatentsError(reason)

    def _usable(self, path: Path, task: Task) -> Kept | str | None:
        """What a file holds for a task, why it cannot be used, or None when that part is not in it."""
        arrays = read_arrays(path)
        if arrays is None:
            return "were damaged"
        item = task.item
        height, width = item.bucket[1] // 8, item.bucket[0] // 8
        name = "latents_flipped" if task.mirrored else "latents"
        array = _array(arrays, name, f"_{height}x{width}")
        if array is None and "arr_0" in arrays and not task.mirrored:
            array = arrays["arr_0"]
        if array is None and task.mirrored:
            other = path.with_name(f"{path.stem}_flip.npz")
            array = (read_arrays(other) or {}).get("arr_0") if links.kind_of(other, _root(item)) == "file" else None
        if array is None:
            return None
        if array.ndim != 3 or array.shape[1:] != (height, width):
            return "are of another size"
        if len(array) != CHANNELS or array.dtype.kind != "f":
            return "are of another kind of model"
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            return "are not finite"
        mark = _text(arrays.get(KEY))
        if mark not in (None, task.made_of) and (item.turned or not self._trusted):
            return "were made from another picture, size or VAE"
        if mark is None and item.turned and not item.as_stored:
            return "were made by sd-scripts, which does not turn pictures as the camera was held,"
        if (mark is None or self._trusted) and item.path.stat().st_mtime > path.stat().st_mtime:
            return "are older than their picture"
        latents = torch.from_numpy(array) * self._scale
        if item.mask is None and not item.alpha:
            return Kept(latents)
        try:
            mask = load_mask(item) if item.mask is not None else _array(arrays, "alpha_mask", f"_{height}x{width}")
        except (OSError, ValueError):  # told where the picture is read
            return None
        if mask is None:
            return None
        if mask.shape != (item.bucket[1], item.bucket[0]) or mask.dtype.kind != "f":
            return "have a mask of another size"
        if not ((mask >= 0) & (mask <= 1)).all():  # NaN is neither
            return "have a mask with numbers beyond 0 to 1"
        reduced = F.interpolate(torch.from_numpy(mask.astype(np.float32))[None, None], (height, width), mode="area")[0]
        return Kept(latents, reduced.flip(-1) if task.mirrored else reduced)


def _root(item: Item) -> Path:
    """The data set of a picture; its own folder where nothing is known of one."""
    return item.root or links.real(item.path.parent)


def _older(task: Task) -> Path:
    """<stem>.npz: the file of sd-scripts up to 0.9.1, for every family."""
    return task.item.path.with_suffix(".npz")


def _text(array: np.ndarray | None) -> str | None:
    return str(array) if array is not None and array.dtype.kind == "U" and array.ndim == 0 else None


def _array(arrays: Mapping[str, np.ndarray], name: str, size: str) -> np.ndarray | None:
    """An array under its newer name with the latents' size, or under its plain one."""
    return arrays.get(name + size, arrays.get(name))


def read_arrays(path: Path) -> Arrays | None:
    """Every array of a .npz file, or None when it is missing, damaged, no .npz file or too large for one of latents.

    Nothing in it is ever executed.
    """
    try:
        if not path.is_file():
            return None
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > LARGEST_BYTES:
                return None
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name + ".npy" in file.zip.namelist()}
    except (
        OSError, ValueError, KeyError, EOFError, OverflowError, MemoryError, zipfile.BadZipFile, zlib.error,
        RuntimeError, TypeError,  # encrypted or packed in a way that Python does not know; numbers that are none
    ):  # fmt: skip
        return None


def _packed(arrays: Arrays) -> bytes:
    """The arrays as a .npz file. np.savez takes names as arguments, so that one called `file` would stop it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)
    return written.getvalue()
