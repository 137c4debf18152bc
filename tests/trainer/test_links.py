"""What lies in a folder of pictures: files, folders, links that stay inside, lead outside, or lead nowhere."""

from __future__ import annotations

import os
import socket

import pytest

from trainer import filesystem
from trainer.dataset import caption_files, links
from trainer.job import list_jobs

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes need rights on Windows")


def made(folder, elsewhere):
    """A folder with one name of each kind."""
    (folder / "sub").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "file.png").write_bytes(b"x")
    for name, target in {
        "inside.png": "file.png", "outside.txt": elsewhere / "secret.txt", "circle.png": "circle.png",
        "nowhere.png": "gone.png", "folder_inside": "sub", "folder_outside": elsewhere,
        "up_and_back.png": f"../{folder.name}/file.png", "nowhere_outside.png": elsewhere / "gone.png",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.png")
    return folder


KINDS = {
    "circle.png": "broken", "file.png": "file", "folder_inside": "folder", "folder_outside": "outside",
    "inside.png": "file", "nowhere.png": "broken", "nowhere_outside.png": "broken", "outside.txt": "outside",
    "pipe.png": "special", "sub": "folder", "up_and_back.png": "file",
}  # fmt: skip


def test_every_name_of_a_folder_has_its_kind(tmp_path):
    folder = made(tmp_path / "set", tmp_path / "elsewhere")
    assert {place.name: place.kind for place in links.look_into(folder, links.real(folder))} == KINDS
    assert {name: links.kind_of(folder / name, links.real(folder)) for name in KINDS} == KINDS


def test_a_chosen_folder_may_itself_be_a_link(tmp_path):
    folder = made(tmp_path / "set", tmp_path / "elsewhere")
    (tmp_path / "chosen").symlink_to(folder)
    chosen = tmp_path / "chosen"
    assert {place.name: place.kind for place in links.look_into(chosen, links.real(chosen))} == KINDS


def test_a_file_below_a_link_that_leads_outside_is_outside(tmp_path):
    folder = made(tmp_path / "set", tmp_path / "elsewhere")
    assert links.kind_of(folder / "folder_outside" / "secret.txt", links.real(folder)) == "outside"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800", "x/" * 2500])
def test_a_name_that_no_file_can_have_is_missing(tmp_path, name):
    assert links.kind_of(tmp_path / name, tmp_path) == "missing"
    assert not filesystem.is_file(tmp_path / name)
    assert not filesystem.is_folder(tmp_path / name)


def test_a_socket_is_no_file(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.png"))
        assert links.kind_of(tmp_path / "s.png", tmp_path) == "special"


def test_a_link_in_a_circle_hides_nothing_that_lies_beside_it(tmp_path):
    (tmp_path / "a.txt").write_text("cat", encoding="utf-8")
    (tmp_path / "20261130-120000-cat").mkdir()
    for circle in ("self.png", "20261130-120000-circle"):
        (tmp_path / circle).symlink_to(circle)
    assert caption_files.look(tmp_path, ".txt").of("a") == "a.txt"
    assert [job.id for job in list_jobs(tmp_path)] == ["20261130-120000-cat"]
