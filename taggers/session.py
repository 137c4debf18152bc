"""Opens an ONNX model on the best device that really works, and says which one that is. Imports onnxruntime.

`get_available_providers()` lists what was compiled in, not what runs here; asking for CUDA on a machine without it
prints an error banner and falls back in silence. So the driver is asked first.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from taggers import TaggerError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEVICES = {"CUDAExecutionProvider": "CUDA", "ROCMExecutionProvider": "ROCm", "MIGraphXExecutionProvider": "ROCm",
           "DmlExecutionProvider": "DirectML", "CPUExecutionProvider": "CPU"}  # fmt: skip
QUIET = 3  # onnxruntime's severity "error": warnings of the optimizer mean nothing to users


def open_session(model: Path, device: str = "auto", threads: int = 0) -> InferenceSession:
    """An inference session for `model`. device: `auto` takes a GPU where one works, `cpu` never does.

    threads: for the CPU; 0 leaves one core to the picture decoders. Raises TaggerError on a damaged model.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(QUIET)
    options = onnxruntime.SessionOptions()
    spare = max(1, (os.cpu_count() or 2) - 1)
    options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS") or spare)
    options.log_severity_level = QUIET
    wanted = ["CPUExecutionProvider"] if device == "cpu" else _providers(onnxruntime.get_available_providers())
    if wanted[0] == "CUDAExecutionProvider" and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=wanted)
    except Exception as error:
        raise TaggerError(f"{model} cannot be opened as an ONNX model; it may be a cut download or another kind of "
                          f"file: remove it and download it again ({_first_line(error)})") from error  # fmt: skip


def device_of(session: InferenceSession) -> str:
    """Where the session really runs: the first provider that it kept."""
    provider: str = session.get_providers()[0]
    return DEVICES.get(provider, provider)


def _providers(available: list[str]) -> list[str]:
    """Providers worth asking for, best first; the CPU is always the last."""
    found = [name for name in DEVICES if name in available and (name != "CUDAExecutionProvider" or cuda_works())]
    return found or ["CPUExecutionProvider"]


def cuda_works() -> bool:
    """True when NVIDIA's driver is there and sees a GPU. Needs neither torch nor nvidia-smi."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
