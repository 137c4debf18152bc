"""`python -m trainer inspect FILE`: what a LoRA or checkpoint file is, from its header and bytes. LIGHT.

Hashes are recomputed by reading the file once, in pieces, so that a 7 GB checkpoint needs no memory.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.families.weights import (
    PICKLE_EXTENSIONS,
    Description,
    Header,
    WeightsError,
    describe,
    header_here,
    lora_parts,
    read_header,
)
from trainer.metadata import LEGACY_END, LEGACY_START
from trainer.networks.foreign import Part, names_here, packed_config
from trainer.networks.foreign import alphas as default_alphas

BLOCK_BYTES = 2**22
ALPHA_BYTES = 16  # an alpha is one number
SUFFIXES = {
    "lora": (".lora_down.weight", ".lora_A.weight", ".lora_mid.weight"),
    "loha": (".hada_w1_a",),
    "lokr": (".lokr_w1", ".lokr_w1_a"),
    "oft": (".oft_blocks", ".oft_diag"),
    "ia3": (".on_input",),
    "glora": (".a1.weight",),
    "full": (".diff",),
}
PARTS = (("text_encoder_1", "lora_te1_"), ("text_encoder_2", "lora_te2_"), ("text_encoder", "lora_te_"), ("unet", ""))
# struct has no bfloat16: its bits are the upper half of a float32
FORMATS = {"F16": "<e", "F32": "<f", "F64": "<d", "I64": "<q", "I32": "<i", "I16": "<h", "U8": "<B", "I8": "<b"}


@dataclass(frozen=True)
class Inspection:
    """What is told about a file. rank and alpha: the one number, or a list of the different ones; None for no LoRA."""

    file: str
    kind: str
    family: str | None
    method: str | None
    rank: int | list[int] | None
    alpha: float | list[float] | None
    modules: dict[str, int]
    prediction: str | None
    dtype: str | None
    size_bytes: int
    detail: str
    metadata: dict[str, Any]
    hashes: dict[str, str]
    problems: list[str]

    def to_json(self) -> dict[str, Any]:
        """As plain data; the names are those of the command line's contract."""
        return dict(vars(self))


def run(file: Path, as_json: bool = False) -> int:
    """Print what the file is; returns the exit code: 0, or 2 when it cannot be used at all."""
    found = inspect(file)
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        print(to_text(found))
    if found.kind == "unknown" and found.problems:
        print(f"error: {found.problems[0]}", file=sys.stderr)
        return 2
    return 0


def inspect(file: Path | str, with_hashes: bool = True) -> Inspection:
    """What a .safetensors, .ckpt or diffusers folder is. A bad file raises nothing: its problems say what is wrong.

    with_hashes: read the whole file for them; without, only its header (milliseconds for any size).
    """
    path = Path(file)
    about = describe(path)
    try:
        parts = lora_parts(path) if path.exists() else []
        if not parts or any(part.file.suffix.lower() in PICKLE_EXTENSIONS for part in parts):
            return _inspection(path, about, problems=about.problems)
        headers = [read_header(part.file) for part in parts]
    except WeightsError as error:
        return _inspection(path, about, problems=[str(error)])
    problems = list(about.problems)
    is_lora = about.kind == "lora"
    here = [header_here(header, part.component) for header, part in zip(headers, parts, strict=True)]
    method = _one_method(here) if is_lora else None
    ranks: dict[str, int] = {}
    alphas: dict[str, float] = {}
    for header, own, part in zip(headers, here, parts, strict=True) if is_lora else ():
        ranks |= ranks_of(own)
        alphas |= alphas_of(own) | _alphas_beside(header, part)
    missing = sorted(ranks.keys() - alphas.keys()) if method in ("lora", "dora", "loha") else []
    if missing:
        problems.append(f"{len(missing)} modules have no alpha (first: {missing[0]}); programs take the rank for it")
    hashes = hashes_of(headers[0]) if with_hashes and path.is_file() else {}
    metadata = dict(headers[0].metadata)
    for name, value in hashes.items():
        stored = metadata.get(name)
        if stored is not None and stored != value:
            problems.append(f"the stored {name} does not fit the file's content; it was changed after it was saved")
    layers = {name.split(".", 1)[0] for header in here for name in header.tensors} if is_lora else set()
    if any(name.startswith("lora_te2_") for name in layers):  # a folder's first encoder does not know of the second
        layers = {re.sub("^lora_te_", "lora_te1_", name) for name in layers}
    return _inspection(path, about, method, ranks, alphas, layers, metadata, hashes, problems)


def _one_method(headers: Sequence[Header]) -> str | None:
    """That of the first file whose names show one: a text encoder has no convolutions, which make a LoCon of a LoRA."""
    found = [method for header in headers if (method := method_of(header)) is not None]
    return "locon" if "locon" in found else found[0] if found else None


def _alphas_beside(header: Header, part: Part) -> dict[str, float]:
    """Module -> alpha as the settings in a file or beside it say; {} for files under the names used here."""
    names = names_here({name: entry.shape for name, entry in header.tensors.items()}, part.component)
    if not names:
        return {}
    shapes = {names.get(name, name): entry.shape for name, entry in header.tensors.items()}
    found = default_alphas(shapes, names, part.config or packed_config(header.metadata))
    return {name.removesuffix(".alpha"): alpha for name, alpha in found.items()}


def method_of(header: Header) -> str | None:
    """lora, locon (with convolutions), dora, loha, lokr, oft, boft, ia3, glora or full, by the tensor names."""
    names = header.tensors
    for method, suffixes in SUFFIXES.items():
        found = [name for name in names if name.endswith(suffixes)]
        if found:
            convolutions = [name for name in found if len(names[name].shape) == 4 and names[name].shape[-1] > 1]
            if method == "lora" and any(name.endswith(".dora_scale") for name in names):
                return "dora"
            if method == "oft" and len(names[found[0]].shape) == 4:
                return "boft"
            return "locon" if method == "lora" and convolutions else method
    return "dora" if any(name.endswith(".dora_scale") for name in names) else None


def ranks_of(header: Header) -> dict[str, int]:
    """Module -> rank, for the methods that have one."""
    ranks: dict[str, int] = {}
    for name, entry in header.tensors.items():
        match = re.fullmatch(
            r"(.+)\.(?:lora_down\.weight|lora_A\.weight|hada_w1_b|lokr_w1_b|lokr_w2_b|a2\.weight)", name
        )
        if match and entry.shape:
            ranks[match[1]] = entry.shape[0]
    return ranks


def alphas_of(header: Header) -> dict[str, float]:
    """Module -> alpha, read from the file."""
    alphas: dict[str, float] = {}
    with header.path.open("rb") as stream:
        for name, entry in header.tensors.items():
            if name.endswith(".alpha") and math.prod(entry.shape) == 1 and entry.end - entry.begin <= ALPHA_BYTES:
                stream.seek(header.data_start + entry.begin)
                value = _number(entry.dtype, stream.read(entry.end - entry.begin))
                if value is not None:
                    alphas[name.removesuffix(".alpha")] = value
    return alphas


def hashes_of(header: Header) -> dict[str, str]:
    """sha256 of the file, the short hash of image programs, the two sshs hashes of LoRA trainers (KOHYA_COMPAT 8.5)."""
    whole, tensors = hashlib.sha256(), hashlib.sha256()
    with header.path.open("rb") as stream:
        start = stream.read(header.data_start)
        whole.update(start)
        while block := stream.read(BLOCK_BYTES):
            whole.update(block)
            tensors.update(block)
    return {
        "sha256": whole.hexdigest(),
        "autov2": whole.hexdigest()[:10],
        "sshs_model_hash": tensors.hexdigest(),
        "sshs_legacy_hash": _legacy_hash(header, start),
    }


def to_text(found: Inspection) -> str:
    """The inspection for people: a line a fact, then the metadata."""
    lines = [f"{found.file}: {found.detail or found.kind}, {found.size_bytes / 1e6:,.1f} MB"]
    facts = {
        "method": found.method, "rank": found.rank, "alpha": found.alpha, "modules": found.modules or None,
        "prediction": found.prediction, "format": found.dtype, **found.hashes,
    }  # fmt: skip
    lines += [f"  {name}: {_short(value)}" for name, value in facts.items() if value is not None]
    lines += [f"  problem: {problem}" for problem in found.problems]
    if found.metadata:
        lines += ["metadata:", *(f"  {name}: {_short(value)}" for name, value in sorted(found.metadata.items()))]
    return "\n".join(lines)


def _inspection(
    path: Path,
    about: Description,
    method: str | None = None,
    ranks: Mapping[str, int] | None = None,
    alphas: Mapping[str, float] | None = None,
    layers: Iterable[str] = (),
    metadata: Mapping[str, str] | None = None,
    hashes: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
) -> Inspection:
    modules = Counter(_part(name) for name in layers)
    return Inspection(
        file=str(path), kind=about.kind, family=about.family, method=method, rank=_one_or_all(ranks or {}),
        alpha=_one_or_all(alphas or {}), modules=dict(modules), prediction=about.prediction, dtype=about.dtype,
        size_bytes=about.size_bytes, detail=about.detail, metadata=dict(metadata or {}),
        hashes=dict(hashes or {}), problems=list(problems),
    )  # fmt: skip


def _part(module: str) -> str:
    return next(part for part, prefix in PARTS if module.startswith(prefix))


def _one_or_all(values: Mapping[str, Any]) -> Any:
    different = sorted(set(values.values()))
    return None if not different else different[0] if len(different) == 1 else different


def _number(dtype: str, data: bytes) -> float | None:
    if dtype == "BF16":
        value = struct.unpack("<f", b"\0\0" + data)[0]
    elif dtype in FORMATS:
        value = struct.unpack(FORMATS[dtype], data)[0]
    else:
        return None
    return float(value) if math.isfinite(value) else None


def _legacy_hash(header: Header, start: bytes) -> str:
    """8 digits over bytes 0x100000 to 0x110000 of the file as it would be with only its ss_ metadata.

    The header is written as the safetensors library does: metadata first, names sorted by offset, padded to 8 bytes.
    """
    raw = json.loads(start[8:])
    kept = {name: value for name, value in header.metadata.items() if name.startswith("ss_")}
    rebuilt: dict[str, Any] = {"__metadata__": kept}  # written even when empty
    rebuilt |= {name: raw[name] for name in sorted(header.tensors, key=lambda name: header.tensors[name].begin)}
    text = json.dumps(rebuilt, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    length = 8 + len(text)
    with header.path.open("rb") as stream:
        image_start = max(0, LEGACY_START - length)
        stream.seek(header.data_start + image_start)
        data = stream.read(max(0, LEGACY_END - max(LEGACY_START, length)))
    front = (struct.pack("<Q", len(text)) + text)[LEGACY_START:LEGACY_END]
    return hashlib.sha256(front + data).hexdigest()[:8]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
