"""What a run says while it goes: events, curves, a line on the console. The loop decides when; nothing here trains."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from trainer import previews
from trainer.console import LOG, PROGRESS
from trainer.curves import Curves, LossAverage, old_rate_names
from trainer.failures import NotANumber
from trainer.precision import Sent, peak_memory_gib
from trainer.run import Run

PREVIEW_NEWS_SECONDS = 1


@dataclass
class Progress:
    """Where a run stands; with network and optimizer it is all that a resumed run needs."""

    step: int = 0  # optimizer steps done
    epoch: int = 1  # the epoch being trained
    batch: int = 0  # batches of that epoch done
    average: LossAverage = field(default_factory=LossAverage)
    left_out: int = 0  # steps whose loss or gradients were not finite
    left_out_in_a_row: int = 0

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "losses": list(self.average.values.items()),
            "left_out": self.left_out,
            "left_out_in_a_row": self.left_out_in_a_row,
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Progress:
        """From JSON."""
        losses = {int(position): float(loss) for position, loss in values["losses"]}
        counts = (int(values.get(name, 0)) for name in ("left_out", "left_out_in_a_row"))
        return cls(values["step"], values["epoch"], values["batch"], LossAverage(losses), *counts)


@dataclass(frozen=True)
class StepNumbers:
    """What one step has to tell. sent: its losses, the gradients' norm and, with scale_weight_norms, three norms."""

    step: int
    epoch: int
    first_position: int
    num_losses: int
    sent: Sent
    rates: Mapping[str, float]
    next_rates: Mapping[str, float]
    seconds: float


class Report:
    """Tells steps a step late: reading a loss waits for the GPU, so it is read when the next step has been queued.

    The GPU then has work while the numbers of the step before it are told.
    """

    def __init__(self, run: Run, curves: Curves) -> None:
        self._run = run
        self._curves = curves
        curves.warn = self.warn
        self._waiting: tuple[StepNumbers, Progress] | None = None
        self._last = time.monotonic()

    def add(
        self,
        progress: Progress,
        losses: Sequence[Tensor],
        norm: Tensor,
        rates: Mapping[str, float],
        norms: tuple[Tensor, Tensor, Tensor] | None,
    ) -> None:
        """Take the numbers of the step that was just done. Raises NotANumber after max_nan_steps bad ones in a row."""
        now = time.monotonic()
        numbers = StepNumbers(
            progress.step,
            progress.epoch,
            progress.batch - len(losses),
            len(losses),
            Sent([*losses, norm, *(norms or ())]),
            rates,
            self._run.rates_at(progress.step),
            now - self._last,
        )
        self._last = now
        self.flush()
        self._waiting = numbers, progress
        if self._run.device.type == "cpu":
            self.flush()

    def flush(self) -> None:
        """Tell the step that waits, if any."""
        if self._waiting is None:
            return
        numbers, progress = self._waiting
        self._waiting = None
        average = progress.average
        read = numbers.sent.read()
        values, norm, norms = read[: numbers.num_losses], read[numbers.num_losses], read[numbers.num_losses + 1 :]
        for index, loss in enumerate(values):
            if math.isfinite(loss):
                average.add(numbers.first_position + index, loss)
            whole = index == len(values) - 1  # the batch with which the optimizer took its step
            points = _curve_points(numbers, norms, loss, average.mean, whole, self._run.config.log.log_old_rate_names)
            self._curves.scalars(points, numbers.step - (not whole))
        self._count_bad(numbers.step, progress, values, norm)
        run = self._run
        run.events.emit(
            "step", step=numbers.step, total=run.total_steps, epoch=numbers.epoch, epochs=run.epochs,
            loss=sum(values) / len(values),
            average=average.mean, lr=dict(numbers.rates), grad_norm=norm, left_out=progress.left_out,
            seconds=round(numbers.seconds, 4),
            vram_gib=peak_memory_gib(run.device),
        )  # fmt: skip
        left_out = f"  left out: {progress.left_out}" if progress.left_out else ""
        LOG.info(
            f"epoch {numbers.epoch}/{run.epochs}  step {numbers.step}/{run.total_steps}  avr_loss={average.mean:.4f}  "
            f"{numbers.seconds:.2f} s/step{left_out}",
            extra=PROGRESS,
        )
        if LOG.isEnabledFor(logging.DEBUG):
            rates = " ".join(f"{label}={rate:.3g}" for label, rate in numbers.rates.items())
            memory = f"  {peak:.2f} GiB" if (peak := peak_memory_gib(run.device)) is not None else ""
            LOG.debug(f"step {numbers.step}: lr {rates}  grad_norm={norm:.4g}{memory}")

    def epoch(self, progress: Progress) -> None:
        """An epoch has ended."""
        self._curves.scalars({"loss/epoch_average": progress.average.mean}, progress.epoch, "epoch")
        self._run.events.emit("epoch", epoch=progress.epoch, epochs=self._run.epochs, average=progress.average.mean)

    def validation(self, progress: Progress, loss: float, axis: str) -> None:
        """A validation loss was measured, at a step or at the end of an epoch."""
        tag = f"loss/validation/{axis}"
        points = {f"{tag}_average": loss, f"{tag}_divergence": loss - progress.average.mean}
        if axis == "step":
            self._curves.scalars(points, progress.step)
        else:
            self._curves.scalars(points, progress.epoch, "epoch")
        self._run.events.emit("validation", step=progress.step, epoch=progress.epoch, loss=loss)
        self._last = time.monotonic()

    def preview(self, progress: Progress, ended_epoch: int | None = None) -> None:
        """Draw the sample prompts. A failure is a warning, never the end of the run.

        ended_epoch: the epoch at whose end this is; None in its middle, where file names count steps.
        """
        self.flush()
        run = self._run
        if not run.processes.main:
            return
        if not run.prompts:
            self.warn("no preview was made: this run has no sample_prompts")
            return
        total = sum(prompt.steps for prompt in run.prompts)
        told = [0.0]

        def look(steps: int) -> bool:
            """Tells how far the pictures are; True when a stop is asked for, which does not wait for them."""
            if time.monotonic() - told[0] > PREVIEW_NEWS_SECONDS:
                told[0] = time.monotonic()
                run.events.emit("phase", name="sampling", done=steps, total=total)
            return run.job.requested("stop")

        look(0)
        with run.evaluation():
            for made in previews.draw(run.family, run.prompts, run.config.sample.sample_sampler, look):
                if made.warning is not None:
                    self.warn(made.warning)
                if made.picture is None:
                    continue
                named = "" if run.config.save.output_name is None else run.output_name
                name = previews.file_name(named, made, ended_epoch, progress.step)
                for folder in (run.job.samples, run.output_dir / "sample"):
                    fault = previews.save(folder / name, made)
                    if fault is not None:
                        self.warn(fault)
                self._curves.image(f"sample_{made.number}", made.picture, progress.step)
                run.events.emit(
                    "sample",
                    step=progress.step,
                    epoch=progress.epoch if ended_epoch is None else ended_epoch,
                    file=f"samples/{name}",
                    prompt=made.prompt.prompt,
                    seed=made.seed,
                )
        run.events.emit("phase", name="training", done=progress.step, total=run.total_steps)
        self._last = time.monotonic()

    def warn(self, message: str) -> None:
        """Something the user should know; the run goes on."""
        LOG.warning(message)
        self._run.events.emit("warning", message=message)

    def finish(self, progress: Progress) -> None:
        """Tell what is left to tell. Raises NotANumber when every step of the run was left out."""
        self.flush()
        if progress.left_out and progress.left_out == progress.step:
            raise NotANumber(f"the loss was not a number in any of the {progress.step} steps; nothing was learned")

    def close(self) -> None:
        """Close the curves."""
        self._curves.close()

    def _count_bad(self, step: int, progress: Progress, losses: Sequence[float], norm: float) -> None:
        """Count a step that was left out. With a scaler an infinite norm only says that its scale was too high."""
        finite = all(map(math.isfinite, losses)) and (math.isfinite(norm) or self._run.scaler.is_enabled())
        if finite:
            progress.left_out_in_a_row = 0
            return
        progress.left_out += 1
        progress.left_out_in_a_row += 1
        if progress.left_out_in_a_row == 1:
            self.warn(f"step {step}: the loss is not a number; such steps are left out")
        limit = self._run.config.run.max_nan_steps
        if progress.left_out_in_a_row >= limit:
            progress.left_out_in_a_row = 0  # a run that goes on from the kept state has its chance anew
            raise NotANumber(
                f"the loss was not a number {limit} steps in a row (up to step {step}); training was ended"
            )


def _curve_points(
    numbers: StepNumbers, norms: Sequence[float], loss: float, average: float, whole: bool, old_names: bool
) -> dict[str, float]:
    """Points of one batch under sd-scripts' tags; the rate shown is that of the step that comes next, as there.

    norms: how many were scaled, their mean and the largest, or nothing. whole: the optimizer has taken its step with
    this batch; before, the rate of that step is still to come. old_names: rates stand under sd-scripts' second set of
    names too.
    """
    points = {"loss/current": loss, "loss/average": average}
    rates = numbers.next_rates if whole else numbers.rates
    named = {**old_rate_names(rates), **rates} if old_names else rates
    points.update({f"lr/{label}": rate for label, rate in named.items()})
    if whole and norms:
        scaled, mean, largest = norms
        points.update({"max_norm/keys_scaled": scaled, "max_norm/max_key_norm": largest, "norm/avg_key_norm": mean})
    return points
