"""Stable Diffusion 1.x and 2.x: one U-Net, one CLIP text encoder, one VAE.

Conventions are those of sd-scripts (KOHYA_COMPAT 4, 5.1, 6.1): latents are scaled by 0.18215 whatever the VAE's config
says, clip skip applies the final layer norm, LoRA names are derived from the module paths of diffusers.

B batch · T tokens · D width · n chunks of 77 tokens
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from trainer.families import diffusion, modules, tokens
from trainer.families.base import Conditioning, LoadOptions, Target
from trainer.families.diffusion import Base, DiffusionFamily, joined_chunks, weighed
from trainer.families.layers import clip_name, layers_of, sd_block
from trainer.families.modules import Unread
from trainer.families.weights import Description

PAD_TOKEN = {"sd1": tokens.EOS, "sd2": 0}


class SDFamily(DiffusionFamily):
    """A Stable Diffusion 1.x or 2.x model, frozen. Made by `outline`; what its members do is said in base.Family."""

    latent_scale = 0.18215

    def layers(self) -> list[Target]:
        text = [
            layer
            for encoder in self.text_encoders
            for layer in layers_of(encoder, "text_encoder", "lora_te", clip_name)
        ]
        return [*text, *layers_of(self.unet, "unet", "lora_unet", block=sd_block)]

    def _encoded(
        self, encoders: Sequence[Any], captions: Sequence[str], limit: int | None, emphasis: bool
    ) -> Conditioning:
        """Context only. clip_skip k takes the k-th last hidden state; the final layer norm is applied to it (4.3)."""
        encoder = encoders[0]
        ids, weights = self._tokens(captions, limit, PAD_TOKEN[self.name], emphasis)
        with self.autocast():
            output = encoder(ids.flatten(0, 1), output_hidden_states=self.clip_skip is not None)
            states = output.last_hidden_state
            if self.clip_skip is not None:
                body = getattr(encoder, "text_model", encoder)
                states = body.final_layer_norm(output.hidden_states[-self.clip_skip])
        context = joined_chunks(states.unflatten(0, ids.shape[:2]))
        return Conditioning(context if weights is None else weighed(context, weights, keep_mean=emphasis))


def outline(path: Path, about: Description, options: LoadOptions, name: Literal["sd1", "sd2"]) -> SDFamily:
    """A base model from a single file or a diffusers folder, without network; its weights are still to be read.

    Raises WeightsError naming the file, what is wrong with it and the cure.
    """

    def text_encoders(base: Base) -> list[Unread]:
        return [modules.open_text_encoder(*base.part("text_encoder"), options.dtype)]

    return diffusion.assembled(SDFamily, name, path, about, options, text_encoders)
