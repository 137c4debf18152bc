"""Small real taggers in the WD and CL file formats: they look at the mean colour of a picture and at nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save
from PIL import Image

WD_ROWS = (
    ("general", 9), ("explicit", 9),
    ("red_dress", 0), ("o_o", 0), ("green_(leaf)", 0),
    ("anby_demara_(zenless)", 4),
)  # fmt: skip
# logits = gain * (mean BGR in 0..1) + bias. Pure red: red_dress 0.88, character 0.5, o_o 0.62; pure green: green 0.98.
GAIN = np.array([[0, 0, 0, 0, 0, 0], [0, 0, -6, -6, 8, 0], [1, 0, 6, 4.5, -8, 4]], np.float32)  # rows B, G, R
BIAS = np.array([1, 0, -4, -4, -4, -4], np.float32)


def write_model(path: Path, shape: Sequence[int | str], sigmoid: bool = True, gain: np.ndarray = GAIN) -> None:
    """An ONNX file: mean over the picture's plane, one matrix, a sigmoid if wanted."""
    last = shape[-1] == 3
    constants = {"gain": gain, "bias": BIAS[: gain.shape[1]], "axes": np.array([1, 2] if last else [2, 3], np.int64)}
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "gain"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logits" if sigmoid else "output"]),
    ]
    if sigmoid:
        nodes.append(helper.make_node("Sigmoid", ["logits"], ["output"]))
    graph = helper.make_graph(
        nodes, "mean",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [shape[0], gain.shape[1]])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))


def write_wd(
    folder: Path, shape: Sequence[int | str] = ("batch", 16, 16, 3), rows: Sequence[tuple[str, int]] = WD_ROWS
) -> Path:
    """A WD tagger's folder; its input is 0 to 255."""
    write_model(folder / "model.onnx", shape, gain=GAIN / 255)
    lines = ["tag_id,name,category,count", *(f"{index},{name},{kind},1" for index, (name, kind) in enumerate(rows))]
    (folder / "selected_tags.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_cl(folder: Path) -> Path:
    """A CL tagger's folder: planes first, -1 to 1, logits."""
    write_model(folder / "model.onnx", ("batch", 3, 16, 16), sigmoid=False)
    kinds = {9: "Rating", 0: "General", 4: "Character"}
    mapping = {str(index): {"tag": name, "category": kinds[kind]} for index, (name, kind) in enumerate(WD_ROWS)}
    mapping["5"] = {"tag": "some_model", "category": "Model"}
    (folder / "tag_mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
    return folder


@pytest.fixture
def wd_folder(tmp_path: Path) -> Path:
    return write_wd(tmp_path / "my tagger")


@pytest.fixture
def paint() -> Callable[..., Path]:
    """paint(path, color): a plain picture."""

    def paint(path: Path, color: object = (255, 0, 0), size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, color).save(path)  # type: ignore[arg-type]
        return path

    return paint
