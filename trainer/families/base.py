"""What a model family is to the rest of the trainer: the protocol, and the data that passes through it.

A family knows its denoiser, text encoders and VAE; networks, optimizers, objective and saving never name one.

B batch · C latent channels · H W pixels · h w latent rows, columns (H/8, W/8) · T tokens · D width
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from trainer.precision import to_device

Prediction = Literal["epsilon", "v"]
Part = Literal["unet", "text_encoder"]
ModelPart = Literal["unet", "text_encoders", "vae"]
Random = torch.Generator | Sequence[torch.Generator]  # one for the batch, or one a picture


@dataclass(frozen=True)
class LoadOptions:
    """How a base model is read; made from the config's sections by `options_from`."""

    path: str
    vae: str | None = None
    dtype: torch.dtype = torch.float32  # frozen weights and autocast
    vae_dtype: torch.dtype = torch.float32
    clip_skip: int | None = None
    max_token_length: int | None = None
    v2: bool = False
    v_parameterization: bool = False
    zero_terminal_snr: bool = False
    prediction_type: Prediction | None = None  # None: as the two above and the file say
    weighted_captions: bool = False
    no_token_padding: bool = False
    text_projection_as_sd_scripts: bool = False


@dataclass(frozen=True)
class Conditioning:
    """What the text encoders say about a batch of captions."""

    context: Tensor  # (B, T, D)
    pooled: Tensor | None = None  # (B, D'), families that have it
    sizes: Tensor | None = None  # (B, 6) px: original height, width, crop top, left, target height, width; SDXL

    def to(self, device: torch.device | str) -> Conditioning:
        """The same on another device."""

        def moved(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else to_device(tensor, torch.device(device))

        return Conditioning(to_device(self.context, torch.device(device)), moved(self.pooled), moved(self.sizes))

    def joined(self, other: Conditioning) -> Conditioning:
        """Both batches in one, `self` first: for classifier-free guidance."""

        def both(one: Tensor | None, two: Tensor | None) -> Tensor | None:
            return None if one is None or two is None else torch.cat([one, two])

        context = torch.cat([self.context, other.context])
        return Conditioning(context, both(self.pooled, other.pooled), both(self.sizes, other.sizes))


@dataclass(frozen=True)
class Target:
    """A layer that a network may adapt."""

    name: str  # kohya's key: lora_unet_down_blocks_0_attentions_0_proj_in
    module: nn.Module  # Linear, Conv2d or a norm layer
    part: Part
    path: str  # dotted path inside the part's module
    containers: frozenset[str] = frozenset()  # class names of the modules around it
    block: int | None = None  # number of its U-Net block as sd-scripts counts (KOHYA_COMPAT 6.5)


class Family(Protocol):
    """A base model, frozen, ready to be trained on."""

    name: str  # sd1, sd2, sdxl
    prediction: Prediction
    zero_terminal_snr: bool  # trained up to pure noise
    latent_channels: int
    latent_scale: float  # of the VAE's own latents
    device: torch.device
    dtype: torch.dtype
    unet: Any  # an nn.Module of diffusers, of transformers, of diffusers
    text_encoders: list[Any]
    vae: Any
    notes: list[str]  # what the user should hear about the loading

    def read(self, *parts: ModelPart, device: torch.device | str | None = None) -> None:
        """Read the weights of these parts (of all, when none is named) that are still in the file.

        Onto `device`, or the family's own. Raises WeightsError when they are NaN.
        """

    def to(self, device: torch.device | str, *parts: ModelPart) -> None:
        """Work on `device` from now on and move everything there that was read, or only the parts named.

        The VAE stays where it is once `free_vae` was called.
        """

    def free_vae(self, for_good: bool = False) -> None:
        """Take the VAE off the accelerator; decoding brings it back for a moment. for_good: let it go from memory, as
        nothing will be decoded."""

    def free_text_encoders(self) -> None:
        """Let the text encoders go, from memory too; captions that are not remembered read them anew for a moment."""

    def remember_captions(self, captions: Sequence[str], at_least: int | None = None, emphasis: bool = False) -> None:
        """Encode now what `encode_captions` will be asked after the text encoders were freed."""

    def train_mode(self, gradient_checkpointing: bool = False) -> None:
        """Ready for training steps; weights stay frozen."""

    def encode_images(self, pixels: Tensor, generator: Random) -> Tensor:
        """(B, 3, H, W) in [-1, 1] -> scaled latents (B, C, h, w), float32, a sample of the VAE's posterior."""

    def decode_latents(self, latents: Tensor) -> Tensor:
        """Scaled latents (B, C, h, w) -> (B, 3, H, W) in [-1, 1], float32."""

    def encode_captions(
        self, captions: Sequence[str], at_least: int | None = None, emphasis: bool = False
    ) -> Conditioning:
        """Captions -> conditioning; gradients flow to adapted text encoders.

        at_least: tokens to make room for. emphasis: (brackets:1.2) weigh their part.
        """

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """Noisy latents (B, C, h, w), timesteps (B,) -> epsilon or v (B, C, h, w), float32."""

    def layers(self) -> list[Target]:
        """Every layer that a network may adapt, text encoders first, in module order."""

    def network_targets(self, conv: bool = False) -> list[Target]:
        """Those that networks.lora adapts; `conv` adds the residual blocks and their 3x3 convolutions."""
