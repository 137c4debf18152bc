"""What of a job's events the page relies on, field by field."""

from __future__ import annotations

import math
from typing import Any

import pytest

from webui import eventfields
from webui.eventfields import FIELDS, LARGEST_NUMBER, LONGEST_TEXT, LONGEST_TRACEBACK, MOST_TABLE_ENTRIES, cleaned


def field(event: str, name: str, value: Any) -> Any:
    needed = {eventfields.NEEDED.get(event, "time"): 1 if event in ("step",) else "x"}
    return (cleaned({"event": event, **needed, name: value}) or {}).get(name)


@pytest.mark.parametrize("value", [0, -1.5, 1e99, 10**99, -1e99])
def test_a_finite_number_is_taken_as_it_is(value: float) -> None:
    assert field("step", "loss", value) == value


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, LARGEST_NUMBER, 10**400, True, False, "1", None, [1], {"a": 1}]
)
def test_what_is_no_number_is_as_if_it_were_not_there(value: object) -> None:
    assert field("step", "loss", value) is None
    assert field("step", "total", value) is None


def test_a_count_is_whole_and_not_negative() -> None:
    assert [field("step", "total", value) for value in (0, 3, 3.9, -1)] == [0, 3, 3, None]


def test_texts_are_cut_at_their_end_and_tracebacks_at_their_beginning() -> None:
    assert field("failed", "message", "ab" * LONGEST_TEXT) == "ab" * (LONGEST_TEXT // 2)
    assert field("failed", "traceback", "x" + "y" * LONGEST_TRACEBACK) == "y" * LONGEST_TRACEBACK
    assert field("failed", "message", ["a"]) is None and field("failed", "traceback", 1) is None


def test_a_table_of_rates_keeps_its_names_and_what_is_no_number_is_none() -> None:
    assert field("step", "lr", {"unet": 1e-4, "te": "x", "n" * 300: math.nan}) == {
        "unet": 1e-4, "te": None, "n" * 200: None
    }  # fmt: skip
    assert len(field("step", "lr", {str(n): n for n in range(1000)})) == MOST_TABLE_ENTRIES
    assert field("step", "lr", "x") == {}


def test_of_advised_settings_only_plain_values_are_taken() -> None:
    given = {"a": None, "b": True, "c": 1, "d": 0.5, "e": "x", "f": [1], "g": {}, "h": math.nan}
    assert field("failed", "changes", given) == {"a": None, "b": True, "c": 1, "d": 0.5, "e": "x"}
    assert len(field("failed", "changes", {str(n): n for n in range(1000)})) == MOST_TABLE_ENTRIES
    assert field("failed", "changes", [1]) is None


@pytest.mark.parametrize(("value", "taken"), [(True, True), (False, False), (1, None), ("yes", None)])
def test_a_switch_is_true_or_false(value: object, taken: bool | None) -> None:
    assert field("stopped", "forced", value) is taken


def test_unknown_events_and_fields_are_passed_over_and_so_are_events_without_their_point() -> None:
    assert cleaned({"event": "rumour", "time": 1}) is None
    assert cleaned({"event": "finished", "time": 2, "other": 1}) == {"event": "finished", "time": 2}
    for event, name in eventfields.NEEDED.items():
        assert cleaned({"event": event, "time": 1}) is None, name
    assert {event for event in FIELDS if cleaned({"event": event})} == FIELDS.keys() - eventfields.NEEDED.keys()
