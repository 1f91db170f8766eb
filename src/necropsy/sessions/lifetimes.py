"""The lifetime of sessions that do not state it: the longest time to live of similar sessions, rounded.

Most stores set one TTL for all sessions and set it again at each use: the session used last has nearly all of it left. Some
set a short one for anonymous visitors and a long one for others, so that sessions are compared with those of the same
layout, authentication and number of attributes, and, where those are too few to say anything, with the whole namespace.

The moment of the dump is known to the second only: keys written within that second have up to a second more than their
lifetime left, and on a live server those that were written while it was read (``uncertain_s``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from necropsy.case.store import Case

_MINUTE: Final = 60
_USUAL_MINUTES: Final = (1, 2, 3, 5, 10, 15, 20, 24, 30, 40, 45, 60, 90, 120, 180, 240, 300, 360, 480, 600, 720)
_USUAL_DAYS: Final = (1, 2, 3, 5, 7, 10, 14, 15, 20, 21, 28, 30, 31, 60, 90, 180, 365, 400)
USUAL: Final = (30, *(_MINUTE * n for n in _USUAL_MINUTES), *(86_400 * n for n in _USUAL_DAYS))
"""Lifetimes that people write into configurations, in seconds."""
_NEAR: Final = 0.95
_APART: Final = 20.0
"""Ratio to its own rate from which the quiet before a dump makes a lifetime doubtful."""
_BURST: Final = 10
"""Sessions below a usual lifetime from which on a break in their density is looked at."""
_DENSER: Final = 20.0
_BOTH: Final = 60
"""Sessions of either lifetime from which a change is told."""
_NEAR_S: Final = 5.0
_SHARP: Final = 0.01
"""How exactly the distance of two lifetimes must be met: seconds, and as a share of it."""
_RECENT_S: Final = 300.0
"""Time since the change from which it is told."""
MOST_ATTRIBUTES: Final = 20
"""Sessions with more attributes than this are taken for alike."""
_PACES: Final = 8
"""Width of the strip below a shorter lifetime in which its newest sessions are looked for, in their mean distances."""
_JUST_BELOW: Final = 3
_STEEP: Final = 3
"""Sessions that must be in it: by number, and as a multiple of those in the strip above."""
_ALIKE: Final = """
  SELECT * REPLACE (least(attributes, $most)::INTEGER AS attributes),
    epoch(expires_at - to_seconds(coalesce(grace_s, 0)) - $now) - $uncertain AS left_s
  FROM session_part
  WHERE store = $store AND role = 'session' AND lifetime_s IS NULL AND expires_at IS NOT NULL AND list_contains($layouts, layout)
"""
_AROUND: Final = f"""
SELECT count(*) FILTER (left_s <= $usual) AS below, count(*) FILTER (left_s > $usual) AS above FROM ({_ALIKE})
WHERE namespace = $namespace AND db = $db AND layout = $layout AND authentication IS NOT DISTINCT FROM $authentication
  AND attributes IS NOT DISTINCT FROM $attributes AND left_s > $usual - $strip AND left_s <= $usual + $strip
"""
_LEFT: Final = """
SELECT namespace, db, layout, authentication, attributes,
  {place} AS place, count(*) AS n, max(left_s) AS longest, greatest(min(left_s), 0) AS shortest
FROM ({alike}) GROUP BY ALL ORDER BY ALL
""".format(
    alike=_ALIKE, place="CASE " + " ".join(f"WHEN left_s <= {u} THEN {n}" for n, u in enumerate(USUAL)) + " ELSE -1 END"
)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The lifetime of sessions that are alike."""

    namespace: str
    db: int
    layout: str
    authentication: str | None
    attributes: int | None
    """Number of attributes, at most ``MOST_ATTRIBUTES``; None: not told."""
    lifetime_s: int
    precision_s: float
    """By how much it may be wrong, and every time that is derived from it."""
    short_s: int | None = None
    """A shorter lifetime that some of them have."""
    short_left_s: float | None = None
    """Those that have no more than this left."""


@dataclass(slots=True)
class _Span:
    """Times to live of one group, less what is uncertain: how many, the longest, the shortest."""

    n: int
    longest: float
    shortest: float

    def __add__(self, other: _Span) -> _Span:
        return _Span(self.n + other.n, max(self.longest, other.longest), min(self.shortest, other.shortest))

    @property
    def pace_s(self) -> float:
        """Time between two of them, if they came steadily."""
        return (self.longest - self.shortest) / max(self.n - 1, 1)


def round_up(seconds: float) -> int:
    """Round a time to live up to a usual lifetime that is near, else to the minute.

    >>> round_up(86_391.2), round_up(1799), round_up(50_000)
    (86400, 1800, 50040)
    """
    for usual in USUAL:
        if seconds <= usual and seconds >= _NEAR * usual:
            return usual
    return -int(-seconds // _MINUTE) * _MINUTE


def inferred(
    case: Case, store: str, now: datetime, uncertain_s: float, layouts: Sequence[str], most: int = MOST_ATTRIBUTES
) -> list[Lifetime]:
    """Return the lifetimes of sessions that have none of their own.

    Parameters
    ----------
    now
        When the keys were taken, UTC without a zone: to the second below.
    uncertain_s
        How much later than ``now`` a key may have been written.
    layouts
        Layouts whose sessions do not say their lifetime.
    """
    values = {"most": most, "now": now, "uncertain": uncertain_s, "store": store, "layouts": list(layouts)}
    namespaces: dict[tuple[str, int, str], dict[tuple[str | None, int | None], dict[int, _Span]]] = {}
    for row in case.rows(_LEFT, values):
        groups = namespaces.setdefault((row["namespace"], row["db"], row["layout"]), {})
        places = groups.setdefault((row["authentication"], row["attributes"]), {})
        places[row["place"]] = _Span(row["n"], row["longest"], row["shortest"])
    found = []
    for (namespace, db, layout), groups in namespaces.items():
        spans = {alike: _total(places) for alike, places in groups.items()}
        whole = _total(spans)
        common = _lifetime(whole)
        lengthened = _before(_together(groups.values()), common[0])
        own_ones = {alike: _lifetime(span) for alike, span in spans.items() if _other(span, common[0])}
        for (authentication, attributes), span in spans.items():
            # What has no more left than another group's shorter lifetime has that one: by far the likelier.
            shorter = [one for one in own_ones.values() if span.longest <= one[0]]
            own = own_ones.get((authentication, attributes)) or min(shorter, default=common)
            short = lengthened if own == common else None
            if short is None and (shorter_one := _shorter(groups[authentication, attributes], own[0])) is not None:
                alike = [values, namespace, db, layout, authentication, attributes]
                short = shorter_one[:2] if _ends_at(case, alike, *shorter_one) else None
            found.append(Lifetime(namespace, db, layout, authentication, attributes, *own, *(short or (None, None))))
    return found


def _total(spans: dict[object, _Span] | dict[int, _Span] | dict[tuple[str | None, int | None], _Span]) -> _Span:
    first, *rest = spans.values()
    return sum(rest, start=first)


def _lifetime(span: _Span) -> tuple[int, float]:
    """Return lifetime and precision: a usual one is believed where sessions come often enough to have nearly all of it left.

    >>> _lifetime(_Span(1000, 86_391.0, 76_391.0)), _lifetime(_Span(1000, 50_001.0, 40_001.0))
    ((86400, 1.0), (50040, 60.0))
    """
    seconds = round_up(max(span.longest, 1.0))
    missing = seconds - span.longest
    if seconds in USUAL and (span.n < 3 or missing <= max(_APART * span.pace_s, 2.0)):
        return seconds, 1.0
    return seconds, max(float(_MINUTE), missing)


def _other(span: _Span, common_s: int) -> bool:
    """Tell whether a group has a lifetime of its own: a usual one, where none of it was written for long otherwise."""
    own = round_up(max(span.longest, 1.0))
    if own >= common_s or own not in USUAL:
        return False
    quiet = common_s - span.longest
    near = own - span.longest <= max(2.0, 3 * span.pace_s)
    return quiet * span.n >= _APART * (span.longest - span.shortest) and near


def _together(groups: Iterable[dict[int, _Span]]) -> dict[int, _Span]:
    places: dict[int, _Span] = {}
    for group in groups:
        for place, span in group.items():
            places[place] = places[place] + span if place in places else span
    return places


def _before(places: dict[int, _Span], lifetime_s: int) -> tuple[int, float] | None:
    """Return the lifetime of before it was lengthened, and the most that is left of it; None where it was not.

    Since the change all have more than ``lifetime - that time`` left, and what is older has less than ``before - that time``:
    between them nothing is, and the distance is just that of the two lifetimes.
    """
    known = [places[place] for place in sorted(places, key=lambda place: (place < 0, place))]
    for number, (below, above) in enumerate(pairwise(known), 1):
        gap = above.shortest - below.longest
        near = max(_NEAR_S, 3 * below.pace_s, 3 * above.pace_s)
        before = lifetime_s - gap
        usual = min(USUAL, key=lambda one: abs(one - before))
        few = min(sum(span.n for span in known[:number]), sum(span.n for span in known[number:])) < _BOTH
        if not few and near <= _SHARP * gap and abs(usual - before) <= near and usual - below.longest >= _RECENT_S:
            return usual, below.longest + gap / 2
    return None


def _ends_at(case: Case, alike: list[Any], usual: int, _: float, n: int) -> bool:
    """Whether many sessions have just less than a lifetime left, and few just more.

    A prober that stopped hours ago has left many with less, too, but none with nearly as much.
    """
    values, namespace, db, layout, authentication, attributes = alike
    strip_s = min(usual / 2, max(_NEAR_S, _PACES * usual / n))
    query = {**values, "namespace": namespace, "db": db, "layout": layout, "authentication": authentication}
    row = case.rows(_AROUND, {**query, "attributes": attributes, "usual": usual, "strip": strip_s})[0]
    return bool(row["below"] >= max(_JUST_BELOW, _STEEP * row["above"]))


def _shorter(places: dict[int, _Span], lifetime_s: int) -> tuple[int, float, int] | None:
    """Return the longest usual lifetime below which sessions are far denser than above: there are two in one group.

    Return also how much those of the shorter one have left at most, and their number.
    """
    most = max(places) if -1 not in places else len(USUAL)
    below = 0
    found: tuple[int, float, int] | None = None
    for place in sorted(p for p in places if 0 <= p < most):
        below += places[place].n
        usual = USUAL[place]
        above = sum(span.n for p, span in places.items() if p > place or p == -1)
        if usual >= lifetime_s or below < _BURST or not above:
            continue
        near = places[place].longest >= _NEAR * usual
        if near and below / usual >= _DENSER * above / max(lifetime_s - usual, 1):
            found = usual, float(usual), below
    return found
