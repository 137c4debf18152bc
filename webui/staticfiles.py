"""The page's own scripts and style sheets, as they lie in static/: no build step. LIGHT."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLES = ("style", "shell", "form", "jobs", "tagger", "tags", "settings")
IMPORT = re.compile(r"^(?:import|export)\b[^;]*?from '\./([a-z0-9\-]+)\.js'", re.MULTILINE)


def modules_for(names: Iterable[str]) -> list[str]:
    """The modules of static/ that these import at once, themselves included, in the order of need."""
    needed: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in needed:
            needed[name] = None
            waiting += IMPORT.findall((STATIC / f"{name}.js").read_text(encoding="utf-8"))
    return list(needed)


def styles() -> bytes:
    """All style sheets as one: a page asks once."""
    return b"\n".join((STATIC / f"{name}.css").read_bytes() for name in STYLES)
