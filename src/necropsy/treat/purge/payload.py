r"""The payload of DUMP and RESTORE: made from the bytes of a snapshot, and read without a server.

::

    04 01 01 61 01 62        | 0c 00             | 8 bytes
    type byte and the value  | version of the    | CRC-64 of all before,
    as it stands in an RDB   | RDB, 2 bytes      | little endian

The version is always the server's own, whatever the value needs, and others refuse what is newer than theirs: Redis 8.2
says 12, Valkey 9.1 says 80. ``logical`` reads the value itself, so that an undo works on any server.

Source: ``createDumpPayload`` and ``verifyDumpPayload`` in Redis' cluster.c; rdb.h; listpack.c; ziplist.c; lzf_d.c.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from necropsy.sessions import attributes
from necropsy.sessions.spring.names import ATTRIBUTE, FIXED

if TYPE_CHECKING:
    import mmap

    import numpy as np
    import numpy.typing as npt

Logical: TypeAlias = bytes | dict[bytes, bytes]
"""A string, or a hash."""

_TAIL: Final = 10
_STRING, _HASH, _HASH_ZIPLIST, _HASH_LISTPACK = 0, 4, 13, 16
_EXPIRY_S, _EXPIRY, _FREQUENCY = 0xFD, 0xFC, 0xF9
_LENGTHS: Final = {0xF8: 1, 0xFE: 1, 0xFB: 2, 0xF4: 3}
"""Opcodes before which no key ends, by the lengths behind them: idle time, database, its size, a slot of a Cluster."""
_TEXTS: Final = {0xFA: 2, 0xF5: 1}
"""By the texts behind them: a fact of the server, a library of functions."""
_MANY: Final = {1: (1, 0), 2: (1, 0), 5: (1, 8), 14: (1, 0)}
"""Lists and sets, by the texts of one element and the bytes behind it."""
_PACKED: Final = frozenset({9, 10, 11, 12, 17, 20})
_QUICKLIST_2: Final = 18
_SHORT: Final = 64
"""Below it a length is one byte."""
_LZF: Final = 3
"""Number of the encoding of compressed texts."""
RESTORABLE: Final = frozenset({_STRING, _HASH, _HASH_ZIPLIST, _HASH_LISTPACK})
"""Types of sessions whose payload is made of their bytes in a snapshot."""
_ATTRIBUTE: Final = ATTRIBUTE.encode()
_FIXED_FIELDS: Final = frozenset(name.encode() for name in FIXED)
_EMPTY: Final = bytes(8)
_POLYNOMIAL: Final = 0x95AC9329AC4BC9B5


class Unreadable(ValueError):  # noqa: N818 -- what it is
    """A type that only the server reads (streams, modules, fields with an expiry of their own), or damaged bytes."""


def unsealed(value: bytes, version: int) -> bytes:
    """Return the payload of a value, its checksum left empty: ``seal`` computes those of many at once.

    Parameters
    ----------
    value
        Type byte and value, as they stand in a snapshot.
    version
        The version that the server itself stamps.
    """
    return value + version.to_bytes(2, "little") + _EMPTY


def seal(payloads: Sequence[bytes]) -> list[bytes]:
    r"""Return payloads with their checksums: CRC-64 "Jones" as the server's, a byte of all of them at a time.

    >>> seal([b"\x00\x01a\x0b\x00" + bytes(8)])[0].hex()
    '0001610b00d62152e872a9943d'
    """
    import numpy as np

    table = _table()
    order = sorted(range(len(payloads)), key=lambda place: -len(payloads[place]))
    longest = len(payloads[order[0]]) - 8 if order else 0
    lengths = np.array([len(payloads[place]) - 8 for place in order])
    data = np.zeros((len(order), max(longest, 1)), np.uint8)
    for row, place in enumerate(order):
        data[row, : lengths[row]] = np.frombuffer(payloads[place], np.uint8, lengths[row])
    sums = np.zeros(len(order), np.uint64)
    counts = np.searchsorted(-lengths, -np.arange(longest), side="left")
    for at in range(longest):
        some = sums[: counts[at]]
        places = ((some & np.uint64(0xFF)) ^ data[: counts[at], at]).astype(np.intp)
        sums[: counts[at]] = table[places] ^ (some >> np.uint64(8))
    made = list(payloads)
    for row, place in enumerate(order):
        if payloads[place][-8:] == _EMPTY:
            made[place] = payloads[place][:-8] + int(sums[row]).to_bytes(8, "little")
    return made


@functools.cache
def _table() -> npt.NDArray[np.uint64]:
    import numpy as np

    rows = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        rows.append(crc)
    return np.array(rows, np.uint64)


def small_hash(fields: Mapping[bytes, bytes]) -> bytes:
    """Return the payload of a hash with few fields, not sealed: for ``logical``, not for a server.

    >>> logical(small_hash({b"a": b"1", b"long": b"x" * 100})) == {b"a": b"1", b"long": b"x" * 100}
    True
    """
    words = [word for pair in fields.items() for word in pair]
    texts = b"".join([b"\x80" + len(word).to_bytes(4, "big") + word for word in words])
    return bytes((_HASH, len(fields))) + texts + bytes(_TAIL)


def end_of_value(data: bytes | mmap.mmap, code: int, at: int) -> int:
    """Return where a value ends that begins at ``at``; strings and hashes alone.

    Raises
    ------
    Unreadable
        Another type.
    """
    if code in (_STRING, _HASH_ZIPLIST, _HASH_LISTPACK):
        return _passed(data, at)
    if code != _HASH:
        raise Unreadable(f"a value of type {code}")
    count, at, _ = _length(data, at)
    for _ in range(2 * count):
        first = data[at]
        at = at + 1 + first if first < _SHORT else _passed(data, at)
    return at


class Place(NamedTuple):
    """The position of a key and its value in a dump."""

    at: int
    """Of the type byte."""
    key: bytes
    expires_ms: int
    """-1: never."""
    value: int
    end: int


def places(data: bytes | mmap.mmap, at: int, end: int) -> Iterator[Place]:
    r"""Yield the keys of a piece of a dump that begins where a record does; up to what cannot be passed.

    What looks like a record within a value is none: whoever fills sessions may write there what he likes.

    >>> list(places(b"\xfc" + bytes(8) + b"\x00\x01a\x02bc", 0, 15))
    [Place(at=9, key=b'a', expires_ms=0, value=12, end=15)]
    """
    expires_ms = -1
    try:
        while at < end:
            code = data[at]
            if code == _EXPIRY:
                expires_ms = int.from_bytes(data[at + 1 : at + 9], "little")
                at += 9
            elif code == _EXPIRY_S:
                expires_ms = 1000 * int.from_bytes(data[at + 1 : at + 5], "little")
                at += 5
            elif code in _LENGTHS:
                at += 1
                for _ in range(_LENGTHS[code]):
                    at = _length(data, at)[1]
            elif code == _FREQUENCY:
                at += 2
            elif code in _TEXTS:
                at += 1
                for _ in range(_TEXTS[code]):
                    at = _passed(data, at)
            else:
                key, value = _text(data, at + 1)
                last = _end_of_any(data, code, value)
                yield Place(at, key, expires_ms, value, last)
                at, expires_ms = last, -1
    except (ValueError, IndexError):
        return


def _end_of_any(data: bytes | mmap.mmap, code: int, at: int) -> int:
    """Return where a value of any type ends that is made of texts."""
    if code in _MANY:
        count, at, _ = _length(data, at)
        texts, behind = _MANY[code]
        for _ in range(texts * count):
            at = _passed(data, at) + behind
        return at
    if code == _QUICKLIST_2:
        count, at, _ = _length(data, at)
        for _ in range(count):
            at = _passed(data, _length(data, at)[1])
        return at
    return _passed(data, at) if code in _PACKED else end_of_value(data, code, at)


def _passed(data: bytes | mmap.mmap, at: int) -> int:
    length, at, special = _length(data, at)
    if not special:
        return at + length
    if length < 3:
        return at + (1 << length)
    packed, at, _ = _length(data, at)
    _, at, _ = _length(data, at)
    return at + packed


def version_of(payload: bytes) -> int:
    r"""Return the version that a payload is stamped with.

    >>> version_of(b"\x00\x00" + b"\x0c\x00" + bytes(8))
    12
    """
    return int.from_bytes(payload[-_TAIL:-8], "little")


def refused(text: str) -> bool:
    """Whether an error of RESTORE is about the payload itself: its version, its checksum or its type.

    >>> refused("ERR DUMP payload version or checksum are wrong"), refused("BUSYKEY Target key name already exists.")
    (True, False)
    """
    return "version or checksum" in text or "Bad data format" in text


def value_of(payload: bytes) -> bytes:
    """Return type byte and value of a payload, as a snapshot has them."""
    return payload[:-_TAIL]


def logical(payload: bytes) -> Logical:
    r"""Read a string or a hash.

    Raises
    ------
    Unreadable
        Another type, or damaged.

    >>> logical(b"\x04\x01\x01a\x01b" + bytes(10)), logical(b"\x00\xc0\x0c" + bytes(10))
    ({b'a': b'b'}, b'12')
    """
    value = value_of(payload)
    try:
        if value[0] == _STRING:
            return _text(value, 1)[0]
        if value[0] == _HASH:
            return _plain_hash(value)
        if value[0] in (_HASH_ZIPLIST, _HASH_LISTPACK):
            packed = _text(value, 1)[0]
            entries = list(_listpack(packed) if value[0] == _HASH_LISTPACK else _ziplist(packed))
            return dict(zip(entries[::2], entries[1::2], strict=True))
    except (IndexError, ValueError) as error:
        raise Unreadable("damaged") from error
    raise Unreadable(f"a value of type {value[0]}")


def may_name_user(payload: bytes) -> bool:
    r"""Whether an attribute of a Spring session may say who is logged in, by its name; also of one that cannot be read.

    >>> may_name_user(small_hash({b"sessionAttr:loginUser": b"x"})), may_name_user(small_hash({b"sessionAttr:cart": b"x"}))
    (True, False)
    """
    try:
        fields = logical(payload)
    except Unreadable:
        return True
    names = (
        [name.removeprefix(_ATTRIBUTE) for name, inside in fields.items() if inside] if isinstance(fields, dict) else []
    )
    return any(attributes.may_name_user(name.decode("utf-8", "replace")) for name in names if name not in _FIXED_FIELDS)


def _plain_hash(value: bytes) -> dict[bytes, bytes]:
    count, at, _ = _length(value, 1)
    found = {}
    for _ in range(count):
        name, at = _text(value, at)
        found[name], at = _text(value, at)
    return found


def _length(data: bytes | mmap.mmap, at: int) -> tuple[int, int, bool]:
    """Return a length, where it ends, and whether it is the number of a special encoding instead."""
    first = data[at]
    kind = first >> 6
    if kind == 0:
        return first & 63, at + 1, False
    if kind == 1:
        return (first & 63) << 8 | data[at + 1], at + 2, False
    if kind == 3:
        return first & 63, at + 1, True
    width = 8 if first == 0x81 else 4
    return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width, False


def _text(data: bytes | mmap.mmap, at: int) -> tuple[bytes, int]:
    length, at, special = _length(data, at)
    if not special:
        if at + length > len(data):
            raise IndexError
        return data[at : at + length], at + length
    if length < 3:
        width = 1 << length
        return b"%d" % int.from_bytes(data[at : at + width], "little", signed=True), at + width
    if length != _LZF:
        raise ValueError
    packed, at, _ = _length(data, at)
    size, at, _ = _length(data, at)
    return _unpacked(data[at : at + packed], size), at + packed


def _unpacked(data: bytes, size: int) -> bytes:
    """Undo LZF."""
    out = bytearray()
    at = 0
    while at < len(data):
        control = data[at]
        at += 1
        if control < 32:
            out += data[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[at]
            at += 1
        start = len(out) - ((control & 31) << 8 | data[at]) - 1
        at += 1
        if start < 0:
            raise ValueError
        for place in range(start, start + length + 2):
            out.append(out[place])
    if len(out) != size:
        raise ValueError
    return bytes(out)


def _listpack(data: bytes) -> Iterator[bytes]:
    at = 6
    while data[at] != 0xFF:
        first = data[at]
        if first < 0x80:
            size, text = 1, b"%d" % first
        elif first < 0xC0:
            size = 1 + (first & 63)
            text = data[at + 1 : at + size]
        elif first < 0xE0:
            size, number = 2, (first & 31) << 8 | data[at + 1]
            text = b"%d" % (number - (1 << 13) if number >= 1 << 12 else number)
        elif first < 0xF0:
            size = 2 + ((first & 15) << 8 | data[at + 1])
            text = data[at + 2 : at + size]
        elif first == 0xF0:
            size = 5 + int.from_bytes(data[at + 1 : at + 5], "little")
            text = data[at + 5 : at + size]
        elif first in (0xF1, 0xF2, 0xF3, 0xF4):
            width = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}[first]
            size, text = 1 + width, b"%d" % int.from_bytes(data[at + 1 : at + 1 + width], "little", signed=True)
        else:
            raise ValueError
        yield text
        back = 1 + (size > 127) + (size >= 16383) + (size >= 2097151) + (size >= 268435455)  # lpEncodeBacklen
        at += size + back


def _ziplist(data: bytes) -> Iterator[bytes]:
    at = 10
    while data[at] != 0xFF:
        at += 1 if data[at] < 254 else 5
        first = data[at]
        kind = first >> 6
        if kind < 3:
            head = (1, 2, 5)[kind]
            size = (first & 63, (first & 63) << 8 | data[at + 1], int.from_bytes(data[at + 1 : at + 5], "big"))[kind]
            yield data[at + head : at + head + size]
            at += head + size
        elif first >= 0xF1:
            yield b"%d" % ((first & 15) - 1)
            at += 1
        else:
            width = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}[first]
            yield b"%d" % int.from_bytes(data[at + 1 : at + 1 + width], "little", signed=True)
            at += 1 + width
