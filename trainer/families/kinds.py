"""Which family a base model is trained as, and what it predicts: what the file says against what the user says. LIGHT.

Decided from a Description (see weights.py), before anything is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trainer.config.dataset import of_each_group
from trainer.families.layout import incomplete_vae
from trainer.families.weights import Description, WeightsError, describe, find_base, read_config
from trainer.networks.arguments import BLOCK_LISTS, parse
from trainer.networks.files import OTHER_METHOD, other_method, other_rank

if TYPE_CHECKING:
    from trainer.config import TrainConfig

Trained = Literal["sd1", "sd2", "sdxl"]
TRAINED: tuple[Trained, ...] = ("sd1", "sd2", "sdxl")
FAMILY_WORDS: dict[Trained, str] = {"sd1": "Stable Diffusion 1.x", "sd2": "Stable Diffusion 2.x", "sdxl": "SDXL"}
SD1_WIDTH = 768  # of the text that SD 1's attention reads; SD 2 reads 1024
SMALL_FOR_XL_PX = 700
V_ADDRESS = "model.v_parameterization"
V_BY_FILE = "the base model says that it is a v-prediction model, so v_parameterization was switched on"
PURE_NOISE_BY_FILE = "the base model says that it was trained up to pure noise, so zero_terminal_snr was switched on"
FILE_SAYS_NOISE = "the base model says that it predicts noise, but v_parameterization is on"
FILE_IS_SILENT = (
    "v_parameterization is on, but the base model does not say that it predicts v; that is right for NoobAI v-pred and "
    "what was made from it, switch it off for any other model"
)
FILE_IS_SILENT_SD1 = (
    "v_parameterization is on, but the base model does not say that it predicts v; that is right for the few SD 1.5 "
    "models that were trained so (FluffyRock, hll), switch it off for any other model"
)
V_NAME = re.compile(r"(?<![a-z])v[-_. ]?pred", re.IGNORECASE)
NAME_SAYS_V = (
    "is {name} a v-prediction model? Its name says so, but nothing in the file: if it is, switch on v_parameterization "
    "(and zero_terminal_snr for NoobAI); if not, set prediction_type to epsilon. Trained the wrong way, the LoRA draws "
    "noise"
)
FEW_STEPS_NAME = re.compile(r"(?<![a-z])(turbo|lightning|lcm|hyper|dmd2?)(?![a-z])", re.IGNORECASE)
NAME_SAYS_V_SD1 = (
    "is {name} a v-prediction model? Its name says so, but nothing in the file: if it is, switch on "
    "v_parameterization; if not, set prediction_type to epsilon. Trained the wrong way, the LoRA draws noise"
)
NAME_SAYS_FEW_STEPS = (
    "the name {name} says that this model draws in a few steps; a LoRA learns better on the ordinary model that it was "
    "made from, and works with both"
)


@dataclass(frozen=True)
class Said:
    """One sentence for the user: template with placeholders, the key for translations, and its values.

    address: the parameter to change, where it is not the base model itself.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    address: str | None = None

    @property
    def message(self) -> str:
        """The English sentence."""
        return self.template.format(**self.values)


@dataclass(frozen=True)
class Prediction:
    """What a base model predicts, whether up to pure noise, and what the user should hear about how it was decided."""

    prediction: Literal["epsilon", "v"]
    zero_terminal_snr: bool
    said: tuple[Said, ...] = ()

    @property
    def notes(self) -> list[str]:
        """The same as English sentences."""
        return [one.message for one in self.said]


@dataclass(frozen=True)
class Settled:
    """A config with what the base model's file decided. problems: why it cannot be trained so."""

    config: TrainConfig
    family: Trained | None
    problems: tuple[Said, ...] = ()
    notes: tuple[Said, ...] = ()


def prediction_of(
    about: Description,
    v_parameterization: bool = False,
    zero_terminal_snr: bool = False,
    prediction_type: Literal["epsilon", "v"] | None = None,
) -> Prediction:
    """The user's word, else what the file says, else epsilon; with notes where they differ.

    prediction_type: when set, the file's markers are not followed at all, neither for v nor for zero terminal SNR.
    """
    if prediction_type is not None:
        return Prediction("v" if v_parameterization else prediction_type, zero_terminal_snr)
    notes: list[Said] = []
    v = v_parameterization or about.prediction == "v"
    if v and not v_parameterization:
        notes.append(Said(V_BY_FILE, address=V_ADDRESS))
    if v_parameterization and about.says_epsilon:
        notes.append(Said(FILE_SAYS_NOISE, address=V_ADDRESS))
    elif v_parameterization and about.prediction != "v" and about.family in ("sd1", "sdxl"):  # SD 2 files never say it
        notes.append(Said(FILE_IS_SILENT if about.family == "sdxl" else FILE_IS_SILENT_SD1, address=V_ADDRESS))
    if not v and not about.says_epsilon and about.family in ("sd1", "sdxl") and V_NAME.search(about.path.name):
        said = NAME_SAYS_V if about.family == "sdxl" else NAME_SAYS_V_SD1
        notes.append(Said(said, {"name": about.path.name}, V_ADDRESS))
    if FEW_STEPS_NAME.search(about.path.stem):
        notes.append(Said(NAME_SAYS_FEW_STEPS, {"name": about.path.name}, "model.pretrained_model_name_or_path"))
    if about.family == "sd2" and about.prediction is None and not v_parameterization:
        notes.append(
            Said(
                "a Stable Diffusion 2 file does not say what it predicts; for a 768-v model switch on "
                "v_parameterization"
            )
        )
    if v and about.zero_terminal_snr and not zero_terminal_snr:
        notes.append(Said(PURE_NOISE_BY_FILE, address="noise.zero_terminal_snr"))
    return Prediction("v" if v else "epsilon", zero_terminal_snr or (v and about.zero_terminal_snr), tuple(notes))


def trained_family(about: Description, v2: bool = False, own_vae: bool = False) -> Trained:
    """The family that a file or folder is trained as.

    v2: the user says that it is SD 2; obeyed where the tensors leave it open. own_vae: a VAE is given apart.
    Raises WeightsError: no base model, of another family, incomplete, or not what the user says.
    """
    for problem in unusable(about, v2, own_vae):
        raise WeightsError(problem.message)
    if v2:
        return "sd2"
    return next((name for name in TRAINED if name == about.family), "sd1")


def settle(config: TrainConfig, about: Description) -> Settled:
    """What the base model's file decides for a run, and what of the config does not go with it."""
    model = config.model
    problems = list(unusable(about, model.v2, model.vae is not None))
    if problems:
        return Settled(config, None, tuple(problems))
    family = trained_family(about, model.v2, model.vae is not None)
    problems += _contradictions(config, about, family)
    found = prediction_of(about, model.v_parameterization, config.noise.zero_terminal_snr, model.prediction_type)
    changed = config.model_copy(
        update={
            "model": model.model_copy(update={"v_parameterization": found.prediction == "v"}),
            "noise": config.noise.model_copy(update={"zero_terminal_snr": found.zero_terminal_snr}),
        }
    )
    if changed != config:
        from trainer.config import rules

        problems += [Said(problem.template, problem.values, problem.address) for problem in rules.problems(changed)]
    return Settled(changed, family, tuple(problems), (*found.said, *_without_effect(config, family)))


def unusable(about: Description, v2: bool = False, own_vae: bool = False) -> Iterator[Said]:
    """Why a file can be no base model here; nothing when it can. Arguments as for `trained_family`."""
    values = {"path": about.path, "detail": about.detail}
    for reason in about.problems:
        yield Said("{reason}", {"reason": reason})
    if about.problems:
        return
    if about.kind in ("checkpoint", "unet", "folder") and about.family not in (*TRAINED, None):
        yield Said("{path} is a {detail}; trained are Stable Diffusion 1.x, 2.x and XL", values)
    elif about.kind not in ("checkpoint", "folder", "unknown"):
        yield Said(
            "{path} is a {detail}, not a base model; choose the checkpoint (.safetensors) that the LoRA is to be "
            "trained on",
            values,
        )
    elif about.lacks_vae and not own_vae:
        yield Said("{path} has no VAE; choose a VAE file under vae, or a whole checkpoint", values)
    elif v2 and (about.family == "sdxl" or (about.family == "sd1" and about.context_width == SD1_WIDTH)):
        yield Said("v2 is on, but {path} is a {detail}; switch v2 off, or choose an SD 2.x base model", values)


def unusable_vae(name: str) -> Iterator[Said]:
    """Why a file, folder or hub id can be no VAE; nothing when it can."""
    try:
        path = find_base(name)
    except WeightsError as error:
        yield Said("{reason}", {"reason": error})
        return
    if path.is_dir():
        config = read_config(path / "vae" / "config.json") or read_config(path / "config.json") or {}
        if "latent_channels" not in config:
            yield Said("{path} is not a VAE folder (no config.json of a VAE in it)", {"path": path})
        return
    about = describe(path)
    if about.problems and (about.kind == "unknown" or about.pickled):
        yield Said("{reason}", {"reason": about.problems[0]})
    elif about.kind not in ("vae", "checkpoint", "unknown") or about.lacks_vae:
        yield Said("{path} is a {detail} and holds no VAE; choose a VAE file", {"path": path, "detail": about.detail})
    elif fault := incomplete_vae(path, about.shapes):
        yield Said("{reason}", {"reason": fault})


def _contradictions(config: TrainConfig, about: Description, family: Trained) -> Iterator[Said]:
    """What the user chose that this family cannot do."""
    values = {"path": about.path, "detail": about.detail}
    wanted = config.model.model_family
    if wanted is not None and (wanted == "sdxl") != (family == "sdxl"):
        right = "sdxl" if family == "sdxl" else "sd"
        yield Said(
            "model_family is {wanted}, but {path} is a {detail}; set it to {right}, or choose another base model",
            {**values, "wanted": wanted, "right": right},
            "model.model_family",
        )
    yield from _network_files(config, family)
    yield from _blocks(config, family)
    steps = {data.bucket_reso_steps for data in of_each_group(config.dataset) if data.enable_bucket}
    for step in sorted(step for step in steps if step % 64 and family != "sdxl"):
        yield Said(
            "bucket_reso_steps is {value}; for {path}, a {detail}, it must be a multiple of 64",
            {**values, "value": step},
            "dataset.bucket_reso_steps",
        )
    if family == "sdxl" and config.caption.no_token_padding:
        yield Said(
            "no_token_padding is for Stable Diffusion 1.x and 2.x; switch it off for {path}",
            values,
            "caption.no_token_padding",
        )


def _network_files(config: TrainConfig, family: Trained) -> Iterator[Said]:
    """LoRA files that the run begins with: whether they are there, are LoRAs, and belong to this family."""
    network = config.network
    for name in (network.network_weights, *network.base_weights):
        if not name:
            continue
        about = describe(name)
        if about.kind != "lora":
            reason = about.problems[0] if about.problems else f"{name} is a {about.detail}"
            yield Said("{reason}; choose the file of a LoRA", {"reason": reason})
        elif about.family is not None and (
            about.family not in TRAINED or (about.family == "sdxl") != (family == "sdxl")
        ):
            yield Said(
                "{path} is a {detail}; it does not fit a {family} base model, choose another file",
                {"path": name, "detail": about.detail, "family": FAMILY_WORDS[family]},
            )
        elif name == network.network_weights:
            other = other_method(name, about.shapes, network.network_module, network.network_args)
            if other is not None:
                yield Said(OTHER_METHOD, other, "network.network_weights")
            elif rank := other_rank(name, about.shapes, network):
                yield Said(*rank, "network.network_weights")


def _blocks(config: TrainConfig, family: Trained) -> Iterator[Said]:
    """Lists for U-Net blocks with as many numbers as this family has blocks."""
    given, needed = parse(config.network.network_module, config.network.network_args), 23 if family == "sdxl" else 25
    for name in BLOCK_LISTS:
        numbers = given.get(name)
        if isinstance(numbers, tuple) and len(numbers) != needed:
            yield Said(
                "network_args: {name} has {count} numbers; this base model has {needed} blocks, so give {needed}",
                {"name": name, "count": len(numbers), "needed": needed},
                "network.network_args",
            )


def _without_effect(config: TrainConfig, family: Trained) -> Iterator[Said]:
    v = config.noise.zero_terminal_snr and config.model.v_parameterization
    if config.loss.zero_terminal_snr_weights and not v:
        yield Said("zero_terminal_snr_weights has an effect on v-prediction models with zero_terminal_snr only")
    if family != "sdxl":
        rates = config.optimizer.text_encoder_lr
        if isinstance(rates, tuple) and not config.network.network_train_unet_only:
            yield Said(
                "text_encoder_lr has two rates, but this base model has one text encoder: it is trained with {first}, "
                "and {second} is not used",
                {"first": rates[0], "second": rates[1]},
                "optimizer.text_encoder_lr",
            )
        if config.model.text_projection_as_sd_scripts:
            yield Said("text_projection_as_sd_scripts has an effect on SDXL single files only")
        if config.dataset.true_crop_coordinates:
            yield Said("true_crop_coordinates has an effect on SDXL only")
        if config.cache.cache_as_npz and config.cache.cache_text_encoder_outputs:
            yield Said("sd-scripts keeps text outputs for SDXL only; no _te_outputs.npz are written")
        return
    if config.caption.clip_skip is not None:
        yield Said(
            "clip_skip has no effect on SDXL, whose text encoders always give their last but one layer",
            address="caption.clip_skip",
        )
    resolution = config.dataset.resolution
    if resolution is not None and resolution[0] * resolution[1] < SMALL_FOR_XL_PX**2:
        yield Said(
            "resolution {width} x {height} is small for SDXL, which is made for 1024 x 1024; pictures come out soft",
            {"width": resolution[0], "height": resolution[1]},
            "dataset.resolution",
        )
