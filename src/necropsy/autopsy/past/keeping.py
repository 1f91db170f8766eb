"""The tables of the past: levels, births, change points and events, thinned to what a case may keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.case.store import Case
    from necropsy.history.births import DerivedBirths
    from necropsy.history.change_points import ChangePoint
    from necropsy.history.events import Event


@dataclass(frozen=True, slots=True)
class Past:
    """Births of one store over time, by one source."""

    store: str
    source: str
    births: DerivedBirths
    changes: Sequence[ChangePoint]
    """Moments at which their rate changed, each as the finest series at hand dates it."""


_MOST_ROWS: Final = 2_000
"""Points of one quantity that a case keeps; longer series are summed up."""


def keep_events(case: Case, events: Iterable[Event]) -> None:
    """Write events in order of time."""
    case.append(
        "event",
        [
            {
                "at": naive(event.at_s),
                "kind": event.kind,
                "text": event.text,
                "source": event.source,
                "store": event.store,
            }
            for event in sorted(events, key=lambda event: event.at_s)
        ],
    )


def keep_level(
    case: Case, store: str, source: str, quantity: str, at_s: NDArray[np.float64], values: NDArray[np.float64]
) -> None:
    """Write a level over time; a limit by its changes alone."""
    import numpy as np

    known = np.flatnonzero(np.isfinite(values) & ((values > 0) | (quantity != "limit")))
    if not known.size:
        return
    if quantity == "limit":
        chosen = known[np.flatnonzero(np.diff(values[known], prepend=-1.0) != 0)]
    else:
        chosen = known[np.unique(np.linspace(0, known.size - 1, min(known.size, _MOST_ROWS)).round().astype(int))]
    case.append(
        "history",
        [
            {"store": store, "source": source, "quantity": quantity, "at": naive(at), "seconds": 0.0, "value": value}
            for at, value in zip(at_s[chosen].tolist(), values[chosen].tolist(), strict=True)
        ],
    )


def keep_births(case: Case, past: Past) -> None:
    """Write births, neighbouring spans summed up where there are too many."""
    at, seconds, counts = _thinned(past.births)
    case.append(
        "history",
        [
            {
                "store": past.store,
                "source": past.source,
                "quantity": "births",
                "at": naive(moment),
                "seconds": length,
                "value": count,
            }
            for moment, length, count in zip(at.tolist(), seconds.tolist(), counts.tolist(), strict=True)
        ],
    )


def _thinned(derived: DerivedBirths) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sum neighbouring spans up until a case may keep them."""
    import numpy as np

    known = np.isfinite(derived.births)
    at, seconds, counts = derived.at_s[known], derived.seconds[known], derived.births[known]
    together = -(-at.size // _MOST_ROWS)
    if together <= 1:
        return at, seconds, counts
    first = np.arange(0, at.size, together)
    return at[first], np.add.reduceat(seconds, first), np.add.reduceat(counts, first)


def keep_changes(case: Case, past: Past, events: Sequence[Event]) -> None:
    """Write the changes of some births, each with the event that stands at it."""
    from necropsy.history.events import event_of

    def row(change: ChangePoint) -> dict[str, Any]:
        event = event_of(change, events, past.store)
        return {
            "store": past.store,
            "source": past.source,
            "at": naive(change.at_s),
            "earliest_at": naive(change.earliest_s),
            "latest_at": naive(change.latest_s),
            "before_per_hour": change.before_per_hour,
            "after_per_hour": change.after_per_hour,
            "event": event.text if event is not None else None,
        }

    case.append("change_point", [row(change) for change in past.changes])


def naive(unix_s: float) -> datetime:
    """Return a moment as the case holds it: UTC without a zone."""
    return datetime.fromtimestamp(round(unix_s, 3), UTC).replace(tzinfo=None)
