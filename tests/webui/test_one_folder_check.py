"""Tagger, tag editor and Train count the same pictures of one folder, and each offers its subfolders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.webui.served import served
from webui import form
from webui.routes import datasets, tagging
from webui.routes import form as form_routes
from webui.site import Site, open_site

PICTURES = [  # 3 in the folder, 6 below it
    "1.png", "2.PNG", "3.jpeg", "a/4.png", "a/5.webp", "b/deep/6.bmp", "5_c/7.png", "5_c/8.png",
    "b/c/d/e/f/g/h/i/9.png",
]  # fmt: skip
OTHERS = [
    "scan.tif", "a/moving.gif", "a/photo.jfif", ".hidden.png", "a/._4.png", ".ipynb_checkpoints/1.png",
    "__MACOSX/1.png",
    "@eaDir/1.png", "b/c/d/e/f/g/h/i/j/too deep.png", "note.txt",
]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return open_site(tmp_path / "root")


@pytest.fixture
def client(site: Site) -> TestClient:
    return served(datasets.router(site), tagging.router(site), form_routes.router(site))


@pytest.fixture
def folder(site: Site) -> Path:
    """A folder with pictures of its own, some below it, and everything that is none."""
    root = site.train_dir / "mixed"
    for shade, name in enumerate(PICTURES + OTHERS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".txt"):
            (root / name).write_text("a note", encoding="utf-8")
        else:
            kind = {"gif": "GIF", "tif": "TIFF", "bmp": "BMP", "webp": "WEBP", "png": "PNG"}
            Image.new("L", (64, 64), 5 * shade).save(root / name, kind.get(name.lower().rpartition(".")[2], "JPEG"))
    if os.name != "nt":  # links need rights on Windows
        (root / "out.png").symlink_to("/etc/passwd")
        (root / "inside.png").symlink_to("1.png")  # one picture more, in all three
        (root / "linked").symlink_to(root / "a")
    return root


LINKS = 0 if os.name == "nt" else 1


def in_tagger(client: TestClient, folder: Path, recursive: bool) -> tuple[int, int]:
    values = {"model": "demo-tagger", "folder": str(folder), "recursive": recursive}
    answer = client.post("/api/tagging/check", json={"values": values}).json()
    return answer["folder"]["pictures"] if answer["folder"] else 0, answer["with_subfolders"]


def in_editor(client: TestClient, folder: Path, recursive: bool) -> tuple[int, int]:
    answer = client.post("/api/datasets/open", json={"path": str(folder), "recursive": recursive}).json()
    return len(answer["pictures"]), answer["with_subfolders"]


def in_train(client: TestClient, **values: object) -> dict[str, object]:
    whole = {**form.default_values(), "dataset.resolution": "512", **values}
    answer = client.post("/api/form/report", json={"values": whole})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def remove(link: Path) -> None:
    link.unlink(missing_ok=True)


def listed(folder: Path) -> dict[str, object]:
    return {"dataset.subsets": [{"image_dir": str(folder), "num_repeats": "1"}]}


def test_the_three_count_the_same_pictures(client: TestClient, folder: Path):
    own, whole = 3 + LINKS, 9 + LINKS
    assert in_tagger(client, folder, False) == in_editor(client, folder, False) == (own, whole)
    assert in_tagger(client, folder, True) == in_editor(client, folder, True) == (whole, 0)
    assert in_train(client, **listed(folder))["images"] == own


@pytest.mark.parametrize("look", [in_tagger, in_editor])
def test_kinds_that_training_does_not_read_are_named_and_not_counted(client: TestClient, folder: Path, look):
    for path in list(folder.iterdir()):
        if path.is_file() and path.suffix != ".tif":
            path.unlink()
    assert look(client, folder, False) == (0, 6)
    values = {"model": "demo-tagger", "folder": str(folder)}
    assert client.post("/api/tagging/check", json={"values": values}).json()["unused"] == ["scan.tif"]
    opened = client.post("/api/datasets/open", json={"path": str(folder), "recursive": True}).json()
    assert opened["unused"] == ["scan.tif", "a/moving.gif", "a/photo.jfif"]


def test_train_lists_all_subfolders_of_a_parent_by_one_click(client: TestClient, folder: Path):
    for path in list(folder.iterdir()):
        if path.is_file():
            path.unlink()
    remove(folder / "linked")
    (folder / "5_c").rename(folder / "b" / "5_c")  # with repeats in its name, and deeper than Train looks by itself
    report = in_train(client, **{"dataset.train_data_dir": str(folder)})
    (problem,) = [one for one in report["problems"] if one["cure"]]
    assert (problem["severity"], problem["values"]["count"]) == ("error", 6)
    places = [(Path(one["image_dir"]).name, one["num_repeats"]) for one in problem["cure"]["dataset.subsets"]]
    assert places == [("a", "10"), ("5_c", "5"), ("i", "10"), ("deep", "10")]
    assert in_train(client, **problem["cure"])["images"] == in_editor(client, folder, True)[0] == 6


def test_folders_that_train_leaves_out_are_listed_by_one_click(client: TestClient, folder: Path):
    remove(folder / "linked")
    report = in_train(client, **{"dataset.train_data_dir": str(folder)})
    cures = [one["cure"]["dataset.subsets"][-1] for one in report["problems"] if one["cure"]]
    assert [(Path(one["image_dir"]).name, one["num_repeats"]) for one in cures] == [("a", "10")]
