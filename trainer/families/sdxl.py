"""Stable Diffusion XL: one U-Net, two CLIP text encoders, one VAE.

Conventions are those of sd-scripts (KOHYA_COMPAT 4.3, 6.1): both encoders give their last but one hidden state without
the final layer norm, the second one the pooled vector too; latents are scaled by 0.13025; the U-Net's LoRA names are
those of the first SDXL code (input_blocks, middle_block, output_blocks).

B batch · T tokens · D width · n chunks of 77 tokens
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer.families import diffusion, modules, names, tokens
from trainer.families.base import Conditioning, LoadOptions, Target
from trainer.families.diffusion import Base, DiffusionFamily, joined_chunks, weighed
from trainer.families.layers import clip_name, layers_of, xl_block
from trainer.families.modules import Unread
from trainer.families.weights import Description

PAD_TOKENS = (tokens.EOS, 0)
PENULTIMATE = -2


class SDXLFamily(DiffusionFamily):
    """A Stable Diffusion XL model, frozen. Made by `outline`; what its members do is said in base.Family."""

    latent_scale = 0.13025

    def layers(self) -> list[Target]:
        text = [
            layer
            for number, encoder in enumerate(self.text_encoders, start=1)
            for layer in layers_of(encoder, "text_encoder", f"lora_te{number}", clip_name)
        ]

        def sgm(path: str) -> str:
            return names.unet_name(path, self.unet.config)

        return [*text, *layers_of(self.unet, "unet", "lora_unet", sgm, lambda path: xl_block(sgm(path)))]

    def _encoded(
        self, encoders: Sequence[Any], captions: Sequence[str], limit: int | None, emphasis: bool
    ) -> Conditioning:
        """context: both encoders' states side by side, (B, T, 768 + 1280). pooled: (B, 1280), of the first chunk."""
        contexts: list[Tensor] = []
        pooled: Tensor | None = None
        for encoder, pad in zip(encoders, PAD_TOKENS, strict=True):
            ids, weights = self._tokens(captions, limit, pad, emphasis)
            with self.autocast():
                output = encoder(ids.flatten(0, 1), output_hidden_states=True)
                if encoder is encoders[1]:
                    last = output.last_hidden_state.unflatten(0, ids.shape[:2])[:, 0]
                    pooled = encoder.text_projection(at_end(last, ids[:, 0]))
            context = joined_chunks(output.hidden_states[PENULTIMATE].unflatten(0, ids.shape[:2]))
            contexts.append(context if weights is None else weighed(context, weights, keep_mean=emphasis))
        return Conditioning(torch.cat(contexts, dim=2), pooled)

    def _added(self, conditioning: Conditioning) -> dict[str, Tensor]:
        if conditioning.pooled is None or conditioning.sizes is None:
            raise ValueError("SDXL needs conditioning with a pooled vector and the six sizes of each picture")
        return {"text_embeds": conditioning.pooled, "time_ids": conditioning.sizes}


def outline(path: Path, about: Description, options: LoadOptions) -> SDXLFamily:
    """A base model from a single file or a diffusers folder, without network; its weights are still to be read.

    Raises WeightsError naming the file, what is wrong with it and the cure.
    """

    def text_encoders(base: Base) -> list[Unread]:
        first = modules.open_xl_text_encoder(*base.part("text_encoder"), options.dtype)
        second = modules.open_xl_text_encoder_2(
            *base.part("text_encoder_2"), options.dtype, options.text_projection_as_sd_scripts
        )
        return [first, second]

    return diffusion.assembled(SDXLFamily, "sdxl", path, about, options, text_encoders)


def at_end(states: Tensor, ids: Tensor) -> Tensor:
    """States (B, 77, D) at the first end token of ids (B, 77) -> (B, D)."""
    place = (ids == tokens.EOS).int().argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), place]
