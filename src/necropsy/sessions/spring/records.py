"""The hash ``<namespace>:sessions:<id>``: one a session, in every repository.

The arithmetic of its expiry tells the repositories apart before any other key is seen: against last access + lifetime
it is exact to the millisecond (EXPIREAT), a little late (EXPIRE), or five minutes late (the grace of the indexed ones).
A hash without ``creationTime`` is a ghost: a late request wrote its own part of it after the session had ended
(spring-session #2021). A removed attribute stays as a field with nothing in it, and is not counted as an attribute. At a
logout WebFlux keeps the session under a new id, its context emptied so.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.evidence import Authentication, Provenance
from necropsy.sessions.columns import nullable, numbers, words
from necropsy.sessions.folding import fold_namespace
from necropsy.sessions.interface import SESSION, RecognisedKeys
from necropsy.sessions.jdk import integers
from necropsy.sessions.spring.creators import Creators
from necropsy.sessions.spring.names import (
    ACCESSED,
    CONTEXT,
    CREATED,
    FIXED,
    GRACE_S,
    INDEXED,
    KINDS,
    LIFETIME,
    PLAIN,
    PRINCIPAL,
    REACTIVE,
    SAVED_REQUEST,
    UNTOLD,
)
from necropsy.sessions.spring.namespace_counts import NamespaceCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.sessions.columns import Keys, Mask, Positions, Segments

_RESERVED: Final = (b"expires", b"expirations", b"index")
_UUID_LENGTH: Final = 36
_HALF_GRACE_MS: Final = GRACE_S * 500
"""Clocks of application and store may differ: what is nearer to the grace than to nothing is the grace."""
_LONGEST_NULL: Final = 5
"""A serialized null is at most this long in any serializer; a security context never is so short."""
_LAST_MS: Final = 253_402_300_799_000
"""The end of the year 9999, beyond which DuckDB's and Python's calendars part."""
_LONGEST_LIFETIME_S: Final = 10**11


class Records:
    """Recognises sessions; remembers the namespaces in which it has met whole ones."""

    def __init__(self, creators: Creators, evidence: NamespaceCounts) -> None:
        self._creators = creators
        self.evidence = evidence
        self._namespaces: set[bytes] = set()
        self.secured: set[tuple[str, int]] = set()
        """Namespaces and databases in which Spring Security has left something."""
        self.kept: Counter[tuple[str, int]] = Counter()
        """Sessions of each that were kept when their user logged out: the context is there, and nothing in it."""

    def claim(self, keys: Keys) -> Iterator[RecognisedKeys]:
        """Claim the hashes of one batch that are sessions, or ghosts of sessions."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = keys.of_type("hash")
        segments = keys.segments(rows)
        shaped = segments.equal(2, b"sessions") & segments.filled(1) & segments.filled(3)
        for word in _RESERVED:
            shaped &= ~segments.equal(1, word)
        inside = np.flatnonzero(shaped)
        if not inside.size:
            return
        namespaces = segments.namespaces(2, inside)
        known = self._known(keys, rows[inside], namespaces, segments, inside)
        if not known.any():
            return
        inside, rows = inside[known], rows[inside][known]
        folded = fold_namespace(namespaces.dictionary)
        codes = namespaces.indices if known.all() else namespaces.indices.filter(known)
        named = pa.DictionaryArray.from_arrays(codes, folded)
        parts, kinds = self._parts(keys, rows, named, segments.text(1, inside))
        patterns = pa.DictionaryArray.from_arrays(codes, pc.binary_join_element_wise(folded, "sessions:*", ":"))
        self.evidence.records(named, parts, kinds)
        self._secure(keys, rows, named, parts)
        for kind in np.unique(kinds).tolist():
            mine = np.flatnonzero(kinds == kind)
            some = len(mine) < len(rows)
            yield RecognisedKeys(
                role=SESSION,
                rows=rows[mine],
                pattern=patterns.take(pa.array(mine)) if some else patterns,
                parts=parts.take(pa.array(mine)) if some else parts,
                told=KINDS[kind] != UNTOLD,
                paired=KINDS[kind] == INDEXED,
            )

    def _secure(self, keys: Keys, rows: Positions, namespaces: pa.DictionaryArray, parts: pa.Table) -> None:
        """Remember where Spring Security was: a user, or a request that it saved."""
        import numpy as np
        import pyarrow.compute as pc

        databases, names = numbers(keys.take("db", rows)), namespaces.dictionary.to_pylist()
        if all((name, int(db)) in self.secured for name in names for db in np.unique(databases)):
            return
        somebody = numbers(pc.equal(parts["authentication"].combine_chunks().cast("string"), str(Authentication.YES)))
        some = somebody | keys.valid(f"length:{SAVED_REQUEST}", rows)
        codes = numbers(namespaces.indices)
        self.secured.update((names[code], int(db)) for code, db in set(zip(codes[some], databases[some], strict=True)))

    def _keep(self, keys: Keys, rows: Positions, namespaces: pa.DictionaryArray, kept: Mask) -> None:
        """Count what outlived a logout."""
        if not kept.any():
            return
        names, codes = namespaces.dictionary.to_pylist(), numbers(namespaces.indices)[kept]
        databases = numbers(keys.take("db", rows))[kept]
        self.kept.update((names[code], int(db)) for code, db in zip(codes, databases, strict=True))

    def _known(
        self, keys: Keys, rows: Positions, namespaces: pa.DictionaryArray, segments: Segments, inside: Positions
    ) -> Mask:
        """Return which of the rows are Spring's: by a field, or by a UUID in a namespace where others were."""
        import numpy as np

        known: Mask = np.zeros(len(rows), bool)
        for name in (*FIXED, CONTEXT, PRINCIPAL, SAVED_REQUEST):
            known |= keys.valid(f"length:{name}", rows)
        codes = numbers(namespaces.indices)
        names = namespaces.dictionary.to_pylist()
        self._namespaces.update(names[code] for code in np.unique(codes[known]))
        spring = np.array([name in self._namespaces for name in names])
        start, end = segments.bounds(1)
        known |= spring[codes] & ((end - start)[inside] == _UUID_LENGTH)
        return known

    def _parts(
        self, keys: Keys, rows: Positions, namespaces: pa.DictionaryArray, ids: pa.Array
    ) -> tuple[pa.Table, npt.NDArray[np.int8]]:
        """Return the parts, and of what kind each is: an index of ``KINDS``."""
        import numpy as np
        import pyarrow as pa

        created, born = _moments(keys, CREATED, rows)
        accessed, seen = _moments(keys, ACCESSED, rows)
        lifetimes = integers(keys.whole(f"field:{LIFETIME}"), rows)
        lifetime, timed = numbers(lifetimes.fill_null(0)), _valid(lifetimes)
        timed &= np.abs(lifetime) < _LONGEST_LIFETIME_S
        expiries = keys.take("expires_at", rows).cast(pa.int64())
        expiry, mortal = np.minimum(numbers(expiries.fill_null(0)), _LAST_MS), _valid(expiries)
        kinds = _repository(expiry - accessed - lifetime * 1000, seen & timed & mortal)
        lengths = {name: keys.take(f"length:{name}", rows) for name in (CONTEXT, PRINCIPAL)}
        known_user = numbers(lengths[CONTEXT].fill_null(0)) > _LONGEST_NULL
        known_user |= numbers(lengths[PRINCIPAL].fill_null(0)) > 0
        known_user &= ~(timed & (lifetime == 0))  # deleted: a logout sets the lifetime to nothing and leaves the rest
        emptied = _removed(keys, CONTEXT, rows)
        self._keep(keys, rows, namespaces, (emptied > 0) & ~(timed & (lifetime == 0)))
        milliseconds = pa.timestamp("ms")
        told = kinds != KINDS.index(UNTOLD)
        parts = pa.table(
            {
                "layout": words(kinds, KINDS),
                "namespace": namespaces,
                "db": keys.take("db", rows),
                "id": ids,
                "born_at": nullable(created, born, milliseconds),
                "born_precision_s": nullable(np.full(len(rows), 0.001), born),
                "born_provenance": words(born.astype(np.int8), (Provenance.UNKNOWN, Provenance.EXPLICIT)),
                "last_seen_at": nullable(accessed, seen, milliseconds),
                "expires_at": nullable(expiry, mortal, milliseconds),
                "lifetime_s": nullable(lifetime, timed),
                "bytes": keys.take("bytes", rows),
                "authentication": words(known_user.astype(np.int8), (Authentication.NO, Authentication.YES)),
                "attributes": pa.array(_attributes(keys, rows), pa.int64()),
                "state": words(np.zeros(len(rows), np.int8), ("ghost",), ~keys.valid(f"length:{CREATED}", rows)),
                # A negative lifetime never ends: of such a session, five minutes are all there is, not its grace.
                "grace_s": nullable(
                    np.where((kinds == KINDS.index(INDEXED)) & (lifetime >= 0), GRACE_S, 0), told, pa.int32()
                ),
                **self._creators.columns(keys, rows),
            }
        )
        return parts, kinds


def _attributes(keys: Keys, rows: Positions) -> npt.NDArray[np.int64]:
    """Return how many attributes each session has: those that were removed are not among them.

    Where empty fields were not counted (a live server that forbids it), Spring Security's alone are known to be empty.
    """
    import numpy as np

    count = numbers(keys.take("elements", rows)).astype(np.int64)
    for name in FIXED:
        count -= keys.valid(f"length:{name}", rows)
    removed, empty = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for name in (CONTEXT, PRINCIPAL, SAVED_REQUEST):
        removed += _removed(keys, name, rows)
        empty += _removed(keys, name, rows, longest=0)
    if keys.valid("empty_fields", rows).any():
        counted = keys.take("empty_fields", rows)
        empty = np.maximum(numbers(counted.fill_null(0)), empty) - empty
        removed += empty
    attributes: npt.NDArray[np.int64] = np.maximum(count - removed, 0)
    return attributes


def _removed(keys: Keys, name: str, rows: Positions, longest: int = _LONGEST_NULL) -> npt.NDArray[np.int64]:
    """Return 1 for each session in which an attribute was removed: its field stays, with nothing in it."""
    import numpy as np

    lengths = keys.take(f"length:{name}", rows)
    some: npt.NDArray[np.int64] = (numbers(lengths.fill_null(longest + 1)) <= longest).astype(np.int64)
    return some


def _repository(late_ms: npt.NDArray[np.int64], told: Mask) -> npt.NDArray[np.int8]:
    """Tell the repository from how much later than last access + lifetime the key expires: an index of ``KINDS``."""
    import numpy as np

    kinds = np.full(len(late_ms), KINDS.index(REACTIVE), np.int8)
    kinds[late_ms >= _HALF_GRACE_MS] = KINDS.index(INDEXED)
    kinds[late_ms == 0] = KINDS.index(PLAIN)
    kinds[~told] = KINDS.index(UNTOLD)
    return kinds


def _moments(keys: Keys, name: str, rows: Positions) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return a field of milliseconds since 1970 and which of its values are such."""
    import numpy as np

    values = integers(keys.whole(f"field:{name}"), rows)
    moments = numbers(values.fill_null(0))
    known = (moments > 0) & (moments < _LAST_MS)
    return np.where(known, moments, 0), known


def _valid(values: Any) -> Mask:
    return numbers(values.is_valid())
