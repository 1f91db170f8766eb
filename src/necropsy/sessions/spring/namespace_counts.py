"""Counts of a census in each namespace of Spring Session, and the repositories that wrote what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from necropsy.sessions.columns import numbers
from necropsy.sessions.interface import Refinement
from necropsy.sessions.spring.names import (
    GRACE_S,
    INDEXED,
    KINDS,
    PLAIN,
    REACTIVE,
    REACTIVE_INDEXED,
    UNTOLD,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from necropsy.sessions.columns import Mask


class NamespaceCounts:
    """Counts over the batches of a census."""

    def __init__(self) -> None:
        self._namespaces: dict[tuple[str, int], _Namespace] = {}
        self._indexes: set[str] = set()

    def records(self, namespaces: pa.DictionaryArray, parts: pa.Table, kinds: npt.NDArray[np.int8]) -> None:
        """Count records by what their own figures make of them, and those that the servlet stack wrote."""
        servlet = numbers(parts["creator_host"].is_valid()) | numbers(parts["creator_user_agent"].is_valid())
        for namespace, kind, count, named in _tally(namespaces, parts["db"], kinds, len(KINDS), servlet):
            self._of(namespace).records[KINDS[kind]] += count
            self._of(namespace).servlet += named

    def companions(self, namespaces: pa.DictionaryArray, databases: pa.Array, layout: str) -> None:
        """Count companions of a layout."""
        import numpy as np

        kinds = np.zeros(len(namespaces), np.int8)
        for namespace, _, count, _ in _tally(namespaces, databases, kinds, 1, kinds.astype(bool)):
            self._of(namespace).companions[layout] += count

    def indexes(self, patterns: pa.Array) -> None:
        """Remember the patterns of indexes: a set or sorted set is never empty."""
        import pyarrow.compute as pc

        self._indexes.update(pc.unique(patterns).to_pylist())

    def judge(self) -> list[Refinement]:
        """Decide for each namespace which repositories wrote it."""
        return [
            refinement
            for (name, db), found in sorted(self._namespaces.items())
            for refinement in found.judge(name, db, {f for f in self._indexes if f.startswith(f"{name}:")})
        ]

    def _of(self, namespace: tuple[str, int]) -> _Namespace:
        return self._namespaces.setdefault(namespace, _Namespace())


def _tally(
    namespaces: pa.DictionaryArray, databases: pa.Array, kinds: npt.NDArray[np.int8], most: int, flags: Mask
) -> Iterator[tuple[tuple[str, int], int, int, int]]:
    """Yield namespace and database, kind, count, and how many of them are flagged."""
    import numpy as np

    names = namespaces.dictionary.to_pylist()
    pairs = numbers(namespaces.indices).astype(np.int64) + numbers(databases).astype(np.int64) * len(names)
    if len(pairs) and pairs[0] == pairs.max() == pairs.min() and kinds.min() == kinds.max():
        pair = int(pairs[0])
        yield (names[pair % len(names)], pair // len(names)), int(kinds[0]), len(pairs), int(np.count_nonzero(flags))
        return
    codes, places, counts = np.unique(pairs * most + kinds, return_inverse=True, return_counts=True)
    flagged = np.bincount(places, weights=flags, minlength=len(codes)).astype(np.int64)
    for code, count, named in zip(codes.tolist(), counts.tolist(), flagged.tolist(), strict=True):
        pair = code // most
        yield (names[pair % len(names)], pair // len(names)), code % most, count, named


@dataclass(slots=True)
class _Namespace:
    """Counts of one namespace of one database."""

    records: Counter[str] = field(default_factory=Counter)
    companions: Counter[str] = field(default_factory=Counter)
    servlet: int = 0
    """Saved requests with headers: only the servlet stack keeps them."""

    def judge(self, name: str, db: int, families: set[str]) -> list[Refinement]:
        """Name the repositories: the one of records with grace or companions, and the one of records without."""
        minutes = f"{name}:expirations:*" in families
        servlet_index = any(f.startswith(f"{name}:index:") for f in families)
        reactive_index = any(f.startswith(f"{name}:sessions:index:") for f in families)
        sorted_set = f"{name}:sessions:expirations" in families
        reactive = reactive_index or self.companions[REACTIVE_INDEXED] or (sorted_set and not self.servlet)
        indexed = REACTIVE_INDEXED if reactive and not (minutes or servlet_index) else INDEXED
        plain = PLAIN if self.servlet or self.records[PLAIN] >= self.records[REACTIVE] else REACTIVE
        graceful = self.companions.total() or self.records[INDEXED]
        if minutes and not graceful:  # Spring Session 1.0 had minute sets, but neither companions nor grace
            plain = INDEXED
        rest, grace = (indexed, GRACE_S) if graceful and not self._mostly_plain() else (plain, 0)
        becomes = {INDEXED: (indexed, GRACE_S), PLAIN: (plain, 0), REACTIVE: (plain, 0), UNTOLD: (rest, grace)}
        return [Refinement(name, db, layout, after, seconds, indexed) for layout, (after, seconds) in becomes.items()]

    def _mostly_plain(self) -> bool:
        return self.records[PLAIN] + self.records[REACTIVE] > self.records[INDEXED]
