"""Set-up as a user meets it: `bash launch.sh` in a fresh checkout with a real .venv and pip, but tiny packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.launcher.conftest import copy_launcher, write_wheel
from webui.launcher import install

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="launch.sh is for Linux; test_wine.py has launch.bat")
NOWHERE = "http://127.0.0.1:9/simple"  # nobody listens on port 9


@needs_git
@pytest.mark.slow
def test_from_a_fresh_checkout_to_later_starts(launch, checkout, wheels):
    first = launch("--lang", "zh", "--no-browser", "--torch", "cpu")
    assert "第一次启动" in first.stdout
    assert "国内镜像" in first.stdout  # offered, not forced
    assert "PAGE ['--lang', 'zh', '--no-browser'] 2.13.0+cpu 1.0 None" in first.stdout
    assert first.returncode == 3  # the page's own exit code
    stamp = json.loads((checkout / ".venv" / "athanor.json").read_text(encoding="utf-8"))
    assert (stamp["torch"], stamp["extras"]) == ("cpu", [])
    assert not (checkout / ".athanor" / "mirror").exists()

    offline = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": NOWHERE}
    second = launch(ATHANOR_PYTHON="/nowhere", PATH="/usr/bin:/bin", **offline)
    assert second.stdout == "PAGE [] 2.13.0+cpu 1.0 None\n"  # no pip, no network, no other Python
    assert (second.returncode, second.stderr) == (0, "")

    mirrored = launch("--mirror", "china", **offline)
    assert mirrored.stdout.startswith("PAGE [] 2.13.0+cpu 1.0 https://")  # models come from the mirror's endpoint
    assert (checkout / ".athanor" / "mirror").read_text(encoding="utf-8") == "china\n"
    assert launch("--mirror", "none", HF_ENDPOINT="https://my.example").stdout == (
        "PAGE [] 2.13.0+cpu 1.0 https://my.example\n"
    )

    write_wheel(wheels, "colour", "2.0")
    (checkout / "constraints.txt").write_bytes(b"colour==2.0\n")
    failed = launch(**offline)
    assert failed.returncode == 1
    assert "Set-up failed: no connection to the download server" in failed.stderr
    assert "--mirror china" in failed.stderr
    changed = launch()
    assert "The list of needed packages has changed" in changed.stdout
    assert "PAGE [] 2.13.0+cpu 2.0 None" in changed.stdout

    origin = publish(checkout)
    release(origin, "app.py", "print('NEW PAGE')\n")
    updated = launch("update")
    assert "Your own files are not touched" in updated.stdout
    assert updated.stdout.endswith("Set-up is complete.\nUp to date.\n")
    assert launch().stdout == "NEW PAGE\n"

    (checkout / "app.py").write_bytes(b"print('MY PAGE')\n")
    release(origin, "app.py", "print('NEWEST PAGE')\n")
    refused = launch("update")
    assert refused.returncode == 1
    assert "git could not move forward without touching your changes" in refused.stderr
    assert launch().stdout == "MY PAGE\n"

    (checkout / ".venv" / "bin" / "python").unlink()
    assert "does not work any more; making it anew" in launch().stdout


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "core.autocrlf=false"]
    subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True, timeout=60)


def publish(checkout: Path) -> Path:
    """Make `checkout` a clone of a new repository beside it, whose work tree is returned."""
    origin = checkout.parent / "origin"
    shutil.copytree(checkout, origin, ignore=shutil.ignore_patterns(".venv", ".athanor", "__pycache__"))
    (origin / ".gitignore").write_bytes(b".venv\n.athanor\n__pycache__\n")
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "first")
    git(checkout, "init", "-q", "-b", "main")
    git(checkout, "remote", "add", "origin", str(origin))
    git(checkout, "fetch", "-q")
    git(checkout, "reset", "-q", "--hard", "origin/main")
    git(checkout, "branch", "-q", "--set-upstream-to=origin/main")
    return origin


def release(origin: Path, name: str, content: str) -> None:
    """Commit a new version of one file."""
    (origin / name).write_bytes(content.encode())
    git(origin, "commit", "-q", "-a", "-m", "next")


def test_a_folder_named_venv_that_is_something_else_is_left_alone(launch, checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "diary.txt").write_bytes(b"dear diary")
    ran = launch()
    assert ran.returncode == 1
    assert "exists and is not a Python environment made by this program" in ran.stderr
    assert (checkout / ".venv" / "diary.txt").read_bytes() == b"dear diary"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to start as someone else")
def test_a_folder_of_somebody_else_is_named_with_the_cure():
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None or sys.version_info < (3, 10):
        pytest.skip("no Python that another user may run")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = copy_launcher(Path(place) / "athanor")
        (folder / "app.py").write_bytes(b"")
        ran = subprocess.run(
            ["bash", str(folder / "launch.sh"), "--lang", "en"],
            capture_output=True, encoding="utf-8", env={"PATH": "/usr/bin:/bin", "ATHANOR_PYTHON": python}, cwd="/",
            user=65534, group=65534, extra_groups=[], timeout=60, check=False,
        )  # fmt: skip
    assert ran.returncode == 1, ran.stdout
    assert f"Cannot write in {folder}: the folder is read-only for you. Move Athanor" in ran.stderr


def test_too_little_disk_is_said_before_anything_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 10**12, 2 * 10**9))
    with pytest.raises(install.SetupError) as refused:
        install.make_environment(tmp_path, lambda key, **values: None)
    assert refused.value.key == "little_disk"
    assert (refused.value.values["free"], refused.value.values["need"]) == (2.0, install.NEED_GB["cpu"])
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("log", "key", "offers_mirror"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full", False),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)': /simple/torch/\n"
            "ERROR: Could not find a version that satisfies the requirement torch==2.13.0",
            "no_network",
            True,
        ),
        ("raise ReadTimeoutError(self._pool, None, 'Read timed out.')", "no_network", True),
        (
            "ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'c:\\\\x'",
            "no_permission",
            False,
        ),
        ("ERROR: Could not find a version that satisfies the requirement colour==9", "pip_failed", True),
        ("", "pip_failed", True),
    ],
)
def test_pips_log_becomes_a_sentence(tmp_path, log, key, offers_mirror):
    error = install.explained(log, 1, tmp_path, need_gb=5)
    assert (error.key, error.network) == (key, offers_mirror)


def test_every_error_sentence_has_its_values(tmp_path):
    from webui.launcher import messages

    for log in ("No space left", "ProxyError", "Permission denied", ""):
        error = install.explained(log, 1, tmp_path, need_gb=5)
        for lang in messages.LANGUAGES:
            assert "{" not in messages.text(lang, error.key, **error.values)


def test_gpu_taggers_are_installed_only_beside_the_cuda_they_are_built_against():
    expected = "onnxruntime-gpu" if sys.version_info >= (3, 11) else "onnxruntime"
    assert install._onnxruntime("cu130") == expected
    assert [install._onnxruntime(build) for build in ("cpu", "cu128", "cu126")] == ["onnxruntime"] * 3
