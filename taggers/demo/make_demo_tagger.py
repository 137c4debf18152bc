"""Makes the demo tagger: a small network that names the coloured shapes of the demo, in the real WD file format.

    python -m taggers.demo.make_demo_tagger [FOLDER] [--steps 3000] [--check]

Draws its pictures, trains about five minutes on one core in all, writes model.onnx and selected_tags.csv and prints how
often it is right on fresh pictures, through the written file and the program's own way of reading pictures. Needs
torch and onnx (the `dev` extra); the running program needs neither. The shapes and colours are the demo's own.

B batch · the picture is 448 px outside, 32 px inside the network
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor, nn

from taggers import in_folder
from taggers.pictures import pad_to_square, resize_square
from taggers.wd import WdModel
from trainer.atomic import atomic_write
from trainer.demo.drawing import COLORS, SHAPES, SIZES, outline

HERE = Path(__file__).parent
OUTSIDE, INSIDE, DRAWN = 448, 32, 128
RATINGS = ("general", "sensitive", "questionable", "explicit")
FACE = "smiley_(demo)"  # the one "character": a shape with two eyes and a mouth, so that the second threshold acts
COLOR_NAMES = tuple(COLORS)
SIZE_NAMES = tuple(SIZES)
TAGS = (
    *((name, 9) for name in RATINGS),
    *((f"{color}_{shape}", 0) for color in COLOR_NAMES for shape in SHAPES),
    *((f"{color}_background", 0) for color in COLOR_NAMES),
    *((size, 0) for size in SIZE_NAMES),
    (FACE, 4),
)
HEADS = {
    "color": len(COLOR_NAMES), "shape": len(SHAPES), "background": len(COLOR_NAMES), "size": 1, "face": 1, "known": 1,
}  # fmt: skip
RADII = {"large": (0.33, 0.42), "small": (0.17, 0.25)}  # wider than the demo's, so that it is no matter of a pixel
Labels = tuple[int, int, int, int, int, int]


def draw_shape(rng: random.Random) -> tuple[Image.Image, Labels]:
    """A picture as the demo draws them, but less tidy, and what is on it, in the order of HEADS."""
    color, background = rng.sample(range(len(COLOR_NAMES)), 2)
    shape, size = rng.randrange(len(SHAPES)), rng.randrange(2)
    face = rng.random() < 0.12
    scale = 3
    side = DRAWN * scale
    ground, ink = (_tint(rng, COLOR_NAMES[index]) for index in (background, color))
    picture = Image.new("RGB", (side, side), ground)
    canvas = ImageDraw.Draw(picture)
    radius, turn = rng.uniform(*RADII[SIZE_NAMES[size]]), rng.gauss(0, 0.09)
    x, y = (0.5 + rng.uniform(-0.06, 0.06) for _ in range(2))
    cosine, sine = math.cos(turn), math.sin(turn)

    def put(points: list[tuple[float, float]], fill: tuple[int, int, int]) -> None:
        placed = [((x + a * cosine - b * sine) * side, (y + a * sine + b * cosine) * side) for a, b in points]
        canvas.polygon(placed, fill)

    if SHAPES[shape] == "ring":
        put(outline("circle", radius), ink)
        put(outline("circle", rng.uniform(0.5, 0.6) * radius), ground)
    else:
        put(outline(SHAPES[shape], radius), ink)
        if face:
            dark = (25, 25, 30) if sum(ink) > 300 else (245, 245, 245)
            for eye in (-0.28, 0.28):
                put([(a + eye * radius, b - 0.12 * radius) for a, b in outline("circle", 0.11 * radius)], dark)
            put([(a, b * 0.5 + 0.28 * radius) for a, b in outline("circle", 0.24 * radius)], dark)
    large, smiling = size == SIZE_NAMES.index("large"), face and SHAPES[shape] != "ring"
    return _worn(picture.reduce(scale), rng), (color, shape, background, int(large), int(smiling), 1)


def draw_other(rng: random.Random) -> tuple[Image.Image, Labels]:
    """Something that is not one shape on a plain ground: noise, a gradient, a plain sheet, lines and blobs."""
    kind = rng.randrange(4)
    if kind == 0:
        coarse = np.array([rng.randrange(256) for _ in range(6 * 6 * 3)], np.uint8).reshape(6, 6, 3)
        picture = Image.fromarray(coarse).resize((DRAWN, DRAWN), Image.Resampling.BICUBIC)
    elif kind == 1:
        ends = np.array([[rng.randrange(256) for _ in range(3)] for _ in range(2)], np.float32)
        ramp = np.linspace(0, 1, DRAWN, dtype=np.float32)[:, None, None]
        rows = np.broadcast_to(ends[0] * (1 - ramp) + ends[1] * ramp, (DRAWN, DRAWN, 3))
        picture = Image.fromarray(rows.astype(np.uint8)).rotate(90 * rng.randrange(4))
    else:
        picture = Image.new("RGB", (DRAWN, DRAWN), _tint(rng, rng.choice(COLOR_NAMES)))
        canvas = ImageDraw.Draw(picture)
        for _ in range(0 if kind == 2 else rng.randint(6, 20)):
            corners = [tuple(rng.uniform(-10, DRAWN + 10) for _ in range(2)) for _ in range(rng.randint(2, 5))]
            ink = _tint(rng, rng.choice(COLOR_NAMES))
            if len(corners) > 2 and rng.random() < 0.6:
                canvas.polygon(corners, ink)
            else:
                canvas.line(corners, ink, width=rng.randint(2, 9))
    return _worn(picture, rng), (0, 0, 0, 0, 0, 0)


def _tint(rng: random.Random, name: str) -> tuple[int, int, int]:
    red, green, blue = (max(0, min(255, round(value + rng.gauss(0, 6)))) for value in COLORS[name])
    return red, green, blue


def _worn(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Now and then soft, grainy or with a white margin, as real files are."""
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.4)))
    if rng.random() < 0.1:
        return pad_to_square(picture.crop((0, rng.randint(4, 14), DRAWN, DRAWN - rng.randint(4, 14))))
    return picture


def drawn(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(count, 32, 32, 3) uint8 BGR and (count, 6) labels; every eighth picture shows nothing known."""
    rng = random.Random(seed)
    pixels = np.empty((count, INSIDE, INSIDE, 3), np.uint8)
    labels = np.empty((count, len(HEADS)), np.int64)
    for index in range(count):
        picture, labels[index] = (draw_other if rng.random() < 0.125 else draw_shape)(rng)
        pixels[index] = np.asarray(picture.resize((INSIDE, INSIDE), Image.Resampling.BOX))[:, :, ::-1]
    return pixels, labels


def network() -> nn.Sequential:
    """(B, 3, 32, 32) in [-0.5, 0.5] -> (B, sum of HEADS) logits; about 60 000 numbers."""
    widths = (3, 16, 32, 48, 48)
    layers: list[nn.Module] = []
    for before, after, stride in zip(widths, widths[1:], (1, 2, 2, 2), strict=False):
        layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(48 * 16, sum(HEADS.values())))


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean loss of a batch; what is not known is taught nothing but that."""
    color, shape, background, size, face, known = logits.split(list(HEADS.values()), dim=1)
    on = labels[:, 5].float()
    cross, binary = nn.functional.cross_entropy, nn.functional.binary_cross_entropy_with_logits
    each = cross(color, labels[:, 0], reduction="none") + cross(shape, labels[:, 1], reduction="none")
    each = each + cross(background, labels[:, 2], reduction="none")
    each = each + binary(size[:, 0], labels[:, 3].float(), reduction="none")
    each = each + binary(face[:, 0], labels[:, 4].float(), reduction="none")
    return (each * on).mean() + binary(known[:, 0], on)


def train(steps: int, seed: int = 0) -> nn.Sequential:
    """The network after `steps` batches of 128 from 40 000 drawn pictures."""
    torch.manual_seed(seed)
    pixels, labels = (torch.from_numpy(array) for array in drawn(40_000, seed))
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    for step in range(steps):
        batch = torch.randint(len(pixels), (128,))
        images = pixels[batch].permute(0, 3, 1, 2).float() / 255 - 0.5
        images = images + 0.02 * torch.randn_like(images) * torch.rand(128, 1, 1, 1)
        loss = loss_of(model(images), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 250 == 0 or step == steps - 1:
            print(f"step {step:5d}  loss {loss.item():.4f}", flush=True)
    return model.eval()


def to_onnx(model: nn.Sequential) -> onnx.ModelProto:
    """The network as a WD tagger: [batch, 448, 448, 3] BGR 0..255 -> [batch, tags] in 0..1.

    Batch norms are folded into the convolutions. A tag such as red_circle is P(red) x P(circle) x P(anything known).
    """
    constants: dict[str, NDArray[Any]] = {"255": np.array(255, np.float32), "half": np.array(0.5, np.float32)}
    nodes = [
        helper.make_node("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node("Div", ["means", "255"], ["unit"]),
        helper.make_node("Sub", ["unit", "half"], ["x0"]),
    ]
    number = 0
    layers = list(model)
    for convolution, norm in zip(layers[0:-2:3], layers[1:-2:3], strict=True):
        assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        constants[f"w{number}"], constants[f"b{number}"] = _folded(convolution, norm)
        inputs = [f"x{number}", f"w{number}", f"b{number}"]
        number += 1
        nodes += [
            helper.make_node("Conv", inputs, [f"c{number}"], pads=[1, 1, 1, 1], strides=list(convolution.stride)),
            helper.make_node("Relu", [f"c{number}"], [f"x{number}"]),
        ]
    linear = layers[-1]
    assert isinstance(linear, nn.Linear)
    constants["w"], constants["b"] = linear.weight.detach().numpy(), linear.bias.detach().numpy()
    constants["splits"] = np.array(list(HEADS.values()), np.int64)
    nodes += [
        helper.make_node("Flatten", [f"x{number}"], ["features"]),
        helper.make_node("Gemm", ["features", "w", "b"], ["logits"], transB=1),
        helper.make_node("Split", ["logits", "splits"], [f"{head}_logits" for head in HEADS], axis=1),
        *_tag_nodes(constants),
    ]
    graph = helper.make_graph(
        nodes, "demo-tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", OUTSIDE, OUTSIDE, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", len(TAGS)])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17)]
    result = helper.make_model(graph, opset_imports=opsets, producer_name="athanor", ir_version=9)
    onnx.checker.check_model(result, full_check=True)
    return result


def _tag_nodes(constants: dict[str, NDArray[Any]]) -> list[onnx.NodeProto]:
    """From the heads to one score a tag, in the order of TAGS."""
    constants["one"] = np.array(1, np.float32)
    constants["column"], constants["row"] = np.array([2], np.int64), np.array([1], np.int64)
    constants["flat"] = np.array([-1, len(COLOR_NAMES) * len(SHAPES)], np.int64)
    constants["harmless"] = np.array([[0.97, 0.02, 0.005, 0.005]], np.float32)  # coloured shapes are rated general
    constants["zero"] = np.array(0, np.float32)
    # Sure tags come in the order in which the demo's captions name them: object, background, size.
    objects, grounds, sizes = len(COLOR_NAMES) * len(SHAPES), len(COLOR_NAMES), len(SIZE_NAMES)
    constants["order"] = np.array([[0.99] * objects + [0.97] * grounds + [0.95] * sizes + [0.99]], np.float32)
    node = helper.make_node
    return [
        *(node("Softmax", [f"{head}_logits"], [head], axis=1) for head in ("color", "shape", "background")),
        *(node("Sigmoid", [f"{head}_logits"], [head]) for head in ("size", "face", "known")),
        node("Unsqueeze", ["color", "column"], ["color_column"]),
        node("Unsqueeze", ["shape", "row"], ["shape_row"]),
        node("MatMul", ["color_column", "shape_row"], ["pairs"]),
        node("Reshape", ["pairs", "flat"], ["objects"]),
        node("Sub", ["one", "size"], ["small"]),
        node("Concat", ["objects", "background", "size", "small", "face"], ["possible"], axis=1),
        node("Mul", ["possible", "known"], ["sure"]),
        node("Mul", ["sure", "order"], ["general"]),
        node("Mul", ["known", "zero"], ["nought"]),
        node("Add", ["nought", "harmless"], ["ratings"]),
        node("Concat", ["ratings", "general"], ["output"], axis=1),
    ]


def _folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias of a convolution followed by its batch norm."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = convolution.weight * scale[:, None, None, None]
    return weight.detach().numpy(), (norm.bias - norm.running_mean * scale).detach().numpy()


def write_tags(path: Path) -> None:
    """selected_tags.csv: tag_id,name,category,count, in the order of the outputs."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["tag_id", "name", "category", "count"])
    rows.writerows([index, name, kind, 0] for index, (name, kind) in enumerate(TAGS))
    atomic_write(path, text.getvalue())


def score_file(folder: Path, count: int = 1000, seed: int = 1_000_003) -> dict[str, float]:
    """Share of fresh pictures with the right object, background, size and all three, at threshold 0.35.

    Right means that this tag and no other of its kind is kept. `silent`: the share of unknown pictures without a tag.
    """
    found = in_folder(folder, "demo-tagger")
    assert found is not None
    model, rng = WdModel(found), random.Random(seed)
    right = {"object": 0, "background": 0, "size": 0, "all": 0, "silent": 0}
    others = 0
    for _ in range(count):
        other = rng.random() < 0.1
        picture, (color, shape, background, large, _face, _known) = (draw_other if other else draw_shape)(rng)
        scores = model.score(model.prepare(resize_square(picture, 512))[None])[0]
        kept = [name for (name, kind), score in zip(TAGS, scores, strict=True) if kind == 0 and score >= 0.35]
        if other:
            others += 1
            right["silent"] += not kept
            continue
        grounds = [name for name in kept if name.endswith("_background")]
        sizes = [name for name in kept if name in SIZE_NAMES]
        objects = [name for name in kept if name not in grounds and name not in sizes]
        hits = {
            "object": objects == [f"{COLOR_NAMES[color]}_{SHAPES[shape]}"],
            "background": grounds == [f"{COLOR_NAMES[background]}_background"],
            "size": sizes == ["large" if large else "small"],
        }
        for name, hit in hits.items():
            right[name] += hit
        right["all"] += all(hits.values())
    shapes = count - others
    return {name: value / (others if name == "silent" else shapes) for name, value in right.items()}


def main() -> None:
    """Train, write, check."""
    parser = argparse.ArgumentParser(description="Makes the demo tagger.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--check", action="store_true", help="only say how good the tagger in the folder is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.check:
        make(options.folder, options.steps)
    for name, share in score_file(options.folder).items():
        print(f"{name:12s} {100 * share:.1f} %")


def make(folder: Path, steps: int) -> None:
    """Train and write the two files of the tagger."""
    began = time.monotonic()
    model = to_onnx(train(steps))
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / "model.onnx", model.SerializeToString())
    write_tags(folder / "selected_tags.csv")
    size = (folder / "model.onnx").stat().st_size
    print(f"{folder / 'model.onnx'}: {size / 1000:.0f} kB, {len(TAGS)} tags, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
