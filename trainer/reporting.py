"""What a run says while it goes: events, curves, a line on the console. The loop decides when; nothing here trains."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from trainer import previews
from trainer.curves import Curves, LossAverage
from trainer.failures import NotANumber
from trainer.precision import peak_memory_gib
from trainer.preparation import Run

BAD_STEPS_IN_A_ROW = 20


@dataclass
class Progress:
    """Where a run stands; with network and optimizer it is all that a resumed run needs."""

    step: int = 0  # optimizer steps done
    epoch: int = 1  # the epoch being trained
    batch: int = 0  # batches of that epoch done
    average: LossAverage = field(default_factory=LossAverage)

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "losses": list(self.average.values.items()),
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Progress:
        """From JSON."""
        losses = {int(position): float(loss) for position, loss in values["losses"]}
        return cls(values["step"], values["epoch"], values["batch"], LossAverage(losses))


@dataclass(frozen=True)
class StepNumbers:
    """What one step has to tell; tensors stay on the device until they are read."""

    step: int
    epoch: int
    first_position: int
    losses: Sequence[Tensor]
    norm: Tensor
    rates: Mapping[str, float]
    next_rates: Mapping[str, float]
    norms: tuple[Tensor, Tensor, Tensor] | None
    seconds: float


class Report:
    """Tells steps a step late: reading a loss waits for the GPU, so it is read when the next step has been queued."""

    def __init__(self, run: Run, curves: Curves) -> None:
        self._run = run
        self._curves = curves
        self._waiting: tuple[StepNumbers, LossAverage] | None = None
        self._last = time.monotonic()
        self._bad_steps = 0

    def add(
        self,
        progress: Progress,
        losses: Sequence[Tensor],
        norm: Tensor,
        rates: Mapping[str, float],
        norms: tuple[Tensor, Tensor, Tensor] | None,
    ) -> None:
        """Take the numbers of the step that was just done. Raises NotANumber after 20 bad steps in a row."""
        now = time.monotonic()
        numbers = StepNumbers(
            progress.step,
            progress.epoch,
            progress.batch - len(losses),
            losses,
            norm,
            rates,
            self._run.rates_at(progress.step),
            norms,
            now - self._last,
        )
        self._last = now
        self.flush()
        self._waiting = numbers, progress.average
        if self._run.device.type == "cpu":
            self.flush()

    def flush(self) -> None:
        """Tell the step that waits, if any."""
        if self._waiting is None:
            return
        numbers, average = self._waiting
        self._waiting = None
        values = [float(loss) for loss in numbers.losses]
        for index, loss in enumerate(values):
            if loss == loss:
                average.add(numbers.first_position + index, loss)
            self._curves.scalars(_curve_points(numbers, loss, average.mean), numbers.step - (index < len(values) - 1))
        self._count_bad(numbers.step, values)
        run = self._run
        run.events.emit(
            "step", step=numbers.step, total=run.total_steps, epoch=numbers.epoch, epochs=run.epochs,
            loss=sum(values) / len(values),
            average=average.mean, lr=dict(numbers.rates), grad_norm=float(numbers.norm),
            seconds=round(numbers.seconds, 4),
            vram_gib=peak_memory_gib(run.device),
        )  # fmt: skip
        _console(f"epoch {numbers.epoch}/{run.epochs}  step {numbers.step}/{run.total_steps}  "
                 f"avr_loss={average.mean:.4f}  "
                 f"{numbers.seconds:.2f} s/step", last=numbers.step >= run.total_steps)  # fmt: skip

    def epoch(self, progress: Progress) -> None:
        """An epoch has ended."""
        self._curves.scalars({"loss/epoch_average": progress.average.mean}, progress.epoch)
        self._run.events.emit("epoch", epoch=progress.epoch, epochs=self._run.epochs, average=progress.average.mean)

    def validation(self, progress: Progress, loss: float, axis: str) -> None:
        """A validation loss was measured, at a step or at the end of an epoch."""
        tag = "loss/validation/step_average" if axis == "step" else "loss/validation/epoch_average"
        self._curves.scalars({tag: loss}, progress.step if axis == "step" else progress.epoch)
        self._run.events.emit("validation", step=progress.step, epoch=progress.epoch, loss=loss)
        self._last = time.monotonic()

    def preview(self, progress: Progress, epoch_end: bool = False) -> None:
        """Draw the sample prompts. A failure is a warning, never the end of the run."""
        self.flush()
        run = self._run
        if not run.prompts:
            self.warn("no preview was made: this run has no sample_prompts")
            return
        total = len(run.prompts)
        run.events.emit("phase", name="sampling", done=0, total=total)
        with run.evaluation():
            for done, made in enumerate(
                previews.draw(run.family, run.prompts, run.config.sample.sample_sampler), start=1
            ):
                if made.warning is not None:
                    self.warn(made.warning)
                if made.picture is None:
                    continue
                name = previews.file_name(run.output_name, made, progress.epoch if epoch_end else None, progress.step)
                for folder in (run.job.samples, run.output_dir / "sample"):
                    fault = previews.save(folder / name, made)
                    if fault is not None:
                        self.warn(fault)
                self._curves.image(f"sample_{made.number}", made.picture, progress.step)
                run.events.emit(
                    "sample",
                    step=progress.step,
                    epoch=progress.epoch,
                    file=f"samples/{name}",
                    prompt=made.prompt.prompt,
                    seed=made.seed,
                )
                run.events.emit("phase", name="sampling", done=done, total=total)
        run.events.emit("phase", name="training", done=progress.step, total=run.total_steps)
        self._last = time.monotonic()

    def warn(self, message: str) -> None:
        """Something the user should know; the run goes on."""
        print(f"warning: {message}", file=sys.stderr)
        self._run.events.emit("warning", message=message)

    def close(self) -> None:
        """Close the curves."""
        self._curves.close()

    def _count_bad(self, step: int, losses: Sequence[float]) -> None:
        if all(torch.isfinite(torch.tensor(losses))):
            self._bad_steps = 0
            return
        self._bad_steps += 1
        if self._bad_steps == 1:
            self.warn(f"step {step}: the loss is not a number; such steps are left out")
        if self._bad_steps >= BAD_STEPS_IN_A_ROW:
            raise NotANumber(
                f"the loss was not a number {BAD_STEPS_IN_A_ROW} steps in a row (up to step {step}); training was ended"
            )


def _curve_points(numbers: StepNumbers, loss: float, average: float) -> dict[str, float]:
    """Points of one batch under sd-scripts' tags; the rate shown is that of the next step, as there."""
    points = {"loss/current": loss, "loss/average": average}
    points.update({f"lr/{label}": rate for label, rate in numbers.next_rates.items()})
    if numbers.norms is not None:
        scaled, mean, largest = (number.item() for number in numbers.norms)
        points.update({"max_norm/keys_scaled": scaled, "max_norm/max_key_norm": largest, "norm/avg_key_norm": mean})
    return points


def _console(line: str, last: bool) -> None:
    """A progress line that rewrites itself; in a log file it is folded by the reader."""
    print(f"\r{line}", end="\n" if last else "", flush=True)
