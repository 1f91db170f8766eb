"""Resolve a locator: a dump, compressed or not, standard input, or the folder of a server's append-only file."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from necropsy._internal.paths import is_dir
from necropsy.model.errors import UnreadableSource
from necropsy.wire.files import STANDARD_INPUT, open_binary

_LZ4: Final = b"\x04\x22\x4d\x18"
_ENVELOPE: Final = b"VKCS"
"""Valkey's frame round a compressed dump: version, codec (1: LZ4), flags, kind; then the codec's own stream."""
_ENVELOPE_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """A dump that was found and opened."""

    stream: BinaryIO
    file: str
    """The file itself: another than the locator when that is a folder."""
    later: int = 0
    """Files with changes since the dump, which are not read."""

    @property
    def read(self) -> Callable[[memoryview], int]:
        """Read some bytes into a buffer, as many as are at hand; what an error costs is one such piece."""
        return cast("Callable[[memoryview], int]", getattr(self.stream, "readinto1", self.stream.readinto))  # type: ignore[attr-defined]

    @property
    def piece(self) -> int:
        """Most bytes to ask for at once: few of what is decompressed, as a break in it loses the piece."""
        plain = isinstance(self.stream, io.BufferedReader) and isinstance(self.stream.raw, io.FileIO)
        return 1 << 30 if plain else 1 << 16


def open_source(locator: str) -> Opened:
    """Open what a locator stands for.

    Raises
    ------
    UnreadableSource
        There is nothing, or nothing that could hold a dump.
    """
    file, later = locator, 0
    if locator != STANDARD_INPUT and is_dir(locator):
        file, later = _base_of(Path(locator))
    stream = open_binary(file)
    try:
        return Opened(_unwrapped(stream, file), file, later)
    except BaseException:
        stream.close()
        raise


def _unwrapped(stream: BinaryIO, file: str) -> BinaryIO:
    """Take off what is round a dump and no compression of whole files: LZ4, Valkey's envelope."""
    try:
        head = bytes(stream.peek(16)[:16])  # type: ignore[attr-defined]  # all that open_binary returns have it
    except reading_errors() as error:
        raise UnreadableSource(f"{file}: damaged: {error}", hint="Copy the file again.") from error
    if head.startswith(_ENVELOPE):
        stream.read(_ENVELOPE_SIZE)
        head = head[_ENVELOPE_SIZE:]
        if not head.startswith(_LZ4):
            raise UnreadableSource(
                f"{file}: a Valkey dump in a codec other than LZ4", hint="Make a plain one with valkey-cli --rdb FILE."
            )
    if head.startswith(_LZ4):
        import pyarrow as pa

        return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "lz4"))
    return stream


def reading_errors() -> tuple[type[Exception], ...]:
    """Return what reading a stream may raise when the file, or what it is packed in, is damaged."""
    import lzma
    import zlib

    import zstandard

    return (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def _base_of(folder: Path) -> tuple[str, int]:
    """Return the dump that a multi-part append-only file begins with, and how many files follow it.

    The manifest has a line a file, in the order in which they are to be loaded (the server's aof.c)::

        file appendonly.aof.1.base.rdb seq 1 type b
        file appendonly.aof.1.incr.aof seq 1 type i
    """
    manifests = sorted([*folder.glob("*.manifest"), *folder.glob("appendonlydir/*.manifest")])
    if not manifests:
        raise UnreadableSource(
            f"{folder}: a folder without a manifest of an append-only file",
            hint="Give the dump itself, or the folder that CONFIG GET appenddirname shows.",
        )
    bases, later = [], 0
    for line in manifests[0].read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        known = dict(zip(words[::2], words[1::2], strict=False))
        if known.get("type") == "b":
            bases.append(known.get("file", "").strip('"'))
        elif known.get("type") == "i":
            later += 1
    if not bases:
        raise UnreadableSource(
            f"{manifests[0]}: names no base file", hint="Run BGREWRITEAOF, or take a dump with redis-cli --rdb."
        )
    return str(manifests[0].parent / Path(bases[-1]).name), later
