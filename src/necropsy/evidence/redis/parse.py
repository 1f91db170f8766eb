"""A server's own reports, reduced to facts that may be kept: counts, times, names of commands; never an argument."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

_COMMAND: Final = re.compile(r"[A-Za-z][A-Za-z0-9._|-]{0,31}")
_UNSTEADY: Final = re.compile(r"[0-9a-fA-F]{8,}|\d+")
_MOST: Final = 20
"""Rows of one kind of count; the rest is summed up as ``other``."""
INFO_SECRETS: Final = frozenset(
    {"executable", "config_file", "run_id", "master_replid", "master_replid2", "process_id"}
)
"""Fields of INFO that tell an attacker more than a reader."""


def info_facts(info: Mapping[str, str]) -> dict[str, str]:
    """Return INFO as facts, and under the names that a dump gives to the same.

    >>> info_facts({"redis_version": "7.0.15", "used_memory": "1000", "run_id": "af3c"})
    {'redis_version': '7.0.15', 'used_memory': '1000', 'redis-ver': '7.0.15', 'used-mem': '1000'}
    """
    facts = {name: value for name, value in info.items() if name not in INFO_SECRETS and value}
    for name, of_dump in (
        ("redis_version", "redis-ver"),
        ("valkey_version", "valkey-ver"),
        ("used_memory", "used-mem"),
        ("arch_bits", "redis-bits"),
    ):
        if name in facts:
            facts[of_dump] = facts[name]
    return facts


def pairs_facts(prefix: str, answer: Any) -> dict[str, str]:
    """Return a flat answer of names and values, lists within it too (MEMORY STATS, CONFIG GET).

    >>> pairs_facts("memory", [b"peak.allocated", 1000, b"db.0", [b"overhead.hashtable.main", 72]])
    {'memory:peak.allocated': '1000', 'memory:db.0.overhead.hashtable.main': '72'}
    """
    facts: dict[str, str] = {}
    for name, value in zip(answer[::2], answer[1::2], strict=False):
        label = f"{prefix}:{_text(name)}"
        if isinstance(value, list):
            facts |= {f"{label}.{inner.partition(':')[2]}": text for inner, text in pairs_facts("", value).items()}
        else:
            facts[label] = _text(value)
    return facts


def latency_facts(latest: Iterable[Sequence[Any]], histories: Mapping[str, Any]) -> dict[str, str]:
    """Return LATENCY LATEST, rows of (event, unix time, last ms, most ms), and LATENCY HISTORY of each event.

    >>> latency_facts([[b"fork", 1558724400, 12, 90]], {"fork": [[1558724400, 12]]})
    {'latency:fork': '12 ms at 2019-05-24T19:00:00Z, at most 90 ms', 'latency-history:fork': '2019-05-24T19:00:00Z=12'}
    """
    facts = {}
    for event, at, last, most, *_ in latest:
        facts[f"latency:{_command(event)}"] = f"{last} ms at {moment(at)}, at most {most} ms"
    for name, rows in histories.items():
        if rows:
            facts[f"latency-history:{_command(name)}"] = " ".join(f"{moment(at)}={took}" for at, took in rows)
    return facts


def slowlog_facts(entries: Iterable[Sequence[Any]]) -> dict[str, str]:
    """Return SLOWLOG GET, rows of (number, unix time, µs, arguments, …): the name of the command and how long it took.

    >>> slowlog_facts([[7, 1558724400, 250000, [b"KEYS", b"spring:session:sessions:3f2a*"], b"10.0.0.1:5", b""]])
    {'slowlog:7': '2019-05-24T19:00:00Z 250000 us KEYS'}
    """
    facts = {}
    for number, at, took, arguments, *_ in entries:
        name = _command(arguments[0]).upper() if arguments else "?"
        facts[f"slowlog:{number}"] = f"{moment(at)} {took} us {name}"
    return facts


def client_facts(listing: str, own_name: str) -> dict[str, str]:
    """Return CLIENT LIST as counts by name, command and flags; our own connections left out.

    >>> client_facts("id=1 addr=10.0.0.9:1 name=lettuce-3f2a9c1d77 idle=3 flags=N cmd=hgetall user=app", "necropsy")
    {'clients': '1', 'clients:idle-most-s': '3', 'clients:name=lettuce-*': '1', 'clients:cmd=hgetall': '1', \
'clients:flags=N': '1'}
    """
    rows = [dict(pair.split("=", 1) for pair in line.split(" ") if "=" in pair) for line in listing.splitlines()]
    rows = [row for row in rows if row and row.get("name") != own_name]
    idle = [int(row["idle"]) for row in rows if row.get("idle", "").isdecimal()]
    facts = {"clients": str(len(rows))}
    if idle:
        facts["clients:idle-most-s"] = str(max(idle))
    for column in ("name", "cmd", "flags"):
        counts = Counter(
            _UNSTEADY.sub("*", row.get(column, "")) if column == "name" else row.get(column, "") for row in rows
        )
        for value, count in counts.most_common(_MOST):
            facts[f"clients:{column}={value or '-'}"] = str(count)
        if other := sum(counts.values()) - sum(count for _, count in counts.most_common(_MOST)):
            facts[f"clients:{column}:other"] = str(other)
    return facts


def server_moment(answer: Sequence[Any]) -> datetime:
    """Return what TIME answers, seconds and microseconds, as a time.

    >>> server_moment([b"1558724400", b"250000"])
    datetime.datetime(2019, 5, 24, 19, 0, 0, 250000, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromtimestamp(int(answer[0]), UTC).replace(microsecond=int(answer[1]))


def moment(at: int) -> str:
    """Return a unix time in seconds as ISO text."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _command(word: Any) -> str:
    """Return a name if it looks like a command's or an event's; anything else might be data."""
    text = _text(word)
    return text if _COMMAND.fullmatch(text) else "?"
