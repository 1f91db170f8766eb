"""The scanner's plan for a layout, derived from the layout's own description of its lines.

A line that a plan cannot read (a value of another type, a wanted key twice, damage) is left to ``duckdb_reader`` and
``reference``, so a plan need not cover everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from necropsy.evidence.access_log.formats.fields import cookies
from necropsy.evidence.access_log.formats.layout import LineLayout
from necropsy.evidence.access_log.formats.nginx import Piece, Variable
from necropsy.evidence.access_log.formats.values import Objects, Path, Pattern, SeparatedValues

SLOTS: Final = 16
"""Wanted values of one line, at most."""
WORD, QUOTED, BRACKETED, SEPARATED, SINGLE = 0, 1, 2, 3, 4
"""How a value is delimited: by the next literal, and without a space; by a quotation mark; by a closing bracket; by the
separator, whatever is in it; as a word, but not empty, and without a comma."""
AS_IT_IS, BYTES, PERCENT, PLUS = 0, 1, 2, 3
r"""How a value is escaped: ``\xC3``, ``%20``, ``+``."""

_TIMES: Final = {"iso": 0, "common": 1, "common-local": 2, "epoch": 3, "epoch-ms": 4}
_ESCAPES: Final = {
    "bytes": (BYTES, ("request", "target", "agent", "referer", "host")),
    "percent": (PERCENT, ("agent",)),
    "plus": (PLUS, ("agent",)),
}
_LONGEST_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for reading lines; a slot is the place of a wanted value, -1: the layout has none."""

    slots: int
    time_form: int
    time: int
    time_is_exact: bool = False
    """Whether it has one of the two forms that nginx writes, and no other of the same kind."""
    ways: tuple[Path, ...] = ()
    """JSON: way to each slot. Empty: text."""
    head: bytes = b""
    """Text: what a line begins with."""
    values: tuple[tuple[int, int, bytes], ...] = ()
    """Text: slot, how it is delimited, and the literal behind it, for each variable."""
    is_open: bool = False
    """Text: whether a line may go on behind the last literal."""
    escapes: tuple[int, ...] = ()
    """How the value of each slot is escaped, if it is."""
    duration: int = -1
    request: int = -1
    method: int = -1
    target: int = -1
    client: tuple[int, ...] = ()
    """In the order of preference."""
    client_is_list: bool = False
    client_is_untidy: bool = False
    host: tuple[int, ...] = ()
    status: int = -1
    agent: int = -1
    referer: int = -1
    body: int = -1
    headers: tuple[tuple[int, int], ...] = ()
    """Slots of headers in which cookies are looked for, each with the flag that it sets."""
    own: tuple[tuple[int, int], ...] = ()
    """Slots of single cookies, likewise."""
    told: int = 0
    """Flags that every line of the layout has."""


def plan_of(layout: LineLayout) -> Plan | None:
    """Return how lines of a layout are scanned; None where the scanner cannot read them."""
    form = layout.form
    time_form = _TIMES.get("common-local" if form.kind == "common" and not form.zoned else form.kind)
    if time_form is None or layout.absolute:
        return None
    lines = layout.lines
    slot_of: dict[str, int]
    ways: tuple[Path, ...] = ()
    head: bytes = b""
    values: tuple[tuple[int, int, bytes], ...] = ()
    if isinstance(lines, Objects):
        ways = tuple(dict.fromkeys(lines.paths.values()))
        slot_of = {name: ways.index(way) for name, way in lines.paths.items()}
        if not _are_apart(ways):
            return None
    elif layout.template or isinstance(lines, SeparatedValues):
        names = dict.fromkeys(name for some in layout.fields.values() for name in some)
        slot_of = {name: slot for slot, name in enumerate(names)}
        if isinstance(lines, SeparatedValues):
            delimited = _columns(lines, slot_of)
        else:
            delimited = _template(layout.template, slot_of, exact=isinstance(lines, Pattern))
        if delimited is None:
            return None
        head, values = delimited
    else:
        return None
    slots = 1 + max(slot_of.values())
    if slots > SLOTS:
        return None
    slot = {field: slot_of[names[0]] for field, names in layout.fields.items()}
    kind, escaped = _ESCAPES.get(layout.escapes, (AS_IT_IS, ()))
    escapes = [AS_IT_IS] * slots
    for field in () if ways else escaped:
        for name in layout.fields.get(field, ()):
            escapes[slot_of[name]] = kind
    headers, own, told = cookies.flags_of(slot)
    single = ("duration", "request", "method", "target", "status", "agent", "referer", "body")
    return Plan(
        slots,
        time_form,
        slot["time"],
        isinstance(lines, Pattern) and layout.fields["time"][0] in {"msec", "time_iso8601"},
        ways,
        head,
        values,
        layout.template_is_open,
        tuple(escapes),
        client=tuple(slot_of[name] for name in layout.fields.get("client", ())),
        client_is_list=layout.clients_are_lists,
        client_is_untidy=layout.clients_are_untidy,
        host=tuple(slot_of[name] for name in layout.fields.get("host", ())),
        headers=headers,
        own=own,
        told=told,
        **{field: slot.get(field, -1) for field in single},
    )


def _are_apart(ways: Sequence[Path]) -> bool:
    """Whether no way leads through the end of another, arrays are wanted for their first element, and names are plain."""
    for way in ways:
        if not all(part == 0 if isinstance(part, int) else _is_plain(part) for part in way):
            return False
        for other in ways:
            if way is other:
                continue
            same = next(
                (i for i, (a, b) in enumerate(zip(way, other, strict=False)) if a != b), min(len(way), len(other))
            )
            if same == min(len(way), len(other)) or isinstance(way[same], int) != isinstance(other[same], int):
                return False
    return True


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable() and not set(name) & {'"', "\\"} and len(name) <= _LONGEST_NAME


def _template(
    pieces: Sequence[Piece], slot_of: Mapping[str, int], *, exact: bool
) -> tuple[bytes, tuple[tuple[int, int, bytes], ...]] | None:
    """Plan for a format of variables and literals."""
    values = []
    for number, piece in enumerate(pieces):
        if isinstance(piece, str):
            if not piece.isascii():
                return None
            continue
        before = str(pieces[number - 1]) if number else ""
        behind = pieces[number + 1] if number + 1 < len(pieces) else ""
        if isinstance(behind, Variable):
            return None
        delimited = SINGLE if exact and piece.name.startswith("upstream_") else WORD
        if before.endswith('"') and behind.startswith('"'):
            delimited = QUOTED
        elif before.endswith("[") and behind.startswith("]"):
            delimited = WORD if piece.width == 1 else BRACKETED
        values.append((slot_of.get(piece.name, -1), delimited, behind.encode()))
    return pieces[0].encode() if isinstance(pieces[0], str) else b"", tuple(values)


def _columns(
    lines: SeparatedValues, slot_of: Mapping[str, int]
) -> tuple[bytes, tuple[tuple[int, int, bytes], ...]] | None:
    """Plan for columns; a value that is made of several must have them side by side."""
    separator = lines.separator.encode()
    ends = {places[-1]: (name, len(places)) for name, places in lines.places.items()}
    if len(ends) < len(lines.places) or any(
        list(places) != list(range(places[0], places[-1] + 1)) for places in lines.places.values()
    ):
        return None
    inside = {place for places in lines.places.values() for place in places[:-1]}
    values = []
    for place in range(lines.count):
        slot = slot_of[ends[place][0]] if place in ends else -1
        if place in inside:  # the same slot begins here, and is closed by its last column
            slot = next(slot_of[name] for name, places in lines.places.items() if place in places[:-1])
        values.append((slot, SEPARATED, separator if place + 1 < lines.count else b""))
    return b"", tuple(values)
