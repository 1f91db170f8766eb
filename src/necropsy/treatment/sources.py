"""Keys of a live store for a purge: scanned, with values fetched later; and columns of values that were fetched."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from necropsy.sessions.registry import projection
from necropsy.treat.purge import payload as payloads

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence import OpenKeyspace
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.wire.redis.address import Address

_FIRST_OF_VALKEY: Final = 80
_ROWS: Final = 4096


class Scanned:
    """Keys by SCAN: values are fetched by the purge itself, shortly before they go."""

    from_snapshot = False

    def __init__(self, address: Address, options: LiveOptions) -> None:
        self._address = address
        self._options = options

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        keyspace = open_scan(self._address, self._options)
        try:
            yield from keyspace
        finally:
            keyspace.close()

    def payload(self, key: bytes, expires_ms: int) -> bytes | None:  # noqa: ARG002 -- the protocol's
        """Nothing: the server is asked."""
        return None

    def decoded(self, records: Sequence[tuple[bytes, bytes, int, int]], db: int) -> pa.RecordBatch:
        """Return the columns of fetched keys."""
        return decode(records, db)


def open_scan(address: Address, options: LiveOptions, *, batch_rows: int = _ROWS) -> OpenKeyspace:
    """Open a store for a scan, never for its replication stream."""
    from necropsy.evidence import open_keyspace

    return open_keyspace(address, projection(), live=options, replicate=False, each=False, batch_rows=batch_rows)


def decode(records: Sequence[tuple[bytes, bytes, int, int]], db: int) -> pa.RecordBatch:
    """Read payloads of DUMP as the reader of dumps does: as a dump of these keys alone.

    Parameters
    ----------
    records
        Key, payload, absolute expiry in milliseconds (-1: none), idle seconds (-1: not known).

    Raises
    ------
    UnreadableSource
        A payload that cannot be read.
    """
    import pyarrow as pa

    from necropsy.evidence import open_dump_stream
    from necropsy.model.errors import UnreadableSource

    version = payloads.version_of(records[0][1])
    magic = b"VALKEY%03d" % version if version >= _FIRST_OF_VALKEY else b"REDIS%04d" % version
    parts = [magic, b"\xfe", _length(db)]
    for key, payload, expires_ms, idle_s in records:
        if expires_ms >= 0:
            parts += (b"\xfc", expires_ms.to_bytes(8, "little"))
        if idle_s >= 0:
            parts += (b"\xf8", _length(idle_s))
        parts += (payload[:1], _length(len(key)), key, payloads.value_of(payload)[1:])
    parts.append(b"\xff" + bytes(8))
    stream = io.BytesIO(b"".join(parts))
    dump = open_dump_stream(stream, "fetched values", projection(), verify_checksum=False, batch_rows=len(records) + 1)
    batches = list(dump)
    if dump.blemishes or sum(batch.num_rows for batch in batches) != len(records):
        why = dump.blemishes[0].why if dump.blemishes else "some values are missing"
        raise UnreadableSource(f"fetched values cannot be read: {why}", hint="A newer necropsy may know this server.")
    return batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _length(count: int) -> bytes:
    """Return a length as an RDB has it, in 32 bits."""
    return b"\x80" + min(count, 0xFFFFFFFF).to_bytes(4, "big")
