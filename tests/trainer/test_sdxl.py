"""SDXL and SD 2 as families: equal to diffusers' own pipelines on the same weights, kohya's names, the same weights
from every file format."""

from __future__ import annotations

import json
import weakref
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import save_file

from trainer import families
from trainer.families import layout, names, tokens
from trainer.families.base import Conditioning, LoadOptions
from trainer.families.layers import xl_block
from trainer.families.sd import SDFamily
from trainer.families.sdxl import SDXLFamily, at_end
from trainer.families.weights import WeightsError, describe

SIZES = torch.tensor([[100.0, 80.0, 3.0, 5.0, 64.0, 64.0], [64.0, 64.0, 0.0, 0.0, 64.0, 96.0]])


def family_of(path: Path, **options: object) -> SDXLFamily:
    return families.load(LoadOptions(str(path), **options))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.safetensors(tmp_path_factory.mktemp("xl") / "xl.safetensors", "sdxl")


@pytest.fixture(scope="module")
def family(base) -> SDXLFamily:
    return family_of(base)


def ids_of(captions: list[str], pad: int) -> torch.Tensor:
    return torch.tensor([tokens.clip_tokenizer().chunks(caption, None, pad)[0] for caption in captions])


def parts_of(family: object) -> dict[str, torch.nn.Module]:
    encoders = {f"text_encoder_{number}": encoder for number, encoder in enumerate(family.text_encoders)}
    return {"unet": family.unet, "vae": family.vae, **encoders}


@pytest.mark.parametrize("kind", ["sd2", "sdxl"])
@pytest.mark.parametrize("make", [tiny.folder, tiny.ckpt])
def test_every_file_format_gives_the_same_weights(tmp_path, kind, make):
    one = parts_of(family_of(tiny.safetensors(tmp_path / "a.safetensors", kind)))
    other = parts_of(family_of(make(tmp_path / "other.ckpt", kind)))
    assert one.keys() == other.keys()
    for part in one:
        ours, theirs = one[part].state_dict(), other[part].state_dict()
        assert ours.keys() == theirs.keys()
        # SD 2's proj_in and proj_out are convolutions from a single file, linear layers from a folder
        assert all(torch.equal(value.flatten(), theirs[name].flatten()) for name, value in ours.items()), part


@pytest.mark.parametrize("captions", [["a cat"], ["a red cat!", ""]])
def test_conditioning_and_prediction_are_those_of_diffusers_pipeline(tmp_path, family, captions):
    from diffusers import DDIMScheduler, StableDiffusionXLPipeline

    made = {name: type(part).from_pretrained(tiny.folder(tmp_path / "xl", "sdxl") / name)
            for name, part in tiny.parts("sdxl").items()}  # fmt: skip
    pipeline = StableDiffusionXLPipeline(**made, tokenizer=None, tokenizer_2=None, scheduler=DDIMScheduler())
    # as pipeline.encode_prompt does, with token ids given: its own tokenizer pads wrongly for encoder 2
    hidden, pooled = [], None
    for encoder, pad in ((pipeline.text_encoder, tokens.EOS), (pipeline.text_encoder_2, 0)):
        output = encoder(ids_of(captions, pad), output_hidden_states=True)
        pooled = getattr(output, "text_embeds", None)
        hidden.append(output.hidden_states[-2])
    expected = torch.cat(hidden, dim=-1)
    conditioning = family.encode_captions(captions)
    assert (conditioning.context - expected).abs().max() < 1e-5
    assert (conditioning.pooled - pooled).abs().max() < 1e-5

    sizes = SIZES[: len(captions)]
    noisy, steps = torch.randn(len(captions), 4, 8, 8), torch.tensor([7, 800])[: len(captions)]
    theirs = pipeline.unet(
        noisy, steps, encoder_hidden_states=expected, added_cond_kwargs={"text_embeds": pooled, "time_ids": sizes}
    ).sample
    ours = family.predict(noisy, steps, replace(conditioning, sizes=sizes))
    assert (ours - theirs).abs().max() < 1e-4


def test_sizes_and_pooled_vector_reach_the_prediction(family):
    conditioning = replace(family.encode_captions(["a cat", "a dog"]), sizes=SIZES)
    noisy, steps = torch.randn(2, 4, 8, 8), torch.tensor([500, 500])
    usual = family.predict(noisy, steps, conditioning)
    assert not torch.allclose(family.predict(noisy, steps, replace(conditioning, sizes=SIZES + 100)), usual)
    without = replace(conditioning, pooled=torch.zeros_like(conditioning.pooled))
    assert not torch.allclose(family.predict(noisy, steps, without), usual)
    with pytest.raises(ValueError, match="six sizes of each picture"):
        family.predict(noisy, steps, Conditioning(conditioning.context))


def test_the_pooled_vector_is_taken_at_the_first_end_token():
    ids = torch.tensor([[tokens.BOS, 5, tokens.EOS, tokens.EOS], [tokens.BOS, 5, 6, tokens.EOS]])
    states = torch.arange(8.0).reshape(2, 4, 1)
    assert at_end(states, ids).flatten().tolist() == [2.0, 7.0]


def test_long_captions_are_joined_and_pooled_from_their_first_chunk(base):
    long = family_of(base, max_token_length=150)
    words = "dog " * 100
    conditioning = long.encode_captions(["a cat", words])
    assert conditioning.context.shape == (2, 152, 80)
    first_chunk = torch.tensor(tokens.clip_tokenizer().chunks(words, 150, 0)[:1])
    encoder = long.text_encoders[1]
    expected = encoder.text_projection(at_end(encoder(first_chunk).last_hidden_state, first_chunk))
    assert torch.allclose(conditioning.pooled[1:], expected, atol=1e-6)


def test_the_text_projection_of_a_single_file_is_turned_unless_sd_scripts_numbers_are_wanted(base, family, tmp_path):
    stored = tiny.state(family="sdxl")[names.XL_OPEN_CLIP_PREFIX + "text_projection"].float()
    assert torch.equal(family.text_encoders[1].text_projection.weight, stored.T)
    as_there = family_of(base, text_projection_as_sd_scripts=True)
    assert torch.equal(as_there.text_encoders[1].text_projection.weight, stored)
    # re-saved files hold the linear layer's form under another name
    state = dict(tiny.state(family="sdxl"))
    prefix = names.XL_OPEN_CLIP_PREFIX
    state[prefix + "text_projection.weight"] = state.pop(prefix + "text_projection").T.contiguous()
    save_file(state, str(tmp_path / "linear.safetensors"))
    linear = family_of(tmp_path / "linear.safetensors")
    assert torch.equal(linear.text_encoders[1].text_projection.weight, stored.T)


def full_size(name: str) -> SDFamily | SDXLFamily:
    """The whole architecture of a family on the meta device: shapes and names without weights."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(dict(layout.known_configs("unet")[name]))
        encoders = [CLIPTextModel(CLIPTextConfig(**layout.known_configs("text_encoder")[name]))]
        if name == "sdxl":
            second = CLIPTextConfig(**layout.known_configs("text_encoder_2")[name])
            encoders.append(CLIPTextModelWithProjection(second))
    made = SDXLFamily if name == "sdxl" else SDFamily
    return made(name, unet, encoders, unet, LoadOptions("x"))


@pytest.mark.parametrize(
    ("name", "text", "unet", "with_conv"), [("sd1", 72, 192, 278), ("sd2", 138, 192, 278), ("sdxl", 264, 722, 788)]
)
def test_the_full_size_model_has_kohyas_lora_modules(name, text, unet, with_conv):
    family = full_size(name)
    plain, conv = family.network_targets(), family.network_targets(conv=True)
    assert Counter(target.part for target in plain) == {"text_encoder": text, "unet": unet}
    assert Counter(target.part for target in conv) == {"text_encoder": text, "unet": with_conv}
    golden = json.loads((Path(__file__).parents[1] / "golden" / "lora_modules.json").read_text(encoding="utf-8"))[name]
    assert sorted(target.name for target in plain) == sorted(expanded(golden["attention"]))
    extra = {target.name for target in conv} - {target.name for target in plain}
    assert sorted(extra) == sorted(expanded(golden["conv"]))


def expanded(patterns: list[str]) -> list[str]:
    """`a_{1,2}_b` -> a_1_b, a_2_b; `{0-3}` -> 0, 1, 2, 3."""
    found: list[str] = []
    waiting = list(patterns)
    while waiting:
        text = waiting.pop()
        before, opened, rest = text.partition("{")
        if not opened:
            found.append(text)
            continue
        choices, _, after = rest.partition("}")
        for choice in choices.split(","):
            low, dash, high = choice.partition("-")
            numbers = range(int(low), int(high) + 1) if dash else [choice]
            waiting += [f"{before}{number}{after}" for number in numbers]
    return found


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("time_embed.0", 0), ("label_emb.0.2", 0), ("input_blocks.0.0", 1), ("input_blocks.8.1.proj_in", 9),
        ("middle_block.0.in_layers.2", 10), ("middle_block.2.emb_layers.1", 12), ("output_blocks.0.0.in_layers.2", 13),
        ("output_blocks.8.0.skip_connection", 21), ("out.2", 22), ("elsewhere", None),
    ],
)  # fmt: skip
def test_blocks_are_numbered_as_sd_scripts_numbers_them(path, block):
    assert xl_block(path) == block


def test_lycoris_names_of_embeddings_and_outer_convolutions_are_the_first_sdxl_codes():
    layers = {target.path: target.name for target in full_size("sdxl").layers()}
    assert layers["time_embedding.linear_1"] == "lora_unet_time_embed_0"
    assert layers["add_embedding.linear_2"] == "lora_unet_label_emb_0_2"
    assert layers["conv_in"] == "lora_unet_input_blocks_0_0"
    assert layers["conv_out"] == "lora_unet_out_2"
    assert layers["conv_norm_out"] == "lora_unet_out_0"


def test_latents_are_scaled_as_sdxl_wants_them(family):
    pixels = torch.rand(1, 3, 64, 64) * 2 - 1
    posterior = family.vae.encode(pixels).latent_dist
    noise = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(7))
    expected = (posterior.mean + posterior.std * noise) * 0.13025
    assert torch.allclose(family.encode_images(pixels, torch.Generator().manual_seed(7)), expected, atol=1e-6)


def test_weights_in_captions_multiply_both_encoders_states_and_not_the_pooled_vector(base, family):
    weighing = family_of(base, weighted_captions=True)
    one, plain = weighing.encode_captions(["a (red:1.5) cat"]), family.encode_captions(["a red cat"])
    factors = torch.ones(77)
    factors[2] = 1.5
    assert torch.allclose(one.context[0], plain.context[0] * factors[:, None], atol=1e-6)
    assert torch.equal(one.pooled, plain.pooled)


def test_freed_text_encoders_answer_what_is_remembered_and_come_back_for_the_rest(base):
    family = family_of(base)
    known, other = (family.encode_captions([caption], emphasis=True) for caption in ("a cat", "a dog"))
    family.remember_captions(["a cat"], emphasis=True)
    family.free_text_encoders()
    assert family.text_encoders == []
    assert torch.equal(family.encode_captions(["a cat"], emphasis=True).context, known.context)
    assert torch.equal(family.encode_captions(["a dog"], emphasis=True).context, other.context)
    assert {target.part for target in family.network_targets()} == {"unet"}


def test_an_outline_knows_all_layers_and_reads_one_part_after_the_other(base, family):
    part = families.outline(LoadOptions(str(base)))
    assert [target.name for target in part.layers()] == [target.name for target in family.layers()]
    read = {"vae": part.vae, "text": part.text_encoders[1], "unet": part.unet}

    def unread() -> set[str]:
        return {name for name, module in read.items() if next(module.parameters()).is_meta}

    assert unread() == {"vae", "text", "unet"}
    part.read("text_encoders")
    assert unread() == {"vae", "unet"}
    assert torch.equal(part.encode_captions(["a cat"]).context, family.encode_captions(["a cat"]).context)
    gone = weakref.ref(read.pop("text"))
    part.free_text_encoders()
    assert gone() is None  # not kept by a circle, as 1.5 GiB would be in a real model
    part.read("vae")
    assert unread() == {"unet"}
    part.read()
    assert unread() == set() and part.text_encoders == []
    assert all(torch.equal(one, two) for one, two in zip(part.unet.parameters(), family.unet.parameters(), strict=True))


def test_captions_without_padding_are_as_long_as_the_longest_of_the_batch(tmp_path):
    path = tiny.safetensors(tmp_path / "sd2.safetensors", "sd2")
    short = family_of(path, no_token_padding=True).encode_captions(["a cat", "a small cat"]).context
    whole = family_of(path).encode_captions(["a cat", "a small cat"]).context
    assert short.shape[1] == 5  # begin, three words, end
    assert torch.allclose(short, whole[:, :5], atol=1e-5)


@pytest.mark.parametrize("kind", ["sd2", "sdxl"])
def test_what_a_file_says_of_itself_is_followed_and_the_users_word_wins(tmp_path, kind):
    path = tiny.safetensors(tmp_path / "v.safetensors", kind, v_prediction=True)
    found = family_of(path)
    assert (found.prediction, found.zero_terminal_snr) == ("v", kind == "sdxl")
    assert any("v_parameterization was switched on" in note for note in found.notes)
    told = family_of(path, prediction_type="epsilon")
    assert (told.prediction, told.zero_terminal_snr, told.notes) == ("epsilon", False, [])
    assert family_of(path, v_parameterization=True).prediction == "v"


def wrong(base_state: dict[str, torch.Tensor], change: dict[str, torch.Tensor], drop: str | None = None) -> dict:
    return {name: value for name, value in base_state.items() if not (drop and name.startswith(drop))} | change


@pytest.mark.parametrize(
    ("change", "drop", "words"),
    [
        ({"edm_mean": torch.zeros(4), "edm_std": torch.zeros(4)}, None, "is an EDM model"),
        ({"edm_vpred.sigma_max": torch.zeros(1)}, None, "is an EDM model"),
        ({}, "conditioner.embedders.0.", "has no first text encoder"),
        ({}, "conditioner.embedders.1.", "has no second text encoder"),
        ({}, "first_stage_model.", "has no VAE; choose a VAE file under vae"),
        (
            {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(32, 9, 3, 3)}, None,
            "inpainting model with 9 input channels",
        ),
    ],
)  # fmt: skip
def test_files_that_are_no_ordinary_sdxl_model_get_a_sentence(tmp_path, change, drop, words):
    path = tmp_path / "bad.safetensors"
    save_file(wrong(tiny.state(family="sdxl"), change, drop), str(path))
    with pytest.raises(WeightsError, match=words):
        family_of(path)


def test_a_file_without_vae_trains_with_another_ones(tmp_path, base):
    path = tmp_path / "no_vae.safetensors"
    save_file(wrong(tiny.state(family="sdxl"), {}, "first_stage_model."), str(path))
    assert family_of(path, vae=str(base)).vae is not None


def test_a_refiner_is_named(tmp_path):
    path = tmp_path / "refiner.safetensors"
    save_file(
        {
            "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": torch.zeros(32, 1280),
            "conditioner.embedders.0.model.ln_final.weight": torch.zeros(1280),
            "first_stage_model.encoder.conv_in.weight": torch.zeros(16, 3, 3, 3),
        },
        str(path),
    )
    with pytest.raises(WeightsError, match=r"is a SDXL refiner base model; trained are Stable Diffusion 1\.x, 2\.x"):
        family_of(path)


def test_marker_keys_are_seen_in_a_ckpt_without_running_it(tmp_path):
    state = {**tiny.state(family="sdxl"), "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    torch.save({"state_dict": state}, str(tmp_path / "v.ckpt"))
    about = describe(tmp_path / "v.ckpt")
    assert (about.family, about.prediction, about.zero_terminal_snr) == ("sdxl", "v", True)


def test_the_sizes_of_a_joined_batch_stand_in_order():
    one = Conditioning(torch.zeros(1, 2, 3), torch.zeros(1, 4), SIZES[:1])
    assert torch.equal(one.joined(replace(one, sizes=SIZES[1:])).sizes, SIZES)
