"""Latents of the training pictures: encoded once and kept (in memory or on disk), or anew at every use.

Pictures arrive as pixel arrays from a callable (see dataset.pictures), the encoder as a callable (see families). Which
pictures form a batch is in batches.py.

C latent channels · H W pixels · h w latent rows, columns
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from trainer import seeds
from trainer.atomic import atomic_write
from trainer.dataset import DatasetError
from trainer.families.weights import WeightsError, read_header

FORMAT_VERSION = 1
# The kept sample of a picture's posterior is a function of its content, not of the run's seed: a run with another seed
# can use the same files.
CACHE_SEED = 0

Pixels = np.ndarray  # (H, W, 3) uint8
Size = tuple[int, int]  # (width, height)
Job = TypeVar("Job")
Result = TypeVar("Result")


class LatentsError(DatasetError):
    """Pictures cannot be encoded. The text names the file and the cure."""


@dataclass(frozen=True)
class Item:
    """A picture as it is trained: which file, brought to which size, cropped to which bucket.

    details: whatever else changes its pixels (interpolation, background colour), as text; part of the cache key.
    """

    path: Path
    bucket: Size
    resized: Size
    details: str = ""


class Encode(Protocol):
    """families.base.Family.encode_images: (B, 3, H, W) in [-1, 1] -> latents (B, C, h, w), float32."""

    def __call__(self, pixels: Tensor, generator: Sequence[torch.Generator]) -> Tensor: ...


class Latents(Protocol):
    """Where a batch's latents come from. `skipped`: number of an unusable picture -> why."""

    @property
    def skipped(self) -> Mapping[int, str]: ...

    def expect(self, plan: Iterable[Sequence[int]]) -> None:
        """The numbers of the coming batches in order, so that pictures can be read ahead."""

    def batch(self, numbers: Sequence[int], flipped: Sequence[bool], generators: Sequence[torch.Generator]) -> Tensor:
        """(B, C, h, w) float32 on the CPU. generators: one a picture, for an encoder that draws anew at every use."""

    def close(self) -> None:
        """End background reading."""


class CachedLatents:
    """Latents that were encoded before training; made by `cache_latents`."""

    def __init__(self, kept: Mapping[tuple[int, bool], Tensor | Path], skipped: Mapping[int, str]) -> None:
        self._kept = dict(kept)
        self.skipped = dict(skipped)

    def expect(self, plan: Iterable[Sequence[int]]) -> None:
        """Nothing to do: all is there."""

    def batch(self, numbers: Sequence[int], flipped: Sequence[bool], generators: Sequence[torch.Generator]) -> Tensor:
        """(B, C, h, w), always the same sample; the generators are not used."""
        return torch.stack([self.latents(number, flip) for number, flip in zip(numbers, flipped, strict=True)])

    def latents(self, number: int, flipped: bool = False) -> Tensor:
        """(C, h, w) of one picture. Raises KeyError for a skipped one."""
        kept = self._kept[number, flipped]
        if isinstance(kept, Tensor):
            return kept
        latents = _read_kept(kept, None)
        if latents is None:
            raise LatentsError(f"{kept} was changed or removed while training; start again, it is made anew")
        return latents

    def close(self) -> None:
        """Nothing runs in the background."""


class DirectLatents:
    """Every picture is read and encoded at every use, reading ahead in order."""

    def __init__(self, items: Sequence[Item], read: Callable[[Item], Pixels], encode: Encode, ahead: int = 4) -> None:
        """ahead: how many batches are read in advance once `expect` has been told the plan."""
        self._items, self._read, self._encode, self._ahead = items, read, encode, ahead
        self._coming: Iterator[tuple[tuple[int, ...], list[Pixels]]] | None = None
        self.skipped: dict[int, str] = {}

    def expect(self, plan: Iterable[Sequence[int]]) -> None:
        """Begin to read the pictures of these batches in the background."""
        self.close()

        def pixels_of(numbers: tuple[int, ...]) -> tuple[tuple[int, ...], list[Pixels]]:
            return numbers, self._read_all(numbers)

        self._coming = in_order((tuple(numbers) for numbers in plan), pixels_of, workers=2, ahead=self._ahead)

    def batch(self, numbers: Sequence[int], flipped: Sequence[bool], generators: Sequence[torch.Generator]) -> Tensor:
        """(B, C, h, w) of this use. Raises LatentsError naming the picture that cannot be read or encoded."""
        items = [self._items[number] for number in numbers]
        arrays = self._pixels(tuple(numbers))
        turned = [np.flip(array, axis=1) if flip else array for array, flip in zip(arrays, flipped, strict=True)]
        latents = self._encode(as_pixels(turned), list(generators)).cpu()
        for item, one in zip(items, latents, strict=True):
            _check_finite(item.path, one)
        return latents

    def close(self) -> None:
        if isinstance(self._coming, Iterator):
            getattr(self._coming, "close", lambda: None)()
        self._coming = None

    def _pixels(self, numbers: tuple[int, ...]) -> list[Pixels]:
        if self._coming is not None:
            for expected, arrays in self._coming:
                if expected == numbers:
                    return arrays
                break
            self.close()  # the plan was left; read what is asked
        return self._read_all(numbers)

    def _read_all(self, numbers: Sequence[int]) -> list[Pixels]:
        items = [self._items[number] for number in numbers]
        try:
            return [self._read(item) for item in items]
        except (OSError, ValueError) as error:
            names = ", ".join(item.path.name for item in items)
            raise LatentsError(f"a picture of this batch ({names}) cannot be read any more: {error}") from error


def cache_latents(
    items: Sequence[Item],
    read: Callable[[Item], Pixels],
    encode: Encode,
    encoder_id: str,
    *,
    flip: bool = False,
    batch_size: int = 1,
    folder: Path | None = None,
    trust_dates: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    warn: Callable[[str], None] = lambda message: None,
) -> CachedLatents:
    """Encode every picture (and its mirror image with `flip`), or take what an earlier run kept in `folder`.

    encoder_id: what tells one VAE and number format from another (see `fingerprint`). trust_dates: a picture counts as
    unchanged when its path, size and date are. A bad picture is named to `warn` and left out. Kept files that are
    damaged are made anew, with a warning.
    Raises LatentsError when a picture gives NaN even in float32, or when none is left.
    """
    kept: dict[tuple[int, bool], Tensor | Path] = {}
    skipped: dict[int, str] = {}
    todo: list[_Task] = []
    for number, item in enumerate(items):
        try:
            content = content_id(item.path, trust_dates)
        except OSError as error:
            skipped[number] = f"{item.path} cannot be read: {error.strerror or error}"
            continue
        for mirrored in (False, True) if flip else (False,):
            key = _key(item, content, mirrored, encoder_id)
            task = _Task(number, item, mirrored, key, None if folder is None else _place(folder, key))
            if task.place is not None and task.place.exists():
                if _read_kept(task.place, item.bucket) is not None:
                    kept[number, mirrored] = task.place
                    continue
                warn(f"the kept latents of {item.path.name} were damaged and are made anew")
            todo.append(task)
    total = len(kept) + len(todo)
    done = len(kept)
    progress(done, total)
    for group in in_order(_groups(todo, batch_size), lambda tasks: _with_pixels(tasks, read)):
        good = [(task, pixels) for task, pixels in group if not isinstance(pixels, str)]
        skipped |= {task.number: pixels for task, pixels in group if isinstance(pixels, str)}
        for (task, _), latents in zip(good, _encoded(good, encode), strict=True):
            kept[task.number, task.mirrored] = _keep(task, latents)
        done += len(group)
        progress(done, total)
    skipped = dict(sorted(skipped.items()))
    for reason in skipped.values():
        warn(f"{reason}; the picture is left out")
    if items and len(skipped) == len(items):
        raise LatentsError(f"none of the {len(items)} pictures can be used; the first: {next(iter(skipped.values()))}")
    return CachedLatents({key: value for key, value in kept.items() if key[0] not in skipped}, skipped)


def fingerprint(vae: nn.Module) -> str:
    """16 digits that change with the VAE's weights or number format."""
    whole = hashlib.sha256(str(FORMAT_VERSION).encode())
    for name, tensor in sorted(vae.state_dict().items()):
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        whole.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return whole.hexdigest()[:16]


def content_id(path: Path, trust_dates: bool = False) -> str:
    """What identifies a picture: the SHA-256 of its bytes, or with `trust_dates` its path, size and date."""
    if trust_dates:
        status = path.stat()
        return hashlib.sha256(f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()
    whole = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            whole.update(block)
    return whole.hexdigest()


def as_pixels(arrays: Sequence[Pixels]) -> Tensor:
    """uint8 (H, W, 3) arrays of one size -> (B, 3, H, W) in [-1, 1]."""
    stacked = torch.from_numpy(np.stack(arrays))
    return stacked.permute(0, 3, 1, 2).float() / 127.5 - 1


def in_order(jobs: Iterable[Job], work: Callable[[Job], Result], workers: int = 2, ahead: int = 8) -> Iterator[Result]:
    """Results of `work` in the order of `jobs`, computed by threads up to `ahead` jobs in advance.

    An error of a job is raised when its turn comes. Closing the iterator ends the threads.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="reading")
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class _Task:
    """One encoding to do. place: the file it is kept in, None for memory."""

    number: int
    item: Item
    mirrored: bool
    key: str
    place: Path | None


def _groups(tasks: Sequence[_Task], batch_size: int) -> Iterator[list[_Task]]:
    """Tasks of one bucket, at most batch_size; the largest bucket first, so that a lack of memory shows at once."""
    group: list[_Task] = []
    for task in sorted(tasks, key=lambda task: (-task.item.bucket[0] * task.item.bucket[1], task.item.bucket)):
        if group and (len(group) >= batch_size or group[0].item.bucket != task.item.bucket):
            yield group
            group = []
        group.append(task)
    if group:
        yield group


def _with_pixels(tasks: Sequence[_Task], read: Callable[[Item], Pixels]) -> list[tuple[_Task, Pixels | str]]:
    """Each task with its picture, or with the reason why there is none."""
    found: list[tuple[_Task, Pixels | str]] = []
    for task in tasks:
        try:
            pixels = read(task.item)
            found.append((task, np.ascontiguousarray(np.flip(pixels, axis=1)) if task.mirrored else pixels))
        except (OSError, ValueError) as error:
            reason = str(error)
            found.append((task, reason if task.item.path.name in reason else f"{task.item.path}: {reason}"))
    return found


def _encoded(good: Sequence[tuple[_Task, Pixels]], encode: Encode) -> list[Tensor]:
    if not good:
        return []
    generators = [seeds.generator(CACHE_SEED, "latent", task.key) for task, _ in good]
    latents = list(encode(as_pixels([pixels for _, pixels in good]), generators).cpu())
    for (task, _), one in zip(good, latents, strict=True):
        _check_finite(task.item.path, one)
    return latents


def _check_finite(path: Path, latents: Tensor) -> None:
    if not torch.isfinite(latents).all():
        raise LatentsError(
            f"{path} becomes NaN in the VAE, in full precision too; the VAE file is damaged or of another family: "
            "choose another one under vae, or take the picture out"
        )


def _key(item: Item, content: str, mirrored: bool, encoder_id: str) -> str:
    facts = (FORMAT_VERSION, CACHE_SEED, content, item.bucket, item.resized, item.details, mirrored, encoder_id)
    return hashlib.sha256(repr(facts).encode("utf-8")).hexdigest()


def _place(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key[2:42]}.safetensors"


def _keep(task: _Task, latents: Tensor) -> Tensor | Path:
    latents = latents.float().contiguous()
    if task.place is None:
        return latents
    from safetensors.torch import save

    task.place.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(task.place, save({"latents": latents}, {"picture": task.item.path.name, "key": task.key}))
    return task.place


def _read_kept(place: Path, bucket: Size | None) -> Tensor | None:
    """Latents of a kept file, or None when it is damaged or not for this bucket."""
    from safetensors.torch import load

    try:
        read_header(place)
        latents: Tensor = load(place.read_bytes())["latents"]
    except (WeightsError, OSError, KeyError, ValueError):
        return None
    fits = latents.ndim == 3 and (bucket is None or latents.shape[1:] == (bucket[1] // 8, bucket[0] // 8))
    return latents if fits and bool(torch.isfinite(latents).all()) else None
