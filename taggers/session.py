"""Opens an ONNX model on the best device that really works, and says which one that is. Imports onnxruntime.

`get_available_providers()` lists what was compiled in, not what runs here; asking for CUDA on a machine without it
prints an error banner and falls back in silence. So the driver is asked first, and a fall-back is told (`gpu_unused`).
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from taggers import TaggerError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEVICES = {"CUDAExecutionProvider": "CUDA", "ROCMExecutionProvider": "ROCm", "MIGraphXExecutionProvider": "ROCm",
           "DmlExecutionProvider": "DirectML", "CPUExecutionProvider": "CPU"}  # fmt: skip
QUIET = 4  # onnxruntime's severity "fatal": what matters is raised as an exception, the rest are banners


class PictureModel:
    """An ONNX model that takes one batch of colour pictures: where it runs, what it wants, its raw scores.

    fixed_batch: the only batch size it accepts, None for any. side_px: of its square input. channels_first: it wants
    (B, 3, h, w), not (B, h, w, 3). num_scores: outputs a picture, None when the file does not say. gpu_unused: a GPU is
    here, but the model runs on the processor.
    """

    def __init__(self, model: Path, device: str = "auto") -> None:
        """device: `auto` takes a GPU where one works, `cpu` never does. Raises TaggerError on a damaged model."""
        self._session = _open(model, device)
        provider: str = self._session.get_providers()[0]
        self.device = DEVICES.get(provider, provider)
        self.gpu_unused = device != "cpu" and self.device == "CPU" and cuda_works()
        entry = self._session.get_inputs()[0]
        self._name = entry.name
        self._dtype = np.float16 if entry.type == "tensor(float16)" else np.float32
        self.fixed_batch, self.side_px, self.channels_first = input_layout(entry.shape, model)
        last = self._session.get_outputs()[0].shape[-1]
        self.num_scores = last if isinstance(last, int) else None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, ...) -> (B, num_scores), as the model gives them."""
        scores: NDArray[np.float32] = self._session.run(None, {self._name: batch.astype(self._dtype, copy=False)})[0]
        return scores.astype(np.float32, copy=False)


def input_layout(shape: Sequence[int | str | None], model: Path) -> tuple[int | None, int, bool]:
    """(fixed batch size or None, side in pixels, channels first) of an image input. Raises TaggerError for others."""
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    if len(sizes) == 4 and 3 in (sizes[1], sizes[3]):
        channels_first = sizes[1] == 3
        side = sizes[2] or sizes[3 if channels_first else 1] or 448
        return sizes[0], side, channels_first
    raise TaggerError(f"{model} takes an input of shape {shape}, not a batch of colour pictures: this is not a tagger")


def cuda_works() -> bool:
    """True when NVIDIA's driver is there and sees a GPU. Needs neither torch nor nvidia-smi."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False


def _open(model: Path, device: str) -> InferenceSession:
    import onnxruntime

    onnxruntime.set_default_logger_severity(QUIET)
    options = onnxruntime.SessionOptions()
    spare = max(1, (os.cpu_count() or 2) - 1)  # one core is left to the threads that decode pictures
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or spare)
    options.log_severity_level = QUIET
    wanted = ["CPUExecutionProvider"] if device == "cpu" else _providers(onnxruntime.get_available_providers())
    if wanted[0] == "CUDAExecutionProvider" and hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it misses, among our JSON lines
            onnxruntime.preload_dlls()  # finds the CUDA libraries that came with torch
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=wanted)
    except Exception as error:
        raise TaggerError(f"{model} cannot be opened as an ONNX model; it may be a cut download or another kind of "
                          f"file: remove it and download it again ({_first_line(error)})") from error  # fmt: skip


def _providers(available: list[str]) -> list[str]:
    """Providers worth asking for, best first; the CPU is always the last."""
    found = [name for name in DEVICES if name in available and (name != "CUDAExecutionProvider" or cuda_works())]
    return found or ["CPUExecutionProvider"]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
