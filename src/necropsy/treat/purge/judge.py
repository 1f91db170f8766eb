"""Judgement of the sessions of a batch: by the layouts that ``examine`` counts with, on what the server holds now.

A session goes only if it is in the plan, if nobody is logged in to it, and if it was not used lately. What cannot be told
counts as logged in, or as used. Each that stays has one reason, so that chosen = gone + kept at every moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from necropsy.sessions.columns import Keys, numbers
from necropsy.sessions.interface import SESSION, Layout, RecognisedKeys
from necropsy.sessions.registry import LAYOUTS
from necropsy.sessions.spring.names import SAVED_REQUEST
from necropsy.treat.purge.identities import Place, places_of, within
from necropsy.treat.purge.idle_times import may_be_of_lfu

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

GOES: Final = 0
AUTHENTICATED: Final = "logged in"
UNKNOWN: Final = "unknown whether a user is logged in"
USED: Final = "used lately"
READ: Final = "read lately, as the server says"
UNTIMED: Final = "last use unknown"
OVER: Final = "expired already, goes by itself"
CHANGED: Final = "used or changed during the purge"
REASONS: Final = ("", AUTHENTICATED, UNKNOWN, USED, UNTIMED, OVER, READ)
"""Reasons for which a session stays, by the number that ``judge`` gives; 0: it is deleted."""
WRITES_EACH_USE: Final = frozenset({"spring"})
"""Families whose sessions say each use, whatever is configured. Others may be read and not written: Koa without
``rolling``, connect-redis with ``disableTouch``, Django."""
LOADED_S: Final = 10
"""A key that has been idle since the server started was loaded then, within this time."""
_COARSE_S: Final = 2
"""Seconds by which an idle time may be wrong."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Conditions under which a session may be deleted at all."""

    idle_s: int = 3600
    """A session used within this time is in use: an open login form, a guest's cart."""
    unknown_is_anonymous: bool = False
    """Delete sessions of which unknown whether a user is logged in. May log people out."""
    trust_inferred_lifetime: bool = False
    """Where no session stores its lifetime, take the longest time to live for that of all. A shorter one then looks idle."""
    lifetimes: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """Inferred lifetime of each namespace and database, in seconds."""
    secured: frozenset[tuple[str, int]] = frozenset()
    """Namespaces and databases of Spring in which Spring Security says who is logged in: elsewhere any attribute may."""
    touched: frozenset[Place] = frozenset()
    """Namespaces and databases in which a use leaves a trace in the session, or in its expiry, as was seen."""
    judged_ms: int | None = None
    """Moment at which the sessions were chosen, milliseconds since 1970; None: not known."""

    def earliest_ms(self, now_ms: int) -> int:
        """Return since when nobody may have used a session that goes: for as long as the limit, and since it was chosen."""
        earliest = now_ms - 1000 * self.idle_s
        return earliest if self.judged_ms is None else min(earliest, self.judged_ms)

    def idle_limit_s(self, now_ms: int) -> int:
        """Return for how long a key must have been idle."""
        since = self.idle_s if self.judged_ms is None else (now_ms - self.judged_ms) // 1000 - _COARSE_S
        return max(self.idle_s, since)


@dataclass(slots=True)
class Candidates:
    """Sessions of one batch and one layout that are in the plan, as they were judged."""

    layout: Layout
    batch: pa.RecordBatch
    rows: npt.NDArray[np.int64]
    """Their positions in the batch."""
    places: npt.NDArray[np.int64]
    """Their places in the plan."""
    reasons: npt.NDArray[np.int8]
    """Index of ``REASONS``."""
    ends_ms: npt.NDArray[np.int64]
    """Last access plus lifetime; -1 where it is not known."""
    silent: npt.NDArray[np.bool_]
    """Whose use may leave no trace but in the server's idle time."""
    unproven: npt.NDArray[np.bool_]
    """Whose idle time was not asked for yet, and has to say that nobody used them."""
    named: npt.NDArray[np.bool_]
    """Spring's with attributes of the application's own, whose names were not seen: one of them may name a user."""

    def going(self) -> npt.NDArray[np.int64]:
        """Return the places, among these candidates, of those that may go."""
        import numpy as np

        return np.flatnonzero(self.reasons == GOES)


class Judge:
    """Judges batches of keys; remembers, as a census does, what earlier batches told of their namespaces.

    Parameters
    ----------
    wanted
        Keyed hashes of the chosen ids, sorted.
    hashes
        Hashes the ids and places of recognised sessions with the plan's key (``identities.hasher``).
    keeps_idle_times
        Whether the server's idle times are those of its other clients: reading does not reset them.
    prefixes
        What the keys of the chosen sessions begin with: elsewhere the same id is another session. None: any key.
    booted_ms
        When the server started: a key that has been idle since then was loaded, not read.
    since_ms
        From when on the server's idle times tell of every use: what was read on another server before a failover is not
        in them, nor what was read between the last save and a crash.
    switched
        Whether the server's eviction policy may have been another since it started (``idle_times``).
    """

    def __init__(
        self,
        rules: Rules,
        wanted: npt.NDArray[np.uint64],
        hashes: Callable[[pa.Table], npt.NDArray[np.uint64]],
        *,
        keeps_idle_times: bool,
        prefixes: Sequence[str] = (),
        booted_ms: int = 0,
        since_ms: int = 0,
        switched: bool = False,
    ) -> None:
        self.rules = rules
        self.wanted = wanted
        self.keeps_idle_times = keeps_idle_times
        self._hashes = hashes
        self._prefixes = () if "" in prefixes else tuple(prefix.encode() for prefix in prefixes)
        self._booted_ms = booted_ms
        self.since_ms = since_ms
        self._switched = switched
        self.layouts: list[Layout] = [layout() for layout in LAYOUTS]

    def judge(self, batch: pa.RecordBatch, now_ms: int, *, asked_later: bool = False) -> Iterator[Candidates]:
        """Yield the sessions of a batch (``keyspace.key_schema``) that are in the plan, a layout at a time.

        Parameters
        ----------
        asked_later
            Whether the server will be asked for the idle times of sessions that come without (``Candidates.unproven``).
        """
        keys = Keys(batch)
        for layout in self.layouts:
            claims: list[RecognisedKeys] = []
            for claim in layout.recognise(keys):
                keys.free[claim.rows] = False
                claims.append(claim)
            for claim in claims:
                if claim.role == SESSION and claim.parts is not None and len(claim.rows):
                    parts = self._secured(layout, claim.parts)
                    found = self._of(layout, keys, claim, parts, now_ms, asked_later=asked_later)
                    if len(found.rows):
                        yield found

    def _secured(self, layout: Layout, parts: pa.Table) -> pa.Table:
        """Return the parts with what the store as a whole said of Spring's namespaces when the plan was made."""
        import numpy as np
        import pyarrow as pa

        if layout.family != "spring" or "attributes" not in parts.column_names:
            return parts
        own = _integers(parts, "attributes", range(parts.num_rows))[0] > 0
        told = within(parts, self.rules.secured)
        said = np.where(
            own & ~told & (_texts(parts, "authentication") == "no"), "unknown", _texts(parts, "authentication")
        )
        place = parts.column_names.index("authentication")
        return parts.set_column(place, "authentication", pa.array(said.tolist(), pa.string()))

    def _of(
        self, layout: Layout, keys: Keys, claim: RecognisedKeys, parts: pa.Table, now_ms: int, *, asked_later: bool
    ) -> Candidates:
        import numpy as np
        import pyarrow as pa

        hashes = self._hashes(parts)
        places = np.zeros(len(hashes), np.int64)
        inside = np.zeros(0, np.int64)
        if len(self.wanted):
            places = np.minimum(np.searchsorted(self.wanted, hashes), len(self.wanted) - 1)
            inside = np.flatnonzero(self.wanted[places] == hashes)
        if self._prefixes and len(inside):
            inside = inside[self._named_so(keys, claim.rows[inside])]
        parts = parts.take(pa.array(inside))
        rows = claim.rows[inside]
        writes = layout.family in WRITES_EACH_USE
        judged = self._reasons(keys, parts, rows, now_ms, writes=writes, asked_later=asked_later)
        return Candidates(layout, keys.batch, rows, places[inside], *judged, self._own(layout, keys, parts, rows))

    def _own(self, layout: Layout, keys: Keys, parts: pa.Table, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which sessions have attributes beside what Spring Security itself leaves in anonymous ones."""
        import numpy as np

        if layout.family != "spring" or "attributes" not in parts.column_names or self.rules.unknown_is_anonymous:
            return np.zeros(len(rows), bool)
        saved = _of_keys(keys, f"length:{SAVED_REQUEST}", rows)[0] > 0
        own: npt.NDArray[np.bool_] = _integers(parts, "attributes", rows)[0] > saved
        return own

    def _named_so(self, keys: Keys, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which keys begin as those of the plan do."""
        import numpy as np
        import pyarrow.compute as pc

        names = keys.take("key", rows)
        found = np.zeros(len(rows), bool)
        for prefix in self._prefixes:
            found |= numbers(pc.starts_with(names, prefix))
        return found

    def read_lately(self, idle_s: int, now_ms: int) -> bool:
        """Whether somebody used a key within the limit that has been idle for so long: not whether it was loaded then."""
        up_s = (now_ms - self._booted_ms) // 1000
        limit_s = self.rules.idle_limit_s(now_ms)
        return self.keeps_idle_times and 0 <= idle_s < limit_s and idle_s + LOADED_S < up_s

    def proves(self, idle_s: int, now_ms: int) -> bool:
        """Whether an idle time says that nobody used a key within the limit, of a server that knows all uses."""
        sure = bool(self._true(idle_s, now_ms))
        return self.keeps_idle_times and sure and idle_s >= self.rules.idle_limit_s(now_ms)

    def _true(self, idle_s: Any, now_ms: int) -> Any:
        """Return which idle times, above the limit, are true: the server knows of every use, under one policy."""
        sure = now_ms - self.since_ms >= 1000 * self.rules.idle_s
        return sure & ~may_be_of_lfu(idle_s, now_ms, self._booted_ms) if self._switched else sure

    def _reasons(
        self,
        keys: Keys,
        parts: pa.Table,
        rows: npt.NDArray[np.int64],
        now_ms: int,
        *,
        writes: bool,
        asked_later: bool,
    ) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        import numpy as np

        used, timed = _integers(parts, "last_seen_at", rows)
        lifetime, limited = _integers(parts, "lifetime_s", rows)
        expires, mortal = _integers(parts, "expires_at", rows)
        idle, idling = _of_keys(keys, "idle_s", rows)
        earliest, limit_s = self.rules.earliest_ms(now_ms), self.rules.idle_limit_s(now_ms)
        grace = _integers(parts, "grace_s", rows)[0]
        longest = self._inferred(parts)
        # Whoever touches the expiry alone uses the session as well, and the server's clock is right where the
        # application's is late.
        span = np.where(limited, lifetime, longest)
        touched = np.where(mortal & (span > 0), expires - 1000 * (grace + span), 0)
        in_use = timed & (np.maximum(used, touched) > earliest)
        idling &= self.keeps_idle_times
        # Without an expiry, or with one that is the application's own time to the millisecond (Spring's plain repository:
        # EXPIREAT), the server's idle time is the only other witness of the last use.
        silent = ~(writes & mortal & ((touched != used) | (grace > 0)))
        # Beside what the session says of itself, the server's idle time may only ever speak for the session.
        untimed = ~timed
        read = idling & (idle < limit_s) & (idle + LOADED_S < (now_ms - self._booted_ms) // 1000) & silent
        inferable = untimed & mortal & (longest > 0) & self.rules.trust_inferred_lifetime
        in_use |= inferable & (expires - 1000 * longest > earliest)
        in_use |= untimed & idling & (idle < limit_s)
        sure = self._true(idle, now_ms)
        # Where a read leaves no trace in the session, only an idle time says that there was none.
        mute = timed & (not writes) & (self.rules.idle_s > 0) & ~within(parts, self.rules.touched)
        unproven = mute & ~idling & (asked_later and self.keeps_idle_times)
        mute &= ~unproven & ~(idling & sure & (idle >= limit_s))
        known = (timed & ~mute) | inferable | (untimed & idling & sure)
        over = mortal & (expires - 1000 * grace <= now_ms)
        said = _texts(parts, "authentication")
        unknown = (said != "no") & (said != "yes") & (not self.rules.unknown_is_anonymous)
        reasons = np.select([said == "yes", unknown, in_use, over, read, ~known], [1, 2, 3, 5, 6, 4], 0)
        ends = np.where(timed & limited, used + 1000 * lifetime, -1)
        return reasons.astype(np.int8), ends, silent, unproven

    def _inferred(self, parts: pa.Table) -> npt.NDArray[np.int64]:
        import numpy as np

        if not self.rules.lifetimes or not parts.num_rows:
            return np.zeros(parts.num_rows, np.int64)
        places, codes = places_of(parts)
        return np.array([self.rules.lifetimes.get(place, 0) for place in places], np.int64)[codes]


def _of_keys(keys: Keys, name: str, rows: Any) -> tuple[Any, Any]:
    return _filled(keys.take(name, rows))


def _integers(parts: pa.Table, name: str, rows: Any) -> tuple[Any, Any]:
    import numpy as np

    if name not in parts.column_names:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), bool)
    return _filled(parts[name].combine_chunks())


def _filled(column: pa.Array) -> tuple[Any, Any]:
    import numpy as np
    import pyarrow as pa

    if column.type == pa.binary() or column.type == pa.null():
        return np.zeros(len(column), np.int64), np.zeros(len(column), bool)
    whole = column.cast(pa.int64())
    return numbers(whole.fill_null(0)).astype(np.int64), numbers(whole.is_valid()).copy()


def _texts(parts: pa.Table, name: str) -> Any:
    import pyarrow as pa

    column = parts[name].combine_chunks()
    if isinstance(column, pa.DictionaryArray):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
