"""Whole runs with kohya's network modules: what they write, that others read it, that they go on where they stopped."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from place import Place, same

from trainer import families, networks
from trainer.config import read
from trainer.networks import NetworkOptions

BLOCK_DIMS = "block_dims=" + ",".join(str(1 + block % 3) for block in range(25))
MODULES: list[dict[str, Any]] = [
    {"network_args": [BLOCK_DIMS, "conv_dim=2", "down_lr_weight=sine+.25", "mid_lr_weight=0", "loraplus_lr_ratio=4"]},
    {"network_module": "networks.lora_fa", "network_args": ["conv_dim=2", "rank_dropout=0.2"]},
    {"network_module": "networks.dylora", "network_dim": 4, "network_args": ["unit=2", "conv_dim=4"]},
]


def prediction_here(place: Place, unet: Any, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    (place.root / "plain.toml").write_text(
        'pretrained_model_name_or_path = "base.safetensors"\ntrain_data_dir = "t"\nresolution = 64', encoding="utf-8"
    )
    family = families.load(families.options_from(read(place.root / "plain.toml").config))
    network = networks.attach(family.layers(), NetworkOptions(), 0, like=tensors)
    network.load(tensors, "t.safetensors")
    network.eval()
    unet.append(family.unet)
    return predicted(family.unet)


def predicted(unet: Any) -> torch.Tensor:
    draws = torch.Generator().manual_seed(1)
    latents, context = (torch.randn(shape, generator=draws) for shape in ((1, 4, 8, 8), (1, 77, 32)))
    with torch.no_grad():
        found: torch.Tensor = unet(latents, torch.tensor([500]), context).sample
    return found


@pytest.mark.parametrize("values", MODULES, ids=lambda values: values.get("network_module", "blocks"))
def test_diffusers_gives_with_the_file_what_is_given_here(place: Place, values: dict[str, Any]) -> None:
    pytest.importorskip("peft", reason="diffusers loads LoRA files through peft")
    from diffusers import StableDiffusionPipeline

    assert place.train(unet_lr=3e-2, **values) == 0
    kept: list[Any] = []
    ours = prediction_here(place, kept, place.weights())
    (adapted,) = kept
    theirs = type(adapted).from_config(adapted.config)
    theirs.load_state_dict(adapted.state_dict())
    plain = predicted(theirs)
    state, alphas = StableDiffusionPipeline.lora_state_dict(
        str(place.root / "output" / "t.safetensors"), unet_config=adapted.config
    )
    StableDiffusionPipeline.load_lora_into_unet(state, network_alphas=alphas, unet=theirs)
    assert (plain - ours).abs().max() > 1e-3
    torch.testing.assert_close(ours, predicted(theirs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "values",
    [
        {"network_module": "networks.dylora", "network_dim": 4},
        {"network_module": "networks.oft", "network_alpha": 1e-2},
    ],
    ids=["dylora", "oft"],
)
def test_a_run_that_goes_on_from_a_state_ends_bit_identical(place: Place, values: dict[str, Any]) -> None:
    place.train("whole", output_name="whole", save_state=True, save_every_n_epochs=1, **values)
    state = place.root / "whole" / "state" / "whole-000001-state"
    assert place.train("rest", output_name="rest", resume=str(state), **values) == 0
    assert same(place.weights("whole"), place.weights("rest"))


def test_oft_files_have_its_own_keys_and_the_turns_are_learned(place: Place) -> None:
    assert place.train(network_module="networks.oft", network_alpha=1e-2, network_args=["enable_conv=True"]) == 0
    weights = place.weights()
    assert {key.partition(".")[2] for key in weights} == {"oft_blocks", "alpha"}
    assert all(key.startswith("oft_unet_") for key in weights)
    assert all(value.any() for key, value in weights.items() if key.endswith("oft_blocks"))


def test_base_weights_are_part_of_the_model_that_is_trained(place: Place) -> None:
    place.train("one", output_name="one", unet_lr=3e-2, max_train_epochs=1)
    assert place.train("two", output_name="two", base_weights=["output/one.safetensors"], max_train_epochs=1) == 0
    place.train("half", output_name="half", base_weights="output/one.safetensors", base_weights_multiplier=0.0,
                max_train_epochs=1)  # fmt: skip
    place.train("none", output_name="none", max_train_epochs=1)
    assert place.losses("half") == place.losses("none") != place.losses("two")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"base_weights": ["gone.safetensors"]}, "gone.safetensors does not exist"),
        ({"base_weights": ["base.safetensors"]}, "base.safetensors is a Stable Diffusion 1.x base model; choose the"),
        ({"base_weights": ["xl.safetensors"]}, "it does not fit a Stable Diffusion 1.x base model"),
        ({"base_weights": ["a"], "base_weights_multiplier": ["much"]}, '"much" is not a number'),
        ({"base_weights_multiplier": [1.0]}, "there are 1 base_weights_multiplier for 0 base_weights"),
        ({"network_args": ["block_dims=" + ",".join("4" * 23)]}, "block_dims has 23 numbers; this base model has 25"),
        ({"network_module": "networks.dylora", "network_dim": 3, "network_args": ["unit=2"]}, "no multiple of unit 2"),
        ({"network_module": "networks.dylora", "network_args": ["conv_dim=4"]}, "must be the same as network_dim 2"),
    ],
)  # fmt: skip
def test_wrong_network_settings_end_with_code_2_and_a_sentence(
    place: Place, capsys: pytest.CaptureFixture[str], values: dict[str, Any], words: str
) -> None:
    from safetensors.torch import save_file

    save_file({"lora_unet_input_blocks_4_1_proj_in.lora_down.weight": torch.zeros(1, 4)}, "xl.safetensors")
    assert place.train(**values) == 2
    output = capsys.readouterr()
    assert words in output.out + output.err
    assert not (place.root / "output").exists()
