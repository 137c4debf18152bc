"""Starts the page: host, port and language from the command line, the rest in webui.server. `launch.sh` calls this."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
PORT = 28000


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The page's command line. Leaves with exit code 2 and a sentence when it is wrong."""
    parser = argparse.ArgumentParser(prog="app.py", description="Opens Athanor's page.", allow_abbrev=False)
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--host", default=LOOPBACK, help=f"loopback address to listen on, without a key (default {LOOPBACK})"
    )
    where.add_argument(
        "--listen",
        nargs="?",
        const=EVERYWHERE,
        metavar="HOST",
        help="with a key, reachable from other computers at every address of this one, or at HOST alone "
        "(0.0.0.0 = all of IPv4, :: = all of IPv6 too, 127.0.0.1 = this computer only, for a proxy on it)",
    )
    parser.add_argument(
        "--port", type=_port, default=PORT, help=f"default {PORT}; the next free one of twenty when it is taken"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a further host name to answer to"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--lang", choices=("en", "zh"), help="language of the page; the browser's when not given")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl+C. Returns 0, or 2 after a sentence when it cannot listen or write where it should."""
    given = arguments(argv)
    os.chdir(ROOT)  # where relative paths begin, wherever this was started from
    from webui.address import AddressError
    from webui.server import serve  # after the command line, so that a wrong one is answered at once
    from webui.site import FolderError

    try:
        serve(
            ROOT,
            host=given.host if given.listen is None else given.listen,
            port=given.port,
            lang=given.lang,
            listen=given.listen is not None,
            open_browser=not given.no_browser,
            allowed_hosts=tuple(given.allow_host),
        )
    except (AddressError, FolderError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _port(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 65535:
        raise argparse.ArgumentTypeError(f"{word!r} is not a port; use a number from 1 to 65535")
    return int(word)


if __name__ == "__main__":
    sys.exit(main())
