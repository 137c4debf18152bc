"""Files of other programs in the form: what is taken, what is translated, what is refused."""

from __future__ import annotations

import json

import pytest

from trainer.config import ConfigError, parameters, to_toml
from trainer.config.programs import kohya_ss, lora_scripts
from webui import form
from webui.form_import import read_text, take


def imported(text, name="file.toml"):
    return take(read_text(text, name))


def notes_of(found):
    return [note.message for note in found.notes]


LORA_SCRIPTS = """
[model_arguments]
pretrained_model_name_or_path = "./sd-models/anything.safetensors"
v2 = false
[dataset_arguments]
train_data_dir = "./train/anby"
resolution = "512,768"
enable_bucket = true
[optimizer_arguments]
optimizer_type = "AdamW8bit"
unet_lr = 1e-4
text_encoder_lr = "1e-5"
lr_scheduler = "cosine_with_restarts"
lr_restart_cycles = 3
network_module = "networks.lora"
network_dim = 32
max_token_length = 255
lowram = true
"""

KOHYA_GUI = {
    "LoRA_type": "Standard", "adaptive_noise_scale": 0,
    "additional_parameters": "--ip_noise_gamma 0.1 --zero_terminal_snr",
    "cache_latents": True, "caption_extension": ".txt", "clip_skip": 2, "enable_bucket": True, "epoch": 10,
    "learning_rate": 0.0001,
    "lr_scheduler": "cosine", "lr_warmup": 10, "max_resolution": "512,512", "max_token_length": "75",
    "max_train_steps": 0,
    "min_snr_gamma": 5, "mixed_precision": "bf16", "multires_noise_iterations": 0, "network_alpha": 16,
    "network_dim": 32,
    "noise_offset": 0, "optimizer": "AdamW", "optimizer_args": "weight_decay=0.1 betas=0.9,0.99", "output_name": "cat",
    "pretrained_model_name_or_path": "D:/models/v1-5.safetensors", "scale_weight_norms": 0, "sdxl": False, "seed": 0,
    "text_encoder_lr": 0.0, "train_batch_size": 2, "train_data_dir": "D:/img", "unet_lr": 0.0001,
    "xformers": "xformers",
    "weighted_captions": True, "model_list": "custom", "num_cpu_threads_per_process": 2,
    "stop_text_encoder_training": 0,
}  # fmt: skip


def test_a_file_of_qiuyes_trainer_is_taken_over():
    found = imported(LORA_SCRIPTS)
    values = found.values
    assert values["dataset.train_data_dir"] == "./train/anby"
    assert (values["optimizer.unet_lr"], values["optimizer.text_encoder_lr"]) == ("1e-4", "1e-5")
    assert values["caption.max_token_length"] == "225"
    assert found.refused == ()
    told = notes_of(found)
    assert any("255 was read as 225" in note for note in told)
    assert values["schedule.lr_scheduler_num_cycles"] == "3"
    assert any(note.startswith("lowram was left out") for note in told)


def test_a_json_of_the_kohya_ss_page_is_taken_over():
    found = imported(json.dumps(KOHYA_GUI), "cat.json")
    values = found.values
    assert (values["dataset.resolution"], values["run.max_train_epochs"], values["dataset.train_batch_size"]) == (
        "512,512",
        "10",
        "2",
    )
    assert (values["optimizer.optimizer_type"], values["optimizer.optimizer_args"]) == (
        "AdamW",
        ["weight_decay=0.1", "betas=0.9,0.99"],
    )
    assert (values["schedule.lr_warmup_steps"], values["run.seed"], values["caption.max_token_length"]) == (
        "0.1",
        "",
        "",
    )
    assert (values["noise.noise_offset"], values["noise.ip_noise_gamma"], values["noise.zero_terminal_snr"]) == (
        "",
        "0.1",
        True,
    )
    assert values["network.network_train_unet_only"] is True
    assert (values["precision.xformers"], values["loss.min_snr_gamma"]) == (True, "5")
    assert found.refused == ()
    assert any("train the U-Net only" in note for note in notes_of(found))
    assert values["caption.weighted_captions"] is True


def test_nothing_that_says_something_is_dropped_in_silence():
    found = imported("unet_lr = 1e-4\nsomething_new = 3\nnetwork_dimm = 8\n")
    told = notes_of(found)
    assert any(note.startswith("something_new = 3 was left out") for note in told)
    assert any("did you mean network_dim?" in problem.message for problem in found.refused)
    assert found.values["optimizer.unet_lr"] == "1e-4"


def test_a_value_in_error_is_left_out_and_the_rest_is_taken():
    found = imported("[network]\nnetwork_dim = -4\nnetwork_alpha = 8\n[optimizer]\nunet_lr = 'fast'\n")
    assert found.values["network.network_alpha"] == "8"
    assert found.values["network.network_dim"] == ""
    assert {problem.address for problem in found.refused} == {"network.network_dim", "optimizer.unet_lr"}


def test_a_contradiction_is_told_and_does_not_lose_the_file():
    found = imported("full_fp16 = true\nmixed_precision = 'bf16'\nunet_lr = 1e-4\n")
    assert found.values["optimizer.unet_lr"] == "1e-4"
    assert found.refused[0].address == "precision.full_fp16"


def test_what_the_form_exports_comes_back_the_same():
    values = {
        **form.default_values(), "model.pretrained_model_name_or_path": "b", "dataset.resolution": "512,768",
        "dataset.subsets": [{"image_dir": "x", "num_repeats": 4, "is_reg": False}], "run.seed": "3",
        "schedule.lr_warmup_steps": "0.1",
    }  # fmt: skip
    config = form.check(values).ready
    found = imported(to_toml(config))
    assert found.values == form.raw_values(config)
    assert found.refused == ()


def test_our_own_preset_files_are_understood():
    found = imported("[preset]\ntitle.en = 'x'\n[network]\nnetwork_dim = 8\n[optimizer]\nlearning_rate = 1e-4\n")
    assert found.taken == 2
    assert notes_of(found) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = ", "not valid TOML"), ("{", "not valid JSON"), ("", "Nothing in this file"),
        ("x = 1", "Nothing in this file"),
        ("{}", "Nothing in this file"), ("[1, 2]", "holds a list in place of names"),
        ("#" * (2 * 2**20 + 1), "larger than 2 MB"),
        ("\x00\x01", "not valid TOML"), ('{"a": ' * 5000, "tables in tables without end"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_configuration_is_refused_with_a_sentence(text, words):
    with pytest.raises(ConfigError, match=words):
        imported(text)


def test_a_file_for_another_family_says_that_it_is_not_trained_here():
    found = imported(json.dumps({**KOHYA_GUI, "flux1_checkbox": True}))
    assert [problem.message.partition(",")[0] for problem in found.refused] == ["The file is for Flux"]
    assert notes_of(found)[0] == "This is a file of kohya_ss"
    assert (found.values["model.pretrained_model_name_or_path"], found.values["optimizer.unet_lr"]) == ("", "")
    assert found.values["dataset.train_data_dir"] == "D:/img"


def test_a_refused_option_is_told_and_the_rest_is_taken():
    found = imported("unet_lr = 1e-4\ndeepspeed = true\n")
    assert found.values["optimizer.unet_lr"] == "1e-4"
    assert "deepspeed is not supported" in found.refused[0].message


def test_a_file_for_sdxl_sets_the_wanted_family():
    found = imported(json.dumps({**KOHYA_GUI, "sdxl": True}))
    assert found.values["model.model_family"] == "sdxl"


def test_unmatched_quotes_in_free_arguments_are_told():
    found = imported(json.dumps({**KOHYA_GUI, "additional_parameters": '--a "b'}))
    assert any("quotes do not match" in note for note in notes_of(found))


def test_keys_of_other_pages_are_read_by_nobody_else():
    names = {parameter.name for parameter in parameters()}
    assert not (kohya_ss.KEYS | lora_scripts.KEYS) & names


def test_the_header_of_a_lora_fills_the_form():
    told = {"ss_network_dim": "24", "ss_network_module": "networks.lora", "ss_unet_lr": "0.0003", "ss_seed": "7",
            "ss_sd_model_name": "anything.safetensors"}  # fmt: skip
    header = {"__metadata__": told, "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": {}}
    found = imported(json.dumps(header), "anby.safetensors")
    assert (found.values["network.network_dim"], found.values["optimizer.unet_lr"]) == ("24", "3e-4")
    assert found.values["network.network_train_unet_only"] is True
    assert found.refused == ()
    assert any("It was trained on anything.safetensors" in note for note in notes_of(found))


def test_a_lora_without_metadata_is_refused_with_a_sentence():
    with pytest.raises(ConfigError, match="holds no training settings"):
        imported(json.dumps({"__metadata__": {"format": "pt"}, "a": {}}), "a.safetensors")


def test_data_sets_with_their_folders_are_taken_over():
    found = imported(
        'pretrained_model_name_or_path = "b"\n[[dataset.datasets]]\nresolution = 768\nbatch_size = 2\n'
        '[[dataset.datasets.subsets]]\nimage_dir = "a"\nflip_aug = false\n'
    )
    (group,) = found.values["dataset.datasets"]
    assert (group["resolution"], group["batch_size"]) == ("768,768", 2)
    assert group["subsets"] == [{"image_dir": "a", "flip_aug": False, "is_reg": False}]
