"""What a run prints: how much, in which form and where to (console_log_*)."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from place import Place
from test_refused import NEEDED

from trainer.config import ConfigError, parse
from trainer.config.log import Log
from trainer.console import LOG, PROGRESS, close_console, open_console


def test_steps_rewrite_one_line_and_what_follows_begins_a_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    open_console(Log())
    LOG.info("step 1", extra=PROGRESS)
    LOG.info("step 2", extra=PROGRESS)
    LOG.warning("careful")
    assert capsys.readouterr() == ("\rstep 1\rstep 2\n", "warning: careful\n")


def test_simple_lines_have_no_carriage_return(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.train(max_train_epochs=1, console_log_simple=True) == 0
    told = capsys.readouterr().out
    assert "\r" not in told
    assert [line.split("  ")[1] for line in told.splitlines() if "avr_loss" in line] == [
        "step 1/3", "step 2/3", "step 3/3",
    ]  # fmt: skip
    assert told.splitlines()[-1].startswith("finished: ")


def test_warning_leaves_progress_out_and_debug_adds_rates(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.train("quiet", max_train_epochs=1, console_log_level="WARNING") == 0
    assert capsys.readouterr().out == ""
    assert place.train("loud", max_train_epochs=1, console_log_level="DEBUG", console_log_simple=True) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "grad_norm=" in line]
    assert len(told) == 3 and told[0].startswith("step 1: lr ") and "unet=0.01" in told[0]


def test_a_log_file_takes_the_place_of_the_console_and_is_continued(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"max_train_epochs": 1, "console_log_file": "logs/run.log"}
    assert place.train("one", **values) == 0
    assert place.train("two", **values) == 0
    close_console()
    assert capsys.readouterr().out == ""
    told = (place.root / "logs" / "run.log").read_text(encoding="utf-8")
    assert told.count(" INFO finished: ") == 2 and told.count("avr_loss") == 6 and "\r" not in told


def test_an_error_is_told_in_the_file_and_on_the_console(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (place.root / "train" / "1_cat").iterdir():
        path.unlink()
    assert place.train(console_log_file="run.log", console_log_level="CRITICAL") == 2
    assert place.train("again", console_log_file="run.log") == 2
    close_console()
    told = (place.root / "run.log").read_text(encoding="utf-8")
    assert told.count(" ERROR ") == 1 and "there is no picture to train on" in told
    assert capsys.readouterr().err.count("error: ") == 1


def test_a_closed_console_does_not_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stdout", gone)
    open_console(Log())
    LOG.info("nobody reads this")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("train/1_cat/0.txt", "console_log_file train/1_cat/0.txt must end in .log, so that no other file is written"),
        ("//server/run.log", "//server/run.log is a network path; choose a file on this machine"),
    ],
)
def test_only_a_log_file_on_this_machine_is_written_into(path: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse({**NEEDED, "console_log_file": path})


def test_a_log_file_that_cannot_be_opened_is_told_at_its_field(tmp_path: Path) -> None:
    (tmp_path / "taken.log").mkdir()
    with pytest.raises(ConfigError, match="cannot be written: .*; choose another console_log_file") as caught:
        open_console(Log(console_log_file=str(tmp_path / "taken.log")))
    assert caught.value.problems[0].address == "log.console_log_file"
