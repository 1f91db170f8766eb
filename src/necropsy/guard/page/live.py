"""Live figures of the servers as server-sent events: one poll for all who look, and none while nobody does.

::

    data: {"at": 1558724400, "servers": {"A": {"up": true, "used": 37000000, "limit": 1000000000, …}}, "look": {…}}
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import wait
from typing import Any, Final

from necropsy.guard.exporter.target import ExporterTarget, Scrape
from necropsy.guard.exposition import Family

MOST_VIEWERS: Final = 20
"""Each holds a thread."""
_WITHIN_S: Final = 2.0
_STILL_HERE_S: Final = 15.0
_SHOWN: Final = {
    "used": "redis_memory_used_bytes",
    "limit": "redis_memory_max_bytes",
    "keys": "redis_db_keys",
    "clients": "redis_connected_clients",
    "commands": "redis_commands_processed_total",
}
"""Figure and the metric that it is the sum of."""


class LiveFigures:
    """The figures now, for everybody who looks.

    Parameters
    ----------
    targets
        The servers as they are configured now.
    look
        What is known of the last look.
    every_s
        Seconds from one poll to the next.
    """

    def __init__(
        self,
        targets: Callable[[], Mapping[str, ExporterTarget]],
        look: Callable[[], Mapping[str, Any]],
        every_s: float = 5.0,
    ) -> None:
        self._targets = targets
        self._look = look
        self._every_s = every_s
        self._viewers = 0
        self._said = ""
        self._number = 0
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin; nothing is asked before somebody looks."""
        self._thread.start()

    def stop(self) -> None:
        """End all streams."""
        self._stop.set()
        with self._news:
            self._news.notify_all()

    def stream(self) -> Iterator[str] | None:
        """Return the events for one viewer; None when there are too many."""
        with self._news:
            if self._viewers >= MOST_VIEWERS:
                return None
            self._viewers += 1
            self._news.notify_all()
        return self._events()

    def _events(self) -> Iterator[str]:
        try:
            yield f"retry: {int(self._every_s * 1000)}\n\n"
            seen, spoken = -1, time.monotonic()
            while not self._stop.is_set():
                with self._news:
                    if self._number == seen:
                        self._news.wait(self._every_s)
                    news = self._said if self._number != seen and self._said else ""
                    seen = self._number
                if news:
                    spoken = time.monotonic()
                    yield f"data: {news}\n\n"
                elif time.monotonic() - spoken > _STILL_HERE_S:
                    spoken = time.monotonic()
                    yield ": still here\n\n"  # who hung up is found out by writing
        finally:
            with self._news:
                self._viewers -= 1

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._news:
                self._news.wait_for(lambda: self._viewers > 0 or self._stop.is_set())
            if self._stop.is_set():
                return
            try:
                figures = self.figures()
            except Exception as error:  # noqa: BLE001 -- a fault of one poll ends no other, and is shown where its figures would be
                figures = self._unknown(type(error).__name__)
            said = json.dumps(figures, separators=(",", ":"))
            with self._news:
                self._said, self._number = said, self._number + 1
                self._news.notify_all()
            self._stop.wait(self._every_s)

    def figures(self) -> dict[str, Any]:
        """Ask every server at once, and return what answered in time."""
        targets = dict(self._targets())
        asked = {name: target.ask() for name, target in targets.items()}
        wait(asked.values(), _WITHIN_S)
        servers = {}
        for name, question in asked.items():
            failed = not question.done() or question.cancelled() or question.exception() is not None
            servers[name] = _figures(Scrape([], error="no answer") if failed else question.result())
        return {"at": round(time.time()), "servers": servers, "look": dict(self._look())}

    def _unknown(self, why: str) -> dict[str, Any]:
        """Say of every server that it could not be asked."""
        servers = {name: {"up": False, "error": f"could not be asked: {why}"} for name in self._targets()}
        return {"at": round(time.time()), "servers": servers, "look": dict(self._look())}


def _figures(scrape: Scrape) -> dict[str, Any]:
    if scrape.error:
        return {"up": False, "error": scrape.error}
    by_name = {family.name: family for family in scrape.families}
    return {"up": True, **{figure: _sum(by_name.get(name)) for figure, name in _SHOWN.items()}}


def _sum(family: Family | None) -> float | None:
    """Return the sum of a family's samples; None where the server does not say it."""
    values: Iterable[float] = [sample.value for sample in family.samples] if family is not None else []
    return sum(values) if values else None
