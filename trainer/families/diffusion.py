"""What all Stable Diffusion families share: a U-Net, CLIP text encoders and a VAE, frozen, and how they are used.

What differs stands in sd.py and sdxl.py: how captions become conditioning, what the U-Net gets of it, and LoRA names.

B batch · C latent channels · H W pixels · h w latent rows, columns · T tokens · D width · n chunks of 77 tokens
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from trainer.families import kinds, modules, tokens
from trainer.families.base import Conditioning, LoadOptions, ModelPart, Prediction, Random, Target
from trainer.families.emphasis import parse as parse_emphasis
from trainer.families.emphasis import plain
from trainer.families.modules import Unread
from trainer.families.weights import Description, WeightsError, find_base, read_config
from trainer.networks.selection import lora_targets
from trainer.precision import to_device

AnyFamily = TypeVar("AnyFamily", bound="DiffusionFamily")


class DiffusionFamily(ABC):
    """A Stable Diffusion model, frozen. What the members do is said in base.Family.

    reload_text_encoders: reads them anew after `free_text_encoders`. unread: part -> what gives its modules weights,
    for parts that are empty so far.
    """

    latent_channels = 4
    latent_scale: float

    def __init__(
        self,
        name: str,
        unet: Any,
        text_encoders: Sequence[Any],
        vae: Any,
        options: LoadOptions,
        prediction: Prediction = "epsilon",
        zero_terminal_snr: bool = False,
        notes: Sequence[str] = (),
        reload_text_encoders: Callable[[], list[Any]] | None = None,
        unread: Mapping[ModelPart, Sequence[Unread]] | None = None,
    ) -> None:
        self.name: str = name
        self.unet: Any = unet
        self.text_encoders: list[Any] = list(text_encoders)
        self.vae: Any = vae
        self.prediction, self.zero_terminal_snr = prediction, zero_terminal_snr
        self.dtype, self.clip_skip, self.max_token_length = options.dtype, options.clip_skip, options.max_token_length
        self.weighted_captions, self.no_token_padding = options.weighted_captions, options.no_token_padding
        self.notes = list(notes)
        self.device = torch.device("cpu")
        self._tokenizer = tokens.clip_tokenizer()
        self._vae_resident = True
        self._reload_text_encoders = reload_text_encoders
        self._unread = dict(unread or {})
        self._remembered: dict[tuple[object, ...], Conditioning] = {}

    def read(self, *parts: ModelPart, device: torch.device | str | None = None) -> None:
        for part in parts or tuple(self._unread):
            for unread in self._unread.pop(part, ()):
                unread.read().to(self.device if device is None else device)

    def to(self, device: torch.device | str, *parts: ModelPart) -> None:
        self.device = torch.device(device)
        own: dict[ModelPart, list[Any]] = {
            "unet": [self.unet],
            "text_encoders": self.text_encoders,
            "vae": [self.vae] if self._vae_resident else [],
        }
        for part in parts or own:
            for module in own[part] if part not in self._unread else ():
                module.to(self.device)

    def free_vae(self, for_good: bool = False) -> None:
        self._vae_resident = False
        self.vae = None if for_good else self.vae.to("cpu")

    def free_text_encoders(self) -> None:
        self.text_encoders = []

    def train_mode(self, gradient_checkpointing: bool = False) -> None:
        for module in (self.unet, *self.text_encoders):
            module.requires_grad_(False).train()
        if gradient_checkpointing:
            self.unet.enable_gradient_checkpointing()
            for encoder in self.text_encoders:
                # transformers 5 renamed it and warns under the old name
                enable = (
                    getattr(encoder, "activation_checkpointing_enable", None) or encoder.gradient_checkpointing_enable
                )
                enable({"use_reentrant": False})

    @torch.no_grad()
    def encode_images(self, pixels: Tensor, generator: Random) -> Tensor:
        """(B, 3, H, W) in [-1, 1] -> (B, C, H/8, W/8) scaled, float32, on the family's device.

        A sample of the posterior, drawn on the CPU from `generator` (one, or one a picture). When a half-precision VAE
        overflows into NaN it is turned to float32 for good; what is NaN even then comes back as it is.
        """
        with self._vae_at_work():
            mean, deviation = self._posterior(pixels)
            if not torch.isfinite(mean).all() and self._vae_dtype() != torch.float32:
                self.notes.append("the VAE overflowed in half precision and runs in float32 from here on")
                self.vae.to(torch.float32)
                mean, deviation = self._posterior(pixels)
        noise = draw(mean.shape, generator).to(mean.device)
        return (mean + deviation * noise) * self.latent_scale

    @torch.no_grad()
    def decode_latents(self, latents: Tensor) -> Tensor:
        """(B, C, h, w) scaled -> (B, 3, 8h, 8w) in [-1, 1], float32. One picture at a time, to keep memory low."""
        with self._vae_at_work():
            pixels = self._decoded(latents)
            if not torch.isfinite(pixels).all() and self._vae_dtype() != torch.float32:
                self.vae.to(torch.float32)
                pixels = self._decoded(latents)
        return pixels.clamp(-1, 1)

    def encode_captions(
        self, captions: Sequence[str], at_least: int | None = None, emphasis: bool = False
    ) -> Conditioning:
        """Captions (B) -> context (B, T, D) with T = 77, 152 or 227, and what else the family has.

        at_least: tokens to make room for (150 or 225) when max_token_length is shorter. emphasis: (brackets:1.2) weigh
        their part, with the mean of the states kept, as image programs and sd-scripts' previews do; without it they do
        so where weighted_captions is on, the mean not kept (KOHYA_COMPAT 4.4). Elsewhere brackets are text; a backslash
        before one is never part of it.
        """
        if self.text_encoders:
            return self._encoded(self.text_encoders, captions, self._token_limit(at_least), emphasis)
        known = self._remembered.get((*captions, at_least, emphasis))
        if known is not None:
            return known
        if self._reload_text_encoders is None:
            raise ValueError("the text encoders were freed and nothing says how to read them anew")
        encoders = [encoder.to(self.device) for encoder in self._reload_text_encoders()]
        return self._encoded(encoders, captions, self._token_limit(at_least), emphasis)

    @torch.no_grad()
    def remember_captions(self, captions: Sequence[str], at_least: int | None = None, emphasis: bool = False) -> None:
        self._remembered[(*captions, at_least, emphasis)] = self.encode_captions(captions, at_least, emphasis)

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """Noisy latents (B, C, h, w) at timesteps (B,) -> epsilon or v, float32."""
        with self.autocast():
            output = self.unet(
                noisy,
                timesteps,
                encoder_hidden_states=conditioning.context,
                added_cond_kwargs=self._added(conditioning),
                return_dict=False,
            )[0]
        return output.float()

    @abstractmethod
    def layers(self) -> list[Target]:
        """Every layer that a network may adapt, text encoders first, in module order."""

    def network_targets(self, conv: bool = False) -> list[Target]:
        """Every Linear and Conv2d of the attention blocks, text encoders first.

        conv: also those of the residual blocks and the up- and downsamplers. Names and order are sd-scripts'
        (KOHYA_COMPAT 6.1).
        """
        return lora_targets(self.layers(), conv)

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Mixed precision of this model on its device; nothing in float32."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    @abstractmethod
    def _encoded(
        self, encoders: Sequence[Any], captions: Sequence[str], limit: int | None, emphasis: bool
    ) -> Conditioning:
        """Conditioning of captions of at most `limit` (None: 75, 150, 225) tokens."""

    def _added(self, conditioning: Conditioning) -> dict[str, Tensor] | None:
        """What the U-Net gets beside the context."""
        return None

    def _token_limit(self, at_least: int | None) -> int | None:
        return max(self.max_token_length or 0, at_least or 0) or None

    def _tokens(
        self, captions: Sequence[str], limit: int | None, pad: int, emphasis: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Token ids (B, n, 77) on the device, and the weights (B, T) of their states where brackets count.

        With no_token_padding the captions of a batch are as long as the longest of them: (B, 1, at most 77).
        """
        weigh = emphasis or self.weighted_captions
        pieces = [parse_emphasis(caption) if weigh else [(plain(caption), 1.0)] for caption in captions]
        chunks, weights = zip(*(self._tokenizer.weighted(one, limit, pad) for one in pieces), strict=True)
        ids = torch.tensor(chunks)
        if self.no_token_padding and not emphasis and limit is None:
            ids = ids[:, :, : int((ids == tokens.EOS).int().argmax(dim=2).max()) + 1]
        counted = torch.tensor(weights)[:, : ids.shape[1] * (ids.shape[2] - 2) + 2] if weigh else None
        return to_device(ids, self.device), None if counted is None else to_device(counted, self.device)

    def _vae_dtype(self) -> torch.dtype:
        return next(self.vae.parameters()).dtype

    def _posterior(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self.vae.encode(pixels.to(self.device, self._vae_dtype())).latent_dist
        return posterior.mean.float(), posterior.std.float()

    def _decoded(self, latents: Tensor) -> Tensor:
        scaled = (latents.float() / self.latent_scale).to(self.device, self._vae_dtype())
        return torch.cat([self.vae.decode(one, return_dict=False)[0].float() for one in scaled.split(1)])

    @contextlib.contextmanager
    def _vae_at_work(self) -> Iterator[None]:
        """The VAE on the device; afterwards back on the CPU when it was freed."""
        self.vae.to(self.device)
        try:
            yield
        finally:
            if not self._vae_resident:
                self.vae.to("cpu")


def joined_chunks(states: Tensor) -> Tensor:
    """(B, n, 77, D) -> (B, 75 n + 2, D): the first chunk's begin, all texts, the last chunk's end."""
    if states.shape[1] == 1:
        return states[:, 0]
    text = states[:, :, 1:-1].flatten(1, 2)
    return torch.cat([states[:, 0, :1], text, states[:, -1, -1:]], dim=1)


def weighed(context: Tensor, weights: Tensor, keep_mean: bool = True) -> Tensor:
    """Context (B, T, D) times weights (B, T); with keep_mean brought back to the mean it had in each sample."""
    before = context.float()
    changed = before * weights[..., None]
    if not keep_mean:
        return changed.to(context.dtype)
    mean, new_mean = before.mean(dim=(1, 2), keepdim=True), changed.mean(dim=(1, 2), keepdim=True)
    # a ratio of two means near zero says nothing
    meaningful = new_mean.abs() > 1e-3 * changed.std(dim=(1, 2), keepdim=True)
    return (changed * torch.where(meaningful, mean / new_mean, 1.0)).to(context.dtype)


def draw(shape: Sequence[int], generator: Random) -> Tensor:
    """Standard normal numbers (B, ...) on the CPU from one generator, or from one a row."""
    if isinstance(generator, torch.Generator):
        return torch.randn(tuple(shape), generator=generator)
    rows = [torch.randn(tuple(shape[1:]), generator=one) for one in generator]
    if len(rows) != shape[0]:
        raise ValueError(f"{len(rows)} generators for {shape[0]} pictures; give one, or one a picture")
    return torch.stack(rows)


class Base:
    """The files of a base model: one that holds all, or a diffusers folder. Opened when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: modules.Source | None = None

    def part(self, name: str) -> tuple[modules.Source, modules.Config | None]:
        """Where a part ("unet") lies, and its config if it is a folder's. Raises WeightsError."""
        if not self.path.is_dir():
            self._file = self._file or modules.open_source(self.path)
            return self._file, None
        config = read_config(self.path / name / "config.json")
        if config is None:
            raise WeightsError(f"{self.path / name / 'config.json'} is missing; download the folder again")
        return modules.open_component(self.path / name), config


def open_vae(base: Base, options: LoadOptions) -> Unread:
    """The base's own VAE, or the one the user chose: a file, a VAE folder, or a whole diffusers folder."""
    if options.vae is None:
        return modules.open_vae(*base.part("vae"), options.vae_dtype)
    path = find_base(options.vae)
    if not path.is_dir():
        return modules.open_vae(modules.open_source(path), None, options.vae_dtype)
    folder = path / "vae" if (path / "vae" / "config.json").is_file() else path
    config = read_config(folder / "config.json")
    if config is None or "latent_channels" not in config:
        raise WeightsError(f"{path} is not a VAE folder (no config.json of a VAE in it); choose a VAE file or folder")
    return modules.open_vae(modules.open_component(folder), config, options.vae_dtype)


def assembled(
    kind: type[AnyFamily],
    name: str,
    path: Path,
    about: Description,
    options: LoadOptions,
    text_encoders: Callable[[Base], list[Unread]],
) -> AnyFamily:
    """A family of the parts of one base model, unread. text_encoders: opens them, now and after they were let go.

    Raises WeightsError when the U-Net reads text of another width than the text encoders give.
    """
    base = Base(path)
    opened = modules.open_unet(*base.part("unet"), options.dtype)
    encoders, vae = text_encoders(base), open_vae(base, options)
    unet: Any = opened.module
    expected = int(unet.config.cross_attention_dim)
    text: list[Any] = [encoder.module for encoder in encoders]
    text_width = sum(int(encoder.config.hidden_size) for encoder in text)
    if expected != text_width:
        raise WeightsError(
            f"{path}: its U-Net reads text of width {expected}, its text encoder gives {text_width}; "
            "the file mixes two models"
        )
    settled = kinds.prediction_of(about, options.v_parameterization, options.zero_terminal_snr, options.prediction_type)
    return kind(
        name, unet, text, vae.module, options, settled.prediction, settled.zero_terminal_snr, settled.notes,
        lambda: [encoder.read() for encoder in text_encoders(Base(path))],
        {"unet": [opened], "text_encoders": encoders, "vae": [vae]},
    )  # fmt: skip
