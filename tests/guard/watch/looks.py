"""Looks for tests: a store, its creators, in a line each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from necropsy.guard.watch.look import Look, StoreLook, WatchedCreator
from necropsy.guard.watch.notice import Member

NOON = datetime(2019, 5, 24, 12, 0, tzinfo=UTC)
PROBES = "probes/creates-sessions"


def store(name: str = "A", at: datetime = NOON, sessions: int = 34_560, **said: object) -> StoreLook:
    known: dict[str, object] = {
        "anonymous": sessions, "keys": 2 * sessions, "bytes": 700 * sessions, "lifetime_s": 86_400.0, "immortal": False,
        "predicted": None, "full_at": None,
    }  # fmt: skip
    return StoreLook(name=name, at=at, sessions=sessions, **{**known, **said})  # type: ignore[arg-type]


def creator(
    number: int, *, over: bool = False, slug: str = PROBES, per_day: float = 8_640.0, **said: object
) -> WatchedCreator:
    """Probe NUMBER of the incident: it asks server 10.0.0.NUMBER every 10 s, and has done so since the morning."""
    url = f"http://10.0.0.{number}:8080/"
    known: dict[str, object] = {"first_at": NOON - timedelta(hours=4), "last_at": NOON, "births": 1_440.0, "store": "A"}
    if over:
        known["last_at"] = NOON - timedelta(hours=1)
    member = Member(f"10.0.0.{number}:8080", "every 10 s", url, "prometheus/blackbox", 10.0, number * 1.5, per_day)
    return WatchedCreator(
        member, slug=slug, over=over, line="prometheus.yml:17  copies __address__", **{**known, **said}
    )  # type: ignore[arg-type]


def look(
    *creators: WatchedCreator, at: datetime = NOON, stores: tuple[StoreLook, ...] | None = None, **said: object
) -> Look:
    found = (store(at=at),) if stores is None else stores
    readers = frozenset({"prometheus", *(f"store:{one.name}" for one in found)})
    known: dict[str, object] = {"readers": readers, "unread": {}}
    return Look(at=at, stores={one.name: one for one in found}, creators=creators, **{**known, **said})  # type: ignore[arg-type]
