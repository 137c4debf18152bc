"""What a denoiser is taught: noise, timesteps, targets, losses and their weights. Tensors in, tensors out.

Stable Diffusion's discrete diffusion (1000 steps). Formulas and their order are those of kohya-ss/sd-scripts; values
of that program are in tests/golden/snr.json. Nothing here knows a model, a data set or a device: results lie on the
device of what comes in, draws are made on the CPU (see seeds.generator) and moved.

B batch · C latent channels · h w latent rows, columns · t timestep, 0 (clean) to 999 (noise)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from trainer.config.loss import Loss as LossOptions
    from trainer.config.noise import Noise as NoiseOptions

NUM_TIMESTEPS = 1000
MAX_SNR = 1000.0  # sd-scripts caps the signal-to-noise ratio of three weights there


@dataclass(frozen=True)
class NoiseSchedule:
    """Tables over t, float32, (1000,) each, on one device.

    alphas_cumprod: signal variance left at t, which makes noisy latents and v targets.
    snr: signal over noise variance of the schedule, which makes loss weights; usually that *before* a zero-terminal
    rescale: sd-scripts builds it first and never updates it, and so no weight divides by zero.
    """

    alphas_cumprod: Tensor
    snr: Tensor

    def to(self, device: torch.device | str) -> NoiseSchedule:
        """The same tables on another device."""
        return NoiseSchedule(self.alphas_cumprod.to(device), self.snr.to(device))


def noise_schedule(zero_terminal_snr: bool = False, rescaled_weights: bool = False) -> NoiseSchedule:
    """Stable Diffusion's scaled-linear schedule, betas 0.00085 to 0.012; optionally ending in pure noise.

    rescaled_weights: snr is that after the rescale, 0 at its end; for v prediction, whose weights do not divide by it.
    """
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, NUM_TIMESTEPS, dtype=torch.float32) ** 2
    alphas_cumprod = torch.cumprod(1.0 - betas, dim=0)
    # As (a/b) squared in float32: the way sd-scripts evaluates it; float64 differs by up to 3e-5 at small t.
    snr = (alphas_cumprod.sqrt() / (1.0 - alphas_cumprod).sqrt()) ** 2
    if zero_terminal_snr:
        alphas_cumprod = with_zero_terminal_snr(alphas_cumprod)
        if rescaled_weights:
            snr = alphas_cumprod / (1.0 - alphas_cumprod)
    return NoiseSchedule(alphas_cumprod, snr)


def with_zero_terminal_snr(alphas_cumprod: Tensor) -> Tensor:
    """The schedule stretched so that its last step holds no signal. (1000,) -> (1000,).

    Lin et al. 2023, arXiv:2305.08891, algorithm 1: shift and scale sqrt(alphas_cumprod). Rebuilt as the running
    product of 1 - beta, as schedulers store it.
    """
    roots = alphas_cumprod.sqrt()
    roots = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
    stretched = roots**2
    alphas = torch.cat([stretched[:1], stretched[1:] / stretched[:-1]])
    betas = 1.0 - alphas
    return torch.cumprod(1.0 - betas, dim=0)


def draw_timesteps(count: int, options: NoiseOptions, generator: torch.Generator) -> Tensor:
    """(count,) int64 on the CPU, uniform in [min_timestep, max_timestep); all max_timestep when min >= max."""
    low, high = timestep_range(options)
    if low >= high:
        return torch.full((count,), min(high, NUM_TIMESTEPS - 1), dtype=torch.int64)
    return torch.randint(low, high, (count,), generator=generator, dtype=torch.int64)


def validation_timesteps(options: NoiseOptions) -> list[int]:
    """The four timesteps at which a validation loss is measured: 200, 400, 600, 800 of the whole range."""
    low, high = timestep_range(options)
    return [min(int(low + (high - low) * part / 5), NUM_TIMESTEPS - 1) for part in (1, 2, 3, 4)]


def timestep_range(options: NoiseOptions) -> tuple[int, int]:
    """First timestep and the one after the last."""
    return options.min_timestep or 0, options.max_timestep or NUM_TIMESTEPS


def draw_noise(latents: Tensor, options: NoiseOptions, generator: torch.Generator) -> Tensor:
    """The noise to learn, (B, C, h, w) float32 on the latents' device: Gaussian, with offset and pyramid when set.

    latents: scaled as the denoiser sees them; adaptive_noise_scale reads their channel means.
    The order of draws from `generator` (a CPU one) is fixed: base, offset strength, offset, pyramid levels.
    """
    noise = torch.randn(latents.shape, generator=generator)
    if options.noise_offset:
        noise = _with_offset(noise, latents, options, generator)
    if options.multires_noise_iterations:
        noise = _with_pyramid(noise, options.multires_noise_iterations, options.multires_noise_discount, generator)
    return noise.to(latents.device)


def draw_input_noise(noise: Tensor, options: NoiseOptions, generator: torch.Generator) -> Tensor:
    """What noisy latents are mixed with: `noise`, perturbed when ip_noise_gamma is set. The target keeps `noise`.

    Ning et al. 2023, arXiv:2301.11706 (input perturbation).
    """
    if not options.ip_noise_gamma:
        return noise
    strength = options.ip_noise_gamma
    if options.ip_noise_gamma_random_strength:
        strength *= float(torch.rand((), generator=generator))
    return noise + strength * torch.randn(noise.shape, generator=generator).to(noise.device)


def _with_offset(noise: Tensor, latents: Tensor, options: NoiseOptions, generator: torch.Generator) -> Tensor:
    """A constant added per sample and channel, so that overall brightness is learned too."""
    strength: float | Tensor = options.noise_offset or 0.0
    if options.noise_offset_random_strength:
        strength *= float(torch.rand((), generator=generator))
    if options.adaptive_noise_scale:
        means = latents.float().mean(dim=(2, 3), keepdim=True).abs().cpu()
        strength = (strength + options.adaptive_noise_scale * means).clamp(min=0.0)
    return noise + strength * torch.randn((*noise.shape[:2], 1, 1), generator=generator)


def _with_pyramid(noise: Tensor, iterations: int, discount: float, generator: torch.Generator) -> Tensor:
    """Noise at several scales, divided by the deviation of the whole batch. Level i is about 3**i times coarser."""
    batch, channels, height, width = noise.shape
    for level in range(iterations):
        ratio = 2.0 + 2.0 * float(torch.rand((), generator=generator))
        rows, columns = max(1, int(height / ratio**level)), max(1, int(width / ratio**level))
        coarse = torch.randn((batch, channels, rows, columns), generator=generator)
        noise = noise + discount**level * F.interpolate(coarse, size=(height, width), mode="bilinear")
        if rows == 1 or columns == 1:
            break
    return noise / noise.std()


def prepare(
    latents: Tensor,
    noise: Tensor,
    timesteps: Tensor,
    schedule: NoiseSchedule,
    v_parameterization: bool = False,
    input_noise: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """(noisy latents in the latents' dtype, target in float32), both (B, C, h, w).

    input_noise: what the latents are mixed with when it differs from `noise` (see draw_input_noise).
    """
    noisy = add_noise(latents, noise if input_noise is None else input_noise, timesteps, schedule)
    target = velocity(latents, noise, timesteps, schedule) if v_parameterization else noise.float()
    return noisy.to(latents.dtype), target


def add_noise(latents: Tensor, noise: Tensor, timesteps: Tensor, schedule: NoiseSchedule) -> Tensor:
    """sqrt(acp) latents + sqrt(1 - acp) noise, computed in float32 whatever comes in."""
    signal, spread = _mixture(timesteps, schedule)
    return signal * latents.float() + spread * noise.float()


def velocity(latents: Tensor, noise: Tensor, timesteps: Tensor, schedule: NoiseSchedule) -> Tensor:
    """sqrt(acp) noise - sqrt(1 - acp) latents: the v target of Salimans & Ho 2022, arXiv:2202.00512. float32."""
    signal, spread = _mixture(timesteps, schedule)
    return signal * noise.float() - spread * latents.float()


def _mixture(timesteps: Tensor, schedule: NoiseSchedule) -> tuple[Tensor, Tensor]:
    alphas = schedule.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    return alphas.sqrt(), (1.0 - alphas).sqrt()


def loss(
    prediction: Tensor,
    target: Tensor,
    timesteps: Tensor,
    schedule: NoiseSchedule,
    options: LossOptions,
    v_parameterization: bool = False,
    weights: Tensor | None = None,
    masks: Tensor | None = None,
) -> Tensor:
    """(B,) float32: the weighted loss of each sample; its mean is what is trained on.

    In this order: element loss, mask, mean over C h w, `weights` (B,) (prior_loss_weight of regularisation pictures),
    min-SNR, v scaled like noise, v-like, debiased. timesteps lie on the device of `schedule`.
    masks: (B, 1, H, W) in 0..1 at any size; not renormalised by their area.
    """
    elements = element_loss(prediction.float(), target.float(), timesteps, schedule, options)
    if masks is not None:
        elements = elements * F.interpolate(masks.float(), size=elements.shape[2:], mode="area")
    losses = elements.mean(dim=(1, 2, 3))
    if weights is not None:
        losses = losses * weights
    return weighted(losses, schedule.snr[timesteps], options, v_parameterization)


def element_loss(
    prediction: Tensor, target: Tensor, timesteps: Tensor, schedule: NoiseSchedule, options: LossOptions
) -> Tensor:
    """(B, C, h, w): l2, l1, huber or smooth_l1 of each element, unreduced."""
    if options.loss_type == "l2":
        return (prediction - target).square()
    if options.loss_type == "l1":
        return (prediction - target).abs()
    threshold = huber_threshold(timesteps, schedule, options).view(-1, 1, 1, 1)
    root = ((prediction - target).square() + threshold**2).sqrt()
    if options.loss_type == "huber":
        return 2.0 * threshold * (root - threshold)
    if options.loss_type == "smooth_l1":
        return 2.0 * (root - threshold)
    raise ValueError(f"loss_type {options.loss_type!r} is unknown; choose l2, l1, huber or smooth_l1")


def huber_threshold(timesteps: Tensor, schedule: NoiseSchedule, options: LossOptions) -> Tensor:
    """(B,): the error from which huber and smooth_l1 grow linearly. 'snr' does not use huber_scale (as upstream)."""
    base = options.huber_c
    if options.huber_schedule == "constant":
        return torch.full(timesteps.shape, base * options.huber_scale, device=timesteps.device)
    if options.huber_schedule == "exponential":
        return torch.exp(timesteps.float() * (math.log(base) / NUM_TIMESTEPS)) * options.huber_scale
    if options.huber_schedule == "snr":
        alphas = schedule.alphas_cumprod[timesteps]
        sigmas = ((1.0 - alphas) / alphas).sqrt()  # infinite at the last step of a zero-terminal schedule: gives base
        return (1.0 - base) / (1.0 + sigmas) ** 2 + base
    raise ValueError(f"huber_schedule {options.huber_schedule!r} is unknown; choose snr, exponential or constant")


def weighted(losses: Tensor, snr: Tensor, options: LossOptions, v_parameterization: bool = False) -> Tensor:
    """Apply the SNR weights that are on, in sd-scripts' order, to losses (B,); snr (B,) at their timesteps."""
    if options.min_snr_gamma:
        losses = losses * min_snr_weight(snr, options.min_snr_gamma, v_parameterization)
    if options.scale_v_pred_loss_like_noise_pred:
        losses = losses * v_to_noise_scale(snr)
    if options.v_pred_like_loss:
        losses = losses + losses / v_to_noise_scale(snr) * options.v_pred_like_loss
    if options.debiased_estimation_loss:
        losses = losses * debiased_weight(snr, v_parameterization)
    return losses


def min_snr_weight(snr: Tensor, gamma: float, v_parameterization: bool = False) -> Tensor:
    """(B,) in [0, 1]: keeps nearly clean timesteps from dominating. Hang et al. 2023, arXiv:2303.09556, section 3.4."""
    capped = snr.clamp(max=gamma)
    return capped / (snr + 1.0) if v_parameterization else capped / snr


def v_to_noise_scale(snr: Tensor) -> Tensor:
    """(B,) in [0, 1]: what turns the size of a v loss into that of a noise loss, SNR / (SNR + 1), SNR <= 1000."""
    capped = snr.clamp(max=MAX_SNR)
    return capped / (capped + 1.0)


def debiased_weight(snr: Tensor, v_parameterization: bool = False) -> Tensor:
    """(B,): 1/sqrt(SNR) for noise prediction, 1/(SNR + 1) for v. Yu et al. 2023, arXiv:2310.08442."""
    capped = snr.clamp(max=MAX_SNR)
    return 1.0 / (capped + 1.0) if v_parameterization else 1.0 / capped.sqrt()
