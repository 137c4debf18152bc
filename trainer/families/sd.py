"""Stable Diffusion 1.x and 2.x: one U-Net, one CLIP text encoder, one VAE.

Conventions are those of sd-scripts (KOHYA_COMPAT 4, 5.1, 6.1): latents are scaled by 0.18215 whatever the VAE's config
says, clip skip applies the final layer norm, LoRA names are derived from the module paths of diffusers.

B batch · C latent channels · H W pixels · h w latent rows, columns · T tokens · D width · n chunks of 77 tokens
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from trainer.families import modules, tokens
from trainer.families.base import Conditioning, LoadOptions, Prediction, Random, Target
from trainer.families.emphasis import parse as parse_emphasis
from trainer.families.layers import clip_name, layers_of, sd_block
from trainer.families.weights import Description, WeightsError, describe, find_base, read_config
from trainer.networks.selection import lora_targets

LATENT_SCALE = 0.18215
PAD_TOKEN = {"sd1": tokens.EOS, "sd2": 0}


class SDFamily:
    """A Stable Diffusion 1.x or 2.x model, frozen. Made by `load`; what its members do is said in base.Family."""

    latent_channels = 4

    def __init__(
        self,
        name: Literal["sd1", "sd2"],
        unet: Any,
        text_encoder: Any,
        vae: Any,
        options: LoadOptions,
        prediction: Prediction = "epsilon",
        zero_terminal_snr: bool = False,
        notes: Sequence[str] = (),
    ) -> None:
        self.name: str = name
        self.unet: Any = unet
        self.text_encoders: list[Any] = [text_encoder]
        self.vae: Any = vae
        self.prediction, self.zero_terminal_snr = prediction, zero_terminal_snr
        self.dtype, self.clip_skip, self.max_token_length = options.dtype, options.clip_skip, options.max_token_length
        self.notes = list(notes)
        self.device = torch.device("cpu")
        self._tokenizer = tokens.clip_tokenizer()
        self._vae_resident = True

    def to(self, device: torch.device | str) -> None:
        self.device = torch.device(device)
        for module in (self.unet, *self.text_encoders, *([self.vae] if self._vae_resident else [])):
            module.to(self.device)

    def free_vae(self) -> None:
        self._vae_resident = False
        self.vae.to("cpu")

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
        return (mean + deviation * noise) * LATENT_SCALE

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
        """Captions (B) -> context (B, T, D) with T = 77, 152 or 227.

        at_least: tokens to make room for (150 or 225) when max_token_length is shorter. clip_skip k takes the k-th last
        hidden state; the final layer norm is applied to it (KOHYA_COMPAT 4.3). emphasis: (brackets:1.2) weigh their
        part, with the mean of the states kept, as image programs and sd-scripts' previews do.
        """
        encoder = self.text_encoders[0]
        length = max(self.max_token_length or 0, at_least or 0) or None
        pad = PAD_TOKEN[self.name]
        pieces = [parse_emphasis(caption) if emphasis else [(caption, 1.0)] for caption in captions]
        chunks, weights = zip(*(self._tokenizer.weighted(one, length, pad) for one in pieces), strict=True)
        ids = torch.tensor(chunks, device=self.device)  # (B, n, 77)
        with self.autocast():
            output = encoder(ids.flatten(0, 1), output_hidden_states=self.clip_skip is not None)
            states = output.last_hidden_state
            if self.clip_skip is not None:
                body = getattr(encoder, "text_model", encoder)
                states = body.final_layer_norm(output.hidden_states[-self.clip_skip])
        context = joined_chunks(states.unflatten(0, ids.shape[:2]))
        return Conditioning(weighed(context, torch.tensor(weights, device=self.device)) if emphasis else context)

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """Noisy latents (B, C, h, w) at timesteps (B,) -> epsilon or v, float32."""
        with self.autocast():
            output = self.unet(noisy, timesteps, encoder_hidden_states=conditioning.context, return_dict=False)[0]
        return output.float()

    def layers(self) -> list[Target]:
        """Every layer that a network may adapt, text encoder first, in module order."""
        text = layers_of(self.text_encoders[0], "text_encoder", "lora_te", clip_name)
        return [*text, *layers_of(self.unet, "unet", "lora_unet", block=sd_block)]

    def network_targets(self, conv: bool = False) -> list[Target]:
        """Every Linear and Conv2d of the attention blocks, text encoder first.

        conv: also those of the residual blocks and the up- and downsamplers. Names and order are sd-scripts'
        (KOHYA_COMPAT 6.1).
        """
        return lora_targets(self.layers(), conv)

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Mixed precision of this model on its device; nothing in float32."""
        if self.dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def _vae_dtype(self) -> torch.dtype:
        return next(self.vae.parameters()).dtype

    def _posterior(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self.vae.encode(pixels.to(self.device, self._vae_dtype())).latent_dist
        return posterior.mean.float(), posterior.std.float()

    def _decoded(self, latents: Tensor) -> Tensor:
        scaled = (latents.float() / LATENT_SCALE).to(self.device, self._vae_dtype())
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


def load(options: LoadOptions, device: torch.device | str = "cpu") -> SDFamily:
    """Read a base model from a single file or a diffusers folder, without network, onto `device`.

    Raises WeightsError naming the file, what is wrong with it and the cure.
    """
    path = find_base(options.path)
    about = describe(path)
    name = _family_name(path, about)
    parts = _folder_parts(path, options) if path.is_dir() else _file_parts(path, options)
    unet, text_encoder, vae = parts
    unet_context = int(unet.config.cross_attention_dim)
    text_width = int(text_encoder.config.hidden_size)
    if unet_context != text_width:
        raise WeightsError(
            f"{path}: its U-Net reads text of width {unet_context}, its text encoder gives {text_width}; "
            "the file mixes two models"
        )
    notes, prediction = _settled_prediction(options, about)
    family = SDFamily(name, unet, text_encoder, vae, options, prediction, about.zero_terminal_snr, notes)
    family.to(device)
    return family


def joined_chunks(states: Tensor) -> Tensor:
    """(B, n, 77, D) -> (B, 75 n + 2, D): the first chunk's begin, all texts, the last chunk's end."""
    if states.shape[1] == 1:
        return states[:, 0]
    text = states[:, :, 1:-1].flatten(1, 2)
    return torch.cat([states[:, 0, :1], text, states[:, -1, -1:]], dim=1)


def weighed(context: Tensor, weights: Tensor) -> Tensor:
    """Context (B, T, D) times weights (B, T), brought back to the mean it had in each sample."""
    before = context.float()
    changed = before * weights[..., None]
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


def _family_name(path: Path, about: Description) -> Literal["sd1", "sd2"]:
    if about.kind not in ("checkpoint", "folder", "unknown"):
        raise WeightsError(
            f"{path} is a {about.detail}, not a base model; choose the checkpoint (.safetensors) that the LoRA is to "
            "be trained on"
        )
    if about.problems:
        raise WeightsError(about.problems[0])
    if about.family not in ("sd1", "sd2", None):
        raise WeightsError(f"{path} is a {about.detail}; this version trains Stable Diffusion 1.x and 2.x only")
    return "sd2" if about.family == "sd2" else "sd1"


def _file_parts(path: Path, options: LoadOptions) -> tuple[Any, Any, Any]:
    source = modules.open_source(path)
    unet = modules.build_unet(source, None, options.dtype)
    text_encoder = modules.build_text_encoder(source, None, options.dtype)
    return unet, text_encoder, _vae(options) or modules.build_vae(source, None, options.vae_dtype)


def _folder_parts(path: Path, options: LoadOptions) -> tuple[Any, Any, Any]:
    configs = [read_config(path / part / "config.json") for part in modules.COMPONENTS]
    for part, config in zip(modules.COMPONENTS, configs, strict=True):
        if config is None:
            raise WeightsError(f"{path / part / 'config.json'} is missing; download the folder again")
    unet = modules.build_unet(modules.open_component(path / "unet"), configs[0], options.dtype)
    text_encoder = modules.build_text_encoder(modules.open_component(path / "text_encoder"), configs[2], options.dtype)
    vae = _vae(options) or modules.build_vae(modules.open_component(path / "vae"), configs[1], options.vae_dtype)
    return unet, text_encoder, vae


def _vae(options: LoadOptions) -> Any:
    """The VAE the user chose in place of the base's own: a file, a VAE folder, or a whole diffusers folder."""
    if options.vae is None:
        return None
    path = find_base(options.vae)
    if not path.is_dir():
        return modules.build_vae(modules.open_source(path), None, options.vae_dtype)
    folder = path / "vae" if (path / "vae" / "config.json").is_file() else path
    config = read_config(folder / "config.json")
    if config is None or "latent_channels" not in config:
        raise WeightsError(f"{path} is not a VAE folder (no config.json of a VAE in it); choose a VAE file or folder")
    return modules.build_vae(modules.open_component(folder), config, options.vae_dtype)


def _settled_prediction(options: LoadOptions, about: Description) -> tuple[list[str], Prediction]:
    """What the model predicts: the user's word, else what the file says, else epsilon; with notes where they differ."""
    if options.v_parameterization:
        told_otherwise = about.prediction == "epsilon" and about.family == "sd2"
        return (
            ["the base model says that it predicts noise, but v_parameterization is on"] if told_otherwise else []
        ), "v"
    if about.prediction == "v":
        return ["the base model says that it is a v-prediction model, so v_parameterization was switched on"], "v"
    if about.family == "sd2" and about.prediction is None:
        return [
            "a Stable Diffusion 2 file does not say what it predicts; for a 768-v model switch on v_parameterization"
        ], "epsilon"
    return [], "epsilon"
