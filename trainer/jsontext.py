"""JSON of files that anybody may have changed: whatever cannot be read, or sent on, is a ValueError. LIGHT."""

from __future__ import annotations

import json
from typing import Any


def parse(text: str | bytes) -> Any:
    """What the text holds. Raises ValueError, also where lists are nested so deep that json.loads gives up."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def presentable(content: object) -> bool:
    """Whether a browser can be sent this: infinite numbers and halves of surrogate pairs are no JSON and no UTF-8."""
    try:
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, TypeError, RecursionError):
        return False
    return True
