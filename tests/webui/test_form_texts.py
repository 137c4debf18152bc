"""Every sentence about a configuration or a data set is known in Chinese: found in the code, looked up in the texts."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.webui.sentences import GAP, all_templates, fixed, is_known
from trainer.networks.arguments import MODULES
from trainer.optimizers import OPTIMIZERS
from trainer.schedules import CLASSES, SCHEDULES
from webui.texts import texts

PROJECT = Path(__file__).parents[2]
SOURCES = [*sorted((PROJECT / "trainer" / "config").rglob("*.py")), *sorted((PROJECT / "webui").glob("form*.py"))]
SOURCES += [*sorted((PROJECT / "trainer" / "dataset").glob("*.py")), PROJECT / "trainer" / "families" / "kinds.py"]
TEMPLATE_PLACE = {"Problem": 1, "Note": 1, "error": 1, "warning": 1, "PresetError": 0, "Said": 0, "_sentence": 0}


def templates(path):
    """Literal templates of problems and notes made in a file, also those that stand in a line before (`said = ...`)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "said":
            yield from [node.value.value] if isinstance(getattr(node.value, "value", None), str) else []
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = TEMPLATE_PLACE.get(node.func.id)
        if place is None or len(node.args) <= place:
            continue
        said = node.args[place]
        if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value != "{reason}":
            yield said.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_template_of_a_problem_is_translated(path):
    phrases = texts("zh")["phrases"]
    missing = [template for template in templates(path) if template not in phrases]
    assert missing == [], f"add these to webui/text/zh/errors.toml: {missing}"


def test_every_sentence_of_the_trainer_and_the_taggers_is_translated():
    known = {fixed(phrase) for phrase in texts("zh")["phrases"]}
    missing = {text.replace(GAP, "{}"): file for text, file in all_templates().items() if not is_known(text, known)}
    assert missing == {}, "add these to webui/text/zh/reasons.toml"


def test_sentences_of_every_kind_are_found():
    found = {text.replace(GAP, "{}") for text in all_templates()}
    assert len(found) > 230
    assert {
        "{}: rank {} is no multiple of unit {}; change one of them",  # raised
        "{} is only a git-lfs pointer of {} bytes, not the model; download the real file",  # returned
        "lower train_batch_size from {} to {} and double gradient_accumulation_steps",  # prepared
        "{} is a link to a folder, which is not followed; tag that folder by itself",  # warned of
        "{}: damaged or cut download; fetch it again (it has only {} bytes)",  # with a constant in it
    } <= found


def test_a_translation_uses_only_the_placeholders_of_its_template():
    for english, chinese in texts("zh")["phrases"].items():
        assert set(re.findall(r"\{(\w+)\}", chinese)) <= set(re.findall(r"\{(\w+)\}", english)), english


def test_templates_are_really_found():
    found = [template for path in SOURCES for template in templates(path)]
    assert len(found) > 60


@pytest.mark.parametrize("module", MODULES)
def test_every_network_argument_is_explained_in_chinese(module):
    phrases = texts("zh")["phrases"]
    said = [method.help for method in MODULES[module].values()]
    said += [one.help for method in MODULES[module].values() for one in method.arguments.values()]
    missing = sorted({text for text in said if text not in phrases})
    assert missing == [], f"add these to webui/text/zh/networks.toml: {missing}"


def test_every_optimizer_and_schedule_and_their_arguments_are_explained_in_chinese():
    phrases = texts("zh")["phrases"]
    tables = [*OPTIMIZERS.values(), *SCHEDULES.values(), *CLASSES.values()]
    said = {text for entry in tables for text in (entry.help, *(one.help for one in entry.arguments.values()))}
    assert sorted(said - set(phrases)) == [], "add these to webui/text/zh/arguments.toml"
