"""What each batch of an accumulation window counts in its step, by the gradients that reach the optimizer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from place import Place
from torch import Tensor

from trainer import seeds
from trainer import train as loop
from trainer.run import Microbatch, Run

STILL: dict[str, object] = {"shuffle_caption": False, "max_train_epochs": 2, "network_train_unet_only": True}


@pytest.fixture
def gradients(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Tensor]]:
    """Job -> the gradients of each of its steps in one row; weights stay as they begin."""
    seen: dict[str, list[Tensor]] = {}

    def watch(run: Run, norm: Tensor) -> None:
        row = torch.cat([weight.grad.flatten() for weight in run.trained if weight.grad is not None])
        seen.setdefault(run.job.path.name, []).append(row)

    monkeypatch.setattr(loop, "update", watch)
    return seen


def keep(place: Place, count: int) -> None:
    """Leave only the first pictures, all of one size, in the training folder."""
    for number in range(count, 5):
        (place.root / "train" / "1_cat" / f"{number}.png").unlink()


def test_a_short_last_window_is_divided_by_its_own_batches_in_every_epoch(
    place: Place, gradients: dict[str, list[Tensor]]
) -> None:
    keep(place, 3)
    settings = {**STILL, "train_batch_size": 1, "max_grad_norm": 0}
    assert place.train("alone", **settings) == 0
    assert place.train("pairs", gradient_accumulation_steps=2, **settings) == 0
    one, two, three, four, five, six = gradients["alone"]
    expected = [(one + two) / 2, three, (four + five) / 2, six]  # 3 batches an epoch in windows of 2 and 1
    assert len(gradients["pairs"]) == 4
    for ours, by_hand in zip(gradients["pairs"], expected, strict=True):
        torch.testing.assert_close(ours, by_hand, rtol=1e-4, atol=1e-4 * float(by_hand.abs().max()))
    losses = place.losses("alone")
    means = [sum(losses[:2]) / 2, losses[2], sum(losses[3:5]) / 2, losses[5]]
    assert place.losses("pairs") == pytest.approx(means, rel=1e-6)


def test_two_batches_of_one_picture_give_the_gradients_of_one_batch_of_two(
    place: Place, gradients: dict[str, list[Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(run: Run, microbatch: Microbatch, latents: Tensor) -> Any:
        """Noise and timestep of each picture alone, whatever batch it stands in."""
        draws = [seeds.generator(1, "picture", number) for number in microbatch.numbers]
        noise = torch.stack([torch.randn(latents.shape[1:], generator=one) for one in draws])
        return torch.tensor([100 + 300 * number for number in microbatch.numbers]), noise, noise

    monkeypatch.setattr(loop, "draw", draw)
    keep(place, 2)
    assert place.train("once", train_batch_size=2, **STILL) == 0
    assert place.train("twice", train_batch_size=1, gradient_accumulation_steps=2, **STILL) == 0
    assert len(gradients["once"]) == len(gradients["twice"]) == 2
    for once, twice in zip(gradients["once"], gradients["twice"], strict=True):
        torch.testing.assert_close(twice, once, rtol=1e-4, atol=1e-4 * float(once.abs().max()))
    assert place.losses("twice") == pytest.approx(place.losses("once"), rel=1e-5)
