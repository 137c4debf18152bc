"""The tag editor's routes: what a browser gets, and what it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.webui.served import served
from tests.webui.test_tagstore import fill
from webui.routes import datasets, thumbnails
from webui.routes.datasets import spans
from webui.site import open_site


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    site = open_site(tmp_path / "root")
    return served(datasets.router(site), thumbnails.router(site))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "10_anby", {"a": "1girl, solo", "b": "1girl, watermark", "c": None})


class Window:
    """What a browser window knows, and how it asks."""

    def __init__(self, client: TestClient, folder: Path) -> None:
        self.client = client
        answer = client.post("/api/datasets/open", json={"path": str(folder)})
        assert answer.status_code == 200, answer.text
        self.folder: dict[str, Any] = answer.json()
        self.view: dict[str, Any] = self.folder["view"]

    def post(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """POST with this window's revision; takes the view of the answer over."""
        state = {"rev": self.view["rev"], "listing": self.folder["listing"]}
        answer = self.client.post(f"/api/datasets/{self.folder['id']}/{path}", json=state | body)
        assert answer.status_code == status, answer.text
        content: dict[str, Any] = answer.json()
        if status == 200:
            self.view = content.get("view", content if "rev" in content else self.view)
        return content

    def edit(
        self, status: int = 200, spans: list[list[int]] | None = None, query: object = None, **edit: Any
    ) -> dict[str, Any]:
        """One edit on the shown pictures, or on `spans`."""
        target = {"scope": "shown"} if spans is None else {"scope": "selected", "spans": spans}
        return self.post("edit", status, edit=edit, target=target, query=query or {})

    def saved(self) -> dict[str, Any]:
        """Save everything and give the finished progress."""
        self.post("save")
        while True:
            now = self.client.get(f"/api/datasets/{self.folder['id']}/version").json()
            if not now["save"]["running"]:
                self.view = self.view | {"rev": now["rev"]}
                return dict(now["save"])


def test_opening_a_folder_gives_its_pictures_tags_and_thumbnails(client: TestClient, folder: Path):
    window = Window(client, folder)
    assert window.folder["pictures"] == ["a.png", "b.png", "c.png"]
    assert sorted(window.view["tags"]) == [["1girl", 2, 2], ["solo", 1, 1], ["watermark", 1, 1]]
    assert window.view["empty"] == [[2, 2]]
    picture = client.get(f"/api/thumbnails/{window.folder['thumbnails'][0]}")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/webp")


def test_the_road_from_a_filter_to_the_file(client: TestClient, folder: Path):
    window = Window(client, folder)
    query = {"include": ["watermark"]}
    assert window.edit(query=query, kind="remove", tags=["watermark"])["changed"] == 1
    assert (window.view["dirty"], window.view["shown_count"]) == ([[1, 1]], 0)
    assert window.saved()["written"] == 1
    assert (folder / "b.txt").read_text(encoding="utf-8") == "1girl"


def test_what_would_change_is_counted_without_changing_it(client: TestClient, folder: Path):
    window = Window(client, folder)
    answer = window.post("count", edit={"kind": "remove", "tags": ["1girl"]}, target={"scope": "shown"})
    assert answer == {"changes": 2, "of": 3, "too_long": 0}
    assert client.get(f"/api/datasets/{window.folder['id']}").json()["view"]["dirty_count"] == 0


def test_captions_that_would_be_too_long_are_named_and_the_others_are_edited(client: TestClient, folder: Path):
    (folder / "a.txt").write_text("x" * 59_999, encoding="utf-8")
    window = Window(client, folder)
    asked = window.post("count", edit={"kind": "add", "tags": ["y"]}, target={"scope": "shown"})
    assert asked == {"changes": 2, "of": 3, "too_long": 1}
    answer = window.edit(kind="add", tags=["y"])
    assert (answer["changed"], answer["too_long"], answer["too_long_count"]) == (2, ["a.png"], 1)
    refused = window.edit(400, kind="add", tags=["y"], spans=[[0, 0]])
    assert refused["message"] == "The caption of a.png would have more than 60,000 letters; shorten it"


def test_a_second_window_that_is_behind_is_refused_and_then_sees_the_change(client: TestClient, folder: Path):
    first, second = Window(client, folder), Window(client, folder)
    first.edit(kind="add", tags=["first"])
    refusal = second.edit(409, kind="add", tags=["second"])
    assert "changed in another window" in refusal["message"]
    view = client.post(f"/api/datasets/{second.folder['id']}/view", json={"look": 0}).json()
    assert view["picture"]["text"] == "1girl, solo, first"


CHANGES: dict[str, dict[str, Any]] = {
    "edit": {"edit": {"kind": "add", "tags": ["second"]}},
    "undo": {},
    "redo": {},
    "travel": {"position": 0},
    "resolve": {"spans": [[0, 0]], "keep": "mine"},
    "bring-back": {"name": "kept"},
    "save": {},
}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("older", ["rev", "listing"])
def test_no_change_is_made_on_what_another_window_or_program_has_changed_meanwhile(
    client: TestClient, folder: Path, tmp_path: Path, path: str, older: str
):
    first = Window(client, folder)
    first.edit(kind="add", tags=["undone"])
    first.edit(kind="add", tags=["first"])
    first.post("undo")
    (folder / "a.txt").write_text("theirs", encoding="utf-8")
    view = client.post(f"/api/datasets/{first.folder['id']}/refresh", json={}).json()
    kept = tmp_path / "root" / ".athanor" / "captions" / "returns" / first.folder["id"] / "kept.json"
    kept.parent.mkdir(parents=True)
    kept.write_text('{"time": 1, "captions": {"b.txt": "from before"}}', encoding="utf-8")
    state = {"rev": view["rev"], "listing": view["listing"]}
    state[older] -= 1
    answer = client.post(f"/api/datasets/{first.folder['id']}/{path}", json=CHANGES[path] | state)
    assert (answer.status_code, "changed in another window" in answer.json()["message"]) == (409, True)
    after = client.post(f"/api/datasets/{first.folder['id']}/view", json={"look": 1}).json()
    assert {name: after[name] for name in ("rev", "done_count", "dirty", "conflicts")} == {
        name: view[name] for name in ("rev", "done_count", "dirty", "conflicts")
    }
    assert (folder / "b.txt").read_text(encoding="utf-8") == "1girl, watermark"


def test_undo_redo_and_history_travel_through_the_steps(client: TestClient, folder: Path):
    window = Window(client, folder)
    window.edit(kind="add", tags=["x"])
    window.edit(kind="add", tags=["y"], spans=[[0, 0]])
    assert [step["tags"] for step in window.view["done"]] == [["x"], ["y"]]
    window.post("undo")
    assert (len(window.view["done"]), len(window.view["undone"])) == (1, 1)
    window.post("redo")
    window.post("travel", position=0)
    assert window.view["dirty_count"] == 0


def test_a_picture_is_told_with_tags_tokens_and_text(client: TestClient, folder: Path):
    window = Window(client, folder)
    picture = client.post(f"/api/datasets/{window.folder['id']}/view", json={"look": 0}).json()["picture"]
    assert (picture["text"], picture["tags"], picture["dirty"]) == ("1girl, solo", ["1girl", "solo"], False)
    assert picture["tokens"] == 4  # 1 · girl · , · solo


@pytest.mark.parametrize(
    ("text", "tokens"), [(r"nero \(fate\)", 4), ("nero (fate)", 4), ("1girl, solo\nmuch more", 4), ("\n1girl", 0)]
)
def test_tokens_are_counted_as_training_reads_the_caption(client: TestClient, folder: Path, text: str, tokens: int):
    window = Window(client, folder)
    window.edit(kind="text", text=text, spans=[[0, 0]])
    picture = client.post(f"/api/datasets/{window.folder['id']}/view", json={"look": 0}).json()["picture"]
    assert (picture["text"], picture["tokens"]) == (text, tokens)


def test_texts_before_a_save_come_back(client: TestClient, folder: Path):
    window = Window(client, folder)
    window.edit(kind="add", tags=["x"])
    window.saved()
    name = client.get(f"/api/datasets/{window.folder['id']}/returns").json()["returns"][0]["name"]
    assert window.post("bring-back", name=name)["changed"] == 3
    assert window.post("bring-back", 400, name="../../secret")["message"].startswith("This kept version is gone")


def test_conflicts_are_told_and_settled(client: TestClient, folder: Path):
    window = Window(client, folder)
    window.edit(kind="add", tags=["mine"], spans=[[0, 0]])
    (folder / "a.txt").write_text("theirs", encoding="utf-8")
    assert window.saved()["conflicts"] == 1
    view = client.post(f"/api/datasets/{window.folder['id']}/view", json={"look": 0}).json()
    assert view["picture"]["conflict"]["text"] == "theirs"
    window.view = view
    window.post("resolve", spans=[[0, 0]], keep="mine")
    assert window.saved()["written"] == 1
    assert (folder / "a.txt").read_text(encoding="utf-8") == "1girl, solo, mine"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"path": "//server/share"}, 400, "network paths"),
        ({"path": "no/such/folder"}, 400, "does not exist"),
        ({"path": ".", "extension": ".py"}, 400, r"Captions end in .txt or .caption, not '.py'"),
        ({"path": ".", "surprise": 1}, 422, "not understood"),
    ],
)
def test_a_folder_that_cannot_be_opened_is_refused_in_words(
    client: TestClient, body: dict[str, object], status: int, words: str
):
    answer = client.post("/api/datasets/open", json=body)
    assert answer.status_code == status
    assert words in answer.json()["message"]


@pytest.mark.parametrize("name", ["0" * 16, "..", "%2e%2e%2fsecret"])
def test_a_folder_that_nobody_opened_is_not_found(client: TestClient, name: str):
    assert client.get(f"/api/datasets/{name}").status_code == 404


def test_numbers_beyond_the_folder_are_ignored(client: TestClient, folder: Path):
    window = Window(client, folder)
    assert window.edit(kind="add", tags=["x"], spans=[[-5, 0], [2, 10**9]])["changed"] == 2


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        ({"kind": "add"}, 400),
        ({"kind": "format the disk"}, 422),
        ({"kind": "sort", "keep": -1}, 422),
        ({"kind": "find", "find": "x", "text": "y" * 300_000}, 422),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(client: TestClient, folder: Path, edit: dict[str, Any], status: int):
    assert Window(client, folder).edit(status, **edit)["message"]


def test_the_demo_pictures_come_with_captions_and_stay_as_they_are(client: TestClient, tmp_path: Path):
    path = client.post("/api/datasets/demo", json={}).json()["path"]
    (Path(path) / "01.txt").write_text("mine", encoding="utf-8")
    assert client.post("/api/datasets/demo", json={}).json()["path"] == path
    window = Window(client, Path(path))
    assert len(window.folder["pictures"]) == 12
    assert window.view["empty"] == []
    assert (Path(path) / "01.txt").read_text(encoding="utf-8") == "mine"


def test_recent_folders_are_offered(client: TestClient, folder: Path):
    Window(client, folder)
    recent = client.get("/api/datasets").json()["recent"]
    assert [(entry["name"], entry["path"]) for entry in recent] == [("10_anby", str(folder))]


def test_spans_are_runs_of_numbers():
    assert spans([]) == []
    assert spans([0, 1, 2, 5, 7, 8]) == [(0, 2), (5, 5), (7, 8)]


def test_sorting_is_offered_with_the_tags_that_all_captions_begin_with_in_place(client: TestClient, tmp_path: Path):
    captions = {"a": "anby, 1girl, solo", "b": "anby, 1girl, hat", "c": None}
    window = Window(client, fill(tmp_path / "10_x", captions))
    keep = f"/api/datasets/{window.folder['id']}/keep"
    assert client.get(keep).json() == {"keep": 2}
    window.edit(kind="add", tags=["best quality"], place="start", spans=[[0, 0]])
    assert client.get(keep).json() == {"keep": 0}
    draft = {"rev": 1, "preset": "", "mode": "basic", "saved_at": 1, "values": {"caption.keep_tokens": "1"}}
    (tmp_path / "root" / ".athanor" / "drafts").mkdir(exist_ok=True)
    (tmp_path / "root" / ".athanor" / "drafts" / "train.json").write_text(json.dumps(draft), encoding="utf-8")
    assert client.get(keep).json() == {"keep": 1}
