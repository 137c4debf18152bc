"""The declarations of the parameters: complete, documented, named as sd-scripts names them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomlkit

from trainer.config import SECTIONS, ConfigError, Parameter, parameters, parse, read, to_toml
from trainer.config.fields import EXTRA_KEYS, ROLES

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}
SD_SCRIPTS = json.loads(
    (Path(__file__).parents[1] / "golden" / "sd_scripts_arguments.json").read_text(encoding="utf-8")
)["arguments"]
EVERY = {parameter.address: parameter for parameter in parameters()}


def message(values: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, **values})
    return str(caught.value)


@pytest.mark.parametrize("parameter", EVERY.values(), ids=EVERY)
def test_every_parameter_has_a_title_and_a_help_text(parameter: Parameter) -> None:
    assert parameter.title and parameter.help.endswith((".", "seed", "steps."))
    assert len(parameter.help) < 420


def test_a_name_stands_in_one_section_only() -> None:
    names = [name for model in SECTIONS.values() for name in model.model_fields]
    assert len(names) == len(set(names))


def test_only_the_allowed_extra_keys_and_roles_are_used() -> None:
    for model in SECTIONS.values():
        for field in model.model_fields.values():
            extra = field.json_schema_extra or {}
            assert set(extra) <= EXTRA_KEYS
            assert extra.get("role") in (None, *ROLES)


def test_shown_when_names_parameters_that_exist() -> None:
    names = {parameter.name for parameter in parameters()}
    for parameter in parameters():
        assert set(parameter.shown_when or {}) <= names


def test_every_parameter_that_the_guides_name_is_there() -> None:
    important = {entry["name"] for entry in SD_SCRIPTS if entry["important"]}
    assert important - {parameter.name for parameter in parameters()} == set()


@pytest.mark.parametrize(
    "entry", [e for e in SD_SCRIPTS if e["name"] in {p.name for p in parameters()}], ids=lambda e: e["name"]
)
def test_defaults_are_those_of_sd_scripts(entry: dict[str, object]) -> None:
    parameter = next(p for p in parameters() if p.name == entry["name"])
    ours = () if parameter.kind == "texts" else parameter.default
    theirs = () if parameter.kind == "texts" and entry["default"] is None else entry["default"]
    if entry["name"] not in ("network_module", "log_with", "optimizer_type", "lr_scheduler_type"):  # required there
        assert ours == theirs


def test_numbers_may_be_text_and_empty_text_is_unset() -> None:
    config = parse(
        {**NEEDED, "network_dim": "16", "unet_lr": "1e-4", "seed": "", "clip_skip": "2", "max_token_length": "225"}
    ).config
    assert (config.network.network_dim, config.optimizer.unet_lr, config.run.seed) == (16, 1e-4, None)
    assert (config.caption.clip_skip, config.caption.max_token_length) == (2, 225)


def test_numbers_may_stand_where_text_is_meant_but_switches_are_no_numbers() -> None:
    config = parse({**NEEDED, "output_name": 2024, "log_prefix": 1.5, "noise_offset": 0, "adaptive_noise_scale": 0.0})
    assert (config.config.save.output_name, config.config.log.log_prefix) == ("2024", "1.5")
    assert "keep_tokens is True; a whole number is needed" in message({"keep_tokens": True})
    assert "learning_rate is True; a number is needed" in message({"learning_rate": "true"})
    assert "keep_tokens is True; a whole number is needed" in message(
        {"subsets": [{"image_dir": "x", "keep_tokens": True}]}
    )


@pytest.mark.parametrize("value", [512, "512", "512,512", "512x512", [512, 512]])
def test_a_resolution_is_read_in_every_usual_form(value: object) -> None:
    assert parse({**NEEDED, "resolution": value}).config.dataset.resolution == (512, 512)


@pytest.mark.parametrize(
    ("value", "meant"), [(100, 100), ("100", 100), (0.1, 0.1), ("0.1", 0.1), ("10%", 0.1), ("0", 0), ("150%", 1.5)]
)
def test_warm_up_is_steps_a_part_or_a_percentage(value: object, meant: float) -> None:
    assert parse({**NEEDED, "lr_warmup_steps": value}).config.schedule.lr_warmup_steps == meant


@pytest.mark.parametrize("value", ["1.0", "1.5", "1e2", "many"])
def test_a_warm_up_that_sd_scripts_refuses_is_refused(value: str) -> None:
    assert "steps, a ratio below 1 or a percentage such as 10%" in message({"lr_warmup_steps": value})


def test_every_mistake_is_reported_at_once_with_its_address_value_and_cure() -> None:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, "network_dim": -3, "mixed_precision": "fp61", "unet_lr": "fast", "shuffle_caption": "maybe"})
    said = {problem.address: problem.message for problem in caught.value.problems}
    assert said == {
        "network.network_dim": "network_dim is -3; it must be 1 or more",
        "precision.mixed_precision": 'mixed_precision is "fp61"; choose one of no, fp16, bf16; did you mean fp16?',
        "optimizer.unet_lr": 'unet_lr is "fast"; a number is needed, such as 0.0001 or 1e-4',
        "caption.shuffle_caption": 'shuffle_caption is "maybe"; true or false is needed',
    }


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"adaptive_noise_scale": 0.1}, "adaptive_noise_scale needs noise_offset"),
        ({"scale_v_pred_loss_like_noise_pred": True}, "needs v_parameterization"),
        ({"v_pred_like_loss": 0.5, "v_parameterization": True}, "v_pred_like_loss is for ordinary models only"),
        ({"full_fp16": True}, "full_fp16 needs mixed_precision fp16, it is no"),
        ({"fp8_base": True}, "fp8_base needs mixed_precision"),
        ({"fp8_base_unet": True}, "fp8_base_unet needs mixed_precision"),
        ({"fp8_base": True, "mixed_precision": "bf16", "quantize_base": "nf4"}, "exclude each other"),
        ({"torch_compile": True, "dynamo_backend": "tensort"}, "dynamo_backend"),
        ({"network_train_unet_only": True, "network_train_text_encoder_only": True}, "exclude each other"),
        ({"dim_from_weights": True}, "dim_from_weights needs network_weights"),
        ({"network_args": ["conv_dmi=4"]}, "networks.lora has no argument 'conv_dmi'; did you mean 'conv_dim'?"),
        (
            {"network_args": ["loraplus_lr_ratio=4"], "optimizer_type": "Prodigy", "learning_rate": 1},
            "Prodigy needs one rate for everything, but loraplus_lr_ratio gives parts",
        ),
        ({"network_args": ["conv_dim=four"]}, "conv_dim=four is not a whole number"),
        ({"unet_lr": 0, "text_encoder_lr": 0}, "nothing would be trained"),
        ({"cache_text_encoder_outputs": True}, "needs network_train_unet_only"),
        (
            {"cache_text_encoder_outputs": True, "network_train_unet_only": True, "shuffle_caption": True},
            "does not go with shuffle_caption",
        ),
        ({"enable_bucket": True, "bucket_reso_steps": 40}, "multiple of 64, or of 32 for SDXL"),
        ({"enable_bucket": True, "min_bucket_reso": 640}, "above the resolution's shorter side 512"),
        ({"enable_bucket": True, "max_bucket_reso": 320}, "below the resolution's longer side 512"),
        ({"log_with": "tensorboard"}, "needs logging_dir"),
        ({"pretrained_model_name_or_path": ""}, "no base model is given"),
        ({"enable_bucket": True, "bucket_reso_steps": 1}, "multiple of 64, or of 32 for SDXL"),
        ({"caption_extension": "te xt"}, "write it as .txt"),
    ],
)
def test_contradictions_are_refused_with_the_cure(values: dict[str, object], words: str) -> None:
    assert words in message(values)


@pytest.mark.parametrize("name", ["a/b", "..", "con", "NUL.txt", "-x", "x.", " x", "x\u202ey", "a:b", "a\\b"])
def test_an_output_name_that_is_no_file_name_everywhere_is_refused(name: str) -> None:
    assert "cannot be used" in message({"output_name": name})


def test_names_in_any_script_are_welcome() -> None:
    assert parse({**NEEDED, "output_name": "安比 v2 (тест)"}).config.save.output_name == "安比 v2 (тест)"


def test_an_optional_number_that_a_launcher_writes_as_zero_is_off() -> None:
    parsed = parse({**NEEDED, "noise_offset": 0, "seed": -1, "save_every_n_epochs": "0", "min_snr_gamma": 0.0})
    assert (parsed.config.noise.noise_offset, parsed.config.run.seed, parsed.config.save.save_every_n_epochs) == (
        None,
        None,
        None,
    )
    assert "noise_offset = 0 was read as off" in [note.message for note in parsed.notes]


def test_a_learning_rate_of_zero_is_kept_because_it_means_something() -> None:
    assert parse({**NEEDED, "text_encoder_lr": 0}).config.optimizer.text_encoder_lr == 0


def test_unknown_keys_of_a_file_are_named_and_never_dropped_in_silence() -> None:
    said = [note.message for note in parse({**NEEDED, "rank_dim": 4, "lowram": True, "restart_cycles": 1}).notes]
    assert "rank_dim = 4 was left out: no such parameter" in said
    assert any(text.startswith("lowram was left out: models are loaded once") for text in said)
    assert any(text.startswith("restart_cycles = 1 was left out") for text in said)


def test_a_slip_of_the_pen_in_a_file_is_an_error_since_it_would_train_with_another_value() -> None:
    assert (
        message({"netwrk_dim": 4})
        == "netwrk_dim = 4 is not a parameter; did you mean network_dim? Correct or remove it"
    )


@pytest.mark.parametrize("name", ["text_encoder_lr1", "restart_cycles"])
def test_names_of_other_programs_are_no_slips(name: str) -> None:
    assert any(note.message.startswith(f"{name} = 1 was left out") for note in parse({**NEEDED, name: 1}).notes)


def test_old_spellings_do_what_they_did() -> None:
    config = parse({**NEEDED, "caption_extention": ".tags", "use_8bit_adam": True}).config
    assert (config.caption.caption_extension, config.optimizer.optimizer_type) == (".tags", "AdamW8bit")


@pytest.mark.parametrize("switch", ["use_8bit_adam", "use_lion_optimizer"])
def test_an_old_switch_that_contradicts_the_optimizer_is_refused(switch: str) -> None:
    assert f"{switch} contradicts optimizer_type Prodigy" in message({switch: True, "optimizer_type": "Prodigy"})


def test_a_flat_file_of_sd_scripts_and_our_tables_mean_the_same(tmp_path: Path) -> None:
    flat, ours = tmp_path / "flat.toml", tmp_path / "ours.toml"
    flat.write_text(
        'pretrained_model_name_or_path = "b"\ntrain_data_dir = "t"\nresolution = "512,768"\nnetwork_dim = 8\n',
        encoding="utf-8",
    )
    config = read(flat).config
    ours.write_text(to_toml(config), encoding="utf-8")
    assert read(ours).config == config


def test_a_kohya_gui_file_is_understood() -> None:
    config = parse({**NEEDED, "max_resolution": "768,768", "resolution": "", "epoch": 8, "optimizer": "Prodigy",
    "LoRA_type": "Kohya LoCon",
                    "optimizer_args": "decouple=True weight_decay=0.01", "max_token_length": "75",
                    "xformers": "xformers",
                    "conv_dim": 4, "shuffle_caption": "True"}).config  # fmt: skip
    assert (config.dataset.resolution, config.run.max_train_epochs, config.optimizer.optimizer_type) == (
        (768, 768),
        8,
        "Prodigy",
    )
    assert config.optimizer.optimizer_args == ("decouple=True", "weight_decay=0.01")
    assert config.network.network_args == ("conv_dim=4",)
    assert config.caption.shuffle_caption and config.caption.max_token_length is None


def test_an_override_wins_and_an_unknown_one_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        'pretrained_model_name_or_path = "b"\ntrain_data_dir = "t"\nresolution = 512\n[network]\nnetwork_dim = 8\n',
        encoding="utf-8",
    )
    assert read(file, ["network_dim=16", "network.network_alpha=2"]).config.network.network_dim == 16
    with pytest.raises(ConfigError, match="network_dmi is not a parameter; did you mean network_dim"):
        read(file, ["network_dmi=16"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"network_dim = ", "is not valid TOML"),
        ("a = '\u4e2d'".encode("gbk"), "is not UTF-8 text"),
        (b"x = 1\n" * 400_000, "larger than 2 MB"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        read(file)
    assert "bad.toml" in str(caught.value)


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "bom.toml"
    file.write_bytes(b'\xef\xbb\xbfpretrained_model_name_or_path = "b"\ntrain_data_dir = "t"\nresolution = 512\n')
    assert read(file).config.model.pretrained_model_name_or_path == "b"


def test_folders_with_own_options_survive_the_way_through_toml(tmp_path: Path) -> None:
    subset = {"image_dir": "pics", "num_repeats": 3, "class_tokens": "cat", "flip_aug": True}
    config = parse({**NEEDED, "train_data_dir": "", "subsets": [subset]}).config
    file = tmp_path / "run.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    assert read(file).config == config


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("1e-5", 1e-5),
        ([1e-5], 1e-5),
        ("1e-5, 2e-5", (1e-5, 2e-5)),
        ([1e-5, 2e-5, 3e-5], (1e-5, 2e-5)),
        ([0.5, 0.5], 0.5),
    ],
)
def test_the_rate_of_the_text_encoders_is_one_number_or_two(value: object, meant: object) -> None:
    config = parse({**NEEDED, "text_encoder_lr": value}).config
    assert config.optimizer.text_encoder_lr == meant
    assert parse(tomlkit.parse(to_toml(config)).unwrap()).config == config


@pytest.mark.parametrize("value", ["fast", -1, "1,x", True])
def test_a_rate_of_the_text_encoders_that_is_no_number_is_refused(value: object) -> None:
    assert "a number from 0 to 100 is needed, such as 1e-5, or two of them" in message({"text_encoder_lr": value})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("train_data_dir", "a\0b", "train_data_dir holds a zero byte; type it again"),
        ("train_data_dir", "caf\udce9", "train_data_dir is caf\ufffd, a name that is not UTF-8; rename the file"),
        ("output_name", "caf\udce9", "output_name is caf\ufffd, which holds half a character; type it again"),
        ("base_weights", ["a", "b\ud800"], "base_weights is b\ufffd, a name that is not UTF-8"),
        ("subsets", [{"image_dir": "x", "class_tokens": "\0"}], "subsets holds a zero byte"),
        ("network_args", 5, "network_args is 5: one text, or a list of texts, is needed"),
        ("optimizer_args", [["a=1"]], "one text, or a list of texts, is needed"),
        ("base_weights", {"a": 1}, "one text, or a list of texts, is needed"),
    ],
)
def test_a_value_that_no_file_can_hold_or_of_a_wrong_kind_is_told_at_its_parameter(name, value, words):
    with pytest.raises(ConfigError) as error:
        parse({**NEEDED, name: value})
    assert [problem.message for problem in error.value.problems if words in problem.message] != []
    assert str(error.value).encode("utf-8")
