"""Dumps built byte by byte from the format: for what no server at hand writes, and for what none should."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from necropsy.evidence.rdb.reader import Dump, open_dump
from necropsy.sessions.keyspace import Projection

EVERYTHING = Projection(
    string_bytes=1 << 20,
    hash_fields=((b"f", 1 << 20), (b"creationTime", 64), (b"7", 4), (b"absent", 8)),
    repeated=(b"f", b"7"),
    members_of=(b"",),
)

EOF, SELECTDB, EXPIRETIME, EXPIRETIME_MS, RESIZEDB, AUX, FREQ, IDLE, MODULE_AUX = (
    255,
    254,
    253,
    252,
    251,
    250,
    249,
    248,
    247,
)
FUNCTION_RC, FUNCTION, SLOT_INFO, KEY_META, SLOT_IMPORT, TEMPLATE = 246, 245, 244, 243, 243, 242


def size(number: int) -> bytes:
    """A length or a count, as short as it goes."""
    if number < 1 << 6:
        return bytes([number])
    if number < 1 << 14:
        return struct.pack(">H", number | 0x4000)
    if number < 1 << 32:
        return b"\x80" + struct.pack(">I", number)
    return b"\x81" + struct.pack(">Q", number)


def text(content: bytes) -> bytes:
    return size(len(content)) + content


def number(value: int) -> bytes:
    """A text that is a number."""
    for code, form in enumerate(("<b", "<h", "<i")):
        try:
            return bytes([0xC0 | code]) + struct.pack(form, value)
        except struct.error:
            continue
    raise ValueError(value)


def compressed(packed: bytes, length: int) -> bytes:
    return b"\xc3" + size(len(packed)) + size(length) + packed


def milliseconds(value: int) -> bytes:
    return struct.pack("<q", value)


def listpack(*entries: bytes | int) -> bytes:
    body = b"".join(_listpack_entry(entry) for entry in entries)
    return struct.pack("<IH", len(body) + 7, min(len(entries), 0xFFFF)) + body + b"\xff"


def _listpack_entry(entry: bytes | int) -> bytes:
    if isinstance(entry, bytes):
        length = len(entry)
        if length < 64:
            head = bytes([0x80 | length])
        elif length < 4096:
            head = bytes([0xE0 | length >> 8, length & 0xFF])
        else:
            head = b"\xf0" + struct.pack("<I", length)
        data = head + entry
    elif 0 <= entry < 128:
        data = bytes([entry])
    elif -4096 <= entry < 4096:
        data = bytes([0xC0 | (entry >> 8 & 0x1F), entry & 0xFF])
    else:
        width = next(width for width in (2, 3, 4, 8) if -(1 << 8 * width - 1) <= entry < 1 << 8 * width - 1)
        data = bytes([0xF4 if width == 8 else 0xEF + width]) + entry.to_bytes(width, "little", signed=True)
    return data + _backwards(len(data))


def _backwards(length: int) -> bytes:
    """The entry's own length, seven bits a byte, read from the end; 16383 and so on already take the next width."""
    limits = (128, 16383, 2097151, 268435455)
    width = next((width for width, limit in enumerate(limits, 1) if length < limit), 5)
    parts = [length >> 7 * place & 127 for place in reversed(range(width))]
    return bytes([parts[0], *(part | 128 for part in parts[1:])])


def ziplist(*entries: bytes | int) -> bytes:
    body, before = b"", 0
    for entry in entries:
        data = (bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)) + _ziplist_entry(entry)
        body += data
        before = len(data)
    return struct.pack("<IIH", len(body) + 11, 10, min(len(entries), 0xFFFF)) + body + b"\xff"


def _ziplist_entry(entry: bytes | int) -> bytes:
    if isinstance(entry, bytes):
        length = len(entry)
        if length < 64:
            return bytes([length]) + entry
        if length < 1 << 14:
            return struct.pack(">H", length | 0x4000) + entry
        return b"\x80" + struct.pack(">I", length) + entry
    if 0 <= entry <= 12:
        return bytes([0xF1 + entry])
    for code, width in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
        if -(1 << 8 * width - 1) <= entry < 1 << 8 * width - 1:
            return bytes([code]) + entry.to_bytes(width, "little", signed=True)
    raise ValueError(entry)


def zipmap(*pairs: tuple[bytes, bytes], spare: int = 0) -> bytes:
    body = b"".join(
        _zipmap_length(field) + field + _zipmap_length(value) + bytes([spare]) + value + b"\x00" * spare
        for field, value in pairs
    )
    return bytes([min(len(pairs), 254)]) + body + b"\xff"


def _zipmap_length(content: bytes) -> bytes:
    return bytes([len(content)]) if len(content) < 254 else b"\xfe" + struct.pack("<I", len(content))


def intset(*members: int) -> bytes:
    width = next(width for width in (2, 4, 8) if all(-(1 << 8 * width - 1) <= m < 1 << 8 * width - 1 for m in members))
    return struct.pack("<II", width, len(members)) + b"".join(m.to_bytes(width, "little", signed=True) for m in members)


def key(code: int, name: bytes, value: bytes) -> bytes:
    return bytes([code]) + text(name) + value


def _shifted(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x95AC9329AC4BC9B5 if byte & 1 else 0)
    return byte


_SHIFTED = [_shifted(byte) for byte in range(256)]


def crc64(data: bytes) -> int:
    """The checksum by its definition, a byte at a time."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _SHIFTED[(crc ^ byte) & 0xFF]
    return crc


def dump(*records: bytes, magic: bytes = b"REDIS0011", checksum: bool = True) -> bytes:
    body = magic + b"".join(records) + bytes([EOF])
    if magic.startswith(b"REDIS000") and magic < b"REDIS0005":
        return body
    return body + struct.pack("<Q", crc64(body) if checksum else 0)


def written(folder: Path, data: bytes, name: str = "minted.rdb") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def rows(read: Dump) -> list[dict[str, Any]]:
    """All rows of a dump; every batch is validated on the way."""
    found = []
    for batch in read:
        batch.validate(full=True)
        found.extend(batch.to_pylist())
    return found


def read_rows(path: str, projection: Projection = EVERYTHING, **options: Any) -> tuple[list[dict[str, Any]], Dump]:
    read = open_dump(path, projection, **options)
    return rows(read), read


def by_key(found: Iterable[dict[str, Any]]) -> dict[bytes, dict[str, Any]]:
    return {row["key"]: row for row in found}
