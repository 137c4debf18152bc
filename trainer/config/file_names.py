"""Which texts can name a file on every system. LIGHT."""

from __future__ import annotations

import unicodedata

FORBIDDEN_IN_NAMES = '/\\:*?"<>|'
DEVICE_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def fault_of(name: str) -> str | None:
    """Why a text cannot be a file name on every system (SAFETY R4), or None."""
    if name != unicodedata.normalize("NFC", name):
        return "it holds combined letters in an unusual form; type it anew"
    if not 1 <= len(name) <= 100:
        return "it must have 1 to 100 characters"
    for character in name:
        if character in FORBIDDEN_IN_NAMES:
            return f"{character} is not allowed in file names"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            return "it holds an invisible character"
    if name[0] in "-." or name[0].isspace():
        return "it must not begin with a dash, a dot or a space"
    if name[-1] == "." or name[-1].isspace():
        return "it must not end with a dot or a space"
    if name.split(".")[0].strip().lower() in DEVICE_NAMES:
        return "Windows keeps that name for a device"
    return None
