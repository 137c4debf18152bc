"""Where all randomness comes from: a value is a function of (seed, stream, index), never a state. LIGHT (torch inside).

So a stopped run can be continued at any step, previews change nothing, and two processes draw what one would.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit integer that depends on the seed and every name: derive(7, "order", 3)."""
    text = "\x1f".join([str(seed), *(f"{type(name).__name__}:{name}" for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """A fresh CPU generator for one purpose: generator(seed, "noise", step).

    On the CPU whatever the training device is, so that a run draws the same numbers on every machine.
    """
    import torch

    return torch.Generator("cpu").manual_seed(derive(seed, *names))


def python_random(seed: int, *names: str | int) -> random.Random:
    """The same for Python's own draws (caption shuffling, crops): python_random(seed, "caption", epoch, index)."""
    return random.Random(derive(seed, *names))
