"""launch.sh and launch.bat as scripts: how they find a Python, what they hand over, and that they say the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.launcher.conftest import ROOT, copy_launcher

SHELL = (ROOT / "launch.sh").read_text(encoding="utf-8")
BATCH = (ROOT / "launch.bat").read_bytes()

on_linux = pytest.mark.skipif(os.name == "nt", reason="launch.sh is for Linux")


def put(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_bytes(f"#!/bin/sh\n{script}\n".encode())
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH of its own with only what the script needs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dirname", "cat", "sh"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def start(checkout: Path, programs: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bash = str(shutil.which("bash"))
    return subprocess.run(
        [bash, str(checkout / "launch.sh"), *words], capture_output=True, encoding="utf-8", cwd=checkout.parent,
        env={"PATH": str(programs), "LC_ALL": "C.UTF-8", **environment}, timeout=60, check=False,
    )  # fmt: skip


SAYS = 'case "$1" in -c) exit {fits} ;; esac; echo "{name}: $*"; pwd; echo "from $ATHANOR_CWD"'


@on_linux
def test_the_first_python_that_fits_gets_the_whole_command_line(tmp_path, programs):
    checkout = copy_launcher(tmp_path / "我的 炉子 & (1)! $x")
    put(programs, "python3.11", SAYS.format(fits=1, name="too old"))
    put(programs, "python3.12", SAYS.format(fits=0, name="twelve"))
    put(programs, "python3", SAYS.format(fits=0, name="other"))
    ran = start(checkout, programs, "train", "my file.toml", "output_name=a & b!")
    assert ran.stdout.splitlines() == [
        "twelve: -m webui.launcher train my file.toml output_name=a & b!",
        str(checkout),
        f"from {tmp_path}",
    ]


@on_linux
def test_the_environment_that_is_there_is_used_before_any_other(tmp_path, programs):
    checkout = copy_launcher(tmp_path / "athanor")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    put(checkout / ".venv" / "bin", "python", SAYS.format(fits=0, name="environment"))
    put(programs, "python3.11", SAYS.format(fits=0, name="system"))
    assert start(checkout, programs).stdout.startswith("environment: -m webui.launcher\n")
    put(checkout / ".venv" / "bin", "python", "exit 127")
    assert start(checkout, programs).stdout.startswith("system: -m webui.launcher\n")


@on_linux
def test_the_exit_code_is_handed_on(tmp_path, programs):
    checkout = copy_launcher(tmp_path / "athanor")
    put(programs, "python3.10", 'case "$1" in -c) exit 0 ;; esac; exit 3')
    assert start(checkout, programs, "train", "x.toml").returncode == 3


@on_linux
@pytest.mark.parametrize(
    ("words", "locale", "told"),
    [
        ((), "C.UTF-8", "Athanor needs Python 3.10, 3.11, 3.12 or 3.13 (64-bit), and none was found."),
        ((), "zh_CN.UTF-8", "Athanor 需要 Python 3.10、3.11、3.12 或 3.13（64 位），但没有找到。"),
        (("--lang", "zh"), "C.UTF-8", "Athanor 需要 Python"),
        (("--no-browser", "--lang=en"), "zh_CN.UTF-8", "Athanor needs Python"),
    ],
)
def test_without_a_python_that_fits_the_cure_is_named(tmp_path, programs, words, locale, told):
    checkout = copy_launcher(tmp_path / "athanor")
    put(programs, "python3", "exit 1")
    ran = start(checkout, programs, *words, LC_ALL=locale)
    assert ran.returncode == 1
    assert told in ran.stderr
    assert "sudo apt install python3 python3-venv python3-pip" in ran.stderr


def batch() -> str:
    return BATCH.decode("ascii")


def test_both_scripts_try_the_same_pythons_in_the_same_order():
    shell = [word.replace("python3.", "3.") for word in re.findall(r"^try (\S+)$", SHELL, re.MULTILINE)]
    windows = [word.replace("py -", "") for word in re.findall(r"^call :try (\S+(?: -\S+)?)\r$", batch(), re.MULTILINE)]
    assert shell == windows == ["3.11", "3.12", "3.10", "3.13", "python3", "python"]


def test_both_scripts_accept_the_same_versions():
    check = "import sys; sys.exit(not ((3, 10) <= sys.version_info[:2] < (3, 14) and sys.maxsize > 2**32))"
    assert check in SHELL
    assert check in batch()
    assert 'requires-python = ">=3.10,<3.14"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_both_scripts_leave_everything_else_to_the_launcher():
    assert 'exec "$PY" -m webui.launcher "$@"' in SHELL
    assert "%PY% -m webui.launcher %*" in batch()
    for word in ("pip", "torch", "venv ", "http"):
        assert word not in SHELL
        assert word not in batch()


def test_both_scripts_know_the_same_settings():
    names = {"ATHANOR_CWD", "ATHANOR_PYTHON", "PYTHONUTF8", "no-python"}
    assert [name for name in names if name not in SHELL or name not in batch()] == []


def test_the_batch_file_is_plain_ascii_with_windows_line_ends():
    BATCH.decode("ascii")
    assert BATCH.count(b"\r\n") == BATCH.count(b"\n") > 40


def test_the_batch_file_stays_open_only_when_something_went_wrong():
    assert batch().count("pause") == 1
    assert "if not defined ATHANOR_NO_PAUSE pause" in batch()


def test_the_batch_file_survives_odd_folder_names():
    assert "DisableDelayedExpansion" in batch()  # else "!" in a path is eaten
    assert re.findall(r'%~dp0(?!")', batch()) == []  # always in quotes
    assert re.findall(r"^.*%CD%.*$", batch(), re.MULTILINE) == ['if not defined ATHANOR_CWD set "ATHANOR_CWD=%CD%"\r']


def test_the_words_without_python_name_the_same_things_in_both_languages():
    english, chinese = (
        (ROOT / "webui" / "launcher" / f"no-python.{lang}.txt").read_text(encoding="utf-8") for lang in ("en", "zh")
    )
    for thing in (
        "3.10",
        "3.13",
        "https://www.python.org/downloads/",
        "Add python.exe to PATH",
        "python3-venv",
        "ATHANOR_PYTHON",
    ):
        assert thing in english
        assert thing in chinese


def test_addresses_of_download_places_are_in_one_file_only():
    hosts = {
        re.sub(r"^www\.", "", host)
        for host in re.findall(r"https://([^/\"]+)", (ROOT / "webui" / "launcher" / "mirrors.json").read_text("utf-8"))
    }
    assert len(hosts) >= 4
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode(
        "utf-8"
    )
    if not tracked:
        pytest.skip("not a git checkout")
    named = []
    for name in tracked.split("\0"):
        path = ROOT / name
        if name and name != "webui/launcher/mirrors.json" and path.is_file() and path.stat().st_size < 500_000:
            text = path.read_bytes().decode("utf-8", errors="ignore")
            named += [(name, host) for host in hosts if host in text]
    assert named == []
