"""Names what is in a picture: the table of taggers and where their files lie. LIGHT: no onnxruntime before `load`.

A tagger is a folder with `model.onnx` and its table of tags (`selected_tags.csv` for the WD lineage, `tag_mapping.json`
for CL). Named taggers are looked for in `<models_dir>/<name>` (by default `./sd-models/taggers/<name>`), then in the
Hugging Face cache; any other folder works by its path. Downloading is in download.py, running in tagging.py.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from trainer.filesystem import is_file, is_folder
from trainer.paths import PathError, pasted

if TYPE_CHECKING:
    from taggers.base import Model

DEFAULT_TAGGER = "wd-vit-v3"
DEFAULT_MODELS_DIR = Path("sd-models") / "taggers"
LABEL_FILES = {"wd": "selected_tags.csv", "cl": "tag_mapping.json"}
MODEL_FILES = ("model.onnx", "model_optimized.onnx")


class TaggerError(ValueError):
    """A tagger is missing, damaged or not of a known kind. The text says which one and what to do."""


@dataclass(frozen=True)
class TaggerFile:
    """One file of a tagger: its path in the repository and, where they are known, its size and SHA-256."""

    path: str
    bytes: int | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """What the file is called in the tagger's own folder."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Tagger:
    """Where a tagger comes from. `folder` is set for one that ships with this project."""

    name: str
    title: str
    lineage: str
    repo: str = ""
    revision: str = "main"
    files: tuple[TaggerFile, ...] = ()
    folder: Path | None = None
    note: str = ""

    @property
    def bytes(self) -> int | None:
        """Bytes to download, or None when the table does not know them all."""
        sizes = [file.bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


# All v3 models of SmilingWolf share one table of tags. Sizes and hashes: the repositories' own, as pinned by two
# independent public manifests; where none was to be had, the server's are checked during the download.
_V3_TAGS = TaggerFile("selected_tags.csv", 308_468, "298633d94d0031d2081c0893f29c82eab7f0df00b08483ba8f29d1e979441217")


def _wd_v3(name: str, title: str, repo: str, revision: str, size: int, sha256: str, note: str = "") -> Tagger:
    files = (TaggerFile("model.onnx", size, sha256), _V3_TAGS)
    return Tagger(name, title, "wd", f"SmilingWolf/{repo}", revision, files, note=note)


def _wd_v2(name: str, title: str, repo: str) -> Tagger:
    files = (TaggerFile("model.onnx"), TaggerFile("selected_tags.csv"))
    return Tagger(name, title, "wd", f"SmilingWolf/{repo}", "v2.0", files)


_LISTED = (
    _wd_v3("wd-vit-v3", "WD ViT v3", "wd-vit-tagger-v3", "7f6b584d0bd3f55c4531f14ba3d4761b2bccdc0f", 378_536_310,
           "35f23693620b668f4d53fd3c62bf65e40af739bc52c7eb0fbc49258b58d065b6", "a good start: fast and precise"),
    _wd_v3("wd-convnext-v3", "WD ConvNeXt v3", "wd-convnext-tagger-v3", "d39e46de298d27340111b64965e20b8185c407e6",
           394_990_732, "1b8a7abf13d9b8368267df47501d523789c4aeae66b2296ad98483239dfa32eb"),
    _wd_v3("wd-swinv2-v3", "WD SwinV2 v3", "wd-swinv2-tagger-v3", "627aef95638667ddcaa3ac8ae625e88ea5b02f51",
           467_460_978, "e6774bff34d43bd49f75a47db4ef217dce701c9847b546523eb85ff6dbba1db1"),
    _wd_v2("wd14-convnextv2-v2", "WD14 ConvNeXtV2 v2", "wd-v1-4-convnextv2-tagger-v2"),
    _wd_v2("wd14-swinv2-v2", "WD14 SwinV2 v2", "wd-v1-4-swinv2-tagger-v2"),
    _wd_v2("wd14-vit-v2", "WD14 ViT v2", "wd-v1-4-vit-tagger-v2"),
    _wd_v2("wd14-moat-v2", "WD14 MOAT v2", "wd-v1-4-moat-tagger-v2"),
    _wd_v3("wd-eva02-large-tagger-v3", "WD EVA02-Large v3", "wd-eva02-large-tagger-v3",
           "b25b82a03f7282e41aa2f257a52c7583b710bd1c", 1_260_435_999,
           "9e768793060c7939b277ccb382783e8670e8a042d29d77aa736be0c8cc898bfc", "most precise, slow without a GPU"),
    _wd_v3("wd-vit-large-tagger-v3", "WD ViT-Large v3", "wd-vit-large-tagger-v3",
           "ae469aa2e4706a3af08d3673cf73a11d1add314c", 1_260_645_673,
           "e4c8001b000a6c98f2db10794f7c406daa79873d071d6ca924330fa053fa1845", "large, slow without a GPU"),
    Tagger("cl_tagger_1_01", "CL Tagger 1.01", "cl", "cella110n/cl_tagger", "0b6e9b4e145b1423bfd1715119074a24a301b471",
           (TaggerFile("cl_tagger_1_01/model.onnx"), TaggerFile("cl_tagger_1_01/tag_mapping.json")),
           note="knows artists, series, quality; large"),
    Tagger("demo-tagger", "Demo tagger", "wd", folder=Path(__file__).parent / "demo",
           files=(TaggerFile("model.onnx"), TaggerFile("selected_tags.csv")),
           note="knows only the demo's coloured shapes; for trying things out"),
)  # fmt: skip
TAGGERS: Mapping[str, Tagger] = MappingProxyType({tagger.name: tagger for tagger in _LISTED})


@dataclass(frozen=True)
class Found:
    """A tagger that is on this machine: its model file, its table of tags and its lineage (`wd` or `cl`)."""

    name: str
    lineage: str
    model: Path
    labels: Path


def present(name: str, models_dir: Path = DEFAULT_MODELS_DIR) -> Found | None:
    """The files of a named tagger on this machine, or None when it has to be downloaded first."""
    tagger = TAGGERS[name]
    folders = [tagger.folder] if tagger.folder else [models_dir / name, *_cached_folders(tagger)]
    for folder in folders:
        found = in_folder(folder, name)
        if found:
            return found
    return None


def in_folder(folder: Path, name: str = "") -> Found | None:
    """The tagger whose files lie in `folder`; None when the model or the table of tags is missing there."""
    for model in MODEL_FILES:
        for lineage, labels in LABEL_FILES.items():
            if is_file(folder / model) and is_file(folder / labels):
                return Found(name or folder.name, lineage, folder / model, folder / labels)
    return None


def find(name_or_folder: str, models_dir: Path = DEFAULT_MODELS_DIR) -> Found:
    """The tagger of that name, or the one in that folder.

    Raises TaggerError naming the missing files, the nearest known name, or how to download it.
    """
    if name_or_folder in TAGGERS:
        found = present(name_or_folder, models_dir)
        if found is None:
            names = " and ".join(file.name for file in TAGGERS[name_or_folder].files)
            raise TaggerError(
                f"the tagger {name_or_folder} is not on this machine yet; download it (Tagger tab, or "
                f"'python -m taggers --download {name_or_folder}'), or put its files {names} into "
                f"{models_dir / name_or_folder}"
            )
        return found
    try:
        folder = Path(pasted(name_or_folder))
    except PathError as error:
        raise TaggerError(str(error)) from None
    local = folder if is_folder(folder) else models_dir / name_or_folder
    found = in_folder(local)
    if found:
        return found
    if is_folder(local):
        raise TaggerError(
            f"{local} holds no tagger: expected model.onnx beside selected_tags.csv (WD) or tag_mapping.json (CL)"
        )
    near = difflib.get_close_matches(name_or_folder, TAGGERS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise TaggerError(f"there is no tagger or folder {name_or_folder!r}{hint} Known taggers: {', '.join(TAGGERS)}")


def load(name_or_folder: str, models_dir: Path = DEFAULT_MODELS_DIR, device: str = "auto") -> Model:
    """The tagger, ready to score pictures. Imports onnxruntime. device: `auto` or `cpu`.

    Raises TaggerError when it is missing, damaged, or its two files do not belong together.
    """
    found = find(name_or_folder, models_dir)
    if found.lineage == "wd":
        from taggers.wd import WdModel

        return WdModel(found, device)
    from taggers.cl import ClModel

    return ClModel(found, device)


def _cached_folders(tagger: Tagger) -> list[Path]:
    """Folders of the Hugging Face cache that may hold this tagger: other programs put it there."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    snapshots = hub / ("models--" + tagger.repo.replace("/", "--")) / "snapshots"
    try:
        revisions = sorted(snapshots.iterdir(), key=lambda path: path.name != tagger.revision)
    except OSError:
        return []
    subfolder = Path(tagger.files[0].path).parent
    return [revision / subfolder for revision in revisions]
