"""A job's folder may come from anybody, or from a broken disk: routes answer with what can be read, or a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from fastapi.routing import APIRoute

import webui.runner
from tests.webui.served import served
from trainer.job import Job
from webui import machine
from webui.routes import jobs, settings
from webui.site import open_site

STEP = {"event": "step", "step": 3, "total": 9, "loss": 0.1, "seconds": 1}
EVERY = ("started", "phase", "step", "epoch", "sample", "checkpoint", "validation", "warning", "finished", "failed")
FIELDS = (
    "time", "step", "total", "epoch", "epochs", "loss", "average", "lr", "seconds", "vram_gib", "file", "prompt",
    "seed", "kind", "path", "bytes", "message", "advice", "changes", "traceback", "state", "name", "done", "steps",
    "images", "output", "base_model", "resumed_from",
)  # fmt: skip


def events(*lines: object) -> Callable[[Job], None]:
    """A job with these events: JSON values, text or bytes."""

    def make(job: Job) -> None:
        whole = [line if isinstance(line, (str, bytes)) else json.dumps(line) for line in lines]
        data = [line if isinstance(line, bytes) else line.encode("utf-8") for line in whole]
        job.events_path.write_bytes(b"".join(line + b"\n" for line in data))

    return make


def all_fields(value: object) -> Callable[[Job], None]:
    """Every event with this value in each of its fields, after a healthy step."""
    return events(STEP, *({**dict.fromkeys(FIELDS, value), "event": kind} for kind in EVERY))


def with_files(*paths: str) -> Callable[[Job], None]:
    """Saved files and previews at these places."""
    kinds = [{"event": "checkpoint", "kind": kind, "path": path} for kind in ("lora", "state") for path in paths]
    return events(STEP, *kinds, *({"event": "sample", "file": path} for path in paths))


def text(name: str, content: bytes) -> Callable[[Job], None]:
    """A healthy job but for one file's content."""

    def make(job: Job) -> None:
        events(STEP, {"event": "failed", "message": "m", "changes": {"network.network_dim": 8}})(job)
        (job.path / name).write_bytes(content)

    return make


def folder(*names: str) -> Callable[[Job], None]:
    """A job in which files are folders."""

    def make(job: Job) -> None:
        events(STEP)(job)
        for name in names:
            (job.path / name).unlink(missing_ok=True)
            (job.path / name).mkdir()

    return make


def circle(*names: str) -> Callable[[Job], None]:
    """A job in which files are links to themselves."""

    def make(job: Job) -> None:
        for name in names:
            (job.path / name).unlink(missing_ok=True)
            (job.path / name).symlink_to(job.path / name)

    return make


def requests_is_a_file(job: Job) -> None:
    events(STEP)(job)
    job.write_process(os.getpid(), ["python", "x"])
    job.requests.rmdir()
    job.requests.write_bytes(b"")


def of_process(**record: object) -> Callable[[Job], None]:
    return text("process.json", json.dumps({"pid": 1, "started": 0, "command": ["a"], **record}).encode())


DEEP = b"[" * 100_000 + b"]" * 100_000
HOSTILE: dict[str, Callable[[Job], None]] = {
    "half characters": all_fields("\ud800"),
    "half characters as bytes": events(STEP, b'{"event": "warning", "message": "\xed\xa0\x80"}'),
    "zero bytes": all_fields("a\0b"),
    "null": all_fields(None),
    "lists": all_fields([[1], {"a": 2}]),
    "tables": all_fields({"a": {"b": [1]}, "network.network_dim": [1], "precision.mixed_precision": 3}),
    "true": all_fields(True),
    "huge numbers": all_fields(10**400),
    "negative numbers": all_fields(-7),
    "words": all_fields("many"),
    "a name of 5000 letters": all_fields("x" * 5000),
    "infinity": events(STEP, '{"event": "step", "step": 4, "loss": Infinity, "average": NaN, "lr": {"unet": 1e999}}'),
    "deep": events(STEP, b'{"event": "failed", "message": ' + DEEP + b"}"),
    "less deep": events(STEP, b'{"event": "started", "name": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "no events": events(3, [], "null", '{"event": 3}', "{", b"\xff\xfe\x00", {"event": "telepathy"}),
    "paths": with_files(
        "../../../etc/passwd", "\\\\server\\share\\x.safetensors", "//server/x.pt", "~nobody/x.pt", "."
    ),
    "config not UTF-8": text("config.toml", "名字 = 1".encode("gbk")),
    "config no TOML": text("config.toml", b"{{{"),
    "config other types": text("config.toml", b"save = 3\nnetwork = [1]\ndataset = 'x'\n"),
    "config deep": text("config.toml", b"a = " + b"[" * 2000 + b"]" * 2000),
    "config huge": text("config.toml", b"#" * (5 * 2**20)),
    "config zero bytes": text("config.toml", b'[save]\noutput_dir = "a\\u0000b"\noutput_name = "x"\n'),
    "config odd paths": text(
        "config.toml",
        b"[save]\noutput_dir = '~nobody/x'\n[dataset]\ntrain_data_dir = '~nobody/x'\nreg_data_dir = '//server/share'\n"
        b"resolution = '512'\n[model]\npretrained_model_name_or_path = '~nobody'\n",
    ),
    "log not UTF-8": text("log.txt", b"\xff\xed\xa0\x80\xf0\x9f" * 100),
    "process no number": of_process(pid="x"),
    "process below zero": of_process(pid=-1),
    "process of no system": of_process(pid=10**30),
    "process infinite": text("process.json", b'{"pid": Infinity, "started": 1, "command": []}'),
    "process deep": text("process.json", DEEP),
    "environment deep": text("environment.json", DEEP),
    "files are folders": folder("config.toml", "events.jsonl", "log.txt", "process.json", "environment.json"),
    "files are links to themselves": circle("config.toml", "events.jsonl", "log.txt", "process.json", "samples.png"),
    "requests is a file": requests_is_a_file,
    "nothing but a folder": lambda job: [path.unlink() for path in job.path.iterdir() if path.is_file()],
}


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(webui.runner, "train_command", lambda job: ["/nowhere/python"])
    monkeypatch.setattr(machine, "_devices", {"devices": []})  # asking torch takes seconds
    made = open_site(tmp_path)
    yield made
    made.runner.close()


def addresses(router, job_id: str, method: str) -> list[str]:
    """Every address of the jobs' routes with that method, the job's id and small numbers put in."""
    found = [route.path for route in router.routes if isinstance(route, APIRoute) and method in route.methods]
    filled = [path.replace("{job_id}", job_id).replace("{name}", "save") for path in found if "{job_id}" in path]
    return [
        path.replace("{index}", str(index))
        for path in filled
        for index in ((-1, 0, 1, 2, 10**30) if "{index}" in path else (0,))
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_job_folder_breaks_an_answer(site, tmp_path, hostile):
    job = Job.create(site.jobs_dir, "odd", '[save]\noutput_name = "odd"\n')
    healthy = Job.create(site.jobs_dir, "healthy", '[save]\noutput_name = "healthy"\n')
    events(STEP, {"event": "finished"})(healthy)
    HOSTILE[hostile](job)
    router = jobs.router(site)
    with served(router, settings.router(site)) as client:
        ask_everything(client, router, site, job, healthy)


def ask_everything(client, router, site, job, healthy):
    def fine(answer) -> None:
        assert answer.status_code < 500, (answer.url, answer.text)
        if answer.status_code >= 400:
            assert len(answer.json()["message"]) > 10

    shown = client.get("/api/jobs").json()["jobs"]
    assert {line["id"]: line["state"] for line in shown}[healthy.id] == "finished"
    for path in ["/api/jobs", "/api/jobs/running", "/api/settings/space", *addresses(router, job.id, "GET")]:
        fine(client.get(path))
    fine(client.get(f"/api/jobs/{job.id}/samples/-1?size=192"))
    detail = client.get(f"/api/jobs/{job.id}")
    assert detail.status_code == 200 and detail.json()["job"]["state"] in (
        "waiting",
        "crashed",
        "failed",
        "finished",
        "running",
    )
    assert client.get("/api/settings/report.zip").status_code == 200
    later = [path for path in addresses(router, job.id, "POST") if not path.endswith(("/remove", "/restore", "/end"))]
    for path in [*later, *(f"/api/jobs/{job.id}/open?file={n}" for n in (0, 1, 9)), "/api/jobs/pause"]:
        fine(client.post(path, json={"paused": False} if path.endswith("pause") else {}))
    if job.state() != "running":
        fine(client.post(f"/api/jobs/{job.id}/remove", json={}))
        fine(client.post(f"/api/jobs/{job.id}/restore", json={}))
    site.runner._look()


@pytest.mark.parametrize(
    "content", [DEEP.decode(), '{"order": [[], {}, 3, null, "../x"], "paused": 7}', '{"order": {}}']
)
def test_no_queue_file_breaks_the_list(site, content):
    (site.jobs_dir / "queue.json").write_text(content, encoding="utf-8")
    client = served(jobs.router(site))
    assert client.get("/api/jobs").json()["queue"] == []
    body = b'{"order": ["\\ud800", "x"]}'
    assert client.post("/api/jobs/order", content=body, headers={"content-type": "application/json"}).status_code < 500
