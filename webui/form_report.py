"""What will happen with a configuration: steps, buckets, learning-rate curve, saved files, and what stands in the way. LIGHT.

The pictures are read by trainer.dataset; here is the memory of the last readings, so that typing never waits for the disk.
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import schedules
from trainer.config import Problem, TrainConfig
from trainer.dataset.report import Report, report
from trainer.dataset.scan import Dataset, scan
from trainer.families.weights import Description, describe
from trainer.optimizers import OptimizerError, check_rates, find

READINGS_KEPT = 4
MOST_SAVE_MARKS = 200
MODEL_ADDRESS = "model.pretrained_model_name_or_path"
EMPTY: dict[str, Any] = {
    "images": 0, "reg_images": 0, "steps": 0, "epochs": 0, "batches_per_epoch": 0, "buckets": [], "folders": [], "problems": [],
    "repeats_sum": 0, "batch_size": 1, "accumulation": 1, "steps_per_epoch": 0, "by_epochs": True, "curve": None,
}  # fmt: skip


@dataclass(frozen=True)
class _Reading:
    """What lay in the folders. seen: the folders' times when they were read."""

    dataset: Dataset
    seen: tuple[Any, ...]


class Reports:
    """Reports of configurations, with the last readings of the picture folders kept by what they were read for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: OrderedDict[str, _Reading] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    def remembered(self, config: TrainConfig) -> dict[str, Any] | None:
        """The report from the last reading of these folders, or None when they were not read yet. Touches no folder."""
        config = absolute(config, self._root)
        with self._lock:
            reading = self._kept.get(_key(config))
        return None if reading is None else _told(config, report(config, reading.dataset))

    def read(self, config: TrainConfig) -> dict[str, Any]:
        """The report of what lies in the folders now. They are read again only when a folder has changed."""
        config = absolute(config, self._root)
        key = _key(config)
        with self._reading:
            seen = _folder_times(config)
            with self._lock:
                reading = self._kept.get(key)
            if reading is None or reading.seen != seen:
                reading = _Reading(scan(config), seen)
            with self._lock:
                self._kept[key] = reading
                self._kept.move_to_end(key)
                while len(self._kept) > READINGS_KEPT:
                    self._kept.popitem(last=False)
        return _told(config, report(config, reading.dataset))


def absolute(config: TrainConfig, root: Path) -> TrainConfig:
    """The configuration with picture folders as the trainer will find them: relative ones start at the project's root."""

    def placed(path: str | None) -> str | None:
        return str(root / Path(path).expanduser()) if path else path

    data = config.dataset
    subsets = tuple(subset.model_copy(update={"image_dir": placed(subset.image_dir)}) for subset in data.subsets)
    changed = {"train_data_dir": placed(data.train_data_dir), "reg_data_dir": placed(data.reg_data_dir), "subsets": subsets}
    return config.model_copy(update={"dataset": data.model_copy(update=changed)})


def machinery_problems(config: TrainConfig) -> list[Problem]:
    """What the tables of optimizers and schedules say against these values."""
    found = []
    rates = group_rates(config)
    try:
        optimizer = find(config.optimizer.optimizer_type)
        missing = optimizer.availability()
        if missing:
            raise OptimizerError(missing)
        optimizer.parse_args(config.optimizer.optimizer_args)
        check_rates(optimizer, rates)
    except OptimizerError as error:
        address = "optimizer.optimizer_args" if str(error).startswith("optimizer_args") else "optimizer.optimizer_type"
        found.append(Problem(address, "{reason}", {"reason": str(error)}))
    try:
        schedules.build(config.schedule, 1000, config.optimizer.learning_rate)
    except schedules.ScheduleError as error:
        found.append(Problem(_schedule_address(config, str(error)), "{reason}", {"reason": str(error)}))
    return found


def _schedule_address(config: TrainConfig, message: str) -> str:
    if message.startswith("lr_scheduler_args"):
        return "schedule.lr_scheduler_args"
    return "schedule.lr_scheduler_type" if config.schedule.lr_scheduler_type else "schedule.lr_scheduler"


def start_problems(root: Path, config: TrainConfig, reports: Reports) -> list[Problem]:
    """Everything that makes starting pointless, looked up on disk now. Errors only; empty = it can start."""
    found = machinery_problems(config)
    told = describe_model(root, MODEL_ADDRESS, config.model.pretrained_model_name_or_path or "")
    if not told["good"]:
        found.append(Problem(MODEL_ADDRESS, told["problem"]["template"], told["problem"]["values"]))
    for problem in reports.read(config)["problems"]:
        if problem["severity"] == "error":
            found.append(Problem(problem["address"], problem["template"], problem["values"]))
    return found


def group_rates(config: TrainConfig) -> dict[str, float]:
    """The learning rate of each part that is trained."""
    rates = {}
    base = config.optimizer.learning_rate
    if not config.network.network_train_text_encoder_only:
        rates["unet"] = base if config.optimizer.unet_lr is None else config.optimizer.unet_lr
    if not config.network.network_train_unet_only:
        rates["text_encoder"] = base if config.optimizer.text_encoder_lr is None else config.optimizer.text_encoder_lr
    return rates


def curve(config: TrainConfig, steps: int, steps_per_epoch: int, epochs: int) -> dict[str, Any] | None:
    """What the page draws: rates over the steps, and the steps at which a file is written; None when there is no run."""
    if steps < 1:
        return None
    try:
        drawn = schedules.curve(config.schedule, steps, group_rates(config), config.optimizer.learning_rate)
    except schedules.ScheduleError:
        return None
    return {**drawn, "total": steps, "saves": sorted(set(saves(config, steps, steps_per_epoch, epochs)))[:MOST_SAVE_MARKS]}


def saves(config: TrainConfig, steps: int, steps_per_epoch: int, epochs: int) -> Iterator[int]:
    """Steps after which a LoRA file is written, the last one among them (KOHYA_COMPAT 8.1: the last epoch has no file of its own)."""
    save = config.save
    every = max(1, epochs // save.save_n_epoch_ratio) if save.save_n_epoch_ratio else save.save_every_n_epochs
    if every and steps_per_epoch:
        yield from (epoch * steps_per_epoch for epoch in range(every, epochs, every) if epoch * steps_per_epoch < steps)
    if save.save_every_n_steps:
        yield from range(save.save_every_n_steps, steps, save.save_every_n_steps)
    yield steps


def describe_model(root: Path, address: str, path: str) -> dict[str, Any]:
    """What the file behind a path field is: {good, title, bytes, dtype, problem}."""
    answer: dict[str, Any] = {"good": False, "title": "", "bytes": 0, "dtype": "", "problem": None}
    if path.startswith(("\\\\", "//")) or "\0" in path:
        return {**answer, "problem": problem_json(Problem(address, "{path} is a network path; choose a file on this machine", {"path": path}))}
    place = root / Path(path).expanduser()
    if not place.exists():
        cure = "{path} does not exist; choose the file with Browse, or put it into ./sd-models"
        return {**answer, "problem": problem_json(Problem(address, cure, {"path": path}))}
    told = describe(place)
    problem = _against(address, path, told)
    return {
        **answer, "good": problem is None, "title": TITLES.get((told.family or "", told.kind), told.detail), "bytes": told.size_bytes,
        "dtype": DTYPES.get(told.dtype or "", told.dtype or ""), "problem": problem_json(problem) if problem else None,
    }  # fmt: skip


TITLES = {
    ("sd1", "checkpoint"): "SD 1.5", ("sd1", "folder"): "SD 1.5 (diffusers)", ("sd1", "lora"): "SD 1.5 LoRA", ("", "vae"): "VAE",
}  # fmt: skip
FAMILIES = {"sd2": "SD 2.x", "sdxl": "SDXL", "sdxl_refiner": "SDXL refiner", "sd3": "SD 3", "flux": "FLUX"}
DTYPES = {"F16": "fp16", "BF16": "bf16", "F32": "fp32", "F8_E4M3": "fp8", "F8_E5M2": "fp8"}


def _against(address: str, path: str, told: Description) -> Problem | None:
    """Why this file cannot stand in this field, or None."""
    if told.problems:
        return Problem(address, "{reason}", {"reason": told.problems[0]})
    wanted = {MODEL_ADDRESS: ("checkpoint", "folder"), "network.network_weights": ("lora",)}.get(address)
    if wanted is None:
        return None
    if told.kind not in wanted:
        cure = "choose a LoRA file" if wanted == ("lora",) else "choose an SD 1.5 base model"
        return Problem(address, "{path} is not what belongs here, it is: {kind}; {cure}", {"path": path, "kind": told.detail, "cure": cure})
    if told.family not in ("sd1", None):
        family = FAMILIES.get(told.family or "", told.family)
        return Problem(address, "{path} is an {family} model; this version trains SD 1.5, choose an SD 1.5 model", {"path": path, "family": family})
    return None


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem for the page: the English sentence, and template with values for other languages."""
    values = {name: value if isinstance(value, (int, float, bool)) else str(value) for name, value in problem.values.items()}
    return {"address": problem.address, "message": problem.message, "template": problem.template, "values": values}


def _told(config: TrainConfig, made: Report) -> dict[str, Any]:
    """A report for the page, with the curve and with problems tied to the field that names their folder."""
    told = dict(made.to_json())
    accumulation = config.run.gradient_accumulation_steps
    per_epoch = -(-told["batches_per_epoch"] // accumulation)
    told.update(
        accumulation=accumulation, steps_per_epoch=per_epoch, by_epochs=config.run.max_train_epochs is not None,
        curve=curve(config, told["steps"] if told["images"] else 0, per_epoch, told["epochs"]),
        problems=[_picture_problem(config, problem) for problem in told["problems"]],
    )  # fmt: skip
    return told


def _picture_problem(config: TrainConfig, problem: Mapping[str, Any]) -> dict[str, Any]:
    path = str(problem.get("path") or "")
    data = config.dataset
    address = "dataset.train_data_dir"
    if data.reg_data_dir and path.startswith(data.reg_data_dir):
        address = "dataset.reg_data_dir"
    elif any(path.startswith(subset.image_dir) for subset in data.subsets):
        address = "dataset.subsets"
    return {**problem, "address": address}


def _key(config: TrainConfig) -> str:
    """What a reading depends on: the picture folders and how captions are found."""
    data = config.dataset
    parts = [data.train_data_dir, data.reg_data_dir, config.caption.caption_extension, data.dataset_repeats]
    return json.dumps([*parts, [subset.model_dump() for subset in data.subsets]], sort_keys=True)


def _folder_times(config: TrainConfig) -> tuple[Any, ...]:
    """Modification times of the picture folders and the folders in them: a file added, removed or renamed changes one."""
    roots = [config.dataset.train_data_dir, config.dataset.reg_data_dir, *(subset.image_dir for subset in config.dataset.subsets)]
    return tuple(_times(path) for path in roots if path)


def _times(path: str) -> tuple[tuple[str, int], ...]:
    try:
        with os.scandir(path) as entries:
            inside = [(entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.is_dir()]
        return ((path, os.stat(path).st_mtime_ns), *sorted(inside))
    except OSError as error:
        return ((f"{path}: {error.errno}", 0),)
