"""The exporter's addresses: ``/metrics``, ``/scrape?target=NAME``, ``/-/healthy``."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote

from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.exporter.target import ExporterTarget, Options
from necropsy.guard.exposition import CONTENT_TYPE, Family, Sample, text_of
from necropsy.guard.web import TIMEOUT_HEADER, Request, Response, Route
from necropsy.wire.redis.address import Address

_RESERVE_S: Final = 0.5
"""Of the time that Prometheus allows, what the way back may take: at most this, and a third of it. On a busy machine the answer
and Prometheus itself wait for a processor; a fifth of a second was not always enough (``tests/guard/soak.py``)."""
_BY_DEFAULT_S: Final = 10.0


class Exporter:
    """Shows the servers that it was given by name, and no others.

    A target that is not configured is refused, so that nobody can have it connect anywhere with a password of ours.

    Parameters
    ----------
    addresses
        Name and address of each server.
    census
        Counts their sessions in the background; None: nobody does.
    """

    def __init__(
        self, addresses: Sequence[tuple[str, Address]], options: Options, census: CensusSchedule | None = None
    ) -> None:
        self._options = options
        self._census = census
        # One for each: a server that hangs holds its thread, and must not hold that of another. Only who is asked gets one.
        self._pool = ThreadPoolExecutor(max(1, len(addresses)), "redis")
        self.targets = {name: ExporterTarget(name, address, options, self._pool) for name, address in addresses}
        self._refused = 0
        self._late = 0
        self._began = time.time()

    def routes(self) -> dict[str, Route]:
        """Return the routes of the site."""
        return {
            "/": self._index,
            "/metrics": self._metrics,
            "/scrape": self._scrape,
            "/health": lambda _: Response("ok\n"),
            "/-/healthy": lambda _: Response("ok\n"),
            "/-/ready": lambda _: Response("ok\n"),
        }

    def close(self) -> None:
        """Hang up everywhere, once what is under way is answered: a reload is no reason to show a server as down.

        The threads end when nobody holds the targets any more.
        """
        for target in self.targets.values():
            target.close()

    def _metrics(self, request: Request) -> Response:
        return Response(text_of(self.families(request)), CONTENT_TYPE)

    def families(self, request: Request) -> list[Family]:
        """Return the one server, where there is one; of several each has its own address."""
        late = Family("necropsy_scrapes_late_total", "counter", "Scrapes whose answer took longer than they allowed.")
        late.samples.append(Sample((), float(self._late)))
        families = [] if self._options.redis_only_metrics else [*process_families(self._began), late]
        if self._census is not None:
            families += self._census.families()
        if len(self.targets) == 1:
            (target,) = self.targets.values()
            families += target.scrape(_within_s(request))
        return families

    def _scrape(self, request: Request) -> Response:
        began = time.monotonic()
        response = self._answered(request)
        self._late += time.monotonic() - began > _allowed_s(request)
        return response

    def _answered(self, request: Request) -> Response:
        name = request.query.get("target", "")
        target = self.targets.get(name) or self._by_address(name)
        if target is None:
            self._refused += 1
            known = ", ".join(self.targets)
            why = f"target {name!r} is not configured here" if name else "the parameter target is missing"
            return Response(f"{why}; known: {known}\n", status=HTTPStatus.BAD_REQUEST)
        families = target.scrape(_within_s(request))
        for family in families:
            if family.name.endswith("target_scrape_request_errors_total"):
                family.samples = [Sample((), float(self._refused))]
        return Response(text_of(families), CONTENT_TYPE)

    def _by_address(self, name: str) -> ExporterTarget | None:
        """Find a configured server by what redis_exporter's users write: its address."""
        bare = name.partition("://")[2] or name
        return next((target for target in self.targets.values() if str(target.address.endpoint) == bare), None)

    def _index(self, _: Request) -> Response:
        rows = "".join(
            f'<li><a href="/scrape?target={quote(name)}">{escape(name)}</a> {escape(target.address.masked)}</li>'
            for name, target in self.targets.items()
        )
        metrics = '<p><a href="/metrics">/metrics</a></p>'
        page = f"<!doctype html><title>necropsy exporter</title><h1>necropsy exporter</h1>{metrics}<ul>{rows}</ul>"
        return Response(page, "text/html; charset=utf-8")


def _allowed_s(request: Request) -> float:
    """Return the seconds that Prometheus allows."""
    try:
        return float(request.headers.get(TIMEOUT_HEADER) or _BY_DEFAULT_S)
    except ValueError:
        return _BY_DEFAULT_S


def _within_s(request: Request) -> float:
    """Return the seconds that a scrape may take: what Prometheus allows, less a reserve."""
    allowed = _allowed_s(request)
    return max(0.05, allowed - min(_RESERVE_S, allowed / 3))


def process_families(began: float) -> list[Family]:
    """Return what the official clients say of their process: processor time, memory, open files."""
    used = os.times()
    rows = [
        ("process_cpu_seconds_total", "counter", "Processor time of this process.", used.user + used.system),
        ("process_start_time_seconds", "gauge", "Unix time at which this process started.", began),
    ]
    statm, descriptors = Path("/proc/self/statm"), Path("/proc/self/fd")
    if statm.exists():  # Linux
        pages = int(statm.read_text(encoding="ascii").split()[1])
        rows += [
            (
                "process_resident_memory_bytes",
                "gauge",
                "Memory of this process.",
                float(pages * os.sysconf("SC_PAGE_SIZE")),
            ),
            (
                "process_open_fds",
                "gauge",
                "Open files and sockets of this process.",
                float(sum(1 for _ in descriptors.iterdir())),
            ),
        ]
    return [Family(name, kind, text, [Sample((), value)]) for name, kind, text, value in rows]
