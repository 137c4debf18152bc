"""Write a full-size Stable Diffusion 1.5 checkpoint with random weights: `python benchmarks/make_sd15.py FILE`.

Same names, shapes and size (1130 tensors, fp16, 2.1 GB) as the real single file, so that loading, memory and speed can
be measured where no real model is at hand. Its pictures are noise. Takes about half a minute and 2.5 GB of memory.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from trainer.families import names
from trainer.families.layout import known_configs
from trainer.families.modules import quiet_libraries


def shapes() -> dict[str, torch.Size]:
    """Every tensor of the single file under its LDM name, with its shape."""
    with quiet_libraries():
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from transformers import CLIPTextConfig, CLIPTextModel

    unet, vae, text = (dict(known_configs(part)["sd1"]) for part in ("unet", "vae", "text_encoder"))
    with quiet_libraries(), torch.device("meta"):
        unet_state = UNet2DConditionModel.from_config(unet).state_dict()
        vae_state = AutoencoderKL.from_config(vae).state_dict()
        text_state = CLIPTextModel(CLIPTextConfig(**text)).state_dict()
    found = {names.UNET_PREFIX + names.unet_name(name, unet): value.shape for name, value in unet_state.items()}
    for name, value in vae_state.items():
        place = names.vae_name(name, vae)
        found[names.VAE_PREFIX + place] = (
            torch.Size([*value.shape, 1, 1]) if "attn_1" in place and value.ndim == 2 else value.shape
        )
    return found | {names.CLIP_PREFIX + names.clip_name(name): value.shape for name, value in text_state.items()}


def random_tensor(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Weights that keep the size of activations: 1 for norms, 0 for biases, else variance 1 / fan-in."""
    if name.endswith("bias"):
        return torch.zeros(shape, dtype=torch.float16)
    if len(shape) == 1:
        return torch.ones(shape, dtype=torch.float16)
    fan_in = shape[1:].numel() if "embedding" not in name else 2500
    return torch.randn(shape, generator=generator).mul_(fan_in**-0.5).half()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(options.seed)
    state = {name: random_tensor(name, shape, generator) for name, shape in shapes().items()}
    options.file.parent.mkdir(parents=True, exist_ok=True)
    partial = options.file.with_name(options.file.name + ".partial")
    save_file(state, str(partial))
    partial.replace(options.file)
    print(f"{options.file}: {len(state)} tensors, {options.file.stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
