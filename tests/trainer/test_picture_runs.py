"""Whole runs with masks, crops and sd-scripts' caches."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest
from PIL import Image
from place import same

from trainer import preparation
from trainer.__main__ import main
from trainer.config import ConfigError, parse
from webui import space


def see_through(place, opaque=0):
    """All pictures with this much opacity."""
    for path in (place.root / "train" / "1_cat").glob("*.png"):
        picture = Image.open(path).convert("RGBA")
        picture.putalpha(opaque)
        picture.save(path)


@pytest.mark.parametrize("cached", [True, False])
def test_what_is_see_through_is_not_learned(place, cached):
    see_through(place)
    assert place.train(alpha_mask=True, cache_latents=cached, max_train_epochs=1, validation_split=0.4) == 0
    assert place.losses() == [0.0] * len(place.losses())
    assert [event["loss"] for event in place.events() if event["event"] == "validation"] == [0.0]


def test_masks_kept_on_disk_train_as_those_in_memory(place):
    see_through(place, 51)
    values = {"max_train_epochs": 1, "caption_dropout_rate": 0, "flip_aug": True}
    assert place.train("masked", output_name="masked", alpha_mask=True, **values) == 0
    assert place.train("disk", output_name="disk", alpha_mask=True, cache_latents_to_disk=True, **values) == 0
    assert same(place.weights("masked"), place.weights("disk"))
    assert any((place.root / ".athanor" / space.CACHE / "latents").iterdir())  # the Settings tab empties it


def test_white_masks_are_learned_and_black_ones_not_at_all(place):
    folder = {"image_dir": "train/1_cat", "conditioning_data_dir": "masks"}
    (place.root / "masks").mkdir()
    for colour in (0, 255):
        for path in (place.root / "train" / "1_cat").glob("*.png"):
            Image.new("L", Image.open(path).size, colour).save(place.root / "masks" / path.name)
        text = place.root / place.config(
            train_data_dir=None, masked_loss=True, max_train_epochs=1, output_name=f"m{colour}"
        )
        tables = "".join(f'{name} = "{value}"\n' for name, value in folder.items())
        text.write_text(text.read_text(encoding="utf-8") + f"\n[[dataset.subsets]]\n{tables}", encoding="utf-8")
        assert main(["train", str(text), "--job", f"job{colour}"]) == 0
    assert max(place.losses("job0")) == 0
    assert min(place.losses("job255")) > 0.01


def test_random_crops_and_colours_train_uncached_and_resume_as_if_never_stopped(place):
    for path in (place.root / "train" / "1_cat").glob("*.png"):
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (72, 80, 3), dtype=np.uint8)).save(path)
    broken(place.root / "train" / "1_cat" / "4.png")
    values = {"enable_bucket": False, "cache_latents": False, "random_crop": True, "color_aug": True, "flip_aug": True}
    assert place.train("whole", output_name="whole", **values) == 0
    assert place.train("first", output_name="first", save_every_n_steps=2, save_state=True, **values) == 0
    state = next((place.root / "first" / "state").glob("*step00000002-state"))
    assert place.train("rest", output_name="first", resume=str(state), **values) == 0
    assert place.losses("whole") == place.losses("first")
    assert place.losses("whole")[2:] == place.losses("rest")
    still = {**values, "random_crop": True, "color_aug": False}
    assert place.train("still", output_name="still", **still) == 0
    assert place.losses("still") != place.losses("whole")


def test_sd_scripts_caches_are_written_beside_the_pictures_and_used(place):
    values = {"cache_latents_to_disk": True, "cache_as_npz": True, "max_train_epochs": 1}
    assert place.train("one", output_name="one", **values) == 0
    files = sorted((place.root / "train" / "1_cat").glob("*.npz"))
    assert [path.name for path in files][:1] == ["0_0064x0064_sd.npz"]
    before = [path.stat().st_mtime_ns for path in files]
    assert place.train("two", output_name="two", **values) == 0
    assert [path.stat().st_mtime_ns for path in files] == before
    assert same(place.weights("one"), place.weights("two"))
    assert np.load(files[0], allow_pickle=False)["latents"].shape == (4, 8, 8)


def broken(path):
    """A picture whose header and end are sound, and whose pixels are not."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)


@pytest.mark.parametrize("cached", [True, False])
def test_a_picture_that_is_broken_behind_its_header_is_left_out_by_the_check_and_by_the_run(place, cached, capsys):
    folder = place.root / "train" / "1_cat"
    broken(folder / "2.png")
    (folder / "3.png").write_bytes(b"")
    values = {"cache_latents": cached, "train_batch_size": 1, "max_train_epochs": 1}
    assert main(["check", place.config(**values), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    left_out = [problem["message"] for problem in told["problems"] if "damaged or cut" in problem["message"]]
    assert (told["steps"], told["images"], len(left_out)) == (3, 3, 1)
    assert left_out[0].endswith("; the picture is left out") and "2.png" in left_out[0]
    assert place.train(**values) == 0
    assert len(place.losses()) == 3
    warned = [event["message"] for event in place.events() if event["event"] == "warning"]
    assert left_out[0] in warned
    assert any("3.png is empty" in message for message in warned)
    for path in folder.glob("*.png"):
        broken(path)
    assert main(["check", "run.toml"]) == place.train("nothing", **values) == 2


@pytest.mark.parametrize("name", ["color_aug", "random_crop"])
def test_what_changes_at_every_use_does_not_go_with_cached_latents(name):
    base = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512, "cache_latents": True}
    with pytest.raises(ConfigError, match=f"{name} does not go with cache_latents"):
        parse({**base, name: True})
    with pytest.raises(ConfigError, match=f"{name} does not go with cache_latents"):
        parse({**base, "subsets": [{"image_dir": "a", name: True}]})
    parse({**base, name: True, "subsets": [{"image_dir": "a", name: False}], "train_data_dir": ""})


def test_an_uncached_picture_that_vanishes_while_training_is_named_and_the_state_is_kept(place, monkeypatch):
    load, read = preparation.load, []

    def loses_one(item, rng):
        read.append(item.path.name)
        if len(read) == 6:
            (place.root / "train" / "1_cat" / "2.png").unlink()
        return load(item, rng)

    monkeypatch.setattr(preparation, "load", loses_one)
    assert place.train(cache_latents=False, max_train_epochs=4, max_data_loader_n_workers=1) == 2
    failed = place.events()[-1]
    assert (failed["event"], failed["kind"]) == ("failed", "data")
    assert "2.png cannot be read any more" in failed["message"]
    assert [path for path in (place.root / "job" / "state").iterdir() if path.name.endswith("-state")]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not text")
@pytest.mark.parametrize(
    "kept",
    [
        {"cache_latents_to_disk": True, "skip_cache_check": True, "cache_info": True},
        {"cache_latents_to_disk": True, "cache_as_npz": True},
    ],
    ids=["kept", "npz"],
)
def test_names_that_are_not_utf8_are_trained_kept_and_told(place, kept, capsys):
    folder = place.root / os.fsdecode(b"train/2_\xc4\xe3")  # GBK
    (place.root / "train" / "1_cat").rename(folder)
    for number, name in enumerate((b"\xba\xc3.png", b"\xff.png")):
        (folder / f"{number}.png").rename(folder / os.fsdecode(name))  # away from their captions
    (folder / os.fsdecode(b"empty\xfe.png")).write_bytes(b"")
    values = {"max_train_epochs": 1, "validation_split": 0.2, **kept}
    assert main(["check", place.config(**values), "--json"]) == 0
    told = [problem["message"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert any("empty\ufffd.png is empty (0 bytes)" in message for message in told)
    assert place.train(**values) == 0
    assert len(list(folder.glob("*.npz"))) == (5 if "cache_as_npz" in kept else 0)
