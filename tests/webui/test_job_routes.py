"""The jobs interface: ids in, numbers and texts out; no path ever comes from the browser."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

import webui.runner
from tests.webui.candle import WEIGHTS
from tests.webui.served import served
from trainer.config import parse, to_toml
from trainer.job import Job
from webui.routes import jobs
from webui.runner import end_tree
from webui.site import open_site

CANDLE = Path(__file__).with_name("candle.py")


@pytest.fixture
def site(tmp_path, monkeypatch):
    def candle(job: Job) -> list[str]:
        return [sys.executable, str(CANDLE), str(job.config_path), "--job", str(job.path)]

    monkeypatch.setattr(webui.runner, "train_command", candle)
    made = open_site(tmp_path)
    made.runner.watch()
    yield made
    made.runner.close()
    for job in made.runner.running():
        end_tree(job.process().pid)


@pytest.fixture
def client(site):
    return served(jobs.router(site))


def values(comment: str, **more: object) -> dict[str, object]:
    return {
        "output_name": "anby", "train_data_dir": "train", "resolution": "512",
        "pretrained_model_name_or_path": "m.safetensors",
        "training_comment": comment, **more,
    }  # fmt: skip


def begin(client, comment="steps=6 sample=2 save=3", **more):
    answer = client.post("/api/jobs", json={"values": values(comment), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def until(client, job_id, state, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        line = client.get(f"/api/jobs/{job_id}/live").json()["job"]
        if line["state"] == state:
            return line
        assert time.monotonic() < deadline, line
        time.sleep(0.05)


def test_a_job_is_made_trained_and_told_in_full(client):
    job_id = begin(client)
    line = until(client, job_id, "finished")
    assert (line["step"], line["total"], line["name"]) == (6, 6, "anby")
    detail = client.get(f"/api/jobs/{job_id}").json()
    assert [sample["step"] for sample in detail["samples"]] == [2, 2, 4, 4, 6, 6]
    assert [file["kind"] for file in detail["files"]] == ["state", "state", "lora"]
    assert all(file["exists"] for file in detail["files"])
    assert client.get(f"/api/jobs/{job_id}/curve").json()["steps"] == [1, 2, 3, 4, 5, 6]
    assert 'output_name = "anby"' in client.get(f"/api/jobs/{job_id}/config").json()["toml"]


def test_paths_in_a_jobs_warnings_and_files_begin_at_their_folder(client, site):
    job = Job.create(site.jobs_dir, "anby", to_toml(parse(values("", train_data_dir=str(site.root / "train"))).config))
    picture = site.root / "train" / "10_a" / "x.png"
    for event in (
        {"event": "warning", "message": f"{picture} is damaged"},
        {"event": "checkpoint", "kind": "lora", "path": "output/anby.safetensors"},
        {"event": "checkpoint", "kind": "state", "path": str(job.states / "at-2")},
        {"event": "failed", "kind": "data", "message": f"{picture} is gone", "advice": f"put {picture} back"},
    ):
        with job.events_path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"time": 1.0, **event}) + "\n")
    told, short = client.get(f"/api/jobs/{job.id}").json(), str(Path("10_a", "x.png"))
    assert told["warnings"][0]["message"] == f"{short} is damaged"
    assert (told["job"]["end"]["message"], told["job"]["end"]["advice"]) == (f"{short} is gone", f"put {short} back")
    assert client.get(f"/api/jobs/{job.id}/files/0").json()["message"] == "The file anby.safetensors is gone."
    (site.root / "output" / "anby.safetensors").write_bytes(WEIGHTS)
    assert client.get(f"/api/jobs/{job.id}/files/0").content == WEIGHTS
    assert {client.get(f"/api/jobs/{job.id}/files/{index}").status_code for index in (-1, 1, 2, 9)} == {404}
    shown = [file["shown"] for file in told["files"]]
    assert shown == [str(Path("output", "anby.safetensors")), str(Path("state", "at-2"))]


def test_the_log_comes_in_pieces_that_make_the_whole(client, site):
    job_id = begin(client, "steps=30 seconds=0.01")
    text, offset = "", 0
    while client.get(f"/api/jobs/{job_id}/live").json()["job"]["state"] == "running":
        piece = client.get(f"/api/jobs/{job_id}/log?offset={offset}").json()
        text, offset = text + piece["text"], piece["offset"]
    text += client.get(f"/api/jobs/{job_id}/log?offset={offset}").json()["text"]
    whole = client.get(f"/api/jobs/{job_id}/log.txt")
    assert text == whole.text
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert "attachment" in whole.headers["content-disposition"]


def test_previews_are_pictures_and_thumbnails_are_made_anew(client):
    job_id = begin(client)
    until(client, job_id, "finished")
    assert client.get(f"/api/jobs/{job_id}/samples/0").headers["content-type"] == "image/png"
    assert client.get(f"/api/jobs/{job_id}/samples/-1?size=192").headers["content-type"] == "image/webp"
    assert client.get(f"/api/jobs/{job_id}/samples/99").status_code == 404
    assert client.get(f"/api/jobs/{job_id}/samples/0?size=77").status_code == 404


def test_a_preview_cannot_lead_out_of_the_job(client, site):
    job_id = begin(client)
    until(client, job_id, "finished")
    secret = site.root / "secret.png"
    secret.write_bytes(b"secret")
    job = Job(site.jobs_dir / job_id)
    with job.events_path.open("a", encoding="utf-8") as stream:
        for file in ("../../secret.png", secret.as_posix()):
            stream.write(json.dumps({"event": "sample", "file": file, "step": 9}) + "\n")
    assert client.get(f"/api/jobs/{job_id}/samples/6").status_code == 404
    assert client.get(f"/api/jobs/{job_id}/samples/7").status_code == 404


@pytest.mark.parametrize(
    "job_id", ["..", "%2e%2e", "..%2f..%2fetc", "20261120-114200-x%00", "queue.json", ".trash", "20261120-114200-.."]
)
def test_an_id_that_is_no_job_finds_nothing(client, job_id):
    for path in ("", "/live", "/log.txt", "/config", "/curve", "/samples/0"):
        assert client.get(f"/api/jobs/{job_id}{path}").status_code == 404
    for path in ("/remove", "/stop", "/end", "/again", "/resume", "/open", "/restore"):
        assert client.post(f"/api/jobs/{job_id}{path}", json={}).status_code in (404, 405)


def test_wrong_parameters_are_refused_with_their_addresses_and_no_job_is_made(client, site):
    answer = client.post("/api/jobs", json={"values": values("", network_dim="many")})
    assert answer.status_code == 422
    assert [problem["address"] for problem in answer.json()["problems"]] == ["network.network_dim"]
    assert client.get("/api/jobs").json()["jobs"] == []


def test_a_failed_job_tells_the_reason_the_cure_and_the_traceback(client):
    job_id = begin(client, "steps=50 fail=3")
    line = until(client, job_id, "failed")
    assert "ran out of memory" in line["end"]["message"]
    assert "train_batch_size" in line["end"]["advice"]
    assert "traceback" not in line["end"]
    detail = client.get(f"/api/jobs/{job_id}").json()
    assert "OutOfMemoryError" in detail["traceback"]
    assert detail["changes"] == [{"address": "precision.gradient_checkpointing", "value": True}]
    remedy = client.get(f"/api/jobs/{job_id}/remedy").json()["values"]
    assert remedy["precision.gradient_checkpointing"] is True
    assert remedy["model.pretrained_model_name_or_path"]


def test_a_stopped_job_goes_on_from_its_state_and_one_without_a_state_says_so(client):
    job_id = begin(client, "steps=10000 seconds=0.01 sample=0 save=0")
    assert client.post(f"/api/jobs/{job_id}/resume", json={}).status_code == 409
    while not client.get(f"/api/jobs/{job_id}/live").json()["job"]["step"]:
        time.sleep(0.02)
    client.post(f"/api/jobs/{job_id}/stop", json={})
    until(client, job_id, "stopped")
    assert client.get(f"/api/jobs/{job_id}").json()["resumable"]
    resumed = client.post(f"/api/jobs/{job_id}/resume", json={}).json()
    assert "resume = " in client.get(f"/api/jobs/{resumed['id']}/config").json()["toml"]
    client.post(f"/api/jobs/{resumed['id']}/stop", json={})
    until(client, resumed["id"], "stopped")


def test_a_job_is_removed_and_restored_by_its_id(client):
    job_id = begin(client)
    until(client, job_id, "finished")
    assert client.post(f"/api/jobs/{job_id}/remove", json={}).status_code == 200
    assert client.get("/api/jobs").json()["jobs"] == []
    assert client.post(f"/api/jobs/{job_id}/restore", json={}).status_code == 200
    assert [job["id"] for job in client.get("/api/jobs").json()["jobs"]] == [job_id]


def test_a_running_job_takes_requests_for_a_preview_and_a_save(client):
    job_id = begin(client, "steps=10000 seconds=0.01 sample=0 save=0")
    assert client.post(f"/api/jobs/{job_id}/request/sample", json={}).status_code == 200
    assert client.post(f"/api/jobs/{job_id}/request/explode", json={}).status_code == 404
    deadline = time.monotonic() + 10
    while not client.get(f"/api/jobs/{job_id}").json()["samples"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.post(f"/api/jobs/{job_id}/end", json={})
    assert client.get(f"/api/jobs/{job_id}").json()["job"]["state"] == "stopped"
    assert client.post(f"/api/jobs/{job_id}/request/save", json={}).status_code == 409
