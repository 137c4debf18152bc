"""What is drawn for a batch: by its epoch and place, never by what was drawn before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from trainer import seeds
from trainer.config import parse
from trainer.run import Microbatch
from trainer.train import draw

NEEDED: dict[str, object] = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}


def drawn(epoch: int, position: int, seed: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Timesteps, noise and input noise of two pictures."""
    run: Any = SimpleNamespace(seed=seed, config=parse(NEEDED).config)
    return draw(run, Microbatch(epoch, position, (0, 1), torch.ones(2), 2, alike=(0, 2)), torch.zeros(2, 4, 8, 8))


def test_the_same_place_of_another_epoch_has_other_noise_and_timesteps() -> None:
    places = [(1, 0), (2, 0), (1, 1), (2, 1), (12, 1), (1, 21)]
    noises = [drawn(*place)[1] for place in places]
    assert all(not torch.equal(one, other) for at, one in enumerate(noises) for other in noises[:at])
    assert len({tuple(drawn(*place)[0].tolist()) for place in places}) > 1
    assert torch.equal(drawn(2, 1)[1], drawn(2, 1)[1])
    assert not torch.equal(drawn(1, 0)[1], drawn(1, 0, seed=8)[1])


def test_noise_and_timesteps_come_from_the_generator_of_seed_epoch_and_place() -> None:
    timesteps, noise, input_noise = drawn(3, 5)
    draws = torch.Generator("cpu").manual_seed(seeds.derive(7, "noise", 3, 5))
    assert torch.equal(timesteps, torch.randint(0, 1000, (2,), generator=draws))
    assert torch.equal(noise, torch.randn(2, 4, 8, 8, generator=draws))
    assert torch.equal(input_noise, noise)


def test_a_derived_seed_is_the_first_63_bits_of_a_sha_256() -> None:
    import hashlib

    text = "7\x1fstr:noise\x1fint:3\x1fint:5"
    assert seeds.derive(7, "noise", 3, 5) == int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) // 2
