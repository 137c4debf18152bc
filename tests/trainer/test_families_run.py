"""Whole runs on every family, and their files in diffusers."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import tiny
import torch
from place import Place
from safetensors import safe_open

from trainer import families, networks
from trainer.families.base import Conditioning, LoadOptions
from trainer.networks.options import NetworkOptions

CACHED = {"network_train_unet_only": True, "cache_text_encoder_outputs": True, "shuffle_caption": False}


def with_base(place: Place, family: str, v_prediction: bool = False) -> Path:
    path = place.root / "base.safetensors"
    path.unlink()
    return tiny.safetensors(path, family, v_prediction)


def told(place: Place) -> dict[str, str]:
    with safe_open(place.root / "output" / "t.safetensors", "pt") as file:
        return dict(file.metadata())


@pytest.mark.parametrize(
    ("family", "v", "version", "architecture"),
    [
        ("sd2", True, "sd_v2_v", "stable-diffusion-v2-768-v/lora"),
        ("sd2", False, "sd_v2", "stable-diffusion-v2-512/lora"),
        ("sdxl", False, "sdxl_base_v1-0", "stable-diffusion-xl-v1-base/lora"),
        ("sdxl", True, "sdxl_base_v1-0", "stable-diffusion-xl-v1-base/lora"),
    ],
)
def test_a_run_ends_with_the_familys_keys_and_facts(place: Place, family, v, version, architecture):
    with_base(place, family, v)
    assert place.train(max_train_epochs=1) == 0
    text, unet = tiny.LORA_MODULES[family]
    assert len(place.weights()) == 3 * (text + unet)
    facts = told(place)
    assert (facts["ss_base_model_version"], facts["modelspec.architecture"]) == (version, architecture)
    assert facts["modelspec.prediction_type"] == ("v" if v else "epsilon")
    assert facts["ss_zero_terminal_snr"] == str(v and family == "sdxl")
    assert facts["ss_v2"] == str(family == "sd2")
    switched_on = [text for text in warnings(place) if "v_parameterization was switched on" in text]
    assert len(switched_on) == v


def warnings(place: Place) -> list[str]:
    return [event["message"] for event in place.events() if event["event"] == "warning"]


def test_kept_text_outputs_change_nothing_and_previews_need_no_text_encoder(place: Place):
    with_base(place, "sdxl")
    folder = place.root / "train" / "1_cat"
    for name, caption in (("0", r"nero \(fate\)"), ("1", "nero (fate)")):  # the same words, so one encoding
        assert (folder / f"{name}.txt").is_file()
        (folder / f"{name}.txt").write_text(caption, encoding="utf-8")
    previews = {"sample_prompts": "a cat --w 64 --h 64 --s 2\na dog --n bad --w 64 --h 64 --s 2",
                "sample_every_n_epochs": 1, "network_train_unet_only": True, "shuffle_caption": False}  # fmt: skip
    assert place.train("plain", output_name="plain", **previews) == 0
    assert place.train("kept", output_name="kept", cache_text_encoder_outputs=True, cache_as_npz=True, **previews) == 0
    # captions are encoded one by one there and by the batch here, which rounds differently
    assert place.losses("kept") == pytest.approx(place.losses("plain"), rel=1e-4)
    for job in ("plain", "kept"):
        samples = [event for event in place.events(job) if event["event"] == "sample"]
        assert [sample["step"] for sample in samples] == [3, 3, 6, 6]
    assert len(list(folder.glob("*_te_outputs.npz"))) == 5
    names = [str(np.load(folder / f"{name}_te_outputs.npz")["athanor_identity"]) for name in ("0", "1", "2")]
    assert names[0] == names[1] != names[2]


def test_text_encoders_leave_memory_once_their_outputs_are_kept(place: Place):
    from transformers import CLIPTextModel

    with_base(place, "sdxl")
    gc.collect()
    before = sum(type(thing) is CLIPTextModel for thing in gc.get_objects())
    seen: list[int] = []

    def count(*_: object) -> None:
        gc.collect()
        seen.append(sum(type(thing) is CLIPTextModel for thing in gc.get_objects()) - before)

    from trainer import train

    original = train.training_step
    try:
        train.training_step = lambda *given, **named: (count(), original(*given, **named))[1]
        assert place.train(max_train_epochs=1, **CACHED) == 0
    finally:
        train.training_step = original
    assert set(seen) == {0}


def test_sizes_of_each_picture_reach_the_unet_and_mirroring_moves_the_crop(place: Place, monkeypatch):
    with_base(place, "sdxl")
    seen: list[Conditioning] = []
    from trainer import train

    original = train.training_step

    def noting(family, latents, noise, timesteps, conditioning, *rest, **named):
        seen.append(conditioning)
        return original(family, latents, noise, timesteps, conditioning, *rest, **named)

    monkeypatch.setattr(train, "training_step", noting)
    assert place.train(max_train_epochs=1, flip_aug=True) == 0
    rows = {tuple(map(int, row)) for conditioning in seen for row in conditioning.sizes}
    # 64 x 64 pictures into 64 x 64; 96 x 64 ones into 64 x 64 fitted inside: 10 rows free above and below
    assert rows == {(64, 64, 0, 0, 64, 64), (64, 96, 10, 0, 64, 64)}


@pytest.mark.parametrize("family", ["sd2", "sdxl"])
def test_a_trained_lora_predicts_in_diffusers_what_it_predicts_here(place: Place, family):
    from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

    with_base(place, family)
    assert place.train(max_train_epochs=1, network_args=["conv_dim=2", "conv_alpha=1"]) == 0
    file = place.root / "output" / "t.safetensors"
    ours = families.load(LoadOptions(str(place.root / "base.safetensors")))
    network = networks.attach(ours.layers(), NetworkOptions(rank=2, alpha=2, conv_rank=2, conv_alpha=1), seed=0)
    network.load(place.weights(), "t")
    network.eval()
    noisy, steps = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([400])
    conditioning = ours.encode_captions(["cat, red"])
    sizes = torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]])
    with torch.no_grad():
        here = ours.predict(noisy, steps, Conditioning(conditioning.context, conditioning.pooled, sizes))

    folder = tiny.folder(place.root / "folder", family)
    parts = {name: type(part).from_pretrained(folder / name) for name, part in tiny.parts(family).items()}
    if family == "sdxl":
        pipeline = StableDiffusionXLPipeline(**parts, tokenizer=None, tokenizer_2=None, scheduler=DDIMScheduler())
    else:
        pipeline = StableDiffusionPipeline(
            **parts, tokenizer=None, scheduler=DDIMScheduler(), safety_checker=None, feature_extractor=None,
            requires_safety_checker=False,
        )  # fmt: skip
    plain = prediction(pipeline, family, noisy, steps, sizes)
    tensors = safetensors.torch.load_file(file)
    if family == "sd2":  # diffusers holds these layers as linear ones, as a file trained on its folder has them
        tensors = {
            key: value.flatten(1) if "_proj_" in key and value.ndim > 1 else value for key, value in tensors.items()
        }
    pipeline.load_lora_weights(tensors)
    there = prediction(pipeline, family, noisy, steps, sizes)
    assert (there - plain).abs().max() > 1e-3
    assert (there - here).abs().max() < 1e-4


@torch.no_grad()
def prediction(pipeline, family: str, noisy: torch.Tensor, steps: torch.Tensor, sizes: torch.Tensor) -> torch.Tensor:
    """What diffusers' own modules predict for the caption "cat, red"."""
    from trainer.families import tokens

    ids = {pad: torch.tensor(tokens.clip_tokenizer().chunks("cat, red", None, pad)) for pad in (tokens.EOS, 0)}
    if family == "sd2":
        return pipeline.unet(noisy, steps, encoder_hidden_states=pipeline.text_encoder(ids[0])[0]).sample
    one = pipeline.text_encoder(ids[tokens.EOS], output_hidden_states=True)
    two = pipeline.text_encoder_2(ids[0], output_hidden_states=True)
    context = torch.cat([one.hidden_states[-2], two.hidden_states[-2]], dim=-1)
    added = {"text_embeds": two.text_embeds, "time_ids": sizes}
    return pipeline.unet(noisy, steps, encoder_hidden_states=context, added_cond_kwargs=added).sample


def test_a_stopped_sdxl_run_goes_on_to_the_same_numbers(place: Place):
    with_base(place, "sdxl", v_prediction=True)
    settings = {"max_train_epochs": 2, "flip_aug": True, "caption_dropout_rate": 0.3}
    assert place.train("whole", output_name="whole", **settings) == 0
    assert place.train("one", output_name="one", save_every_n_epochs=1, save_state=True, **settings) == 0
    (state,) = [path for path in (place.root / "one" / "state").iterdir() if "000001" in path.name]
    assert place.train("two", output_name="two", resume=str(state), **settings) == 0
    assert place.losses("two") == place.losses("whole")[3:]
