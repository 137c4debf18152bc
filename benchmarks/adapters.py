"""Processor seconds of one adapted layer, forward and backward, by method: as it is, and with its weight rebuilt.

    python -m benchmarks.adapters [--rounds 3]

Layers of SD's sizes, float32, one thread, the least of the rounds. "rebuilt" adds the whole change to the weight in
every step and passes once through the changed layer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainer.networks.base import Size
from trainer.networks.methods import METHODS
from trainer.networks.options import NetworkOptions

METHOD_CASES: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("locon", 16, {}), ("locon", 16, {"dora_wd": True}), ("loha", 16, {}), ("loha", 16, {"dora_wd": True}),
    ("lokr", 16, {"factor": 8}), ("lokr", 16, {"factor": 8, "dora_wd": True}),
    ("lokr", 1, {"factor": 8, "full_matrix": True}), ("glora", 16, {}), ("ia3", 1, {}), ("diag-oft", 8, {}),
    ("boft", 16, {}), ("full", 1, {}),
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """A layer as adapters want it described."""

    module: nn.Module
    name: str = "lora_unet_x"
    part: Any = "unet"
    path: str = "x"
    containers: frozenset[str] = frozenset()
    block: int | None = None


def layers() -> dict[str, tuple[nn.Module, Tensor]]:
    """Linear layers of the widest and narrowest blocks at 512 px, a convolution of the middle ones."""
    return {
        "linear 320, 4096 tokens": (nn.Linear(320, 320), torch.randn(1, 4096, 320)),
        "linear 1280, 1024 tokens": (nn.Linear(1280, 1280), torch.randn(1, 1024, 1280)),
        "conv 640 3x3, 32 x 32": (nn.Conv2d(640, 640, 3, padding=1), torch.randn(1, 640, 32, 32)),
    }


def seconds(layer: Callable[[Tensor], Tensor], x: Tensor, rounds: int) -> float:
    """Processor seconds of forward and backward, the least of the rounds."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        layer(x).sum().backward()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for what, (frozen, _) in layers().items():
        frozen.requires_grad_(False)
        x = layers()[what][1].requires_grad_()
        print(f"{what}: frozen {seconds(frozen, x, rounds):.3f} s")
        for method, rank, arguments in METHOD_CASES:
            layer = layers()[what][0].requires_grad_(False)
            adapter = METHODS[method](Layer(layer), Size(rank, 1.0), NetworkOptions(arguments=arguments))
            adapter.initialise(torch.Generator().manual_seed(0))
            adapter.attach()

            def rebuilt(x: Tensor, adapter: Any = adapter) -> Tensor:
                delta: Tensor = adapter.diff if hasattr(adapter, "diff") else adapter.weight_delta()
                result: Tensor = adapter.with_weight(x, adapter.frozen_weight() + delta)
                return result

            told = " ".join([method, *(f"{name}={value}" for name, value in arguments.items())])
            ours, other = seconds(layer, x, rounds), seconds(rebuilt, x, rounds)
            print(f"  {told:32} {ours:.3f} s, rebuilt {other:.3f} s")


if __name__ == "__main__":
    main()
