"""LyCORIS' methods: lycoris-lora as the independent implementation, module by module, with given weights."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from layer import Layer
from torch import Tensor, nn

from trainer.networks.base import Adapter, NetworkError, Size
from trainer.networks.methods import METHODS
from trainer.networks.network import Network
from trainer.networks.options import NetworkOptions


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


RANKED = [case for case in CASES if case.method in ("locon", "loha", "lokr")]


@pytest.mark.parametrize("kind", ["linear", "conv1", "conv3"])
@pytest.mark.parametrize("case", RANKED, ids=str)
def test_rank_dropout_leaves_out_output_channels_of_the_update_as_lycoris_does(case: Case, kind: str) -> None:
    layer, x = a_layer(kind), an_input(kind)
    made = filled(adapter(case, layer, rank_dropout=0.5))
    torch.manual_seed(11)
    output = layer(x)
    torch.manual_seed(11)
    keep = torch.rand(40) > 0.5
    assert keep.any() and not keep.all()
    update = made.delta(made.scale * made.scalar) * keep.view(-1, *(1,) * (layer.weight.dim() - 1))  # type: ignore[operator]
    weight = layer.weight + update
    if made.dora_scale is not None:
        rows = weight if made.on_output else weight.transpose(0, 1)
        lengths = rows.flatten(1).norm(dim=1).view(made.dora_scale.shape)  # type: ignore[union-attr]
        weight = weight * made.dora_scale / lengths
    changed = nn.Parameter(weight.detach())
    made.detach()
    layer.weight = changed
    torch.testing.assert_close(output, layer(x), rtol=1e-4, atol=2e-5)


def test_with_bypass_mode_rank_dropout_leaves_out_ranks() -> None:
    layer, x = a_layer("linear"), an_input("linear")
    made: Any = filled(adapter(Case("locon", (("bypass_mode", True),), rank=8), layer, rank_dropout=0.5))
    torch.manual_seed(12)
    output = layer(x) - made.frozen(x)
    torch.manual_seed(12)
    keep = (torch.rand(8) > 0.5).float()
    expected = F.linear(F.linear(x, made.down) * keep, made.up) * made.scale
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)


def test_rank_dropout_scale_keeps_the_expected_value() -> None:
    layer, x = a_layer("linear"), an_input("linear")
    made: Any = filled(adapter(Case("locon", (("rank_dropout_scale", True),)), layer, rank_dropout=0.5))
    torch.manual_seed(13)
    mask = made.mask(40, torch.device("cpu"))
    assert float(mask.mean()) == pytest.approx(1.0)
    assert len(mask.unique()) == 2
    assert layer(x).isfinite().all()


@pytest.mark.parametrize(
    "case", [Case("locon"), Case("loha"), Case("lokr", (("factor", 4),), rank=2), Case("glora")], ids=str
)
def test_dropout_keeps_the_expected_update(case: Case) -> None:
    layer, x = a_layer("linear"), torch.ones(4000, 24)
    made = filled(adapter(case, layer, dropout=0.5))
    torch.manual_seed(14)
    dropped = (layer(x) - made.frozen(x)).mean(dim=0)
    made.eval()
    whole = (layer(x) - made.frozen(x))[0]
    torch.testing.assert_close(dropped, whole, rtol=0.1, atol=0.1 * float(whole.abs().max()))


@pytest.mark.parametrize("case", [Case("glora"), Case("full"), Case("diag-oft", rank=8), Case("norm")], ids=str)
def test_rank_dropout_acts_in_training_only(case: Case) -> None:
    kind = "layer norm" if case.method == "norm" else "linear"
    layer, x = a_layer(kind), an_input(kind)
    made = filled(adapter(case, layer, rank_dropout=0.5))
    torch.manual_seed(15)
    assert not torch.equal(layer(x), layer(x))
    made.eval()
    assert torch.equal(layer(x), layer(x))
    torch.testing.assert_close(merged(layer, made, x), layer(x), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(
    "case", [Case(method) for method in THEIR_CLASSES if method != "boft"] + [Case("boft", rank=10)], ids=str
)
def test_module_dropout_of_one_leaves_the_frozen_layer(case: Case) -> None:
    kind = "layer norm" if case.method == "norm" else "linear"
    layer, x = a_layer(kind), an_input(kind)
    made = filled(adapter(case, layer, module_dropout=1.0))
    assert torch.equal(layer(x), made.frozen(x))
    made.eval()
    assert not torch.equal(layer(x), made.frozen(x))


@pytest.mark.parametrize("kind", ["linear", "conv1", "conv3"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_half_precision_stays_near_float32(case: Case, kind: str) -> None:
    layer, x = a_layer(kind), an_input(kind)
    filled(adapter(case, layer))
    exact = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = layer(x)
    assert half.dtype == torch.bfloat16
    assert float((half.float() - exact).norm() / exact.norm()) < 0.02


@pytest.mark.parametrize("kind", ["linear", "conv1", "conv3"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_base_in_bfloat16_gives_its_own_format(case: Case, kind: str) -> None:
    layer, x = a_layer(kind).to(torch.bfloat16), an_input(kind).to(torch.bfloat16)
    made = filled(adapter(case, layer))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = layer(x)
    output.float().sum().backward()
    assert output.dtype == torch.bfloat16
    assert all(parameter.grad is not None and parameter.dtype == torch.float32 for parameter in made.parameters())


@pytest.mark.parametrize("kind", ["linear", "conv1", "conv3"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_weights_trained_in_bfloat16_learn(case: Case, kind: str) -> None:
    layer, x = a_layer(kind).to(torch.bfloat16), an_input(kind).to(torch.bfloat16)
    made = filled(adapter(case, layer, rank_dropout=0.1, dropout=0.1))
    for parameter in made.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(x).float().square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in made.parameters())
    assert made.weight_delta().dtype == torch.float32


@pytest.mark.parametrize("kind", ["linear", "conv1", "conv3"])
@pytest.mark.parametrize("case", [*RANKED, *(case for case in CASES if "oft" in str(case))], ids=str)
def test_norms_above_the_limit_end_on_it(case: Case, kind: str) -> None:
    made = filled(adapter(case, a_layer(kind)))
    network = Network({"x": made}, NetworkOptions())
    before = float(made.norm().detach())
    assert network.limit_norms(before / 2) == (1, pytest.approx(before / 2), pytest.approx(before / 2))
    assert float(made.norm()) == pytest.approx(before / 2, rel=1e-5)
    assert network.limit_norms(before)[0] == 0


def test_norms_are_those_that_lycoris_limits() -> None:
    for case in (Case("locon"), Case("locon", (("use_tucker", True),)), Case("loha"), Case("diag-oft", rank=8)):
        ours, their = filled(adapter(case, a_layer("conv3"))), theirs(case, a_layer("conv3"))
        values = dict(their.named_parameters())
        with torch.no_grad():
            for name, value in ours.named_parameters():
                values[name].copy_(value)
        _, norm = their.apply_max_norm(1e9, torch.device("cpu"))
        assert float(ours.norm()) == pytest.approx(float(norm), rel=1e-5)


@pytest.mark.parametrize("case", [Case("glora"), Case("ia3"), Case("full")], ids=str)
def test_methods_whose_norm_lycoris_leaves_alone_are_not_limited(case: Case) -> None:
    made = filled(adapter(case, a_layer("linear")))
    before = made.weight_delta()
    assert Network({"x": made}, NetworkOptions()).limit_norms(1e-3) == (0, 0.0, 0.0)
    assert torch.equal(made.weight_delta(), before)


def test_lycoris_merges_loha_with_the_scale_twice_and_we_do_not() -> None:
    case = Case("loha", rank=4, alpha=2.0)
    ours, their = filled(adapter(case, a_layer("linear"))), theirs(case, a_layer("linear"))
    values = dict(their.named_parameters())
    with torch.no_grad():
        for name, value in ours.named_parameters():
            values[name].copy_(value)
    by_hand = 0.5 * (values["hada_w1_a"] @ values["hada_w1_b"]) * (values["hada_w2_a"] @ values["hada_w2_b"])
    torch.testing.assert_close(ours.weight_delta(), by_hand)
    torch.testing.assert_close(their.get_diff_weight()[0], 0.5 * by_hand)


def test_a_resumed_scalar_goes_on_where_it_was() -> None:
    """The scalar is part of the state, not of the file: folded into a factor, it would start at 1 again."""
    for case in (Case("locon", (("use_scalar", True),)), Case("glora", (("use_scalar", True),))):
        made = filled(adapter(case, a_layer("linear")))
        again = adapter(case, a_layer("linear"))
        again.load_state_dict(made.state_dict())
        assert float(again.scalar) == float(made.scalar) != 1.0


def test_whole_matrices_of_lokr_have_no_alpha() -> None:
    made: Any = adapter(Case("lokr", (("full_matrix", True),), rank=8, alpha=2.0), a_layer("linear"))
    assert made.scale == 1.0


def test_a_prime_side_gets_no_kronecker_cut_and_no_butterfly() -> None:
    layer = nn.Linear(7, 13)
    made: Any = adapter(Case("lokr"), layer)
    assert made.lokr_w1.shape == (1, 1)
    with pytest.raises(NetworkError, match=r"lora_unet_x: its 13 outputs cannot be cut .* choose diag-oft"):
        adapter(Case("boft", rank=10), layer)
    with pytest.raises(NetworkError, match="its 320 outputs cannot be cut .* set network_dim to 10 or more"):
        adapter(Case("boft", rank=8), nn.Linear(4, 320))


@pytest.mark.parametrize(
    "case",
    [Case("locon", (("dora_wd", True),)), Case("loha"), Case("lokr", (("factor", 4),), rank=2), Case("glora"),
     Case("diag-oft", rank=8), Case("boft", rank=10)],
    ids=str,
)  # fmt: skip
def test_an_adapted_layer_compiles_in_one_piece(case: Case) -> None:
    layer, x = a_layer("linear"), an_input("linear")
    filled(adapter(case, layer, rank_dropout=0.2)).eval()
    torch._dynamo.reset()
    compiled = torch.compile(layer.forward, backend="aot_eager", fullgraph=True)
    output = compiled(x)
    output.sum().backward()
    torch.testing.assert_close(output, layer(x), rtol=1e-4, atol=1e-5)
