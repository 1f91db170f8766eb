"""Traffic as rows and columns: JSON for programs, CSV for spreadsheets, Parquet for DuckDB and its kin.

A row is a visitor class. The columns are the same in all three formats, and new ones only join them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from importlib import resources
from io import BytesIO, StringIO
from typing import Any, Final

from necropsy import __version__
from necropsy._internal.serialization import to_plain
from necropsy.model.traffic import LIKELIHOODS, Traffic, Visitor
from necropsy.report.commands.keys_rows import not_a_formula
from necropsy.report.figures import iso

SCHEMA: Final = "necropsy/traffic/1"
_TEXTS: Final = (
    "log",
    "client",
    "user_agent",
    "agent",
    "agent_kind",
    "host",
    "method",
    "path",
    "followed_to",
    "sessions",
    "because",
    "rhythm",
)
_TIMES: Final = ("first_at", "last_at")
_WHOLE: Final = ("status", "visits", "requests", "probers")
COLUMNS: Final = (
    "log", "client", "user_agent", "agent", "agent_kind", "host", "method", "path", "status", "followed_to", "visits",
    "requests", "first_at", "last_at", "period_s", "phase_s", "phase_spread_s", "coverage", "rhythm",
    "probers", "sessions", "because",
)  # fmt: skip
"""Columns of CSV and Parquet, and keys of a visitor in JSON, in their order."""


def schema() -> str:
    """Return the published JSON Schema of what ``as_json`` writes."""
    return resources.files(__package__).joinpath("schemas/traffic-1.schema.json").read_text(encoding="utf-8")


def as_json(traffic: Traffic, *, limit: int | None = None) -> str:
    """Render everything as one JSON object, a visitor a line, ended by a line break; ``limit``: most visitors."""
    parts = []
    for key, value in document(traffic, limit=limit).items():
        if key == "visitors" and value:  # indenting is done in Python, and tens of thousands take seconds
            text = "[\n" + ",\n".join(f"    {_dumped(visitor)}" for visitor in value) + "\n  ]"
        else:
            text = _dumped(value, indent=2).replace("\n", "\n  ")
        parts.append(f'  "{key}": {text}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _dumped(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


def document(traffic: Traffic, *, limit: int | None = None) -> dict[str, Any]:
    """Return what ``as_json`` writes; totals are those of all visitors, whatever the limit."""
    return {
        "schema": SCHEMA,
        "necropsy": __version__,
        "first_at": iso(traffic.first_at) if traffic.first_at is not None else None,
        "last_at": iso(traffic.last_at) if traffic.last_at is not None else None,
        "requests": traffic.requests,
        "visits": traffic.visits,
        "classes": len(traffic.visitors),
        "periodic": traffic.periodic.classes,
        "clients_hashed": traffic.clients_hashed,
        "visits_by_sessions": {name: traffic.of(name).visits for name in LIKELIHOODS},
        "visitors": [_value(visitor) for visitor in traffic.visitors[:limit]],
        "sources": [
            {
                "locator": source.locator,
                "note": source.note,
                "last_at": iso(source.taken_at) if source.taken_at is not None else None,
                "sha256": source.sha256,
                "size": source.size,
            }
            for source in traffic.sources
        ],
        "blemishes": [to_plain(blemish) for blemish in traffic.blemishes],
        "absent": [to_plain(absent) for absent in traffic.absent],
    }


def as_csv(traffic: Traffic, *, limit: int | None = None) -> str:
    """Render the visitors as comma-separated values with a heading (RFC 4180, but with plain line breaks)."""
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(traffic, limit):
        writer.writerow(
            {name: not_a_formula(value) if isinstance(value, str) else value for name, value in row.items()}
            | {name: iso(row[name]) for name in _TIMES}
        )
    return out.getvalue()


def as_parquet(traffic: Traffic, *, limit: int | None = None) -> bytes:
    """Render the visitors as a Parquet file; times are UTC, to the microsecond."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = (
        dict.fromkeys(_TEXTS, pa.string())
        | dict.fromkeys(_TIMES, pa.timestamp("us", tz="UTC"))
        | dict.fromkeys(_WHOLE, pa.int64())
    )
    fields = pa.schema([(name, types.get(name, pa.float64())) for name in COLUMNS])
    out = BytesIO()
    pq.write_table(pa.Table.from_pylist(list(_rows(traffic, limit)), schema=fields), out, compression="zstd")
    return out.getvalue()


def _rows(traffic: Traffic, limit: int | None) -> Iterator[dict[str, Any]]:
    for visitor in traffic.visitors[:limit]:
        yield {name: getattr(visitor, name) for name in COLUMNS}


def _value(visitor: Visitor) -> dict[str, Any]:
    return {
        name: iso(value) if name in _TIMES else value for name, value in ((n, getattr(visitor, n)) for n in COLUMNS)
    }
