"""The single training step against a plain diffusers computation, number for number."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
import torch.nn.functional as F

from trainer import families, networks, objective, optimizers
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


RATES = {"AdamW": 1e-2, "SGD": 3.0}


def plain_update(
    base: Path,
    settings: TrainConfig,
    start: dict[str, torch.Tensor],
    optimizer: str,
    context: torch.Tensor,
    gamma: float | None,
) -> tuple[float, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """One step of diffusers, peft and torch.optim alone: (loss, gradients, weights) by the keys of a LoRA file."""
    peft = pytest.importorskip("peft", reason="peft is a development dependency")
    from diffusers import DDPMScheduler

    family = families.load(families.options_from(settings))
    targets = [target for target in family.network_targets() if target.part == "unet"]
    adapted = peft.get_peft_model(
        family.unet, peft.LoraConfig(r=2, lora_alpha=1, target_modules=[target.path for target in targets])
    )
    layers = dict(adapted.base_model.model.named_modules())
    matrices = {}
    for target in targets:
        matrices[f"{target.name}.lora_down.weight"] = layers[target.path].lora_A["default"].weight
        matrices[f"{target.name}.lora_up.weight"] = layers[target.path].lora_B["default"].weight
    with torch.no_grad():
        for key, matrix in matrices.items():
            matrix.copy_(start[key].view(matrix.shape))
    latents, noise, timesteps = drawn()
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    v = settings.model.v_parameterization
    target = scheduler.get_velocity(latents, noise, timesteps) if v else noise
    losses = F.mse_loss(
        adapted(scheduler.add_noise(latents, noise, timesteps), timesteps, context).sample, target, reduction="none"
    ).mean((1, 2, 3))
    if gamma is not None:
        snr = scheduler.alphas_cumprod[timesteps] / (1 - scheduler.alphas_cumprod[timesteps])
        losses = losses * snr.clamp(max=gamma) / (snr + 1 if v else snr)
    losses.mean().backward()
    gradients = {key: matrix.grad.clone() for key, matrix in matrices.items()}
    kind = {"AdamW": torch.optim.AdamW, "SGD": torch.optim.SGD}[optimizer]
    kind(list(matrices.values()), lr=RATES[optimizer], foreach=False).step()
    return float(losses.detach().mean()), gradients, {key: matrix.detach() for key, matrix in matrices.items()}


@pytest.mark.parametrize("optimizer", ["AdamW", "SGD"])
@pytest.mark.parametrize("gamma", [None, 5.0], ids=["plain", "min_snr"])
@pytest.mark.parametrize("v", [False, True], ids=["eps", "v"])
def test_loss_gradients_and_updated_weights_are_those_of_an_independent_trainer(
    base: Path, v: bool, gamma: float | None, optimizer: str
) -> None:
    settings = config(base, v_parameterization=v, **({} if gamma is None else {"min_snr_gamma": gamma}))
    family = families.load(families.options_from(settings))
    conditioning = family.encode_captions(["a cat", "red", ""])
    conditioning = type(conditioning)(conditioning.context.detach())
    targets = [target for target in family.network_targets() if target.part == "unet"]
    network = networks.attach(targets, NetworkOptions(rank=2, alpha=1), seed=3)
    generator = torch.Generator().manual_seed(1)
    start = {key: torch.randn(value.shape, generator=generator) * 0.1
             for key, value in network.state_dict().items() if not key.endswith("alpha")}  # fmt: skip
    network.load(start, "start")
    made = optimizers.build(optimizer, [{"params": list(network.parameters())}], RATES[optimizer])
    latents, noise, timesteps = drawn()
    losses = training_step(
        family, latents, noise, timesteps, conditioning, objective.noise_schedule(), settings.loss
    )  # fmt: skip
    losses.mean().backward()
    gradients = {key: parameter.grad.clone() for key, parameter in network.named_parameters()}
    made.step()
    network.detach()

    loss, theirs, weights = plain_update(base, settings, start, optimizer, conditioning.context, gamma)
    assert float(losses.detach().mean()) == pytest.approx(loss, rel=1e-5)
    assert gradients.keys() == theirs.keys() and len(theirs) == 2 * len(targets)
    allowed = {"AdamW": 1e-3, "SGD": 1e-5}[optimizer]
    for key, parameter in network.named_parameters():
        gradient, weight = theirs[key].view(parameter.shape), weights[key].view(parameter.shape)
        # queries and keys of the middle block see one token: their gradients are nothing but rounding
        assert (gradients[key] - gradient).norm() <= 1e-3 * gradient.norm() + 1e-10, key
        assert (parameter.detach() - weight).norm() <= allowed * weight.norm(), key
    assert any((weights[key].view(value.shape) - value).norm() > 1e-3 * value.norm() for key, value in start.items())
