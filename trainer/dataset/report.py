"""What a run will be and what is wrong with it, before anything slow: `trainer check`, the form, a start. LIGHT."""

from __future__ import annotations

import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trainer import optimizers, resuming, schedules
from trainer.config.dataset_file import expanded
from trainer.config.problems import ConfigError
from trainer.dataset.buckets import Size
from trainer.dataset.folders import Folder
from trainer.dataset.problems import Problem, Subject, error, named, warning
from trainer.dataset.scan import Dataset, Example, arrange, scan
from trainer.families import kinds
from trainer.families.adaptable import base_layers
from trainer.families.layout import incomplete_base
from trainer.families.weights import PICKLE_EXTENSIONS, WeightsError, describe, find_base, first_not_finite, lora_parts
from trainer.filesize import file_bytes
from trainer.loading.batches import bucket_counts, count_batches
from trainer.loading.pixels import INVISIBLE, claimed_twice, item_of, try_all
from trainer.prompts import read_prompts
from trainer.saving import new_device, output_folder, too_long
from trainer.spawning import process_count
from trainer.states import position

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.config.dataset import Dataset as DatasetOptions

SHOWN_OF_A_KIND = 50  # a folder of 10,000 broken pictures must not make a page of 10,000 sentences
ENLARGED_FROM = 1.5
LEAST_FREE_BYTES = 10**9
READ_AT_MOST_BYTES = 2**31  # of a LoRA, to look for NaN
UNREAD = (
    "{path} is a pickle, whose numbers are not read before the start, so damage in them is found only then; a "
    ".safetensors file is safer"
)
WARMUP_TOO_LONG = (
    "lr_warmup_steps {warmup} is as long as the run of {steps} steps, so the full rate is never reached; 5 to 10 % of "
    "the run is usual"
)
NOT_FINITE = "{path}: {key} holds NaN or infinity, so the file is damaged; choose another one"


@dataclass(frozen=True)
class Lengths:
    """How long a run is. steps: optimizer steps. epochs: begun ones, the last perhaps not finished. batches_per_epoch:
    of all processes together."""

    steps: int
    epochs: int
    batches_per_epoch: int
    steps_per_epoch: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Done:
    """Where a state stands. step: optimizer steps. epoch: the one being trained, from 1. batch: its batches done, of
    each process."""

    step: int = 0
    epoch: int = 1
    batch: int = 0

    @classmethod
    def of(cls, progress: Mapping[str, Any]) -> Done:
        """From what a state says of itself."""
        return cls(progress.get("step", 0), progress.get("epoch", 1), progress.get("batch", 0))


@dataclass(frozen=True)
class BucketCount:
    """A training size and how many pictures an epoch shows at it, repeats included."""

    width: int
    height: int
    count: int


@dataclass(frozen=True)
class Report:
    """What will happen: lengths, buckets, folders; and every problem, errors first."""

    lengths: Lengths
    dataset: Dataset
    buckets: tuple[BucketCount, ...]
    problems: tuple[Problem, ...]
    batch_size: int
    file_bytes: int | None = None  # of the LoRA that will be written; None where it cannot be told

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep training from starting."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def to_json(self) -> dict[str, Any]:
        """The answer of `trainer check --json`. images and reg_images count each picture once."""
        return {
            "steps": self.lengths.steps,
            "epochs": self.lengths.epochs,
            "images": self.dataset.num_images,
            "reg_images": self.dataset.num_reg_images,
            "validation_images": len(self.dataset.validation),
            "repeats_sum": self.dataset.num_train_repeats,
            "batch_size": self.batch_size,
            "batches_per_epoch": self.lengths.batches_per_epoch,
            "file_bytes": self.file_bytes,
            "buckets": [{"width": b.width, "height": b.height, "count": b.count} for b in self.buckets],
            "folders": [_folder_json(folder) for folder in self.dataset.folders],
            "problems": [problem.to_json() for problem in self.problems],
        }

    def to_text(self) -> str:
        """The same for people."""
        told, dataset = self.lengths, self.dataset
        lines = [
            f"{told.steps} steps: {told.epochs} epochs of {told.batches_per_epoch} batches of up to {self.batch_size}",
            f"{dataset.num_images} pictures, {dataset.num_train_repeats} with repeats"
            + (f"; {dataset.num_reg_images} regularisation pictures" if dataset.num_reg_images else "")
            + (f"; {len(dataset.validation)} for validation" if dataset.validation else ""),
        ]
        if self.file_bytes is not None:
            lines.append(f"the LoRA's file will have {self.file_bytes / 2**20:.1f} MiB")
        several = len({folder.group for folder in dataset.folders}) > 1
        for folder in dataset.folders:
            kind = "regularisation, " if folder.is_reg else ""
            kind += "with masks, " if folder.has_masks else ""
            kind += f"captions in {folder.metadata_file.name}, " if folder.metadata_file else ""
            width, height = folder.options.resolution or (0, 0)
            kind += f"{width} x {height} in batches of {folder.options.train_batch_size}, " if several else ""
            lines.append(
                f"  {folder.name}: {folder.images} pictures x {folder.repeats} "
                f"({kind}{folder.missing_captions} without caption)"
            )
        lines += [f"  {bucket.width} x {bucket.height}: {bucket.count}" for bucket in self.buckets]
        lines += [f"{problem.severity}: {problem.message}" for problem in self.problems]
        return "\n".join(lines)


def report(
    config: TrainConfig, dataset: Dataset | None = None, decode: bool = False, with_length: bool = True
) -> Report:
    """Look at everything that training needs. dataset: an earlier scan of the same folders, to spare the disk.

    decode: read every picture to its end, as a run does before its first step, and leave out those that a run leaves
    out; else only their headers were looked at. with_length: say what `length_problems` finds too.
    Raises ConfigError when a dataset_config is named that cannot be read.
    """
    config, _ = expanded(config)
    dataset = scan(config) if dataset is None else arrange(dataset.reading, config)
    unread: list[Problem] = []
    if decode:
        dataset, unread = _tried(dataset)
    sizes = dataset.batch_sizes
    batch_size = max((sizes[example.group] for example in dataset.examples), default=sizes[0])
    batches = count_batches(dataset.examples, sizes)
    problems = [*_files(config), *dataset.problems, *unread, *_shared_caches(config, dataset)]
    if not dataset.num_images and not any(problem.severity == "error" for problem in dataset.problems):
        problems.append(
            error(
                _first_folder(dataset), "there is no picture to train on; put PNG, JPEG or WebP files into the folder"
            )
        )
    if dataset.num_images:
        problems += _hints(config, dataset)
    if not dataset.num_images:
        batches = 0
    told = planned_lengths(config, batches)
    if batches and with_length:
        problems += _about("config", length_problems(config, told, dataset))
    if batches:
        problems += _about("config", against_state(config, told))
    buckets = tuple(BucketCount(*bucket, count) for bucket, count in bucket_counts(dataset.examples).items())
    layers = base_layers(config.model.pretrained_model_name_or_path or "")
    size = None if layers is None else file_bytes(config, layers)
    return Report(told, dataset, buckets, _shortened(problems), batch_size, size)


def _about(subject: Subject, problems: Iterable[Problem]) -> Iterator[Problem]:
    """The same problems, of which the cure is to change settings or model files, not the data set."""
    return (replace(problem, subject=subject) for problem in problems)


def _tried(dataset: Dataset) -> tuple[Dataset, list[Problem]]:
    """The data set without the pictures that cannot be decoded, and what is wrong with them."""
    examples = [*dataset.examples, *dataset.validation]
    items = [item_of(example, dataset.folders[example.folder].options) for example in examples]
    trial = try_all(items)
    problems = [
        warning(items[number].path, "{reason}; the picture is left out", reason=reason)
        for number, reason in trial.unusable.items()
    ]
    if trial.invisible:
        problems.append(warning(None, INVISIBLE, count=len(trial.invisible), files=named(trial.invisible)))
    count = len(dataset.examples)
    training = tuple(one for number, one in enumerate(dataset.examples) if number not in trial.unusable)
    held_out = tuple(one for number, one in enumerate(dataset.validation, count) if number not in trial.unusable)
    images = Counter(example.folder for example in (*training, *held_out))
    folders = tuple(replace(folder, images=images[index]) for index, folder in enumerate(dataset.folders))
    return replace(dataset, examples=training, validation=held_out, folders=folders), problems


def _shared_caches(config: TrainConfig, dataset: Dataset) -> Iterator[Problem]:
    """Pictures whose kept latents would lie in one file of sd-scripts."""
    section = config.cache
    if not (section.cache_latents and section.cache_latents_to_disk and section.cache_as_npz):
        return
    claimed: dict[Path, tuple[Path, Size]] = {}
    for example in (*dataset.examples, *dataset.validation):
        reason = claimed_twice(item_of(example, dataset.folders[example.folder].options), claimed)
        if reason is not None:
            yield error(example.path, "{reason}", reason=reason)


def planned_lengths(config: TrainConfig, batches: int) -> Lengths:
    """How long the run of these settings is, with what its state has behind it. batches: those of one epoch."""
    done = Done()
    if config.save.resume and first_step(config, 1) is None:
        found = position(config.save.resume)
        done = Done.of(found[1]) if found else done
    length = config.run
    return lengths(
        batches, length.gradient_accumulation_steps, length.max_train_epochs, length.max_train_steps,
        process_count(config.distributed), done,
    )  # fmt: skip


def lengths(
    batches: int,
    accumulation: int,
    max_train_epochs: int | None,
    max_train_steps: int,
    processes: int = 1,
    done: Done | None = None,
) -> Lengths:
    """Steps and epochs from the batches of one epoch, as sd-scripts counts them, the whole run with what is done.

    max_train_epochs, when given, decides; the last incomplete accumulation of an epoch makes a step too. done: where
    the run goes on. Its steps are those of the pictures there were then, so what is left is counted from there:
    sd-scripts, which counts as if all epochs had been those of now, ends too early or begins an epoch too many.
    """
    if not batches:
        return Lengths(0, 0, 0)
    done = done or Done()
    each = math.ceil(batches / processes)
    per_epoch = math.ceil(each / accumulation)
    left = math.ceil(max(0, each - done.batch) / accumulation)
    if max_train_epochs is not None:
        steps = done.step + left + (max_train_epochs - done.epoch) * per_epoch
        return Lengths(max(0, steps), max_train_epochs, batches, per_epoch)
    epochs = done.epoch + math.ceil((max_train_steps - done.step - left) / per_epoch)
    return Lengths(max_train_steps, max(1, epochs), batches, per_epoch)


def first_step(config: TrainConfig, steps_per_epoch: int) -> int | None:
    """The steps that initial_step or initial_epoch hold for done; None when neither is set."""
    if config.save.initial_step is not None:
        return config.save.initial_step
    if config.save.initial_epoch is not None:
        return (config.save.initial_epoch - 1) * steps_per_epoch
    return None


def length_problems(config: TrainConfig, told: Lengths, dataset: Dataset) -> list[Problem]:
    """What does not go with the length of the run."""
    return [
        *_beginning(config, told),
        *_warmup(config, told),
        *_intervals(config, told, validated=bool(dataset.validation)),
    ]


def _intervals(config: TrainConfig, told: Lengths, validated: bool) -> Iterator[Problem]:
    """Things to do every some epochs or steps that never fall due, as the run ends before the first time."""
    save, sample, data = config.save, config.sample, config.dataset
    drawn = bool(sample.sample_prompts)
    rows: tuple[tuple[str, int | None, bool], ...] = (
        ("sample.sample_every_n_epochs", sample.sample_every_n_epochs, drawn),
        ("sample.sample_every_n_steps", sample.sample_every_n_steps, drawn and not sample.sample_every_n_epochs),
        ("save.save_every_n_epochs", save.save_every_n_epochs, not save.save_n_epoch_ratio),
        ("save.save_every_n_steps", save.save_every_n_steps, True),
        ("dataset.validate_every_n_epochs", data.validate_every_n_epochs, validated),
        ("dataset.validate_every_n_steps", data.validate_every_n_steps, validated),
        ("caption.caption_dropout_every_n_epochs", config.caption.caption_dropout_every_n_epochs, True),
    )
    for address, every, acts in rows:
        by_epochs = address.endswith("epochs")
        if acts and every and every > (told.epochs if by_epochs else told.steps):
            said = (
                "{name} = {value} never falls due: the run has {count} epochs in all; lower it or train longer"
                if by_epochs
                else "{name} = {value} never falls due: the run has {count} steps in all; lower it or train longer"
            )
            values = {
                "name": address.partition(".")[2],
                "value": every,
                "count": told.epochs if by_epochs else told.steps,
            }
            yield Problem("warning", None, said, values, address)


def _warmup(config: TrainConfig, told: Lengths) -> Iterator[Problem]:
    """A rise of the learning rate that the run never finishes."""
    try:
        optimizer, schedule = optimizers.find(config.optimizer.optimizer_type), schedules.find(config.schedule)
        idle = optimizer.schedule_free or optimizer.decides_rate(config.optimizer.optimizer_args)
        warmup = schedules.parse_amount(config.schedule.lr_warmup_steps, told.steps) if schedule.warmup else 0
    except (optimizers.OptimizerError, schedules.ScheduleError):
        return  # told at their fields
    if warmup >= told.steps > 0 and not idle:
        values = {"warmup": warmup, "steps": told.steps}
        yield Problem("warning", None, WARMUP_TOO_LONG, values, "schedule.lr_warmup_steps")


def _beginning(config: TrainConfig, told: Lengths) -> Iterator[Problem]:
    """A run that begins behind its own end has nothing to train."""
    first = first_step(config, told.steps_per_epoch)
    if first is not None and first >= told.steps:
        yield error(
            None,
            "initial_step or initial_epoch begins at step {first}, but the run has {steps} steps in all; "
            "lower it or make the run longer",
            first=first, steps=told.steps,
        )  # fmt: skip


def against_state(config: TrainConfig, told: Lengths) -> Iterator[Problem]:
    """A state that the run goes on from: whether the settings are those it was trained with, and what is left."""
    if not config.save.resume or not _exists(config.save.resume):
        return
    found = position(config.save.resume)
    if found is None:
        yield error(Path(config.save.resume), resuming.NO_STATE, path=config.save.resume)
        return
    folder, progress = found
    for one in resuming.differences(_settled(config), progress):
        severity: Literal["error", "warning"] = "error" if one.treatment == "refuse" else "warning"
        yield Problem(severity, folder, one.template, one.values, one.address)
    then, now = int(progress.get("processes", 1)), process_count(config.distributed)
    if then != now:
        yield error(folder, resuming.OTHER_COUNT, then=then, now=now)
    step = int(progress.get("step", 0))
    if first_step(config, told.steps_per_epoch) is None and step > told.steps:
        yield error(folder, resuming.BEYOND, step=step, steps=told.steps)
    elif first_step(config, told.steps_per_epoch) is None and step == told.steps:
        yield warning(folder, resuming.AT_THE_END, step=step)


def _settled(config: TrainConfig) -> TrainConfig:
    """With what the base model's file decides, as far as it can be read."""
    try:
        return kinds.settle(config, describe(find_base(config.model.pretrained_model_name_or_path or ""))).config
    except WeightsError:
        return config


def _files(config: TrainConfig) -> Iterator[Problem]:
    """Files that the config names: the base model is what it should be, others exist, results can be written."""
    yield from _about("config", _output(output_folder(config.save), config.save.output_name))
    yield from _about("weights", _model_files(config))
    yield from _about("config", _other_files(config))


def _model_files(config: TrainConfig) -> Iterator[Problem]:
    """The base model, the VAE and the LoRA files are what they should be."""
    if config.model.pretrained_model_name_or_path:
        yield from _base_model(config.model.pretrained_model_name_or_path, config)
    if config.model.vae:
        for said in kinds.unusable_vae(config.model.vae):
            yield error(Path(config.model.vae), said.template, **said.values)
    yield from _lora_files(config)


def _other_files(config: TrainConfig) -> Iterator[Problem]:
    """Files and folders that exist and can be read as the start reads them."""
    for name, value in (
        ("network_weights", config.network.network_weights),
        ("resume", config.save.resume),
        ("log_tracker_config", config.log.log_tracker_config),
    ):
        if value and not _exists(value):
            yield error(Path(value), "{name} {path} does not exist; check the path", name=name, path=value)
    prompts = config.sample.sample_prompts
    if (
        prompts
        and "\n" not in prompts
        and prompts.lower().endswith((".txt", ".toml", ".json"))
        and not _exists(prompts)
    ):
        yield error(Path(prompts), "{name} {path} does not exist; check the path", name="sample_prompts", path=prompts)
        prompts = None
    yield from _as_the_start_reads_them(config, prompts)


def _as_the_start_reads_them(config: TrainConfig, prompts: str | None) -> Iterator[Problem]:
    """What the start would refuse in prompts, the thumbnail, and the places of curves."""
    from trainer import curves, metadata  # here, as both read data sets themselves

    readers: tuple[Callable[[], object], ...] = (
        lambda: read_prompts(prompts) if prompts else None,
        lambda: metadata.thumbnail(config.save.metadata_thumbnail),
        lambda: curves.check(config.log),
    )
    for read in readers:
        try:
            read()
        except ConfigError as fault:
            for one in fault.problems:
                yield Problem("error", None, one.template, one.values, one.address)


def _base_model(name: str, config: TrainConfig) -> Iterator[Problem]:
    try:
        path = find_base(name)
    except WeightsError as fault:
        yield error(Path(name), "{reason}", reason=fault)
        return
    about = describe(path)
    settled = kinds.settle(config, about)
    if settled.family is not None:
        lack = incomplete_base(path, about, settled.family, own_vae=config.model.vae is not None)
        if lack:
            yield error(path, "{reason}", reason=lack)
    if about.pickled and not about.problems:
        yield warning(path, UNREAD, path=path)
    for said in settled.problems:
        of_a_network = (said.address or "").startswith("network.")  # it names its own file
        yield Problem("error", None if of_a_network else path, said.template, said.values, said.address)
    for said in settled.notes:
        yield Problem("warning", path, said.template, said.values, said.address)


def _output(folder: Path, name: str | None) -> Iterator[Problem]:
    """The place for results: a folder, or one that can be made, writable, with room for the names and the files."""
    device = new_device(folder)
    if device is not None:
        said = "Windows keeps the name {device} in {path} for a device; choose another output_dir"
        yield error(folder, said, device=device, path=folder)
    try:
        if (unfit := too_long(folder, name)) is not None:
            yield error(folder, unfit.template, **unfit.values)
            return
        place = next(place for place in (folder, *folder.resolve().parents) if place.exists())
        if not place.is_dir():
            yield error(folder, "{path} is a file, not a folder; choose another output_dir", path=place)
        elif not os.access(place, os.W_OK):
            yield error(
                folder, "{path} cannot be written to; choose another output_dir or change its rights", path=place
            )
        elif shutil.disk_usage(place).free < LEAST_FREE_BYTES:
            yield warning(
                folder, "less than 1 GB is free where {path} lies; free some space before a long run", path=place
            )
    except OSError as fault:
        yield error(
            folder, "{path} cannot be used: {reason}; choose another output_dir", path=folder, reason=fault.strerror
        )


def _lora_files(config: TrainConfig) -> Iterator[Problem]:
    """LoRAs that the run begins with, by their numbers: what they are is said with the base model."""
    for name in (config.network.network_weights, *config.network.base_weights):
        if not name or not _exists(name):
            continue
        path = Path(name).expanduser()
        if path.suffix.lower() in PICKLE_EXTENSIONS:
            if not describe(path).problems:
                yield warning(path, UNREAD, path=name)
            continue
        try:
            for file in (part.file for part in lora_parts(path)):
                small = file.suffix.lower() == ".safetensors" and file.stat().st_size <= READ_AT_MOST_BYTES
                if small and (bad := first_not_finite(file)):
                    yield error(path, NOT_FINITE, path=name, key=bad)
        except (OSError, WeightsError):
            continue  # which is said with the base model


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, RuntimeError, ValueError):  # too long a name, an unknown ~user, a zero byte
        return False


def _hints(config: TrainConfig, dataset: Dataset) -> Iterator[Problem]:
    """What is allowed but probably not meant."""
    for number, options in enumerate(dataset.groups):
        own = [example for example in dataset.examples if example.group == number]
        if own:
            yield from _hints_of_group(options, own)
    enlarged = [example for example in dataset.examples if _enlarged(example)]
    if enlarged:
        names = ", ".join(example.path.name for example in enlarged[:5]) + (" ..." if len(enlarged) > 5 else "")
        yield warning(
            enlarged[0].path, "{count} {count|picture is|pictures are} enlarged more than {times} times to fit "
            "({files}) and will look soft; use larger ones, a lower resolution or bucket_no_upscale",
            count=len(enlarged), times=ENLARGED_FROM, files=names,
        )  # fmt: skip


def _hints_of_group(options: DatasetOptions, examples: list[Example]) -> Iterator[Problem]:
    """The same for the settings of one data set."""
    if options.resolution is None:
        return
    shown = sum(example.repeats for example in examples)
    if options.train_batch_size > shown:
        yield warning(
            None, "train_batch_size {batch} is larger than the {shown} pictures of an epoch, "
            "so every epoch is one smaller batch; lower it",
            batch=options.train_batch_size, shown=shown,
        )  # fmt: skip
    side = math.sqrt(options.resolution[0] * options.resolution[1])
    if (
        options.enable_bucket
        and not options.bucket_no_upscale
        and side >= 1000
        and options.max_bucket_reso < 1.5 * side
    ):
        yield warning(
            None,
            "max_bucket_reso {value} makes wide and tall pictures much smaller than {side} x {side}; set it to 2048",
            value=options.max_bucket_reso, side=round(side),
        )  # fmt: skip


def _enlarged(example: Example) -> bool:
    return example.choice.resized[0] > ENLARGED_FROM * example.size[0]


def _first_folder(dataset: Dataset) -> Path | None:
    return dataset.folders[0].path if dataset.folders else None


def _folder_json(folder: Folder) -> dict[str, Any]:
    return {
        "path": str(folder.path), "name": folder.name, "repeats": folder.repeats, "images": folder.images,
        "missing_captions": folder.missing_captions, "is_reg": folder.is_reg, "class_tokens": folder.class_tokens,
        "group": folder.group, "resolution": list(folder.options.resolution or ()), "has_masks": folder.has_masks,
        "batch_size": folder.options.train_batch_size,
        "metadata_file": None if folder.metadata_file is None else str(folder.metadata_file),
    }  # fmt: skip


def _shortened(problems: list[Problem]) -> tuple[Problem, ...]:
    """Errors first; of many alike only the first ones, and a word on the rest."""
    kept: list[Problem] = []
    counts: dict[str, int] = {}
    for problem in sorted(problems, key=lambda problem: problem.severity != "error"):
        counts[problem.template] = counts.get(problem.template, 0) + 1
        if counts[problem.template] <= SHOWN_OF_A_KIND:
            kept.append(problem)
    more = sum(count - SHOWN_OF_A_KIND for count in counts.values() if count > SHOWN_OF_A_KIND)
    if more:
        kept.append(warning(None, "and {count} more of the same kinds", count=more))
    return tuple(kept)
