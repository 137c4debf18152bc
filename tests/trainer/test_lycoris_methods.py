"""LyCORIS' methods: lycoris-lora as the independent implementation, module by module, with given weights."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.networks.base import Adapter, Size
from trainer.networks.methods import METHODS
from trainer.networks.network import Network
from trainer.networks.options import NetworkOptions


@dataclass(frozen=True)
class Layer:
    name: str
    module: nn.Module
    part: str = "unet"
    path: str = "x"
    containers: frozenset[str] = frozenset()
    block: int | None = None


@dataclass(frozen=True)
class Case:
    """A method with its arguments, and LyCORIS' class with the same."""

    method: str
    arguments: tuple[tuple[str, Any], ...] = ()
    rank: int = 3
    alpha: float = 1.5

    def __str__(self) -> str:
        return "-".join([self.method, *(f"{name}={value}" for name, value in self.arguments)])


THEIR_CLASSES = {
    "locon": "locon.LoConModule", "loha": "loha.LohaModule", "lokr": "lokr.LokrModule", "ia3": "ia3.IA3Module",
    "glora": "glora.GLoRAModule", "diag-oft": "diag_oft.DiagOFTModule", "boft": "boft.ButterflyOFTModule",
    "full": "full.FullModule", "norm": "norms.NormModule",
}  # fmt: skip
THEIR_NAMES = {"dora_wd": "weight_decompose", "wd_on_output": "wd_on_out"}
LAYERS = ("linear", "linear without bias", "conv1", "conv3")
CASES = [
    Case("locon"), Case("locon", (("use_tucker", True),)), Case("locon", (("dora_wd", True),)),
    Case("locon", (("dora_wd", True), ("wd_on_output", False))),
    Case("locon", (("dora_wd", True), ("use_tucker", True))), Case("locon", (("use_scalar", True),)),
    Case("loha"), Case("loha", (("use_tucker", True),)), Case("loha", (("dora_wd", True),)),
    Case("loha", (("dora_wd", True), ("wd_on_output", False))), Case("loha", (("use_scalar", True),)),
    Case("lokr", rank=1), Case("lokr", (("factor", 4),), rank=2), Case("lokr", (("factor", 2), ("use_tucker", True))),
    Case("lokr", (("factor", 4), ("decompose_both", True)), rank=1), Case("lokr", (("full_matrix", True),)),
    Case("lokr", (("unbalanced_factorization", True),), rank=2),
    Case("lokr", (("factor", 2), ("dora_wd", True))),
    Case("lokr", (("factor", 4), ("dora_wd", True), ("wd_on_output", False)), rank=2),
    Case("lokr", (("factor", 4), ("use_scalar", True)), rank=2),
    Case("ia3"), Case("ia3", (("train_on_input", True),)), Case("glora"), Case("glora", (("use_scalar", True),)),
    Case("diag-oft", rank=8), Case("diag-oft", (("constraint", 0.01),), rank=8),
    Case("diag-oft", (("rescaled", True),), rank=8),
    Case("boft", rank=10), Case("boft", (("constraint", 0.01),), rank=10), Case("boft", (("rescaled", True),), rank=10),
    Case("full"),
]  # fmt: skip


def a_layer(kind: str) -> nn.Module:
    torch.manual_seed(5)
    return {
        "linear": lambda: nn.Linear(24, 40), "linear without bias": lambda: nn.Linear(24, 40, bias=False),
        "conv1": lambda: nn.Conv2d(24, 40, 1), "conv3": lambda: nn.Conv2d(24, 40, 3, stride=2, padding=1),
        "layer norm": lambda: nn.LayerNorm(24), "group norm": lambda: nn.GroupNorm(4, 24),
    }[kind]()  # fmt: skip


def an_input(kind: str) -> Tensor:
    torch.manual_seed(6)
    return torch.randn(2, 5, 24) if kind.startswith(("linear", "layer")) else torch.randn(2, 24, 6, 6)


def adapter(case: Case, layer: nn.Module, **dropouts: float) -> Adapter:
    options = NetworkOptions(arguments=dict(case.arguments), **dropouts)  # type: ignore[arg-type]
    made = METHODS[case.method](Layer("lora_unet_x", layer), Size(case.rank, case.alpha), options)  # type: ignore[arg-type]
    made.initialise(torch.Generator().manual_seed(3))
    made.attach()
    return made


def filled(made: Adapter) -> Adapter:
    """Every parameter away from its first value; lengths and factors near it."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            near = name in ("dora_scale", "rescale")
            parameter.copy_(parameter * (1 + 0.1 * noise) if near else 0.4 * noise)
    return made


def theirs(case: Case, layer: nn.Module) -> Any:
    """LyCORIS' module over a layer, attached."""
    pytest.importorskip("lycoris", reason="lycoris-lora is a development dependency")
    module, _, name = THEIR_CLASSES[case.method].partition(".")
    kind = getattr(importlib.import_module(f"lycoris.modules.{module}"), name)
    arguments = {THEIR_NAMES.get(key, key): value for key, value in case.arguments}
    if case.method == "norm":
        return kind("x", layer, 1.0)
    return kind("x", layer, 1.0, case.rank, case.alpha, **arguments)


def merged(layer: Any, made: Adapter, x: Tensor) -> Tensor:
    """What the layer gives when the change is added to its weight and bias."""
    weight, bias = layer.weight + made.weight_delta(), layer.bias
    if made.bias_delta() is not None:
        bias = bias + made.bias_delta()
    if isinstance(layer, nn.Conv2d):
        return F.conv2d(x, weight, bias, layer.stride, layer.padding)
    if isinstance(layer, nn.LayerNorm):
        return F.layer_norm(x, layer.normalized_shape, weight, bias, layer.eps)
    return (
        F.group_norm(x, layer.num_groups, weight, bias, layer.eps)
        if isinstance(layer, nn.GroupNorm)
        else F.linear(x, weight, bias)
    )


def places() -> Iterator[Any]:
    for case in CASES:
        for kind in LAYERS:
            yield pytest.param(case, kind, id=f"{case}-{kind}")
    yield pytest.param(Case("norm"), "layer norm", id="norm-layer norm")
    yield pytest.param(Case("norm"), "group norm", id="norm-group norm")


@pytest.mark.parametrize(("case", "kind"), places())
def test_lycoris_gives_the_same_output_and_gradients_for_the_same_weights(case: Case, kind: str) -> None:
    ours_layer, their_layer, x = a_layer(kind), a_layer(kind), an_input(kind)
    ours = filled(adapter(case, ours_layer))
    their = theirs(case, their_layer)
    state = {name: value for name, value in ours.named_parameters() if name != "scalar"}
    their_state = dict(their.named_parameters())
    renamed = {"diff": "weight", "diff_b": "bias"} if case.method == "full" else {}
    with torch.no_grad():
        for name, value in state.items():
            their_state[renamed.get(name, name)].copy_(value)
        if "scalar" in their_state:
            their_state["scalar"].copy_(dict(ours.named_parameters())["scalar"])
    their.apply_to()

    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours_output, their_output = ours_layer(one), their.forward(other)
    torch.testing.assert_close(ours_output, their_output, rtol=2e-5, atol=2e-5)
    pull = torch.randn(ours_output.shape, generator=torch.Generator().manual_seed(9))
    (ours_output * pull).sum().backward()
    (their_output * pull).sum().backward()
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)
    for name, value in state.items():
        theirs_grad = their_state[renamed.get(name, name)].grad
        torch.testing.assert_close(value.grad, theirs_grad, rtol=1e-3, atol=2e-4 * float(theirs_grad.abs().max()))


@pytest.mark.parametrize(("case", "kind"), places())
def test_a_fresh_adapter_changes_nothing(case: Case, kind: str) -> None:
    layer, x = a_layer(kind), an_input(kind)
    before = layer(x)
    adapter(case, layer)
    torch.testing.assert_close(layer(x), before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("case", "kind"), places())
def test_the_change_of_the_weight_gives_what_the_forward_gives(case: Case, kind: str) -> None:
    layer, x = a_layer(kind), an_input(kind)
    made = filled(adapter(case, layer))
    output = layer(x)
    assert not torch.allclose(output, made.frozen(x), atol=1e-2)
    torch.testing.assert_close(merged(layer, made, x), output, rtol=1e-4, atol=2e-5)
    assert made.weight_delta().dtype == torch.float32


@pytest.mark.parametrize(("case", "kind"), places())
def test_gradients_reach_every_trained_tensor(case: Case, kind: str) -> None:
    layer, x = a_layer(kind), an_input(kind)
    made = filled(adapter(case, layer))
    (layer(x) * torch.randn(layer(x).shape)).sum().backward()
    without = [name for name, value in made.named_parameters() if value.grad is None or not value.grad.abs().sum()]
    assert without == []


@pytest.mark.parametrize(("case", "kind"), places())
def test_a_file_read_back_gives_the_same_output(case: Case, kind: str) -> None:
    layer, again, x = a_layer(kind), a_layer(kind), an_input(kind)
    made = filled(adapter(case, layer))
    file = {key: value.clone() for key, value in made.file_tensors().items()}
    assert "scalar" not in file
    kinds = [name for name, one in METHODS.items() if one.knows(file)]
    found = METHODS[kinds[0]].like(Layer("lora_unet_x", again), file, NetworkOptions())  # type: ignore[arg-type]
    found.initialise(torch.Generator().manual_seed(1))
    found.attach()
    network = Network({"lora_unet_x": found}, NetworkOptions())
    notes = network.load({f"lora_unet_x.{key}": value for key, value in file.items()}, "x.safetensors")
    assert notes == []
    torch.testing.assert_close(again(x), layer(x), rtol=1e-5, atol=1e-5)
