"""TensorBoard's addresses without TensorBoard: what is looked for, and when it is built anew."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from webui.routes import tensorboard
from webui.routes.tensorboard import LazyTensorBoard, has_logs
from webui.site import open_site


@pytest.fixture
def site(tmp_path):
    return open_site(tmp_path)


@pytest.fixture
def client(site):
    app = FastAPI()
    tensorboard.add(app, site)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def test_it_is_told_where_logs_lie_and_whether_there_are_any(client, site):
    assert client.get("/api/tensorboard").json() == {"logs": str(site.logs_dir), "runs": False}
    run = site.logs_dir / "20261130" / "network_train"
    run.mkdir(parents=True)
    (run / "notes.txt").touch()
    assert client.get("/api/tensorboard").json()["runs"] is False
    (run / "events.out.tfevents.1").touch()
    assert client.get("/api/tensorboard").json()["runs"] is True


def test_a_folder_too_large_to_look_through_is_taken_for_one_with_logs(tmp_path):
    for number in range(4):
        (tmp_path / str(number)).mkdir()
    assert (has_logs(tmp_path, most_folders=10), has_logs(tmp_path, most_folders=2)) == (False, True)
    assert has_logs(tmp_path / "gone") is False


def test_addresses_around_it_lead_to_it_below_any_path(client):
    assert client.get("/tensorboard").headers["location"] == "./tensorboard/"
    assert client.get("/font-roboto/a.woff2").headers["location"] == "../tensorboard/font-roboto/a.woff2"


def test_it_is_built_with_the_first_request_and_anew_for_another_folder(tmp_path, monkeypatch):
    built, folder = [], [tmp_path / "a"]
    monkeypatch.setattr(tensorboard, "_build", lambda place: built.append(place) or (lambda *_: [str(place).encode()]))
    board = LazyTensorBoard(lambda: folder[0])
    assert built == []
    answers = [board({}, lambda *_: None) for _ in range(2)]
    folder[0] = tmp_path / "b"
    answers.append(board({}, lambda *_: None))
    assert built == [tmp_path / "a", tmp_path / "b"]
    assert answers == [[str(tmp_path / name).encode()] for name in "aab"]


def test_a_logs_folder_that_cannot_be_made_is_a_sentence_and_is_tried_again(tmp_path):
    (tmp_path / "file").touch()
    said = []
    board = LazyTensorBoard(lambda: tmp_path / "file" / "logs")
    for _ in range(2):
        body = b"".join(board({}, lambda status, headers: said.append(status)))
        assert b"TensorBoard could not be started: " in body and b"file" in body
    assert said == ["503 Service Unavailable"] * 2
