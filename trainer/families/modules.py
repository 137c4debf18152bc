"""From a weights file to diffusers' and transformers' modules: read once, straight into the dtype that is trained in.

Modules are built empty (on the meta device) from a resolved config, and every tensor is looked up by name and checked
by shape. So a model's layers are known, and what is wrong with its file, before weights are read. No network, and no
pickle that could run code. What a file is, is told by weights.py.
"""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import safetensors.torch
import torch
from torch import Tensor, nn

from trainer.families.layout import (
    Config,
    Pieces,
    lacking,
    matching,
    text_facts,
    text_pieces,
    unet_facts,
    unet_pieces,
    vae_facts,
    vae_pieces,
    xl_text_2_pieces,
    xl_text_pieces,
)
from trainer.families.names import Piece
from trainer.families.pickles import TRAINING_PROGRAMS
from trainer.families.weights import (
    PICKLE_EXTENSIONS,
    WeightsError,
    component_files,
    lora_parts,
    python_objects,
    read_header,
)
from trainer.networks import foreign

MAPPED_AT_MOST_BYTES = 2**28


class Source(Protocol):
    """Tensors by name, from wherever they lie."""

    path: Path

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Every tensor's name and shape."""

    def read(self, name: str, dtype: torch.dtype) -> Tensor:
        """A tensor on the CPU, in `dtype`, sharing no memory with the file."""

    def rest(self) -> None:
        """Nothing is read for some time: let go what can be opened anew."""


@dataclass(frozen=True)
class Unread:
    """A module whose layers are known and whose weights are still in the file."""

    module: nn.Module
    read: Callable[[], nn.Module]  # gives the same module its weights; raises WeightsError for NaN


class SafetensorsSource:
    """Tensors of one or several safetensors files; each is read when it is asked for."""

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        """path: what errors name (the file or folder the user chose). Raises WeightsError for a damaged file."""
        self.path = path
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._files: dict[str, Path] = {}
        self._readers: dict[Path, Any] = {}
        self._bytes_read = 0
        for file in files:
            for name, entry in read_header(file).tensors.items():
                self._shapes[name] = entry.shape
                self._files[name] = file

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return self._shapes

    def read(self, name: str, dtype: torch.dtype) -> Tensor:
        tensor: Tensor = self._reader(self._files[name]).get_tensor(name)
        self._bytes_read += tensor.nbytes
        return tensor.to(dtype, copy=True)  # a copy: the file may be replaced while we train

    def rest(self) -> None:
        self._readers.clear()
        self._bytes_read = 0

    def _reader(self, file: Path) -> Any:
        """The mapped file. Mapped anew now and then: pages that were read count as memory of ours until it is let go,
        which put the peak of a full-size run at 6.4 GiB in place of 5.0."""
        from safetensors import safe_open

        if self._bytes_read > MAPPED_AT_MOST_BYTES:
            self.rest()
        if file not in self._readers:
            self._readers[file] = safe_open(str(file), framework="pt", device="cpu")
        return self._readers[file]


class StateSource:
    """Tensors of a pickled state dict (.ckpt, .bin), opened with weights_only."""

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        """Raises WeightsError when a file is damaged or holds more than weights."""
        self.path = path
        self._tensors: dict[str, Tensor] = {}
        for file in files:
            state = load_pickle(file)
            nested = state.get("state_dict", state)
            self._tensors |= {name: value for name, value in nested.items() if isinstance(value, Tensor)}

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}

    def read(self, name: str, dtype: torch.dtype) -> Tensor:
        return self._tensors[name].detach().to(dtype, copy=True)

    def rest(self) -> None:
        """The tensors stay: a pickle is mapped where it can be, and read whole where not."""

    def tensors(self) -> dict[str, Tensor]:
        """All of them, in the file's own formats."""
        return {name: tensor.detach().clone() for name, tensor in self._tensors.items()}


def open_source(path: Path) -> Source:
    """The tensors of a single file. Raises WeightsError naming the file, what is wrong with it and the cure."""
    if path.suffix.lower() in PICKLE_EXTENSIONS:
        return StateSource(path, [path])
    return SafetensorsSource(path, [path])


def all_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a small file (a LoRA) in its own format, from safetensors or a pickle of nothing but weights.

    Raises WeightsError naming the file, what is wrong with it and the cure.
    """
    if path.suffix.lower() in PICKLE_EXTENSIONS:
        return StateSource(path, [path]).tensors()
    read_header(path)
    return safetensors.torch.load_file(path)


def lora_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a LoRA under the names used here, from a file, or a folder of PEFT or diffusers.

    Layers without an alpha get theirs from the settings in the file or beside it, else the rank, as programs take it.
    Raises WeightsError naming the file, what is wrong with it and the cure.
    """
    found: dict[str, Tensor] = {}
    for part in lora_parts(path):
        state = all_tensors(part.file)
        names = foreign.names_here({name: tuple(tensor.shape) for name, tensor in state.items()}, part.component)
        own = {names.get(name, name): tensor for name, tensor in state.items()}
        shapes = {name: tuple(tensor.shape) for name, tensor in own.items()}
        found |= {name: tensor.reshape(foreign.shape_here(name, tuple(tensor.shape), shapes)) if names else tensor
                  for name, tensor in own.items()}  # fmt: skip
        packed = {} if part.file.suffix.lower() in PICKLE_EXTENSIONS else read_header(part.file).metadata
        config = part.config or foreign.packed_config(packed)
        found |= {name: torch.tensor(alpha) for name, alpha in foreign.alphas(shapes, names, config).items()}
    return found


def open_component(folder: Path) -> Source:
    """The tensors of one component of a diffusers folder (`.../unet`)."""
    files = component_files(folder)
    if not files:
        raise WeightsError(f"{folder} has no weights (.safetensors); download the folder again")
    return SafetensorsSource(folder, files) if files[0].suffix == ".safetensors" else StateSource(folder, files)


class Placeholder:
    """Stands where a pickle names a training program's class: takes whatever it is given and does nothing with it."""

    def __init__(self, *given: object, **named: object) -> None:
        """Forgets what it is given."""

    def __setstate__(self, state: object) -> None:
        """Forgets it too."""


def load_pickle(path: Path) -> dict[str, Any]:
    """A .ckpt's dictionary, tensors only (torch's weights_only, and never a second try without it).

    Raises WeightsError: damaged, or holding Python objects besides weights, with the cure.
    """
    if not path.is_file():
        raise WeightsError(f"{path} does not exist; check the path")
    replaced: dict[str, Any] = {}
    while True:
        try:
            with torch.serialization.safe_globals([(stand_in, name) for name, stand_in in replaced.items()]):
                # mapped, so that a 7 GB file is not held in memory twice; old files without a zip inside cannot be
                loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
            break
        except Exception as error:  # torch raises a dozen kinds; all mean that this file cannot be used
            text = str(error)
            found = re.search(r"[Uu]nsupported (?:global: GLOBAL|class|GLOBAL) ([\w.]+)", text)
            if found and found[1].startswith(TRAINING_PROGRAMS) and found[1] not in replaced:
                replaced[found[1]] = type("Placeholder", (Placeholder,), {})
                continue
            if found or "not an allowed global" in text:
                raise WeightsError(python_objects(path, found[1] if found else None)) from None
            raise WeightsError(f"{path}: damaged or cut download, or not a .ckpt file; fetch it again") from error
    if not isinstance(loaded, dict):
        raise WeightsError(f"{path} holds no table of weights; check what was downloaded")
    return loaded


def open_unet(source: Source, config: Config | None, dtype: torch.dtype) -> Unread:
    """A UNet2DConditionModel. config: from a diffusers folder; None: found from the shapes of a single file.

    From a single file of SD 1 or 2 proj_in and proj_out are 1x1 convolutions, as in sd-scripts, whatever a folder of
    the same model has: a LoRA's tensors there are [r, in, 1, 1] and [out, r, 1, 1] then. SDXL's are linear.
    """
    from diffusers import UNet2DConditionModel

    if config is None:
        config = matching(source.path, "unet", "U-Net", source.shapes(), unet_facts, unet_pieces)
        if config.get("addition_embed_type") is None:
            config = {**config, "use_linear_projection": False}
    empty = _on_meta(lambda: UNet2DConditionModel.from_config(dict(config)))
    return _unread(empty, lambda name: unet_pieces(name, config), source, dtype, "U-Net")


def open_vae(source: Source, config: Config | None, dtype: torch.dtype) -> Unread:
    """An AutoencoderKL, from a checkpoint, a bare VAE file or a diffusers component."""
    from diffusers import AutoencoderKL

    if config is None:
        config = matching(source.path, "vae", "VAE", source.shapes(), vae_facts, vae_pieces)
    empty = _on_meta(lambda: AutoencoderKL.from_config(dict(config)))
    return _unread(empty, lambda name: vae_pieces(name, config), source, dtype, "VAE")


def open_text_encoder(source: Source, config: Config | None, dtype: torch.dtype) -> Unread:
    """A CLIPTextModel: SD 1's, or SD 2's from OpenCLIP's layout."""
    return _text_encoder(source, config, dtype, "text_encoder", "text encoder", text_pieces)


def open_xl_text_encoder(source: Source, config: Config | None, dtype: torch.dtype) -> Unread:
    """SDXL's first text encoder, a CLIPTextModel."""
    return _text_encoder(source, config, dtype, "text_encoder", "first text encoder", xl_text_pieces)


def open_xl_text_encoder_2(
    source: Source, config: Config | None, dtype: torch.dtype, as_sd_scripts: bool = False
) -> Unread:
    """SDXL's second text encoder, a CLIPTextModelWithProjection.

    as_sd_scripts: the text projection of a single file is used untransposed, as that program does (KOHYA_COMPAT Q-46).
    """

    def pieces(name: str, config: Config) -> list[Piece]:
        found = xl_text_2_pieces(name, config)
        return [piece._replace(transposed=False) for piece in found] if as_sd_scripts else found

    return _text_encoder(source, config, dtype, "text_encoder_2", "second text encoder", pieces, projected=True)


def _text_encoder(
    source: Source,
    config: Config | None,
    dtype: torch.dtype,
    component: str,
    title: str,
    pieces: Pieces,
    projected: bool = False,
) -> Unread:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    if config is None:
        config = matching(source.path, component, title, source.shapes(), text_facts, pieces)
    text_config = CLIPTextConfig(**{key: value for key, value in config.items() if key != "model_type"})
    made = CLIPTextModelWithProjection if projected else CLIPTextModel
    empty = _on_meta(lambda: made(text_config))
    for buffer_name, buffer in list(empty.named_buffers()):
        if buffer_name.endswith("position_ids"):  # not stored in files: 0 .. 76
            owner = empty.get_submodule(buffer_name.rpartition(".")[0])
            owner.position_ids = torch.arange(buffer.shape[-1]).expand(1, -1)
    return _unread(empty, lambda name: pieces(name, config), source, dtype, title)


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep back lines of diffusers, transformers and bitsandbytes that are known to be harmless; others pass."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*(torchvision|use_return_dict|Accessing config attribute).*")
        loggers = [
            logging.getLogger(name)
            for name in ("", "bitsandbytes", "bitsandbytes.backends.cpu.ops", "diffusers", "transformers")
        ]
        for logger in loggers:
            logger.addFilter(_is_news)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(_is_news)


def _on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    with quiet_libraries(), torch.device("meta"):
        return build()


def _unread(
    module: nn.Module, pieces_of: Callable[[str], list[Piece]], source: Source, dtype: torch.dtype, title: str
) -> Unread:
    """An empty module with what its tensors are in the file, frozen and in eval mode once it is read.

    Raises WeightsError when tensors are missing or have other shapes.
    """
    shapes = source.shapes()
    found: dict[str, Piece] = {}
    slots = module.state_dict()
    fault = lacking(source.path, title, [pieces_of(name) for name in slots], list(slots), shapes)
    if fault:
        raise WeightsError(fault)
    for name, slot in slots.items():
        found[name] = piece = next(piece for piece in pieces_of(name) if piece.name in shapes)
        given = _shape_of(piece, shapes[piece.name])
        if given != tuple(slot.shape) and _without_ones(given) != _without_ones(slot.shape):
            raise WeightsError(
                f"{source.path}: {piece.name} has the shape {list(given)}, this kind of {title} needs "
                f"{list(slot.shape)}; the file is of another model family or damaged"
            )
    return Unread(module, lambda: _filled(module, found, source, dtype))


def _shape_of(piece: Piece, stored: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that a piece of a stored tensor has."""
    if piece.third is not None:
        stored = (stored[0] // 3, *stored[1:])
    return stored[::-1] if piece.transposed else stored


def _without_ones(shape: Sequence[int]) -> list[int]:
    """A 1x1 convolution may stand where the other layout has a linear layer."""
    return [size for size in shape if size != 1]


def _filled(module: nn.Module, found: Mapping[str, Piece], source: Source, dtype: torch.dtype) -> nn.Module:
    """Give an empty module the file's tensors; frozen, in eval mode."""
    state: dict[str, Tensor] = {}
    for name, slot in module.state_dict().items():
        piece = found[name]
        tensor = source.read(piece.name, dtype)
        if piece.third is not None:
            tensor = tensor.chunk(3)[piece.third].clone()
        if piece.transposed:
            tensor = tensor.T.contiguous()
        _check_finite(source, piece.name, tensor)
        state[name] = tensor.reshape(slot.shape)
    source.rest()
    module.load_state_dict(state, assign=True)
    return module.requires_grad_(False).eval()


def _check_finite(source: Source, name: str, tensor: Tensor) -> None:
    if tensor.numel() == 0:
        return
    low, high = torch.aminmax(tensor)  # one pass, and NaN comes through
    if not (torch.isfinite(low) and torch.isfinite(high)):
        raise WeightsError(
            f"{source.path}: {name} holds NaN or infinite numbers in {str(tensor.dtype).removeprefix('torch.')}; "
            "the file is damaged, or its numbers are too large for fp16: try mixed_precision bf16 or no, or fetch it "
            "again"
        )


def _is_news(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    return not any(
        phrase in text for phrase in ("gemm_4bit", "kernels-community", "requires torchvision", "torchvision is not")
    )
