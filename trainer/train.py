"""THE LOOP: one run, read top to bottom. What it works with is made in preparation.py.

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainer import objective, seeds
from trainer.checkpoint import State, free_path, save_network, save_state
from trainer.config import TrainConfig
from trainer.curves import Curves
from trainer.events import EventLog
from trainer.families.base import Conditioning, Family
from trainer.job import Job
from trainer.preparation import Microbatch, Run, prepare
from trainer.reporting import Progress, Report
from trainer.saving import Moment, due_after_epoch, due_after_step, outdated
from trainer.validation import validate


@dataclass(frozen=True)
class Finished:
    """A run that reached its end. path: the LoRA file."""

    path: Path
    steps: int
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """A run that was asked to stop. state: the folder to resume from."""

    step: int
    state: Path


def training_step(
    family: Family,
    latents: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    conditioning: Conditioning,
    schedule: objective.NoiseSchedule,
    options: objective.LossOptions,
    *,
    weights: Tensor | None = None,
    input_noise: Tensor | None = None,
) -> Tensor:
    """The loss of each sample, (B,) float32, with its graph: noise in, prediction out, compared.

    latents: (B, C, h, w), scaled. noise: the same shape. timesteps: (B,) int64 in 0..999. weights: (B,) or None.
    input_noise: what is mixed in when it differs from `noise` (ip_noise_gamma). Everything on one device.
    Ho et al. 2020, arXiv:2006.11239, algorithm 1; weights as in objective.loss.
    """
    v = family.prediction == "v"
    noisy, target = objective.prepare(latents, noise, timesteps, schedule, v, input_noise)
    prediction = family.predict(noisy, timesteps, conditioning)
    return objective.loss(prediction, target, timesteps, schedule, options, v, weights)


def train(config: TrainConfig, job: Job, events: EventLog) -> Finished | Stopped:
    """Train one LoRA. Raises what preparation and saving raise; how that is told to the user is in start.py."""
    began = time.monotonic()
    run = prepare(config, job, events)
    progress = Progress.of(run.resumed.progress) if run.resumed else Progress()
    report = Report(run, Curves(config.log))
    try:
        if config.sample.sample_at_first and progress.step == 0:
            report.preview(progress)
        events.emit("phase", name="training", done=progress.step, total=run.total_steps)
        while progress.epoch <= run.epochs:
            for window in run.windows(progress.epoch, progress.batch):
                step(run, progress, window, report)
                if progress.step >= run.total_steps:
                    break
                if wants_to_stop(run, progress, report):
                    return Stopped(progress.step, keep_state(run, progress, Moment("step", progress.step)))
            after_epoch(run, progress, report)
        report.flush()
        path = keep_network(run, progress, Moment("end"))
        if config.save.save_state or config.save.save_state_on_train_end:
            keep_state(run, progress, Moment("end"))
        return Finished(path, progress.step, time.monotonic() - began)
    finally:
        report.close()
        run.latents.close()


def step(run: Run, progress: Progress, window: list[Microbatch], report: Report) -> None:
    """One optimizer step over the batches of an accumulation window, and what falls due after it."""
    config = run.config
    rates = run.set_rates(progress.step)
    losses = [backward(run, microbatch, progress.step) for microbatch in window]
    run.scaler.unscale_(run.optimizer)
    norm = torch.nn.utils.clip_grad_norm_(run.trained, config.optimizer.max_grad_norm or float("inf"))
    if keep_bad_gradients_out(run, norm):
        run.scaler.step(run.optimizer)
    run.scaler.update()
    run.optimizer.zero_grad(set_to_none=True)
    norms = run.network.limit_norms(config.network.scale_weight_norms) if config.network.scale_weight_norms else None
    progress.step += 1
    progress.batch += len(window)
    report.add(progress, losses, norm, rates, norms)

    moment = Moment("step", progress.step)
    if due_after_step(config.save, progress.step) or run.job.requested("save"):
        run.job.obey("save")
        report.flush()
        keep_network(run, progress, moment)
        if config.save.save_state:
            keep_state(run, progress, moment)
        remove_outdated(run, moment)
    every = None if config.sample.sample_every_n_epochs else config.sample.sample_every_n_steps
    if (every and progress.step % every == 0) or run.job.requested("sample"):
        run.job.obey("sample")
        report.preview(progress)
    if (
        run.held_out
        and config.dataset.validate_every_n_steps
        and progress.step % config.dataset.validate_every_n_steps == 0
    ):
        report.validation(progress, validate(run), "step")


def backward(run: Run, microbatch: Microbatch, step_number: int) -> Tensor:
    """Add one batch's gradients to those of its window; returns its mean loss, detached, still on the device."""
    config, key = run.config, (microbatch.epoch, microbatch.position)
    latents = run.latents_of(microbatch)
    draws = seeds.generator(run.seed, "noise", *key)
    timesteps = objective.draw_timesteps(len(latents), config.noise, draws).to(run.device)
    noise = objective.draw_noise(latents, config.noise, draws)
    input_noise = objective.draw_input_noise(noise, config.noise, draws)
    torch.manual_seed(seeds.derive(run.seed, "dropout", *key))
    losses = training_step(
        run.family, latents, noise, timesteps, run.conditioning_of(microbatch, step_number), run.noise_schedule,
        config.loss,
        weights=microbatch.weights.to(run.device), input_noise=input_noise,
    )  # fmt: skip
    loss = losses.mean()
    run.scaler.scale(loss / config.run.gradient_accumulation_steps).backward()
    return loss.detach()


def keep_bad_gradients_out(run: Run, norm: Tensor) -> bool:
    """False when this step must be left out because its gradients are NaN or infinite.

    With a scaler it decides itself. On a GPU nothing is asked, as that would wait for it: bad gradients become zero
    there.
    """
    if run.scaler.is_enabled():
        return True
    if run.device.type == "cpu":
        return bool(torch.isfinite(norm))
    finite = torch.isfinite(norm)
    for parameter in run.trained:
        if parameter.grad is not None:
            parameter.grad = torch.where(finite, parameter.grad, torch.zeros_like(parameter.grad))
    return True


def wants_to_stop(run: Run, progress: Progress, report: Report) -> bool:
    """The user asked to stop. Everything told so far is written first."""
    if not run.job.requested("stop"):
        return False
    run.job.obey("stop")
    report.flush()
    return True


def after_epoch(run: Run, progress: Progress, report: Report) -> None:
    """What falls due at the end of an epoch; then the next one begins."""
    config, epoch = run.config, progress.epoch
    report.flush()
    report.epoch(progress)
    if run.held_out and epoch % (config.dataset.validate_every_n_epochs or 1) == 0:
        report.validation(progress, validate(run), "epoch")
    moment = Moment("epoch", epoch)
    due = due_after_epoch(config.save, epoch, run.epochs) and progress.step < run.total_steps
    if due:
        keep_network(run, progress, moment)
    every = config.sample.sample_every_n_epochs
    if every and epoch % every == 0:
        report.preview(progress, epoch_end=True)
    progress.epoch, progress.batch = epoch + 1, 0
    if due and config.save.save_state:
        keep_state(run, progress, moment)
    if due:
        remove_outdated(run, moment)


def keep_network(run: Run, progress: Progress, moment: Moment) -> Path:
    """Write the LoRA as it is now; returns the file, under a free name."""
    run.events.emit("phase", name="saving", done=0, total=1)
    path = free_path(run.output_dir / f"{run.output_name}{moment.suffix()}.safetensors")
    epoch = moment.number if moment.kind == "epoch" else min(progress.epoch, run.epochs)
    with run.evaluation():
        size = save_network(
            path, run.network.file_tensors(), run.metadata(epoch, progress.step), run.config.save.save_precision
        )
    run.written[moment] = path
    run.events.emit("checkpoint", kind="lora", path=path, step=progress.step, epoch=epoch, bytes=size)
    run.events.emit("phase", name="training", done=progress.step, total=run.total_steps)
    return path


def keep_state(run: Run, progress: Progress, moment: Moment) -> Path:
    """Write a state to resume from; returns its folder."""
    folder = run.job.states / f"{run.output_name}{moment.suffix()}-state"
    values = {**progress.values(), "seed": run.seed, "output_name": run.output_name, "session_id": run.facts.session_id,
              "started_at": run.facts.started_at, "scaler": run.scaler.state_dict()}  # fmt: skip
    path = save_state(folder, State(values, run.network.state_dict(), run.optimizer.state_dict()))
    run.written_states[moment] = path
    run.events.emit("checkpoint", kind="state", path=path, step=progress.step, epoch=progress.epoch, bytes=None)
    return path


def remove_outdated(run: Run, moment: Moment) -> None:
    """Remove the file and the state of this run that the settings no longer keep; never anything it did not write."""
    old = outdated(run.config.save, moment, run.epochs)
    if old is not None and old in run.written:
        run.written.pop(old).unlink(missing_ok=True)
    old = outdated(run.config.save, moment, run.epochs, state=True)
    if old is not None and old in run.written_states:
        shutil.rmtree(run.written_states.pop(old), ignore_errors=True)
