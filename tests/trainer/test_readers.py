"""What image programs make of our files: the table of readers.py against their published formulas, by layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from layer import Layer
from torch import Tensor, nn

from trainer import networks
from trainer.config import parse
from trainer.networks.arguments import MODULES
from trainer.networks.methods import METHODS
from trainer.networks.readers import LINES, PROGRAMS, READINGS

LYCORIS = "lycoris.kohya"
Tensors = Mapping[str, Tensor]
# a row of the table -> the settings that make its files; IA3 of all layers is that of a convolution
CASES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "LoRA": ("networks.lora", (), "linear"),
    "LoCon": (LYCORIS, ("algo=locon",), "conv"),
    "LoCon with Tucker": (LYCORIS, ("algo=locon", "use_tucker=True"), "conv"),
    "DoRA of inputs": (LYCORIS, ("algo=locon", "dora_wd=True", "wd_on_output=False"), "conv"),
    "DoRA of outputs": (LYCORIS, ("algo=locon", "dora_wd=True"), "linear"),
    "LoHa": (LYCORIS, ("algo=loha", "use_tucker=True"), "conv"),
    "LoKr": (LYCORIS, ("algo=lokr", "factor=2"), "conv"),
    "LoKr with Tucker": (LYCORIS, ("algo=lokr", "factor=2", "use_tucker=True"), "conv"),
    "GLoRA": (LYCORIS, ("algo=glora",), "conv"),
    "GLoRA with Tucker": (LYCORIS, ("algo=glora", "use_tucker=True"), "conv"),
    "IA3": (LYCORIS, ("algo=ia3",), "linear"),
    "IA3 of all layers": (LYCORIS, ("algo=ia3",), "conv"),
    "Diag-OFT, BOFT": (LYCORIS, ("algo=diag-oft",), "conv"),
    "with a limit": (LYCORIS, ("algo=diag-oft", "constraint=0.01"), "linear"),
    "Diag-OFT with lengths": (LYCORIS, ("algo=diag-oft", "rescaled=True"), "conv"),
}


def layer_and_file(row: str) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The frozen weight, the change that a trained network of the row makes of it, and the tensors of its file."""
    module, args, kind = CASES[row]
    torch.manual_seed(3)
    layer = nn.Linear(8, 16) if kind == "linear" else nn.Conv2d(8, 16, 3, padding=1)
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    rank = {"LoKr": 2, "LoKr with Tucker": 1, "IA3": 1, "IA3 of all layers": 1}.get(row, 4)
    values = {**needed, "network_module": module, "network_args": list(args), "network_dim": rank, "network_alpha": 1}
    options = networks.network_options(parse(values).config.network)
    network = networks.attach([Layer("lora_unet_x_to_q", layer, path="x.to_q")], options, 0)
    draws = torch.Generator().manual_seed(1)
    ((_, adapter),) = network.adapters()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=draws) * 0.1)
        return layer.weight.detach(), adapter.weight_delta(), dict(adapter.file_tensors())


def lengths(weight: Tensor, outputs: bool) -> Tensor:
    """Norms of a weight (out, in[, k, k]) a row or a column, to multiply with it."""
    others = [dim for dim in range(weight.dim()) if dim != (0 if outputs else 1)]
    return weight.square().sum(dim=others, keepdim=True).sqrt()


def turned(file: Tensors, weight: Tensor, limit: float) -> Tensor:
    """The weight with its rows rotated in blocks, Q no longer than `limit` where there is one."""
    skew = file["oft_blocks"] - file["oft_blocks"].mT
    if limit and skew.norm() > limit:
        skew = skew * limit / skew.norm()
    one = torch.eye(skew.shape[-1])
    turns = (one + skew) @ torch.linalg.inv(one - skew)
    return torch.einsum("knm,kn...->km...", turns, weight.view(*skew.shape[:2], *weight.shape[1:])).reshape(
        weight.shape
    )


def core(t: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """A Tucker core (r, r, k, k) with its sides (r, out) and (r, in)."""
    return torch.einsum("rskl,si,ro->oikl", t, b, a)


def update(file: Tensors, weight: Tensor, joins: Callable[[Tensor], Tensor]) -> Tensor:
    """The change of LoRA, LoHa and LoKr, before lengths. joins: what happens to LoKr's second matrix first."""
    scale = float(file["alpha"])
    if "lora_down.weight" in file:
        down, up = file["lora_down.weight"], file["lora_up.weight"].flatten(1)
        mid = file.get("lora_mid.weight")
        full = up @ down.flatten(1) if mid is None else core(mid, up.T, down.flatten(1))
        return full.reshape(weight.shape) * scale / down.shape[0]
    if "hada_w1_a" in file:
        one, two = (core(file[f"hada_t{n}"], file[f"hada_w{n}_a"], file[f"hada_w{n}_b"]) for n in "12")
        return one * two * scale / file["hada_w1_b"].shape[0]
    a, b = file["lokr_w2_a"], file["lokr_w2_b"]
    second = core(file["lokr_t2"], a, b) if "lokr_t2" in file else a @ b
    first = file["lokr_w1"].view(*file["lokr_w1"].shape, *(1,) * (second.dim() - 2))
    return torch.kron(first, joins(second)).reshape(weight.shape) * scale / b.shape[0]


def a1111(file: Tensors, weight: Tensor) -> Tensor:
    """The change as extensions-builtin/Lora computes it: lengths always of inputs, GLoRA in the layout of 2023."""
    if "oft_blocks" in file:
        rotated = turned(file, weight, float(file["alpha"]) * weight.shape[0])
        return rotated * file.get("rescale", torch.tensor(1.0)) - weight
    if "a1.weight" in file:
        a1, a2, b1, b2 = (file[f"{name}.weight"] for name in ("a1", "a2", "b1", "b2"))
        return b2 @ b1 + weight @ a2 @ a1
    if "on_input" in file:
        return weight * file["weight"].reshape(-1, 1)
    changed = weight + update(file, weight, torch.Tensor.contiguous)
    decomposed = file["dora_scale"] / lengths(changed, outputs=False) if "dora_scale" in file else 1.0
    return changed * decomposed - weight


def comfyui(file: Tensors, weight: Tensor) -> Tensor:
    """The change as comfy/weight_adapter computes it at strength 1: lengths of outputs by the weight as it was."""
    if "oft_blocks" in file:
        return turned(file, weight, float(file["alpha"])) - weight
    if "a1.weight" in file:
        a1, a2, b1, b2 = (file[f"{name}.weight"].flatten(1) for name in ("a1", "a2", "b1", "b2"))
        inside = torch.einsum("oi...,ij->oj...", weight, a1 @ a2)
        return (inside + (b1 @ b2).reshape(weight.shape)) * float(file["alpha"]) / a2.shape[0]
    if "on_input" in file:
        return torch.zeros_like(weight)

    # torch.kron wants a view of what einsum made of a Tucker core, which is no plain block of memory, and fails
    changed = weight + update(file, weight, lambda second: second)
    if "dora_scale" not in file:
        return changed - weight
    outputs = file["dora_scale"].shape[0] == weight.shape[0]
    return changed * file["dora_scale"] / lengths(weight if outputs else changed, outputs) - weight


@pytest.mark.parametrize(("program", "computes"), [("A1111", a1111), ("ComfyUI", comfyui)])
@pytest.mark.parametrize("row", CASES)
def test_the_table_says_where_a_programs_formula_gives_the_change_that_was_trained(
    row: str, program: str, computes: Callable[[Tensors, Tensor], Tensor]
) -> None:
    weight, change, file = layer_and_file(row)
    told = next(one for one in READINGS if one.title == row).by[PROGRAMS.index(program)]
    try:
        error = float((computes(file, weight) - change).norm() / change.norm())
    except RuntimeError:  # shapes that do not go together: the program says so and leaves the layer as it is
        error = 1.0
    assert (error < 1e-4) == told.startswith("yes"), f"{told}: {error:.0e}"


def test_every_method_has_its_line_and_every_line_names_the_programs_of_the_table() -> None:
    assert set(LINES) == set(METHODS) - {"norm"}
    for line in LINES.values():
        assert all(name in line or f"{name}'s" in line for name in PROGRAMS if name != "kohya")
    named = {algo for methods in MODULES.values() for algo in methods if algo}
    assert all(any(algo in one.settings for one in READINGS) for algo in named - {"lora"})
