"""The form of a plain line of a layout, so that ``scan`` can read it without DuckDB.

Plain: printable ASCII without a backslash, every wanted value in its usual form. Such are nearly all lines of nearly all
logs, and reading them takes a tenth of what a parser for everything takes. All others go the long way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from necropsy.evidence.access_log.formats.fields.timestamps import TimeForm
from necropsy.evidence.access_log.formats.nginx import Piece, Variable

SLOTS: Final = 16
"""Wanted values of one line, at most."""

WORD, QUOTED, BRACKETED = 0, 1, 2
"""How a value is delimited: by the next literal, and without a space; by a quotation mark; by a closing bracket."""

_TIMES: Final = {"iso": 0, "common": 1, "common-local": 2, "epoch": 3, "epoch-ms": 4}
_LONGEST_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read plain lines; a slot is the place of a wanted value, -1: the layout has none."""

    names: tuple[bytes, ...]
    """JSON: key of each slot. Empty: text."""
    head: bytes
    """Text: what a line begins with."""
    values: tuple[tuple[int, int, bytes], ...]
    """Text: slot, how it is delimited, and the literal behind it, for each variable."""
    time_form: int
    time: int
    duration: int = -1
    request: int = -1
    method: int = -1
    target: int = -1
    client: tuple[int, ...] = ()
    """In the order of preference."""
    client_is_list: bool = False
    host: tuple[int, ...] = ()
    status: int = -1
    agent: int = -1
    referer: int = -1
    body: int = -1


def for_objects(
    time_form: TimeForm, one: Mapping[str, str], client: Sequence[str], host: Sequence[str], *, lists: bool
) -> Plan | None:
    """Plan for objects.

    Parameters
    ----------
    one
        Field to top-level key.
    client, host
        Keys in the order of preference.
    """
    names = list(dict.fromkeys([*one.values(), *client, *host]))
    plain = all(name.isascii() and name.isprintable() and not set(name) & {'"', "\\"} for name in names)
    if not plain or any(len(name) > _LONGEST_NAME for name in names):
        return None
    return _plan(tuple(map(str.encode, names)), b"", (), names, time_form, one, client, host, lists)


def for_text(
    time_form: TimeForm,
    pieces: Sequence[Piece],
    one: Mapping[str, str],
    client: Sequence[str],
    host: Sequence[str],
    *,
    lists: bool,
) -> Plan | None:
    """Plan for a format of variables and literals; ``one``, ``client`` and ``host`` name variables."""
    names = list(dict.fromkeys([*one.values(), *client, *host]))
    head, values = "", []
    for number, piece in enumerate(pieces):
        if isinstance(piece, str):
            head = head if number else piece
            continue
        before = str(pieces[number - 1]) if number else ""
        behind = pieces[number + 1] if number + 1 < len(pieces) else ""
        if isinstance(behind, Variable) or not behind.isascii():
            return None
        delimited = WORD
        if before.endswith('"') and behind.startswith('"'):
            delimited = QUOTED
        elif before.endswith("[") and behind.startswith("]"):
            delimited = BRACKETED
        values.append((names.index(piece.name) if piece.name in names else -1, delimited, behind.encode()))
    if not head.isascii():
        return None
    return _plan((), head.encode(), tuple(values), names, time_form, one, client, host, lists)


def _plan(
    keys: tuple[bytes, ...],
    head: bytes,
    values: tuple[tuple[int, int, bytes], ...],
    names: list[str],
    time_form: TimeForm,
    one: Mapping[str, str],
    client: Sequence[str],
    host: Sequence[str],
    lists: bool,
) -> Plan | None:
    kind = "common-local" if time_form.kind == "common" and not time_form.zoned else time_form.kind
    if kind not in _TIMES or len(names) > SLOTS:
        return None
    slot = {field: names.index(name) for field, name in one.items()}
    return Plan(
        keys,
        head,
        values,
        _TIMES[kind],
        slot["time"],
        slot.get("duration", -1),
        slot.get("request", -1),
        slot.get("method", -1),
        slot.get("target", -1),
        tuple(map(names.index, client)),
        lists,
        tuple(map(names.index, host)),
        slot.get("status", -1),
        slot.get("agent", -1),
        slot.get("referer", -1),
        slot.get("body", -1),
    )
