"""One training step from given numbers: this trainer's, and that of plain diffusers, peft and torch.optim.

step_accuracy.py prints how far the two are apart on a full-size base; tests/trainer/test_step.py holds it on a tiny
one. U-Net layers only, float32, on the processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer import networks, objective, optimizers
from trainer.config import TrainConfig
from trainer.networks import NetworkOptions
from trainer.train import training_step

OPTIMIZERS = {"AdamW": torch.optim.AdamW, "SGD": torch.optim.SGD}


@dataclass(frozen=True)
class Given:
    """What both get. latents, noise: (B, 4, h, w); timesteps: (B,); start: a LoRA's matrices by the keys of a file."""

    latents: Tensor
    noise: Tensor
    timesteps: Tensor
    conditioning: Any
    start: dict[str, Tensor]
    network: NetworkOptions
    optimizer: str
    rate: float


@dataclass(frozen=True)
class Stepped:
    """What comes out: the mean loss; gradients and updated weights by the keys of `Given.start`."""

    loss: float
    gradients: dict[str, Tensor]
    weights: dict[str, Tensor]


def unet_targets(family: Any) -> list[Any]:
    """The layers of the U-Net that networks.lora adapts."""
    return [target for target in family.network_targets() if target.part == "unet"]


def beginning(family: Any, options: NetworkOptions, size: float, draws: torch.Generator) -> dict[str, Tensor]:
    """Values of a LoRA that does change something, drawn with standard deviation `size`."""
    network = networks.attach(unet_targets(family), options, seed=3)
    network.detach()
    return {key: torch.randn(value.shape, generator=draws) * size
            for key, value in network.state_dict().items() if not key.endswith("alpha")}  # fmt: skip


def ours(family: Any, settings: TrainConfig, given: Given) -> Stepped:
    """The step of this trainer; the model is left as it was."""
    network = networks.attach(unet_targets(family), given.network, seed=3)
    network.load(given.start, "start")
    optimizer = optimizers.build(given.optimizer, [{"params": list(network.parameters())}], given.rate)
    schedule = objective.noise_schedule()
    loss = training_step(
        family, given.latents, given.noise, given.timesteps, given.conditioning, schedule, settings.loss
    ).mean()
    loss.backward()
    gradients = {key: value.grad.clone() for key, value in network.named_parameters() if value.grad is not None}
    optimizer.step()
    network.detach()
    return Stepped(float(loss.detach()), gradients, {key: value.detach() for key, value in network.named_parameters()})


def plain(family: Any, settings: TrainConfig, given: Given) -> Stepped:
    """The same with diffusers' scheduler, peft's layers and torch's optimizer; the model is left as it was."""
    import peft

    targets = unet_targets(family)
    paths = [target.path for target in targets]
    wanted = peft.LoraConfig(r=given.network.rank, lora_alpha=cast(int, given.network.alpha), target_modules=paths)
    adapted = peft.inject_adapter_in_model(wanted, family.unet)
    layers = dict(adapted.named_modules())
    matrices = {}
    for target in targets:
        matrices[f"{target.name}.lora_down.weight"] = layers[target.path].lora_A["default"].weight
        matrices[f"{target.name}.lora_up.weight"] = layers[target.path].lora_B["default"].weight
    with torch.no_grad():
        for key, matrix in matrices.items():
            matrix.copy_(given.start[key].view(matrix.shape))
    loss = _plain_loss(adapted, settings, given)
    loss.backward()
    gradients = {key: matrix.grad.view(given.start[key].shape).clone() for key, matrix in matrices.items()}
    OPTIMIZERS[given.optimizer](list(matrices.values()), lr=given.rate, foreach=False).step()
    weights = {key: matrix.detach().view(given.start[key].shape).clone() for key, matrix in matrices.items()}
    for path in paths:
        parent, _, name = path.rpartition(".")
        setattr(adapted.get_submodule(parent), name, layers[path].base_layer)
    del adapted.peft_config
    return Stepped(float(loss.detach()), gradients, weights)


def _plain_loss(unet: Any, settings: TrainConfig, given: Given) -> Tensor:
    """Mean square error to the noise or the velocity, weighted by min-SNR (Hang et al. 2023) where it is asked for."""
    from diffusers import DDPMScheduler

    scheduler: Any = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    v, gamma, timesteps = settings.model.v_parameterization, settings.loss.min_snr_gamma, given.timesteps
    goal = scheduler.get_velocity(given.latents, given.noise, timesteps) if v else given.noise
    noisy = scheduler.add_noise(given.latents, given.noise, timesteps)
    predicted = unet(noisy, timesteps, given.conditioning.context).sample
    losses = F.mse_loss(predicted, goal, reduction="none").mean((1, 2, 3))
    if gamma is not None:
        snr = scheduler.alphas_cumprod[timesteps] / (1 - scheduler.alphas_cumprod[timesteps])
        losses = losses * snr.clamp(max=gamma) / (snr + 1 if v else snr)
    return losses.mean()
