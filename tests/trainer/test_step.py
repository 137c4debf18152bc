"""The single training step against a plain diffusers computation, number for number."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
import torch.nn.functional as F

from trainer import families, networks, objective
from trainer.config import TrainConfig, parse
from trainer.networks import NetworkOptions
from trainer.train import training_step


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny.sd1_safetensors(tmp_path_factory.mktemp("base") / "base.safetensors")


def config(base: Path, **values: object) -> TrainConfig:
    needed = {"pretrained_model_name_or_path": str(base), "train_data_dir": "train", "resolution": 64}
    return parse({**needed, **values}).config


def drawn(batch: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(latents, noise, timesteps) from a fixed seed."""
    generator = torch.Generator().manual_seed(5)
    latents, noise = (torch.randn(batch, 4, 8, 8, generator=generator) for _ in range(2))
    return latents, noise, torch.tensor([20, 500, 980])[:batch]


def test_the_loss_is_that_of_diffusers_scheduler_and_a_mean_square(base: Path) -> None:
    from diffusers import DDPMScheduler

    settings = config(base)
    family = families.load(families.options_from(settings))
    latents, noise, timesteps = drawn()
    context = family.encode_captions(["a cat", "red", ""])
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000
    )
    with torch.no_grad():
        ours = training_step(
            family, latents, noise, timesteps, context, objective.noise_schedule(), settings.loss
        )  # fmt: skip
        noisy = scheduler.add_noise(latents, noise, timesteps)
        theirs = F.mse_loss(family.unet(noisy, timesteps, context.context).sample, noise, reduction="none").mean(
            (1, 2, 3)
        )
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)


def test_weights_follow_min_snr_and_the_prior_weight(base: Path) -> None:
    plain, weighted = config(base), config(base, min_snr_gamma=5)
    family = families.load(families.options_from(plain))
    latents, noise, timesteps = drawn()
    context, schedule = family.encode_captions(["a", "b", "c"]), objective.noise_schedule()
    with torch.no_grad():
        bare = training_step(family, latents, noise, timesteps, context, schedule, plain.loss)
        ours = training_step(
            family, latents, noise, timesteps, context, schedule, weighted.loss, weights=torch.tensor([1.0, 0.5, 1.0])
        )
    snr = schedule.alphas_cumprod[timesteps] / (1 - schedule.alphas_cumprod[timesteps])
    by_hand = bare * torch.tensor([1.0, 0.5, 1.0]) * torch.minimum(snr, torch.tensor(5.0)) / snr
    torch.testing.assert_close(ours, by_hand, rtol=1e-4, atol=0)


def test_gradients_equal_those_of_peft_for_the_same_weights(base: Path) -> None:
    peft = pytest.importorskip("peft", reason="peft is a development dependency")
    settings = config(base)
    family = families.load(families.options_from(settings))
    latents, noise, timesteps = drawn(1)
    context = family.encode_captions(["a cat"])
    context = type(context)(context.context.detach())
    targets = [target for target in family.network_targets() if target.part == "unet" and target.path.endswith("to_q")]

    ours = networks.attach(targets, NetworkOptions(rank=2, alpha=2), seed=3)
    with torch.no_grad():
        for _, module in ours.adapters():
            module.up.copy_(torch.randn(module.up.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
    training_step(
        family, latents, noise, timesteps, context, objective.noise_schedule(), settings.loss
    ).mean().backward()
    ours.detach()

    other = families.load(families.options_from(settings)).unet
    adapted = peft.get_peft_model(other, peft.LoraConfig(r=2, lora_alpha=2, target_modules=[t.path for t in targets]))
    layers = dict(adapted.base_model.model.named_modules())
    modules = dict(ours.adapters())
    with torch.no_grad():
        for target in targets:
            layers[target.path].lora_A["default"].weight.copy_(modules[target.name].down)
            layers[target.path].lora_B["default"].weight.copy_(modules[target.name].up)
    noisy, _ = objective.prepare(latents, noise, timesteps, objective.noise_schedule())
    F.mse_loss(adapted(noisy, timesteps, context.context).sample, noise).backward()
    for target in targets:
        theirs, mine = layers[target.path], modules[target.name]
        torch.testing.assert_close(mine.down.grad, theirs.lora_A["default"].weight.grad, rtol=1e-3, atol=1e-7)
        torch.testing.assert_close(mine.up.grad, theirs.lora_B["default"].weight.grad, rtol=1e-3, atol=1e-7)
