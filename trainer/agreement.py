"""What several processes must have alike before they train one LoRA: settings, pictures, weights to start from. And
what is told when a run goes on with other files than it was stopped with.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trainer.config import ConfigError, Problem, TrainConfig, parameters
from trainer.dataset import DatasetError
from trainer.families.weights import WeightsError
from trainer.loading.latents import fingerprint
from trainer.processes import Processes

if TYPE_CHECKING:
    from trainer.dataset.scan import Example
    from trainer.run import Run

SECTIONS = ("model", "dataset", "caption", "network", "optimizer", "schedule", "noise", "loss", "run", "precision")
# The seed is machine 0's; the others change how fast a machine is, not what it computes.
OWN_TO_A_MACHINE = frozenset(
    ["seed", "cache_info", "max_data_loader_n_workers", "persistent_data_loader_workers", "sdpa", "xformers",
     "gradient_checkpointing", "torch_compile", "dynamo_backend"]
)  # fmt: skip


def same_settings(config: TrainConfig, processes: Processes) -> None:
    """Raises ConfigError naming each setting that is not machine 0's. Paths may differ: what lies there counts."""
    told = {
        one.address: str(getattr(getattr(config, one.section), one.name))
        for one in parameters()
        if one.section in SECTIONS and one.role is None and one.name not in OWN_TO_A_MACHINE
    }
    said = "{name} is {here} on this machine and {there} on machine 0; start all machines with the same settings"
    problems = [
        Problem(address, said, {"name": address.partition(".")[2], "here": here, "there": there})
        for address, here, there in processes.compare("settings", told)
    ]
    if problems:
        raise ConfigError(problems)


def same_files(run: Run) -> None:
    """The same of pictures with their captions, of the base model, and of the LoRA or state that is gone on from.

    Raises DatasetError or WeightsError.
    """
    if run.processes.count == 1:
        return
    captions = {_name(example): example.caption for example in _usable(run)}
    pictures = {name: f"{looks} {captions[name]}" for name, looks in _looks(run).items()}
    differing = run.processes.compare("pictures", pictures)
    if differing:
        raise DatasetError(
            f"this machine has other pictures or captions than machine 0 ({len(differing)} differ, such as "
            f"{differing[0][0]}), so they cannot train together; copy the training folder anew"
        )
    step = run.resumed.progress["step"] if run.resumed else 0
    base = run.base_hashes.result().new_hash
    facts = {"base model": str(base), "LoRA or state": f"{step} {fingerprint(run.network)}"}
    for name, _, _ in run.processes.compare("weights", facts):
        raise WeightsError(f"this machine starts from another {name} than machine 0; copy the file anew")


def origin(run: Run) -> dict[str, str | int | None]:
    """What a state says about the files it was trained with, for `changes`."""
    pictures, captions = _looks(run), sorted((_name(example), example.caption) for example in _usable(run))
    return {
        "pictures": len(pictures),
        "looks": _digest(sorted(pictures.items())),
        "captions": _digest(captions),
        "base": run.base_hashes.result().new_hash,
    }


def changes(run: Run) -> Iterator[str]:
    """A sentence for each thing that is not what the state was trained with. None of them ends the run: perhaps they
    were meant."""
    then = (run.resumed.progress if run.resumed else {}).get("origin")
    if not isinstance(then, Mapping):
        return
    now = origin(run)
    if now["base"] and then.get("base") and then["base"] != now["base"]:
        yield (
            "the base model is another file than when the state was saved; the LoRA goes on as if it had been this one"
        )
    if then.get("looks") != now["looks"]:
        yield (
            f"the pictures are not those of the state ({then.get('pictures')} then, {now['pictures']} now, some may be "
            f"others); the epoch goes on with those that are there now, and the run ends at step {run.total_steps}"
        )
    elif then.get("captions") != now["captions"]:
        yield "captions have been changed since the state was saved; the new ones are trained from here on"


def _usable(run: Run) -> list[Example]:
    return [example for example in run.dataset.examples if example.index not in run.latents.skipped]


def _name(example: Example) -> str:
    return f"{example.path.parent.name}/{example.path.name}"


def _looks(run: Run) -> dict[str, str]:
    """Picture -> bucket, repeats and size in bytes: cheap, and an edited picture has hardly the same."""
    found = {}
    for example in _usable(run):
        with contextlib.suppress(OSError):
            found[_name(example)] = f"{example.bucket} {example.repeats} {example.path.stat().st_size}"
    return found


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
