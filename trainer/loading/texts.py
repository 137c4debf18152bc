"""What the text encoders say about a batch's captions: computed at every use, or once and kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from trainer.atomic import WriteError, atomic_write
from trainer.dataset import links
from trainer.families.base import Conditioning
from trainer.loading.npz import read_arrays

Encode = Callable[[Sequence[str]], Conditioning]
IDENTITY_KEY = "athanor_identity"


class KeptTexts:
    """Conditioning of captions that never change, by caption; `encode` is asked once a caption.

    folder: where encodings are kept for later runs, or None for memory only. encoder_id: what tells one text encoder
    and its options from another; it is part of every file's name, so nothing stale is ever used. words: what of a
    caption the text encoders read (see emphasis.plain); captions of the same words share a file.
    """

    def __init__(
        self, encode: Encode, encoder_id: str, folder: Path | None = None, words: Callable[[str], str] = str
    ) -> None:
        self._encode = encode
        self._id = encoder_id
        self._folder = folder
        self._words = words
        self._kept: dict[str, Conditioning] = {}

    @torch.no_grad()
    def prepare(self, captions: Iterable[str], progress: Callable[[int, int], None]) -> None:
        """Encode every caption that is not kept yet. progress: called with done, total."""
        distinct = sorted(set(captions))
        for done, caption in enumerate(distinct, start=1):
            if caption not in self._kept:
                self._kept[caption] = self._read(caption) or self._made(caption)
            progress(done, len(distinct))

    def __call__(self, captions: Sequence[str]) -> Conditioning:
        """As the family's encode_captions. Raises KeyError for a caption that was not prepared."""
        found = [self._kept[caption] for caption in captions]
        pooled = [entry.pooled for entry in found if entry.pooled is not None]
        return Conditioning(torch.cat([entry.context for entry in found]), torch.cat(pooled) if pooled else None)

    def identity(self, caption: str) -> str:
        """What tells this caption's encoding from any other: its words, text encoders, options."""
        return hashlib.sha256(f"{self._id}|{self._words(caption)}".encode()).hexdigest()[:32]

    def _made(self, caption: str) -> Conditioning:
        made = self._encode([caption]).to("cpu")  # SDXL: 0.3 MB a caption, which adds up on a card
        if self._folder is not None:
            tensors = {"context": made.context.contiguous()}
            if made.pooled is not None:
                tensors["pooled"] = made.pooled.contiguous()
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                atomic_write(self._place(caption), safetensors.torch.save(tensors))
            except (WriteError, OSError):
                self._folder = None  # a full disk costs the next run some seconds, not this run its life
        return made

    def _read(self, caption: str) -> Conditioning | None:
        if self._folder is None or not self._place(caption).exists():
            return None
        try:
            tensors = safetensors.torch.load_file(self._place(caption))
            return Conditioning(tensors["context"], tensors.get("pooled"))
        except (OSError, SafetensorError, KeyError):
            return None

    def _place(self, caption: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{self.identity(caption)}.safetensors"


def write_te_outputs(
    picture: Path, caption: str, kept: KeptTexts, width: int, warn: Callable[[str], None], root: Path | None = None
) -> None:
    """Write `<picture>_te_outputs.npz` as sd-scripts keeps a caption's encoding for SDXL (KOHYA_COMPAT 3.3).

    width: of the first encoder's states. root: the data set, which no link may lead out of; without one
    the picture's folder.
    A file that sd-scripts itself wrote is left as it is, with a warning; one of
    ours is renewed when it is out of date, which a key of its own tells.
    """
    place = picture.with_name(f"{picture.stem}_te_outputs.npz")
    identity = kept.identity(caption)
    kind = links.kind_of(place, root or links.real(picture.parent))
    if kind not in ("file", "missing"):
        warn(f"{place} {links.REASONS[kind]}")
        return
    try:
        if kind == "file":
            before = read_arrays(place) or {}
            if IDENTITY_KEY not in before:
                warn(f"{place} was written by another program and stays as it is")
                return
            if str(before[IDENTITY_KEY]) == identity:
                return
        encoded = kept([caption])
        if encoded.pooled is None:
            raise ValueError("sd-scripts keeps text outputs of models with a pooled vector only")
        context = encoded.context[0]
        tensors = {"hidden_state1": context[:, :width], "hidden_state2": context[:, width:], "pool2": encoded.pooled[0]}
        arrays: dict[str, Any] = {name: _as_numpy(tensor) for name, tensor in tensors.items()}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays | {IDENTITY_KEY: identity})
        atomic_write(place.resolve(), buffer.getvalue())
    except OSError as error:
        warn(f"{place} was not written: {error}")


def _as_numpy(tensor: Tensor) -> np.ndarray:
    """numpy has no bfloat16: that becomes float32."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).cpu().numpy()
