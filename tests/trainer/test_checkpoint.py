"""LoRA files and training states: complete or not there, hashes by sshs' vectors, nothing overwritten."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from durable import needs_linux, recorded
from safetensors import safe_open

from trainer import metadata
from trainer.checkpoint import (
    NotFinite,
    State,
    free_path,
    load_state,
    remove_state,
    reserve_name,
    save_network,
    save_state,
)
from trainer.config import parse
from trainer.leftovers import sweep_states
from trainer.metadata import FileFacts, RunFacts
from trainer.states import StateError, incomplete, newest_state

VECTORS = json.loads((Path(__file__).parents[1] / "golden" / "hashes.json").read_text(encoding="utf-8"))["vectors"]
TINY = {"lora_unet_x.alpha": torch.tensor(4.0), "lora_unet_x.lora_down.weight": (torch.arange(32) / 32).view(4, 8),
        "lora_unet_x.lora_up.weight": torch.zeros(8, 4)}  # fmt: skip


def tensors_of(vector: dict[str, str]) -> dict[str, torch.Tensor]:
    tensors = {"a.weight": torch.arange(600000).float()} if "600000" in vector["tensors"] else TINY
    return {key: value.to(getattr(torch, vector["dtype"])) for key, value in tensors.items()}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['dtype']}-{vector['sshs_legacy_hash']}")
def test_hashes_equal_those_of_sd_scripts(vector: dict[str, str]) -> None:
    data = safetensors.torch.save(tensors_of(vector), vector["metadata"])  # type: ignore[arg-type]
    assert metadata.tensor_hash(data) == vector["sshs_model_hash"]
    assert metadata.legacy_hash(data) == vector["sshs_legacy_hash"]


def test_a_saved_file_holds_tensors_metadata_and_hashes(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _, size = save_network(path, TINY, {"ss_epoch": "1", "modelspec.title": "a"}, "fp16")
    with safe_open(path, "pt") as file:
        assert file.get_tensor("lora_unet_x.lora_down.weight").dtype == torch.float16
        told = file.metadata()
    assert size == path.stat().st_size
    assert told["ss_epoch"] == "1" and told["modelspec.title"] == "a"
    assert told["sshs_model_hash"] == "ea89432fcb7a5daa17b745719fa9488730d524416dc322f5a709fd4d32e96adc"


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_network(path, TINY, {}, None)
    before = path.read_bytes()
    with pytest.raises(NotFinite, match=r"1 of 3 tensors hold NaN"):
        save_network(path, {**TINY, "lora_unet_x.lora_up.weight": torch.full((8, 4), float("nan"))}, {}, None)
    assert path.read_bytes() == before


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    (tmp_path / "a-2.safetensors").touch()
    assert free_path(tmp_path / "a.safetensors").name == "a-3.safetensors"
    assert free_path(tmp_path / "b.safetensors").name == "b.safetensors"


@pytest.mark.parametrize("existing", ["a.safetensors", "a-000002.safetensors", "a-step00000100.safetensors"])
def test_a_run_whose_name_has_files_gets_another_one(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).touch()
    assert reserve_name(tmp_path, "a", "job", own=False).name == "a-2"


def test_a_similar_name_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a-long.safetensors").touch()
    assert reserve_name(tmp_path, "a", "job", own=False).name == "a"


def optimizer_after_a_step() -> torch.optim.Optimizer:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([{"params": [weight], "lr": 0.1, "name": "unet"}])
    weight.sum().backward()
    optimizer.step()
    return optimizer


def test_a_state_comes_back_exactly(tmp_path: Path) -> None:
    optimizer = optimizer_after_a_step()
    path = save_state(tmp_path / "a-state", State({"step": 3, "losses": [[0, 0.1]]}, TINY, optimizer.state_dict()))
    state = load_state(path)
    assert state.progress["losses"] == [[0, 0.1]]
    assert all(torch.equal(state.network[key], value) for key, value in TINY.items())
    fresh = optimizer_after_a_step()
    fresh.load_state_dict(state.optimizer)
    theirs, ours = optimizer.state_dict(), fresh.state_dict()
    assert theirs["param_groups"] == ours["param_groups"]
    assert all(torch.equal(theirs["state"][0][key], ours["state"][0][key]) for key in ("step", "exp_avg", "exp_avg_sq"))


def test_an_existing_state_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    state = State({"step": 1}, TINY, {})
    assert [save_state(tmp_path / "a-state", state).name for _ in range(3)] == ["a-state", "a-state-2", "a-state-3"]


def test_a_state_that_a_full_disk_refuses_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "the disk is full")

    monkeypatch.setattr("trainer.checkpoint.atomic_write", full)
    with pytest.raises(OSError, match="full"):
        save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["manifest.json", "network.safetensors", "progress.json"])
def test_an_incomplete_state_is_passed_over_for_an_older_one(tmp_path: Path, damage: str) -> None:
    import os

    older, newer = (
        save_state(tmp_path / name, State({"step": 1}, TINY, {})) for name in ("a-000001-state", "a-000002-state")
    )
    os.utime(older, (1, 1))
    (newer / damage).unlink()
    found, passed = newest_state(tmp_path)
    assert found == older
    assert len(passed) == 1 and str(newer) in passed[0] and damage in passed[0]


def test_a_damaged_state_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    data = bytearray((path / "network.safetensors").read_bytes())
    data[-1] ^= 1
    (path / "network.safetensors").write_bytes(data)
    with pytest.raises(StateError, match=r"network\.safetensors is damaged; choose an older state"):
        load_state(path)
    with pytest.raises(StateError, match="there is no such folder"):
        load_state(tmp_path / "none")


@needs_linux
def test_a_state_is_on_the_disk_before_its_name_and_its_manifest_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = recorded(monkeypatch)
    save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    files = ["network.safetensors", "optimizer.safetensors", "optimizer.json", "progress.json", "manifest.json"]
    of_a_file = [
        [("fsync", ".athanor-tmp"), ("replace", name), ("fsync", "a-state.building/")] for name in files
    ]  # fmt: skip
    assert calls == [*sum(of_a_file, []), ("rename", "a-state/"), ("fsync", f"{tmp_path.name}/")]


@needs_linux
def test_a_state_loses_its_name_before_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    calls = recorded(monkeypatch)
    remove_state(path)
    assert calls == [("rename", "a-state.removing/"), ("rmdir", "a-state.removing")]
    assert list(tmp_path.iterdir()) == []


def test_a_state_is_removed_without_what_a_person_put_into_it(tmp_path: Path) -> None:
    path = save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    (path / "notes.txt").write_text("the good one", encoding="utf-8")
    remove_state(path)
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*") if file.is_file()] == [
        "a-state.removing/notes.txt"
    ]


def test_a_state_that_cannot_get_its_name_leaves_nothing_behind_and_the_first_error_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space left"):
        save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    assert list(tmp_path.iterdir()) == []


def test_halves_of_states_are_swept_and_nothing_else(tmp_path: Path) -> None:
    whole = save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    halves = ["a-state.building", "a-state-2.removing", "标-step00000002-state.building"]
    for name in [*halves, "b-state.building", "mine.building", "a-state.building.bak"]:
        shutil.copytree(whole, tmp_path / name)
    (tmp_path / "a-state.building" / "manifest.json").unlink()
    (tmp_path / "b-state.building" / "mine.txt").touch()
    if sys.platform != "win32":
        (tmp_path / "c-state.building").symlink_to(whole)
    assert sweep_states(tmp_path) == 3
    assert not any((tmp_path / name).exists() for name in halves)
    assert (tmp_path / "b-state.building" / "mine.txt").exists() and incomplete(whole) is None
    assert (tmp_path / "mine.building" / "manifest.json").exists()
    assert incomplete(tmp_path / "a-state.building.bak") is None


def test_a_half_written_state_never_carries_its_final_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import checkpoint

    def full(path: Path, data: bytes) -> None:
        if path.name == "manifest.json":
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr(checkpoint, "atomic_write", full)
    with pytest.raises(OSError, match="No space"):
        save_state(tmp_path / "a-state", State({"step": 1}, TINY, {}))
    assert not (tmp_path / "a-state").exists()
    assert newest_state(tmp_path) == (None, [])
    assert incomplete(tmp_path / "a-state.building") is not None


FACTS = RunFacts(
    session_id=7, started_at=1000.5, base=FileFacts("base.safetensors", "1234abcd", "f" * 64), family="sd1",
    prediction="epsilon", optimizer="torch.optim.adamw.AdamW", num_train_images=150, num_reg_images=0,
    num_validation_images=0, batches_per_epoch=150, num_epochs=10, max_train_steps=1500, seed=1337, output_name="anby",
    dataset_dirs={"10_anby": {"n_repeats": 10, "img_count": 15}}, tag_frequency={"10_anby": {"安比": 15}},
)  # fmt: skip
CONFIG = parse({"pretrained_model_name_or_path": "base.safetensors", "train_data_dir": "t", "resolution": "512,768",
"network_dim": 32,
                "network_alpha": 32, "unet_lr": 1e-4, "network_args": ["conv_dim=4"], "clip_skip": 2,
                "metadata_author": "me"}).config  # fmt: skip


def test_metadata_has_sd_scripts_formats() -> None:
    told = metadata.build(CONFIG, FACTS, epoch=2, step=300, now=2000.0)
    assert all(isinstance(value, str) for value in told.values())
    assert {key: told[key] for key in ("ss_network_dim", "ss_network_alpha", "ss_unet_lr", "ss_text_encoder_lr",
    "ss_resolution", "ss_v2")} == {
        "ss_network_dim": "32", "ss_network_alpha": "32.0", "ss_unet_lr": "0.0001", "ss_text_encoder_lr": "None",
        "ss_resolution": "(512, 768)", "ss_v2": "False"}  # fmt: skip
    assert told["ss_dataset_dirs"] == '{"10_anby": {"n_repeats": 10, "img_count": 15}}'
    assert told["ss_tag_frequency"] == '{"10_anby": {"\\u5b89\\u6bd4": 15}}'
    assert told["ss_network_args"] == '{"conv_dim": "4", "dropout": null}'
    assert (told["ss_epoch"], told["ss_steps"], told["ss_num_epochs"]) == ("2", "300", "10")
    assert told["modelspec.architecture"] == "stable-diffusion-v1/lora"
    assert (told["modelspec.resolution"], told["modelspec.encoder_layer"], told["modelspec.author"]) == (
        "512x768",
        "2",
        "me",
    )


def test_without_metadata_only_what_programs_need_is_kept() -> None:
    config = CONFIG.model_copy(update={"save": CONFIG.save.model_copy(update={"no_metadata": True})})
    told = metadata.build(config, FACTS, epoch=1, step=1)
    assert {name for name in told if name.startswith("ss_")} == set(metadata.MINIMAL_KEYS)


def test_a_huge_tag_list_is_cut_to_its_most_frequent_tags() -> None:
    from dataclasses import replace

    tags = {"1_x": {f"a rather long tag number {number}": number for number in range(60000)}}
    told = metadata.build(CONFIG, replace(FACTS, tag_frequency=tags), epoch=1, step=1)
    kept = json.loads(told["ss_tag_frequency"])["1_x"]
    assert sum(map(len, told.values())) <= 1_000_000
    assert "a rather long tag number 59999" in kept and "a rather long tag number 0" not in kept


def test_the_hashes_of_a_base_model_are_those_of_its_file(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "base.safetensors"
    path.write_bytes(bytes(range(256)) * 5000)
    data = path.read_bytes()
    facts = metadata.model_file_facts(path)
    assert facts == FileFacts(
        "base.safetensors", hashlib.sha256(data[0x100000:0x110000]).hexdigest()[:8], hashlib.sha256(data).hexdigest()
    )
    assert metadata.model_file_facts(tmp_path).new_hash == "IsADirectory"
