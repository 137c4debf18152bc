"""What a weights file is, told from its header; damaged and wrong files each get their sentence."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy
import pytest
import tiny
import torch
from safetensors.torch import save_file

from trainer.families import modules, names
from trainer.families.weights import WeightsError, describe, find_base, read_header


def safetensors_bytes(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_a_tiny_sd1_checkpoint_is_described_from_its_header(base):
    about = describe(base)
    assert (about.kind, about.family, about.prediction, about.dtype) == ("checkpoint", "sd1", "epsilon", "F16")
    assert about.problems == ()
    assert about.size_bytes == base.stat().st_size


def test_a_ckpt_is_described_without_unpickling_it(tmp_path):
    about = describe(tiny.sd1_ckpt(tmp_path / "base.ckpt"))
    assert (about.kind, about.family, about.problems) == ("checkpoint", "sd1", ())


def test_a_diffusers_folder_is_described(tmp_path):
    about = describe(tiny.sd1_folder(tmp_path / "folder"))
    assert (about.kind, about.family, about.prediction, about.problems) == ("folder", "sd1", "epsilon", ())


@pytest.mark.parametrize(
    ("make", "family", "prediction"),
    [
        (tiny.sd2_safetensors, "sd2", None),
        (lambda path: tiny.sd2_safetensors(path, v_prediction=True), "sd2", "v"),
        (tiny.sdxl_safetensors, "sdxl", "epsilon"),
        (lambda path: tiny.sdxl_safetensors(path, v_prediction=True), "sdxl", "v"),
    ],
)
def test_sd2_and_sdxl_are_told_apart(tmp_path, make, family, prediction):
    about = describe(make(tmp_path / "model.safetensors"))
    assert (about.kind, about.family, about.prediction) == ("checkpoint", family, prediction)
    assert about.zero_terminal_snr == (family == "sdxl" and prediction == "v")


@pytest.mark.parametrize(
    ("tensors", "kind", "family"),
    [
        ({"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": (4, 320)}, "lora", "sd1"),
        (
            {"lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight": (4, 1024)},
            "lora",
            "sd2",
        ),
        ({"lora_unet_input_blocks_4_1_proj_in.lora_up.weight": (640, 4)}, "lora", "sdxl"),
        ({"lora_te1_text_model_encoder_layers_0_mlp_fc1.hada_w1_a": (4, 4)}, "lora", "sdxl"),
        ({"encoder.conv_in.weight": (8, 3, 3, 3), "decoder.conv_in.weight": (8, 4, 3, 3)}, "vae", None),
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (4, 4)}, "text_encoder", None),
        ({"model.diffusion_model.input_blocks.0.0.weight": (8, 4, 3, 3)}, "unet", None),
        ({"double_blocks.0.img_attn.qkv.weight": (4, 4)}, "unet", "flux"),
        ({"model.diffusion_model.double_blocks.0.img_attn.qkv.weight": (4, 4)}, "unet", "flux"),
        ({"single_transformer_blocks.0.attn.to_k.weight": (4, 4), "t.0.attn.add_k_proj.weight": (4,)}, "unet", "flux"),
        ({"transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": (4, 4)}, "lora", "flux"),
        ({"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (4, 4)}, "lora", "flux"),
        ({"joint_blocks.0.x_block.attn.qkv.weight": (4, 4)}, "unet", "sd3"),
        ({"transformer_blocks.0.img_mod.1.weight": (4, 4), "b.attn.add_k_proj.weight": (4,)}, "unet", "qwen"),
        ({"cap_embedder.1.weight": (4, 4)}, "unet", "lumina"),
        ({"foo": (2,)}, "unknown", None),
    ],
)
def test_kinds_are_told_by_names(tmp_path, tensors, kind, family):
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, str(tmp_path / "a.safetensors"))
    about = describe(tmp_path / "a.safetensors")
    assert (about.kind, about.family) == (kind, family)


def test_an_inpainting_model_is_refused_with_the_reason(tmp_path):
    state = {
        "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(8, 9, 3, 3),
        "first_stage_model.x": torch.zeros(1),
    }
    save_file(state, str(tmp_path / "a.safetensors"))
    assert any(
        "an inpainting model with 9 input channels" in text for text in describe(tmp_path / "a.safetensors").problems
    )


def test_a_cut_download_names_both_sizes(base, tmp_path):
    cut = tmp_path / "cut.safetensors"
    whole = base.read_bytes()
    cut.write_bytes(whole[:5_000_000])
    with pytest.raises(
        WeightsError, match=rf"cut\.safetensors.*cut download.*expected {len(whole):,} bytes, got 5,000,000"
    ):
        read_header(cut)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut download"),
        (b"\x00" * 4, "cut download"),
        (b"\xff" * 8 + b"{}", "is not a safetensors file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git-lfs pointer"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"PK\x03\x04" + b"x" * 100, "give it the extension .ckpt"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + b"x" * 100, "give it the extension .ckpt"),
        (b"GGUF\x03\x00\x00\x00" + b"\x00" * 100, "is a GGUF file.*choose the .safetensors file of this model"),
        ((1 << 20).to_bytes(8, "little") + b"{" + b" " * 100, "cut download"),
        (safetensors_bytes(b"[1, 2]"), "not a table"),
        (safetensors_bytes(b"{nonsense"), "not readable"),
        (safetensors_bytes(b"[" * 100_000), "not readable"),
        (safetensors_bytes(b'{"a": 1, "a": 1}'), "not readable"),
        (safetensors_bytes({"__metadata__": {"a": 1}}), "metadata is not text"),
        (safetensors_bytes({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"0" * 4), "makes no sense"),
        (safetensors_bytes({"a": {"dtype": "X9", "shape": [1], "data_offsets": [0, 4]}}, b"0" * 4), "makes no sense"),
        (safetensors_bytes({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}, b"0" * 4), "makes no sense"),
        (safetensors_bytes({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"0" * 8), "does not begin"),
        (
            safetensors_bytes({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"0" * 9),
            "expected 73 bytes",
        ),
    ],
)
def test_damaged_headers_each_get_their_sentence(tmp_path, content, words):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=words) as caught:
        read_header(path)
    assert str(path) in str(caught.value)
    assert describe(path).problems == (str(caught.value),)


# how many bits a number has, as torch or the OCP Microscaling formats say
BITS_OF_A_NUMBER = {
    "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "I32": 32, "U32": 32, "I64": 64, "U64": 64, "F16": 16,
    "BF16": 16, "F32": 32, "F64": 64, "C64": 64, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6,
}  # fmt: skip


def test_a_tensor_of_each_number_type_takes_the_bytes_of_its_numbers(tmp_path):
    for dtype, bits in BITS_OF_A_NUMBER.items():
        path, length = tmp_path / f"{dtype}.safetensors", 8 * bits // 8
        entry = {"dtype": dtype, "shape": [2, 4], "data_offsets": [0, length]}
        path.write_bytes(safetensors_bytes({"a": entry}, bytes(length)))
        assert read_header(path).tensors["a"].shape == (2, 4), dtype
        entry["data_offsets"] = [0, length + 1]
        path.write_bytes(safetensors_bytes({"a": entry}, bytes(length + 1)))
        with pytest.raises(WeightsError):
            read_header(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(WeightsError, match="does not exist"):
        read_header(tmp_path / "no.safetensors")
    with pytest.raises(WeightsError, match="is not a file"):
        read_header(tmp_path)
    assert "is a folder without a base model" in describe(tmp_path).problems[0]


def test_metadata_comes_with_the_header(tmp_path):
    save_file({"a": torch.zeros(1)}, str(tmp_path / "a.safetensors"), metadata={"ss_epoch": "炼丹"})
    assert read_header(tmp_path / "a.safetensors").metadata == {"ss_epoch": "炼丹"}


def test_a_hub_id_is_never_downloaded_but_found_in_the_local_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"runwayml/stable-diffusion-v1-5 is neither.*Download the model first"):
        find_base("runwayml/stable-diffusion-v1-5")
    repo = tmp_path / "models--runwayml--stable-diffusion-v1-5"
    snapshot = tiny.sd1_folder(repo / "snapshots" / "abc123")
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("abc123", encoding="utf-8")
    assert find_base("runwayml/stable-diffusion-v1-5") == snapshot
    with pytest.raises(WeightsError, match="does not exist; check the path"):
        find_base("sd-models/none.safetensors")


def test_a_ckpt_with_other_objects_is_refused_with_reason_and_cure(tmp_path):
    path = tmp_path / "evil.ckpt"
    torch.save({"state_dict": {"a": torch.zeros(1)}, "callbacks": Path("x")}, str(path))
    with pytest.raises(WeightsError, match=r"evil\.ckpt holds Python objects besides weights.*Use the \.safetensors"):
        modules.load_pickle(path)


def modules_of(name: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """An importable module of that dotted name, for as long as the test runs."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
    return sys.modules[name]


@pytest.mark.parametrize("zipped", [True, False])
def test_a_ckpt_with_a_training_programs_objects_gives_its_weights_alone(tmp_path, monkeypatch, zipped):
    with monkeypatch.context() as importable:
        home = modules_of("pytorch_lightning.callbacks.model_checkpoint", importable)

        class ModelCheckpoint:
            def __init__(self) -> None:
                self.best = numpy.float64(1.5)

        ModelCheckpoint.__module__, ModelCheckpoint.__qualname__ = home.__name__, "ModelCheckpoint"
        home.ModelCheckpoint = ModelCheckpoint
        callbacks = {ModelCheckpoint: {"best": numpy.float64(2.0)}, "kept": ModelCheckpoint()}
        state = {"state_dict": {"a": torch.ones(2)}, "callbacks": callbacks, "settings": argparse.Namespace(lr=1)}
        torch.save(state, str(tmp_path / "old.ckpt"), _use_new_zipfile_serialization=zipped)
    source = modules.open_source(tmp_path / "old.ckpt")
    assert source.shapes() == {"a": (2,)}
    assert "pytorch_lightning" not in sys.modules


def test_a_ckpt_that_would_run_a_command_is_refused_and_runs_nothing(tmp_path):
    class Command:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path / 'ran'}",))

    torch.save({"state_dict": {}, "callbacks": Command()}, str(tmp_path / "evil.ckpt"))
    with pytest.raises(WeightsError, match=r"holds Python objects besides weights \((posix|nt)\.system\)"):
        modules.load_pickle(tmp_path / "evil.ckpt")
    lora = {"lora_unet_a.lora_down.weight": torch.ones(2, 3), "lora_unet_a.alpha": torch.tensor(1)}
    torch.save({**lora, "more": Command()}, str(tmp_path / "evil.pt"))
    with pytest.raises(WeightsError, match=r"evil.pt holds Python objects besides weights"):
        modules.all_tensors(tmp_path / "evil.pt")
    torch.save(lora, str(tmp_path / "good.pt"))
    assert modules.all_tensors(tmp_path / "good.pt").keys() == lora.keys()
    assert describe(tmp_path / "good.pt").kind == "lora"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02garbage", b"PK\x03\x04" + b"0" * 60])
def test_a_damaged_ckpt_is_named(tmp_path, content):
    path = tmp_path / "bad.ckpt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"bad\.ckpt.*(damaged or cut download|not a \.ckpt)"):
        modules.load_pickle(path)
    describe(path)


def test_unet_names_are_those_that_diffusers_reads():
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    config = tiny.config("unet")
    unet = tiny.modules()[0]
    ldm = {names.UNET_PREFIX + names.unet_name(key, config): value for key, value in unet.state_dict().items()}
    back = convert_ldm_unet_checkpoint(dict(ldm), config)
    assert back.keys() == unet.state_dict().keys()
    assert all(torch.equal(back[key], value) for key, value in unet.state_dict().items())


def test_vae_names_are_those_that_diffusers_reads():
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    vae = tiny.modules()[1]
    ldm = {key: value for key, value in tiny.state().items() if key.startswith(names.VAE_PREFIX)}
    back = convert_ldm_vae_checkpoint(dict(ldm), tiny.config("vae"))
    assert back.keys() == vae.state_dict().keys()
    assert all(torch.equal(back[key], value.half()) for key, value in vae.state_dict().items())


def test_open_clip_names_are_those_that_diffusers_reads():
    from diffusers.loaders.single_file_utils import convert_open_clip_checkpoint
    from transformers import CLIPTextConfig, CLIPTextModel

    config = {**tiny.config("text_encoder"), "num_hidden_layers": 23}  # diffusers' converter knows only this depth
    torch.manual_seed(0)
    width = config["hidden_size"]
    state = {"token_embedding.weight": torch.randn(49408, width), "positional_embedding": torch.randn(77, width)}
    state |= {"ln_final.weight": torch.randn(width), "ln_final.bias": torch.randn(width)}
    state["text_projection"] = torch.randn(width, 1024)
    for layer in range(23):
        start = f"transformer.resblocks.{layer}."
        shapes = {"attn.in_proj_weight": (3 * width, width), "attn.in_proj_bias": (3 * width,),
                  "attn.out_proj.weight": (width, width), "attn.out_proj.bias": (width,), "ln_1.weight": (width,),
                  "ln_1.bias": (width,), "ln_2.weight": (width,), "ln_2.bias": (width,), "mlp.c_fc.weight": (96, width),
                  "mlp.c_fc.bias": (96,), "mlp.c_proj.weight": (width, 96), "mlp.c_proj.bias": (width,)}  # fmt: skip
        state |= {start + name: torch.randn(shape) for name, shape in shapes.items()}
    empty = CLIPTextModel(CLIPTextConfig(**config))
    prefixed = {names.OPEN_CLIP_PREFIX + name: value for name, value in state.items()}
    expected = convert_open_clip_checkpoint(empty, dict(prefixed), prefix=names.OPEN_CLIP_PREFIX)
    for name in empty.state_dict():
        piece = names.open_clip_piece(name)
        value = state[piece.name] if piece.third is None else state[piece.name].chunk(3)[piece.third]
        theirs = expected.get(name, expected.get(f"text_model.{name}"))
        assert torch.equal(value, theirs), name


def test_describing_a_file_needs_no_torch(base):
    code = "import sys; import trainer.families.weights as w; w.describe(sys.argv[1]); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, str(base)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "False", done.stderr


def test_a_file_under_the_name_of_the_other_form_is_told_with_the_right_name(tmp_path):
    wrong = tiny.sd1_safetensors(tmp_path / "a.safetensors").rename(tmp_path / "a.ckpt")
    assert describe(wrong).problems == (
        f"{wrong} is a safetensors file under a wrong name; give it the extension .safetensors",
    )
    wrong = tiny.sd1_ckpt(tmp_path / "b.ckpt").rename(tmp_path / "b.safetensors")
    assert describe(wrong).problems == (
        f"{wrong} is a .ckpt or zip file under a wrong name; give it the extension .ckpt",
    )


@pytest.mark.parametrize("name", ["a.gguf", "a.ckpt", "a.safetensors"])
def test_a_gguf_file_is_told_under_any_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"GGUF\x03\x00\x00\x00" + b"\x00" * 100)
    assert "is a GGUF file" in describe(tmp_path / name).problems[0]


@pytest.mark.parametrize(
    "name", ["model.diffusion_model.time_embed.cond_proj.weight", "time_embedding.cond_proj.weight"]
)
def test_an_lcm_is_told_with_what_to_train_on(tmp_path, name):
    state = {name: torch.zeros(2), "down_blocks.0.x": torch.zeros(1), "conv_in.weight": torch.zeros(1)}
    save_file(state, str(tmp_path / "a.safetensors"))
    assert "is an LCM, distilled to draw in a few steps; train on" in describe(tmp_path / "a.safetensors").problems[0]


def test_an_lcm_in_a_folder_is_told_by_its_config(tmp_path):
    config = tmp_path / "f" / "unet" / "config.json"
    tiny.sd1_folder(tmp_path / "f")
    config.write_text(json.dumps({**json.loads(config.read_text()), "time_cond_proj_dim": 256}))
    assert "is an LCM" in describe(tmp_path / "f").problems[0]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"model_index.json": {"_class_name": "FluxPipeline"}}, r"another kind of model \(FluxPipeline\); trained are"),
        ({"transformer/config.json": {}}, r"with a transformer in place of a U-Net\); trained are"),
        (
            {"config.json": {"_class_name": "UNet2DConditionModel"}},
            "only the U-Net of a diffusers folder; choose",
        ),
        ({"config.json": {"architectures": ["CLIPTextModel"]}}, "only the text encoder of a diffusers folder"),
        ({}, r"is a folder without a base model; put a \.safetensors file into it and choose that file"),
        ({"b.ckpt": {}, "a.txt": {}}, r"is a folder, not a model; choose a file in it, such as .*b\.ckpt$"),
    ],
)
def test_a_folder_that_is_no_base_says_what_it_is(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    assert re.search(words, describe(tmp_path).problems[0])
