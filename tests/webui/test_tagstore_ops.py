"""What can be done to one caption: webui/tagops.py."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainer.dataset import captions
from webui import tagops
from webui.tagops import Edit, EditError

letters = st.characters(blacklist_categories=("Cs",), blacklist_characters=",\r\n\x00")
tag = st.text(letters, min_size=1, max_size=8).map(str.strip).filter(bool)
tags = st.lists(tag, max_size=8)
text = st.text(st.sampled_from("ab ,\n\r\t安_\u2028\ufeff"), max_size=40)


def do(edit: Edit, caption: str, frequency: dict[str, int] | None = None) -> str:
    return tagops.transform(edit, lambda name: (frequency or {}).get(name, 0))(caption, tagops.tags_of(caption))


@given(text)
def test_splitting_into_lines_and_joining_gives_the_same_bytes(caption: str):
    assert "".join(captions.split_lines(caption)) == caption


@given(text, tag)
def test_edits_that_concern_no_tag_of_a_caption_leave_its_bytes_alone(caption: str, other: str):
    absent = f"{other}-absent"
    assert do(Edit(kind="remove", tags=(absent,)), caption) == caption
    assert do(Edit(kind="replace", tags=(absent,), replacement=("x",)), caption) == caption
    assert do(Edit(kind="tags", tags=tagops.first_line_tags(caption)), caption) == caption


@given(tags, tag)
def test_removing_a_tag_keeps_all_other_tags_in_order_and_number(line: list[str], gone: str):
    after = tagops.tags_of(do(Edit(kind="remove", tags=(gone,)), ", ".join(line)))
    assert list(after) == [one for one in line if one != gone]


@given(tags, st.lists(tag, min_size=1, max_size=3), st.sampled_from(["start", "end"]))
def test_adding_tags_keeps_how_often_other_tags_occur(line: list[str], new: list[str], place: str):
    after = tagops.tags_of(do(Edit(kind="add", tags=tuple(new), place=place), ", ".join(line)))
    before, counted = Counter(line), Counter(after)
    assert set(new) <= set(after)
    assert {name: n for name, n in counted.items() if name not in new} == {
        name: n for name, n in before.items() if name not in new
    }


@given(tags, tag, st.lists(tag, max_size=2))
def test_replacing_a_tag_keeps_how_often_other_tags_occur(line: list[str], old: str, new: list[str]):
    after = Counter(tagops.tags_of(do(Edit(kind="replace", tags=(old,), replacement=tuple(new)), ", ".join(line))))
    others = Counter(one for one in line if one != old and one not in new)
    assert Counter({name: n for name, n in after.items() if name != old and name not in new}) == others
    if old in line:
        assert set(new) <= set(after)


@given(tags, st.sampled_from(["name", "frequency"]), st.integers(0, 3))
def test_sorting_keeps_every_tag_and_the_first_ones_in_place(line: list[str], by: str, keep: int):
    after = tagops.tags_of(do(Edit(kind="sort", by=by, keep=keep), ", ".join(line)))
    assert Counter(after) == Counter(line)
    assert list(after[:keep]) == line[:keep]


def test_adding_at_the_start_moves_a_tag_that_is_there_already():
    assert do(Edit(kind="add", tags=("anby",), place="start"), "1girl, anby, solo") == "anby, 1girl, solo"


def test_replacing_several_tags_puts_the_new_one_where_the_first_was():
    edit = Edit(kind="replace", tags=("short hair", "bob cut"), replacement=("white hair",))
    assert do(edit, "1girl, bob cut, solo, short hair") == "1girl, white hair, solo"


def test_replacing_by_a_tag_that_is_there_already_does_not_double_it():
    assert do(Edit(kind="replace", tags=("girl",), replacement=("1girl",)), "1girl, girl, solo") == "1girl, solo"


def test_replacing_a_tag_by_itself_changes_nothing():
    assert do(Edit(kind="replace", tags=("x",), replacement=("x",)), "a,x ,b") == "a,x ,b"


def test_sorting_by_frequency_puts_the_commonest_first():
    assert do(Edit(kind="sort", by="frequency"), "rare, often, never", {"often": 9, "rare": 1}) == "often, rare, never"


def test_every_line_of_a_caption_is_edited_and_untouched_lines_and_line_ends_stay():
    assert do(Edit(kind="remove", tags=("bad",)), "good,  bad\r\nfine ,too\r\n") == "good\r\nfine ,too\r\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Edit(kind="add", tags=("b",)), ["a,  b", "", "c, b, d", "x, b", ""]),
        (Edit(kind="add", tags=("new",)), ["a, b, new", "", "c, b, d, new", "x, new", ""]),
        (Edit(kind="add", tags=("b",), place="start"), ["b, a", "", "b, c, d", "b, x", ""]),
        (Edit(kind="remove", tags=("b",)), ["a", "", "c, d", "x", ""]),
        (Edit(kind="remove", tags=("x", "a")), ["b", "", "c, b, d", "", ""]),
        (Edit(kind="replace", tags=("b",), replacement=("y", "z")), ["a, y, z", "", "c, y, z, d", "x", ""]),
        (Edit(kind="replace", tags=("b", "d"), replacement=("d",)), ["a, d", "", "c, d", "x", ""]),
    ],
)
def test_adding_removing_and_replacing_act_on_every_line(edit: Edit, expected: list[str], end: str):
    assert do(edit, end.join(["a,  b", "", "c, b, d", "x", ""])) == end.join(expected)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tags_go_where_training_reads_even_when_empty_lines_stand_on_top(end: str):
    hidden = f"{end} {end} a, b{end}c"
    assert do(Edit(kind="add", tags=("new",)), hidden) == f"a, b, new{end}c, new"
    assert do(Edit(kind="tags", tags=("x",)), hidden) == f"x{end}c"
    assert do(Edit(kind="add", tags=("new",)), end) == f"new{end}"


def test_tags_set_for_a_caption_of_several_lines_replace_the_first_line_only():
    assert do(Edit(kind="tags", tags=("x", "y")), "a, b\nsecond, line\n") == "x, y\nsecond, line\n"


def test_text_from_a_browser_keeps_the_line_ends_of_the_file():
    assert do(Edit(kind="text", text="a\nb"), "x\r\ny") == "a\r\nb"


def test_trimming_puts_spaces_commas_and_the_end_in_order():
    assert do(Edit(kind="trim"), "  a ,, long   hair,b ,\n") == "a, long hair, b"


def test_underscores_become_spaces_but_not_in_emoticons():
    assert do(Edit(kind="spaces"), "long_hair, ^_^, hair_ornament") == "long hair, ^_^, hair ornament"


def test_tags_typed_with_commas_are_several_tags():
    assert do(Edit(kind="add", tags=("a, b", "b", " ")), "x") == "x, a, b"


@pytest.mark.parametrize("kind", ["add", "remove", "replace"])
def test_an_edit_without_tags_says_what_to_give(kind: str):
    with pytest.raises(EditError, match="No tag was given: type or select"):
        do(Edit(kind=kind, tags=(" ,",)), "a")


def test_a_search_for_nothing_is_refused():
    with pytest.raises(EditError, match="Nothing to search for"):
        do(Edit(kind="find", text="x"), "a")


def test_text_that_no_file_can_hold_is_refused():
    with pytest.raises(ValidationError, match="cannot be stored"):
        Edit(kind="add", tags=("half \ud800 pair",))
