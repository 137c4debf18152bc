"""A small checkout in which set-up really runs: the launcher, one module to start, and packages of a few bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from webui.launcher.torch_build import TORCH

ROOT = Path(__file__).resolve().parents[2]
PROJECT = """[project]
name = "small"
version = "1"
dependencies = ["torch=={torch}", "colour"]
[project.optional-dependencies]
dev = ["brush"]
"""


def write_wheel(folder: Path, name: str, version: str) -> None:
    """A package of one module that pip can install: {name}.py with a version in it."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def copy_launcher(folder: Path) -> Path:
    """The files of this checkout that set-up itself is made of, in `folder`."""
    folder.mkdir(parents=True)
    for name in ("launch.sh", "launch.bat"):
        shutil.copy(ROOT / name, folder / name)
    for package in ("webui/launcher", "trainer"):
        (folder / package).mkdir(parents=True)
    shutil.copy(ROOT / "webui" / "__init__.py", folder / "webui" / "__init__.py")
    for path in (ROOT / "webui" / "launcher").iterdir():
        if path.is_file():
            shutil.copy(path, folder / "webui" / "launcher" / path.name)
    for name in ("__init__.py", "atomic.py", "locks.py"):
        shutil.copy(ROOT / "trainer" / name, folder / "trainer" / name)
    return folder


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for name, version in (("torch", f"{TORCH}+cpu"), ("colour", "1.0"), ("brush", "1.0"), ("onnxruntime", "1.0")):
        write_wheel(folder, name, version)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose page prints its arguments and what it sees; its path has all that breaks scripts."""
    folder = copy_launcher(tmp_path / "我的 炉子 & (1)! 'x'")
    (folder / "pyproject.toml").write_bytes(PROJECT.format(torch=TORCH).encode())
    (folder / "constraints.txt").write_bytes(b"colour==1.0\n")
    (folder / "app.py").write_bytes(
        b"import os, sys, torch, colour\n"
        b"print('PAGE', sys.argv[1:], torch.__version__, colour.__version__, os.environ.get('HF_ENDPOINT'))\n"
        b"sys.exit(3 if '--no-browser' in sys.argv else 0)\n"
    )
    return folder


@pytest.fixture
def launch(checkout: Path, wheels: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `bash launch.sh ...` in the checkout from another folder; packages come from `wheels` and nowhere else."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        base = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "ATHANOR_", "HF_"))}
        base |= {
            "LC_ALL": "C.UTF-8", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels),
            "PIP_RETRIES": "0", "ATHANOR_PYTHON": sys.executable, "ATHANOR_TORCH_INDEX": "http://127.0.0.1:9",
        }  # fmt: skip
        command = ["bash", str(checkout / "launch.sh"), *words]
        return subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**base, **environment},
            timeout=120,
            check=False,
        )

    return run
