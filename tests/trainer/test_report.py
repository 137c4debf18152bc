"""The report: lengths as sd-scripts counts them, buckets, every problem with its words, and what the metadata says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import safetensors.numpy
from folders import config, pictures
from numpy import zeros

from trainer.config import ConfigError
from trainer.dataset import statistics
from trainer.dataset.report import Done, Lengths, lengths, report
from trainer.dataset.scan import scan

SQUARE = (64, 64)


def messages(made, severity):
    return [problem.message for problem in made.problems if problem.severity == severity]


def only_about_pictures(made):
    return [text for text in messages(made, "error") if "base" not in text]


@pytest.mark.parametrize(
    ("batches", "accumulation", "epochs", "steps", "expected"),
    [
        (101, 1, 10, 1600, Lengths(1010, 10, 101)),  # the published LoRA, KOHYA_COMPAT section 2.7
        (101, 1, None, 1600, Lengths(1600, 16, 101)),  # 15.8 epochs
        (10, 4, 3, 1600, Lengths(9, 3, 10)),  # the incomplete accumulation makes a step
        (10, 4, None, 7, Lengths(7, 3, 10)),
        (1, 1, None, 5, Lengths(5, 5, 1)),
        (0, 1, 10, 1600, Lengths(0, 0, 0)),
    ],
)
def test_steps_and_epochs_are_counted_as_sd_scripts_does(batches, accumulation, epochs, steps, expected):
    assert lengths(batches, accumulation, epochs, steps) == expected


def test_two_processes_share_the_batches():
    assert lengths(101, 2, 10, 1600, processes=2) == Lengths(260, 10, 101)  # 10 x ceil(101 / 2 / 2)


@pytest.mark.parametrize(
    ("batches", "accumulation", "epochs", "steps", "done", "expected"),
    [
        (2, 1, 2, 1600, Done(2, 2, 0), Lengths(4, 2, 2)),  # the same pictures: as if it had never stopped
        (3, 1, 2, 1600, Done(2, 2, 0), Lengths(5, 2, 3)),  # one epoch of 2 batches, then one of 3
        (3, 1, 2, 1600, Done(1, 1, 1), Lengths(6, 2, 3)),  # 1 + 2 left of the first epoch + 3
        (1, 1, 3, 1600, Done(6, 3, 0), Lengths(7, 3, 1)),  # fewer: two epochs of 3, one of 1
        (1, 1, 2, 1600, Done(2, 1, 2), Lengths(3, 2, 1)),  # more batches done than the epoch has now
        (3, 2, 2, 1600, Done(2, 2, 0), Lengths(4, 2, 3)),
        (3, 1, 1, 1600, Done(2, 2, 0), Lengths(2, 1, 3)),  # at its end
        (3, 1, 1, 1600, Done(7, 3, 1), Lengths(3, 1, 3)),  # behind it
        (3, 1, None, 5, Done(2, 2, 0), Lengths(5, 2, 3)),
        (3, 1, None, 6, Done(2, 2, 0), Lengths(6, 3, 3)),
        (3, 1, None, 2, Done(2, 2, 0), Lengths(2, 1, 3)),
    ],
)
def test_what_is_left_of_a_run_that_goes_on_is_counted_from_its_state(
    batches, accumulation, epochs, steps, done, expected
):
    assert lengths(batches, accumulation, epochs, steps, done=done) == expected


@pytest.mark.parametrize(
    ("name", "values", "most", "unit"),
    [
        ("sample_every_n_epochs", {"sample_prompts": "a cat\n"}, 2, "epochs"),
        ("sample_every_n_steps", {"sample_prompts": "a cat\n"}, 8, "steps"),
        ("save_every_n_epochs", {}, 2, "epochs"), ("save_every_n_steps", {}, 8, "steps"),
        ("validate_every_n_epochs", {"validation_split": 0.2}, 2, "epochs"),
        ("validate_every_n_steps", {"validation_split": 0.2}, 8, "steps"),
        ("caption_dropout_every_n_epochs", {}, 2, "epochs"),
    ],
)  # fmt: skip
def test_an_interval_that_never_falls_due_is_told(tmp_path, name, values, most, unit):
    pictures(tmp_path / "1_x", [(64, 64)] * (5 if "validation_split" in values else 4))
    others = {"max_train_epochs": 2, "train_batch_size": 1, **values}

    def told(every):
        made = report(config(tmp_path, **others, **{name: every}))
        assert (made.lengths.steps, made.lengths.epochs) == (8, 2)
        return [problem.message for problem in made.problems if "never falls due" in problem.message]

    assert told(most) == []
    assert told(most + 1) == [
        f"{name} = {most + 1} never falls due: the run has {most} {unit} in all; lower it or train longer"
    ]


def test_the_report_of_a_small_set(tmp_path):
    pictures(tmp_path / "3_x", [(64, 64)] * 3 + [(96, 64)])
    told = report(config(tmp_path, train_batch_size=2, max_train_epochs=4)).to_json()
    assert told["images"] == 4
    assert told["reg_images"] == 0
    assert told["repeats_sum"] == 12
    assert told["batch_size"] == 2
    assert told["buckets"] == [{"width": 512, "height": 512, "count": 9}, {"width": 640, "height": 384, "count": 3}]
    assert told["batches_per_epoch"] == 5 + 2
    assert told["epochs"] == 4
    assert told["steps"] == 28
    assert told["folders"] == [{
        "path": str(tmp_path / "3_x"), "name": "3_x", "repeats": 3, "images": 4, "missing_captions": 0,
        "is_reg": False, "class_tokens": "x", "group": 0, "resolution": [512, 512], "batch_size": 2,
        "has_masks": False, "metadata_file": None,
    }]  # fmt: skip
    json.dumps(told)


def test_accumulation_makes_fewer_steps(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])
    assert report(config(tmp_path, max_train_epochs=2, gradient_accumulation_steps=4)).lengths == Lengths(6, 2, 10)


def test_regularisation_pictures_are_counted_apart(tmp_path):
    pictures(tmp_path / "train" / "3_x", [SQUARE] * 5)
    pictures(tmp_path / "reg" / "1_y", [SQUARE] * 2)
    told = report(config(tmp_path / "train", reg_data_dir=str(tmp_path / "reg"))).to_json()
    assert (told["images"], told["reg_images"], told["repeats_sum"]) == (5, 2, 15)
    assert sum(bucket["count"] for bucket in told["buckets"]) == 30


def test_an_empty_data_set_is_an_error_and_has_no_steps(tmp_path):
    (tmp_path / "10_x").mkdir()
    made = report(config(tmp_path))
    assert only_about_pictures(made) == ["there is no picture to train on; put PNG, JPEG or WebP files into the folder"]
    assert made.lengths == Lengths(0, 0, 0)


def test_a_set_of_bad_pictures_only_is_an_error(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])[0].write_bytes(b"")
    made = report(config(tmp_path))
    assert only_about_pictures(made) == ["there is no picture to train on; put PNG, JPEG or WebP files into the folder"]
    assert "is empty (0 bytes)" in messages(made, "warning")[0]


def test_only_regularisation_pictures_are_an_error(tmp_path):
    pictures(tmp_path / "reg" / "10_x", [SQUARE])
    (tmp_path / "train" / "1_x").mkdir(parents=True)
    made = report(config(tmp_path / "train", reg_data_dir=str(tmp_path / "reg")))
    assert only_about_pictures(made)
    assert made.lengths.steps == 0


def test_a_missing_folder_is_told_once(tmp_path):
    assert only_about_pictures(report(config(tmp_path / "none"))) == [
        f"{tmp_path / 'none'} does not exist; check the path"
    ]


def test_a_missing_base_model_is_an_error(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])
    made = report(config(tmp_path, pretrained_model_name_or_path=str(tmp_path / "no.safetensors")))
    assert [text for text in messages(made, "error") if "no.safetensors" in text]


def test_a_lora_as_base_model_is_an_error(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])
    name = "lora_unet_down_blocks_0_attentions_0_proj_in"
    tensors = {
        f"{name}.lora_down.weight": zeros((4, 320), "float32"),
        f"{name}.lora_up.weight": zeros((320, 4), "float32"),
    }
    safetensors.numpy.save_file({**tensors, f"{name}.alpha": zeros((), "float32")}, tmp_path / "lora.safetensors")
    made = report(config(tmp_path, pretrained_model_name_or_path=str(tmp_path / "lora.safetensors")))
    assert "is a Stable Diffusion 1.x LoRA, not a base model" in messages(made, "error")[0]


@pytest.mark.parametrize("name", ["vae", "network_weights", "resume"])
def test_other_files_that_do_not_exist_are_errors(tmp_path, name):
    pictures(tmp_path / "10_x", [SQUARE])
    made = report(config(tmp_path, **{name: str(tmp_path / "gone")}))
    assert any(f"{tmp_path / 'gone'} does not exist; check the path" in text for text in messages(made, "error"))


def test_a_missing_prompt_file_is_an_error_and_a_prompt_is_not(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])
    assert "sample_prompts gone.txt does not exist; check the path" in messages(
        report(config(tmp_path, sample_prompts="gone.txt")), "error"
    )
    assert not only_about_pictures(report(config(tmp_path, sample_prompts="1girl, smile")))


def test_a_batch_larger_than_the_epoch_is_hinted(tmp_path):
    pictures(tmp_path / "1_x", [(512, 512)] * 2)
    assert (
        "train_batch_size 8 is larger than the 2 pictures of an epoch"
        in messages(report(config(tmp_path, train_batch_size=8)), "warning")[0]
    )


def test_the_default_largest_bucket_side_is_hinted_at_1024(tmp_path):
    pictures(tmp_path / "1_x", [(1024, 1024)])
    assert "set it to 2048" in messages(report(config(tmp_path, resolution="1024")), "warning")[0]
    assert messages(report(config(tmp_path, resolution="1024", max_bucket_reso=2048)), "warning") == []


def test_small_pictures_are_hinted(tmp_path):
    pictures(tmp_path / "1_x", [(512, 512), (400, 400), (100, 100)])
    found = messages(report(config(tmp_path)), "warning")
    assert len(found) == 1
    assert found[0].startswith("1 picture is enlarged more than 1.5 times to fit (p002.png)")


def test_a_thousand_bad_pictures_do_not_make_a_thousand_sentences(tmp_path):
    pictures(tmp_path / "1_x", [(512, 512)])
    for number in range(120):
        (tmp_path / "1_x" / f"bad{number}.png").write_bytes(b"")
    made = report(config(tmp_path))
    assert len(made.problems) < 60
    assert made.problems[-1].message == "and 70 more of the same kinds"


def test_an_earlier_scan_serves_other_settings_without_another_look_at_the_disk(tmp_path, monkeypatch):
    pictures(tmp_path / "2_x", [(512, 512), (768, 512)])
    earlier = scan(config(tmp_path))
    changed = config(tmp_path, resolution="768", enable_wildcard=True, validation_split=0.5)
    expected = report(changed).to_json()
    monkeypatch.setattr("trainer.dataset.report.scan", None)
    assert report(changed, earlier).to_json() == expected


def test_the_text_names_everything(tmp_path):
    pictures(tmp_path / "10_anby", [(512, 512)] * 2)
    told = report(config(tmp_path, max_train_epochs=2, train_batch_size=2)).to_text()
    assert "20 steps: 2 epochs of 10 batches of up to 2" in told
    assert "2 pictures, 20 with repeats" in told
    assert "10_anby: 2 pictures x 10 (0 without caption)" in told
    assert "512 x 512: 20" in told


def test_metadata_of_a_data_set(tmp_path):
    pictures(tmp_path / "train" / "3_x", [(64, 64), (96, 64)], caption="1girl, Red Hair, 1girl")
    pictures(tmp_path / "reg" / "1_y", [(64, 64)], caption=None)
    dataset = scan(config(tmp_path / "train", reg_data_dir=str(tmp_path / "reg")))
    assert statistics.folder_counts(dataset, is_reg=False) == {"3_x": {"n_repeats": 3, "img_count": 2}}
    assert statistics.folder_counts(dataset, is_reg=True) == {"1_y": {"n_repeats": 1, "img_count": 1}}
    assert statistics.tag_frequency(dataset) == {"3_x": {"1girl": 4, "red hair": 2}, "1_y": {"y": 1}}
    info = statistics.bucket_info(dataset)
    assert info["buckets"] == {"0": {"resolution": [512, 512], "count": 9}, "1": {"resolution": [640, 384], "count": 3}}
    assert info["mean_img_ar_error"] == pytest.approx((0 + abs(640 / 384 - 1.5) + 0) / 3)


def test_listed_folders_are_told_one_by_one_with_their_options(tmp_path):
    for name in ("a/x", "b/x"):
        pictures(tmp_path / name, [(64, 64)], caption="cat, red")
    subsets = [
        {"image_dir": str(tmp_path / "a/x"), "num_repeats": 3, "keep_tokens": 2, "class_tokens": "cat"},
        {"image_dir": str(tmp_path / "b/x"), "is_reg": True},
    ]
    dataset = scan(config(None, subsets=subsets, flip_aug=True, train_batch_size=2))
    of_all = {
        "flip_aug": True, "color_aug": False, "random_crop": False, "shuffle_caption": False,
        "keep_tokens_separator": "", "secondary_separator": None, "enable_wildcard": False, "caption_prefix": None,
        "caption_suffix": None, "resize_interpolation": None, "img_count": 1, "image_dir": "x",
    }  # fmt: skip
    (told,) = statistics.listed(dataset)
    assert told.pop("subsets") == [
        {**of_all, "num_repeats": 3, "keep_tokens": 2, "class_tokens": "cat", "is_reg": False},
        {**of_all, "num_repeats": 1, "keep_tokens": 0, "class_tokens": None, "is_reg": True},
    ]
    assert told.pop("bucket_info")["buckets"] == {"0": {"resolution": [512, 512], "count": 6}}
    assert told == {
        "is_dreambooth": True, "batch_size_per_device": 2, "num_train_images": 3, "num_reg_images": 1,
        "resolution": [512, 512], "enable_bucket": True, "min_bucket_reso": 256, "max_bucket_reso": 1024,
        "tag_frequency": {"x": {"cat": 1, "red": 1}, "x (2)": {"cat": 1, "red": 1}}, "resize_interpolation": None,
    }  # fmt: skip
    assert statistics.folder_counts(dataset, is_reg=True) == {"x (2)": {"n_repeats": 1, "img_count": 1}}
    named = scan(config(tmp_path, train_data_dir=str(tmp_path)))
    assert statistics.listed(named) is None


def test_the_report_is_made_without_torch(tmp_path):
    pictures(tmp_path / "10_x", [SQUARE])
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; from folders import config;"
        "from trainer.dataset.report import report;"
        "report(config(Path(sys.argv[1]))).to_text(); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path.__class__(__file__).parent)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize("path", ["x" * 5000, "~nobody_here/x"])
def test_impossible_file_names_are_refused_each_at_its_field(tmp_path, path):
    with pytest.raises(ConfigError) as refused:
        config(tmp_path, pretrained_model_name_or_path=path, vae=path, sample_prompts=path + ".txt")
    assert {problem.address for problem in refused.value.problems} == {
        "model.pretrained_model_name_or_path", "model.vae", "sample.sample_prompts",
    }  # fmt: skip


def test_pictures_that_would_share_a_file_of_kept_latents_are_an_error_before_the_run(tmp_path):
    (png,) = pictures(tmp_path / "1_x", [SQUARE])
    (tmp_path / "1_x" / "p000.webp").write_bytes(png.read_bytes())
    kept = {"cache_latents": True, "cache_latents_to_disk": True, "cache_as_npz": True}
    found = only_about_pictures(report(config(tmp_path, **kept)))
    assert len(found) == 1
    assert "would share p000_0064x0064_*.npz; rename one, or clear cache_as_npz" in found[0]
    assert only_about_pictures(report(config(tmp_path))) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sample_prompts", "p.txt", "line 2 of the prompts: scale is '7,5', which is no number; numbers are written "
         "with a point, without commas or spaces: write 7.5"),
        ("metadata_thumbnail", "p.txt", "p.txt cannot be read as a picture"),
        ("logging_dir", "p.txt", "nothing can be written below p.txt; choose another logging_dir"),
    ],
)  # fmt: skip
def test_what_the_start_reads_the_check_reads_too(tmp_path, monkeypatch, name, value, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.txt").write_text("a cat\na dog --l 7,5\n", encoding="utf-8")
    pictures(tmp_path / "1_x", [SQUARE])
    made = report(config(tmp_path, sample_every_n_steps=1, **{"sample_prompts": "a cat", name: value}))
    assert [text for text in messages(made, "error") if words in text]
