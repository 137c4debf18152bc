"""Makes the demo's base model from nothing: a Stable Diffusion 1.x of 12 MB that draws coloured shapes from their tags.

    python -m trainer.demo.make_base --out FILE [--minutes 60] [--vae-minutes 10] [--resume FILE] [--rate 0.0015]

One process, one thread, no network. `--resume` goes on from a checkpoint (its VAE is kept). Architecture:
trainer/families/configs/demo. What the shipped file was made with, and how good it is: README.md of this folder.

N pictures · B batch · h w latent rows, columns · T tokens · D width
"""

from __future__ import annotations

import argparse
import json
import math
import string
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer import objective
from trainer.atomic import atomic_write
from trainer.demo.drawing import COLORS, SHAPES, SIZES, draw
from trainer.demo.make_vae import blocks_of, latents_of, make_vae
from trainer.demo.pictures import TRIGGER
from trainer.families import load, names
from trainer.families.base import Family, LoadOptions
from trainer.families.layout import CONFIGS
from trainer.families.sd import SDFamily

BATCH, NUM_PICTURES, NUM_VALIDATION = 32, 24000, 64
NONSENSE = 0.15
EMPTY_CAPTIONS = 0.1  # so that classifier-free guidance has something to subtract
WEIGHT_CAP, WEIGHT_FLOOR = 5.0, 0.5
AVERAGE_DECAY = 0.998
SAVE_EVERY_SECONDS = 300
Tags = tuple[str, str, str]
KNOWN_WORDS = frozenset({*COLORS, *SHAPES, *SIZES, "background", TRIGGER})


def fresh_family() -> SDFamily:
    """Untrained: residual branches and output start at zero, every token of the vocabulary has its own random row."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    configs = {part: json.loads((CONFIGS / "demo" / f"{part}.json").read_text(encoding="utf-8"))
               for part in ("unet", "vae", "text_encoder")}  # fmt: skip
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config(configs["unet"])
    vae = AutoencoderKL.from_config(configs["vae"])
    text_encoder = CLIPTextModel(CLIPTextConfig(**configs["text_encoder"]))
    tokens = cast(nn.Embedding, text_encoder.get_input_embeddings())
    nn.init.normal_(tokens.weight, std=0.1)
    for name, module in unet.named_modules():
        if isinstance(module, nn.Conv2d) and (name.endswith(("conv2", "proj_out")) or name == "conv_out"):
            nn.init.zeros_(module.weight)
            module.bias = nn.Parameter(torch.zeros(module.out_channels))
    return SDFamily("sd1", unet, [text_encoder], vae, LoadOptions(path=""))


def nonsense(rng: Random) -> str:
    """Two to eight letters that are no word of the demo: an unknown word must not disturb the picture."""
    while True:
        word = "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(2, 8)))
        if word not in KNOWN_WORDS:
            return word


def caption(rng: Random, words: Sequence[str]) -> str:
    """A training caption of three tags: half of them in order, half shuffled; now and then empty, without the size, or
    with a word of nonsense. More nonsense than this made the model listen less to the other words (README.md).
    """
    if rng.random() < EMPTY_CAPTIONS:
        return ""
    tags = list(words) if rng.random() > 0.2 else list(words[:2])
    if rng.random() < NONSENSE:
        tags.append(nonsense(rng))
    if rng.random() < 0.5:
        rng.shuffle(tags)
    return ", ".join(tags)


def drawn_latents(family: Family, rng: Random, count: int) -> tuple[Tensor, list[Tags]]:
    """Latents (count, 4, 16, 16) of fresh drawings, and their tags."""
    latents, tags = [], []
    for start in range(0, count, 500):
        batch = [draw(rng) for _ in range(min(500, count - start))]
        latents.append(latents_of(family.vae, blocks_of([picture.pixels for picture in batch])))
        tags += [picture.tags for picture in batch]
    return torch.cat(latents), tags


def weighted_loss(prediction: Tensor, noise: Tensor, snr: Tensor) -> Tensor:
    """Squared error of the noise (B, 4, h, w), weighted (min(SNR, 5) + 0.5) / SNR, mean.

    The weight of an error of the picture itself never falls below 0.5: at the noisy end only the text can tell what is
    to be drawn, and plain epsilon loss hardly counts it there. With min-SNR alone captions were read as a bag of words.
    """
    error = (prediction - noise).square().mean((1, 2, 3))
    return (error * (snr.clamp(max=WEIGHT_CAP) + WEIGHT_FLOOR) / snr).mean()


def train(family: Family, seconds: float, peak_rate: float, seed: int, out: Path) -> None:
    """Train U-Net and text encoder for `seconds`; the moving average of the weights is what remains and is saved."""
    rng, generator = Random(seed), torch.Generator().manual_seed(seed)
    latents, tags = drawn_latents(family, rng, NUM_PICTURES)
    held = drawn_latents(family, Random(5000), NUM_VALIDATION)
    schedule = objective.noise_schedule()
    family.unet.requires_grad_(True).train()
    family.text_encoders[0].requires_grad_(True).train()
    family.dtype = torch.bfloat16  # autocast: 20 instead of 28 ms a picture
    parameters = [*family.unet.parameters(), *family.text_encoders[0].parameters()]
    average = [parameter.detach().clone() for parameter in parameters]
    optimizer = _optimizer(parameters, peak_rate)
    start, saved, step, losses = time.monotonic(), time.monotonic(), 0, [0.0]
    while (done := (time.monotonic() - start) / seconds) < 1:
        cosine = 0.5 + 0.5 * math.cos(math.pi * max(0.0, (done - 0.35) / 0.65))
        for group in optimizer.param_groups:
            group["lr"] = peak_rate * min(1, (step + 1) / 100) * cosine + 5e-6
        chosen = torch.randint(len(latents), (BATCH,), generator=generator)
        captions = [caption(rng, tags[i]) for i in chosen]
        spread = torch.randperm(BATCH, generator=generator) + torch.rand(BATCH, generator=generator)
        timesteps = (spread / BATCH * 1000).long().clamp(0, 999)  # one in every 32nd part of the range
        noise = torch.randn(BATCH, *latents.shape[1:], generator=generator)
        noisy = objective.add_noise(latents[chosen], noise, timesteps, schedule)
        prediction = family.predict(noisy, timesteps, family.encode_captions(captions))
        loss = weighted_loss(prediction, noise, schedule.snr[timesteps])
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        torch._foreach_lerp_(average, [parameter.detach() for parameter in parameters], 1 - decay)
        losses.append(loss.item())
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            saved = time.monotonic()
            _report(family, parameters, average, held, out, step, losses)
    _report(family, parameters, average, held, out, step, losses)


def validation(family: Family, latents: Tensor, tags: Sequence[Tags]) -> list[float]:
    """Mean squared error of the noise at 20, 40, 60 and 80 % of the noise steps, fixed noise, full captions."""
    generator, errors = torch.Generator().manual_seed(1), []
    schedule = objective.noise_schedule()
    with torch.no_grad():
        conditioning = family.encode_captions([", ".join(words) for words in tags])
        for timestep in (200, 400, 600, 800):
            timesteps = torch.full((len(latents),), timestep)
            noise = torch.randn(latents.shape, generator=generator)
            noisy = objective.add_noise(latents, noise, timesteps, schedule)
            errors.append(F.mse_loss(family.predict(noisy, timesteps, conditioning), noise).item())
    return errors


def save_checkpoint(path: Path, family: Family, metadata: dict[str, str]) -> None:
    """Write a single-file Stable Diffusion 1.x checkpoint in fp16, under the names that such files have."""
    from safetensors.torch import save

    unet, vae, text_encoder = family.unet, family.vae, family.text_encoders[0]
    tensors = {names.UNET_PREFIX + names.unet_name(k, unet.config): v for k, v in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        name = names.vae_name(key, vae.config)
        # such files keep the VAE's attention as 1 x 1 convolutions
        tensors[names.VAE_PREFIX + name] = value[:, :, None, None] if "attn_1" in name and value.ndim == 2 else value
    for key, value in text_encoder.state_dict().items():
        if "position_ids" not in key:
            tensors[names.CLIP_PREFIX + names.clip_name(key)] = value
    atomic_write(path, save({k: v.detach().half().contiguous() for k, v in tensors.items()}, metadata))


def _optimizer(parameters: Sequence[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """AdamW; no decay on biases, norms and the token table, whose rows are mostly unused."""
    plain = [p for p in parameters if p.ndim < 2 or len(p) >= 40000]
    decayed = [p for p in parameters if p.ndim > 1 and len(p) < 40000]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, rate, betas=(0.9, 0.99), fused=True)


def _report(
    family: Family, parameters: Sequence[nn.Parameter], average: Sequence[Tensor],
    held: tuple[Tensor, list[Tags]], out: Path, step: int, losses: list[float],
) -> None:  # fmt: skip
    """Save the averaged weights and say how they do; training then goes on with the others."""
    current = [parameter.detach().clone() for parameter in parameters]
    for parameter, averaged in zip(parameters, average, strict=True):
        parameter.data.copy_(averaged)
    save_checkpoint(out, family, {"athanor.demo_steps": str(step)})
    errors = " ".join(f"{error:.4f}" for error in validation(family, *held))
    recent = losses[-200:]
    print(f"step {step}: loss {sum(recent) / len(recent):.4f}, validation {errors}; {out} saved", flush=True)
    for parameter, kept in zip(parameters, current, strict=True):
        parameter.data.copy_(kept)


def main(argv: Sequence[str] | None = None) -> int:
    """Make or continue a base model."""
    parser = argparse.ArgumentParser(prog="python -m trainer.demo.make_base", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60, help="training of U-Net and text encoder")
    parser.add_argument("--vae-minutes", type=float, default=10, help="training of the decoder; not with --resume")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=300)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    family: Family
    if options.resume:
        family = load(LoadOptions(path=str(options.resume)))
    else:
        family = fresh_family()
        make_vae(family.vae, options.vae_minutes * 60, print, time.monotonic)
    train(family, options.minutes * 60, options.rate, options.seed, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
