"""Stable Diffusion 1.x as a family: the same weights from every file format, kohya's layer names, no network."""

from __future__ import annotations

import copy
import socket
from collections import Counter
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file

from trainer import families, networks
from trainer.families import names
from trainer.families.base import Conditioning, LoadOptions
from trainer.families.diffusion import draw, joined_chunks, weighed
from trainer.families.sd import SDFamily
from trainer.families.weights import WeightsError
from trainer.networks import NetworkOptions


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refused(*arguments: object, **options: object) -> None:
        raise AssertionError("a family tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def family_of(path: Path, **options) -> SDFamily:
    return families.load(LoadOptions(str(path), **options))


@pytest.fixture(scope="module")
def family(base) -> SDFamily:
    return family_of(base)


def weights_of(family: SDFamily) -> dict[str, torch.Tensor]:
    parts = {"unet": family.unet, "vae": family.vae, "text": family.text_encoders[0]}
    return {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}


def without_text_model(path: Path, base: Path) -> Path:
    state = {name.replace("transformer.text_model.", "transformer."): value for name, value in load_file(base).items()}
    save_file(state, str(path))
    return path


def with_averages(path: Path, base: Path) -> Path:
    state = load_file(base)
    averages = {
        "model_ema." + name.removeprefix("model.").replace(".", ""): value + 1
        for name, value in state.items() if name.startswith("model.")
    }  # fmt: skip
    save_file({**state, **averages, "model_ema.decay": torch.ones(())}, str(path))
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda path, base: tiny.sd1_ckpt(path / "base.ckpt"),
        lambda path, base: tiny.sd1_folder(path / "folder"),
        lambda path, base: without_text_model(path / "old.safetensors", base),
        lambda path, base: with_averages(path / "full.safetensors", base),
    ],
    ids=["ckpt", "diffusers folder", "names of 2022", "averaged weights beside the others"],
)
def test_every_file_format_gives_the_same_weights(family, base, tmp_path, make):
    other = weights_of(family_of(make(tmp_path, base)))
    assert other.keys() == weights_of(family).keys()
    assert all(torch.equal(other[name], value) for name, value in weights_of(family).items())


def test_the_loaded_modules_compute_what_the_saved_ones_did(family):
    half = copy.deepcopy(tiny.modules()[0]).half().float()
    latents, context = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 32)
    expected = half(latents, torch.tensor([10]), encoder_hidden_states=context).sample
    assert torch.equal(family.predict(latents, torch.tensor([10]), Conditioning(context)), expected)


def test_nothing_is_left_empty_and_nothing_is_trained(family):
    assert not any(value.is_meta for value in weights_of(family).values())
    assert not any(parameter.requires_grad for parameter in family.unet.parameters())
    assert not any(buffer.is_meta for buffer in family.text_encoders[0].buffers())


def test_the_lora_targets_are_sd15s(family):
    found = family.network_targets()
    counts = Counter(target.part for target in found)
    assert counts == {"unet": tiny.LORA_UNET_MODULES, "text_encoder": tiny.LORA_TEXT_MODULES}
    keys = [target.name for target in found]
    assert len(set(keys)) == len(keys)
    assert keys[0] == "lora_te_text_model_encoder_layers_0_self_attn_k_proj"
    assert {
        "lora_te_text_model_encoder_layers_1_mlp_fc2",
        "lora_unet_down_blocks_0_attentions_0_proj_in",
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0",
        "lora_unet_up_blocks_3_attentions_2_transformer_blocks_0_ff_net_0_proj",
        "lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_ff_net_2",
    } <= set(keys)
    assert not any("resnets" in key or "samplers" in key for key in keys)


@pytest.fixture(scope="module")
def projections(tmp_path_factory):
    """(family, form of its base) -> a network of rank 8 over the U-Net's proj_in and proj_out, without weights."""
    made = {}
    for name in tiny.FAMILIES:
        folder = tmp_path_factory.mktemp(name)
        for form, path in (("file", tiny.safetensors(folder / "a.safetensors", name)),
                           ("folder", tiny.folder(folder / "b", name))):  # fmt: skip
            layers = families.outline(LoadOptions(str(path))).network_targets()
            ends = [layer for layer in layers if layer.name.endswith(("proj_in", "proj_out"))]
            made[name, form] = networks.plan(ends, NetworkOptions(rank=8, alpha=8))
    return made


@pytest.mark.parametrize(
    ("name", "form", "kernel", "layer"),
    [
        ("sd1", "file", (1, 1), "down_blocks_0_attentions_0"),
        ("sd1", "folder", (1, 1), "down_blocks_0_attentions_0"),
        ("sd2", "file", (1, 1), "down_blocks_0_attentions_0"),
        ("sd2", "folder", (), "down_blocks_0_attentions_0"),
        ("sdxl", "file", (), "input_blocks_4_1"),
        ("sdxl", "folder", (), "input_blocks_4_1"),
    ],
)
def test_lora_tensors_of_the_projections_have_the_shapes_that_sd_scripts_gives(projections, name, form, kernel, layer):
    tensors = projections[name, form].file_tensors()
    for end in ("proj_in", "proj_out"):
        assert tuple(tensors[f"lora_unet_{layer}_{end}.lora_down.weight"].shape) == (8, 32, *kernel)
        assert tuple(tensors[f"lora_unet_{layer}_{end}.lora_up.weight"].shape) == (32, 8, *kernel)
    assert {value.dim() for key, value in tensors.items() if key.endswith(".weight")} == {2 + len(kernel)}


@pytest.mark.parametrize(("given", "here"), [("file", "folder"), ("folder", "file")])
def test_a_lora_of_either_form_of_an_sd_2_base_goes_on_with_the_other(projections, given, here):
    theirs, ours = projections["sd2", given], projections["sd2", here]
    draws = torch.Generator().manual_seed(1)
    tensors = {
        key: torch.tensor(4.0) if key.endswith("alpha") else torch.randn(value.shape, generator=draws)
        for key, value in theirs.file_tensors().items()
    }
    for take in (ours.load, ours.resume):
        take(tensors, "a.safetensors")
        assert all(torch.equal(value.flatten(), tensors[key].flatten()) for key, value in ours.file_tensors().items())
    assert ours.misfit(tensors) is None


def test_with_convolutions_the_residual_blocks_come_too(family):
    keys = {target.name for target in family.network_targets(conv=True) if target.part == "unet"}
    assert len(keys) == tiny.LORA_UNET_MODULES_WITH_CONV
    assert {
        "lora_unet_down_blocks_0_resnets_0_conv1",
        "lora_unet_down_blocks_1_resnets_0_conv_shortcut",
        "lora_unet_mid_block_resnets_1_time_emb_proj",
        "lora_unet_down_blocks_2_downsamplers_0_conv",
        "lora_unet_up_blocks_0_upsamplers_0_conv",
    } <= keys
    assert not any("conv_in" in key or "time_embedding" in key for key in keys)


def test_the_full_size_sd15_layout_has_192_and_278_unet_modules():
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(tiny.config("unet", "sd1"))
        text = tiny.modules()[2]
    full = SDFamily("sd1", unet, [text], text, LoadOptions("x"))
    assert sum(target.part == "unet" for target in full.network_targets()) == 192
    assert sum(target.part == "unet" for target in full.network_targets(conv=True)) == 278


def test_latents_are_a_scaled_sample_of_the_posterior(family):
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    posterior = family.vae.encode(pixels).latent_dist
    noise = torch.randn((2, 4, 8, 8), generator=torch.Generator().manual_seed(7))
    expected = (posterior.mean + posterior.std * noise) * 0.18215
    assert torch.allclose(family.encode_images(pixels, torch.Generator().manual_seed(7)), expected, atol=1e-6)


def test_a_generator_a_picture_makes_its_latents_independent_of_the_batch(family):
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    both = family.encode_images(pixels, [torch.Generator().manual_seed(seed) for seed in (1, 2)])
    second = family.encode_images(pixels[1:], [torch.Generator().manual_seed(2)])
    assert torch.allclose(both[1:], second, atol=1e-5)
    with pytest.raises(ValueError, match="1 generators for 2 pictures"):
        draw((2, 4, 8, 8), [torch.Generator()])


def test_pictures_come_back_in_range_and_size(family):
    pixels = family.decode_latents(torch.randn(2, 4, 8, 16))
    assert pixels.shape == (2, 3, 64, 128)
    assert pixels.abs().max() <= 1


def test_clip_skip_one_is_the_usual_output_and_two_is_another(base, family):
    usual = family.encode_captions(["a cat"]).context
    assert torch.allclose(family_of(base, clip_skip=1).encode_captions(["a cat"]).context, usual, atol=1e-6)
    assert not torch.allclose(family_of(base, clip_skip=2).encode_captions(["a cat"]).context, usual, atol=1e-3)


def test_clip_skip_two_is_the_last_but_one_layer_with_the_final_norm(base):
    family = family_of(base, clip_skip=2)
    encoder = family.text_encoders[0]
    ids = torch.tensor(family._tokenizer.chunks("a cat"))
    layers = getattr(encoder, "text_model", encoder)
    states = encoder(ids, output_hidden_states=True).hidden_states
    assert torch.allclose(family.encode_captions(["a cat"]).context, layers.final_layer_norm(states[1]), atol=1e-6)


@pytest.mark.parametrize(("limit", "tokens"), [(None, 77), (150, 152), (225, 227)])
def test_longer_captions_give_longer_contexts(base, limit, tokens):
    family = family_of(base, max_token_length=limit)
    assert family.encode_captions(["a cat", "dog " * 200]).context.shape == (2, tokens, 32)


def test_chunks_are_joined_without_the_inner_begins_and_ends():
    states = torch.arange(2 * 77).reshape(1, 2, 77, 1)
    assert joined_chunks(states).flatten().tolist() == [0, *range(1, 76), *range(78, 153), 153]


def test_emphasis_changes_its_part_and_keeps_the_mean():
    context = torch.randn(2, 77, 8, generator=torch.Generator().manual_seed(0)) + 0.5
    weights = torch.ones(2, 77)
    weights[1, 2] = 1.5
    same, changed = weighed(context, weights)
    assert torch.allclose(same, context[0])
    assert changed.mean() == pytest.approx(float(context[1].mean()), abs=1e-5)
    ratio = (changed / context[1]).mean(dim=1)
    assert ratio[2] / ratio[1] == pytest.approx(1.5, rel=1e-4)


def test_brackets_are_text_for_training_and_emphasis_for_previews(family):
    as_text, as_weight = (family.encode_captions(["a (red:1.5) cat"], emphasis=on).context for on in (False, True))
    plain = family.encode_captions(["a red cat"]).context
    assert not torch.allclose(as_text, as_weight, atol=1e-3)
    assert torch.allclose(as_weight[0, 2], plain[0, 2] * 1.5, atol=1e-4)
    assert torch.equal(family.encode_captions(["a red cat"], emphasis=True).context, plain)


def test_an_escaped_name_trains_as_it_is_drawn(family):
    trained, drawn = (family.encode_captions([r"nero \(fate\)"], emphasis=on).context for on in (False, True))
    assert torch.equal(trained, drawn)
    assert torch.equal(trained, family.encode_captions(["nero (fate)"]).context)


def test_gradients_reach_an_adapted_text_encoder_through_checkpointing(base):
    for checkpointing in (False, True):
        family = family_of(base)
        family.train_mode(gradient_checkpointing=checkpointing)
        layer = family.network_targets()[0].module
        added = torch.zeros_like(layer.weight, requires_grad=True)
        original = layer.forward
        layer.forward = lambda x, original=original, added=added: original(x) + x @ added.T
        conditioning = family.encode_captions(["a cat"])
        family.predict(torch.ones(1, 4, 8, 8), torch.tensor([5]), conditioning).square().mean().backward()
        assert added.grad.abs().sum() > 0


def test_checkpointing_changes_no_number(base):
    plain, saving = family_of(base), family_of(base)
    plain.train_mode(), saving.train_mode(gradient_checkpointing=True)
    noisy, steps = torch.ones(1, 4, 8, 8), torch.tensor([5])
    one = plain.predict(noisy, steps, plain.encode_captions(["a"]))
    assert torch.equal(saving.predict(noisy, steps, saving.encode_captions(["a"])), one)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_predictions_are_close_and_float32(base, family, dtype):
    half = family_of(base, dtype=dtype, vae_dtype=dtype)
    noisy, steps = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([500])
    result = half.predict(noisy, steps, half.encode_captions(["a cat"]))
    expected = family.predict(noisy, steps, family.encode_captions(["a cat"]))
    assert result.dtype == torch.float32
    assert (result - expected).abs().max() < 0.05


@pytest.mark.parametrize("way", ["encode", "decode"])
def test_what_overflows_in_a_half_precision_vae_is_done_again_in_float32_with_the_same_result(base, way):
    half = family_of(base, vae_dtype=torch.float16)
    overflowing = half.vae.encoder if way == "encode" else half.vae.decoder
    overflowing.conv_in.weight.mul_(6e4).clamp_(-6e4, 6e4)
    full = family_of(base)
    full.vae.load_state_dict({name: weight.float() for name, weight in half.vae.state_dict().items()})

    def done(family: SDFamily) -> torch.Tensor:
        if way == "encode":
            return family.encode_images(torch.ones(1, 3, 64, 64), torch.Generator().manual_seed(0))
        return family.decode_latents(torch.ones(1, 4, 8, 8))

    result = done(half)
    assert torch.isfinite(result).all()
    assert torch.equal(result, done(full))
    assert half.vae.encoder.conv_in.weight.dtype == half.vae.decoder.conv_in.weight.dtype == torch.float32
    assert torch.equal(done(half), result)
    assert [("overflowed in half precision" in note) for note in half.notes] == [True] * (way == "encode")


def test_another_vae_takes_the_place_of_the_own_one(base, tmp_path):
    other = {name: value for name, value in tiny.state(seed=1).items() if name.startswith("first_stage_model.")}
    save_file(
        {name.removeprefix("first_stage_model."): value for name, value in other.items()},
        str(tmp_path / "v.safetensors"),
    )
    family = family_of(base, vae=str(tmp_path / "v.safetensors"))
    expected = other["first_stage_model.encoder.conv_in.weight"].float()
    assert torch.equal(family.vae.state_dict()["encoder.conv_in.weight"], expected)


def test_a_freed_vae_still_decodes(base):
    family = family_of(base)
    family.free_vae()
    assert family.decode_latents(torch.zeros(1, 4, 8, 8)).shape == (1, 3, 64, 64)


def test_a_lora_as_base_is_refused_by_name(tmp_path):
    save_file({"lora_unet_mid_block_x.lora_down.weight": torch.zeros(4, 4)}, str(tmp_path / "l.safetensors"))
    with pytest.raises(WeightsError, match=r"l\.safetensors is a Stable Diffusion 1\.x LoRA, not a base model"):
        family_of(tmp_path / "l.safetensors")


def changed(base: Path, path: Path, change) -> Path:
    state = load_file(base)
    change(state)
    save_file(state, str(path))
    return path


def poison(state: dict[str, torch.Tensor]) -> None:
    state["model.diffusion_model.out.2.weight"][0, 0, 0, 0] = float("nan")


def drop_text(state: dict[str, torch.Tensor]) -> None:
    for name in [name for name in state if name.startswith("cond_stage_model.")]:
        del state[name]


def drop_one(state: dict[str, torch.Tensor]) -> None:
    del state["model.diffusion_model.out.2.bias"]


def reshape_one(state: dict[str, torch.Tensor]) -> None:
    state["model.diffusion_model.out.2.bias"] = torch.zeros(9)


def widen(state: dict[str, torch.Tensor]) -> None:
    state["model.diffusion_model.input_blocks.0.0.weight"] = torch.zeros(40, 4, 3, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (poison, r"out\.2\.weight holds NaN or infinite numbers"),
        (drop_text, r"has no text encoder; choose a whole checkpoint"),
        (drop_one, r"lacks 1 of 688 tensors of the U-Net \(first: conv_out\.bias\); the file is incomplete"),
        (reshape_one, r"out\.2\.bias has the shape \[9\], this kind of U-Net needs \[4\]"),
        (
            widen,
            r"U-Net is of no known kind: nearest is demo, .*conv_in\.weight begins with \[32, 4\], here it is \[40, 4",
        ),
    ],
)
def test_wrong_weights_name_the_tensor_and_the_cure(base, tmp_path, change, words):
    with pytest.raises(WeightsError, match=words):
        family_of(changed(base, tmp_path / "wrong.safetensors", change))


def test_an_sd2_single_file_loads_with_open_clips_text_encoder(tmp_path):
    state = tiny.state(family="sd2")
    state |= {names.OPEN_CLIP_PREFIX + "transformer.resblocks.3.ln_1.weight": torch.zeros(40)}  # the layer SD 2 drops
    save_file(state, str(tmp_path / "sd2.safetensors"))
    family, made = family_of(tmp_path / "sd2.safetensors"), tiny.parts("sd2")
    assert family.name == "sd2"
    for loaded, module in ((family.text_encoders[0], made["text_encoder"]), (family.unet, made["unet"])):
        loaded_state = loaded.state_dict()
        for key, value in module.state_dict().items():  # projections are convolutions in a single file
            assert torch.equal(loaded_state[key].reshape(value.shape), value.half().float()), key
    assert "does not say what it predicts" in family.notes[0]


def test_a_v_prediction_marker_is_obeyed_with_a_word(base, tmp_path):
    path = changed(
        base, tmp_path / "v.safetensors", lambda state: state.update(v_pred=torch.zeros(0), ztsnr=torch.zeros(0))
    )
    family = family_of(path)
    assert family.prediction == "v"
    assert family.zero_terminal_snr
    assert "v_parameterization was switched on" in family.notes[0]


def test_the_base_file_may_be_replaced_while_it_is_in_use(base, tmp_path):
    copy = tmp_path / "base.safetensors"
    copy.write_bytes(base.read_bytes())
    family = family_of(copy, dtype=torch.float16)
    before = family.unet.conv_in.weight.clone()
    with copy.open("r+b") as stream:
        stream.seek(1_000_000)
        stream.write(b"\0" * 10_000_000)
    assert torch.equal(family.unet.conv_in.weight, before)
