# cython: language_level=3, boundscheck=False, wraparound=False, annotation_typing=False, cdivision=True
"""Loops over the bytes of a column that NumPy can only do in several passes: colons, beginnings, numbers of the JDK.

Plain Python that is compiled where a compiler is. Uncompiled, ``columns`` does the same with NumPy, which is faster then;
the tests hold the two against each other. Each loop checks a row's range before it looks at its bytes.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if cython.compiled:
    from cython.cimports.libc.string import memcmp

COMPILED = bool(cython.compiled)
COLONS = 4
"""Colons that are looked for in a key, from its end."""


def colons(data: Any, ends: Any, places: Any) -> None:
    """Find the last colons of each key.

    Parameters
    ----------
    data
        Bytes of all keys, at least one.
    ends
        Where each key begins, and where the last one ends: int64, one more than there are keys.
    places
        For the answers: int64, the last colon of each key, then the one before of each, ``COLONS`` times; one before the
        key's start where there are no more.

    Raises
    ------
    ValueError
        The offsets reach beyond the data, or do not ascend.
    """
    texts: memoryview = memoryview(data)
    offsets: memoryview = memoryview(ends)
    answers: memoryview = memoryview(places)
    count = len(offsets) - 1
    size = len(texts)
    most = COLONS
    if len(answers) < most * count:
        raise ValueError("too few places")
    for row in range(count):
        start = offsets[row]
        at = offsets[row + 1]
        if start < 0 or at < start or at > size:
            raise ValueError("an offset beyond the keys")
        found = 0
        if cython.compiled:
            place = cython.address(answers[row])
            found = last_colons(cython.address(texts[0]), start, at, place, count, most)  # type: ignore[name-defined]  # noqa: F821 -- of the .pxd
            at = start
        while at > start and found < most:
            at -= 1
            if texts[at] == 58:
                answers[count * found + row] = at
                found += 1
        while found < most:
            answers[count * found + row] = start - 1
            found += 1


def begins(data: Any, starts: Any, ends: Any, word: bytes, answers: Any) -> None:
    """Tell which of ``data[start:end]`` begin with a word: a byte for each, 1 or 0.

    Raises
    ------
    ValueError
        A range reaches beyond the data.
    """
    texts: memoryview = memoryview(data)
    first: memoryview = memoryview(starts)
    last: memoryview = memoryview(ends)
    said: memoryview = memoryview(answers)
    wanted: memoryview = memoryview(word)
    count = len(first)
    size = len(texts)
    length = len(wanted)
    if len(last) < count or len(said) < count or not length:
        raise ValueError("the columns do not fit together")
    for row in range(count):
        start = first[row]
        if last[row] - start < length:
            said[row] = 0
            continue
        if start < 0 or last[row] > size:
            raise ValueError("a range beyond the bytes")
        if cython.compiled:
            said[row] = memcmp(cython.address(texts[start]), cython.address(wanted[0]), length) == 0
        else:
            said[row] = texts[start : start + length] == wanted


def streamed(data: Any, starts: Any, ends: Any, header: bytes, width: int, numbers: Any, known: Any) -> None:
    """Decode what is a header and a big-endian number of so many bytes; leave the other rows as they are.

    Raises
    ------
    ValueError
        A range reaches beyond the data.
    """
    texts: memoryview = memoryview(data)
    first: memoryview = memoryview(starts)
    last: memoryview = memoryview(ends)
    answers: memoryview = memoryview(numbers)
    said: memoryview = memoryview(known)
    wanted: memoryview = memoryview(header)
    count = len(first)
    size = len(texts)
    length = len(wanted)
    limit = 1
    limit <<= 8 * width - 1
    if len(last) < count or len(answers) < count or len(said) < count or not length or width < 1 or width > 8:
        raise ValueError("the columns do not fit together")
    for row in range(count):
        start = first[row]
        if last[row] - start != length + width:
            continue
        if start < 0 or last[row] > size:
            raise ValueError("a range beyond the bytes")
        if cython.compiled:
            if memcmp(cython.address(texts[start]), cython.address(wanted[0]), length) != 0:
                continue
        elif texts[start : start + length] != wanted:
            continue
        value = 0
        for at in range(start + length, start + length + width):
            value = (value << 8) | texts[at]
        if value >= limit:
            answers[row] = value - limit - limit
        else:
            answers[row] = value
        said[row] = 1
