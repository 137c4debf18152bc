"""Latents of the training pictures: encoded once and kept (in memory or on disk), or anew at every use.

Pictures arrive as pixel arrays from a callable (see dataset.pictures), the encoder as a callable (see families). Which
pictures form a batch is in batches.py.

C latent channels · H W pixels · h w latent rows, columns
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer import seeds
from trainer.atomic import WriteError, atomic_write, heals
from trainer.config.problems import printable
from trainer.dataset import DatasetError
from trainer.dataset.buckets import Size
from trainer.dataset.pictures import Pixels
from trainer.dataset.problems import named
from trainer.families.weights import WeightsError, read_header
from trainer.loading.pixels import INVISIBLE, Item, Loaded, Mask, Read, Trial, in_order, try_all, why_unusable
from trainer.plurals import filled

FORMAT_VERSION = 1
# The kept sample of a picture's posterior is a function of its content, not of the run's seed: a run with another seed
# can use the same files.
CACHE_SEED = 0


class LatentsError(DatasetError):
    """Pictures cannot be encoded. The text names the file and the cure."""


@dataclass(frozen=True)
class Use:
    """One picture in one batch. key: names its random draws. augmented: chance may change it."""

    number: int
    mirrored: bool = False
    key: tuple[str | int, ...] = ()
    augmented: bool = True


@dataclass(frozen=True)
class Kept:
    """What is kept of a picture: latents (C, h, w), and its mask at their size (1, h, w) where it has one."""

    latents: Tensor
    mask: Tensor | None = None


@dataclass(frozen=True)
class LatentBatch:
    """latents: (B, C, h, w) float32. masks: (B, 1, h, w) in 0..1 when a picture has one; ones for the others."""

    latents: Tensor
    masks: Tensor | None = None


@dataclass(frozen=True)
class Task:
    """One encoding to do, or one kept. key: what its content, options and encoder come to.

    made_of: the key of the picture that is not mirrored.
    """

    number: int
    item: Item
    mirrored: bool
    key: str
    made_of: str


class Store(Protocol):
    """Where latents lie between runs."""

    def find(self, task: Task) -> Kept | str | None:
        """What is kept; None when nothing is; text when it cannot be used: "were damaged"."""

    def keep(self, task: Task, latents: Tensor, mask: Mask | None) -> None:
        """Keep latents (C, h, w) and a mask (H, W). Raises trainer.atomic.WriteError."""

    def notes(self) -> list[str]:
        """What the user should know about what was found."""


class Encode(Protocol):
    """families.base.Family.encode_images: (B, 3, H, W) in [-1, 1] -> latents (B, C, h, w), float32."""

    def __call__(self, pixels: Tensor, generator: Sequence[torch.Generator]) -> Tensor: ...


class Latents(Protocol):
    """Where a batch's latents come from. `skipped`: number of an unusable picture -> why."""

    @property
    def skipped(self) -> Mapping[int, str]: ...

    def expect(self, plan: Iterable[Sequence[Use]]) -> None:
        """The coming batches in order, so that pictures can be read ahead."""

    def batch(self, uses: Sequence[Use]) -> LatentBatch:
        """Latents and masks of one batch, on the CPU."""

    def close(self) -> None:
        """End background reading."""


class CachedLatents:
    """Latents that were encoded before training; made by `cache_latents`."""

    def __init__(
        self, kept: Mapping[tuple[int, bool], Kept | Task], skipped: Mapping[int, str], store: Store | None = None
    ) -> None:
        """kept: (number, mirrored) -> what is kept, or the task by which the store finds it."""
        self._kept = dict(kept)
        self._store = store
        self.skipped = dict(skipped)

    def expect(self, plan: Iterable[Sequence[Use]]) -> None:
        """Nothing to do: all is there."""

    def batch(self, uses: Sequence[Use]) -> LatentBatch:
        """Always the same sample of each picture. Raises KeyError for a skipped one, LatentsError for a lost one."""
        found = [self.kept(use.number, use.mirrored) for use in uses]
        return LatentBatch(torch.stack([one.latents for one in found]), _stacked([one.mask for one in found], found))

    def kept(self, number: int, mirrored: bool = False) -> Kept:
        """What is kept of one picture."""
        kept = self._kept[number, mirrored]
        if isinstance(kept, Kept):
            return kept
        found = None if self._store is None else self._store.find(kept)
        if not isinstance(found, Kept):
            raise LatentsError(
                f"the kept latents of {kept.item.path} were changed or removed while training; start again, they are "
                "made anew"
            )
        return found

    def close(self) -> None:
        """Nothing runs in the background."""


class DirectLatents:
    """Every picture is read, changed by chance and encoded at every use, reading ahead in order."""

    def __init__(
        self,
        items: Sequence[Item],
        read: Read,
        encode: Encode,
        seed: int = 0,
        workers: int = 2,
        skipped: Mapping[int, str] | None = None,
    ) -> None:
        """workers: how many batches are read at once in the background, when `expect` has been told the plan; 0: none,
        each is read when it is asked for. skipped: as `tried_latents` found it."""
        self._items, self._read, self._encode, self._seed, self._workers = items, read, encode, seed, workers
        self._coming: Iterator[tuple[tuple[Use, ...], list[Loaded]]] | None = None
        self._next: tuple[tuple[Use, ...], list[Loaded]] | None = None
        self.skipped = dict(skipped or {})

    def expect(self, plan: Iterable[Sequence[Use]]) -> None:
        """Begin to read the pictures of these batches in the background."""
        self.close()
        if not self._workers:
            return

        def loaded(uses: tuple[Use, ...]) -> tuple[tuple[Use, ...], list[Loaded]]:
            return uses, self._read_all(uses)

        self._coming = in_order((tuple(uses) for uses in plan), loaded, self._workers, ahead=self._workers + 1)

    def batch(self, uses: Sequence[Use]) -> LatentBatch:
        """Latents of this use. Raises LatentsError naming the picture that cannot be read or encoded."""
        loaded = self._loaded(tuple(uses))
        generators = [seeds.generator(self._seed, "posterior", *use.key) for use in uses]
        latents = self._encode(as_pixels([one.pixels for one in loaded]), generators).cpu()
        for use, one in zip(uses, latents, strict=True):
            _check_finite(self._items[use.number].path, one)
        found = [Kept(one, _reduced(made.mask, one)) for one, made in zip(latents, loaded, strict=True)]
        return LatentBatch(latents, _stacked([one.mask for one in found], found))

    def close(self) -> None:
        if isinstance(self._coming, Iterator):
            getattr(self._coming, "close", lambda: None)()
        self._coming = self._next = None

    def _loaded(self, uses: tuple[Use, ...]) -> list[Loaded]:
        if self._next is None and self._coming is not None:
            self._next = next(self._coming, None)
        if self._next is None or self._next[0] != uses:
            return self._read_all(uses)  # a validation between two steps
        _, loaded = self._next
        self._next = None
        return loaded

    def _read_all(self, uses: Sequence[Use]) -> list[Loaded]:
        return [self._one(use) for use in uses]

    def _one(self, use: Use) -> Loaded:
        item = self._items[use.number]
        rng = seeds.python_random(self._seed, "augment", *use.key) if use.augmented else None
        try:
            loaded = self._read(item, rng)
        except (OSError, ValueError) as error:
            raise LatentsError(f"{item.path} cannot be read any more: {error}") from error
        return loaded.mirrored() if use.mirrored else loaded


def tried_latents(
    items: Sequence[Item],
    read: Read,
    encode: Encode,
    seed: int,
    workers: int,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    warn: Callable[[str], None] = lambda message: None,
) -> DirectLatents:
    """Latents made anew at every use. Every picture is read once before the first step, so that one that is broken is
    named to `warn` and left out, as `cache_latents` does, and the plan of batches is known.

    progress may raise to end it. Raises LatentsError when no picture is left.
    """
    trial = try_all(items, read, progress)
    _tell(items, trial, warn)
    return DirectLatents(items, read, encode, seed, workers, trial.unusable)


def cache_latents(
    items: Sequence[Item],
    read: Read,
    encode: Encode,
    encoder_id: str,
    *,
    flip: bool | Sequence[bool] = False,
    batch_size: int = 1,
    store: Store | None = None,
    trust_dates: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    warn: Callable[[str], None] = lambda message: None,
    look: Callable[[], None] = lambda: None,
) -> CachedLatents:
    """Encode every picture (and its mirror image with `flip`), or take what an earlier run kept in `store`.

    flip: one answer for all pictures, or one each. encoder_id: what tells one VAE and number format from another (see
    `fingerprint`). trust_dates: a picture counts as unchanged when its path, size and date are. A bad picture is named
    to `warn` and left out. Kept latents that cannot be used are made anew, with a warning that says why. progress and
    look (called before a picture's content is read) may raise to end it; what is kept by then is whole.
    Raises LatentsError when a picture gives NaN even in float32, or when none is left.
    """
    flips = [flip] * len(items) if isinstance(flip, bool) else flip
    kept, todo, skipped = _looked_up(items, flips, encoder_id, store, trust_dates, warn, look)
    for note in store.notes() if store is not None else ():
        warn(note)
    total = len(kept) + len(todo)
    done = len(kept)
    progress(done, total)
    invisible: list[str] = []
    for group in in_order(_groups(todo, batch_size), lambda tasks: _with_pixels(tasks, read)):
        good = [(task, loaded) for task, loaded in group if not isinstance(loaded, str)]
        skipped |= {task.number: loaded for task, loaded in group if isinstance(loaded, str)}
        invisible += [task.item.path.name for task, loaded in good if loaded.invisible and not task.mirrored]
        for (task, loaded), latents in zip(good, _encoded(good, encode), strict=True):
            latents = latents.float().contiguous()
            if store is None:
                kept[task.number, task.mirrored] = Kept(latents, _reduced(loaded.mask, latents))
            else:
                try:
                    store.keep(task, latents, loaded.mask)
                    kept[task.number, task.mirrored] = task
                except WriteError as error:
                    if heals(error):
                        raise
                    # one picture whose name is too long for a file beside it is no reason to end
                    warn(f"{error.strerror}; the latents of {task.item.path.name} stay in memory")
                    kept[task.number, task.mirrored] = Kept(latents, _reduced(loaded.mask, latents))
        done += len(group)
        progress(done, total)
    skipped = dict(sorted(skipped.items()))
    _tell(items, Trial(skipped, tuple(invisible)), warn)
    return CachedLatents({key: value for key, value in kept.items() if key[0] not in skipped}, skipped, store)


def _tell(items: Sequence[Item], trial: Trial, warn: Callable[[str], None]) -> None:
    """Name the pictures that are left out or show nothing. Raises LatentsError when none is left."""
    for reason in trial.unusable.values():
        warn(f"{reason}; the picture is left out")
    if items and len(trial.unusable) == len(items):
        first = next(iter(trial.unusable.values()))
        raise LatentsError(f"none of the {len(items)} pictures can be used; the first: {first}")
    if trial.invisible:
        warn(filled(INVISIBLE, {"count": len(trial.invisible), "files": named(trial.invisible)}))


def _looked_up(
    items: Sequence[Item],
    flips: Sequence[bool],
    encoder_id: str,
    store: Store | None,
    trust_dates: bool,
    warn: Callable[[str], None],
    look: Callable[[], None],
) -> tuple[dict[tuple[int, bool], Kept | Task], list[Task], dict[int, str]]:
    """(number, mirrored) -> what the store holds already; what is to be encoded; number -> why it cannot be read."""
    kept: dict[tuple[int, bool], Kept | Task] = {}
    skipped: dict[int, str] = {}
    todo: list[Task] = []
    outdated: dict[str, list[str]] = {}
    for number, item in enumerate(items):
        look()
        try:
            content = _content_of(item, trust_dates)
        except OSError as error:
            skipped[number] = f"{item.path} cannot be read: {error.strerror or error}"
            continue
        for mirrored in (False, True) if flips[number] else (False,):
            keys = _key(item, content, mirrored, encoder_id), _key(item, content, False, encoder_id)
            task = Task(number, item, mirrored, *keys)
            found = None if store is None else store.find(task)
            if isinstance(found, Kept):
                kept[number, mirrored] = task
                continue
            if found is not None:
                names = outdated.setdefault(found, [])
                names += [item.path.name] if item.path.name not in names else []
            todo.append(task)
    for reason, names in outdated.items():
        warn(f"the kept latents of {named(names)} {reason} and are made anew")
    return kept, todo, skipped


class FolderStore:
    """Kept latents in a folder of the program's own, apart from the pictures, named after what they are made of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, task: Task) -> Kept | str | None:
        """As Store."""
        place = self._place(task)
        return _read_kept(place, task.item.bucket) or "were damaged" if place.exists() else None

    def keep(self, task: Task, latents: Tensor, mask: Mask | None) -> None:
        """As Store."""
        from safetensors.torch import save

        reduced = _reduced(mask, latents)
        tensors = {"latents": latents} if reduced is None else {"latents": latents, "mask": reduced.contiguous()}
        place = self._place(task)
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(place, save(tensors, {"picture": printable(task.item.path.name), "key": task.key}))

    def notes(self) -> list[str]:
        """As Store."""
        return []

    def _place(self, task: Task) -> Path:
        return self._folder / task.key[:2] / f"{task.key[2:42]}.safetensors"


def fingerprint(vae: nn.Module) -> str:
    """16 digits that change with the VAE's weights or number format."""
    whole = hashlib.sha256(str(FORMAT_VERSION).encode())
    for name, tensor in sorted(vae.state_dict().items()):
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        whole.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return whole.hexdigest()[:16]


def content_id(path: Path, trust_dates: bool = False) -> str:
    """What identifies a picture: the SHA-256 of its bytes, or with `trust_dates` its path, size and date."""
    if trust_dates:
        status = path.stat()
        facts = f"|{status.st_size}|{status.st_mtime_ns}".encode()
        return hashlib.sha256(os.fsencode(path.resolve()) + facts).hexdigest()
    whole = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            whole.update(block)
    return whole.hexdigest()


def as_pixels(arrays: Sequence[Pixels]) -> Tensor:
    """uint8 (H, W, 3) arrays of one size -> (B, 3, H, W) in [-1, 1]."""
    stacked = torch.from_numpy(np.stack(arrays))
    return stacked.permute(0, 3, 1, 2).float() / 127.5 - 1


def _groups(tasks: Sequence[Task], batch_size: int) -> Iterator[list[Task]]:
    """Tasks of one bucket, at most batch_size; the largest bucket first, so that a lack of memory shows at once."""
    group: list[Task] = []
    for task in sorted(tasks, key=lambda task: (-task.item.bucket[0] * task.item.bucket[1], task.item.bucket)):
        if group and (len(group) >= batch_size or group[0].item.bucket != task.item.bucket):
            yield group
            group = []
        group.append(task)
    if group:
        yield group


def _with_pixels(tasks: Sequence[Task], read: Read) -> list[tuple[Task, Loaded | str]]:
    """Each task with its picture, or with the reason why there is none."""
    found: list[tuple[Task, Loaded | str]] = []
    for task in tasks:
        try:
            loaded = read(task.item, None)
            found.append((task, loaded.mirrored() if task.mirrored else loaded))
        except (OSError, ValueError) as error:
            found.append((task, why_unusable(task.item, error)))
    return found


def _encoded(good: Sequence[tuple[Task, Loaded]], encode: Encode) -> list[Tensor]:
    if not good:
        return []
    generators = [seeds.generator(CACHE_SEED, "latent", task.key) for task, _ in good]
    latents = list(encode(as_pixels([loaded.pixels for _, loaded in good]), generators).cpu())
    for (task, _), one in zip(good, latents, strict=True):
        _check_finite(task.item.path, one)
    return latents


def _reduced(mask: Mask | None, latents: Tensor) -> Tensor | None:
    """A mask (H, W) at the size of latents (C, h, w), averaged over areas: (1, h, w)."""
    if mask is None:
        return None
    return F.interpolate(torch.from_numpy(mask)[None, None].float(), size=latents.shape[1:], mode="area")[0]


def _stacked(masks: Sequence[Tensor | None], batch: Sequence[Kept]) -> Tensor | None:
    """(B, 1, h, w), ones where a picture has no mask; None when none has one."""
    if all(mask is None for mask in masks):
        return None
    ones = torch.ones(1, *batch[0].latents.shape[1:])
    return torch.stack([ones if mask is None else mask for mask in masks])


def _check_finite(path: Path, latents: Tensor) -> None:
    if not torch.isfinite(latents).all():
        raise LatentsError(
            f"{path} becomes NaN in the VAE, in full precision too; the VAE file is damaged or of another family: "
            "choose another one under vae, or take the picture out"
        )


def _content_of(item: Item, trust_dates: bool) -> str:
    """The content of the picture, and of its mask."""
    content = content_id(item.path, trust_dates)
    return content if item.mask is None else f"{content}|{content_id(item.mask, trust_dates)}"


def _key(item: Item, content: str, mirrored: bool, encoder_id: str) -> str:
    details = (item.interpolation or "") + ("|alpha" if item.alpha else "")
    details += "|as stored" if item.as_stored and (item.turned or item.mask is not None) else ""
    facts = (FORMAT_VERSION, CACHE_SEED, content, item.bucket, item.resized, details, mirrored, encoder_id)
    return hashlib.sha256(repr(facts).encode("utf-8")).hexdigest()


def _read_kept(place: Path, bucket: Size) -> Kept | None:
    """What a kept file holds, or None when it is damaged or not for this bucket."""
    from safetensors.torch import load

    try:
        read_header(place)
        tensors = load(place.read_bytes())
        kept = Kept(tensors["latents"], tensors.get("mask"))
    except (WeightsError, OSError, KeyError, ValueError):
        return None
    fits = kept.latents.ndim == 3 and kept.latents.shape[1:] == (bucket[1] // 8, bucket[0] // 8)
    return kept if fits and bool(torch.isfinite(kept.latents).all()) else None
