"""Files as evidence: globs, ``-`` for standard input, compression by content, SHA-256 of the bytes on disk."""

from __future__ import annotations

import glob
import hashlib
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from necropsy._internal.file_kinds import kind_of
from necropsy._internal.paths import closed_folder, exists, is_file
from necropsy._internal.plain_text import is_utf16
from necropsy.model.errors import UnreadableSource
from necropsy.wire.priority import stand_back

STANDARD_INPUT: Final = "-"
CHUNK: Final = 64 << 10
"""Bytes read at a time: what a damaged stream may cost, as a read that meets the damage returns nothing."""
_HEAD: Final = 4096
_GZIP: Final = b"\x1f\x8b"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\x00"
_SUMMED_AT_ONCE: Final = 16 << 20
_PIECE: Final = 1 << 12
"""Compressed bytes that are taken in at once: the worst that they can become is 128 MiB (a block of 128 KiB from 4 bytes)."""


def expand(patterns: Iterable[str]) -> list[str]:
    """Expand globs, keep ``-``, addresses and plain names, sort within a pattern, drop repetitions.

    A pattern that matches nothing is kept as it is, so that the reader can say that this file is missing.
    """
    found: list[str] = []
    for pattern in patterns:
        if pattern == STANDARD_INPUT or "://" in pattern or not glob.has_magic(pattern) or exists(pattern):
            found.append(pattern)
        else:
            found.extend(sorted(glob.glob(pattern, recursive=True)) or [pattern])  # noqa: PTH207 -- absolute patterns too
    return list(dict.fromkeys(found))


def compression(head: bytes) -> str | None:
    r"""Name the compression by the first bytes: ``gzip``, ``zstd``, ``bz2``, ``xz`` or None.

    >>> compression(b"\x1f\x8b\x08"), compression(b"REDIS0011")
    ('gzip', None)
    """
    for magic, name in ((_GZIP, "gzip"), (_ZSTANDARD, "zstd"), (_BZIP2, "bz2"), (_XZ, "xz")):
        if head.startswith(magic):
            return name
    return None


def is_packed(locator: str) -> bool:
    """Tell whether a file is compressed, by its content; False for a stream and for what cannot be read."""
    if locator == STANDARD_INPUT or not is_file(locator):
        return False
    try:
        with Path(locator).open("rb") as raw:
            return compression(raw.read(6)) is not None
    except OSError:
        return False


def open_binary(locator: str) -> BinaryIO:
    """Open a file, or standard input for ``-``, decompressing by content. Reads only.

    Raises
    ------
    UnreadableSource
        Missing, a folder, or not permitted; with the next step.
    """
    if locator == STANDARD_INPUT:
        raw: io.BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
        if raw.closed:
            raise UnreadableSource("-: standard input was read already", hint="Write it to a file, and give the file.")
    else:
        try:
            raw = Path(locator).open("rb")  # noqa: SIM115 -- handed to the caller
        except FileNotFoundError as error:
            closed = closed_folder(locator) if glob.has_magic(locator) else ""
            if closed:
                raise UnreadableSource(
                    f"{locator}: {closed} may not be listed: Permission denied", hint="Make it readable for this user."
                ) from error
            raise UnreadableSource(f"{locator}: no such file", hint="Check the path; quote globs.") from error
        except IsADirectoryError as error:
            raise UnreadableSource(f"{locator}: is a folder", hint="Give a file, or a glob in quotes.") from error
        except OSError as error:
            raise UnreadableSource(f"{locator}: {error.strerror}", hint="Make it readable for this user.") from error
    return _decompressed(raw)


def _decompressed(raw: io.BufferedReader) -> BinaryIO:
    """Wrap a stream by its first bytes; closing what is returned closes the stream."""
    kind = compression(raw.peek(6)[:6])
    if kind == "gzip":
        import gzip

        return cast("BinaryIO", _Owner(gzip.GzipFile(fileobj=raw), raw))
    if kind == "zstd":
        return cast("BinaryIO", io.BufferedReader(_Zstandard(raw), CHUNK))
    if kind == "bz2":
        import bz2

        return cast("BinaryIO", _Owner(bz2.BZ2File(raw), raw))
    if kind == "xz":
        import lzma

        return cast("BinaryIO", _Owner(lzma.LZMAFile(raw), raw))
    return cast("BinaryIO", raw)


class _Zstandard(io.RawIOBase):
    """Frames of Zstandard, one after another. A file that breaks off is an error, which the library's own reader keeps quiet.

    Raises
    ------
    EOFError
        The file ends inside of a frame; what could be read was given before.
    """

    def __init__(self, beneath: io.BufferedReader) -> None:
        import zstandard

        super().__init__()
        self._beneath = beneath
        self._library = zstandard.ZstdDecompressor()
        self._frame = self._library.decompressobj()
        self._inside = False
        self._ready = memoryview(b"")
        self._left = b""

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        while not self._ready:
            data = self._left or self._beneath.read(_PIECE)
            self._left = b""
            if not data:
                if self._inside:
                    raise EOFError("compressed file ended before the end of its last frame")
                return 0
            self._inside = True
            self._ready = memoryview(self._frame.decompress(data))
            if self._frame.eof:
                self._left = self._frame.unused_data
                self._frame = self._library.decompressobj()
                self._inside = False
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        """Close the file too."""
        try:
            super().close()
        finally:
            self._beneath.close()


class _AsItComes(io.RawIOBase):
    """A decompressor that gives what it has, however little: one that fills the buffer loses all of it at a break."""

    def __init__(self, decompressor: io.BufferedIOBase) -> None:
        super().__init__()
        self._decompressor = decompressor

    def readable(self) -> bool:
        """True: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        data = self._decompressor.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Owner(io.BufferedReader):
    """A decompressor that closes the file beneath it: those of the standard library leave it open."""

    def __init__(self, decompressor: io.BufferedIOBase, beneath: io.BufferedReader) -> None:
        # A read beyond the buffer's size asks the decompressor although bytes are ready, which an error then costs.
        super().__init__(_AsItComes(decompressor), CHUNK)
        self._beneath = beneath

    def close(self) -> None:
        """Close both."""
        try:
            super().close()
        finally:
            self._beneath.close()


def _damage() -> tuple[type[Exception], ...]:
    """Exceptions of damaged bytes; the decompressors are only loaded where a compressed file was opened."""
    loaded = ((sys.modules.get("lzma"), "LZMAError"), (sys.modules.get("zstandard"), "ZstdError"))
    return OSError, EOFError, zlib.error, *(getattr(module, name) for module, name in loaded if module is not None)


def chunks(stream: BinaryIO, size: int = CHUNK) -> Iterator[bytes | str]:
    """Yield what can be read; last, as text, why no more can, if the stream is cut or damaged."""
    # read1 and small steps, as a read loses what it had before it met the damage
    read = cast("io.BufferedIOBase", stream).read1
    while True:
        try:
            chunk = read(size)
        except _damage() as error:
            yield f"truncated or damaged: {error}"
            return
        if not chunk:
            return
        yield chunk


def read_text(locator: str, *, limit: int = 64 << 20, any_bytes: bool = False) -> str:
    """Read a configuration file as UTF-8 text, at most ``limit`` bytes.

    Parameters
    ----------
    any_bytes
        What is not UTF-8 is read as Latin-1, where each byte is a character: for programs that take any bytes. A file with
        a NUL byte is not a string in any case.

    Raises
    ------
    UnreadableSource
        As ``open_binary``; also when it is larger than the limit or not text.
    """
    with open_binary(locator) as stream:
        try:
            data = stream.read(limit + 1)
        except _damage() as error:
            raise UnreadableSource(f"{locator}: damaged: {error}", hint="Copy the file again.") from error
    if len(data) > limit:
        raise UnreadableSource(
            f"{locator}: larger than {limit >> 20} MiB: not a configuration file", hint="Was a log meant?"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if any_bytes and b"\0" not in data:
            return data.decode("latin-1")
        if is_utf16(data):
            raise UnreadableSource(f"{locator}: it is UTF-16", hint="Save it as UTF-8.") from error
        if b"\0" in data:
            kind = kind_of(data[:_HEAD])
            if kind is not None:
                raise UnreadableSource(f"{locator}: not text, but {kind.name}", hint=kind.hint) from error
            reason, hint = f"byte {error.start} is not UTF-8", "Is this the right file?"
        else:
            line = data.count(b"\n", 0, error.start) + 1
            reason, hint = f"byte {error.start} is not UTF-8 (line {line})", "Save it as UTF-8."
        raise UnreadableSource(f"{locator}: not text: {reason}", hint=hint) from error


def is_utf8(locator: str) -> bool:
    """Whether a file is UTF-8 as stored; True for a stream, which was read as such."""
    path = Path(locator)
    if locator == STANDARD_INPUT or not is_file(path):
        return True
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        return compression(path.read_bytes()[:6]) is not None
    return True


def fingerprint(locator: str) -> tuple[str | None, int | None]:
    """Return SHA-256 (hex) and size in bytes of a file as stored; (None, None) for a stream."""
    path = Path(locator)
    if locator == STANDARD_INPUT or not is_file(path):
        return None, None
    size = path.stat().st_size
    digest = hashlib.sha256()
    # Each piece needs the interpreter for a moment, which a compiled reader beside holds for tens of milliseconds.
    buffer = memoryview(bytearray(min(_SUMMED_AT_ONCE, size + 1)))
    with path.open("rb", buffering=0) as stream:
        while got := stream.readinto(buffer):
            digest.update(buffer[:got])
    return digest.hexdigest(), size


def fingerprint_beside(locator: str) -> Callable[[], tuple[str | None, int | None]]:
    """Begin to sum up a file beside whoever reads it; return what waits for its ``fingerprint``.

    The checksum of ten gigabytes takes some five seconds, in which Python may do other work: of a lower priority, where
    threads have one, as nobody waits for it yet.
    """
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(1, thread_name_prefix="fingerprint", initializer=stand_back)
    future = executor.submit(fingerprint, locator)
    executor.shutdown(wait=False)
    return future.result


def size_of(locator: str) -> int | None:
    """Return the size of a file as stored, in bytes; None for a stream or a folder."""
    path = Path(locator)
    return path.stat().st_size if locator != STANDARD_INPUT and is_file(path) else None
