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
from taggers.base import Vocabulary
from taggers.pictures import pad_to_square, resize_square
from taggers.session import device_of, open_session

WD_CATEGORIES = {"9": "rating", "0": "general", "4": "character", "3": "copyright", "1": "artist", "5": "meta"}
LARGEST_TABLE_BYTES = 64 * 2**20


class WdModel:
    """A WD tagger in an ONNX session. Side, layout and batch size are what the model file says."""

    def __init__(self, found: Found, device: str = "auto") -> None:
        """Raises TaggerError when the model cannot be opened or the table of tags is not the model's own."""
        self.name = found.name
        self.vocabulary = read_selected_tags(found.labels)
        self._session = open_session(found.model, device)
        self.device = device_of(self._session)
        self._input = self._session.get_inputs()[0]
        self.fixed_batch, self.side_px, self._channels_first = input_layout(self._input.shape, found.model)
        outputs = self._session.get_outputs()[0].shape[-1]
        if isinstance(outputs, int) and outputs != len(self.vocabulary):
            raise TaggerError(
                f"{found.model} gives {outputs} scores, but {found.labels.name} names {len(self.vocabulary)} tags: "
                "the two files do not belong together; download both again"
            )

    def prepare(self, picture: Image.Image) -> NDArray[np.float32]:
        """RGB picture -> (side, side, 3) float32 BGR 0..255, padded to a square with white."""
        square = resize_square(pad_to_square(picture), self.side_px)
        pixels = np.asarray(square, np.float32)[:, :, ::-1]
        return np.ascontiguousarray(pixels.transpose(2, 0, 1) if self._channels_first else pixels)

    def score(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, side, side, 3) -> (B, N) in [0, 1]."""
        scores: NDArray[np.float32] = self._session.run(None, {self._input.name: batch})[0]
        return scores


def input_layout(shape: list[int | str | None], model: Path) -> tuple[int | None, int, bool]:
    """(fixed batch size or None, side in pixels, channels first) of an image input. Raises TaggerError for others."""
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    if len(sizes) == 4 and 3 in (sizes[1], sizes[3]):
        channels_first = sizes[1] == 3
        side = sizes[2] or sizes[3 if channels_first else 1] or 448
        return sizes[0], side, channels_first
    raise TaggerError(f"{model} takes an input of shape {shape}, not a batch of colour pictures: this is not a tagger")


def read_selected_tags(path: Path) -> Vocabulary:
    """The table `tag_id,name,category,count`: category 9 rating, 0 general, 4 character. Raises TaggerError."""
    if path.stat().st_size > LARGEST_TABLE_BYTES:
        raise TaggerError(f"{path} is larger than any table of tags; download it again")
    names, categories = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                names.append(row["name"])
                categories.append(WD_CATEGORIES.get(row["category"].strip(), "general"))
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise TaggerError(f"{path} is not a table of tags with the columns tag_id,name,category,count; "
                          "download it again") from error  # fmt: skip
    if not names:
        raise TaggerError(f"{path} names no tags; download it again")
    return Vocabulary(tuple(names), tuple(categories))
