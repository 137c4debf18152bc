"""Tiny Stable Diffusion models with random weights, for everyone's tests: real architectures, real file formats.

SD 1: the architecture of the embedded demo base (`trainer/families/configs/demo`), four blocks of two layers as in
SD 1.5, so the 192 U-Net names of a LoRA are the same; the text encoder has 2 layers (12 LoRA modules). SD 2 and SDXL
(`tests/configs`) have their families' blocks, projections and text encoders at a fraction of the widths. Pictures of
64 px make the quickest runs. Latents have 4 channels and an eighth of the side.

Every file loads and trains. `v_prediction` writes what says so: metadata for SD 2, the marker tensors v_pred and ztsnr
for SDXL, the scheduler's config in a folder.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.families import layout

if TYPE_CHECKING:
    from torch import Tensor

CONFIGS = Path(__file__).parents[1] / "trainer" / "families" / "configs"
OWN_CONFIGS = Path(__file__).parent / "configs"
if OWN_CONFIGS not in layout.CONFIG_FOLDERS:
    layout.CONFIG_FOLDERS.append(OWN_CONFIGS)
# SD 1.5 has 278 with convolutions; one more here, since the last block is narrower than the one before
LORA_UNET_MODULES, LORA_UNET_MODULES_WITH_CONV, LORA_TEXT_MODULES = 192, 279, 12
LORA_MODULES = {"sd1": (12, 192), "sd2": (18, 192), "sdxl": (12 + 18, 192)}  # text encoders, U-Net
ARCHITECTURES = {"sd1": "demo", "sd2": "tiny_sd2", "sdxl": "tiny_sdxl"}
FAMILIES = ("sd1", "sd2", "sdxl")


def config(component: str, architecture: str = "demo") -> dict[str, Any]:
    """The resolved config of "unet", "vae", "text_encoder" or "text_encoder_2"; all have the demo's VAE."""
    folder = OWN_CONFIGS if (OWN_CONFIGS / architecture / f"{component}.json").is_file() else CONFIGS
    return dict(json.loads((folder / architecture / f"{component}.json").read_text(encoding="utf-8")))


@lru_cache(maxsize=6)
def parts(family: str = "sd1", seed: int = 0) -> dict[str, Any]:
    """The parts by their names in a diffusers folder, float32, weights drawn from `seed`. Shared: do not train them."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    architecture = ARCHITECTURES[family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made: dict[str, Any] = {
            "unet": UNet2DConditionModel.from_config(config("unet", architecture)),
            "vae": AutoencoderKL.from_config(config("vae")),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**config("text_encoder", architecture))),
        }
        if family == "sdxl":
            text_config = CLIPTextConfig(**config("text_encoder_2", architecture))
            made["text_encoder_2"] = CLIPTextModelWithProjection(text_config)
    return {name: module.eval() for name, module in made.items()}


def modules(seed: int = 0) -> tuple[Any, Any, Any]:
    """(unet, vae, text encoder) of the tiny SD 1."""
    made = parts("sd1", seed)
    return made["unet"], made["vae"], made["text_encoder"]


@lru_cache(maxsize=6)
def state(seed: int = 0, family: str = "sd1") -> dict[str, Tensor]:
    """All tensors of a tiny checkpoint under the single-file (LDM) names, float16."""
    from trainer.families import names

    made = parts(family, seed)
    unet, vae, text_encoder = made["unet"], made["vae"], made["text_encoder"]
    tensors = {names.UNET_PREFIX + names.unet_name(k, unet.config): v for k, v in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        name = names.vae_name(key, vae.config)
        # LDM files keep the VAE's attention as 1x1 convolutions
        tensors[names.VAE_PREFIX + name] = value[:, :, None, None] if "attn_1" in name and value.ndim == 2 else value
    if family == "sd2":
        tensors |= open_clip(text_encoder.state_dict(), names.OPEN_CLIP_PREFIX)
    else:
        prefix = names.XL_CLIP_PREFIX if family == "sdxl" else names.CLIP_PREFIX
        tensors |= {prefix + names.clip_name(key): value for key, value in text_encoder.state_dict().items()}
    if family == "sdxl":
        tensors |= open_clip(made["text_encoder_2"].state_dict(), names.XL_OPEN_CLIP_PREFIX)
    return {key: value.detach().half().contiguous().clone() for key, value in tensors.items()}


def open_clip(text: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """A text encoder's tensors in OpenCLIP's layout: q, k and v as one matrix, the projection transposed."""
    import torch

    from trainer.families import names

    thirds: dict[str, dict[int, Tensor]] = {}
    found: dict[str, Tensor] = {}
    for key, value in text.items():
        piece = names.open_clip_piece(key)
        if piece.third is not None:
            thirds.setdefault(piece.name, {})[piece.third] = value
        else:
            found[prefix + piece.name] = value.T if piece.transposed else value
    return found | {prefix + name: torch.cat([found[0], found[1], found[2]]) for name, found in thirds.items()}


def safetensors(path: Path, family: str = "sd1", v_prediction: bool = False, seed: int = 0) -> Path:
    """Write a tiny checkpoint of any family as one .safetensors file (9 to 13 MB)."""
    import torch
    from safetensors.torch import save_file

    markers = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)} if v_prediction and family == "sdxl" else {}
    metadata = {"modelspec.prediction_type": "v"} if v_prediction and family == "sd2" else None
    save_file({**state(seed, family), **markers}, str(path), metadata=metadata)
    return path


def folder(path: Path, family: str = "sd1", v_prediction: bool = False, seed: int = 0) -> Path:
    """The same as a diffusers folder (safetensors, float32, values as in the single file)."""
    import copy

    pipeline = "StableDiffusionXLPipeline" if family == "sdxl" else "StableDiffusionPipeline"
    index: dict[str, Any] = {"_class_name": pipeline}
    for name, module in parts(family, seed).items():
        rounded = copy.deepcopy(module).half().float()  # equal to the single file's values
        rounded.save_pretrained(str(path / name))
        library = "transformers" if name.startswith("text") else "diffusers"
        index[name] = [library, type(module).__name__]
    (path / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    (path / "scheduler").mkdir(exist_ok=True)
    scheduler = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": family == "sdxl"}
    (path / "scheduler" / "scheduler_config.json").write_text(
        json.dumps(scheduler if v_prediction else {"prediction_type": "epsilon"}), encoding="utf-8"
    )
    return path


def ckpt(path: Path, family: str = "sd1", seed: int = 0) -> Path:
    """The same as a .ckpt: a pickled {"state_dict": ...}, with the extra entries that old files have."""
    import torch

    extra = {}
    if family == "sd1":
        extra["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    torch.save({"state_dict": {**state(seed, family), **extra}, "global_step": 1}, str(path))
    return path


def sd1_safetensors(path: Path, seed: int = 0, metadata: dict[str, str] | None = None) -> Path:
    """Write a tiny SD 1 checkpoint as one .safetensors file (12 MB)."""
    from safetensors.torch import save_file

    save_file(state(seed), str(path), metadata=metadata)
    return path


def sd1_ckpt(path: Path, seed: int = 0) -> Path:
    """A tiny SD 1 .ckpt."""
    return ckpt(path, "sd1", seed)


def sd1_folder(path: Path, seed: int = 0) -> Path:
    """A tiny SD 1 diffusers folder."""
    return folder(path, "sd1", seed=seed)


def sd2_safetensors(path: Path, v_prediction: bool = False) -> Path:
    """A tiny SD 2 checkpoint; without v_prediction it does not say what it predicts, as real ones do not."""
    return safetensors(path, "sd2", v_prediction)


def sdxl_safetensors(path: Path, v_prediction: bool = False) -> Path:
    """A tiny SDXL checkpoint."""
    return safetensors(path, "sdxl", v_prediction)
