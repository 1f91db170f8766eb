# cython: language_level=3, boundscheck=False, wraparound=False, annotation_typing=False, cdivision=True
"""SipHash-2-4: a keyed hash of 64 bits, made for short texts.

J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF", 2012. Plain Python that is compiled where a compiler
is, as the reader of dumps: 50 ns an id then, with the same answers.
"""

from __future__ import annotations

from array import array
from typing import Any

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

Bytes = bytes | bytearray | memoryview
FIRST, SECOND, THIRD, FOURTH = 0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573
"""Of the specification: "somepseudorandomlygeneratedbytes"."""


class Hasher:
    """Hashes with one key of 16 bytes.

    >>> hex(Hasher(bytes(range(16))).one(bytes(range(15))))  # the paper's example
    '0xa129ca6149be45e5'
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError("a key has 16 bytes")
        self.low = int.from_bytes(key[:8], "little")
        self.high = int.from_bytes(key[8:], "little")

    def one(self, text: bytes) -> int:
        """Hash one text."""
        answer = array("Q", (0,))
        # A byte more than the text has, for there is no pointer to the first byte of nothing.
        self.column(text + b"\0", array("i", (0, len(text))), answer)
        return answer[0]

    def column(self, data: Any, offsets: Any, answers: Any) -> None:
        """Hash texts that lie one after another.

        Parameters
        ----------
        data
            Bytes of all texts, at least one; as the others, anything whose memory can be looked at.
        offsets
            Where each text begins in them, and where the last one ends: int32, one more than there are texts.
        answers
            Where the hashes go: uint64.

        Raises
        ------
        ValueError
            The offsets reach beyond the data, or do not ascend.
        """
        texts: memoryview = memoryview(data)
        ends: memoryview = memoryview(offsets)
        hashes: memoryview = memoryview(answers)
        count = len(ends) - 1
        size = len(texts)
        if len(hashes) < count or count < 0 or size < 1:
            raise ValueError("the columns do not fit together")
        if not cython.compiled and count >= 8:  # from here on it is worth it
            from necropsy.case.siphash_in_numpy import hash_side_by_side

            key = (FIRST ^ self.low, SECOND ^ self.high, THIRD ^ self.low, FOURTH ^ self.high)
            hash_side_by_side(key, texts, ends, hashes)
            return
        sound = True
        with cython.nogil:  # two threads hash one half each of what is long
            for i in range(count):
                start = ends[i]
                stop = ends[i + 1]
                if start < 0 or stop < start or stop > size:
                    sound = False
                    break
                if cython.compiled:
                    hashes[i] = siphash(self.low, self.high, cython.address(texts[0]) + start, stop - start)
                else:
                    hashes[i] = siphash(self.low, self.high, texts[start:stop], stop - start)
        if not sound:
            raise ValueError("an offset beyond the texts")


def siphash(low: int, high: int, data: Bytes, size: int) -> int:
    """Hash ``size`` bytes, whose range the caller has checked."""
    a = FIRST ^ low
    b = SECOND ^ high
    c = THIRD ^ low
    d = FOURTH ^ high
    whole = size - size % 8
    at = 0
    rounds = 2
    last = size & 0xFF
    last = last << 56
    while at <= whole + 8:
        if at < whole:
            word = little(data, at, 8)
        elif at == whole:
            word = last | little(data, at, size - whole)
        else:
            word = 0
            c ^= 0xFF
            rounds = 4
        at += 8
        d ^= word
        for _ in range(rounds):
            a = plus(a, b)
            b = turn(b, 13) ^ a
            a = turn(a, 32)
            c = plus(c, d)
            d = turn(d, 16) ^ c
            a = plus(a, d)
            d = turn(d, 21) ^ a
            c = plus(c, b)
            b = turn(b, 17) ^ c
            c = turn(c, 32)
        a ^= word
    return a ^ b ^ c ^ d


def plus(one: int, other: int) -> int:
    """Add as 64 bits do."""
    if cython.compiled:
        return one + other
    return (one + other) % 2**64


def turn(value: int, count: int) -> int:
    """Rotate 64 bits to the left."""
    if cython.compiled:
        return (value << count) | (value >> (64 - count))
    return (value << count) % 2**64 | (value >> (64 - count))


def little(data: Bytes, at: int, count: int) -> int:
    """Return up to 8 bytes as one number, little-endian."""
    value = 0
    if count == 8:  # one load, where the processor is such
        value = data[at + 7]
        value = (value << 8) | data[at + 6]
        value = (value << 8) | data[at + 5]
        value = (value << 8) | data[at + 4]
        value = (value << 8) | data[at + 3]
        value = (value << 8) | data[at + 2]
        value = (value << 8) | data[at + 1]
        return (value << 8) | data[at]
    while count > 0:
        count -= 1
        value = (value << 8) | data[at + count]
    return value
