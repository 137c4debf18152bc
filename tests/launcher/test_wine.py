"""launch.bat in wine's cmd.exe, with a python.exe that writes down how it was called. Skipped where there is no wine.

The stand-in is the console launcher that setuptools ships (cli-64.exe): it starts what the first line of
python-script.py beside it names, here a batch file. It opens that file by an ANSI name, so the folder in which it lies
itself has no Chinese in its name; the checkout has, wherever the stand-in comes from PATH.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.launcher.conftest import copy_launcher

WINE = shutil.which("wine")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(WINE is None, reason="wine is not installed (Debian: apt-get install wine)"),
]
RECORDER = """@echo off
set "CODE=0"
echo --->>"{log}"
echo "utf8=%PYTHONUTF8%">>"{log}"
echo "from=%ATHANOR_CWD%">>"{log}"
:next
shift
if "%~1"=="" exit /b %CODE%
if "%~1"=="webui.launcher" set "CODE=3"
echo "%~1">>"{log}"
goto next
"""


def windows(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


class Wine:
    """wine with a prefix of its own and a log of what the stand-in was started with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        recorder = folder / "record.bat"
        recorder.write_bytes(RECORDER.format(log=windows(self.log)).replace("\n", "\r\n").encode("ascii"))
        self.stand_in = folder / "bin"
        self.put_python(self.stand_in)

    def put_python(self, folder: Path) -> None:
        spec = importlib.util.find_spec("setuptools")
        if spec is None or spec.origin is None or not (Path(spec.origin).parent / "cli-64.exe").exists():
            pytest.skip("setuptools without cli-64.exe")
        folder.mkdir(parents=True)
        shutil.copy(Path(spec.origin).parent / "cli-64.exe", folder / "python.exe")
        script = f"#!C:\\windows\\system32\\cmd.exe /c {windows(self.folder / 'record.bat')}\r\n"
        (folder / "python-script.py").write_bytes(script.encode("ascii"))

    def run(self, *command: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        """Run a command; `self.log` holds afterwards only what this one did. None takes a variable away.

        Its output goes to a file: wine's own server lives on for seconds and would keep a pipe open.
        """
        self.log.unlink(missing_ok=True)
        base: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEDEBUG": "-all",
            "LC_ALL": "C.UTF-8",
            "ATHANOR_NO_PAUSE": "1",
        }
        given = {name: value for name, value in {**base, **environment}.items() if value is not None}
        output = self.folder / "output.txt"
        with output.open("wb") as stream:
            code = subprocess.run(
                [str(WINE), *command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=given,
                timeout=180,
                check=False,
            ).returncode
        return subprocess.CompletedProcess(command, code, output.read_text(encoding="utf-8", errors="replace"))

    def calls(self) -> list[list[str]]:
        """One list of arguments for each start of the stand-in, with what it saw of the environment first."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return [[line.strip()[1:-1] for line in call.splitlines() if line.strip()] for call in text.split("---")[1:]]


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Wine:
    made = Wine(tmp_path_factory.mktemp("wine"))
    if made.run("cmd", "/c", "exit", "0").returncode != 0:
        pytest.skip("wine is installed but cmd.exe does not start in it")
    return made


@pytest.fixture
def launch(wine: Wine, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Start launch.bat by its full path, as a double-click does, in a folder with an odd name."""
    checkout = copy_launcher(tmp_path / "我的 炉子 & (1)!")
    return lambda *words, **environment: wine.run(str(checkout / "launch.bat"), *words, **environment)


def test_the_python_on_path_gets_the_whole_command_line_and_its_exit_code_comes_back(wine, launch):
    ran = launch("train", "my file.toml", "a & b=c!", WINEPATH=windows(wine.stand_in))
    probe, started = wine.calls()
    assert probe[2] == "-c"
    assert started == [
        "utf8=1",
        f"from={windows(wine.folder)}",
        "-m",
        "webui.launcher",
        "train",
        "my file.toml",
        "a & b=c!",
    ]
    assert ran.returncode == 3


def test_a_python_named_in_the_environment_comes_first(wine, launch, tmp_path):
    wine.put_python(tmp_path / "my python & (2)!")
    launch("demo", ATHANOR_PYTHON=windows(tmp_path / "my python & (2)!" / "python.exe"))
    assert wine.calls()[-1][2:] == ["-m", "webui.launcher", "demo"]


def test_the_environment_that_is_there_is_used_before_any_other(wine, tmp_path):
    checkout = copy_launcher(tmp_path / "an oven & (3)!")
    wine.put_python(checkout / ".venv" / "Scripts")
    assert wine.run(str(checkout / "launch.bat")).returncode == 3
    assert wine.calls()[-1][2:] == ["-m", "webui.launcher"]


@pytest.mark.parametrize(("lang", "told"), [("en", "Athanor needs Python 3.10"), ("zh", "Athanor 需要 Python 3.10")])
def test_without_python_the_cure_is_said_and_the_code_is_1(wine, launch, lang, told):
    ran = launch("--no-browser", "--lang", lang)
    assert ran.returncode == 1
    assert told in ran.stdout
    assert "Add python.exe to PATH" in ran.stdout


def test_the_window_waits_for_a_key_after_an_error(launch):
    assert "Press any key" in launch("--lang", "en", ATHANOR_NO_PAUSE=None).stdout
    assert "Press any key" not in launch("--lang", "en").stdout
