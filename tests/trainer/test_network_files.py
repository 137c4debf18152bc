"""A LoRA file is of one method, and only settings of that method go on with it: every pair of methods."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from layer import Layer
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer import networks
from trainer.config import parse
from trainer.families import kinds
from trainer.networks import files
from trainer.networks.base import NetworkError

LYCORIS = "lycoris.kohya"
# method -> (network_module, network_args); those of one letter write files that the others of it go on with
SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "lora": ("networks.lora", ()),
    "lora_fa": ("networks.lora_fa", ()),
    "dylora": ("networks.dylora", ()),
    "locon": (LYCORIS, ("algo=locon",)),
    "dora": (LYCORIS, ("algo=locon", "dora_wd=True")),
    "dora of inputs": (LYCORIS, ("algo=locon", "dora_wd=True", "wd_on_output=False")),
    "loha": (LYCORIS, ("algo=loha",)),
    "loha dora": (LYCORIS, ("algo=loha", "dora_wd=True")),
    "lokr": (LYCORIS, ("algo=lokr", "factor=2")),
    "ia3": (LYCORIS, ("algo=ia3",)),
    "glora": (LYCORIS, ("algo=glora",)),
    "diag-oft": (LYCORIS, ("algo=diag-oft",)),
    "boft": (LYCORIS, ("algo=boft",)),
    "full": (LYCORIS, ("algo=full",)),
    "oft": ("networks.oft", ("enable_all_linear=True",)),
    "norm": (LYCORIS, ("algo=locon", "train_norm=True", "preset=attn-mlp")),
}
PLAIN = {"lora", "lora_fa", "dylora", "locon"}


def fits(file: str, settings: str) -> bool:
    """Whether settings go on with a file."""
    return file == settings or {file, settings} <= PLAIN or (file in PLAIN and settings == "norm")


def layers(method: str) -> list[Layer]:
    """An attention layer of 8 x 8, as all methods can adapt it; for norm a norm layer inside of it."""
    torch.manual_seed(3)
    if method == "norm":
        return [Layer("lora_unet_x_norm", nn.LayerNorm(8), path="x.norm")]
    return [Layer("lora_unet_x_to_q", nn.Linear(8, 8), path="x.to_q")]


def options(method: str) -> networks.NetworkOptions:
    module, args = SETTINGS[method]
    dim = {"ia3": 1}.get(method, 4)
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    values = {**needed, "network_module": module, "network_args": list(args), "network_dim": dim, "network_alpha": 0.5}
    return networks.network_options(parse(values).config.network)


@pytest.fixture(scope="module")
def tensors() -> dict[str, dict[str, Tensor]]:
    """Method -> what its file holds, with numbers drawn for all that is trained."""
    found: dict[str, dict[str, Tensor]] = {}
    draws = torch.Generator().manual_seed(1)
    for method in SETTINGS:
        network = networks.attach(layers(method), options(method), 0)
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(torch.randn(weight.shape, generator=draws) * 0.1)
        found[method] = {key: value.clone() for key, value in network.file_tensors().items()}
    return found


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("file", SETTINGS)
def test_only_settings_of_a_files_method_go_on_with_it(
    tensors: dict[str, dict[str, Tensor]], file: str, settings: str
) -> None:
    shapes = {key: tuple(value.shape) for key, value in tensors[file].items()}
    module, args = SETTINGS[settings]
    said = files.other_method("a.safetensors", shapes, module, args)
    assert (said is None) == fits(file, settings), said
    if said is not None:
        module, args = SETTINGS["lora" if file in PLAIN else file]
        words, both = said["cure"], {"dora", "dora of inputs"} == {file, settings}
        assert both or (module in words and ("train_norm=True" in words) == (file == "norm"))
        assert both or all(one in words for one in args if one.startswith("algo=") and file != "norm")
        assert both or ("and dora_wd=True" in words) == ("dora_wd=True" in args)
        if "dora_wd=True" in args:  # the file decides whose lengths are trained
            assert f"wd_on_output={'wd_on_output=False' not in args}" in words
    if file == "norm" or settings == "norm":
        return  # other layers than theirs
    network = networks.plan(layers(settings), options(settings))
    if fits(file, settings):
        network.load(tensors[file], "a.safetensors")
    else:
        words = r"a\.safetensors(: .* dora_wd| is a .* what a file is decides|: .* in the file; set wd_on_output)"
        with pytest.raises(NetworkError, match=words):
            network.load(tensors[file], "a.safetensors")


@pytest.mark.parametrize("method", SETTINGS)
def test_a_file_of_any_method_is_merged_as_what_it_is(tensors: dict[str, dict[str, Tensor]], method: str) -> None:
    own = layers(method)
    network = networks.attach(own, options(method), 0)
    network.load(tensors[method], "a.safetensors")
    ((_, adapter),) = network.adapters()
    expected = own[0].module.weight + adapter.weight_delta()
    fresh = layers(method)
    networks.merge(fresh, tensors[method], 1.0, "a.safetensors")
    torch.testing.assert_close(fresh[0].module.weight, expected)
    assert (expected - own[0].module.weight).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (("algo=lokr", "factor=2"), ("algo=lokr", "factor=2", "full_matrix=True"), "full_matrix decides"),
        (("algo=diag-oft", "rescaled=True"), ("algo=diag-oft",), "has rescale in the file, which rescaled decides"),
        (("algo=ia3",), ("algo=ia3", "train_on_input=True"), "which train_on_input decides"),
    ],
)
def test_tensors_that_would_be_left_out_or_begun_anew_within_a_method_are_refused(
    then: tuple[str, ...], now: tuple[str, ...], words: str
) -> None:
    def made(args: tuple[str, ...]) -> networks.NetworkOptions:
        needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512, "network_dim": 1}
        return networks.network_options(
            parse({**needed, "network_module": LYCORIS, "network_args": list(args)}).config.network
        )

    file = networks.plan(layers("lora"), made(then)).file_tensors()
    with pytest.raises(NetworkError, match=words):
        networks.plan(layers("lora"), made(now)).load(file, "a.safetensors")


def test_the_check_names_the_module_for_a_loha_given_to_networks_lora(
    tmp_path: Path, tensors: dict[str, dict[str, Tensor]]
) -> None:
    file = tmp_path / "loha.safetensors"
    save_file(tensors["loha"], str(file))
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    config = parse({**needed, "network_weights": str(file)}).config
    (said,) = kinds._network_files(config, "sd1")
    assert said.message == (
        f"{file} is a LoHa file, but these settings train LoRA; what a file is decides: set network_module to "
        "lycoris.kohya with algo=loha, or choose another file"
    )
    assert said.address == "network.network_weights"


@pytest.mark.parametrize(
    ("ranks", "values", "words"),
    [
        (
            (8, 8),
            {"network_dim": 2},
            "with network_dim 2 the network here has another; set network_dim to 8, or switch",
        ),
        ((4, 4), {}, None),
        ((8, 8), {}, "with network_dim 4"),
        ((8, 8), {"network_dim": 8}, None),
        ((8, 4), {"network_dim": 8}, "has layers of several ranks (4, 8); switch dim_from_weights on"),
        ((8, 4), {"network_dim": 2, "dim_from_weights": True}, None),
        ((8, 4), {"network_dim": 8, "network_args": ["block_dims=" + ",".join(["4"] * 25)]}, None),
        ((8, 8), {"network_dim": 2, "network_module": LYCORIS, "network_args": ["algo=locon"]}, "set network_dim to 8"),
    ],
)
def test_ranks_of_a_file_are_compared_without_the_base_model(
    tmp_path: Path, ranks: tuple[int, int], values: dict[str, object], words: str | None
) -> None:
    file, names = tmp_path / "a.safetensors", ("lora_unet_mid_block_a", "lora_unet_mid_block_b")
    save_file(
        {f"{name}.lora_down.weight": torch.ones(rank, 6) for name, rank in zip(names, ranks, strict=True)}
        | {f"{name}.lora_up.weight": torch.ones(6, rank) for name, rank in zip(names, ranks, strict=True)},
        str(file),
    )
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    config = parse({**needed, "network_weights": str(file), **values}).config
    said = [one.message for one in kinds._network_files(config, "sd1")]
    assert len(said) == (words is not None)
    assert words is None or words in said[0]


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_lora_of_a_family_that_is_not_trained_fits_no_base_model(tmp_path: Path, family: kinds.Trained) -> None:
    file = tmp_path / "flux.safetensors"
    save_file({"transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": torch.ones(4, 8)}, str(file))
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    (said,) = kinds._network_files(parse({**needed, "base_weights": [str(file)]}).config, family)
    assert f"{file} is a FLUX LoRA; it does not fit a" in said.message
