"""What this machine has, and a report of it without secrets. LIGHT: torch is asked in another process."""

from __future__ import annotations

import getpass
import importlib.metadata
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from trainer import __version__
from trainer.job import list_jobs

if TYPE_CHECKING:
    from webui.site import Site

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "gradio",
    "tensorboard",
    "onnxruntime",
    "bitsandbytes",
    "xformers",
)
PATIENCE_SECONDS = 180
LOG_END_BYTES = 20_000
REPORTED_JOBS = 3

PROBE = """
import json
found = {"torch": None, "build": None, "devices": [], "error": None}
try:
    import torch
    found["torch"] = torch.__version__
    cuda, rocm = torch.version.cuda, torch.version.hip
    found["build"] = "CUDA " + cuda if cuda else "ROCm " + rocm if rocm else "CPU"
    for index in range(torch.cuda.device_count()):
        traits = torch.cuda.get_device_properties(index)
        found["devices"].append({"name": traits.name, "vram_gib": round(traits.total_memory / 2**30, 1),
                                 "capability": f"{traits.major}.{traits.minor}", "bf16": traits.major >= 8})
except Exception as error:
    found["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""

_lock = threading.Lock()
_devices: dict[str, Any] | None = None


def devices(root: Path) -> dict[str, Any]:
    """torch's version, build and GPUs {name, vram_gib, capability, bf16}; `error` says why they are unknown.

    Asked once.
    """
    global _devices
    with _lock:
        if _devices is None:
            _devices = _ask(root)
        return _devices


def versions() -> dict[str, str | None]:
    """Versions of this program, of Python and of the packages that matter; None = not installed."""
    found: dict[str, str | None] = {"athanor": __version__, "python": platform.python_version()}
    return {**found, **{name: _version(name) for name in PACKAGES}}


def system(root: Path) -> dict[str, Any]:
    """Operating system, processor cores, memory and free disk space."""
    return {
        "os": platform.platform(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "disk_free_gib": round(shutil.disk_usage(root).free / 2**30, 1),
    }


def report(site: Site) -> bytes:
    """A zip with report.json and the ends of the newest jobs' logs and configurations, redacted."""
    content = {
        "versions": versions(), "devices": devices(site.root), "system": system(site.root),
        "settings": site.settings.current.model_dump(),
        "jobs": [site.runner.state(job) for job in list_jobs(site.jobs_dir)[:20]],
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.json", redacted(json.dumps(content, indent=1, ensure_ascii=False), site.root))
        for number, job in enumerate(list_jobs(site.jobs_dir)[:REPORTED_JOBS]):
            for path in (job.log_path, job.config_path, job.environment_path):
                archive.writestr(f"job-{number}/{path.name}", redacted(_end_of(path), site.root))
    return buffer.getvalue()


def redacted(text: str, root: Path) -> str:
    """Text without the home folder, the user's name, keys and passwords."""
    for path, name in ((str(root), "<athanor>"), (str(Path.home()), "<home>")):
        for spelled in {path, path.replace("\\", "/"), path.replace("\\", "\\\\")}:
            if len(spelled) > 3:
                text = text.replace(spelled, name)
    text = re.sub(r"(?i)\b(hf_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_\-]{8,}|gh[pousr]_[A-Za-z0-9]{8,})", "<key>", text)
    text = re.sub(
        r"(?i)((?:token|api_?key|password|passwd|secret|authorization)[\"']?\s*[=:]\s*[\"']?)[^\s\"',}]+",
        r"\1<removed>",
        text,
    )
    text = re.sub(r"(https?://)[^/\s@:]+:[^/\s@]+@", r"\1<removed>@", text)
    user = _user()
    return re.sub(rf"(?<![\w]){re.escape(user)}(?![\w])", "<user>", text) if len(user) > 2 else text


def _ask(root: Path) -> dict[str, Any]:
    nothing: dict[str, Any] = {"torch": None, "build": None, "devices": []}
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE], cwd=root, capture_output=True, timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL, env={"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **os.environ},
            text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return {**nothing, "error": f"torch gave no answer: {error}"}
    lines = done.stdout.strip().splitlines()
    try:
        return {**nothing, **json.loads(lines[-1])}
    except (IndexError, ValueError):
        return {**nothing, "error": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]}


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - LOG_END_BYTES))
            return stream.read(LOG_END_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
