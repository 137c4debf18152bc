"""The size of a LoRA file is known before anything is loaded, and is that of the network that a run makes."""

from __future__ import annotations

import json

import pytest
import torch

from trainer import networks
from trainer.config import parse
from trainer.families.adaptable import ATTENTION, base_layers, text_layers, unet_layers
from trainer.families.layers import clip_name, layers_of
from trainer.families.layout import CONFIGS
from trainer.filesize import file_bytes
from trainer.networks.selection import CONV_CONTAINERS, TEXT_CONTAINERS

NEEDED = {"pretrained_model_name_or_path": "x", "train_data_dir": "t", "resolution": "512", "save_precision": "fp16"}
TOLD = frozenset(ATTENTION) | CONV_CONTAINERS | TEXT_CONTAINERS
TEXTS = {"sd1": ("text_encoder",), "sdxl": ("text_encoder", "text_encoder_2"), "demo": ("text_encoder",)}
MIB = 2**20


def config_of(architecture, part):
    return json.loads((CONFIGS / architecture / f"{part}.json").read_text(encoding="utf-8"))


def planned_layers(architecture):
    """The layers as the modules have them, on a device without memory."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        texts = [CLIPTextModel(CLIPTextConfig(**config_of(architecture, part))) for part in TEXTS[architecture]]
        unet = UNet2DConditionModel.from_config(config_of(architecture, "unet"))
    found = []
    for number, encoder in enumerate(texts):
        found += layers_of(encoder, "text_encoder", f"lora_te{number}", clip_name)
    return [*found, *layers_of(unet, "unet", "lora_unet")]


def counted_layers(architecture):
    texts = [layer for part in TEXTS[architecture] for layer in text_layers(config_of(architecture, part))]
    return [*texts, *unet_layers(config_of(architecture, "unet"))]


@pytest.fixture(scope="module")
def small():
    return planned_layers("demo"), counted_layers("demo")


@pytest.mark.parametrize("architecture", TEXTS)
def test_the_layers_of_the_configs_are_those_of_the_modules(architecture):
    targets, layers = planned_layers(architecture), counted_layers(architecture)

    def of_module(target):
        module = target.module
        conv = isinstance(module, torch.nn.Conv2d)
        sizes = (module.in_channels, module.out_channels, module.kernel_size[0]) if conv else (
            module.in_features, module.out_features, 1)  # fmt: skip
        return (target.path.removeprefix("text_model."), tuple(sorted(target.containers & TOLD)), *sizes)

    known = [target for target in targets if isinstance(target.module, (torch.nn.Linear, torch.nn.Conv2d))]
    listed = {(layer.path, tuple(sorted(layer.containers)), *layer[3:]) for layer in layers}
    assert listed <= {of_module(target) for target in known}
    missing = {of_module(target)[0] for target in known} - {layer.path for layer in layers}
    assert missing <= {"add_embedding.linear_1", "add_embedding.linear_2"}


@pytest.mark.parametrize(
    "network",
    [
        {"network_dim": 32},
        {"network_dim": 8, "network_args": ["conv_dim=4"]},
        {"network_module": "networks.lora_fa"},
        {"network_module": "networks.dylora", "network_dim": 4, "network_args": ["unit=2"]},
        {"network_module": "lycoris.kohya", "network_args": ["algo=locon", "conv_dim=2"]},
        {"network_module": "lycoris.kohya", "network_args": ["algo=locon", "use_tucker=True", "dora_wd=True"]},
        {"network_module": "lycoris.kohya", "network_args": ["algo=loha", "conv_dim=2", "preset=attn-mlp"]},
        {"network_module": "lycoris.kohya", "network_args": ["algo=loha", "use_tucker=True", "preset=unet-only"]},
        {"network_module": "lycoris.kohya", "network_args": ["algo=lokr", "factor=4", "dora_wd=True",
                                                             "wd_on_output=False"]},
        {"network_module": "lycoris.kohya", "network_dim": 10000, "network_args": ["algo=lokr", "preset=full-lin"]},
        {"network_module": "lycoris.kohya", "network_args": ["algo=lokr", "decompose_both=True", "conv_dim=0"]},
    ],
)  # fmt: skip
def test_the_file_is_as_large_as_that_of_the_planned_network(small, network):
    targets, layers = small
    config = parse({**NEEDED, "network_dim": 4, "learning_rate": 1e-4, **network}).config
    with torch.device("meta"):
        tensors = networks.plan(targets, networks.network_options(config.network)).file_tensors()
    numbers = sum(tensor.numel() for tensor in tensors.values())
    told = file_bytes(config, layers)
    assert told is not None
    assert told == pytest.approx(2 * numbers + 110 * len(tensors), rel=1e-6)


@pytest.mark.parametrize(("architecture", "mib"), [("sd1", 1.125), ("sdxl", 6.80)])
def test_a_rank_costs_what_the_guides_say(architecture, mib):
    layers = counted_layers(architecture)
    one, two = (file_bytes(parse({**NEEDED, "network_dim": dim}).config, layers) for dim in (1, 2))
    assert (two - one) / MIB == pytest.approx(mib, rel=0.01)


def test_what_is_not_counted_has_no_answer_and_other_formats_have_theirs():
    layers = counted_layers("sd1")

    def told(**values):
        return file_bytes(parse({**NEEDED, "network_dim": 8, **values}).config, layers)

    for args in (["algo=ia3"], ["train_norm=True"]):
        assert told(network_module="lycoris.kohya", network_args=args) is None
    assert told(network_args=["block_dims=" + ",".join(["4"] * 25)]) is None
    assert told(save_precision="") > 1.8 * told()
    assert told(network_train_unet_only=True) < told()


def test_a_folder_that_is_no_base_model_has_no_layers(tmp_path):
    assert base_layers(str(tmp_path)) is None
    assert base_layers(str(tmp_path / "gone.safetensors")) is None
    assert len(base_layers("trainer/demo/base.safetensors")) > 100
