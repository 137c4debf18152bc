"""Small pictures of the folders that were opened here, made once and kept. Their routes: routes/thumbnails.py. LIGHT.

A picture is named by its folder's id and a key of its file name, never by a path; what is sent is always new WebP.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

from trainer.atomic import atomic_writer
from trainer.dataset import links, pictures

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".avif", ".tif", ".tiff")
SIDES_PX = (192, 384, 1024)
MIDDLE_GREY = (128, 128, 128)  # under transparent parts, so that they are seen in both themes
# One grey pixel, made with Pillow: in place of what cannot be shown.
BLANK = bytes.fromhex("524946461e000000574542505650384c110000002f000000000750c00216b0ff8188e87f0000")
DECODERS = threading.BoundedSemaphore(2)


class NoThumbnail(Exception):
    """There is no such picture, or it cannot be shown; the text says why."""


class Thumbnails:
    """The folders opened by this page and the cache of their small pictures. Thread-safe."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._folders: dict[str, tuple[Path, Path]] = {}  # id -> folder, and what its links may not lead out of
        self._names: dict[str, tuple[int, dict[str, str]]] = {}
        self._lock = threading.Lock()

    def register_folder(self, folder: Path, root: Path | None = None) -> str:
        """Allow the pictures that lie directly in `folder` to be shown.

        root: the opened folder above it, within which links are followed. Returns the folder's id (the same every
        time).
        """
        folder = links.real(folder)
        root = folder if root is None else links.real(root)
        folder_id = _digest(os.path.normcase(folder))[:16]
        with self._lock:
            _, known = self._folders.get(folder_id, (folder, root))
            self._folders[folder_id] = (folder, root if known.is_relative_to(root) else known)
        return folder_id

    def path_of(self, folder_id: str, key: str) -> Path:
        """The picture that a folder id and a file key stand for. Raises NoThumbnail."""
        folder, root = self._folders.get(folder_id, (None, None))
        if folder is None or root is None:
            raise NoThumbnail("This folder has not been opened since Athanor started; open it again.")
        name = self._listing(folder_id, folder).get(key)
        if name is None:
            raise NoThumbnail("This picture is no longer in its folder.")
        path = folder / name
        kind = links.kind_of(path, root)
        if kind != "file":
            raise NoThumbnail(f"{path} {links.REASONS[kind]}")
        return path

    def thumbnail(self, path: Path, side_px: int) -> Path:
        """A WebP file showing `path` within side_px x side_px. Raises NoThumbnail when the picture cannot be read."""
        if side_px not in SIDES_PX:
            raise NoThumbnail(f"There are no thumbnails of {side_px} px; there are {', '.join(map(str, SIDES_PX))}.")
        try:
            status = path.stat()
        except OSError as error:
            raise NoThumbnail(f"{path}: {error.strerror}") from error
        name = _digest(f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{side_px}")
        target = self.cache / name[:2] / f"{name}.webp"
        if not target.is_file():
            with DECODERS:
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise NoThumbnail(f"{target.parent}: {error.strerror or error}") from error
                _make(path, target, side_px)
        return target

    def _listing(self, folder_id: str, folder: Path) -> dict[str, str]:
        """Key -> file name of a folder, read again when the folder changed."""
        try:
            changed = folder.stat().st_mtime_ns
        except OSError as error:
            raise NoThumbnail(f"{folder}: {error.strerror or error}") from error
        known = self._names.get(folder_id)
        if known is not None and known[0] == changed:
            return known[1]
        try:
            with os.scandir(folder) as entries:
                names = {file_key(e.name): e.name for e in entries if e.name.lower().endswith(EXTENSIONS)}
        except OSError as error:
            raise NoThumbnail(f"{folder}: {error.strerror or error}") from error
        self._names[folder_id] = (changed, names)
        return names


def file_key(name: str) -> str:
    """The key under which a file of a registered folder is asked for."""
    return _digest(name)[:20]


def thumbnail_path(folder_id: str, name: str, mtime_ns: int) -> str:
    """Path below ./api/ of a picture's thumbnail; changes when the picture does, so that it may be cached for long."""
    return f"thumbnails/{folder_id}/{file_key(name)}?v={mtime_ns}"


def _make(path: Path, target: Path, side_px: int) -> None:
    try:
        small = pictures.read_image(path, side_px=side_px * 2)
        small.thumbnail((side_px, side_px))
        with atomic_writer(target) as stream:
            pictures.on_ground(small, MIDDLE_GREY).save(stream, "WEBP", quality=82, method=2)
    except pictures.PictureError as error:
        raise NoThumbnail(str(error)) from error
    except (OSError, ValueError) as error:
        raise NoThumbnail(f"{path} cannot be read as a picture: {error}") from error


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
