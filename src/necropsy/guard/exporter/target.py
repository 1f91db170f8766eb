"""One server that the exporter shows: its connection is kept, and a scrape never waits longer than it may.

A server that hangs (a stopped process, a blackholed address) holds one thread of its own and nobody else's scrape: when the
time is up the answer is ``redis_up 0`` with the reason, and the next scrape waits for the same question, not for a second.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

from necropsy import __version__
from necropsy.guard.exporter.collect import collect
from necropsy.guard.exporter.families import ServerReplies, families
from necropsy.guard.exposition import Family, Sample
from necropsy.model.errors import NecropsyError
from necropsy.wire.redis.address import Address
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.replies import ConnectionLost, ServerError, understood
from necropsy.wire.redis.topology import discover

_GLANCE_S: Final = 0.05
_CONNECTIONS_TRIED: Final = 2
"""A kept connection may have been closed by the server since the last scrape: then a new one is tried at once."""
_MOST_ERRORS: Final = 20
"""Reasons of a failed scrape that are shown for each target: they are a label, and servers write what they want."""
_ANOTHER: Final = "one more kind of error"


@dataclass(frozen=True, slots=True)
class Options:
    """Settings that all targets share; the names are those of redis_exporter's flags."""

    namespace: str = "redis"
    include_system_metrics: bool = False
    exclude_latency_histogram_metrics: bool = False
    append_instance_role_label: bool = False
    include_empty_databases: bool = True
    redis_only_metrics: bool = False
    """Whether nothing is shown of the exporter's own process."""
    timeout_s: float = 15.0
    """Seconds that a server may take at most."""


@dataclass(slots=True)
class Scrape:
    """The outcome of one scrape."""

    families: list[Family]
    connect_s: float = 0.0
    took_s: float = 0.0
    error: str = ""


class ExporterTarget:
    """A named server."""

    def __init__(self, name: str, address: Address, options: Options, pool: Executor) -> None:
        self.name = name
        self.address = address
        self._options = options
        self._pool = pool
        self._connection: Connection | None = None
        self._question: Future[Scrape] | None = None
        self._asked_at = 0.0
        """When it was asked, monotonic."""
        self._lock = Lock()
        self._scrapes = 0
        self._total_s = 0.0
        self._closed = self._busy = False
        self._errors: set[str] = set()
        """Reasons that were shown."""

    def scrape(self, within_s: float) -> list[Family]:
        """Return every family of the server, and those of the scrape itself."""
        scrape = self.look(within_s)
        with self._lock:
            self._scrapes += 1
            self._total_s += scrape.took_s
        return scrape.families + self._own(scrape)

    def look(self, within_s: float) -> Scrape:
        """Ask the server without counting it as a scrape."""
        began = time.monotonic()
        within_s = min(within_s, self._options.timeout_s)
        question = self.ask()
        waits_s = began - self._asked_at
        try:
            # Who has not answered for so long already is not waited for again by each scrape.
            scrape = question.result(within_s if waits_s < within_s else _GLANCE_S)
        except TookTooLong:
            scrape = Scrape([], error=f"no answer within {within_s:.3g} s")
        else:
            with self._lock:
                if self._question is question:  # what was answered is not kept: of a thousand servers that is much
                    self._question = None
        return replace(scrape, took_s=time.monotonic() - began)

    def ask(self) -> Future[Scrape]:
        """Begin to ask, unless a question is under way; do not wait."""
        with self._lock:
            if self._question is None or self._question.done():
                self._question = self._pool.submit(self._ask)
                self._asked_at = time.monotonic()
            return self._question

    def close(self) -> None:
        """Hang up; when a question is under way, once it is answered. Who still asks is answered, by a connection for that."""
        with self._lock:
            self._closed = True
            if not self._busy:
                self._drop()

    def _ask(self) -> Scrape:
        with self._lock:
            self._busy = True
        try:
            return self._answered()
        finally:
            with self._lock:
                self._busy = False
                if self._closed:
                    self._drop()

    def _answered(self) -> Scrape:
        connect_s = 0.0
        for attempt in range(_CONNECTIONS_TRIED):
            began = time.monotonic()
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    connect_s = time.monotonic() - began
                answers = collect(
                    self._connection,
                    self.address.masked,
                    with_histograms=not self._options.exclude_latency_histogram_metrics,
                )
                if self.address.master and answers.info.get("role") != "master":  # another one is, since a failover
                    self._drop()
                    if attempt + 1 < _CONNECTIONS_TRIED:
                        continue
                with understood(self.address.masked):
                    return Scrape(self._shown(answers), connect_s)
            except ConnectionLost as error:
                self._drop()
                if attempt + 1 < _CONNECTIONS_TRIED and connect_s == 0.0:
                    continue
                return Scrape([], connect_s, error=str(error))
            except (NecropsyError, ServerError) as error:
                self._drop()
                return Scrape([], connect_s, error=str(error))
        return Scrape([], connect_s, error="the connection broke twice")

    def _shown(self, answers: ServerReplies) -> list[Family]:
        """Return the families of what a server answered."""
        shown = families(
            answers,
            self._options.namespace,
            with_system=self._options.include_system_metrics,
            with_empty=self._options.include_empty_databases,
        )
        if self._options.append_instance_role_label:
            _label(shown, "instance_role", answers.info.get("role", ""))
        return shown

    def _connect(self) -> Connection:
        """Connect to the server, or to the master that a Sentinel names now; a Sentinel that is meant itself has few commands."""
        if self.address.master is not None:
            return Connection.open(self.address, discover(self.address).nodes[0].endpoint)
        return Connection.open(self.address)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _own(self, scrape: Scrape) -> list[Family]:
        """Return what redis_exporter says of itself, under the same names."""
        with self._lock:
            count, total = self._scrapes, self._total_s
            if scrape.error and len(self._errors) < _MOST_ERRORS:
                self._errors.add(scrape.error)
            error = scrape.error if not scrape.error or scrape.error in self._errors else _ANOTHER
        prefix = f"{self._options.namespace}_"
        rows: list[tuple[str, str, str, list[Sample]]] = [
            ("up", "gauge", "Whether the server answers.", [Sample((), 0.0 if scrape.error else 1.0)]),
            ("exporter_last_scrape_error", "gauge", "Whether the last scrape failed, and why.",
             [Sample((("err", error),), 1.0 if error else 0.0)]),
            ("exporter_last_scrape_duration_seconds", "gauge", "How long the last scrape took.",
             [Sample((), scrape.took_s)]),
            ("exporter_last_scrape_connect_time_seconds", "gauge", "How long connecting took; 0: the connection was kept.",
             [Sample((), scrape.connect_s)]),
            ("exporter_scrapes_total", "counter", "Scrapes of this target.", [Sample((), float(count))]),
            ("exporter_scrape_duration_seconds", "summary", "How long scrapes took.",
             [Sample((), total, "_sum"), Sample((), float(count), "_count")]),
            ("exporter_build_info", "gauge", "The exporter.",
             [Sample((("build_date", ""), ("commit_sha", ""), ("golang_version", ""), ("version", f"necropsy {__version__}")),
                     1.0)]),
            ("target_scrape_request_errors_total", "counter", "Requests of /scrape that could not be answered.",
             [Sample((), 0.0)]),
        ]  # fmt: skip
        if not scrape.error:
            rows.append(("last_key_groups_scrape_duration_milliseconds", "gauge",
                         "Always 0: keys are counted in the background, not by the scrape.", [Sample((), 0.0)]))  # fmt: skip
        return [Family(prefix + name, kind, help_text, samples) for name, kind, help_text, samples in rows]


def _label(families_shown: list[Family], name: str, value: str) -> None:
    """Give every sample one more label."""
    for family in families_shown:
        family.samples = [
            Sample(tuple(sorted((*sample.labels, (name, value)))), sample.value, sample.suffix)
            for sample in family.samples
        ]
