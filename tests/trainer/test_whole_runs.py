"""Every network and every optimizer trains on tiny bases; the file gives elsewhere what it gives here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import tiny
import torch
from place import Place
from torch import Tensor

from trainer import families, networks, optimizers
from trainer.config import read

BASES = {"sd1": ("sd1", False), "sd2-v": ("sd2", True), "sdxl": ("sdxl", False), "sdxl-v": ("sdxl", True)}

LYCORIS = "lycoris.kohya"
NETWORKS: dict[str, dict[str, object]] = {
    "lora": {},
    "locon": {"network_args": ["conv_dim=2"]},
    "lora_fa": {"network_module": "networks.lora_fa"},
    "dylora": {"network_module": "networks.dylora"},
    "oft": {"network_module": "networks.oft", "network_dim": 4, "network_alpha": 1e-2},
    "lycoris locon": {"network_module": LYCORIS, "network_args": ["algo=locon"]},
    "dora": {"network_module": LYCORIS, "network_args": ["algo=lora", "dora_wd=True"]},
    "tucker": {"network_module": LYCORIS, "network_args": ["algo=locon", "use_tucker=True", "rs_lora=True"]},
    "loha": {"network_module": LYCORIS, "network_args": ["algo=loha", "conv_dim=2"]},
    "lokr": {"network_module": LYCORIS, "network_args": ["algo=lokr", "factor=4"]},
    "glora": {"network_module": LYCORIS, "network_args": ["algo=glora"]},
    "ia3": {"network_module": LYCORIS, "network_args": ["algo=ia3", "preset=ia3"]},
    "diag-oft": {"network_module": LYCORIS, "network_args": ["algo=diag-oft"], "network_dim": 4},
    "boft": {"network_module": LYCORIS, "network_args": ["algo=boft"], "network_dim": 16},
    "full": {"network_module": LYCORIS, "network_args": ["algo=full", "preset=attn-only"]},
    "norm": {"network_module": LYCORIS, "network_args": ["algo=lora", "train_norm=True", "preset=attn-mlp"]},
}  # fmt: skip
# diffusers leaves dora_scale out with a warning and does not read the other methods
READ_BY_DIFFUSERS = {"lora", "locon", "lora_fa", "dylora", "lycoris locon"}


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("bases")
    return {name: tiny.safetensors(folder / f"{name}.safetensors", *BASES[name]) for name in BASES}


@pytest.fixture
def there(tmp_path: Path, bases: dict[str, Path], base: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place with a base of every family."""
    monkeypatch.chdir(tmp_path)
    for path in bases.values():
        os.link(path, tmp_path / path.name)
    return Place(tmp_path, base)


def what_it_says(family: Any) -> dict[str, Tensor]:
    """What the U-Net and the text encoders give for fixed numbers."""
    modules = modules_of(family)
    draws = torch.Generator().manual_seed(3)
    width = modules["unet"].config.cross_attention_dim
    latents = torch.randn(2, 4, 8, 8, generator=draws)
    context = torch.randn(2, 77, width, generator=draws)
    added = None
    if family.name == "sdxl":
        pooled = torch.randn(2, modules["text_encoder_2"].config.projection_dim, generator=draws)
        added = {"text_embeds": pooled, "time_ids": torch.tensor([[64.0, 64, 0, 0, 64, 64]] * 2)}
    tokens = torch.randint(0, 49000, (2, 77), generator=draws)
    tokens[:, -1] = 49407
    with torch.no_grad():
        said = {"unet": modules["unet"](latents, torch.tensor([500, 20]), context, added_cond_kwargs=added).sample}
        for name in ("text_encoder", "text_encoder_2"):
            if name in modules:
                said[name] = modules[name](tokens, output_hidden_states=True).hidden_states[-1]
    return said


def modules_of(family: Any) -> dict[str, Any]:
    names = ("text_encoder", "text_encoder_2")
    return {"unet": family.unet, **dict(zip(names, family.text_encoders, strict=False))}


def read_by_diffusers(family: Any, file: Path) -> None:
    """Load the file into the family's own modules with diffusers' reader."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

    parts = modules_of(family)
    scheduler = DDIMScheduler(clip_sample=False, steps_offset=1)
    if family.name == "sdxl":
        pipeline: Any = StableDiffusionXLPipeline(
            **parts,
            vae=family.vae,
            tokenizer=None,
            tokenizer_2=None,
            scheduler=scheduler,
        )
    else:
        pipeline = StableDiffusionPipeline(
            **parts, vae=family.vae, tokenizer=None, scheduler=scheduler, safety_checker=None, feature_extractor=None,
            requires_safety_checker=False,
        )  # fmt: skip
    pipeline.load_lora_weights(str(file))


# v-prediction changes the target of a run, not the layers a network is put on
PAIRS = [
    (network, base_name) for network in NETWORKS for base_name in BASES if "v" not in base_name or network == "dora"
]


@pytest.mark.parametrize(("network", "base_name"), [*PAIRS, ("locon", "sd2-v"), ("lora", "sdxl-v")])
def test_a_network_trained_here_gives_elsewhere_what_it_gives_here(there: Place, network: str, base_name: str) -> None:
    settings = {"unet_lr": 0.05, "text_encoder_lr": 0.05, **NETWORKS[network]}
    values: dict[str, object] = {
        **settings, "pretrained_model_name_or_path": f"{base_name}.safetensors", "max_train_epochs": None,
        "max_train_steps": 2, "mixed_precision": "no",
    }  # fmt: skip
    assert there.train(**values) == 0
    assert all(torch.isfinite(torch.tensor(there.losses())))
    file = there.root / "output" / "t.safetensors"
    tensors = safetensors.torch.load_file(file)
    assert all(torch.isfinite(value).all() for value in tensors.values())

    config = read(there.root / "run.toml").config
    family = families.load(families.options_from(config))
    for module in modules_of(family).values():
        module.eval()
    before = what_it_says(family)
    made = networks.attach(family.layers(), networks.network_options(config.network), 0)
    assert set(made.file_tensors()) == set(tensors)
    made.load(tensors, file.name)
    made.eval()
    ours = what_it_says(family)
    assert (ours["unet"] - before["unet"]).abs().max() > 1e-3

    made.detach()
    torch.testing.assert_close(what_it_says(family), before, rtol=0, atol=0)
    if network in READ_BY_DIFFUSERS:
        read_by_diffusers(family, file)
    else:  # no other reader here: put the change into the weights
        merge(made)
    torch.testing.assert_close(what_it_says(family), ours, rtol=1e-4, atol=1e-4)


def merge(network: Any) -> None:
    """Add every adapter's change to the weights of its layer."""
    for _, adapter in network.adapters():
        layer, change, shift = adapter.layer, adapter.weight_delta().detach(), adapter.bias_delta()
        layer.weight.data += change.reshape(layer.weight.shape)
        if shift is not None:
            layer.bias.data += shift.detach()


ALL_BASES = list(BASES)


@pytest.mark.parametrize(
    ("optimizer", "base_name"),
    [(name, ALL_BASES[number % len(ALL_BASES)]) for number, name in enumerate(optimizers.OPTIMIZERS)],
)
def test_an_optimizer_trains_a_network(there: Place, optimizer: str, base_name: str) -> None:
    chosen = optimizers.find(optimizer)
    if chosen.availability():
        pytest.skip(str(chosen.availability()))
    rate = 1.0 if chosen.adaptive else 1e-3
    steps = 8 if optimizer == "RAdamScheduleFree" else 3  # it waits while its averages are too young
    code = there.train(
        optimizer_type=optimizer, learning_rate=rate, unet_lr=rate, text_encoder_lr=rate, max_train_epochs=None,
        max_train_steps=steps, pretrained_model_name_or_path=f"{base_name}.safetensors",
    )  # fmt: skip
    assert code == 0
    tensors = there.weights()
    modules = sum(tiny.LORA_MODULES[BASES[base_name][0]])
    assert len(tensors) == 3 * modules
    assert all(torch.isfinite(value).all() for value in tensors.values())
    assert any(value.any() for key, value in tensors.items() if key.endswith("lora_up.weight"))
    assert len(there.losses()) == steps
