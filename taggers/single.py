"""Try one picture: every score that could matter, so that thresholds can be chosen by eye. Writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from taggers.base import Model
from taggers.pictures import open_picture
from taggers.tagging import score_pictures

LOWEST_SCORE = 0.02
MOST_TAGS = 300


def tag_one(model: Model, image: Path) -> dict[str, Any]:
    """{"model", "device", "image", "scores": [{"tag", "category", "score"}, ...]}, as the model spells them.

    Ratings first and always, other tags from a score of 0.02 up, 300 at most. Raises PictureError.
    """
    scores = score_pictures(model, [model.prepare(open_picture(image))])[0]
    order = np.argsort(-scores[: len(model.vocabulary)], kind="stable")
    kinds, names = model.vocabulary.categories, model.vocabulary.names
    ratings = [index for index in order if kinds[index] == "rating"]
    others = [index for index in order if kinds[index] != "rating" and names[index] and scores[index] >= LOWEST_SCORE]
    return {
        "model": model.name, "device": model.device, "image": str(image),
        "scores": [
            {"tag": names[index], "category": kinds[index], "score": round(float(scores[index]), 4)}
            for index in (*ratings, *others[:MOST_TAGS])
        ],
    }  # fmt: skip
