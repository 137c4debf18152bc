"""Which image programs read the files of each method, and what they make of them: the table of the reference. LIGHT.

Found for one linear layer and one 3x3 convolution a row: the change that our file stands for against the one that the
program's published formula or its own loader makes of it. Programs: AUTOMATIC1111/stable-diffusion-webui 1.10
(extensions-builtin/Lora), comfyanonymous/ComfyUI (comfy/weight_adapter), huggingface/diffusers 0.42,
kohya-ss/sd-scripts with LyCORIS 4.1 building the network from a file.
"""

from __future__ import annotations

from dataclasses import dataclass

READ_NOTE = (
    "kohya: sd-scripts with the LyCORIS package, which builds the network from the file. 'continuing only': it goes on "
    "training from the file with the same network_args, but cannot build the network from the file alone."
)
PROGRAMS = ("A1111", "ComfyUI", "diffusers", "kohya")


@dataclass(frozen=True)
class Reading:
    """What the programs make of the files of one method. settings: network_module and network_args that make them.

    by: an answer for each of PROGRAMS: "yes" where the change is ours to rounding, "no" where nothing of it is read,
    else what is wrong.
    """

    title: str
    settings: str
    by: tuple[str, str, str, str]


READINGS: tuple[Reading, ...] = (
    Reading("LoRA", "networks.lora, networks.lora_fa, networks.dylora", ("yes", "yes", "yes", "yes")),
    Reading("LoCon", "networks.lora conv_dim; lycoris.kohya algo=locon, dylora", ("yes", "yes", "yes", "yes")),
    Reading("LoCon with Tucker", "algo=locon use_tucker", ("yes", "yes", "no", "yes")),
    Reading("DoRA of inputs", "dora_wd wd_on_output=False", ("yes", "yes", "wrong: no lengths", "continuing only")),
    Reading("DoRA of outputs", "dora_wd", ("wrong: 80 % lost", "wrong: 5 % off", "wrong: no lengths", "yes")),
    Reading("LoHa", "algo=loha, also with use_tucker", ("yes", "yes", "no", "yes")),
    Reading("LoKr", "algo=lokr", ("yes", "yes", "no", "yes")),
    Reading("LoKr with Tucker", "algo=lokr use_tucker", ("yes", "no 3x3 convolutions", "no", "continuing only")),
    Reading("GLoRA", "algo=glora", ("no", "yes", "no", "yes")),
    Reading("GLoRA with Tucker", "algo=glora use_tucker", ("no", "no 3x3 convolutions", "no", "continuing only")),
    Reading("IA3", "algo=ia3 preset=ia3", ("yes", "no", "no", "continuing only")),
    Reading("IA3 of all layers", "algo=ia3, other presets", ("no 3x3 convolutions", "no", "no", "continuing only")),
    Reading("Full difference", "algo=full", ("yes", "yes", "no", "yes")),
    Reading("Diag-OFT, BOFT", "algo=diag-oft, boft", ("yes", "yes at strength 1", "no", "yes")),
    Reading("with a limit", "constraint", ("yes", "wrong: hardly turned", "no", "yes")),
    Reading("Diag-OFT with lengths", "algo=diag-oft rescaled", ("yes", "wrong: lengths left out", "no", "yes")),
    Reading("OFT of kohya", "networks.oft", ("SDXL only", "no", "no", "yes")),
    Reading("Norm layers", "train_norm", ("yes", "yes", "no", "yes")),
)  # fmt: skip

_ALL = "Its files are read by A1111, ComfyUI, diffusers and kohya's scripts."
_MOST = "Its files are read by A1111, ComfyUI and kohya's scripts; not by diffusers."
_TURNED = (
    "Its files are read by A1111, kohya's scripts, and without constraint and rescaled by ComfyUI at strength 1; not "
    "by diffusers."
)
# a line for each method of methods.py, by its name
LINES: dict[str, str] = {
    "lora": _ALL,
    "lora_fa": _ALL,
    "dylora": _ALL,
    "locon": "Its files are read by A1111, ComfyUI, diffusers (not with use_tucker, dora_wd or train_norm) and kohya's "
    "scripts.",
    "loha": _MOST,
    "lokr": "Its files are read by A1111, ComfyUI (with use_tucker not the 3x3 convolutions) and kohya's scripts; not "
    "by diffusers.",
    "glora": "Its files are read by ComfyUI (with use_tucker not the 3x3 convolutions) and kohya's scripts; A1111 and "
    "diffusers cannot read them.",
    "ia3": "Its files are read by A1111 alone, with preset=ia3; not by ComfyUI and diffusers.",
    "full": _MOST,
    "diag-oft": _TURNED,
    "boft": _TURNED,
    "oft": "Its files are read by kohya's scripts, and by A1111 for SDXL; not by ComfyUI and diffusers.",
}
