"""The objective against sd-scripts' numbers (tests/golden/snr.json), against diffusers' scheduler, and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainer import objective
from trainer.seeds import generator

torch.set_num_threads(1)
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "snr.json").read_text(encoding="utf-8"))["values"]
T = torch.tensor(GOLDEN["timesteps"])
PLAIN = objective.noise_schedule()
ZERO = objective.noise_schedule(zero_terminal_snr=True)


def noise_options(**changes):
    values = {
        "noise_offset": None, "noise_offset_random_strength": False, "adaptive_noise_scale": None,
        "multires_noise_iterations": None, "multires_noise_discount": 0.3, "ip_noise_gamma": None,
        "ip_noise_gamma_random_strength": False, "zero_terminal_snr": False, "min_timestep": None, "max_timestep": None,
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


def loss_options(**changes):
    values = {
        "loss_type": "l2", "huber_schedule": "snr", "huber_c": 0.1, "huber_scale": 1.0, "min_snr_gamma": None,
        "scale_v_pred_loss_like_noise_pred": False, "v_pred_like_loss": None, "debiased_estimation_loss": False,
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


def latents(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def weight(t=T, v=False, **options):
    return objective.weighted(torch.ones(len(t)), PLAIN.snr[t], loss_options(**options), v)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (PLAIN.alphas_cumprod[T], "alphas_cumprod"),
        (PLAIN.snr[T], "snr"),
        (ZERO.alphas_cumprod[T], "alphas_cumprod_zero_terminal_snr"),
        (weight(min_snr_gamma=5.0), "min_snr_5_epsilon"),
        (weight(min_snr_gamma=5.0, v=True), "min_snr_5_v"),
        (weight(min_snr_gamma=1.0), "min_snr_1_epsilon"),
        (weight(debiased_estimation_loss=True), "debiased_epsilon"),
        (weight(debiased_estimation_loss=True, v=True), "debiased_v"),
        (weight(scale_v_pred_loss_like_noise_pred=True, v=True), "scale_v_pred_loss_like_noise_pred"),
        (weight(v_pred_like_loss=0.1), "v_pred_like_loss_0.1"),
        (objective.huber_threshold(T, PLAIN, loss_options()), "huber_c_snr_0.1"),
        (objective.huber_threshold(T, PLAIN, loss_options(huber_schedule="exponential")), "huber_c_exponential_0.1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tables_and_weights_are_those_of_sd_scripts(values, name):
    assert values.tolist() == pytest.approx(GOLDEN[name], rel=2e-7, abs=1e-12)


def test_every_value_of_the_golden_file_is_compared():
    compared = 12
    assert len(GOLDEN) == compared + 1  # and the timesteps themselves


def test_loss_weights_ignore_the_zero_terminal_rescale():
    assert torch.equal(ZERO.snr, PLAIN.snr)


def test_loss_weights_of_the_rescaled_schedule_end_at_zero_where_the_option_asks_for_them():
    rescaled = objective.noise_schedule(zero_terminal_snr=True, rescaled_weights=True)
    assert torch.equal(rescaled.alphas_cumprod, ZERO.alphas_cumprod)
    left = ZERO.alphas_cumprod.double()
    torch.testing.assert_close(rescaled.snr.double(), left / (1 - left), rtol=1e-3, atol=0)
    assert rescaled.snr[-1] == 0 and rescaled.snr[998] < PLAIN.snr[998]
    weights = objective.min_snr_weight(rescaled.snr, 5.0, v_parameterization=True)
    assert weights[-1] == 0 and torch.isfinite(weights).all()
    assert torch.isfinite(objective.debiased_weight(rescaled.snr, v_parameterization=True)).all()
    assert torch.isfinite(objective.v_to_noise_scale(rescaled.snr)).all()
    assert torch.equal(objective.noise_schedule(rescaled_weights=True).snr, PLAIN.snr)


def test_noisy_latents_and_v_targets_are_those_of_diffusers():
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)
    x, noise, t = latents(4, 4, 8, 8), latents(4, 4, 8, 8).flip(0), torch.tensor([0, 300, 700, 999])
    noisy, target = objective.prepare(x, noise, t, PLAIN, v_parameterization=True)
    torch.testing.assert_close(noisy, scheduler.add_noise(x, noise, t), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(target, scheduler.get_velocity(x, noise, t), rtol=1e-6, atol=1e-6)


def test_an_epsilon_target_is_the_noise_itself():
    noise = latents(2, 4, 8, 8)
    assert torch.equal(objective.prepare(latents(2, 4, 8, 8), noise, torch.tensor([3, 4]), PLAIN)[1], noise)


def test_half_precision_latents_are_mixed_in_float32():
    x, noise, t = latents(1, 4, 8, 8).half(), latents(1, 4, 8, 8).flip(3), torch.tensor([500])
    noisy, target = objective.prepare(x, noise, t, PLAIN)
    assert noisy.dtype == torch.float16
    assert target.dtype == torch.float32
    assert torch.equal(noisy, objective.add_noise(x.float(), noise, t, PLAIN).half())


def test_perturbed_input_noise_leaves_the_target_alone():
    x, noise, t = latents(1, 4, 8, 8), latents(1, 4, 8, 8).flip(2), torch.tensor([500])
    perturbed = objective.draw_input_noise(noise, noise_options(ip_noise_gamma=0.1), generator(0, "ip", 1))
    noisy, target = objective.prepare(x, noise, t, PLAIN, input_noise=perturbed)
    assert torch.equal(target, noise)
    assert (perturbed - noise).std().item() == pytest.approx(0.1, rel=0.2)
    assert not torch.equal(noisy, objective.prepare(x, noise, t, PLAIN)[0])


def test_input_noise_is_the_noise_when_off():
    noise = latents(1, 4, 8, 8)
    assert objective.draw_input_noise(noise, noise_options(), generator(0, "ip", 1)) is noise


def test_noise_depends_on_the_generator_only():
    options = noise_options(noise_offset=0.1, multires_noise_iterations=6)
    one = objective.draw_noise(latents(2, 4, 16, 16), options, generator(7, "noise", 3))
    same = objective.draw_noise(latents(2, 4, 16, 16), options, generator(7, "noise", 3))
    other = objective.draw_noise(latents(2, 4, 16, 16), options, generator(7, "noise", 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_base_noise_does_not_change_when_an_offset_is_added():
    x = latents(2, 4, 16, 16)
    plain = objective.draw_noise(x, noise_options(), generator(7, "noise", 3))
    offset = objective.draw_noise(x, noise_options(noise_offset=0.1), generator(7, "noise", 3))
    added = offset - plain
    assert torch.allclose(added, added[:, :, :1, :1].expand_as(added), atol=1e-6)  # one constant a sample and channel


def test_the_offset_has_the_given_strength():
    x = torch.zeros(512, 4, 1, 1)
    plain = objective.draw_noise(x, noise_options(), generator(0, "noise", 0))
    added = objective.draw_noise(x, noise_options(noise_offset=0.1), generator(0, "noise", 0)) - plain
    assert added.std().item() == pytest.approx(0.1, rel=0.05)


def test_a_random_offset_is_weaker_than_the_full_one():
    x = torch.zeros(512, 4, 1, 1)
    plain = objective.draw_noise(x, noise_options(), generator(0, "noise", 0))
    options = noise_options(noise_offset=0.1, noise_offset_random_strength=True)
    added = objective.draw_noise(x, options, generator(0, "noise", 0)) - plain
    assert 0 < added.std().item() < 0.1


def test_an_adaptive_offset_grows_with_the_channel_mean_and_never_below_zero():
    x = torch.full((256, 4, 1, 1), 2.0)
    plain = objective.draw_noise(x, noise_options(), generator(0, "noise", 0))
    options = noise_options(noise_offset=0.1, adaptive_noise_scale=0.2)
    assert (objective.draw_noise(x, options, generator(0, "noise", 0)) - plain).std().item() == pytest.approx(
        0.5, rel=0.1
    )
    options = noise_options(noise_offset=0.1, adaptive_noise_scale=-0.2)
    assert torch.equal(objective.draw_noise(x, options, generator(0, "noise", 0)), plain)


def test_an_adaptive_offset_reads_the_size_of_a_mean_whatever_its_sign():
    """strength = 0.1 + 0.2 * |mean| of each channel: 0.5 for means of 2 and of -2 (sd-scripts takes the absolute)."""
    options = noise_options(noise_offset=0.1, adaptive_noise_scale=0.2)
    up = objective.draw_noise(torch.full((8, 4, 2, 2), 2.0), options, generator(0, "noise", 0))
    down = objective.draw_noise(torch.full((8, 4, 2, 2), -2.0), options, generator(0, "noise", 0))
    assert torch.equal(up, down)
    draws = generator(0, "noise", 0)
    base, offset = torch.randn(8, 4, 2, 2, generator=draws), torch.randn(8, 4, 1, 1, generator=draws)
    torch.testing.assert_close(down, base + 0.5 * offset)


def test_pyramid_noise_has_unit_deviation_and_smooth_parts():
    x = torch.zeros(2, 4, 64, 64)
    noise = objective.draw_noise(
        x, noise_options(multires_noise_iterations=6, multires_noise_discount=0.8), generator(0, "noise", 0)
    )
    plain = objective.draw_noise(x, noise_options(), generator(0, "noise", 0))
    assert noise.std().item() == pytest.approx(1.0, abs=1e-5)
    assert noise.mean(dim=(2, 3)).abs().mean() > 3 * plain.mean(dim=(2, 3)).abs().mean()


def test_timesteps_cover_the_range_and_no_more():
    drawn = objective.draw_timesteps(
        20000, noise_options(min_timestep=10, max_timestep=20), generator(0, "timesteps", 0)
    )
    assert sorted(set(drawn.tolist())) == list(range(10, 20))


def test_equal_bounds_give_that_one_timestep():
    options = noise_options(min_timestep=300, max_timestep=300)
    assert objective.draw_timesteps(3, options, generator(0, "timesteps", 0)).tolist() == [300, 300, 300]


def test_validation_looks_at_four_levels():
    assert objective.validation_timesteps(noise_options()) == [200, 400, 600, 800]  # KOHYA_COMPAT section 5.8


@pytest.mark.parametrize(
    ("loss_type", "error", "expected"),
    [
        ("l2", 3.0, 9.0),
        ("l1", -3.0, 3.0),
        ("huber", 0.3, 2 * 0.4 * (0.5 - 0.4)),  # c 0.4: sqrt(0.09 + 0.16) = 0.5
        ("smooth_l1", 0.3, 2 * (0.5 - 0.4)),
    ],
)
def test_element_losses_by_hand(loss_type, error, expected):
    options = loss_options(loss_type=loss_type, huber_schedule="constant", huber_c=0.2, huber_scale=2.0)
    target = torch.zeros(1, 1, 1, 1)
    made = objective.element_loss(target + error, target, torch.tensor([5]), PLAIN, options)
    assert made.item() == pytest.approx(expected, rel=1e-6)


def test_the_huber_threshold_is_finite_at_the_pure_noise_end():
    assert objective.huber_threshold(torch.tensor([999]), ZERO, loss_options()).item() == pytest.approx(0.1)


def test_the_loss_is_one_number_a_sample_in_float32():
    target = latents(3, 4, 8, 8)
    made = objective.loss(torch.zeros_like(target).half(), target, torch.tensor([1, 2, 3]), PLAIN, loss_options())
    torch.testing.assert_close(made, target.square().mean(dim=(1, 2, 3)))
    assert made.dtype == torch.float32


def test_sample_weights_and_snr_weights_multiply():
    target, t = latents(2, 4, 8, 8), torch.tensor([0, 999])
    plain = objective.loss(torch.zeros_like(target), target, t, PLAIN, loss_options())
    made = objective.loss(
        torch.zeros_like(target), target, t, PLAIN, loss_options(min_snr_gamma=5.0), weights=torch.tensor([0.5, 1.0])
    )
    assert (made / plain).tolist() == pytest.approx([0.5 * 0.0042537, 1.0], rel=1e-5)


def test_all_weights_apply_in_the_order_of_sd_scripts():
    options = loss_options(min_snr_gamma=5.0, v_pred_like_loss=0.5, debiased_estimation_loss=True)
    made = weight(
        t=torch.tensor([0]),
        **{k: getattr(options, k) for k in ("min_snr_gamma", "v_pred_like_loss", "debiased_estimation_loss")},
    )
    assert made.item() == pytest.approx(
        0.0042537241 * 1.5005 * 0.031622779, rel=1e-5
    )  # KOHYA_COMPAT section 5.7, t = 0


def test_a_mask_silences_what_it_covers_and_is_not_renormalised():
    target = torch.ones(1, 4, 8, 8)
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., :32, :] = 1.0
    made = objective.loss(torch.zeros_like(target), target, torch.tensor([5]), PLAIN, loss_options(), masks=masks)
    assert made.item() == pytest.approx(0.5)


def test_an_unknown_loss_is_named_with_the_choices():
    with pytest.raises(ValueError, match="loss_type 'l3' is unknown; choose l2, l1, huber or smooth_l1"):
        objective.element_loss(
            torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), T[:1], PLAIN, loss_options(loss_type="l3")
        )
