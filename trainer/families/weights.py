"""What a weights file is, from its names and shapes alone: a few milliseconds for any size, nothing executed. LIGHT.

The header of a safetensors file is read here and nowhere else (SAFETY R7). Turning weights into modules is modules.py.
"""

from __future__ import annotations

import functools
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from trainer.families import names, pickles
from trainer.networks import foreign
from trainer.paths import pasted

PICKLE_EXTENSIONS = (".ckpt", ".pt", ".pth", ".bin")
MODEL_EXTENSIONS = (".safetensors", *PICKLE_EXTENSIONS)
HEADER_LIMIT_BYTES = 100_000_000  # the safetensors library's own limit
CONFIG_LIMIT_BYTES = 1_000_000
# numbers whose exponent bits are all ones are NaN or infinite (IEEE 754; bfloat16 is the upper half of a float32)
EXPONENTS = {
    "F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80), "F32": ("<u4", 0x7F800000), "F64": ("<u8", 0x7FF0000000000000),
}  # fmt: skip
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip

Kind = Literal["checkpoint", "folder", "lora", "vae", "text_encoder", "unet", "unknown"]


# a family that is not trained here -> part of a tensor name that only its models have; diffusers' FLUX before Stable
# Diffusion 3, whose names it has too
OTHER_FAMILIES = (
    ("flux", "double_blocks."), ("flux", "single_transformer_blocks"), ("flux", "double_blocks_"),
    ("sd3", "joint_blocks."), ("sd3", "joint_blocks_"), ("qwen", ".img_mod.1."), ("sd3", "attn.add_k_proj."),
    ("cascade", "clip_txt_mapper."), ("pixart", "adaln_single."), ("pixart", "t_block.1."),
    ("auraflow", "double_layers.0."), ("hunyuan", "mlp_t5.0."), ("lumina", "cap_embedder."),
    ("wan", "blocks.0.self_attn.norm_q."),
)  # fmt: skip


class WeightsError(ValueError):
    """A weights file cannot be used. The text names the file, what is wrong and the cure."""


@dataclass(frozen=True)
class Entry:
    """One tensor of a safetensors file; begin and end count bytes from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """Names, shapes and metadata of a safetensors file, checked; no weights."""

    path: Path
    size: int
    data_start: int
    tensors: Mapping[str, Entry]
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class Description:
    """What a file or folder is, for the page, the preflight and the loader."""

    path: Path
    kind: Kind
    family: str | None = None  # sd1 sd2 sdxl sdxl_refiner or of OTHER_FAMILIES, None when it cannot be told
    prediction: Literal["epsilon", "v"] | None = None  # None: nothing in the file says
    zero_terminal_snr: bool = False
    dtype: str | None = None
    size_bytes: int = 0
    detail: str = ""  # one plain sentence
    problems: tuple[str, ...] = field(default=())
    says_epsilon: bool = False  # the file itself says that it predicts noise
    lacks_vae: bool = False
    context_width: int | None = None  # of the text that the U-Net reads: 768 SD 1, 1024 SD 2, 2048 SDXL
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)  # of a single file
    pickled: bool = False  # its numbers are not looked at before it is loaded


def read_header(path: Path | str) -> Header:
    """The checked header of a safetensors file.

    Raises WeightsError for anything that is not a whole, well-formed file: missing, cut, damaged, another format.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise WeightsError(f"{path} is not a file")
        with path.open("rb") as stream:
            start = stream.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length > min(HEADER_LIMIT_BYTES, size - 8):
                raise WeightsError(_not_safetensors(path, start + stream.read(504), size))
            text = stream.read(length)
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None
    tensors, metadata = _parsed(path, text, size - 8 - length)
    return Header(path, size, 8 + length, tensors, metadata)


def describe(path: Path | str) -> Description:
    """What `path` is, from names and shapes only. Never raises for a bad file: its problems say what is wrong."""
    path = Path(path)
    try:
        parts = lora_parts(path)
        if path.is_dir():
            return _describe_lora_folder(path, parts) if parts else _describe_folder(path)
        if path.suffix.lower() in PICKLE_EXTENSIONS:
            return _describe_pickle(path, parts[0].component)
        return describe_header(read_header(path), parts[0].component)
    except WeightsError as error:
        return Description(path, "unknown", size_bytes=_size(path), detail="not usable", problems=(str(error),))


def describe_header(header: Header, component: foreign.Component | None = None) -> Description:
    """The same for a header that was read already. component: of which module a LoRA is whose names do not say it."""
    shapes, renamed = lora_shapes({name: entry.shape for name, entry in header.tensors.items()}, component)
    kind = kind_of(shapes)
    family = family_of(shapes, kind, renamed)
    prediction, zero_terminal = _prediction(shapes, header.metadata, family)
    dtypes = [
        entry.dtype for entry in header.tensors.values() if entry.dtype in ("F16", "BF16", "F32", "F8_E4M3", "F8_E5M2")
    ]
    dtype = max(set(dtypes), key=dtypes.count, default=None)
    problems = _problems(header.path, shapes, kind, family)
    return Description(
        header.path,
        kind,
        family,
        prediction,
        zero_terminal,
        dtype,
        header.size,
        _sentence(kind, family, prediction, renamed),
        problems,
        header.metadata.get("modelspec.prediction_type", "").lower() == "epsilon",
        kind == "checkpoint" and not any(name.startswith(names.VAE_PREFIX) for name in shapes),
        _context_width(shapes),
        shapes,
    )


def lora_parts(path: Path) -> list[foreign.Part]:
    """The files of a LoRA, see foreign.parts. Raises WeightsError."""
    try:
        return foreign.parts(path)
    except foreign.AdapterFault as fault:
        raise WeightsError(f"{path}: {fault}") from None


def lora_shapes(
    shapes: Mapping[str, tuple[int, ...]], component: foreign.Component | None = None
) -> tuple[dict[str, tuple[int, ...]], bool]:
    """Shapes by the names used here, and whether some tensors of the file have names of diffusers or PEFT."""
    ours = foreign.names_here(shapes, component)
    here = {ours.get(name, name): shape for name, shape in shapes.items()}
    return {name: foreign.shape_here(name, shape, here) for name, shape in here.items()} if ours else here, bool(ours)


def header_here(header: Header, component: foreign.Component | None = None) -> Header:
    """The same with the names and shapes that a LoRA's tensors have here."""
    ours = foreign.names_here({name: entry.shape for name, entry in header.tensors.items()}, component)
    if not ours:
        return header
    here = {ours.get(name, name): entry for name, entry in header.tensors.items()}
    shapes = {name: entry.shape for name, entry in here.items()}
    return replace(header, tensors={name: replace(entry, shape=foreign.shape_here(name, entry.shape, shapes))
                                    for name, entry in here.items()})  # fmt: skip


def find_base(name: str) -> Path:
    """Where a base model or VAE lies: a path, or a hub id ("owner/name") that is in the local Hugging Face cache.

    Nothing is downloaded. Raises WeightsError with the cure.
    """
    try:
        path = Path(pasted(name))
        if path.exists():
            return path
    except (OSError, ValueError) as fault:  # too long a name, an unknown ~user, a zero byte
        raise WeightsError(f"{name[:200]!r} cannot be a path: {fault}") from None
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and path.suffix.lower() not in MODEL_EXTENSIONS:
        snapshot = _cached_snapshot(name)
        if snapshot is not None:
            return snapshot
        raise WeightsError(
            f"{name} is neither a path that exists here nor a model in the local Hugging Face cache; training "
            "downloads nothing. Download the model first and give the path of its .safetensors file or folder"
        )
    raise WeightsError(f"{name} does not exist; check the path")


def kind_of(shapes: Iterable[str]) -> Kind:
    """What sort of weights these tensor names are."""
    keys = list(shapes)
    if any(_LORA_TENSOR.search(key) for key in keys):
        return "lora"
    starts = {key.split(".", 1)[0] for key in keys}
    if any(key.startswith(names.UNET_PREFIX) for key in keys):
        return (
            "checkpoint"
            if starts & {"cond_stage_model", "conditioner", "first_stage_model", "text_encoders"}
            else "unet"
        )
    other = any(sign in key for key in keys for _, sign in OTHER_FAMILIES)
    if other or starts & {"input_blocks"} or {"down_blocks", "conv_in"} <= starts:
        return "unet"
    if starts & {"first_stage_model"} or {"encoder", "decoder"} <= starts:
        return "vae"
    if starts & {"text_model", "cond_stage_model"} or any(
        re.match(r"encoder\.(layers|block)\.0\.", key) for key in keys
    ):
        return "text_encoder"
    return "unknown"


def family_of(shapes: Mapping[str, tuple[int, ...]], kind: Kind, renamed: bool = False) -> str | None:
    """Which family a set of tensors belongs to, or None. shapes: name -> shape, () where it is not known.

    renamed: the names are not the file's own, so that those of a single text encoder say nothing.
    """
    keys = shapes.keys()

    def has(text: str) -> bool:
        return any(text in key for key in keys)

    other = next((family for family, sign in OTHER_FAMILIES if has(sign)), None)
    if other is not None:
        return other
    width = _context_width(shapes)
    if kind == "lora":
        if has("lora_te1_") or has("lora_te2_") or has("lora_unet_input_blocks") or width == 2048:
            return "sdxl"
        told = has("unet") or (has("lora_te_") and not renamed)
        return {1024: "sd2"}.get(width or 0, "sd1" if told else None)
    if has("conditioner.embedders.1.") or has("conditioner.embedders.0.transformer.") or width == 2048:
        return "sdxl"
    if has("conditioner.embedders.0.model.") or width == 1280:
        return "sdxl_refiner"
    if has("cond_stage_model.model.") or width == 1024:
        return "sd2"
    if has("cond_stage_model.") or width is not None:
        return "sd1"
    return None


_LORA_TENSOR = re.compile(
    r"\.(lora_down|lora_up|lora_A|lora_B|hada_w1_a|lokr_w1|lokr_w1_a|oft_blocks|oft_diag|lora_mid|dora_scale)(\.|$)"
    r"|^(lora_|lycoris_).*\.(diff|diff_b|a1\.weight|b1\.weight|on_input|w_norm|b_norm)$"
)
_CUT = "damaged or cut download; fetch it again"


def _of_another_kind(path: Path, start: bytes, size: int) -> str | None:
    """What a file is in place of a model in the form that its name promises, by its first bytes; None where unknown."""
    if start.startswith(b"version https://git-lfs"):
        return f"{path} is only a git-lfs pointer of {size} bytes, not the model; download the real file"
    if start.lstrip()[:1] == b"<":
        return (
            f"{path} is a web page, not a model: the download was refused or needs a login; fetch it again in a browser"
        )
    if start.startswith(b"GGUF"):
        return (
            f"{path} is a GGUF file, whose weights are kept in few bits for drawing only; choose the .safetensors file "
            "of this model"
        )
    return None


def _not_safetensors(path: Path, start: bytes, size: int) -> str:
    if (other := _of_another_kind(path, start, size)) is not None:
        return other
    if start.startswith((b"PK\x03\x04", b"\x80\x02\x8a")):  # a zip of torch.save, or its pickles of before 2020
        return f"{path} is a .ckpt or zip file under a wrong name; give it the extension .ckpt"
    length = int.from_bytes(start[:8], "little")
    if size < 8:
        return f"{path}: {_CUT} (it has only {size} bytes)"
    if length <= HEADER_LIMIT_BYTES and start[8:9] == b"{":
        return f"{path}: {_CUT} (expected at least {8 + length:,} bytes, got {size:,})"
    return f"{path} is not a safetensors file (its header would be {length:,} bytes long); check what was downloaded"


def _parsed(path: Path, text: bytes, data_bytes: int) -> tuple[dict[str, Entry], dict[str, str]]:
    try:
        raw = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise WeightsError(f"{path}: damaged file, its header is not readable; fetch it again") from None
    if not isinstance(raw, dict):
        raise WeightsError(f"{path}: damaged file, its header is not a table; fetch it again")
    metadata = raw.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise WeightsError(f"{path}: damaged file, its metadata is not text; fetch it again")
    tensors = {name: _entry(path, name, value) for name, value in raw.items()}
    expected = 0
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != expected:
            raise WeightsError(f"{path}: damaged file, tensor {name} does not begin where the one before it ends")
        expected = entry.end
    if expected != data_bytes:
        whole = 8 + len(text) + expected
        raise WeightsError(f"{path}: {_CUT} (expected {whole:,} bytes, got {8 + len(text) + data_bytes:,})")
    return tensors, metadata


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name occurs twice")
    return table


def _entry(path: Path, name: str, value: Any) -> Entry:
    try:
        dtype, shape, (begin, end) = value["dtype"], tuple(value["shape"]), value["data_offsets"]
        numbers = (*shape, begin, end)
        if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
            raise ValueError
        if len(shape) > 16 or math.prod(shape) * BITS[dtype] != (end - begin) * 8:
            raise ValueError
    except (TypeError, ValueError, KeyError):
        raise WeightsError(
            f"{path}: damaged file, the entry of tensor {name[:200]} makes no sense; fetch it again"
        ) from None
    return Entry(dtype, shape, begin, end)


def _context_width(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """Width of the text that the cross attention reads: 768 SD 1, 1024 SD 2, 2048 SDXL."""
    for name, shape in shapes.items():
        if re.search(r"attn2[._]to_k\.(lora_down\.|lora_A\.)?weight$", name) and len(shape) >= 2:
            return shape[1]
    return None


def _prediction(
    shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str], family: str | None
) -> tuple[Literal["epsilon", "v"] | None, bool]:
    zero_terminal = "ztsnr" in shapes
    if "v_pred" in shapes:
        return "v", zero_terminal
    told = metadata.get("modelspec.prediction_type", "").lower()
    if told in ("v", "v_prediction", "velocity") or metadata.get("modelspec.architecture", "").startswith(
        "stable-diffusion-v2-768-v"
    ):
        return "v", zero_terminal
    if told == "epsilon":
        return "epsilon", zero_terminal
    return (None if family == "sd2" else "epsilon") if family else None, zero_terminal


LCM = "time_embed.cond_proj.weight"  # reads the strength of the prompt, which only latent consistency models do


def lcm_sentence(path: Path) -> str:
    """Why a latent consistency model is no base. Luo et al. 2023, arXiv:2310.04378."""
    return (
        f"{path} is an LCM, distilled to draw in a few steps; train on the ordinary model that it was made from, and "
        "draw with the LCM afterwards"
    )


def _problems(path: Path, shapes: Mapping[str, tuple[int, ...]], kind: Kind, family: str | None) -> tuple[str, ...]:
    problems = []
    first = shapes.get(names.UNET_PREFIX + "input_blocks.0.0.weight", ())
    if len(first) == 4 and first[1] in (8, 9):
        sort = "an inpainting model" if first[1] == 9 else "an instruction (pix2pix) model"
        problems.append(
            f"{path} is {sort} with {first[1]} input channels; a LoRA is trained on the ordinary model with 4"
        )
    if "edm_vpred.sigma_max" in shapes or {"edm_mean", "edm_std"} <= shapes.keys():
        problems.append(
            f"{path} is an EDM model (as Playground 2.5 is), trained with another kind of noise; choose a model that "
            "predicts noise or v"
        )
    if {f"{names.UNET_PREFIX}{LCM}", LCM, "time_embedding.cond_proj.weight"} & shapes.keys():
        problems.append(lcm_sentence(path))
    if family == "sd2" and f"{names.UNET_PREFIX}label_emb.0.0.weight" in shapes:
        problems.append(f"{path} is an unCLIP model, which draws from pictures; choose the ordinary SD 2.x model")
    if kind == "checkpoint" and family in ("sd1", "sd2", "sdxl"):
        needed = {"first ": "conditioner.embedders.0.", "second ": "conditioner.embedders.1."}
        for which, start in needed.items() if family == "sdxl" else {"": "cond_stage_model."}.items():
            if not any(name.startswith(start) for name in shapes):
                problems.append(f"{path} has no {which}text encoder; choose a whole checkpoint")
    if kind == "unknown":
        problems.append(
            f"{path} holds no weights that this program knows ({len(shapes)} tensors); check what was downloaded"
        )
    return tuple(problems)


_FAMILY_TITLES = {
    "sd1": "Stable Diffusion 1.x", "sd2": "Stable Diffusion 2.x", "sdxl": "Stable Diffusion XL",
    "sdxl_refiner": "SDXL refiner", "sd3": "Stable Diffusion 3", "flux": "FLUX", "qwen": "Qwen-Image",
    "cascade": "Stable Cascade", "pixart": "PixArt", "auraflow": "AuraFlow", "hunyuan": "Hunyuan-DiT",
    "lumina": "Lumina or Z-Image", "wan": "Wan",
}  # fmt: skip
_KIND_TITLES: dict[str, str] = {
    "checkpoint": "base model", "folder": "base model (diffusers folder)", "lora": "LoRA", "vae": "VAE",
    "text_encoder": "text encoder", "unet": "U-Net without text encoder and VAE", "unknown": "unknown weights",
}  # fmt: skip


def _sentence(kind: Kind, family: str | None, prediction: str | None, renamed: bool = False) -> str:
    own = "model" if kind == "unet" and family in dict(OTHER_FAMILIES) else _KIND_TITLES[kind]
    title = own if family is None else f"{_FAMILY_TITLES[family]} {own}"
    title += " (names of diffusers or PEFT)" if renamed and kind == "lora" else ""
    return f"{title}, v-prediction" if prediction == "v" and kind != "lora" else title


def _describe_lora_folder(path: Path, parts: Sequence[foreign.Part]) -> Description:
    """A LoRA that PEFT or diffusers keeps as a folder: all its files together."""
    found = [
        _describe_pickle(part.file, part.component)
        if part.file.suffix.lower() in PICKLE_EXTENSIONS
        else describe_header(read_header(part.file), part.component)
        for part in parts
    ]
    shapes = {name: shape for one in found for name, shape in one.shapes.items()}
    kind = kind_of(shapes)
    family = family_of(shapes, kind, renamed=True)
    return Description(
        path, kind, family, found[0].prediction, dtype=found[0].dtype,
        size_bytes=sum(one.size_bytes for one in found), detail=_sentence(kind, family, None, renamed=True),
        problems=tuple(problem for one in found for problem in one.problems), context_width=_context_width(shapes),
        shapes=shapes, pickled=any(one.pickled for one in found),
    )  # fmt: skip


def _describe_pickle(path: Path, component: foreign.Component | None = None) -> Description:
    """A .ckpt: what its pickle names, which is never run. Its numbers are seen when it is loaded."""
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; check the path")
    try:
        with path.open("rb") as stream:
            start = stream.read(512)
        if (other := _of_another_kind(path, start, path.stat().st_size)) is not None:
            raise WeightsError(other)
        if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= HEADER_LIMIT_BYTES:
            raise WeightsError(f"{path} is a safetensors file under a wrong name; give it the extension .safetensors")
        held = pickles.contents(path)
    except pickles.PickleFault as fault:
        raise WeightsError(f"{path}: {fault}") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None
    size = path.stat().st_size
    shapes, renamed = lora_shapes(held.shapes, component)
    kind = kind_of(shapes)
    family = family_of(shapes, kind, renamed)
    prediction, zero_terminal = _prediction(shapes, {}, family)
    problems = _problems(path, shapes, kind, family)
    if held.code is not None:
        problems = (python_objects(path, held.code), *(problems if kind != "unknown" else ()))
    return Description(
        path, kind, family, prediction, zero_terminal, None, size, _sentence(kind, family, prediction, renamed),
        problems, lacks_vae=kind == "checkpoint" and not any(name.startswith(names.VAE_PREFIX) for name in shapes),
        context_width=_context_width(shapes), shapes=shapes, pickled=True,
    )  # fmt: skip


def python_objects(path: Path, name: str | None) -> str:
    """Why a pickle is refused that names something that could run code."""
    what = f" ({name})" if name else ""
    return (
        f"{path} holds Python objects besides weights{what}; loading them could run any code, so the file is refused. "
        "Use the .safetensors version of this model, or convert it in a program you trust"
    )


@functools.lru_cache(maxsize=64)
def _first_not_finite(path: Path, size: int, changed: int) -> str | None:
    import numpy as np

    header = read_header(path)
    with path.open("rb") as stream:
        for name, entry in header.tensors.items():
            found = EXPONENTS.get(entry.dtype)
            if found is None or entry.begin == entry.end:
                continue
            stream.seek(header.data_start + entry.begin)
            words = np.frombuffer(stream.read(entry.end - entry.begin), dtype=found[0])
            if ((words & found[1]) == found[1]).any():
                return name
    return None


def first_not_finite(path: Path) -> str | None:
    """The name of the first tensor of a safetensors file that holds NaN or infinity; None where none does.

    For small files: all of it is read, once until it changes. Raises WeightsError, OSError.
    """
    about = path.stat()
    return _first_not_finite(path, about.st_size, about.st_mtime_ns)


def _describe_folder(path: Path) -> Description:
    unet = read_config(path / "unet" / "config.json")
    if unet is None:
        raise WeightsError(_no_base_folder(path))
    width = unet.get("cross_attention_dim")
    is_xl = unet.get("addition_embed_type") == "text_time" or width == 2048
    refines = is_xl and read_config(path / "text_encoder" / "config.json") is None
    is_sd2 = width == 1024 or bool(unet.get("use_linear_projection"))
    family = ("sdxl_refiner" if refines else "sdxl") if is_xl else "sd2" if is_sd2 else "sd1"
    parts = ["unet", "vae", *([] if refines else ["text_encoder"]), *(["text_encoder_2"] if is_xl else [])]
    scheduler = read_config(path / "scheduler" / "scheduler_config.json") or {}
    prediction: Literal["epsilon", "v"] = "v" if scheduler.get("prediction_type") == "v_prediction" else "epsilon"
    problems = []
    channels = unet.get("in_channels", 4)
    if channels != 4:
        problems.append(
            f"{path} has {channels} input channels (an inpainting model); a LoRA is trained on the ordinary model "
            "with 4"
        )
    problems += [
        f"{path / part} has no weights (.safetensors); download the folder again"
        for part in parts
        if not component_files(path / part)
    ]
    if unet.get("time_cond_proj_dim") is not None:
        problems.append(lcm_sentence(path))
    if str(scheduler.get("_class_name", "")).startswith("EDM"):
        problems.append(
            f"{path} is an EDM model (as Playground 2.5 is), trained with another kind of noise; choose a model that "
            "predicts noise or v"
        )
    size = sum(file.stat().st_size for part in parts for file in component_files(path / part))
    zero_terminal = bool(scheduler.get("rescale_betas_zero_snr", False))
    return Description(
        path,
        "folder",
        family,
        prediction,
        zero_terminal,
        None,
        size,
        _sentence("folder", family, prediction),
        tuple(problems),
        scheduler.get("prediction_type") == "epsilon",
        context_width=width,
    )


def _no_base_folder(path: Path) -> str:
    """Why a folder without a U-Net is no base model, and what to choose."""
    own, index = read_config(path / "config.json") or {}, read_config(path / "model_index.json") or {}
    pipeline = str(index.get("_class_name", ""))[:60]
    if pipeline or (path / "transformer").is_dir():
        told = pipeline or "with a transformer in place of a U-Net"
        kinds = "Stable Diffusion 1.x, 2.x and XL"
        return f"{path} is a diffusers folder of another kind of model ({told}); trained are {kinds}"
    part = {"UNet2DConditionModel": "U-Net", "AutoencoderKL": "VAE"}.get(str(own.get("_class_name")))
    if part is not None or "architectures" in own:
        return f"{path} is only the {part or 'text encoder'} of a diffusers folder; choose the folder above it"
    names = sorted(file.name for file in path.iterdir()) if path.is_dir() else []
    file = next((name for name in names if Path(name).suffix.lower() in (".safetensors", ".ckpt")), None)
    if file is not None:
        return f"{path} is a folder, not a model; choose a file in it, such as {path / file}"
    return (
        f"{path} is a folder without a base model; put a .safetensors file into it and choose that file, or choose a "
        "diffusers folder (with unet/config.json)"
    )


def component_files(folder: Path) -> list[Path]:
    """The weights of one diffusers component: safetensors shards or file first, else the pickled .bin."""
    for extension in ("safetensors", "bin"):
        for stem in ("diffusion_pytorch_model", "model", "pytorch_model"):
            shards = sorted(folder.glob(f"{stem}-*-of-*.{extension}"))
            if shards:
                return shards
            for name in (f"{stem}.{extension}", f"{stem}.fp16.{extension}"):
                if (folder / name).is_file():
                    return [folder / name]
    return []


def read_config(path: Path) -> dict[str, Any] | None:
    """A model's JSON config, or None when there is none. Raises WeightsError when it is not JSON."""
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > CONFIG_LIMIT_BYTES:
            raise ValueError
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise WeightsError(f"{path} is not a readable config; download the folder again") from None
    return config


def _cached_snapshot(repo: str) -> Path | None:
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    folder = hub / ("models--" + repo.replace("/", "--"))
    main = folder / "refs" / "main"
    if not main.is_file():
        return None
    snapshot = folder / "snapshots" / main.read_text(encoding="utf-8").strip()
    whole, part = snapshot / "unet" / "config.json", snapshot / "config.json"  # a base model; a VAE alone
    return snapshot if whole.is_file() or part.is_file() else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
