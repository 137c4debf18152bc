"""How the page is opened to the network: one address, a free port, a key for others."""

from __future__ import annotations

import socket

import pytest

from webui import server


def test_an_address_that_others_reach_is_refused_without_listen():
    for host in ("0.0.0.0", "192.168.1.5", "::"):
        with pytest.raises(SystemExit, match="--listen"):
            server._checked_host(host, listen=False)
    assert server._checked_host("localhost", listen=False) == "127.0.0.1"


def test_listen_opens_every_address_or_the_one_that_was_named():
    assert server._checked_host("127.0.0.1", listen=True) == "0.0.0.0"
    assert server._checked_host("192.168.1.5", listen=True) == "192.168.1.5"


def test_a_taken_port_is_replaced_by_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        door = server._open_door("127.0.0.1", port)
        assert port < door.getsockname()[1] <= port + 19
        door.close()


def test_an_address_of_another_machine_is_a_sentence():
    with pytest.raises(SystemExit, match=r"192\.0\.2\.1 cannot be used"):
        server._open_door("192.0.2.1", 28000)


@pytest.mark.parametrize("name", ["..", "a/b.js", "A.js", "dom.py", ".js", "dom.js.bak", "x" * 300 + ".js"])
def test_only_plain_names_of_page_files_are_served(name):
    assert not server.STATIC_NAME.fullmatch(name) or not (server.STATIC / name).exists()
