"""Small keyspaces for tests: a batch of keys from plain mappings, and a whole case from batches or from a dump."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import settings

from blank_cases import blank_case
from necropsy.case.store import Case
from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.census import Census
from necropsy.sessions.jdk import INTEGER_HEADER, LONG_HEADER, STRING_HEADER
from necropsy.sessions.keyspace import Projection, key_schema
from necropsy.sessions.registry import projection
from necropsy.sessions.settle import settle

FEW = settings(max_examples=40)
"""Columns hold many examples each."""
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ASSETS = Path(__file__).parents[1] / "assets"
DUMPS = ASSETS / "spring"


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def long(value: int) -> bytes:
    return LONG_HEADER + struct.pack(">q", value)


def integer(value: int) -> bytes:
    return INTEGER_HEADER + struct.pack(">i", value)


def string(text: str) -> bytes:
    data = text.encode()
    return STRING_HEADER + struct.pack(">H", len(data)) + data


def key(name: str | bytes, kind: str = "string", **values: Any) -> dict[str, Any]:
    """One key; ``fields`` are hash fields (name to value), ``ttl_s`` counts from NOW."""
    fields: Mapping[str, bytes] = values.pop("fields", {})
    ttl_s = values.pop("ttl_s", None)
    row = {
        "db": 0,
        "key": name.encode() if isinstance(name, str) else name,
        "type": kind,
        "encoding": "raw",
        "expires_at": NOW.replace(tzinfo=None) + timedelta(seconds=ttl_s) if ttl_s is not None else None,
        "elements": len(fields),
        "bytes": 100,
        **values,
    }
    for field, value in fields.items():
        row |= {f"field:{field}": value, f"length:{field}": len(value)}
    return row


def batch(rows: Iterable[Mapping[str, Any]], wanted: Projection | None = None) -> pa.RecordBatch:
    """Rows as a reader hands them out, under the projection of all layouts, or another one."""
    schema = key_schema(wanted or projection())
    rows = list(rows)
    arrays = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, field.type.value_type).dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@contextlib.contextmanager
def settled(
    batches: Iterable[pa.RecordBatch], now: datetime = NOW, path: Path | None = None, described: tuple[Any, ...] = ()
) -> Iterator[Case]:
    """A case in which these batches were counted and settled as store ``a``."""
    with Case.create(path) if path else blank_case() as case:
        census = Census("a", now, case.hashes, described=described)
        for one in batches:
            for table, rows in census.take(one):
                case.append(table, rows)
        case.append("key_family", census.families())
        settle(case, census)
        yield case


@contextlib.contextmanager
def of_dump(
    name: str, path: Path | None = None, folder: Path = DUMPS, described: tuple[Any, ...] = ()
) -> Iterator[Case]:
    """A case of a dump, as of the moment when it was taken."""
    dump = open_dump(str(folder / f"{name}.rdb"), projection(described))
    batches = list(dump)
    assert dump.taken_at is not None
    with settled(batches, dump.taken_at, path, described) as case:
        yield case


def sessions(case: Case) -> list[dict[str, Any]]:
    return case.rows("SELECT * FROM session ORDER BY born_at, id_hash")


def families(case: Case) -> dict[str, tuple[str, int]]:
    """Pattern to role and number of keys."""
    return {row["pattern"]: (row["role"], row["keys"]) for row in case.rows("SELECT * FROM key_family")}
