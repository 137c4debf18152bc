"""Whole runs on a card that is pretended: nothing stays behind on the processor, and no step waits for the card."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch

HERE = Path(__file__).parent
COMMON: dict[str, object] = {
    "base": "sd1.safetensors", "max_train_epochs": None, "max_train_steps": 2, "train_batch_size": 1,
}  # fmt: skip
RUNS: dict[str, dict[str, object]] = {
    # text encoders trained, dropouts, fp16 with its scaler, norms limited
    "sd1": {
        "mixed_precision": "fp16", "network_args": ["rank_dropout=0.1"],
        "network_dropout": 0.1, "scale_weight_norms": 1.0, "clip_skip": 2, "min_snr_gamma": 5,
    },
    # texts kept, an optimizer that is not fused, a packed base, checkpointing; a preview and a validation between steps
    "sdxl": {
        "base": "sdxl.safetensors", "mixed_precision": "bf16", "network_train_unet_only": True, "text_encoder_lr": None,
        "cache_text_encoder_outputs": True, "shuffle_caption": None, "optimizer_type": "Lion",
        "sample_prompts": "a cat --w 64 --h 64 --s 2", "sample_at_first": True, "validation_split": 0.3,
        "quantize_base": "int8", "gradient_checkpointing": True,
    },
}  # fmt: skip


@pytest.mark.timeout(1500)
@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("g++") is None or torch.backends.cuda.is_built(),
    reason="a card can only be pretended under Linux, with g++ and the CPU build of torch",
)
def test_a_run_on_a_card_leaves_nothing_on_the_processor_and_no_step_reads_anything_back(tmp_path: Path) -> None:
    for family in RUNS:
        tiny.safetensors(tmp_path / f"{family}.safetensors", family)
        (tmp_path / family).mkdir()
    (tmp_path / "runs.json").write_text(json.dumps({name: COMMON | own for name, own in RUNS.items()}))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parents[1])))}
    done = subprocess.run(
        [sys.executable, str(HERE / "pretended_card.py"), str(tmp_path)],
        env=environment, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for name, ended in found.items():
        assert ended["code"] == 0, ended["said"]
        assert ended["waits"] == [], name
        assert not [text for text in ended["warnings"] if "could not be drawn" in text]
