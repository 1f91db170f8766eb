"""Pieces of files, as the executors of a cluster read them with the reader of this room.

An executor writes its piece to its own disk and reads it as a file is read here. What comes out are rows of three kinds:

=======  ==================================================================================
row      columns that are not null
=======  ==================================================================================
line     those of ``line``; ``number`` is ``file << 44 | place``, so that lines keep their order
given    ``key``, ``text``
piece    ``text``: a ``Piece`` as JSON
=======  ==================================================================================

Nothing here needs what the driver needs: an executor imports neither Ibis nor pandas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import unquote

from necropsy.case.scratch import Scratch, open_scratch
from necropsy.evidence.access_log import lines, loading
from necropsy.evidence.access_log.backends.interface import KIND, Part, Wanted, unrecognised
from necropsy.evidence.access_log.formats.layout import LogFormat
from necropsy.evidence.access_log.formats.unfit import noted
from necropsy.evidence.access_log.sources import LogFile, attach, spool
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.visits.tables import GIVEN, LINE, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.visits.engines.interface import Function

A_LINE, A_TEXT, A_PIECE = 0, 1, 2
ROW: Final[Mapping[str, str]] = {"kind": "int8", **LINE, **GIVEN}
"""Columns of a row, of whatever kind."""
AT_ONCE: Final = 100_000
"""Rows of a batch that an executor hands over."""
_OF_A_FILE: Final = 44
"""Bits of a line's number that are its place in the file: 17 TB."""


@dataclass(slots=True)
class Piece:
    """What became of a piece of a file."""

    file: int
    start: int
    """Byte of the file with which it begins."""
    note: str = ""
    lines: int = 0
    requests: int = 0
    last_us: int | None = None
    """Time of its last request, of whatever time was asked for."""
    kept: int = 0
    """Requests of the time that was asked for, and the first and last of them."""
    first_kept_us: int | None = None
    last_kept_us: int | None = None
    damage: str = ""
    absent: tuple[str, str] | None = None
    """Why it could not be read, and what to do."""
    blemishes: list[tuple[str, int, str, str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A file as Spark knows it."""

    locator: str
    """As given."""
    path: str
    """As Spark calls it, not percent-encoded."""
    packed: bool
    head: tuple[str, ...]
    """Its first lines: every piece has the layout that these have."""


def count(part: Part, file: File, pieces: Sequence[Piece], formats: Sequence[LogFormat] = ()) -> None:
    """Count the pieces of a file in."""
    notes = list(dict.fromkeys(note for piece in pieces if piece.note for note in piece.note.split("; then ")))
    refused = next((piece.absent for piece in pieces if piece.absent is not None), None)
    damage = next((piece.damage for piece in pieces if piece.damage), "")
    if not notes:
        reason = refused or unrecognised(damage, file.head, formats)
        part.absent.append(Absent(KIND, file.locator, *reason))
        return
    last = max((piece.last_us for piece in pieces if piece.last_us is not None), default=None)
    taken_at = None if last is None else lines.moment(last)
    note = noted("; then ".join(notes), formats, file.head)
    part.sources.append(Source(KIND, file.locator, taken_at, None, None, None, note))
    part.requests += sum(piece.kept for piece in pieces)
    moments = [at for piece in pieces for at in (piece.first_kept_us, piece.last_kept_us) if at is not None]
    if moments:
        part.first_us = min([*moments, *([] if part.first_us is None else [part.first_us])])
        part.last_us = max([*moments, *([] if part.last_us is None else [part.last_us])])
    found: dict[tuple[str, str], Blemish] = {}
    before = 0
    for piece in pieces:
        for unit, place, why, sample, count in piece.blemishes:
            known = found.get((unit, why))
            at = place + before if unit == "line" else place + piece.start
            found[unit, why] = (
                Blemish(file.locator, unit, at, why, sample, count)
                if known is None
                else Blemish(file.locator, unit, known.place, why, known.sample, known.count + count)
            )
        before += piece.lines
    part.blemishes += found.values()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pieces on an executor."""

    files: tuple[File, ...]
    formats: tuple[LogFormat, ...]
    wanted: Wanted

    def plain(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read lines, batch by batch: those of one piece stand together, but one task may have several pieces."""
        number = {file.path: i for i, file in enumerate(self.files)}
        with open_scratch() as scratch:
            out: BinaryIO | None = None
            current: tuple[str, int] | None = None
            for key, data in _by_piece(batches):
                if key != current:
                    if out is not None and current is not None:
                        out.close()
                        yield from self._piece(scratch, number[path_of(current[0])], current[1])
                    out = (scratch.folder / "piece").open("wb")
                    current = key
                assert out is not None  # noqa: S101 -- for the type checker
                out.write(data)
            if out is not None and current is not None:
                out.close()
                yield from self._piece(scratch, number[path_of(current[0])], current[1])

    def packed(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Unpack and read files."""
        number = {file.path: i for i, file in enumerate(self.files)}
        with open_scratch() as scratch:
            for batch in batches:
                for path, content in zip(batch["path"].to_pylist(), batch["content"], strict=True):
                    copy = scratch.folder / "packed"
                    copy.write_bytes(content.as_buffer())
                    attached = attach(str(copy), scratch.folder, 0)
                    with attached.open() as stream:
                        file = spool(str(copy), stream, scratch.folder / "piece")
                    yield from self._piece(scratch, number[path_of(path)], 0, file.damage)

    def _piece(self, scratch: Scratch, number: int, start: int, damage: str = "") -> Iterator[pa.RecordBatch]:
        """Read the piece that was written to the disk."""
        file = self.files[number]
        said = Piece(number, start, damage=damage)
        lines.create_tables(scratch)
        try:
            piece = LogFile(file.locator, scratch.folder / "piece", "none", damage)
            loaded = loading.load(scratch, piece, self.formats, head=file.head)
        except UnreadableSource as error:
            said.absent = (error.message, error.hint)
        else:
            said.note, said.lines, said.requests = loaded.note, loaded.lines, loaded.requests
            said.last_us = None if loaded.last_at is None else lines.microseconds(loaded.last_at)
            said.blemishes = [(b.unit, b.place, b.why, b.sample, b.count) for b in loaded.blemishes]
            said.kept = loaded.requests - lines.finish(scratch, self.wanted.condition)
            said.first_kept_us, said.last_kept_us = scratch.rows("SELECT min(time_us), max(time_us) FROM line")[0]
            yield from self._rows(scratch, (number << _OF_A_FILE) + start + (start > 0))
        yield _batch({"kind": [A_PIECE], "text": [json.dumps(asdict(said))]})

    def _rows(self, scratch: Scratch, first: int) -> Iterator[pa.RecordBatch]:
        for table, kind, names in (("line", A_LINE, LINE), ("given", A_TEXT, GIVEN)):
            chosen = ", ".join(f"number + {first} AS number" if name == "number" else name for name in names)
            query = f"SELECT {kind}::TINYINT AS kind, {chosen} FROM {table}"
            for batch in scratch.connection.sql(query).to_arrow_reader(AT_ONCE):
                yield _batch({name: batch[name] for name in batch.schema.names})


def _by_piece(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[tuple[str, int], memoryview]]:
    """Yield path and start of a piece, and some of its lines with their newlines."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing, newline = (pa.scalar(data, pa.large_binary()) for data in (b"", b"\n"))
    for batch in batches:
        paths, starts, values = batch["path"], batch["start"], batch["value"]
        at = 0
        while at < batch.num_rows:
            key = paths[at].as_py(), starts[at].as_py()
            same = pc.and_(pc.equal(paths.slice(at), key[0]), pc.equal(starts.slice(at), key[1]))
            end = pc.index(same, pa.scalar(value=False)).as_py()
            end = batch.num_rows if end < 0 else at + end
            some = values.slice(at, end - at).cast(pa.large_binary())
            joined = pc.binary_join_element_wise(some, nothing, newline)
            _, offsets, data = joined.buffers()
            places = np.frombuffer(offsets, np.int64)[joined.offset : joined.offset + len(joined) + 1]
            yield key, memoryview(data)[int(places[0]) : int(places[-1])]
            at = end


def path_of(uri: str) -> str:
    """Return a path as the driver knows it: Spark calls files ``file:/var/log/a%20b.log``.

    >>> path_of("file:/var/log/a%20b.log"), path_of("file:///var/log/x"), path_of("hdfs://name/logs/x%25")
    ('/var/log/a b.log', '/var/log/x', 'hdfs://name/logs/x%')
    """
    return re.sub(r"^file:/*", "/", unquote(uri))


def _batch(columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Return rows with every column that a row may have, the others null."""
    import pyarrow as pa

    schema = arrow_schema(ROW)
    size = len(columns["kind"])
    arrays = []
    for column in schema:
        given = columns.get(column.name)
        if given is None:
            arrays.append(pa.nulls(size, column.type))
        else:
            arrays.append(given.cast(column.type) if isinstance(given, pa.Array) else pa.array(given, column.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class OnPartition:
    """Applies a function to a whole partition, which holds all rows of its keys."""

    function: Function
    schema: Mapping[str, str]
    """Of what the function returns."""

    def apply(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what the function makes of the rows; nothing of none."""
        import pyarrow as pa

        rows = list(batches)
        if sum(batch.num_rows for batch in rows):
            made = self.function(pa.Table.from_batches(rows)).cast(arrow_schema(self.schema)).combine_chunks()
            yield from made.to_batches(max_chunksize=AT_ONCE)
