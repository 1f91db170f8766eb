r"""Log lines inside other log lines: containers and shippers wrap what an application wrote.

========================================================  ======================
line                                                      written by
========================================================  ======================
``{"log":"203.0.113.9 - - […\n","stream":"stdout",…}``    Docker (json-file)
``2019-05-24T18:41:34.25Z stdout F 203.0.113.9 - - […``   Kubernetes (CRI)
``May 24 18:41:34 web1 nginx: 203.0.113.9 - - […``        syslog, journald
``web-1  | 203.0.113.9 - - […``                           Docker Compose
========================================================  ======================

Layers are tried on the first lines, one inside the other. Where the innermost lines have a layout, the inner lines are
written into a file of their own, one for one, so that their numbers stay those of the lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.shippers import MESSAGES, WRAPPERS, whole_text
from necropsy._internal.sql_quoting import identifier, literal
from necropsy.evidence.access_log.files import damaged_lines
from necropsy.evidence.access_log.files.sources import LogFile

if TYPE_CHECKING:
    from necropsy.case.scratch import Scratch
    from necropsy.evidence.access_log.formats.layout import LineLayout

_DEEPEST: Final = 3
"""Layers around a line, at most."""
_MOST: Final = 0.5
"""Share of the first lines that a layer must fit."""
_ADDRESS: Final = rb"[0-9A-Fa-f:.]{3,45}"
_ANY_PREFIX: Final = (
    rb"^(?!" + _ADDRESS + rb",).*?\s(?=(?:" + _ADDRESS + rb", ?)*" + _ADDRESS
    + rb" \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)"
)  # fmt: skip
"""Whatever stands before a line of combined: the logger of an application, a shipper that is not known. The first addresses
of a list are no prefix: they are the client."""


_CROSSES_LINES: Final = re.compile(rb"\[\^|\\s|\(\?=")
"""Finds what could match the end of a line: a pattern without it is taken off all lines of a piece at once."""


@dataclass(frozen=True, slots=True)
class LineWrapper:
    """One layer around the lines of a log."""

    lines: list[str]
    """The first lines without it."""
    take_off: Callable[[Scratch, LogFile], LogFile]
    """Writes the inner lines of a file into a file of their own."""


def unwrapped(
    scratch: Scratch, file: LogFile, lines: Sequence[str], recognise: Callable[[Sequence[str]], LineLayout | None]
) -> tuple[LogFile, LineLayout] | None:
    """Return a file of the inner lines and their layout; None when no inner line has one."""
    found = _search(lines, recognise, _DEEPEST)
    if found is None:
        return None
    layers, layout = found
    for layer in layers:
        file = layer.take_off(scratch, file)
    return file, layout


def _search(
    lines: Sequence[str], recognise: Callable[[Sequence[str]], LineLayout | None], depth: int
) -> tuple[list[LineWrapper], LineLayout] | None:
    """Look for a layout one layer deeper first, then for one that lies deeper still."""
    layers = list(_layers(lines))
    for layer in layers:
        layout = recognise(layer.lines)
        if layout is not None:
            return [layer], layout
    for layer in layers if depth > 1 else ():
        found = _search(layer.lines, recognise, depth - 1)
        if found is not None:
            return [layer, *found[0]], found[1]
    return None


def _layers(lines: Sequence[str]) -> Iterator[LineWrapper]:
    """Yield the layers that the lines may have, the most telling first."""
    keys = _message_keys(lines)
    for path in keys:
        inner = [_at(line, path) or "?" for line in lines]
        yield LineWrapper(inner, _from_objects(path))
    prefixes = [re.compile(_without_rest(wrapper.pattern).encode()) for wrapper in WRAPPERS]
    for form in (*prefixes, re.compile(_ANY_PREFIX)):
        encoded = [line.encode("utf-8", "replace") for line in lines]
        without = [form.sub(b"", line, 1) for line in encoded]
        if sum(map(bytes.__ne__, without, encoded)) >= _MOST * len(lines) and any(without):
            yield LineWrapper([line.decode() for line in without], _from_text(form))
    whole = "\n".join(lines).encode("utf-8", "replace")
    if not keys and damaged_lines.repaired(whole) != whole:
        yield LineWrapper(damaged_lines.repaired(whole).decode().split("\n"), _from_text(None))


def _without_rest(pattern: str) -> str:
    r"""Return a wrapper's pattern for the prefix alone.

    >>> _without_rest(r"^(?P<stamp>\S+) \{a\} (?P<rest>\{.*)$")
    '^(?P<stamp>\\S+) \\{a\\} (?=\\{)'
    """
    prefix, _, rest = pattern.partition("(?P<rest>")
    return prefix + (r"(?=\{)" if rest.startswith(r"\{") else "")


def _from_text(form: re.Pattern[bytes] | None) -> Callable[[Scratch, LogFile], LogFile]:
    """Return what takes a prefix off each line, and repairs objects behind it."""
    at_once = form is not None and not _CROSSES_LINES.search(form.pattern)
    of_all = re.compile(b"(?m)" + form.pattern) if form is not None and at_once else None

    def inner(piece: bytes) -> bytes:
        if form is None:
            return piece
        if of_all is not None:
            return of_all.sub(b"", piece)
        return b"\n".join(form.sub(b"", line, 1) for line in piece.split(b"\n"))

    def take_off(_: Scratch, file: LogFile) -> LogFile:
        copy = file.path.with_name(f"{file.path.name}-inner")
        with copy.open("wb") as out:
            for _number, piece, _ends in damaged_lines.lines(file):
                out.write(damaged_lines.repaired(inner(piece)))
        return LogFile(file.locator, copy, "none", file.damage)

    return take_off


def _from_objects(path: Sequence[str]) -> Callable[[Scratch, LogFile], LogFile]:
    """Return what takes the lines out of objects of JSON."""

    def take_off(scratch: Scratch, file: LogFile) -> LogFile:
        copy = file.path.with_name(f"{file.path.name}-inner")
        tidy = damaged_lines.tidy(file, file.path.with_name(f"{file.path.name}-outer"))
        top, *rest = path
        pointer = "$" + "".join(f'."{part}"' for part in rest)
        value = f"json_extract_string({identifier(top)}, {literal(pointer)})" if rest else identifier(top)
        inner = f"regexp_replace(rtrim(coalesce({value}, '?'), chr(10)), '[\\r\\n\\x01]+', ' ', 'g')"
        scratch.run(
            f"COPY (SELECT {inner} FROM read_json({literal(str(tidy.path))}, format = 'newline_delimited', ignore_errors = true,"
            f" columns = {{{literal(top)}: '{'JSON' if rest else 'VARCHAR'}'}})) TO {literal(str(copy))}"
            " (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
        return LogFile(file.locator, copy, "none", file.damage)

    return take_off


def _message_keys(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the ways to what may be an inner line, if most lines are objects that hold one."""
    paths = [tuple(key.split(".")) for key in MESSAGES]
    return [path for path in paths if sum(bool(_at(line, path)) for line in lines) >= _MOST * len(lines) > 0]


def _at(line: str, path: Sequence[str]) -> str:
    here: Any
    try:
        here = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    for part in path:
        here = here.get(part) if isinstance(here, dict) else None
    if not isinstance(here, str):
        return ""
    return re.sub(r"[\r\n]+", " ", whole_text(here).rstrip("\r\n"))
