"""The tag editor's store: finding, editing, undo, conflicts, drafts. Saving is in test_tagstore_saving.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from webui import tagfiles
from webui.tagfiles import Draft, FolderError
from webui.tagops import Edit, EditError
from webui.tagstore import Query, Stale, Store


def fill(folder: Path, captions: dict[str, str | bytes | None]) -> Path:
    """Pictures by stem (or by name with an ending), each with its caption unless that is None."""
    for name, caption in captions.items():
        path = folder / (name if Path(name).suffix else f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)
        if caption is not None:
            path.with_suffix(".txt").write_bytes(caption if isinstance(caption, bytes) else caption.encode("utf-8"))
    return folder


def open_store(folder: Path, recursive: bool = False) -> Store:
    return Store(folder.resolve(), recursive, ".txt", Draft(folder.parent / "state" / "draft.json"))


def texts(store: Store) -> list[str]:
    return [row.text for row in store.rows]


def names(store: Store, query: Query) -> list[str]:
    return [store.rows[n].picture.name for n in store.find(query)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(
        fill(tmp_path / "set", {"a": "1girl, solo, red", "b": "1girl, blue", "c": "solo, watermark", "d": None})
    )


def test_pictures_come_in_the_order_that_people_count(tmp_path: Path):
    store = open_store(fill(tmp_path / "set", {"10": "x", "2": "x", "b1": "x", "1": "x", "安": "x", "A2": "x"}))
    assert [row.picture.name for row in store.rows] == ["1.png", "2.png", "10.png", "A2.png", "b1.png", "安.png"]


def test_a_filter_can_ask_for_all_of_several_tags_or_for_any(store: Store):
    assert names(store, Query(include=("1girl", "solo"))) == ["a.png"]
    assert names(store, Query(include=("1girl", "solo"), include_mode="any")) == ["a.png", "b.png", "c.png"]


def test_a_filter_can_leave_out_tags_and_look_for_text_and_for_missing_captions(store: Store):
    assert names(store, Query(include=("solo",), exclude=("red",))) == ["c.png"]
    assert names(store, Query(text="WATER")) == ["c.png"]
    assert names(store, Query(text="b.pn")) == ["b.png"]
    assert names(store, Query(show="no_caption")) == ["d.png"]
    assert names(store, Query(include=("not there",))) == []


def test_tags_are_counted_among_the_shown_and_among_all(store: Store):
    shown = store.find(Query(include=("solo",)))
    assert dict((tag, (some, every)) for tag, some, every in store.counts(shown))["1girl"] == (1, 2)


def test_a_batch_tells_beforehand_how_many_pictures_it_would_change(store: Store):
    edit = Edit(kind="remove", tags=("solo",))
    assert len(store.plan(edit, range(4)).texts) == 2
    assert store.apply(edit, range(4)) == 2
    assert texts(store) == ["1girl, red", "1girl, blue", "watermark", ""]
    assert store.dirty == {0, 2}


def test_undo_and_redo_go_back_and_forth(store: Store):
    before, edit = texts(store), Edit(kind="add", tags=("anby",), place="start")
    store.apply(edit, range(4))
    after = texts(store)
    assert store.undo() == edit
    assert texts(store) == before
    assert store.dirty == set()
    assert store.redo() == edit
    assert texts(store) == after
    assert store.redo() is None


def test_history_can_be_travelled_to_any_step(store: Store):
    states = [texts(store)]
    for tag in ("x", "y", "z"):
        store.apply(Edit(kind="add", tags=(tag,)), [0])
        states.append(texts(store))
    for position in (1, 3, 0, 2):
        store.travel(position)
        assert texts(store) == states[position]


def test_typing_in_one_visit_is_one_step(store: Store):
    for text in ("1", "1g", "1girl"):
        store.apply(Edit(kind="text", text=text, merge="visit 1"), [1])
    assert len(store.done) == 1
    store.undo()
    assert store.rows[1].text == "1girl, blue"


EDITS = st.builds(
    Edit,
    kind=st.sampled_from(["add", "remove", "replace", "dedupe", "sort", "trim", "tags", "text", "spaces", "revert"]),
    tags=st.lists(st.sampled_from(["a", "b", "c_d e"]), min_size=1, max_size=2).map(tuple),
    replacement=st.lists(st.sampled_from(["a", "z"]), max_size=2).map(tuple),
    text=st.text("ab, \n", max_size=12),
    place=st.sampled_from(["start", "end"]),
)
CAPTIONS = st.lists(st.text("ab, \r\n_安", max_size=12), min_size=3, max_size=3)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CAPTIONS, st.lists(st.tuples(EDITS, st.sets(st.integers(0, 2), min_size=1)), min_size=1, max_size=6))
def test_undoing_everything_restores_exactly_and_the_index_stays_true(
    tmp_path_factory: pytest.TempPathFactory, captions: list[str], edits: list[tuple[Edit, set[int]]]
):
    folder = fill(tmp_path_factory.mktemp("set") / "set", dict(zip("abc", captions, strict=True)))
    store = open_store(folder)
    states = [texts(store)]
    for edit, targets in edits:
        if store.apply(edit, sorted(targets)):
            states.append(texts(store))
        expected = {
            tag: {n for n, row in enumerate(store.rows) if tag in row.tags} for r in store.rows for tag in r.tags
        }
        assert store.index == expected
        assert store.dirty == {n for n, row in enumerate(store.rows) if row.text != row.saved}
    for state in reversed(states[:-1]):
        store.undo()
        assert texts(store) == state
    assert texts(store) == captions
    assert store.dirty == set()


@pytest.mark.parametrize(
    "edit",
    [
        Edit(kind="add", tags=("twenty letters of it",)),
        Edit(kind="replace", tags=("1girl",), replacement=("twenty letters of it",)),
        Edit(kind="find", find="1girl", text="twenty letters of it"),
    ],
    ids=lambda edit: edit.kind,
)
def test_a_caption_that_would_be_too_long_stays_as_it_is_and_the_others_are_edited(tmp_path: Path, edit: Edit):
    longest = "1girl, " + "x" * 59_990
    store = open_store(fill(tmp_path / "set", {"a": longest, "b": "1girl, x", "c": None, "d.jpg": "1girl"}))
    plan = store.plan(edit, [0, 1, 3])
    assert (sorted(plan.texts), plan.too_long) == ([1, 3], [0])
    assert store.apply(edit, [0, 1, 3]) == 2
    assert store.rows[0].text == longest and store.dirty == {1, 3}
    with pytest.raises(EditError, match=r"The caption of a\.png would have more than 60,000 letters"):
        store.apply(edit, [0])


def test_a_text_put_in_many_places_is_refused_before_it_fills_the_memory(tmp_path: Path):
    store = open_store(fill(tmp_path / "set", {"a": "x" * 60_000, "b": "y"}))
    with pytest.raises(EditError, match=r"a\.png would have more than 60,000 letters"):
        store.apply(Edit(kind="find", find="x", text="z" * 200_000), [0, 1])  # 12 GB if it were built


def test_a_caption_that_is_too_long_already_can_be_shortened(tmp_path: Path):
    store = open_store(fill(tmp_path / "set", {"a": "1girl, " + "x" * 70_000}))
    assert store.apply(Edit(kind="remove", tags=("1girl",)), [0]) == 1
    assert store.rows[0].text == "x" * 70_000


def test_an_edit_made_on_an_older_state_is_refused(store: Store):
    seen = store.rev
    store.apply(Edit(kind="add", tags=("x",)), [0], seen)
    with pytest.raises(Stale):
        store.apply(Edit(kind="add", tags=("y",)), [0], seen)


def test_a_caption_that_is_not_utf8_is_named_with_its_place_and_never_edited(tmp_path: Path):
    store = open_store(fill(tmp_path / "set", {"a": "安比".encode("gbk"), "b": "fine"}))
    assert "a.txt: byte 0" in (store.rows[0].disk.problem or "")
    assert store.apply(Edit(kind="add", tags=("x",)), [0, 1]) == 1
    assert names(store, Query(show="problems")) == ["a.png"]
    assert names(store, Query(show="no_caption")) == []


def test_a_byte_order_mark_is_no_part_of_the_first_tag(tmp_path: Path):
    store = open_store(fill(tmp_path / "set", {"a": b"\xef\xbb\xbf1girl, solo"}))
    assert store.rows[0].tags == ("1girl", "solo")
    assert store.dirty == set()


def test_pictures_with_one_caption_file_change_together(tmp_path: Path):
    store = open_store(fill(tmp_path / "set", {"a.png": "x", "a.jpg": "x", "b": "x"}))
    assert store.shared(0) == ["a.png"]
    assert store.apply(Edit(kind="add", tags=("y",)), [0]) == 2
    assert texts(store) == ["x, y", "x, y", "x"]
    assert names(store, Query(show="problems")) == ["a.jpg", "a.png"]


def test_captions_without_a_picture_are_listed(tmp_path: Path):
    folder = fill(tmp_path / "set", {"a": "x"})
    (folder / "prompts.txt").write_text("x", encoding="utf-8")
    assert open_store(folder).orphans == ["prompts.txt"]


def test_a_caption_whose_extension_is_in_capitals_is_edited_in_its_place(tmp_path: Path):
    folder = fill(tmp_path / "set", {"sub/0.PNG": None, "1": None})
    (folder / "sub" / "0.TXT").write_text("1girl", encoding="utf-8")
    store = open_store(folder, recursive=True)
    assert [(row.picture.caption, row.text) for row in store.rows] == [("1.txt", ""), ("sub/0.TXT", "1girl")]
    assert store.orphans == [] and names(store, Query(show="no_caption")) == ["1.png"]
    (folder / "1.TXT").write_text("solo", encoding="utf-8")
    store.refresh()
    assert [row.text for row in store.rows] == ["solo", "1girl"]


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path):
    folder = fill(tmp_path / "set", {"a": "x", "._a.png": None, ".ipynb_checkpoints/b.png": "y"})
    assert [row.picture.name for row in open_store(folder, recursive=True).rows] == ["a.png"]


def test_subfolders_are_read_when_asked_and_can_be_filtered(tmp_path: Path):
    folder = fill(tmp_path / "set", {"10_a/1": "x", "1_b/1": "y", "top": "z"})
    assert [row.picture.name for row in open_store(folder).rows] == ["top.png"]
    store = open_store(folder, recursive=True)
    assert names(store, Query(folder="10_a")) == ["10_a/1.png"]
    assert names(store, Query(folder="")) == ["top.png"]


def test_a_link_that_leaves_the_folder_is_neither_read_nor_shown(tmp_path: Path):
    folder = fill(tmp_path / "set", {"a": None, "b": "x"})
    secret = fill(tmp_path / "elsewhere", {"s": "secret"})
    (folder / "a.txt").symlink_to(secret / "s.txt")
    (folder / "c.png").symlink_to(secret / "s.png")
    store = open_store(folder)
    assert [row.picture.name for row in store.rows] == ["a.png", "b.png"]
    (folder / "d.png").symlink_to("d.png")
    (folder / "linked").symlink_to(secret)
    store.refresh()
    assert store.outside == ["c.png", "d.png"]
    assert open_store(folder, recursive=True).outside == ["c.png", "d.png", "linked"]
    assert "leads outside this folder" in (store.rows[0].disk.problem or "")
    assert "secret" not in store.index


def test_a_caption_changed_by_others_is_taken_over_where_nothing_is_unsaved(store: Store):
    (store.folder / "a.txt").write_text("new, text", encoding="utf-8")
    assert store.refresh()
    assert store.rows[0].text == "new, text"
    assert store.dirty == set()


def test_a_caption_changed_here_and_by_others_is_a_conflict_until_settled(store: Store):
    store.apply(Edit(kind="add", tags=("mine",)), [0])
    (store.folder / "a.txt").write_text("theirs", encoding="utf-8")
    store.refresh()
    assert store.clashing == {0}
    assert store.rows[0].text == "1girl, solo, red, mine"
    store.resolve([0], "disk")
    assert (store.rows[0].text, store.clashing, store.dirty) == ("theirs", set(), set())
    store.undo()
    assert store.rows[0].text == "1girl, solo, red, mine"


def test_keeping_mine_over_a_file_that_cannot_be_read_is_refused(store: Store):
    store.apply(Edit(kind="add", tags=("mine",)), [0])
    (store.folder / "a.txt").write_bytes(b"\xff\xfe\x00")
    store.refresh()
    with pytest.raises(EditError, match=r"a\.txt.*not written over: repair the file"):
        store.resolve([0], "mine")
    store.resolve([0], "disk")
    assert store.faulty == {0}


def test_undo_does_not_bring_back_what_others_have_replaced(store: Store):
    store.apply(Edit(kind="add", tags=("x",)), [0, 1])
    store.undo()
    (store.folder / "a.txt").write_text("theirs", encoding="utf-8")
    store.refresh()
    store.redo()
    assert texts(store)[:2] == ["theirs", "1girl, blue, x"]


def test_new_pictures_are_found_and_unsaved_edits_stay_with_their_pictures(store: Store):
    store.apply(Edit(kind="add", tags=("mine",)), [1])
    fill(store.folder, {"aa": "new"})
    (store.folder / "c.png").unlink()
    assert store.refresh()
    assert [row.picture.name for row in store.rows] == ["a.png", "aa.png", "b.png", "d.png"]
    assert store.rows[2].text == "1girl, blue, mine"
    assert store.dirty == {2}


def test_unsaved_edits_of_a_picture_that_went_away_return_with_it(store: Store):
    store.apply(Edit(kind="add", tags=("mine",)), [0])
    picture = (store.folder / "a.png").read_bytes()
    (store.folder / "a.png").unlink()
    store.refresh()
    assert "a.txt" in store.strays
    (store.folder / "a.png").write_bytes(picture)
    store.refresh()
    assert store.rows[0].text == "1girl, solo, red, mine"


def test_unsaved_edits_survive_a_restart(store: Store):
    store.apply(Edit(kind="add", tags=("mine",)), [0])
    store.keep_draft()
    again = open_store(store.folder)
    assert again.restored == 1
    assert again.rows[0].text == "1girl, solo, red, mine"
    assert again.dirty == {0}
    again.undo()
    assert (store.folder / "a.txt").read_text(encoding="utf-8") == "1girl, solo, red"


def test_a_draft_older_than_the_file_is_a_conflict(store: Store):
    store.apply(Edit(kind="add", tags=("mine",)), [0])
    store.keep_draft()
    (store.folder / "a.txt").write_text("theirs", encoding="utf-8")
    again = open_store(store.folder)
    assert (again.clashing, again.rows[0].text) == ({0}, "1girl, solo, red, mine")


def test_a_damaged_draft_is_set_aside(store: Store):
    store.draft.path.parent.mkdir(parents=True, exist_ok=True)
    store.draft.path.write_text("{", encoding="utf-8")
    assert open_store(store.folder).restored == 0
    assert store.draft.path.with_suffix(".damaged").exists()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "No folder was given"),
        (r"\\server\share", "network paths are not opened"),
        ("//server/share", "network paths are not opened"),
        (r"/\server\share", "network paths are not opened"),
        ("nowhere/at/all", "does not exist; check the spelling"),
        ("set/a.png", "is a file; give the folder it is in"),
    ],
)
def test_a_path_that_is_no_folder_is_refused_with_the_cure(store: Store, path: str, words: str):
    with pytest.raises(FolderError, match=words):
        tagfiles.plain_folder(path, store.folder.parent)
