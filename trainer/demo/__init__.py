"""The embedded demo: drawn pictures, a small base model that can really draw them, and a LoRA trained on it. LIGHT.

`python -m trainer demo` runs it (run.py). The page's "demo pictures" buttons call `write_pictures` or `write_data_set`.
Which script made the base model and how good it is, is said in README.md of this folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainer.demo.pictures import TRIGGER, DataSet, DemoError, write_data_set, write_pictures

BASE = Path(__file__).parent / "base.safetensors"  # a Stable Diffusion 1.x checkpoint of 12 MB

__all__ = ["BASE", "TRIGGER", "DataSet", "DemoError", "main", "write_data_set", "write_pictures"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo. Exit code 0 finished, 1 failed, 2 it cannot start here, 3 stopped by Ctrl-C."""
    from trainer.demo.run import main as run

    return run(argv)
