"""A keyspace as rows and columns: JSON for programs, CSV for spreadsheets, Parquet for DuckDB and its kin.

A row is a pattern, a database, a type …; ``by`` says what, and every ``by`` sums up to the same. The columns are the same in
all three formats, and new ones only join them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib import resources
from io import BytesIO, StringIO
from typing import Any, Final

from necropsy import __version__
from necropsy._internal.serialization import to_plain
from necropsy.model.keyspace import IDLE_CLASSES, SIZE_CLASSES, TTL_CLASSES, BigKey, Figures, Keyspace, KeyspaceRow
from necropsy.report.figures import iso

SCHEMA: Final = "necropsy/keys/1"
_SUMS: Final = (
    "keys", "bytes", "keys_share", "bytes_share", "elements", "without_ttl", "without_ttl_share", "without_ttl_bytes",
    "expired", "expired_bytes", "largest_bytes", "keys_margin_95", "bytes_margin_95",
)  # fmt: skip
_CHANGES: Final = ("keys_before", "keys_delta", "bytes_before", "bytes_delta")
DISTRIBUTIONS: Final = (("ttl", TTL_CLASSES), ("idle", IDLE_CLASSES), ("size", SIZE_CLASSES))
COLUMNS: Final = (
    "by",
    "name",
    *_SUMS,
    *_CHANGES,
    *(f"{kind}_{name}" for kind, names in DISTRIBUTIONS for name in names),
)
"""Columns of CSV and Parquet, in their order."""
_FRACTIONS: Final = frozenset({"keys_share", "bytes_share", "without_ttl_share"})


def as_json(keyspace: Keyspace) -> str:
    """Render everything as one JSON object, ended by a line break."""
    document = {
        "schema": SCHEMA,
        "necropsy": __version__,
        "sample": keyspace.sample,
        "total": _nested(_flat("total", keyspace.total, keyspace)),
        "groups": {by: [_nested(_flat(by, row, keyspace)) for row in rows] for by, rows in keyspace.groups},
        "biggest": [_big(key, shown=keyspace.keys_shown) for key in keyspace.biggest],
        "sources": [
            asdict(source) | {"taken_at": iso(source.taken_at) if source.taken_at is not None else None}
            for source in keyspace.sources
        ],
        "blemishes": [to_plain(blemish) for blemish in keyspace.blemishes],
        "absent": [to_plain(absent) for absent in keyspace.absent],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def schema() -> str:
    """Return the published JSON Schema of what ``as_json`` writes."""
    return resources.files(__package__).joinpath("schemas/keys-1.schema.json").read_text(encoding="utf-8")


def as_csv(keyspace: Keyspace) -> str:
    """Render the rows as comma-separated values with a heading (RFC 4180, but with plain line breaks)."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(keyspace):
        row["name"] = not_a_formula(row["name"])
        writer.writerow(row)
    return out.getvalue()


def as_parquet(keyspace: Keyspace) -> bytes:
    """Render the rows as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"by": pa.string(), "name": pa.string()} | dict.fromkeys(_FRACTIONS, pa.float64())
    schema = pa.schema([(name, types.get(name, pa.int64())) for name in COLUMNS])
    out = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(_rows(keyspace)), schema=schema), out, compression="zstd")
    return out.getvalue()


def _rows(keyspace: Keyspace) -> Iterator[dict[str, Any]]:
    for by, rows in keyspace.groups:
        for row in rows:
            yield _flat(by, row, keyspace)


def _flat(by: str, row: KeyspaceRow, keyspace: Keyspace) -> dict[str, Any]:
    figures, total = row.figures, keyspace.total.figures
    flat: dict[str, Any] = {
        "by": by,
        "name": row.name,
        "keys": figures.keys,
        "bytes": figures.bytes,
        "keys_share": _share(figures.keys, total.keys),
        "bytes_share": _share(figures.bytes, total.bytes),
        "elements": figures.elements,
        "without_ttl": figures.without_ttl,
        "without_ttl_share": _share(figures.without_ttl, figures.keys),
        "without_ttl_bytes": figures.without_ttl_bytes,
        "expired": figures.expired,
        "expired_bytes": figures.expired_bytes,
        "largest_bytes": figures.largest,
        "keys_margin_95": figures.keys_margin,
        "bytes_margin_95": figures.bytes_margin,
        "keys_before": row.before.keys if row.before else None,
        "keys_delta": row.keys_grown if row.before else None,
        "bytes_before": row.before.bytes if row.before else None,
        "bytes_delta": row.bytes_grown if row.before else None,
    }
    for kind, names in DISTRIBUTIONS:
        flat |= {f"{kind}_{name}": number for name, number in zip(names, _counts(figures, kind), strict=True)}
    return flat


def _counts(figures: Figures, kind: str) -> tuple[int, ...]:
    counts: tuple[int, ...] = getattr(figures, kind)
    return counts


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Return a row with each distribution as an object of its own."""
    nested = {name: flat[name] for name in ("name", *_SUMS, *_CHANGES)}
    for kind, names in DISTRIBUTIONS:
        nested[kind] = {name: flat[f"{kind}_{name}"] for name in names}
    return nested


def _big(key: BigKey, *, shown: bool) -> dict[str, Any]:
    named = {"key": key.name if shown else None, "hash": None if shown else key.name}
    return {"pattern": key.pattern, **named} | {
        name: value for name, value in asdict(key).items() if name not in {"pattern", "name"}
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def not_a_formula(name: str) -> str:
    """Return a name that a spreadsheet takes for text: keys are written by whoever fills the store.

    Source: OWASP, "CSV Injection".
    """
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
