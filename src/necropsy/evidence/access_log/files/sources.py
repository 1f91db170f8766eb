"""Files of one log: which belong together, how DuckDB opens them, and their first lines."""

from __future__ import annotations

import io
import lzma
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from necropsy._internal.paths import is_file
from necropsy.wire.files import STANDARD_INPUT, compression, open_binary

CHUNK: Final = 64 << 10
"""Bytes read at a time: what a damaged stream may cost, as a read that meets the damage returns nothing."""
_HEAD: Final = 256 << 10
_HEAD_LINES: Final = 100
_SEEN_BY_DUCKDB: Final = {None: "none", "gzip": "gzip", "zstd": "zstd"}

_PACKED: Final = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)
_ROTATED: Final = re.compile(r"(?<=.)[._-](\d{1,4}|\d{8}([-_T]?\d{2,6})?|\d{4}-\d\d-\d\d([-_T.]\d{2}([-_.:]?\d\d)*)?)$")
_DATED: Final = re.compile(r"(?<=[A-Za-z])[._-](\d{1,3}|\d{8}|\d{4}-\d\d-\d\d)(?=\.(log|txt|json)$)")


def family(locator: str) -> str:
    """Name the log that a file belongs to: rotation and compression taken off.

    >>> [family(name) for name in ("access.log", "access.log.1", "access.log-20240501.gz", "access.2024-05-01.log")]
    ['access.log', 'access.log', 'access.log', 'access.log']
    >>> family("server1.log")
    'server1.log'
    """
    folder, slash, name = locator.rpartition("/")
    name = _PACKED.sub("", name)
    shorter = _ROTATED.sub("", name)
    shorter = _DATED.sub("", shorter)
    return f"{folder}{slash}{shorter}" if re.search("[A-Za-z]", shorter) else locator


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file as DuckDB can open it."""

    locator: str
    """As given."""
    path: Path
    """A link or a copy in the scratch folder; its name is safe inside SQL."""
    compression: str
    """``none``, ``gzip`` or ``zstd``."""
    damage: str = ""
    """Why the end of it is missing, if it is."""

    def open(self) -> BinaryIO:
        """Open it, unpacked. What is not packed is not guessed at: a line may begin like a Zstandard frame."""
        return self.path.open("rb") if self.compression == "none" else open_binary(str(self.path))


def attach(locator: str, folder: Path, number: int) -> LogFile:
    """Make a file openable: linked if DuckDB can read it as it is, copied (and unpacked) if it cannot.

    Raises
    ------
    UnreadableSource
        Missing, a folder, not permitted, or empty.
    """
    with open_binary(locator) as stream:
        if locator != STANDARD_INPUT and is_file(locator):
            with Path(locator).open("rb") as raw:
                kind = compression(raw.read(6))
            if kind in _SEEN_BY_DUCKDB:
                link = folder / f"log-{number}"
                link.symlink_to(Path(locator).resolve())
                return LogFile(locator, link, _SEEN_BY_DUCKDB[kind])
        return spool(locator, stream, folder / f"log-{number}")


def spool(locator: str, stream: BinaryIO, copy: Path) -> LogFile:
    """Copy a stream into a file, as far as it can be read."""
    damage = ""
    with copy.open("wb") as out:
        for chunk in chunks(stream):
            if isinstance(chunk, str):
                damage = chunk
            else:
                out.write(chunk)
    return LogFile(locator, copy, "none", damage)


def chunks(stream: BinaryIO, size: int = CHUNK) -> Iterator[bytes | str]:
    """Yield what can be read; last, as text, why no more can, if the stream is cut or damaged."""
    import zstandard

    # read1 and small steps, as a read loses what it had before it met the damage
    read = cast("io.BufferedIOBase", stream).read1
    while True:
        try:
            chunk = read(size)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
            yield f"truncated or damaged: {error}"
            return
        if not chunk:
            return
        yield chunk


def nothing_in(file: LogFile) -> str:
    """Why not one byte of a file can be read; empty when one can, or when there is none."""
    with file.open() as stream:
        first = next(chunks(stream), b"")
    return first if isinstance(first, str) else ""


def first_lines(file: LogFile) -> list[str]:
    """Return the first lines, blank and overlong ones left out."""
    head = b""
    with file.open() as stream:
        for chunk in chunks(stream):
            if isinstance(chunk, str):
                break
            head += chunk
            if len(head) >= _HEAD:
                break
    lines = head[:_HEAD].split(b"\n")
    if len(head) >= _HEAD and len(lines) > 1:
        lines.pop()  # it may be cut
    texts = (line.decode("utf-8", "replace").strip("\r\ufeff") for line in lines[:_HEAD_LINES])
    return [text for text in texts if text.strip()]
