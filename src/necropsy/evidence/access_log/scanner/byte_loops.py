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
AS_IT_IS, BYTES, PERCENT, PLUS, JSON = 0, 1, 2, 3, 4
r"""How a value is escaped: not, ``\xC3``, ``%20``, ``+``, ``\u00e9``."""
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


def copied(data: Any, start: int, stop: int, out: Any) -> int:
    """Copy a range; return how many bytes it has."""
    if cython.compiled:
        memcpy(out, data + start, stop - start)  # type: ignore[name-defined]  # noqa: F821 -- of byte_loops.pxd
    else:
        out[: stop - start] = data[start:stop]
    return stop - start


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


def hex_digit(byte: int) -> int:
    """Return what a hexadecimal digit stands for; -1: it is none."""
    if 48 <= byte <= 57:
        return byte - 48
    byte |= 32
    return byte - 87 if 97 <= byte <= 102 else -1


def hex_pair(data: Any, at: int) -> int:
    """Return what two hexadecimal digits stand for; -1: none."""
    high, low = hex_digit(data[at]), hex_digit(data[at + 1])
    return -1 if high < 0 or low < 0 else 16 * high + low


def code_of(data: Any, at: int, stop: int) -> int:
    """Return what four hexadecimal digits stand for; -1: none."""
    if at + 4 > stop:
        return -1
    high, low = hex_pair(data, at), hex_pair(data, at + 2)
    return -1 if high < 0 or low < 0 else 256 * high + low


def is_utf8(data: Any, at: int, stop: int) -> int:
    r"""Whether a range is UTF-8: nothing overlong, no halves of surrogate pairs, nothing beyond U+10FFFF.

    >>> [is_utf8(text, 0, len(text)) for text in ("é🙂".encode(), b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9")]
    [1, 0, 0, 0, 0]
    """
    while at < stop:
        byte = data[at]
        at += 1
        if byte < 128:
            continue
        more = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        if byte < 0xC2 or byte > 0xF4 or at + more > stop:
            return 0
        second = data[at]
        if (byte == 0xE0 and second < 0xA0) or (byte == 0xED and second > 0x9F):
            return 0
        if (byte == 0xF0 and second < 0x90) or (byte == 0xF4 and second > 0x8F):
            return 0
        while more > 0:
            if data[at] & 0xC0 != 0x80:
                return 0
            at += 1
            more -= 1
    return 1


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


def rounded_us(data: Any, start: int, stop: int, seconds: int) -> int:
    """Return microseconds of seven to nine digits behind a point, rounded as a double of all seconds is; -1: none.

    The double is the nearest multiple of 2**-22 (from 2004 to 2038), its product with a million the nearest one of 1/4.
    """
    if stop - start > 9 or seconds < 1126000000 or seconds > 2147483646:
        return -1
    value = digits(data, start, stop)
    if value < 0:
        return -1
    scale = 10000000 if stop - start == 7 else 100000000 if stop - start == 8 else 1000000000
    steps = nearest(value << 22, scale)
    quarters = nearest(steps * 4000000, 1 << 22)
    return nearest(quarters, 4)


def nearest(value: int, unit: int) -> int:
    """Return how many units a number is, the nearest; of two the even one."""
    whole = value // unit
    rest = 2 * (value - whole * unit)
    if rest > unit or (rest == unit and whole % 2 == 1):
        whole += 1
    return whole


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
        if data[start + 10] != 84 and data[start + 10] != 32 and data[start + 10] != 9:  # a tab: two columns
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
            fraction = fraction_us(data, first, at if at - first < 6 else first + 6)  # the rest is cut off
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
            us = stop - point <= 7
            fraction = fraction_us(data, point + 1, stop) if us else rounded_us(data, point + 1, stop, seconds)
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


def is_exact(data: Any, start: int, stop: int, form: int) -> int:
    """Whether a time has the only form that nginx writes: ``$msec`` or ``$time_iso8601``."""
    if form == EPOCH:
        return 1 if stop - start == 14 and data[start + 10] == 46 else 0
    return 1 if stop - start == 25 and data[start + 10] == 84 and data[start + 22] == 58 else 0


def thousandths(data: Any, start: int, stop: int) -> int:
    """Return the first three of some decimal digits, filled up with zeros; -1: they are none."""
    if digits(data, start, stop) < 0:
        return -1
    last = min(start + 3, stop)
    value = digits(data, start, last)
    while last < start + 3:
        value *= 10
        last += 1
    return value


def duration_us(data: Any, start: int, stop: int) -> int:
    """Return a duration in microseconds; 0 where there is none, -1: hard."""
    if start == stop or (stop - start == 1 and data[start] == 45):
        return 0
    point = find(data, start, stop, 46)
    whole = digits(data, start, point)
    if whole < 0 or whole >= 86400:
        return -1
    fraction = 0
    if point < stop:
        further = stop - point - 7  # digits beyond microseconds
        fraction = fraction_us(data, point + 1, stop if further <= 0 else point + 7)
        if fraction < 0:
            return -1
        if further > 0:
            rest = thousandths(data, point + 7, stop)
            if rest < 0 or rest == 499 or rest == 500:  # noqa: PLR1714 -- a double may be either
                return -1
            fraction += 1 if rest > 500 else 0
    return whole * 1000000 + fraction


def is_ipv4(data: Any, start: int, stop: int) -> int:
    """Whether these are four groups of digits with dots between them."""
    dots = 0
    at = start
    while at < stop:
        if data[at] == 46:
            if at == start or data[at - 1] == 46:
                return 0
            dots += 1
        elif data[at] < 48 or data[at] > 57:
            return 0
        at += 1
    return 1 if dots == 3 and data[stop - 1] != 46 else 0


def is_mapped(data: Any, start: int, stop: int) -> int:
    """Whether this is an IPv4 address that is mapped into IPv6: ``::ffff:`` before it."""
    if stop - start < 8 or data[start] != 58 or data[start + 1] != 58 or data[start + 6] != 58:
        return 0
    at = start + 2
    while at < start + 6:
        if data[at] | 32 != 102:
            return 0
        at += 1
    return is_ipv4(data, start + 7, stop)


def unescaped(data: Any, at: int, stop: int, how: int, out: Any, to: int) -> int:
    """Write a text that is escaped; return what is behind it, -1: the line is hard."""
    start = to
    while at < stop:
        byte = data[at]
        if how == JSON and byte == 92:
            byte = data[at + 1]
            if byte == 117:
                code = code_of(data, at + 2, stop)
                at += 6
                if 0xD800 <= code <= 0xDFFF:
                    if code > 0xDBFF or at + 6 > stop or data[at] != 92 or data[at + 1] != 117:
                        return -1
                    low = code_of(data, at + 2, stop)
                    if low < 0xDC00 or low > 0xDFFF:
                        return -1
                    code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
                    at += 6
                if code < 32 or code == 127:
                    return -1
                to = put(out, code, to)
                continue
            if byte != 34 and byte != 47 and byte != 92:  # noqa: PLR1714
                return -1
            at += 1
        elif how == BYTES and byte == 92 and at + 3 < stop and data[at + 1] == 120:
            code = hex_pair(data, at + 2)
            if code >= 128:
                byte = code
                at += 3
        elif how == PERCENT and byte == 37 and at + 2 < stop:
            code = hex_pair(data, at + 1)
            if code >= 0:
                if code < 32 or code == 127:
                    return -1
                byte = code
                at += 2
        elif how == PLUS and byte == 43:
            byte = 32
        out[to] = byte
        to += 1
        at += 1
    if how in {BYTES, PERCENT} and not is_utf8(out, start, to):
        return -1
    return to


def put(out: Any, code: int, to: int) -> int:
    """Write a character as UTF-8; return what is behind it."""
    if code < 0x80:
        out[to] = code
        return to + 1
    if code < 0x800:
        out[to] = 0xC0 | code >> 6
        out[to + 1] = 0x80 | code & 63
        return to + 2
    if code < 0x10000:
        out[to] = 0xE0 | code >> 12
        out[to + 1] = 0x80 | code >> 6 & 63
        out[to + 2] = 0x80 | code & 63
        return to + 3
    out[to] = 0xF0 | code >> 18
    out[to + 1] = 0x80 | code >> 12 & 63
    out[to + 2] = 0x80 | code >> 6 & 63
    out[to + 3] = 0x80 | code & 63
    return to + 4


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
