"""Settings that stand as words of a command: train.ps1 and train.sh of lora-scripts and of the guides, lists of
--name=value. LIGHT.

Nothing is ever run: variables with a plain value, the words of the command, and the simplest conditions are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trainer.arguments import split_words
from trainer.config.problems import Note

DOCUMENT = "__words__"  # the whole text, among flat values
SUFFIXES = (".ps1", ".sh", ".bat", ".cmd", ".txt")
OPTION = re.compile(r"(?:^|[\s\"'(`])--([A-Za-z]\w*)")
VARIABLE = re.compile(r"^[ \t]*(?:export\s+|set\s+|SET\s+)?\$?([A-Za-z_]\w*)[ \t]*=(?!=)[ \t]*(.*)$", re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*(?:#|::|rem\b|REM\b).*$", re.MULTILINE)
# bounded, so that a text without an end of its brackets is read in no time
BRANCH = re.compile(r"if\s*\(([^()\n]{0,200})\)\s*\{([^{}]{0,4000})\}(?:\s*else\s*\{([^{}]{0,4000})\})?")
ADDED = re.compile(r"\.Add\(\s*[\"']([^\"']*)[\"']\s*(?:\+\s*\$(\w+))?\s*\)")
REFERENCE = re.compile(r"\$\{?(?:env:)?(\w+)\}?|%(\w+)%")
LONGEST = 200_000  # characters; a script has a few thousand
LISTS = ("network_args", "optimizer_args", "lr_scheduler_args", "base_weights", "base_weights_multiplier")
# Variables of scripts that are known by another name than their option.
VARIABLES = {
    "pretrained_model": "pretrained_model_name_or_path", "ckpt": "pretrained_model_name_or_path", "is_v2_model": "v2",
    "parameterization": "v_parameterization", "image_dir": "train_data_dir", "reg_dir": "reg_data_dir",
    "batch_size": "train_batch_size", "max_train_epoches": "max_train_epochs", "vae_path": "vae",
    "train_unet_only": "network_train_unet_only", "train_text_encoder_only": "network_train_text_encoder_only",
    "lr": "learning_rate", "lr_restart_cycles": "lr_scheduler_num_cycles", "optimizer_t": "optimizer_type",
    "scheduler": "lr_scheduler", "lr_r_num_cycles": "lr_scheduler_num_cycles", "lr_warmup_ratio": "lr_warmup_steps",
    "scale_weight_normals": "scale_weight_norms",
}  # fmt: skip
ACCELERATE = ("num_cpu_threads_per_process", "config_file", "mixed_precision_launch")


def holds_words(text: str) -> bool:
    """Whether a text has options of a command, or variables of a script, in it."""
    if len(text) > LONGEST:
        return False
    return bool(OPTION.search(COMMENT.sub("", text)) or re.search(r"^\s*\$\w+\s*=", text, re.MULTILINE))


def as_sd_scripts(text: str) -> tuple[dict[str, Any], list[Note]]:
    """The text -> flat values under sd-scripts' names, and what a script computes and nobody else can."""
    text = COMMENT.sub("", text.replace("\r\n", "\n"))
    variables = dict(_variables(text))
    result: dict[str, Any] = {}
    unknown: list[str] = []
    for words in (_command(text), *_branches(text, variables)):
        _take(words, variables, result, unknown)
    for name, value in variables.items():
        meant = VARIABLES.get(name, name)
        if meant not in result and value is not None and _is_setting(name):
            result[meant] = value
    _lycoris(variables, result)
    for name in ACCELERATE:
        result.pop(name, None)
    notes = []
    if unknown:
        said = "Left out, since the script computes them: {names}"
        notes.append(Note(None, said, {"names": ", ".join(dict.fromkeys(unknown))}))
    return result, notes


def _is_setting(name: str) -> bool:
    from trainer.config import parameters

    return name in VARIABLES or any(parameter.name == name for parameter in parameters())


def _lycoris(variables: Mapping[str, Any], result: dict[str, Any]) -> None:
    """The variables that lora-scripts' script gives to LyCORIS."""
    names = ("algo", "conv_dim", "conv_alpha", "dropout")
    if result.get("network_module") == "lycoris.kohya" and "network_args" not in result:
        given = [f"{name}={variables[name]}" for name in names if variables.get(name) is not None]
        result.update({"network_args": given} if given else {})


def _variables(text: str) -> Iterator[tuple[str, Any]]:
    """Variables of a script; None for those that it computes."""
    for match in VARIABLE.finditer(text):
        if not match[1].startswith("_") and not match[0].lstrip().startswith("--"):
            yield match[1], _literal(match[2])


def _literal(text: str) -> Any:
    """A plain value as a script writes it, without the comment behind it; None for what it computes."""
    text = text.strip()
    array = re.fullmatch(r"@\((.*)\)\s*(?:#.*)?", text)
    if array:
        return [word.strip("\"', ") for word in re.findall(r"\"[^\"]*\"|'[^']*'|[^,\s]+", array[1])]
    quoted = re.match(r"([\"'])(.*?)\1\s*(?:#.*)?$", text)
    if quoted:
        return None if REFERENCE.search(quoted[2]) or "--" in quoted[2] else quoted[2]
    plain = re.split(r"\s+#|\s+//", text)[0].strip().rstrip(";")
    if plain.lower() in ("$true", "$false", "true", "false"):
        return plain.lower().endswith("true")
    return plain if re.fullmatch(r"[^\s$()@%`|]*", plain) else None


def _command(text: str) -> list[str]:
    """The words of the command, without the lines that set variables and the branches."""
    bare = VARIABLE.sub(lambda match: match[2] if "--" in match[2] else "", BRANCH.sub("", text))
    words = split_words(re.sub(r"[`^\\][ \t]*(?=\n)", " ", bare.replace('`"', '"')))
    return [word for word in words if word not in ("`", "\\", "^", "+", "+=")]


def _branches(text: str, variables: Mapping[str, Any]) -> Iterator[list[str]]:
    """The words that a script adds where a condition on one variable holds."""
    for condition, then, otherwise in BRANCH.findall(text):
        holds = _holds(condition, variables)
        if holds is not None:
            body = then if holds else otherwise
            yield [f"{word}${variable}" if variable else word for word, variable in ADDED.findall(body)]


def _holds(condition: str, variables: Mapping[str, Any]) -> bool | None:
    """Whether a condition such as `$resume`, `$save_state -eq 1` or `$noise_offset -ne 0` holds; None if unknown."""
    match = re.fullmatch(r"\s*\$\{?(\w+)\}?\s*(?:(-eq|-ne|==|!=)\s*[\"']?([^\"']*?)[\"']?)?\s*", condition)
    if match is None or match[1] not in variables:
        return None
    value = variables[match[1]]
    if match[2] is None:
        return str(value).lower() not in ("", "0", "false", "none")
    return (str(value) == match[3]) == (match[2] in ("-eq", "=="))


def _take(words: list[str], variables: Mapping[str, Any], result: dict[str, Any], unknown: list[str]) -> None:
    """`--name=value`, `--name value` and `--name` into the result, with the values of variables in place of them."""
    name = ""
    for word in words:
        if word.startswith("--") and re.match(r"--[A-Za-z]", word):
            name, sign, value = word[2:].partition("=")
            _set(name, _filled(value, variables) if sign else True, result, unknown)
        elif name:
            value, before = _filled(word, variables), result.get(name)
            if word.startswith(("$", "-", ">", "|", "&")) and value is None or word[:1] in "|&>;{}":
                name = ""
            elif name in LISTS:
                result[name] = [*(before if isinstance(before, list) else []), value]
                if value is None:
                    unknown.append(name)
                    result[name].pop()
            elif before is True:
                _set(name, value, result, unknown)
            else:
                name = ""


def _set(name: str, value: Any, result: dict[str, Any], unknown: list[str]) -> None:
    if value is None:
        unknown.append(name)
        result.pop(name, None)
    else:
        result[name] = [value] if name in LISTS and isinstance(value, str) else value


def _filled(text: str, variables: Mapping[str, Any]) -> Any:
    """A word with the values of its variables; None where one is not known."""
    names = [first or second for first, second in REFERENCE.findall(text)]
    if any(variables.get(name) is None for name in names):
        return None
    if names and REFERENCE.fullmatch(text):
        return variables[names[0]]
    return REFERENCE.sub(lambda match: str(variables[match[1] or match[2]]), text)
