"""The Tagger tab's interface, with the real demo tagger and real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from taggers import TAGGERS
from taggers.run import Run
from tests.taggers.test_download import MODEL, Hub, hub
from tests.webui.served import served
from trainer.demo import write_pictures
from trainer.events import TERMINAL, EventLog
from webui.routes import tagging, thumbnails
from webui.site import Site, open_site
from webui.tagruns import Drafts, FieldProblem, RunView, TaggerForm

__all__ = ["hub"]  # a fixture


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no cache"))
    return open_site(tmp_path / "安 [b]")


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with served(tagging.router(site), thumbnails.router(site)) as client:
        yield client


@pytest.fixture
def folder(site: Site) -> Path:
    write_pictures(site.train_dir / "10_star")
    return site.train_dir / "10_star"


def form(folder: Path | str = "", **values: object) -> dict[str, Any]:
    return {"values": {"folder": str(folder), "model": "demo-tagger", **values}}


def wait(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.03)
    return pytest.fail(f"waited {seconds} s in vain")


def finished(client: TestClient, run_id: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        run = client.get(f"/api/tagging/runs/{run_id}").json()
        return None if run["state"] in ("running", "waiting") else run

    return wait(over)


def test_an_untouched_form_has_qiuyes_values_and_the_default_model(client: TestClient):
    values = client.get("/api/tagging/draft").json()["values"]
    assert (values["model"], values["general_threshold"], values["character_threshold"]) == ("wd-vit-v3", 0.35, 0.6)
    assert values["replace_underscore"] and values["escape"] and values["conflict"] == "skip"


def test_a_draft_is_found_again_even_when_it_is_wrong(client: TestClient):
    client.post("/api/tagging/draft", json=form("nowhere", general_threshold=7.5, additional_tags="安比, x"))
    values = client.get("/api/tagging/draft").json()["values"]
    assert (values["folder"], values["general_threshold"], values["additional_tags"]) == ("nowhere", 7.5, "安比, x")


def test_a_damaged_draft_gives_a_fresh_form(tmp_path: Path):
    (tmp_path / "tagger.json").write_text("{", encoding="utf-8")
    assert Drafts(tmp_path / "tagger.json").read() == TaggerForm()


def test_models_say_whether_they_are_here_and_how_large_the_download_is(client: TestClient):
    models = {model["name"]: model for model in client.get("/api/tagging/status").json()["models"]}
    assert list(models) == list(TAGGERS)
    assert models["demo-tagger"]["present"] and not models["wd-vit-v3"]["present"]
    assert models["wd-vit-v3"]["bytes"] == 378_844_778


def test_the_check_counts_pictures_and_captions(client: TestClient, folder: Path):
    (folder / "01.txt").write_text("by hand", encoding="utf-8")
    (folder / "02.txt").write_text("", encoding="utf-8")
    (folder / "03.TXT").write_text("by hand", encoding="utf-8")
    if hasattr(os, "mkfifo"):  # links need rights on Windows
        (folder / "self.png").symlink_to("self.png")
        (folder / "passwords.png").symlink_to("/etc/passwd")
    answer = client.post("/api/tagging/check", json=form(folder)).json()
    assert answer["problems"] == []
    assert (answer["folder"]["pictures"], answer["folder"]["captioned"], answer["folder"]["to_tag"]) == (12, 2, 10)
    replace = client.post("/api/tagging/check", json=form(folder, conflict="replace")).json()
    assert replace["folder"]["to_tag"] == 12


def test_tags_that_were_typed_for_another_folder_are_told(client: TestClient, site: Site, folder: Path):
    other = site.train_dir / "10_other"
    write_pictures(other)

    def foreign(**values: object) -> object:
        return client.post("/api/tagging/check", json=form(other, **values)).json()["foreign"]

    typed = {"additional_tags": "zqx", "texts_from": str(folder)}
    assert foreign(**typed) == "10_star"
    assert foreign(**{**typed, "texts_from": "./train/10_other"}) is None  # the same folder, written otherwise
    assert foreign(**{**typed, "additional_tags": " "}) is None
    assert foreign(exclude_tags="1girl", texts_from="train/10_star") == "10_star"
    assert foreign(additional_tags="zqx") is None  # typed before any folder was chosen


def test_a_folder_that_cannot_be_read_is_named_and_one_that_is_only_a_hint_is_passed_over(
    client: TestClient, site: Site, monkeypatch: pytest.MonkeyPatch
):
    locked, real = site.train_dir / "locked", os.scandir
    locked.mkdir(parents=True)

    def scandir(place: Any = ".") -> Any:
        if str(place) == str(locked):
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    messages = [
        [problem["message"] for problem in client.post("/api/tagging/check", json=body).json()["problems"]]
        for body in (form("train"), form("train", recursive=True))
    ]
    assert messages == [[f"{site.train_dir} holds no pictures."], [f"{locked} cannot be read; check its rights."]]


@pytest.mark.parametrize(
    ("values", "address", "words"),
    [
        ({"folder": ""}, "folder", "Choose the folder"), ({"folder": "none"}, "folder", "is not a folder"),
        ({"folder": "jobs"}, "folder", "holds no pictures"), ({"folder": "train"}, "folder", "its sub-folders have 12"),
        ({"model": "wd-vit-v3"}, "model", "download it first"), ({"model": "x"}, "model", "There is no tagger x"),
        ({"model": "folder"}, "model_folder", "Choose the folder that holds the tagger"),
        ({"model": "folder", "model_folder": "jobs"}, "model_folder", "holds no tagger"),
        ({"general_threshold": 0}, "general_threshold", "above 0"),
        ({"character_threshold": 1.01}, "character_threshold", "above 0"),
        ({"general_threshold": "0,35"}, "general_threshold", "write 0.35"),
        ({"general_threshold": "abc"}, "general_threshold", "abc is no score"),
        ({"general_threshold": ""}, "general_threshold", "such as 0.35"),
        ({"character_threshold": "-１"}, "character_threshold", "above 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_field(client: TestClient, folder: Path, values: dict, address: str, words: str):
    body = form(**{"folder": str(folder), **values})
    problems = client.post("/api/tagging/check", json=body).json()["problems"]
    assert [problem["address"] for problem in problems] == [address] and words in problems[0]["message"]
    refused = client.post("/api/tagging/start", json=body)
    assert refused.status_code == 422 and refused.json()["problems"][0]["address"] == address


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such names")
def test_a_picture_with_a_name_that_is_no_unicode_is_counted_but_not_offered(client: TestClient, folder: Path):
    (folder / os.fsdecode(b"0\xff.png")).write_bytes((folder / "01.png").read_bytes())
    found = client.post("/api/tagging/check", json=form(folder)).json()["folder"]
    assert found["pictures"] == 13 and len(found["sample"]) == 12


@pytest.mark.parametrize("path", ["//host/share", "\\\\host\\share", "a\0b"])
def test_network_paths_and_zero_bytes_are_refused(client: TestClient, path: str):
    assert client.post("/api/tagging/check", json=form(path)).status_code == 400
    assert client.post("/api/tagging/try", json={**form(), "picture": path}).status_code == 400


def test_a_folder_is_tagged_watched_and_undone(client: TestClient, folder: Path):
    (folder / "01.txt").write_text("by hand", encoding="utf-8")
    body = form(folder, additional_tags="zqx, --undo", conflict="append")
    run = finished(client, client.post("/api/tagging/start", json=body).json()["id"])
    assert run["state"] == "finished" and run["counts"] == {"appended": 1, "written": 11}
    assert (run["total"], run["done"], run["device"], run["undoable"]) == (12, 12, "CPU", True)
    assert (folder / "02.txt").read_text(encoding="utf-8") == "zqx, --undo, orange star, yellow background, large\n"
    page = client.get(f"/api/tagging/runs/{run['id']}/pictures?start=1&count=2").json()
    assert page["total"] == 12 and [row["name"] for row in page["rows"]] == ["02.png", "03.png"]
    assert client.get("/api/" + page["rows"][0]["thumb"]).headers["content-type"] == "image/webp"
    only = client.get(f"/api/tagging/runs/{run['id']}/pictures?action=appended").json()
    assert [row["name"] for row in only["rows"]] == ["01.png"]
    (folder / "03.txt").write_text("by hand, later", encoding="utf-8")
    client.post(f"/api/tagging/runs/{run['id']}/undo")
    undone = wait(lambda: client.get(f"/api/tagging/runs/{run['id']}").json()["undone"])
    assert (undone["restored"], undone["removed"], len(undone["conflicts"])) == (1, 10, 1)
    after = client.get(f"/api/tagging/runs/{run['id']}").json()
    assert (after["undoable"], after["counts"]) == (False, {"undone": 11, "written": 1})
    written = client.get(f"/api/tagging/runs/{run['id']}/pictures?action=written").json()["rows"]
    assert [row["name"] for row in written] == ["03.png"]
    assert sorted(path.name for path in folder.glob("*.txt")) == ["01.txt", "03.txt"]
    assert (folder / "01.txt").read_text(encoding="utf-8") == "by hand"


def test_a_new_page_process_finds_the_run_again(client: TestClient, site: Site, folder: Path):
    run = finished(client, client.post("/api/tagging/start", json=form(folder)).json()["id"])
    with served(tagging.router(open_site(site.root))) as second:
        found = second.get("/api/tagging/status").json()["run"]
        assert (found["id"], found["counts"]) == (run["id"], run["counts"])
        assert [one["id"] for one in second.get("/api/tagging/runs").json()["runs"]] == [run["id"]]


def test_two_runs_at_once_are_refused_and_a_run_can_be_stopped(client: TestClient, site: Site, folder: Path):
    for number in range(400):
        (folder / f"x{number:03}.png").write_bytes((folder / "01.png").read_bytes())
    run = client.post("/api/tagging/start", json=form(folder)).json()
    again = client.post("/api/tagging/start", json=form(folder))
    assert again.status_code == 409 and "going on already" in again.json()["message"]
    refused = client.post(f"/api/tagging/runs/{run['id']}/undo")
    assert refused.status_code == 409 and "still going" in refused.json()["message"]
    wait(lambda: client.get(f"/api/tagging/runs/{run['id']}").json()["done"] > 3)
    client.post(f"/api/tagging/runs/{run['id']}/stop")
    over = finished(client, run["id"])
    assert over["state"] == "stopped" and 0 < over["done"] < 412
    assert len(list(folder.glob("*.txt"))) == over["counts"]["written"]


def test_a_run_that_is_ended_by_force_can_be_undone(client: TestClient, folder: Path):
    for number in range(400):
        (folder / f"x{number:03}.png").write_bytes((folder / "01.png").read_bytes())
    run = client.post("/api/tagging/start", json=form(folder)).json()
    wait(lambda: client.get(f"/api/tagging/runs/{run['id']}").json()["done"] > 3)
    assert client.post(f"/api/tagging/runs/{run['id']}/end").json()["state"] == "stopped"
    client.post(f"/api/tagging/runs/{run['id']}/undo")
    wait(lambda: client.get(f"/api/tagging/runs/{run['id']}").json()["undone"])
    assert not list(folder.glob("*.txt"))


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else, which has the number that a run once had."""
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.wait()


def left_behind(site: Site, pid: int, **fields: object) -> Run:
    """A run of an earlier page as it lies on disk, its process recorded under this number."""
    run = Run.create(site.state_dir / "tagging", "x", {"folder": str(site.train_dir)})
    run.job.write_process(pid, [sys.executable, "-m", "taggers"])
    record = json.loads(run.job.process_path.read_text(encoding="utf-8"))
    run.job.process_path.write_text(json.dumps({**record, **fields}), encoding="utf-8")
    log = EventLog(run.job.events_path)
    log.emit("started", images=3)
    log.close()
    return run


@pytest.mark.parametrize("over", ["finished", "failed", "stopped", "its number is another's now"])
def test_asking_a_run_that_is_over_to_stop_or_to_end_touches_no_process(
    client: TestClient, site: Site, stranger: subprocess.Popen[bytes], over: str
):
    if over in TERMINAL:
        run = left_behind(site, stranger.pid)
        log = EventLog(run.job.events_path)
        log.emit(over)
        log.close()
    else:
        run = left_behind(site, stranger.pid, started=1.0)
    before = run.job.events_path.read_bytes()
    for request in ("stop", "end"):
        answer = client.post(f"/api/tagging/runs/{run.id}/{request}").json()
        assert answer["state"] == (over if over in TERMINAL else "crashed")
    assert stranger.poll() is None
    assert run.job.events_path.read_bytes() == before and not run.job.requested("stop")


def test_a_run_that_was_asked_to_stop_is_still_stopping_in_a_new_page_and_can_be_ended_there(
    client: TestClient, site: Site, stranger: subprocess.Popen[bytes]
):
    run = left_behind(site, stranger.pid)
    assert client.get("/api/tagging/status").json()["run"]["stopping"] is False
    assert client.post(f"/api/tagging/runs/{run.id}/stop").json()["stopping"] is True
    with run.job.events_path.open("ab") as stream:
        stream.write(b'{"event": "picture", "torn')
    with served(tagging.router(open_site(site.root))) as page:
        found = page.get("/api/tagging/status").json()["run"]
        assert (found["id"], found["state"], found["stopping"]) == (run.id, "running", True)
        assert page.post(f"/api/tagging/runs/{run.id}/end").json()["state"] == "stopped"
    assert stranger.wait(10) is not None
    last = run.job.last_event()
    assert last is not None and (last["event"], last["forced"]) == ("stopped", True)


def test_a_run_whose_process_dies_without_a_word_shows_the_end_of_its_log(tmp_path: Path):
    run = Run.create(tmp_path, "x", {})
    run.job.log_path.write_text("Killed by the system\n", encoding="utf-8")
    (run.path / "process.json").write_text(
        json.dumps({"pid": 2**22 + 7, "started": 1, "command": []}), encoding="utf-8"
    )
    summary = RunView(run).summary()
    assert summary["state"] == "crashed" and "Killed by the system" in summary["log_end"]


def test_one_picture_can_be_tried_and_its_caption_follows_the_form(client: TestClient, folder: Path):
    answer = client.post("/api/tagging/try", json={**form(folder), "picture": str(folder / "01.png")}).json()
    scores = {entry["tag"]: entry["score"] for entry in answer["scores"]}
    assert answer["device"] == "CPU" and scores["red_star"] > 0.9 and not list(folder.glob("*.txt"))
    caption = client.post(
        "/api/tagging/caption", json={**form(folder, additional_tags="zqx"), "scores": answer["scores"]}
    )
    assert caption.json()["text"] == "zqx, red star, yellow background, large"
    high = client.post("/api/tagging/caption", json={**form(folder, general_threshold=1), "scores": answer["scores"]})
    assert high.json()["text"] == ""
    comma = client.post("/api/tagging/caption", json={**form(general_threshold="0,9"), "scores": answer["scores"]})
    assert (comma.status_code, comma.json()["problems"][0]["address"]) == (422, "general_threshold")


def test_only_pictures_can_be_tried(client: TestClient, site: Site, folder: Path):
    (folder / "bad.png").write_bytes(b"no picture")
    bad = client.post("/api/tagging/try", json={**form(), "picture": str(folder / "bad.png")})
    assert bad.status_code == 422 and "no picture of a known kind" in bad.json()["message"]
    other = client.post("/api/tagging/try", json={**form(), "picture": str(site.root / "console.txt")})
    assert other.status_code == 422 and other.json()["problems"][0]["address"] == "picture"


def test_the_demo_pictures_are_written_once_and_never_over_others(client: TestClient, site: Site):
    answer = client.post("/api/tagging/demo").json()
    assert answer["model"] == "demo-tagger" and len(list(Path(answer["folder"]).glob("*.png"))) == 12
    assert client.post("/api/tagging/demo").status_code == 200
    other = site.train_dir / "demo" / "10_star"
    (other / ".athanor-demo").unlink()
    assert client.post("/api/tagging/demo").status_code == 409


def test_a_download_that_cannot_reach_the_hub_says_so_and_can_be_tried_again(client: TestClient, site: Site):
    site.settings.change(hf_endpoint="http://127.0.0.1:9")

    def failed() -> dict[str, Any] | None:
        models = client.get("/api/tagging/status").json()["models"]
        run = next(model["download"] for model in models if model["name"] == "wd-vit-v3")
        return run if run["state"] == "failed" else None

    client.post("/api/tagging/models/wd-vit-v3/download")
    assert "127.0.0.1:9 cannot be reached" in wait(failed)["message"]
    assert client.post("/api/tagging/models/demo-tagger/download").status_code == 404
    assert client.post("/api/tagging/models/nothing/download").status_code == 404


def test_a_download_shows_its_progress_is_cancelled_and_goes_on_where_it_stopped(
    client: TestClient, site: Site, hub: Hub
):
    site.settings.change(hf_endpoint=hub.address)
    hub.hold = threading.Event()

    def told(wanted: Callable[[dict[str, Any], dict[str, Any]], bool]) -> dict[str, Any] | None:
        models = client.get("/api/tagging/status").json()["models"]
        model = next(model for model in models if model["name"] == "wd14-vit-v2")
        return model if wanted(model, model["download"]) else None

    client.post("/api/tagging/models/wd14-vit-v2/download")
    half = wait(lambda: told(lambda model, run: (run["bytes_done"] or 0) >= len(MODEL) // 4))
    assert half["download"]["bytes_total"] == len(MODEL) and not half["present"]
    client.post("/api/tagging/models/wd14-vit-v2/cancel")
    hub.hold.set()
    wait(lambda: told(lambda model, run: run["state"] == "stopped"))
    part = site.models_dir / "taggers" / "wd14-vit-v2" / "model.onnx.part"
    assert part.stat().st_size > 0
    client.post("/api/tagging/models/wd14-vit-v2/download")
    wait(lambda: told(lambda model, run: model["present"] and run["state"] == "finished"))
    assert (part.parent / "model.onnx").read_bytes() == MODEL and not part.exists()
    assert any(asked for path, asked in hub.requests if path.startswith("/storage/model"))


@pytest.mark.parametrize("run_id", ["20200101-000000-x", "..", "%2e%2e%2fdrafts"])
def test_a_run_that_is_not_there_is_a_404(client: TestClient, run_id: str):
    assert client.get(f"/api/tagging/runs/{run_id}/pictures").status_code == 404


def test_a_problems_message_is_its_template_with_the_values():
    problem = FieldProblem("folder", "{path} has {n}", {"path": "a", "n": 3}).as_json()
    assert problem["message"] == "a has 3" and problem["template"] == "{path} has {n}"
