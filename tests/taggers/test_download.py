"""Downloads against a real little server: resumed, checked, cancelled, refused with words."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from taggers import Tagger, TaggerFile
from taggers.__main__ import main
from taggers.download import Cancelled, DownloadError, download

MODEL = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(MODEL).hexdigest()
TABLE = b"tag_id,name,category,count\n0,red,0,1\n"


class Hub:
    """What the server does: serves two files by a redirect, as the hub does; each switch makes it misbehave."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str | None]] = []
        self.break_after: list[int] = []  # body bytes after which the next answers break off
        self.damaged = 0  # how many answers carry a wrong byte
        self.ranges = True
        self.status: int | None = None
        self.announces_hash = True
        self.hold: threading.Event | None = None  # large answers stop half-way until it is set
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.requests.append((self.path, self.headers.get("Range")))
                if hub.status is not None:
                    self.send_error(hub.status)
                elif "/resolve/" in self.path:
                    self.redirect()
                else:
                    self.give(MODEL if self.path.endswith(".onnx") else TABLE)

            def redirect(self) -> None:
                self.send_response(302)
                if hub.announces_hash and self.path.endswith(".onnx"):
                    self.send_header("X-Linked-Size", str(len(MODEL)))
                    self.send_header("X-Linked-ETag", f'"{SHA256}"')
                self.send_header("Location", "/storage/" + self.path.rsplit("/", 1)[-1])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def give(self, content: bytes) -> None:
                asked = (self.headers.get("Range") if hub.ranges else None) or "bytes=0-"
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                if hub.damaged and len(content) > 1000:
                    hub.damaged -= 1
                    content = content[:-1] + b"!"
                body = content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if hub.break_after and len(content) > 1000:
                    body = body[: hub.break_after.pop(0)]
                    self.close_connection = True
                if hub.hold is not None and len(content) > 1000:
                    half, body = body[: len(body) // 2], body[len(body) // 2 :]
                    self.wfile.write(half)
                    hub.hold.wait(20)
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Keep the tests' output quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("taggers.download.FIRST_WAIT_SECONDS", 0.01)
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


def tagger(size: int | None = len(MODEL), sha256: str | None = SHA256) -> Tagger:
    files = (TaggerFile("sub/model.onnx", size, sha256), TaggerFile("sub/selected_tags.csv"))
    return Tagger("little", "Little", "wd", "someone/little", "v1", files)


def test_the_files_come_from_the_endpoint_and_revision_that_were_set(hub: Hub, tmp_path: Path):
    folder = download(tagger(), tmp_path)
    assert (folder / "model.onnx").read_bytes() == MODEL and (folder / "selected_tags.csv").read_bytes() == TABLE
    assert hub.requests[0][0] == "/someone/little/resolve/v1/sub/selected_tags.csv"
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "selected_tags.csv"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path):
    hub.break_after = [300_000, 200_000]
    folder = download(tagger(), tmp_path)
    assert (folder / "model.onnx").read_bytes() == MODEL
    ranges = [asked for path, asked in hub.requests if path.startswith("/storage/model")]
    assert ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_a_server_without_ranges_is_asked_for_the_whole_file_again(hub: Hub, tmp_path: Path):
    hub.break_after, hub.ranges = [300_000], False
    assert (download(tagger(), tmp_path) / "model.onnx").read_bytes() == MODEL


def test_a_damaged_file_is_fetched_once_more_and_then_refused(hub: Hub, tmp_path: Path):
    hub.damaged = 1
    assert (download(tagger(), tmp_path / "a") / "model.onnx").read_bytes() == MODEL
    hub.damaged = 2
    with pytest.raises(DownloadError, match="model.onnx arrived damaged twice: its SHA-256.*another mirror"):
        download(tagger(), tmp_path / "b")
    assert [path.name for path in (tmp_path / "b" / "little").iterdir()] == ["selected_tags.csv"]


def test_the_hash_that_the_hub_announces_is_checked_where_ours_is_unknown(hub: Hub, tmp_path: Path):
    hub.damaged = 2
    with pytest.raises(DownloadError, match="SHA-256"):
        download(tagger(None, None), tmp_path)


def test_a_rest_of_an_older_file_that_is_too_long_is_thrown_away(hub: Hub, tmp_path: Path):
    (tmp_path / "little").mkdir()
    (tmp_path / "little" / "model.onnx.part").write_bytes(MODEL + b"more")
    assert (download(tagger(), tmp_path) / "model.onnx").read_bytes() == MODEL


def test_a_server_that_breaks_off_without_a_byte_is_given_up_with_words(hub: Hub, tmp_path: Path):
    hub.break_after = [1000] + [0] * 20
    with pytest.raises(DownloadError, match="broke off 5 times.*try again later"):
        download(tagger(), tmp_path)
    assert (tmp_path / "little" / "model.onnx.part").stat().st_size == 1000


def test_cancelling_keeps_what_arrived(hub: Hub, tmp_path: Path):
    seen: list[int] = []
    with pytest.raises(Cancelled):
        download(tagger(), tmp_path, lambda name, done, total: seen.append(done), lambda: max(seen, default=0) > 10_000)
    assert (tmp_path / "little" / "model.onnx.part").stat().st_size > 0
    assert not (tmp_path / "little" / "model.onnx").exists()
    assert (download(tagger(), tmp_path) / "model.onnx").read_bytes() == MODEL


def test_progress_tells_bytes_done_and_in_all(hub: Hub, tmp_path: Path):
    seen: list[tuple[str, int, int | None]] = []
    download(tagger(), tmp_path, lambda *line: seen.append(line))
    assert seen[-1] == ("model.onnx", len(MODEL), len(MODEL))


@pytest.mark.parametrize(("status", "words"), [(404, "answers 404.*another one"), (403, "without a login")])
def test_a_refusal_of_the_server_is_told_with_a_cure(hub: Hub, tmp_path: Path, status: int, words: str):
    hub.status = status
    with pytest.raises(DownloadError, match=words):
        download(tagger(), tmp_path)


def test_a_server_that_cannot_be_reached_is_named_with_the_setting_for_mirrors(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9 cannot be reached.*HF_ENDPOINT"):
        download(tagger(), tmp_path, endpoint="http://127.0.0.1:9")


def test_what_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path):
    download(tagger(), tmp_path)
    before = len(hub.requests)
    download(tagger(), tmp_path)
    assert len(hub.requests) == before


def test_the_command_says_what_went_wrong_and_ends_with_1(hub: Hub, tmp_path: Path, capfd):
    hub.status = 404
    assert main(["--download", "wd-vit-v3", "--model-dir", str(tmp_path)]) == 1
    assert "answers 404" in capfd.readouterr().err
