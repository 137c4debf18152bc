"""Every phrase of the page has its Chinese; every parameter its title and help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from trainer.config import parameters
from webui import TABS
from webui.server import STATIC
from webui.texts import FOLDER, phrase, texts

CALL = re.compile(r"""(?<![\w.$])t\(\s*('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$]|\\.)*`)""")
PROJECT = Path(__file__).parents[2]
SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))


def phrases_of(script: str) -> set[str]:
    """The phrases that a script hands to t(...) as literals."""
    found = CALL.findall((STATIC / script).read_text(encoding="utf-8"))
    return {re.sub(r"\\(.)", r"\1", literal[1:-1]) for literal in found}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_phrase_of_a_script_has_its_chinese(script):
    assert sorted(phrases_of(script) - set(texts("zh")["phrases"])) == []


GAP = re.compile(r"\{[^{}]*\}")
# Sentences of which the code has only the parts, or that come from elsewhere (pydantic).
COMPOSED = (
    "training sends nothing over the network, and a settings file is no place for a password",
    "{what}: {text} must be at least {limit}",
    "{what}: {text} must be at least {low} and at most {high}",
    "{what}: {text} must be at least {low} and below {high}",
    "{what}: {text} must be one of {choices}",
    "{path}: it has adapter_config.json but no adapter_model.safetensors; copy the adapter's folder again",
    "another process of this run ended or did not answer in time ({reason})",
    "Input should be greater than or equal to {n}",
    "Input should be less than or equal to {n}",
)


def sources() -> Iterator[str]:
    """Every text in the code, with \\0 in Python for each value that it is filled with."""
    for path in [path for package in ("webui", "trainer", "taggers") for path in (PROJECT / package).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield GAP.sub("\0", node.value)
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    for path in STATIC.glob("*.js"):
        yield re.sub(r"\\(.)", r"\1", path.read_text(encoding="utf-8"))
    for path in (PROJECT / "presets").rglob("*.toml"):
        yield path.read_text(encoding="utf-8")


def test_every_chinese_phrase_still_has_its_english_in_the_code():
    """A phrase is there with other values, in its parts, or made by a text with a gap, such as f"{name} was read"."""
    known = set(sources())
    whole = "\n".join(known)
    with_gaps = [text for text in known if "\0" in text and 10 <= len(text.replace("\0", "")) < 600]
    patterns = [re.compile(".*?".join(map(re.escape, text.split("\0"))), re.DOTALL) for text in with_gaps]
    stale = [
        phrase
        for phrase in texts("zh")["phrases"]
        if not all(part in whole or part.strip(" .,;:") in whole for part in GAP.split(phrase))
        and not any(pattern.fullmatch(phrase) for pattern in patterns)
    ]
    assert sorted(stale) == sorted(COMPOSED)


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
