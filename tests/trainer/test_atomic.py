"""Files are old or new, never half."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from durable import needs_linux, recorded

from trainer import atomic
from trainer.atomic import TEMPORARY_SUFFIX, WriteError, atomic_write, atomic_writer, sweep


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(TEMPORARY_SUFFIX)]


def test_text_and_bytes_replace_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "标签.txt"
    atomic_write(file, "1girl, 安比")
    atomic_write(file, b"new")
    assert file.read_bytes() == b"new"
    assert leftovers(tmp_path) == []


def test_an_error_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), atomic_writer(file) as stream:
        stream.write(b"ne")
        raise RuntimeError
    assert file.read_text(encoding="utf-8") == "old"
    assert leftovers(tmp_path) == []


def test_a_file_that_fails_its_check_is_not_put_in_place(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", encoding="utf-8")

    def refuse(_: Path) -> None:
        raise OSError("not what was written")

    with pytest.raises(WriteError), atomic_writer(file, verify=refuse) as stream:
        stream.write(b"new")
    assert file.read_text(encoding="utf-8") == "old"


def test_a_full_disk_is_named_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match=r"a\.txt was not written: the disk is full; free some space") as caught:
        atomic_write(file, "new")
    assert str(caught.value).startswith(str(file)) and caught.value.errno == errno.ENOSPC
    assert file.read_text(encoding="utf-8") == "old"
    assert leftovers(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a matter of Unix")
def test_the_mode_of_an_existing_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old", encoding="utf-8")
    file.chmod(0o640)
    atomic_write(file, "new")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="does not exist"):
        atomic_write(tmp_path / "nowhere" / "a.txt", "x")


ELSEWHERE = ".ffffff0123456789.athanor-tmp"  # the name that another machine would give
OWN = f".{atomic._host()}0123456789{TEMPORARY_SUFFIX}"
EARLIER = f".a.txt.0123456789ab{TEMPORARY_SUFFIX}"  # as names were in earlier versions
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be removed on Windows")


@pytest.mark.parametrize("hours", [0, 2])
@pytest.mark.parametrize("name", [OWN, ELSEWHERE, EARLIER])
def test_temporary_files_that_nobody_writes_are_swept(tmp_path: Path, name: str, hours: int) -> None:
    file = tmp_path / name
    file.write_text("x", encoding="utf-8")
    os.utime(file, (time.time() - 3600 * hours,) * 2)
    known_to_be_left = hours > 0 or (name == OWN and sys.platform != "win32")
    assert sweep(tmp_path) == known_to_be_left
    assert file.exists() != known_to_be_left


@pytest.mark.parametrize(
    "name", [".athanor-tmp", "a.athanor-tmp", ".a.athanor-tmp", f"a{OWN}", f"{OWN}.txt", ".a.1.athanor-tmp", "c.txt"]
)
def test_a_sweep_leaves_what_the_program_did_not_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    os.utime(tmp_path / name, (1, 1))
    assert sweep(tmp_path) == 0 and (tmp_path / name).exists()


@POSIX
def test_a_sweep_leaves_folders_links_and_what_they_lead_to(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / OWN).mkdir()
    link = tmp_path / "inside" / OWN
    (tmp_path / "user.txt").touch()
    link.symlink_to(tmp_path / "user.txt")
    assert sweep(tmp_path) == sweep(tmp_path / "inside") == sweep(tmp_path / "nowhere") == 0
    assert link.is_symlink() and (tmp_path / "user.txt").exists() and (tmp_path / OWN).is_dir()


@POSIX
def test_a_file_is_swept_the_moment_its_writer_is_dead_and_never_before(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom trainer.atomic import atomic_writer\n"
        "with atomic_writer(sys.argv[1]) as stream:\n"
        "    stream.write(b'half')\n    print('writing', flush=True)\n    sys.stdin.read()\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "a.txt")], cwd=Path(atomic.__file__).parents[1],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"writing\n"
        (left,) = leftovers(tmp_path)
        os.utime(left, (1, 1))
        assert sweep(tmp_path) == 0
    finally:
        writer.kill()
        writer.communicate()
    assert sweep(tmp_path) == 1 and list(tmp_path.iterdir()) == []


LONG_NAMES = [
    "a" * 255,
    "标" * 85,
    "\U0001f600" * 63,
    "é" * 127,
    *([] if sys.platform == "win32" else ["a\udcff" * 100]),
]


@pytest.mark.parametrize("name", LONG_NAMES, ids=["ascii", "chinese", "emoji", "accents", "bytes"][: len(LONG_NAMES)])
def test_every_name_that_the_disk_takes_can_be_written_and_replaced(tmp_path: Path, name: str) -> None:
    atomic_write(tmp_path / name, "old")
    atomic_write(tmp_path / name, "new")
    assert (tmp_path / name).read_text(encoding="utf-8") == "new"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", ["a" * 256, "标" * 86])
@pytest.mark.parametrize("replace", [True, False])
def test_a_name_that_the_disk_does_not_take_is_told_with_the_cure(tmp_path: Path, name: str, replace: bool) -> None:
    told = "its name or its path is too long for this disk; shorten it"
    with pytest.raises(WriteError, match=told) as caught, atomic_writer(tmp_path / name, replace=replace):
        pass
    assert not atomic.heals(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "may_heal"),
    [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EIO, True), (errno.EACCES, True), (errno.ENOENT, True),
     (errno.EAGAIN, True), (errno.ENAMETOOLONG, False), (errno.EROFS, False), (errno.EFBIG, False),
     (errno.ENOTDIR, False), (errno.EISDIR, False), (errno.EINVAL, False)],
)  # fmt: skip
def test_what_cannot_heal_is_told_from_what_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, may_heal: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(WriteError) as caught:
        atomic_write(tmp_path / "a.txt", "new")
    assert atomic.heals(caught.value) == may_heal


class Full:
    """What a disk says that is full, whatever it is asked for."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, *_: object, **__: object) -> None:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("second", [errno.ENAMETOOLONG, errno.EACCES, errno.EIO, errno.ENOENT])
def test_an_error_of_cleaning_up_does_not_hide_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: int
) -> None:
    monkeypatch.setattr(os, "fsync", Full(errno.ENOSPC))
    monkeypatch.setattr(Path, "unlink", Full(second))
    with pytest.raises(WriteError, match="the disk is full"):
        atomic_write(tmp_path / "a.txt", "new")
    with pytest.raises(RuntimeError, match="first"), atomic_writer(tmp_path / "a.txt"):
        raise RuntimeError("first")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_stream_that_cannot_be_closed_does_not_hide_the_first_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_open_new", lambda _: os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb"))
    with pytest.raises(RuntimeError, match="first"), atomic_writer(tmp_path / "a.txt") as stream:
        stream.write(b"waits in the buffer")
        raise RuntimeError("first")


@needs_linux
@pytest.mark.parametrize(("replace", "call"), [(True, "replace"), (False, "link")])
def test_content_is_on_the_disk_before_the_name_and_the_name_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool, call: str
) -> None:
    calls = recorded(monkeypatch)

    def verify(written: Path) -> None:
        calls.append(("verify", written.read_text(encoding="utf-8")))

    with atomic_writer(tmp_path / "a.txt", verify=verify, replace=replace) as stream:
        stream.write(b"new")
    assert calls == [
        ("fsync", ".athanor-tmp"), ("verify", "new"), (call, "a.txt"), ("fsync", f"{tmp_path.name}/")
    ]  # fmt: skip


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES, errno.ENOTSUP])
@POSIX
def test_a_folder_that_cannot_be_synced_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(atomic.os, "open", _refusing_folders(os.open, number))
    atomic_write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"


@POSIX
def test_an_error_after_the_move_does_not_call_the_old_file_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic.os, "open", _refusing_folders(os.open, errno.EIO))
    with pytest.raises(WriteError, match=r"a\.txt was written, but the disk may lose it again"):
        atomic_write(tmp_path / "a.txt", "new")


def _refusing_folders(real: Callable[..., int], number: int) -> Callable[..., int]:
    def opened(path: Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).is_dir():
            raise OSError(number, os.strerror(number))
        return real(path, flags, mode)

    return opened


@pytest.mark.parametrize("fatal", ["os.fsync", "os.replace", "atomic._open_new", "atomic._keep_mode"])
def test_a_kill_at_any_step_leaves_a_whole_file(tmp_path: Path, fatal: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old" * 1000, encoding="utf-8")
    script = (
        "import os, sys\nfrom trainer import atomic\n"
        f"owner, name = ({'os' if fatal.startswith('os') else 'atomic'}, {fatal.split('.')[1]!r})\n"
        "setattr(owner, name, lambda *a, **k: os._exit(9))\n"
        "atomic.atomic_write(sys.argv[1], 'new' * 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], cwd=Path(atomic.__file__).parents[1], check=False)
    assert done.returncode == 9
    assert file.read_text(encoding="utf-8") in ("old" * 1000, "new" * 1000)
