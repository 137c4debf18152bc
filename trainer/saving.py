"""When a run saves, under which names, and which of its own files it removes again (KOHYA_COMPAT 8.1). LIGHT."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.config.save import Save


UNNAMED = {"epoch": "epoch", "step": "at", "end": "last"}  # what files of a run without output_name are called


@dataclass(frozen=True)
class Moment:
    """A point at which something is saved: the end of an epoch, a step, or the end of the run."""

    kind: str  # "epoch", "step", "end"
    number: int = 0  # epoch from 1, or optimizer step

    def suffix(self) -> str:
        """What stands behind the output name: -000002, -step00000500 or nothing."""
        return {"epoch": f"-{self.number:06d}", "step": f"-step{self.number:08d}", "end": ""}[self.kind]

    def file_name(self, name: str, named: bool = True) -> str:
        """What is saved at this moment by the run `name`, without extension: cat-000002.

        named: False for a run without output_name, called last or last-2: epoch-000002, at-step00000500, last.
        """
        own = name if named else name.replace(UNNAMED["end"], UNNAMED[self.kind], 1)
        return f"{own}{self.suffix()}"


def epoch_interval(section: Save, num_epochs: int) -> int | None:
    """Every how many epochs a file is written; save_n_epoch_ratio overrides save_every_n_epochs."""
    if section.save_n_epoch_ratio:
        return max(1, num_epochs // section.save_n_epoch_ratio)
    return section.save_every_n_epochs


def due_after_epoch(section: Save, epoch: int, num_epochs: int) -> bool:
    """An epoch file is due; the last epoch has none, it is the final file."""
    every = epoch_interval(section, num_epochs)
    return bool(every) and epoch % every == 0 and epoch < num_epochs  # type: ignore[operator]


def due_after_step(section: Save, step: int) -> bool:
    """A step file is due; it may fall on the last step and stand beside the final file."""
    return bool(section.save_every_n_steps) and step % section.save_every_n_steps == 0  # type: ignore[operator]


def outdated(section: Save, moment: Moment, num_epochs: int, state: bool = False) -> Moment | None:
    """The file (or state) of this run that the save at `moment` makes superfluous, or None.

    sd-scripts removes exactly one at a time; a state follows its own limit, or the file's where it has none.
    """
    if moment.kind == "epoch":
        keep = section.save_last_n_epochs
        keep = section.save_last_n_epochs_state or keep if state else keep
        every = epoch_interval(section, num_epochs)
        number = moment.number - every * keep if keep and every else 0
    elif moment.kind == "step":
        keep = section.save_last_n_steps
        keep = section.save_last_n_steps_state or keep if state else keep
        every = section.save_every_n_steps
        number = (moment.number - keep - 1) // every * every if keep and every else 0
    else:
        return None
    return Moment(moment.kind, number) if number > 0 else None


def output_folder(section: Save) -> Path:
    """Where LoRA files go."""
    return Path(section.output_dir or "output")
