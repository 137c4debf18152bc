"""Whatever the files hold in which tag editor and tagger remember things, every route answers, and in words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from taggers.run import Run
from tests.webui.served import served
from tests.webui.test_tagstore import fill
from webui.routes import datasets, form, tagging
from webui.site import open_site

HELD = {
    "nothing": b"",
    "zero bytes": b"\0" * 40,
    "no UTF-8": "安比".encode("gbk"),
    "half a pair": b'{"edits": {"a.txt": ["\\ud800", "\\ud800"]}, "captions": {"a.txt": "\\ud800"}}',
    "a list": b"[1, 2]",
    "a number": b"7",
    "deep": b"[" * 100_000,
    "other kinds": b'{"edits": {"a.txt": [1, [], {}]}, "captions": {"a.txt": 5}, "time": [], "folder": 5, "pid": [],'
    b' "values": [], "event": "picture", "index": {}, "tags": 5, "conflicts": 5, "download": []}\n',
    "a huge number": b'{"time": 1e999, "pid": 1e999, "started": 1e999, "captions": {}}',
    "infinite": b'[{"id": "x", "path": "y", "recursive": 1, "extension": ".txt", "time": Infinity}]',
}
EVENTS = [
    b'{"event": "picture"}\n', b'{"event": "picture", "action": [], "tags": 5, "time": "x"}\n',
    b'{"event": "started", "time": "yesterday"}\n{"event": "phase"}\n', b'{"event": "finished", "time": null}\n',
    b'{"event": "started", "time": 1}\n{"event": "picture", "index": 0, "image": "\\ud800/a.png", "action": "written", '
    b'"tags": [["x", 0.5]], "rating": null, "time": 2}\n{"event": "phase", "time": {}, "name": []}\n',
]  # fmt: skip


@pytest.mark.parametrize("content", HELD.values(), ids=HELD)
def test_the_editor_answers_whatever_its_state_holds(tmp_path: Path, content: bytes):
    folder = fill(tmp_path / "set", {"a": "x, y"})
    site = open_site(tmp_path / "root")
    first = served(datasets.router(site)).post("/api/datasets/open", json={"path": str(folder)}).json()
    state = site.state_dir / "captions"
    for name in (f"drafts/{first['id']}.json", f"returns/{first['id']}/20260101-000000.json", "folders.json"):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_bytes(content)
    client = TestClient(served(datasets.router(open_site(site.root))).app, "http://127.0.0.1", False)
    answers = [client.get("/api/datasets"), client.get(f"/api/datasets/{first['id']}")]
    opened = client.post("/api/datasets/open", json={"path": str(folder)})
    assert opened.json()["pictures"] == ["a.png"]
    answers.append(client.get(f"/api/datasets/{first['id']}/returns"))
    body = {"rev": 0, "listing": 1, "name": "20260101-000000"}
    answers.append(client.post(f"/api/datasets/{first['id']}/bring-back", json=body))
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert (folder / "a.txt").read_text(encoding="utf-8") == "x, y"


@pytest.mark.parametrize("content", [*HELD.values(), *EVENTS], ids=[*HELD, *map(str, range(len(EVENTS)))])
def test_the_tagger_answers_whatever_its_state_holds(tmp_path: Path, content: bytes):
    site = open_site(tmp_path / "root")
    run = Run.create(site.state_dir / "tagging", "x", {})
    for name in ("settings.json", "events.jsonl", "process.json", "journal.jsonl", "undone.json"):
        (run.path / name).write_bytes(content)
    download = Run.create(site.state_dir / "downloads", "x", {})
    (download.path / "settings.json").write_bytes(content)
    (download.path / "events.jsonl").write_bytes(content)
    (site.state_dir / "drafts").mkdir(parents=True, exist_ok=True)
    (site.state_dir / "drafts" / "tagger.json").write_bytes(content)
    client = TestClient(served(tagging.router(site)).app, "http://127.0.0.1", False)
    base = f"/api/tagging/runs/{run.id}"
    answers: list[Any] = [
        client.get(path) for path in ("/api/tagging/draft", "/api/tagging/status", "/api/tagging/runs")
    ]
    answers += [client.get(path) for path in (base, f"{base}/pictures", f"{base}/pictures?action=written")]
    answers += [client.post(f"{base}/{path}", json={}) for path in ("stop", "end", "undo")]
    answers.append(client.post("/api/tagging/models/wd-vit-v3/cancel", json={}))
    assert {str(answer.url): answer.text for answer in answers if answer.status_code >= 500} == {}


DRAFTS = {
    **HELD,
    "deep values": b'{"rev": 3, "preset": "", "mode": "basic", "saved_at": 1, "values": {"run.seed": %s}}'
    % (b"[" * 900 + b"]" * 900),
    "half a character": b'{"rev": 3, "preset": "", "mode": "basic", "saved_at": 1, "values": {"run.seed": "\\ud800"}}',
}


@pytest.mark.parametrize("content", DRAFTS.values(), ids=DRAFTS)
def test_a_damaged_draft_leaves_the_form_as_it_is_at_first_and_the_next_draft_is_kept(tmp_path: Path, content: bytes):
    site = open_site(tmp_path / "root")
    (site.state_dir / "drafts").mkdir(parents=True, exist_ok=True)
    (site.state_dir / "drafts" / "train.json").write_bytes(content)
    client = TestClient(served(form.router(site)).app, "http://127.0.0.1", False)
    opened = client.get("/api/form/draft")
    assert (opened.status_code, opened.json()["rev"], opened.json()["mode"]) == (200, 0, "basic")
    body = {"values": {"run.seed": "9"}, "preset": "", "mode": "expert", "rev": 0}
    assert client.post("/api/form/draft", json=body).json()["saved"]
    assert client.get("/api/form/draft").json()["values"]["run.seed"] == "9"


PATHS = [
    "~nosuchuser/x",
    "/" + "x" * 300,
    "x" * 4000,
    "a/" * 1900,
    "\x01\x02",
    "／etc",
    "\u202e",
    "~",
    "a\tb",
    "\0",
    "//x",
]


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_every_path_field_of_editor_and_tagger_is_answered_in_words(tmp_path: Path, path: str):
    site = open_site(tmp_path / "root")
    client = TestClient(served(datasets.router(site), tagging.router(site)).app, "http://127.0.0.1", False)
    form = {"model": "folder", "model_folder": path, "folder": path}
    answers = [client.post("/api/datasets/open", json={"path": path})]
    for values in (form, {**form, "model_folder": "x"}, {**form, "folder": "x"}):
        answers += [
            client.post(f"/api/tagging/{name}", json={"values": values}) for name in ("check", "start", "draft")
        ]
        answers.append(client.post("/api/tagging/try", json={"values": values, "picture": path}))
    answers.append(client.post("/api/tagging/try", json={"values": {"model": "demo-tagger"}, "picture": path + ".png"}))
    assert {answer.text[:200] for answer in answers if answer.status_code >= 500} == set()
    assert all(answer.json()["message"] for answer in answers if answer.status_code >= 400)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_subfolder_whose_name_is_no_text_is_shown_and_filtered(tmp_path: Path):
    folder = fill(tmp_path / "set", {"a": "x", "sub/b": "y"})
    (folder / "sub").rename(folder / "sub\udcff")
    client = TestClient(served(datasets.router(open_site(tmp_path / "root"))).app, "http://127.0.0.1", False)
    opened = client.post("/api/datasets/open", json={"path": str(folder), "recursive": True}).json()
    assert opened["pictures"] == ["a.png", "sub?/b.png"]
