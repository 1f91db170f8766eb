# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, initializedcheck=False
# ruff: noqa: C901, PLR0911, PLR0912 -- loops that are to compile to loops
"""Loops over the bytes of a line: keys (64-bit hashes), places, numbers, times.

They read from ``start`` up to ``stop`` and nowhere else; that both lie inside the bytes, the caller has to know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ISO, COMMON, COMMON_LOCAL, EPOCH, EPOCH_MS = 0, 1, 2, 3, 4
"""Forms of time; of a local one the zone is not said."""
NO_TIME = -(1 << 62)
EARLIEST_US, LATEST_US = 631152000000000, 7258118400000000
"""1990 to 2200: beyond, it is no time of a log."""

SECRETS = (0x2D358DCCAA6C78A5, 0x8BB84B93962EACC9, 0x4B33A62ED433D4A3, 0x4D5A2DA51DE1AA47)
"""Of wyhash."""
ALL_BITS = 0xFFFFFFFFFFFFFFFF

WORDS = b"JanFebMarAprMayJunJulAugSepOctNovDecnulltruefalseGET "
NULL_AT, TRUE_AT, FALSE_AT, GET_AT = 36, 40, 44, 49


_ODD = re.compile(rb"[^ -\[\]-~]")

if not cython.compiled:  # else they are those of byte_loops.pxd, which the C compiler puts where they are called

    def key_of(data: Any, start: int, stop: int, seed: int) -> int:
        """Return the key of a text: 0 of the empty one only. wyhash, final version 4.2, by Wang Yi, public domain.

        >>> key_of(b"GET /", 0, 0, 7), key_of(b"GET /", 0, 5, 7) == key_of(b"-GET /-", 1, 6, 7)
        (0, True)
        """
        if start >= stop:
            return 0
        text = data[start:stop]
        length = left = len(text)  # a number of Python's: NumPy's would overflow
        seed ^= _mixed(seed ^ SECRETS[0], SECRETS[1])
        if length < 4:
            low, high = text[0] << 16 | text[length >> 1] << 8 | text[length - 1], 0
        elif length <= 16:
            inner = length >> 3 << 2
            low = _word(text, 0, 4) << 32 | _word(text, inner, 4)
            high = _word(text, length - 4, 4) << 32 | _word(text, length - 4 - inner, 4)
        else:
            at, second, third = 0, seed, seed
            while left >= 48:
                seed = _mixed(_word(text, at, 8) ^ SECRETS[1], _word(text, at + 8, 8) ^ seed)
                second = _mixed(_word(text, at + 16, 8) ^ SECRETS[2], _word(text, at + 24, 8) ^ second)
                third = _mixed(_word(text, at + 32, 8) ^ SECRETS[3], _word(text, at + 40, 8) ^ third)
                at, left = at + 48, left - 48
            if at > 0:
                seed ^= second ^ third
            while left > 16:
                seed = _mixed(_word(text, at, 8) ^ SECRETS[1], _word(text, at + 8, 8) ^ seed)
                at, left = at + 16, left - 16
            low, high = _word(text, length - 16, 8), _word(text, length - 8, 8)
        product = (low ^ SECRETS[1]) * (high ^ seed)
        return _mixed(product & ALL_BITS ^ SECRETS[0] ^ length, product >> 64 ^ SECRETS[1]) or 1

    def _word(text: bytes, at: int, length: int) -> int:
        return int.from_bytes(text[at : at + length], "little")

    def _mixed(one: int, other: int) -> int:
        product = one * other
        return product & ALL_BITS ^ product >> 64

    def find(data: Any, start: int, stop: int, byte: int) -> int:
        """Return where a byte is in a range; ``stop``: nowhere."""
        found = data.find(byte, start, stop)
        return stop if found < 0 else int(found)

    def word_end(data: Any, start: int, stop: int, other: int) -> int:
        """Return where a space, a quotation mark or one other byte is in a range; ``stop``: nowhere."""
        while start < stop and data[start] not in {other, 32, 34}:
            start += 1
        return start

    def first_odd(data: Any, start: int, stop: int) -> int:
        """Return where the first byte is that is not printable ASCII, or is a backslash; ``stop``: nowhere."""
        found = _ODD.search(data, start, stop)
        return found.start() if found else stop

    def same(data: Any, start: int, stop: int, other: Any, begin: int, length: int) -> bool:
        """Whether so many bytes of another text stand at ``start``; False where they would reach beyond ``stop``."""
        return start + length <= stop and bool(data[start : start + length] == other[begin : begin + length])


def digits(data: Any, start: int, stop: int) -> int:
    """Return a number of at most 18 digits; -1: none."""
    if stop <= start or stop - start > 18:
        return -1
    value = 0
    at = start
    while at < stop:
        if data[at] < 48 or data[at] > 57:
            return -1
        value = value * 10 + (data[at] - 48)
        at += 1
    return value


def seconds_of_date(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Return seconds since 1970; -1: no date, or before 1970.

    >>> seconds_of_date(2019, 5, 24, 18, 41, 32)
    1558723292
    >>> seconds_of_date(2019, 2, 29, 0, 0, 0)
    -1
    """
    if year < 1970 or month < 1 or month > 12 or day < 1 or hour < 0 or minute < 0 or second < 0:
        return -1
    if hour > 23 or minute > 59 or second > 59:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 31
    if month in {4, 6, 9, 11}:
        last = 30
    elif month == 2:
        last = 29 if leap else 28
    if day > last:
        return -1
    # Howard Hinnant, chrono-compatible low-level date algorithms: days_from_civil
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return days * 86400 + hour * 3600 + minute * 60 + second


def zone_seconds(data: Any, start: int, stop: int) -> int:
    """Return what a zone is ahead of UTC, in seconds; 999999: none that is plain. ``Z``, ``+02``, ``+0200``, ``+02:00``."""
    if stop - start == 1 and data[start] == 90:
        return 0
    length = stop - start
    if length != 3 and length != 5 and length != 6:  # noqa: PLR1714 -- compiles to comparisons
        return 999999
    sign = data[start]
    if sign != 43 and sign != 45:  # noqa: PLR1714
        return 999999
    if length == 6 and data[start + 3] != 58:
        return 999999
    hours = digits(data, start + 1, start + 3)
    minutes = 0 if length == 3 else digits(data, stop - 2, stop)
    if hours < 0 or hours > 14 or minutes < 0 or minutes > 59:
        return 999999
    ahead = hours * 3600 + minutes * 60
    return ahead if sign == 43 else -ahead


def fraction_us(data: Any, start: int, stop: int) -> int:
    """Return microseconds of one to six digits; -1: none."""
    if stop - start > 6:
        return -1
    value = digits(data, start, stop)
    if value < 0:
        return -1
    missing = 6 - (stop - start)
    while missing > 0:
        value *= 10
        missing -= 1
    return value


def time_us(data: Any, start: int, stop: int, form: int) -> int:
    """Return a time in microseconds since 1970, UTC; ``NO_TIME``: not in the form.

    >>> time_us(b"2019-05-24T18:41:32+02:00", 0, 25, ISO), time_us(b"1558723292.5", 0, 12, EPOCH)
    (1558716092000000, 1558723292500000)
    """
    length = stop - start
    fraction = 0
    ahead = 0
    if form == ISO:
        if length < 19 or data[start + 4] != 45 or data[start + 7] != 45:
            return NO_TIME
        if data[start + 10] != 84 and data[start + 10] != 32:
            return NO_TIME
        if data[start + 13] != 58 or data[start + 16] != 58:
            return NO_TIME
        seconds = seconds_of_date(
            digits(data, start, start + 4),
            digits(data, start + 5, start + 7),
            digits(data, start + 8, start + 10),
            digits(data, start + 11, start + 13),
            digits(data, start + 14, start + 16),
            digits(data, start + 17, start + 19),
        )
        at = start + 19
        if at < stop and data[at] == 46:
            at += 1
            first = at
            while at < stop and data[at] >= 48 and data[at] <= 57:
                at += 1
            fraction = fraction_us(data, first, at)
            if fraction < 0:
                return NO_TIME
        if at < stop:
            ahead = zone_seconds(data, at, stop)
    elif form in {COMMON, COMMON_LOCAL}:
        if length != (26 if form == COMMON else 20) or data[start + 2] != 47 or data[start + 6] != 47:
            return NO_TIME
        if data[start + 11] != 58 or data[start + 14] != 58 or data[start + 17] != 58:
            return NO_TIME
        month = 0
        while month < 12 and not same(data, start + 3, stop, WORDS, month * 3, 3):
            month += 1
        seconds = seconds_of_date(
            digits(data, start + 7, start + 11),
            month + 1,
            digits(data, start, start + 2),
            digits(data, start + 12, start + 14),
            digits(data, start + 15, start + 17),
            digits(data, start + 18, start + 20),
        )
        if form == COMMON:
            if data[start + 20] != 32:
                return NO_TIME
            ahead = zone_seconds(data, start + 21, stop)
    elif form == EPOCH:
        point = find(data, start, stop, 46)
        seconds = digits(data, start, point)
        if seconds > LATEST_US:
            return NO_TIME
        if point < stop:
            fraction = fraction_us(data, point + 1, stop)
            if fraction < 0:
                return NO_TIME
    else:
        milliseconds = digits(data, start, stop)
        if milliseconds < 0 or milliseconds > LATEST_US:
            return NO_TIME
        seconds = milliseconds // 1000
        fraction = milliseconds % 1000 * 1000
    if seconds < 0 or ahead == 999999:
        return NO_TIME
    moment = (seconds - ahead) * 1000000 + fraction
    return moment if EARLIEST_US <= moment <= LATEST_US else NO_TIME


def fill_keys(data: Any, ends: NDArray[np.int64], found: NDArray[np.uint64], seed: int) -> None:
    """Fill in the keys of texts that lie one behind the other, each ending where ``ends`` says."""
    out, stops = found, ends
    pointer = data
    count = len(ends)
    size = len(data)
    start, number = 0, 0
    while number < count:
        stop = stops[number]
        if stop < start or stop > size:
            raise IndexError("a text outside of the data")
        out[number] = key_of(pointer, start, stop, seed)
        start = stop
        number += 1
