"""Keys with their values from a server's own snapshot: the journal costs the server a fork, and no DUMP for each key.

The dump is taken off the wire at full speed into a file without a name (mode 0600, beside the journal), so that a purge
that rests never holds up the server's child. The values of a batch of keys are found in it again from where the batch
begins, record by record. What is behind a stream or a value of a module is fetched.
"""

from __future__ import annotations

import mmap
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from necropsy.model.errors import NecropsyError
from necropsy.sessions.registry import projection
from necropsy.treat.purge import payload as payloads
from necropsy.treatment.sources import Scanned, decode

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.redis.options import LiveOptions
    from necropsy.treat.purge.batch import PurgeSource
    from necropsy.treat.purge.stores import Primary, WritableStore
    from necropsy.wire.redis.address import Address

_PIECE: Final = 1 << 20
_ROWS: Final = 2048
"""Keys of one batch: each session of it is an object for a while."""
_MAGIC: Final = re.compile(rb"(?:REDIS|VALKEY)(\d+)")
_HEADER: Final = 9
"""Bytes before the first opcode of a dump: ``REDIS0012``."""
WORTH_A_FORK: Final = 200_000
"""Keys from which on a snapshot is sooner taken than values are fetched."""


class SnapshotRefused(NecropsyError):  # noqa: N818 -- what happened
    """No snapshot can be had, or not safely."""


class Snapshot:
    """Keys and values of a store as its servers wrote them when the purge began.

    Parameters
    ----------
    folder
        Where the dumps lie while they are needed, without a name.
    otherwise
        Where keys come from when the first server sends no snapshot; None: that is an error.
    """

    def __init__(
        self, address: Address, store: WritableStore, folder: Path, *, otherwise: PurgeSource | None = None
    ) -> None:
        self.from_snapshot = True
        self._otherwise = otherwise
        self._address = address
        self._store = store
        self._folder = folder
        self._memory: mmap.mmap | None = None
        self._version = 0
        self._begin = self._end = 0
        """Where the batch of the moment begins in the dump, and where it ends."""
        self._places: dict[tuple[bytes, int], payloads.Place | None] | None = None
        """Its keys by name and expiry, once somebody asks."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for number, primary in enumerate(list(self._store.primaries)):
            with tempfile.TemporaryFile(dir=self._folder) as file:
                try:
                    self._receive(primary, file.fileno())
                except SnapshotRefused:
                    if number or self._otherwise is None:
                        raise
                    self.from_snapshot = False
                    file.truncate(0)
                    yield from self._otherwise
                    return
                yield from self._read(primary, file.fileno())

    def payload(self, key: bytes, expires_ms: int) -> bytes | None:
        """Return the payload of a key, not sealed yet; None: the server is to be asked."""
        memory = self._memory
        if memory is None:
            return None
        if self._places is None:
            self._places = {}
            for place in payloads.places(memory, self._begin, self._end):
                name = place.key, place.expires_ms
                self._places[name] = place if name not in self._places else None  # in two databases
        found = self._places.get((key, expires_ms))
        if found is None or memory[found.at] not in payloads.RESTORABLE:
            return None
        return payloads.unsealed(memory[found.at : found.at + 1] + memory[found.value : found.end], self._version)

    def decoded(self, records: Sequence[tuple[bytes, bytes, int, int]], db: int) -> pa.RecordBatch:
        """Return the columns of fetched keys."""
        return decode(records, db)

    def _receive(self, primary: Primary, descriptor: int) -> None:
        from necropsy.wire.redis.replication import StreamRefused, open_stream
        from necropsy.wire.redis.topology import RedisNode

        try:
            stream = open_stream(
                self._address, RedisNode(primary.endpoint), valkey=primary.info.get("valkey_version", "")
            )
        except StreamRefused as error:
            raise SnapshotRefused(
                f"{primary.name} sends no snapshot: {error}", hint="Use --journal-by dump, or ACL +sync +replconf."
            ) from None
        with stream:
            buffer = memoryview(bytearray(_PIECE))
            while count := stream.readinto(buffer):
                rest = buffer[:count]
                try:
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                except OSError as error:
                    raise SnapshotRefused(
                        f"{self._folder}: the snapshot of {primary.name} does not fit: {error.strerror}",
                        hint="Make room there, or use --journal-by dump. What was deleted is in the journal.",
                    ) from error
            if stream.why_not:
                raise SnapshotRefused(
                    f"{primary.name}: its snapshot ended early: {stream.why_not}", hint="Use --journal-by dump."
                )

    def _read(self, primary: Primary, descriptor: int) -> Iterator[pa.RecordBatch]:
        import pyarrow.compute as pc

        from necropsy.evidence import open_dump_stream

        os.lseek(descriptor, 0, os.SEEK_SET)
        self._memory = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        self._version = _version(self._memory)
        self._begin = _HEADER

        try:
            with os.fdopen(os.dup(descriptor), "rb") as stream:
                os.lseek(descriptor, 0, os.SEEK_SET)
                dump = open_dump_stream(
                    cast("BinaryIO", stream),
                    f"the snapshot of {primary.name}",
                    projection(),
                    batch_rows=_ROWS,
                )
                for batch in dump:
                    db = self._address.db
                    self._end, self._places = dump.offset, None
                    yield batch if db is None else batch.filter(pc.equal(batch["db"], db))
                    self._begin = self._end
                    # What is behind us need not stay in memory.
                    self._memory.madvise(mmap.MADV_DONTNEED, 0, self._end // mmap.PAGESIZE * mmap.PAGESIZE)
                if dump.blemishes:
                    raise SnapshotRefused(
                        f"{primary.name}: its snapshot is damaged: {dump.blemishes[0].why}",
                        hint="Use --journal-by dump.",
                    )
        finally:
            self._memory.close()
            self._memory = None


def choose_source(
    by: str, address: Address, store: WritableStore, folder: Path, options: LiveOptions
) -> tuple[PurgeSource, list[str]]:
    """Choose where keys and values come from, and say why.

    Parameters
    ----------
    by
        ``snapshot``, ``dump``, or ``auto``: a snapshot where it is worth it and safe.
    folder
        Where a dump may lie while it is needed.
    """
    scanned = Scanned(address, options)
    if by == "dump" or (by == "auto" and keys_of(store) < WORTH_A_FORK):
        return scanned, []
    danger = why_not(store, options.max_impact_s)
    if not danger:
        return Snapshot(address, store, folder, otherwise=scanned if by == "auto" else None), []
    if by == "snapshot":
        raise SnapshotRefused(f"no snapshot: {danger}", hint="Use --journal-by dump: each value is then read by DUMP.")
    return scanned, [f"values are read one by one, because no snapshot is taken: {danger}"]


def why_not(store: WritableStore, max_impact_s: float) -> str:
    """Return why no snapshot should be taken; empty when it may be."""
    from necropsy.evidence.redis.fork_memory import why_not_fork
    from necropsy.evidence.redis.host import host_facts

    for primary in store.primaries:
        info = primary.stats()
        danger = why_not_fork(info | host_facts(info, local=primary.endpoint.local), max_impact_s)
        if danger:
            return f"{primary.name}: {danger}"
        said = primary.pipeline([(b"CONFIG", b"GET", b"repl-diskless-sync")])[0]
        if not (isinstance(said, list) and said[1:] == [b"yes"]):
            return f"{primary.name}: repl-diskless-sync is not yes, so it would overwrite its dump file"
    return ""


def keys_of(store: WritableStore) -> int:
    """Return how many keys a store has."""
    from necropsy.wire.redis.info import databases

    return sum(sum(databases(primary.info).values()) for primary in store.primaries)


def _version(dump: bytes | mmap.mmap) -> int:
    r"""Return the version of a dump, which the server that wrote it accepts as that of a payload; 0: no dump.

    >>> _version(b"REDIS0012\xfa"), _version(b"VALKEY080\xfa"), _version(b"")
    (12, 80, 0)
    """
    found = _MAGIC.match(dump[:9])
    return int(found[1]) if found else 0
