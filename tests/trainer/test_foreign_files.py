"""Files that somebody else made: damaged, absurd or hostile ones are refused or made anew, never believed."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from place import Place

from trainer import start
from trainer.checkpoint import State, load_state, save_state
from trainer.config import ConfigError, Problem
from trainer.config.recipe import from_metadata
from trainer.dataset import listings
from trainer.dataset.listings import Entry, ListingError, locate, locate_cached, read_metadata
from trainer.events import EventLog, follow
from trainer.loading import npz
from trainer.networks import NetworkOptions, attach
from trainer.networks.base import NetworkError
from trainer.signals import ending_signals
from trainer.states import StateError

LATENTS = np.ones((4, 8, 8), dtype=np.float32)


@dataclass
class Layer:
    name: str
    module: torch.nn.Module
    part: str = "unet"
    path: str = "x"
    containers: frozenset[str] = frozenset({"Transformer2DModel"})
    block: int | None = None


def zipped(flag_at: int, value: int) -> bytes:
    """A .npz file with one byte of its entry changed, in the entry and in the directory."""
    stream = io.BytesIO()
    np.savez(stream, latents=LATENTS)
    data = bytearray(stream.getvalue())
    data[data.find(b"PK\x03\x04") + flag_at] = value
    data[data.find(b"PK\x01\x02") + flag_at + 2] = value
    return bytes(data)


def claiming(shape: str) -> bytes:
    """A .npz file whose array is said to have a shape."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("latents.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64)
    return stream.getvalue()


def plain_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, LATENTS)
    return stream.getvalue()


def cut_stream() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, latents=np.random.default_rng(0).random((4, 8, 8), dtype=np.float32))
    data = bytearray(stream.getvalue())
    data[150:400] = b"\xff" * 250
    return bytes(data)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", plain_array(), zipped(6, 1), zipped(8, 99), cut_stream(), claiming("(1000000, 1000000, 100)"),
     claiming("(4611686018427387904, 4611686018427387904)"), claiming("(-1, 8, 8)")],
    ids=["empty", "cut", "npy", "encrypted", "unknown packing", "damaged stream", "absurd", "overflowing", "negative"],
)  # fmt: skip
def test_a_npz_file_that_is_none_is_as_one_that_is_missing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    assert npz.read_arrays(tmp_path / "a.npz") is None


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "LARGEST_BYTES", 100_000)
    np.savez_compressed(tmp_path / "a.npz", zeros=np.zeros(100_000, dtype=np.float32))
    assert (tmp_path / "a.npz").stat().st_size < 2000
    assert npz.read_arrays(tmp_path / "a.npz") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("read", [npz.read_arrays, read_metadata])
def test_a_pipe_is_not_waited_for(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    os.mkfifo(tmp_path / "a.json")
    try:
        assert read(tmp_path / "a.json") is None
    except ListingError as error:
        assert "is not a file" in str(error)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"latents": np.ones((16, 8, 8), dtype=np.float32)}, "are of another kind of model"),
        ({"latents": np.full((4, 8, 8), 1e300)}, "are not finite"),
    ],
)
def test_a_run_makes_latents_anew_that_it_could_not_train_on(
    place: Place, arrays: dict[str, np.ndarray], reason: str
) -> None:
    file = place.root / "train" / "1_cat" / "0_0064x0064_sd.npz"
    file.write_bytes(npz._packed({"file": LATENTS, **arrays}))  # np.savez has an argument of that name
    os.utime(file, (2e9, 2e9))
    assert place.train(cache_latents_to_disk=True, cache_as_npz=True, max_train_epochs=1) == 0
    assert any(reason in event.get("message", "") for event in place.events())
    assert npz.read_arrays(file)["latents"].shape == (4, 8, 8)  # type: ignore[index]
    assert None not in place.losses()


def test_a_mask_beyond_zero_to_one_is_made_anew(place: Place) -> None:
    file = place.root / "train" / "1_cat" / "0_0064x0064_sd.npz"
    np.savez(file, latents=LATENTS, alpha_mask=np.full((64, 64), np.nan, dtype=np.float32))
    os.utime(file, (2e9, 2e9))
    assert place.train(cache_latents_to_disk=True, cache_as_npz=True, alpha_mask=True, max_train_epochs=1) == 0
    assert None not in place.losses()


@pytest.mark.parametrize("key", ["x" * 5000, "a\0b", "..", ""])
def test_a_key_that_cannot_be_a_path_names_no_picture(tmp_path: Path, key: str) -> None:
    assert locate(key, tmp_path) is None
    assert locate_cached(key, tmp_path) is None


def test_a_cache_lists_pictures_only(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").touch()
    assert locate_cached(str(tmp_path / "secret.txt"), tmp_path) is None


@pytest.mark.parametrize("key", ["\\\\host\\share\\a.png", "//host/share/a.png"])
def test_a_list_leads_to_no_other_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    looked: list[str] = []
    monkeypatch.setattr(listings, "is_file", lambda path: bool(looked.append(str(path))))
    assert locate(key, tmp_path) is None
    assert locate_cached(key, tmp_path) is None
    assert not any(path.startswith(("\\\\", "//")) for path in looked)
    assert looked  # the name alone is looked for beside the list


def test_a_picture_whose_name_is_no_text_comes_back_from_the_cache(tmp_path: Path) -> None:
    listings.write_cache(tmp_path, [Entry("\udcc4\u732b.png", "cat", None, (64, 64))])
    assert [entry.key for entry in listings.read_cache(tmp_path) or []] == ["\udcc4\u732b.png"]


@pytest.mark.parametrize("bucket", [[64, 1], [10**9, 10**9], [100, 64]])
def test_an_absurd_bucket_of_an_old_tool_is_refused(tmp_path: Path, bucket: list[int]) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"a": {"caption": "b", "train_resolution": bucket}}), encoding="utf-8")
    with pytest.raises(ListingError, match="multiples of 8"):
        read_metadata(tmp_path / "m.json")


def test_lines_that_are_nested_too_deep_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(ListingError, match="line 1"):
        read_metadata(tmp_path / "m.jsonl")


@pytest.mark.parametrize(
    "told",
    [
        {"max_train_steps": "inf"}, {"max_train_steps": "nan"}, {"max_train_steps": "1" + "0" * 400},
        {"num_batches_per_epoch": "inf"}, {"gradient_accumulation_steps": "nan"}, {"gradient_accumulation_steps": "-1"},
        {"datasets": '[{"subsets": 3}]'}, {"datasets": '[{"subsets": null}]'}, {"datasets": "[1]"},
    ],
)  # fmt: skip
def test_metadata_of_a_lora_may_say_anything(told: dict[str, str]) -> None:
    usual = {"learning_rate": "1e-4", "max_train_steps": "12", "num_epochs": "3", "num_batches_per_epoch": "4"}
    values, _ = from_metadata({f"ss_{name}": value for name, value in {**usual, **told}.items()})
    assert values["learning_rate"] == 1e-4


def test_a_timestep_range_of_five_thousand_digits_is_left_out() -> None:
    values, _ = from_metadata({"ss_learning_rate": "1e-4", "modelspec.timestep_range": "1" * 5000 + ",7"})
    assert "min_timestep" not in values


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: torch.full_like(value, float("nan")), "NaN or infinity"),
        (lambda value: value.bool(), "torch.bool"),
        (lambda value: value.T.contiguous(), "has shape"),
    ],
)
def test_weights_that_are_none_are_not_trained_on(change: Callable[[torch.Tensor], torch.Tensor], words: str) -> None:
    targets = [Layer("lora_unet_x", torch.nn.Linear(8, 6))]
    network = attach(targets, NetworkOptions(rank=2, alpha=2), seed=0)  # type: ignore[arg-type]
    state = {
        key: change(value) if key.endswith("lora_down.weight") else value
        for key, value in network.file_tensors().items()
    }
    with pytest.raises(NetworkError, match=words):
        network.load(state, "a.safetensors")


@pytest.mark.parametrize("name", ["../../elsewhere", "/etc/x", "a\\b"])
def test_a_state_cannot_choose_where_files_go(tmp_path: Path, name: str) -> None:
    progress = {"step": 1, "epoch": 1, "batch": 0, "seed": 0, "output_name": name}
    folder = save_state(tmp_path / "a-state", State(progress, {"x": torch.ones(1)}, {}))
    with pytest.raises(StateError, match="cannot be used"):
        load_state(folder)


def test_a_state_whose_list_of_files_is_empty_is_incomplete(tmp_path: Path) -> None:
    folder = save_state(tmp_path / "a-state", State({"step": 1}, {"x": torch.ones(1)}, {}))
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StateError):
        load_state(folder)


def test_a_file_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("warning", message="bad \udcff name")
    log.close()
    assert follow(tmp_path / "events.jsonl")[0][0]["message"] == "bad ? name"


def test_what_steers_a_terminal_is_not_printed() -> None:
    error = ConfigError([Problem(None, "{name} is no name", {"name": "a\x1b[2J\x9b\x07\tb\n"})])
    assert str(error) == "a\ufffd[2J\ufffd\ufffd\tb\n is no name"


@pytest.mark.parametrize("number", ending_signals())
@pytest.mark.parametrize("when", ["checks", "preparation"])
def test_a_signal_before_the_first_step_ends_the_run_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, when: str
) -> None:
    def hit(*_: object) -> None:
        signal.raise_signal(number)

    if when == "checks":
        monkeypatch.setattr(start, "_preflight", hit)
    else:
        monkeypatch.setattr("trainer.train.prepare", hit)
    before = signal.getsignal(number)
    try:
        assert place.train() == start.STOPPED
        assert place.events()[-1]["event"] == "stopped"
        # a terminal may be reported closed again after the run
        assert signal.getsignal(number) == (signal.SIG_IGN if number.name == "SIGHUP" else before)
    finally:
        signal.signal(number, before)
