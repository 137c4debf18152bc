"""What names and values of sd-scripts' settings mean here. How other pages write them is in programs/. LIGHT.

Every translation and everything left out becomes a Note, so nothing is dropped in silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from trainer.arguments import ArgumentError
from trainer.config.fields import count_of, parse_rates, parse_texts
from trainer.config.optimizer import Optimizer
from trainer.config.problems import Note, Problem, did_you_mean, shown
from trainer.config.refused import REFUSED, refusal
from trainer.networks import arguments
from trainer.numbers import NumberError, read_number

RENAMED = {
    # kohya_ss GUI (JSON) -> sd-scripts
    "max_resolution": "resolution", "epoch": "max_train_epochs", "optimizer": "optimizer_type",
    "model_path": "pretrained_model_name_or_path",
    # train.toml of lora-scripts in 2023
    "lr_restart_cycles": "lr_scheduler_num_cycles",
}  # fmt: skip
FROM_THE_FILE = {"sdxl", "sd3", "flux1_checkbox", "model_train_type", "LoRA_type"}
WITHOUT_COUNTERPART = {
    "num_cpu_threads_per_process": "it is chosen for this machine",
    "prior_loss_weight_enabled": "prior_loss_weight itself decides",
    "logging_level": "the whole log is kept with the job",
    "randomly_choice_prompt": "write the prompts into sample_prompts",
}
# Words that switch something off in other programs' files, where a choice of ours has none of that name.
OFF_WORDS = frozenset({"no", "none", "null", "off", "false", "disabled", "disable", "default", "auto"})
# Choices that other programs write while what they belong to is off: accelerate's "no" for a compiler.
OFF_CHOICES = frozenset({
    "dynamo_backend", "mixed_precision", "save_precision", "log_with", "quantize_base", "prediction_type",
    "model_family", "resize_interpolation", "max_token_length", "console_log_level", "lr_scheduler_type",
})  # fmt: skip
# Numbers that must be 1 or more here and are 0 in files where they are not used.
ZERO_IS_AS_USUAL = frozenset({
    "vae_batch_size", "gradient_accumulation_steps", "lr_scheduler_num_cycles", "lr_scheduler_power", "dataset_repeats",
    "num_machines", "huber_c", "huber_scale",
})  # fmt: skip
# Numbers that are 0 while another parameter does their work, or while nothing needs them.
ZERO_BESIDE = {"max_train_steps": "max_train_epochs"}
# Network types (algo=… of lycoris.kohya) that do nothing with an option.
WITHOUT_USE = {
    "network_dropout": frozenset({
        "networks.dylora", "networks.oft", "algo=dylora", "algo=ia3", "algo=full", "algo=diag-oft", "algo=boft",
    }),
    "scale_weight_norms": frozenset({
        "networks.dylora", "networks.oft", "algo=dylora", "algo=glora", "algo=ia3", "algo=full",
    }),
}  # fmt: skip
# Refused names that ask for nothing while another one is not set: an upload without a place to upload to.
IDLE_WITHOUT = {"save_state_to_huggingface": "huggingface_repo_id", "resume_from_huggingface": "resume"}
OLD_LOCON = "locon.locon_kohya"  # LyCORIS before it had that name
NETWORK_ARGUMENT_FIELDS = ("conv_dim", "conv_alpha", "rank_dropout", "module_dropout")
NEARLY_THE_SAME = 0.9  # difflib's ratio above which an unknown name is a slip of the pen


def translate(values: Mapping[str, Any], known: Iterable[str]) -> tuple[dict[str, Any], list[Note], list[Problem]]:
    """Flat values under sd-scripts' names -> flat values under ours, what was done to them, and what is refused.

    Unknown names are left out with a note, since launchers write names of their own; one that is nearly a parameter's
    is a problem, since it is a slip that would train with another value than meant. Unset values ("" and null) are left
    out without a word.
    """
    known = set(known)
    result: dict[str, Any] = {}
    notes: list[Note] = []
    problems: list[Problem] = []
    extra_network: list[str] = []
    for name, value in values.items():
        target = RENAMED.get(name, name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if target in known and _is_off(target, value, values):
            notes += _off_note(target, value)
        elif target in known:
            result[target] = _value(target, value, notes)
        elif name in NETWORK_ARGUMENT_FIELDS and _says_something(value):
            extra_network.append(f"{name}={value}")
        elif (refused := refusal(name, value) or _slip(name, value, known)) is not None:
            if isinstance(refused, Problem) and name in IDLE_WITHOUT and not values.get(IDLE_WITHOUT[name]):
                said = "{name} = {value} has no effect without {needed}"
                notes.append(Note(None, said, {"name": name, "value": shown(value), "needed": IDLE_WITHOUT[name]}))
            elif isinstance(refused, Note):
                notes.append(refused)
            else:
                problems.append(refused)
        else:
            notes.extend(_left_out(name, value, known))
    if extra_network and not result.get("network_args"):
        result["network_args"] = extra_network
    _old_spellings(result, notes)
    if str(values.get("network_module")) == OLD_LOCON:
        _convolutions_of_old_locon(result, notes)
    _unused_by_the_network(result, notes)
    _one_rate(result, notes)
    if result.get("cache_latents_to_disk") is True and result.get("cache_latents") is not True:
        result["cache_latents"] = True
        notes.append(Note("cache.cache_latents", "cache_latents was switched on because cache_latents_to_disk is"))
    if (
        result.get("cache_text_encoder_outputs_to_disk") is True
        and result.get("cache_text_encoder_outputs") is not True
    ):
        result["cache_text_encoder_outputs"] = True
        notes.append(
            Note(
                "cache.cache_text_encoder_outputs",
                "cache_text_encoder_outputs was switched on because keeping them on disk is",
            )
        )
    return result, notes, problems


def _is_off(name: str, value: Any, values: Mapping[str, Any]) -> bool:
    """Whether a value means, in the program that wrote it, that the parameter is not used."""
    if name in OFF_CHOICES:
        return value is False or str(value).strip().lower() in OFF_WORDS
    if isinstance(value, bool):
        return False
    zero = not _says_something(value)
    if name == "token_warmup_min":  # allowed, but without a warm-up it says nothing
        return zero and not _says_something(values.get("token_warmup_step"))
    if name in ZERO_BESIDE:
        return zero and _says_something(values.get(ZERO_BESIDE[name]))
    return zero and name in ZERO_IS_AS_USUAL


def _off_note(name: str, value: Any) -> list[Note]:
    """What is said of it: nothing where the parameter is as usual anyway."""
    if name in ("dynamo_backend", "mixed_precision", "token_warmup_min", *ZERO_BESIDE):
        return []
    return [Note(None, "{name} = {value} was read as off", {"name": name, "value": value})]


def _unused_by_the_network(result: dict[str, Any], notes: list[Note]) -> None:
    """A dropout and a limit of norms that the network type does nothing with; sd-scripts trains without them."""
    module = str(result.get("network_module") or "networks.lora")
    try:
        texts = parse_texts(result.get("network_args") or ())
        method = arguments.method_of(module, texts).name if module in arguments.MODULES else ""
    except (ArgumentError, PydanticCustomError):
        return  # told at their fields
    kind = f"algo={method}" if module == "lycoris.kohya" else module
    for name, without in WITHOUT_USE.items():
        if result.get(name) and kind in without and _says_something(result[name]):
            said = "{name} = {value} was left out: {kind} does not use it"
            told = {"name": name, "value": shown(result.pop(name)), "kind": kind}
            notes.append(Note(f"network.{name}", said, told))


def _convolutions_of_old_locon(result: dict[str, Any], notes: list[Note]) -> None:
    """It always trains the 3x3 convolutions: without conv_dim and conv_alpha with the network's rank and alpha."""
    try:
        texts = list(parse_texts(result.get("network_args") or ()))
    except PydanticCustomError:
        return  # told at its field
    given = {text.partition("=")[0].strip() for text in texts}
    added = [f"{name}={result.get(whole, usual)}" for name, whole, usual in
             (("conv_dim", "network_dim", 4), ("conv_alpha", "network_alpha", 1)) if name not in given]  # fmt: skip
    if added:
        result["network_args"] = [*texts, *added]
        said = "{names} was added: {module} trains convolutions too, without it as the rest of the network"
        notes.append(Note("network.network_args", said, {"names": ", ".join(added), "module": OLD_LOCON}))


def _one_rate(result: dict[str, Any], notes: list[Note]) -> None:
    """DAdaptation with two rates trains every part at the first, as sd-scripts says when it warns of them."""
    if str(result.get("optimizer_type") or "").lower() not in ("dadaptation", "dadaptadampreprint"):
        return
    if result.get("network_train_unet_only") is True or result.get("network_train_text_encoder_only") is True:
        return
    try:
        usual = result.get("learning_rate", Optimizer.model_fields["learning_rate"].default)
        first = parse_rates(result.get("text_encoder_lr", usual))
        unet = parse_rates(result.get("unet_lr", usual))
    except (ValueError, PydanticCustomError):
        return  # told at their fields
    first = first[0] if isinstance(first, tuple) else first
    if first and unet and first != unet:
        result["unet_lr"] = result["text_encoder_lr"] = first
        said = "{optimizer} uses one rate for every part: the first, the text encoder's {rate}, was taken"
        notes.append(Note("optimizer.unet_lr", said, {"optimizer": result["optimizer_type"], "rate": f"{first:g}"}))


def _old_spellings(result: dict[str, Any], notes: list[Note]) -> None:
    """The old switches for an optimizer and the old spelling of caption_extension, as sd-scripts reads them."""
    for switch, optimizer in (("use_8bit_adam", "AdamW8bit"), ("use_lion_optimizer", "Lion")):
        if result.get(switch) is True and not result.get("optimizer_type"):
            result["optimizer_type"] = optimizer
            said = f"{switch} was read as optimizer_type {optimizer}"
            notes.append(Note("optimizer.optimizer_type", said))
    if result.get("caption_extention"):
        result["caption_extension"] = result["caption_extention"]
        said = "caption_extention {value} was read as caption_extension"
        notes.append(Note("caption.caption_extension", said, {"value": result["caption_extention"]}))


def _slip(name: str, value: Any, known: set[str]) -> Problem | None:
    """The problem of a name that is nearly that of a parameter; None for names that are simply other programs'."""
    if name in REFUSED or name in WITHOUT_COUNTERPART or name in FROM_THE_FILE or value in (False, [], {}):
        return None
    if name.rstrip("0123456789") in known:  # text_encoder_lr1: a part of something, in another program
        return None
    near = difflib.get_close_matches(name, known, n=1, cutoff=NEARLY_THE_SAME)
    said = "{name} = {value} is not a parameter; did you mean {near}? Correct or remove it"
    return Problem(None, said, {"name": name, "value": shown(value), "near": near[0]}) if near else None


def _value(name: str, value: Any, notes: list[Note]) -> Any:
    """A value in our form: switches written as words, 75 tokens as unset, xformers as chosen from a list."""
    if name == "max_token_length" and str(value) in ("75", "255"):
        said = "{name} {value} was read as {read}"
        notes.append(
            Note(
                "caption.max_token_length",
                said,
                {"name": name, "value": value, "read": "unset" if str(value) == "75" else 225},
            )
        )
        return None if str(value) == "75" else 225
    if name == "text_encoder_lr" and count_of(value) > 2:
        said = "of {count} numbers {name} uses the first 2: there are two text encoders at most"
        notes.append(Note("optimizer.text_encoder_lr", said, {"name": name, "count": count_of(value)}))
    if name == "validation_split" and not 0 <= (_number(value) or 0) <= 1:
        said = "{name} = {value} was read as off: it is a part of the pictures, from 0 to 1"
        notes.append(Note("dataset.validation_split", said, {"name": name, "value": value}))
        return 0
    if name == "optimizer_type" and "." in str(value):
        return _optimizer(str(value), notes)
    if name == "xformers" and isinstance(value, str):
        return value.lower() in ("xformers", "true")
    if name == "network_module" and str(value).lower() in ("lora", "standard", "networks.lora"):
        return "networks.lora"
    if name == "network_module" and str(value) == OLD_LOCON:
        said = "{name} {value} was read as {read}"
        notes.append(Note("network.network_module", said, {"name": name, "value": value, "read": "networks.lora"}))
        return "networks.lora"
    if name.startswith("metadata_") or name in ("output_name", "training_comment"):
        return str(value).lower() if isinstance(value, bool) and name.startswith("metadata_") else value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return value


def _optimizer(path: str, notes: list[Note]) -> str:
    """The optimizer that a class of another package stands for: LoraEasyCustomOptimizer.came.CAME is CAME."""
    from trainer import optimizers

    try:
        optimizers.find(path)
    except optimizers.OptimizerError:
        short = path.rpartition(".")[2]
        found = next((name for name in optimizers.OPTIMIZERS if name.lower() == short.lower()), None)
        if found is None:
            return path
        said = "{name} {value} was read as {read}"
        notes.append(Note("optimizer.optimizer_type", said, {"name": "optimizer_type", "value": path, "read": found}))
        return found
    return path


def _number(value: Any) -> float | None:
    """The number that a value is or holds as text; None for none."""
    try:
        return float(read_number(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None


def _left_out(name: str, value: Any, known: set[str]) -> list[Note]:
    """Why a name is not taken over. Switches that are off and numbers that are 0 said nothing anyway."""
    if value in (False, 0, "0", [], {}) or name in REFUSED:
        return []
    if name in FROM_THE_FILE:
        return [Note(None, "{name} was left out: what the model is, is read from its file", {"name": name})]
    if name in WITHOUT_COUNTERPART:
        return [Note(None, "{name} was left out: {reason}", {"name": name, "reason": WITHOUT_COUNTERPART[name]})]
    return [
        Note(
            None,
            "{name} = {value} was left out: no such parameter{hint}",
            {"name": name, "value": shown(value), "hint": did_you_mean(name, known)},
        )
    ]


def _says_something(value: Any) -> bool:
    """Whether a network argument's field holds more than 0; a text that is no number is kept, to be refused."""
    try:
        return bool(read_number(value) if isinstance(value, str) else value)
    except NumberError:
        return True
