"""One training step of a full-size base, compared number by number with a plain diffusers + peft + torch.optim step.

    python benchmarks/make_sd15.py sd15.safetensors
    python -m benchmarks.step_accuracy sd15.safetensors

Both get the same latents, noise, timesteps, text states and LoRA values, in float32 on the processor, and take one step
with each optimizer. Printed is the largest relative difference: of the loss; of a gradient and of an updated weight, as
the norm of the difference over the norm, over all tensors. tests/trainer/test_step.py does the same with a tiny base.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.one_step import Given, beginning, ours, plain
from trainer import families
from trainer.config import parse
from trainer.networks import NetworkOptions

RATES = {"AdamW": 1e-4, "SGD": 1.0}
NETWORK = NetworkOptions(rank=16, alpha=8)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--side", type=int, default=128, help="pixels")
    options = parser.parse_args()
    settings = parse(
        {"pretrained_model_name_or_path": str(options.base), "train_data_dir": "train", "resolution": options.side}
    ).config
    family = families.load(families.options_from(settings))
    draws = torch.Generator().manual_seed(5)
    latents, noise = (torch.randn(2, 4, options.side // 8, options.side // 8, generator=draws) for _ in range(2))
    conditioning = family.encode_captions(["a cat", "red, blue"])
    conditioning = type(conditioning)(conditioning.context.detach())
    start = beginning(family, NETWORK, 0.02, draws)
    for optimizer, rate in RATES.items():
        given = Given(latents, noise, torch.tensor([150, 800]), conditioning, start, NETWORK, optimizer, rate)
        one, other = ours(family, settings, given), plain(family, settings, given)
        gradient = max(apart(one.gradients[key], other.gradients[key]) for key in start)
        weight = max(apart(one.weights[key], other.weights[key]) for key in start)
        loss = abs(one.loss - other.loss) / abs(other.loss)
        print(
            f"{optimizer:6} {len(start)} tensors: loss {loss:.1e}  gradient {gradient:.1e}  weight {weight:.1e}",
            flush=True,
        )


def apart(one: Tensor, other: Tensor) -> float:
    """Norm of the difference over the norm; infinite where one of the two is no number or nothing."""
    ratio = (one - other).double().norm() / other.double().norm()
    return float(ratio.nan_to_num(nan=float("inf")))


if __name__ == "__main__":
    main()
