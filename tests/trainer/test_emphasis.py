"""Weighted prompts: the rules of sd-scripts (KOHYA_COMPAT 4.4) and its own ids and weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.families.emphasis import parse, plain
from trainer.families.tokens import clip_tokenizer

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "token_ids.json").read_text(encoding="utf-8"))["captions"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a cat", [("a cat", 1)]),
        ("", [("", 1)]),
        ("a (b) c", [("a ", 1), ("b", 1.1), (" c", 1)]),
        ("(b:1.3)", [("b", 1.3)]),
        ("(b:-.5)", [("b", -0.5)]),
        ("[b]", [("b", 1 / 1.1)]),
        ("((b))", [("b", 1.21)]),
        ("(a [b])", [("a ", 1.1), ("b", 1.0)]),
        (r"\(a\) \[b\] \\ c\d", [("(a) [b] \\ cd", 1)]),
        ("a) b]", [("a) b]", 1)]),
        ("(a, [b", [("a, ", 1.1), ("b", 1.0)]),
        ("[x:1.3]", [("x:1.3", 1 / 1.1)]),
        ("re:zero, 16:9", [("re:zero, 16:9", 1)]),
        ("(a: 1.3)", [("a: 1.3", 1.1)]),
        ("(a:1.2.3)", [("a:1.2.3)", 1.1)]),
    ],
)
def test_brackets_weigh_their_part(text, pieces):
    found = parse(text)
    assert [piece for piece, _ in found] == [piece for piece, _ in pieces]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in pieces])


@pytest.mark.parametrize(
    "row", [row for row in GOLDEN if "weighted_75_ids" in row], ids=lambda row: row["caption"][:20]
)
def test_ids_and_weights_are_those_of_sd_scripts(row):
    chunks, weights = clip_tokenizer().weighted(parse(row["caption"]))
    assert chunks == row["weighted_75_ids"]
    assert weights == pytest.approx(row["weighted_75_weights"][0], abs=1e-5)


def test_plain_text_weighs_one_everywhere():
    chunks, weights = clip_tokenizer().weighted([("a cat", 1.0)], 150)
    assert chunks == clip_tokenizer().chunks("a cat", 150)
    assert weights == [1.0] * 152


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"nero \(fate\)", "nero (fate)"),
        (r"\[a\], (b:1.2)", "[a], (b:1.2)"),
        (r"\\m/ c\d", r"\m/ cd"),
        (r"\\(a", r"\(a"),
    ],
)
def test_without_weights_a_backslash_before_a_bracket_is_no_text(text, words):
    assert plain(text) == words


@given(st.lists(st.sampled_from(["\\(", "\\)", "\\[", "\\]", "\\\\", "\\a", "b", ":1)", " "])).map("".join))
def test_captions_without_weights_have_the_words_of_prompts(text):
    assert plain(text) == "".join(words for words, _ in parse(text))
