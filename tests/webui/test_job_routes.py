"""The jobs interface: ids in, numbers and texts out; no path ever comes from the browser."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
import tomlkit

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
    values = client.get(f"/api/jobs/{job_id}/values").json()["values"]
    assert values == {**remedy, "precision.gradient_checkpointing": False}  # as it was trained


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


@pytest.fixture
def still(site, monkeypatch):
    """A site without room for a run: jobs are made and nothing trains."""
    monkeypatch.setattr(site.runner, "_at_once", lambda: 0)
    return site


def job_with(site, *events: dict[str, object], name="anby", **settings: object) -> Job:
    job = Job.create(site.jobs_dir, name, to_toml(parse(values("", output_name=name, **settings)).config))
    lines = [json.dumps({"time": 1.0, **event}) for event in events]
    job.events_path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return job


def state(job: Job, name: str, manifest: object) -> str:
    folder = job.states / name
    folder.mkdir(parents=True)
    (folder / "network.safetensors").write_bytes(b"1234")
    if manifest is not None:
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return str(folder)


WHOLE = {"network.safetensors": {"bytes": 4}}


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "turned round"])
def test_resuming_takes_the_complete_state_of_the_highest_step(client, still, reverse):
    job = job_with(still)
    states = [
        (5, state(job, "a", WHOLE)), (9, state(job, "b", WHOLE)), (12, state(job, "without a manifest", None)),
        (13, state(job, "cut short", {"network.safetensors": {"bytes": 5}})),
        (14, state(job, "lacks a file", {**WHOLE, "optimizer.json": {"bytes": 2}})), (20, str(job.states / "gone")),
    ]  # fmt: skip
    with job.events_path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"event": "step", "step": 20}) + "\n")
        for step, path in sorted(states, reverse=reverse):
            stream.write(json.dumps({"event": "checkpoint", "kind": "state", "step": step, "path": path}) + "\n")
    assert client.get(f"/api/jobs/{job.id}").json()["resumable"] is True
    answer = client.post(f"/api/jobs/{job.id}/resume", json={}).json()
    assert Path(answer["from"]).name == "b"
    text = client.get(f"/api/jobs/{answer['id']}/config").json()["toml"]
    assert tomlkit.parse(text)["save"]["resume"] == answer["from"]


def test_a_state_that_a_run_kept_as_it_stopped_or_failed_is_one_to_go_on_from(client, still):
    for kind in ("stopped", "failed"):
        job = job_with(still, name=kind)
        folder = state(job, "end", WHOLE)
        with job.events_path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"event": kind, "step": 3, "state": folder}) + "\n")
        assert client.post(f"/api/jobs/{job.id}/resume", json={}).json()["from"] == folder


@pytest.mark.parametrize(
    ("metadata", "trigger"),
    [
        ({"ss_tag_frequency": json.dumps({"10_anby": {"anby": 15, "1girl": 15, "smile": 3}})}, "anby"),
        ({"ss_tag_frequency": json.dumps({"10_anby": {"red": 2, "anby (zzz)": 15}})}, "anby (zzz)"),
        ({"ss_tag_frequency": json.dumps({"10_anby": {"1girl": 15, "anby": 15}})}, ""),  # which one calls it is unknown
        ({"ss_tag_frequency": '{"a": [], "b": {"x": "y"}}'}, ""),
        ({"modelspec.trigger_phrase": "anby style", "ss_tag_frequency": '{"a": {"x": 1}}'}, "anby style"),
    ],
)
def test_a_finished_job_tells_its_file_its_trigger_word_and_a_prompt(client, still, metadata, trigger):
    path = still.output_dir / "anby.safetensors"
    header = json.dumps({"__metadata__": metadata, **json.loads(WEIGHTS[8:-4])}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + WEIGHTS[-4:])
    job = job_with(
        still,
        {"event": "sample", "file": "samples/a.png", "step": 1, "prompt": "anby, smile"},
        {"event": "checkpoint", "kind": "lora", "path": str(path), "step": 3, "bytes": 100},
        {"event": "checkpoint", "kind": "lora", "path": str(still.output_dir / "gone.safetensors"), "step": 4},
        {"event": "finished", "steps": 4},
    )
    told = client.get(f"/api/jobs/{job.id}").json()["result"]
    assert (told["index"], told["name"], told["path"], told["bytes"]) == (0, "anby", str(path), 100)
    assert (told["trigger"], told["prompt"]) == (trigger, "anby, smile")


NO_LORA = "This is not a LoRA file; copy its path instead."


def base_model() -> bytes:
    header = json.dumps({"conv_in.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


@pytest.mark.parametrize(
    ("path", "content", "kind", "told"),
    [
        ("output/x.safetensors", WEIGHTS, "lora", None),
        ("elsewhere/x.safetensors", WEIGHTS, "lora", None),  # the output_dir of the job's settings
        ("other/x.safetensors", WEIGHTS, "lora", NO_LORA),
        ("output/../other/x.safetensors", WEIGHTS, "lora", NO_LORA),
        ("output/base.safetensors", base_model(), "lora", NO_LORA),
        ("output/x.safetensors", b"secret", "lora", NO_LORA),
        ("output/x.txt", WEIGHTS, "lora", NO_LORA),
        ("output/x.pt", b"secret", "lora", NO_LORA),
        ("output/x.safetensors", WEIGHTS, "state", NO_LORA),
        ("output/gone.safetensors", None, "lora", "The file gone.safetensors is gone."),
        ("//server/share/x.safetensors", None, "lora", NO_LORA),
        ("\\\\server\\share\\x.safetensors", None, "lora", NO_LORA),
    ],
)
def test_only_a_lora_in_an_output_folder_can_be_downloaded(client, still, path, content, kind, told):
    job = job_with(still, {"event": "checkpoint", "kind": kind, "path": path}, output_dir="elsewhere")
    if content is not None:
        (still.root / path).parent.mkdir(parents=True, exist_ok=True)
        (still.root / path).write_bytes(content)
    answer = client.get(f"/api/jobs/{job.id}/files/0")
    assert (answer.status_code, answer.content if told is None else answer.json()["message"]) == (
        (200, content) if told is None else (404, told)
    )


def test_a_link_in_the_output_folder_offers_nothing_from_elsewhere(client, still, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x.safetensors"
    outside.write_bytes(WEIGHTS)
    (still.output_dir / "x.safetensors").symlink_to(outside)
    job = job_with(still, {"event": "checkpoint", "kind": "lora", "path": "output/x.safetensors"})
    assert client.get(f"/api/jobs/{job.id}/files/0").status_code == 404


@pytest.fixture
def opened(monkeypatch):
    """A desktop on which nothing opens: the folders that would have been shown."""
    shown: list[list[str]] = []
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda command, **_: shown.append(command))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return shown


SAVED = {"event": "checkpoint", "kind": "lora", "path": "output/x.safetensors"}


def test_a_folder_is_opened_on_this_machine_only_and_only_where_there_is_a_desktop(client, still, opened, monkeypatch):
    job = job_with(still, SAVED, {**SAVED, "path": "gone/x.safetensors"}, {**SAVED, "path": "//server/x/x.safetensors"})

    def answer(query=""):
        told = client.post(f"/api/jobs/{job.id}/open{query}", json={})
        return told.status_code, told.json().get("message")

    assert answer()[0] == answer("?file=0")[0] == 200
    assert opened == [["xdg-open", str(job.path)], ["xdg-open", str(still.output_dir)]]
    assert answer("?file=1") == (404, f"The folder {still.root / 'gone'} is gone.")
    assert answer("?file=2") == answer("?file=3") == (404, "This job has saved no such file.")
    monkeypatch.delenv("DISPLAY")
    assert answer() == (409, f"This machine has no desktop to open {job.path} on; copy the path instead.")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError()))
    assert answer() == (409, f"xdg-open is missing, so {job.path} cannot be opened; copy the path instead.")


def test_with_listen_no_folder_is_opened_and_the_page_is_told(tmp_path, opened):
    site = open_site(tmp_path, listen=True)
    job = job_with(site, SAVED)
    client = served(jobs.router(site))
    for query in ("", "?file=0"):
        refused = client.post(f"/api/jobs/{job.id}/open{query}", json={})
        assert (refused.status_code, refused.json()["message"][:25]) == (403, "Folders are opened on the")
    assert opened == []
    assert client.get(f"/api/jobs/{job.id}").json()["local"] is False


def test_a_new_job_goes_to_the_head_of_the_queue_or_to_its_end(client, still):
    first, second = begin(client), begin(client, name="named")
    last = begin(client, queue=True)
    assert client.get("/api/jobs").json()["queue"] == [second, first, last]
    assert [job_id.split("-", 2)[2] for job_id in (first, second)] == ["anby", "named"]
    lines = {line["id"]: line for line in client.get("/api/jobs").json()["jobs"]}
    assert [lines[job_id]["position"] for job_id in (second, first, last)] == [1, 2, 3]
    assert client.post("/api/jobs/order", json={"order": [last]}).json()["queue"] == [last, second, first]
    assert client.post(f"/api/jobs/{last}/stop", json={}).json()["state"] == "waiting"  # out of the queue
    assert client.get("/api/jobs").json()["queue"] == [second, first]
    assert client.post(f"/api/jobs/{last}/queue", json={}).json()["queue"] == [second, first, last]
    assert client.get("/api/jobs/running").json()["waiting"] == 3


def test_a_job_that_waits_says_behind_which_and_at_which_place(client, site):
    begin(client, "steps=100000 seconds=0.02")
    begin(client, queue=True, comment="")
    told = client.post("/api/jobs", json={"values": values(""), "queue": False}).json()
    assert {name: told[name] for name in ("state", "position", "before", "paused")} == {
        "state": "waiting", "position": 1, "before": ["anby"], "paused": False,
    }  # fmt: skip


def test_a_job_shows_the_name_that_its_run_saves_under_until_a_person_gives_it_another(client, still):
    job = Job.create(still.jobs_dir, "安比 v1", to_toml(parse(values("", output_name="安比 v1")).config))
    name = lambda: client.get("/api/jobs").json()["jobs"][0]["name"]  # noqa: E731
    assert name() == "安比 v1"
    with job.events_path.open("a", encoding="utf-8") as stream:
        stream.write('{"event": "started", "name": "安比 v1-2"}\n')
    assert name() == "安比 v1-2"
    told = {"name": " <b>best</b> ", "note": "rank 32\r\nagain with 16", "star": True}
    assert client.post(f"/api/jobs/{job.id}/about", json=told).json()["name"] == "<b>best</b>"
    assert name() == "<b>best</b>"
    detail = client.get(f"/api/jobs/{job.id}").json()
    assert detail["about"] == {"name": "<b>best</b>", "note": "rank 32\nagain with 16", "star": True}
    client.post(f"/api/jobs/{job.id}/about", json={"star": False, "name": ""})
    assert name() == "安比 v1-2"
    assert client.get(f"/api/jobs/{job.id}").json()["about"]["note"] == "rank 32\nagain with 16"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"name": "x" * 101}, "The name has 101 letters, 100 at most"),
        ({"note": "x" * 2001}, "The note has 2001 letters, 2000 at most"),
        ({"name": "a\nb"}, "The name holds characters that cannot be shown"),
        ({"name": "a\x1b[31m"}, "The name holds characters that cannot be shown"),
        ({"note": "a\u202eb"}, "The note holds characters that cannot be shown"),
        ({"note": "a\0b"}, "The note holds characters that cannot be shown"),
    ],
)
def test_a_name_or_note_that_cannot_be_shown_is_refused_and_nothing_is_written(client, still, written, words):
    job = job_with(still)
    refused = client.post(f"/api/jobs/{job.id}/about", json={"star": True, **written})
    assert (refused.status_code, refused.json()["message"][: len(words)]) == (422, words)
    assert not job.about_path.exists()


@pytest.mark.parametrize(
    "content", ['{"name": 3, "note": ["x"], "star": "yes"}', "[]", "{", '{"name": "\\u0000\\n"}', "\udcff"]
)
def test_what_somebody_else_wrote_about_a_job_harms_nothing(client, still, content):
    job = job_with(still)
    job.about_path.write_bytes(content.encode("utf-8", "surrogateescape"))
    line = client.get("/api/jobs").json()["jobs"][0]
    assert (line["name"].isprintable(), line["star"]) == (True, False)


def test_what_cannot_be_done_with_a_job_that_is_over_is_a_sentence_and_changes_nothing(client, still):
    job = job_with(still, {"event": "step", "step": 3}, {"event": "finished", "steps": 3})
    before = job.events_path.read_bytes()
    again = "this job was started already; use 'Run again' to train it once more."
    for path, status, message in [
        ("start", 409, f"Not started: {again}"),
        ("queue", 409, f"Not queued: {again}"),
        ("request/save", 409, "This job does not run any more."),
        ("request/other", 404, "A running job can be asked for 'sample' or 'save'."),
        ("resume", 409, "This job has saved no training state to go on from; use 'Run again', with save_state on."),
        ("restore", 404, "This job is no longer in the trash."),
    ]:
        answer = client.post(f"/api/jobs/{job.id}/{path}", json={})
        assert (answer.status_code, answer.json()["message"]) == (status, message)
    for path in ("stop", "end"):
        assert client.post(f"/api/jobs/{job.id}/{path}", json={}).json()["state"] == "finished"
    assert (job.events_path.read_bytes(), list(job.requests.iterdir())) == (before, [])
    assert client.get(f"/api/jobs/{job.id}/log.txt").json()["message"] == "This job has written no log yet."
    job.config_path.unlink()
    for told in (client.get(f"/api/jobs/{job.id}/config"), client.post(f"/api/jobs/{job.id}/again", json={})):
        assert told.status_code == 409 and "config.toml: No such file" in told.json()["message"]
    for part in ("remedy", "values"):
        assert client.get(f"/api/jobs/{job.id}/{part}").status_code == 409


def test_a_running_job_is_not_removed(client, site):
    job_id = begin(client, "steps=10000 seconds=0.01 sample=0 save=0")
    refused = client.post(f"/api/jobs/{job_id}/remove", json={})
    assert (refused.status_code, refused.json()["message"]) == (
        409, "Not removed: this job is running; stop it first.",
    )  # fmt: skip
    assert client.get(f"/api/jobs/{job_id}/live").json()["job"]["stopping_since"] is None
    client.post(f"/api/jobs/{job_id}/stop", json={})
    line = client.get(f"/api/jobs/{job_id}/live").json()["job"]
    assert line["stopping_since"] is not None or line["state"] == "stopped"


def test_older_jobs_than_are_listed_are_counted(client, still, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_LISTED", 2)
    made = [job_with(still, name=f"n{number}").id for number in range(5)]
    listed = client.get("/api/jobs").json()
    assert ([line["id"] for line in listed["jobs"]], listed["more"]) == (sorted(made, reverse=True)[:2], 3)


def test_a_preview_is_a_picture_by_its_name(client, still):
    job = job_with(still, *({"event": "sample", "step": 1, "file": f"samples/{name}"} for name in ("a.txt", "a.png")))
    (job.samples / "a.txt").write_text("no picture", encoding="utf-8")
    assert client.get(f"/api/jobs/{job.id}/samples/0").json()["message"] == "This preview's file is gone."
    assert client.get(f"/api/jobs/{job.id}/samples/1").json()["message"] == "This preview's file is gone."
    assert client.get(f"/api/jobs/{job.id}/samples/2").json()["message"] == "There is no such preview."
    (job.samples / "a.png").write_bytes(b"png")
    assert client.get(f"/api/jobs/{job.id}/samples/1").content == b"png"
    assert client.get(f"/api/jobs/{job.id}/samples/-1").content == b"png"
    assert client.get(f"/api/jobs/{job.id}/samples/1?size=192").status_code == 404
