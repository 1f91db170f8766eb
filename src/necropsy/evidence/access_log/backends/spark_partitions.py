"""Spark partitions: parts of files that the executors of a cluster read, with the same reader as ``local``.

An executor has its piece on its own disk and reads it as a file is read here. What comes out are pairs: a partition, and some
rows for it (lines of its flows, texts of its keys). Under ``TO_THE_DRIVER`` is what the driver adds up: what became of the
piece, and what was counted of its lines.

Nothing here needs what the driver needs: an executor imports no more of Spark than its own Python worker does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote

from necropsy.case.scratch import Scratch, open_scratch
from necropsy.evidence.access_log import lines, loading
from necropsy.evidence.access_log.backends.interface import KIND, Part, WantedLines, unrecognised
from necropsy.evidence.access_log.files.copies import count_lines
from necropsy.evidence.access_log.files.sources import LogFile, attach, spool
from necropsy.evidence.access_log.formats.layout import NamedLogFormat
from necropsy.evidence.access_log.formats.unfit import noted
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Absent, Blemish, Source
from necropsy.visits.partitioned import counting
from necropsy.visits.partitioned.packing import packed, unpacked

if TYPE_CHECKING:
    import pyarrow as pa

TO_THE_DRIVER: Final = -1
"""Stands for a partition, where the driver is meant."""
PAIR: Final = "part int, data binary"
"""A pair, as Spark's tables have it."""
_COPIED: Final = 1 << 20
"""Bytes of a file that are copied at a time."""
_OF_A_FILE: Final = 44
"""Bits of a line's number that are its place in the file: 17 TB."""


@dataclass(slots=True)
class Piece:
    """The result of reading a piece of a file."""

    file: int
    start: int
    """Byte of the file with which it begins."""
    note: str = ""
    lines: int = 0
    requests: int = 0
    starts: int = 0
    """Requests whose time is their start."""
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
    size: int = 0
    """Bytes, as it was when the driver looked; of one that Spark reads: not known."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a file that an executor opens by itself: the lines that begin in it."""

    file: int
    start: int
    end: int


def stretches(files: Sequence[File], at_most: int) -> list[list[Stretch]]:
    """Cut files that executors can open, and give each task as many bytes as it may have.

    >>> [len(task) for task in stretches([File("a", "/a", False, (), 250), File("b", "/b", True, (), 40)], 100)]
    [1, 1, 2]
    """
    tasks: list[list[Stretch]] = []
    room = 0
    for number, file in enumerate(files):
        step = max(file.size, 1) if file.packed else at_most
        for start in range(0, max(file.size, 1), step):
            stretch = Stretch(number, start, min(start + step, file.size))
            length = stretch.end - start
            if not tasks or length > room:
                tasks.append([])
                room = at_most
            tasks[-1].append(stretch)
            room -= length
    return tasks


def count(part: Part, file: File, pieces: Sequence[Piece], formats: Sequence[NamedLogFormat] = ()) -> None:
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
    part.starts += sum(piece.starts for piece in pieces)
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
    """Reads pieces on an executor, into so many partitions."""

    files: tuple[File, ...]
    formats: tuple[NamedLogFormat, ...]
    wanted: WantedLines
    partitions: int
    one_in: int
    """Of so many different lines one is counted, to tell whether all are there twice."""

    def here(self, tasks: Iterable[list[Stretch]]) -> Iterator[tuple[int, bytes]]:
        """Open files, and read stretches of them.

        Raises
        ------
        OSError
            This machine has no such file: the driver had it.
        """
        with open_scratch() as scratch:
            for stretch in (stretch for task in tasks for stretch in task):
                file, piece = self.files[stretch.file], scratch.folder / "piece"
                if file.packed:
                    start, damage = 0, _unpack(file.path, piece, scratch)
                else:
                    start, damage = _cut(file.path, stretch, piece)
                yield from self._piece(scratch, stretch.file, start, damage)

    def plain(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Read lines, batch by batch: those of one piece stand together, but one task may have several pieces."""
        number = {path_of(file.path, quoted=False): i for i, file in enumerate(self.files)}
        with open_scratch() as scratch:
            out: BinaryIO | None = None
            current: tuple[str, int] | None = None
            for key, data in _by_piece(batches):
                if key != current:
                    if out is not None and current is not None:
                        out.close()
                        yield from self._pairs(scratch, number[path_of(current[0])], current[1])
                    out = (scratch.folder / "piece").open("wb")
                    current = key
                assert out is not None  # noqa: S101 -- for the type checker
                out.write(data)
            if out is not None and current is not None:
                out.close()
                yield from self._pairs(scratch, number[path_of(current[0])], current[1])

    def packed(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Unpack and read files."""
        number = {path_of(file.path, quoted=False): i for i, file in enumerate(self.files)}
        with open_scratch() as scratch:
            for batch in batches:
                for path, content in zip(batch["path"].to_pylist(), batch["content"], strict=True):
                    copy = scratch.folder / "packed"
                    copy.write_bytes(content.as_buffer())
                    damage = _unpack(str(copy), scratch.folder / "piece", scratch)
                    yield from self._pairs(scratch, number[path_of(path)], 0, damage)

    def _pairs(self, scratch: Scratch, number: int, start: int, damage: str = "") -> Iterator[pa.RecordBatch]:
        """Read the piece that was written to the disk; its pairs one by one, as they are large."""
        import pyarrow as pa

        for part, data in self._piece(scratch, number, start, damage):
            columns = [pa.array([part], pa.int32()), pa.array([data], pa.binary())]
            yield pa.RecordBatch.from_arrays(columns, names=["part", "data"])

    def _piece(self, scratch: Scratch, number: int, start: int, damage: str = "") -> Iterator[tuple[int, bytes]]:
        """Read the piece that was written to the disk."""
        import pyarrow as pa

        file = self.files[number]
        said = Piece(number, start, damage=damage)
        counts: dict[str, pa.Table] = {}
        lines.create_tables(scratch)
        try:
            piece = LogFile(file.locator, scratch.folder / "piece", "none", damage)
            loaded = loading.load(scratch, piece, self.formats, head=file.head)
        except UnreadableSource as error:
            said.absent = (error.message, error.hint)
        else:
            said.note, said.lines, said.requests, said.starts = (
                loaded.note,
                loaded.lines,
                loaded.requests,
                loaded.starts,
            )
            said.last_us = None if loaded.last_at is None else lines.microseconds(loaded.last_at)
            said.blemishes = [(b.unit, b.place, b.why, b.sample, b.count) for b in loaded.blemishes]
            said.kept = loaded.requests - lines.finish(scratch, self.wanted.condition)
            said.first_kept_us, said.last_kept_us = scratch.rows("SELECT min(time_us), max(time_us) FROM line")[0]
            if said.kept:
                counts = {**counting.counts(scratch), "equal_lines": count_lines(scratch, self.one_in)}
                first = (number << _OF_A_FILE) + start + (start > 0)
                yield from counting.split(scratch, self.partitions, first)
        yield TO_THE_DRIVER, _said(number, start, {"piece": pa.table({"text": [json.dumps(asdict(said))]}), **counts})


def _said(number: int, start: int, tables: Mapping[str, pa.Table]) -> bytes:
    """Return what is said of a piece as bytes that name the piece: if it is read again, it is not counted twice."""
    import pyarrow as pa

    rows = [packed(name, rows) for name, rows in tables.items()]
    columns = {"file": [number] * len(rows), "start": [start] * len(rows), "data": pa.array(rows, pa.binary())}
    return packed("said", pa.table(columns))


def said_by_piece(data: bytes) -> tuple[tuple[int, int], dict[str, pa.Table]]:
    """Return of what piece something is said, and the tables."""
    _, rows = unpacked(data)
    tables = dict(unpacked(one.as_buffer()) for one in rows["data"])
    return (rows["file"][0].as_py(), rows["start"][0].as_py()), tables


def _unpack(path: str, piece: Path, scratch: Scratch) -> str:
    """Write a packed file as it is inside; return its damage."""
    link = scratch.folder / "log-0"
    link.unlink(missing_ok=True)
    attached = attach(path, scratch.folder, 0)
    with attached.open() as stream:
        return spool(path, stream, piece).damage


def _cut(path: str, stretch: Stretch, piece: Path) -> tuple[int, str]:
    """Write the lines that begin in a stretch; return where the first of them does, and what is missing."""
    with Path(path).open("rb") as source, piece.open("wb") as out:
        start = stretch.start
        if start:
            source.seek(start - 1)  # the byte before: a line begins here if it is a newline
            start = start - 1 + _through_newline(source, None)
        if start >= stretch.end:
            return stretch.start, ""
        source.seek(start)
        at, last = start, b""
        while at < stretch.end:
            chunk = source.read(min(_COPIED, stretch.end - at))
            if not chunk:
                return start, "gone: the file became shorter while it was read"
            out.write(chunk)
            at, last = at + len(chunk), chunk[-1:]
        if last != b"\n":
            _through_newline(source, out)
    return start, ""


def _through_newline(source: BinaryIO, out: BinaryIO | None) -> int:
    """Pass over what is left of a line, its newline included, and write it; return its length."""
    length = 0
    while chunk := source.readline(_COPIED):
        length += len(chunk)
        if out is not None:
            out.write(chunk)
        if chunk.endswith(b"\n"):
            break
    return length


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


def path_of(uri: str, *, quoted: bool = True) -> str:
    """Return a path as the driver knows it: Spark calls files ``file:/var/log/a%20b.log``.

    >>> path_of("file:/var/log/a%20b.log"), path_of("file:///var/log/x"), path_of("hdfs://name/logs/x%25")
    ('/var/log/a b.log', '/var/log/x', 'hdfs://name/logs/x%')
    """
    return re.sub(r"^file:/*", "/", unquote(uri) if quoted else uri)
