"""Lines that lack a newline between them: joined by a carriage return alone, or by the hole of NULs that a crash left."""

from __future__ import annotations

import re
from typing import Final

from necropsy._internal.plain_text import HOLE

_LEAST_HOLE: Final = b"\0" * 8
_AFTER_TEXT: Final = re.compile(rb"(?<=[^\0\n])\0{7,}\0(?=[^\0\r\n])")
_RETURN: Final = re.compile(rb"(?:(?<=[\r\n])|\A)([^\r\n]+)\r(?=([^\r\n]+))")
_REQUEST: Final = re.compile(rb"\s*\{.*\}\s*\Z|.*\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\b")


def parted(data: bytes) -> bytes:
    r"""Part whole lines that were joined; all bytes keep their places.

    A carriage return becomes a newline where there is a request on both sides of it: inside a text it may be what a client
    sent. Of a hole behind the beginning of a line the last NUL does; one at the beginning of a line stays.

    >>> parted(b'{"a": 1}\r{"b": 2}\r\n')
    b'{"a": 1}\n{"b": 2}\r\n'
    >>> parted(b'203.0.113.9 "GET / HTTP/1.1" "a\rb"\n')
    b'203.0.113.9 "GET / HTTP/1.1" "a\rb"\n'
    """
    if has_hole(data):
        data = _AFTER_TEXT.sub(lambda hole: hole[0][:-1] + b"\n", data)
    if has_lone_return(data):
        data = _RETURN.sub(_parted, data)
    return data


def _parted(found: re.Match[bytes]) -> bytes:
    between = b"\n" if _REQUEST.match(found[1]) and _REQUEST.match(found[2]) else b"\r"
    return found[1] + between


def has_hole(data: bytes | bytearray, stop: int | None = None) -> bool:
    """Tell whether there is a hole in the first bytes."""
    end = len(data) if stop is None else stop
    return data.find(b"\0", 0, end) >= 0 and data.find(_LEAST_HOLE, 0, end) >= 0


def has_lone_return(data: bytes | bytearray, stop: int | None = None) -> bool:
    """Tell whether there is a carriage return without a newline in the first bytes."""
    end = len(data) if stop is None else stop
    return data.find(b"\r", 0, end) >= 0 and data.count(b"\r", 0, end) > data.count(b"\r\n", 0, end)


def narrowed(open_line: bytes) -> bytes:
    """Make the holes of a line that is not whole yet as small as one may be: a hole is no part of its length."""
    return HOLE.sub(_LEAST_HOLE, open_line) if has_hole(open_line) else open_line
