"""CLIP tokens: the ids that sd-scripts gives (tests/golden/token_ids.json), counted without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.families.tokens import BOS, EOS, clip_tokenizer

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "token_ids.json").read_text(encoding="utf-8"))["captions"]
LENGTHS = {"75": None, "150": 150, "225": 225}


def cases():
    for row in GOLDEN:
        for column, ids in row.items():
            model, _, length = column.partition("_")
            if length in LENGTHS:
                yield pytest.param(row["caption"], model, LENGTHS[length], ids, id=f"{column}-{row['caption'][:20]}")


@pytest.mark.parametrize(("caption", "model", "length", "ids"), cases())
def test_ids_and_chunks_are_those_of_sd_scripts(caption, model, length, ids):
    assert clip_tokenizer().chunks(caption, length, EOS if model == "sd1" else 0) == ids


def test_a_known_sentence_has_the_known_ids():
    assert clip_tokenizer().ids("a photo of a cat") == [320, 1125, 539, 320, 2368]  # OpenAI's own tokenizer


def joined_one_round_after_the_other(word, ranks):
    """OpenAI's way to join: every round joins each occurrence of the pair that ranks best in the whole word."""
    while known := [pair for pair in zip(word, word[1:], strict=False) if pair in ranks]:
        best, rest, word = min(known, key=lambda pair: ranks[pair]), list(word), []
        while rest:
            if tuple(rest[:2]) == best:
                word, rest = [*word, "".join(rest[:2])], rest[2:]
            else:
                word, rest = [*word, rest[0]], rest[1:]
    return word


@given(st.text("abceinrst", min_size=1, max_size=40) | st.text("ah", min_size=1, max_size=40))
def test_a_word_is_joined_as_by_openai(word):
    tokenizer = clip_tokenizer()
    expected = joined_one_round_after_the_other([*word[:-1], word[-1] + "</w>"], tokenizer._ranks)
    assert tokenizer.ids(word) == [tokenizer._ids[part] for part in expected]


def test_a_word_of_60000_letters_is_counted():
    assert clip_tokenizer().count("ab" * 30_000) == 30_000  # "abab" is no token; counting pair by pair took an hour


def test_case_spaces_and_curly_quotes_do_not_matter():
    tokenizer = clip_tokenizer()
    assert tokenizer.ids("  A  PHOTO\tof a\ncat ") == tokenizer.ids("a photo of a cat")
    assert tokenizer.ids("it’s") == tokenizer.ids("it's")


def test_an_empty_caption_is_begin_and_padding():
    assert clip_tokenizer().chunks("") == [[BOS] + [EOS] * 76]
    assert clip_tokenizer().chunks("", pad=0) == [[BOS, EOS] + [0] * 75]


def test_text_beyond_the_limit_is_cut():
    tokenizer = clip_tokenizer()
    long = "cat " * 300
    assert tokenizer.count(long) == 300
    assert tokenizer.chunks(long) == [[BOS] + [2368] * 75 + [EOS]]
    assert [len(chunk) for chunk in tokenizer.chunks(long, 225)] == [77, 77, 77]


def test_any_unicode_has_tokens():
    assert clip_tokenizer().count("你好 🐱 é") > 0


def test_counting_tokens_needs_no_torch():
    code = "import sys; from trainer.families import tokens; tokens.clip_tokenizer(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "False", done.stderr
