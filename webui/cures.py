"""Which values of the form put a told problem right, so that one click does it. LIGHT.

A cure is named by the sentence's template, and only where there is one thing to do, or two to choose between; it
changes the form, never a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig
from trainer.config.dataset import owners
from trainer.config.notes import DORA_OF_OUTPUTS, NOT_DECOUPLED
from trainer.config.rate_notes import (
    NO_FACTOR,
    NOT_USED,
    ONLY_DEFAULT,
    TEXT_ABOVE_UNET,
    TOO_HIGH,
    TOO_LOW,
    better_rates,
    trained_rates,
)
from trainer.config.rules import CACHE_AGAINST_CAPTIONS, CACHE_NEEDS_UNET_ONLY
from trainer.dataset.folders import LISTED_TOO
from trainer.dataset.reading import DEEPER
from trainer.dataset.report import WARMUP_TOO_LONG
from trainer.dataset.scan import SEVERAL_LINES
from trainer.families import kinds
from trainer.optimizers import ONE_RATE
from webui.form import SUBSETS, RawValue, default_values, number_text
from webui.form_folders import USUAL_REPEATS, repeats_of

Values = dict[str, RawValue]
V = "model.v_parameterization"
PURE_NOISE = "noise.zero_terminal_snr"
FOLDER_ITSELF = "{path} is a picture folder itself; set {option} to the folder above it: {parent}"
NO_REPEATS = "{path} holds pictures but no folder with repeats in its name; move them into a folder such as {example}"
PICTURES_BELOW = (
    "{path} holds no folder with repeats in its name; {count} {count|picture lies|pictures lie} deeper: rename "
    "their folders, such as {example}, and name the folder above them, or list them one by one"
)
UNNAMED = "the folder {name} is not used: its name must begin with the repeats, such as 10_{clean}"
OTHER_EXTENSION = (
    "NO {extension} file in {name}, but {count} {other} files: set caption_extension to {other}, otherwise {fallback}"
)
LOWER_BUCKET = "min_bucket_reso {value} is above the resolution's shorter side {side}; lower it"
HIGHER_BUCKET = "max_bucket_reso {value} is below the resolution's longer side {side}; raise it"


def with_cures(config: TrainConfig, problems: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems {template, values, address, ...} with `cure`: values by address, or None; and `other`, where there is a
    second way out. The same cure stands once."""
    listed = list(problems)
    told = {problem["template"] for problem in listed}
    found: list[Values] = []

    def once(makers: Mapping[str, Any], problem: Mapping[str, Any]) -> Values | None:
        makes = makers.get(problem["template"])
        cure: Values = makes(config, problem, told) if makes else {}
        if cure in found:
            return None
        found.append(cure)
        return cure or None

    return [{**problem, "cure": once(_CURES, problem), "other": once(_OTHERS, problem)} for problem in listed]


def _v_on(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """What the file's markers decide, written into the form; v_pred_like_loss contradicts it."""
    found: Values = {V: True} if kinds.V_BY_FILE in told else {}
    if kinds.PURE_NOISE_BY_FILE in told:
        found[PURE_NOISE] = True
    if found.get(V) and config.loss.v_pred_like_loss:
        found["loss.v_pred_like_loss"] = ""
    return found


def _v_by_name(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """A v-prediction model that only its name tells; those of NoobAI were trained up to pure noise."""
    return {V: True, PURE_NOISE: True} if "noob" in str(problem["values"]["name"]).lower() else {V: True}


def _v_off(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """An ordinary model again, with everything that only a v-prediction model wants."""
    found: Values = {V: False}
    if config.noise.zero_terminal_snr:
        found[PURE_NOISE] = False
    for name in ("scale_v_pred_loss_like_noise_pred", "zero_terminal_snr_weights"):
        if getattr(config.loss, name):
            found[f"loss.{name}"] = False
    return found


def _folder_above(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    address = f"dataset.{problem['values']['option']}"
    return {address: str(Path(problem["values"]["parent"]))} if address == problem["address"] else {}


def _listed(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """A folder of pictures whose name has no repeats, listed with them: nothing has to be moved or renamed."""
    address = str(problem["address"])
    if address not in ("dataset.train_data_dir", "dataset.reg_data_dir"):
        return {}
    reg = address == "dataset.reg_data_dir"
    folder = {"image_dir": problem["values"]["path"], "num_repeats": "1" if reg else USUAL_REPEATS, "is_reg": reg}
    return {address: "", SUBSETS: _with(config, [folder])}


def _all_below(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """Every folder with pictures below the chosen one, listed with the repeats of its name."""
    address = f"dataset.{problem['values']['option']}"
    reg = address == "dataset.reg_data_dir"
    listed = [
        {"image_dir": folder, "num_repeats": repeats_of(Path(folder), "1" if reg else USUAL_REPEATS), "is_reg": reg}
        for folder in str(problem["values"]["folders"]).split("\n")
    ]
    return {address: "", SUBSETS: _with(config, listed)}


def _listed_too(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """A folder that lies beside or below those with repeats in their names, listed as well; not where all are."""
    if PICTURES_BELOW in told:
        return {}
    folder = Path(problem["path"])
    reg = problem["address"] == "dataset.reg_data_dir"
    usual = "1" if reg else USUAL_REPEATS
    repeats = repeats_of(folder, repeats_of(folder.parent, usual))
    return {SUBSETS: _with(config, [{"image_dir": str(folder), "num_repeats": repeats, "is_reg": reg}])}


def _with(config: TrainConfig, folders: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The listed folders and these, each once."""
    there = [known.model_dump(mode="json", exclude_none=True) for known in config.dataset.subsets]
    places = {os.path.abspath(known["image_dir"]) for known in there if known.get("image_dir")}
    return [*there, *(folder for folder in folders if os.path.abspath(folder["image_dir"]) not in places)]


def _empty(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    return {f"dataset.{problem['values']['option']}": ""}


def _wildcards(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """One line each time; not where text encodings are cached, nor where a folder switches wildcards off by itself."""
    own = [one.enable_wildcard for owner in owners(config.dataset) for one in (owner.subset, owner.group) if one]
    return {} if config.cache.cache_text_encoder_outputs or False in own else {"caption.enable_wildcard": True}


def _dora_of_inputs(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """A DoRA that image programs read; not where the run goes on from a file, which decides."""
    if config.network.network_weights or config.save.resume:
        return {}
    kept = [text for text in config.network.network_args if text.partition("=")[0].strip() != "wd_on_output"]
    return {"network.network_args": [*kept, "wd_on_output=False"]}


def _rates(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """Rates to begin with in place of those that are too high or too low."""
    return {f"optimizer.{name}": number_text(rate) for name, rate in better_rates(config).items()}


def _all_rates_1(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """One rate for an optimizer that finds it. The configuration may lack the rates that were refused."""
    names = ["learning_rate"]
    names += [] if config.network.network_train_text_encoder_only else ["unet_lr"]
    names += [] if config.network.network_train_unet_only else ["text_encoder_lr"]
    return {f"optimizer.{name}": "1" for name in names}


def _half_of_the_unets(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    return {"optimizer.text_encoder_lr": number_text(trained_rates(config)["unet"] / 2)}


def _as_the_parts(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """The learning rate that is not used, as the U-Net's: files then record what was trained."""
    rates = trained_rates(config)
    return {"optimizer.learning_rate": number_text(rates.get("unet") or max(rates.values()))} if rates else {}


def _decoupled(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """The arguments that guides give DAdaptAdam, beside those that are there."""
    names = [text.partition("=")[0].strip() for text in config.optimizer.optimizer_args]
    kept = [text for text, name in zip(config.optimizer.optimizer_args, names, strict=True) if name != "decouple"]
    added = [text for text in ("weight_decay=0.01", "betas=0.9,0.99") if text.partition("=")[0] not in names]
    return {"optimizer.optimizer_args": [*kept, "decouple=True", *added]}


def _caption_still(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    """What changes captions, switched off."""
    address = f"caption.{problem['values']['name']}"
    return {address: default_values()[address]}


def _without_text_cache(config: TrainConfig, problem: Mapping[str, Any], told: set[str]) -> Values:
    return {"cache.cache_text_encoder_outputs": False, "cache.cache_text_encoder_outputs_to_disk": False}


def _set_to(**values: RawValue) -> Callable[[TrainConfig, Mapping[str, Any], set[str]], Values]:
    """The same values whatever is told; their addresses with "__" for the point."""
    return lambda config, problem, told: {name.replace("__", "."): value for name, value in values.items()}


def _told_value(address: str, value: str) -> Callable[[TrainConfig, Mapping[str, Any], set[str]], Values]:
    return lambda config, problem, told: {address: str(problem["values"][value])}


_CURES: dict[str, Callable[[TrainConfig, Mapping[str, Any], set[str]], Values]] = {
    kinds.V_BY_FILE: _v_on,
    kinds.PURE_NOISE_BY_FILE: _v_on,
    kinds.NAME_SAYS_V: _v_by_name,
    kinds.NAME_SAYS_V_SD1: _v_by_name,
    kinds.FILE_SAYS_NOISE: _v_off,
    kinds.FILE_IS_SILENT: _v_off,
    kinds.FILE_IS_SILENT_SD1: _v_off,
    DORA_OF_OUTPUTS: _dora_of_inputs,
    FOLDER_ITSELF: _folder_above,
    NO_REPEATS: _listed,
    PICTURES_BELOW: _all_below,
    LISTED_TOO: _empty,
    DEEPER: _listed_too,
    UNNAMED: _listed_too,
    OTHER_EXTENSION: _told_value("caption.caption_extension", "other"),
    SEVERAL_LINES: _wildcards,
    LOWER_BUCKET: _told_value("dataset.min_bucket_reso", "side"),
    HIGHER_BUCKET: _told_value("dataset.max_bucket_reso", "side"),
    **dict.fromkeys((TOO_HIGH, TOO_LOW, ONLY_DEFAULT, NO_FACTOR), _rates),
    ONE_RATE: _all_rates_1,
    NOT_DECOUPLED: _decoupled,
    TEXT_ABOVE_UNET: _half_of_the_unets,
    NOT_USED: _as_the_parts,
    WARMUP_TOO_LONG: _set_to(schedule__lr_warmup_steps="5%"),
    CACHE_AGAINST_CAPTIONS: _caption_still,
    CACHE_NEEDS_UNET_ONLY: _set_to(network__network_train_unet_only=True),
}
# The other way out, where there are two that people choose between.
_OTHERS: dict[str, Callable[[TrainConfig, Mapping[str, Any], set[str]], Values]] = {
    CACHE_AGAINST_CAPTIONS: _without_text_cache,
    CACHE_NEEDS_UNET_ONLY: _without_text_cache,
}
