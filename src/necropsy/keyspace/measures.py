"""Sums over keys, as SQL: in a batch first, then over the sums of all batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from necropsy.model.keyspace import IDLE_CLASSES, SIZE_CLASSES, SIZE_EDGES, TIME_EDGES_S, TTL_CLASSES, Figures

_NORMAL_95: Final = 1.959964
_LARGEST: Final = "largest"


def _class_of(column: str, edges: tuple[int, ...], first: int = 0) -> str:
    """Return the SQL that numbers the class of a value."""
    whens = " ".join(f"WHEN {column} < {edge} THEN {number}" for number, edge in enumerate(edges, first))
    return f"CASE {whens} ELSE {len(edges) + first} END"


_MILLISECONDS: Final = tuple(edge * 1000 for edge in TIME_EDGES_S)
CLASSES: Final = f"""
    CASE WHEN left_ms IS NULL THEN {len(TTL_CLASSES) - 1} WHEN left_ms <= 0 THEN 0
         ELSE {_class_of("left_ms", _MILLISECONDS, 1)} END AS ttl,
    CASE WHEN idle_s IS NULL THEN {len(IDLE_CLASSES) - 1} ELSE {_class_of("idle_s", TIME_EDGES_S)} END AS idle,
    {_class_of("bytes", SIZE_EDGES)} AS size
"""
"""Columns that tell the classes of a key, from ``left_ms`` (null: never expires), ``idle_s`` and ``bytes``."""


def _measures() -> Iterator[tuple[str, str]]:
    yield "keys", "count(*)"
    yield "bytes", "sum(bytes)::BIGINT"
    yield "bytes_squared", "sum(bytes::DOUBLE * bytes)"
    yield "elements", "sum(elements)::BIGINT"
    yield "without_ttl_bytes", "coalesce(sum(bytes) FILTER (left_ms IS NULL), 0)::BIGINT"
    yield "expired_bytes", "coalesce(sum(bytes) FILTER (left_ms <= 0), 0)::BIGINT"
    yield _LARGEST, "max(bytes)"
    for kind, classes in (("ttl", TTL_CLASSES), ("idle", IDLE_CLASSES), ("size", SIZE_CLASSES)):
        for number in range(len(classes)):
            yield f"{kind}_{number}", f"count(*) FILTER ({kind} = {number})"


MEASURES: Final = tuple(_measures())
"""Name of each sum, and the SQL that makes it from keys with their classes."""
DECLARED: Final = ", ".join(f"{name} {'DOUBLE' if name == 'bytes_squared' else 'BIGINT'}" for name, _ in MEASURES)
NAMES: Final = ", ".join(name for name, _ in MEASURES)
SUMMED: Final = ", ".join(f"{sql} AS {name}" for name, sql in MEASURES)
JOINED: Final = ", ".join(
    f"max({name}) AS {name}"
    if name == _LARGEST
    else f"sum({name})::{'DOUBLE' if name == 'bytes_squared' else 'BIGINT'} AS {name}"
    for name, _ in MEASURES
)
"""The same sums over rows that are sums already."""


def figures(sums: Mapping[str, Any], sample: float) -> Figures:
    """Return the figures of all keys from the sums over those that were read.

    Each key is in a sample or not by itself (its hash decides), so a count of ``n`` of them stands for ``n / p``, with a
    variance of ``n (1 - p) / p²`` (Horvitz and Thompson 1952); likewise the bytes, with their squares.
    """

    def scaled(value: Any) -> int:
        return round((value or 0) / sample)

    def distribution(kind: str, classes: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(scaled(sums[f"{kind}_{number}"]) for number in range(len(classes)))

    ttl = distribution("ttl", TTL_CLASSES)
    spread = _NORMAL_95 * math.sqrt(1 - sample) / sample
    return Figures(
        keys=scaled(sums["keys"]),
        bytes=scaled(sums["bytes"]),
        elements=scaled(sums["elements"]),
        without_ttl=ttl[-1],
        without_ttl_bytes=scaled(sums["without_ttl_bytes"]),
        expired=ttl[0],
        expired_bytes=scaled(sums["expired_bytes"]),
        largest=sums[_LARGEST] or 0,
        ttl=ttl,
        idle=distribution("idle", IDLE_CLASSES),
        size=distribution("size", SIZE_CLASSES),
        keys_margin=round(spread * math.sqrt(sums["keys"] or 0)),
        bytes_margin=round(spread * math.sqrt(sums["bytes_squared"] or 0)),
    )
