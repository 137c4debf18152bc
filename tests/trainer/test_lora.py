"""The LoRA network: values worked by hand, peft as the independent implementation, kohya's keys and shapes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from layer import Layer
from torch import nn

from trainer.networks import NetworkOptions, attach, network_options
from trainer.networks.base import NetworkError
from trainer.networks.lora import LoRA, full_delta
from trainer.networks.network import Network


def network(layer: nn.Module, **options: object) -> tuple[Network, LoRA]:
    made = attach([Layer("lora_unet_x", layer)], NetworkOptions(**options), seed=1)  # type: ignore[list-item,arg-type]
    adapter = next(made.adapters())[1]
    assert isinstance(adapter, LoRA)
    return made, adapter


def filled(module: LoRA) -> None:
    with torch.no_grad():
        module.up.copy_(torch.randn(module.up.shape, generator=torch.Generator().manual_seed(2)))


def test_a_fresh_network_changes_nothing() -> None:
    layer, x = nn.Linear(6, 5), torch.randn(2, 3, 6)
    before = layer(x)
    network(layer, rank=2)
    assert torch.equal(layer(x), before)


def test_a_linear_update_is_up_times_down_times_alpha_over_rank() -> None:
    layer = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(layer.weight)
    _, module = network(layer, rank=2, alpha=1.0)
    with torch.no_grad():
        module.down.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        module.up.copy_(torch.tensor([[10.0, 100.0]]))
    # up @ down = [310, 420]; times alpha / rank = 1/2
    assert layer(torch.tensor([[1.0, 1.0]])).item() == pytest.approx((310 + 420) / 2)


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(6, 5), nn.Conv2d(6, 5, 3, stride=2, padding=1), nn.Conv2d(6, 5, 1)],
    ids=["linear", "conv3", "conv1"],
)
def test_the_wrapped_layer_equals_the_layer_with_the_update_merged_in(layer: nn.Module) -> None:
    x = torch.randn(2, 6, 8, 8) if isinstance(layer, nn.Conv2d) else torch.randn(2, 4, 6)
    _, module = network(layer, rank=3, alpha=6.0, conv_rank=3, conv_alpha=6.0)
    filled(module)
    ours = layer(x)
    module.detach()
    with torch.no_grad():
        layer.weight += full_delta(module.down, module.up, 2.0)  # type: ignore[operator]
    torch.testing.assert_close(layer(x), ours, rtol=1e-5, atol=1e-5)


def test_peft_gives_the_same_output_for_the_same_weights() -> None:
    peft = pytest.importorskip("peft", reason="peft is a development dependency")
    layer, x = nn.Linear(6, 5), torch.randn(2, 6)
    theirs = peft.get_peft_model(nn.Sequential(layer), peft.LoraConfig(r=2, lora_alpha=3, target_modules=["0"]))
    ours_layer = nn.Linear(6, 5)
    ours_layer.load_state_dict({"weight": layer.weight, "bias": layer.bias})
    _, module = network(ours_layer, rank=2, alpha=3.0)
    filled(module)
    adapter = theirs.base_model.model[0]
    with torch.no_grad():
        adapter.lora_A["default"].weight.copy_(module.down)
        adapter.lora_B["default"].weight.copy_(module.up)
    torch.testing.assert_close(theirs(x), ours_layer(x), rtol=1e-5, atol=1e-6)


def test_tensors_are_named_and_shaped_as_in_kohyas_files() -> None:
    made, _ = network(nn.Conv2d(6, 5, 3), conv_rank=4)
    shapes = {name: tuple(value.shape) for name, value in made.state_dict().items()}
    assert shapes == {
        "lora_unet_x.lora_down.weight": (4, 6, 3, 3),
        "lora_unet_x.lora_up.weight": (5, 4, 1, 1),
        "lora_unet_x.alpha": (),
    }


def test_convolutions_stay_as_they_are_without_a_conv_rank() -> None:
    with pytest.raises(NetworkError, match="no layer of the model matches"):
        network(nn.Conv2d(6, 5, 3))


def test_alpha_zero_means_the_same_as_the_rank() -> None:
    made, module = network(nn.Linear(6, 5), rank=8, alpha=0.0)
    assert (module.scale, float(made.state_dict()["lora_unet_x.alpha"])) == (1.0, 8.0)


def test_initial_values_depend_on_seed_and_name_only_and_lie_in_kaimings_bound() -> None:
    _, one = network(nn.Linear(100, 5), rank=4)
    _, two = network(nn.Linear(100, 5), rank=4)
    assert torch.equal(one.down, two.down)
    assert 0.09 < float(one.down.abs().max()) <= 0.1  # 1 / sqrt(100)


def test_rank_dropout_keeps_the_expected_value() -> None:
    layer = nn.Linear(4, 1, bias=False)
    nn.init.zeros_(layer.weight)
    _, module = network(layer, rank=4, alpha=4.0, rank_dropout=0.5)
    with torch.no_grad():
        module.down.copy_(torch.eye(4))
        module.up.fill_(1.0)
    torch.manual_seed(0)
    mean = layer(torch.ones(20000, 4)).mean().item()
    assert mean == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("dropout", [{"dropout": 0.5}, {"rank_dropout": 0.5}, {"module_dropout": 1.0}])
def test_dropouts_are_off_outside_of_training(dropout: dict[str, float]) -> None:
    layer, x = nn.Linear(6, 5), torch.randn(2, 6)
    made, module = network(layer, rank=4, **dropout)
    filled(module)
    made.eval()
    assert torch.equal(layer(x), layer(x))
    assert not torch.equal(layer(x), module.__dict__["frozen_forward"](x))


def test_parts_have_own_groups_and_a_rate_of_zero_leaves_one_out() -> None:
    layers = [Layer("lora_te_a", nn.Linear(2, 2), "text_encoder"), Layer("lora_unet_b", nn.Linear(2, 2))]
    made = attach(layers, NetworkOptions(), seed=0)  # type: ignore[arg-type]
    assert [(group.label, group.lr) for group in made.groups(1e-5, 1e-4)] == [("textencoder", 1e-5), ("unet", 1e-4)]
    assert [group.label for group in made.groups(0, 1e-4)] == ["unet"]


def test_lora_plus_gives_the_up_matrices_their_own_rate() -> None:
    made, module = network(nn.Linear(2, 2), unet_plus_ratio=16.0)
    groups = made.groups(1e-5, 1e-4)
    assert [(group.label, group.lr) for group in groups] == [("unet", 1e-4), ("unet plus", 16e-4)]
    assert groups[1].parameters[0] is module.up


def test_an_update_above_the_norm_limit_ends_exactly_on_it() -> None:
    # KOHYA_COMPAT 13.12: a single module with norm 0.63 and limit 0.5 ends at 0.5
    made, module = network(nn.Linear(1, 1), rank=1, alpha=1.0)
    with torch.no_grad():
        module.down.fill_(0.7)
        module.up.fill_(0.9)
    assert [float(number) for number in made.limit_norms(0.5)] == [1, pytest.approx(0.5), pytest.approx(0.5)]
    assert float(full_delta(module.down, module.up, 1.0)) == pytest.approx(0.5)


def test_weights_of_a_file_are_taken_over_with_their_alpha() -> None:
    made, module = network(nn.Linear(6, 5), rank=2, alpha=2.0)
    state = {key: torch.full_like(value, 0.5) for key, value in made.state_dict().items()}
    said = "x.safetensors: its alpha is 0.5, the settings say 2; the file's is used and kept"
    assert made.load(state, "x.safetensors") == [said]
    assert made.load(state, "x.safetensors") == []
    assert (module.scale, float(module.up[0, 0])) == (0.25, 0.5)


def test_a_file_of_another_rank_is_refused_with_the_cure() -> None:
    made, _ = network(nn.Linear(6, 5), rank=2)
    with pytest.raises(
        NetworkError, match=r"x\.safetensors: .* has shape \(4, 6\), the network here \(2, 6\); set network_dim"
    ):
        made.load({"lora_unet_x.lora_down.weight": torch.zeros(4, 6)}, "x.safetensors")


def test_a_file_for_another_model_is_refused() -> None:
    made, _ = network(nn.Linear(6, 5))
    with pytest.raises(NetworkError, match="none of its 1 tensors belongs to this model"):
        made.load({"lora_te1_y.alpha": torch.tensor(1.0)}, "x.safetensors")


def test_ranks_and_alphas_are_read_from_a_file_and_layers_it_does_not_name_stay_as_they_are() -> None:
    state = {
        "lora_unet_a.lora_down.weight": torch.zeros(8, 2),
        "lora_unet_a.alpha": torch.tensor(4),
        "lora_unet_b.lora_down.weight": torch.zeros(3, 2),
    }
    layers = [Layer(f"lora_unet_{name}", nn.Linear(2, 2)) for name in "abc"]
    made = attach(layers, NetworkOptions(), seed=0, like=state)  # type: ignore[arg-type]
    sizes = {name: (adapter.rank, float(adapter.alpha)) for name, adapter in made.adapters()}  # type: ignore[union-attr,arg-type]
    assert sizes == {"lora_unet_a": (8, 4.0), "lora_unet_b": (3, 3.0)}


def test_network_args_become_options() -> None:
    @dataclass
    class Section:
        network_module: str = "networks.lora"
        network_dim: int | None = None
        network_alpha: float = 1.0
        network_dropout: float | None = 0.1
        network_args: tuple[str, ...] = (
            "conv_dim=8",
            "conv_alpha=4",
            "loraplus_lr_ratio=16",
            "loraplus_unet_lr_ratio=4",
        )

    options = network_options(Section())
    assert (options.rank, options.conv_rank, options.conv_alpha, options.dropout) == (4, 8, 4.0, 0.1)
    assert (options.unet_plus_ratio, options.text_encoder_plus_ratio) == (4.0, 16.0)


@pytest.mark.parametrize("method", ["lora", "lora_fa", "dylora"])
def test_a_block_with_a_network_compiles_to_one_graph_and_gives_the_same(method: str) -> None:
    from diffusers.models.attention import BasicTransformerBlock

    torch.manual_seed(0)
    block = BasicTransformerBlock(8, 2, 4, cross_attention_dim=6).requires_grad_(False)
    layers = [
        Layer(f"lora_unet_{path.replace('.', '_')}", one)
        for path, one in block.named_modules()
        if isinstance(one, nn.Linear)
    ]
    made = attach(layers, NetworkOptions(method=method, rank=2), seed=0)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    x, context = torch.randn(2, 5, 8), torch.randn(2, 7, 6)
    made.eval()
    told = torch._dynamo.explain(block)(x, encoder_hidden_states=context)
    assert (told.graph_break_count, told.graph_count) == (0, 1)
    compiled = torch.compile(block, backend="aot_eager")
    torch.testing.assert_close(compiled(x, encoder_hidden_states=context), block(x, encoder_hidden_states=context))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_dropped_module_breaks_no_graph(dropout: float) -> None:
    layer = nn.Linear(4, 4)
    made, module = network(layer, rank=2, module_dropout=dropout)
    filled(module)
    made.train()
    assert torch._dynamo.explain(nn.Sequential(layer))(torch.randn(2, 4)).graph_break_count == 0


def test_under_autocast_the_update_is_added_in_the_layers_format() -> None:
    layer, x = nn.Linear(6, 5), torch.randn(2, 3, 6)
    _, module = network(layer, rank=2, alpha=1.0)
    filled(module)
    exact = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        given = layer(x)
        given.sum().backward()
    assert given.dtype == torch.bfloat16 and module.up.grad is not None and module.up.grad.dtype == torch.float32
    torch.testing.assert_close(given.float(), exact, rtol=0.05, atol=0.05)
