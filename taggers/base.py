"""What every tagger gives: a vocabulary and scores. LIGHT; the models themselves are in wd.py and cl.py.

B batch · N tags the model knows
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CATEGORIES = ("rating", "general", "character", "copyright", "artist", "meta", "quality", "model")

# What would part a tag in two, or what no caption file can hold, with the spaces around it.
_UNWRITABLE = re.compile(r"[\s_]*[,\r\n\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+[\s_]*")


def written_name(name: str) -> str:
    """A tag's name out of a model's table as one tag of a caption: a comma or line end in it becomes an underscore."""
    return _UNWRITABLE.sub("_", name.strip()).strip("_") if _UNWRITABLE.search(name) else name


@dataclass(frozen=True)
class Vocabulary:
    """The tags of a model in the order of its outputs: name (as the model spells it) and category of each."""

    names: tuple[str, ...]
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.categories):
            raise ValueError(f"{len(self.names)} names, but {len(self.categories)} categories")

    def __len__(self) -> int:
        return len(self.names)

    def indices(self, category: str) -> NDArray[np.int64]:
        """Where the tags of one category stand among the outputs, ascending."""
        return self._by_category.get(category, np.empty(0, np.int64))

    @cached_property
    def _by_category(self) -> dict[str, NDArray[np.int64]]:
        kinds = np.array(self.categories)
        return {kind: np.flatnonzero(kinds == kind) for kind in set(self.categories)}


class Model(Protocol):
    """A loaded tagger."""

    name: str
    vocabulary: Vocabulary
    device: str
    """Where it really runs, such as `CPU` or `CUDA`."""
    gpu_unused: bool
    """A GPU is here, but the model runs on the processor."""
    fixed_batch: int | None
    """The only batch size that the model accepts, or None when any will do."""

    def prepare(self, picture: Image.Image) -> NDArray[np.float32]:
        """One RGB picture -> the model's input without the batch axis."""
        ...

    def score(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Prepared pictures, (B, ...) -> (B, N) in [0, 1]."""
        ...
