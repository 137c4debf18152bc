"""Which texts can name a file on every system. LIGHT."""

from __future__ import annotations

import unicodedata

from trainer.saving import FILE_SUFFIXES, LONGEST_NAME_BYTES, longest_names, name_length

FORBIDDEN_IN_NAMES = '/\\:*?"<>|'
# they look like the / and \\ that part folders: full-width, small, mathematical and drawn ones
LIKE_SLASHES = "\uff0f\uff3c\u2044\u2215\u2216\u29f8\u29f9\u29f5\u2571\u2572\u27cb\u27cd\ufe68"
DEVICE_NAMES = {
    "con", "prn", "aux", "nul", "conin$", "conout$",
    *(f"{port}{number}" for port in ("com", "lpt") for number in "123456789\u00b9\u00b2\u00b3"),
}  # fmt: skip
PREFIX_BYTES = LONGEST_NAME_BYTES - len("20261120114200")  # a date follows
WEIGHT_ENDINGS = (*FILE_SUFFIXES, ".pth", ".bin")


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
    if is_device(name):
        return "Windows keeps that name for a device"
    return None


def fault_of_output_name(name: str) -> str | None:
    """Why a new run cannot be called so, or None: what `fault_of` says, a length in bytes, and likely slips."""
    fault = fault_of(name)
    if fault:
        return fault
    fault = _too_many_bytes(name, LONGEST_NAME_BYTES - max(map(name_length, longest_names(""))))
    if fault:
        return fault
    for character in name:
        if character in LIKE_SLASHES:
            return f"{character} looks like a folder in it but is none; write folders into output_dir, and - here"
    for ending in WEIGHT_ENDINGS:
        if name.lower().endswith(ending):
            return f"the ending {ending} is added by itself; leave it out"
    return None


def fault_of_folder_name(name: str) -> str | None:
    """Why a text cannot be the name of a folder on every system, or None."""
    return fault_of(name) or _too_many_bytes(name, LONGEST_NAME_BYTES)


def fault_of_prefix(prefix: str) -> str | None:
    """Why a folder's name cannot begin with `prefix`, which may hold whole folders (`sets/first-`), or None."""
    *folders, last = prefix.replace("\\", "/").split("/")
    faults = [*map(fault_of_folder_name, folders), fault_of(f"{last}0") or _too_many_bytes(last, PREFIX_BYTES)]
    return next(filter(None, faults), None)


def _too_many_bytes(name: str, room: int) -> str | None:
    length = name_length(name)
    if length <= room:
        return None
    return f"it has {length} bytes, a Chinese character being 3, and there is room for {room}; shorten it"


def is_device(name: str) -> bool:
    """True where Windows would open a device under this name, whatever ending it has."""
    return name.split(".")[0].strip().lower() in DEVICE_NAMES
