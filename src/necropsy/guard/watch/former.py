"""The limits of a judgement, and the history of the looks before, which it compares a look with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from necropsy.guard.watch.look import Look
from necropsy.guard.watch.notice import Notice

DAY_S: Final = 86_400
FEWEST: Final = 5.0
"""Sessions of new creators of one kind from which on they are told: of one or two a rate says nothing."""
PROBES: Final = "probes/creates-sessions"


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is worth a word."""

    share: float = 0.2
    """Share of a store's sessions that one cause may have."""
    least_per_day: float = 200.0
    """Sessions a day below which a creator is not spoken of."""
    full_within_s: float = float(DAY_S)


@dataclass(frozen=True, slots=True)
class Former:
    """The looks before, as the history has them."""

    notices: Sequence[Notice] = ()
    """Those that were open."""
    shares: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """By store and slug, of the last look."""
    flushes: Mapping[str, int] = field(default_factory=dict)
    """By store, how often it had been emptied since its server started."""
    at: datetime | None = None
    """When it was taken, UTC; None: there was none."""
    populations: Mapping[str, Sequence[tuple[datetime, float]]] = field(default_factory=dict)
    """Sessions of each store in time, oldest first."""


def needed_readers(look: Look, store: str | None) -> tuple[str, ...]:
    """Return what a later look must have read to resolve a notice: the store itself, and the other kinds of sources."""
    kinds = {reader for reader in look.readers if not reader.startswith("store:")}
    return tuple(sorted(kinds | ({f"store:{store}"} if store else set())))
