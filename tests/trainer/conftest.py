"""Fixtures of the trainer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
from place import Place


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny.sd1_safetensors(tmp_path_factory.mktemp("base") / "base.safetensors")


@pytest.fixture
def place(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, base)
