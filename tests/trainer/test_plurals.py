"""Words of a sentence that follow a number in it."""

from __future__ import annotations

import pytest

from trainer.config.problems import Problem
from trainer.plurals import filled

TOLD = "{count} {count|caption|captions} in {name} {count|is|are} empty; write {count|it|them}"


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "0 captions in 1_a are empty; write them"),
        (1, "1 caption in 1_a is empty; write it"),
        (2, "2 captions in 1_a are empty; write them"),
    ],
)
def test_a_sentence_has_one_form_for_one_and_another_for_more(count, sentence):
    assert Problem(None, TOLD, {"count": count, "name": "1_a"}).message == sentence


def test_a_value_that_looks_like_forms_stays_as_it_is():
    assert filled("{count} {count|file|files}: {name}", {"count": 1, "name": "{count|a|b}"}) == "1 file: {count|a|b}"
