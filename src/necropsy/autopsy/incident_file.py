"""The sources of an autopsy, named in a TOML file beside the evidence."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from necropsy.autopsy.sources import (
    KINDS,
    Sources,
    StoreSource,
    as_address,
    parse_event,
    parse_size,
    parse_span,
    parse_time,
    stores,
    unique,
)
from necropsy.model.errors import ConfigurationError, NecropsyError, UnreadableSource
from necropsy.model.toml_document import parse_toml
from necropsy.wire.files import STANDARD_INPUT, expand, read_text

_TEXTS: Final = ("log-format", "prometheus-version", "blackbox-version", "consul-version", "prometheus-host")
_PAST: Final = ("history", "history-since", "before", "event")
_NAMES: Final = frozenset((*KINDS, *_TEXTS, *_PAST, "rdb", "store", "now", "field", "guard"))
_EVENT: Final = "2026-11-02T14:00=deploy of version 14"
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://")
"""A running Consul or Prometheus, or a file on a store such as s3: not beside the file."""
_STORE: Final = frozenset(("name", "rdb", "redis", "memory-limit"))


def load(path: str) -> Sources:
    """Read the sources from a TOML file; paths are relative to it.

    ::

        now = 2019-05-24T19:00:00Z          # optional
        rdb = ["redis-b.rdb"]               # or, to say more of a store, [[store]] as below
        access-log = ["a1/access*.log"]
        nginx = ["a1/nginx.conf"]
        field = ["client=remote_ip"]        # optional: which key of a JSON access log holds what
        prometheus = ["prometheus.yml"]
        consul = ["consul/*.json"]
        history = ["http://prometheus:9090"]        # optional: who measured the stores, as --history
        history-since = "7d"                        # optional
        before = ["last-week.case"]                 # optional: older cases of the same stores
        event = ["2019-05-20T14:00=version 14"]     # optional: what happened when

        [[store]]
        name = "A"
        rdb = "redis-a.rdb"                 # or redis = "redis://host:6379"
        memory-limit = "1GB"                # optional

    The table ``[guard]`` is for what stays running, and not read here.

    Raises
    ------
    UnreadableSource
        Missing, or not text.
    ConfigurationError
        Not TOML, a name that is not known, or a value of the wrong kind; with file and line.
    """
    try:
        text = read_text(path)
    except UnreadableSource as error:
        if "not text" not in error.message:
            raise
        hint = f"This argument is a TOML file. Give dumps and logs by options: --rdb {path}"
        if "DuckDB" in error.message:
            hint = f"If it is a case, it is examined already: necropsy report {path}"
        raise UnreadableSource(error.message, hint=hint) from error
    return parse(text, path)


def parse(text: str, path: str) -> Sources:
    """Read the sources from the text of an incident file; errors as of ``load``."""
    document = parse_toml(
        text, path, 'Write it as rdb = ["dump.rdb"]; sources can also be given by options: necropsy examine --help.'
    )
    return _Incident(path, text).sources(document)


@dataclass(frozen=True, slots=True)
class _Incident:
    """The file that is being read, to say where something is wrong."""

    path: str
    text: str

    def sources(self, document: dict[str, Any]) -> Sources:
        self._known(document, _NAMES)
        entries = document.get("store", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._wrong(
                "store", "not a list of stores", 'Write [[store]], in two brackets, then rdb = "dump.rdb".'
            )
        located: dict[str, Any] = {kind.replace("-", "_"): self._located(document, kind) for kind in KINDS}
        texts: dict[str, Any] = {name.replace("-", "_"): self._text(document, name) for name in _TEXTS}
        return Sources(
            stores=unique([*stores(self._located(document, "rdb")), *(s for e in entries for s in self._stores(e))]),
            now=self._moment(document.get("now")),
            field=self._listed(document, "field", "FIELD=KEY", "client=remote_ip"),
            history=self._listed(document, "history", "an address", "http://prometheus:9090"),
            history_since=self._span(document.get("history-since")),
            before=self._located(document, "before"),
            event=self._events(document),
            **located,
            **texts,
        )

    def _stores(self, entry: dict[str, Any]) -> tuple[StoreSource, ...]:
        self._known(entry, _STORE)
        if "rdb" not in entry and "redis" not in entry:
            raise self._wrong("store", "a [[store]] without rdb or redis", 'Add rdb = "dump.rdb" to it.')
        if "rdb" in entry and "redis" in entry:
            raise self._wrong(
                "redis", "a [[store]] with both rdb and redis", "Keep one; a second [[store]] may hold the other."
            )
        name, limit = self._text(entry, "name"), entry.get("memory-limit")
        files = self._located(entry, "rdb") if "rdb" in entry else (self._address(entry),)
        named = stores(files, self._size(limit) if limit is not None else None)
        return tuple(replace(store, name=name) for store in named) if name else named

    def _address(self, entry: dict[str, Any]) -> str:
        try:
            return as_address(self._text(entry, "redis") or "")
        except NecropsyError as error:
            raise self._wrong("redis", error.message, error.hint) from error

    def _known(self, table: dict[str, Any], names: frozenset[str]) -> None:
        for name in table:
            if name not in names:
                close = difflib.get_close_matches(name, names, n=1)
                meant = f"Was {close[0]} meant? " if close else ""
                raise self._wrong(
                    name, f"unknown name {name!r}", f"{meant}Known names: {', '.join(sorted(names - {'guard'}))}."
                )

    def _located(self, table: dict[str, Any], name: str) -> tuple[str, ...]:
        value = table.get(name, [])
        patterns = [value] if isinstance(value, str) else value
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            raise self._wrong(name, f"{name} is not a file name or a list of file names", f'Write {name} = ["FILE"].')
        folder = Path(self.path).parent
        return tuple(expand(_beside(pattern, folder) for pattern in patterns))

    def _listed(self, document: dict[str, Any], name: str, what: str, example: str) -> tuple[str, ...]:
        value = document.get(name, [])
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self._wrong(name, f"{name} is not {what} or a list of them", f'Write {name} = ["{example}"].')
        return tuple(texts)

    def _events(self, document: dict[str, Any]) -> tuple[str, ...]:
        texts = self._listed(document, "event", "TIME=TEXT", _EVENT)
        for text in texts:
            try:
                parse_event(text)
            except NecropsyError as error:
                raise self._wrong("event", error.message, f'Write event = ["{_EVENT}"].') from error
        return texts

    def _span(self, value: object) -> timedelta | None:
        try:
            return parse_span(str(value)) if value is not None else None
        except NecropsyError as error:
            raise self._wrong("history-since", error.message, 'Write history-since = "7d".') from error

    def _text(self, table: dict[str, Any], name: str) -> str | None:
        value = table.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(name, f"{name} is not a string", f'Write it in quotes: {name} = "{value}".')

    def _size(self, limit: object) -> int:
        try:
            return parse_size(str(limit))
        except NecropsyError as error:
            raise self._wrong("memory-limit", error.message, error.hint) from error

    def _moment(self, value: object) -> datetime | None:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        try:
            return parse_time(value if isinstance(value, str) else str(value)) if value is not None else None
        except NecropsyError as error:
            raise self._wrong("now", error.message, "Write now = 2019-05-24T19:00:00Z.") from error

    def _wrong(self, name: str, reason: str, hint: str) -> ConfigurationError:
        lines = enumerate(self.text.splitlines(), 1)
        line = next((number for number, line in lines if re.match(rf"\s*\[*\s*\"?{re.escape(name)}\b", line)), 1)
        return ConfigurationError(self.path, line, reason, hint=hint)


def _beside(pattern: str, folder: Path) -> str:
    address, equals, rest = pattern.partition("=")
    if equals and "/" not in address:  # consul: ADDRESS=FILE, prober: KIND=FILE
        return f"{address}={_beside(rest, folder)}"
    stays = pattern == STANDARD_INPUT or _ADDRESS.match(pattern) is not None or Path(pattern).is_absolute()
    return pattern if stays else str(folder / pattern)
