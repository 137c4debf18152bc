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
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

RATES = {"AdamW": 1e-4, "SGD": 1.0}
RANK, ALPHA = 16, 8


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--side", type=int, default=128, help="pixels")
    options = parser.parse_args()
    from trainer import families
    from trainer.config import parse

    settings = parse(
        {"pretrained_model_name_or_path": str(options.base), "train_data_dir": "train", "resolution": options.side}
    ).config
    family = families.load(families.options_from(settings))
    draws = torch.Generator().manual_seed(5)
    side = options.side // 8
    latents, noise = (torch.randn(2, 4, side, side, generator=draws) for _ in range(2))
    timesteps = torch.tensor([150, 800])
    conditioning = family.encode_captions(["a cat", "red, blue"])
    conditioning = type(conditioning)(conditioning.context.detach())
    start = beginning(family, draws)
    for optimizer in RATES:
        one = ours(family, settings, start, optimizer, latents, noise, timesteps, conditioning)
        two = plain(family, start, optimizer, latents, noise, timesteps, conditioning.context)
        gradients, weights = (max(apart(one[kind][key], two[kind][key]) for key in one[kind]) for kind in (1, 2))
        said = f"loss {abs(one[0] - two[0]) / abs(two[0]):.1e}  gradient {gradients:.1e}  weight {weights:.1e}"
        print(f"{optimizer:6} {len(one[1])} tensors: {said}", flush=True)


def beginning(family: Any, draws: torch.Generator) -> dict[str, Tensor]:
    """Values of a LoRA that does change something, by the keys of a file."""
    from trainer import networks
    from trainer.networks import NetworkOptions

    network = networks.attach(targets_of(family), NetworkOptions(rank=RANK, alpha=ALPHA), seed=3)
    network.detach()
    return {key: torch.randn(value.shape, generator=draws) * 0.02
            for key, value in network.state_dict().items() if not key.endswith("alpha")}  # fmt: skip


def targets_of(family: Any) -> list[Any]:
    """The layers of the U-Net that networks.lora adapts."""
    return [target for target in family.network_targets() if target.part == "unet"]


def apart(one: Tensor, other: Tensor) -> float:
    """Norm of the difference over the norm; infinite where one of the two is no number or nothing."""
    ratio = (one.flatten() - other.flatten()).double().norm() / other.double().norm()
    return float(ratio.nan_to_num(nan=float("inf")))


Result = tuple[float, dict[str, Tensor], dict[str, Tensor]]


def ours(
    family: Any,
    settings: Any,
    start: dict[str, Tensor],
    optimizer: str,
    latents: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    conditioning: Any,
) -> Result:
    """Loss, gradients and updated weights of this trainer."""
    from trainer import networks, objective, optimizers
    from trainer.networks import NetworkOptions
    from trainer.train import training_step

    network = networks.attach(targets_of(family), NetworkOptions(rank=RANK, alpha=ALPHA), seed=3)
    network.load(start, "start")
    made = optimizers.build(optimizer, [{"params": list(network.parameters())}], RATES[optimizer])
    schedule = objective.noise_schedule()
    loss = training_step(family, latents, noise, timesteps, conditioning, schedule, settings.loss).mean()
    loss.backward()
    gradients = {key: parameter.grad.clone() for key, parameter in network.named_parameters()}
    made.step()
    network.detach()
    return float(loss), gradients, {key: parameter.detach() for key, parameter in network.named_parameters()}


def plain(
    family: Any,
    start: dict[str, Tensor],
    optimizer: str,
    latents: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    context: Tensor,
) -> Result:
    """The same with diffusers' scheduler, peft's layers and torch's optimizer."""
    import peft
    from diffusers import DDPMScheduler

    targets = targets_of(family)
    paths = [target.path for target in targets]
    adapted = peft.inject_adapter_in_model(peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=paths), family.unet)
    layers = dict(adapted.named_modules())
    matrices = {}
    for target in targets:
        matrices[f"{target.name}.lora_down.weight"] = layers[target.path].lora_A["default"].weight
        matrices[f"{target.name}.lora_up.weight"] = layers[target.path].lora_B["default"].weight
    with torch.no_grad():
        for key, matrix in matrices.items():
            matrix.copy_(start[key].view(matrix.shape))
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    noisy = scheduler.add_noise(latents, noise, timesteps)
    loss = F.mse_loss(adapted(noisy, timesteps, context).sample, noise)
    loss.backward()
    gradients = {key: matrix.grad.clone() for key, matrix in matrices.items()}
    kind = {"AdamW": torch.optim.AdamW, "SGD": torch.optim.SGD}[optimizer]
    kind(list(matrices.values()), lr=RATES[optimizer], foreach=False).step()
    weights = {key: matrix.detach().clone() for key, matrix in matrices.items()}
    for path in paths:  # the model as it was
        parent, _, name = path.rpartition(".")
        setattr(adapted.get_submodule(parent), name, layers[path].base_layer)
    return float(loss), gradients, weights


if __name__ == "__main__":
    main()
