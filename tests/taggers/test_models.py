"""WD and CL model files: what goes in, what comes out, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

import taggers.session
from taggers import DEFAULT_TAGGER, TAGGERS, TaggerError, find, load, present
from taggers.cl import read_tag_mapping
from taggers.tagging import score_pictures
from taggers.tags import TagOptions, choose
from taggers.wd import read_selected_tags
from tests.taggers.conftest import BIAS, GAIN, WD_ROWS, write_cl, write_model, write_wd
from trainer.demo.drawing import SHAPES, draw

RED = Image.new("RGB", (24, 16), (255, 0, 0))


def sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def test_the_table_names_qiuyes_taggers_and_the_demo():
    assert list(TAGGERS) == [
        "wd-vit-v3", "wd-convnext-v3", "wd-swinv2-v3", "wd14-convnextv2-v2", "wd14-swinv2-v2", "wd14-vit-v2",
        "wd14-moat-v2", "wd-eva02-large-tagger-v3", "wd-vit-large-tagger-v3", "cl_tagger_1_01", "demo-tagger",
    ]  # fmt: skip
    assert DEFAULT_TAGGER == "wd-vit-v3"


def test_the_default_taggers_files_are_pinned_by_size_and_hash():
    assert all(file.bytes and len(file.sha256 or "") == 64 for file in TAGGERS[DEFAULT_TAGGER].files)
    assert TAGGERS[DEFAULT_TAGGER].bytes == 378_536_310 + 308_468


def test_a_wd_picture_becomes_bgr_from_0_to_255_with_white_above_and_below(wd_folder: Path):
    prepared = load(str(wd_folder)).prepare(RED)
    assert prepared.shape == (16, 16, 3) and prepared.dtype == np.float32
    assert prepared[8, 8].tolist() == [0, 0, 255]
    assert prepared[0, 8].tolist() == [255, 255, 255]


def test_wd_scores_are_what_the_model_says_of_that_input(wd_folder: Path):
    model = load(str(wd_folder))
    square = model.prepare(Image.new("RGB", (16, 16), (255, 0, 0)))
    scores = score_pictures(model, [square])
    assert np.allclose(scores[0], sigmoid(np.array([0, 0, 1]) @ GAIN + BIAS), atol=1e-5)


def test_a_model_with_planes_first_is_fed_planes(tmp_path: Path):
    model = load(str(write_wd(tmp_path, ("batch", 3, 16, 16))))
    square = model.prepare(Image.new("RGB", (16, 16), (255, 0, 0)))
    assert square.shape == (3, 16, 16)
    assert np.allclose(score_pictures(model, [square])[0], sigmoid(np.array([0, 0, 1]) @ GAIN + BIAS), atol=1e-5)


def test_a_model_with_a_fixed_batch_is_filled_up_and_gives_the_same_scores(tmp_path: Path):
    free = load(str(write_wd(tmp_path / "free")))
    fixed = load(str(write_wd(tmp_path / "fixed", (4, 16, 16, 3))))
    assert fixed.fixed_batch == 4 and free.fixed_batch is None
    prepared = [free.prepare(RED)]
    assert np.allclose(score_pictures(free, prepared), score_pictures(fixed, prepared))


def test_a_cl_picture_becomes_bgr_planes_from_minus_1_to_1_and_logits_become_scores(tmp_path: Path):
    model = load(str(write_cl(tmp_path)))
    square = model.prepare(Image.new("RGB", (16, 16), (255, 0, 0)))
    assert square[:, 8, 8].tolist() == [-1, -1, 1]
    assert np.allclose(score_pictures(model, [square])[0], sigmoid(np.array([-1, -1, 1]) @ GAIN + BIAS), atol=1e-5)
    assert model.vocabulary.categories[5] == "model"


def test_both_layouts_of_a_cl_mapping_mean_the_same(tmp_path: Path):
    first = load(str(write_cl(tmp_path))).vocabulary
    mapping = json.loads((tmp_path / "tag_mapping.json").read_text(encoding="utf-8"))
    other = {"idx_to_tag": {key: entry["tag"] for key, entry in mapping.items()},
             "tag_to_category": {entry["tag"]: entry["category"] for entry in mapping.values()}}  # fmt: skip
    (tmp_path / "tag_mapping.json").write_text(json.dumps(other), encoding="utf-8")
    assert load(str(tmp_path)).vocabulary == first


def test_the_device_that_is_really_used_is_named(wd_folder: Path):
    assert load(str(wd_folder), device="cpu").device == "CPU"


def test_a_graphics_card_that_onnxruntime_cannot_use_is_told_without_an_error_banner(
    wd_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    if taggers.session.cuda_works():
        pytest.skip("this machine's graphics card works")
    monkeypatch.setattr("taggers.session.cuda_works", lambda: True)
    model = load(str(wd_folder))
    assert (model.device, model.gpu_unused) == ("CPU", True)
    assert capfd.readouterr() == ("", "")
    assert not load(str(wd_folder), device="cpu").gpu_unused


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path):
    with pytest.raises(TaggerError, match="gives 6 scores.*names 5 tags.*do not belong together"):
        load(str(write_wd(tmp_path, rows=WD_ROWS[:5])))


def test_a_cut_model_is_refused_with_the_cure(wd_folder: Path):
    model = wd_folder / "model.onnx"
    model.write_bytes(model.read_bytes()[:100])
    with pytest.raises(TaggerError, match="cut download.*download it again"):
        load(str(wd_folder))


def test_a_model_that_takes_no_pictures_is_refused(tmp_path: Path):
    write_wd(tmp_path)
    write_model(tmp_path / "model.onnx", ("batch", 7, 16, 5), gain=np.ones((7, 6), np.float32))
    with pytest.raises(TaggerError, match="not a tagger"):
        load(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"name\nx\n", b"\xff\xfe\x00", b"tag_id,name,category,count\n"])
def test_a_table_of_tags_of_another_kind_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "selected_tags.csv").write_bytes(content)
    with pytest.raises(TaggerError, match=r"selected_tags\.csv.*download it again"):
        read_selected_tags(tmp_path / "selected_tags.csv")


@pytest.mark.parametrize(
    "content", ["[1]", "{", '{"a": 1}', '{"0": {"tag": "x"}}', '{"900000000": {"tag": "x", "category": "y"}}']
)
def test_a_mapping_of_another_kind_is_refused(tmp_path: Path, content: str):
    write_cl(tmp_path)
    (tmp_path / "tag_mapping.json").write_text(content, encoding="utf-8")
    with pytest.raises(TaggerError, match=r"tag_mapping\.json.*download it again"):
        load(str(tmp_path))


def test_a_named_tagger_that_is_missing_says_how_to_get_it(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    with pytest.raises(TaggerError, match=r"wd-vit-v3 is not on this machine yet; download it.*--download wd-vit-v3"):
        find("wd-vit-v3", tmp_path)


def test_a_name_with_a_slip_gets_the_nearest_one(tmp_path: Path):
    with pytest.raises(TaggerError, match="did you mean wd-vit-v3"):
        find("wd-vit-3", tmp_path)


def test_a_folder_without_a_tagger_says_what_is_expected(tmp_path: Path):
    with pytest.raises(TaggerError, match=r"expected model\.onnx beside selected_tags\.csv"):
        find(str(tmp_path))


def test_named_taggers_are_found_in_the_models_folder_and_in_the_hub_cache(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    write_wd(tmp_path / "taggers" / "wd-vit-v3")
    write_wd(tmp_path / "hub" / "models--SmilingWolf--wd-swinv2-tagger-v3" / "snapshots" / "abc")
    assert find("wd-vit-v3", tmp_path / "taggers").model == tmp_path / "taggers" / "wd-vit-v3" / "model.onnx"
    assert find("wd-swinv2-v3", tmp_path / "taggers").model.parent.name == "abc"
    assert present("wd-convnext-v3", tmp_path / "taggers") is None


def test_a_folder_of_ones_own_is_found_by_its_name_in_the_models_folder(tmp_path: Path):
    write_wd(tmp_path / "mine")
    assert find("mine", tmp_path).lineage == "wd"


def test_the_demo_tagger_names_what_the_demo_draws():
    rng = Random(5)
    pictures = [draw(rng, shapes=SHAPES) for _ in range(60)]
    model = load("demo-tagger")
    scores = score_pictures(model, [model.prepare(Image.fromarray(picture.pixels)) for picture in pictures])
    options = TagOptions(character_threshold=0.35)
    found = [{tag for tag, _ in choose(model.vocabulary, row, options).tags} for row in scores]
    right = sum(set(picture.tags) == tags for picture, tags in zip(pictures, found, strict=True))
    assert right >= 0.95 * len(pictures)


def test_the_demo_tagger_is_always_there_and_small():
    found = present("demo-tagger")
    assert found is not None and found.model.stat().st_size < 300_000


def test_the_demo_tagger_keeps_silent_about_other_pictures():
    model = load("demo-tagger")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    scores = score_pictures(model, [model.prepare(Image.fromarray(noise))])[0]
    assert choose(model.vocabulary, scores, TagOptions()).tags == ()


ODD_TABLE = (
    'tag_id,name,category,count\n1,"hello,_world",0,1\n2,"two\r\nlines",0,1\n'
    '3,"a ""quoted"" tag",0,1\n4,"b,c, d,",4,1\n'
)


def test_a_tag_with_a_comma_or_a_line_end_stays_one_tag(tmp_path: Path):
    (tmp_path / "selected_tags.csv").write_bytes(ODD_TABLE.encode())
    names = ("hello_world", "two_lines", 'a "quoted" tag', "b_c_d")
    assert read_selected_tags(tmp_path / "selected_tags.csv").names == names
    odd = ["hello,_world", "two\r\nlines", 'a "quoted" tag', "b,c, d,", "half \ud800 pair\0"]
    mapping = {str(index): {"tag": name, "category": "General"} for index, name in enumerate(odd)}
    (tmp_path / "tag_mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
    assert read_tag_mapping(tmp_path / "tag_mapping.json").names == (*names, "half_pair")
