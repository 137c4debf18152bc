"""One tagging run: decode, score, choose, write, picture by picture in the order of the folder. LIGHT until `load`.

The model is in wd.py or cl.py, the choice of words in tags.py, the run's directory and its undo in run.py.
"""

from __future__ import annotations

import codecs
import errno
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taggers.base import Model
from taggers.pictures import PictureError, list_pictures, open_picture
from taggers.run import Journal
from taggers.tags import Chosen, TagOptions, choose, merge
from trainer.atomic import WriteError, atomic_write
from trainer.dataset import caption_files, links
from trainer.dataset.caption_files import CaptionFiles
from trainer.dataset.captions import CaptionError, read_text
from trainer.filesystem import is_folder

ACTIONS = ("written", "appended", "skipped", "failed")
Prepared = NDArray[np.float32]


class FolderError(ValueError):
    """The folder or the pictures named cannot be tagged; the text says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of one picture. tags as written, with their scores; empty when it was not looked at."""

    image: Path
    caption: Path
    action: str
    tags: tuple[tuple[str, float], ...] = ()
    rating: str | None = None
    message: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The line on stdout: image, caption_file, action, tags, rating and, where there is one, message."""
        line: dict[str, Any] = {
            "image": as_unicode(self.image), "caption_file": as_unicode(self.caption), "action": self.action,
            "tags": [list(pair) for pair in self.tags], "rating": self.rating,
        }  # fmt: skip
        return line if self.message is None else {**line, "message": self.message}


@dataclass(frozen=True)
class Work:
    """What to tag and how to treat captions that are there. captions: those of each folder, as first looked at."""

    folder: Path
    options: TagOptions = field(default_factory=TagOptions)
    conflict: str = "skip"
    caption_extension: str = ".txt"
    recursive: bool = False
    only: tuple[str, ...] = ()
    batch_size: int = 4
    dry_run: bool = False
    captions: dict[Path, CaptionFiles] = field(default_factory=dict, compare=False)


def pictures_of(work: Work, warn: Callable[[str], None] = lambda message: None) -> list[Path]:
    """The pictures of the run. Raises FolderError when the folder is missing or empty, or a named one is not in it.

    warn: is given a sentence for each linked sub-folder, which is not followed.
    """
    folder = work.folder
    passed: list[Path] = []
    if not is_folder(folder):
        raise FolderError(f"{folder} is not a folder; choose the folder that holds the pictures")
    try:
        pictures = list_pictures(folder, work.recursive, passed)
    except PermissionError as error:
        raise FolderError(f"no permission to read {error.filename or folder}; change its rights") from error
    for path in passed:
        warn(f"{as_unicode(path)} is a link to a folder, which is not followed; tag that folder by itself")
    if not pictures:
        deeper = not work.recursive and list_pictures(folder, recursive=True)
        hint = "; its sub-folders do: tick 'Sub-folders too' (--recursive)" if deeper else ""
        raise FolderError(f"{folder} holds no pictures{hint or ' (png, jpg, webp, bmp, avif)'}")
    return _limited(pictures, work) if work.only else pictures


def _limited(pictures: list[Path], work: Work) -> list[Path]:
    asked = {os.path.normcase(os.path.abspath(work.folder / name)): name for name in work.only}
    chosen = [path for path in pictures if asked.pop(os.path.normcase(os.path.abspath(path)), None) is not None]
    if asked:
        raise FolderError(f"{work.folder} has no picture {next(iter(asked.values()))}; {len(asked)} of "
                          f"{len(work.only)} named files were not found")  # fmt: skip
    return chosen


def caption_of(image: Path, work: Work) -> Path:
    """Where the caption of a picture stands: beside it, the exact name with the caption's extension in any case."""
    files = work.captions.get(image.parent)
    if files is None:
        files = work.captions[image.parent] = caption_files.look(image.parent, work.caption_extension)
    name = files.of(image.stem)
    return image.with_suffix(work.caption_extension) if name is None else image.with_name(name)


def tag_folder(
    work: Work,
    pictures: Sequence[Path],
    load_model: Callable[[], Model],
    journal: Journal | None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Tag the pictures and yield what became of each, in their order; ends early once `stopped()`.

    load_model: called only when there is a picture to look at. journal: None only for a dry run. A picture or caption
    that cannot be read or written becomes a `failed` outcome and the run goes on; a full disk raises WriteError.
    """
    if journal is None and not work.dry_run:
        raise ValueError("a run that writes captions needs a journal")
    owners: dict[str, Path] = {}
    root = links.real(work.folder)
    items = [_decided(work, path, owners, root) or path for path in pictures]
    if all(isinstance(item, Outcome) for item in items):
        yield from (item for item in items if isinstance(item, Outcome))
        return
    model = load_model()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "decode") as pool:
        for group in _decoded_ahead(pool, model, _groups(items, model.fixed_batch or work.batch_size)):
            if stopped():
                pool.shutdown(wait=False, cancel_futures=True)
                return
            yield from _tag_group(work, group, model, journal, root)


Decoding = tuple["Path | Outcome", "Future[Prepared | PictureError] | None"]


def _tag_group(
    work: Work, group: list[Decoding], model: Model, journal: Journal | None, root: Path
) -> Iterator[Outcome]:
    """Score the pictures of one group together, then write and yield one outcome after the other."""
    prepared = [None if future is None else future.result() for _, future in group]
    ready = [entry for entry in prepared if isinstance(entry, np.ndarray)]
    scores = iter(score_pictures(model, ready)) if ready else iter(())
    for (item, _), entry in zip(group, prepared, strict=True):
        if isinstance(item, Outcome):
            yield item
        elif isinstance(entry, PictureError):
            yield Outcome(item, caption_of(item, work), "failed", message=str(entry))
        else:
            yield _write(work, item, choose(model.vocabulary, next(scores), work.options), journal, root)


def score_pictures(model: Model, ready: list[Prepared]) -> NDArray[np.float32]:
    """(N of pictures, N of tags); a model with a fixed batch gets the rest filled with zeros."""
    batch = np.stack(ready)
    if model.fixed_batch and len(ready) < model.fixed_batch:
        filling = np.zeros((model.fixed_batch - len(ready), *batch.shape[1:]), batch.dtype)
        batch = np.concatenate([batch, filling])
    return model.score(batch)[: len(ready)]


def _groups(items: Sequence[Path | Outcome], size: int) -> Iterator[list[Path | Outcome]]:
    """Runs of items in order, each with at most `size` pictures to look at."""
    group: list[Path | Outcome] = []
    to_look_at = 0
    for item in items:
        group.append(item)
        to_look_at += isinstance(item, Path)
        if to_look_at == size:
            yield group
            group, to_look_at = [], 0
    if group:
        yield group


def _decoded_ahead(
    pool: ThreadPoolExecutor, model: Model, groups: Iterable[list[Path | Outcome]]
) -> Iterator[list[Decoding]]:
    """The groups with their decoding under way; one group is decoded while the one before is scored."""

    def prepare(path: Path) -> Prepared | PictureError:
        try:
            return model.prepare(open_picture(path))
        except PictureError as error:
            return error
        except Exception as error:  # a broken picture raises nearly anything: struct.error, KeyError, MemoryError, ...
            return PictureError(
                f"the file cannot be read as a picture ({str(error) or type(error).__name__}); save it again"
            )

    waiting: deque[list[Decoding]] = deque()
    for group in groups:
        waiting.append([(item, pool.submit(prepare, item) if isinstance(item, Path) else None) for item in group])
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting


def _decided(work: Work, image: Path, owners: dict[str, Path], root: Path) -> Outcome | None:
    """The outcome of a picture that need not be looked at: its caption is kept, or belongs to a picture before it.

    root: the folder of the run, every link followed; a picture or caption that lies elsewhere is left alone.
    """
    caption = caption_of(image, work)
    if as_unicode(image) != str(image):
        return Outcome(image, caption, "failed", message="the name is not valid Unicode; rename the file")
    reason = _not_to_be_opened(image, caption, root)
    if reason is not None:
        return Outcome(image, caption, "failed", message=reason)
    owner = owners.setdefault(os.path.normcase(os.path.realpath(caption)), image)
    if owner != image:
        message = f"{caption.name} is already the caption of {owner.name}; give the pictures different names"
        return Outcome(image, caption, "skipped", message=message)
    try:
        if work.conflict == "skip" and _has_text(caption):
            return Outcome(image, caption, "skipped", message="has a caption already")
    except OSError as error:
        return Outcome(image, caption, "failed", message=_unusable(caption, error))
    return None


def _unusable(caption: Path, error: OSError) -> str:
    return f"{caption.name} cannot be used: {error.strerror or error}"


def _not_to_be_opened(image: Path, caption: Path, root: Path) -> str | None:
    """Why a picture or the caption beside it is no file of this folder, links followed; None when both may be used."""
    kind = links.kind_of(image, root)
    if kind not in ("file", "missing"):
        return f"{image.name} {links.REASONS[kind]}"
    kind = links.kind_of(caption, root)
    if kind not in ("file", "missing"):
        return f"{caption.name} {links.REASONS[kind]}"
    return None


def as_unicode(path: Path) -> str:
    """The path as text that can be written as UTF-8; Linux allows names that cannot."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _has_text(caption: Path) -> bool:
    return caption.is_file() and caption.stat().st_size > 0 and bool(caption.read_bytes().strip(b"\xef\xbb\xbf \t\r\n"))


def _write(work: Work, image: Path, chosen: Chosen, journal: Journal | None, root: Path) -> Outcome:
    """Merge the tags into the caption and write it, journal first. A link that stays inside `root` stays a link."""
    caption = caption_of(image, work)

    def outcome(action: str, message: str | None = None) -> Outcome:
        return Outcome(image, caption, action, chosen.tags, chosen.rating, message)

    if not chosen.tags:
        return outcome("skipped", "no tag reached its threshold; lower the thresholds")
    reason = _not_to_be_opened(image, caption, root)  # again: what lies there may have changed meanwhile
    if reason is not None:
        return outcome("failed", reason)
    try:
        existing = read_text(caption) if caption.exists() else None
        before = None if existing is None else caption.read_bytes()
        text = merge(existing, [tag for tag, _ in chosen.tags], work.conflict)
        if text is None:
            return outcome("skipped", "has a caption already" if work.conflict == "skip" else "nothing new to add")
        if journal is not None:
            marked = before is not None and before.startswith(codecs.BOM_UTF8)  # a program of the user may need it
            after = (codecs.BOM_UTF8 if marked else b"") + text.encode("utf-8")
            journal.note(caption, before, after)
            atomic_write(caption.resolve(), after)
    except CaptionError as error:
        return outcome("failed", str(error))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        return outcome("failed", str(error) if isinstance(error, WriteError) else _unusable(caption, error))
    added = existing is not None and existing.strip() and work.conflict in ("prepend", "append")
    return outcome("appended" if added else "written")
