"""What is typed after launch.sh, in both languages, and app.py's own options. Finding a Python: test_scripts.py."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest

import app
from webui.launcher import messages, mirrors
from webui.launcher.__main__ import COMMANDS, HELP, UsageError, main, parse


def test_no_word_opens_the_page_and_keeps_its_options():
    request = parse(["--listen", "0.0.0.0", "--port", "28010", "--no-browser", "--lang", "zh"], "en")
    assert request.command == "page"
    assert request.arguments == ["--listen", "0.0.0.0", "--port", "28010", "--no-browser", "--lang", "zh"]


def test_listen_needs_no_address():
    assert parse(["--listen", "--no-browser"], "en").arguments == ["--listen", "--no-browser"]


def test_the_suite_runs_on_several_cores_unless_the_command_line_says_otherwise():
    words = COMMANDS["test"](parse(["test", "-n", "0", "-k", "buckets"], "en"), print)
    assert words[:4] == ["-m", "pytest", "-n", "logical"]
    assert words[-4:] == ["-n", "0", "-k", "buckets"]  # pytest obeys the last one


def test_setup_options_do_not_reach_the_page():
    request = parse(["--mirror", "china", "--torch=cpu", "--no-browser"], "en")
    assert (request.mirror, request.torch, request.arguments) == ("china", "cpu", ["--no-browser"])


def test_everything_after_a_command_is_its_own():
    request = parse(["--mirror=none", "test", "-k", "buckets", "--lang", "fr"], "en")
    assert (request.command, request.arguments) == ("test", ["-k", "buckets", "--lang", "fr"])


@pytest.mark.parametrize(
    ("words", "lang", "told"),
    [
        (["trian"], "en", "trian is not a command. Commands: page, demo, train, test, update"),
        (["trian"], "zh", "没有 trian 这个命令"),
        (["--mirror"], "en", "--mirror needs a value. Example: .*launch.* --mirror china"),
        (["--mirror", "moon"], "en", "--mirror cannot be 'moon'; choose one of: none, china"),
        (["--mirror", "moon"], "zh", "--mirror 不能是 'moon'，可以写：none, china"),
        (["--torch", "cu99"], "en", "--torch cannot be 'cu99'; choose one of: auto, cpu, cu130"),
        (["--port"], "en", "--port needs a value. Example: .*--port 28000"),
        (["train"], "en", "train needs a config file. Example: .*train my_lora.toml"),
        (["train"], "zh", "train 后面要写配置文件"),
    ],
)
def test_wrong_words_are_answered_with_how_to_write_it(words, lang, told):
    with pytest.raises(UsageError, match=told):
        parse(words, lang)


def test_wrong_use_ends_with_code_2(capsys):
    assert main(["--lang", "en", "trian"]) == 2
    assert "trian is not a command" in capsys.readouterr().err


def test_an_unknown_mirror_in_the_environment_is_named(monkeypatch, capsys):
    monkeypatch.setenv("ATHANOR_MIRROR", "moon")
    assert main(["--lang", "en"]) == 2
    assert "ATHANOR_MIRROR cannot be 'moon'; choose one of: none, china." in capsys.readouterr().err


@pytest.mark.parametrize("lang", messages.LANGUAGES)
def test_help_names_every_command(lang, capsys):
    assert main(["--lang", lang, "help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if name != "page" and name not in shown] == []
    assert "none|china" in shown


def test_both_helps_have_the_same_lines():
    assert [line.split()[:1] for line in HELP["en"].splitlines() if line.startswith("  -")] == [
        line.split()[:1] for line in HELP["zh"].splitlines() if line.startswith("  -")
    ]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(messages.table()))
def test_each_sentence_says_the_same_values_in_both_languages(key):
    sentence = messages.table()[key]
    assert set(sentence) == set(messages.LANGUAGES)
    assert places(sentence["en"]) == places(sentence["zh"])
    assert any("\u4e00" <= letter <= "\u9fff" for letter in sentence["zh"])


def test_each_sentence_is_used():
    code = "".join(path.read_text(encoding="utf-8") for path in Path(messages.__file__).parent.glob("*.py"))
    assert [key for key in messages.table() if f'"{key}"' not in code] == []


@pytest.mark.parametrize(
    ("arguments", "environment", "lang"),
    [
        (["--lang", "zh"], {"LANG": "en_US.UTF-8"}, "zh"),
        (["--lang=en"], {"LC_ALL": "zh_CN.UTF-8"}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_option_else_the_locale(arguments, environment, lang):
    assert messages.language(arguments, environment) == lang


def test_no_mirror_is_used_unless_asked_for(tmp_path):
    mirror = mirrors.chosen(tmp_path, {"LANG": "zh_CN.UTF-8"})
    assert (mirror.name, mirror.packages, mirror.models) == ("none", None, None)


def test_the_remembered_mirror_is_used_next_time(tmp_path):
    mirrors.remember(tmp_path, "china")
    assert (tmp_path / ".athanor" / "mirror").read_text(encoding="utf-8") == "china\n"
    mirror = mirrors.chosen(tmp_path, {})
    assert mirror.name == "china"
    assert mirror.packages is not None
    assert mirror.models is not None
    assert len(mirror.torch) >= 1


def test_a_damaged_choice_counts_as_none(tmp_path):
    mirrors.remember(tmp_path, "moon")
    assert mirrors.chosen(tmp_path, {}).name == "none"


def test_the_option_wins_over_the_environment_and_both_over_what_was_remembered(tmp_path):
    mirrors.remember(tmp_path, "china")
    assert mirrors.chosen(tmp_path, {"ATHANOR_MIRROR": "none"}).name == "none"
    assert mirrors.chosen(tmp_path, {"ATHANOR_MIRROR": "none"}, "china").name == "china"


def test_what_the_user_set_in_the_environment_wins_over_a_preset(tmp_path):
    environment = {
        "PIP_INDEX_URL": "https://packages.example/simple",
        "ATHANOR_TORCH_INDEX": "https://torch.example/whl/",
        "HF_ENDPOINT": "https://models.example",
    }
    mirror = mirrors.chosen(tmp_path, environment, "china")
    assert mirror.packages is None  # pip reads PIP_INDEX_URL itself; an option would beat it
    assert mirror.torch == ("https://torch.example/whl",)
    assert mirror.models == "https://models.example"


def test_addresses_from_the_settings_tab_are_used(tmp_path):
    (tmp_path / ".athanor").mkdir()
    settings = {"package_mirror": "https://packages.example/simple", "torch_mirror": "", "hf_endpoint": "nonsense"}
    (tmp_path / ".athanor" / "settings.json").write_bytes(json.dumps(settings).encode())
    mirror = mirrors.chosen(tmp_path, {})
    assert mirror.packages == "https://packages.example/simple"
    assert mirror.models is None
    assert mirror.torch == mirrors.chosen(tmp_path / "elsewhere", {}).torch


def test_relative_paths_begin_at_the_program_wherever_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begun: list[Path] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webui.server.serve", lambda root, **options: begun.extend([root, Path.cwd()]))
    assert app.main([]) == 0
    assert begun == [app.ROOT, app.ROOT]


def test_the_page_listens_on_this_computer_only_unless_asked():
    given = app.arguments([])
    assert (given.host, given.listen, given.port, given.no_browser, given.lang) == (
        "127.0.0.1",
        None,
        28000,
        False,
        None,
    )
    assert app.arguments(["--listen"]).listen == "0.0.0.0"
    assert app.arguments(["--listen", "192.168.1.5"]).listen == "192.168.1.5"
    assert app.arguments(["--allow-host", "a.example", "--allow-host", "b.example"]).allow_host == [
        "a.example",
        "b.example",
    ]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "abc", "²"])
def test_a_port_that_is_none_is_refused_with_the_range(port, capsys):
    with pytest.raises(SystemExit) as ended:
        app.arguments([f"--port={port}"])
    assert ended.value.code == 2
    assert f"'{port}' is not a port; use a number from 1 to 65535" in capsys.readouterr().err
