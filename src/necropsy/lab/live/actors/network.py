"""The network between the clients of a store and its server: an address that stays while the server behind it changes.

A file says how it is, and is looked at ten times a second::

    {"to": "127.83.12.22:6379", "delay_s": 0.0, "silent": false}

``to`` is the server; when it changes, every connection ends, as when an address moves to another machine. ``delay_s`` is how much
later each piece of an answer arrives. While it is ``silent`` nothing arrives, and no connection ends: packets are lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.1
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Weather:
    """The present state of the network."""

    to: str
    """``HOST:PORT`` of the server."""
    delay_s: float = 0.0
    silent: bool = False


class Network:
    """Passes on what the clients and the server say.

    Parameters
    ----------
    kept
        File that says how the network is.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._weather = read(kept)
        self._clear = asyncio.Event()
        self._set_clear()
        self._connections: set[asyncio.Task[None]] = set()

    async def watch(self) -> None:
        """Follow the file for ever."""
        while True:
            await asyncio.sleep(_EVERY_S)
            former, self._weather = self._weather, read(self._kept)
            self._set_clear()
            if former.to != self._weather.to:
                for connection in self._connections:
                    connection.cancel()

    def _set_clear(self) -> None:
        if self._weather.silent:
            self._clear.clear()
        else:
            self._clear.set()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
        server: asyncio.StreamWriter | None = None
        try:
            await self._clear.wait()
            host, _, port = self._weather.to.rpartition(":")
            answers, server = await asyncio.open_connection(host, int(port))
            ways = [
                asyncio.ensure_future(self._pump(reader, server, late=False)),
                asyncio.ensure_future(self._pump(answers, writer, late=True)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # the client sees its connection end
        finally:
            if task is not None:
                self._connections.discard(task)
            for end in (writer, server):
                if end is not None:
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                if late and self._weather.delay_s:
                    await asyncio.sleep(self._weather.delay_s)
                await self._clear.wait()
                writer.write(piece)
                await writer.drain()


def read(kept: Path) -> Weather:
    """Read how the network is."""
    return Weather(**json.loads(kept.read_text(encoding="utf-8")))


async def _serve(host: str, port: int, kept: Path) -> None:
    network = Network(kept)
    server = await asyncio.start_server(network.pass_on, host, port)
    async with server:
        await network.watch()


def main() -> None:
    """Pass on until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="HOST:PORT")
    parser.add_argument("--weather", type=Path, required=True)
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    asyncio.run(_serve(host, int(port), options.weather))


if __name__ == "__main__":
    main()
