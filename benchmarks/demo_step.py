"""Seconds per training step of the demo and of a tiny run, and where they go: the whole loop, not only the model.

    python -m benchmarks.demo_step [--steps 40]

Trains `presets/demo.toml` on freshly drawn demo pictures in a temporary folder with a shortened run, one thread, and
prints the median of the steps' seconds as the trainer tells them in events.jsonl, and the seconds from start to the
first step.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from trainer.demo.pictures import write_data_set
from trainer.events import follow

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data_set(folder, captions=True)
        base = ROOT / "trainer" / "demo" / "base.safetensors"
        command = [sys.executable, "-m", "trainer", "train", str(ROOT / "presets" / "demo.toml"), "--job", "job",
                   f"pretrained_model_name_or_path={base}", f"max_train_steps={steps}", "max_train_epochs=",
                   "sample_every_n_epochs=", "sample_at_first=false", "logging_dir="]  # fmt: skip
        began = time.time()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        events, _ = follow(folder / "job" / "events.jsonl")
    told = [event for event in events if event["event"] == "step"]
    print(f"steps: {len(told)}, median {statistics.median(event['seconds'] for event in told[2:]):.3f} s/step")
    print(
        f"from the command to the first step: {told[0]['time'] - began:.1f} s; "
        f"whole run: {events[-1]['time'] - began:.1f} s"
    )


if __name__ == "__main__":
    main()
