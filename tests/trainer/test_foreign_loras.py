"""LoRAs that diffusers and PEFT wrote: under their names, in their folders; the prediction is that of their loaders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer import families, networks
from trainer.config import parse
from trainer.families import kinds, weights
from trainer.families.base import Conditioning, LoadOptions
from trainer.families.modules import lora_tensors
from trainer.networks import foreign
from trainer.tools.inspect import inspect

Convert = Callable[[dict[str, Any]], dict[str, Any]]
RANK, ALPHA, OTHER_ALPHA = 4, 3, 6
FAMILIES = ("sd1", "sdxl")
UNET_LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "ff.net.2"]
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj"]
SIZES = torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]])


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {name: tiny.safetensors(folder / f"{name}.safetensors", name) for name in FAMILIES}


def loaded(base: Path) -> Any:
    return families.load(LoadOptions(str(base)))


def modules_of(family: Any) -> dict[str, nn.Module]:
    names = ("text_encoder", "text_encoder_2")
    return {"unet": family.unet, **dict(zip(names, family.text_encoders, strict=False))}


@torch.no_grad()
def prediction(family: Any) -> Tensor:
    """What a family predicts for fixed latents and a caption that its own text encoders read."""
    noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    given = family.encode_captions(["a red cat"])
    sizes = SIZES if family.name == "sdxl" else None
    return family.predict(noisy, torch.tensor([500]), Conditioning(given.context, given.pooled, sizes))


def adapted(family: Any, **settings: Any) -> dict[str, Any]:
    """PEFT adapters on all modules of a family, with drawn numbers. Returns component -> PeftModel."""
    from peft import LoraConfig, get_peft_model

    found: dict[str, Any] = {}
    draws = torch.Generator().manual_seed(2)
    for name, module in modules_of(family).items():
        layers = UNET_LAYERS if name == "unet" else TEXT_LAYERS
        pattern = {"alpha_pattern": {"to_k" if name == "unet" else "k_proj": OTHER_ALPHA}}
        own = {"r": RANK, "lora_alpha": ALPHA, "target_modules": layers, **pattern, **settings}
        found[name] = get_peft_model(module, LoraConfig(**own))
        for key, weight in module.named_parameters():
            if "lora_" in key:
                drawn = torch.randn(weight.shape, generator=draws)
                weight.data += drawn * (0.05 if "magnitude" in key else 0.2)
    return found


def written_by_diffusers(path: Path, base: Path, convert: Convert | None = None) -> Path:
    """pytorch_lora_weights.safetensors as training scripts of diffusers write it. convert: of a component's names."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
    from peft.utils import get_peft_model_state_dict

    family = loaded(base)
    given: dict[str, Any] = {}
    for name, adapter in adapted(family).items():
        state = get_peft_model_state_dict(adapter)
        state = {key.removeprefix("base_model.model."): value for key, value in state.items()}
        given[f"{name}_lora_layers"] = convert(state) if convert else state
        if convert is None:
            given[f"{name}_lora_adapter_metadata"] = adapter.peft_config["default"].to_dict()
    pipeline = StableDiffusionXLPipeline if family.name == "sdxl" else StableDiffusionPipeline
    pipeline.save_lora_weights(str(path), **given)
    return path / "pytorch_lora_weights.safetensors"


def read_by_diffusers(base: Path, file: Path) -> Tensor:
    """What the model predicts with the LoRA that diffusers' own loader puts into it."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    family = loaded(base)
    pipeline = StableDiffusionXLPipeline if family.name == "sdxl" else StableDiffusionPipeline
    state, alphas, metadata = pipeline.lora_state_dict(
        str(file), unet_config=family.unet.config, return_lora_metadata=True
    )
    pipeline.load_lora_into_unet(state, alphas, family.unet, metadata=metadata)
    for name, module in modules_of(family).items():
        if name != "unet":
            pipeline.load_lora_into_text_encoder(state, alphas, module, prefix=name, metadata=metadata)
    return prediction(family)


def continued(base: Path, path: Path) -> Tensor:
    """The prediction with a network that goes on from the file."""
    family = loaded(base)
    state = networks.renamed(family.layers(), lora_tensors(path))
    network = networks.attach(family.layers(), networks.NetworkOptions(), 0, like=state)
    assert network.load(state, path.name) == []
    return prediction(family)


def merged(base: Path, path: Path) -> Tensor:
    """The prediction with the file merged into the base."""
    family = loaded(base)
    assert networks.merge(family.layers(), lora_tensors(path), 1.0, path.name) == []
    return prediction(family)


def processors(state: dict[str, Any]) -> dict[str, Any]:
    """The names that training scripts of 2023 gave to attention layers: processors in the U-Net, to_q elsewhere."""
    unet = any(name.startswith("down_blocks") for name in state)
    found = {}
    for name, value in state.items():
        name = name.replace("lora_A.weight", "lora.down.weight").replace("lora_B.weight", "lora.up.weight")
        if unet:
            for layer in ("to_q", "to_k", "to_v", "to_out.0"):
                old = f"processor.{layer.removesuffix('.0')}_lora."
                name = name.replace(f"{layer}.lora.", old)
        else:
            name = name if name.startswith("text_model.") else f"text_model.{name}"
            for layer, old in (("q_proj", "to_q"), ("k_proj", "to_k"), ("v_proj", "to_v"), ("out_proj", "to_out")):
                name = name.replace(f"{layer}.lora.", f"{old}_lora.")
        found[name] = value
    return {name: value for name, value in found.items() if "_lora." in name}  # such files have nothing else


def linear_layers(state: dict[str, Any]) -> dict[str, Any]:
    """The names of diffusers before PEFT: lora.down in the U-Net, lora_linear_layer.down in text encoders."""
    word = "lora" if any(name.startswith("down_blocks") for name in state) else "lora_linear_layer"
    return {
        name.replace("lora_A.", f"{word}.down.").replace("lora_B.", f"{word}.up."): value
        for name, value in state.items()
    }


def close(one: Tensor, other: Tensor, plain: Tensor) -> None:
    """The same prediction, and another one than without the LoRA."""
    assert (one - other).norm() < 1e-4 * other.norm()
    assert (other - plain).norm() > 1e-2 * plain.norm()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("convert", [None, processors, linear_layers], ids=["with settings", "processors", "old names"])
def test_a_lora_of_diffusers_predicts_what_diffusers_own_loader_makes_of_it(
    tmp_path: Path, bases: dict[str, Path], family: str, convert: Any
) -> None:
    base = bases[family]
    file = written_by_diffusers(tmp_path, base, convert)
    expected, plain = read_by_diffusers(base, file), prediction(loaded(base))
    close(continued(base, file), expected, plain)
    close(merged(base, tmp_path), expected, plain)  # the folder with the file in it
    about = weights.describe(file)
    assert (about.kind, about.problems) == ("lora", ())
    assert "names of diffusers or PEFT" in about.detail
    found = inspect(file)
    assert found.rank == RANK
    assert found.alpha == ([ALPHA, OTHER_ALPHA] if convert is None else RANK)
    text = {"text_encoder"} if family == "sd1" else {"text_encoder_1", "text_encoder_2"}
    assert found.modules.keys() == {"unet", *text}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "settings", [{"use_rslora": True, "alpha_pattern": {}}, {"use_dora": True}], ids=["rslora", "dora"]
)
def test_folders_of_peft_predict_what_peft_does(
    tmp_path: Path, bases: dict[str, Path], family: str, settings: dict[str, Any]
) -> None:
    base = bases[family]
    plain, theirs = prediction(loaded(base)), loaded(base)
    adapters = adapted(theirs, **settings)
    expected = prediction(theirs)
    for name, adapter in adapters.items():
        adapter.save_pretrained(str(tmp_path / name))
    close(continued(base, tmp_path), expected, plain)
    close(merged(base, tmp_path), expected, plain)
    found = inspect(tmp_path)
    assert (found.kind, found.rank, found.problems) == ("lora", RANK, [])
    text = {"text_encoder"} if family == "sd1" else {"text_encoder_1", "text_encoder_2"}
    assert found.modules.keys() == {"unet", *text}
    assert found.method == ("dora" if "use_dora" in settings else "lora")
    one = inspect(tmp_path / "unet" / "adapter_model.safetensors")  # its settings lie beside it
    assert one.alpha == ([ALPHA, OTHER_ALPHA] if "use_dora" in settings else ALPHA * RANK**0.5)
    assert set(one.modules) == {"unet"}


Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
MLP = "text_model_encoder_layers_3_mlp_fc1"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("unet.mid_block.attentions.0.proj_in.lora_A.weight", "unet_mid_block_attentions_0_proj_in.lora_down.weight"),
        ("unet.conv_in.lora_B.default.weight", "unet_conv_in.lora_up.weight"),
        ("base_model.model.up_blocks.1.conv1.lora_A.weight", "unet_up_blocks_1_conv1.lora_down.weight"),
        (f"{Q}.processor.to_out_lora.up.weight", f"unet_{Q.replace('.', '_')}_to_out_0.lora_up.weight"),
        ("unet.mid_block.proj_in.lora.down.weight", "unet_mid_block_proj_in.lora_down.weight"),
        ("unet.mid_block.attentions.0.proj_in.alpha", "unet_mid_block_attentions_0_proj_in.alpha"),
        ("text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora.down.weight",
         "te_text_model_encoder_layers_3_self_attn_out_proj.lora_down.weight"),
        ("text_encoder.text_model.encoder.layers.3.mlp.fc1.lora_linear_layer.up.weight", f"te_{MLP}.lora_up.weight"),
        ("base_model.model.encoder.layers.3.mlp.fc1.lora_magnitude_vector", f"te_{MLP}.dora_scale"),
        ("text_encoder_2.text_projection.lora_A.weight", "te2_text_projection.lora_down.weight"),
        ("base_model.model.mid_block.resnets.0.conv1.hada_w1_a", "unet_mid_block_resnets_0_conv1.hada_w1_a"),
        ("lora_unet_mid_block_resnets_0_conv1.lora_A.weight", "unet_mid_block_resnets_0_conv1.lora_down.weight"),
        ("diffusion_model.middle_block.1.proj_in.lora_up.weight", "unet_middle_block_1_proj_in.lora_up.weight"),
    ],
)  # fmt: skip
def test_a_name_of_diffusers_or_peft_has_one_here(theirs: str, ours: str) -> None:
    assert foreign.names_here({theirs: (4, 8)}) == {theirs: f"lora_{ours}"}


@pytest.mark.parametrize(
    "name",
    ["lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", "lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha",
     "oft_unet_mid_block_attentions_0_proj_in.oft_blocks", "model.diffusion_model.out.2.weight",
     "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", "down_blocks.0.resnets.0.conv1.weight"],
)  # fmt: skip
def test_a_name_of_ours_or_of_another_model_stays(name: str) -> None:
    assert foreign.names_here({name: (4, 8)}) == {}


@pytest.mark.parametrize(
    ("config", "alpha"),
    [
        ({}, 4),  # programs take the rank
        ({"lora_alpha": 16}, 16),
        ({"lora_alpha": 16, "alpha_pattern": {"attn1.to_q": 2}}, 2),  # PEFT matches the path's end
        ({"lora_alpha": 16, "alpha_pattern": {"1.to_q": 2}}, 16),  # whole words of it only
        ({"lora_alpha": 16, "use_rslora": True}, 32),  # 16 / sqrt(4) = 32 / 4
        ({"alpha": 8}, 8),  # LoHa
        ({"unet.lora_alpha": 3, "text_encoder.lora_alpha": 5}, 3),  # as diffusers packs them
        ({"lora_alpha": "much"}, 4),
    ],
)
def test_alpha_is_what_the_adapters_settings_say(config: dict[str, Any], alpha: float) -> None:
    name = "unet.down_blocks.0.attn1.to_q.lora_A.weight"
    names = foreign.names_here({name: (4, 8)})
    shapes = {names[name]: (4, 8)}
    assert foreign.alphas(shapes, names, config) == {"lora_unet_down_blocks_0_attn1_to_q.alpha": alpha}


def test_a_lora_without_alpha_is_at_full_strength_whatever_its_names(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_file(
        {"lora_unet_x.lora_down.weight": torch.ones(4, 8), "lora_unet_x.lora_up.weight": torch.ones(8, 4)}, str(file)
    )
    assert lora_tensors(file)["lora_unet_x.alpha"] == 4


def adapter_folder(folder: Path, config: Any, tensors: dict[str, Tensor] | None = None) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(
        config if isinstance(config, str) else json.dumps(config), encoding="utf-8"
    )
    if tensors is not None:
        save_file(tensors, str(folder / "adapter_model.safetensors"))
    return folder


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"peft_type": "IA3"}, "of the type IA3, and here only LORA and LOHA are read; merge it into the base model"),
        ("{", "adapter_config.json cannot be read"),
        ("[1]", "adapter_config.json cannot be read"),
        ({"peft_type": "LORA"}, "but no adapter_model.safetensors"),
    ],
)
def test_an_adapter_that_is_not_read_says_why(tmp_path: Path, config: Any, words: str) -> None:
    folder = adapter_folder(tmp_path / "a", config, None if "no adapter_model" in words else {"x.ia3_l": torch.ones(2)})
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512}
    (said,) = kinds._network_files(parse({**needed, "network_weights": str(folder)}).config, "sd1")
    assert words in said.message and str(folder) in said.message
    assert words in inspect(folder).problems[0]


def test_which_text_encoder_a_folder_is_of_shows_in_its_class_or_its_width(tmp_path: Path) -> None:
    name = "base_model.model.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight"
    first = adapter_folder(tmp_path / "one", {"peft_type": "LORA"}, {name: torch.ones(4, 768)})
    wide = adapter_folder(tmp_path / "two", {"peft_type": "LORA"}, {name: torch.ones(4, 1280)})
    mapping = {"base_model_class": "CLIPTextModelWithProjection"}
    named = adapter_folder(tmp_path / "three", {"auto_mapping": mapping}, {name: torch.ones(4, 64)})
    found = [next(iter(lora_tensors(folder))).partition("_text_model")[0] for folder in (first, wide, named)]
    assert found == ["lora_te", "lora_te2", "lora_te2"]
    assert weights.describe(first).family is None  # SD 1 and SDXL have this one alike
