"""Which tensors a base model has: by name, from the resolved configs, and where a file keeps them. LIGHT.

Only names and shapes: `trainer check` finds with them what a file lacks; modules.py reads the weights themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.families import names
from trainer.families.names import Piece
from trainer.families.weights import Description, WeightsError, component_files, describe, read_config

CONFIGS = Path(__file__).parent / "configs"
CONFIG_FOLDERS = [CONFIGS]  # tests add theirs
Config = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]
Pieces = Callable[[str, Config], list[Piece]]


def known_configs(component: str) -> dict[str, Config]:
    """The resolved configs of a component, by architecture name ("sd1", "sd2", "sdxl", "demo")."""
    found: dict[str, Config] = {}
    for path in (path for folder in CONFIG_FOLDERS for path in sorted(folder.glob(f"*/{component}.json"))):
        config = read_config(path)
        if config is not None:
            found[path.parent.name] = config
    return found


def unet_facts(config: Config) -> dict[str, tuple[int, ...]]:
    """Shapes that tell one U-Net architecture from another: diffusers tensor name -> leading sizes."""
    widths = config["block_out_channels"]
    facts: dict[str, tuple[int, ...]] = {"conv_in.weight": (widths[0], config["in_channels"])}
    depths = config["transformer_layers_per_block"]
    for block, (width, kind) in enumerate(zip(widths, config["down_block_types"], strict=True)):
        last = config["layers_per_block"] - 1
        facts[f"down_blocks.{block}.resnets.{last}.conv2.weight"] = (width, width)
        if "CrossAttn" in kind:
            deepest = (depths if isinstance(depths, int) else depths[block]) - 1
            name = f"down_blocks.{block}.attentions.{last}.transformer_blocks.{deepest}.attn2.to_k.weight"
            facts[name] = (width, config["cross_attention_dim"])
    return facts


def vae_facts(config: Config) -> dict[str, tuple[int, ...]]:
    """The same for the VAE."""
    widths, last = config["block_out_channels"], config["layers_per_block"] - 1
    facts: dict[str, tuple[int, ...]] = {"encoder.conv_in.weight": (widths[0], config["in_channels"])}
    for block, width in enumerate(widths):
        facts[f"encoder.down_blocks.{block}.resnets.{last}.conv2.weight"] = (width, width)
    return facts


def text_facts(config: Config) -> dict[str, tuple[int, ...]]:
    """The same for the text encoder."""
    last = config["num_hidden_layers"] - 1
    return {
        "embeddings.token_embedding.weight": (config["vocab_size"], config["hidden_size"]),
        f"encoder.layers.{last}.mlp.fc1.weight": (config["intermediate_size"], config["hidden_size"]),
    }


def unet_pieces(name: str, config: Config) -> list[Piece]:
    """Where a U-Net's tensor may stand in a file, the usual place first."""
    ldm = names.unet_name(name, config)
    return [Piece(names.UNET_PREFIX + ldm), Piece(name), Piece(ldm)]


_OLD_VAE_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def vae_pieces(name: str, config: Config) -> list[Piece]:
    """The same for the VAE."""
    ldm = names.vae_name(name, config)
    pieces = [Piece(names.VAE_PREFIX + ldm), Piece(ldm), Piece(name)]
    for new, old in _OLD_VAE_ATTENTION.items():  # diffusers folders of 2022
        if f"attentions.0.{new}." in name:
            pieces.append(Piece(name.replace(new, old)))
    return pieces


def text_pieces(name: str, config: Config) -> list[Piece]:
    """The same for the text encoder of SD 1 and 2."""
    with_prefix, bare = names.clip_name(name), name.removeprefix("text_model.")
    open_clip = names.open_clip_piece(name)
    return [
        Piece(names.CLIP_PREFIX + with_prefix),
        Piece(names.CLIP_PREFIX + bare),  # merges of 2022 dropped `text_model.`
        Piece(with_prefix),
        Piece(bare),
        Piece(names.OPEN_CLIP_PREFIX + open_clip.name, open_clip.third),
    ]


def xl_text_pieces(name: str, config: Config) -> list[Piece]:
    """The same for SDXL's first text encoder."""
    with_prefix, bare = names.clip_name(name), name.removeprefix("text_model.")
    return [Piece(names.XL_CLIP_PREFIX + with_prefix), Piece(with_prefix), Piece(bare)]


def xl_text_2_pieces(name: str, config: Config) -> list[Piece]:
    """The same for SDXL's second."""
    open_clip = names.open_clip_piece(name)
    inner = name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}"
    return [
        open_clip._replace(name=names.XL_OPEN_CLIP_PREFIX + open_clip.name),
        Piece(names.XL_OPEN_CLIP_PREFIX + name),  # text_projection.weight of some re-saved files
        Piece(inner),
    ]


def matching(
    path: Path,
    component: str,
    title: str,
    shapes: Shapes,
    facts_of: Callable[[Config], dict[str, tuple[int, ...]]],
    pieces_of: Pieces,
) -> Config:
    """The known config whose shapes are those of a file. Raises WeightsError naming the nearest."""

    def found(name: str, config: Config) -> tuple[int, ...] | None:
        for piece in pieces_of(name, config):
            if piece.name in shapes:
                return shapes[piece.name]
        return None

    nearest: tuple[int, str] = (-1, f"the file has no {title} at all; choose a whole checkpoint")
    for architecture, config in known_configs(component).items():
        wrong = []
        facts = facts_of(config)
        for name, expected in facts.items():
            shape = found(name, config)
            if shape is None or shape[: len(expected)] != expected:
                wrong.append((name, expected, shape))
        if not wrong:
            return config
        seen = sum(found(name, config) is not None for name in facts) * 100 - len(wrong)
        name, expected, shape = wrong[0]
        if shape is not None and seen > nearest[0]:
            nearest = (
                seen,
                f"nearest is {architecture}, where {name} begins with {list(expected)}, here it is {list(shape)}",
            )
    raise WeightsError(
        f"{path}: its {title} is of no known kind: {nearest[1]}. Known kinds: {', '.join(known_configs(component))}"
    )


def incomplete_base(path: Path, about: Description, family: str, own_vae: bool = False) -> str | None:
    """What a base model lacks, in the words of the loader; None when every tensor is there.

    own_vae: a VAE is given apart, so the base's is not read.
    """
    if about.kind == "folder":
        return _incomplete_folder(path, family, own_vae)
    return _incomplete_file(path, about.shapes, family, own_vae)


def _incomplete_folder(path: Path, family: str, own_vae: bool) -> str | None:
    parts = [
        ("unet", "U-Net", unet_pieces, unet_tensors),
        *([] if own_vae else [("vae", "VAE", vae_pieces, vae_tensors)]),
    ]
    names_of_texts = [("text_encoder", "text encoder", text_pieces, text_tensors)]
    if family == "sdxl":
        names_of_texts = [
            ("text_encoder", "first text encoder", xl_text_pieces, text_tensors),
            ("text_encoder_2", "second text encoder", xl_text_2_pieces, projected_text_tensors),
        ]
    for component, title, pieces, tensors in [*parts, *names_of_texts]:
        config = read_config(path / component / "config.json")
        if config is None:
            return f"{path / component / 'config.json'} is missing; download the folder again"
        shapes: dict[str, tuple[int, ...]] = {}
        for file in component_files(path / component):
            about = describe(file)
            if about.pickled and about.problems and about.kind != "unknown":
                return about.problems[0]
            if not about.shapes:
                return about.problems[0] if about.problems else None
            shapes |= about.shapes
        try:
            own = list(tensors(config))
        except (KeyError, TypeError, ValueError):
            continue  # a config of another form than the usual ones: the loader knows what to make of it
        fault = lacking(path / component, title, [pieces(name, config) for name in own], own, shapes)
        if fault:
            return fault
    return None


def _incomplete_file(path: Path, shapes: Shapes, family: str, own_vae: bool) -> str | None:
    parts = [("unet", "U-Net", unet_facts, unet_pieces, unet_tensors)]
    if not own_vae:
        parts.append(("vae", "VAE", vae_facts, vae_pieces, vae_tensors))
    if family == "sdxl":
        parts.append(("text_encoder", "first text encoder", text_facts, xl_text_pieces, text_tensors))
        parts.append(("text_encoder_2", "second text encoder", text_facts, xl_text_2_pieces, projected_text_tensors))
    else:
        parts.append(("text_encoder", "text encoder", text_facts, text_pieces, text_tensors))
    for component, title, facts, pieces, tensors in parts:
        try:
            config = matching(path, component, title, shapes, facts, pieces)
        except WeightsError as error:
            return str(error)
        fault = lacking(path, title, [pieces(name, config) for name in tensors(config)], list(tensors(config)), shapes)
        if fault:
            return fault
    return None


def incomplete_vae(path: Path, shapes: Shapes) -> str | None:
    """The same for the VAE of a file."""
    try:
        config = matching(path, "vae", "VAE", shapes, vae_facts, vae_pieces)
    except WeightsError as error:
        return str(error)
    own = list(vae_tensors(config))
    return lacking(path, "VAE", [vae_pieces(name, config) for name in own], own, shapes)


def lacking(
    path: Path, title: str, pieces: Sequence[Sequence[Piece]], own: Sequence[str], shapes: Shapes
) -> str | None:
    """A sentence on tensors that a file has under none of their names; None when none is missing."""
    missing = [name for name, known in zip(own, pieces, strict=True) if not any(one.name in shapes for one in known)]
    if not missing:
        return None
    cure = "choose a whole checkpoint" if len(missing) == len(own) else "the file is incomplete, fetch it again"
    return f"{path} lacks {len(missing)} of {len(own)} tensors of the {title} (first: {missing[0]}); {cure}"


def unet_tensors(config: Config) -> Iterator[str]:
    """Names of a UNet2DConditionModel's tensors."""
    widths, kinds = list(config["block_out_channels"]), list(config["down_block_types"])
    layers, last = int(config["layers_per_block"]), len(widths) - 1
    given = config["transformer_layers_per_block"]
    depths = [given] * len(widths) if isinstance(given, int) else list(given)
    yield from _both("conv_in", "time_embedding.linear_1", "time_embedding.linear_2")
    if config.get("addition_embed_type") == "text_time":
        yield from _both("add_embedding.linear_1", "add_embedding.linear_2")
    for block, (width, kind) in enumerate(zip(widths, kinds, strict=True)):
        for layer in range(layers):
            widens = layer == 0 and width != widths[max(block - 1, 0)]
            yield from _resnet(f"down_blocks.{block}.resnets.{layer}", widens, timed=True)
            if "CrossAttn" in kind:
                yield from _attention(f"down_blocks.{block}.attentions.{layer}", depths[block])
        if block < last:
            yield from _both(f"down_blocks.{block}.downsamplers.0.conv")
    yield from _attention("mid_block.attentions.0", depths[-1])
    for layer in range(2):
        yield from _resnet(f"mid_block.resnets.{layer}", False, timed=True)
    for block, kind in enumerate(config["up_block_types"]):
        for layer in range(layers + 1):
            yield from _resnet(f"up_blocks.{block}.resnets.{layer}", True, timed=True)
            if "CrossAttn" in kind:
                yield from _attention(f"up_blocks.{block}.attentions.{layer}", depths[::-1][block])
        if block < last:
            yield from _both(f"up_blocks.{block}.upsamplers.0.conv")
    yield from _both("conv_norm_out", "conv_out")


def vae_tensors(config: Config) -> Iterator[str]:
    """Names of an AutoencoderKL's tensors."""
    widths, layers = list(config["block_out_channels"]), int(config["layers_per_block"])
    for part, sizes, count, sampler in (
        ("encoder", widths, layers, "down"), ("decoder", widths[::-1], layers + 1, "up"),
    ):  # fmt: skip
        yield from _both(f"{part}.conv_in", f"{part}.conv_norm_out", f"{part}.conv_out")
        for block, width in enumerate(sizes):
            for layer in range(count):
                widens = layer == 0 and width != sizes[max(block - 1, 0)]
                yield from _resnet(f"{part}.{sampler}_blocks.{block}.resnets.{layer}", widens, timed=False)
            if block < len(sizes) - 1:
                yield from _both(f"{part}.{sampler}_blocks.{block}.{sampler}samplers.0.conv")
        for layer in range(2):
            yield from _resnet(f"{part}.mid_block.resnets.{layer}", False, timed=False)
        ends = ("group_norm", "to_q", "to_k", "to_v", "to_out.0")
        yield from _both(*(f"{part}.mid_block.attentions.0.{end}" for end in ends))
    yield from _both("quant_conv", "post_quant_conv")


def text_tensors(config: Config) -> Iterator[str]:
    """Names of a CLIPTextModel's tensors, without `text_model.`."""
    yield "embeddings.token_embedding.weight"
    yield "embeddings.position_embedding.weight"
    ends = ("self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj", "layer_norm1", "mlp.fc1",
            "mlp.fc2", "layer_norm2")  # fmt: skip
    for layer in range(int(config["num_hidden_layers"])):
        yield from _both(*(f"encoder.layers.{layer}.{end}" for end in ends))
    yield from _both("final_layer_norm")


def projected_text_tensors(config: Config) -> Iterator[str]:
    """The same of a CLIPTextModelWithProjection."""
    yield from text_tensors(config)
    yield "text_projection.weight"


def _both(*modules: str) -> Iterator[str]:
    for module in modules:
        yield f"{module}.weight"
        yield f"{module}.bias"


def _resnet(place: str, shortcut: bool, timed: bool) -> Iterator[str]:
    ends = ["norm1", "conv1", *(["time_emb_proj"] if timed else []), "norm2", "conv2"]
    yield from _both(*(f"{place}.{end}" for end in [*ends, *(["conv_shortcut"] if shortcut else [])]))


def _attention(place: str, depth: int) -> Iterator[str]:
    yield from _both(f"{place}.norm", f"{place}.proj_in", f"{place}.proj_out")
    for number in range(depth):
        block = f"{place}.transformer_blocks.{number}"
        for end in ("attn1", "attn2"):
            yield from (f"{block}.{end}.{side}.weight" for side in ("to_q", "to_k", "to_v"))
            yield from _both(f"{block}.{end}.to_out.0")
        yield from _both(*(f"{block}.{end}" for end in ("norm1", "norm2", "norm3", "ff.net.0.proj", "ff.net.2")))
