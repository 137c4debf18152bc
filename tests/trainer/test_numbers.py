"""One reader of numbers: what it takes, what it refuses and which cure it names, in every place that holds numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.config import ConfigError, parse, read
from trainer.config.commandline import read_words
from trainer.config.dataset_file import read_dataset_file
from trainer.networks import arguments as network_arguments
from trainer.numbers import NumberError, read_number, read_numbers

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}


def message(values: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, **values})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-4", 0.0001), (" 0.0001\t", 0.0001), ("+.5", 0.5), ("5.", 5.0), ("1E3", 1000.0), ("16", 16),
        ("１e-4", 0.0001), ("０．５", 0.5), ("0。5", 0.5), ("1e−4", 0.0001), ("1e–4", 0.0001), ("－2", -2),
        ("1_000", 1000), ("16\u3000", 16), ("0012", 12),
    ],
)  # fmt: skip
def test_a_number_is_read_in_the_characters_of_any_keyboard(text: str, number: float) -> None:
    assert read_number(text) == number
    assert type(read_number(text)) is type(number)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("0,0001", "0.0001"), ("1,5", "1.5"), (",5", "0.5"), ("1，5", "1.5"), ("1,5e-4", "1.5e-4"), ("-0,5", "-0.5"),
        ("1 000", "1000"), ("1\u00a0000", "1000"), ("1'000", "1000"), ("1e- 4", "1e-4"),
        ("1,000", "1000 or 1.000"), ("1,000,000", "1000000"), ("1,000.5", "1000.5"), ("1.000,5", "1000.5"),
        ("1 000,5", "1000.5"),
        ("inf", ""), ("-Infinity", ""), ("nan", ""), ("1e400", ""), ("1e-400", ""), ("0x10", ""), ("٣", ""),
        ("10⁴", ""),
        ("", ""), ("1,2,3", ""), ("a", ""), ("9" * 5000, ""), ("1_", ""), ("\ud800", ""),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_what_to_write(text: str, cure: str) -> None:
    with pytest.raises(NumberError) as caught:
        read_number(text)
    assert caught.value.cure == cure


@pytest.mark.parametrize("text", ["1e-5,2e-5", "1e-5 2e-5", "1e-5, 2e-5", "1e-5，2e-5", "0.00001,0.00002"])
def test_two_numbers_may_stand_with_a_comma_or_a_blank_between_them(text: str) -> None:
    assert read_numbers(text) == [1e-5, 2e-5]


NUMBERS_OF_THE_FORM = (
    "learning_rate",
    "unet_lr",
    "text_encoder_lr",
    "network_alpha",
    "noise_offset",
    "lr_warmup_steps",
)


@pytest.mark.parametrize("name", NUMBERS_OF_THE_FORM)
def test_a_decimal_comma_is_refused_in_every_field_with_the_cure(name: str) -> None:
    assert f'{name} is "0,05"; numbers are written with a point, without commas or spaces: write 0.05' in message(
        {name: "0,05"}
    )


@pytest.mark.parametrize("name", [*NUMBERS_OF_THE_FORM, "face_crop_aug_range", "resolution", "network_dim"])
@pytest.mark.parametrize("text", ["inf", "nan", "1e400", "0x10", "٣"])
def test_infinity_and_what_looks_like_a_number_are_refused_in_every_field(name: str, text: str) -> None:
    assert f'{name} is "{text}"' in message({name: text})


IN_PLACE_OF_A_NUMBER = [float("nan"), float("inf"), 10**400, ["x"], {}, {"a": 1}]


@pytest.mark.parametrize("value", IN_PLACE_OF_A_NUMBER, ids=["nan", "inf", "huge", "list", "table", "full table"])
@pytest.mark.parametrize("name", ["learning_rate", "network_dim", "lr_warmup_steps", "text_encoder_lr", "resolution"])
def test_what_a_file_holds_in_place_of_a_number_is_refused(name: str, value: object) -> None:
    assert f"{name} is " in message({name: value})


def test_full_width_digits_and_unicode_minus_are_read_in_every_field() -> None:
    config = parse({
        **NEEDED, "learning_rate": "1e−4", "network_dim": "１６", "resolution": "５１２，７６８",
        "lr_warmup_steps": "１０％",
        "text_encoder_lr": "1e−5，2e−5", "face_crop_aug_range": "１．０，3.0", "max_train_steps": "1_000",
        "lr_scheduler_min_lr_ratio": "０。１", "subsets": [{"image_dir": "x", "num_repeats": "１０"}],
    }).config  # fmt: skip
    assert (config.optimizer.learning_rate, config.network.network_dim) == (1e-4, 16)
    assert (config.dataset.resolution, config.schedule.lr_warmup_steps) == ((512, 768), 0.1)
    assert (config.optimizer.text_encoder_lr, config.dataset.face_crop_aug_range) == ((1e-5, 2e-5), (1.0, 3.0))
    assert (config.run.max_train_steps, config.schedule.lr_scheduler_min_lr_ratio) == (1000, 0.1)
    assert config.dataset.subsets[0].num_repeats == 10


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("0,0001", "0.0001"), ("0,0001 0,00005", "0.0001"), ("0,0001,0,0002", "0.0001,0.0002"),
        ("1,0", "1.0, or 1.0,0.0 for two numbers"), ("(0,0001)", "0.0001"),
        ("1.000,5", "1000.5, or 1.000,5.0 for two numbers"),
        ("1,5e-4", "1.5e-4, or 1.0,5e-4 for two numbers"), ("0,1e-4", "0.1e-4, or 0.0,1e-4 for two numbers"),
    ],
)  # fmt: skip
def test_a_decimal_comma_never_becomes_a_second_rate(text: str, cure: str) -> None:
    assert message({"text_encoder_lr": text}).endswith(f"write {cure}")


@pytest.mark.parametrize("value", ["1.0,0.0", "1.0 0.0", "1 0", "1, 0", [1, 0], ["1", "0"], [1.0, 0.0]])
def test_two_rates_are_read_however_they_are_told_apart(value: object) -> None:
    assert parse({**NEEDED, "text_encoder_lr": value, "learning_rate": 1}).config.optimizer.text_encoder_lr == (1, 0)


def test_three_numbers_of_which_two_may_be_one_are_no_rates() -> None:
    assert "a number from 0 to 100 is needed" in message({"text_encoder_lr": "0,5,0"})
    assert parse({**NEEDED, "text_encoder_lr": "1e-4,5e-5"}).config.optimizer.text_encoder_lr == (1e-4, 5e-5)


def test_two_rates_on_the_command_line_are_two_words() -> None:
    given = read_words(["--text_encoder_lr", "1", "0", "--learning_rate", "1"], ())
    assert parse({**NEEDED, **given.options}).config.optimizer.text_encoder_lr == (1, 0)
    given = read_words(["--text_encoder_lr", "0,0001"], ())
    assert "write 0.0001" in message(given.options)


def test_what_stands_behind_the_second_rate_is_told() -> None:
    notes = [note.message for note in parse({**NEEDED, "text_encoder_lr": "1e-5 2e-5 3e-5"}).notes]
    assert "of 3 numbers text_encoder_lr uses the first 2: there are two text encoders at most" in notes


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        ({"optimizer_args": ["weight_decay=0,01"]}, "write 0.01"),
        ({"optimizer_args": ["betas=0,9,0,99"]}, "write 0.9,0.99"),
        ({"optimizer_args": ["weight_decay=inf"]}, "weight_decay=inf is not a number"),
        ({"lr_scheduler": "cosine", "lr_scheduler_args": ["num_cycles=0,5"]}, "write 0.5"),
        ({"network_args": ["conv_dim=8", "conv_alpha=0,5"]}, "write 0.5"),
        ({"network_args": ["down_lr_weight=0,5"]}, "write 0.5"),
        ({"network_args": ["down_lr_weight=" + ",".join(["0,5"] * 12)]}, "write " + ",".join(["0.5"] * 12)),
        ({"network_args": ["down_lr_weight=sine+0,25"]}, "write 0.25"),
        ({"network_args": ["down_lr_weight=0,1,0,2,0,3,0,4,0,5,0,6"]}, "write 0.1,0.2,0.3,0.4,0.5,0.6, or 0.0,1.0,"),
        ({"network_args": ["up_lr_weight=0,5,1"]}, "write 0.5,1, or 0.0,5.0,1.0 for 3 numbers"),
        ({"network_args": ["down_lr_weight=1,05,1"]}, "write 1.05,1, or "),
        ({"network_args": ["conv_dim=8,0"]}, "write 8"),
        ({"max_train_epochs": "1,000"}, 'max_train_epochs is "1,000"; numbers are written with a point, without commas '
         "or spaces: write 1000"),
        ({"network_dim": "8,0"}, "write 8"),
        ({"lr_warmup_steps": "1,000"}, "write 1000"),
        ({"lr_warmup_steps": "0,1"}, "write 0.1"),
        ({"base_weights": ["a.safetensors"], "base_weights_multiplier": ["0,8"]}, "write 0.8"),
        ({"face_crop_aug_range": "1,0,3,5"}, "write 1.0,3.5"),
        ({"lr_warmup_steps": "10,5%"}, "write 10.5%"),
    ],
)  # fmt: skip
def test_a_decimal_comma_is_cured_in_arguments_and_lists(values: dict[str, object], cure: str) -> None:
    assert cure in message(values)


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        ({"max_train_epochs": "1,5"}, "a whole number is needed"), ({"seed": "0,5"}, "a whole number is needed"),
        ({"subsets": [{"image_dir": "x", "num_repeats": "1,5"}]}, "a whole number is needed"),
        ({"network_args": ["conv_dim=1,5"]}, "conv_dim=1,5 is not a whole number"),
        ({"lr_warmup_steps": "1,5"}, "steps, a ratio below 1 or a percentage such as 10% is needed"),
        ({"lr_warmup_steps": "9" * 12}, "steps, a ratio below 1 or a percentage such as 10% is needed"),
        ({"seed": float("inf")}, "a whole number is needed"), ({"network_dim": float("nan")}, "a whole number"),
    ],
)  # fmt: skip
def test_where_a_whole_number_belongs_no_other_is_the_cure(values: dict[str, object], needed: str) -> None:
    said = message(values)
    assert needed in said
    assert "write" not in said


@pytest.mark.parametrize(("name", "line"), [("x.toml", "seed = {}\n"), ("x.json", '{{"seed": {}}}')])
def test_a_number_of_thousands_of_digits_is_named_with_its_line(tmp_path: Path, name: str, line: str) -> None:
    path = tmp_path / name
    path.write_text(line.format("9" * 6000), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read(path)
    said = str(caught.value)
    assert "holds a number of 6000 digits in line 1; no setting is that large" in said or (
        "seed is inf; a whole number is needed" in said
    )


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("caption_dropout_rate = '0.5'", 0.5), ("caption_dropout_rate = '０。５'", 0.5), ("caption_dropout_rate=1", 1),
        ("num_repeats = '２'", 2), ("num_repeats = 2.0", 2), ("face_crop_aug_range = [1, 2.5]", (1, 2.5)),
        ("face_crop_aug_range = '1,2.5'", (1, 2.5)), ("token_warmup_min = '3'", 3),
    ],
)  # fmt: skip
def test_a_dataset_file_is_read_as_the_settings_are(tmp_path: Path, line: str, number: object) -> None:
    path = tmp_path / "data.toml"
    path.write_text(f"[[datasets]]\n[[datasets.subsets]]\nimage_dir = 'a'\n{line}\n", encoding="utf-8")
    [group], _ = read_dataset_file(path)
    assert getattr(group.subsets[0], line.split()[0].partition("=")[0]) == number


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("caption_dropout_rate = '0,5'", "commas or spaces: write 0.5"), ("num_repeats = '1,0'", "spaces: write 1"),
        ("num_repeats = '1,5'", 'num_repeats is "1,5"; a whole number is needed'),
        ("num_repeats = 1.5", "num_repeats is 1.5; a whole number is needed"),
        ("num_repeats = true", "num_repeats is True; a whole number is needed"),
        ("caption_dropout_rate = inf", "caption_dropout_rate is inf; a number is needed"),
        ("face_crop_aug_range = '1,0,2,5'", "write 1.0,2.5"),
    ],
)  # fmt: skip
def test_a_dataset_file_names_the_cure_of_a_number(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "data.toml"
    path.write_text(f"[[datasets]]\n[[datasets.subsets]]\nimage_dir = 'a'\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_dataset_file(path)
    assert words in str(caught.value)


def test_legitimate_commas_stay() -> None:
    config = parse({
        **NEEDED, "resolution": "512,768", "optimizer_args": ["betas=0.9,0.99"], "lr_scheduler": "cosine",
        "network_args": ["down_lr_weight=" + ",".join(["1"] * 12), "up_lr_weight=0,1,0,1,1,0", "mid_lr_weight=0.5,2,3"],
        "face_crop_aug_range": "1,3",
    }).config  # fmt: skip
    assert config.dataset.resolution == (512, 768)
    assert config.dataset.face_crop_aug_range == (1.0, 3.0)


def test_arguments_are_read_in_the_characters_of_any_keyboard() -> None:
    assert network_arguments.parse("networks.lora", ["conv_dim=８", "conv_alpha=0。5"]) == {
        "conv_dim": 8, "conv_alpha": 0.5, "rank_dropout": 0.0, "module_dropout": 0.0, "block_lr_zero_threshold": 0.0,
    }  # fmt: skip


def test_half_a_character_is_a_name_to_change_only_where_a_path_belongs() -> None:
    assert "text_encoder_lr is \ufffd, which holds half a character; type it again" in message(
        {"text_encoder_lr": "\ud800"}
    )
    assert "a name that is not UTF-8; rename the file or folder" in message({"train_data_dir": "\ud800"})
    assert "a name that is not UTF-8" in message({"subsets": [{"image_dir": "\ud800"}]})
