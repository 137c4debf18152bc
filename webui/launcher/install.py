"""Makes `.venv` and installs what pyproject.toml and constraints.txt say. What runs then is in __main__.py. LIGHT."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trainer.atomic import atomic_write
from webui.launcher import mirrors, torch_build

STAMP = "athanor.json"
LOG_FILE = Path(".athanor") / "setup.log"
# Measured 2026-11 on Linux: the environment takes 2.4 GB with CPU torch; pip needs room for the wheels beside it.
NEED_GB = {"cpu": 5, "cuda": 14}
DOWNLOAD_GB = {"cpu": 0.7, "cuda": 3.5}

NETWORK_FAILED = re.compile(
    "NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|ProxyError|ConnectionReset|IncompleteRead|SSLError"
)
DISK_FULL = re.compile(r"No space left|\[Errno 28\]|not enough space")
FORBIDDEN = re.compile(r"Permission denied|\[Errno 13\]|Access is denied|Read-only file system|\[WinError 5\]")

Say = Callable[..., None]


class SetupError(Exception):
    """Set-up cannot go on. `key` and `values` are for messages.text; `network` offers the mirrors as well."""

    def __init__(self, key: str, *, network: bool = False, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values
        self.network = network


@dataclass(frozen=True)
class Stamp:
    """What is installed, kept in the environment itself so that both go together."""

    inputs: str = ""
    torch: str = ""
    asked: str | None = None
    """The build that the user asked for with --torch; None when the driver decided."""
    extras: tuple[str, ...] = field(default_factory=tuple)


def python_of(root: Path) -> Path:
    """The environment's Python, whether it exists or not."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def inside(root: Path) -> bool:
    """True when this very process runs in the environment."""
    environment = root / ".venv"
    return environment.exists() and environment.samefile(sys.prefix)


def read_stamp(root: Path) -> Stamp:
    """The stamp, or an empty one when set-up never came to its end."""
    try:
        raw = json.loads((root / ".venv" / STAMP).read_text(encoding="utf-8"))
        return Stamp(str(raw["inputs"]), str(raw["torch"]), raw["asked"], tuple(raw["extras"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Stamp()


def wanted_inputs(root: Path) -> str:
    """Fingerprint of everything that decides what gets installed."""
    lists = json.dumps(_requirements(root), sort_keys=True)
    constraints = (root / "constraints.txt").read_text(encoding="utf-8")
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return hashlib.sha256(f"{python}\n{lists}\n{constraints}".encode()).hexdigest()


def make_environment(root: Path, say: Say) -> None:
    """Make `.venv` with pip in it. Needs ensurepip or pip in the running Python. Raises SetupError."""
    folder = root / ".venv"
    _check_writable(root)
    _check_disk(root, "cpu")
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
            raise SetupError("not_an_environment", path=folder)
        say("remaking_environment", path=folder)
    else:
        say("making_environment", path=folder)
    if importlib.util.find_spec("venv") is None:
        raise _no_venv()
    has_ensurepip = importlib.util.find_spec("ensurepip") is not None
    if not has_ensurepip and importlib.util.find_spec("pip") is None:
        raise _no_venv()
    command = [sys.executable, "-m", "venv", "--clear", str(folder)]
    _run_quietly(command if has_ensurepip else [*command, "--without-pip"])
    if not has_ensurepip:  # Debian without python3-venv: put pip there with the system's pip
        _run_quietly([sys.executable, "-m", "pip", "install", "-q", "--target", str(_site_packages(folder)), "pip"])


def install(root: Path, mirror: mirrors.Mirror, extras: set[str], asked: str | None, say: Say) -> None:
    """Bring the running environment to what is wanted and stamp it. Must run inside it. Raises SetupError."""
    _check_writable(root)
    old = read_stamp(root)
    if old.inputs:
        say("updating")
    if mirror.name != "none":
        say("mirror_used", name=mirror.name)
    index = ["--index-url", mirror.packages] if mirror.packages else []
    source = _choose_torch(mirror, old.torch, asked, index, say)
    kind = "cpu" if source.build == "cpu" else "cuda"
    if not old.inputs:
        _check_disk(root, kind)
        say("downloading", size=DOWNLOAD_GB[kind])
    if old.torch and old.torch != source.build:
        # pip takes 2.13.0+cpu for 2.13.0, and the two onnxruntimes are one module: the old ones have to go first.
        _run_quietly([sys.executable, "-m", "pip", "uninstall", "-y", "torch", "onnxruntime", "onnxruntime-gpu"])
    lists = _requirements(root)
    everything = sorted(extras | set(old.extras))
    requirements = [source.requirement, *lists["dependencies"], _onnxruntime(source.build)]
    for extra in everything:
        requirements += lists[extra]
    _pip(root, [*index, *source.pip_options, "-c", str(root / "constraints.txt"), *requirements], NEED_GB[kind])
    stamp = {"inputs": wanted_inputs(root), "torch": source.build, "asked": asked, "extras": everything}
    atomic_write(root / ".venv" / STAMP, json.dumps(stamp, indent=1) + "\n")
    say("complete")


def _choose_torch(
    mirror: mirrors.Mirror, stamped: str, asked: str | None, index: list[str], say: Say
) -> torch_build.Source:
    """The build for this machine; the one that is installed stays when it fits. stamped: what that is, "" at first."""
    driver = torch_build.find_driver() if asked is None else None
    builds = (asked,) if asked else torch_build.suitable(driver)
    if not builds:
        assert driver is not None
        raise SetupError("driver_too_old", cuda=".".join(map(str, driver.cuda)))
    kept = _installed_torch()
    if stamped in builds and kept.partition("+")[0] == torch_build.TORCH:
        return torch_build.Source(stamped, f"torch=={kept}")
    ways = torch_build.sources(
        builds, mirror.torch, lambda source: _pip_has(source, index), torch_build.download_listing
    )
    if not ways:
        raise SetupError("torch_unreachable", network=True)
    way = ways[0]
    if way.build == "cpu":
        if not asked:
            say("torch_cpu")
    elif driver is not None:
        say("torch_cuda", cuda=".".join(map(str, driver.cuda)), build=way.build)
    if way.ordinary and sys.platform == "linux":
        say("torch_ordinary")
    return way


def _installed_torch() -> str:
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _pip_has(source: torch_build.Source, index: list[str]) -> bool:
    """True when pip finds this very version with what it is set up with. Asks for the name only: no big download."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    command += ["--retries", "0", *index, source.requirement]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _onnxruntime(build: str) -> str:
    """The GPU package is built against CUDA 13 (for Python 3.10: against 12), so it goes with cu130 only."""
    return "onnxruntime-gpu" if build == "cu130" and sys.version_info >= (3, 11) else "onnxruntime"


def _requirements(root: Path) -> dict[str, list[str]]:
    """The lists of pyproject.toml: "dependencies" and each extra by its name."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10: the copy inside pip, which is there whenever this runs
        from pip._vendor import tomli as tomllib  # type: ignore[no-redef]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"dependencies": project["dependencies"], **project["optional-dependencies"]}


def _pip(root: Path, arguments: list[str], need_gb: int) -> None:
    log = root / LOG_FILE
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--log", str(log), "install"]
    code = subprocess.run([*command, *arguments], check=False).returncode
    if code != 0:
        raise explained(log.read_text(encoding="utf-8", errors="replace") if log.exists() else "", code, root, need_gb)


def explained(log: str, code: int, root: Path, need_gb: int) -> SetupError:
    """pip's log as a sentence for a person."""
    if DISK_FULL.search(log):
        return SetupError("disk_full", need=need_gb)
    if NETWORK_FAILED.search(log):
        return SetupError("no_network", network=True)
    if FORBIDDEN.search(log):
        return SetupError("no_permission", path=root)
    return SetupError("pip_failed", code=code, log=root / LOG_FILE, network=True)


def _check_writable(root: Path) -> None:
    try:
        (root / ".athanor").mkdir(exist_ok=True)
        atomic_write(root / ".athanor" / "writable", "")
        (root / ".athanor" / "writable").unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupError("disk_full", need=NEED_GB["cpu"]) from error
        raise SetupError("read_only", path=root) from error


def _check_disk(root: Path, kind: str) -> None:
    free = shutil.disk_usage(root).free / 1e9
    if free < NEED_GB[kind]:
        raise SetupError("little_disk", path=root, free=free, need=NEED_GB[kind])


def _no_venv() -> SetupError:
    cure = "install_venv_windows" if os.name == "nt" else "install_venv_debian"
    return SetupError("no_venv", python=sys.executable, cure=cure)


def _site_packages(folder: Path) -> Path:
    return folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def _run_quietly(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        output = (done.stderr or done.stdout).decode("utf-8", errors="replace").strip()
        raise SetupError("environment_failed", reason=output[-1500:])
