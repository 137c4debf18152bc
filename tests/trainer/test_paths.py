"""Paths as people paste them: one function, and the places that use it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer.__main__ import main
from trainer.config import ConfigError, loads, parameters, parse, read
from trainer.config.commandline import read_words
from trainer.paths import FAULTS, PathError, pasted
from webui.texts import texts

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "train", "resolution": "512"}
HOME = str(Path.home())


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a/b", "/a/b"), ("  /a/b\t\n", "/a/b"), ('"/a/b c"', "/a/b c"), ("'/a/b'", "/a/b"), ("“/a/b”", "/a/b"),
        ("«/a/b»", "/a/b"), ("„/a/b“", "/a/b"), ("‘/a/b’", "/a/b"), ("`/a/b`", "/a/b"), ("＂/a/b＂", "/a/b"),
        ('" /a/b "', "/a/b"), ("'\"/a/b\"'", "/a/b"), ('/a/b"', "/a/b"), ("\u202a/a/b", "/a/b"),
        ("\ufeff/a/b\u200b", "/a/b"), ("\u3000/a/b\u00a0", "/a/b"),
        ("/a/b/", "/a/b"), ("/a/b//", "/a/b"), ("/", "/"), ("C:/", "C:/"), ("C:\\", "C:\\"), ("C:\\a\\b\\", "C:\\a\\b"),
        ("file:///a/b%20c", "/a/b c"), ("FILE:///a/b", "/a/b"), ("file:/a/b", "/a/b"), ("file://localhost/a", "/a"),
        ("file:///C:/a/b%20c", "C:/a/b c"), ("file:///a/%E4%B8%AD", "/a/中"), ("file:///a/b#1?.png", "/a/b#1?.png"),
        ("file://host/share", "//host/share"), ("\\\\host\\share", "\\\\host\\share"),
        ('"file:///a/b/"', "/a/b"), ("~", HOME), ("~/a", HOME + "/a"), ('"~/a/"', HOME + "/a"),
        ("~a.safetensors", "~a.safetensors"),
        ("./train", "./train"), ("train/安比", "train/安比"), ("it's", "it's"), ("'a' and 'b'.txt", "'a' and 'b'.txt"),
        ("owner/name", "owner/name"), ("", ""), ("  ", ""), ('""', ""), ("《a》", "《a》"),
    ],
)  # fmt: skip
def test_what_surrounds_a_pasted_path_is_taken_off(text: str, path: str) -> None:
    assert pasted(text) == path


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("C:\train\new", "control", r'"C:\train\new" holds characters that no path has'),
        ("D:\bilder\foto", "control", r'"D:\bilder\foto"'),
        ("/a\0b", "zero", r'"/a\0b" holds a zero byte'),
        ("~nobody-here/x", "user", "there is no user nobody-here on this machine; write the whole path"),
        ("x" * 5000, "long", "4096 bytes at most, 255 for each name"),
        ("/a/" + "安" * 86, "long", "255 for each name"),
        ("/a/\ud800", "text", "characters that are no text"),
    ],
)  # fmt: skip
@pytest.mark.skipif(os.name == "nt", reason="other limits")
def test_what_cannot_be_a_path_is_refused_before_a_disk_is_asked(text: str, kind: str, words: str) -> None:
    with pytest.raises(PathError) as caught:
        pasted(text)
    assert caught.value.kind == kind
    assert words in str(caught.value)
    str(caught.value).encode("utf-8")


PATHS = [parameter for parameter in parameters() if parameter.role is not None]


@pytest.mark.parametrize("parameter", PATHS, ids=lambda parameter: parameter.name)
def test_every_path_of_a_configuration_is_read_as_pasted(parameter) -> None:
    end = ".txt" if parameter.role == "prompts" else ".log" if parameter.name == "console_log_file" else ""
    values = {**NEEDED, parameter.name: f'"file:///a%20b/c{end}/"' if not end else f'"file:///a%20b/c{end}"'}
    config = parse(values).config
    value = getattr(getattr(config, parameter.section), parameter.name)
    assert value == ((f"/a b/c{end}",) if parameter.kind == "texts" else f"/a b/c{end}")


@pytest.mark.parametrize("parameter", PATHS, ids=lambda parameter: parameter.name)
@pytest.mark.parametrize("text", ["C:\train\new.txt", "~nobody-here/x.txt", "\ud800/x.txt"])
def test_every_path_that_cannot_be_one_is_refused_at_its_parameter(parameter, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({**NEEDED, parameter.name: text})
    problem = next(one for one in caught.value.problems if one.address == parameter.address)
    assert problem.message.startswith(parameter.name)
    assert problem.template in texts("zh")["phrases"]


def test_paths_of_listed_folders_and_prompts_are_read_as_pasted() -> None:
    rows = [{"image_dir": "“/a/b/”"}, {"metadata_file": "'/a/m.json'"}]
    config = parse({**NEEDED, "subsets": rows, "sample_prompts": ' "~/p.txt" '}).config
    assert [row.image_dir or row.metadata_file for row in config.dataset.subsets] == ["/a/b", "/a/m.json"]
    assert config.sample.sample_prompts == HOME + "/p.txt"
    assert parse({**NEEDED, "sample_prompts": '"a cat", sitting --w 512'}).config.sample.sample_prompts == (
        '"a cat", sitting --w 512'
    )
    assert parse({**NEEDED, "metadata_thumbnail": "data:image/png;base64,AAAA"}).config.save.metadata_thumbnail == (
        "data:image/png;base64,AAAA"
    )
    assert parse({**NEEDED, "vae": '""'}).config.model.vae is None


@pytest.mark.parametrize(
    "text",
    ['vae = "C:\\models\\x"', 'vae = "C:\\users\\x"', 'train_data_dir = "D:\\AI\\"\nseed = 1', '[a]\nvae = "E:\\x"'],
)
def test_single_backslashes_in_toml_are_named_with_three_cures(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loads(text, "run.toml")
    said = str(caught.value)
    assert "run.toml is not valid TOML" in said
    assert "write / or \\\\ in place of each \\, or put the path into single quotes" in said
    assert f"line {2 if '[a]' in text else 1}" in said


def test_a_path_that_toml_turned_into_tabs_and_lines_is_named_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('pretrained_model_name_or_path = "m"\nresolution = "512"\ntrain_data_dir = "C:\\train\\new"\n')
    with pytest.raises(ConfigError, match=r'train_data_dir: "C:\\train\\new" holds characters that no path has'):
        read(file)


def test_paths_of_a_dataset_config_are_read_as_pasted(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text("[[datasets]]\n[[datasets.subsets]]\nimage_dir = \"'/a/b/'\"\n", encoding="utf-8")
    given = [*(f"{name}={value}" for name, value in NEEDED.items()), f'dataset_config="{tmp_path}/d.toml"']
    parsed = read(None, given)
    assert parsed.config.dataset.datasets[0].subsets[0].image_dir == "/a/b"
    (tmp_path / "d.toml").write_text('[[datasets]]\n[[datasets.subsets]]\nimage_dir = "C:\\new"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r'datasets\]\] 1: .*image_dir: "C:\\new" holds characters'):
        read(None, given)


def test_files_of_the_command_line_are_read_as_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_words([f"'{tmp_path}/run.toml'"], ()).file == tmp_path / "run.toml"
    assert read_words(["--config_file", f"file://{tmp_path}/run.toml"], ()).file == tmp_path / "run.toml"
    assert main(["check", "~nobody-here/run.toml"]) == 2
    assert "there is no user nobody-here" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["inspect", "~nobody-here/x.safetensors"])
    assert ended.value.code == 2
    assert main(["inspect", f'"file://{tmp_path}/x.safetensors"']) == 2
    assert f"{tmp_path}/x.safetensors" in capsys.readouterr().err


def test_every_fault_of_a_path_is_translated() -> None:
    phrases = texts("zh")["phrases"]
    assert [kind for kind, template in FAULTS.items() if "{name}: " + template not in phrases] == []
