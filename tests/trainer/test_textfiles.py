"""Settings files as people have them: other encodings, lists, endless nesting, names that stand twice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trainer import textfiles
from trainer.__main__ import main
from trainer.config import ConfigError, loads, read, read_values
from trainer.textfiles import ENCODINGS, TextFileError, decoded
from webui.texts import texts

CHINESE = 'output_name = "安比角色训练"\n# 学习率不要太高\nunet_lr = 0.0001\n'
JAPANESE = 'output_name = "キャラクター学習"\n# 学習率は低めにする\nunet_lr = 0.0001\n'
RUSSIAN = 'output_name = "персонаж"\n# Скорость обучения не слишком высокая\nunet_lr = 0.0001\n'


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("text", [CHINESE, JAPANESE, RUSSIAN])
def test_every_unicode_encoding_is_read_as_what_it_is(text: str, codec: str, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_bytes(text.encode(codec))
    assert read_values(file) == loads(text)


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (CHINESE, "gbk", "GBK (Chinese Windows)"), (JAPANESE, "shift_jis", "Shift-JIS (Japanese Windows)"),
        (RUSSIAN, "cp1251", "Windows-1251 (Russian)"), ('vae = "D:/模型/a"', "gbk", "GBK (Chinese Windows)"),
        ('vae = "D:/モデル/a"', "shift_jis", "Shift-JIS (Japanese Windows)"),
        ('vae = "D:/модели/a"', "cp1251", "Windows-1251 (Russian)"),
        ('output_name = "café"', "cp1252", "Windows-1252 (Western European)"),
        ('output_name = "Größe für Übungen"', "cp1252", "Windows-1252 (Western European)"),
        ('output_name = "긴 머리 소녀"', "euc_kr", "EUC-KR (Korean Windows)"),
        ('output_name = "銀髮的女孩"', "big5", "Big5 (Windows in Taiwan and Hong Kong)"),
        ('output_name = "МОДЕЛИ"', "cp1251", "GBK (Chinese Windows) or Windows-1251 (Russian)"),
    ],
)  # fmt: skip
def test_older_encodings_are_named_rightly_and_read_when_somebody_says_so(
    text: str, codec: str, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "run.toml"
    file.write_bytes(text.encode(codec))
    with pytest.raises(ConfigError) as caught:
        read_values(file)
    assert str(caught.value) == f"{file} is not UTF-8 text but looks like {name}; save it as UTF-8"
    guessed = caught.value.problems[0].values["codec"]
    assert guessed in ENCODINGS
    if " or " not in name:
        assert loads(decoded(file.read_bytes(), "run.toml", guessed)) == loads(text)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "is not UTF-8 text (byte 0); save it as UTF-8"),
        (b"\xe4\xb8", "is not UTF-8 text"),
        (b"unet_lr = 1\n" + bytes(40), "holds zero bytes, so it is no text file or was not written to its end"),
        (b"[" * 100_000, "tables in tables without end"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "tables in tables without end"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "tables in tables without end"),
        (b"a = " + b"[" * 200 + b"]" * 200, "tables in tables without end"),
        (b"a = " + b"[" * 20000, "tables in tables without end"),
        (b'[{"unet_lr": 1}]', "holds a list in place of names with values"),
        (b'{"unet_lr": 1, "unet_lr": 2}', "unet_lr stands there twice, as 1 and as 2; remove one of them"),
        (b"unet_lr = 1\nunet_lr = 2", 'Key "unet_lr" already exists'),
        (b'{"vae": "C:\\models"}', "in line 1, where single \\ stand: write / or \\\\ in place of each \\"),
        (b'{"unet_lr": ' + b"1" * 5000 + b"}", "holds a number of 5000 digits in line 1"),
        (b"vae = \"C:\\models\"", "is not valid TOML in line 1"),
    ],
    ids=range(14),
)  # fmt: skip
@pytest.mark.parametrize("name", ["run.toml", "run.json"])
def test_a_file_that_is_no_settings_file_gets_a_sentence(
    data: bytes, words: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    assert main(["check", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {file}") and words in err


@pytest.mark.parametrize("text", ["null", '"x"', "3"])
def test_json_that_is_one_value_is_called_so(text: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.json holds a single value in place of names with values; choose a"):
        loads(text, "x.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\nb = ]\n", "(at line 2, column 5)"), ('a = 1\nb = "x\nc = 1', "(at line 2, column 7)"),
        ("a = 1\nb =", "(at end of document)"), ("a = 1\nb = 2\na = 3", 'Key "a" already exists in its table (line 3)'),
        ('a = 1\nvae = "C:\\models"\nc = 3', "in line 2, where single \\ stand"),
        ('a = 1\nvae = "C:\\"\nc = "d"', "in line 2, where single \\ stand"),
    ],
)  # fmt: skip
def test_a_mistake_in_toml_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text, "run.toml")
    assert "run.toml is not valid TOML" in str(caught.value) and words in str(caught.value)


def test_toml_of_two_megabytes_is_read_with_every_table_and_letter() -> None:  # minutes with a parser for files to edit
    assert loads(f'training_comment = "{"x" * 1_900_000}"')["training_comment"] == "x" * 1_900_000
    tables = loads("".join(f"[[datasets]]\nresolution = {n}\n" for n in range(5000)))["datasets"]
    assert [table["resolution"] for table in tables] == list(range(5000))


def test_a_name_that_stands_twice_with_the_same_value_is_taken() -> None:
    assert loads('{"unet_lr": 1, "unet_lr": 1}') == {"unet_lr": 1}


def test_a_name_in_several_tables_is_told_with_the_value_that_is_used(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        'pretrained_model_name_or_path = "m"\ntrain_data_dir = "t"\nresolution = "512"\n'
        "learning_rate = 1e-4\n[a]\nnetwork_dim = 4\nseed = 1\n"
        "[b]\nnetwork_dim = 8\nseed = 1\n",
        encoding="utf-8",
    )
    parsed = read(file)
    assert parsed.config.network.network_dim == 8
    assert [note.message for note in parsed.notes] == [
        "network_dim stands in several tables of the file: 8 in the last one is used, 4 is not"
    ]
    assert read_values(file)["network_dim"] == 8
    file.write_text('__repeated__ = [["a", 1, 2]]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="no base model is given"):
        read(file)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "[1]", '{"a": 1}', "null", '"\\ud800"'])
@pytest.mark.parametrize(
    "name", ["unet_lr", "network_dim", "output_name", "unknown", "train_data_dir", "optimizer_args"]
)
def test_whatever_json_can_hold_ends_in_a_sentence_or_a_note(
    name: str, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    file.write_text(f'{{"{name}": {word}}}', encoding="utf-8")
    assert main(["check", str(file)]) == 2  # no base model is named
    capsys.readouterr().err.encode("utf-8")


def test_dataset_files_and_prompt_files_name_their_encoding_too(tmp_path: Path) -> None:
    from trainer.prompts import read_prompts

    data = tmp_path / "d.toml"
    data.write_bytes('[[datasets]]\n[[datasets.subsets]]\nimage_dir = "D:/训练/安比"\n'.encode("gbk"))
    needed = ["pretrained_model_name_or_path=m", "resolution=512", f"dataset_config={data}"]
    with pytest.raises(ConfigError, match=r"d\.toml is not UTF-8 text but looks like GBK"):
        read(None, needed)
    prompts = tmp_path / "p.txt"
    prompts.write_bytes("一个女孩站在雨中 --w 512".encode("gbk"))
    with pytest.raises(ConfigError, match=r"p\.txt is not UTF-8 text but looks like GBK"):
        read_prompts(str(prompts))
    prompts.write_bytes("一个女孩 --w 512".encode("utf-16"))
    assert read_prompts(str(prompts))[0].prompt == "一个女孩"


def test_every_sentence_about_a_text_file_is_translated() -> None:
    source = Path(textfiles.__file__).read_text(encoding="utf-8")
    parts = re.findall(r'"(\{path\}(?:[^"\\]|\\.)*)"(?:\s*"((?:[^"\\]|\\.)*)")?', source)
    templates = {(first + rest).replace("\\\\", "\\") for first, rest in parts}
    assert len(templates) > 8
    assert templates - set(texts("zh")["phrases"]) == set()


def test_a_codec_that_is_not_offered_is_not_used() -> None:
    with pytest.raises(TextFileError):
        decoded("安".encode("gbk"), "x", "rot13")
    assert set(ENCODINGS) == {"gb18030", "cp950", "cp932", "cp949", "cp1251", "cp1252"}
    assert json.dumps(ENCODINGS)
