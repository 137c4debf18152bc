"""diff_output_preservation: pictures that teach the network to leave the base model's own predictions alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from place import Place

from trainer.config import read
from trainer.config.dataset_file import read_dataset_file


def folders(place: Place, *preserved: bool) -> str:
    """A dataset file of sd-scripts that lists the place's folder once for each entry."""
    subsets = []
    for number, kept in enumerate(preserved):
        folder = place.root / "train" / "1_cat"
        copy = place.root / f"folder {number}"
        copy.mkdir()
        for path in folder.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        attributes = {"custom_attributes": {"diff_output_preservation": True}} if kept else {}
        subsets.append({"image_dir": str(copy), **attributes})
    content = {"general": {"caption_extension": ".txt"}, "datasets": [{"subsets": subsets}]}
    (place.root / "data.json").write_text(json.dumps(content), encoding="utf-8")
    return "data.json"


def test_where_all_is_preserved_the_loss_is_zero_and_nothing_is_learned(place: Place) -> None:
    data = folders(place, True)
    assert place.train(dataset_config=data, train_data_dir=None, max_train_epochs=1, text_encoder_lr=0) == 0
    assert place.losses() == [0.0, 0.0, 0.0]
    assert not any(value.any() for key, value in place.weights().items() if "lora_up" in key)


def test_preserved_pictures_pull_back_what_others_teach(place: Place) -> None:
    data = folders(place, False, True)
    assert place.train(dataset_config=data, train_data_dir=None, max_train_epochs=2) == 0
    losses = place.losses()
    assert all(loss > 0 for loss in losses)
    assert any(value.any() for key, value in place.weights().items() if "lora_up" in key)
    kept = read(place.root / "job" / "config.toml").config.dataset.datasets[0].subsets
    assert [subset.diff_output_preservation for subset in kept] == [None, True]


@pytest.mark.parametrize("name", ["network_args", "anything"])
def test_other_attributes_are_named_as_left_out(tmp_path: Path, name: str) -> None:
    file = tmp_path / "data.toml"
    file.write_text(f'[[datasets]]\n[[datasets.subsets]]\nimage_dir = "a"\ncustom_attributes = {{ {name} = 1 }}\n')
    _, notes = read_dataset_file(file)
    assert [note.message for note in notes] == [
        f"{name} was left out: of custom_attributes only diff_output_preservation is known"
    ]
