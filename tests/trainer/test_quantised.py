"""Frozen weights in fewer bits: how exact they are, what a backward pass sees, what is kept in memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import tiny
import torch
import torch.nn.functional as F
from torch import nn

from trainer import families, quantised
from trainer.config import ConfigError, parse
from trainer.networks.base import is_quantised
from trainer.quantised import PackedLinear, check_quantising, pack, quantise, unpack

CPU = torch.device("cpu")
KINDS = ("int8", "nf4")


def weight(rows: int = 96, columns: int = 64) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0)) * 0.05


class Transformer2DModel(nn.Module):
    """A block of the name that is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(64, 96)
        self.conv = nn.Conv2d(4, 4, 3)


def test_int8_errs_by_at_most_half_a_step_of_its_row() -> None:
    packed, scales = pack(weight(), "int8")
    assert packed.dtype == torch.int8 and packed.shape == (96, 64)
    error = (unpack(packed, scales, "int8", (96, 64), torch.float32) - weight()).abs()
    assert (error <= scales / 2 * 1.001).all()


def test_nf4_takes_half_a_byte_a_weight_and_errs_by_its_widest_gap() -> None:
    packed, scales = pack(weight(), "nf4")
    assert packed.numel() == weight().numel() // 2 and packed.dtype == torch.uint8
    found = unpack(packed, scales, "nf4", (96, 64), torch.float32)
    largest = weight().view(-1, 64).abs().amax(dim=1, keepdim=True)
    # the widest gap between two of the 16 values is 0.304 of the block's largest weight (Dettmers et al., appendix E)
    assert ((found.view(-1, 64) - weight().view(-1, 64)).abs() <= 0.1521 * largest).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_packed_layer_computes_and_differentiates_like_its_unpacked_weight(kind, dtype) -> None:
    packed, scales = pack(weight(), kind)
    plain = unpack(packed, scales, kind, (96, 64), dtype)
    bias = torch.linspace(-1, 1, 96).to(dtype)
    inputs = torch.randn(2, 5, 64, generator=torch.Generator().manual_seed(1)).to(dtype)
    one, other = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    ours, theirs = PackedLinear.apply(one, packed, scales, bias, kind, (96, 64)), F.linear(other, plain, bias)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    assert torch.equal(ours, theirs)
    torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_the_unpacked_weight_does_not_outlive_the_forward_pass(kind, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[torch.Tensor]] = []

    def watched(*arguments: object) -> torch.Tensor:
        result = unpack(*arguments)
        made.append(weakref.ref(result))
        return result

    monkeypatch.setattr(quantised, "unpack", watched)
    region = Transformer2DModel().requires_grad_(False)
    quantise(region, kind, CPU)
    result = region.inner(torch.randn(3, 64, requires_grad=True))
    gc.collect()
    assert result.grad_fn is not None and len(made) == 1 and made[0]() is None


@pytest.mark.parametrize("kind", KINDS)
def test_only_linear_layers_of_transformer_blocks_are_packed(kind) -> None:
    model = nn.ModuleDict({"region": Transformer2DModel(), "time": nn.Linear(8, 8)}).requires_grad_(False)
    assert quantise(model, kind, CPU) == 1
    assert is_quantised(model["region"].inner)
    assert not is_quantised(model["region"].conv) and not is_quantised(model["time"])
    assert quantise(model, kind, CPU) == 0  # what is packed stays as it is


@pytest.mark.parametrize(("kind", "limit"), [("int8", 0.02), ("nf4", 0.25)])
def test_a_quantised_base_predicts_nearly_the_same(kind, limit, tmp_path: Path) -> None:
    base = tiny.sd1_safetensors(tmp_path / "base.safetensors")
    needed = {"pretrained_model_name_or_path": str(base), "train_data_dir": "train", "resolution": 64}
    options = families.options_from(parse(needed).config)
    plain, packed = families.load(options), families.load(options)
    quantise(packed.unet, kind, CPU)
    latents, timesteps = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2)), torch.tensor([500])
    with torch.no_grad():
        context = plain.encode_captions(["a cat"])
        one, other = (family.predict(latents, timesteps, context) for family in (plain, packed))
    difference = float((one - other).norm() / one.norm())
    assert 0 < difference < limit


def test_nf4_without_its_package_is_refused_with_another_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="nf4 needs the package bitsandbytes, which is not installed; choose int8"):
        check_quantising("nf4", CPU)
