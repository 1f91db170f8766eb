"""Joined lines are parted where both sides are requests; every byte keeps its place."""

from __future__ import annotations

import pytest

from necropsy.evidence.access_log.files.joined_lines import narrowed, parted

HOLE = b"\0" * 5_000


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b'1 "GET /a"\r2 "GET /b"\r3 "GET /c"\n', b'1 "GET /a"\n2 "GET /b"\n3 "GET /c"\n'),
        (b'{"a":1}\r{"a":2}', b'{"a":1}\n{"a":2}'),
        (b'1 "GET /a"\r\n2 "GET /b"\r\n', b'1 "GET /a"\r\n2 "GET /b"\r\n'),
        (b'1 "GET /a" "one\rtwo"\n', b'1 "GET /a" "one\rtwo"\n'),
        (b'half\r2 "GET /b"\n', b'half\r2 "GET /b"\n'),
        (b"\x16\x03\x01\0\0\x01\n", b"\x16\x03\x01\0\0\x01\n"),
        (HOLE + b'1 "GET /a"\n', HOLE + b'1 "GET /a"\n'),
        (b"ha" + HOLE + b'2 "GET /b"\n', b"ha" + HOLE[1:] + b'\n2 "GET /b"\n'),
        (b"ha" + HOLE + b"\n", b"ha" + HOLE + b"\n"),
    ],
)
def test_lines_are_parted(data, shown) -> None:
    assert parted(data) == shown
    assert parted(shown) == shown
    assert len(shown) == len(data)


def test_a_hole_is_as_wide_as_eight_bytes_whatever_comes_next() -> None:
    assert narrowed(HOLE) == b"\0" * 8
    assert narrowed(narrowed(b"a" + HOLE) + HOLE + b"b") == b"a" + b"\0" * 8 + b"b"
    assert narrowed(b"a\0\0b") == b"a\0\0b"
