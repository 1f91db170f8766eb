"""The future of a store under changes: values that a report renders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """The future of a store under one set of steps."""

    steps: tuple[str, ...]
    """The steps, in words; empty: none, as it goes on today."""
    births_per_day: float
    sessions_now: int
    """Right after the steps: what a purge leaves."""
    bytes_now: int
    """Estimated memory of the whole store right after the steps."""
    sessions_steady: float | None
    """None: it never becomes steady."""
    bytes_steady: float | None
    steady_after_s: float | None
    """Seconds until the population is steady; None: never."""
    full_at: datetime | None
    """When the memory limit is reached; None: never, or no limit is known."""
    full_from: datetime | None
    """Earliest moment of the 95 % interval; None: not within ten years even at the highest rate, or no limit is known."""
    full_to: datetime | None
    """Latest moment; None: at the lowest rate never."""
    curve: tuple[tuple[float, float], ...]
    """Seconds from now, and sessions."""


@dataclass(frozen=True, slots=True)
class StoreOutlooks:
    """One store: as it goes on, each step alone, and all steps together."""

    store: str
    at: datetime
    """When the store was read, UTC."""
    memory_limit: int | None
    today: Outlook
    alone: tuple[Outlook, ...]
    together: Outlook
    enough_bytes: int | None
    """A memory limit that is enough for the store after all steps, a power of two; None: no limit is."""
    notes: tuple[str, ...] = ()
    """Assumptions and limits of the figures."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """All stores of a case."""

    necropsy: str
    case: str
    stores: tuple[StoreOutlooks, ...]
