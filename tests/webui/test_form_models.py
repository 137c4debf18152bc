"""The base models that lie in the models folder: what they are, and which cannot be trained."""

from __future__ import annotations

from pathlib import Path

from tests.webui.formfiles import base_model
from webui.form_models import base_models


def test_base_models_are_listed_with_kind_and_size_and_what_cannot_be_trained_comes_last(tmp_path: Path) -> None:
    folder = tmp_path / "sd-models"
    (folder / "xl").mkdir(parents=True)
    (folder / "a.safetensors").write_bytes(b"not a model")
    (folder / "readme.txt").write_text("x", encoding="utf-8")
    base_model(folder / "b.safetensors")
    base_model(folder / "xl" / "C.safetensors", width=2048)
    told = base_models(tmp_path, folder)
    assert told["folder"] == "./sd-models"
    assert [(model["path"], model["title"], model["good"]) for model in told["models"]] == [
        ("./sd-models/b.safetensors", "SD 1.5", True),
        ("./sd-models/xl/C.safetensors", "SDXL", True),
        ("./sd-models/a.safetensors", "not usable", False),
    ]
    assert told["models"][0]["bytes"] == (folder / "b.safetensors").stat().st_size
    assert "not a safetensors file" in told["models"][2]["problem"]["message"]


def test_a_folder_elsewhere_is_named_whole_and_one_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    assert base_models(tmp_path / "program", folder) == {"folder": str(folder), "models": [], "more": 0}
    folder.mkdir()
    base_model(folder / "b.safetensors")
    (model,) = base_models(tmp_path / "program", folder)["models"]
    assert (model["path"], model["title"]) == (str(folder / "b.safetensors"), "SD 1.5")
