"""Log files are read by byte offset, without half characters and without a flood."""

from __future__ import annotations

import pytest

from webui.logtail import FIRST_BYTES, MOST_BYTES, incomplete, read


def test_a_half_written_character_is_held_back_until_it_is_whole(tmp_path):
    log = tmp_path / "log.txt"
    text = "步数 1\n".encode()
    for cut in range(len(text) + 1):
        log.write_bytes(text[:cut])
        first = read(log, 0)
        log.write_bytes(text)
        second = read(log, first["offset"])
        assert first["text"] + second["text"] == "步数 1\n"
        assert "\ufffd" not in first["text"]


def test_bytes_that_are_no_utf8_do_not_stop_the_log(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"\xff\xfe bad\nnext\n")
    assert read(log, 0)["text"].endswith("bad\nnext\n")
    assert incomplete(b"\x80\x80\x80\x80") == 0


def test_colours_and_control_characters_are_taken_out_and_carriage_returns_stay(tmp_path):
    log = tmp_path / "log.txt"
    log.write_bytes(b"\x1b[31mred\x1b[0m \x1b]0;title\x07 10%\r20%\n\x00\x08")
    assert read(log, 0)["text"] == "red  10%\r20%\n"


def test_a_flood_is_cut_to_its_newest_whole_lines_and_counted(tmp_path):
    log = tmp_path / "log.txt"
    lines = [f"line {n}\n" for n in range(60_000)]
    log.write_text("".join(lines), encoding="utf-8", newline="\n")
    answer = read(log, 0)
    assert len(answer["text"]) <= MOST_BYTES
    assert answer["text"].endswith("line 59999\n") and answer["text"].startswith("line ")
    assert answer["skipped"] == log.stat().st_size - len(answer["text"])
    assert answer["offset"] == log.stat().st_size


def test_a_first_look_gives_the_end_of_a_long_log(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("x" * 99 + "\n", encoding="utf-8")
    assert read(log, -1) == {"text": "x" * 99 + "\n", "offset": 100, "skipped": 0, "restarted": False}
    log.write_text(("x" * 99 + "\n") * 2000, encoding="utf-8", newline="\n")
    assert len(read(log, -1)["text"]) <= FIRST_BYTES


def test_a_log_that_is_not_there_yet_is_empty_and_one_that_shrank_is_read_anew(tmp_path):
    log = tmp_path / "log.txt"
    assert read(log, -1)["text"] == ""
    log.write_text("new\n", encoding="utf-8", newline="\n")
    answer = read(log, 5000)
    assert (answer["text"], answer["restarted"]) == ("new\n", True)


LONG = "星" * 400_000  # 1.2 MB in one line


@pytest.mark.parametrize(
    ("content", "shown_end"),
    [
        (LONG + "end", "星end"),
        (LONG + "end\n", "星end\n"),
        (LONG + "\nlast\n", "星\nlast\n"),
        ("\r".join(f"{n:6d}/200000 star {'█' * 20}" for n in range(20_000)), f"\r 19999/200000 star {'█' * 20}"),
        ("x" * 1_000_000 + "\r100%\n", "x\r100%\n"),
    ],
    ids=["no end of line", "an end of line", "a short last line", "a progress bar", "a long line drawn over"],
)
@pytest.mark.parametrize("behind", [None, 0, 200_000])
def test_a_log_whose_last_line_is_long_shows_its_end(tmp_path, content, shown_end, behind):
    """Asked for the first time, and when the reader is far behind."""
    log = tmp_path / "log.txt"
    log.write_text(content, encoding="utf-8", newline="")
    size = log.stat().st_size
    answer = read(log, -1 if behind is None else behind)
    assert answer["text"].endswith(shown_end)
    assert len(answer["text"].encode()) > 50_000
    assert "\ufffd" not in answer["text"]  # no half character where it was cut
    assert answer["offset"] == size
    assert answer["skipped"] == size - (behind or 0) - len(answer["text"].encode())


def test_a_colour_that_is_half_written_is_held_back(tmp_path):
    log = tmp_path / "log.txt"
    whole = b"a\x1b[38;5;196mred\x1b]0;title\x07 b\x1b[0m\n"
    for cut in range(len(whole) + 1):
        log.write_bytes(whole[:cut])
        first = read(log, 0)
        log.write_bytes(whole)
        assert first["text"] + read(log, first["offset"])["text"] == "ared b\n"


@pytest.mark.parametrize("make", [lambda log: log.mkdir(), lambda log: log.symlink_to(log)], ids=["folder", "circle"])
def test_a_log_that_cannot_be_read_is_empty(tmp_path, make):
    make(tmp_path / "log.txt")
    assert read(tmp_path / "log.txt", 10)["text"] == ""
