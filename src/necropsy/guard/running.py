"""The guard: exporter, prober, watch, notifications and the page, in one process and at one port.

Each part has threads of its own, and what fails in one is said and tried again there. A look runs in a process of its own.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.census.worker import Asked, Watched
from necropsy.guard.configuration import GuardConfig, read_guard, require_stores
from necropsy.guard.exporter.site import Exporter
from necropsy.guard.exporter.target import Options
from necropsy.guard.exposition import CONTENT_TYPE, Family, Sample, text_of
from necropsy.guard.keeper import Keeper
from necropsy.guard.notify.ledger import Ledger
from necropsy.guard.notify.teller import Teller
from necropsy.guard.page.live import LiveFigures
from necropsy.guard.page.site import StatusPage
from necropsy.guard.page.view import PageServer, PageState, Probed
from necropsy.guard.prober.site import ProbeSite
from necropsy.guard.watch.kept import held, require_own
from necropsy.guard.watch.notice import SEVERITIES, Notice
from necropsy.guard.watch.stores import FAILURE
from necropsy.guard.web import Request, Response, Route, Site, WebConfig, address_of, drain, read_web_config, serve
from necropsy.model.errors import NecropsyError
from necropsy.wire.files import read_text
from necropsy.wire.redis.address import Address, parse_address

_DRAIN_S: Final = 10.0
_RESOLVED: Final = 50
"""Resolved notices that the page shows."""
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Given:
    """Options of the command line that replace settings of the file."""

    listen: str | None = None
    hosts: tuple[str, ...] = ()
    """More names under which the page may be asked for."""
    case: str | None = None

    def over(self, config: GuardConfig) -> GuardConfig:
        """Return a configuration with what is given."""
        return replace(
            config,
            listen=self.listen or config.listen,
            hosts=(*config.hosts, *self.hosts),
            case=self.case or config.case,
        )


@dataclass(slots=True)
class _Parts:
    """Parts that a reload replaces."""

    config: GuardConfig
    exporter: Exporter
    prober: ProbeSite
    teller: Teller


class Guard:
    """One running guard.

    Parameters
    ----------
    path
        The incident file with its table ``[guard]``.
    command
        Starts the process that takes one look.
    log
        Is told what happens, a line each.
    say
        Is given all notices after each look.
    given
        What is not taken from the file.

    Raises
    ------
    NecropsyError
        The file is wrong, its address to listen on is taken, or another guard keeps the same case.
    """

    def __init__(
        self,
        path: Path,
        command: Sequence[str],
        log: Log,
        say: Callable[[Sequence[Notice]], None],
        given: Given = Given(),
    ) -> None:
        self._path = path
        self._given = given
        self._log = log
        self._say = say
        self._reload_error = ""
        self._reloaded_at = datetime.now(UTC)
        self._report = b""
        """The last report, packed by zlib."""
        config = given.over(read_guard(str(path)))
        require_own(Path(config.case))
        with ExitStack() as holding:
            holding.enter_context(held(Path(config.case)))
            self._ledger = Ledger(Path(f"{config.case}.told"))
            self._parts = self._make(config)
            self._notices: tuple[Notice, ...] = ()
            self.keeper = Keeper(self._tell, self._ledger.open_since(FAILURE))
            self.census = CensusSchedule(command, _asked(path, config), config.every_s, self._after_look)
            self._live = LiveFigures(lambda: self._parts.exporter.targets, self._look)
            self._web = read_web_config(Path(config.web_config)) if config.web_config else WebConfig()
            self.site = Site(self._routes(), self._web, _own_names(config), log)
            self.server = serve(config.listen, self.site)
            self._thread = threading.Thread(target=self.server.serve_forever, name="web", daemon=True)
            self._held = holding.pop_all()

    @property
    def address(self) -> str:
        """The address on which it listens."""
        return address_of(self.server, self.site)

    def start(self) -> None:
        """Begin all parts."""
        self._parts.teller.start()
        self._live.start()
        self.census.start()
        self._thread.start()

    def stop(self) -> bool:
        """Take no new request, answer those that were taken, end the look, tell what is due; return whether all were answered."""
        self._live.stop()
        answered = drain(self.server, self.site, _DRAIN_S)
        self.census.stop()
        self._parts.teller.stop()
        self._parts.exporter.close()
        self._parts.prober.close()
        self._held.close()
        return answered

    def reload(self) -> bool:
        """Read the file again, and return whether it was taken: with an error in it everything stays as it is."""
        try:
            config = self._given.over(read_guard(str(self._path)))
            parts = self._make(config)
        except NecropsyError as error:
            self._reload_error = f"{error.message}. {error.hint}"
            self._log(f"error: {error.message}\nhint:  {error.hint} The old configuration stays in use.")
            return False
        old, self._parts = self._parts, parts
        for name in ("listen", "web_config", "hosts", "case"):
            if getattr(old.config, name) != getattr(config, name):
                self._log(
                    f"warning: {name.replace('_', '-')} is unchanged: it changes only when the guard is restarted"
                )
        parts.prober.take_over(old.prober)
        parts.teller.update(self._notices)
        self.census.asked, self.census.every_s = _asked(self._path, config, old.config.case), config.every_s
        old.teller.stop(1.0)
        parts.teller.start()
        old.exporter.close()
        old.prober.close()
        self._reload_error, self._reloaded_at = "", datetime.now(UTC)
        self._log("Read the configuration again.")
        return True

    def _make(self, config: GuardConfig) -> _Parts:
        """Make the parts that a configuration describes; nothing of it has begun."""
        stores = _servers(self._path)
        blackbox = Path(config.blackbox) if config.blackbox else None
        warn = lambda text: self._log(f"warning: {text}")  # noqa: E731 -- for two
        prober = ProbeSite(blackbox, config.session, config.delegate, warn, stores if config.births else ())
        teller = Teller(config.channels, self._ledger, warn)
        return _Parts(config, Exporter(stores, Options()), prober, teller)

    # -- what a look brings -----------------------------------------------------------------------------------------

    def _after_look(self, census: CensusSchedule) -> None:
        taken = census.taken
        if taken is not None and taken.page:
            self._report = taken.page
            census.forget_page()
        if taken is not None and taken.anew and not census.error:
            self._log(f"warning: {taken.anew}")
        if taken is not None and not census.error:
            for warning in taken.warnings:
                self._log(f"warning: {warning}")
        if census.error:
            self._log(f"warning: the examination failed: {census.error}")
        self.keeper.after_look(census)

    def _tell(self, notices: Sequence[Notice]) -> None:
        self._notices = tuple(notices)
        self._say(notices)
        self._parts.teller.update(notices)

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _routes(self) -> dict[str, Route]:
        page = StatusPage(self._state, lambda: self._report, self._live)
        return {
            **page.routes(),
            "/metrics": self._metrics,
            "/scrape": self._scrape,
            "/probe": self._probe,
            "/health": lambda _: Response("ok\n"),
            "/-/healthy": lambda _: Response("ok\n"),
            "/-/ready": self._ready,
        }

    def _scrape(self, request: Request) -> Response:
        return self._parts.exporter.routes()["/scrape"](request)

    def _probe(self, request: Request) -> Response:
        return self._parts.prober.routes()["/probe"](request)

    def _ready(self, _: Request) -> Response:
        if self.site.closing.is_set():
            return Response("ending\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response("ok\n")

    def _metrics(self, request: Request) -> Response:
        parts = self._parts
        families = [*parts.exporter.families(request), *self.census.families(), *parts.prober.families(),
                    *parts.teller.families(), *self._own()]  # fmt: skip
        return Response(text_of(families), CONTENT_TYPE)

    def _own(self) -> list[Family]:
        open_now = self.keeper.open()
        noticed = Family("necropsy_notices", "gauge", "Notices that are open, by severity.")
        for severity in SEVERITIES if self.census.taken_at is not None or open_now else ():  # before a look: unknown
            noticed.add(float(sum(notice.severity == severity for notice in open_now)), severity=severity)
        by_kind = Family("necropsy_notices_by_kind", "gauge", "Notices that are open, by kind and store.")
        for (kind, store), number in Counter((notice.kind, notice.store or "") for notice in open_now).items():
            by_kind.add(float(number), kind=kind, store=store)
        reloaded = Family("necropsy_config_last_reload_successful", "gauge", "Whether the last reload succeeded.")
        reloaded.samples.append(Sample((), float(not self._reload_error)))
        at = Family("necropsy_config_last_reload_success_timestamp_seconds", "gauge", "When it did, Unix time.")
        at.samples.append(Sample((), self._reloaded_at.timestamp()))
        threads = Family("necropsy_threads", "gauge", "Threads of this process.")
        threads.samples.append(Sample((), float(threading.active_count())))
        return [noticed, by_kind, reloaded, at, threads]

    def _look(self) -> Mapping[str, Any]:
        return {"taken_at": self.census.taken_at, "error": self.census.error, "open": len(self.keeper.open())}

    def _state(self) -> PageState:
        census, parts = self.census, self._parts
        open_now = self.keeper.open()
        keys = {notice.key for notice in open_now}
        resolved = [
            notice for notice in reversed(self._notices) if notice.resolved_at is not None and notice.key not in keys
        ]
        return PageState(
            verdict=census.taken.verdict if census.taken is not None else "",
            taken_at=datetime.fromtimestamp(round(census.taken_at), UTC) if census.taken_at is not None else None,
            took_s=census.took_s,
            every_s=census.every_s,
            error=census.error,
            has_report=bool(self._report),
            open=sorted(open_now, key=lambda notice: (-notice.rank, notice.opened_at)),
            resolved=resolved[:_RESOLVED],
            servers=[PageServer(name, target.address.masked) for name, target in parts.exporter.targets.items()],
            probed=[Probed(*seen) for seen in parts.prober.seen()],
            channels=list(parts.teller.health().items()),
            reloaded=self._reload_error,
            courses=census.taken.courses if census.taken is not None else (),
        )


def _asked(path: Path, config: GuardConfig, case: str | None = None) -> Asked:
    watched = Watched(case or config.case, config.keep_s, config.limits, config.events, config.event_file, page=True)
    return Asked(incident=str(path), incident_text=read_text(str(path)), watch=watched)


def _servers(path: Path) -> list[tuple[str, Address]]:
    """Return name and address of each live store of the file."""
    from necropsy.autopsy.sources import LiveAddress

    environ = dict(os.environ)
    stores = require_stores(str(path))
    return [
        (store.name, parse_address(store.locator.text, environ=environ))
        for store in stores
        if isinstance(store.locator, LiveAddress)
    ]


def _own_names(config: GuardConfig) -> list[str]:
    """Return the names under which the page may be asked for."""
    return [socket.gethostname(), socket.gethostname().partition(".")[0], *config.hosts]
