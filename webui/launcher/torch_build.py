"""Which build of torch suits this machine, and where to get it. Decides only; installing is in install.py. LIGHT.

torch 2.13 comes as a CPU build and as CUDA builds; which CUDA build runs is decided by the driver, not by a toolkit.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TORCH = "2.13.0"
PROBE_SECONDS = 8.0


@dataclass(frozen=True)
class CudaBuild:
    """A build, the lowest CUDA version of the driver it needs, and the cards (compute capability) it has code for."""

    name: str
    driver: tuple[int, int]
    oldest_card: tuple[int, int]
    newest_card: tuple[int, int] | None = None


# Newest first. A 12.x driver runs every 12.y build ("minor version compatibility"), so cu126 is for all of them.
# CUDA 13 dropped cards before Turing (7.5); cu126 is the build that still has Maxwell, Pascal and Volta (GTX 900,
# GTX 10, V100) and that has nothing yet for Blackwell (10.0 and up: RTX 50).
CUDA_BUILDS = (
    CudaBuild("cu130", (13, 0), (7, 5)),
    CudaBuild("cu128", (12, 8), (7, 5)),
    CudaBuild("cu126", (12, 0), (5, 0), (9, 0)),
)
BUILDS = ("cpu", *(build.name for build in CUDA_BUILDS))


@dataclass(frozen=True)
class Driver:
    """What nvidia-smi says."""

    cuda: tuple[int, int]
    """The newest CUDA version that the driver can run."""
    cards: tuple[tuple[int, int], ...] = ()
    """Compute capability of each card; empty when nvidia-smi is too old to tell."""


@dataclass(frozen=True)
class Source:
    """One way to get torch: what to ask pip for, and with which extra options."""

    build: str
    requirement: str
    pip_options: tuple[str, ...] = ()
    ordinary: bool = False
    """True for the build that the package index gives without a choice."""


def driver_may_exist() -> bool:
    """A look that costs nothing: is there an NVIDIA driver at all? For the hint at a normal start."""
    return Path("/proc/driver/nvidia/version").exists() or nvidia_smi() is not None


def nvidia_smi() -> str | None:
    """The path of nvidia-smi, also where Windows keeps it outside PATH."""
    found = shutil.which("nvidia-smi")
    if found or sys.platform != "win32":
        return found
    usual = Path(r"C:\Windows\System32\nvidia-smi.exe")
    return str(usual) if usual.exists() else None


def find_driver() -> Driver | None:
    """Ask nvidia-smi; None without a driver or when it does not answer."""
    program = nvidia_smi()
    if program is None:
        return None
    banner = _answer([program])
    capabilities = _answer([program, "--query-gpu=compute_cap", "--format=csv,noheader"])
    return read_driver(banner, capabilities)


def read_driver(banner: str, capabilities: str) -> Driver | None:
    """nvidia-smi's two outputs as a Driver; None when the first has no CUDA version."""
    version = re.search(r"CUDA[^:|]*Version:\s*(\d+)\.(\d+)", banner)
    if version is None:
        return None
    cards = [(int(a), int(b)) for a, b in re.findall(r"^\s*(\d+)\.(\d+)\s*$", capabilities, re.MULTILINE)]
    return Driver((int(version[1]), int(version[2])), tuple(cards))


def suitable(driver: Driver | None) -> tuple[str, ...]:
    """Builds that run with this driver and all cards, best first. ("cpu",) without a driver; empty if it is too old."""
    if driver is None:
        return ("cpu",)
    return tuple(build.name for build in CUDA_BUILDS if driver.cuda >= build.driver and _knows(build, driver.cards))


def _knows(build: CudaBuild, cards: Sequence[tuple[int, int]]) -> bool:
    newest = build.newest_card or (99, 0)
    return all(build.oldest_card <= card <= newest for card in cards)


def sources(
    builds: Sequence[str],
    places: Sequence[str],
    reachable: Callable[[Source], bool],
    listing: Callable[[str], str],
    system: str = sys.platform,
) -> list[Source]:
    """The ways to try, in order.

    builds: from suitable(), or the one that the user asked for. places: Mirror.torch. reachable: asks pip whether it
    can get a source from what it is set up with. listing: downloads a page, "" when that fails.

    A plain `torch` is the CPU build on Windows and macOS, and CUDA 13.0 with several GB of libraries on Linux, so:
    the CPU build comes from the package index itself where it has one under its own name (a company's or a
    distribution's index), else from torch's, and the plain one is the last resort.
    """
    ordinary_build = "cu130" if system == "linux" else "cpu"
    ordinary = Source(ordinary_build, f"torch=={TORCH}", ordinary=True)
    if tuple(builds) == ("cpu",):
        if system != "linux":
            return [ordinary]
        named = Source("cpu", f"torch=={TORCH}+cpu")
        if reachable(named):
            return [named]
    ways = []
    for build in builds:
        way = next(filter(None, (_way(build, place, listing, system) for place in places)), None)
        if way is not None:
            ways.append(way)
            break
    if tuple(builds) == ("cpu",) or ordinary_build in builds:
        ways.append(ordinary)
    return ways


def _way(build: str, place: str, listing: Callable[[str], str], system: str) -> Source | None:
    """torch's wheels at one place: an index has a folder per package, a plain folder lists the wheels itself."""
    base = place if place.rsplit("/", 1)[-1] == build else f"{place}/{build}"
    for page, option in ((f"{base}/torch/", "--extra-index-url"), (f"{base}/", "--find-links")):
        if _lists(listing(page), build, system):
            return Source(build, f"torch=={TORCH}+{build}", (option, base if option != "--find-links" else page))
    return None


def _lists(page: str, build: str, system: str) -> bool:
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    tail = "win_amd64" if system == "win32" else f"[a-z0-9_]*linux[a-z0-9_]*{platform.machine().lower()}"
    return re.search(rf"torch-{re.escape(TORCH)}(?:%2[Bb]|\+){build}-{python}-{python}-{tail}", page) is not None


def download_listing(url: str) -> str:
    """The page at `url` as text; "" when it cannot be had within a few seconds."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "athanor-launcher"})
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS) as answer:
            page: bytes = answer.read(20_000_000)
            return page.decode("utf-8", errors="replace")
    except (OSError, ValueError, urllib.error.URLError):
        return ""


def _answer(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace") if done.returncode == 0 else ""
