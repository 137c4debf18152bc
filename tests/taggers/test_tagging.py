"""The command line on real folders: what is written, what is left alone, what can be taken back."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from taggers import tagging
from taggers.__main__ import main
from taggers.run import Journal, Run, list_runs
from tests.taggers.conftest import write_cl, write_wd
from trainer.config import parse
from trainer.dataset import captions, statistics
from trainer.dataset.scan import SEVERAL_LINES, scan
from trainer.events import follow
from trainer.families.emphasis import plain
from webui.tagfiles import Draft
from webui.tagops import Edit
from webui.tagstore import Store

ROOT = Path(__file__).parents[2]
RED, GREEN = "red dress, o_o", r"green \(leaf\)"  # what the little tagger says of red and of green pictures


@pytest.fixture
def tag(tmp_path: Path, wd_folder: Path, capfd):
    """tag(folder, *arguments) -> (exit code, lines of stdout as JSON, stderr)."""

    def tag(*arguments: object) -> tuple[int, list[dict], str]:
        code = main([*map(str, arguments), "--model", str(wd_folder), "--runs-dir", str(tmp_path / "runs")])
        out, err = capfd.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return tag


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_each_picture_gets_a_caption_and_a_line_in_the_order_of_the_names(tmp_path: Path, paint, tag):
    folder = tmp_path / "pics"
    paint(folder / "b.png"), paint(folder / "a.jpg", (0, 255, 0)), paint(folder / "c.webp")
    code, lines, err = tag(folder, "--batch-size", "2")
    assert code == 0
    assert [Path(line["image"]).name for line in lines] == ["a.jpg", "b.png", "c.webp"]
    assert (text(folder / "a.txt"), text(folder / "b.txt")) == (GREEN + "\n", RED + "\n")
    assert lines[1] == {"image": str(folder / "b.png"), "caption_file": str(folder / "b.txt"), "action": "written",
                        "tags": lines[1]["tags"], "rating": "general"}  # fmt: skip
    assert [tag for tag, _ in lines[1]["tags"]] == ["red dress", "o_o"]
    assert "runs on CPU" in err and "3 written" in err and "--undo" in err


@pytest.mark.parametrize("name", ["a [b] c", "安比 训练集", "lora/lora", "x&y'(z)", "a{1,2}*"])
def test_folders_with_difficult_names_are_tagged_in_their_place(tmp_path: Path, paint, tag, name: str):
    picture = paint(tmp_path / name / "1 [x].png")
    assert tag(tmp_path / name)[0] == 0
    assert text(picture.with_suffix(".txt")) == RED + "\n"
    assert len(list(tmp_path.rglob("*.txt"))) == 1


def test_captions_that_are_there_stay_unless_asked(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png"), paint(tmp_path / "p" / "b.png")
    (tmp_path / "p" / "a.txt").write_text("by hand", encoding="utf-8")
    code, lines, _ = tag(tmp_path / "p")
    assert code == 0 and [line["action"] for line in lines] == ["skipped", "written"]
    assert lines[0]["message"] == "has a caption already" and text(tmp_path / "p" / "a.txt") == "by hand"


@pytest.mark.parametrize("conflict", ["skip", "append", "replace"])
def test_a_caption_whose_extension_is_in_capitals_gets_no_second_one_beside_it(tmp_path: Path, paint, tag, conflict):
    paint(tmp_path / "p" / "0.PNG")
    (tmp_path / "p" / "0.TXT").write_bytes(b"by hand\r\nsecond line")
    _, lines, _ = tag(tmp_path / "p", "--conflict", conflict)
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["0.PNG", "0.TXT"]
    written = {"skip": b"by hand\r\nsecond line", "replace": f"{RED}\n".encode(),
               "append": f"by hand, {RED}\r\nsecond line, {RED}\r\n".encode()}  # fmt: skip
    assert (tmp_path / "p" / "0.TXT").read_bytes() == written[conflict]
    assert Path(lines[0]["caption_file"]).name == "0.TXT"


def test_a_folder_with_the_name_of_a_caption_is_none(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "0.png")
    (tmp_path / "p" / "0.Txt").mkdir()
    if (tmp_path / "p" / "0.txt").exists():
        pytest.skip("here both names are one")
    assert tag(tmp_path / "p")[1][0]["action"] == "written" and text(tmp_path / "p" / "0.txt") == RED + "\n"


def test_no_model_is_loaded_when_every_picture_has_its_caption(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png")
    (tmp_path / "p" / "a.txt").write_text("by hand", encoding="utf-8")
    assert "loading" not in tag(tmp_path / "p")[2]


@pytest.mark.parametrize(
    ("conflict", "expected", "action"),
    [("replace", RED + "\n", "written"), ("append", f"by hand, o_o, {RED.split(',')[0]}\n", "appended"),
     ("prepend", "red dress, by hand, o_o\n", "appended")],
)  # fmt: skip
def test_a_conflict_is_solved_as_asked(tmp_path: Path, paint, tag, conflict: str, expected: str, action: str):
    paint(tmp_path / "p" / "a.png")
    (tmp_path / "p" / "a.txt").write_text("by hand, o_o", encoding="utf-8")
    _, lines, _ = tag(tmp_path / "p", "--conflict", conflict)
    assert text(tmp_path / "p" / "a.txt") == expected and lines[0]["action"] == action


def test_undo_brings_back_every_byte_and_removes_what_was_new(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png"), paint(tmp_path / "p" / "b.png")
    before = "\ufeff手写\r\nsecond line \n".encode()
    (tmp_path / "p" / "a.txt").write_bytes(before)
    tag(tmp_path / "p", "--conflict", "append")
    assert (tmp_path / "p" / "a.txt").read_bytes().startswith("\ufeff手写, ".encode())  # the mark stays the first
    code, lines, _ = tag("--undo", list_runs(tmp_path / "runs")[0].id)
    assert code == 0 and (lines[0]["restored"], lines[0]["removed"], lines[0]["conflicts"]) == (1, 1, [])
    assert (tmp_path / "p" / "a.txt").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["a.png", "a.txt", "b.png"]
    again = tag("--undo", list_runs(tmp_path / "runs")[0].id)[1][0]
    assert (again["restored"], again["removed"], again["unchanged"]) == (0, 0, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts letters, not bytes")
@pytest.mark.parametrize("conflict", ["skip", "append"])
def test_a_name_too_long_for_its_caption_is_one_failed_line_and_the_others_are_tagged_and_undone(
    tmp_path: Path, paint, tag, conflict: str
):
    longest = "安" * 83  # 249 bytes: .png fits into the 255 of a file name, .caption is 257
    for name in ("a", longest, "z"):
        paint(tmp_path / "p" / f"{name}.png")
    code, lines, _ = tag(tmp_path / "p", "--caption-extension", ".caption", "--conflict", conflict)
    assert (code, [line["action"] for line in lines]) == (0, ["written", "written", "failed"])
    assert "too long" in lines[2]["message"] and longest in lines[2]["message"]
    code, lines, _ = tag("--undo", list_runs(tmp_path / "runs")[0].id)
    assert code == 0 and lines[0]["removed"] == 2 and not list((tmp_path / "p").glob("*.caption"))


@pytest.mark.parametrize("error", [struct.error("unpack"), MemoryError(), KeyError("x"), OverflowError("large")])
def test_a_picture_that_breaks_its_decoder_is_one_failed_line(
    tmp_path: Path, paint, tag, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def decode(path: Path) -> Image.Image:
        if path.name == "a.png":
            raise error
        return Image.open(path).convert("RGB")

    monkeypatch.setattr("taggers.tagging.open_picture", decode)
    paint(tmp_path / "p" / "a.png"), paint(tmp_path / "p" / "b.png")
    _, lines, _ = tag(tmp_path / "p")
    assert [line["action"] for line in lines] == ["failed", "written"]
    assert "cannot be read as a picture" in lines[0]["message"]


def test_a_line_of_the_journal_that_cannot_be_used_is_reported_and_the_others_are_undone(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png")
    tag(tmp_path / "p")
    run = list_runs(tmp_path / "runs")[0]
    bad = {"caption": str(tmp_path / ("x" * 300)), "before": "y", "after_sha256": ""}
    worse = {"caption": str(tmp_path / "half"), "before": "\ud800", "after_sha256": ""}
    good = run.journal_path.read_text(encoding="utf-8")
    run.journal_path.write_text(f"{json.dumps(bad)}\n{json.dumps(worse)}\n{good}", encoding="utf-8")
    code, lines, _ = tag("--undo", run.id)
    assert code == 1 and lines[0]["removed"] == 1
    assert [Path(line["caption"]).name[:4] for line in lines[0]["conflicts"]] == ["xxxx", "half"]
    assert all(line["message"] for line in lines[0]["conflicts"])


def test_undo_leaves_what_was_changed_since_and_says_so(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png"), paint(tmp_path / "p" / "b.png")
    tag(tmp_path / "p")
    (tmp_path / "p" / "a.txt").write_text("edited since", encoding="utf-8")
    code, lines, _ = tag("--undo", list_runs(tmp_path / "runs")[0].id)
    assert code == 1 and lines[0]["removed"] == 1
    assert lines[0]["conflicts"] == [
        {"caption": str(tmp_path / "p" / "a.txt"), "message": "the caption was changed since; left as it is"}
    ]
    assert text(tmp_path / "p" / "a.txt") == "edited since"


def test_undo_after_a_kill_between_journal_and_caption_changes_nothing(tmp_path: Path, paint, tag):
    caption = tmp_path / "a.txt"
    caption.write_text("before", encoding="utf-8")
    run = Run.create(tmp_path / "runs", "p", {})
    journal = Journal(run.journal_path)
    journal.note(caption, b"before", b"after")
    journal.close()
    with run.journal_path.open("ab") as stream:
        stream.write(b'{"caption": "torn')
    assert tag("--undo", run.id)[1][0]["unchanged"] == 1
    assert text(caption) == "before"


def test_an_unknown_run_cannot_be_undone(tag):
    code, _, err = tag("--undo", "20200101-000000-none")
    assert code == 2 and "there is no run" in err


def test_a_caption_that_is_not_utf8_is_never_touched(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png"), paint(tmp_path / "p" / "b.png")
    (tmp_path / "p" / "a.txt").write_bytes("安比".encode("gb18030"))
    code, lines, _ = tag(tmp_path / "p", "--conflict", "replace")
    assert code == 0 and [line["action"] for line in lines] == ["failed", "written"]
    assert "a.txt: byte 0 (line 1) is not UTF-8 but looks like GBK" in lines[0]["message"]
    assert (tmp_path / "p" / "a.txt").read_bytes() == "安比".encode("gb18030")


def test_a_bad_picture_is_named_and_the_run_goes_on(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "b.png")
    (tmp_path / "p" / "a.png").write_bytes(b"not a picture")
    code, lines, err = tag(tmp_path / "p")
    assert code == 0 and [line["action"] for line in lines] == ["failed", "written"]
    assert "no picture of a known kind" in lines[0]["message"] and "a.png" in err
    assert not (tmp_path / "p" / "a.txt").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such names")
def test_a_name_that_is_no_unicode_is_refused_and_the_run_goes_on(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "b.png")
    (tmp_path / "p" / os.fsdecode(b"a\xff.png")).write_bytes((tmp_path / "p" / "b.png").read_bytes())
    code, lines, _ = tag(tmp_path / "p")
    assert code == 0 and [line["action"] for line in lines] == ["failed", "written"]
    assert "not valid Unicode" in lines[0]["message"] and lines[0]["image"].endswith("a?.png")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_named_pipe_in_the_place_of_a_caption_does_not_hang_the_run(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png")
    os.mkfifo(tmp_path / "p" / "a.txt")
    assert tag(tmp_path / "p", "--conflict", "append")[1][0]["action"] == "failed"


def test_when_every_picture_fails_the_exit_code_says_so(tmp_path: Path, tag):
    (tmp_path / "a.png").write_bytes(b"not a picture")
    assert tag(tmp_path)[0] == 2


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png")
    code, lines, err = tag(tmp_path / "p", "--dry-run")
    assert code == 0 and lines[0]["action"] == "written" and "nothing was written" in err
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["a.png"] and not (tmp_path / "runs").exists()


def test_two_pictures_of_one_name_share_no_caption(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.jpg", (0, 255, 0)), paint(tmp_path / "p" / "a.png")
    _, lines, _ = tag(tmp_path / "p", "--conflict", "replace")
    assert [line["action"] for line in lines] == ["written", "skipped"]
    assert "already the caption of a.jpg" in lines[1]["message"] and text(tmp_path / "p" / "a.txt") == GREEN + "\n"


def test_the_options_reach_the_caption(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png")
    words = ("--additional-tags", "anby，zzz", "--exclude-tags", "o_o, nothing", "--add-rating", "--no-escape")
    tag(
        tmp_path / "p",
        *words,
        "--character-threshold",
        "0.45",
        "--no-replace-underscore",
        "--caption-extension",
        "caption",
    )
    assert text(tmp_path / "p" / "a.caption") == "anby, zzz, general, red_dress, anby_demara_(zenless)\n"


def test_only_the_named_pictures_are_tagged(tmp_path: Path, paint, tag):
    for name in ("a.png", "b.png", "c.png"):
        paint(tmp_path / "p" / name)
    _, lines, _ = tag(tmp_path / "p", "--limit-to", "c.png", tmp_path / "p" / "a.png")
    assert [Path(line["image"]).name for line in lines] == ["a.png", "c.png"]
    code, _, err = tag(tmp_path / "p", "--limit-to", "../other.png")
    assert code == 2 and "has no picture ../other.png" in err


def test_sub_folders_are_tagged_only_when_asked(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "10_x" / "a.png")
    code, _, err = tag(tmp_path / "p")
    assert code == 2 and "its sub-folders do" in err
    assert tag(tmp_path / "p", "--recursive")[0] == 0
    assert text(tmp_path / "p" / "10_x" / "a.txt") == RED + "\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "name the folder"), (["/nowhere/at/all"], "not a folder"),
     ([".", "--general-threshold", "0"], "general threshold is 0"), ([".", "--batch-size", "0"], "batch size is 0"),
     ([".", "--caption-extension", "../x"], "cannot be the extension"),
     ([".", "--caption-extension", ".png"], "cannot be the extension")],
)  # fmt: skip
def test_a_wrong_request_is_refused_with_the_cure_and_exit_code_2(tag, arguments: list[str], words: str):
    code, lines, err = tag(*arguments)
    assert code == 2 and lines == [] and words in err


def test_a_threshold_with_a_decimal_comma_is_refused_with_what_to_write(tag, capfd):
    with pytest.raises(SystemExit) as ended:
        tag(".", "--general-threshold", "0,35")
    assert ended.value.code == 2
    assert "write 0.35" in capfd.readouterr().err


def test_a_picture_that_reaches_no_threshold_gets_no_empty_caption(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png", (0, 0, 0))
    _, lines, _ = tag(tmp_path / "p")
    assert lines[0]["action"] == "skipped" and "lower the thresholds" in lines[0]["message"]
    assert not (tmp_path / "p" / "a.txt").exists()


def test_one_picture_gives_all_scores_and_writes_nothing(tmp_path: Path, paint, tag):
    picture = paint(tmp_path / "p" / "a.png")
    code, lines, _ = tag("--one", picture)
    scores = {entry["tag"]: (entry["category"], entry["score"]) for entry in lines[0]["scores"]}
    assert code == 0 and lines[0]["device"] == "CPU"
    assert scores["red_dress"][0] == "general" and scores["anby_demara_(zenless)"][0] == "character"
    assert lines[0]["scores"][0]["category"] == "rating" and not picture.with_suffix(".txt").exists()
    assert tag("--one", tmp_path / "none.png")[0] == 2


def test_a_cl_tagger_tags_a_folder_too(tmp_path: Path, paint, capfd):
    picture = paint(tmp_path / "p" / "a.png", size=(16, 16))
    code = main([str(tmp_path / "p"), "--model", str(write_cl(tmp_path / "cl")), "--runs-dir", str(tmp_path / "runs")])
    assert code == 0 and text(picture.with_suffix(".txt")).startswith("red dress")


def test_the_events_of_a_run_tell_the_same_as_stdout(tmp_path: Path, paint, tag):
    paint(tmp_path / "p" / "a.png"), paint(tmp_path / "p" / "b.png")
    _, lines, _ = tag(tmp_path / "p")
    run = list_runs(tmp_path / "runs")[0]
    events, _ = follow(run.job.events_path)
    assert [event["event"] for event in events] == ["started", "phase", "phase", "picture", "picture", "finished"]
    assert events[0]["images"] == 2 and events[-1]["written"] == 2 and run.job.state() == "finished"
    assert events[3]["tags"] == lines[0]["tags"] and events[2]["device"] == "CPU"


def test_stopping_ends_between_batches_and_keeps_what_is_done(tmp_path: Path, paint, wd_folder: Path):
    for index in range(6):
        paint(tmp_path / "p" / f"{index}.png")
    work = tagging.Work(tmp_path / "p", batch_size=2)
    done: list[tagging.Outcome] = []
    from taggers import load

    journal = Journal(tmp_path / "journal")
    for outcome in tagging.tag_folder(work, tagging.pictures_of(work), lambda: load(str(wd_folder)), journal,
                                      stopped=lambda: len(done) >= 2):  # fmt: skip
        done.append(outcome)
    assert [outcome.action for outcome in done] == ["written", "written"]
    assert not (tmp_path / "p" / "2.txt").exists()


def test_a_stop_request_ends_the_process_with_code_3(tmp_path: Path, paint, wd_folder: Path):
    for index in range(40):
        paint(tmp_path / "p" / f"{index:02d}.png")
    run = Run.create(tmp_path / "runs", "p", {})
    run.job.request("stop")
    command = [sys.executable, "-m", "taggers", str(tmp_path / "p"), "--model", str(wd_folder), "--run", str(run.path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert result.returncode == 3, result.stderr
    assert run.job.last_event()["event"] == "stopped" and not (tmp_path / "p" / "39.txt").exists()


def test_a_run_of_its_own_process_reports_a_wrong_folder_as_its_last_event(tmp_path: Path, wd_folder: Path):
    run = Run.create(tmp_path / "runs", "p", {})
    assert main([str(tmp_path / "gone"), "--model", str(wd_folder), "--run", str(run.path)]) == 2
    event = run.job.last_event()
    assert event["event"] == "failed" and "is not a folder" in event["message"]


def test_a_killed_run_leaves_whole_captions_that_can_be_undone(tmp_path: Path, paint, wd_folder: Path, capfd):
    for index in range(300):
        paint(tmp_path / "p" / f"{index:03d}.png", size=(300, 300))
    run = Run.create(tmp_path / "runs", "p", {})
    command = [sys.executable, "-m", "taggers", str(tmp_path / "p"), "--model", str(wd_folder), "--run", str(run.path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run.job.write_process(process.pid, command)
    deadline = time.monotonic() + 60
    while not (tmp_path / "p" / "010.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert run.job.state() == "crashed" and not (tmp_path / "p" / "299.txt").exists()
    assert {text(path) for path in (tmp_path / "p").glob("*.txt")} == {RED + "\n"}
    main(["--undo", str(run.path)])
    assert not list((tmp_path / "p").glob("*.txt"))


def test_a_running_run_is_not_undone(tmp_path: Path, tag):
    run = Run.create(tmp_path / "runs", "p", {})
    run.job.write_process(os.getpid(), ["x"])
    run.journal_path.touch()
    code, _, err = tag("--undo", run.id)
    assert code == 2 and "still going" in err


@pytest.mark.skipif(sys.platform == "win32", reason="a shell pipe of POSIX")
def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: Path, paint, wd_folder: Path):
    for index in range(5):
        paint(tmp_path / "p" / f"{index}.png")
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        sys.executable,
        "-m",
        "taggers",
        str(tmp_path / "p"),
        "--model",
        str(wd_folder),
        "--runs-dir",
        str(tmp_path),
    ]
    result = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert result.returncode == 0 and len(list((tmp_path / "p").glob("*.txt"))) == 5
    assert b"Traceback" not in result.stderr and b"Exception" not in result.stderr


def test_tagging_never_imports_torch(tmp_path: Path, paint):
    paint(tmp_path / "p" / "a.png")
    write_wd(tmp_path / "t")
    script = ("import sys; from taggers.__main__ import main; "
              f"code = main([{str(tmp_path / 'p')!r}, '--model', {str(tmp_path / 't')!r}, '--dry-run']); "
              "sys.exit(code or 'torch' in sys.modules)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60).returncode == 0


def test_the_table_needs_no_onnxruntime():
    script = "import sys, taggers, taggers.run, taggers.pictures; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60).returncode == 0


@pytest.fixture
def linked(tmp_path: Path, paint) -> Path:
    """A folder `set` with pictures a to e; a file elsewhere that no run may touch."""
    for name in "abcde":
        paint(tmp_path / "set" / f"{name}.png")
    (tmp_path / "elsewhere.txt").write_text("mine", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("conflict", ["replace", "append", "skip"])
def test_a_run_writes_and_reads_through_no_link_that_leads_out_of_its_folder(linked: Path, tag, conflict: str):
    folder = linked / "set"
    (folder / "a.txt").symlink_to("../elsewhere.txt")
    (folder / "b.txt").symlink_to("nowhere.txt")
    (folder / "c.txt").symlink_to("caption of c")
    (folder / "caption of c").write_text("old", encoding="utf-8")
    (folder / "d.png").unlink()
    (folder / "d.png").symlink_to("d.png")
    (linked / "away.png").write_bytes((folder / "e.png").read_bytes())
    (folder / "e.png").unlink()
    (folder / "e.png").symlink_to(linked / "away.png")
    _, lines, _ = tag(folder, "--conflict", conflict)
    assert [line.get("message", "").partition(";")[0] for line in lines if line["action"] == "failed"] == [
        "a.txt is a link that leads outside the data set, which is not followed",
        "b.txt is a link that leads nowhere",
        "d.png is a link that leads nowhere",
        "e.png is a link that leads outside the data set, which is not followed",
    ]
    assert text(linked / "elsewhere.txt") == "mine"
    assert not (folder / "nowhere.txt").exists()
    assert (folder / "c.txt").is_symlink()  # inside the folder: followed, and still a link
    expected = {"replace": "red dress", "append": "old, red dress", "skip": "old"}[conflict]
    assert text(folder / "caption of c").startswith(expected)
    assert not list(folder.glob("[de].txt"))


def test_undo_writes_through_no_link_that_was_made_since(linked: Path, tag):
    folder = linked / "set"
    (folder / "a.txt").write_text("old", encoding="utf-8")
    tag(folder, "--conflict", "replace")
    (linked / "elsewhere.txt").write_text(text(folder / "a.txt"), encoding="utf-8")
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("../elsewhere.txt")
    code, (report,), _ = tag("--undo", next((linked / "runs").iterdir()).name)
    assert code == 1
    assert [conflict["message"] for conflict in report["conflicts"]] == [
        "the caption, or a folder above it, is a link now; left as it is"
    ]
    assert text(linked / "elsewhere.txt") == "red dress, o_o\n"
    assert report["removed"] == 4


def test_linked_sub_folders_are_named_and_not_tagged(linked: Path, paint, tag):
    paint(linked / "other" / "x.png")
    (linked / "set" / "linked").symlink_to(linked / "other")
    _, lines, err = tag(linked / "set", "--recursive")
    assert len(lines) == 5
    assert "linked is a link to a folder, which is not followed" in err
    assert not (linked / "other" / "x.txt").exists()


def test_a_caption_means_the_same_from_tagger_to_metadata(tmp_path: Path, paint, tag):
    """Odd in every way: ending in capitals, byte order mark, Windows line ends, two lines, a face, escaped brackets."""
    folder = paint(tmp_path / "train" / "2_x" / "0.PNG", (0, 255, 0)).parent
    (folder / "0.TXT").write_bytes("\ufeffnero_\\(fate\\), (o)_(o)\r\na girl\r\n".encode())
    tag(folder, "--conflict", "append", "--additional-tags", "anby")
    first, second = rf"nero_\(fate\), (o)_(o), anby, {GREEN}", f"a girl, anby, {GREEN}"
    assert (folder / "0.TXT").read_bytes().decode() == f"\ufeff{first}\r\n{second}\r\n"

    editor = Store(folder.resolve(), False, ".txt", Draft(tmp_path / "draft.json"))
    editor.apply(Edit(kind="spaces"), [0])
    assert [row.picture.caption for row in editor.rows] == ["0.TXT"]
    assert editor.rows[0].text == f"{first.replace('nero_', 'nero ')}\r\n{second}\r\n"

    values = {"pretrained_model_name_or_path": "x", "train_data_dir": str(tmp_path / "train"), "resolution": "64"}
    data = scan(parse({**values, "output_dir": "x", "caption_extension": "txt", "shuffle_caption": True}).config)
    assert [problem.values["files"] for problem in data.problems if problem.template == SEVERAL_LINES] == ["0.PNG"]
    assert data.examples[0].caption == first
    used = captions.process(first, data.folders[0].captions, Random(0), 1, 0, 1)
    assert sorted(used.split(", ")) == sorted(first.split(", "))
    assert plain(used) == used.replace("\\", "")
    assert statistics.tag_frequency(data) == {"2_x": dict.fromkeys(first.split(", "), 1)}
