"""The demo's base model and its judge: what is in the repository does what it says."""

from __future__ import annotations

import json
from random import Random

import numpy as np
import pytest
import tiny
import torch

from trainer.demo import BASE
from trainer.demo.drawing import COLORS, KNOWN_SHAPES, SHAPES, draw
from trainer.demo.judge import WEIGHTS, flat, load_judge
from trainer.demo.make_base import caption, weighted_loss
from trainer.demo.measure import Wish, attach_lora, counted, generate, wishes
from trainer.families import load
from trainer.families.base import LoadOptions
from trainer.families.weights import describe


@pytest.fixture(scope="module")
def family():
    return load(LoadOptions(path=str(BASE)))


def test_the_base_model_is_a_small_stable_diffusion_1_checkpoint():
    about = describe(BASE)
    assert (about.kind, about.family, about.prediction, about.dtype) == ("checkpoint", "sd1", "epsilon", "F16")
    assert BASE.stat().st_size < 13_000_000
    assert about.problems == ()


def test_its_lora_names_are_those_of_stable_diffusion_15(family):
    targets = family.network_targets()
    unet = {target.name for target in targets if target.part == "unet"}
    assert unet == sd15_unet_names()
    assert len(unet) == 192
    assert sum(target.part == "text_encoder" for target in targets) == 12  # 2 layers of 6


def sd15_unet_names() -> set[str]:
    """As KOHYA_COMPAT 6.1 lists them, written down by hand."""
    places = [f"down_blocks_{i}_attentions_{j}" for i in (0, 1, 2) for j in (0, 1)]
    places += ["mid_block_attentions_0"]
    places += [f"up_blocks_{i}_attentions_{j}" for i in (1, 2, 3) for j in (0, 1, 2)]
    layers = ["proj_in", "proj_out", "transformer_blocks_0_ff_net_0_proj", "transformer_blocks_0_ff_net_2"]
    layers += [f"transformer_blocks_0_attn{a}_to_{x}" for a in (1, 2) for x in ("q", "k", "v", "out_0")]
    return {f"lora_unet_{place}_{layer}" for place in places for layer in layers}


def test_diffusers_reads_the_same_unet_from_the_file(family, tmp_path):
    from diffusers import UNet2DConditionModel

    (tmp_path / "config.json").write_text(json.dumps(tiny.config("unet")), encoding="utf-8")
    theirs = UNet2DConditionModel.from_single_file(str(BASE), config=str(tmp_path), torch_dtype=torch.float32)
    ours = family.unet.state_dict()
    assert set(theirs.state_dict()) == set(ours)
    assert all(torch.equal(value, ours[name]) for name, value in theirs.state_dict().items())


def test_the_judge_is_right_on_more_than_97_of_100_fresh_drawings():
    judge = load_judge()
    drawn = [draw(Random(70_000 + seed), shapes=SHAPES) for seed in range(300)]
    seen = judge.look([picture.pixels for picture in drawn])
    shapes = [verdict.shape == picture.shape for verdict, picture in zip(seen, drawn, strict=True)]
    colors = [
        (v.color, v.background, v.size) == (p.color, p.background, p.size) for v, p in zip(seen, drawn, strict=True)
    ]
    assert sum(shapes) > 0.97 * len(drawn)
    assert sum(colors) > 0.97 * len(drawn)
    assert WEIGHTS.stat().st_size < 500_000


def test_a_sheet_of_one_colour_is_no_shape():
    sheet = np.full((128, 128, 3), (40, 80, 220), np.uint8)
    assert [verdict.shape for verdict in load_judge().look([sheet])] == ["blob"]


@pytest.mark.parametrize("color", COLORS)
def test_no_drawing_is_taken_for_a_sheet_of_one_colour(color):
    others = [other for other in COLORS if other != color]
    drawn = [draw(Random(7), shape, color, other, "small") for other in others for shape in SHAPES]
    assert not any(flat(picture.pixels) for picture in drawn)


def test_the_base_model_draws_what_the_tags_say(family):
    wishes = (
        ("red", "circle", "blue"),
        ("green", "square", "white"),
        ("yellow", "triangle", "black"),
        ("white", "cross", "red"),
    )
    wanted = [Wish(seed, *words) for seed, words in enumerate(wishes)]
    seen = load_judge().look(generate(family, wanted))
    right = sum(
        (v.color, v.shape, v.background) == (w.color, w.shape, w.background) for v, w in zip(seen, wanted, strict=True)
    )
    assert right >= 3


def test_an_untrained_lora_changes_no_picture_and_comes_off_again(family, tmp_path):
    from safetensors.torch import save_file

    from trainer import networks

    wish = [Wish(1, "red", "circle", "blue")]
    before = generate(family, wish)[0]
    network = networks.attach(family.network_targets(), networks.NetworkOptions(rank=2, alpha=2), seed=3)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, tmp_path / "zero.safetensors")
    network.detach()
    attached = attach_lora(family, tmp_path / "zero.safetensors")
    assert (generate(family, wish)[0] == before).all()
    attached.detach()


def test_the_prompts_that_are_counted_ask_for_every_known_shape_in_both_sizes_and_for_small_green_squares():
    new, large, small = wishes()
    assert {(wish.shape, wish.size, wish.trigger) for wish in new} == {("star", "large", True)}
    assert new[0].prompt == f"zqx, {large[0].color} star, {large[0].background} background, large"
    for group, size in ((large, "large"), (small, "small")):
        assert {wish.shape for wish in group} == set(KNOWN_SHAPES)
        assert {wish.size for wish in group} == {size}
        assert not any("zqx" in wish.prompt or wish.color == wish.background for wish in group)
    assert sum((wish.color, wish.shape) == ("green", "square") for wish in small) >= 4
    assert len({wish.seed for wish in large + small}) == 32


def test_a_picture_counts_by_its_shape_and_by_its_two_colours_and_as_a_star_whoever_asked_for_it():
    drawn = [
        draw(Random(1), shape, color, "blue", "large").pixels
        for shape, color in (("circle", "red"), ("circle", "green"), ("star", "red"))
    ]
    found = counted(load_judge(), [Wish(0, "red", "circle", "blue")] * 3, drawn)
    assert (found.shapes, found.colors, found.both, found.stars) == (2, 2, 1, 1)


def test_training_captions_come_in_order_and_shuffled_and_sometimes_empty():
    rng, tags = Random(1), ("red circle", "blue background", "large")
    captions = [caption(rng, tags) for _ in range(400)]
    assert captions.count("") / 400 == pytest.approx(0.1, abs=0.05)
    assert "red circle, blue background, large" in captions
    assert "blue background, red circle, large" in captions
    assert not any("zqx" in text or "star" in text for text in captions)


def test_the_loss_counts_an_error_of_the_picture_at_least_by_half_at_any_noise():
    # An error e of the noise is an error e / sqrt(SNR) of the picture, in units of the signal: weight x SNR >= 0.5.
    for snr in (0.005, 1.0, 100.0):
        weight = weighted_loss(torch.ones(1, 4, 2, 2), torch.zeros(1, 4, 2, 2), torch.tensor([snr])).item()
        assert weight * snr >= 0.5
