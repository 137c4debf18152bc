"""Every phrase of the page has its Chinese; every parameter its title and help."""

from __future__ import annotations

import re

import pytest
import tomlkit

from trainer.config import parameters
from webui import TABS
from webui.server import STATIC
from webui.texts import FOLDER, phrase, texts

CALL = re.compile(r"""(?<![\w.$])t\(\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$]|\\.)*`)""")
SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))


def phrases_of(script: str) -> set[str]:
    """The phrases that a script hands to t(...) as literals."""
    found = CALL.findall((STATIC / script).read_text(encoding="utf-8"))
    return {re.sub(r"\\(.)", r"\1", literal[1:-1]) for literal in found}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_phrase_of_a_script_has_its_chinese(script):
    assert sorted(phrases_of(script) - set(texts("zh")["phrases"])) == []


COUNTED = re.compile(
    r"\{(?:n|count|total|done|captioned|restored|removed|repeats)\} (?!without)(?:[a-z-]+ )?[a-z]{3,}s\b(?!/)"
)
NEVER_ONE = ("This caption has {n} lines", "{count} processes were asked for", "broke off {n} times")


def test_no_phrase_counts_in_the_plural_alone():
    """English says "1 picture": a phrase gives both forms, "{n} {n|picture|pictures}"."""
    own = {phrase for script in SCRIPTS for phrase in phrases_of(script)}
    told = {phrase for phrase in texts("zh")["phrases"] if phrase.startswith("{count} ")}
    wrong = [phrase for phrase in own | told if COUNTED.search(phrase) and not any(one in phrase for one in NEVER_ONE)]
    assert wrong == [], "see `t` in webui/static/text.js and trainer/plurals.py"


def test_tab_titles_have_their_chinese():
    assert [phrase(title, "zh") for *_, title in TABS] == ["训练", "任务", "打标", "标签编辑", "TensorBoard", "设置"]


def test_a_chinese_phrase_fills_in_nothing_that_its_english_has_not():
    gap = re.compile(r"\{\w+\}")
    wrong = {
        english: chinese
        for english, chinese in texts("zh")["phrases"].items()
        if not set(gap.findall(chinese)) <= set(gap.findall(english))
    }
    assert wrong == {}


def test_every_parameter_has_a_chinese_title_and_help():
    known = texts("zh")["parameters"]
    missing = [
        parameter.address
        for parameter in parameters()
        if not {"title", "help"} <= set(known.get(parameter.address, {}))
    ]
    assert missing == []


@pytest.mark.parametrize("path", sorted((FOLDER / "zh").glob("*.toml")), ids=lambda path: path.name)
def test_a_text_file_holds_only_known_tables(path):
    assert set(tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()) <= {"phrases", "parameters"}
