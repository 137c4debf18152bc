"""What the check says of weights files, train would say too: it reads names, shapes and opcodes, without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny
import torch
from place import Place
from safetensors.torch import load_file, save_file

from trainer import families, networks
from trainer.__main__ import main
from trainer.config import read
from trainer.dataset.report import report
from trainer.families import layout, modules, pickles
from trainer.families.weights import WeightsError, describe, first_not_finite

ROOT = Path(__file__).parents[2]
BUILDERS = {
    "unet": ("UNet2DConditionModel", layout.unet_tensors), "vae": ("AutoencoderKL", layout.vae_tensors),
    "text_encoder": ("CLIPTextModel", layout.text_tensors),
    "text_encoder_2": ("CLIPTextModelWithProjection", layout.projected_text_tensors),
}  # fmt: skip


@pytest.mark.parametrize("component", BUILDERS)
def test_the_names_of_a_models_tensors_are_those_of_the_model_itself(component: str) -> None:
    import diffusers
    import transformers

    kind, tensors = BUILDERS[component]
    for config in layout.known_configs(component).values():
        with torch.device("meta"), modules.quiet_libraries():
            if component.startswith("text"):
                model = getattr(transformers, kind)(transformers.CLIPTextConfig(**config))
            else:
                model = getattr(diffusers, kind).from_config(dict(config))
        own = list(tensors(config))
        assert len(own) == len(set(own))
        assert set(own) == {name.removeprefix("text_model.") for name in model.state_dict()}


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("make", [tiny.safetensors, tiny.folder, tiny.ckpt], ids=["file", "folder", "ckpt"])
def test_a_whole_base_model_lacks_nothing(tmp_path: Path, family: str, make: Callable[..., Path]) -> None:
    path = make(tmp_path / f"base{'.ckpt' if make is tiny.ckpt else '.safetensors'}", family)
    about = describe(path)
    assert (about.family, about.problems) == (family, ())
    assert layout.incomplete_base(path, about, family) is None


def test_the_names_and_shapes_of_a_pickle_are_those_that_torch_loads(tmp_path: Path) -> None:
    state = {
        "a.weight": torch.nn.Parameter(torch.ones(2, 3)),
        "b": torch.zeros(()),
        "c": torch.ones(4, dtype=torch.half),
    }
    for number, zipped in enumerate((True, False)):
        file = tmp_path / f"{number}.ckpt"
        torch.save({"state_dict": state, "epoch": 3}, str(file), _use_new_zipfile_serialization=zipped)
        assert pickles.contents(file) == pickles.Contents({"a.weight": (2, 3), "b": (), "c": (4,)}, None)


class Command:
    """What a harmful file would run."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


def cut_names(path: Path) -> None:
    """A base model most of whose U-Net is gone."""
    state = load_file(path)
    save_file({name: value for name, value in state.items() if "output_blocks" not in name}, str(path))


def evil(path: Path) -> None:
    torch.save({**tiny.state(0), "more": Command()}, str(path))


def evil_and_old(path: Path) -> None:
    torch.save({**tiny.state(0), "more": Command()}, str(path), _use_new_zipfile_serialization=False)


def whole_module(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), str(path))


def tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "storages")


BASES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "most weights missing": ("b.safetensors", lambda path: cut_names(tiny.safetensors(path)), "tensors of the U-Net"),
    "a command": ("b.ckpt", evil, r"Python objects besides weights \((posix|nt).system\)"),
    "a command in the old form": ("b.pt", evil_and_old, r"Python objects besides weights \((posix|nt).system\)"),
    "a module": ("b.bin", whole_module, "Python objects besides weights|no weights that this program knows"),
    "a tar of 2016": ("b.pt", tar, "form of 2016"),
    "another pickle": ("b.ckpt", lambda path: path.write_bytes(b"\x80\x02}q\x00."), "not a .ckpt file"),
    "a cut zip": ("b.ckpt", lambda path: path.write_bytes(tiny.ckpt(path).read_bytes()[:5000]), "cut download"),
    "a zip of something else": ("b.ckpt", lambda path: zipped(path), "without a table of weights"),
}


def zipped(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")


def loras() -> dict[str, Callable[[Path], object]]:
    lora = {"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": torch.ones(2, 96, 1, 1)}
    broken = {**lora, "lora_unet_x.lora_up.weight": torch.tensor([1.0, float("nan")])}
    return {
        "float": lambda path: save_file(broken, str(path)),
        "half": lambda path: save_file({key: value.half() for key, value in broken.items()}, str(path)),
        "bf16": lambda path: save_file({key: value.bfloat16() for key, value in broken.items()}, str(path)),
    }


def told(place: Place, **values: object) -> list[tuple[str, str]]:
    place.config(**values)
    return [(one.severity, one.message) for one in report(read(place.root / "run.toml").config).problems]


@pytest.mark.parametrize("case", BASES)
@pytest.mark.parametrize("name", ["pretrained_model_name_or_path", "vae", "network_weights", "base_weights"])
def test_what_train_refuses_of_a_weights_file_the_check_refuses(place: Place, case: str, name: str) -> None:
    file, make, words = BASES[case]
    make(place.root / file)
    if (case, name) == ("most weights missing", "vae"):
        return  # its VAE is whole
    errors = [message for severity, message in told(place, **{name: [file] if name == "base_weights" else file})
              if severity == "error"]  # fmt: skip
    assert errors and file in errors[0]
    if name in ("pretrained_model_name_or_path", "vae"):
        import re

        assert any(re.search(words, message) for message in errors), errors
        with pytest.raises(WeightsError):
            load = modules.open_vae if name == "vae" else modules.open_unet
            load(modules.open_source(place.root / file), None, torch.float32)


def _renamed(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        key.replace("lora_unet_", "lora_unet_x_").replace("lora_te_", "lora_te_x_"): tensors[key] for key in tensors
    }


def _wider(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: torch.ones(2, 1024) if "attn2_to_k.lora_down" in key else tensors[key] for key in tensors}


def _whole_numbers(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: value.to(torch.int8) for key, value in tensors.items()}


def _flat(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: torch.ones(0) if "lora_down" in key else value for key, value in tensors.items()}


def _two_alphas(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: torch.ones(2) if key.endswith(".alpha") else value for key, value in tensors.items()}


@pytest.mark.parametrize("name", ["network_weights", "base_weights"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict, None), (_renamed, "tensors belongs to this model"),
        (_wider, "has shape (2, 1024), the network here (2, "), (_flat, "(0,)"),
        (_whole_numbers, "holds torch.int8, not numbers with a fraction"), (_two_alphas, "has shape (2,)"),
    ],
)  # fmt: skip
def test_a_lora_that_does_not_fit_the_network_is_told_by_the_check(
    place: Place, capsys: pytest.CaptureFixture[str], name: str, change: Callable[..., dict], words: str | None
) -> None:
    config = read(Path(place.config())).config
    family = families.outline(families.options_from(config))
    tensors = networks.plan(family.layers(), networks.network_options(config.network)).file_tensors()
    save_file(change({key: torch.ones(value.shape) for key, value in tensors.items()}), "a.safetensors")
    value = "a.safetensors" if name == "network_weights" else ["a.safetensors"]
    assert main(["check", place.config(**{name: value})]) == (0 if words is None else 2)
    said = capsys.readouterr().out
    assert words is None or words in said


@pytest.mark.parametrize("kind", loras())
@pytest.mark.parametrize("name", ["network_weights", "base_weights"])
def test_nan_in_a_lora_is_found_without_torch(place: Place, name: str, kind: str) -> None:
    loras()[kind](place.root / "a.safetensors")
    assert first_not_finite(place.root / "a.safetensors") == "lora_unet_x.lora_up.weight"
    value = ["a.safetensors"] if name == "base_weights" else "a.safetensors"
    assert ("error", "a.safetensors: lora_unet_x.lora_up.weight holds NaN or infinity, so the file is damaged; choose "
            "another one") in told(place, **{name: value})  # fmt: skip


def test_a_vae_file_without_most_of_its_weights_is_refused(place: Place) -> None:
    state = {name: value for name, value in tiny.state().items() if name.startswith("first_stage_model.encoder.")}
    save_file(state, "vae.safetensors")
    assert any("tensors of the VAE" in message for severity, message in told(place, vae="vae.safetensors")
               if severity == "error")  # fmt: skip


def test_a_folder_without_most_of_its_weights_is_refused(place: Place) -> None:
    part = tiny.folder(place.root / "base") / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({name: value for name, value in load_file(part).items() if "up_blocks" not in name}, str(part))
    errors = [one for severity, one in told(place, pretrained_model_name_or_path="base") if severity == "error"]
    assert len(errors) == 1 and "tensors of the U-Net (first: up_blocks" in errors[0]


def test_a_pickle_is_good_for_a_start_but_its_numbers_are_not_known_yet(place: Place) -> None:
    tiny.ckpt(place.root / "b.ckpt")
    (found,) = [one for one in told(place, pretrained_model_name_or_path="b.ckpt") if "pickle" in one[1]]
    assert found[0] == "warning" and "whose numbers are not read before the start" in found[1]


def test_the_check_of_a_pickle_needs_no_torch(tmp_path: Path) -> None:
    tiny.ckpt(tmp_path / "b.ckpt")
    code = (
        "import sys; from pathlib import Path; from trainer.families import layout, weights; p = Path(sys.argv[1]);"
        "about = weights.describe(p); layout.incomplete_base(p, about, about.family); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "b.ckpt")], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False", done.stderr
