"""kohya's network modules: which layers, which names, which numbers. Expected names are written out from
KOHYA_COMPAT 6.1, numbers are worked by hand or by the plainest computation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest
import tiny
import torch
from layer import Layer
from torch import nn

from trainer.families.layers import clip_name, layers_of, sd_block
from trainer.networks import NetworkOptions, attach, merge, network_options, renamed
from trainer.networks.arguments import MODULES, faults
from trainer.networks.base import NetworkError, Target
from trainer.networks.blocks import LAYOUTS, BlockOptions, block_weights, multipliers
from trainer.networks.dylora import DyLoRA
from trainer.networks.lora import LoRA
from trainer.networks.lora_fa import LoRAFA
from trainer.networks.methods import METHODS
from trainer.networks.oft import OFT, turns


@dataclass(frozen=True)
class Section:
    network_module: str = "networks.lora"
    network_dim: int | None = 4
    network_alpha: float = 2.0
    network_dropout: float | None = None
    network_args: tuple[str, ...] = ()


@lru_cache(maxsize=2)
def full_size(name: str) -> list[Any]:
    """All layers of a full-size model, without storage."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(tiny.config("unet", name))
        text = CLIPTextModel(CLIPTextConfig(**tiny.config("text_encoder", name)))
    found = layers_of(text, "text_encoder", "lora_te", clip_name)
    return [*found, *layers_of(unet, "unet", "lora_unet", block=sd_block)]


def text_names(count: int) -> Iterator[str]:
    for i in range(count):
        for part in (
            "self_attn_k_proj",
            "self_attn_v_proj",
            "self_attn_q_proj",
            "self_attn_out_proj",
            "mlp_fc1",
            "mlp_fc2",
        ):
            yield f"lora_te_text_model_encoder_layers_{i}_{part}"


def attention_names() -> Iterator[str]:
    places = [f"down_blocks_{i}_attentions_{j}" for i in range(3) for j in range(2)] + ["mid_block_attentions_0"]
    places += [f"up_blocks_{i}_attentions_{j}" for i in range(1, 4) for j in range(3)]
    for place in places:
        yield from (f"lora_unet_{place}_proj_in", f"lora_unet_{place}_proj_out")
        for attention in ("attn1", "attn2"):
            for part in ("to_q", "to_k", "to_v", "to_out_0"):
                yield f"lora_unet_{place}_transformer_blocks_0_{attention}_{part}"
        yield f"lora_unet_{place}_transformer_blocks_0_ff_net_0_proj"
        yield f"lora_unet_{place}_transformer_blocks_0_ff_net_2"


def convolution_names() -> Iterator[str]:
    """SD 1 and 2: widths change in down 1.0, 2.0 and, by the skip connections, in every block of the way up."""
    shortcuts = {"down_blocks_1_resnets_0", "down_blocks_2_resnets_0"}
    places = [f"down_blocks_{i}_resnets_{j}" for i in range(4) for j in range(2)] + [
        f"mid_block_resnets_{j}" for j in (0, 1)
    ]
    ups = [f"up_blocks_{i}_resnets_{j}" for i in range(4) for j in range(3)]
    for place in places + ups:
        parts = ["conv1", "conv2", "time_emb_proj"] + (["conv_shortcut"] if place in shortcuts | set(ups) else [])
        yield from (f"lora_unet_{place}_{part}" for part in parts)
    yield from (f"lora_unet_down_blocks_{i}_downsamplers_0_conv" for i in range(3))
    yield from (f"lora_unet_up_blocks_{i}_upsamplers_0_conv" for i in range(3))


@pytest.mark.parametrize(
    ("family", "text_layers", "counts"), [("sd1", 12, (72, 192, 278)), ("sd2", 23, (138, 192, 278))]
)
def test_full_size_models_have_the_names_and_counts_of_sd_scripts(
    family: str, text_layers: int, counts: tuple[int, int, int]
) -> None:
    layers = full_size(family)
    plain = attach(layers, NetworkOptions(rank=1), seed=0)
    names = [name for name, _ in plain.adapters()]
    plain.detach()
    with_convolutions = attach(layers, NetworkOptions(rank=1, conv_rank=1), seed=0)
    all_names = [name for name, _ in with_convolutions.adapters()]
    with_convolutions.detach()
    assert set(names) == {*text_names(text_layers), *attention_names()} and len(names) == counts[0] + counts[1]
    assert set(all_names) == {*names, *convolution_names()} and len(all_names) == counts[0] + counts[2]


def test_without_conv_rank_neither_time_embeddings_nor_shortcuts_are_adapted_whatever_came_before() -> None:
    """Q-28: in sd-scripts a network made from a file changes what later networks adapt."""
    file = {"lora_unet_mid_block_resnets_0_time_emb_proj.lora_down.weight": torch.zeros(2, 1280)}
    attach(full_size("sd1"), NetworkOptions(), seed=0, like=file).detach()
    made = attach(full_size("sd1"), NetworkOptions(rank=1), seed=0)
    made.detach()
    assert not any("resnets" in name for name, _ in made.adapters())


def test_a_file_with_layers_of_residual_blocks_only_gives_those() -> None:
    names = ("mid_block_resnets_0_time_emb_proj", "up_blocks_1_resnets_0_conv_shortcut")
    shapes = {names[0]: (2, 1280), names[1]: (3, 2560, 1, 1)}
    file = {f"lora_unet_{name}.lora_down.weight": torch.zeros(shapes[name]) for name in names}
    made = attach(full_size("sd1"), NetworkOptions(), seed=0, like=file)
    made.detach()
    assert {name: adapter.size.rank for name, adapter in made.adapters()} == {
        "lora_unet_mid_block_resnets_0_time_emb_proj": 2, "lora_unet_up_blocks_1_resnets_0_conv_shortcut": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("down_blocks.0.attentions.0.proj_in", 1), ("down_blocks.0.resnets.1.conv1", 2), ("conv_in", 0),
        ("down_blocks.0.downsamplers.0.conv", 3), ("down_blocks.3.resnets.1.conv2", 11),
        ("mid_block.resnets.1.conv1", 12), ("up_blocks.0.resnets.0.conv1", 13), ("up_blocks.0.upsamplers.0.conv", 15),
        ("up_blocks.3.attentions.2.proj_out", 24), ("time_embedding.linear_1", None), ("conv_out", None),
    ],
)  # fmt: skip
def test_blocks_are_numbered_as_sd_scripts_does(path: str, block: int | None) -> None:
    assert sd_block(path) == block


def test_presets_of_multipliers_are_the_curves_their_names_say() -> None:
    assert multipliers("down_lr_weight", "linear", 3) == [0, 0.5, 1]
    assert multipliers("down_lr_weight", "reverse_linear+0.5", 3) == [1.5, 1, 0.5]
    assert multipliers("up_lr_weight", "sine", 3) == pytest.approx([0, math.sqrt(0.5), 1])
    assert multipliers("up_lr_weight", "cosine+.25", 3) == pytest.approx([1.25, math.sqrt(0.5) + 0.25, 0.25])
    assert multipliers("down_lr_weight", "zeros+1", 2) == [1, 1]


def test_lists_of_multipliers_are_cut_filled_with_one_and_empty_items_are_zero() -> None:
    assert multipliers("down_lr_weight", "0.1,,0.3,0.4", 3) == [0.1, 0, 0.3]
    assert multipliers("down_lr_weight", "0.1,0.2", 3) == [0.1, 0.2, 1]
    assert multipliers("mid_lr_weight", "0.5", 1) == [0.5]


def test_the_three_lists_stand_one_behind_the_other_and_sdxl_has_a_one_at_each_end() -> None:
    options = BlockOptions(down="linear", mid="0.5", zero_threshold=0.1)
    sd, xl = block_weights(options, LAYOUTS[25]), block_weights(options, LAYOUTS[23])
    assert sd is not None and sd[:3] == [0, 0, pytest.approx(2 / 11)] and sd[12] == 0.5 and sd[13:] == [1] * 12
    assert xl is not None and xl[0] == xl[22] == 1 and xl[1:3] == [0, 1 / 8] and xl[10:13] == [0.5, 1, 1]


def blocks_of_25() -> list[Layer]:
    return [Layer(f"lora_unet_b{block}", nn.Linear(2, 2), block=block) for block in range(25)]


def test_blocks_have_their_own_ranks_and_alphas_and_rank_zero_leaves_one_out() -> None:
    dims = ",".join(str(block % 3) for block in range(25))
    options = network_options(Section(network_args=(f"block_dims={dims}",)))
    text = Layer("lora_te_text_model_x", nn.Linear(2, 2), "text_encoder", containers=frozenset({"CLIPMLP"}))
    made = attach([text, *blocks_of_25()], options, seed=0)  # type: ignore[list-item]
    sizes = {name: (adapter.size.rank, adapter.size.alpha) for name, adapter in made.adapters()}
    assert sizes["lora_te_text_model_x"] == (4, 2.0) and sizes["lora_unet_b2"] == (2, 2.0)
    assert "lora_unet_b3" not in sizes and len(sizes) == 1 + 16


def test_convolutions_of_blocks_have_their_own_ranks() -> None:
    conv = frozenset({"ResnetBlock2D"})
    layers = [*blocks_of_25(), Layer("lora_unet_c5", nn.Conv2d(2, 2, 3), containers=conv, block=5),
              Layer("lora_unet_c6", nn.Conv2d(2, 2, 3), containers=conv, block=6)]  # fmt: skip
    conv_dims = ",".join("3" if block == 5 else "0" for block in range(25))
    options = network_options(Section(network_args=(f"conv_block_dims={conv_dims}", "conv_alpha=1.5")))
    made = attach(layers, options, seed=0)  # type: ignore[arg-type]
    sizes = {name: (adapter.size.rank, adapter.size.alpha) for name, adapter in made.adapters()}
    assert sizes["lora_unet_c5"] == (3, 1.5) and "lora_unet_c6" not in sizes and sizes["lora_unet_b1"] == (4, 2.0)


def test_blocks_with_a_multiplier_are_groups_of_their_own_and_zero_makes_no_module() -> None:
    options = network_options(Section(network_args=("up_lr_weight=zeros", "mid_lr_weight=0.5", "loraplus_lr_ratio=4")))
    made = attach(blocks_of_25(), options, seed=0)  # type: ignore[arg-type]
    groups = {group.label: group.lr for group in made.groups(1e-5, 1e-4)}
    assert groups["unet_block12"] == pytest.approx(5e-5) and groups["unet_block12 plus"] == pytest.approx(2e-4)
    assert groups["unet_block3"] == pytest.approx(1e-4) and len(groups) == 2 * 13
    assert [name for name, _ in made.adapters()] == [f"lora_unet_b{block}" for block in range(13)]


def test_a_list_for_another_family_is_refused_with_the_right_length() -> None:
    options = network_options(Section(network_args=("block_dims=" + ",".join("4" * 23),)))
    with pytest.raises(NetworkError, match="block_dims has 23 numbers; this model has 25 blocks"):
        attach(blocks_of_25(), options, seed=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "text", "words"),
    [
        ("networks.lora", "conv_dmi=4", "networks.lora has no argument 'conv_dmi'; did you mean 'conv_dim'?"),
        ("networks.lora", "unit=4", "networks.lora has no argument 'unit'"),
        ("networks.lora", "rank_dropout=1", "rank_dropout=1 must be at least 0 and below 1"),
        ("networks.lora", "block_dims=4,4", "block_dims has 2 numbers; give one for each block: 25"),
        ("networks.lora", "down_lr_weight=0.5", "down_lr_weight=0.5 is neither a list nor a preset"),
        ("networks.lora", "up_lr_weight=sinus", "up_lr_weight=sinus is neither a list nor a preset"),
        ("networks.lora", "up_lr_weight=1,x", "'x' is not a number of at least 0"),
        ("networks.lora", "block_alphas=" + ",".join("1" * 25), "block_alphas has no effect without block_dims"),
        ("networks.lora_fa", "loraplus_lr_ratio=4", "networks.lora_fa has no argument 'loraplus_lr_ratio'"),
        ("networks.dylora", "rank_dropout=0.1", "networks.dylora has no argument 'rank_dropout'"),
        ("networks.oft", "enable_conv=yes", "enable_conv=yes is not True or False"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named_with_the_cure(module: str, text: str, words: str) -> None:
    (said,) = faults(module, [text])
    assert words in said


def test_every_method_of_the_table_has_a_class() -> None:
    named = {method.name for methods in MODULES.values() for method in methods.values()}
    assert named <= METHODS.keys()


def test_two_text_encoders_may_have_two_rates() -> None:
    text = frozenset({"CLIPMLP"})
    layers = [
        Layer(f"lora_{te}_text_model_x", nn.Linear(2, 2), "text_encoder", containers=text) for te in ("te1", "te2")
    ]
    made = attach(layers, NetworkOptions(), seed=0)  # type: ignore[arg-type]
    assert [(g.label, g.lr, len(g.parameters)) for g in made.groups((1e-5, 2e-5), 0)] == [
        ("textencoder 1", 1e-5, 2), ("textencoder 2", 2e-5, 2),
    ]  # fmt: skip
    assert [group.label for group in made.groups(1e-5, 0)] == ["textencoder"]
    one = attach([Layer("lora_te_text_model_x", nn.Linear(2, 2), "text_encoder", containers=text)], NetworkOptions(), 0)  # type: ignore[list-item]
    assert [(group.label, group.lr) for group in one.groups((1e-5, 2e-5), 0)] == [("textencoder", 1e-5)]


def test_lora_fa_trains_the_up_matrices_alone() -> None:
    made = attach([Layer("lora_unet_x", nn.Linear(400, 5))], NetworkOptions(method="lora_fa", rank=50), seed=0)  # type: ignore[list-item]
    (adapter,) = (adapter for _, adapter in made.adapters())
    assert isinstance(adapter, LoRAFA)
    (group,) = made.groups(0, 1e-4)
    assert group.parameters == (adapter.up,)
    assert float(adapter.down.std()) == pytest.approx(math.sqrt(2 / 450), rel=0.02)  # 20000 numbers
    assert set(made.state_dict()) == {f"lora_unet_x.{end}" for end in ("lora_down.weight", "lora_up.weight", "alpha")}


def dylora(unit: int = 1, layer: nn.Module | None = None) -> tuple[Any, DyLoRA, nn.Module]:
    layer = nn.Linear(6, 5) if layer is None else layer
    options = NetworkOptions(method="dylora", rank=4, alpha=2, conv_rank=4, conv_alpha=2, arguments={"unit": unit})
    made = attach([Layer("lora_unet_x", layer)], options, seed=0)  # type: ignore[list-item]
    adapter = next(adapter for _, adapter in made.adapters())
    assert isinstance(adapter, DyLoRA)
    with torch.no_grad():
        for up in adapter.ups:
            up.copy_(torch.randn(up.shape, generator=torch.Generator().manual_seed(1)))
    return made, adapter, layer


@pytest.mark.parametrize("unit", [1, 2])
def test_a_step_of_dylora_trains_one_slice_of_ranks(unit: int) -> None:
    _, adapter, layer = dylora(unit)
    torch.manual_seed(0)
    layer(torch.randn(2, 6)).sum().backward()
    trained = [part.grad is not None for part in adapter.downs]
    assert sum(trained) == 1 and [part.grad is not None for part in adapter.ups] == trained
    assert adapter.downs[0].shape == (unit, 6)


def test_dylora_scales_by_the_root_of_rank_over_ranks_so_far_in_training_only() -> None:
    made, adapter, layer = dylora(unit=2)
    x = torch.randn(3, 6)
    down, up = torch.cat(list(adapter.downs)), torch.cat(list(adapter.ups), dim=1)
    update = 2 / 4 * (x @ down.T @ up.T)
    frozen = x @ layer.weight.T + layer.bias  # type: ignore[operator]
    made.eval()
    torch.testing.assert_close(layer(x), frozen + update)
    made.train()
    seen = {round(float(((layer(x) - frozen) / update).detach().median()), 3) for _ in range(20)}
    assert seen == {round(math.sqrt(4 / 2), 3), 1.0}


@pytest.mark.parametrize("layer", [nn.Linear(6, 5), nn.Conv2d(6, 5, 3, padding=1), nn.Conv2d(6, 5, 1)])
def test_a_file_of_dylora_is_one_of_lora_and_goes_back_in(layer: nn.Module) -> None:
    made, _, _ = dylora(unit=2, layer=layer)
    made.eval()
    x = torch.randn(2, 6) if isinstance(layer, nn.Linear) else torch.randn(2, 6, 4, 4)
    ours, state = layer(x), made.state_dict()
    made.detach()
    as_lora = attach([Layer("lora_unet_x", layer)], NetworkOptions(), seed=5, like=state)  # type: ignore[list-item]
    as_lora.load(state, "x")
    torch.testing.assert_close(layer(x), ours, rtol=1e-5, atol=1e-5)
    as_lora.detach()
    again, adapter, _ = dylora(unit=1, layer=layer)
    again.load(state, "x")
    assert torch.equal(again.state_dict()["lora_unet_x.lora_up.weight"], state["lora_unet_x.lora_up.weight"])
    assert len(adapter.ups) == 4


def oft(layer: nn.Module, **options: Any) -> tuple[Any, OFT]:
    made = attach([Layer("lora_unet_x", layer)], NetworkOptions(method="oft", **options), seed=0)  # type: ignore[list-item]
    adapter = next(adapter for _, adapter in made.adapters())
    assert isinstance(adapter, OFT)
    return made, adapter


def test_a_turn_of_two_channels_is_cayleys_rotation() -> None:
    # Q = [[0, q], [-q, 0]]: R = (I + Q)(I - Q)^-1 is the rotation whose half angle has the tangent q
    q = 0.5
    angle = 2 * math.atan(q)
    blocks = torch.tensor([[[0.0, q], [0.0, 0.0]]])
    rotation = turns(blocks, 100.0)[0] + torch.eye(2)
    expected = [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    torch.testing.assert_close(rotation, torch.tensor(expected))


def test_a_turn_is_limited_over_all_blocks_together() -> None:
    blocks = torch.zeros(2, 2, 2)
    blocks[:, 0, 1] = 3.0  # the norm of all Q is sqrt(4 * 9) = 6
    limited = turns(blocks, 0.6)
    torch.testing.assert_close(limited, turns(blocks / 10, 100.0))


@pytest.mark.parametrize(
    "layer", [nn.Linear(6, 8), nn.Conv2d(6, 8, 3, padding=1, stride=2), nn.Conv2d(6, 8, 1, bias=False)]
)
def test_oft_gives_what_the_layer_with_turned_rows_gives(layer: Any) -> None:
    x = torch.randn(2, 3, 6) if isinstance(layer, nn.Linear) else torch.randn(2, 6, 4, 4)
    made, adapter = oft(layer, rank=4, alpha=10.0, arguments={"enable_conv": True})
    torch.testing.assert_close(layer(x), adapter.frozen(x))
    with torch.no_grad():
        adapter.oft_blocks.copy_(torch.randn(4, 2, 2, generator=torch.Generator().manual_seed(1)))
    ours = layer(x)
    made.detach()
    rotation = torch.block_diag(*(turns(adapter.oft_blocks, 1e9) + torch.eye(2)))
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(8))  # lengths stay
    with torch.no_grad():
        before = layer.weight.clone()
        layer.weight.copy_((rotation.T @ before.flatten(1)).view_as(before))
    torch.testing.assert_close(layer(x), ours, rtol=1e-4, atol=1e-5)


def test_the_weight_change_of_oft_is_that_of_the_turned_rows() -> None:
    layer = nn.Linear(6, 8)
    _, adapter = oft(layer, rank=2, alpha=10.0)
    with torch.no_grad():
        adapter.oft_blocks.copy_(torch.randn(2, 4, 4))
    rotation = torch.block_diag(*(turns(adapter.oft_blocks, 1e9) + torch.eye(4)))
    torch.testing.assert_close(adapter.weight_delta(), rotation.T @ layer.weight - layer.weight)


def test_keys_of_oft_are_its_own_and_its_limit_is_alpha_times_channels() -> None:
    made, adapter = oft(nn.Linear(6, 8), rank=4, alpha=0.01)
    assert {key: tuple(value.shape) for key, value in made.state_dict().items()} == {
        "oft_unet_x.oft_blocks": (4, 2, 2), "oft_unet_x.alpha": (),
    }  # fmt: skip
    assert adapter.limit == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ((), 128),
        (("enable_all_linear=True",), 192),
        (("enable_conv=False",), 128),
        (("enable_all_linear=true", "enable_conv=True"), 278),
    ],
)
def test_oft_adapts_attention_and_more_when_asked_and_false_means_no(arguments: tuple[str, ...], count: int) -> None:
    """Q-19: in sd-scripts any text switches these on. 16 attention blocks of 2 attentions of 4 layers are 128."""
    options = network_options(Section("networks.oft", 2, 1e-3, network_args=arguments))
    made = attach(full_size("sd1"), options, seed=0)
    made.detach()
    assert len(list(made.adapters())) == count


def test_blocks_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(NetworkError, match="8 channels cannot be split into 3 blocks; set network_dim"):
        oft(nn.Linear(6, 8), rank=3)


def test_a_file_decides_method_and_size_of_each_layer() -> None:
    layers = [Layer("lora_unet_a", nn.Linear(4, 4)), Layer("lora_unet_b", nn.Linear(4, 4))]
    file = {"lora_unet_a.lora_down.weight": torch.zeros(2, 4), "oft_unet_b.oft_blocks": torch.zeros(2, 2, 2),
            "oft_unet_b.alpha": torch.tensor(0.5)}  # fmt: skip
    made = attach(layers, NetworkOptions(), seed=0, like=file)  # type: ignore[arg-type]
    assert [(name, type(adapter)) for name, adapter in made.adapters()] == [("lora_unet_a", LoRA), ("oft_unet_b", OFT)]


def test_a_norm_layer_cannot_carry_a_lora() -> None:
    target: Target = Layer("lora_unet_n", nn.LayerNorm(4))  # type: ignore[assignment]
    with pytest.raises(NetworkError, match="a LayerNorm cannot carry a LoRA; only Linear and Conv2d layers can"):
        attach([target], NetworkOptions(), seed=0, like={"lora_unet_n.lora_down.weight": torch.zeros(2, 4)})


@pytest.mark.parametrize("layer", [nn.Linear(6, 8), nn.Conv2d(6, 8, 3, padding=1)])
@pytest.mark.parametrize("method", ["lora", "dylora", "oft"])
def test_a_merged_file_gives_what_the_attached_network_gave(layer: Any, method: str) -> None:
    layer.requires_grad_(False)
    x = torch.randn(2, 6) if isinstance(layer, nn.Linear) else torch.randn(2, 6, 4, 4)
    arguments = {"enable_conv": True}
    options = NetworkOptions(method=method, rank=4, alpha=2, conv_rank=4, conv_alpha=2, arguments=arguments)
    target: Any = Layer("lora_unet_x", layer)
    made = attach([target], options, seed=0).eval()
    with torch.no_grad():
        for number, parameter in enumerate(made.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
    attached = layer(x)
    made.detach()
    plain = layer(x)
    assert merge([target], made.state_dict(), 0.5, "a.safetensors") == []
    torch.testing.assert_close(layer(x), plain + 0.5 * (attached - plain), rtol=1e-4, atol=1e-4)


def test_a_file_with_diffusers_names_behind_kohyas_prefix_is_read() -> None:
    layers: Any = [
        Layer("lora_unet_input_blocks_4_1_proj_in", nn.Linear(4, 4), path="down_blocks.1.attentions.0.proj_in"),
        Layer("lora_te1_text_model_a", nn.Linear(4, 4), "text_encoder", path="a"),
    ]
    file = {"lora_unet_down_blocks_1_attentions_0_proj_in.alpha": torch.tensor(1.0), "lora_te1_a.x": torch.tensor(2.0),
            "lora_te1_text_model_a.y": torch.tensor(3.0)}  # fmt: skip
    assert list(renamed(layers, file)) == [
        "lora_unet_input_blocks_4_1_proj_in.alpha", "lora_te1_text_model_a.x", "lora_te1_text_model_a.y",
    ]  # fmt: skip


def test_a_foreign_file_cannot_be_merged() -> None:
    target: Any = Layer("lora_unet_x", nn.Linear(4, 4))
    with pytest.raises(NetworkError, match=r"a\.safetensors: none of its 1 tensors belongs to this model"):
        merge([target], {"lora_unet_y.lora_down.weight": torch.zeros(1, 4)}, 1.0, "a.safetensors")
