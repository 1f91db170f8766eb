"""The sources of an autopsy, as named on the command line; ``incident_file`` reads the same from a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy._internal.paths import exists
from necropsy.model.durations import seconds_of
from necropsy.model.errors import NoEvidence, UsageError
from necropsy.wire.files import STANDARD_INPUT, expand
from necropsy.wire.redis.address import is_address, masked

if TYPE_CHECKING:
    from necropsy.evidence.redis.options import LiveOptions

_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?")
_LEAST_SPAN: Final = timedelta(hours=1)
KINDS: Final = ("access-log", "app-log", "nginx", "prometheus", "blackbox", "consul", "prober")
"""Kinds of sources beside the stores, as options and TOML name them."""


@dataclass(frozen=True, slots=True)
class DumpPath:
    """A dump that is read from a file."""

    text: str
    """Path, or ``-`` for standard input."""

    @property
    def masked(self) -> str:
        """The path: it holds no secret."""
        return self.text


@dataclass(frozen=True, slots=True)
class LiveAddress:
    """A server that is read live."""

    text: str
    """``redis://``, ``rediss://`` or ``unix://``; may hold a password."""

    @property
    def masked(self) -> str:
        """The address without user, password and options."""
        return masked(self.text)


@dataclass(frozen=True, slots=True)
class StoreSource:
    """One session store and where its keys are read from."""

    name: str
    locator: DumpPath | LiveAddress
    memory_limit: int | None = None
    """Bytes that the store may use (maxmemory, or the machine's); None when not said."""


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of one autopsy. Locators are paths, globs already expanded, or ``-``."""

    stores: tuple[StoreSource, ...] = ()
    access_log: tuple[str, ...] = ()
    app_log: tuple[str, ...] = ()
    nginx: tuple[str, ...] = ()
    prometheus: tuple[str, ...] = ()
    blackbox: tuple[str, ...] = ()
    consul: tuple[str, ...] = ()
    prober: tuple[str, ...] = ()
    """Configuration of other probers and discoveries, as ``KIND=FILE``."""
    log_format: str | None = None
    field: tuple[str, ...] = ()
    """Keys of fields in JSON access logs: ``client=remote_ip``."""
    layout: tuple[str, ...] = ()
    """Files in which the user describes session layouts."""
    hash_clients: bool = False
    """Addresses of access logs enter the case as keyed hashes."""
    engine: str | None = None
    """Address of the engine that reads and analyses access logs; None: this process."""
    now: datetime | None = None
    prometheus_version: str | None = None
    blackbox_version: str | None = None
    consul_version: str | None = None
    prometheus_host: str | None = None
    live: LiveOptions | None = None
    """Options for reading live stores; None: the cautious defaults."""
    history: tuple[str, ...] = ()
    """Prometheus servers that are asked for the past of the stores."""
    history_since: timedelta | None = None
    """Length of the history that they are asked for; None: a month."""
    before: tuple[str, ...] = ()
    """Older cases of the same stores."""
    event: tuple[str, ...] = ()
    """Events, as ``TIME=TEXT``."""
    checksums: bool = True
    """Whether dumps and logs are summed up (SHA-256): not where neither case nor report says what came out."""

    def require_some(self) -> None:
        """Raise ``NoEvidence`` when there is nothing to read, ``UsageError`` when standard input is named twice."""
        named = [store.locator.text for store in self.stores]
        for kind in KINDS:
            named += getattr(self, kind.replace("-", "_"))
        named += self.history
        if not named:
            raise NoEvidence(
                "nothing to examine",
                hint="Give at least one source: --rdb, --access-log, --prometheus, --consul, --nginx … or try `necropsy demo`.",
            )
        if named.count(STANDARD_INPUT) > 1:
            raise UsageError(
                "standard input (-) is given more than once", hint="Only one source can be read from standard input."
            )

    def join(self, other: Sources) -> Sources:
        """Return these sources and those of ``other``; single values of ``other`` win when given."""
        return Sources(
            stores=unique(self.stores + other.stores),
            access_log=self.access_log + other.access_log,
            app_log=self.app_log + other.app_log,
            nginx=self.nginx + other.nginx,
            prometheus=self.prometheus + other.prometheus,
            blackbox=self.blackbox + other.blackbox,
            consul=self.consul + other.consul,
            prober=self.prober + other.prober,
            log_format=other.log_format or self.log_format,
            field=self.field + other.field,
            layout=self.layout + other.layout,
            hash_clients=other.hash_clients or self.hash_clients,
            engine=other.engine or self.engine,
            now=other.now or self.now,
            live=other.live or self.live,
            prometheus_version=other.prometheus_version or self.prometheus_version,
            blackbox_version=other.blackbox_version or self.blackbox_version,
            consul_version=other.consul_version or self.consul_version,
            prometheus_host=other.prometheus_host or self.prometheus_host,
            history=self.history + other.history,
            history_since=other.history_since or self.history_since,
            before=self.before + other.before,
            event=self.event + other.event,
            checksums=other.checksums and self.checksums,
        )


_NAME: Final = r"[\w.:-]+"
"""Name of a store; also ``HOST:PORT``, by which Prometheus knows one."""


def stores(locators: Iterable[str], memory_limit: int | None = None) -> tuple[StoreSource, ...]:
    """Name the stores of ``--rdb`` and ``--redis`` values: ``NAME=FILE``, or FILE whose stem is the name; URLs likewise.

    >>> [store.name for store in stores(["A=dump.rdb", "admin-b.rdb.gz", "10.0.0.5:9121=redis://10.0.0.5"])]
    ['A', 'admin-b', '10.0.0.5:9121']
    """
    named: list[StoreSource] = []
    for locator in locators:
        match = re.fullmatch(rf"({_NAME})=(.+)", locator)
        if is_address(match.group(2) if match else locator):
            name, url = match.groups() if match else (_host(locator), locator)
            named.append(StoreSource(name, LiveAddress(url), memory_limit))
        elif match and not exists(locator):
            name, pattern = match.groups()
            named += [StoreSource(name, DumpPath(file), memory_limit) for file in expand([pattern])]
        else:
            named += [StoreSource(_stem(file), DumpPath(file), memory_limit) for file in expand([locator])]
    return unique(_apart(named))


def _apart(named: list[StoreSource]) -> list[StoreSource]:
    """Name servers of one host by their ports as well; the numbers of ``unique`` would not say which is which."""
    hosts = [_host(store.locator.text) for store in named if isinstance(store.locator, LiveAddress)]
    return [
        replace(store, name=_place(store.locator.text))
        if isinstance(store.locator, LiveAddress)
        and store.name == _host(store.locator.text)
        and hosts.count(store.name) > 1
        else store
        for store in named
    ]


def as_address(text: str) -> str:
    """Return a value of ``--redis`` as an address: ``HOST``, ``HOST:PORT`` and ``[IPV6]:PORT`` are meant as ``redis://``.

    >>> as_address("127.0.0.1:7391"), as_address("B=store.example:6380"), as_address("rediss://a:1")
    ('redis://127.0.0.1:7391', 'B=redis://store.example:6380', 'rediss://a:1')

    Raises
    ------
    UsageError
        A file, or what can be no address.
    """
    name, equals, rest = text.rpartition("=") if re.fullmatch(rf"{_NAME}=[^?]+", text) else ("", "", text)
    if is_address(rest):
        return text
    if (
        not exists(rest)
        and not rest.endswith((".rdb", ".aof", ".gz", ".zst"))
        and re.fullmatch(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:/\d+)?", rest)
    ):
        return f"{name}{equals}redis://{rest}"
    raise UsageError(
        f"{rest}: not the address of a Redis server",
        hint="Write redis://HOST:6379, rediss:// or unix:///PATH. Give a dump with --rdb.",
    )


def unique(named: Iterable[StoreSource]) -> tuple[StoreSource, ...]:
    """Keep stores apart whose names are the same: the second ``dump`` is ``dump-2``."""
    apart: list[StoreSource] = []
    for store in named:
        taken = {other.name for other in apart}
        number = 2
        name = store.name
        while name in taken:
            name, number = f"{store.name}-{number}", number + 1
        apart.append(replace(store, name=name))
    return tuple(apart)


def _host(url: str) -> str:
    """A name for a live store: its host, nothing of a password."""
    return re.split(r"[:/?]", url.split("://", 1)[1].rpartition("@")[2].lstrip("/"), maxsplit=1)[0] or "redis"


def _place(url: str) -> str:
    """Host, port and database of a live store, nothing of a password."""
    return re.split(r"[?]", url.split("://", 1)[1].rpartition("@")[2], maxsplit=1)[0].strip("/") or "redis"


def _stem(locator: str) -> str:
    """Return the name of a dump's store: of the pipe of ``<(command)`` the number is none.

    >>> _stem("dumps/admin-b.rdb.gz"), _stem("/dev/fd/63")
    ('admin-b', 'pipe')
    """
    if re.match(r"/(dev|proc/[^/]+)/fd/\d+$", locator):
        return "pipe"
    return "stdin" if locator == STANDARD_INPUT else Path(locator).name.split(".", 1)[0] or locator


def parse_size(text: str) -> int:
    """Read a size such as ``1GB``, ``512MiB`` or ``1073741824``.

    >>> parse_size("1GiB"), parse_size("500 MB")
    (1073741824, 500000000)

    Raises
    ------
    UsageError
        Not a size.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"not a size: {text!r}", hint="Write it like 1GB, 512MiB or 1073741824.")
    number, prefix, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[prefix])


def parse_time(text: str) -> datetime:
    """Read an ISO time; without a zone it is UTC.

    >>> parse_time("2019-05-24T19:00:00Z")
    datetime.datetime(2019, 5, 24, 19, 0, tzinfo=datetime.timezone.utc)

    Raises
    ------
    UsageError
        Not a time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"not a time: {text!r}", hint="Write it like 2019-05-24T19:00:00Z.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_span(text: str) -> timedelta:
    """Read how far back a history goes.

    >>> parse_span("36h")
    datetime.timedelta(days=1, seconds=43200)

    Raises
    ------
    UsageError
        Not a duration, or one in which no rate of births can be seen.
    """
    span = timedelta(seconds=seconds_of(text))
    if span < _LEAST_SPAN:
        raise UsageError(
            f"a history of {text} is too short: births are differences of samples",
            hint="Ask for an hour at least; the default is 30d.",
        )
    return span


def parse_event(text: str) -> tuple[datetime, str]:
    """Read what happened when; a time without a zone is UTC.

    >>> parse_event("2019-05-24T19:00:00Z=deploy v42")
    (datetime.datetime(2019, 5, 24, 19, 0, tzinfo=datetime.timezone.utc), 'deploy v42')

    Raises
    ------
    UsageError
        Not TIME=TEXT.
    """
    time, equals, what = text.strip().partition("=")
    if not equals or not what.strip():
        raise UsageError(f"not TIME=TEXT: {text!r}", hint="Write it like '2026-11-02T14:00=deploy of version 14'.")
    return parse_time(time.strip()), what.strip()
