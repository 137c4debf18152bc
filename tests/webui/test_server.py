"""How the page is opened to the network: one address, a free port, a key for others."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import app
from trainer import locks
from trainer.atomic import _host
from trainer.job import LOCK_NAME, Job
from trainer.leftovers import sweep_page
from webui import server
from webui.address import Address, AddressError, listening_socket, named_address
from webui.routes.tensorboard import has_logs
from webui.site import open_site


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as one:
        one.bind(("::1", 0))
        return True
    return False


def answers(number: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in number else socket.AF_INET, socket.SOCK_STREAM) as one:
        return one.connect_ex((number, port)) == 0


@pytest.mark.parametrize(
    ("named", "reached", "closed"),
    [
        ("127.0.0.1", ["127.0.0.1"], ["127.0.0.2", "::1"]),
        ("127.0.0.2", ["127.0.0.2"], ["127.0.0.1", "::1"]),
        ("localhost", ["127.0.0.1"], ["127.0.0.2", "::1"]),
        (" LOCALHOST ", ["127.0.0.1"], ["127.0.0.2", "::1"]),
        ("0.0.0.0", ["127.0.0.1", "127.0.0.2"], ["::1"]),
        ("::1", ["::1"], ["127.0.0.1"]),
        ("[::1]", ["::1"], ["127.0.0.1"]),
        ("::", ["::1", "127.0.0.1", "127.0.0.2"], []),
    ],
)
def test_the_page_listens_where_it_was_told_and_nowhere_else(named, reached, closed):
    if ":" in named and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with listening_socket(named_address(named), 0) as door:
        port = door.getsockname()[1]
        open_at = {number for number in [*reached, *closed] if answers(number, port)}
    assert open_at == set(reached)


@pytest.mark.parametrize(
    ("named", "loopback", "link"),
    [
        ("127.0.0.1", True, "127.0.0.1"), ("127.9.9.9", True, "127.9.9.9"), ("127.1", True, "127.0.0.1"),
        ("::1", True, "[::1]"), ("::ffff:127.0.0.1", True, "127.0.0.1"), ("localhost", True, "127.0.0.1"),
        ("0.0.0.0", False, "127.0.0.1"), ("0", False, "127.0.0.1"), ("::", False, "127.0.0.1"),
        ("192.0.2.1", False, "192.0.2.1"), ("2001:db8::5", False, "[2001:db8::5]"),
    ],
)  # fmt: skip
def test_an_address_knows_who_reaches_it_and_how_it_stands_in_a_link(named, loopback, link):
    address = named_address(named)
    assert (address.loopback, address.host, address.name) == (loopback, link, "")


def test_a_name_is_listened_on_at_its_address_and_answered_to(monkeypatch):
    found = [(socket.AF_INET6, 1, 6, "", ("::1", 0, 0, 0)), (socket.AF_INET, 1, 6, "", ("192.0.2.7", 0))]

    def resolver(name, port, family=0, type=0, proto=0, flags=0):
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        return found if name == "studio.lan" else []

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    address = named_address("Studio.lan")
    assert (address.number, address.name, address.host, address.loopback) == (
        "192.0.2.7", "studio.lan", "studio.lan", False,
    )  # fmt: skip
    assert server.answered_names(address, ["proxy.example"]) == ("proxy.example", "studio.lan")
    assert server.answered_names(Address("192.0.2.7"), ["proxy.example"]) == ("proxy.example",)


@pytest.mark.parametrize("named", ["0.0.0.0", "192.0.2.1", "::", "2001:db8::5"])
def test_an_address_that_others_reach_is_refused_without_listen(named, capsys):
    assert app.main(["--host", named]) == 2
    assert capsys.readouterr().err == (
        f"Refused: {named} can be reached from other machines. Use --listen {named}, which protects the page with "
        "a key.\n"
    )


@pytest.mark.parametrize("option", ["--host", "--listen"])
@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("", "An empty address says nothing"),
        ("192.168.1.5:28000", "the port after --port"),
        ("http://127.0.0.1/", "the port after --port"),
        ("*", "the port after --port"),
        ("a\0b", r"'a\x00b' is neither an address nor a known name"),
        ("\udcff", r"'\udcff' is neither an address nor a known name"),
        ("x" * 300, "is neither an address nor a known name"),
        ("炼" * 100, "is neither an address nor a known name"),
    ],
)
def test_what_is_no_address_is_a_sentence_and_exit_code_2(option, named, words, capsys):
    assert app.main([f"{option}={named}"]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1


def test_an_address_of_another_machine_is_a_sentence():
    with pytest.raises(AddressError, match=r"192\.0\.2\.1 cannot be used: .* Choose one that this computer has"):
        listening_socket(named_address("192.0.2.1"), 28000)


def test_a_taken_port_is_replaced_by_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with listening_socket(named_address("127.0.0.1"), port) as door:
            assert port < door.getsockname()[1] <= port + 19


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EADDRINUSE, r"All ports from 65530 to 65535 are taken; choose another with --port"),
        (errno.EACCES, r"Ports from 65530 to 65535 need the rights of root; choose one above 1023"),
    ],
)
def test_ports_are_tried_up_to_the_last_one_and_then_told(code, words, monkeypatch):
    def refused(number: str, port: int) -> socket.socket:
        raise OSError(code, "no")

    monkeypatch.setattr("webui.address._bound", refused)
    monkeypatch.setattr("webui.address.sys.platform", "linux")
    with pytest.raises(AddressError, match=words):
        listening_socket(Address("127.0.0.1"), 65530)


@pytest.mark.parametrize("name", ["..", "a/b.js", "A.js", "dom.py", ".js", "dom.js.bak", "x" * 300 + ".js"])
def test_only_plain_names_of_page_files_are_served(name):
    assert not server.STATIC_NAME.fullmatch(name) or not (server.STATIC / name).exists()


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("call", ["mkdir", "chmod", "fsync"])
def test_a_folder_that_cannot_be_written_is_one_sentence_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, call: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(app, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, call, refuse)
    assert app.main(["--no-browser", "--port", "28411"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        f"Athanor cannot write into its own folder {tmp_path}: {os.strerror(number)}. Free some space"
    )
    assert told.count("\n") == 1


def test_the_page_sweeps_what_a_killed_process_left_but_not_a_job_that_is_trained(tmp_path: Path) -> None:
    name = f".{_host()}0123456789.athanor-tmp"
    jobs = [Job.create(tmp_path / "jobs", name, "") for name in ("dead", "alive")]
    for job in jobs:
        (job.states / "t-state.building").mkdir()
        (job.states / "t-state.building" / "progress.json").touch()
    folders = ["jobs", ".athanor", ".athanor/tagging/20261120-114200-x", "output/sample", jobs[0].path, jobs[0].states]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).touch()
        os.utime(tmp_path / folder / name, (time.time() - 100,) * 2)
    (tmp_path / ".athanor" / "settings.json").write_text("{}", encoding="utf-8")
    lock = locks.take(jobs[1].path / LOCK_NAME)
    assert lock is not None
    sweep_page(tmp_path / "jobs", tmp_path / ".athanor", [tmp_path / "output" / "sample"])
    assert not any((tmp_path / folder / name).exists() for folder in folders)
    assert [list(job.states.iterdir()) != [] for job in jobs] == [False, True]
    assert (tmp_path / ".athanor" / "settings.json").exists()
    lock.release()


def test_a_second_page_over_one_folder_says_where_the_first_is(tmp_path, capsys):
    site = open_site(tmp_path)
    first = server.first_page(site, "http://127.0.0.1:28000/")
    assert first is not None and capsys.readouterr().out == ""
    assert server.first_page(site, "http://127.0.0.1:28001/") is None
    assert "Another page of this folder is open already: http://127.0.0.1:28000/" in capsys.readouterr().out
    first.release()
    again = server.first_page(site, "http://127.0.0.1:28002/")
    assert again is not None
    again.release()


def test_a_port_that_is_taken_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "ROOT", tmp_path)
    monkeypatch.setattr(server, "create_app", lambda site: None)
    monkeypatch.setattr(server, "protected", lambda page, site: page)
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: [door.close() for door in sockets])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.main(["--no-browser", "--port", str(port)]) == 0
    told = capsys.readouterr().out
    assert f"Port {port} is taken by another program or page" in told
    assert f"Athanor: http://127.0.0.1:{port}/" not in told


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Every route of ours, without Gradio."""
    return TestClient(server.interface(open_site(tmp_path_factory.mktemp("site"))), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/static/nothing.js", 404, "There is no file 'nothing.js' in the page."),
        ("/static/Dom.js", 404, "There is no file 'Dom.js' in the page."),
        ("/static/..%5cserver.py", 404, "in the page."),
        ("/static/" + "x" * 300 + ".js", 404, "in the page."),
        ("/openapi.json", 404, "There is no list of the interface."),
        ("/api/text/ru", 404, "There are no texts in 'ru'; there are: en, zh."),
        ("/api/nothing/here", 404, "There is nothing at this address"),
        ("/api/jobs/20260101-000000-gone", 404, "it may have been removed"),
        ("/api/settings/mirror/x", 404, "There is nothing at this address"),
    ],
)
def test_what_is_not_there_is_a_sentence(page, address, status, words):
    answer = page.get(address)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True)


@pytest.mark.parametrize(
    ("address", "kind"),
    [("/static/dom.js", "text/javascript"), ("/static/icon.svg", "image/svg+xml"), ("/static/style.css", "text/css"),
     ("/favicon.ico", "image/svg+xml")],
)  # fmt: skip
def test_files_of_the_page_have_their_kind_and_are_asked_for_anew(page, address, kind):
    answer = page.get(address)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)
    assert answer.headers["cache-control"] == ("max-age=86400" if "favicon" in address else "no-cache")


def test_texts_are_english_or_chinese_and_tensorboard_has_its_slash_and_its_fonts(page):
    assert page.get("/api/text/en").json() == {"phrases": {}, "parameters": {}}
    assert page.get("/api/text/zh").json()["phrases"]["Train"] == "训练"
    for asked, place in (
        ("/tensorboard", "./tensorboard/"),
        ("/font-roboto/a.woff2", "../tensorboard/font-roboto/a.woff2"),
    ):
        answer = page.get(asked, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, place)


def test_tensorboard_is_offered_once_there_are_logs(page, tmp_path):
    told = page.get("/api/tensorboard").json()
    assert told["runs"] is False and told["logs"].endswith("logs")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "notes.txt").touch()
    assert not has_logs(tmp_path)
    assert has_logs(tmp_path, most_folders=1)  # so many folders that looking on would take long: shown without looking
    (deep / "events.out.tfevents.1").touch()
    assert has_logs(tmp_path) and not has_logs(tmp_path / "nowhere")
