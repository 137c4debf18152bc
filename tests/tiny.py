"""Tiny Stable Diffusion 1.x models with random weights, for everyone's tests: real architecture, real file formats.

The architecture is that of the embedded demo base (`trainer/families/configs/demo`): four blocks of two layers as in
SD 1.5, so the 192 U-Net names of a LoRA are the same; the text encoder has 2 layers (12 LoRA modules). Pictures of
64 px make the quickest runs. Latents have 4 channels and an eighth of the side.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

CONFIGS = Path(__file__).parents[1] / "trainer" / "families" / "configs"
# SD 1.5 has 278 with convolutions; one more here, since the last block is narrower than the one before
LORA_UNET_MODULES, LORA_UNET_MODULES_WITH_CONV, LORA_TEXT_MODULES = 192, 279, 12


def config(component: str, architecture: str = "demo") -> dict[str, Any]:
    """The resolved config of "unet", "vae" or "text_encoder"."""
    return dict(json.loads((CONFIGS / architecture / f"{component}.json").read_text(encoding="utf-8")))


@lru_cache(maxsize=4)
def modules(seed: int = 0) -> tuple[Any, Any, Any]:
    """(unet, vae, text encoder), float32, weights drawn from `seed`. Shared between callers: do not train them."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel.from_config(config("unet"))
        vae = AutoencoderKL.from_config(config("vae"))
        text_encoder = CLIPTextModel(CLIPTextConfig(**config("text_encoder")))
    return unet.eval(), vae.eval(), text_encoder.eval()


@lru_cache(maxsize=4)
def state(seed: int = 0) -> dict[str, Tensor]:
    """All tensors of a tiny SD 1 checkpoint under the single-file (LDM) names, float16."""
    from trainer.families import names

    unet, vae, text_encoder = modules(seed)
    tensors = {names.UNET_PREFIX + names.unet_name(k, unet.config): v for k, v in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        name = names.vae_name(key, vae.config)
        # LDM files keep the VAE's attention as 1x1 convolutions
        tensors[names.VAE_PREFIX + name] = value[:, :, None, None] if "attn_1" in name and value.ndim == 2 else value
    for key, value in text_encoder.state_dict().items():
        tensors[names.CLIP_PREFIX + names.clip_name(key)] = value
    return {key: value.detach().half().contiguous().clone() for key, value in tensors.items()}


def sd1_safetensors(path: Path, seed: int = 0, metadata: dict[str, str] | None = None) -> Path:
    """Write a tiny SD 1 checkpoint as one .safetensors file (12 MB)."""
    from safetensors.torch import save_file

    save_file(state(seed), str(path), metadata=metadata)
    return path


def sd1_ckpt(path: Path, seed: int = 0) -> Path:
    """The same as a .ckpt: a pickled {"state_dict": ...}, with the extra entries that old files have."""
    import torch

    extra = {"cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None]}
    torch.save({"state_dict": {**state(seed), **extra}, "global_step": 1}, str(path))
    return path


def sd1_folder(path: Path, seed: int = 0) -> Path:
    """The same as a diffusers folder (unet, vae, text_encoder, scheduler; safetensors, float32)."""
    import copy

    for name, module in zip(("unet", "vae", "text_encoder"), modules(seed), strict=True):
        rounded = copy.deepcopy(module).half().float()  # equal to the single file's values
        rounded.save_pretrained(str(path / name))
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"]}  # fmt: skip
    (path / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    (path / "scheduler").mkdir(exist_ok=True)
    (path / "scheduler" / "scheduler_config.json").write_text('{"prediction_type": "epsilon"}', encoding="utf-8")
    return path


def sd2_safetensors(path: Path, v_prediction: bool = False) -> Path:
    """A few tensors with the names and shapes that tell an SD 2 checkpoint from others (not loadable)."""
    import torch
    from safetensors.torch import save_file

    block = "model.diffusion_model.input_blocks.1.1"
    tensors = {
        "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(32, 4, 3, 3),
        f"{block}.proj_in.weight": torch.zeros(32, 32),
        f"{block}.transformer_blocks.0.attn2.to_k.weight": torch.zeros(32, 1024),
        "cond_stage_model.model.ln_final.weight": torch.zeros(1024),
        "first_stage_model.encoder.conv_in.weight": torch.zeros(16, 3, 3, 3),
    }
    metadata = {"modelspec.prediction_type": "v"} if v_prediction else None
    save_file(tensors, str(path), metadata=metadata)
    return path


def sdxl_safetensors(path: Path, v_prediction: bool = False) -> Path:
    """A few tensors with the names and shapes that tell an SDXL checkpoint from others (not loadable)."""
    import torch
    from safetensors.torch import save_file

    tensors = {
        "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(32, 4, 3, 3),
        "model.diffusion_model.label_emb.0.0.weight": torch.zeros(32, 64),
        "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": torch.zeros(32, 2048),
        "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight": torch.zeros(768),
        "conditioner.embedders.1.model.ln_final.weight": torch.zeros(1280),
        "first_stage_model.encoder.conv_in.weight": torch.zeros(16, 3, 3, 3),
    }
    if v_prediction:
        tensors |= {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    save_file(tensors, str(path))
    return path
