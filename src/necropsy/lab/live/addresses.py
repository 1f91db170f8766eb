"""Addresses and ports of a lab: a loopback network of its own, and in it the ports that one would expect.

On Linux every address of 127.0.0.0/8 is there without being set up, so each machine of the incident can have its own:
``127.83.12.189:8080`` reads as it did then. Elsewhere all of them are 127.0.0.1, and ports are whatever is free.
"""

from __future__ import annotations

import random
import socket
from typing import Final

from necropsy.model.errors import NecropsyError

_TRIES: Final = 50
_LAST_PORT: Final = 65_535
_FIRST_FREE_PORT: Final = 20_000


def network() -> str:
    """Return the first three numbers of a loopback network in which nothing of ours listens, or ``127.0.0``."""
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        prefix = f"127.{chance.randrange(16, 250)}.{chance.randrange(1, 250)}"
        if _binds(f"{prefix}.1", 0) and not _listens(prefix):
            return prefix
        if not _binds(f"{prefix}.1", 0):
            return "127.0.0"
    raise NecropsyError(
        "no loopback network is free", hint="Is another lab still up? necropsy lab status --folder FOLDER"
    )


def host(prefix: str, number: int) -> str:
    """Return the address of one machine."""
    return f"{prefix}.{number}" if prefix != "127.0.0" else "127.0.0.1"


class Ports:
    """Hands out ports, each once.

    >>> ports = Ports()
    >>> ports.take("127.0.0.1", 54321) != ports.take("127.0.0.1", 54321)
    True
    """

    def __init__(self) -> None:
        self._taken: set[tuple[str, int]] = set()

    def take(self, address: str, wanted: int) -> int:
        """Return the wanted port if it is free for us at this address, else another that is."""
        chance = random.SystemRandom()
        for port in (wanted, wanted + 8_000, *(chance.randrange(_FIRST_FREE_PORT, 32_000) for _ in range(_TRIES))):
            if port <= _LAST_PORT and (address, port) not in self._taken and _binds(address, port):
                self._taken.add((address, port))
                return port
        raise NecropsyError(f"no free port at {address}", hint="Stop what listens there.")


def _binds(address: str, port: int) -> bool:
    """Whether we may listen there (port 80 may be for root alone), and nobody does, on all addresses included."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError:
            return False
    return True


def _listens(prefix: str) -> bool:
    """Whether something answers at the ports that another lab would have here."""
    for number, port in ((21, 6379), (11, 8500), (1, 9090)):
        with socket.socket() as client:
            client.settimeout(0.2)
            if client.connect_ex((f"{prefix}.{number}", port)) == 0:
                return True
    return False
