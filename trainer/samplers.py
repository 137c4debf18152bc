"""Samplers of the previews by sd-scripts' names, as diffusers schedulers. The loop that uses them is in previews.py."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.families.base import Prediction

SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}
# name -> (diffusers class, options, whether it can follow a schedule that ends in pure noise)
SAMPLERS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}, True),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True, "steps_offset": 1}, False),
    "lms": ("", {}, False),  # LinearMultistep below: diffusers' own needs scipy
    "euler": ("EulerDiscreteScheduler", {}, True),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}, True),
    "heun": ("HeunDiscreteScheduler", {}, False),
    "dpm_2": ("KDPM2DiscreteScheduler", {}, False),
    "dpm_2_a": ("KDPM2AncestralDiscreteScheduler", {}, False),
    "dpmsolver": (
        "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"}, True,
    ),
    "dpmsolver++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}, True),
    "dpmsingle": ("DPMSolverSinglestepScheduler", {"lower_order_final": True}, False),
}  # fmt: skip
ALIASES = {"k_lms": "lms", "k_euler": "euler", "k_euler_a": "euler_a", "k_dpm_2": "dpm_2", "k_dpm_2_a": "dpm_2_a"}


def scheduler_for(name: str, prediction: Prediction, zero_terminal_snr: bool = False) -> tuple[Any, str | None]:
    """(a diffusers scheduler, warning). What is unknown or cannot be used here becomes DDIM, with a warning.

    zero_terminal_snr: the base was trained up to pure noise, so betas are rescaled and the steps begin there
    (sd-scripts samples such models with the ordinary betas, KOHYA_COMPAT Q-22).
    """
    import diffusers

    chosen, warning = ALIASES.get(name, name), None
    if chosen not in SAMPLERS:
        chosen, warning = "ddim", f"the sampler {name!r} is not known; ddim is used. Known: {', '.join(SAMPLERS)}"
    elif zero_terminal_snr and not SAMPLERS[chosen][2]:
        chosen, warning = (
            "ddim",
            f"the sampler {name} cannot begin at pure noise as this base model needs; ddim is used",
        )
    if chosen == "lms":
        return LinearMultistep(prediction), None
    class_name, options, _ = SAMPLERS[chosen]
    extra: dict[str, Any] = {"prediction_type": "v_prediction" if prediction == "v" else "epsilon"}
    if zero_terminal_snr:
        extra |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # diffusers means to drop the algorithm of "dpmsolver"
        return getattr(diffusers, class_name)(**SCHEDULE, **options, **extra), warning


class LinearMultistep:
    """The linear multistep sampler (Adams-Bashforth over sigma, order 4), with the interface of a diffusers scheduler.

    x(sigma) follows dx/dsigma = (x - x0) / sigma; each step integrates the polynomial through the last derivatives.
    Karras et al. 2022, arXiv:2206.00364, equation 1 with sigma(t) = t.
    """

    order = 4

    def __init__(self, prediction: Prediction) -> None:
        self._prediction = prediction
        self.timesteps = torch.empty(0)
        self.init_noise_sigma = 1.0

    def set_timesteps(self, steps: int, device: torch.device | str = "cpu") -> None:
        """Spread `steps` timesteps evenly from 999 to 0."""
        betas = (
            np.linspace(SCHEDULE["beta_start"] ** 0.5, SCHEDULE["beta_end"] ** 0.5, SCHEDULE["num_train_timesteps"])
            ** 2
        )
        alphas_cumprod = np.cumprod(1 - betas)
        timesteps = np.linspace(SCHEDULE["num_train_timesteps"] - 1, 0, steps)
        sigmas = np.interp(timesteps, np.arange(len(betas)), ((1 - alphas_cumprod) / alphas_cumprod) ** 0.5)
        self.timesteps = torch.tensor(timesteps, dtype=torch.float32, device=device)
        self._sigmas = [*sigmas.tolist(), 0.0]
        self.init_noise_sigma = self._sigmas[0]
        self._derivatives: list[Tensor] = []
        self._index = 0

    def scale_model_input(self, latents: Tensor, timestep: Tensor) -> Tensor:
        """Latents of variance 1 + sigma^2 -> of variance 1, as the model was trained."""
        return latents / (self._sigmas[self._index] ** 2 + 1) ** 0.5

    def step(self, prediction: Tensor, timestep: Tensor, latents: Tensor, return_dict: bool = False) -> tuple[Tensor]:
        """One step towards less noise; latents as given to scale_model_input, before scaling."""
        sigma = self._sigmas[self._index]
        if self._prediction == "v":
            clean = latents / (sigma**2 + 1) - prediction * sigma / (sigma**2 + 1) ** 0.5
            derivative = (latents - clean) / sigma
        else:
            derivative = prediction
        self._derivatives = [derivative, *self._derivatives[: self.order - 1]]
        for past, one in enumerate(self._derivatives):
            latents = latents + self._weight(past, len(self._derivatives)) * one
        self._index += 1
        return (latents,)

    def _weight(self, past: int, order: int) -> float:
        """Integral over the step of the polynomial that is 1 at the derivative `past` steps ago, 0 at the others."""
        knots = [self._sigmas[self._index - number] for number in range(order)]
        roots = [knot for number, knot in enumerate(knots) if number != past]
        polynomial = np.polynomial.Polynomial.fromroots(roots) if roots else np.polynomial.Polynomial([1.0])
        integral = (polynomial / polynomial(knots[past])).integ()
        return float(integral(self._sigmas[self._index + 1]) - integral(knots[0]))
