"""The demo base's VAE: an encoder written down exactly, and a decoder trained to undo it. Used by make_base.py.

The encoder is not trained. Its weights are set so that a latent is the mean red, green and blue of an 8 x 8 block and
one diagonal difference of brightness: value channels come as pairs (+v, -v), and SiLU(v) - SiLU(-v) = v. GroupNorm with
so few channels would delete the colour of a flat picture; two constant channels keep its scale. So latents exist at
once, in closed form, and the U-Net does not wait for a VAE.

N pictures · B batch · H W pixels · h w latent rows, columns (H/8, W/8)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.demo.drawing import SHAPES, Pixels, draw

Vae: TypeAlias = Any  # diffusers' AutoencoderKL; torch types a module's parts as "Tensor or Module"
LATENT_SCALE = 0.18215  # Stable Diffusion 1.x
CONSTANT = 10.0  # value of the two constant channels
PAIRS = ((0, 3), (1, 4), (2, 5), (8, 9))  # channels +v and -v of red, green, blue, diagonal difference
CONSTANT_CHANNELS = (6, 7)
DIAGONAL_STRENGTH = 0.7  # deviation of the fourth latent channel; of the others 1
POSTERIOR_DEVIATION = 0.03  # what the encoder claims to be unsure of, as a part of a latent's deviation
NUM_PICTURES, DECODER_NOISE, PEAK_RATE = 3000, 0.25, 1.5e-3
WHOLE_PICTURES_FROM = 0.7  # part of the time after which whole pictures follow on 64 px crops


def make_vae(vae: Vae, seconds: float, say: Callable[[str], None], clock: Callable[[], float]) -> None:
    """Set the weights of an AutoencoderKL (demo config) in place: encoder exactly, decoder by `seconds` of training.

    clock: seconds that count, such as time.monotonic. say: gets a line now and then, with the PSNR in dB.
    """
    rng = Random(0)
    set_weights(vae)
    pictures = [draw(rng, shapes=SHAPES).pixels for _ in range(NUM_PICTURES)]
    blocks = blocks_of(pictures)
    whiten(vae, blocks)
    train_decoder(vae, pictures, latents_of(vae, blocks), seconds, say, clock)


def blocks_of(pictures: Sequence[Pixels]) -> Tensor:
    """Pictures (H, W, 3) uint8 -> (N, 4, h, w): what the encoder sees of every 8 x 8 block.

    Mean red, green and blue in [-1, 1], then the brightness of the upper left quarter minus that of the lower right.
    """
    parts = []
    for start in range(0, len(pictures), 500):
        pixels = torch.from_numpy(np.stack(pictures[start : start + 500])).permute(0, 3, 1, 2).float() / 127.5 - 1
        quarters = F.avg_pool2d(pixels, 4)
        brightness = quarters.mean(1, keepdim=True)
        diagonal = brightness[:, :, 0::2, 0::2] - brightness[:, :, 1::2, 1::2]
        parts.append(torch.cat([F.avg_pool2d(quarters, 2), diagonal], 1))
    return torch.cat(parts)


def latents_of(vae: Vae, blocks: Tensor) -> Tensor:
    """The encoder in closed form: (N, 4, h, w) of blocks_of -> scaled latents (N, 4, h, w).

    The last GroupNorm divides by the root mean square of all its channels, which the colours move by up to 3 %.
    """
    width = vae.encoder.conv_out.in_channels
    square = (2 * blocks.square().sum(1, keepdim=True).mean((2, 3), keepdim=True) + 2 * CONSTANT**2) / width
    values = blocks * _gain(width) / square.sqrt()
    weight = vae.quant_conv.weight[:4, :, 0, 0].diagonal()[None, :, None, None]
    bias = vae.quant_conv.bias[:4][None, :, None, None]
    return ((values * weight + bias) * LATENT_SCALE).detach()


@torch.no_grad()
def set_weights(vae: Vae) -> None:
    """The exact encoder, and a decoder that starts from the nearest-neighbour enlargement of the same four values."""
    _quiet_blocks(vae.encoder, 0.0, 0.0)
    _quiet_blocks(vae.decoder, 0.1, 0.02)
    # 32 x 32 -> 16 x 16 quarters: the diagonal difference instead of a mean
    weight = vae.encoder.down_blocks[2].downsamplers[0].conv.weight
    for channel in PAIRS[3]:
        weight[channel].zero_()
        weight[channel, channel, 0, 0], weight[channel, channel, 1, 1] = 1.0, -1.0
    _set_encoder_ends(vae.encoder)
    _set_decoder_ends(vae.decoder)


@torch.no_grad()
def whiten(vae: Vae, blocks: Tensor) -> None:
    """Put each channel's mean and deviation into the 1 x 1 convolutions: scaled latents get mean 0 and deviation 1."""
    mean, deviation = blocks.mean((0, 2, 3)), blocks.std((0, 2, 3))
    deviation[3] /= DIAGONAL_STRENGTH
    unit = 1 / LATENT_SCALE
    for convolution in (vae.quant_conv, vae.post_quant_conv):
        convolution.weight.zero_()
        convolution.bias.zero_()
    for channel in range(4):
        vae.quant_conv.weight[channel, channel, 0, 0] = unit / deviation[channel]
        vae.quant_conv.bias[channel] = -unit * mean[channel] / deviation[channel]
        vae.quant_conv.bias[4 + channel] = 2 * math.log(POSTERIOR_DEVIATION * unit)
        vae.post_quant_conv.weight[channel, channel, 0, 0] = deviation[channel] / unit
        vae.post_quant_conv.bias[channel] = mean[channel]


def train_decoder(
    vae: Vae,
    pictures: Sequence[Pixels],
    latents: Tensor,
    seconds: float,
    say: Callable[[str], None],
    clock: Callable[[], float],
) -> None:
    """Teach the decoder to show latents crisply, also such as a diffusion model leaves a little wrong."""
    parameters = list(vae.decoder.parameters())
    optimizer = torch.optim.AdamW(parameters, PEAK_RATE, betas=(0.9, 0.99), weight_decay=0, fused=True)
    generator, start, step = torch.Generator().manual_seed(1), clock(), 0
    while (done := (clock() - start) / seconds) < 1:
        cosine = 0.5 + 0.5 * math.cos(math.pi * max(0.0, (done - 0.3) / 0.7))
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min(1, (step + 1) / 50) * cosine + 2e-5
        whole = done > WHOLE_PICTURES_FROM
        chosen = torch.randint(len(pictures), (4 if whole else 16,), generator=generator)
        target = torch.from_numpy(np.stack([pictures[i] for i in chosen])).permute(0, 3, 1, 2).float() / 127.5 - 1
        noisy = latents[chosen]
        if not whole:
            y, x = torch.randint(0, 9, (2,), generator=generator).tolist()
            noisy, target = noisy[:, :, y : y + 8, x : x + 8], target[:, :, 8 * y : 8 * y + 64, 8 * x : 8 * x + 64]
        strength = DECODER_NOISE * torch.rand(len(noisy), 1, 1, 1, generator=generator)
        noisy = noisy + strength * torch.randn(noisy.shape, generator=generator)
        with torch.autocast("cpu", torch.bfloat16):
            shown = vae.decode(noisy / LATENT_SCALE).sample
        loss = picture_loss(shown.float(), target)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        if step % 200 == 0:
            say(f"decoder step {step}, {clock() - start:.0f} s, loss {loss.item():.4f}, {psnr(vae):.1f} dB")
    say(f"decoder: {step} steps, {psnr(vae):.1f} dB on unseen pictures")


def picture_loss(shown: Tensor, target: Tensor) -> Tensor:
    """Absolute and squared difference of pixels, and absolute difference of their edges; (B, 3, H, W) -> scalar."""
    edges = sum(F.l1_loss(shown.diff(dim=axis), target.diff(dim=axis)) for axis in (-1, -2))
    return F.l1_loss(shown, target) + F.mse_loss(shown, target) + edges


@torch.no_grad()
def psnr(vae: Vae) -> float:
    """Peak signal-to-noise ratio in dB of 32 fixed unseen pictures, encoded and decoded."""
    rng = Random(99)
    pictures = np.stack([draw(rng, shapes=SHAPES).pixels for _ in range(32)])
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    shown = vae.decode(vae.encode(pixels).latent_dist.mode()).sample.clamp(-1, 1)
    return -10 * math.log10(F.mse_loss(shown / 2, pixels / 2).item())


def _gain(width: int) -> float:
    """What undoes the GroupNorm of `width` channels when all but the two constant ones are small."""
    return CONSTANT * math.sqrt(2 / width)


def _quiet_blocks(part: Any, branch: float, rest: float) -> None:
    """Make every block pass its input on: residual branches times `branch`, random weights elsewhere times `rest`."""
    for module in part.modules():
        kind = type(module).__name__
        if kind == "ResnetBlock2D":
            module.conv2.weight.mul_(branch)
            module.conv2.bias.zero_()
            if module.conv_shortcut is not None:
                _set_identity(module.conv_shortcut, rest)
        elif kind == "Downsample2D":
            module.conv.weight.zero_()
            module.conv.bias.zero_()
            for channel in range(module.conv.out_channels):
                module.conv.weight[channel, channel, :2, :2] = 0.25
        elif kind == "Upsample2D":
            _set_identity(module.conv, 0.02)
        elif kind == "Attention":
            module.to_out[0].weight.mul_(rest)
            module.to_out[0].bias.zero_()


def _set_identity(convolution: Any, rest: float) -> None:
    middle = convolution.kernel_size[0] // 2
    convolution.weight.mul_(rest)
    convolution.bias.zero_()
    for channel in range(min(convolution.weight.shape[:2])):
        convolution.weight[channel].zero_()
        convolution.weight[channel, channel, middle, middle] = 1


def _set_encoder_ends(encoder: Any) -> None:
    first, last = encoder.conv_in, encoder.conv_out
    first.weight.zero_()
    first.bias.zero_()
    for channel, (plus, minus) in enumerate(PAIRS[:3]):
        first.weight[plus, channel, 1, 1], first.weight[minus, channel, 1, 1] = 1, -1
        first.weight[PAIRS[3][0], channel, 1, 1], first.weight[PAIRS[3][1], channel, 1, 1] = 1 / 3, -1 / 3
    first.bias[CONSTANT_CHANNELS[0]], first.bias[CONSTANT_CHANNELS[1]] = CONSTANT, -CONSTANT
    last.weight.zero_()
    last.bias.zero_()
    gain = _gain(last.in_channels)
    for channel, (plus, minus) in enumerate(PAIRS):
        last.weight[channel, plus, 1, 1], last.weight[channel, minus, 1, 1] = gain, -gain


def _set_decoder_ends(decoder: Any) -> None:
    first, last = decoder.conv_in, decoder.conv_out
    first.weight.mul_(0.3)
    first.weight[:10] = 0
    first.bias.zero_()
    for channel, (plus, minus) in enumerate(PAIRS):
        first.weight[plus, channel, 1, 1], first.weight[minus, channel, 1, 1] = 1, -1
    first.bias[CONSTANT_CHANNELS[0]], first.bias[CONSTANT_CHANNELS[1]] = CONSTANT / 3, -CONSTANT / 3
    last.weight.mul_(0.02)
    last.bias.zero_()
    gain = _gain(last.in_channels) / 3
    for channel, (plus, minus) in enumerate(PAIRS[:3]):
        last.weight[channel, plus, 1, 1], last.weight[channel, minus, 1, 1] = gain, -gain
