"""What a run writes to keep: LoRA files with metadata, training states, and the removal of old ones. Every write is
atomic.

A state is a folder of safetensors and JSON (no pickle); its manifest.json, written last, makes it complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from trainer import metadata
from trainer.atomic import atomic_write, atomic_writer, sweep, sync_folder
from trainer.leftovers import remove_parts
from trainer.locks import Lock, take, words_in
from trainer.saving import BUILDING, LOCK_SUFFIX, REMOVING, holds_files_of
from trainer.states import MANIFEST, STATE_VERSION, StateError, incomplete, read_progress

PRECISIONS = {"float": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class NotFinite(ValueError):
    """Weights hold NaN or infinity and are not saved; the last good file stays."""


def save_network(
    wanted: Path, tensors: Mapping[str, Tensor], told: Mapping[str, str], precision: str | None
) -> tuple[Path, int]:
    """Write a LoRA file; returns it and its size in bytes. The two sshs_ hashes are added to its metadata.

    wanted: the file; where it exists, `name-2.ext` and so on. Its suffix is the format, .safetensors or, for old
    programs, .ckpt and .pt: a pickled dict of the tensors without metadata, as torch.save writes it. tensors: kohya
    keys -> any dtype, cast to `precision` (float, fp16, bf16; None keeps them).
    Raises NotFinite when a weight is NaN or infinite, WriteError when the disk refuses.
    """
    dtype = PRECISIONS[precision] if precision else None
    ready = {key: value.detach().to("cpu", dtype).contiguous() for key, value in tensors.items()}
    bad = [key for key, value in ready.items() if not bool(torch.isfinite(value).all())]
    if bad:
        raise NotFinite(
            f"{wanted.name} was not saved: {len(bad)} of {len(ready)} tensors hold NaN or infinity ({bad[0]})"
        )
    data = _as_safetensors(ready, told) if wanted.suffix == ".safetensors" else _as_pickle(ready)

    def reopen(written: Path) -> None:
        if _keys_of(written, wanted.suffix) != set(ready):
            raise OSError(f"{written}: reading back what was written gave other tensors")

    wanted.parent.mkdir(parents=True, exist_ok=True)
    while True:
        path = free_path(wanted)
        try:
            with atomic_writer(path, verify=reopen, replace=False) as stream:
                stream.write(data)
        except FileExistsError:
            continue  # another program took the name just now
        return path, len(data)


def _as_safetensors(ready: dict[str, Tensor], told: Mapping[str, str]) -> bytes:
    plain = safetensors.torch.save(ready, {name: text for name, text in told.items() if name.startswith("ss_")})
    hashes = {"sshs_model_hash": metadata.tensor_hash(plain), "sshs_legacy_hash": metadata.legacy_hash(plain)}
    return bytes(safetensors.torch.save(ready, {**told, **hashes}))


def _as_pickle(ready: dict[str, Tensor]) -> bytes:
    stream = io.BytesIO()
    torch.save(ready, stream)
    return stream.getvalue()


def _keys_of(path: Path, suffix: str) -> set[str]:
    if suffix != ".safetensors":
        return set(torch.load(path, map_location="meta", weights_only=True))
    with safe_open(path, "pt") as file:
        return set(file.keys())


def free_path(path: Path) -> Path:
    """`path`, or `name-2.ext`, `name-3.ext` … when it exists: nothing is ever overwritten."""
    if not path.exists():
        return path
    number = 2
    while (candidate := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return candidate


@dataclass(frozen=True)
class Reserved:
    """A name in a folder under which one run saves. warning: why it is not the one that was asked for."""

    name: str
    lock: Lock | None = None
    warning: str | None = None


def reserve_name(folder: Path, wanted: str, job: str, own: bool) -> Reserved:
    """The name, or `name-2` … when the folder holds files of that name, or a run that goes on now saves under it.

    It is kept from other runs while the lock is. job: told to them. own: the files of that name are this run's, which
    was resumed. Raises OSError when the folder cannot be written.
    """
    number, name, warning = 1, wanted, None
    while True:
        path = folder / f".{name}{LOCK_SUFFIX}"
        lock = take(path, job)
        if lock is None:
            other = words_in(path) or "another job"
            reason = f"{other} goes on and saves as {name} in {folder}"
        elif holds_files_of(folder, name) and not (own and number == 1):
            lock.release()
            reason = f"{folder} already holds files named {name}"
        else:
            return Reserved(name, lock, warning and f"{warning}; this run is saved as {name}")
        warning = warning or reason
        number += 1
        name = f"{wanted}-{number}"


@dataclass(frozen=True)
class State:
    """Where a run stands: enough to go on as if it had never stopped.

    progress: plain values (step, epoch, batch, loss window, seed, names); tensors: network and optimizer, flat.
    """

    progress: dict[str, Any]
    network: dict[str, Tensor]
    optimizer: dict[str, Any]


def save_state(folder: Path, state: State) -> Path:
    """Write a state folder; returns it. It appears under its name only when it is complete.

    Raises WriteError when the disk refuses.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    building = folder.with_name(f"{folder.name}{BUILDING}")
    remove_parts(building)
    building.mkdir()
    tensors: dict[str, Tensor] = {}
    plain = _split(state.optimizer, "", tensors)
    contents = {
        "network.safetensors": safetensors.torch.save(
            {key: value.detach().cpu().contiguous() for key, value in state.network.items()}
        ),
        "optimizer.safetensors": safetensors.torch.save(
            {key: value.cpu().contiguous() for key, value in tensors.items()}
        ),
        "optimizer.json": json.dumps(plain).encode(),
        "progress.json": json.dumps({**state.progress, "version": STATE_VERSION}, indent=1).encode(),
    }
    manifest = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.items()
    }
    contents[MANIFEST] = json.dumps(manifest, indent=1).encode()
    try:
        for name, data in contents.items():
            atomic_write(building / name, data)
        final = folder
        number = 2
        while final.exists():
            final = folder.with_name(f"{folder.name}-{number}")
            number += 1
        building.rename(final)
    except OSError:
        remove_parts(building)  # on a full disk half a state takes the last room
        raise
    sync_folder(folder.parent)
    return final


def remove_state(folder: Path) -> None:
    """Remove a state folder. It loses its name first: a kill in between leaves nothing that looks like a state."""
    gone = folder.with_name(f"{folder.name}{REMOVING}")
    with contextlib.suppress(OSError):
        remove_parts(gone)
        folder.rename(gone)
        remove_parts(gone)


def load_state(folder: Path) -> State:
    """Read a state folder. Raises StateError when it is missing, incomplete or damaged."""
    if not folder.is_dir():
        raise StateError(f"{folder}: there is no such folder; choose a state folder of an earlier run, or clear resume")
    fault = incomplete(folder)
    if fault:
        raise StateError(
            f"{folder}: {fault}; choose an older state, or clear resume and set network_weights to the last LoRA file"
        )
    try:
        progress = read_progress(folder)
        tensors = safetensors.torch.load_file(folder / "optimizer.safetensors")
        plain = json.loads((folder / "optimizer.json").read_text(encoding="utf-8"))
        return State(progress, safetensors.torch.load_file(folder / "network.safetensors"), _joined(plain, tensors))
    except StateError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        cure = "choose a state folder that this program wrote"
        raise StateError(f"{folder}: its contents make no sense ({type(error).__name__}: {error}); {cure}") from error


def _split(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """Nested optimizer state -> JSON values; tensors are moved out under their place."""
    if isinstance(value, Tensor):
        tensors[place] = value.detach().clone()
        return {"tensor": place}
    if isinstance(value, dict):
        return {"dict": [[key, _split(entry, f"{place}/{key}", tensors)] for key, entry in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_split(entry, f"{place}/{index}", tensors) for index, entry in enumerate(value)]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    raise TypeError(f"optimizer state holds a {type(value).__name__} at {place}, which cannot be saved")


def _joined(value: dict[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _joined(entry, tensors) for key, entry in content}
    if kind in ("list", "tuple"):
        entries = [_joined(entry, tensors) for entry in content]
        return tuple(entries) if kind == "tuple" else entries
    return content
