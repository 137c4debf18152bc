"""`inspect`: kind, method, rank, alpha and hashes of a file, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import save, save_file

from trainer import metadata
from trainer.tools.inspect import inspect, run, to_text

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "hashes.json").read_text(encoding="utf-8"))["vectors"]


def lora(path: Path, rank: int = 8, alpha: float = 4.0, dtype: torch.dtype = torch.float16, told=None) -> Path:
    state = {}
    for name, width in (
        ("lora_te_text_model_encoder_layers_0_mlp_fc1", 768),
        ("lora_unet_down_blocks_0_attentions_0_proj_in", 320),
        ("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k", 768),
    ):
        state[f"{name}.lora_down.weight"] = torch.ones(rank, width, dtype=dtype)
        state[f"{name}.lora_up.weight"] = torch.zeros(32, rank, dtype=dtype)
        state[f"{name}.alpha"] = torch.tensor(alpha, dtype=dtype)
    save_file(state, str(path), metadata=told)
    return path


def golden_tensors(row: dict) -> dict[str, torch.Tensor]:
    if row["tensors"].startswith("a.weight"):
        return {"a.weight": torch.arange(600000, dtype=torch.float32)}
    dtype = getattr(torch, row["dtype"])
    return {
        "lora_unet_x.alpha": torch.tensor(4.0).to(dtype),
        "lora_unet_x.lora_down.weight": (torch.arange(32).reshape(4, 8) / 32).to(dtype),
        "lora_unet_x.lora_up.weight": torch.zeros(8, 4).to(dtype),
    }


@pytest.mark.parametrize("row", GOLDEN, ids=range(len(GOLDEN)))
def test_hashes_are_those_of_sd_scripts(tmp_path, row):
    save_file(golden_tensors(row), str(tmp_path / "a.safetensors"), metadata=row["metadata"] or None)
    hashes = inspect(tmp_path / "a.safetensors").hashes
    assert hashes["sshs_model_hash"] == row["sshs_model_hash"]
    assert hashes["sshs_legacy_hash"] == row["sshs_legacy_hash"]


def test_the_streamed_legacy_hash_leaves_out_all_but_ss_metadata(tmp_path):
    state = {
        "lora_unet_x.lora_down.weight": torch.randn(64, 8000),
        "lora_unet_a.lora_up.weight": torch.randn(9, 9).half(),
    }
    kept = {"ss_output_name": '安比 "x"', "ss_epoch": "3"}
    save_file(
        state, str(tmp_path / "a.safetensors"), metadata={**kept, "modelspec.title": "t", "sshs_legacy_hash": "x"}
    )
    expected = {
        metadata.legacy_hash(save(state, metadata=dict(order))) for order in (kept.items(), reversed(kept.items()))
    }
    assert inspect(tmp_path / "a.safetensors").hashes["sshs_legacy_hash"] in expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_lora_is_told_with_rank_alpha_and_modules(tmp_path, dtype):
    found = inspect(lora(tmp_path / "a.safetensors", dtype=dtype, told={"ss_network_dim": "8"}))
    assert (found.kind, found.family, found.method, found.rank, found.alpha) == ("lora", "sd1", "lora", 8, 4.0)
    assert found.modules == {"text_encoder": 1, "unet": 2}
    assert found.metadata == {"ss_network_dim": "8"}
    assert found.problems == []


@pytest.mark.parametrize(
    ("suffix", "shape", "method"),
    [
        ("lora_down.weight", (4, 32, 3, 3), "locon"),
        ("lora_down.weight", (4, 32, 1, 1), "lora"),
        ("dora_scale", (32, 1), "dora"),
        ("hada_w1_a", (4, 4), "loha"),
        ("lokr_w1", (4, 4), "lokr"),
        ("oft_blocks", (2, 4, 4), "oft"),
        ("diff", (4, 4), "full"),
    ],
)
def test_methods_are_told_by_tensor_names(tmp_path, suffix, shape, method):
    save_file({f"lora_unet_x.{suffix}": torch.zeros(shape)}, str(tmp_path / "a.safetensors"))
    assert inspect(tmp_path / "a.safetensors").method == method


def test_different_ranks_are_listed_and_missing_alphas_named(tmp_path):
    state = {"lora_unet_x.lora_down.weight": torch.zeros(4, 8), "lora_unet_y.lora_down.weight": torch.zeros(8, 8)}
    save_file(state, str(tmp_path / "a.safetensors"))
    found = inspect(tmp_path / "a.safetensors")
    assert found.rank == [4, 8]
    assert "2 modules have no alpha (first: lora_unet_x)" in found.problems[0]


def test_a_changed_file_is_noticed_by_its_hash(tmp_path):
    found = inspect(lora(tmp_path / "a.safetensors", told={"sshs_model_hash": "0" * 64}))
    assert "the stored sshs_model_hash does not fit" in found.problems[0]


def test_checkpoints_and_folders_are_told_too(tmp_path):
    assert inspect(tiny.sd1_safetensors(tmp_path / "a.safetensors")).kind == "checkpoint"
    assert inspect(tiny.sd1_ckpt(tmp_path / "a.ckpt")).family == "sd1"
    assert inspect(tiny.sd1_folder(tmp_path / "f")).kind == "folder"


def test_a_damaged_file_exits_with_2_and_a_sentence(tmp_path, capsys):
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 20)
    assert run(tmp_path / "a.safetensors") == 2
    assert "is not a safetensors file" in capsys.readouterr().err
    assert run(tmp_path / "none.safetensors", as_json=True) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["kind"] == "unknown"
    assert "does not exist" in shown.err


def test_the_json_has_the_promised_names(tmp_path, capsys):
    assert run(lora(tmp_path / "a.safetensors"), as_json=True) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {"kind", "family", "method", "rank", "alpha", "modules", "metadata", "hashes", "problems"} <= shown.keys()


def test_control_characters_in_metadata_are_not_printed(tmp_path):
    text = to_text(inspect(lora(tmp_path / "a.safetensors", told={"ss_note": "\x1b[31mred\x07"})))
    assert "\x1b" not in text
    assert "red" in text


def test_inspecting_needs_no_torch(tmp_path):
    file = str(lora(tmp_path / "a.safetensors"))
    code = "import sys; from trainer.tools.inspect import inspect; inspect(sys.argv[1]); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, file], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "False", done.stderr
