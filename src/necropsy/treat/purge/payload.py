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

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

Logical: TypeAlias = bytes | dict[bytes, bytes]
"""A string, or a hash."""

_TAIL: Final = 10
_STRING, _HASH, _HASH_ZIPLIST, _HASH_LISTPACK = 0, 4, 13, 16
EMPTY_STRING: Final = b"\x00\x00"
"""Type byte and value of a marker."""


class Unreadable(ValueError):  # noqa: N818 -- what it is
    """A type that only the server reads (streams, modules, fields with an expiry of their own), or damaged bytes."""


def sealed(value: bytes, version: int, checksum: Callable[[bytes], int]) -> bytes:
    """Return the payload of a value.

    Parameters
    ----------
    value
        Type byte and value, as they stand in a snapshot.
    version
        The version that the server itself stamps.
    checksum
        CRC-64 as the RDB has it.
    """
    stamped = value + version.to_bytes(2, "little")
    return stamped + checksum(stamped).to_bytes(8, "little")


def version_of(payload: bytes) -> int:
    r"""Return the version that a payload is stamped with.

    >>> version_of(b"\x00\x00" + b"\x0c\x00" + bytes(8))
    12
    """
    return int.from_bytes(payload[-_TAIL:-8], "little")


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


def _plain_hash(value: bytes) -> dict[bytes, bytes]:
    count, at, _ = _length(value, 1)
    found = {}
    for _ in range(count):
        name, at = _text(value, at)
        found[name], at = _text(value, at)
    return found


def _length(data: bytes, at: int) -> tuple[int, int, bool]:
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


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    length, at, special = _length(data, at)
    if not special:
        if at + length > len(data):
            raise IndexError
        return data[at : at + length], at + length
    if length < 3:
        width = 1 << length
        return b"%d" % int.from_bytes(data[at : at + width], "little", signed=True), at + width
    if length != 3:
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
