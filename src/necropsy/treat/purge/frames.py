"""The journal's file: frames one after the other, each on the disk before what it allows, each sealed with all before it.

::

    NPJ1 | kind, 1 byte | length, 4 bytes | seal, 16 bytes | body

The seal is a keyed hash of the seal before, the kind and the body: a frame that was changed, left out or moved is noticed.
A frame that broke off at the end of the file was never synced, so nothing was deleted on its strength: it is cut off.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from necropsy._internal.paths import exists
from necropsy.model.errors import NecropsyError
from necropsy.model.figures import size

_MAGIC: Final = b"NPJ1"
_HEAD: Final = struct.Struct("<4sBI16s")
SEAL_BYTES: Final = 16
LARGEST: Final = 1 << 30
"""Bytes of a body above which no frame is written, and one that is longer than its file is taken for a damaged one."""
FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class JournalError(NecropsyError):
    """The journal cannot be written, or is not as it was written."""


class Frame(NamedTuple):
    """One frame."""

    kind: int
    body: bytes
    offset: int
    """Its offset in the file."""


class Frames:
    """Appends frames; reads them in order.

    Parameters
    ----------
    path
        The file; it need not be there.
    key
        Seals the frames.
    first
        What is sealed with the first frame; empty: nothing.
    """

    def __init__(self, path: Path, key: bytes, first: bytes = b"") -> None:
        self.path = path
        self._key = key
        self._first = first or bytes(SEAL_BYTES)
        self._descriptor: int | None = None
        self.end = 0
        """Bytes up to the end of the last whole frame."""
        self.seal = self._first
        self.certain = 0
        """Bytes that are on the disk whatever happens to the machine: what is behind them may be gone after a power loss."""

    def read(self, *, at_least: int = 0, to_append: bool = False) -> Iterator[Frame]:
        """Yield all whole frames.

        Parameters
        ----------
        at_least
            Bytes that were written for certain.
        to_append
            Frames that are appended follow these.

        Raises
        ------
        JournalError
            It is shorter than that, or a frame is not as it was written.
        """
        seal, at = self._first, 0
        if exists(self.path):
            with self._opened() as stream:
                while True:
                    head = self._read(stream, _HEAD.size)
                    if len(head) < _HEAD.size:
                        break
                    magic, kind, length, said = _HEAD.unpack(head)
                    rest = os.fstat(stream.fileno()).st_size - at - _HEAD.size
                    if magic != _MAGIC or (length > LARGEST and length > rest):
                        raise self._changed(at)
                    body = self._read(stream, length)
                    if len(body) < length:
                        break
                    seal = self._sealed(seal, kind, body)
                    if seal != said:
                        raise self._changed(at)
                    yield Frame(kind, body, at)
                    at += _HEAD.size + length
        if to_append:
            self.end, self.seal, self.certain = at, seal, min(at, at_least)
        if at < at_least:
            raise JournalError(
                f"{self.path}: truncated: {at:,} of at least {at_least:,} bytes exist",
                hint="Copy it again from the original; --as-far-as-it-goes restores what exists.",
            )

    def append(self, kind: int, body: bytes, *, sync: bool, otherwise: str = "nothing of it was written") -> None:
        """Append a frame; when this returns with ``sync``, it is on the disk.

        Parameters
        ----------
        otherwise
            What is true of the sessions when it cannot be written: the end of the error's sentence.

        Raises
        ------
        JournalError
            The disk is full, or fails; the file is as it was before.
        """
        if len(body) > LARGEST:
            raise JournalError(
                f"{self.path}: a frame of {size(len(body))} is not written: {otherwise}",
                hint="Give a smaller --batch-size.",
            )
        seal = self._sealed(self.seal, kind, body)
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
                os.ftruncate(self._descriptor, self.end)
                os.lseek(self._descriptor, self.end, os.SEEK_SET)
                _sync_folder(self.path.parent)
            data = memoryview(_HEAD.pack(_MAGIC, kind, len(body), seal) + body)
            while data:
                data = data[os.write(self._descriptor, data) :]
            if sync:
                os.fdatasync(self._descriptor)
        except OSError as error:
            self._take_back()
            raise unwritten(self.path, error, otherwise) from error
        self.end += _HEAD.size + len(body)
        self.seal = seal
        if sync:
            self.certain = self.end

    def sync(self, otherwise: str) -> None:
        """Put all that was appended on the disk.

        Raises
        ------
        JournalError
        """
        if self._descriptor is not None and self.certain < self.end:
            try:
                os.fdatasync(self._descriptor)
            except OSError as error:
                raise unwritten(self.path, error, otherwise) from error
            self.certain = self.end

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take_back(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self.end)
                os.lseek(self._descriptor, self.end, os.SEEK_SET)

    def _opened(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise unread(self.path, error) from error

    def _read(self, stream: BinaryIO, count: int) -> bytes:
        try:
            return stream.read(count)
        except OSError as error:
            raise unread(self.path, error) from error

    def _sealed(self, before: bytes, kind: int, body: bytes) -> bytes:
        return hashlib.blake2b(before + bytes((kind,)) + body, key=self._key, digest_size=SEAL_BYTES).digest()

    def _changed(self, at: int) -> JournalError:
        return JournalError(
            f"{self.path}: changed or damaged at byte {at:,}: it is not used",
            hint="Copy it again from the original; --as-far-as-it-goes restores what comes before that byte.",
        )


def unread(path: Path, error: OSError) -> JournalError:
    """Return the error of a journal that cannot be read."""
    return JournalError(
        f"{path}: cannot read: {error.strerror}",
        hint="It belongs to the user who applied the plan; nothing was changed.",
    )


def unwritten(path: Path, error: OSError, otherwise: str) -> JournalError:
    """Return the error of a journal that cannot be written, with what is true of the sessions all the same."""
    hint = "Make room there, then run the same command again: it continues where it stopped."
    return JournalError(
        f"{path}: cannot write: {error.strerror}; {otherwise}",
        hint=hint if error.errno in FULL else "Choose another folder with --journal.",
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Write a small file so that it is whole or not there at all: mode 0600, synced."""
    beside = path.with_name(f".{path.name}.partial")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    _sync_folder(path.parent)
