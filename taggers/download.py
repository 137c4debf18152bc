"""Fetches a tagger's files when the user asks: resumed after a break, checked by size and SHA-256, cancelled at will.

Plain HTTPS in the way of the Hugging Face hub; HF_ENDPOINT names another hub or a mirror. Proxies of the environment
are obeyed. LIGHT: the standard library only.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from taggers import Tagger, TaggerFile
from trainer.addresses import web_address

DEFAULT_ENDPOINT = "https://huggingface.co"
CHUNK_BYTES = 2**18
PATIENCE = 5  # broken connections in a row without a byte gained
FIRST_WAIT_SECONDS = 0.5  # before the next try; doubled each time
TIMEOUT_SECONDS = 30.0
REPORT_EVERY_SECONDS = 0.3
Report = Callable[[str, int, "int | None"], None]


class DownloadError(OSError):
    """A file could not be fetched; the text says why and what to do. What arrived is kept and resumed next time."""


class Cancelled(Exception):
    """The user stopped the download; what arrived is kept."""


def download(
    tagger: Tagger,
    models_dir: Path,
    report: Report = lambda name, done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    endpoint: str | None = None,
) -> Path:
    """Fetch the files of a tagger into `<models_dir>/<name>` and return that folder.

    report(file, bytes so far, bytes in all or None) is called a few times a second. A file gets its name only when it
    is complete and checked. Raises DownloadError, Cancelled.
    """
    if not tagger.repo:
        raise DownloadError(f"{tagger.name} is part of this project; there is nothing to download")
    try:
        endpoint = web_address(endpoint or os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT)
    except ValueError as error:
        raise DownloadError(f"HF_ENDPOINT: {error}") from None
    folder = models_dir / tagger.name
    folder.mkdir(parents=True, exist_ok=True)
    # The table of tags first: it is small, so that a wrong address or a missing network shows at once.
    for file in sorted(tagger.files, key=lambda file: file.name.endswith(".onnx")):
        place = urllib.parse.quote(f"{tagger.repo}/resolve/{tagger.revision}/{file.path}")
        fetch(f"{endpoint}/{place}", folder / file.name, file, report, cancelled)
    return folder


def fetch(address: str, target: Path, expected: TaggerFile, report: Report, cancelled: Callable[[], bool]) -> None:
    """Fetch one file to `target` by way of `target.part`. Raises DownloadError, Cancelled."""
    if target.is_file() and expected.bytes in (None, target.stat().st_size):
        return
    part = target.with_name(target.name + ".part")
    breaks, restarted = 0, False
    while True:
        before = _size(part)
        try:
            size, sha256 = _receive(address, part, expected, report, cancelled)
            problem = _problem(part, size, sha256)
        except _Broken as error:
            breaks = 0 if _size(part) > before else breaks + 1
            if breaks >= PATIENCE:
                raise DownloadError(f"the download of {target.name} broke off {PATIENCE} times ({error}); "
                                    "try again later, it goes on where it stopped") from error  # fmt: skip
            _wait(FIRST_WAIT_SECONDS * 2**breaks, cancelled)
            continue
        if problem is None:
            part.replace(target)
            return
        part.unlink()
        if restarted:
            raise DownloadError(f"{target.name} arrived damaged twice: {problem}; the server or a proxy alters it, "
                                "choose another mirror (HF_ENDPOINT)")  # fmt: skip
        restarted = True


class _Broken(Exception):
    """The connection ended early; another try may go on from there."""


def _receive(
    address: str, part: Path, expected: TaggerFile, report: Report, cancelled: Callable[[], bool]
) -> tuple[int | None, str | None]:
    """Append what is missing to `part`; returns the size and SHA-256 that the file must have, where they are known."""
    offset = _size(part)
    request = urllib.request.Request(address, headers={"User-Agent": "athanor", "Accept-Encoding": "identity"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    hops = _Hops()
    try:
        with urllib.request.build_opener(hops).open(request, timeout=TIMEOUT_SECONDS) as response:
            offset = offset if response.status == 206 else 0
            size = expected.bytes or hops.size or _length(response, offset)
            _require_space(part, size, offset)
            _copy(response, part, offset, size, report, cancelled)
            # Not the plain ETag: storage servers put other hashes of the same length there.
            sha256 = expected.sha256 or hops.sha256 or _sha256_of(response.headers.get("X-Linked-ETag"))
    except urllib.error.HTTPError as error:
        if error.code == 416 and offset:  # nothing is missing, or the part is longer than the file
            return expected.bytes or hops.size, expected.sha256 or hops.sha256
        raise _refused(address, error) from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _unreachable(address, error) from error
    if size is not None and _size(part) < size:
        raise _Broken(f"{_size(part)} of {size} bytes arrived")
    return size, sha256


def _copy(
    response: http.client.HTTPResponse, part: Path, offset: int, size: int | None, report: Report,
    cancelled: Callable[[], bool],
) -> None:  # fmt: skip
    """Write the body behind `offset` and sync it. Raises Cancelled, and what the connection raises."""
    name, done, reported = part.name.removesuffix(".part"), offset, 0.0
    try:
        with part.open("ab") as stream:
            stream.truncate(offset)
            while chunk := response.read(CHUNK_BYTES):
                stream.write(chunk)
                done += len(chunk)
                if cancelled():
                    raise Cancelled
                if time.monotonic() - reported > REPORT_EVERY_SECONDS:
                    reported = time.monotonic()
                    report(name, done, size)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError(f"the disk of {part.parent} is full after {done} bytes of {name}; free some space, "
                                "the download goes on where it stopped") from error  # fmt: skip
        raise
    report(name, done, size)


class _Hops(urllib.request.HTTPRedirectHandler):
    """Follows redirects and keeps what the hub says about the file on the way: its size and SHA-256."""

    def __init__(self) -> None:
        self.size: int | None = None
        self.sha256: str | None = None

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        """Note the headers; never leave HTTPS."""
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise DownloadError(f"the hub sends the download to an unencrypted address ({newurl[:80]}); refused")
        self.sha256 = self.sha256 or _sha256_of(headers.get("X-Linked-ETag"))
        linked = headers.get("X-Linked-Size", "")
        self.size = self.size or (int(linked) if linked.isdigit() else None)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _sha256_of(tag: str | None) -> str | None:
    """The SHA-256 in an ETag of the hub; None for the other kinds of tag."""
    bare = (tag or "").removeprefix("W/").strip('"').lower()
    return bare if len(bare) == 64 and all(letter in "0123456789abcdef" for letter in bare) else None


def _problem(part: Path, size: int | None, sha256: str | None) -> str | None:
    """What is wrong with a complete file, or None."""
    if size is not None and _size(part) != size:
        return f"expected {size} bytes, got {_size(part)}"
    if sha256 is not None:
        with part.open("rb") as stream:
            digest = _digest(stream)
        if digest != sha256:
            return f"its SHA-256 is {digest[:12]}..., not {sha256[:12]}..."
    return None


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()


def _length(response: http.client.HTTPResponse, offset: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return offset + int(length) if length.isdigit() else None


def _require_space(part: Path, size: int | None, offset: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if size is not None and size - offset > free:
        raise DownloadError(f"{part.parent} has {free / 1e6:.0f} MB free, but {(size - offset) / 1e6:.0f} MB are to "
                            "come; free some space or choose another folder")  # fmt: skip


def _refused(address: str, error: urllib.error.HTTPError) -> Exception:
    host = urllib.parse.urlsplit(address).netloc
    if error.code in (500, 502, 503, 504, 429):
        return _Broken(f"{host} answers {error.code}")
    if error.code in (401, 403):
        return DownloadError(f"{host} does not give this file without a login ({error.code}); "
                             "download it by hand and put it into the tagger's folder")  # fmt: skip
    return DownloadError(f"{host} answers {error.code} for {address}; the mirror may not have this file, "
                         "choose another one (HF_ENDPOINT)")  # fmt: skip


def _unreachable(address: str, error: Exception) -> Exception:
    reason = getattr(error, "reason", error)
    host = urllib.parse.urlsplit(address).netloc
    if isinstance(error, urllib.error.URLError) and not isinstance(reason, (ConnectionResetError, TimeoutError)):
        return DownloadError(f"{host} cannot be reached ({reason}); check the network or the proxy, "
                             "or name a mirror in the settings (HF_ENDPOINT)")  # fmt: skip
    return _Broken(str(reason) or type(error).__name__)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _wait(seconds: float, cancelled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if cancelled():
            raise Cancelled
        time.sleep(0.05)
