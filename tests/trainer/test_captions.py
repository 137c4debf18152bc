"""Captions against sd-scripts (tests/golden/captions.json), by hand and by properties."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.atomic import atomic_write
from trainer.config.caption import Caption
from trainer.dataset.captions import CaptionError, join, measured, process, read_caption, split, stored

RESULTS = json.loads((Path(__file__).parents[1] / "golden" / "captions.json").read_text(encoding="utf-8"))
GOLDEN = [*RESULTS["values"], *RESULTS["one_line"]["values"]]
tags = st.lists(
    st.text(st.characters(exclude_characters=",|;{}", exclude_categories=["C", "Z"]), min_size=1, max_size=8),
    max_size=12,
)


def options(**changes):
    values = {
        "shuffle_caption": False, "keep_tokens": 0, "keep_tokens_separator": "", "caption_separator": ",",
        "secondary_separator": None, "enable_wildcard": False, "caption_prefix": None, "caption_suffix": None,
        "caption_dropout_rate": 0.0, "caption_dropout_every_n_epochs": 0, "caption_tag_dropout_rate": 0.0,
        "token_warmup_min": 1, "token_warmup_step": 0,
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


def used(caption, seed=0, epoch=1, step=5, max_steps=100, **changes):
    return process(caption, options(**changes), Random(seed), epoch, step, max_steps)


@pytest.mark.parametrize("case", GOLDEN, ids=[str(case["subset"]) for case in GOLDEN])
def test_every_caption_is_made_as_sd_scripts_makes_it(case):
    assert used(case["caption"], seed=case["seed"], **case["subset"]) == case["result"]  # even the draws are the same


@pytest.mark.parametrize(("step", "count"), [(0, 2), (3, 3), (9, 5), (10, 6)])  # KOHYA_COMPAT section 13, item 9
def test_warm_up_shows_more_tags_step_by_step(step, count):
    assert len(used("a, b, c, d, e, f", step=step, token_warmup_step=10, token_warmup_min=2).split(", ")) == count


def test_a_warm_up_below_one_is_a_part_of_the_run():
    assert used("a, b, c, d", step=0, max_steps=20, token_warmup_step=0.5) == "a"
    assert used("a, b, c, d", step=10, max_steps=20, token_warmup_step=0.5) == "a, b, c, d"


def test_braces_without_content_and_doubled_braces_stay():
    assert used("{x|y} {{lit}} {}", enable_wildcard=True) in ("x {lit} {}", "y {lit} {}")


@pytest.mark.parametrize(("separator", "expected"), [(";", "a; b; c"), ("，", "a， b， c"), (" | ", "a | b | c")])
@pytest.mark.parametrize(
    "acting", [{"shuffle_caption": True}, {"caption_tag_dropout_rate": 0.5}, {"token_warmup_step": 3}]
)
def test_tags_keep_their_own_separator_whatever_acts_on_them(separator, expected, acting):
    caption = separator.join(["a ", " b", "c"])
    assert used(caption, caption_separator=separator, keep_tokens=3, **acting) == expected


def test_a_marker_between_tags_is_replaced_by_their_own_separator():
    made = used("a; b ||| c; d", caption_separator=";", keep_tokens_separator="|||")
    assert made == "a; b; c; d"


def test_groups_joined_by_the_secondary_separator_stay_together():
    assert used("a;;;b, c;;;d", shuffle_caption=True, secondary_separator=";;;") in ("a,b, c,d", "c,d, a,b")


def test_the_kept_tags_marker_never_reaches_the_text_encoder():
    assert used("a, b ||| c,d", keep_tokens_separator="|||") == "a, b, c, d"
    assert used("a ||| b ||| c ||| d", keep_tokens_separator="|||") == "a, b, c, d"


def test_an_untouched_caption_stays_as_it_is_byte_for_byte():
    assert used("  a ,b,,  c ") == "  a ,b,,  c "


def test_a_dropped_caption_is_empty_even_with_a_prefix():
    assert used("a", caption_prefix="p", caption_dropout_rate=1.0) == ""


def test_every_second_epoch_goes_without_captions():
    shown = [used("a", epoch=epoch, caption_dropout_every_n_epochs=2) for epoch in (1, 2, 3, 4)]
    assert shown == ["a", "", "a", ""]


@given(tags, st.integers(0, 12), st.integers())
def test_shuffling_keeps_every_tag_and_the_first_ones_in_place(words, keep, seed):
    made = used(",".join(words), seed=seed, shuffle_caption=True, keep_tokens=keep)
    assert made.split(", ")[:keep] == (words or [""])[:keep]
    assert sorted(made.split(", ")) == sorted(words or [""])


@given(tags, st.integers(0, 12), st.integers(), st.floats(0.01, 1))
def test_tag_dropout_never_touches_kept_tags_and_adds_nothing(words, keep, seed, rate):
    made = used(",".join(words), seed=seed, keep_tokens=keep, caption_tag_dropout_rate=rate).split(", ")
    assert made[: len(words[:keep])] == words[:keep] or not words[:keep]
    assert set(made) <= {*words, ""}


@given(tags)
def test_splitting_what_was_joined_gives_the_same_tags(words):
    assert split(join(words)) == words


@given(st.text(), st.integers())
def test_any_text_gives_a_text(caption, seed):
    changes = {
        "shuffle_caption": True,
        "enable_wildcard": True,
        "keep_tokens_separator": "|||",
        "secondary_separator": ";",
    }
    assert isinstance(used(caption, seed=seed, **changes), str)


def test_only_the_first_line_is_used_unless_wildcards_are_on():
    assert stored(" one, a \ntwo\n") == "one, a"
    assert stored("\ntwo") == ""  # as sd-scripts; the report warns
    assert stored("one\n\n two \n", wildcards=True) == "one\ntwo"


def test_a_byte_order_mark_is_not_part_of_the_first_tag(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("1girl, 笑顔\r\nnext".encode("utf-8-sig"))
    assert read_caption(path) == "1girl, 笑顔\nnext"


def test_a_caption_that_is_not_utf8_is_named_with_its_byte_and_a_guess(tmp_path):
    path = tmp_path / "图.txt"
    path.write_bytes("a,\n1girl, 金发少女".encode("gbk"))
    with pytest.raises(
        CaptionError,
        match=r"图\.txt: byte 10 \(line 2\) is not UTF-8 but looks like GBK .*save the file again as UTF-8",
    ):
        read_caption(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("1girl".encode("utf-16"), "byte 0 .* but UTF-16"), ("1girl".encode("utf-32"), "byte 0 .* but UTF-32;"),
        ("1girl".encode("utf-16-le"), "byte 1 is zero, so it is not UTF-8 but UTF-16"),
        ("少女、笑顔".encode("shift_jis"), r"but looks like Shift-JIS \(Japanese Windows\);"),
        ("소녀, 검은 머리".encode("euc_kr"), r"but looks like EUC-KR \(Korean Windows\);"),
        (b"\xc0\xaf", r"but looks like GBK \(Chinese Windows\) or Big5 .* or EUC-KR \(Korean Windows\);"),
    ],
)  # fmt: skip
def test_other_encodings_of_a_caption_are_recognised(tmp_path, data, words):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(CaptionError, match=words):
        read_caption(path)


def test_a_held_out_picture_is_measured_with_its_whole_caption_always_the_same():
    chances = {"shuffle_caption": True, "caption_dropout_rate": 1, "caption_dropout_every_n_epochs": 1,
               "caption_tag_dropout_rate": 1, "token_warmup_step": 9}  # fmt: skip
    options = Caption(caption_prefix="anby,", keep_tokens_separator="|||", secondary_separator=";", **chances)
    assert measured("a ||| b;c, d", options, Random(1)) == "anby, a, b,c, d"
    options = Caption(enable_wildcard=True)
    assert measured("{a|b}\n{c|d}", options, Random(1)) == measured("{a|b}\n{c|d}", options, Random(1))


def test_text_with_zero_bytes_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("1girl".encode("utf-16-le"))
    with pytest.raises(CaptionError, match="byte 1 is zero"):
        read_caption(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(CaptionError, match="is not a file"):
        read_caption(tmp_path / "a.txt")


def test_an_enormous_caption_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 1_000_001)
    with pytest.raises(CaptionError, match="1000001 bytes, too many for a caption"):
        read_caption(path)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff")))
def test_a_written_caption_reads_back(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "written.txt"
    atomic_write(path, text)
    assert read_caption(path) == text
