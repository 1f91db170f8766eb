"""Readers, a package each: bytes or API answers become evidence. ``open_keyspace`` is the door to the keys of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from necropsy.wire.redis.address import is_address, parse_address

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from necropsy.evidence.rdb.reader import Dump
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.model.evidence import Absent, Blemish
    from necropsy.sessions.keyspace import Projection
    from necropsy.wire.redis.address import Address


_PATIENT_ROWS: Final = 16_384
"""Rows of a batch for who looks again and again beside other work: a quarter of the memory, a tenth more processor time."""


class OpenKeyspace(Protocol):
    """The keys of a dump or a server, while they are read: iterate over it once, then ask what it was."""

    @property
    def locator(self) -> str:
        """Path of the dump, or address of the server without user, password and options."""

    @property
    def is_live(self) -> bool:
        """Whether it is a server, whose keys may be written while they are read."""

    @property
    def facts(self) -> dict[str, str]:
        """Facts that the server or the dump reports of itself."""

    @property
    def taken_at(self) -> datetime | None:
        """Time at which the store was in this state, UTC; None when nothing tells."""

    @property
    def keys_read(self) -> int:
        """Keys handed out so far."""

    @property
    def blemishes(self) -> list[Blemish]:
        """Damaged or missing places; complete after the iteration."""

    @property
    def absent(self) -> Sequence[Absent]:
        """Evidence that could not be had."""

    @property
    def note(self) -> str:
        """The way in which a server was read, in a line; empty for a dump."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of keys: ``sessions.keyspace.key_schema`` of the projection."""

    def close(self) -> None:
        """Stop reading; iterating to the end does so too."""


def open_keyspace(
    where: str | Address,
    projection: Projection,
    *,
    name: str = "",
    live: LiveOptions | None = None,
    replicate: bool = True,
    each: bool = True,
    sample: float = 1.0,
    batch_rows: int | None = None,
    progress: Callable[[float | None], None] | None = None,
) -> OpenKeyspace:
    """Open the keys of a store for reading, dump or server, with their raw names and what a projection wants of values.

    Parameters
    ----------
    where
        A dump (a file, compressed or not, ``-``, the folder of an append-only file) or the address of a server.
    projection
        What to keep of the values.
    name
        What messages call a server's store; by default its address without secrets.
    live
        How a server is read.
    replicate
        Whether a server may be asked for its replication stream.
    each
        Ask a server for idle time, encoding and memory of each key; else, in a script, of some that are alike.
    sample
        Share of a dump's keys to hand out, the same ones every time.
    batch_rows
        Most rows of a batch; by default what each reader finds best.
    progress
        Called with the share that was read, 0 to 1, some hundred times; None when it is not known.

    Raises
    ------
    UnreadableSource
        Nothing is there, or nothing that can be read this way.
    UsageError
        The address, the read method or the latency budget is none.
    """
    if isinstance(where, str) and not is_address(where):
        from necropsy.evidence.rdb.reader import BATCH_ROWS, open_dump

        passed = _share_of(where, progress) if progress is not None else None
        return open_dump(where, projection, batch_rows=batch_rows or BATCH_ROWS, progress=passed, sample=sample)
    from necropsy.evidence.redis.node_report import BATCH_ROWS as LIVE_ROWS
    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.evidence.redis.reader import read_keys

    live = live or LiveOptions()
    if batch_rows is None and live.patient:
        batch_rows = _PATIENT_ROWS
    if isinstance(where, str):
        where = parse_address(where, password=live.password.reveal() if live.password else None)
    return read_keys(
        where,
        projection,
        store=name or where.masked,
        way=live.way,
        max_impact_s=live.max_impact_s,
        patient=live.patient,
        open_stream=partial(open_dump_stream, batch_rows=batch_rows) if replicate else None,
        progress=progress,
        batch_rows=batch_rows or LIVE_ROWS,
        each=each,
    )


def open_dump_stream(
    stream: BinaryIO,
    name: str,
    projection: Projection,
    *,
    batch_rows: int | None = None,
    verify_checksum: bool = True,
    allocator: str = "jemalloc",
) -> Dump:
    """Open the keys of a dump that is no file: a replication stream, a snapshot without a name, values in memory.

    Parameters
    ----------
    stream
        Has ``readinto``; it is closed when the iteration ends.
    name
        What messages call it.
    allocator
        That of the server, for the estimate of memory.

    The others, and errors, are as for ``open_keyspace``.
    """
    from necropsy.evidence.rdb.reader import BATCH_ROWS, open_stream

    return open_stream(
        stream,
        name,
        projection,
        batch_rows=batch_rows or BATCH_ROWS,
        verify_checksum=verify_checksum,
        allocator=allocator,
    )


def _share_of(path: str, progress: Callable[[float | None], None]) -> Callable[[int], None]:
    """Turn bytes of a dump that were read into the share of its file; of a compressed file the share is not known."""
    from necropsy.wire.files import is_packed, size_of

    size = None if is_packed(path) else size_of(path)
    return lambda done: progress(min(1.0, done / size) if size else None)
