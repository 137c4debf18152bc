"""The NVIDIA cards of this machine, as nvidia-smi numbers them. LIGHT: torch is not asked."""

from __future__ import annotations

import csv
import subprocess
from dataclasses import asdict, dataclass
from typing import Any

from webui.launcher.torch_build import nvidia_smi

PATIENCE_SECONDS = 15
QUERY = ("--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Card:
    """A card by its number on the bus; `trainer.spawning.choose_cards` counts the same way."""

    number: int
    name: str
    memory_gib: float | None


def found() -> dict[str, Any]:
    """{"cards": [...], "error"}: no card and no error where there is no driver at all."""
    program = nvidia_smi()
    if program is None:
        return {"cards": [], "error": None}
    try:
        done = subprocess.run(
            [program, *QUERY], capture_output=True, timeout=PATIENCE_SECONDS, stdin=subprocess.DEVNULL, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"cards": [], "error": str(error)}
    cards = read(done.stdout) if done.returncode == 0 else []
    if cards or "No devices were found" in done.stdout:
        return {"cards": [asdict(card) for card in cards], "error": None}
    said = (done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}").splitlines()
    return {"cards": [], "error": said[0][:300]}


def read(answer: str) -> list[Card]:
    """nvidia-smi's lines `0, NVIDIA GeForce RTX 4090, 24564`; what is not such a line is passed over."""
    cards = []
    for row in csv.reader(answer.splitlines(), skipinitialspace=True):
        if len(row) == 3 and row[0].strip().isdecimal():
            memory = row[2].strip()
            cards.append(
                Card(int(row[0]), row[1].strip(), round(int(memory) / 1024, 1) if memory.isdecimal() else None)
            )
    return cards
