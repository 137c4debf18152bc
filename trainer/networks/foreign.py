"""LoRA files under the names of diffusers and PEFT: which tensor is which here, and what scales it. LIGHT.

Only names, shapes and alphas: numbers stay as they are. `trainer.networks.network.renamed` fits the names to a model.
Formats: huggingface/diffusers, docs "LoRA"; huggingface/peft, docs "Checkpoint format".
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trainer import jsontext

Component = Literal["unet", "text_encoder", "text_encoder_2"]
COMPONENTS: tuple[Component, ...] = ("unet", "text_encoder", "text_encoder_2")
ADAPTER_CONFIG = "adapter_config.json"
PEFT_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
DIFFUSERS_WEIGHTS = ("pytorch_lora_weights.safetensors", "pytorch_lora_weights.bin")
DIFFUSERS_METADATA = "lora_adapter_metadata"  # key of a safetensors file's metadata: adapter configs as JSON
CONFIG_LIMIT_BYTES = 1_000_000
READ_PEFT_TYPES = ("LORA", "LOHA")
SDXL_TEXT_WIDTH = 2048  # of the text that the attention of SDXL reads
SECOND_ENCODER_WIDTH = 1280  # of SDXL's second text encoder; the others have 768 and 1024
OF_LAYER = re.compile(r"(?:lora|lycoris|oft)_[^.]*")  # the flat names that are used here
# ending of a name there -> ending here; a PEFT adapter may have a name of its own in the middle
ENDINGS = (
    (re.compile(r"\.lora_A(?:\.\w+)?\.weight|[._]lora(?:_linear_layer)?\.down\.weight"), "lora_down.weight"),
    (re.compile(r"\.lora_B(?:\.\w+)?\.weight|[._]lora(?:_linear_layer)?\.up\.weight"), "lora_up.weight"),
    (re.compile(r"\.lora_magnitude_vector(?:\.\w+)?(?:\.weight)?"), "dora_scale"),
    (re.compile(r"\.hada_(w1_a|w1_b|w2_a|w2_b|t1|t2)(?:\.(?!weight$)\w+)?"), r"hada_\1"),
    (re.compile(r"\.(lora_down\.weight|lora_up\.weight|lora_mid\.weight|alpha|dora_scale)"), r"\1"),
)  # fmt: skip
# what names begin with, and the module that it means; PEFT's own prefix may stand before and behind the module's
STARTS: tuple[tuple[str, Component | None], ...] = (
    ("base_model.model.", None), ("unet.", "unet"), ("diffusion_model.", "unet"), ("text_encoder.", "text_encoder"),
    ("text_encoder_2.", "text_encoder_2"), ("base_model.model.", None),
)  # fmt: skip
OLD_TEXT = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
UNET_ROOTS = ("down_blocks.", "up_blocks.", "mid_block.", "conv_in", "conv_out", "time_embedding.", "add_embedding.",
              "input_blocks.", "middle_block.", "output_blocks.")  # fmt: skip
TEXT_ROOTS = ("text_model.", "encoder.layers.", "text_projection")


class AdapterFault(ValueError):
    """A PEFT adapter that is not read. The text says why and what to do, to stand behind the path."""


@dataclass(frozen=True)
class Part:
    """One file of a LoRA. component: where its names do not say it. config: adapter_config.json, {} without one."""

    file: Path
    component: Component | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


def parts(path: Path) -> list[Part]:
    """The files of a LoRA: of a file itself, of a folder of PEFT or diffusers those in it; [] for any other folder.

    Raises AdapterFault for an adapter of another method, or one whose settings or weights are missing.
    """
    if not path.is_dir():
        beside = path.parent / ADAPTER_CONFIG
        return [_part(path, path.parent)] if path.name in PEFT_WEIGHTS and beside.is_file() else [Part(path)]
    if (path / ADAPTER_CONFIG).is_file():
        return [_part(_weights(path), path)]
    inside = [(name, path / name) for name in COMPONENTS if (path / name / ADAPTER_CONFIG).is_file()]
    if inside:
        return [_part(_weights(folder), folder, name) for name, folder in inside]
    return [Part(path / name) for name in DIFFUSERS_WEIGHTS if (path / name).is_file()][:1]


def names_here(shapes: Mapping[str, Sequence[int]], component: Component | None = None) -> dict[str, str]:
    """Name in the file -> name here, for tensors under names of diffusers or PEFT; {} where there are none.

    component: of which module the file is, where its names do not say it.
    """
    placed = {name: place for name in shapes if (place := _placed(name, component)) is not None}
    if not placed:
        return {}
    sdxl = any(place.component == "text_encoder_2" for place in placed.values()) or any(
        place.ending == "lora_down.weight" and place.path.endswith("attn2.to_k") and shapes[name][1] == SDXL_TEXT_WIDTH
        for name, place in placed.items()
        if len(shapes[name]) > 1
    )
    second = component is None and _is_second_encoder(placed, shapes)
    prefixes = {"unet": "lora_unet", "text_encoder": "lora_te1" if sdxl else "lora_te", "text_encoder_2": "lora_te2"}
    prefixes |= {"text_encoder": "lora_te2"} if second else {}
    return {
        name: f"{place.flat or prefixes[place.component] + '_' + place.path.replace('.', '_')}.{place.ending}"
        for name, place in placed.items()
    }


def shape_here(name: str, shape: Sequence[int], shapes: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    """The shape that a tensor has here. name: here. shapes: of all tensors, by names here.

    PEFT keeps DoRA's lengths as (out,) for a linear layer and (1, out, 1, 1) for a convolution; here (out, 1[, 1, 1]).
    """
    layer, _, ending = name.partition(".")
    down = shapes.get(f"{layer}.lora_down.weight", ())
    if ending == "dora_scale" and (len(shape) == 1 or (len(shape) == 4 and shape[0] == 1 and len(down) == 4)):
        return (math.prod(shape), *(1,) * (max(len(down), 2) - 1))
    return tuple(shape)


def alphas(
    shapes: Mapping[str, Sequence[int]], names: Mapping[str, str], config: Mapping[str, Any]
) -> dict[str, float]:
    """Name here -> alpha, for layers whose file has none: as its settings say, else the rank, so that the scale is 1.

    shapes: by names here. names: name in the file -> here. config: adapter_config.json, or what diffusers packs into a
    file's metadata, where names begin with the component.
    """
    there = {ours.partition(".")[0]: theirs for theirs, ours in names.items()}
    found: dict[str, float] = {}
    for name, shape in shapes.items():
        layer, _, ending = name.partition(".")
        if ending not in ("lora_down.weight", "hada_w1_b") or f"{layer}.alpha" in shapes or not shape:
            continue
        found[f"{layer}.alpha"] = _alpha(_path_there(there.get(layer, layer)), shape[0], config)
    return found


def packed_config(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The adapter configs that diffusers writes into a file's metadata; {} where there are none."""
    try:
        found = jsontext.parse(metadata.get(DIFFUSERS_METADATA, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class _Place:
    """Where a tensor belongs. path: dotted, in the component. flat: the layer's name where it is one of ours."""

    component: Component
    path: str
    ending: str
    flat: str | None = None


def _placed(name: str, component: Component | None) -> _Place | None:
    """None for a name that is used here already, or of no layer that is known."""
    for pattern, ours in ENDINGS:
        match = re.search(f"(?:{pattern.pattern})$", name)
        if match is not None:
            path, ending = name[: match.start()], match.expand(ours)
            break
    else:
        return None
    if OF_LAYER.fullmatch(path):
        return None if name == f"{path}.{ending}" else _Place("unet", path, ending, path)
    for start, module in STARTS:
        if path.startswith(start):
            path, component = path.removeprefix(start), module or component
    if component is None:
        component = "unet" if path.startswith(UNET_ROOTS) else "text_encoder" if path.startswith(TEXT_ROOTS) else None
    return None if component is None else _Place(component, _modern(path, component), ending)


def _modern(path: str, component: Component) -> str:
    """A module's path as it is today: attention processors of 2023 stood for the layers that they changed."""
    path = path.replace(".processor.", ".")
    head, _, last = path.rpartition(".")
    if component == "unet":
        return f"{path}.0" if last == "to_out" else path
    path = f"{head}.{OLD_TEXT.get(last, last)}" if head else path
    return f"text_model.{path}" if path.startswith("encoder.layers.") else path


def _is_second_encoder(placed: Mapping[str, _Place], shapes: Mapping[str, Sequence[int]]) -> bool:
    """Whether a file of one text encoder is of SDXL's second, by the width of what its layers read."""
    if any(place.component != "text_encoder" for place in placed.values()):
        return False
    queries = [shapes[name] for name, place in placed.items() if place.path.endswith("q_proj")
               and place.ending == "lora_down.weight"]  # fmt: skip
    return any(shape[-1:] == (SECOND_ENCODER_WIDTH,) for shape in queries)


def _path_there(name: str) -> str:
    """A layer's path as its file has it, with the component but without PEFT's own prefix."""
    for pattern, _ in ENDINGS:
        match = re.search(f"(?:{pattern.pattern})$", name)
        if match is not None:
            name = name[: match.start()]
            break
    return name.replace("base_model.model.", "")


def _alpha(path: str, rank: int, config: Mapping[str, Any]) -> float:
    component = next((one for one in COMPONENTS if path.startswith(f"{one}.")), None)
    packed = component is not None and any(name.startswith(f"{component}.") for name in config)
    own = {name.removeprefix(f"{component}."): value for name, value in config.items()
           if name.startswith(f"{component}.")} if packed else config  # fmt: skip
    alpha = own.get("lora_alpha", own.get("alpha"))
    patterns = own.get("alpha_pattern")
    for key, value in patterns.items() if isinstance(patterns, Mapping) else ():
        if _matches(str(key), path):
            alpha = value
            break
    if not isinstance(alpha, (int, float)) or isinstance(alpha, bool) or not math.isfinite(alpha):
        return float(rank)
    return float(alpha) * math.sqrt(rank) if own.get("use_rslora") else float(alpha)


def _matches(pattern: str, path: str) -> bool:
    """Whether a key of alpha_pattern means a layer: PEFT takes it for a regular expression for the path's end."""
    try:
        return re.fullmatch(rf"(.*\.)?({pattern})", path) is not None
    except re.error:
        return False


def _part(file: Path, folder: Path, component: Component | None = None) -> Part:
    try:
        place = folder / ADAPTER_CONFIG
        if place.stat().st_size > CONFIG_LIMIT_BYTES:
            raise ValueError
        config = jsontext.parse(place.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError
    except (OSError, ValueError):
        raise AdapterFault(f"{ADAPTER_CONFIG} cannot be read; copy the adapter's folder again") from None
    kind = str(config.get("peft_type", "LORA")).upper()
    if kind not in READ_PEFT_TYPES:
        raise AdapterFault(
            f"a PEFT adapter of the type {kind[:40]}, and here only LORA and LOHA are read; merge it into the "
            "base model with PEFT and choose that model"
        )
    return Part(file, component or _component_of(config), config)


def _component_of(config: Mapping[str, Any]) -> Component | None:
    """The module that an adapter was made for, where its settings name the module's class."""
    mapping = config.get("auto_mapping")
    name = str(mapping.get("base_model_class", "")) if isinstance(mapping, Mapping) else ""
    classes: dict[str, Component] = {"UNet2DConditionModel": "unet", "CLIPTextModelWithProjection": "text_encoder_2"}
    return classes.get(name)


def _weights(folder: Path) -> Path:
    found = next((folder / name for name in PEFT_WEIGHTS if (folder / name).is_file()), None)
    if found is None:
        raise AdapterFault(f"it has {ADAPTER_CONFIG} but no {PEFT_WEIGHTS[0]}; copy the adapter's folder again")
    return found
