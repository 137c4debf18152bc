"""Which program a settings file is of, and what it trains: said before anything else. LIGHT.

Only LoRAs of Stable Diffusion 1.x, 2.x and SDXL are trained here. Of a file for something else what holds for a LoRA
too is taken (pictures, captions, saving), and what would mislead is left out: its rates, its model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.config.problems import Note, Problem
from trainer.config.programs import ai_toolkit, easy_scripts, kohya_ss, lora_scripts, onetrainer, words
from trainer.config.programs.loose import is_on, is_zero
from trainer.config.programs.trainings import CONTROLNET, DREAMBOOTH, FINE_TUNING, LECO, LORA, TEXTUAL_INVERSION

# How families are called whose names stand in modules and file kinds. None: trained here.
FAMILIES: dict[str, str | None] = {
    "sd": None, "sd1": None, "sd15": None, "sd2": None, "sdxl": None, "lora": None, "flux": "Flux", "flux1": "Flux",
    "flux2": "Flux 2", "sd3": "SD 3", "lumina": "Lumina", "anima": "Anima", "hunyuan_image": "HunyuanImage",
    "hunyuan": "Hunyuan", "qwen_image": "Qwen-Image", "qwen": "Qwen-Image", "wan": "Wan", "chroma": "Chroma",
    "zimage": "Z-Image", "framepack": "FramePack",
}  # fmt: skip
CHECKBOXES = {
    "flux1_checkbox": "Flux", "sd3_checkbox": "SD 3", "lumina_checkbox": "Lumina", "anima_checkbox": "Anima",
    "hunyuan_image_checkbox": "HunyuanImage",
}  # fmt: skip
LORA_TYPES = {"flux1": "Flux", "lumina": "Lumina", "anima": "Anima", "hunyuanimage": "HunyuanImage", "sd3": "SD 3"}
# A file of one of these models, beside the base model, is of its family. The first that is there counts.
TEXT_ENCODERS = {
    "gemma2": "Lumina", "qwen3": "Anima", "byt5": "HunyuanImage", "clip_g": "SD 3", "ae": "Flux", "t5xxl": "Flux",
}  # fmt: skip
# Names that only other trainings have.
OF_TRAININGS = {
    TEXTUAL_INVERSION: ("token_string", "init_word", "num_vectors_per_token", "use_object_template"),
    FINE_TUNING: (
        "train_text_encoder", "use_latent_files", "create_caption", "create_buckets", "caption_metadata_filename",
        "latent_metadata_filename", "full_path", "train_dir", "generate_caption_database",
        "generate_image_buckets", "block_lr", "learning_rate_te1", "learning_rate_te2",
    ),
    DREAMBOOTH: ("learning_rate_te",),
    CONTROLNET: ("controlnet_model_name_or_path", "cond_emb_dim", "control_net_lr"),
    LECO: ("prompts_file", "leco_denoise_guidance_scale", "max_denoising_steps"),
}  # fmt: skip
OF_LORA_SCRIPTS = {
    "finetune": FINE_TUNING, "dreambooth": DREAMBOOTH, "controlnet": CONTROLNET, "ti": TEXTUAL_INVERSION,
}  # fmt: skip
OF_LORAS = ("LoRA_type", "network_module", "network_dim", "network_alpha", "unet_lr", "text_encoder_lr")
MODULE = re.compile(r"(?:networks\.)?(?:lora|oft|loha|lokr|lycoris)_(\w+)")  # networks.lora_flux
RATES = ("learning_rate", "unet_lr", "text_encoder_lr", "learning_rate_te", "learning_rate_te1", "learning_rate_te2")
OF_THEIR_PAGES = ("batch_size", "template", "weights")  # names that mean something else elsewhere
OF_A_FAMILY = (
    "pretrained_model_name_or_path", "vae", "network_module", "network_args", "v2", "v_parameterization",
    *TEXT_ENCODERS, "clip_l", "guidance_scale", "discrete_flow_shift", "timestep_sampling", "model_prediction_type",
    "split_mode", "apply_t5_attn_mask", "t5xxl_max_token_length", "t5xxl_dtype", "weighting_scheme", "blocks_to_swap",
    "single_blocks_to_swap", "double_blocks_to_swap", "sigmoid_scale", "text_encoder_batch_size", "train_blocks",
)  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """program: "" for sd-scripts and this program. family: "" for those that are trained here."""

    program: str = ""
    training: str = LORA
    family: str = ""

    def notes(self) -> list[Note]:
        """What the file is."""
        if not self.program:
            return []
        return [Note(None, "This is a file of {program}", {"program": self.program})]

    def problems(self) -> list[Problem]:
        """Why nothing can be trained by it as it stands."""
        if self.family:
            said = (
                "The file is for {family}, which is not trained here. Its base model, network type and rates were left "
                "out; choose an SD or SDXL base model and set unet_lr (1e-4 is usual)"
            )
            return [Problem("model.pretrained_model_name_or_path", said, {"family": self.family})]
        if self.training != LORA:
            said = (
                "The file is for {training}; here LoRAs are trained, which need other rates. Its rates were left out: "
                "set unet_lr (1e-4 is usual, or 1 where the optimizer finds the rate itself)"
            )
            return [Problem("optimizer.learning_rate", said, {"training": self.training})]
        return []

    def unwanted(self) -> tuple[str, ...]:
        """Names of the file that would mislead a LoRA training."""
        names = () if self.training == LORA else tuple(name for group in OF_TRAININGS.values() for name in group)
        found = (*(RATES if self.problems() else ()), *names, *(OF_A_FAMILY if self.family else ()))
        return tuple(dict.fromkeys((*found, *(OF_THEIR_PAGES if names else ()))))


def origin_of(values: Mapping[str, Any]) -> Origin:
    """What flat values, or a document of a program that nests them, are. An Origin without words for our own."""
    for module, name in ((easy_scripts, "LoRA_Easy_Training_Scripts"), (onetrainer, "OneTrainer"),
                         (ai_toolkit, "ai-toolkit")):  # fmt: skip
        if module.DOCUMENT in values:
            training, family = module.kind_of(values[module.DOCUMENT])
            return Origin(name, training or LORA, _family_name(family))
    if words.DOCUMENT in values:
        return origin_of(words.as_sd_scripts(values[words.DOCUMENT])[0])
    if kohya_ss.is_of(values):
        return Origin("kohya_ss", _training(values), _family(values))
    if lora_scripts.KEYS & set(values):
        family, _, kind = str(values.get("model_train_type") or "").partition("-")
        return Origin("lora-scripts", OF_LORA_SCRIPTS.get(kind.rpartition("-")[2], LORA), _family_name(family))
    return Origin("", _training(values), _family(values))


def without(values: Mapping[str, Any], origin: Origin, notes: list[Note]) -> dict[str, Any]:
    """The values without those that would mislead, which a note names."""
    unwanted = [name for name in origin.unwanted() if name in values]
    telling = [name for name in unwanted if _says_something(values[name]) and values[name] != "networks.lora"]
    if telling:
        said = "Left out, since the file is for {what}: {names}"
        what = origin.family or origin.training
        notes.append(Note(None, said, {"what": what, "names": ", ".join(telling)}))
    return {name: value for name, value in values.items() if name not in unwanted}


def _training(values: Mapping[str, Any]) -> str:
    """What is trained, by the names that only one kind of training has."""
    if "leco_denoise_guidance_scale" in values:  # it trains a network too, on prompts in place of pictures
        return LECO
    if any(values.get(name) for name in OF_LORAS[:4]):
        return LORA
    of_a_page = kohya_ss.KEYS & set(values)
    for training, names in OF_TRAININGS.items():
        if any(name in values if of_a_page else _says_something(values.get(name)) for name in names):
            return DREAMBOOTH if training == FINE_TUNING and "learning_rate_te" in values else training
    return DREAMBOOTH if of_a_page and not set(OF_LORAS) & set(values) and "max_resolution" in values else LORA


def _family(values: Mapping[str, Any]) -> str:
    for name, family in CHECKBOXES.items():
        if is_on(values.get(name)):
            return family
    kind = str(values.get("LoRA_type") or "").lower()
    for start, family in LORA_TYPES.items():
        if kind.startswith(start):
            return family
    module = MODULE.fullmatch(str(values.get("network_module") or ""))
    if module and module[1] != "fa":
        return _family_name(module[1])
    if kohya_ss.KEYS & set(values):  # its page keeps the paths of every family
        return ""
    return next((family for name, family in TEXT_ENCODERS.items() if _is_path(values.get(name))), "")


def _family_name(name: str) -> str:
    """How a family is called; "" for those that are trained here."""
    known = FAMILIES.get(name.lower(), name.replace("_", " ").title() if name.islower() else name)
    return known or ""


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _says_something(value: Any) -> bool:
    return value not in (None, "", False, [], {}) and not is_zero(value)
