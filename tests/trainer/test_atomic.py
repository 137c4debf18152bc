"""Files are old or new, never half."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    with pytest.raises(WriteError, match=r"a\.txt was not written: the disk is full; free some space"):
        atomic_write(file, "new")
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


def test_only_old_temporary_files_are_swept(tmp_path: Path) -> None:
    old, young, other = (tmp_path / name for name in (f".a.1{TEMPORARY_SUFFIX}", f".b.2{TEMPORARY_SUFFIX}", "c.txt"))
    for path in (old, young, other):
        path.write_text("x", encoding="utf-8")
    os.utime(old, (time.time() - 7200,) * 2)
    assert sweep(tmp_path) == 1
    assert not old.exists() and young.exists() and other.exists()


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
