"""The single training step against a plain diffusers computation, number for number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
import torch.nn.functional as F
from place import DEFAULTS, Place

from benchmarks.one_step import Given, beginning, ours, plain
from trainer import families, objective
from trainer import train as loop
from trainer.config import TrainConfig, parse
from trainer.families.base import Conditioning
from trainer.networks import NetworkOptions
from trainer.train import training_step


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


RATES = {"AdamW": 1e-2, "SGD": 3.0}


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("gamma", [None, 5.0], ids=["plain", "min_snr"])
@pytest.mark.parametrize("v", [False, True], ids=["eps", "v"])
def test_loss_gradients_and_updated_weights_are_those_of_an_independent_trainer(
    base: Path, v: bool, gamma: float | None, optimizer: str
) -> None:
    pytest.importorskip("peft", reason="peft is a development dependency")
    settings = config(base, v_parameterization=v, **({} if gamma is None else {"min_snr_gamma": gamma}))
    family = families.load(families.options_from(settings))
    conditioning = family.encode_captions(["a cat", "red", ""])
    conditioning = type(conditioning)(conditioning.context.detach())
    network = NetworkOptions(rank=2, alpha=1)
    start = beginning(family, network, 0.1, torch.Generator().manual_seed(1))
    given = Given(*drawn(), conditioning, start, network, optimizer, RATES[optimizer])
    mine, theirs = ours(family, settings, given), plain(family, settings, given)

    assert mine.loss == pytest.approx(theirs.loss, rel=1e-5)
    assert start.keys() == mine.gradients.keys() == theirs.gradients.keys()
    assert len(start) == 2 * tiny.LORA_UNET_MODULES
    allowed = {"AdamW": 1e-3, "SGD": 1e-5}[optimizer]
    for key, weight in theirs.weights.items():
        gradient = theirs.gradients[key]
        # queries and keys of the middle block see one token: their gradients are nothing but rounding
        assert (mine.gradients[key] - gradient).norm() <= 1e-3 * gradient.norm() + 1e-10, key
        assert (mine.weights[key] - weight).norm() <= allowed * weight.norm(), key
    assert any((theirs.weights[key] - value).norm() > 1e-3 * value.norm() for key, value in start.items())


def test_a_whole_run_writes_the_weights_of_an_independent_trainer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers that the run drew, given to diffusers, peft and torch: a run is not only compared with itself."""
    pytest.importorskip("peft", reason="peft is a development dependency")
    given: list[tuple[torch.Tensor, ...]] = []
    start: dict[str, torch.Tensor] = {}

    def watched(
        family: Any, latents: Any, noise: Any, timesteps: Any, conditioning: Any, *rest: Any, **named: Any
    ) -> Any:
        given.append((latents, noise, timesteps, conditioning.context))
        return training_step(family, latents, noise, timesteps, conditioning, *rest, **named)

    def kept(run: Any) -> Any:
        start.update({key: value.clone() for key, value in run.network.file_tensors().items()})
        return real(run)

    real = loop.beginning
    monkeypatch.setattr(loop, "training_step", watched)
    monkeypatch.setattr(loop, "beginning", kept)
    settings: dict[str, object] = {
        "max_train_epochs": None, "max_train_steps": 1, "network_train_unet_only": True, "max_grad_norm": 0,
        "unet_lr": 1e-2, "min_snr_gamma": 5, "network_dim": 2, "network_alpha": 1,
    }  # fmt: skip
    assert place.train(**settings) == 0
    config = parse({**DEFAULTS, **{name: value for name, value in settings.items() if value is not None}}).config
    family = families.load(families.options_from(config))
    latents, noise, timesteps, context = given[0]
    matrices = {key: value for key, value in start.items() if not key.endswith("alpha")}
    network = NetworkOptions(rank=2, alpha=1)
    theirs = plain(
        family, config, Given(latents, noise, timesteps, Conditioning(context), matrices, network, "AdamW", 1e-2)
    )
    assert place.losses() == pytest.approx([theirs.loss], rel=1e-5)
    written = place.weights()
    ups = [key for key in matrices if key.endswith("lora_up.weight")]
    # Adam's first step is the rate times the sign of the gradient, which rounding decides where it is almost nothing
    sure = {key: theirs.gradients[key].abs() > 1e-3 * theirs.gradients[key].abs().max() for key in ups}
    assert sum(float(one.float().mean()) for one in sure.values()) > 0.5 * len(ups)
    for key in ups:
        torch.testing.assert_close(written[key][sure[key]], theirs.weights[key][sure[key]], rtol=1e-3, atol=1e-6)
