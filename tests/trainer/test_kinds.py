"""What a base model is trained as: its file's word, the user's word, and what follows, before anything is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from place import Place
from safetensors.torch import save_file

from trainer.config import TrainConfig, parse
from trainer.families import kinds
from trainer.families.weights import Description, describe

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "1024"}


def config(**values: object) -> TrainConfig:
    return parse({**NEEDED, **values}).config


def file(family: str, **facts: object) -> Description:
    titles = {"sd1": "Stable Diffusion 1.x", "sd2": "Stable Diffusion 2.x", "sdxl": "Stable Diffusion XL"}
    widths = {"sd1": 768, "sd2": 1024, "sdxl": 2048}
    told = {"prediction": "epsilon", "context_width": widths[family], "detail": f"{titles[family]} base model", **facts}
    return Description(Path("base.safetensors"), "checkpoint", family, **told)


def said(config: TrainConfig, about: Description) -> str:
    settled = kinds.settle(config, about)
    return " | ".join(one.message for one in settled.problems)


def notes(config: TrainConfig, about: Description) -> str:
    return " | ".join(one.message for one in kinds.settle(config, about).notes)


def test_markers_switch_on_what_the_run_needs_with_a_word():
    noob = file("sdxl", prediction="v", zero_terminal_snr=True)
    settled = kinds.settle(config(), noob)
    assert settled.config.model.v_parameterization is True
    assert settled.config.noise.zero_terminal_snr is True
    assert [note.message.split(" so ")[1] for note in settled.notes] == [
        "v_parameterization was switched on", "zero_terminal_snr was switched on"
    ]  # fmt: skip


def test_v_for_a_file_that_does_not_say_v_is_questioned():
    assert "predicts noise, but v_parameterization is on" in notes(
        config(v_parameterization=True), file("sdxl", says_epsilon=True)
    )
    assert "does not say that it predicts v" in notes(config(v_parameterization=True), file("sdxl"))
    assert "NoobAI" in notes(config(v_parameterization=True), file("sdxl"))
    assert "SD 1.5 models" in notes(config(v_parameterization=True), file("sd1"))
    assert "NoobAI" not in notes(config(), replace(file("sd1"), path=Path("hll-v-pred.safetensors")))
    assert notes(config(v_parameterization=True), file("sd2", prediction=None)) == ""  # SD 2 files never say it
    assert notes(config(v_parameterization=True, prediction_type="v"), file("sdxl")) == ""


@pytest.mark.parametrize(
    ("name", "asked"),
    [("noobaiXL_vPred10.safetensors", True), ("my-v-pred.ckpt", True), ("xl_v_prediction.safetensors", True),
     ("noobaiXL_epsPred11.safetensors", False), ("novpredictor.safetensors", False), ("dev.predict.ckpt", False)],
)  # fmt: skip
def test_v_that_only_a_files_name_says_is_asked_about(name: str, asked: bool):
    named = replace(file("sdxl"), path=Path(name))
    assert (f"is {name} a v-prediction model?" in notes(config(), named)) == asked
    assert "a v-prediction model?" not in notes(config(v_parameterization=True), named)
    assert notes(config(prediction_type="epsilon"), named) == ""  # answered
    assert "a v-prediction model?" not in notes(config(), replace(named, says_epsilon=True))


@pytest.mark.parametrize(
    ("name", "told"), [("realvisTurbo_Lightning", True), ("sdxl_turbo", True), ("Hyperion", False)]
)
def test_a_name_that_says_few_steps_is_told(name: str, told: bool):
    named = replace(file("sdxl"), path=Path(f"{name}.safetensors"))
    assert ("draws in a few steps" in notes(config(), named)) == told


def test_models_and_loras_of_other_families_are_told_as_such():
    flux = Description(Path("f.safetensors"), "unet", "flux", detail="FLUX model")
    assert said(config(), flux) == "f.safetensors is a FLUX model; trained are Stable Diffusion 1.x, 2.x and XL"


def test_the_users_own_prediction_wins_over_the_markers():
    noob = file("sdxl", prediction="v", zero_terminal_snr=True)
    for chosen in ("epsilon", "v"):
        settled = kinds.settle(config(prediction_type=chosen), noob)
        assert settled.config.model.v_parameterization is (chosen == "v")
        assert settled.config.noise.zero_terminal_snr is False
        assert settled.notes == ()


def test_a_base_that_turns_out_to_be_v_brings_the_rules_of_v_with_it():
    assert "v_pred_like_loss is for ordinary models only" in said(
        config(v_pred_like_loss=0.5), file("sdxl", prediction="v")
    )


@pytest.mark.parametrize(
    ("values", "family", "words"),
    [
        ({"v2": True}, "sdxl", "v2 is on, but base.safetensors is a Stable Diffusion XL base model; switch v2 off"),
        ({"v2": True}, "sd1", "v2 is on, but base.safetensors is a Stable Diffusion 1.x base model; switch v2 off"),
        ({"model_family": "sd"}, "sdxl", "model_family is sd, but base.safetensors is a Stable Diffusion XL base"),
        ({"model_family": "sdxl"}, "sd1", "is a Stable Diffusion 1.x base model; set it to sd"),
        ({"model_family": "sdxl"}, "sd2", "is a Stable Diffusion 2.x base model; set it to sd"),
        (
            {"enable_bucket": True, "bucket_reso_steps": 32}, "sd1",
            "bucket_reso_steps is 32; for base.safetensors, a Stable Diffusion 1.x base model, it must be a multiple",
        ),
        ({"no_token_padding": True}, "sdxl", "no_token_padding is for Stable Diffusion 1.x and 2.x"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_the_file_is_said(values, family, words):
    assert words in said(config(**values), file(family))


@pytest.mark.parametrize(
    ("values", "family"),
    [
        ({}, "sd1"), ({}, "sd2"), ({}, "sdxl"), ({"v2": True}, "sd2"), ({"model_family": "sd"}, "sd2"),
        ({"model_family": "sdxl"}, "sdxl"),
        ({"enable_bucket": True, "bucket_reso_steps": 32, "max_bucket_reso": 2048}, "sdxl"),
    ],
)  # fmt: skip
def test_what_fits_is_let_through(values, family):
    assert said(config(**values), file(family)) == ""


def test_v2_is_obeyed_where_the_tensors_leave_it_open():
    assert kinds.trained_family(file("sd1", context_width=640), v2=True) == "sd2"
    assert kinds.trained_family(file("sd1", context_width=None)) == "sd1"


def test_a_missing_vae_is_a_problem_only_without_another_one():
    bare = file("sdxl", lacks_vae=True)
    assert "has no VAE; choose a VAE file under vae" in said(config(), bare)
    assert said(config(vae="sdxl_vae.safetensors"), bare) == ""


def test_settings_without_effect_on_sdxl_are_told():
    told = notes(config(clip_skip=2, resolution="512"), file("sdxl"))
    assert "clip_skip has no effect on SDXL" in told
    assert "resolution 512 x 512 is small for SDXL" in told
    assert notes(config(clip_skip=2), file("sd1")) == ""


def test_a_second_rate_that_no_text_encoder_takes_is_told():
    two = config(text_encoder_lr="1e-5,2e-5")
    assert notes(two, file("sd1", prediction=None)).startswith("text_encoder_lr has two rates")
    assert "it is trained with 1e-05, and 2e-05 is not used" in notes(two, file("sd1", prediction=None))
    assert "two rates" not in notes(two, file("sdxl"))
    assert "two rates" not in notes(config(text_encoder_lr="1e-5"), file("sd1"))


def test_departures_from_sd_scripts_without_effect_on_the_file_are_told():
    crops, weights = config(true_crop_coordinates=True), config(zero_terminal_snr_weights=True)
    assert notes(crops, file("sd1")) == "true_crop_coordinates has an effect on SDXL only"
    assert "true_crop_coordinates" not in notes(crops, file("sdxl"))
    assert "zero_terminal_snr_weights has an effect on v-prediction models with" in notes(weights, file("sd2"))
    used = config(zero_terminal_snr_weights=True, zero_terminal_snr=True, v_parameterization=True)
    assert "zero_terminal_snr_weights" not in notes(used, file("sd2"))


def test_true_crops_and_rescaled_weights_reach_the_loss_of_a_run(place: Place):
    (place.root / "base.safetensors").unlink()
    tiny.safetensors(place.root / "base.safetensors", "sdxl")
    usual = {
        "max_train_epochs": 1, "zero_terminal_snr": True, "v_parameterization": True, "min_snr_gamma": 5,
        "enable_bucket": False, "resolution": "128,64",
    }  # fmt: skip
    for job, change in (("usual", {}), ("crops", {"true_crop_coordinates": True}),
                        ("weights", {"zero_terminal_snr_weights": True})):  # fmt: skip
        assert place.train(job, **usual, **change) == 0
    first, crops, weights = (place.losses(job)[0] for job in ("usual", "crops", "weights"))
    assert len({first, crops, weights}) == 3


@pytest.mark.parametrize("values", [{"model_family": "sd"}, {"v2": True}])
def test_an_sdxl_file_in_an_sd_form_is_refused_before_anything_is_made(place: Place, values, capsys):
    (place.root / "base.safetensors").unlink()
    tiny.safetensors(place.root / "base.safetensors", "sdxl")
    assert place.train(**values) == 2
    assert "base.safetensors is a Stable Diffusion XL base model" in capsys.readouterr().err
    assert not (place.root / "output").exists()
    assert [event["event"] for event in place.events()] == ["failed"]


def test_an_old_config_of_sd15_with_an_sdxl_file_trains_sdxl(place: Place):
    (place.root / "base.safetensors").unlink()
    tiny.safetensors(place.root / "base.safetensors", "sdxl")
    assert place.train(clip_skip=2, max_train_epochs=1) == 0
    assert any(name.startswith("lora_unet_input_blocks_") for name in place.weights())


def test_the_report_tells_what_was_switched_on(tmp_path):
    about = describe(tiny.safetensors(tmp_path / "v.safetensors", "sdxl", v_prediction=True))
    assert (about.prediction, about.zero_terminal_snr, about.context_width) == ("v", True, 80)


def test_a_vae_is_known_in_all_its_forms(tmp_path, monkeypatch):
    state = {name: value for name, value in tiny.state().items() if name.startswith("first_stage_model.")}
    bare = {name.removeprefix("first_stage_model."): value for name, value in state.items()}
    save_file(bare, str(tmp_path / "vae.safetensors"))
    folder = tiny.folder(tmp_path / "folder")
    cache = tmp_path / "hub" / "models--someone--sdxl-vae"
    tiny.parts("sd1")["vae"].save_pretrained(str(cache / "snapshots" / "abc"))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc", encoding="utf-8")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    good = [tmp_path / "vae.safetensors", tiny.safetensors(tmp_path / "base.safetensors"), folder, folder / "vae"]
    for path in [*map(str, good), "someone/sdxl-vae"]:
        assert list(kinds.unusable_vae(path)) == [], path


def test_what_is_no_vae_is_refused_before_anything_is_loaded(tmp_path):
    save_file({"lora_unet_mid_block_x.lora_down.weight": torch.zeros(4, 4)}, str(tmp_path / "lora.safetensors"))
    (tmp_path / "cut.safetensors").write_bytes(b"\x00" * 4)
    (tmp_path / "empty").mkdir()
    words = {
        "lora.safetensors": "is a Stable Diffusion 1.x LoRA and holds no VAE", "cut.safetensors": "cut download",
        "empty": "is not a VAE folder", "none.safetensors": "does not exist",
    }  # fmt: skip
    for name, expected in words.items():
        (problem,) = kinds.unusable_vae(str(tmp_path / name))
        assert expected in problem.message
