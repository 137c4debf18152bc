"""The network that lycoris.kohya makes: what presets choose, names and shapes, arguments, files of whole runs."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from place import Place
from safetensors import safe_open
from torch import Tensor, nn

from trainer import networks
from trainer.arguments import ArgumentError
from trainer.config import ConfigError, parse
from trainer.config.notes import DORA_OF_OUTPUTS
from trainer.families.base import Target
from trainer.families.layers import clip_name, layers_of, sd_block
from trainer.networks import arguments
from trainer.networks.presets import PRESETS, Preset, PresetError, find_preset

TIME = {"lora_unet_time_embedding_linear_1", "lora_unet_time_embedding_linear_2"}
ENDS = {"lora_unet_conv_in", "lora_unet_conv_out"}


@lru_cache(maxsize=1)
def tiny_layers() -> tuple[Target, ...]:
    unet, _, text_encoder = tiny.modules()
    text = layers_of(text_encoder, "text_encoder", "lora_te", clip_name)
    return (*text, *layers_of(unet, "unet", "lora_unet", block=sd_block))


def section(args: tuple[str, ...], dim: int | None = 4, alpha: float = 2.0) -> Any:
    from trainer.config.network import Network

    return Network(network_module="lycoris.kohya", network_dim=dim, network_alpha=alpha, network_args=args)


def attached(*args: str, dim: int = 4, like: dict[str, Tensor] | None = None) -> Any:
    """A network over the tiny model, taken off again: the model is shared."""
    network = networks.attach(tiny_layers(), networks.network_options(section(args, dim)), seed=1, like=like)
    network.detach()
    return network


def names(network: Any) -> set[str]:
    return {name for name, _ in network.adapters()}


def inside(*containers: str, kinds: Any = (nn.Linear, nn.Conv2d), part: str = "unet") -> set[str]:
    """Names of layers, found from the modules themselves."""
    unet, _, text_encoder = tiny.modules()
    root, prefix = (unet, "lora_unet") if part == "unet" else (text_encoder, "lora_te_text_model")
    found = set()
    for path, module in root.named_modules():
        if type(module).__name__ in containers:
            for below, layer in module.named_modules():
                if isinstance(layer, kinds):
                    found.add(f"{prefix}.{path}.{below}".replace(".", "_"))
    return found


def flat(layers: set[str]) -> set[str]:
    """Without kernels larger than 1x1."""
    kernels = {
        one.name for one in tiny_layers() if isinstance(one.module, nn.Conv2d) and one.module.kernel_size != (1, 1)
    }
    return layers - kernels


TEXT = ("CLIPAttention", "CLIPMLP")
RESIDUAL = ("ResnetBlock2D", "Downsample2D", "Upsample2D")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_finds_the_layers_that_it_means(preset: str) -> None:
    text, attention = inside(*TEXT, part="text_encoder"), inside("Transformer2DModel")
    expected = {
        "full": text | attention | inside(*RESIDUAL) | ENDS | TIME,
        "full-lin": text | attention | flat(inside("ResnetBlock2D")) | TIME,
        "attn-mlp": text | attention,
        "attn-only": inside("CLIPAttention", part="text_encoder") | inside("Attention"),
        "unet-only": attention | inside(*RESIDUAL) | ENDS | TIME,
        "unet-transformer-only": attention,
        "unet-convblock-only": inside(*RESIDUAL) | ENDS,
        "ia3": {one for one in text if one.endswith(("k_proj", "v_proj", "mlp_fc2"))}
        | {one for one in attention if one.endswith(("to_k", "to_v", "ff_net_2"))},
    }[preset]
    assert names(attached(f"preset={preset}")) == expected


def test_the_full_preset_has_the_layers_of_sd_1() -> None:
    # 12 text layers here, 278 + 1 of the U-Net with convolutions (tests/tiny.py), and the four that only full adapts
    found = names(attached())
    assert len(found) == tiny.LORA_TEXT_MODULES + tiny.LORA_UNET_MODULES_WITH_CONV + 4
    assert found > ENDS | TIME


def test_convolutions_have_the_networks_rank_their_own_or_none() -> None:
    name = "lora_unet_down_blocks_0_resnets_0_conv1"
    rank = {args: dict(attached(*args).adapters()).get(name) for args in [(), ("conv_dim=2",), ("conv_dim=0",)]}
    assert rank[()].size.rank == 4 and rank[()].size.alpha == 2.0
    assert rank[("conv_dim=2",)].size.rank == 2 and rank[("conv_dim=2",)].size.alpha == 2.0
    assert rank[("conv_dim=0",)] is None
    assert dict(attached("conv_alpha=1").adapters())[name].size.alpha == 1.0


def test_train_norm_adds_the_norm_layers_of_the_presets_modules() -> None:
    network = attached("preset=attn-mlp", "train_norm=True")
    norms = {name for name in names(network) if "norm" in name}
    assert norms == inside("Transformer2DModel", kinds=(nn.LayerNorm, nn.GroupNorm)) and len(norms) == 64
    assert {key.rpartition(".")[2] for key in network.file_tensors() if "norm" in key.partition(".")[0]} == {
        "w_norm", "b_norm",
    }  # fmt: skip


ALGOS = [
    (), ("algo=locon", "use_tucker=True"), ("algo=locon", "dora_wd=True"), ("algo=loha",),
    ("algo=loha", "use_tucker=1"),
    ("algo=lokr", "factor=8"), ("algo=lokr",), ("algo=lokr", "factor=4", "decompose_both=True", "use_tucker=True"),
    ("algo=lokr", "unbalanced_factorization=True"), ("algo=lokr", "full_matrix=True"), ("algo=glora",),
    ("algo=diag-oft", "rescaled=True"), ("algo=full",), ("algo=locon", "train_norm=True"),
    ("algo=loha", "rs_lora=True"),
]  # fmt: skip


@pytest.mark.parametrize("preset", ["attn-mlp", "unet-convblock-only"])
@pytest.mark.parametrize("args", ALGOS, ids="-".join)
def test_names_shapes_and_alphas_of_the_file_are_those_of_lycoris(args: tuple[str, ...], preset: str) -> None:
    kohya = pytest.importorskip("lycoris.kohya", reason="lycoris-lora is a development dependency")
    unet, _, text_encoder = tiny.modules()
    given = dict(one.split("=") for one in args)
    if "decompose_both" not in given:  # a text there, where every text is true
        given["decompose_both"] = False  # type: ignore[assignment]
    theirs = kohya.create_network(
        1.0, 4, 2.0, None, text_encoder, unet, preset=preset, conv_dim="2", conv_alpha="1", **given
    )
    expected = {}
    for module in theirs.loras:
        if module.lora_name in TIME:
            continue  # newer presets name the class TimestepEmbedding for another model, and so find it here
        name = module.lora_name.replace("lora_te_encoder", "lora_te_text_model_encoder")
        expected |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    ours = attached(*args, f"preset={preset}", "conv_dim=2", "conv_alpha=1").file_tensors()
    assert {key: tuple(value.shape) for key, value in ours.items()} == {
        key: tuple(value.shape) for key, value in expected.items()
    }
    for key in expected:
        if key.endswith(".alpha"):
            assert float(ours[key]) == pytest.approx(float(expected[key])), key


def test_rank_stabilised_alpha_is_written_so_that_plain_readers_agree() -> None:
    adapter = next(adapter for _, adapter in attached("rs_lora=True", dim=16).adapters())
    assert adapter.scale == pytest.approx(2.0 / 4)  # alpha / sqrt(16)
    assert float(adapter.alpha) == pytest.approx(8.0)  # a plain reader computes 8 / 16


def test_every_word_but_false_switches_on_and_old_names_are_understood() -> None:
    def given(*args: str) -> dict[str, Any]:
        return dict(networks.network_options(section(args)).arguments)

    assert given("dora_wd=1")["dora_wd"] is True and given("dora_wd=FALSE")["dora_wd"] is False
    assert given("use_cp=True")["use_tucker"] is True and given("disable_conv_cp=False")["use_tucker"] is True
    assert given("disable_conv_cp=True")["use_tucker"] is False
    assert given("algo=diag-oft", "constrain=1e-4")["constraint"] == 1e-4
    assert given("algo=dylora", "block_size=2")["unit"] == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [(("algo=locan",), r"lycoris.kohya has no algo 'locan'; did you mean 'locon'"),
     (("algo=lokr", "factr=8"), r"lycoris.kohya algo=lokr has no argument 'factr'; did you mean 'factor'"),
     (("algo=lokr", "factor=big"), r"factor=big is not a whole number"),
     (("preset=attn-mpl",), r"there is no preset 'attn-mpl'; did you mean 'attn-mlp'.*\.toml"),
     (("preset=nowhere.toml",), r"preset nowhere.toml: it cannot be read"),
     (("rank_dropout=1",), r"rank_dropout=1 must be at least 0 and below 1")],
)  # fmt: skip
def test_wrong_arguments_are_named_with_what_was_meant(args: tuple[str, ...], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        arguments.parse("lycoris.kohya", args)


def test_a_rank_above_every_layer_makes_whole_matrices_and_is_for_lokr_only() -> None:
    tensors = attached("algo=lokr", "factor=4", "preset=attn-only", dim=100_000).file_tensors()
    assert {key.rpartition(".")[2] for key in tensors} == {"lokr_w1", "lokr_w2", "alpha"}
    assert all(torch.isfinite(value.half()) for key, value in tensors.items() if key.endswith("alpha"))
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512, "network_dim": 100_000}
    assert parse({**needed, "network_module": "lycoris.kohya", "network_args": ["algo=lokr", "conv_dim=100000"]})
    with pytest.raises(ConfigError, match="network_dim is 100000; it must be 1024 or less"):
        parse(needed)
    with pytest.raises(ConfigError, match="conv_dim is 100000; it must be 1024 or less"):
        parse({**needed, "network_dim": 8, "network_module": "lycoris.kohya", "network_args": ["conv_dim=100000"]})


def test_arguments_of_other_methods_are_accepted_and_told() -> None:
    args = ("algo=loha", "factor=8", "full_matrix=False", "conv_dim=4", "use_tucker=True")
    assert arguments.faults("lycoris.kohya", args) == []
    assert arguments.without_effect("lycoris.kohya", args) == ["factor"]


@pytest.mark.parametrize(
    ("args", "told"), [((), True), (("wd_on_output=True",), True), (("wd_on_output=False",), False)]
)
def test_a_dora_that_image_programs_read_wrongly_is_told(args: tuple[str, ...], told: bool) -> None:
    needed = {"pretrained_model_name_or_path": "b", "train_data_dir": "t", "resolution": 512, "network_dim": 8}
    own = {"network_module": "lycoris.kohya", "network_args": ["algo=locon", "dora_wd=True", *args]}
    notes = [note.template for note in parse({**needed, **own}).notes]
    assert (DORA_OF_OUTPUTS in notes) == told
    assert parse({**needed, **own}).config.network.network_args == tuple(own["network_args"])  # kept as it was given


@pytest.mark.parametrize(
    ("algo", "told"),
    [("locon", []), ("loha", ["bypass_mode"]), ("full", ["bypass_mode"])],
)
def test_what_a_method_has_no_use_for_is_told(algo: str, told: list[str]) -> None:
    args = (f"algo={algo}", "bypass_mode=True", "conv_alpha=2", "conv_dim=4")
    assert arguments.without_effect("lycoris.kohya", args) == told


@pytest.mark.parametrize(
    ("pattern", "path", "by_expression", "by_fnmatch"),
    [
        ("mid_block", "mid_block.attentions.0.proj_in", True, False),  # an expression fits a beginning, the other all
        ("mid_block.*", "mid_block.attentions.0.proj_in", True, True),
        ("*attn1.to_?", "mid_block.attentions.0.transformer_blocks.0.attn1.to_k", None, True),
        ("*attn[12].to_k", "mid_block.attentions.0.transformer_blocks.0.attn3.to_k", None, False),
        (r"mid_block\..*\.to_(k|v)$", "mid_block.attentions.0.transformer_blocks.0.attn1.to_k", True, False),
        ("to_k", "mid_block.attentions.0.transformer_blocks.0.attn1.to_k", True, True),  # an end behind a dot
    ],
)
def test_a_presets_patterns_are_expressions_or_with_use_fnmatch_patterns_of_file_names(
    pattern: str, path: str, by_expression: bool | None, by_fnmatch: bool
) -> None:
    assert Preset(use_fnmatch=True).matches(pattern, path) is by_fnmatch
    if by_expression is not None:
        assert Preset().matches(pattern, path) is by_expression


def test_use_fnmatch_of_a_preset_file_chooses_layers_by_file_like_patterns(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    chosen = 'unet_target_module = []\nunet_target_name = ["*attn1.to_[kv]"]\ntext_encoder_target_module = []\n'
    file.write_text(f'use_fnmatch = true\nexclude_name = ["mid_block*"]\n{chosen}', encoding="utf-8")
    names = {name for name, _ in attached("algo=loha", f"preset={file}").adapters()}
    assert len(names) == 15 * 2  # 16 transformer blocks, without that of the middle
    assert all(name.endswith(("attn1_to_k", "attn1_to_v")) and "mid_block" not in name for name in names)


def test_a_preset_file_chooses_layers_methods_and_ranks(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        """
enable_conv = true
unet_target_module = ["Transformer2DModel", "ResnetBlock2D"]
unet_target_name = ["conv_in", "time_embedding.*"]
text_encoder_target_module = []
text_encoder_target_name = ["q_proj"]
exclude_name = ["mid_block"]
[module_algo_map.CrossAttnDownBlock2D]
dim = 3
[module_algo_map.Attention]
algo = "lokr"
factor = 4
[name_algo_map."ff.net.2"]
algo = "ia3"
train_on_input = true
""",
        encoding="utf-8",
    )
    network = attached("algo=loha", f"preset={file}")
    kinds = Counter(type(adapter).__name__ for _, adapter in network.adapters())
    by_name = dict(network.adapters())
    block = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_"
    assert (
        type(by_name[block + "attn1_to_q"]).__name__ == "LoKr"
        and by_name[block + "attn1_to_q"].options.arguments["factor"] == 4
    )
    assert type(by_name[block + "ff_net_2"]).__name__ == "IA3" and by_name[block + "ff_net_2"].scales_input
    assert type(by_name[block + "ff_net_0_proj"]).__name__ == "LoHa" and by_name[block + "ff_net_0_proj"].size.rank == 3
    assert by_name["lora_unet_up_blocks_1_attentions_0_proj_in"].size.rank == 4
    assert not any("mid_block" in name for name in by_name)
    assert TIME | {"lora_unet_conv_in", "lora_te_text_model_encoder_layers_0_self_attn_q_proj"} < by_name.keys()
    assert "lora_unet_conv_out" not in by_name and "lora_te_text_model_encoder_layers_0_self_attn_k_proj" not in by_name
    assert kinds["IA3"] == 15 and kinds["LoKr"] == 15 * 8


@pytest.mark.parametrize(
    ("text", "said"),
    [("unet_target_modul = []", "has no field 'unet_target_modul'; did you mean 'unet_target_module'"),
     ('enable_conv = "yes"', "enable_conv is true or false"), ('exclude_name = ["("]', "is no regular expression"),
     ('unet_target_name = "to_k"', "unet_target_name is a list of texts"), ("a = [", "it is no TOML file"),
     ('lora_prefix = "x"', "lora_prefix cannot be chosen"),
     ('[module_algo_map.Attention]\nalgo = "lokrr"', "Attention has no algo 'lokrr'; did you mean 'lokr'"),
     ("[module_algo_map.Attention]\nfactorr = 4", "Attention has no argument 'factorr'; did you mean 'factor'")],
)  # fmt: skip
def test_a_wrong_preset_file_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    found = arguments.faults("lycoris.kohya", (f"preset={file}",))
    assert len(found) == 1 and said in found[0] and "own.toml" in found[0]


def test_names_of_sd_scripts_own_modules_mean_those_of_diffusers() -> None:
    assert find_preset("attn-only").modules("unet") == {"Attention"}
    from trainer.networks.presets import preset_of

    assert preset_of({"target_module": ["CrossAttention"]}, "x.toml").modules("unet") == {"Attention"}
    with pytest.raises(PresetError, match="there is no preset"):
        find_preset("everything")


RUNS = {
    "locon": (("algo=locon", "conv_dim=2"), {"lora_down.weight", "lora_up.weight", "alpha"}),
    "locon tucker scalar": (("algo=locon", "use_tucker=True", "use_scalar=True", "rs_lora=True"),
                            {"lora_down.weight", "lora_mid.weight", "lora_up.weight", "alpha"}),
    "dora": (("algo=lora", "dora_wd=True", "preset=attn-mlp"),
             {"lora_down.weight", "lora_up.weight", "alpha", "dora_scale"}),
    "loha": (("algo=loha", "use_tucker=True", "rank_dropout=0.1"),
             {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "alpha"}),
    "lokr": (("algo=lokr", "factor=4", "dora_wd=True", "dropout=0.1"),
             {"lokr_w1", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "alpha", "dora_scale"}),
    "dylora": (("algo=dylora", "block_size=2"), {"lora_down.weight", "lora_up.weight", "alpha"}),
    "glora": (("algo=glora",), {"a1.weight", "a2.weight", "b1.weight", "b2.weight", "alpha"}),
    "ia3": (("algo=ia3", "preset=ia3"), {"weight", "on_input"}),
    "full": (("algo=full", "train_norm=True"), {"diff", "diff_b", "w_norm", "b_norm"}),
    "diag-oft": (("algo=diag-oft", "rescaled=True", "constraint=0.01", "module_dropout=0.1"),
                 {"oft_blocks", "rescale", "alpha"}),
    "boft": (("algo=boft", "preset=attn-only"), {"oft_blocks", "alpha"}),
}  # fmt: skip


def prediction(root: Path, network: dict[str, Tensor] | None, args: tuple[str, ...], dim: int) -> tuple[Tensor, Tensor]:
    """Text states and prediction of the base model with a file's network on it, made by its own settings or from it."""
    from trainer import families
    from trainer.families.base import LoadOptions

    family = families.load(LoadOptions(path=str(root / "base.safetensors")))
    family.train_mode()
    if network is not None:
        options = networks.network_options(section(args, dim))
        made = networks.attach(family.layers(), options, seed=3, like=None if args else network)
        assert made.load(network, "t.safetensors") == []
        made.eval()
    with torch.no_grad():
        conditioning = family.encode_captions(["cat, red"])
        generator = torch.Generator().manual_seed(0)
        noisy = torch.randn(1, 4, 8, 8, generator=generator)
        return conditioning.context, family.predict(noisy, torch.tensor([500]), conditioning)


@pytest.mark.parametrize("algo", RUNS)
def test_a_run_of_each_method_ends_with_its_file_which_reads_back(place: Place, algo: str) -> None:
    args, endings = RUNS[algo]
    dim = 10 if algo == "boft" else 4
    assert place.train(network_module="lycoris.kohya", network_args=list(args), network_dim=dim, max_train_epochs=None,
                       max_train_steps=2, unet_lr=1e-2, save_state_on_train_end=True) == 0  # fmt: skip
    weights = place.weights()
    found = {key.partition(".")[2] for key in weights}
    assert found == endings
    with safe_open(place.root / "output" / "t.safetensors", "pt") as file:
        told = file.metadata()
    given = dict(one.split("=") for one in args)
    assert told["ss_network_module"] == "lycoris.kohya"
    assert json.loads(told["ss_network_args"]) == {"dropout": None, **given}
    assert all(torch.isfinite(torch.tensor(loss)) for loss in place.losses())
    assert all(value.isfinite().all() for value in weights.values())

    plain, by_args, by_file = (
        prediction(place.root, *one, dim) for one in ((None, ()), (weights, args), (weights, ()))
    )
    assert float((by_args[1] - plain[1]).abs().max()) > 1e-4
    torch.testing.assert_close(by_args[1], by_file[1], rtol=1e-4, atol=1e-5)
    if algo not in ("full", "ia3", "dylora"):  # LyCORIS reads these back wrongly or not at all (TRAINER_FINDINGS 3)
        theirs = lycoris_prediction(place.root, weights, by_args[0])
        assert float((theirs - by_args[1]).abs().max()) < 1e-4


def lycoris_prediction(root: Path, weights: dict[str, Tensor], context: Tensor) -> Tensor:
    """What the U-Net predicts for text states when lycoris-lora reads the file."""
    kohya = pytest.importorskip("lycoris.kohya", reason="lycoris-lora is a development dependency")
    from trainer import families
    from trainer.families.base import Conditioning, LoadOptions

    family = families.load(LoadOptions(path=str(root / "base.safetensors")))
    kohya.LycorisNetworkKohya.apply_preset(kohya.PRESET["unet-transformer-only"])  # its own "full" finds a layer twice
    network, _ = kohya.create_network_from_weights(1.0, "", None, None, family.unet, weights_sd=weights)
    network.apply_to(None, family.unet, False, True)
    assert len(network.loras) == len({key.partition(".")[0] for key in weights if key.startswith("lora_unet")})
    with torch.no_grad():
        noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        return family.predict(noisy, torch.tensor([500]), Conditioning(context))


def a_trained_file(place: Place, args: tuple[str, ...], dim: int = 4) -> dict[str, Tensor]:
    assert place.train(network_module="lycoris.kohya", network_args=list(args), network_dim=dim, max_train_epochs=None,
                       max_train_steps=3, unet_lr=2e-2, text_encoder_lr=1e-2) == 0  # fmt: skip
    return place.weights()


def test_diffusers_predicts_the_same_with_a_locon_file(place: Place) -> None:
    """It knows no names for conv_in and the like in such files, and leaves lengths (DoRA) of such files out."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    from trainer import families
    from trainer.families.base import LoadOptions

    args = ("algo=locon", "preset=attn-mlp")
    context, ours = prediction(place.root, a_trained_file(place, args), args, 4)
    family = families.load(LoadOptions(path=str(place.root / "base.safetensors")))
    scheduler = DDIMScheduler(steps_offset=1, clip_sample=False)
    pipe = StableDiffusionPipeline(
        vae=family.vae, text_encoder=family.text_encoders[0], tokenizer=None, unet=family.unet, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.load_lora_weights(place.weights())
    with torch.no_grad():
        conditioning = family.encode_captions(["cat, red"])
        noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        theirs = family.predict(noisy, torch.tensor([500]), conditioning)
    assert float((conditioning.context - context).abs().max()) < 1e-4
    assert float((theirs - ours).abs().max()) < 1e-4


@pytest.mark.parametrize("algo", ["dora", "locon tucker scalar"])
def test_a_resumed_run_ends_bit_identical(place: Place, algo: str) -> None:
    from place import same

    args = [*RUNS[algo][0], "module_dropout=0.2", "rank_dropout=0.2"]
    common = {"network_module": "lycoris.kohya", "network_args": args, "network_dim": 4, "scale_weight_norms": 0.01}
    place.train("whole", **common, output_name="whole")
    place.train("first", **common, output_name="first", max_train_epochs=None, max_train_steps=6, save_every_n_steps=3,
                save_state=True)  # fmt: skip
    states = sorted((place.root / "first" / "state").iterdir()) if (place.root / "first" / "state").exists() else []
    assert states
    place.train("again", **common, output_name="again", max_train_epochs=None, max_train_steps=6, resume=str(states[0]))
    assert same(place.weights("whole"), place.weights("first"))
    resumed = [path.stem for path in (place.root / "output").glob("*.safetensors")]
    assert any(
        same(place.weights("whole"), place.weights(name)) for name in resumed if name.startswith(("again", "first-"))
    )


def filled(network: Any) -> Any:
    """Every trained number moved a little, drawn by the adapter's name."""
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
            parameter.add_(0.02 * noise)
    return network


@pytest.mark.parametrize("algo", ["locon tucker scalar", "dora", "loha", "lokr", "glora", "ia3", "full", "diag-oft"])
def test_base_weights_merge_what_the_network_computes(base: Path, algo: str) -> None:
    """Also where LyCORIS' own merge is wrong: loha and lokr with an alpha that is not the rank."""
    from trainer import families
    from trainer.families.base import LoadOptions

    family = families.load(LoadOptions(path=str(base)))
    family.train_mode()
    network = filled(networks.attach(family.layers(), networks.network_options(section(RUNS[algo][0])), seed=5)).eval()
    file = {key: value.clone() for key, value in network.file_tensors().items()}

    def predicted() -> Tensor:
        with torch.no_grad():
            noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
            return family.predict(noisy, torch.tensor([500]), family.encode_captions(["cat, red"]))

    with_network = predicted()
    network.detach()
    plain = predicted()
    assert networks.merge(family.layers(), file, 1.0, "t.safetensors") == []
    difference = float((with_network - plain).abs().max())
    assert difference > 1e-3
    assert float((predicted() - with_network).abs().max()) < 1e-3 * max(difference, 1.0)


def test_sdxl_has_its_own_names_and_a_run_ends_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = Place(tmp_path, tiny.safetensors(tmp_path / "xl.safetensors", "sdxl"))
    assert place.train(network_module="lycoris.kohya", network_args=["algo=lokr", "factor=4", "train_norm=True"],
                       network_dim=4, max_train_epochs=None, max_train_steps=1) == 0  # fmt: skip
    found = {key.partition(".")[0] for key in place.weights()}
    assert {"lora_unet_input_blocks_0_0", "lora_unet_out_2", "lora_unet_time_embed_0", "lora_unet_time_embed_2"} < found
    assert not any("label_emb" in name or "down_blocks" in name for name in found)
    assert any(
        name.startswith("lora_unet_input_blocks_1_0_in_layers_0") for name in found
    )  # a norm of a residual block
    assert {name.split("_")[1] for name in found} == {"te1", "te2", "unet"}


@pytest.mark.parametrize(
    ("values", "said"),
    [({"network_args": ("algo=dylora",), "network_dim": 6}, "network_dim 6 is no multiple of block_size 4"),
     ({"network_args": ("algo=dylora", "conv_dim=2")}, "conv_dim 2 is no multiple of block_size 4"),
     ({"network_args": ("algo=lohaa",)}, "network_args: lycoris.kohya has no algo 'lohaa'; did you mean 'loha'")],
)  # fmt: skip
def test_what_a_method_cannot_do_is_said_before_the_run(values: dict[str, Any], said: str) -> None:
    from trainer.config import ConfigError, parse

    needed = {"pretrained_model_name_or_path": "b.safetensors", "train_data_dir": "t", "resolution": 512}
    with pytest.raises(ConfigError, match=said):
        parse({**needed, "network_module": "lycoris.kohya", **values})


def test_what_has_no_effect_is_said_and_accepted() -> None:
    from trainer.config import parse

    needed = {"pretrained_model_name_or_path": "b.safetensors", "train_data_dir": "t", "resolution": 512}
    args = ["algo=boft", "conv_dim=4", "use_tucker=False", "factor=8"]
    told = [note.message for note in parse({**needed, "network_module": "lycoris.kohya", "network_args": args}).notes]
    assert "factor has no effect with algo=boft" in told
    assert any("algo=boft cannot cut layers of 320 outputs with network_dim 4" in one for one in told)
    assert not any("use_tucker" in one for one in told)


@pytest.mark.parametrize(
    ("algo", "method"),
    [("dora", "dora"), ("loha", "loha"), ("lokr", "lokr"), ("glora", "glora"), ("ia3", "ia3"), ("full", "full"),
     ("diag-oft", "oft"), ("boft", "boft"), ("locon tucker scalar", "locon")],
)  # fmt: skip
def test_a_file_is_told_by_its_tensors(tmp_path: Path, algo: str, method: str) -> None:
    from safetensors.torch import save_file

    from trainer.families.weights import read_header
    from trainer.tools.inspect import method_of

    tensors = attached(*RUNS[algo][0], dim=10).file_tensors()
    save_file({key: value.clone().contiguous() for key, value in tensors.items()}, str(tmp_path / "x.safetensors"))
    assert method_of(read_header(tmp_path / "x.safetensors")) == method
