"""The short way: plain lines are scanned by all cores at once; what is not plain is set aside for the long way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from necropsy.evidence.access_log import lines
from necropsy.evidence.access_log.layout import MAXIMUM_LINE
from necropsy.evidence.access_log.sources import CHUNK, LogFile, chunks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.plan import Plan
    from necropsy.evidence.access_log.scan import Scanner

_PIECE: Final = 4 << 20
"""Bytes that are scanned at a time."""
_THREADS: Final = 8
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


def read(file: LogFile, plan: Plan, first_number: int, writer: lines.Writer, copy: Path) -> Hard:
    """Read the plain lines of a file into the tables.

    Parameters
    ----------
    first_number
        Number of the file's first line.
    copy
        Where the others are written.
    """
    import numpy as np

    threads = min(_THREADS, os.cpu_count() or 1)
    scanners: SimpleQueue[Scanner] = SimpleQueue()
    for _ in range(threads):
        scanners.put(lines.scanner(plan))

    def scan(piece: _Piece) -> tuple[bytes, dict[str, Any]]:
        scanner = scanners.get()
        try:
            return piece.data, scanner.scan(piece.data, piece.start, piece.stop)
        finally:
            scanners.put(scanner)

    counted = 0
    numbers = [np.empty(0, np.int64)]
    with copy.open("wb") as out, file.open() as stream, ThreadPoolExecutor(max_workers=threads) as pool:
        pieces = _Pieces(stream, _PIECE if file.compression == "none" else CHUNK)
        for piece, found in _in_order(pool, scan, pieces):
            _write(writer, first_number + counted, found)
            numbers.append(_set_aside(piece, found, out) + counted)
            counted += found["lines"]
    writer.flush()
    damage = f"{pieces.damage}, after byte {pieces.bytes:,} of what it holds" if pieces.damage else file.damage
    return Hard(LogFile(file.locator, copy, "none", damage), np.concatenate(numbers), counted)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whole lines: a range of some bytes. The last line of a file may lack its newline."""

    data: bytes
    start: int
    stop: int


class _Pieces:
    """The pieces of a file. What lies between two reads is a piece of its own, so that nothing large is copied."""

    def __init__(self, stream: BinaryIO, step: int) -> None:
        self.bytes = 0
        self.damage = ""
        self._stream = stream
        self._step = step

    def __iter__(self) -> Iterator[_Piece]:
        open_line = b""
        for chunk in self._chunks():
            first, last = chunk.find(b"\n") + 1, chunk.rfind(b"\n") + 1
            if not first:
                open_line += chunk
                # No log line is that long: only that there was one is kept.
                open_line = open_line if len(open_line) <= 2 * MAXIMUM_LINE else b"?" * MAXIMUM_LINE
                continue
            if open_line:
                yield _Piece(open_line + chunk[:first], 0, len(open_line) + first)
            else:
                first = 0
            if last > first:
                yield _Piece(chunk, first, last)
            open_line = chunk[last:]
        if open_line:
            yield _Piece(open_line, 0, len(open_line))

    def _chunks(self) -> Iterator[bytes]:
        """Yield what can be read; small steps are gathered."""
        parts: list[bytes] = []
        size = 0
        for chunk in chunks(self._stream, self._step):
            if isinstance(chunk, str):
                self.damage = chunk
                break
            self.bytes += len(chunk)
            parts.append(chunk)
            size += len(chunk)
            if size >= _PIECE:
                yield parts[0] if len(parts) == 1 else b"".join(parts)
                parts, size = [], 0
        if size:
            yield b"".join(parts)


def _in_order(pool: ThreadPoolExecutor, work: Any, pieces: _Pieces) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yield what becomes of the pieces, in their order; a few are on their way at a time."""
    waiting: deque[Future[tuple[bytes, dict[str, Any]]]] = deque()
    for piece in pieces:
        waiting.append(pool.submit(work, piece))
        if len(waiting) > _THREADS // 2:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _write(writer: lines.Writer, first_number: int, found: dict[str, Any]) -> None:
    import numpy as np
    import pyarrow as pa

    writer.add(found["line"].astype(np.int64) + first_number, found["time_us"], found["status"], found["keys"])
    for field, (keys, ends, data) in zip(lines.TEXTS, found["texts"], strict=True):
        offsets = np.concatenate([np.zeros(1, np.int32), ends])
        writer.give(field, keys, pa.StringArray.from_buffers(len(keys), pa.py_buffer(offsets), pa.py_buffer(data)))


def _set_aside(piece: bytes, found: dict[str, Any], out: BinaryIO) -> NDArray[np.int64]:
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
