"""Settings are checked, kept and acted on; the report for a bug holds no secrets."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from taggers import TAGGERS
from taggers.download import DownloadError, download
from tests.webui.served import served
from trainer import tomltext
from trainer.job import Job
from webui import machine
from webui.launcher import mirrors
from webui.routes import settings
from webui.settings import Settings, SettingsFile
from webui.site import child_environment, open_site


@pytest.fixture
def site(tmp_path):
    return open_site(tmp_path / "root")


@pytest.fixture
def client(site):
    return served(settings.router(site))


def test_the_usual_folders_are_those_that_guides_name(site):
    names = [path.name for path in (site.output_dir, site.logs_dir, site.train_dir, site.models_dir)]
    assert names == ["output", "logs", "train", "sd-models"]
    assert all((site.root / name).is_dir() for name in names)


def test_a_changed_folder_acts_at_once_and_after_a_restart(client, site, tmp_path):
    (tmp_path / "炼丹").mkdir()
    assert client.post("/api/settings", json={"output": str(tmp_path / "炼丹")}).status_code == 200
    assert site.output_dir == tmp_path / "炼丹"
    assert open_site(site.root).output_dir == tmp_path / "炼丹"
    client.post("/api/settings", json={"output": ""})
    assert site.output_dir == site.root / "output"


def test_a_missing_folder_is_named_and_made_when_asked(client, site):
    answer = client.post("/api/settings", json={"train": "new/place"})
    assert answer.status_code == 422
    assert answer.json()["problems"][0] == {
        "address": "train",
        "kind": "missing",
        "message": f"{site.root / 'new' / 'place'} does not exist; create it or choose another.",
    }
    assert client.post("/api/settings", json={"train": "new/place", "create": True}).status_code == 200
    assert site.train_dir.is_dir()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"output": "\\\\server\\share"}, "network path"),
        ({"hf_endpoint": "javascript:alert(1)"}, "not a web address"),
        ({"hf_endpoint": "mirror.example"}, "https://"),
        ({"hf_endpoint": "https://me:secret@mirror.example"}, "password"),
        ({"stop_grace_seconds": 0}, "greater than or equal to 5"),
        ({"jobs_at_once": 99}, "less than or equal to 16"),
    ],
)
def test_wrong_settings_are_refused_with_the_reason_and_nothing_is_kept(client, site, change, words):
    before = site.settings.current
    answer = client.post("/api/settings", json=change)
    assert answer.status_code == 422
    assert words in answer.json()["message"]
    assert site.settings.current == before


def test_a_file_in_place_of_a_folder_is_refused(client, site):
    (site.root / "a.txt").touch()
    assert "is a file" in client.post("/api/settings", json={"output": "a.txt"}).json()["message"]


@pytest.mark.parametrize(
    "address",
    [
        "http://a\r\nX-Header: y/", "https://a b/", "https://a\tb", "https://a/\x7f", "https://a/\u00e9", "https://\u2100/",
        "https://a\\@b.example/", "http://[", "https://a:port/", "https://a:99999/", "https://", "//a/", "file:///etc",
        "https：//a.example", "https://a/\0", "https://" + "x" * 5000, "--index-url=http://a", "https://a/\u202e",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["hf_endpoint", "package_mirror", "torch_mirror"])
def test_only_a_plain_address_may_stand_where_requests_go(client, site, tmp_path, name, address):
    answer = client.post("/api/settings", json={name: address})
    assert (answer.status_code, "is not a web address" in answer.json()["message"]) == (422, True)
    assert getattr(site.settings.current, name) == ""
    (site.root / ".athanor" / "settings.json").write_text(json.dumps({name: address}), encoding="utf-8")
    mirror = mirrors.chosen(site.root, {})
    used = [mirror.packages or "", mirror.models or "", *mirror.torch]
    assert all("!" <= letter <= "~" for text in used for letter in text)
    with pytest.raises(DownloadError, match=r"HF_ENDPOINT: .* is not a web address"):
        download(next(tagger for tagger in TAGGERS.values() if tagger.repo), tmp_path / "models", endpoint=address)
    assert not (tmp_path / "models").exists()


def test_a_login_in_an_address_is_not_kept(client):
    answer = client.post("/api/settings", json={"hf_endpoint": "https://hf_secret@mirror.example"})
    assert (answer.status_code, "password" in answer.json()["message"]) == (422, True)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\x00", b"\xff\xfe{", b"null", b'{"a":' * 20_000, b'{"output": "\\ud800"}', b'{"train": 5}',
     b'{"stop_grace_seconds": "soon"}', b"[" * 100_000, b'{"output": "~nobody-here/x"}'],
)  # fmt: skip
def test_a_damaged_file_is_kept_aside_and_told_and_the_page_starts_with_the_usual_settings(tmp_path, content, capsys):
    path = tmp_path / "settings.json"
    for number, kept in enumerate(["settings.json.damaged", "settings.json.damaged-2"]):
        path.write_bytes(content + b" " * number)
        settings = SettingsFile(path, tmp_path)
        assert settings.current == Settings()
        assert settings.damaged == tmp_path / kept
        assert f"settings.json is damaged; it is kept as {kept}" in capsys.readouterr().out
    assert (tmp_path / "settings.json.damaged").read_bytes() == content
    settings.change(jobs_at_once=2)
    assert (tmp_path / "settings.json.damaged-2").read_bytes() == content + b" "
    assert SettingsFile(path, tmp_path).damaged is None


def test_one_wrong_value_does_not_cost_the_others(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"jobs_at_once": 99, "output": "炼丹", "unknown": 1}), encoding="utf-8")
    settings = SettingsFile(path, tmp_path)
    assert (settings.current.output, settings.current.jobs_at_once) == ("炼丹", 1)
    assert settings.damaged is not None and '"jobs_at_once": 99' in settings.damaged.read_text(encoding="utf-8")


def test_two_pages_over_one_folder_do_not_undo_each_others_settings(tmp_path):
    path = tmp_path / "settings.json"
    one, other = SettingsFile(path, tmp_path), SettingsFile(path, tmp_path)
    one.change(jobs_at_once=3)
    other.change(stop_grace_seconds=60)
    assert one.current == other.current
    assert (one.current.jobs_at_once, one.current.stop_grace_seconds) == (3, 60)
    path.write_text("{", encoding="utf-8")
    assert one.current.jobs_at_once == 3  # a file that is torn at this moment changes nothing


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody can write")
def test_a_folder_that_cannot_be_written_is_refused_where_something_is_written_and_taken_where_it_is_read(client, site):
    for name in ("output", "logs"):
        refused = client.post("/api/settings", json={name: "/proc"}).json()
        assert refused["problems"][0]["address"] == name
        assert refused["message"].startswith("Not saved: /proc cannot be written to (")
    made = client.post("/api/settings", json={"train": "/proc/new", "create": True})
    assert (made.status_code, made.json()["problems"][0]["address"]) == (422, "train")
    for name in ("train", "models"):
        assert client.post("/api/settings", json={name: "/proc"}).status_code == 200
    assert (site.train_dir, site.output_dir) == (Path("/proc"), site.root / "output")


def test_a_blank_folder_is_the_usual_one_and_several_faults_are_told_together(client, site):
    assert client.post("/api/settings", json={"output": "  ", "logs": ""}).status_code == 200
    assert site.output_dir == site.root / "output"
    (site.root / "a.txt").touch()
    told = client.post("/api/settings", json={"output": "a.txt", "train": "gone"}).json()
    assert [problem["address"] for problem in told["problems"]] == ["output", "train"]


def test_trainers_get_the_mirror_and_may_use_the_network_though_the_page_may_not(site):
    site.settings.change(hf_endpoint="https://mirror.example/")
    environment = child_environment(
        site.settings, {"HF_HUB_OFFLINE": "1", "ATHANOR_PAGE_OFFLINE": "1", "GRADIO_TEMP_DIR": "x", "PATH": "p"}
    )
    assert environment["HF_ENDPOINT"] == "https://mirror.example"
    assert "HF_HUB_OFFLINE" not in environment and "GRADIO_TEMP_DIR" not in environment
    assert child_environment(site.settings, {"HF_HUB_OFFLINE": "1"})["HF_HUB_OFFLINE"] == "1"


def test_a_mirror_is_chosen_by_its_word(client, site):
    known = client.get("/api/settings").json()["mirrors"]
    assert client.post("/api/settings/mirror", json={"name": known[-1]}).json()["mirror"] == known[-1]
    assert client.post("/api/settings/mirror", json={"name": "../../etc"}).status_code == 422


def test_secrets_are_taken_out_of_a_report(tmp_path):
    text = json.dumps(
        {"a": f"{Path.home()}/x", "b": f"{tmp_path}/jobs", "hf_token": "abcdef123", "c": "hf_" + "A1b2C3d4E5f6"}
    ) + ("\nAuthorization: Bearer-xyz\nhttps://user:pass@proxy.example/\npassword=hunter2")
    clean = machine.redacted(text, tmp_path)
    for secret in (str(tmp_path), "abcdef123", "A1b2C3d4E5f6", "Bearer-xyz", "user:pass", "hunter2"):
        assert secret not in clean
    if len(str(Path.home())) > 3:
        assert str(Path.home()) not in clean


def test_the_report_holds_versions_and_the_ends_of_logs(client, site, monkeypatch):
    monkeypatch.setattr(machine, "PROBE", 'print(\'{"torch": "2", "build": "CPU", "devices": []}\')')
    monkeypatch.setattr(machine, "_devices", None)
    job = Job.create(site.jobs_dir, "anby", "")
    job.log_path.write_text("token=abc\nthe end\n", encoding="utf-8")
    archive = zipfile.ZipFile(io.BytesIO(client.get("/api/settings/report.zip").content))
    versions = json.loads(archive.read("report.json"))["versions"]
    project = tomltext.parse((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert next(iter(versions.items())) == ("athanor", project["version"]) and "gradio" in versions
    log = archive.read("job-0/log.txt").decode()
    assert "the end" in log and "abc" not in log
    assert not any("anby" in name for name in archive.namelist())


def test_devices_are_asked_from_another_process_and_a_broken_torch_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_devices", None)
    monkeypatch.setattr(machine, "PROBE", "import sys; sys.exit('libcudart is missing')")
    assert machine.devices(tmp_path)["error"] == "libcudart is missing"
    monkeypatch.setattr(machine, "_devices", None)
    monkeypatch.setattr(
        machine, "PROBE", f"import os; print('{{\"error\": \"' + str(os.getpid() == {os.getpid()}) + '\"}}')"
    )
    assert machine.devices(tmp_path)["error"] == "False"
    monkeypatch.setattr(machine, "_devices", None)


def removed(site, *names):
    for name in names:
        job = Job.create(site.jobs_dir, name, "")
        (job.states / "weights").write_bytes(b"x" * 1000)
        site.runner.remove(job)


def test_the_trash_is_measured_and_emptied_by_hand_only(client, site):
    removed(site, "one", "two")
    kept = Job.create(site.jobs_dir, "three", "")
    (site.jobs_dir / ".trash" / "notes.txt").write_text("not a job", encoding="utf-8")
    (site.output_dir / "one.safetensors").write_bytes(b"lora")
    trash = client.get("/api/settings/space").json()["trash"]
    assert (trash["jobs"], trash["bytes"]) == (2, 2000)
    assert client.post("/api/settings/empty", json={"what": "trash"}).json()["trash"]["jobs"] == 0
    assert sorted(path.name for path in (site.jobs_dir / ".trash").iterdir()) == ["notes.txt"]
    assert kept.config_path.exists() and (site.output_dir / "one.safetensors").read_bytes() == b"lora"
    assert client.post("/api/settings/empty", json={"what": "trash"}).status_code == 200


def test_a_deletion_that_was_cut_short_counts_and_is_finished_the_next_time(client, site, monkeypatch):
    removed(site, "one")
    with monkeypatch.context() as broken:
        broken.setattr("webui.space.shutil.rmtree", lambda *_, **__: None)
        assert client.post("/api/settings/empty", json={"what": "trash"}).json()["trash"]["bytes"] == 1000
    assert site.runner.restore("one") is None
    assert client.post("/api/settings/empty", json={"what": "trash"}).json()["trash"]["bytes"] == 0
    assert list((site.jobs_dir / ".trash").iterdir()) == []


def test_the_cache_is_emptied_only_while_nothing_trains_on_it(client, site):
    cache = site.state_dir / "cache" / "latents" / "ab.safetensors"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"x" * 500)
    job = Job.create(site.jobs_dir, "anby", "")
    job.write_process(os.getpid(), ["trainer"])
    told = client.get("/api/settings/space").json()
    assert (told["cache"]["bytes"], told["in_use"]) == (500, "anby")
    refused = client.post("/api/settings/empty", json={"what": "cache"})
    assert refused.status_code == 409 and "anby uses the cache now; wait for its end" in refused.json()["message"]
    assert cache.exists()
    job.process_path.unlink()
    waiting = ["-c", "import time; print('up', flush=True); time.sleep(60)", "trainer", "train"]
    with subprocess.Popen([sys.executable, *waiting], cwd=site.root, stdout=subprocess.PIPE) as by_hand:
        assert by_hand.stdout is not None and by_hand.stdout.readline()
        assert client.post("/api/settings/empty", json={"what": "cache"}).status_code == 409
        by_hand.kill()
    assert client.post("/api/settings/empty", json={"what": "cache"}).json()["cache"]["files"] == 0
    assert not cache.exists() and (site.state_dir / "settings.json").parent.is_dir()


@pytest.mark.parametrize("what", ["jobs", "../output", "", None])
def test_nothing_else_can_be_emptied(client, site, what):
    assert client.post("/api/settings/empty", json={"what": what}).status_code == 422
