"""Named tables as bytes: streams of Arrow with the name in the schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

_NAME: Final = b"table"


def packed(name: str, rows: pa.Table) -> bytes:
    """Return a table as bytes."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema.with_metadata({_NAME: name.encode()})) as writer:
        writer.write_table(rows)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def unpacked(data: bytes) -> tuple[str, pa.Table]:
    """Return name and rows of a table; the rows lie in the bytes."""
    import pyarrow as pa

    with pa.ipc.open_stream(data) as reader:
        rows = reader.read_all()
    return rows.schema.metadata[_NAME].decode(), rows.replace_schema_metadata()


def merged(parts: Iterable[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """Return tables of several parts, those of a name one behind the other."""
    import pyarrow as pa

    found: dict[str, list[pa.Table]] = {}
    for part in parts:
        for name, rows in part.items():
            found.setdefault(name, []).append(rows)
    return {name: pa.concat_tables(tables) for name, tables in found.items()}
