"""CL Tagger of cella110n: `model.onnx` (or `model_optimized.onnx`) and `tag_mapping.json`.

Input (B, 3, side, side) float32, BGR, -1 to 1; output (B, N) logits, which go through a sigmoid here.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from taggers import Found, TaggerError
from taggers.base import CATEGORIES, Vocabulary, written_name
from taggers.session import PictureModel
from taggers.wd import LARGEST_TABLE_BYTES, bgr_square

UNUSED = ""  # an output that the mapping leaves out; never chosen


class ClModel:
    """A CL tagger."""

    def __init__(self, found: Found, device: str = "auto") -> None:
        """Raises TaggerError when the model cannot be opened or the mapping does not fit it."""
        self.name = found.name
        self.vocabulary = read_tag_mapping(found.labels)
        self._model = PictureModel(found.model, device)
        self.device, self.gpu_unused = self._model.device, self._model.gpu_unused
        self.fixed_batch = self._model.fixed_batch
        if self._model.num_scores is not None and self._model.num_scores < len(self.vocabulary):
            raise TaggerError(
                f"{found.model} gives {self._model.num_scores} scores, but {found.labels.name} names "
                f"{len(self.vocabulary)} tags: the two files do not belong together; download both again"
            )

    def prepare(self, picture: Image.Image) -> NDArray[np.float32]:
        """RGB picture -> (3, side, side) float32 BGR -1..1, padded to a square with white."""
        return bgr_square(picture, self._model) / np.float32(127.5) - np.float32(1)

    def score(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, 3, side, side) -> (B, N) in [0, 1]."""
        logits = self._model.run(batch)[:, : len(self.vocabulary)].clip(-30, 30)  # exp(88) overflows float32
        scores: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
        return scores


def read_tag_mapping(path: Path) -> Vocabulary:
    """The mapping from output number to tag and category, in either of its two layouts. Raises TaggerError.

    {"0": {"tag": "1girl", "category": "General"}, ...} or {"idx_to_tag": {"0": "1girl"}, "tag_to_category": {...}}
    """
    if path.stat().st_size > LARGEST_TABLE_BYTES:
        raise TaggerError(f"{path} is larger than any table of tags; download it again")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        if "idx_to_tag" in content:
            kinds = content["tag_to_category"]
            entries = {int(index): (tag, kinds.get(tag, "General")) for index, tag in content["idx_to_tag"].items()}
        else:
            entries = {int(index): (entry["tag"], entry["category"]) for index, entry in content.items()}
        count = max(entries) + 1
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaggerError(f"{path} is not a tag mapping of a CL tagger; download it again") from error
    if min(entries) < 0 or count > 10 * len(entries):
        raise TaggerError(f"{path} numbers its tags in a way that no model does; download it again")
    names, categories = [UNUSED] * count, ["general"] * count
    for index, (tag, kind) in entries.items():
        names[index] = written_name(str(tag))
        categories[index] = str(kind).lower() if str(kind).lower() in CATEGORIES else "general"
    return Vocabulary(tuple(names), tuple(categories))
