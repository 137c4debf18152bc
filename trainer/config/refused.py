"""Names of sd-scripts that are refused: why, and what to use instead. `python -m trainer reference` shows them. LIGHT.

Whatever is not here is a parameter; tests hold that every name of sd-scripts is in exactly one of the two lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainer.config.problems import Note, Problem


@dataclass(frozen=True)
class Refusal:
    """Why a name is refused and what to use instead. idle: values, besides the usual ones, that ask for nothing.

    stops: whether a run that sets it is refused; where nothing is lost without it, a note is enough. takes_value:
    whether a word belongs to it on the command line.
    """

    reason: str
    instead: str
    idle: tuple[Any, ...] = ()
    stops: bool = True
    takes_value: bool = False


OFF: tuple[Any, ...] = (None, False, "", 0, "0", "false", "False", "none", "None", [], {})
NO_UPLOADS = "training sends nothing over the network"
UPLOAD = "publish the finished file yourself, with the hf program or in a browser"
NO_DEEPSPEED = "DeepSpeed spreads models that are too large for one card, and these fit"
PAGED = "optimizer_type PagedAdamW8bit, which moves to main memory"
LESS_MEMORY = "gradient_checkpointing and fp8_base, or a smaller train_batch_size"

REFUSED: dict[str, Refusal] = {
    "debug_dataset": Refusal(
        "it is a developer's switch that opens windows with pictures and ends",
        "`python -m trainer check`, or the right side of the page, which show what a run will do",
    ),
    "dataset_class": Refusal(
        "it would run any code that a settings file names", "N_name folders, [[dataset.subsets]] or dataset_config"
    ),
    "conditioning_data_dir": Refusal(
        "masks belong to single folders; sd-scripts does not use it for the whole run either",
        "conditioning_data_dir in a [[dataset.subsets]] entry or in a dataset_config file",
    ),
    "tokenizer_cache_dir": Refusal(
        "the vocabulary comes with the program, so there is nothing to keep", "no setting; remove it",
        stops=False, takes_value=True,
    ),
    "huggingface_repo_id": Refusal(NO_UPLOADS, UPLOAD, takes_value=True),
    "huggingface_repo_type": Refusal(NO_UPLOADS, UPLOAD, ("model",), stops=False, takes_value=True),
    "huggingface_path_in_repo": Refusal(NO_UPLOADS, UPLOAD, stops=False, takes_value=True),
    "huggingface_token": Refusal(
        NO_UPLOADS + ", and a settings file is no place for a password", UPLOAD, stops=False, takes_value=True
    ),
    "huggingface_repo_visibility": Refusal(NO_UPLOADS, UPLOAD, ("private", "public"), stops=False, takes_value=True),
    "save_state_to_huggingface": Refusal(NO_UPLOADS, "save_state, which keeps the state on this machine"),
    "resume_from_huggingface": Refusal(
        "training fetches nothing over the network", "resume with the folder of a state that you have downloaded"
    ),
    "async_upload": Refusal(NO_UPLOADS, UPLOAD, stops=False),
    "deepspeed": Refusal(NO_DEEPSPEED, LESS_MEMORY),
    "zero_stage": Refusal(NO_DEEPSPEED, LESS_MEMORY, (2, "2"), stops=False, takes_value=True),
    "offload_optimizer_device": Refusal(NO_DEEPSPEED, PAGED, stops=False, takes_value=True),
    "offload_optimizer_nvme_path": Refusal(NO_DEEPSPEED, PAGED, stops=False, takes_value=True),
    "offload_param_device": Refusal(NO_DEEPSPEED, LESS_MEMORY, stops=False, takes_value=True),
    "offload_param_nvme_path": Refusal(NO_DEEPSPEED, LESS_MEMORY, stops=False, takes_value=True),
    "zero3_init_flag": Refusal(NO_DEEPSPEED, LESS_MEMORY, stops=False),
    "zero3_save_16bit_model": Refusal(NO_DEEPSPEED, "save_precision fp16 or bf16", stops=False),
    "fp16_master_weights_and_gradients": Refusal(NO_DEEPSPEED, "full_fp16", stops=False),
    "lowram": Refusal(
        "models are loaded once, straight into the format they train in", "no setting; remove it", stops=False
    ),
    "highvram": Refusal("memory is not given back between batches anyway", "no setting; remove it", stops=False),
    "mem_eff_attn": Refusal("PyTorch's attention is used, which needs as little memory", "sdpa", stops=False),
    "cpu_offload_checkpointing": Refusal(
        "sd-scripts has it for other model families only", "gradient_checkpointing, which saves memory", stops=False
    ),
    "fused_backward_pass": Refusal(
        "sd-scripts checks it but trains a LoRA without it", "optimizer_type AdaFactor, which saves the memory",
        stops=False,
    ),
    "disable_mmap_load_safetensors": Refusal("files are read once", "no setting; remove it", stops=False),
}  # fmt: skip
# Options of the command itself, not of a run: they choose where the parameters are read from or written to.
COMMAND_LINE = {
    "config_file": "reads the parameters from this file; the options beside it win. .toml is added where it is missing",
    "output_config": "writes all parameters that differ from their defaults to config_file, and ends",
}


def refusal(name: str, value: Any) -> Problem | None:
    """The problem (a Note where it stops nothing) of a refused name that is set; None for other names and for "off"."""
    found = REFUSED.get(name)
    if found is None or value in OFF or value in found.idle:
        return None
    told = {"name": name, "reason": found.reason, "instead": found.instead}
    if not found.stops:
        return Note(None, "{name} was left out: {reason}. Use instead: {instead}", told)
    return Problem(None, "{name} is not supported: {reason}. Use instead: {instead}", told)
