"""The causal order: which findings can be a cause, what follows from what, and which cause stands first.

::

    an outage that goes on now          nobody can log in at this moment
    who creates sessions                ─┐ explain: little memory left, eviction, halves, swapping,
    what keeps them, or makes them large ┘          no room for a fork, slow commands, time-outs
    what the server suffers from          a cause of its own only where it is critical

A creator does not explain another creator: they share the births of a store. What keeps sessions, what makes them large,
and what is no session each name a whole of their own, and are not added to anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from necropsy.model.finding import Finding, Severity
from necropsy.model.verdict import Cause

LEAST_SHARE: Final = 0.05
"""Less explains no death."""


class CauseKind(IntEnum):
    """Kinds of causes, in the order in which an operator should act."""

    CREATES = 0
    KEEPS = 1
    SUFFERS = 2


@dataclass(frozen=True, slots=True)
class OrderPlace:
    """Place of a slug in the order."""

    group: CauseKind
    least: Severity
    """Least severity that makes it a cause."""
    explains: tuple[str, ...] = ()
    """Slugs that follow from it, in the same store."""


_FULL: Final = (
    "memory/near-limit", "memory/no-limit", "memory/eviction-logs-users-out", "memory/shared-host", "memory/fork-headroom",
    "memory/fragmentation", "sessions/evicted-halves", "latency/persistence-stall", "latency/slow-commands",
    "latency/command-timeouts",
)  # fmt: skip
_CREATES: Final = OrderPlace(CauseKind.CREATES, Severity.WARNING, _FULL)
_KEEPS: Final = OrderPlace(CauseKind.KEEPS, Severity.WARNING, _FULL)
_CRITICAL: Final = OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL)

PLACES: Final[Mapping[str, OrderPlace]] = {
    "probes/creates-sessions": _CREATES,
    "traffic/login-loop": _CREATES,
    "traffic/client-drops-cookie": _CREATES,
    "traffic/bot-creates-sessions": _CREATES,
    "traffic/unlogged-creator": _CREATES,
    "sessions/immortal": _KEEPS,
    "sessions/oversized": _KEEPS,
    "memory/not-sessions": _KEEPS,
    "memory/eviction-logs-users-out": OrderPlace(
        CauseKind.SUFFERS, Severity.CRITICAL, ("sessions/evicted-halves", "sessions/orphaned-index")
    ),
    "sessions/evicted-halves": OrderPlace(CauseKind.SUFFERS, Severity.WARNING, ("sessions/orphaned-index",)),
    "memory/shared-host": OrderPlace(
        CauseKind.SUFFERS,
        Severity.CRITICAL,
        ("latency/slow-commands", "latency/persistence-stall", "latency/command-timeouts"),
    ),
    "memory/no-limit": OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL, ("memory/shared-host",)),
    "memory/near-limit": OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL, ("latency/command-timeouts",)),
    "memory/fragmentation": _CRITICAL,
    "memory/fork-headroom": OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL, ("latency/persistence-stall",)),
    "latency/persistence-stall": OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL, ("latency/command-timeouts",)),
    "latency/max-clients": OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL, ("latency/command-timeouts",)),
    "latency/slow-commands": OrderPlace(CauseKind.SUFFERS, Severity.CRITICAL, ("latency/command-timeouts",)),
}
"""Every slug that can be a cause. Of any other a critical finding is a cause all the same: the worst is said first."""
_BESIDE: Final = 0.25
"""Memory of a creator's sessions, as a share of that of what is no session, from which the creator is said first."""
CREATORS: Final = frozenset(slug for slug, place in PLACES.items() if place.group is CauseKind.CREATES)
_OUTAGES: Final = frozenset({"memory/near-limit", "latency/persistence-stall", "latency/max-clients"})
"""Slugs that mean, where critical, that nobody can log in now."""


def place_of(slug: str) -> OrderPlace:
    """Place of a slug."""
    return PLACES.get(slug, _CRITICAL)


def is_cause(finding: Finding, others: Sequence[Finding]) -> bool:
    """Whether a finding is a cause beside the others: severe enough, large enough, and not explained by another cause.

    What is critical is a cause also where another explains it: it goes on now, and has a remedy of its own.
    """
    place = place_of(finding.slug)
    if finding.severity is Severity.CRITICAL:
        return True
    if finding.severity.rank < place.least.rank or finding.store is None:
        return False
    if (finding.share or 0.0) < LEAST_SHARE:
        return False
    return explained_by(finding, others) is None


def explained_by(finding: Finding, others: Iterable[Finding]) -> str | None:
    """Slug of the first of the others that explains a finding of the same store; None when none does."""
    for other in others:
        place = place_of(other.slug)
        same = finding.store is None or other.store == finding.store
        if same and finding.slug in place.explains and _stands(other, place):
            return other.slug
    return None


def _stands(finding: Finding, place: OrderPlace) -> bool:
    large = (finding.share or 0.0) >= LEAST_SHARE
    return finding.severity is Severity.CRITICAL or (large and finding.severity.rank >= place.least.rank)


def in_order(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Sort causes: an outage first, then the most severe; creators before what keeps sessions; stores by a creator's share.

    It is the largest of the store. A cause that is over comes after those that go on: its share shrinks by itself. Where
    something else than sessions fills a store, who creates the few sessions comes after it.
    """
    causes = list(causes)
    others = {cause.store: cause.share for cause in causes if cause.slug == "memory/not-sessions"}
    worst: dict[str | None, float] = {}
    for cause in causes:
        creates = place_of(cause.slug).group is CauseKind.CREATES and not cause.over
        worst[cause.store] = max(worst.get(cause.store, 0.0), cause.share if creates else 0.0)

    def key(cause: Cause) -> tuple[bool, bool, int, int, float, str, float, str]:
        outage = cause.slug in _OUTAGES and cause.severity is Severity.CRITICAL
        group = place_of(cause.slug).group
        other = others.get(cause.store, 0.0)
        small = group is CauseKind.CREATES and cause.share * (1 - other) < _BESIDE * other
        return (
            not outage,
            small,
            -cause.severity.rank,
            group,
            -worst[cause.store],
            cause.store or "",
            -cause.share,
            cause.slug,
        )

    return tuple(sorted(causes, key=key))
