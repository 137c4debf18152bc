"""The fixed-noise validation loss: held-out pictures, always with the same noise at the same timesteps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from trainer import objective, seeds

if TYPE_CHECKING:
    from trainer.run import Run


@torch.no_grad()
def validate(run: Run) -> float:
    """Mean plain loss of the held-out pictures over four timesteps (200, 400, 600, 800 of the usual range).

    Noise depends on validation_seed and the picture only, so values of one run, and of runs on the same pictures,
    compare. Loss weights (min-SNR and such) are left out: they would make runs with other weights incomparable.
    """
    config = run.config
    seed = run.seed if config.dataset.validation_seed is None else config.dataset.validation_seed
    batches = run.held_out[: config.dataset.max_validation_steps]
    v = run.family.prediction == "v"
    total, count = 0.0, 0
    with run.evaluation():
        for batch in batches[run.processes.rank :: run.processes.count]:
            latents, masks = run.latents_of(batch).to(run.device), run.masks_of(batch)
            conditioning = run.measured_conditioning_of(batch)
            for timestep in objective.validation_timesteps(config.noise):
                draws = [seeds.generator(seed, "validation", number, timestep) for number in batch.numbers]
                noise = torch.stack([torch.randn(latents.shape[1:], generator=draw) for draw in draws]).to(run.device)
                timesteps = torch.full((len(latents),), timestep, device=run.device)
                noisy, target = objective.prepare(latents, noise, timesteps, run.noise_schedule, v)
                prediction = run.family.predict(noisy, timesteps, conditioning)
                errors = (prediction - target).square()
                total += float((errors if masks is None else errors * masks.to(run.device)).mean(dim=(1, 2, 3)).sum())
                count += len(latents)
    total, counted = run.processes.sum_of([total, count])
    return total / counted
