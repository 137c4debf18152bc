"""LyCORIS' presets: which layers are adapted, and by which method. LIGHT.

The names are LyCORIS', the choice is ours: layers are found by the class names that diffusers and transformers give the
modules around them, so that every preset finds what it means (KOHYA_COMPAT 6.9, TRAINER_FINDINGS 3).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from trainer import tomltext
from trainer.arguments import ArgumentError, suggestion
from trainer.paths import PathError, pasted

LARGEST_FILE_BYTES = 1_000_000
ATTENTION = "Transformer2DModel"
CONVOLUTIONS = ("ResnetBlock2D", "Downsample2D", "Upsample2D")
TEXT = ("CLIPAttention", "CLIPSdpaAttention", "CLIPFlashAttention2", "CLIPMLP")
TIME = ("time_embedding.linear_1", "time_embedding.linear_2")
# class names of sd-scripts' own U-Net that presets may name -> those of diffusers
OTHER_NAMES = {"CrossAttention": "Attention", "SelfAttention": "Attention"}


class PresetError(ArgumentError):
    """A preset does not exist or cannot be read. The text names it and the cure."""


@dataclass(frozen=True)
class Preset:
    """The fields of a LyCORIS preset.

    *_target_module: class names of modules whose layers are adapted. *_target_name: paths of layers, whole, their end
    behind a dot, or a pattern from their beginning (regular expression, or with use_fnmatch a file-like pattern).
    exclude_name: paths or patterns of layers to leave out. *_algo_map: class name or path -> what differs for such
    layers: algo, dim, alpha and other arguments. enable_conv: kernels larger than 1x1 too.
    """

    enable_conv: bool = True
    unet_target_module: tuple[str, ...] = (ATTENTION, *CONVOLUTIONS)
    unet_target_name: tuple[str, ...] = ("conv_in", "conv_out", *TIME)
    text_encoder_target_module: tuple[str, ...] = TEXT
    text_encoder_target_name: tuple[str, ...] = ()
    exclude_name: tuple[str, ...] = ()
    use_fnmatch: bool = False
    module_algo_map: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name_algo_map: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def modules(self, part: str) -> frozenset[str]:
        """Class names of one part, text_encoder or unet, as they are called here."""
        return frozenset(OTHER_NAMES.get(name, name) for name in getattr(self, f"{part}_target_module"))

    def names(self, part: str) -> tuple[str, ...]:
        """Paths and patterns of one part."""
        named: tuple[str, ...] = getattr(self, f"{part}_target_name")
        return named

    def matches(self, pattern: str, path: str) -> bool:
        """Whether a pattern means the layer at a path: to_k means every path that is to_k or ends with .to_k."""
        paths = (path, path.removeprefix("text_model."), f"text_model.{path}")
        if any(one == pattern or one.endswith(f".{pattern}") for one in paths):
            return True
        if self.use_fnmatch:
            return any(fnmatch.fnmatchcase(one, pattern) for one in paths)
        return any(re.match(pattern, one) is not None for one in paths)

    def match_any(self, patterns: Iterable[str], path: str) -> bool:
        """Whether one of them does."""
        return any(self.matches(pattern, path) for pattern in patterns)


PRESETS = {
    "full": Preset(),
    "full-lin": Preset(False, (ATTENTION, "ResnetBlock2D"), TIME),
    "attn-mlp": Preset(False, (ATTENTION,), ()),
    "attn-only": Preset(False, ("Attention",), (), ("CLIPAttention", "CLIPSdpaAttention", "CLIPFlashAttention2")),
    "unet-only": Preset(text_encoder_target_module=()),
    "unet-transformer-only": Preset(False, (ATTENTION,), (), ()),
    "unet-convblock-only": Preset(True, CONVOLUTIONS, ("conv_in", "conv_out"), ()),
    "ia3": Preset(
        False, (), ("to_k", "to_v", "ff.net.2"), (), ("k_proj", "v_proj", "mlp.fc2"),
        name_algo_map={"mlp.fc2": {"train_on_input": True}, "ff.net.2": {"train_on_input": True}},
    ),
}  # fmt: skip
# general names of a preset file, for a network of one model: they mean the U-Net's
GENERAL = {"target_module": "unet_target_module", "target_name": "unet_target_name"}


def find_preset(name: str) -> Preset:
    """A preset by its name, or read from a TOML file. Raises PresetError."""
    if name in PRESETS:
        return PRESETS[name]
    if not name.lower().endswith(".toml"):
        raise PresetError(f"there is no preset {name!r}; {suggestion(name, PRESETS)}, or give the path of a .toml file")
    try:
        return read_preset(Path(pasted(name)))
    except PathError as error:
        raise PresetError(f"preset {error}") from error


def read_preset(path: Path) -> Preset:
    """A preset file of LyCORIS. What it does not name is as in full. Raises PresetError, naming file and cure."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise PresetError(f"preset {path}: it is larger than 1 MB; this is no preset of LyCORIS")
        values = tomltext.parse(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PresetError(f"preset {path}: it cannot be read ({error.strerror}); correct the path") from error
    except (ValueError, RecursionError) as error:
        raise PresetError(f"preset {path}: it is no TOML file in UTF-8 ({error})") from error
    return preset_of(values, str(path))


def preset_of(values: Mapping[str, Any], path: str) -> Preset:
    """Fields of a preset file -> preset. path: for messages. Raises PresetError."""
    known = {one.name: one for one in fields(Preset)}
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name == "lora_prefix":
            raise PresetError(f"preset {path}: lora_prefix cannot be chosen; files have kohya's names. Remove it")
        name = GENERAL.get(name, name)
        if name not in known:
            raise PresetError(f"preset {path} has no field {name!r}; {suggestion(name, known)}")
        given[name] = _checked(name, value, path)
    preset = Preset(**given)
    if not preset.use_fnmatch:
        _check_patterns(preset, path)
    return preset


def _checked(name: str, value: Any, path: str) -> Any:
    """A value of the kind that the field has."""
    if name in ("enable_conv", "use_fnmatch"):
        if isinstance(value, bool):
            return value
        raise PresetError(f"preset {path}: {name} is true or false, not {value!r}")
    if name.endswith("_algo_map"):
        if isinstance(value, Mapping) and all(isinstance(one, Mapping) for one in value.values()):
            return {key: dict(one) for key, one in value.items()}
        raise PresetError(f'preset {path}: {name} is tables, such as [{name}.Attention] with algo = "lokr"')
    if isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise PresetError(f'preset {path}: {name} is a list of texts, such as ["Attention"]')


def _check_patterns(preset: Preset, path: str) -> None:
    for pattern in (
        *preset.unet_target_name, *preset.text_encoder_target_name, *preset.exclude_name, *preset.name_algo_map,
    ):  # fmt: skip
        try:
            re.compile(pattern)
        except re.error as error:
            raise PresetError(
                f"preset {path}: {pattern!r} is no regular expression ({error}); correct it or set use_fnmatch = true"
            ) from error
