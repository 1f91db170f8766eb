"""Scan plain lines on all cores at once; lines that are not plain are set aside for ``duckdb_reader``."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from necropsy.evidence.access_log import lines
from necropsy.evidence.access_log.files.joined_lines import has_hole, has_lone_return, narrowed, parted
from necropsy.evidence.access_log.files.sources import LogFile
from necropsy.evidence.access_log.formats.fields.cookies import IN_HEADER
from necropsy.evidence.access_log.formats.layout import MAXIMUM_LINE
from necropsy.wire.files import CHUNK, chunks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.scanner.plan import Plan
    from necropsy.evidence.access_log.scanner.scan import LineScanner

_PIECE: Final = 1 << 21
"""Bytes that are scanned at a time."""
_THREADS: Final = 8
_AHEAD: Final = 10
"""Pieces that are on their way at least: so many are scanned while a million rows are handed over."""
_SHORT: Final = 256
"""Bytes of a line that may be nothing but white space."""


@dataclass(frozen=True, slots=True)
class Hard:
    """Lines that are not plain, in a file of their own."""

    file: LogFile
    numbers: NDArray[np.int64]
    """Which lines of the log they are, from 0."""
    lines: int
    """How many lines the whole log has."""


def read(
    file: LogFile,
    plan: Plan,
    first_number: int,
    writer: lines.Writer,
    copy: Path,
    report_bytes: Callable[[int], object] | None = None,
) -> Hard:
    """Read the plain lines of a file into the tables.

    Parameters
    ----------
    first_number
        Number of the file's first line.
    copy
        Where the others are written.
    report_bytes
        Called after each piece with the bytes that were scanned.
    """
    import numpy as np

    threads = min(_THREADS, os.cpu_count() or 1)
    scanners: SimpleQueue[LineScanner] = SimpleQueue()
    for _ in range(threads):
        scanners.put(lines.scanner(plan))

    def scan(piece: _Piece) -> tuple[_Piece, dict[str, Any]]:
        scanner = scanners.get()
        try:
            return piece, scanner.scan(piece.data, 0, piece.stop)
        finally:
            scanners.put(scanner)

    counted = scanned = 0
    numbers = [np.empty(0, np.int64)]
    with copy.open("wb") as out, file.open() as stream, ThreadPoolExecutor(max_workers=threads) as pool:
        pieces = _Pieces(stream, packed=file.compression != "none")
        for piece, found in _in_order(pool, scan, pieces, max(_AHEAD, 2 * threads)):
            _write(writer, first_number + counted, found)
            numbers.append(_set_aside(piece.data, found, out) + counted)
            counted += found["lines"]
            scanned += piece.stop
            pieces.give_back(piece)
            if report_bytes is not None:
                report_bytes(scanned)
    writer.flush()
    damage = f"{pieces.damage}, after byte {pieces.bytes:,} of what it holds" if pieces.damage else file.damage
    return Hard(LogFile(file.locator, copy, "none", damage), np.concatenate(numbers), counted)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whole lines: the beginning of a buffer. The last line of a file may lack its newline."""

    data: bytearray
    stop: int


class _Pieces:
    """The pieces of a file, read into a few buffers that are used again and again."""

    def __init__(self, stream: BinaryIO, *, packed: bool) -> None:
        self.bytes = 0
        self.damage = ""
        self._stream = stream
        self._steps = self._chunks() if packed else None
        self._free: list[bytearray] = []

    def give_back(self, piece: _Piece) -> None:
        """Take back a piece that nobody needs any more."""
        self._free.append(piece.data)

    def __iter__(self) -> Iterator[_Piece]:
        open_line = b""
        while True:
            size = len(open_line)
            buffer = self._free.pop() if self._free else bytearray(_PIECE + 2 * CHUNK)
            if size + _PIECE + CHUNK > len(buffer):
                buffer = bytearray(size + _PIECE + CHUNK)
            buffer[:size] = open_line
            size += self._fill(buffer, size)
            if size == len(open_line):
                break
            last = buffer.rfind(b"\n", 0, size) + 1
            open_line = narrowed(bytes(buffer[last:size]))
            if last:
                yield _whole(buffer, last)
            if len(open_line) > 2 * MAXIMUM_LINE:  # no log line is that long: only that there was one is kept
                open_line = b"?" * (MAXIMUM_LINE + 1)
        if open_line:
            yield _whole(buffer, size)

    def _fill(self, buffer: bytearray, start: int) -> int:
        """Read into a buffer; return how many bytes, 0 at the end or at the damage."""
        size = 0
        if self._steps is not None:
            for chunk in self._steps:
                buffer[start + size : start + size + len(chunk)] = chunk
                size += len(chunk)
                if size >= _PIECE:
                    break
        else:
            try:
                size = cast("io.BufferedIOBase", self._stream).readinto(memoryview(buffer)[start : start + _PIECE])
            except OSError as error:
                self.damage = f"truncated or damaged: {error}"
        self.bytes += size
        return size

    def _chunks(self) -> Iterator[bytes]:
        for chunk in chunks(self._stream):
            if isinstance(chunk, str):
                self.damage = chunk
            else:
                yield chunk


def _whole(buffer: bytearray, stop: int) -> _Piece:
    """Return the piece of whole lines at the beginning of a buffer, those that were joined parted."""
    if has_hole(buffer, stop) or has_lone_return(buffer, stop):
        buffer[:stop] = parted(bytes(buffer[:stop]))
    return _Piece(buffer, stop)


def _in_order(
    pool: ThreadPoolExecutor, work: Any, pieces: _Pieces, at_once: int
) -> Iterator[tuple[_Piece, dict[str, Any]]]:
    """Yield what becomes of the pieces, in their order; so many are on their way at a time."""
    waiting: deque[Future[tuple[_Piece, dict[str, Any]]]] = deque()
    for piece in pieces:
        waiting.append(pool.submit(work, piece))
        if len(waiting) > at_once:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _write(writer: lines.Writer, first_number: int, found: dict[str, Any]) -> None:
    import numpy as np

    number = np.add(found["line"], first_number, dtype=np.int64)
    writer.add(number, found["time_us"], found["status"], found["keys"], with_cookies(found))
    for keys, ends, data in found["texts"]:
        writer.give_bytes(keys, ends, data)


def with_cookies(found: dict[str, Any]) -> NDArray[np.int8]:
    """Return the flags of scanned lines, with those of session cookies in headers, looked for in all lines at once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    flags: NDArray[np.int8] = found["flags"]
    for flag, ends, data in found["headers"]:
        offsets = pa.py_buffer(np.concatenate([np.zeros(1, np.int64), ends]))
        values = pa.LargeStringArray.from_buffers(ends.size, offsets, pa.py_buffer(data))
        sent = pc.match_substring_regex(values, IN_HEADER).to_numpy(zero_copy_only=False)
        flags |= np.where(sent, flag, 0).astype(np.int8)
    return flags


def _set_aside(piece: bytearray, found: dict[str, Any], out: BinaryIO) -> NDArray[np.int64]:
    """Write the lines that are not plain, but for blank ones; return their numbers inside the piece."""
    import numpy as np

    numbers: NDArray[np.int64] = found["hard"].astype(np.int64)
    starts, stops = found["hard_start"], found["hard_stop"]
    kept = np.ones(numbers.size, dtype=bool)
    for i in np.flatnonzero(stops - starts < _SHORT):
        kept[i] = bool(piece[starts[i] : stops[i]].strip())
    numbers, starts, stops = numbers[kept], starts[kept], stops[kept]
    if not numbers.size:
        return numbers
    # Lines that follow one another are written at once.
    begins = np.flatnonzero(np.diff(numbers, prepend=-2) != 1)
    ends = np.append(begins[1:], numbers.size) - 1
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        out.write(piece[starts[begin] : stops[end]])
        out.write(b"\n")
    return numbers
