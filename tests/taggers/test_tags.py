"""From scores to captions: thresholds, spelling, order, merging."""

from __future__ import annotations

import numpy as np
import pytest

from taggers.base import Vocabulary
from taggers.tags import TagOptions, choose, merge, same, split_typed, written
from trainer.dataset.captions import spaced

WORDS = Vocabulary(
    ("general", "explicit", "long_hair", "^_^", "smile", "anby_(zzz)", "masterpiece", "worst_quality", "sd_model", ""),
    ("rating", "rating", "general", "general", "general", "character", "quality", "quality", "model", "general"),
)
SCORES = np.array([0.2, 0.3, 0.9, 0.4, 0.34, 0.59, 0.5, 0.45, 0.8, 0.99], np.float32)
PLAIN = TagOptions(escape=False)


def tags(options: TagOptions, scores: np.ndarray = SCORES) -> list[str]:
    return [tag for tag, _ in choose(WORDS, scores, options).tags]


def test_tags_come_by_falling_score_and_only_from_the_threshold_up():
    assert tags(PLAIN) == ["long hair", "masterpiece", "^_^"]


def test_the_character_threshold_acts_on_characters_alone():
    low = TagOptions(character_threshold=0.55, escape=False)
    assert tags(low) == ["long hair", "anby (zzz)", "masterpiece", "^_^"]
    assert "anby (zzz)" not in tags(TagOptions(general_threshold=0.1, escape=False))


def test_a_character_under_the_general_threshold_is_kept_when_its_own_is_lower():
    assert tags(TagOptions(general_threshold=0.95, character_threshold=0.5, escape=False)) == ["anby (zzz)"]


def test_the_rating_is_the_likeliest_and_written_only_when_asked_for():
    assert choose(WORDS, SCORES, PLAIN).rating == "explicit"
    assert "explicit" not in tags(PLAIN)
    assert tags(TagOptions(add_rating=True, escape=False))[0] == "explicit"


def test_only_the_likeliest_quality_is_kept():
    assert "worst quality" not in tags(TagOptions(general_threshold=0.1))


def test_model_tags_need_their_own_switch():
    assert "sd model" not in tags(PLAIN)
    assert "sd model" in tags(TagOptions(add_model_tag=True))


def test_underscores_become_spaces_but_not_in_faces():
    assert tags(TagOptions(replace_underscore=False, escape=False)) == ["long_hair", "masterpiece", "^_^"]
    assert "^_^" in tags(PLAIN)


FACES_OF_THE_TAGGERS = (
    "0_0", "(o)_(o)", "+_+", "+_-", "._.", "<o>_<o>", "<|>_<|>", "=_=", ">_<", "3_3", "6_9", ">_o", "@_@", "^_^", "o_o",
    "u_u", "x_x", "|_|", "||_||",
)  # fmt: skip


@pytest.mark.parametrize("face", FACES_OF_THE_TAGGERS)
@pytest.mark.parametrize("escape", [True, False])
def test_a_face_keeps_its_underscore_written_compared_and_edited(face, escape):
    tag = written(face, TagOptions(escape=escape))
    assert tag == (face.replace("(", r"\(").replace(")", r"\)") if escape else face)
    assert same(tag) == same(face) == face
    assert spaced(tag) == tag and spaced(face.upper()) == face.upper() and spaced(f"({tag}:1.2)") == f"({tag}:1.2)"
    assert merge(f"{tag}, smile", [written(face, TagOptions(escape=not escape))], "append") is None


def test_short_words_are_no_faces():
    assert (spaced("a_b"), spaced("long_hair_"), spaced("(long_hair:1.2)")) == ("a b", "long hair", "(long hair:1.2)")


def test_a_face_in_a_sentence_stays_too():
    assert spaced("a blue_eyed girl (o)_(o) with ^_^") == "a blue eyed girl (o)_(o) with ^_^"


def test_brackets_are_escaped_when_asked_for():
    assert r"anby \(zzz\)" in tags(TagOptions(character_threshold=0.5))


@pytest.mark.parametrize("typed", ["long_hair", "long hair", "Long_Hair"])
def test_excluded_tags_match_before_and_after_underscores_are_replaced(typed: str):
    assert tags(TagOptions(exclude_tags=(typed,), escape=False)) == ["masterpiece", "^_^"]


def test_excluding_a_tag_that_does_not_occur_is_no_mistake():
    assert tags(TagOptions(exclude_tags=("nothing",), escape=False)) == tags(PLAIN)


def test_additional_tags_come_first_as_typed_and_once():
    options = TagOptions(additional_tags=("anby_zzz", "long_hair"), escape=False)
    assert tags(options) == ["anby_zzz", "long_hair", "masterpiece", "^_^"]


def test_typed_tags_may_be_separated_by_chinese_commas_and_lines():
    assert split_typed(" a b，c、d,\n e ,,") == ("a b", "c", "d", "e")


def test_a_caption_that_has_text_is_left_alone_by_skip():
    assert merge("mine", ["red"], "skip") is None
    assert merge(" \n", ["red"], "skip") == "red\n"
    assert merge(None, ["red", "big"], "skip") == "red, big\n"


def test_append_and_prepend_keep_the_old_text_letter_for_letter_and_add_only_what_is_new():
    old = "My_Word, (a:1.2),  white_hair"
    assert merge(old, ["white hair", "red"], "append") == "My_Word, (a:1.2),  white_hair, red\n"
    assert merge(old, ["white hair", "red"], "prepend") == "red, My_Word, (a:1.2),  white_hair\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("conflict", "expected"),
    [("append", ["1girl, red, big", "", "a girl in red, red, big", "x, red, big"]),
     ("prepend", ["big, 1girl, red", "", "red, big, a girl in red,", "red, big, x"])],
)  # fmt: skip
def test_every_line_gets_the_tags_it_lacks_as_training_may_read_any_of_them(end, conflict, expected):
    old = f" {end}{end}" + end.join(["1girl, red", "", "a girl in red,", "x"]) + end
    assert merge(old, ["red", "big"], conflict) == end.join(expected) + ("\r\n" if end == "\r\n" else "\n")


def test_a_caption_of_commas_gets_the_tags_alone():
    assert merge(" , ,", ["red"], "append") == "red\n"


def test_append_leaves_a_caption_alone_when_nothing_is_new():
    assert merge(r"anby \(zzz\)", ["anby (zzz)"], "append") is None


def test_replace_writes_the_new_tags_only():
    assert merge("mine", ["red"], "replace") == "red\n"


def test_tags_are_the_same_whatever_their_underscores_case_and_escapes():
    assert same(r"Anby_\(ZZZ\)") == same("anby (zzz)")
    assert same("o_o") != same("o o")
