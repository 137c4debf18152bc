"""Prompts made from captions: what they hold, in which order and size, and that the trainer reads them as meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from trainer.config import parse_flat
from trainer.dataset.reading import read
from trainer.families.emphasis import parse
from trainer.prompts import read_prompts
from webui.form_prompts import MOST_TAGS, made_prompts, planned_previews


def made(
    folder: Path, texts: list[str | None], fast: bool = True, name: str = "10_anby girl", **options: object
) -> str:
    place = folder / name
    place.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        Image.new("RGB", (64, 64)).save(place / f"{number}.png")
        if text is not None:
            (place / f"{number}.txt").write_text(text, encoding="utf-8")
    base = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": str(folder)}
    config = parse_flat({**base, "resolution": "512,768", "caption_extension": ".txt", **options}).config
    return made_prompts(read(config), config, fast)


def test_the_first_caption_and_what_most_pictures_share_in_their_usual_order(tmp_path: Path) -> None:
    texts = ["anby, 1girl, solo, red hair", "anby, 1girl, hat", "anby, solo, 1girl", "anby, dog"]
    first, second = read_prompts(made(tmp_path, texts))
    assert (first.prompt, second.prompt) == ("anby, 1girl, solo, red hair", "anby, 1girl")  # solo: two of four
    assert (first.width, first.height, first.seed, first.steps, first.scale) == (512, 768, 1, 24, 7)
    assert first.negative.startswith("lowres")


def test_a_processor_draws_one_picture_in_fewer_steps(tmp_path: Path) -> None:
    (only,) = read_prompts(made(tmp_path, ["anby, 1girl", "anby, hat"], fast=False))
    assert (only.prompt, only.steps) == ("anby, 1girl", 12)


def test_alike_captions_make_one_prompt(tmp_path: Path) -> None:
    assert len(read_prompts(made(tmp_path, ["anby", "anby"]))) == 1


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("nero (fate), [x]", "nero (fate), [x]"),  # read as letters again, see below
        (r"nero \(fate\)", "nero (fate)"),
        ("#1 fan, smile", "#1 fan, smile"),
        ("a --w 64, smile", "smile"),
        ("first line\nsecond line", "first line"),
        (", ".join(map(str, range(40))), ", ".join(map(str, range(MOST_TAGS)))),
    ],
)
def test_a_caption_is_drawn_as_the_words_that_are_trained(tmp_path: Path, text: str, prompt: str) -> None:
    first = read_prompts(made(tmp_path, [text]))[0]
    pieces = parse(first.prompt)
    assert "".join(piece for piece, _ in pieces) == prompt
    assert {weight for _, weight in pieces} == {1.0}


def test_without_captions_the_folders_words_are_the_prompt_and_without_words_there_is_none(tmp_path: Path) -> None:
    assert read_prompts(made(tmp_path, [None]))[0].prompt == "anby girl"
    other = tmp_path / "other"
    other.mkdir()
    assert made(other, [""], name="10_x") == ""


def test_regularisation_pictures_give_no_words(tmp_path: Path) -> None:
    reg = tmp_path / "reg" / "1_girl"
    reg.mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(reg / "0.png")
    (reg / "0.txt").write_text("zebra", encoding="utf-8")
    train = tmp_path / "train"
    train.mkdir()
    assert "zebra" not in made(train, ["anby", "anby, hat", "anby, dog"], reg_data_dir=str(tmp_path / "reg"))


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({"max_train_epochs": 10, "sample_every_n_epochs": 3}, 3),  # after epochs 3, 6 and 9
        ({"max_train_epochs": 10, "sample_every_n_epochs": 3, "sample_at_first": True}, 4),
        ({"max_train_epochs": 10, "sample_every_n_epochs": 3, "sample_every_n_steps": 1}, 3),  # epochs decide
        ({"max_train_steps": 60, "sample_every_n_steps": 20}, 3),
        ({"max_train_steps": 60, "sample_every_n_epochs": 1}, 0),  # 60 of 150 steps: no epoch ends
    ],
)
def test_previews_are_counted_as_they_will_be_drawn(options: dict[str, object], times: int) -> None:
    base = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "x", "resolution": "256,512"}
    text = "# remark\nanby --s 20\nanby, hat --w 256 --h 512"
    config = parse_flat({**base, "sample_prompts": text, **options}).config
    steps = config.run.max_train_steps if "max_train_steps" in options else 1500
    assert planned_previews(config, steps, 150) == {
        "prompts": 2, "times": times, "steps": 30, "unsized": 1, "width": 256, "height": 512,
    }  # fmt: skip


def test_prompts_without_a_size_are_told_only_where_training_is_smaller() -> None:
    base = {"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "x", "resolution": "512,768"}
    config = parse_flat({**base, "sample_prompts": "anby", "sample_every_n_epochs": 1, "max_train_epochs": 1}).config
    assert planned_previews(config, 10, 10)["unsized"] == 0
    assert planned_previews(config, 10, 0) is None
