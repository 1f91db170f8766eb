"""All keys by pattern: each counted exactly once, in as many rows as a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from necropsy.sessions.folding import collapse, fold, fold_names
from necropsy.sessions.interface import OTHER

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from necropsy.sessions.columns import Keys, Positions

_MOST_PATTERNS: Final = 20_000
"""Patterns of other keys that are held before those that look like ids are folded together."""
_MOST_NAMES: Final = 200_000
_COUNTED: Final = ("keys", "bytes", "elements", "without_expiry", "expired", "tokens")
_RANDOM: Final = r"(?:^|[^0-9A-Za-z])[0-9A-Za-z][0-9A-Za-z_,\-]{18,}[0-9A-Za-z_,\-]$"
"""The end of a key that may be a session id: twenty letters and more, among them a digit."""
_LAST_MS: Final = 253_402_300_799_000
"""The end of the year 9999, beyond which calendars part."""

_Family: TypeAlias = tuple[int, str, str, str]
"""Database, pattern, type, role."""
_Span: TypeAlias = tuple[int, int]
"""Earliest and latest expiry, in milliseconds."""


class Families:
    """Sums per database, pattern, type and role."""

    def __init__(self, now: np.datetime64) -> None:
        self._now = now
        self._sums: dict[_Family, list[int]] = {}
        self._names: set[str] = set()
        self._spans: dict[_Family, _Span] = {}

    def remember(self, names: pa.Array) -> None:
        """Remember principals, raw and as they fold, so that no pattern keeps one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        distinct = pc.unique(names.cast(pa.binary()))
        if len(self._names) < _MOST_NAMES:
            self._names.update(name.decode("utf-8", "replace").lower() for name in distinct.to_pylist() if name)
            self._names.update(name.lower() for name in fold(distinct).to_pylist() if name.strip("*"))

    def add(self, keys: Keys, rows: Positions, role: str, pattern: pa.Array) -> None:
        """Count these rows of a batch; ``pattern`` has one string for each."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not len(rows):
            return
        if self._add_alike(keys, rows, role, pattern):
            return
        expires = keys.take("expires_at", rows)
        past = pc.less_equal(expires, pa.scalar(self._now.astype("datetime64[ms]"), pa.timestamp("ms")))
        table = pa.table(
            {
                "db": keys.take("db", rows),
                "pattern": pattern,
                "type": keys.take("type", rows),
                "bytes": keys.take("bytes", rows),
                "elements": keys.take("elements", rows),
                "without_expiry": expires.is_null().cast(pa.int64()),
                "expired": pc.fill_null(past, False).cast(pa.int64()),
                "tokens": _tokens(keys, rows, role),
                "first": expires.cast(pa.int64()),
            }
        )
        sums = table.group_by(["db", "pattern", "type"], use_threads=False).aggregate(
            [([], "count_all"), *((name, "sum") for name in _COUNTED[1:]), ("first", "min"), ("first", "max")]
        )
        columns = [sums.column(name).to_pylist() for name in ("db", "pattern", "type", "count_all")]
        columns += [sums.column(f"{name}_sum").to_pylist() for name in _COUNTED[1:]]
        for db, text, kind, *counts in zip(*columns, strict=True):
            self._count((db, text, kind, role), [count or 0 for count in counts])
        if role == OTHER:
            spans = [sums.column(f"first_{name}").to_pylist() for name in ("min", "max")]
            for db, text, kind, first, last in zip(*columns[:3], *spans, strict=True):
                self._spread((db, text, kind, role), (first, last) if first is not None else None)
        if len(self._sums) > _MOST_PATTERNS:
            self._fold()

    def _add_alike(self, keys: Keys, rows: Positions, role: str, pattern: pa.Array) -> bool:
        """Count rows of one pattern, database and type, as most are; tell whether they were such."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from necropsy.sessions.columns import numbers

        if not isinstance(pattern, pa.DictionaryArray) or len(pattern.dictionary) != 1 or pattern.null_count:
            return False
        databases, types = numbers(keys.take("db", rows)), keys.take("type", rows)
        codes = numbers(types.indices)
        if (databases != databases[0]).any() or (codes != codes[0]).any():
            return False
        expires = keys.take("expires_at", rows)
        moments = numbers(expires.cast(pa.int64()).fill_null(np.iinfo(np.int64).max))
        counts = [
            len(rows),
            pc.sum(keys.take("bytes", rows)).as_py() or 0,
            pc.sum(keys.take("elements", rows)).as_py() or 0,
            expires.null_count,
            int(np.count_nonzero(moments <= self._now.astype("datetime64[ms]").astype(np.int64))),
            0,
        ]
        family = (int(databases[0]), pattern.dictionary[0].as_py(), types.dictionary[int(codes[0])].as_py(), role)
        self._count(family, counts)
        return True

    def table(self) -> pa.Table:
        """Return the rows of ``key_family`` without their store, most memory first."""
        import pyarrow as pa

        self._fold()
        rows = sorted(self._sums.items(), key=lambda item: (-item[1][1], item[0]))
        names = ("db", "pattern", "type", "role")
        columns = {name: [family[place] for family, _ in rows] for place, name in enumerate(names)}
        columns |= {name: [counts[place] for _, counts in rows] for place, name in enumerate(_COUNTED)}
        types = [pa.int32(), *[pa.string()] * 3, *[pa.int64()] * len(_COUNTED)]
        table = pa.table(columns, schema=pa.schema(zip((*names, *_COUNTED), types, strict=True)))
        spans = [self._spans.get(family) for family, _ in rows]
        for place, name in enumerate(("first_expiry", "last_expiry")):
            moments = [None if span is None else min(span[place], _LAST_MS) for span in spans]
            table = table.append_column(name, pa.array(moments, pa.int64()).cast(pa.timestamp("ms")))
        return table

    def _spread(self, family: _Family, span: _Span | None) -> None:
        if span is not None:
            first, last = self._spans.get(family, span)
            self._spans[family] = min(first, span[0]), max(last, span[1])

    def _count(self, family: _Family, counts: list[int]) -> None:
        known = self._sums.get(family)
        self._sums[family] = counts if known is None else [a + b for a, b in zip(known, counts, strict=True)]

    def _fold(self) -> None:
        others = {family: counts for family, counts in self._sums.items() if family[3] == OTHER}
        nameless = {family: fold_names(family[1], self._names) for family in others}
        keys: dict[str, int] = {}
        for family, counts in others.items():
            keys[nameless[family]] = keys.get(nameless[family], 0) + counts[0]
        became = collapse(keys)
        spans, self._spans = self._spans, {}
        for family in others:
            del self._sums[family]
        for (db, text, kind, role), counts in others.items():
            folded = (db, became[nameless[db, text, kind, role]], kind, role)
            self._count(folded, counts)
            self._spread(folded, spans.get((db, text, kind, role)))


def _tokens(keys: Keys, rows: Positions, role: str) -> pa.Array:
    """Return 1 for each key of no layout that ends in something random."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if role != OTHER:
        return pa.array(np.zeros(len(rows), np.int64))
    names = keys.take("key", rows)
    random = pc.and_(pc.match_substring_regex(names, _RANDOM), pc.match_substring_regex(names, r"[0-9][^0-9]|[0-9]$"))
    return random.cast(pa.int64())
