"""torch_compile: the same numbers through the network's wrapped layers, checkpointing and several picture sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer import families, networks, objective, precision
from trainer.config import ConfigError, parse
from trainer.networks.options import NetworkOptions
from trainer.train import training_step


def gradients(base: Path, backend: str | None, checkpointing: bool) -> tuple[list[torch.Tensor], int]:
    """The network's gradients after a batch of each of two sizes; how many graphs were compiled."""
    torch._dynamo.reset()
    needed = {"pretrained_model_name_or_path": str(base), "train_data_dir": "train", "resolution": 64}
    config = parse(needed).config
    family = families.load(families.options_from(config))
    family.train_mode(checkpointing)
    network = networks.attach(family.network_targets(conv=True), NetworkOptions(rank=2, conv_rank=2), seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _, adapter in network.adapters():
            adapter.up.copy_(torch.randn(adapter.up.shape, generator=generator) * 0.1)
    network.train()
    compiled = 0
    if backend is not None:
        torch._dynamo.utils.counters.clear()
        assert precision.compile_blocks(family.unet.mid_block, backend) == 3
    for height, width in ((8, 8), (16, 8)):
        latents, noise = (torch.randn(1, 4, height, width, generator=generator) for _ in range(2))
        context = family.encode_captions(["a cat"])
        training_step(
            family, latents, noise, torch.tensor([500]), context, objective.noise_schedule(), config.loss
        ).mean().backward()
    if backend is not None:
        compiled = torch._dynamo.utils.counters["stats"]["unique_graphs"]
        assert not torch._dynamo.utils.counters["graph_break"]
    return [parameter.grad for parameter in network.parameters()], compiled


@pytest.mark.parametrize("checkpointing", [False, True], ids=["plain", "checkpointing"])
def test_compiled_blocks_give_the_same_gradients(base: Path, checkpointing: bool) -> None:
    plain, _ = gradients(base, None, checkpointing)
    compiled, graphs = gradients(base, "aot_eager", checkpointing)
    assert graphs > 0
    for one, other in zip(plain, compiled, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_transformer_and_residual_blocks_are_compiled_at_their_first_use(base: Path) -> None:
    config = parse({"pretrained_model_name_or_path": str(base), "train_data_dir": "train", "resolution": 64}).config
    unet = families.load(families.options_from(config)).unet
    kinds = [type(module).__name__ for module in unet.modules()]
    wanted = kinds.count("BasicTransformerBlock") + kinds.count("ResnetBlock2D")
    assert wanted > 4 and precision.compile_blocks(unet, "inductor") == wanted


def test_a_missing_compiler_is_told_before_anything_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "train", "resolution": 64, "torch_compile": True}
    monkeypatch.setattr(precision, "best_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(precision.shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="torch_compile needs a C.. compiler on this machine"):
        precision.choose(parse(needed).config.precision)
    with pytest.raises(ConfigError, match="cudagraphs needs an NVIDIA card; choose inductor"):
        precision.choose(parse({**needed, "dynamo_backend": "cudagraphs"}).config.precision)
