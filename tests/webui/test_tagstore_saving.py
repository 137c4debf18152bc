"""Saving captions: what is written, what never is, and how it is taken back."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.webui.test_tagstore import fill
from trainer.atomic import WriteError, atomic_write
from webui.tagfiles import Returns
from webui.tagfolders import Opened, OpenFolders
from webui.tagops import Edit
from webui.tagsave import Progress, Saver
from webui.tagstore import Stale, Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    captions = {"a": "1girl,solo ,  red\r\n", "b": b"\xef\xbb\xbf1girl, blue", "c": None, "d": "安比".encode("gbk")}
    return fill(tmp_path / "set", captions)


@pytest.fixture
def folders(tmp_path: Path) -> OpenFolders:
    return OpenFolders(tmp_path / "state")


def save(saver: Saver) -> Progress:
    assert saver.start()
    return saver.wait(20)


def tree(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_only_captions_that_were_edited_are_written(folder: Path, folders: OpenFolders):
    before = tree(folder)
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("anby",)), [2])
    progress = save(opened.saver)
    assert (progress.written, progress.failed, progress.conflicts) == (1, [], 0)
    after = tree(folder)
    assert (folder / "c.txt").read_bytes() == b"anby"
    assert after.pop("c.txt")
    assert after == before
    assert opened.store.dirty == set()


def test_a_saved_caption_keeps_its_line_ends(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="remove", tags=("solo",)), [0])
    save(opened.saver)
    assert (folder / "a.txt").read_bytes() == b"1girl, red\r\n"


def test_an_edit_that_was_undone_is_not_written(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("x",)), [0, 1, 2])
    opened.store.undo()
    assert not opened.saver.start()


def test_a_file_changed_by_others_is_not_written_over_but_the_rest_is_saved(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("mine",)), [0, 1])
    (folder / "a.txt").write_text("theirs", encoding="utf-8")
    progress = save(opened.saver)
    assert (progress.written, progress.conflicts) == (1, 1)
    assert (folder / "a.txt").read_text(encoding="utf-8") == "theirs"
    opened.store.resolve([0], "mine")
    assert save(opened.saver).written == 1
    assert (folder / "a.txt").read_text(encoding="utf-8").endswith("mine\n")


def test_a_file_changed_to_the_same_length_at_the_same_time_is_still_noticed(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("mine",)), [1])
    path, status = folder / "b.txt", (folder / "b.txt").stat()
    path.write_bytes(b"\xef\xbb\xbf2girl, blue")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert save(opened.saver).conflicts == 1


def test_two_editors_on_one_folder_lose_nothing(folder: Path, tmp_path: Path):
    first = OpenFolders(tmp_path / "one").open(folder, None, ".txt")
    second = OpenFolders(tmp_path / "two").open(folder, None, ".txt")
    first.store.apply(Edit(kind="add", tags=("first",)), [1])
    second.store.apply(Edit(kind="add", tags=("second",)), [1])
    assert save(first.saver).written == 1
    assert save(second.saver).conflicts == 1
    assert (folder / "b.txt").read_text(encoding="utf-8") == "\ufeff1girl, blue, first"
    second.store.resolve([1], "disk")
    assert second.store.rows[1].text == "1girl, blue, first"


def test_a_save_on_an_older_state_is_refused(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    seen = opened.store.rev
    opened.store.apply(Edit(kind="add", tags=("x",)), [0])
    with pytest.raises(Stale):
        opened.saver.start(seen)


def test_the_texts_before_a_save_can_be_brought_back_and_undone(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    before = [row.text for row in opened.store.rows]
    opened.store.apply(Edit(kind="tags", tags=("ruined",)), [0, 1, 2])
    save(opened.saver)
    kept = opened.returns.listing()
    assert [entry["captions"] for entry in kept] == [3]
    assert opened.store.bring_back(opened.returns.read(kept[0]["name"]), kept[0]["name"]) == 3
    assert [row.text for row in opened.store.rows] == before
    assert (folder / "a.txt").read_text(encoding="utf-8") == "ruined\n"
    save(opened.saver)
    assert (folder / "a.txt").read_bytes() == b"1girl,solo ,  red\r\n"


def bring_back(opened: Opened) -> None:
    name = opened.returns.listing()[0]["name"]
    opened.store.bring_back(opened.returns.read(name), name)


@pytest.mark.parametrize(
    ("take_back", "restarted"),
    [(bring_back, True), (lambda opened: opened.store.undo(), False), (lambda opened: opened.store.undo(), True)],
    ids=["brought back, page restarted", "undone", "undone, page restarted"],
)
def test_taking_a_save_back_leaves_every_file_byte_for_byte_as_it_was(
    tmp_path: Path, folders: OpenFolders, take_back: Callable[[Opened], object], restarted: bool
):
    mark = b"\xef\xbb\xbf"
    before = {"ends": b"x,y ,  z\r\n", "marked": mark + b"x, y", "none": None, "empty": b"", "only mark": mark}
    folder = fill(tmp_path / "set", before)
    at_first = tree(folder)
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="tags", tags=("ruined",)), range(5))
    assert save(opened.saver).written == 5
    assert {path.read_bytes() for path in folder.glob("*.txt")} == {b"ruined", b"ruined\r\n", mark + b"ruined"}
    take_back(opened)
    assert len(opened.store.dirty) == 5
    if restarted:
        folders.keep_drafts()
        opened = OpenFolders(folders.state.parent).get(opened.id)
    assert save(opened.saver).written == 5
    assert tree(folder) == at_first
    assert not opened.store.dirty


def test_a_caption_that_somebody_else_wrote_is_not_removed_with_the_save_that_is_taken_back(
    folder: Path, folders: OpenFolders
):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("x",)), [2])
    save(opened.saver)
    opened.store.undo()
    (folder / "c.txt").write_text("theirs", encoding="utf-8")
    assert save(opened.saver).conflicts == 1
    assert (folder / "c.txt").read_text(encoding="utf-8") == "theirs"
    opened.store.resolve([2], "disk")
    assert (opened.store.rows[2].text, opened.store.dirty) == ("theirs", set())


def test_taking_unsaved_changes_back_means_the_file_as_it_is_not_as_it_was(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="text", text=""), [1])
    save(opened.saver)
    bring_back(opened)
    opened.store.apply(Edit(kind="revert"), [1])
    assert (opened.store.rows[1].text, opened.store.dirty) == ("", set())


def test_only_the_newest_kept_texts_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("webui.tagfiles.RETURNS_KEPT", 3)
    returns = Returns(tmp_path / "returns")
    names = [returns.keep(tmp_path, {"a.txt": str(n)}) for n in range(5)]
    assert [entry["name"] for entry in returns.listing()] == names[:1:-1]


def test_a_caption_that_cannot_be_written_is_named_and_its_edit_stays(folder: Path, folders: OpenFolders):
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("x",)), [0])
    (folder / "a.txt").unlink()
    (folder / "a.txt").mkdir()
    progress = save(opened.saver)
    assert progress.written == 0
    assert "a.txt is not a regular file" in progress.failed[0][1]
    assert opened.store.dirty == {0}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts letters, not bytes")
def test_a_name_too_long_for_its_caption_is_one_failed_line_and_all_others_are_saved(
    tmp_path: Path, folders: OpenFolders
):
    longest = "安" * 83  # 249 bytes: .png fits into the 255 of a file name, .caption is 257
    folder = fill(tmp_path / "set", {longest: None, "a": None, "b": None})
    opened = folders.open(folder, None, ".caption")
    opened.store.apply(Edit(kind="add", tags=("x",)), range(3))
    progress = save(opened.saver)
    assert (progress.written, progress.error) == (2, None)
    assert {path.name for path in folder.glob("*.caption")} == {"a.caption", "b.caption"}
    assert [(line["name"][:3], "too long" in line["message"]) for line in opened.saver.state()["failed"]] == [
        ("安安安", True)
    ]


def test_a_subfolder_that_became_a_link_out_of_the_folder_is_not_written_through(tmp_path: Path, folders: OpenFolders):
    folder = fill(tmp_path / "set", {"sub/a": "x", "b": "x"})
    opened = folders.open(folder, True, ".txt")
    opened.store.apply(Edit(kind="add", tags=("y",)), [0, 1])
    (folder / "sub").rename(tmp_path / "elsewhere")
    (folder / "sub").symlink_to(tmp_path / "elsewhere")
    progress = save(opened.saver)
    assert (progress.written, progress.failures) == (1, 1)
    assert "no longer lies in the opened folder" in progress.failed[0][1]
    assert (tmp_path / "elsewhere" / "a.txt").read_text(encoding="utf-8") == "x"
    assert (folder / "b.txt").read_text(encoding="utf-8") == "x, y"


def test_a_caption_that_became_a_link_out_of_the_folder_is_neither_read_nor_written(
    tmp_path: Path, folders: OpenFolders
):
    folder = fill(tmp_path / "set", {"a": "x"})
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("y",)), [0])
    (folder / "a.txt").rename(tmp_path / "secret.txt")
    (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
    assert "leads outside this folder" in save(opened.saver).failed[0][1]
    assert (tmp_path / "secret.txt").read_text(encoding="utf-8") == "x"
    assert opened.store.rows[0].text == "x, y"


@pytest.mark.parametrize("error", [OSError(36, "File name too long"), ValueError("no such letter"), WriteError("full")])
def test_whatever_keeps_one_caption_from_disk_the_others_are_saved(
    folder: Path, folders: OpenFolders, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def refuse(path: Path, data: bytes | str) -> None:
        if path.name == "a.txt":
            raise error
        atomic_write(path, data)

    monkeypatch.setattr("webui.tagsave.atomic_write", refuse)
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("x",)), [0, 1, 2])
    progress = save(opened.saver)
    assert (progress.written, progress.done, progress.error, opened.store.dirty) == (2, 3, None, {0})
    assert [n for n, _ in progress.failed] == [0]


def test_a_full_state_disk_saves_nothing_rather_than_without_keeping_the_old_texts(folder: Path, tmp_path: Path):
    state = tmp_path / "state"
    opened = OpenFolders(state).open(folder, None, ".txt")
    before = tree(folder)
    opened.store.apply(Edit(kind="add", tags=("x",)), [0])
    (state / "captions" / "returns").write_text("a file where a folder is needed", encoding="utf-8")
    progress = save(opened.saver)
    assert progress.error is not None
    assert tree(folder) == before
    assert opened.store.dirty == {0}


def test_edits_made_while_a_save_runs_stay_unsaved(folder: Path, folders: OpenFolders):
    store: Store = folders.open(folder, None, ".txt").store
    saver = folders.open(folder, None, ".txt").saver
    store.apply(Edit(kind="add", tags=("one",)), [0, 1])
    assert saver.start()
    store.apply(Edit(kind="add", tags=("two",)), [2])
    saver.wait(20)
    assert 2 in store.dirty


def test_a_folder_is_found_again_by_its_id_after_a_restart(folder: Path, tmp_path: Path):
    first = OpenFolders(tmp_path / "state")
    opened = first.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("x",)), [0])
    first.keep_drafts()
    again = OpenFolders(tmp_path / "state").get(opened.id)
    assert again.store.restored == 1
    assert again.store.dirty == {0}


def test_subfolders_are_read_by_themselves_only_where_the_folder_has_no_picture(tmp_path: Path, folders: OpenFolders):
    fill(tmp_path / "train", {"10_a/1.png": "x", "1_b/2.png": "y"})
    assert len(folders.open(tmp_path / "train", None, ".txt").store.rows) == 2
    fill(tmp_path / "train", {"top": "z"})
    assert len(folders.open(tmp_path / "train", None, ".txt").store.rows) == 1


def test_many_open_folders_are_dropped_from_memory_but_not_their_edits(tmp_path: Path, folders: OpenFolders):
    first = folders.open(fill(tmp_path / "s0", {"a": "x"}), None, ".txt")
    first.store.apply(Edit(kind="add", tags=("y",)), [0])
    for n in range(1, 9):
        folders.open(fill(tmp_path / f"s{n}", {"a": "x"}), None, ".txt")
    again = folders.get(first.id)
    assert again.store is not first.store
    assert again.store.rows[0].text == "x, y"
    assert len(json.loads((tmp_path / "state" / "captions" / "folders.json").read_text(encoding="utf-8"))) == 9


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_strange_file_names_are_edited_saved_and_brought_back(tmp_path: Path, folders: OpenFolders):
    folder = tmp_path / "set [1] 100% 'x'"
    fill(folder, {"plain": "x", "a b%20'\"&<b>": "x", "安比 (1)": "x"})
    (folder / "plain.png").rename(folder / os.fsdecode(b"\xff\xfe.png"))
    (folder / "plain.txt").rename(folder / os.fsdecode(b"\xff\xfe.txt"))
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "安比 (1).caption")
    opened = folders.open(folder, None, ".txt")
    assert len(opened.store.rows) == 3
    opened.store.apply(Edit(kind="add", tags=("y",)), range(3))
    opened.store.keep_draft()
    assert OpenFolders(tmp_path / "state").get(opened.id).store.restored == 3
    assert save(opened.saver).written == 3
    assert {path.read_text(encoding="utf-8") for path in folder.glob("*.txt")} == {"x, y"}
    name = opened.returns.listing()[0]["name"]
    assert opened.store.bring_back(opened.returns.read(name), name) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_a_pipe_in_place_of_a_caption_is_named_and_does_not_hang(tmp_path: Path, folders: OpenFolders):
    folder = fill(tmp_path / "set", {"a": None})
    os.mkfifo(folder / "a.txt")
    opened = folders.open(folder, None, ".txt")
    assert "a.txt is not a regular file" in (opened.store.rows[0].disk.problem or "")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_caption_that_is_a_link_within_the_folder_stays_one_and_one_that_leads_outside_is_not_written(
    folder: Path, folders: OpenFolders
):
    (folder / "c.txt").symlink_to("text of c")
    (folder / "text of c").write_text("old", encoding="utf-8")
    opened = folders.open(folder, None, ".txt")
    opened.store.apply(Edit(kind="add", tags=("anby",)), [0, 2])
    outside = folder.parent / "outside.txt"
    outside.write_bytes((folder / "a.txt").read_bytes())
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(outside)  # since the folder was opened
    before = outside.read_bytes()
    progress = save(opened.saver)
    assert (folder / "c.txt").is_symlink()
    assert (folder / "text of c").read_text(encoding="utf-8") == "old, anby"
    assert (progress.written, len(progress.failed)) == (1, 1)
    assert "a.txt is a link that leads outside this folder" in progress.failed[0][1]
    assert outside.read_bytes() == before
