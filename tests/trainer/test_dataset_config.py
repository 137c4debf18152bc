"""Several data sets in one run: [[dataset.datasets]], sd-scripts' dataset file, and who decides an option."""

from __future__ import annotations

import json

import pytest
import safetensors.torch
from folders import config, pictures

from trainer.config import ConfigError, parse, read, to_toml
from trainer.config.dataset import owners
from trainer.config.dataset_file import expanded, read_dataset_file
from trainer.dataset.report import report
from trainer.dataset.scan import scan
from trainer.loading.batches import count_batches, plan

NEEDED = {"pretrained_model_name_or_path": "base.safetensors", "resolution": "512"}
FILE = """
[general]
shuffle_caption = true
keep_tokens = 1
caption_extension = ".txt"

[[datasets]]
resolution = 512
batch_size = 4
keep_tokens = 2

  [[datasets.subsets]]
  image_dir = "one"
  num_repeats = 10
  shuffle_caption = false

[[datasets]]
resolution = [768, 512]
batch_size = 2
enable_bucket = true

  [[datasets.subsets]]
  image_dir = "one"

  [[datasets.subsets]]
  image_dir = "two"
  keep_tokens = 0
"""


def written(tmp_path, text, name="data.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def run_with(path, **values):
    return expanded(parse({**NEEDED, "dataset_config": str(path), **values}).config)[0]


def test_the_first_of_subset_dataset_general_and_run_that_says_something_decides(tmp_path):
    made = run_with(written(tmp_path, FILE), keep_tokens=5, caption_prefix="p", dataset_repeats=3)
    decided = [(owner.decided(made.caption), owner.decided(made.dataset)) for owner in owners(made.dataset)]
    assert [caption.keep_tokens for caption, _ in decided] == [2, 1, 0]
    assert [caption.shuffle_caption for caption, _ in decided] == [False, True, True]
    assert [caption.caption_prefix for caption, _ in decided] == ["p", "p", "p"]
    assert [data.dataset_repeats for _, data in decided] == [10, 3, 3]
    assert [data.resolution for _, data in decided] == [(512, 512), (768, 512), (768, 512)]
    assert [data.enable_bucket for _, data in decided] == [False, True, True]
    assert [data.train_batch_size for _, data in decided] == [4, 2, 2]


def test_json_says_the_same_as_toml(tmp_path):
    content = {"general": {"flip_aug": True}, "datasets": [{"resolution": 512, "subsets": [{"image_dir": "a"}]}]}
    toml = '[general]\nflip_aug = true\n[[datasets]]\nresolution = 512\n[[datasets.subsets]]\nimage_dir = "a"\n'
    from_json = read_dataset_file(written(tmp_path, json.dumps(content), "data.json"))
    assert from_json == read_dataset_file(written(tmp_path, toml))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("datasets = 3", "lists no data set; write [[datasets]]"),
        ("[[datasets]]\nresolution = 512", "[[datasets]] 1 has no [[datasets.subsets]]; add one with image_dir"),
        ("[gneral]\n[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'", "the top of the file: gneral is not known"),
        ("[[datasets]]\nkeep_tokens = 'two'\n[[datasets.subsets]]\nimage_dir='a'",
         "[[datasets]] 1: keep_tokens is \"two\"; a whole number is needed"),
        ("[[datasets]]\nnetwork_multiplier = true\n[[datasets.subsets]]\nimage_dir='a'",
         "network_multiplier is True; a number is needed"),
        ("[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'\nface_crop_aug_range=[1, 2, 3]",
         "[[datasets.subsets]] 1: face_crop_aug_range is [1, 2, 3]; two numbers in brackets"),
        ("[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'\nflip_agu=true", "flip_agu is not known there"),
        ("[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'\nresolution=512", "resolution is not known there"),
        ("[[datasets]]\n[[datasets.subsets]]\nnum_repeats=2", "image_dir is missing; it is needed here"),
        ("[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'\n[[datasets.subsets]]\nmetadata_file='b'",
         "mixes folders with and without metadata_file"),
        ("[[datasets]]\n[[datasets.subsets]]\nmetadata_file='b'\nis_reg=true", "is_reg does not go with metadata_file"),
        ("[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'\nnum_repeats=0", "num_repeats is 0; it must be 1 or more"),
        ("datasets = = 1", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_dataset_file_is_told_with_file_table_and_key(tmp_path, text, words):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        run_with(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "line", ["num_repeats=-1", "caption_tag_dropout_rate=2", "caption_separator=''", "num_repeats=0\nkeep_tokens=-1"]
)
def test_a_wrong_value_in_a_folder_is_not_told_as_a_missing_folder_too(tmp_path, line):
    path = written(tmp_path, f"[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'\n{line}")
    with pytest.raises(ConfigError) as caught:
        read_dataset_file(path)
    assert len(caught.value.problems) == line.count("=")
    assert "Tuple" not in str(caught.value)
    with pytest.raises(ConfigError, match="Tuple|at least 1"):
        parse({**NEEDED, "datasets": [{"subsets": []}]})


def test_a_dataset_file_must_be_toml_or_json(tmp_path):
    with pytest.raises(ConfigError, match="neither a .toml nor a .json file"):
        run_with(written(tmp_path, FILE, "data.yaml"))
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file"):
        run_with(tmp_path / "none.toml")


def test_folder_options_beside_a_dataset_file_are_ignored_with_a_word(tmp_path):
    path = written(tmp_path, FILE)
    given = parse({**NEEDED, "dataset_config": str(path), "train_data_dir": "t", "reg_data_dir": "r"}).config
    made, notes = expanded(given)
    assert [note.message for note in notes] == [
        "train_data_dir is not used: dataset_config lists the folders",
        "reg_data_dir is not used: dataset_config lists the folders",
    ]
    assert (made.dataset.train_data_dir, made.dataset.reg_data_dir, made.dataset.dataset_config) == (None, None, None)


def test_what_a_dataset_file_lists_must_go_with_the_rest_of_the_run(tmp_path):
    text = "[[datasets]]\nresolution=512\n[[datasets.subsets]]\nimage_dir='a'\nrandom_crop=true"
    with pytest.raises(ConfigError, match="random_crop does not go with cache_latents"):
        run_with(written(tmp_path, text), cache_latents=True)
    with pytest.raises(ConfigError, match="no resolution is given"):
        parsed = parse({"pretrained_model_name_or_path": "b", "dataset_config": str(tmp_path / "data.toml")})
        written(tmp_path, "[[datasets]]\n[[datasets.subsets]]\nimage_dir='a'")
        expanded(parsed.config)


def test_an_explicit_false_of_a_folder_beats_the_runs_true():
    subset = {"image_dir": "a", "shuffle_caption": False, "flip_aug": False, "keep_tokens": 0}
    made = parse({**NEEDED, "subsets": [subset], "shuffle_caption": True, "flip_aug": True, "keep_tokens": 3}).config
    (owner,) = owners(made.dataset)
    assert not owner.decided(made.caption).shuffle_caption
    assert not owner.decided(made.dataset).flip_aug
    assert owner.decided(made.caption).keep_tokens == 0


def test_data_sets_survive_the_way_through_toml(tmp_path):
    made = run_with(written(tmp_path, FILE), face_crop_aug_range="1.0,2.5")
    assert read(written(tmp_path, to_toml(made), "run.toml")).config == made


def test_a_mistake_in_a_list_of_data_sets_names_its_place():
    with pytest.raises(ConfigError, match=r"datasets 1, subsets 2: flip_aug is \"maybe\"; true or false is needed"):
        parse({**NEEDED, "datasets": [{"subsets": [{"image_dir": "a"}, {"image_dir": "b", "flip_aug": "maybe"}]}]})
    with pytest.raises(ConfigError, match="subsets 1: image_dir is missing"):
        parse({**NEEDED, "subsets": [{"num_repeats": 3}]})


def two_sets(tmp_path):
    pictures(tmp_path / "a", [(512, 512)] * 5)
    pictures(tmp_path / "b", [(512, 512)] * 3)
    groups = [
        {"resolution": 512, "batch_size": 4, "subsets": [{"image_dir": str(tmp_path / "a"), "num_repeats": 2}]},
        {"resolution": 256, "batch_size": 2, "min_bucket_reso": 128, "subsets": [
            {"image_dir": str(tmp_path / "b")}, {"image_dir": str(tmp_path / "a")}]},
    ]  # fmt: skip
    return config(None, datasets=groups)


def test_batches_never_mix_data_sets_and_each_keeps_its_size(tmp_path):
    dataset = scan(two_sets(tmp_path))
    batches = plan(dataset.examples, dataset.batch_sizes, seed=1, epoch=1)
    groups = [{dataset.examples[index].group for index in batch.indices} for batch in batches]
    assert all(len(group) == 1 for group in groups)
    sizes = {1: [], 2: []}
    for batch, (group,) in zip(batches, groups, strict=True):
        sizes[group].append(len(batch.indices))
    assert sorted(sizes[1]) == [2, 4, 4]  # 5 x 2 pictures in fours
    assert sorted(sizes[2]) == [2, 2, 2, 2]  # 3 + 5 pictures in twos
    assert count_batches(dataset.examples, dataset.batch_sizes) == 7
    assert {example.bucket for example in dataset.examples if example.group == 2} == {(256, 256)}


def test_data_sets_with_equal_buckets_do_not_share_batches(tmp_path):
    pictures(tmp_path / "a", [(512, 512)])
    pictures(tmp_path / "b", [(512, 512)])
    groups = [{"subsets": [{"image_dir": str(tmp_path / name)}]} for name in "ab"]
    dataset = scan(config(None, datasets=groups, train_batch_size=2))
    assert [len(batch.indices) for batch in plan(dataset.examples, dataset.batch_sizes, 0, 1)] == [1, 1]


def test_a_folder_may_stand_in_two_data_sets_but_only_once_in_one(tmp_path):
    pictures(tmp_path / "a", [(512, 512)])
    folder = {"image_dir": str(tmp_path / "a")}
    dataset = scan(config(None, datasets=[{"subsets": [folder, folder]}, {"resolution": 256, "subsets": [folder]}]))
    assert [example.group for example in dataset.examples] == [1, 2]
    assert ["listed twice" in problem.message for problem in dataset.problems] == [True]


def test_regularisation_pictures_are_balanced_within_their_data_set(tmp_path):
    pictures(tmp_path / "train", [(512, 512)] * 5)
    pictures(tmp_path / "reg", [(512, 512)] * 2)
    pictures(tmp_path / "other", [(512, 512)] * 40)
    folders = [{"image_dir": str(tmp_path / "train"), "num_repeats": 3},
               {"image_dir": str(tmp_path / "reg"), "is_reg": True}]  # fmt: skip
    dataset = scan(config(None, datasets=[{"subsets": folders}, {"subsets": [{"image_dir": str(tmp_path / "other")}]}]))
    assert [example.repeats for example in dataset.examples if example.is_reg] == [8, 7]  # sd-scripts, 5 x 3 + 2
    assert (dataset.num_train_repeats, dataset.num_reg_repeats) == (15 + 40, 2)


def test_the_report_counts_every_data_set(tmp_path):
    told = report(two_sets(tmp_path)).to_json()
    assert (told["images"], told["repeats_sum"], told["batches_per_epoch"]) == (13, 18, 7)
    assert [(folder["name"], folder["repeats"]) for folder in told["folders"]] == [("a", 2), ("b", 1), ("a", 1)]
    assert told["buckets"] == [
        {"width": 256, "height": 256, "count": 8}, {"width": 512, "height": 512, "count": 10},
    ]  # fmt: skip


def test_a_step_that_sd1_cannot_be_trained_with_is_refused_before_anything_slow(place):
    assert place.train(bucket_reso_steps=32) == 2
    assert not (place.root / "output").exists()


def test_a_run_on_a_dataset_file_trains_and_its_job_repeats_it(place):
    pictures(place.root / "a", [(64, 64)] * 3)
    pictures(place.root / "b", [(128, 64)] * 2)
    written(place.root, (
        "[[datasets]]\nresolution=64\nbatch_size=2\n[[datasets.subsets]]\nimage_dir='a'\nflip_aug=true\n"
        "[[datasets]]\nresolution=128\nbatch_size=1\nmin_bucket_reso=64\n[[datasets.subsets]]\nimage_dir='b'\n"
    ))  # fmt: skip
    chosen = {"dataset_config": "data.toml", "train_data_dir": None, "resolution": None, "max_train_epochs": 1}
    assert place.train(**chosen) == 0
    steps = [event for event in place.events() if event["event"] == "step"]
    assert len(steps) == 2 + 2
    assert read(place.root / "job" / "config.toml").config.dataset.datasets[1].subsets[0].image_dir == "b"
    with safetensors.safe_open(place.root / "output" / "t.safetensors", "pt") as file:
        assert file.metadata()["ss_num_train_images"] == "5"


def test_the_report_in_words_tells_sizes_masks_and_metadata_files(tmp_path):
    pictures(tmp_path / "a", [(512, 512)])
    written(tmp_path, '{"p000": {"caption": "x"}}', "meta.json")
    told = report(config(None, datasets=[
        {"batch_size": 2, "subsets": [{"image_dir": str(tmp_path / "a"), "alpha_mask": True}]},
        {"resolution": 256, "subsets": [{"image_dir": str(tmp_path / "a"),
                                         "metadata_file": str(tmp_path / "meta.json")}]}])).to_text()  # fmt: skip
    assert "a: 1 pictures x 1 (with masks, 512 x 512 in batches of 2, 0 without caption)" in told
    assert "meta.json: 1 pictures x 1 (captions in meta.json, 256 x 256 in batches of 1, 0 without caption)" in told


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: [path.unlink() for path in folder.iterdir()], "there is no picture to train on"),
        (lambda folder: (folder / "3.txt").write_bytes("红色的头发".encode("gbk")),
         "3.txt: byte 0 (line 1) is not UTF-8 but looks like GBK (Chinese Windows); save the file again as UTF-8"),
    ],
    ids=["an empty folder", "a caption in GBK"],
)  # fmt: skip
def test_wrong_folders_are_refused_before_anything_slow(place, capsys, prepare, words):
    prepare(place.root / "train" / "1_cat")
    assert place.train() == 2
    assert words in capsys.readouterr().err
    assert not (place.root / "output").exists()
