"""THE LOOP: one run, read top to bottom. What it works with is made in preparation.py.

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from trainer import agreement, objective, resuming, seeds
from trainer.atomic import heals
from trainer.checkpoint import State, remove_state, save_network, save_state
from trainer.config import TrainConfig
from trainer.curves import Curves
from trainer.dataset.report import first_step
from trainer.events import EventLog
from trainer.failures import Interrupted, explain
from trainer.families.base import Conditioning, Family
from trainer.job import REQUESTS, Job
from trainer.precision import to_device
from trainer.preparation import prepare
from trainer.processes import StopRequested, Waiting, join
from trainer.reporting import Progress, Report
from trainer.run import Microbatch, Run
from trainer.saving import STATE_SUFFIX, Moment, due_after_epoch, due_after_step, outdated
from trainer.validation import validate

SAVE_PATIENCE_SECONDS = 600
SAVE_RETRY_SECONDS = 10


@dataclass(frozen=True)
class Finished:
    """A run that reached its end. path: the LoRA file."""

    path: Path
    steps: int
    seconds: float


@dataclass(frozen=True)
class Stopped:
    """A run that was asked to stop. state: the folder to resume from; None when it had not begun to train."""

    step: int
    state: Path | None


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
    mask: Tensor | None = None,
    target: Tensor | None = None,
) -> Tensor:
    """The loss of each sample, (B,) float32, with its graph: noise in, prediction out, compared.

    latents: (B, C, h, w), scaled. noise: the same shape. timesteps: (B,) int64 in 0..999. weights: (B,) or None.
    input_noise: what is mixed in when it differs from `noise` (ip_noise_gamma). mask: (B, 1, H, W) in 0..1 at any size,
    how much each place counts. target: (B, C, h, w) to compare with in place of the noise or velocity. Everything on
    one device.
    Ho et al. 2020, arXiv:2006.11239, algorithm 1; weights as in objective.loss.
    """
    v = family.prediction == "v"
    noisy, usual = objective.prepare(latents, noise, timesteps, schedule, v, input_noise)
    prediction = family.predict(noisy, timesteps, conditioning)
    target = usual if target is None else target
    return objective.loss(prediction, target, timesteps, schedule, options, v, weights, mask)


def train(config: TrainConfig, job: Job, events: EventLog) -> Finished | Stopped:
    """Train one LoRA. Raises what preparation raises, and Interrupted for an error after that; start.py tells them."""
    processes = join(config.distributed, Waiting(job, events))
    try:
        with processes.telling(lambda error: explain(error, config).fields()):
            return trained(prepare(config, job, events, processes))
    except StopRequested:
        return Stopped(0, None)


def trained(run: Run) -> Finished | Stopped:
    """From the first step to the last, or to the one at which the run is asked to stop."""
    began = time.monotonic()
    config = run.config
    progress = beginning(run)
    report = Report(run, Curves(config, run.output_name, run.job.id, silent=not run.processes.main))
    first = progress.step
    try:
        if config.sample.sample_at_first and run.prompts and progress.step == 0:
            report.preview(progress)
        run.events.emit("phase", name="training", done=progress.step, total=run.total_steps)
        while progress.step < run.total_steps:
            for window in run.windows(progress.epoch, progress.batch):
                stop = step(run, progress, window, report)
                if progress.step >= run.total_steps:
                    break
                if stop:
                    report.flush()
                    state = insist(lambda: keep_state(run, progress, Moment("step", progress.step)), run, report)
                    run.processes.leave()
                    return Stopped(progress.step, state)
            after_epoch(run, progress, report)
        report.finish(progress)
        path = insist(lambda: keep_network(run, progress, Moment("end")), run, report)
        if config.save.save_state or config.save.save_state_on_train_end:
            try:
                insist(lambda: keep_state(run, progress, Moment("end")), run, report)
            except OSError as error:
                report.warn(f"{error.strerror or error}; the LoRA is whole, but training cannot go on from its end")
        run.processes.leave()
        return Finished(path, progress.step, time.monotonic() - began)
    except Exception as error:
        raise Interrupted(progress.step, rescue(run, progress) if progress.step > first else None) from error
    finally:
        report.close()
        run.close()


def beginning(run: Run) -> Progress:
    """Where a run begins: at its start, where its state was saved, or where initial_step and initial_epoch say."""
    section = run.config.save
    progress = Progress.of(run.resumed.progress) if run.resumed else Progress()
    first = first_step(run.config, run.steps_per_epoch)
    if first is None:
        return progress
    epochs, steps = divmod(first, run.steps_per_epoch)
    skipped = steps * run.config.run.gradient_accumulation_steps if section.skip_until_initial_step else 0
    return replace(progress, step=first, epoch=epochs + 1, batch=skipped)


def step(run: Run, progress: Progress, window: list[Microbatch], report: Report) -> bool:
    """One optimizer step over the batches of an accumulation window, and what falls due after it.

    Returns True when the run was asked to stop.
    """
    config = run.config
    rates = run.set_rates(progress.step)
    if config.precision.torch_compile and config.precision.dynamo_backend == "cudagraphs":
        torch.compiler.cudagraph_mark_step_begin()  # what the last step's graphs gave may be overwritten
    with run.processes.as_one(lambda error: explain(error, config).fields()):
        losses = [backward(run, microbatch, progress.step, 1 / len(window)) for microbatch in window]
    losses = run.processes.add_up(run.trained, losses)
    run.scaler.unscale_(run.optimizer)
    norm = torch.nn.utils.clip_grad_norm_(run.trained, config.optimizer.max_grad_norm or float("inf"))
    run.updating = True
    update(run, norm)
    run.optimizer.zero_grad(set_to_none=True)
    norms = run.network.limit_norms(config.network.scale_weight_norms) if config.network.scale_weight_norms else None
    progress.step += 1
    progress.batch += len(window)
    run.updating = False
    report.add(progress, losses, norm, rates, norms)

    asked = requests(run)
    if due_after_step(config.save, progress.step) or "save" in asked:
        report.flush()
        keep(run, progress, report, Moment("step", progress.step))
    every = None if config.sample.sample_every_n_epochs else config.sample.sample_every_n_steps
    if (every and run.prompts and progress.step % every == 0) or "sample" in asked:
        report.preview(progress)
    if (
        run.held_out
        and config.dataset.validate_every_n_steps
        and progress.step % config.dataset.validate_every_n_steps == 0
    ):
        report.validation(progress, validate(run), "step")
    return "stop" in asked


def requests(run: Run) -> set[str]:
    """What the pages ask for, on whichever machine. All processes obey at the same step."""
    found = [run.job.requested(name) for name in REQUESTS]
    for name, asked in zip(REQUESTS, found, strict=True):
        if asked:
            run.job.obey(name)
    return {name for name, asked in zip(REQUESTS, run.processes.any_of(found), strict=True) if asked}


def backward(run: Run, microbatch: Microbatch, step_number: int, share: float) -> Tensor:
    """Add one batch's gradients to those of its window; returns its part of the mean loss, detached, on the device.

    share: how much it counts in the step: 1 / batches of its window. sd-scripts divides by
    gradient_accumulation_steps in the short last window of an epoch too, whose pictures then count less.
    """
    config, key = run.config, (microbatch.epoch, microbatch.position)
    if not microbatch.numbers:
        return torch.zeros((), device=run.device)  # the others train the last pictures of the epoch
    latents = run.latents_of(microbatch)
    timesteps, noise, input_noise = draw(run, microbatch, latents)
    latents, noise, input_noise, timesteps, weights = (
        to_device(drawn, run.device) for drawn in (latents, noise, input_noise, timesteps, microbatch.weights)
    )
    mask = run.masks_of(microbatch)
    mask = None if mask is None else to_device(mask, run.device)
    own = (run.processes.rank,) if run.processes.rank else ()
    torch.manual_seed(seeds.derive(run.seed, "dropout", *key, *own))
    conditioning = run.conditioning_of(microbatch, step_number)
    losses = training_step(
        run.family, latents, noise, timesteps, conditioning, run.noise_schedule, config.loss,
        weights=weights, input_noise=input_noise, mask=mask,
        target=kept_target(run, microbatch, latents, noise, timesteps, conditioning, input_noise),
    )  # fmt: skip
    loss = losses.mean() * (len(losses) / microbatch.total)  # of all processes together: a mean over all pictures
    run.scaler.scale(loss * share).backward()
    return loss.detach()


def kept_target(
    run: Run,
    microbatch: Microbatch,
    latents: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    conditioning: Conditioning,
    input_noise: Tensor,
) -> Tensor | None:
    """What to compare with, (B, C, h, w), where pictures are to stay as the base model predicts them.

    That is the base model's own prediction for the same numbers (diff_output_preservation, KOHYA_COMPAT 5.8), for the
    others of the batch the usual target. None when no picture of the batch asks for it.
    """
    kept = run.preserved(microbatch)
    if kept is None:
        return None
    v = run.family.prediction == "v"
    noisy, target = objective.prepare(latents, noise, timesteps, run.noise_schedule, v, input_noise)
    with run.base_only():
        base = run.family.predict(noisy, timesteps, conditioning)
    return torch.where(to_device(kept, run.device)[:, None, None, None], base, target)


def draw(run: Run, microbatch: Microbatch, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Timesteps (B,), noise and input noise (B, C, h, w) of a batch, on the CPU.

    Drawn for all pictures of this size that the processes train at this position, of which this batch is a part.
    """
    before, total = microbatch.alike or (0, len(latents))
    own = slice(before, before + len(latents))
    whole = latents if total == len(latents) else latents.new_zeros(total, *latents.shape[1:])
    whole[own] = latents
    others = () if microbatch.total == total else ("bucket", *latents.shape[2:])
    draws = seeds.generator(run.seed, "noise", microbatch.epoch, microbatch.position, *others)
    timesteps = objective.draw_timesteps(total, run.config.noise, draws)
    noise = objective.draw_noise(whole, run.config.noise, draws)
    input_noise = objective.draw_input_noise(noise, run.config.noise, draws)
    return timesteps[own], noise[own], input_noise[own]


def update(run: Run, norm: Tensor) -> None:
    """Let the optimizer take its step, unless the gradients are NaN or infinite: then the weights stay as they are.

    norm: the gradients' norm, a scalar on the device. It is not read on a GPU, which would have to be waited for.
    """
    if run.scaler.is_enabled():
        run.scaler.step(run.optimizer)
        run.scaler.update()
    elif run.device.type != "cpu":
        step_where(torch.isfinite(norm), run.optimizer, run.trained)
    elif torch.isfinite(norm):
        run.optimizer.step()


def step_where(finite: Tensor, optimizer: torch.optim.Optimizer, trained: Sequence[Tensor]) -> None:
    """A step that changes no weight where `finite`, a scalar on the device, is False. Nothing is read back.

    Fused optimizers look at found_inf in their kernel and skip the whole step. Others see gradients of zero, which
    only lets their averages fade, and the weights are put back.
    """
    if getattr(optimizer, "_step_supports_amp_scaling", False):
        optimizer.grad_scale, optimizer.found_inf = None, (~finite).float()  # type: ignore[attr-defined]
        optimizer.step()
        return
    learning = [weight for weight in trained if weight.grad is not None]
    if not learning:
        return
    _choose(finite, [weight.grad for weight in learning if weight.grad is not None], finite.new_zeros(()).float())
    before = torch.cat([weight.detach().flatten() for weight in learning])
    optimizer.step()
    _choose(finite, [weight.detach() for weight in learning], before)


def _choose(finite: Tensor, tensors: Sequence[Tensor], others: Tensor) -> None:
    """Keep `tensors` where `finite`, else put `others` in their place: theirs one after the other, or one number.

    All in a few kernels: a kernel a tensor takes the processor some milliseconds of every step.
    """
    together = torch.cat([tensor.flatten() for tensor in tensors])
    torch.where(finite, together, others, out=together)
    parts = together.split([tensor.numel() for tensor in tensors])
    torch._foreach_copy_(list(tensors), [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])


def after_epoch(run: Run, progress: Progress, report: Report) -> None:
    """What falls due at the end of an epoch; then the next one begins, unless the run ended in the middle of it."""
    config, epoch = run.config, progress.epoch
    report.flush()
    report.epoch(progress)
    if run.held_out and epoch % (config.dataset.validate_every_n_epochs or 1) == 0:
        report.validation(progress, validate(run), "epoch")
    if progress.batch >= run.facts.batches_per_epoch:
        progress.epoch, progress.batch = epoch + 1, 0
    if due_after_epoch(config.save, epoch, run.epochs) and progress.step < run.total_steps:
        keep(run, progress, report, Moment("epoch", epoch))
    every = config.sample.sample_every_n_epochs
    if every and run.prompts and epoch % every == 0:
        report.preview(progress, epoch)


def keep(run: Run, progress: Progress, report: Report, moment: Moment) -> None:
    """Write the LoRA, with a state beside it where wanted, and remove what is older than the settings keep.

    A disk that refuses is told and no reason to end: training goes on, and the next save is the next try. File and
    state may lie on different disks.
    """
    whole = True
    for write in [keep_network, keep_state] if run.config.save.save_state else [keep_network]:
        try:
            write(run, progress, moment)
        except OSError as error:
            whole = False
            report.warn(f"{error.strerror or error}; training goes on, and the next save tries again")
    if whole:
        remove_outdated(run, moment)


def insist(write: Callable[[], Path], run: Run, report: Report) -> Path:
    """Write what a run ends with. A disk that refuses is waited for, as hours of work lie in memory.

    Raises OSError when it still refuses after ten minutes, or at once when the run is asked to stop or waiting is of
    no use, as with a read-only disk.
    """
    deadline = time.monotonic() + SAVE_PATIENCE_SECONDS
    told = False
    while True:
        try:
            return write()
        except OSError as error:
            if not heals(error) or time.monotonic() >= deadline or run.job.requested("stop"):
                raise
            if not told:
                report.warn(f"{error.strerror or error}; it is tried again for {SAVE_PATIENCE_SECONDS // 60} minutes")
            told = True
            time.sleep(SAVE_RETRY_SECONDS)


def rescue(run: Run, progress: Progress) -> Path | None:
    """Keep the state after the last whole step of a run that ends with an error; None when it cannot be kept."""
    if run.updating or not run.processes.main:
        return None  # some weights are of this step, others of the one before
    if run.device.type == "cuda":
        torch.cuda.empty_cache()
    try:
        return keep_state(run, progress, Moment("step", progress.step))
    except Exception:  # whatever it is, the user must hear of the error that ended the run, not of this one
        return None


def keep_network(run: Run, progress: Progress, moment: Moment) -> Path:
    """Write the LoRA as it is now, in the main process; returns the file, under a free name."""
    run.events.emit("phase", name="saving", done=0, total=1)
    wanted = run.output_dir / f"{run.file_name(moment)}.{run.config.save.save_model_as}"
    if not run.processes.main:
        return wanted
    epoch = moment.number if moment.kind == "epoch" else min(progress.epoch, run.epochs)
    with run.evaluation():
        path, size = save_network(
            wanted, run.network.file_tensors(), run.metadata(epoch, progress.step), run.config.save.save_precision
        )
    run.written[moment] = path
    run.events.emit("checkpoint", kind="lora", path=path, step=progress.step, epoch=epoch, bytes=size)
    run.events.emit("phase", name="training", done=progress.step, total=run.total_steps)
    return path


def keep_state(run: Run, progress: Progress, moment: Moment) -> Path:
    """Write a state to resume from, in the main process; returns its folder."""
    config, folder = run.config, run.job.states / f"{run.file_name(moment)}{STATE_SUFFIX}"
    if not run.processes.main:
        return folder
    values = {**progress.values(), "seed": run.seed, "processes": run.processes.count,
              "output_name": run.output_name, "session_id": run.facts.session_id,
              "started_at": run.facts.started_at, "scaler": run.scaler.state_dict(),
              "origin": agreement.origin(run), "settings": resuming.recorded(config)}  # fmt: skip
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
        remove_state(run.written_states.pop(old))
