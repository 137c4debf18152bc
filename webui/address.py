"""Where the page listens: from the address that was named to a listening socket; its form in a link. LIGHT."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import sys
from dataclasses import dataclass

PORTS_TRIED = 20
LAST_PORT = 65535
THIS_COMPUTER = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")
TAKEN = (errno.EADDRINUSE, errno.EACCES)  # on Windows a port held by another program is "access denied"


class AddressError(Exception):
    """The page cannot listen there. The text says why and what to choose instead."""


@dataclass(frozen=True)
class Address:
    """An address of this computer to listen on.

    number: the IP address, without brackets. name: the host name that it was named by, "" when it was a number.
    """

    number: str
    name: str = ""

    @property
    def everywhere(self) -> bool:
        """All addresses of this computer."""
        return self.number in EVERYWHERE

    @property
    def loopback(self) -> bool:
        """Only this computer itself can reach it."""
        return ipaddress.ip_address(self.number.partition("%")[0]).is_loopback

    @property
    def host(self) -> str:
        """As the host of a link that a browser on this computer can open."""
        number = THIS_COMPUTER if self.everywhere else self.number
        return self.name or (f"[{number}]" if ":" in number else number)


def named_address(text: str) -> Address:
    """The address that a person named: a number such as 192.168.1.5, ::1, 0.0.0.0 and :: (all), or a name.

    A name with several addresses stands for its first, IPv4 before IPv6. Raises AddressError.
    """
    name = text.strip().removeprefix("[").removesuffix("]").lower()
    if not name:
        raise AddressError("An empty address says nothing; name one of this computer's, or leave it out.")
    if "/" in name or name == "*" or name.count(":") == 1:
        raise AddressError(f"{text[:100]!r} is not an address alone; write it like 192.168.1.5, the port after --port.")
    if name == "localhost":
        return Address(THIS_COMPUTER)
    with contextlib.suppress(OSError, ValueError):
        return Address(_numbers(name, socket.AI_NUMERICHOST)[0])
    try:
        return Address(_numbers(name)[0], name)
    except (OSError, ValueError):  # ValueError: letters that no name can have
        message = f"{text[:100]!r} is neither an address nor a known name; write it like 192.168.1.5."
        raise AddressError(message) from None


def _numbers(name: str, flags: int = 0) -> list[str]:
    """The IP addresses of a name, IPv4 first. Raises OSError, ValueError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=flags)
    ipv4 = [str(place[0]) for family, _, _, _, place in found if family == socket.AF_INET]
    ipv6 = [str(place[0]) + (f"%{place[3]}" if place[3] else "") for _, _, _, _, place in found if len(place) == 4]
    return [*ipv4, *(number.removeprefix("::ffff:") if "." in number else number for number in ipv6)]


def listening_socket(address: Address, port: int) -> socket.socket:
    """A listening socket on the first free port of `port` ... `port + 19`; port 0 = any free one.

    `::` takes IPv4 too, whatever the system does by itself. Raises AddressError.
    """
    if not 0 <= port <= LAST_PORT:
        raise AddressError(f"{port} is not a port; choose one from 1 to {LAST_PORT}.")
    last = min(port + PORTS_TRIED - 1, LAST_PORT) if port else 0
    refusals = set()
    for candidate in range(port, last + 1):
        try:
            return _bound(address.number, candidate)
        except OSError as error:
            if error.errno not in TAKEN:
                raise AddressError(
                    f"The address {address.name or address.number} cannot be used: {error.strerror}. "
                    "Choose one that this computer has."
                ) from error
            refusals.add(error.errno)
    if refusals == {errno.EACCES} and sys.platform != "win32":
        raise AddressError(f"Ports from {port} to {last} need the rights of root; choose one above 1023 with --port.")
    raise AddressError(f"All ports from {port} to {last} are taken; choose another with --port.")


def _bound(number: str, port: int) -> socket.socket:
    family, _, _, _, place = socket.getaddrinfo(number, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        elif hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            door.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(number != "::"))
        door.bind(place)
        door.listen(128)
    except OSError:
        door.close()
        raise
    return door
