"""Choosing a folder shows names only; pictures are shown by ids, as new small pictures."""

from __future__ import annotations

import io
import os
import shutil

import pytest
from PIL import Image

from tests.webui.served import served
from webui.routes import files, thumbnails
from webui.site import open_site
from webui.thumbnails import NoThumbnail, Thumbnails, file_key, thumbnail_path


@pytest.fixture
def site(tmp_path):
    return open_site(tmp_path / "root")


@pytest.fixture
def client(site):
    return served(files.router(site), thumbnails.router(site))


def names(answer):
    return [entry["name"] for entry in answer.json()["entries"]]


def test_folders_come_first_and_files_only_when_they_are_wanted(client, site):
    folder = site.root / "中文 folder"
    (folder / "b").mkdir(parents=True)
    (folder / "A").mkdir()
    for name in ("model.safetensors", "note.txt", ".hidden"):
        (folder / name).touch()
    assert names(client.get("/api/files", params={"path": "中文 folder"})) == ["A", "b"]
    answer = client.get("/api/files", params={"path": str(folder), "kind": "file", "extensions": ".safetensors"})
    assert names(answer) == ["A", "b", "model.safetensors"]
    assert answer.json()["parent"] == str(site.root)


def test_an_empty_path_begins_at_the_root_and_a_file_at_its_folder(client, site):
    (site.root / "x.toml").touch()
    assert client.get("/api/files").json()["path"] == str(site.root)
    assert client.get("/api/files", params={"path": "x.toml"}).json()["path"] == str(site.root)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere", "not a folder"),
        ("\\\\server\\share", "network path"),
        ("//server/share", "network path"),
        ("a\0b", "zero byte"),
    ],
)
def test_a_path_that_cannot_be_shown_is_refused_with_the_cure(client, path, words):
    answer = client.get("/api/files", params={"path": path})
    assert answer.status_code in (400, 404)
    assert words in answer.json()["message"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (b"caf\xe9", "not UTF-8"), ("我的".encode("gbk"), "not UTF-8"), (b"a\nb", "control characters"),
        (b"\x1b[31m", "control characters"), (b"end ", "blanks"), (b"'quoted'", None), (b"~no-such-user", None),
        ("／etc".encode(), None), (b"a\\b", None), (b"%2e%2e", None), (b"x$(x)`y`;", None), ("龘".encode() * 80, None),
    ],
)  # fmt: skip
def test_a_name_that_no_setting_can_hold_is_shown_and_says_why_it_cannot_be_chosen(client, site, name, words):
    folder = site.root / "place"
    folder.mkdir()
    (folder / os.fsdecode(name)).mkdir()
    entry = client.get("/api/files", params={"path": "place"}).json()["entries"][0]
    if words is None:
        assert entry["problem"] is None
        assert client.get("/api/files", params={"path": entry["path"]}).json()["path"] == str(
            folder / os.fsdecode(name)
        )
    else:
        assert words in entry["problem"]
        assert entry["name"].encode("utf-8")


def test_a_folder_of_many_entries_is_cut_and_the_rest_counted(client, site):
    for number in range(1005):
        (site.train_dir / f"{number:04d}").mkdir()
    answer = client.get("/api/files", params={"path": "train"}).json()
    assert (len(answer["entries"]), answer["more"]) == (1000, 5)


def test_places_name_our_folders(client):
    assert {"Athanor", "Data sets", "Base models", "Output", "Home"} <= {
        place["name"] for place in client.get("/api/files/places").json()["places"]
    }


def test_a_picture_of_an_opened_folder_is_sent_as_a_small_webp(client, site, tmp_path):
    Image.new("RGB", (800, 400), "red").save(tmp_path / "a b.png")
    folder = site.thumbnails.register_folder(tmp_path)
    answer = client.get("/api/" + thumbnail_path(folder, "a b.png", 5))
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    (site.root / "out.webp").write_bytes(answer.content)
    with Image.open(site.root / "out.webp") as small:
        assert small.size == (192, 96)


def test_folders_that_were_not_opened_and_names_with_paths_find_nothing(client, site, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert client.get(f"/api/thumbnails/{'0' * 16}/{file_key('a.png')}").status_code == 404
    folder = site.thumbnails.register_folder(tmp_path / "root")
    for name in ("../a.png", str(tmp_path / "a.png"), "a.png"):
        assert client.get(f"/api/thumbnails/{folder}/{file_key(name)}").status_code == 404


def test_what_is_no_picture_is_refused_and_the_page_goes_on(client, site, tmp_path):
    folder = site.thumbnails.register_folder(tmp_path)
    for name, content in (
        ("empty.png", b""),
        ("text.jpg", b"<svg onload=alert(1)>"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0"),
    ):
        (tmp_path / name).write_bytes(content)
        answer = client.get("/api/" + thumbnail_path(folder, name, 1))
        assert (answer.status_code, name in answer.json()["message"]) == (404, True)
    assert client.get(f"/api/thumbnails/{folder}/{file_key('secret.txt')}").status_code == 404


def test_a_link_is_shown_where_it_stays_in_its_folder_and_refused_by_name_where_it_leads_out_or_nowhere(
    client, site, tmp_path
):
    outside, folder = tmp_path / "private", tmp_path / "10_set"
    outside.mkdir(), folder.mkdir()
    Image.new("RGB", (8, 8)).save(outside / "secret.png")
    Image.new("RGB", (8, 8)).save(folder / "own.png")
    links = {"in.png": "own.png", "out.png": outside / "secret.png", "gone.png": "nothing", "itself.png": "itself.png"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    shelf = site.thumbnails.register_folder(folder)
    answers = {name: client.get("/api/" + thumbnail_path(shelf, name, 1)) for name in links}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "in.png": 200, "out.png": 404, "gone.png": 404, "itself.png": 404,
    }  # fmt: skip
    assert "out.png is a link that leads outside the data set" in answers["out.png"].json()["message"]
    assert "gone.png" in answers["gone.png"].json()["message"]
    assert "itself.png" in answers["itself.png"].json()["message"]


def test_a_folder_that_went_away_and_a_cache_that_cannot_be_written_are_told_in_words(client, site, tmp_path):
    (tmp_path / "set").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "set" / "a.png")
    shelf = site.thumbnails.register_folder(tmp_path / "set")
    site.thumbnails.cache.parent.mkdir(parents=True, exist_ok=True)
    site.thumbnails.cache.write_text("a file where a folder is needed", encoding="utf-8")
    answer = client.get("/api/" + thumbnail_path(shelf, "a.png", 1))
    assert (answer.status_code, str(site.thumbnails.cache) in answer.json()["message"]) == (404, True)
    shutil.rmtree(tmp_path / "set")
    answer = client.get("/api/" + thumbnail_path(shelf, "a.png", 1))
    assert (answer.status_code, str(tmp_path / "set") in answer.json()["message"]) == (404, True)


def test_a_picture_that_changed_gets_a_new_thumbnail(tmp_path):
    made = Thumbnails(tmp_path / "cache")
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64), "red").save(path)
    first = made.thumbnail(path, 192)
    Image.new("RGB", (64, 64), "blue").save(path)
    os.utime(path, ns=(1, 1))
    second = made.thumbnail(path, 192)
    assert first != second
    with Image.open(second) as small:
        assert small.getpixel((30, 30))[2] > 200


def test_sizes_other_than_the_known_ones_are_refused(tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.png")
    with pytest.raises(NoThumbnail, match="192, 384, 1024"):
        Thumbnails(tmp_path / "cache").thumbnail(tmp_path / "a.png", 5000)


def test_transparency_16_bit_and_turned_pictures_are_shown_right(tmp_path):
    made = Thumbnails(tmp_path / "cache")
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("I;16", (40, 40), 30_000).save(tmp_path / "deep.png")
    turned = Image.new("RGB", (60, 30), "red")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    with Image.open(made.thumbnail(tmp_path / "clear.png", 192)) as small:
        assert all(abs(value - 128) < 6 for value in small.getpixel((20, 20)))
    with Image.open(made.thumbnail(tmp_path / "deep.png", 192)) as small:
        assert all(abs(value - 117) < 6 for value in small.getpixel((20, 20)))  # 30000 / 256
    with Image.open(made.thumbnail(tmp_path / "turned.jpg", 192)) as small:
        assert small.size == (30, 60)


def test_a_thumbnail_follows_links_inside_the_opened_folder_only(client, site, tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    opened = tmp_path / "set"
    (opened / "sub").mkdir(parents=True)
    Image.new("RGB", (8, 8), "blue").save(opened / "a.png")
    for name, target in {
        "same.png": "../a.png", "away.png": tmp_path / "secret.png", "round.png": "round.png", "gone.png": "x.png",
    }.items():  # fmt: skip
        (opened / "sub" / name).symlink_to(target)
    shelf = site.thumbnails.register_folder(opened / "sub", opened)
    site.thumbnails.register_folder(opened / "sub")  # also by itself, in another tab
    answers = {
        name: client.get("/api/" + thumbnail_path(shelf, name, 1))
        for name in ("same.png", "away.png", "round.png", "gone.png")
    }
    assert [answer.status_code for answer in answers.values()] == [200, 404, 404, 404]
    assert "leads outside the data set" in answers["away.png"].json()["message"]
    assert "leads nowhere" in answers["round.png"].json()["message"]


def test_a_thumbnail_is_kept_for_long_only_under_an_address_that_changes_with_the_picture(client, site, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    address = f"/api/thumbnails/{site.thumbnails.register_folder(tmp_path)}/{file_key('a.png')}"
    assert client.get(address).headers["cache-control"] == "no-cache"
    assert client.get(address, params={"v": "1"}).headers["cache-control"] == "private, max-age=604800, immutable"
    refused = client.get(address, params={"size": 193})
    assert (refused.status_code, "there are 192, 384, 1024" in refused.json()["message"]) == (404, True)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(13, "Permission denied"), 403, "may not be read by the user that runs Athanor"),
        (OSError(5, "Input/output error"), 400, "cannot be read: Input/output error"),
    ],
)
def test_a_folder_that_cannot_be_read_is_told(client, site, monkeypatch, error, status, words):
    def fail(folder):
        raise error

    monkeypatch.setattr("webui.routes.files.os.scandir", fail)
    answer = client.get("/api/files", params={"path": "train"})
    assert (answer.status_code, words in answer.json()["message"]) == (status, True)


def test_the_top_has_no_parent_and_places_that_are_gone_are_not_offered(client, site):
    assert client.get("/api/files", params={"path": site.root.anchor}).json()["parent"] is None
    site.models_dir.rmdir()
    assert "Base models" not in {place["name"] for place in client.get("/api/files/places").json()["places"]}


def test_the_dialog_shows_the_pictures_of_a_folder_and_their_number_beside_each_below_it(client, site):
    place = site.train_dir / "anby"
    (place / "10_anby").mkdir(parents=True)
    for path in (place / "1.png", place / "10_anby" / "2.png", place / "10_anby" / "3.png", place / "._1.png"):
        Image.new("RGB", (40, 80)).save(path)
    Image.new("RGB", (8, 8)).save(place / "scan.tif")
    answer = client.get("/api/files", params={"path": str(place), "look": True}).json()
    assert [(entry["name"], entry["pictures"]) for entry in answer["entries"]] == [("10_anby", 2)]
    assert (answer["pictures"]["count"], answer["pictures"]["unused"]) == (1, 1)
    (one,) = answer["pictures"]["sample"]
    assert client.get(f"/api/{one['thumb']}").headers["content-type"] == "image/webp"
    assert client.get("/api/files", params={"path": str(place)}).json()["pictures"] is None  # typing needs none


def test_the_dialog_begins_where_the_fields_kind_lies_or_above_what_is_gone(client, site):
    for home, folder in (("train", site.train_dir), ("models", site.models_dir), ("", site.root)):
        answer = client.get("/api/files", params={"path": "", "home": home, "look": True}).json()
        assert (answer["path"], answer["missing"]) == (str(folder), None)
    gone = site.train_dir / "gone" / "10_anby"
    answer = client.get("/api/files", params={"path": str(gone), "home": "models", "look": True}).json()
    assert (answer["path"], answer["missing"]) == (str(site.train_dir), str(gone))


def test_a_folder_is_made_where_the_dialog_is_and_nothing_that_is_there_is_touched(client, site):
    made = client.post("/api/files/folder", json={"path": str(site.train_dir), "name": " 10_安比 "})
    assert made.json()["path"] == str(site.train_dir / "10_安比") and (site.train_dir / "10_安比").is_dir()
    (site.train_dir / "file").touch()
    for name, status, words in (
        ("10_安比", 409, "already; choose another name"), ("file", 409, "already"), ("a/b", 400, "/ is not allowed"),
        ("..", 400, "must not begin with"), ("", 400, "1 to 100 characters"), ("con", 400, "device"),
    ):  # fmt: skip
        answer = client.post("/api/files/folder", json={"path": str(site.train_dir), "name": name})
        assert (answer.status_code, words in answer.json()["message"]) == (status, True), name
    assert client.post("/api/files/folder", json={"path": "nowhere", "name": "x"}).status_code == 404


def test_recent_folders_are_few_newest_first_and_one_that_is_gone_is_told(client, site):
    for number in range(12):
        (site.train_dir / str(number)).mkdir()
        site.recent.note(site.train_dir / str(number))
    site.recent.note(site.train_dir / "5")
    (site.train_dir / "11").rmdir()
    recent = client.get("/api/files/places").json()["recent"]
    assert [entry["name"] for entry in recent] == ["5", "11", "10", "9", "8", "7", "6", "4", "3", "2"]
    assert [entry["name"] for entry in recent if entry["gone"]] == ["11"]
    site.recent.path.write_text("{damaged", encoding="utf-8")
    assert client.get("/api/files/places").json()["recent"] == []


def test_what_cannot_be_shown_is_one_pixel_for_a_page_that_has_words_for_it(client, site, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    folder = site.thumbnails.register_folder(tmp_path)
    for address in (thumbnail_path(folder, "broken.png", 1), thumbnail_path("0" * 16, "unknown.png", 1)):
        answer = client.get(f"/api/{address}&size=384&blank=1")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (1, 1)
