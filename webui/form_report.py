"""What will happen with a configuration: steps, buckets, curve, saved files, and what stands in the way. LIGHT.

The pictures are read by trainer.dataset; here is the memory of the last readings, so that typing never waits for
the disk.
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer import optimizers, schedules
from trainer.config import ConfigError, Problem, Subset, TrainConfig, expanded
from trainer.config.dataset import owners
from trainer.config.problems import printable
from trainer.config.rates import trained_rates
from trainer.dataset import Problem as DataProblem
from trainer.dataset import caption_files
from trainer.dataset.links import look_into, real
from trainer.dataset.reading import Reading, read
from trainer.dataset.report import Report, against_state, length_problems, planned_lengths, report
from trainer.dataset.scan import arrange
from trainer.families import kinds
from trainer.families.adaptable import Layer, base_layers, family_of_layers
from trainer.families.weights import Description, describe
from trainer.filesize import file_bytes
from trainer.paths import FAULTS, PathError, pasted
from trainer.spawning import process_count
from webui.cures import with_cures
from webui.earlier import Earlier
from webui.form import STAND_INS
from webui.form_prompts import made_prompts, planned_previews
from webui.form_spec import has_nvidia
from webui.shortpaths import ShortPaths
from webui.tagstore import CaptionPlace

READINGS_KEPT = 4
FILES = (
    ("model", "pretrained_model_name_or_path"), ("model", "vae"), ("network", "network_weights"), ("save", "resume"),
    ("sample", "sample_prompts"), ("save", "output_dir"), ("dataset", "dataset_config"),
)  # fmt: skip
DATASET_PATHS = ("train_data_dir", "reg_data_dir", "in_json", "dataset_config")
SUBSET_PATHS = ("image_dir", "metadata_file", "conditioning_data_dir")
MOST_SAVE_MARKS = 200
DATASET_FILE_ADDRESS = "dataset.dataset_config"
MODEL_ADDRESS = "model.pretrained_model_name_or_path"
EMPTY: dict[str, Any] = {
    "images": 0, "reg_images": 0, "steps": 0, "epochs": 0, "batches_per_epoch": 0, "buckets": [], "folders": [],
    "problems": [],
    "repeats_sum": 0, "batch_size": 1, "accumulation": 1, "processes": 1, "steps_per_epoch": 0, "by_epochs": True,
    "curve": None, "stale": False, "file_bytes": None, "family": None, "earlier": None, "prompts": "",
    "previews": None, "unsaved": 0,
}  # fmt: skip


@dataclass(frozen=True)
class _Kept:
    """What lay in the folders. seen: the folders' times when they were read."""

    reading: Reading
    seen: tuple[Any, ...]


@dataclass(frozen=True)
class _KeptFiles:
    """What is wrong with single files, for the values that asked: what fits a base model depends on all of them.

    layers: those of the base model, None where it is not known.
    """

    problems: tuple[DataProblem, ...]
    asked: TrainConfig
    layers: tuple[Layer, ...] | None = None


@dataclass(frozen=True)
class _Sorted:
    """What is made of a reading for the options of pictures and captions. prompts: those for previews, "" for none."""

    report: Report
    prompts: str


class Reports:
    """Reports of configurations. What was read is kept, so that `remembered` needs no disk.

    Three things are kept apart, since they change at different times: the readings of picture folders, what is wrong
    with single files, and the sorting of pictures into buckets, which takes a second for 10,000 of them.
    """

    def __init__(self, root: Path, jobs_dir: Path | None = None) -> None:
        self._root = root
        self._earlier = Earlier(jobs_dir or root / "jobs")
        self._lock = threading.Lock()
        self._busy = threading.Lock()
        self._readings: OrderedDict[str, _Kept] = OrderedDict()
        self._files: OrderedDict[tuple[str | None, ...], _KeptFiles] = OrderedDict()
        self._sorted: OrderedDict[tuple[Any, ...], _Sorted] = OrderedDict()

    def remembered(self, config: TrainConfig) -> dict[str, Any] | None:
        """The report from the last reading of these folders and files, or None when they were not read yet. Of the
        disk only a state to go on from is asked, where it stands.

        stale: the files were looked at for other values, so what is said of them may no longer be true.
        """
        asked, files_key, (config, _) = config, _files_key(config), _with_datasets(config, self._root)
        with self._lock:
            kept, files = self._readings.get(_folders_key(config)), self._files.get(files_key)
        if kept is None or files is None:
            return None
        return {**self._told(config, kept, files), "stale": files.asked != asked}

    def read(self, config: TrainConfig) -> dict[str, Any]:
        """The report of what lies on disk now. Pictures are looked at again only when one of their folders changed."""
        asked, files_key, (config, wrong) = config, _files_key(config), _with_datasets(config, self._root)
        with self._busy:
            kept = self._current(config)
            placed = _with_found_files(config, self._root)
            nothing = arrange(Reading((), (), ()), config)
            usual = report(self._without_files(config), nothing).problems
            found = report(placed, nothing).problems
            length = planned_lengths(placed, self._arranged(config, kept).report.lengths.batches_per_epoch)
            files = (*wrong, *(problem for problem in found if problem not in usual))
            if length.batches_per_epoch:
                files += tuple(against_state(placed, length))
        found_files = _KeptFiles(files, asked, base_layers(placed.model.pretrained_model_name_or_path or ""))
        with self._lock:
            _keep(self._files, files_key, found_files)
        return {**self._told(config, kept, found_files), "stale": False}

    def caption_places(self, config: TrainConfig) -> frozenset[CaptionPlace]:
        """Where the captions of this configuration lie, by the last reading; none before the first."""
        config, _ = _with_datasets(config, self._root)
        with self._lock:
            kept = self._readings.get(_folders_key(config))
        folders = () if kept is None else kept.reading.folders
        return frozenset(
            (str(real(folder.path)), caption_files.dotted(folder.captions.caption_extension).lower())
            for folder in folders
            if folder.metadata_file is None
        )

    def _current(self, config: TrainConfig) -> _Kept:
        key, seen = _folders_key(config), _folder_times(config)
        with self._lock:
            kept = self._readings.get(key)
        if kept is None or kept.seen != seen:
            kept = _Kept(read(config), seen)
        with self._lock:
            _keep(self._readings, key, kept)
        return kept

    def _told(self, config: TrainConfig, kept: _Kept, files: _KeptFiles) -> dict[str, Any]:
        arranged = self._arranged(config, kept)
        made = arranged.report
        placed = _with_found_files(config, self._root) if config.save.resume else config  # else no disk is asked
        now = planned_lengths(placed, made.lengths.batches_per_epoch)
        problems = tuple(problem for problem in made.problems if problem.path != self._root)
        problems += tuple(length_problems(config, now, made.dataset)) if now.batches_per_epoch else ()
        told = _told(config, replace(made, lengths=now, problems=problems), files.problems)
        told["file_bytes"] = None if files.layers is None else file_bytes(config, files.layers)
        told["family"] = None if files.layers is None else family_of_layers(files.layers)
        short = ShortPaths(self._root, picture_folders(config))
        told["earlier"] = self._earlier.like(config) if told["steps"] else None
        told["prompts"] = arranged.prompts
        told["previews"] = planned_previews(config, told["steps"], told["steps_per_epoch"])
        return {**told, "problems": [short.problem(problem) for problem in with_cures(config, told["problems"])]}

    def _arranged(self, config: TrainConfig, kept: _Kept) -> _Sorted:
        """The pictures sorted for these options; lengths and single files are not to be taken from it."""
        key = (kept.seen, config.dataset.model_dump_json(), config.caption.model_dump_json(), config.run.seed)
        with self._lock:
            made = self._sorted.get(key)
        if made is None:
            sorted_report = report(self._without_files(config), arrange(kept.reading, config), with_length=False)
            made = _Sorted(sorted_report, made_prompts(kept.reading, config, fast=has_nvidia()))
        with self._lock:
            _keep(self._sorted, key, made)
        return made

    def _without_files(self, config: TrainConfig) -> TrainConfig:
        """The configuration without the single files that it names, so that nothing looks for them."""
        for section, name in FILES:
            value = str(self._root) if name == "output_dir" else None
            changed = getattr(config, section).model_copy(update={name: value})
            config = config.model_copy(update={section: changed})
        return config


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > READINGS_KEPT:
        kept.popitem(last=False)


def with_absolute_folders(config: TrainConfig, root: Path) -> TrainConfig:
    """The configuration with its folders as the trainer finds them: relative ones start at the project's root."""

    def placed(path: str) -> str:
        return str(root / path)

    def all_placed(section: Any, names: Iterable[str]) -> Any:
        return section.model_copy(update={name: placed(path) for name in names if (path := getattr(section, name))})

    def listed(subsets: Iterable[Subset]) -> tuple[Subset, ...]:
        return tuple(all_placed(subset, SUBSET_PATHS) for subset in subsets)

    data = all_placed(config.dataset, DATASET_PATHS)
    groups = tuple(group.model_copy(update={"subsets": listed(group.subsets)}) for group in data.datasets)
    output = config.save.model_copy(update={"output_dir": placed(config.save.output_dir or "output")})
    return config.model_copy(
        update={
            "dataset": data.model_copy(update={"subsets": listed(data.subsets), "datasets": groups}),
            "save": output,
        }
    )


def picture_folders(config: TrainConfig) -> list[str]:
    """The folders with the pictures of a run, as they are written."""
    data = config.dataset
    return [place for place in (data.train_data_dir, data.reg_data_dir) if place] + [
        owner.subset.image_dir for owner in owners(data) if owner.subset is not None and owner.subset.image_dir
    ]


def _with_datasets(config: TrainConfig, root: Path) -> tuple[TrainConfig, tuple[DataProblem, ...]]:
    """The configuration with absolute folders and what its dataset_config lists, or without it and with what is wrong
    in that file."""
    config = with_absolute_folders(config, root)
    try:
        return with_absolute_folders(expanded(config)[0], root), ()
    except ConfigError as fault:
        told = tuple(
            DataProblem("error", Path(config.dataset.dataset_config or ""), problem.template, problem.values)
            for problem in fault.problems
        )
        without = config.dataset.model_copy(update={"dataset_config": None})
        return config.model_copy(update={"dataset": without}), told


def _with_found_files(config: TrainConfig, root: Path) -> TrainConfig:
    """The same for the single files that exist; what does not may be a name on a hub, and is left as it is written."""
    for section, name in FILES:
        path = getattr(getattr(config, section), name)
        if path and "\n" not in path and (root / path).exists():
            changed = getattr(config, section).model_copy(update={name: str(root / path)})
            config = config.model_copy(update={section: changed})
    return config


def start_problems(root: Path, config: TrainConfig, reports: Reports) -> list[Problem]:
    """Everything that makes starting pointless, looked up on disk now. Errors only; empty = it can start."""
    found = []
    told = describe_model(root, MODEL_ADDRESS, config.model.pretrained_model_name_or_path or "")
    if not told["good"]:
        found.append(Problem(MODEL_ADDRESS, told["problem"]["template"], told["problem"]["values"]))
    errors = [problem for problem in reports.read(config)["problems"] if problem["severity"] == "error"]
    return found + [Problem(problem["address"], problem["template"], problem["values"]) for problem in errors]


def curve(config: TrainConfig, steps: int, steps_per_epoch: int, epochs: int) -> dict[str, Any] | None:
    """What the page draws: rates over the steps, and the steps at which a file is written; None without a run, and
    for an optimizer that finds the rate itself."""
    if steps < 1:
        return None
    try:
        optimizer = optimizers.find(config.optimizer.optimizer_type)
        if optimizer.decides_rate(config.optimizer.optimizer_args):
            return None
        section = schedules.FLAT if optimizer.schedule_free else config.schedule
        rates = dict(sorted(trained_rates(config).items(), key=lambda rate: (rate[0] != "unet", rate[0])))
        drawn = schedules.curve(section, steps, rates, config.optimizer.learning_rate)
    except (schedules.ScheduleError, optimizers.OptimizerError):
        return None
    return {
        **drawn,
        "total": steps,
        "saves": sorted(set(saves(config, steps, steps_per_epoch, epochs)))[:MOST_SAVE_MARKS],
    }


def saves(config: TrainConfig, steps: int, steps_per_epoch: int, epochs: int) -> Iterator[int]:
    """Steps after which a LoRA file is written, the last one among them.

    As in sd-scripts the last epoch has no file of its own: the final file takes its place.
    """
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
    try:
        path = pasted(path)
    except PathError as error:
        named = {**error.values, "name": address.rpartition(".")[2]}
        return {**answer, "problem": problem_json(Problem(address, "{name}: " + FAULTS[error.kind], named))}
    if path.startswith(("\\\\", "//")):
        said = "{path} is a network path; choose a file on this machine"
        return {**answer, "problem": problem_json(Problem(address, said, {"path": path}))}
    place = root / path
    if not place.exists():
        cure = "{path} does not exist; choose the file with Browse, or put it into ./sd-models"
        return {**answer, "problem": problem_json(Problem(address, cure, {"path": path}))}
    told = describe(place)
    problem = _against(address, path, told)
    return {
        **answer, "good": problem is None, "bytes": told.size_bytes,
        "title": TITLES.get((told.family or "", told.kind), told.detail),
        "dtype": DTYPES.get(told.dtype or "", told.dtype or ""), "problem": problem_json(problem) if problem else None,
    }  # fmt: skip


TITLES = {
    ("sd1", "checkpoint"): "SD 1.5", ("sd1", "folder"): "SD 1.5 (diffusers)", ("sd1", "lora"): "SD 1.5 LoRA",
    ("sd2", "checkpoint"): "SD 2.x", ("sd2", "folder"): "SD 2.x (diffusers)", ("sd2", "lora"): "SD 2.x LoRA",
    ("sdxl", "checkpoint"): "SDXL", ("sdxl", "folder"): "SDXL (diffusers)", ("sdxl", "lora"): "SDXL LoRA",
    ("", "vae"): "VAE",
}  # fmt: skip
DTYPES = {"F16": "fp16", "BF16": "bf16", "F32": "fp32", "F8_E4M3": "fp8", "F8_E5M2": "fp8"}


def _against(address: str, path: str, told: Description) -> Problem | None:
    """Why this file cannot stand in this field, or None."""
    if address == MODEL_ADDRESS:
        for said in kinds.unusable(told, own_vae=True):
            return Problem(address, said.template, said.values)
    elif told.problems:
        return Problem(address, "{reason}", {"reason": told.problems[0]})
    elif address == "network.network_weights" and told.kind != "lora":
        return Problem(
            address,
            "{path} is not what belongs here, it is: {kind}; {cure}",
            {"path": path, "kind": told.detail, "cure": "choose a LoRA file"},
        )
    return None


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem for the page: the English sentence, and template with values for other languages."""
    values = {
        name: value if isinstance(value, (int, float)) and math.isfinite(value) else printable(str(value))
        for name, value in problem.values.items()
    }  # JSON has no NaN, no infinity and no half of a surrogate pair
    return {"address": problem.address, "message": problem.message, "template": problem.template, "values": values}


def _told(config: TrainConfig, made: Report, files: Iterable[DataProblem]) -> dict[str, Any]:
    """A report for the page, with the curve and with problems tied to the field that they concern."""
    told = made.to_json()
    accumulation = config.run.gradient_accumulation_steps
    per_epoch = made.lengths.steps_per_epoch
    problems = [
        {**problem.to_json(), "address": problem.address or _file_address(config, problem)} for problem in files
    ]
    unread = any(problem["address"] == DATASET_FILE_ADDRESS for problem in problems)
    of_pictures = [
        {**problem.to_json(), "address": problem.address or _picture_address(config, problem.to_json())}
        for problem in made.problems
        if not (unread and problem.path is None)
    ]
    problems += [problem for problem in of_pictures if problem["path"] or not _left_out(config, problem["address"])]
    return {
        **told, "accumulation": accumulation, "steps_per_epoch": per_epoch,
        "processes": process_count(config.distributed),
        "by_epochs": config.run.max_train_epochs is not None,
        "curve": curve(config, told["steps"], per_epoch, told["epochs"]), "problems": problems,
    }  # fmt: skip


def _left_out(config: TrainConfig, address: str) -> bool:
    """Whether a field that a run needs is empty here. It may hold a value that form.check refused, and form.check has
    its sentence in either case."""
    section, _, name = address.partition(".")
    return address in STAND_INS and getattr(getattr(config, section), name) is None


def _file_address(config: TrainConfig, problem: DataProblem) -> str:
    """The field whose path a problem is about; the base model's where it cannot be told."""
    for section, name in FILES:
        value = getattr(getattr(config, section), name)
        if value and problem.path is not None and problem.path.parts[-len(Path(value).parts) :] == Path(value).parts:
            return f"{section}.{name}"
    if problem.path is not None and problem.path.suffix.lower() in (".toml", ".json"):
        return DATASET_FILE_ADDRESS  # it was taken out of the configuration, see _with_datasets
    return MODEL_ADDRESS


def _picture_address(config: TrainConfig, problem: Mapping[str, Any]) -> str:
    path = str(problem.get("path") or "")
    data = config.dataset
    if data.reg_data_dir and path.startswith(data.reg_data_dir):
        return "dataset.reg_data_dir"
    for address, subsets in (
        ("dataset.subsets", data.subsets),
        ("dataset.datasets", [subset for group in data.datasets for subset in group.subsets]),
    ):
        if path and any(path.startswith(place) for subset in subsets for place in _places(subset)):
            return address
    return "dataset.train_data_dir"


def _places(subset: Subset) -> list[str]:
    """The folders and files that a listed folder names."""
    return [place for name in SUBSET_PATHS if (place := getattr(subset, name))]


def _folders_key(config: TrainConfig) -> str:
    """What a reading of pictures depends on: the folders and how captions are found."""
    data = config.dataset
    parts: list[Any] = [data.train_data_dir, data.reg_data_dir, data.in_json, data.dataset_repeats, data.cache_info]
    parts += [config.caption.caption_extension, data.face_crop_aug_range, data.ignore_exif_orientation]
    return json.dumps(
        [*parts, [subset.model_dump() for subset in data.subsets], [group.model_dump() for group in data.datasets]],
        sort_keys=True,
    )


def _files_key(config: TrainConfig) -> tuple[str | None, ...]:
    return tuple(getattr(getattr(config, section), name) for section, name in FILES)


def _folder_times(config: TrainConfig) -> tuple[Any, ...]:
    """Modification times of the picture folders and those in them: a file added, removed or renamed changes one."""
    roots = [
        config.dataset.train_data_dir,
        config.dataset.reg_data_dir,
        config.dataset.in_json,
        *(place for owner in owners(config.dataset) if owner.subset is not None for place in _places(owner.subset)),
    ]
    return tuple(_times(path) for path in roots if path)


def _times(path: str) -> tuple[tuple[str, int], ...]:
    try:
        folder = Path(path)
        names = [place.name for place in look_into(folder, real(folder)) if place.kind == "folder"]
        below = [(name, (folder / name).stat().st_mtime_ns) for name in names]
        return ((path, folder.stat().st_mtime_ns), *below)
    except OSError as error:
        return ((f"{path}: {error.errno}", 0),)
    except ValueError:  # a zero byte
        return ((path, 0),)
