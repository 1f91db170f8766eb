"""Lines that a layout could not read: taken out by number, repaired where that is possible, shown where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log.files.joined_lines import narrowed, parted
from necropsy.evidence.access_log.files.sources import LogFile
from necropsy.evidence.access_log.formats.layout import MAXIMUM_LINE
from necropsy.evidence.access_log.formats.values import DEEPEST
from necropsy.wire.files import chunks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STAND_IN: Final = b"?\n"
"""What a line that must not reach a parser is replaced by: keeps the numbers of the lines after it."""

_HEX: Final = re.compile(rb"(?:\\x[0-9A-Fa-f]{2})+")
_MISSING_VALUE: Final = re.compile(rb":\s*(?=[,}])")
_BEFORE_JSON: Final = re.compile(rb"(?m)^[^{\n]+(?=\{\s*\")")
_AFTER_JSON: Final = re.compile(rb"(?m)(?<=\}),?[ \t\r]*$")


def lines(file: LogFile) -> Iterator[tuple[int, bytes, NDArray[np.int64]]]:
    """Walk through a file in pieces of whole lines.

    Yields
    ------
    The number of the first line of the piece (from 0), its bytes, and where its lines end (positions after each
    newline). The last line of a file may lack its newline; it gets one. A line longer than a piece comes as ``?``; lines
    that were joined come one by one.
    """
    import numpy as np

    first, kept = 0, b""
    overlong = False
    with file.open() as stream:
        for chunk in chunks(stream):
            if isinstance(chunk, str):
                break
            data = kept + chunk
            cut = data.rfind(b"\n") + 1
            kept = narrowed(data[cut:])
            if overlong and cut:
                data = b"?" + data[data.find(b"\n") : cut]
                cut, overlong = len(data), False
            if len(kept) > MAXIMUM_LINE:
                kept, overlong = b"", True
            if cut:
                piece = parted(data[:cut])
                ends = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == 10) + 1
                yield first, piece, ends
                first += ends.size
    if kept or overlong:
        piece = parted((b"?" if overlong else kept) + b"\n")
        yield first, piece, np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == 10) + 1


def take(file: LogFile, numbers: NDArray[np.int64], *, nonblank: bool) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
    """Take lines out by number.

    Parameters
    ----------
    numbers
        Which lines, sorted, from 0.
    nonblank
        Whether ``numbers`` count only lines that hold more than white space, as DuckDB's JSON reader counts.

    Yields
    ------
    The lines taken from one piece, joined, and their numbers counted over all lines.
    """
    import numpy as np

    counted = 0
    for first, piece, ends in lines(file) if numbers.size else ():
        if counted > numbers[-1]:
            break
        starts = np.concatenate([[0], ends[:-1]])
        if nonblank:
            data = np.frombuffer(piece, dtype=np.uint8)
            blank = (data == 32) | ((data >= 9) & (data <= 13))
            filled = np.add.reduceat((~blank).astype(np.int64), starts) > 0
        else:
            filled = np.ones(ends.size, dtype=bool)
        positions = np.flatnonzero(filled)
        low, high = np.searchsorted(numbers, [counted, counted + positions.size])
        chosen = positions[numbers[low:high] - counted]
        counted += positions.size
        if chosen.size:
            yield b"".join(piece[starts[i] : ends[i]] for i in chosen), chosen + first


def has_returns(file: LogFile) -> bool:
    """Whether there is a carriage return in a file."""
    with file.open() as stream:
        return any(isinstance(chunk, bytes) and b"\r" in chunk for chunk in chunks(stream))


def has_joined(file: LogFile) -> bool:
    """Whether some lines of a file are joined, so that ``lines`` counts more than there are newlines."""
    import numpy as np

    newlines, last = 0, b"\n"
    with file.open() as stream:
        for chunk in chunks(stream):
            if isinstance(chunk, bytes):
                newlines, last = newlines + chunk.count(b"\n"), chunk[-1:]
    return sum(int(np.size(ends)) for _, _, ends in lines(file)) > newlines + (last != b"\n")


def tidy(file: LogFile, copy: Path) -> LogFile:
    """Copy a file so that any parser can read it, line by line.

    Carriage returns go, bytes that are no UTF-8 become U+FFFD; lines that no parser should see, longer than allowed or
    bracketed too deep, become ``?``.
    """
    import numpy as np

    with copy.open("wb") as out:
        for _, piece, ends in lines(file):
            data = np.frombuffer(piece, dtype=np.uint8)
            starts = np.concatenate([[0], ends[:-1]])
            brackets = np.add.reduceat(((data == ord("[")) | (data == ord("{"))).astype(np.int64), starts)
            bad = np.flatnonzero((ends - starts > MAXIMUM_LINE) | (brackets > DEEPEST))
            position = 0
            for i in bad:
                out.write(_readable(piece[position : starts[i]]))
                out.write(_STAND_IN)
                position = int(ends[i])
            out.write(_readable(piece[position:]))
    return LogFile(file.locator, copy, "none", file.damage)


def _readable(data: bytes) -> bytes:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    return data if data.isascii() else data.decode("utf-8", "replace").encode()


def _of_json(escaped: re.Match[bytes]) -> bytes:
    """Write bytes that nginx escaped as JSON does: UTF-8 as it is, ASCII and what is no UTF-8 by its number."""
    raw = bytes.fromhex(escaped[0].replace(b"\\x", b"").decode())
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        return "".join(f"\\u00{ord(one):02x}" for one in text).encode()
    return "".join(f"\\u00{ord(one):02x}" if one.isascii() else one for one in text).encode()


def repaired(data: bytes) -> bytes:
    r"""Repair what often breaks JSON lines; other text stays as it is, but becomes UTF-8.

    ``\x22`` (nginx without ``escape=json``) becomes ``\u0022``, and ``\xC3\xA9`` what it stands for; a missing value becomes
    null; what a shipper wrote before the object, and a comma after it, goes; bytes that are no UTF-8 become U+FFFD.

    >>> repaired(b'May 24 web1 nginx: {"status":,"agent":"\\x22"},\n')
    b'{"status":null,"agent":"\\u0022"}\n'
    """
    text = data.decode("utf-8", "replace").encode()
    if b"{" not in text:
        return text
    text = _BEFORE_JSON.sub(b"", text)
    text = _AFTER_JSON.sub(b"", text)
    text = _HEX.sub(_of_json, text)
    return _MISSING_VALUE.sub(b":null", text)
