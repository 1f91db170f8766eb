"""When a dump says that it was saved: the incident's moment, not today."""

from __future__ import annotations

from pathlib import Path

_FIELD = b"\xfa\x05ctime\xc2"
"""Opcode AUX, the name with its length, and the mark of a value of four bytes."""
_POLYNOMIAL = 0x95AC9329AC4BC9B5
"""CRC-64 "Jones", reflected, no inversion: a linear function of the bytes."""


def save_time(path: Path, unix_s: int) -> None:
    """Write another ``ctime`` into a dump, and change its checksum by what these four bytes change."""
    data = bytearray(path.read_bytes())
    at = data.index(_FIELD, 0, 400) + len(_FIELD)
    new = unix_s.to_bytes(4, "little")
    changed = bytes(old ^ one for old, one in zip(data[at : at + 4], new, strict=True))
    data[at : at + 4] = new
    total = int.from_bytes(data[-8:], "little") ^ after_zeros(crc64(changed), len(data) - 8 - (at + 4))
    data[-8:] = total.to_bytes(8, "little")
    path.write_bytes(data)


def crc64(data: bytes) -> int:
    """Checksum of a few bytes.

    >>> hex(crc64(b"123456789"))
    '0xe9c6d914c4b8d9ca'
    """
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


def after_zeros(crc: int, count: int) -> int:
    """The checksum after ``count`` more bytes of zero: a linear map, raised to that power by squaring."""
    # image of each bit after one byte
    step = [crc64_byte(1 << bit) for bit in range(64)]
    while count:
        if count & 1:
            crc = _apply(step, crc)
        step = [_apply(step, image) for image in step]
        count >>= 1
    return crc


def crc64_byte(crc: int) -> int:
    """The checksum after one byte of zero."""
    for _ in range(8):
        crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


def _apply(step: list[int], crc: int) -> int:
    out = 0
    while crc:
        low = crc & -crc
        out ^= step[low.bit_length() - 1]
        crc ^= low
    return out
