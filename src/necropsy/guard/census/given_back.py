"""Give memory back to the system while a look runs: code that one stage needs, and the next one does not.

Pages of a program file that cannot be written to are copies of the file: who needs one again takes it from there, as at the first
time. Of Arrow, NumPy and DuckDB that is two fifths of the memory of a look.

Source: dl_iterate_phdr(3), madvise(2), elf(5).
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final

_EVERY_S: Final = 0.15
_LEAST: Final = 1 << 20
"""Bytes of a segment: smaller ones are not worth the call."""
_LOADED, _WRITABLE = 1, 2
"""PT_LOAD and PF_W of elf(5)."""
_ADDRESS: Final = 8
"""Bytes of an address: the layout of the structures below is that of 64 bits."""
_DONTNEED: Final = 4
"""MADV_DONTNEED of madvise(2)."""


class _Segment(ctypes.Structure):
    """``Elf64_Phdr``."""

    _fields_ = (
        ("type", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("offset", ctypes.c_uint64), ("address", ctypes.c_uint64),
        ("physical", ctypes.c_uint64), ("in_file", ctypes.c_uint64), ("in_memory", ctypes.c_uint64), ("align", ctypes.c_uint64),
    )  # fmt: skip


class _Library(ctypes.Structure):
    """The beginning of ``struct dl_phdr_info``."""

    _fields_ = (
        ("base", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("segments", ctypes.POINTER(_Segment)),
        ("number", ctypes.c_uint16),
    )


_CALLED: Final = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Library), ctypes.c_size_t, ctypes.c_void_p)


@contextlib.contextmanager
def code_given_back() -> Iterator[None]:
    """Give code back again and again while the block runs; of what is loaded now. Nothing where the system is not Linux."""
    segments, over = loaded_code(), threading.Event()

    def again() -> None:
        while not over.wait(_EVERY_S):
            give_back(segments)

    thread = threading.Thread(target=again, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def give_back(segments: Sequence[tuple[int, int]]) -> None:
    """Give back the pages of these segments: of libraries, which are never unloaded."""
    if not segments:
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for begin, end in segments:
        advise(begin, end - begin, _DONTNEED)


def loaded_code() -> list[tuple[int, int]]:
    """Return begin and end of each segment of loaded code that cannot be written to.

    To be called while no other thread imports anything: the system's list of libraries is locked meanwhile, and whoever loads one
    while the interpreter turns to him would wait for it, and this for the interpreter.
    """
    found: list[tuple[int, int]] = []
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != _ADDRESS:
        return found
    program = ctypes.PyDLL(None)
    if not hasattr(program, "dl_iterate_phdr"):
        return found

    def take(library: Any, _size: int, _data: object) -> int:
        one = library.contents
        for segment in one.segments[: one.number]:
            if segment.type == _LOADED and not segment.flags & _WRITABLE and segment.in_memory >= _LEAST:
                begin = -(-(one.base + segment.address) // mmap.PAGESIZE) * mmap.PAGESIZE
                end = (one.base + segment.address + segment.in_memory) // mmap.PAGESIZE * mmap.PAGESIZE
                found.append((begin, end))
        return 0

    program.dl_iterate_phdr(_CALLED(take), None)
    return found
