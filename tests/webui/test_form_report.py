"""What the panel at the right is told: sum, buckets, curve, saved files, problems; and that typing needs no disk."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.webui.formfiles import base_model
from trainer import resuming
from trainer.config import Problem, to_toml
from trainer.job import Job
from trainer.states import STATE_VERSION
from webui import form
from webui.form_report import Reports, curve, describe_model, problem_json, saves, start_problems
from webui.shortpaths import ShortPaths


def pictures(folder, sizes):
    folder.mkdir(parents=True)
    for index, size in enumerate(sizes):
        Image.new("RGB", size, (index * 16, 80, 90)).save(folder / f"{index:02}.png")
        (folder / f"{index:02}.txt").write_text("1girl, solo", encoding="utf-8")


@pytest.fixture
def root(tmp_path):
    base_model(tmp_path / "base.safetensors")
    pictures(tmp_path / "train" / "10_anby", [(512, 768)] * 12 + [(512, 512)] * 3)
    return tmp_path


def config(**values):
    start = {
        **form.default_values(), "model.pretrained_model_name_or_path": "base.safetensors",
        "dataset.train_data_dir": "./train",
        "dataset.resolution": "512,768", "dataset.enable_bucket": True, "caption.caption_extension": ".txt",
        "run.max_train_epochs": "10", "optimizer.unet_lr": "1e-4", "optimizer.text_encoder_lr": "1e-5",
    }  # fmt: skip
    checked = form.check({**start, **values})
    assert checked.ready is not None, checked.problems
    return checked.ready


def test_the_guides_sum_is_told_with_its_parts(root):
    told = Reports(root).read(config())
    assert (told["images"], told["folders"][0]["repeats"], told["epochs"], told["batch_size"]) == (15, 10, 10, 1)
    assert told["steps"] == 15 * 10 * 10 // 1
    assert {(bucket["width"], bucket["height"]): bucket["count"] for bucket in told["buckets"]} == {
        (512, 768): 120,
        (576, 576): 30,
    }  # sqrt(512 * 768) = 627, rounded down to 64
    assert told["problems"] == [] or all(problem["severity"] == "warning" for problem in told["problems"])


def test_accumulation_and_batch_shorten_the_run(root):
    told = Reports(root).read(config(**{"dataset.train_batch_size": "4", "run.gradient_accumulation_steps": "2"}))
    assert told["batches_per_epoch"] == 30 + 8  # 120 / 4 and 30 / 4, rounded up
    assert told["steps_per_epoch"] == 19
    assert told["steps"] == 190


def test_several_cards_shorten_the_run_and_move_the_saves(root):
    told = Reports(root).read(config(**{"distributed.gpu_ids": "0,1", "save.save_every_n_epochs": "5"}))
    assert (told["processes"], told["steps_per_epoch"], told["steps"]) == (2, 75, 750)
    assert told["curve"]["saves"] == [375, 750]


def test_a_run_by_steps_says_so(root):
    told = Reports(root).read(config(**{"run.max_train_epochs": "", "run.max_train_steps": "60"}))
    assert (told["steps"], told["by_epochs"]) == (60, False)


def test_time_and_memory_are_those_of_an_earlier_run_with_such_settings_and_of_no_other(root):
    def ran(name, seconds, steps=20, **values):
        job = Job.create(root / "jobs", name, to_toml(config(**values)))
        lines = [{"event": "step", "time": 1.0 * step, "step": step, "total": 99, "epoch": 1, "epochs": 9, "loss": 0.1,
                  "seconds": seconds, "vram_gib": 6.5} for step in range(1, steps + 1)]  # fmt: skip
        job.events_path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    assert Reports(root).read(config())["earlier"] is None
    ran("a-like", 0.5, **{"run.max_train_epochs": "3", "optimizer.unet_lr": "2e-4"})
    ran("b-short", 9.0, steps=3)
    for number, other in enumerate(
        ({"network.network_dim": "64"}, {"dataset.resolution": "768"}, {"precision.gradient_checkpointing": True},
         {"optimizer.text_encoder_lr": "0"}, {"dataset.train_batch_size": "2"})
    ):  # fmt: skip
        ran(f"c-other-{number}", 7.0, **other)
    broken = Job.create(root / "jobs", "d-broken", "not toml [")
    told = Reports(root).read(config(**{"model.pretrained_model_name_or_path": "./base.safetensors"}))["earlier"]
    assert broken.config_path.exists()
    assert (told["name"], told["seconds_per_step"], told["vram_gib"], told["gpu"]) == ("a-like", 0.5, 6.5, None)


def test_what_was_read_is_remembered_without_the_disk(root):
    reports = Reports(root)
    assert reports.remembered(config()) is None
    reports.read(config())
    for name in ("train", "base.safetensors"):
        (root / name).rename(root / f"{name}.away")
    told = reports.remembered(config(**{"run.max_train_epochs": "4", "network.network_dim": "8"}))
    assert (told["images"], told["steps"]) == (15, 600)
    assert reports.remembered(config(**{"dataset.train_data_dir": "./other"})) is None
    assert reports.remembered(config(**{"model.pretrained_model_name_or_path": "other.safetensors"})) is None


def test_what_is_said_of_a_base_model_is_looked_up_again_when_a_value_changes(root):
    """Whether a file fits depends on the whole form: the old word stands only until the page has asked again."""
    base_model(root / "base.safetensors", 2048)
    reports, small = Reports(root), {"dataset.resolution": "512"}
    first = reports.read(config(**small))
    assert "dataset.resolution" in {one["address"] for one in first["problems"]}
    assert reports.remembered(config(**small))["stale"] is False
    assert reports.remembered(config(**{"dataset.resolution": "1024"}))["stale"] is True
    later = reports.read(config(**{"dataset.resolution": "1024"}))
    assert "dataset.resolution" not in {one["address"] for one in later["problems"]}


def test_a_size_outside_of_the_buckets_is_told_at_the_resolution(root):
    told = Reports(root).read(config(**{"dataset.resolution": "64", "dataset.bucket_no_upscale": True}))
    assert [one["address"] for one in told["problems"] if one["severity"] == "error"] == ["dataset.resolution"]


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("dataset.resolution", "512*768"), ("dataset.resolution", "512、768"), ("dataset.resolution", "128 128"),
        ("dataset.train_data_dir", "a\tb"),
    ],
)  # fmt: skip
def test_a_value_that_is_refused_is_not_called_missing_as_well(root, address, value):
    checked = form.check({**form.raw_values(config()), address: value})
    assert [one.address for one in checked.problems] == [address]
    assert [one for one in Reports(root).read(checked.preview)["problems"] if one["address"] == address] == []


def test_a_new_picture_is_noticed_at_the_next_reading(root):
    reports = Reports(root)
    assert reports.read(config())["images"] == 15
    folder = root / "train" / "10_anby"
    Image.new("RGB", (512, 768)).save(folder / "new.png")
    os.utime(folder, ns=(1, 1))  # a clock too coarse to show the change is no excuse
    assert reports.read(config())["images"] == 16


def test_two_text_encoders_have_a_line_each_behind_the_u_nets(root):
    drawn = Reports(root).read(config(**{"optimizer.text_encoder_lr": "1e-4,5e-5"}))["curve"]
    assert [(part, rates[0]) for part, rates in drawn["lr"].items()] == [
        ("unet", 1e-4), ("textencoder 1", 1e-4), ("textencoder 2", 5e-5),
    ]  # fmt: skip


def test_the_curve_has_a_line_for_each_part_that_is_trained(root):
    drawn = Reports(root).read(config())["curve"]
    assert set(drawn["lr"]) == {"unet", "textencoder"}
    assert drawn["lr"]["unet"][0] == 1e-4 and drawn["lr"]["textencoder"][0] == 1e-5
    assert (drawn["steps"][0], drawn["steps"][-1], drawn["total"]) == (0, 1499, 1500)
    alone = curve(config(**{"network.network_train_unet_only": True}), 10, 1, 10)
    assert set(alone["lr"]) == {"unet"}


def test_warm_up_is_in_the_curve():
    drawn = curve(
        config(**{"schedule.lr_scheduler": "constant_with_warmup", "schedule.lr_warmup_steps": "50%"}), 100, 10, 10
    )
    by_step = dict(zip(drawn["steps"], drawn["lr"]["unet"], strict=True))
    assert by_step[25] == pytest.approx(0.5e-4)
    assert by_step[99] == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"save.save_every_n_epochs": "2"}, [20, 40, 60, 80, 100]),  # the tenth epoch's file is the final one
        ({"save.save_every_n_epochs": "3"}, [30, 60, 90, 100]),
        ({"save.save_every_n_steps": "40"}, [40, 80, 100]),
        ({"save.save_n_epoch_ratio": "2"}, [50, 100]),
        ({}, [100]),
    ],
)
def test_marks_stand_where_files_are_written(values, expected):
    assert sorted(set(saves(config(**values), steps=100, steps_per_epoch=10, epochs=10))) == expected


def test_a_model_file_says_what_it_is(root):
    told = describe_model(root, "model.pretrained_model_name_or_path", "base.safetensors")
    assert (told["good"], told["title"], told["dtype"]) == (True, "SD 1.5", "fp16")
    assert told["bytes"] == (root / "base.safetensors").stat().st_size


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.safetensors", "does not exist; choose the file"),
        ("xl.safetensors", "is a SDXL refiner base model; trained are"),
        ("page.safetensors", "web page, not a model"), ("cut.safetensors", "cut download|damaged"),
        ("\\\\server\\x.safetensors", "network path"),
        ("train", "what belongs here|not|no "),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_trained_on_is_refused_with_a_sentence(root, name, words):
    base_model(root / "xl.safetensors", width=1280, prefix="conditioner.embedders.0.model.")
    (root / "page.safetensors").write_text("<html>log in</html>", encoding="utf-8")
    with (root / "base.safetensors").open("rb") as stream:
        (root / "cut.safetensors").write_bytes(stream.read(200))
    told = describe_model(root, "model.pretrained_model_name_or_path", name)
    assert not told["good"]
    assert re.search(words, told["problem"]["message"]), told["problem"]["message"]


@pytest.mark.parametrize(
    ("prepare", "values", "address", "words"),
    [
        (lambda root: None, {"dataset.train_data_dir": "./nowhere"}, "dataset.train_data_dir", "does not exist"),
        (
            lambda root: (root / "empty").mkdir(),
            {"dataset.train_data_dir": "./empty"},
            "dataset.train_data_dir",
            "10_name",
        ),
        (
            lambda root: None,
            {"dataset.train_data_dir": "./train/10_anby"},
            "dataset.train_data_dir",
            "the folder above it",
        ),
        (
            lambda root: None,
            {"model.pretrained_model_name_or_path": "gone.safetensors"},
            "model.pretrained_model_name_or_path",
            "does not exist",
        ),
        (
            lambda root: None,
            {"network.network_weights": "gone.safetensors"},
            "network.network_weights",
            "does not exist",
        ),
    ],
)
def test_a_run_that_cannot_work_does_not_start(root, prepare, values, address, words):
    prepare(root)
    found = start_problems(root, config(**values), Reports(root))
    assert any(problem.address == address and words in problem.message for problem in found), [
        str(problem) for problem in found
    ]


def state(root, step, **values):
    """A state as far as the form looks into one: where it stands and the settings it was trained with."""
    folder = root / "output" / f"a-step{step:08}-state"
    folder.mkdir(parents=True)
    told = {
        "step": step,
        "epoch": 2,
        "batch": 0,
        "version": STATE_VERSION,
        "settings": resuming.recorded(config(**values)),
    }
    (folder / "progress.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("values", "severity", "address", "words"),
    [
        ({"run.max_train_epochs": "1"}, "warning", "save.resume", "the state is at step 200, the last of the run"),
        (
            {"run.max_train_epochs": "", "run.max_train_steps": "150"},
            "error",
            "save.resume",
            "the state is at step 200, but the run has 150 steps",
        ),
        (
            {"network.network_dim": "8"},
            "error",
            "network.network_dim",
            "network_dim is 8, but the state was trained with 4",
        ),
        ({"optimizer.unet_lr": "2e-4"}, "warning", "optimizer.unet_lr", "unet_lr is 0.0002, it was 0.0001"),
    ],
)
def test_a_run_that_goes_on_is_held_against_its_state_before_it_starts(root, values, severity, address, words):
    folder = state(root, 200)
    reports, chosen = Reports(root), config(**{"save.resume": str(folder.relative_to(root)), **values})
    for told in (reports.read(chosen), reports.remembered(chosen)):
        found = [one for one in told["problems"] if one["address"] == address and words in one["message"]]
        assert [one["severity"] for one in found] == [severity], told["problems"]
    refused = [problem.address for problem in start_problems(root, chosen, reports)]
    assert refused == ([address] if severity == "error" else [])
    assert start_problems(root, config(**{"save.resume": str(folder)}), reports) == []


def test_a_beginning_behind_the_end_is_told(root):
    found = start_problems(root, config(**{"save.initial_step": "9999"}), Reports(root))
    assert ["begins at step 9999, but the run has 1500 steps" in problem.message for problem in found] == [True]


def test_a_run_that_works_has_nothing_against_it(root):
    assert start_problems(Path(root), config(), Reports(root)) == []


DATA = """
[[datasets]]
resolution = 512
batch_size = 2
[[datasets.subsets]]
image_dir = "train/10_anby"
num_repeats = 2
"""


def test_a_dataset_file_and_its_folders_are_found_from_the_projects_folder(root):
    (root / "data.toml").write_text(DATA, encoding="utf-8")
    told = Reports(root).read(config(**{"dataset.dataset_config": "data.toml", "dataset.train_data_dir": ""}))
    assert (told["images"], told["repeats_sum"], told["batch_size"]) == (15, 30, 2)
    assert [problem for problem in told["problems"] if problem["severity"] == "error"] == []


def test_a_mistake_in_a_dataset_file_is_told_at_its_field(root):
    (root / "data.toml").write_text(DATA.replace("num_repeats = 2", "num_repeats = 'x'"), encoding="utf-8")
    told = Reports(root).read(config(**{"dataset.dataset_config": "data.toml", "dataset.train_data_dir": ""}))
    wrong = [problem for problem in told["problems"] if problem["address"] == "dataset.dataset_config"]
    assert '[[datasets.subsets]] 1: num_repeats is "x"; a whole number is needed' in wrong[0]["message"]


def test_data_sets_of_a_settings_file_stay_through_the_form(root):
    group = {"resolution": "512,512", "batch_size": 2, "flip_aug": False, "subsets": [
        {"image_dir": "train/10_anby", "num_repeats": 2, "face_crop_aug_range": "1.0,2.0"}]}  # fmt: skip
    first = config(**{"dataset.datasets": [group], "dataset.train_data_dir": ""})
    assert form.check(form.raw_values(first)).ready == first
    assert first.dataset.datasets[0].subsets[0].face_crop_aug_range == (1.0, 2.0)
    assert Reports(root).read(first)["repeats_sum"] == 30


def cured(reports, values):
    """The form's values after every cure that its report offers, and the sentences that had one."""
    found = [problem for problem in reports.read(config(**values))["problems"] if problem["cure"]]
    return {**values, **{key: value for problem in found for key, value in problem["cure"].items()}}, found


def with_marker(root, *markers):
    base_model(root / "v.safetensors", markers=markers)
    return {"model.pretrained_model_name_or_path": "v.safetensors"}


@pytest.mark.parametrize(
    ("markers", "values", "cure"),
    [
        (("v_pred", "ztsnr"), {}, {"model.v_parameterization": True, "noise.zero_terminal_snr": True}),
        (("v_pred", "ztsnr"), {"model.v_parameterization": True}, {"noise.zero_terminal_snr": True}),
        (
            (), {"model.v_parameterization": True, "noise.zero_terminal_snr": True,
                 "loss.scale_v_pred_loss_like_noise_pred": True},
            {"model.v_parameterization": False, "noise.zero_terminal_snr": False,
             "loss.scale_v_pred_loss_like_noise_pred": False},
        ),
    ],
)  # fmt: skip
def test_a_form_that_predicts_other_things_than_its_base_is_cured_by_one_click(root, markers, values, cure):
    reports, values = Reports(root), {**with_marker(root, *markers), **values}
    after, found = cured(reports, values)
    assert [problem["cure"] for problem in found] == [cure]
    assert cured(reports, after)[1] == []


def test_the_picture_folder_itself_is_cured_by_the_one_above(root):
    reports = Reports(root)
    after, found = cured(reports, {"dataset.train_data_dir": "./train/10_anby"})
    assert found[0]["message"].endswith("set train_data_dir to the folder above it: train")
    assert after["dataset.train_data_dir"] == "train" and start_problems(root, config(**after), reports) == []


def test_a_folder_without_repeats_in_its_name_is_listed_with_them_and_stays_where_it_is(root):
    (root / "train" / "10_anby").rename(root / "train" / "anby")
    reports = Reports(root)
    after, found = cured(reports, {"dataset.train_data_dir": "./train/anby"})
    folder = {"image_dir": str(Path("train", "anby")), "num_repeats": "10", "is_reg": False}
    assert [problem["cure"] for problem in found] == [{"dataset.train_data_dir": "", "dataset.subsets": [folder]}]
    told = reports.read(config(**after))
    assert (told["images"], told["repeats_sum"], told["steps"]) == (15, 150, 1500)
    assert start_problems(root, config(**after), reports) == []
    again, found = cured(reports, {**after, "dataset.train_data_dir": "./train/anby"})  # the field filled once more
    assert [problem["cure"] for problem in found] == [{"dataset.train_data_dir": ""}]
    assert again == after and reports.read(config(**again))["images"] == 15


def test_the_size_of_the_file_is_told_and_follows_the_rank_without_the_disk(root):
    reports = Reports(root)
    told = reports.read(config(**{"network.network_dim": "32", "save.save_precision": "fp16"}))
    assert told["family"] == "sd"
    assert told["file_bytes"] / 2**20 == pytest.approx(32 * 1.125, rel=0.01)
    doubled = reports.remembered(config(**{"network.network_dim": "64", "save.save_precision": "fp16"}))
    assert doubled["file_bytes"] / 2**20 == pytest.approx(64 * 1.125, rel=0.01)
    base_model(root / "xl.safetensors", width=2048)
    xl = {"model.pretrained_model_name_or_path": "xl.safetensors", "network.network_dim": "16"}
    told = reports.read(config(**xl, **{"save.save_precision": "bf16", "network.network_train_unet_only": True}))
    assert told["family"] == "sdxl" and 70 < told["file_bytes"] / 2**20 < 16 * 6.80


def test_a_warm_up_as_long_as_the_run_is_told_and_shortened_by_one_click(root):
    warm, reports = {"schedule.lr_scheduler": "cosine", "schedule.lr_warmup_steps": "1500"}, Reports(root)
    after, found = cured(reports, warm)
    assert [problem["cure"] for problem in found] == [{"schedule.lr_warmup_steps": "5%"}]
    assert "lr_warmup_steps 1500 is as long as the run of 1500 steps" in found[0]["message"]
    for values in (after, {**warm, "schedule.lr_warmup_steps": "1499"}, {**warm, "schedule.lr_scheduler": "constant"}):
        assert cured(reports, values)[1] == []


def test_captions_with_another_ending_are_found_by_one_click(root):
    reports = Reports(root)
    after, found = cured(reports, {"caption.caption_extension": ".caption"})
    assert [problem["cure"] for problem in found] == [{"caption.caption_extension": ".txt"}]
    assert cured(reports, after)[1] == []


def test_captions_of_several_lines_are_read_line_by_line_after_one_click(root):
    for caption in sorted((root / "train" / "10_anby").glob("*.txt"))[:2]:
        caption.write_text("anby\na girl", encoding="utf-8")
    reports = Reports(root)
    after, found = cured(reports, {})
    assert [problem["cure"] for problem in found] == [{"caption.enable_wildcard": True}]
    assert found[0]["message"].startswith("2 captions in 10_anby have several lines (")
    assert cured(reports, after)[1] == []
    own = {"image_dir": str(root / "train" / "10_anby"), "enable_wildcard": False}
    for values in ({"cache.cache_text_encoder_outputs": True, "network.network_train_unet_only": True},
                   {"dataset.train_data_dir": "", "dataset.subsets": [own]}):  # fmt: skip
        told = reports.read(config(**values))["problems"]
        assert [(one["cure"], one["template"] == found[0]["template"]) for one in told] == [(None, True)]


def test_pictures_are_named_from_their_folder_on(root):
    (root / "train" / "10_anby" / "broken.png").write_bytes(b"no picture")
    for written in ("./train", str(root / "train")):
        told = Reports(root).read(config(**{"dataset.train_data_dir": written}))["problems"]
        assert told[0]["message"].startswith(f"{Path('10_anby', 'broken.png')} is damaged")
        assert not any(str(root) in str(value) for value in told[0]["values"].values())
        assert told[0]["path"] == str(root / "train" / "10_anby" / "broken.png")
    pictures(root / "other" / "1_x", [(512, 512)])
    told = Reports(root).read(config(**{"dataset.reg_data_dir": "./other"}))["problems"]
    assert any(one["message"].startswith(str(Path("train", "10_anby", "broken.png"))) for one in told)


@pytest.mark.parametrize(
    ("folders", "text", "short"),
    [
        (["/data/anby"], "/data/anby/10_a/x.png is cut", "10_a/x.png is cut"),
        (["/data/anby"], "/data/anby2/1_a/x, /mnt/data/anby/x", "/data/anby2/1_a/x, /mnt/data/anby/x"),
        (["/data/anby"], "no pictures in /data/anby", "no pictures in /data/anby"),
        (["/data/anby", "/data/reg"], "/data/anby/10_a/x.png", "/data/anby/10_a/x.png"),
        (["train/anby"], 'train/anby/1_a/x.png, "/home/a b/athanor/train/anby/1_a/y.png"', '1_a/x.png, "1_a/y.png"'),
        ([], "/home/a b/athanor/output/x.safetensors", "output/x.safetensors"),
        (["."], "/home/a b/athanor/1_a/x.png", "1_a/x.png"),
    ],
)  # fmt: skip
@pytest.mark.skipif(os.sep != "/", reason="written with the paths of Linux")
def test_only_the_beginning_that_is_the_same_for_all_is_left_out(folders, text, short):
    assert ShortPaths(Path("/home/a b/athanor"), folders).text(text) == short


@pytest.mark.skipif(os.sep != "/", reason="written with the paths of Linux")
def test_the_root_of_the_disk_is_never_left_out():
    assert ShortPaths(Path("/"), ["/"]).text("/a/b.png, /c") == "/a/b.png, /c"


def test_links_in_a_circle_among_the_pictures_are_told_and_nothing_breaks(root):
    folder = root / "train" / "10_anby"
    (folder / "round.png").symlink_to("round.png")
    (root / "train" / "3_round").symlink_to("3_round")
    problems = Reports(root).read(config())["problems"]
    assert [problem["message"] for problem in problems if "nowhere" in problem["message"]] == [
        "3_round is a link that leads nowhere; remove it, or bring back what it leads to",
        "1 picture in 10_anby is a link that leads nowhere (round.png) and is not used; remove it, or bring back "
        "what it leads to",
    ]


def test_a_problem_keeps_numbers_as_numbers_and_what_json_lacks_as_text():
    given = {"n": 3, "x": 0.5, "bad": float("nan"), "long": float("inf"), "text": "a\ud800", "path": Path("b")}
    said = problem_json(Problem("a.b", "{n} {x}", given))
    assert said["message"] == "3 0.5"
    assert {name: said["values"][name] for name in ("n", "x", "bad", "long", "path")} == {
        "n": 3, "x": 0.5, "bad": "nan", "long": "inf", "path": "b"
    }  # fmt: skip
    json.dumps(said, allow_nan=False).encode()


def test_an_interval_that_never_falls_due_is_told_at_its_field_and_follows_the_form(root):
    reports = Reports(root)

    def told(every):
        problems = reports.read(config(**{"save.save_every_n_epochs": every, "run.max_train_epochs": 3}))["problems"]
        return [one["message"] for one in problems if one["address"] == "save.save_every_n_epochs"]

    assert told(3) == []
    assert told(4) == ["save_every_n_epochs = 4 never falls due: the run has 3 epochs in all; lower it or train longer"]
