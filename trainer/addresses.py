"""Web addresses that a person or a file names, such as that of a mirror. LIGHT."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2000


def web_address(text: str) -> str:
    """An http or https address in plain letters, without blanks around it and slashes at its end.

    Raises ValueError: what goes into a request's first line and headers as it is must hold no blank, control character
    or second address.
    """
    address = text.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        secret = parts.username is not None
    except ValueError:
        sound = secret = False
    if (
        not sound
        or len(address) > LONGEST
        or not all("!" <= letter <= "~" and letter not in '\\<>"' for letter in address)
    ):
        shown = address.encode("ascii", "backslashreplace").decode("ascii")[:100]
        raise ValueError(
            f"{shown!r} is not a web address; write it like https://mirror.example/simple, or leave it empty"
        )
    if secret:
        raise ValueError("leave the password out of the address: settings are kept as plain text")
    return address
