"""A prepared run: what the loop works with, and the batches of its epochs. What makes it is preparation.py.

B batch · C latent channels · h w latent rows, columns
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainer import metadata, objective, optimizers, schedules, seeds
from trainer.checkpoint import Reserved, State
from trainer.config import TrainConfig
from trainer.dataset import captions
from trainer.dataset.buckets import size_ids, true_size_ids
from trainer.dataset.scan import Dataset, Example
from trainer.events import EventLog
from trainer.families.base import Conditioning, Family
from trainer.job import Job
from trainer.loading.batches import BatchPlan, deal
from trainer.loading.latents import LatentBatch, Latents, Use
from trainer.loading.texts import KeptTexts
from trainer.locks import Lock
from trainer.networks.network import Network
from trainer.processes import Processes
from trainer.prompts import Prompt
from trainer.saving import Moment


@dataclass(frozen=True)
class Microbatch:
    """One batch of one epoch. position: its place there. numbers: Example.index, over training then validation.

    With several processes a position has a batch for each, perhaps an empty one. What is drawn by chance is drawn as
    if all of them were one batch, and each takes its part.
    """

    epoch: int
    position: int
    numbers: tuple[int, ...]
    weights: Tensor  # (B,)
    total: int  # pictures at this position, over all processes
    first: int = 0  # how many of them come before the own ones
    alike: tuple[int, int] | None = None  # among those of the own bucket: how many come before, how many there are

    @property
    def slots(self) -> range:
        """The places of the own pictures among all of this position."""
        return range(self.first, self.first + len(self.numbers))


@dataclass
class Run:
    """A prepared run. Only the network, the optimizer and the scaler change while it goes."""

    config: TrainConfig
    job: Job
    events: EventLog
    seed: int
    device: torch.device
    family: Family
    dataset: Dataset
    latents: Latents
    texts: KeptTexts | None
    network: Network
    optimizer: torch.optim.Optimizer
    factors: Sequence[schedules.Factor]
    scaler: torch.amp.GradScaler
    noise_schedule: objective.NoiseSchedule
    prompts: Sequence[Prompt]
    held_out: Sequence[Microbatch]
    epochs: int
    total_steps: int
    steps_per_epoch: int
    output_dir: Path
    name: Reserved
    facts: metadata.RunFacts
    base_hashes: Future[metadata.FileFacts]
    processes: Processes = field(default_factory=Processes)
    card: Lock | None = None
    resumed: State | None = None
    updating: bool = False  # while the optimizer changes the weights
    written: dict[Moment, Path] = field(default_factory=dict)
    written_states: dict[Moment, Path] = field(default_factory=dict)
    _last: tuple[Microbatch, LatentBatch] | None = None

    @property
    def output_name(self) -> str:
        """What its files are called."""
        return self.name.name

    def file_name(self, moment: Moment) -> str:
        """What is saved at a moment, without extension."""
        return moment.file_name(self.output_name, named=self.config.save.output_name is not None)

    def close(self) -> None:
        """Let go of the pictures, of the name and of the card."""
        self.latents.close()
        for lock in (self.name.lock, self.card):
            if lock is not None:
                lock.release()

    @property
    def trained(self) -> list[nn.Parameter]:
        """Every parameter that the optimizer changes."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    def windows(self, epoch: int, done: int) -> Iterator[list[Microbatch]]:
        """The accumulation windows of an epoch that are left when `done` of its batches have been trained.

        The last window of an epoch may be short; it makes a step all the same.
        """
        size = self.config.run.gradient_accumulation_steps
        dealt = deal(
            usable(self.dataset, self.latents), self.dataset.batch_sizes, self.seed, epoch, self.processes.count
        )
        rest = [
            _microbatch(self.dataset.examples, epoch, position, batches, self.processes.rank)
            for position, batches in enumerate(dealt)
        ][done:]
        self.latents.expect([self.uses_of(batch) for batch in rest if batch.numbers])
        for start in range(0, len(rest), size):
            yield rest[start : start + size]

    def example(self, number: int) -> Example:
        """The example of a number: training examples first, held-out ones behind them."""
        count = len(self.dataset.examples)
        return self.dataset.examples[number] if number < count else self.dataset.validation[number - count]

    def uses_of(self, batch: Microbatch) -> list[Use]:
        """The pictures of a batch, mirrored where chance says so; held-out ones are left as they are."""
        trained = len(self.dataset.examples)
        place = ("epoch", batch.epoch, batch.position)
        return [
            Use(number, flip, (*place, slot) if number < trained else ("held out", number), augmented=number < trained)
            for slot, number, flip in zip(batch.slots, batch.numbers, self._flips(batch), strict=True)
        ]

    def latents_of(self, batch: Microbatch) -> Tensor:
        """(B, C, h, w) on the CPU, mirrored where chance says so."""
        return self._loaded(batch).latents

    def masks_of(self, batch: Microbatch) -> Tensor | None:
        """(B, 1, h, w) in 0..1 on the CPU: how much each place counts; None when no picture has a mask."""
        return self._loaded(batch).masks

    def preserved(self, batch: Microbatch) -> Tensor | None:
        """(B,) True where a picture is to stay as the base model predicts it; None when there is none."""
        folders = [self.dataset.folders[self.example(number).folder] for number in batch.numbers]
        kept = [folder.preserved for folder in folders]
        return torch.tensor(kept) if any(kept) else None

    @contextlib.contextmanager
    def base_only(self) -> Iterator[None]:
        """Without gradients and without the network: what the base model itself says."""
        self.network.detach()
        try:
            with torch.no_grad(), self._uncompiled():
                yield
        finally:
            self.network.attach()

    def _loaded(self, batch: Microbatch) -> LatentBatch:
        """Latents and masks of a batch; those of the last one are remembered, since both are asked for."""
        if self._last is None or self._last[0] is not batch:
            self._last = (batch, self.latents.batch(self.uses_of(batch)))
        return self._last[1]

    def conditioning_of(self, batch: Microbatch, step: int) -> Conditioning:
        """What the text encoders say about the batch's captions, after shuffling, dropout and the rest."""
        texts = [
            captions.process(
                self.example(number).caption, self._caption_options(number),
                seeds.python_random(self.seed, "caption", batch.epoch, batch.position, slot), batch.epoch, step,
                self.total_steps,
            )
            for slot, number in zip(batch.slots, batch.numbers, strict=True)
        ]  # fmt: skip
        return self._encoded(texts, batch)

    def measured_conditioning_of(self, batch: Microbatch) -> Conditioning:
        """The same for a validation: nothing of the captions is shuffled or dropped."""
        texts = [measured_caption(self.dataset, self.example(number)) for number in batch.numbers]
        return self._encoded(texts, batch)

    def set_rates(self, step: int) -> dict[str, float]:
        """Give every group its learning rate for the step that comes; returns label -> rate."""
        rates = self.rates_at(step)
        for group in self.optimizer.param_groups:
            if group["initial_rate"] is not None:
                group["lr"] = rates[group["name"]]
        return rates

    def rates_at(self, step: int) -> dict[str, float]:
        """Label -> learning rate at an optimizer step; with d * rate for optimizers that find their own."""
        rates: dict[str, float] = {}
        for group, factor in zip(self.optimizer.param_groups, self.factors, strict=True):
            label, rate = group["name"], group["initial_rate"]
            if rate is None:
                rates[label] = optimizers.found_rate(self.optimizer, group, self.config.optimizer.learning_rate)
                continue
            rates[label] = rate * factor(step)
            if "d" in group:
                rates[f"d*lr/{label}"] = float(group["d"]) * rates[label]
            if "effective_lr" in group:
                rates[f"d*eff_lr/{label}"] = float(group["d"]) * float(group["effective_lr"])
        return rates

    def metadata(self, epoch: int, step: int) -> dict[str, str]:
        """What a file saved now says about itself."""
        return metadata.build(self.config, replace(self.facts, base=self.base_hashes.result()), epoch, step)

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[None]:
        """Without gradients and dropouts, with the weights a schedule-free optimizer means to be used."""
        free = optimizers.find(self.config.optimizer.optimizer_type).schedule_free
        self.network.eval()
        if free:
            self.optimizer.eval()  # type: ignore[attr-defined]
        try:
            with torch.no_grad(), self._uncompiled():
                yield
        finally:
            self.network.train()
            if free:
                self.optimizer.train()  # type: ignore[attr-defined]

    def _flips(self, batch: Microbatch) -> list[bool]:
        """Which pictures of a batch are mirrored."""
        key = ("epoch", batch.epoch, batch.position)
        return [self._may_flip(number) and seeds.python_random(self.seed, "flip", *key, slot).random() < 0.5
                for slot, number in zip(batch.slots, batch.numbers, strict=True)]  # fmt: skip

    def _uncompiled(self) -> contextlib.AbstractContextManager[Any]:
        """A preview has other sizes than the buckets: compiling for it would take longer than drawing it."""
        compiled = self.config.precision.torch_compile
        return torch.compiler.set_stance("force_eager") if compiled else contextlib.nullcontext()

    def _may_flip(self, number: int) -> bool:
        if number >= len(self.dataset.examples):
            return False
        return self.dataset.folders[self.example(number).folder].options.flip_aug

    def _caption_options(self, number: int) -> Any:
        return self.dataset.folders[self.example(number).folder].captions

    def _encoded(self, texts: Sequence[str], batch: Microbatch) -> Conditioning:
        encoded = (self.texts or self.family.encode_captions)(texts)
        true = self.config.dataset.true_crop_coordinates
        sizes = [
            true_size_ids(example.choice, example.told_size, flipped) if true
            else size_ids(example.bucket, example.told_size, flipped)
            for example, flipped in zip(map(self.example, batch.numbers), self._flips(batch), strict=True)
        ]  # fmt: skip
        return replace(encoded, sizes=torch.tensor(sizes, dtype=torch.float32)).to(self.device)


def _microbatch(
    examples: Sequence[Example], epoch: int, position: int, batches: Sequence[BatchPlan], rank: int
) -> Microbatch:
    """What the process `rank` trains of the batches at a position; nothing when there are fewer than processes."""
    total = sum(len(batch.indices) for batch in batches)
    if rank >= len(batches):
        return Microbatch(epoch, position, (), torch.ones(0), total)
    own = batches[rank]
    alike = [(number, len(batch.indices)) for number, batch in enumerate(batches) if batch.bucket == own.bucket]
    return Microbatch(
        epoch, position, own.indices, torch.tensor([examples[index].weight for index in own.indices]), total,
        first=sum(len(batch.indices) for batch in batches[:rank]),
        alike=(sum(count for number, count in alike if number < rank), sum(count for _, count in alike)),
    )  # fmt: skip


def usable(dataset: Dataset, latents: Latents) -> list[Example]:
    """The training examples whose pictures could be read."""
    return [example for example in dataset.examples if example.index not in latents.skipped]


def measured_caption(dataset: Dataset, example: Example) -> str:
    """The caption that a held-out picture is measured with."""
    rng = seeds.python_random(0, "measured", example.index)
    return captions.measured(example.caption, dataset.folders[example.folder].captions, rng)
