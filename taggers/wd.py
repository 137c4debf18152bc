"""The WD lineage of SmilingWolf: `model.onnx` and `selected_tags.csv`. Reading pictures is in pictures.py.

Input (B, side, side, 3) float32, BGR, 0 to 255; output (B, N), already through a sigmoid.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from taggers import Found, TaggerError
from taggers.base import Vocabulary, written_name
from taggers.pictures import pad_to_square, resize_square
from taggers.session import PictureModel

WD_CATEGORIES = {"9": "rating", "0": "general", "4": "character", "3": "copyright", "1": "artist", "5": "meta"}
LARGEST_TABLE_BYTES = 64 * 2**20


class WdModel:
    """A WD tagger. Side, layout and batch size are what the model file says."""

    def __init__(self, found: Found, device: str = "auto") -> None:
        """Raises TaggerError when the model cannot be opened or the table of tags is not the model's own."""
        self.name = found.name
        self.vocabulary = read_selected_tags(found.labels)
        self._model = PictureModel(found.model, device)
        self.device, self.gpu_unused = self._model.device, self._model.gpu_unused
        self.fixed_batch = self._model.fixed_batch
        if self._model.num_scores not in (None, len(self.vocabulary)):
            raise TaggerError(
                f"{found.model} gives {self._model.num_scores} scores, but {found.labels.name} names "
                f"{len(self.vocabulary)} tags: the two files do not belong together; download both again"
            )

    def prepare(self, picture: Image.Image) -> NDArray[np.float32]:
        """RGB picture -> (side, side, 3) float32 BGR 0..255, padded to a square with white."""
        return bgr_square(picture, self._model)

    def score(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, side, side, 3) -> (B, N) in [0, 1]."""
        return self._model.run(batch)


def bgr_square(picture: Image.Image, model: PictureModel) -> NDArray[np.float32]:
    """RGB picture -> float32 BGR 0..255 of the model's side and layout, padded to a square with white."""
    square = resize_square(pad_to_square(picture), model.side_px)
    pixels = np.asarray(square, np.float32)[:, :, ::-1]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1) if model.channels_first else pixels)


def read_selected_tags(path: Path) -> Vocabulary:
    """The table `tag_id,name,category,count`: category 9 rating, 0 general, 4 character. Raises TaggerError."""
    if path.stat().st_size > LARGEST_TABLE_BYTES:
        raise TaggerError(f"{path} is larger than any table of tags; download it again")
    names, categories = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                names.append(written_name(row["name"]))
                categories.append(WD_CATEGORIES.get(row["category"].strip(), "general"))
    except (KeyError, AttributeError, TypeError, UnicodeDecodeError, csv.Error) as error:
        raise TaggerError(f"{path} is not a table of tags with the columns tag_id,name,category,count; "
                          "download it again") from error  # fmt: skip
    if not names:
        raise TaggerError(f"{path} names no tags; download it again")
    return Vocabulary(tuple(names), tuple(categories))
