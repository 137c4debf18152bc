"""Pictures listed in a file: finetune metadata in all its forms, and metadata_cache.json."""

from __future__ import annotations

import json

import pytest
from folders import config, pictures
from PIL import Image

from trainer.dataset import statistics
from trainer.dataset.captions import with_tags
from trainer.dataset.scan import scan, write_caches


def listed(tmp_path, content, name="meta.json", **values):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return scan(config(tmp_path / "pics", in_json=str(path), **values))


def captions_of(dataset):
    return {example.path.name: example.caption for example in dataset.examples}


def test_whole_paths_names_with_and_without_extension_are_found(tmp_path):
    first, second, third = pictures(tmp_path / "pics", [(64, 64)] * 3, caption=None)
    content = {str(first): {"caption": "one"}, second.name: {"caption": "two"}, third.stem: {"tags": "three, cat"}}
    dataset = listed(tmp_path, content)
    assert captions_of(dataset) == {"p000.png": "one", "p001.png": "two", "p002.png": "three, cat"}
    assert dataset.problems == ()
    assert {example.weight for example in dataset.examples} == {1.0}


def test_a_whole_path_without_extension_and_pictures_in_folders_below_are_found(tmp_path):
    (deep,) = pictures(tmp_path / "pics" / "deep", [(64, 64)], caption=None)
    (whole,) = pictures(tmp_path / "pics", [(64, 64)], caption=None)
    dataset = listed(tmp_path, {"deep/p000.png": {"caption": "a"}, str(whole.with_suffix("")): {"caption": "b"}})
    assert [example.path for example in dataset.examples] == [deep, whole]


def test_lines_of_a_jsonl_file_are_pictures(tmp_path):
    pictures(tmp_path / "pics", [(64, 64)] * 2, caption=None)
    lines = '{"image_path": "p000.png", "caption": "a", "tags": "b"}\n\n{"image_path": "p001.png", "tags": "c"}\n'
    assert captions_of(listed(tmp_path, lines, "meta.jsonl")) == {"p000.png": "a,b", "p001.png": "c"}


@pytest.mark.parametrize(
    ("caption", "tags", "wildcards", "text"),
    [
        ("a cat", "red, blue", False, "a cat,red, blue"), ("a cat", None, False, "a cat"), (None, "red", False, "red"),
        ("a cat\na dog", "red\nblue", True, "a cat,red,blue\na dog,red,blue"), (None, "red\nblue", True, "red,blue"),
        ("", "red", True, "red"), (None, None, False, ""), ("a", "", False, "a"),
    ],
)  # fmt: skip
def test_caption_and_tags_become_one_text_and_tags_alone_are_never_lost(caption, tags, wildcards, text):
    assert with_tags(caption, tags, ",", wildcards) == text


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("[1]", "m.json", "must hold one table of pictures"),
        ("{", "m.json", "is not valid JSON"),
        ('{"a": 3}', "m.json", "a must be a table with caption and tags"),
        ('{"a": {"tags": ["x"]}}', "m.json", "tags of a is ['x']; text is needed"),
        ('{"caption": "x"}', "m.jsonl", "line 1: image_path is missing"),
        ('{"image_path": "a"}\nnonsense', "m.jsonl", "line 2: this is no JSON"),
        ('{"0": {"caption": "x"}, "0": {"caption": "y"}}', "m.json", "0 stands there twice, as"),
        ('{"a": {"caption": "x\\ud800"}}', "m.json", "caption of a holds half a character, which no text has"),
        ('{"image_path": "a", "tags": "\\u0000"}', "m.jsonl", "tags of a holds a zero byte, which no text has"),
        ("[" * 100_000, "m.json", "is not valid JSON: lists or tables in it are nested too deep"),
        ("[" * 100_000, "m.jsonl", "line 1: this is no JSON (lists or tables in it are nested too deep)"),
    ],
)
def test_a_wrong_metadata_file_is_an_error_with_its_place(tmp_path, content, name, words):
    pictures(tmp_path / "pics", [(64, 64)])
    (problem,) = listed(tmp_path, content, name).errors()
    assert words in problem.message
    assert name in problem.message


def test_a_metadata_file_in_gbk_is_an_error_that_names_it(tmp_path):
    pictures(tmp_path / "pics", [(64, 64)])
    (tmp_path / "m.json").write_bytes('{"a": {"caption": "红色的头发"}}'.encode("gbk"))
    (problem,) = scan(config(tmp_path / "pics", in_json=str(tmp_path / "m.json"))).errors()
    assert "m.json is not UTF-8 text but looks like GBK (Chinese Windows); save it as UTF-8" in problem.message
    (tmp_path / "m.json").write_bytes(json.dumps({"p000.png": {"caption": "a"}}).encode("utf-16"))
    assert captions_of(scan(config(tmp_path / "pics", in_json=str(tmp_path / "m.json")))) == {"p000.png": "a"}


def test_a_key_may_be_a_pasted_path_or_one_that_windows_wrote(tmp_path):
    first, second, third = pictures(tmp_path / "pics" / "deep", [(64, 64)] * 3, caption=None)
    content = {f'"{first}"': {"caption": "quoted"}, second.as_uri(): {"caption": "address"},
               "deep\\p002.png": {"caption": "backslash"}}  # fmt: skip
    assert captions_of(listed(tmp_path, content)) == {
        "p000.png": "quoted", "p001.png": "address", "p002.png": "backslash"
    }  # fmt: skip


def test_listed_pictures_that_are_not_there_and_bare_ones_are_named(tmp_path):
    pictures(tmp_path / "pics", [(64, 64)])
    dataset = listed(tmp_path, {"gone.png": {"caption": "a"}, "p000": {}})
    said = " ".join(problem.message for problem in dataset.problems)
    assert "1 picture that" in said and "is not there (gone.png)" in said
    assert "1 picture of meta.json has neither caption nor tags there (p000.png)" in said


def test_the_bucket_of_old_tools_is_taken_where_buckets_are_on(tmp_path):
    pictures(tmp_path / "pics", [(640, 480)])
    content = {"p000": {"caption": "a", "train_resolution": [448, 576]}}
    assert listed(tmp_path, content).examples[0].bucket == (448, 576)
    assert listed(tmp_path, content, enable_bucket=False, cache_latents=True).examples[0].bucket == (512, 512)


def test_a_metadata_file_counts_its_tags_only_under_its_own_name(tmp_path):
    pictures(tmp_path / "pics", [(64, 64)] * 2, caption=None)
    dataset = listed(tmp_path, {"p000": {"caption": "a cat", "tags": "Red, blue"}, "p001": {"tags": "red"}},
                     dataset_repeats=3)  # fmt: skip
    assert statistics.tag_frequency(dataset) == {"meta.json": {"red": 2, "blue": 1}}
    assert statistics.folder_counts(dataset, False) == {"meta.json": {"n_repeats": 3, "img_count": 2}}


def test_sizes_and_captions_are_kept_in_the_folder_and_taken_from_there(tmp_path):
    pictures(tmp_path / "3_cat", [(64, 80), (80, 64)])
    (tmp_path / "3_cat" / "p001.txt").unlink()
    options = config(tmp_path, cache_info=True)
    write_caches(scan(options))
    kept = json.loads((tmp_path / "3_cat" / "metadata_cache.json").read_text(encoding="utf-8"))
    first, second = (str(tmp_path / "3_cat" / name) for name in ("p000.png", "p001.png"))
    assert kept == {
        first: {"caption": "1girl, solo", "resolution": [64, 80], "orientation": 1},
        second: {"caption": "cat", "resolution": [80, 64], "orientation": 1},
    }  # fmt: skip
    (tmp_path / "3_cat" / "p000.txt").write_text("changed", encoding="utf-8")
    Image.new("RGB", (64, 64)).save(tmp_path / "3_cat" / "new.png")
    dataset = scan(options)
    assert [(example.path.name, example.caption, example.size) for example in dataset.examples] == [
        ("p000.png", "1girl, solo", (64, 80)), ("p001.png", "cat", (80, 64)),
    ]  # fmt: skip
    assert [example.caption for example in scan(config(tmp_path)).examples] == ["cat", "changed", "cat"]


def test_a_kept_list_tells_stored_sizes_and_one_of_sd_scripts_is_read_with_the_photos_own_rotation(tmp_path):
    (tmp_path / "1_a").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (90, 60)).save(tmp_path / "1_a" / "a.jpg", exif=exif)
    write_caches(scan(config(tmp_path, cache_info=True)))
    place = tmp_path / "1_a" / "metadata_cache.json"
    kept = json.loads(place.read_text(encoding="utf-8"))
    (entry,) = kept.values()
    assert (entry["resolution"], entry.pop("orientation")) == ([90, 60], 6)
    for content in (place.read_text(encoding="utf-8"), json.dumps(kept)):  # ours, then as sd-scripts writes it
        place.write_text(content, encoding="utf-8")
        for ignored, size in ((False, (60, 90)), (True, (90, 60))):
            options = config(tmp_path, cache_info=True, ignore_exif_orientation=ignored)
            assert [example.size for example in scan(options).examples] == [size]


def test_a_kept_list_is_never_written_over_and_follows_a_moved_folder(tmp_path):
    pictures(tmp_path / "old" / "1_a", [(64, 64)])
    write_caches(scan(config(tmp_path / "old", cache_info=True)))
    (tmp_path / "old").rename(tmp_path / "new")
    options = config(tmp_path / "new", cache_info=True)
    before = (tmp_path / "new" / "1_a" / "metadata_cache.json").read_bytes()
    write_caches(scan(options))
    assert (tmp_path / "new" / "1_a" / "metadata_cache.json").read_bytes() == before
    assert [example.path for example in scan(options).examples] == [tmp_path / "new" / "1_a" / "p000.png"]


def test_a_broken_kept_list_is_an_error_with_the_cure(tmp_path):
    pictures(tmp_path / "1_a", [(64, 64)])
    (tmp_path / "1_a" / "metadata_cache.json").write_text('{"x": {"caption": "a"}}', encoding="utf-8")
    (problem,) = scan(config(tmp_path, cache_info=True)).errors()
    assert "x has no caption or resolution; delete the file, it is made anew" in problem.message


def test_data_sets_are_told_one_by_one_with_their_folders(tmp_path):
    pictures(tmp_path / "a", [(512, 512)] * 2)
    pictures(tmp_path / "b", [(512, 512)])
    folder = {"image_dir": str(tmp_path / "a"), "num_repeats": 2, "class_tokens": "cat", "keep_tokens": 1}
    reg = {"image_dir": str(tmp_path / "b"), "is_reg": True}
    dataset = scan(config(None, datasets=[
        {"batch_size": 3, "subsets": [folder, reg]}, {"resolution": 256, "enable_bucket": False, "subsets": [folder]},
    ], cache_latents=True))  # fmt: skip
    first, second = statistics.listed(dataset)
    assert (first["batch_size_per_device"], first["num_train_images"], first["num_reg_images"]) == (3, 4, 1)
    assert first["bucket_info"]["buckets"] == {"0": {"resolution": [512, 512], "count": 8}}
    assert (second["resolution"], second["bucket_info"]) == ([256, 256], None)
    assert first["subsets"][0] == {
        "img_count": 2, "num_repeats": 2, "color_aug": False, "flip_aug": False, "random_crop": False,
        "shuffle_caption": False, "keep_tokens": 1, "keep_tokens_separator": "", "secondary_separator": None,
        "enable_wildcard": False, "caption_prefix": None, "caption_suffix": None, "resize_interpolation": None,
        "image_dir": "a", "class_tokens": "cat", "is_reg": False,
    }  # fmt: skip
    assert statistics.folder_counts(dataset, False) == {
        "a": {"n_repeats": 2, "img_count": 2}, "a (2)": {"n_repeats": 2, "img_count": 2},
    }  # fmt: skip
    assert list(statistics.tag_frequency(dataset)) == ["a", "b", "a (2)"]


def test_a_run_on_a_metadata_file_trains_and_keeps_its_list(place):
    content = {str(number): {"caption": f"cat {number}", "tags": "red"} for number in range(5)}
    (place.root / "meta.json").write_text(json.dumps(content), encoding="utf-8")
    assert place.train(train_data_dir="train/1_cat", in_json="meta.json", dataset_repeats=2, max_train_epochs=1) == 0
    assert next(event for event in place.events() if event["event"] == "started")["images"] == 5
    assert len(place.losses()) == 3 + 2  # 6 square pictures and 4 wide ones, in twos
    assert place.train("kept", output_name="kept", cache_info=True, max_train_epochs=1) == 0
    assert (place.root / "train" / "1_cat" / "metadata_cache.json").exists()
