"""A keyspace for a terminal: what there is, who has it, whether it ever goes away, and what grew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from necropsy.model.figures import several
from necropsy.model.keyspace import (
    IDLE_CLASSES,
    SIZE_CLASSES,
    TTL_CLASSES,
    BigKey,
    Figures,
    KeySource,
    Keyspace,
    KeyspaceRow,
)
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, duration, moment, percent, size
from necropsy.report.terminal.layout import Sheet

MOST_ROWS: Final = 20
"""Rows of a table unless more are asked for."""
_FIGURES: Final = (("KEYS", 12), ("BYTES", 9), ("SHARE", 9), ("NO TTL", 9), ("EXPIRED", 9))
_CHANGES: Final = (("KEYS", 11), ("BEFORE", 11), ("CHANGE", 11), ("BYTES", 8), ("BEFORE", 8), ("CHANGE", 9))
_TITLES: Final = {"pattern": "PATTERN", "database": "DATABASE", "type": "TYPE", "node": "SOURCE", "slot": "SLOT"}
_FEW_FIGURES: Final = (("KEYS", 10), ("BYTES", 8), ("SHARE", 8), ("NO TTL", 8))
_FEW_CHANGES: Final = (("KEYS", 11), ("CHANGE", 11), ("BYTES", 8), ("CHANGE", 9))
"""Columns for a terminal that is too narrow for all."""
_BAR: Final = 30
_LEAST_BAR: Final = 5
_WORDS: Final = {
    "1_minute": "1 minute", "1_hour": "1 hour", "1_day": "1 day", "7_days": "7 days", "30_days": "30 days",
    "365_days": "a year", "100_b": "100 B", "300_b": "300 B", "1_kb": "1 kB", "3_kb": "3 kB", "10_kb": "10 kB",
    "100_kb": "100 kB", "1_mb": "1 MB", "10_mb": "10 MB", "expired": "expired, still there", "none": "no TTL",
    "unknown": "not recorded",
}  # fmt: skip


def render(
    keyspace: Keyspace, *, width: int = 80, color: bool = False, rows: int = MOST_ROWS, distributions: bool = False
) -> str:
    """Render a keyspace as text.

    Parameters
    ----------
    keyspace
        What was found.
    width
        Columns of the terminal.
    color
        Whether to write ANSI colours; every word is there without them.
    rows
        Most rows of each table.
    distributions
        Tell the distributions of each pattern that is shown, and not only those of all keys.
    """
    sheet = Sheet(width=width, color=color)
    _head(sheet, keyspace)
    for by, members in keyspace.groups:
        if len(members) > 1 or (members and by in {"pattern", "slot"}):
            _table(sheet, _TITLES[by], members, keyspace, rows)
    _distributions(sheet, keyspace.total, "")
    if distributions:
        for row in keyspace.rows("pattern")[:rows]:
            _distributions(sheet, row, inert(row.name))
    _biggest(sheet, keyspace)
    _margins(sheet, keyspace)
    return sheet.text()


def _head(sheet: Sheet, keyspace: Keyspace) -> None:
    total = keyspace.total.figures
    approximately = "about " if keyspace.sample < 1 else ""
    sheet.labelled("KEYS", (f"{approximately}{several(total.keys, 'key')}, {size(total.bytes)}", "bold"))
    if keyspace.sample < 1:
        sheet.labelled(
            "",
            f"from a sample of {percent(keyspace.sample)}: ± {several(total.keys_margin, 'key')}"
            f" and ± {size(total.bytes_margin)} (95 %); all figures except the biggest keys are extrapolated",
        )
    if not total.keys:
        return
    immortal = percent(total.without_ttl / total.keys)
    sheet.labelled("", f"{immortal} have no TTL: {several(total.without_ttl, 'key')}, {size(total.without_ttl_bytes)}")
    if total.expired:
        sheet.labelled("", f"{several(total.expired, 'key')} expired but still there: {size(total.expired_bytes)}")
    before = keyspace.total.before
    if before is not None:
        sheet.labelled(
            "DIFF",
            (_difference(keyspace.total), "bold"),
            f", from {several(before.keys, 'key')}, {size(before.bytes)}",
        )


def _table(sheet: Sheet, title: str, members: Sequence[KeyspaceRow], keyspace: Keyspace, most: int) -> None:
    columns = _columns_for(keyspace, sheet.width)
    room = sheet.width - sum(width for _, width in columns)
    sheet.gap()
    _columns(sheet, title, [name for name, _ in columns], columns, room, style="bold")
    for row in members[:most]:
        cells = _changed(row) if keyspace.compared else _cells(row.figures, keyspace.total.figures)
        if columns == _FEW_CHANGES:
            cells = [*cells[0:3:2], *cells[3:6:2]]
        _columns(sheet, inert(row.name), cells[: len(columns)], columns, room)
    if len(members) > most:
        rest = members[most:]
        keys, memory = sum(row.figures.keys for row in rest), sum(row.figures.bytes for row in rest)
        sheet.line(f"... {count(len(rest))} more: {several(keys, 'key')}, {size(memory)} (--rows shows more)")


def _columns_for(keyspace: Keyspace, width: int) -> tuple[tuple[str, int], ...]:
    """Return the columns that fit: without BEFORE, or without EXPIRED, on a narrow terminal."""
    whole, few = (_CHANGES, _FEW_CHANGES) if keyspace.compared else (_FIGURES, _FEW_FIGURES)
    return whole if sum(columns for _, columns in whole) <= width else few


def _columns(
    sheet: Sheet, name: str, cells: Sequence[str], columns: Sequence[tuple[str, int]], room: int, style: str = ""
) -> None:
    """One row; a name that is too long for its column has a line of its own."""
    from rich.cells import cell_len, chop_cells

    figures = "".join(cell.rjust(width) for cell, (_, width) in zip(cells, columns, strict=True))
    free = room - cell_len(name)
    if free > 0:
        sheet.verbatim(f"{name}{' ' * free}{figures}", style)
    else:
        for piece in chop_cells(name, sheet.width):
            sheet.verbatim(piece, style)
        sheet.verbatim(" " * room + figures, style)


def _cells(figures: Figures, total: Figures) -> list[str]:
    return [
        _short(figures.keys),
        size(figures.bytes),
        percent(figures.bytes / total.bytes) if total.bytes else "",
        _part(figures.without_ttl, figures.keys),
        _part(figures.expired, figures.keys),
    ]


def _part(part: int, whole: int) -> str:
    return percent(part / whole) if part and whole else "-"


def _changed(row: KeyspaceRow) -> list[str]:
    before = row.before or Figures()
    return [
        _short(row.figures.keys),
        _short(before.keys),
        _signed(row.keys_grown),
        size(row.figures.bytes),
        size(before.bytes),
        _signed_size(row.bytes_grown),
    ]


def _distributions(sheet: Sheet, row: KeyspaceRow, name: str) -> None:
    for title, classes, counts in (
        ("TTL LEFT", TTL_CLASSES, row.figures.ttl),
        ("NOT USED FOR", IDLE_CLASSES, row.figures.idle),
        ("SIZE", SIZE_CLASSES, row.figures.size),
    ):
        whole = sum(counts)
        if not whole or (classes is IDLE_CLASSES and counts[-1] == whole):
            continue  # a dump carries idle times only when its server evicts by them
        sheet.gap()
        sheet.line((title, "bold"), *([f"  {name}"] if name else []))
        for label, number in zip(classes, counts, strict=True):
            if number:
                figures = f"  {_worded(label):<22}{_short(number):>12} {percent(number / whole):>9}"
                if sheet.width - len(figures) < _LEAST_BAR:
                    figures = f" {_worded(label):<20} {_short(number):>9} {percent(number / whole):>8}"
                room = min(_BAR, sheet.width - len(figures) - 2)
                sheet.verbatim(f"{figures}  {'#' * max(min(1, room), round(room * number / whole))}".rstrip())


def _worded(label: str) -> str:
    """Name a class in words.

    >>> _worded("under_1_minute"), _worded("1_kb_to_3_kb"), _worded("from_365_days"), _worded("none")
    ('less than 1 minute', '1 kB to 3 kB', 'a year or more', 'no TTL')
    """
    if label in _WORDS:
        return _WORDS[label]
    if label.startswith("under_"):
        return f"less than {_WORDS[label.removeprefix('under_')]}"
    if label.startswith("from_"):
        return f"{_WORDS[label.removeprefix('from_')]} or more"
    low, high = label.split("_to_")
    return f"{_WORDS[low]} to {_WORDS[high]}"


def _biggest(sheet: Sheet, keyspace: Keyspace) -> None:
    if not keyspace.biggest:
        return
    sheet.gap()
    hint = "" if keyspace.keys_shown else "  (names are hashed; --show-keys shows them)"
    sheet.line(("BIGGEST KEYS", "bold"), hint)
    sources = len({key.node for key in keyspace.biggest}) > 1
    for key in keyspace.biggest:
        name = inert(key.name) if keyspace.keys_shown else f"{inert(key.pattern)}  #{inert(key.name)}"
        sheet.line((size(key.bytes).rjust(8), "bold"), f"  {name}", hang=10)
        sheet.line(", ".join(_about(key, keyspace, sources=sources)), indent=10, hang=2)


def _about(key: BigKey, keyspace: Keyspace, *, sources: bool) -> list[str]:
    unit = "byte" if key.type == "string" else "element"
    if key.ttl_s is None:
        left = "no TTL"
    else:
        left = f"{duration(key.ttl_s)} left" if key.ttl_s > 0 else f"expired {duration(-key.ttl_s)} ago"
    facts = [f"{key.type} {key.encoding}", several(key.elements, unit), left]
    facts += [f"not used for {duration(key.idle_s)}"] if key.idle_s is not None else []
    facts += [f"database {key.database}"] if len(keyspace.rows("database")) > 1 else []
    return [*facts, *([inert(key.node)] if sources else [])]


def _margins(sheet: Sheet, keyspace: Keyspace) -> None:
    sheet.gap()
    for number, source in enumerate(keyspace.sources):
        sheet.labelled("" if number else "READ", inert(source.name), f"  {prose(_read(source))}", style="dim")
    for number, absent in enumerate(keyspace.absent):
        text = "; ".join(filter(None, (absent.reason, absent.hint)))
        sheet.labelled("" if number else "ABSENT", prose(text), style="bold magenta")
    for number, blemish in enumerate(keyspace.blemishes):
        sheet.labelled(
            "" if number else "DAMAGED", f"{inert(blemish.file)}: {prose(blemish.why)}", style="bold magenta"
        )


def _read(source: KeySource) -> str:
    # A server's note names its version as well, and how it was read.
    parts = ["" if source.note.startswith(source.version) else source.version, several(source.keys, "key")]
    parts += [f"as of {moment(source.taken_at)}"] if source.taken_at is not None else []
    parts += ["to compare with"] if source.before else []
    return ", ".join(filter(None, [*parts, source.note]))


def _short(number: int) -> str:
    """Give a count in at most ten characters."""
    return count(number) if abs(number) < 10_000_000 else f"{number / 1e6:,.1f}M"


def _difference(row: KeyspaceRow) -> str:
    keys, memory = row.keys_grown, row.bytes_grown
    noun = "key" if abs(keys) == 1 else "keys"
    return f"{f'{_signed(keys)} {noun}' if keys else 'as many keys'}, {_signed_size(memory) if memory else 'as many bytes'}"


def _signed(number: int) -> str:
    return f"+{_short(number)}" if number > 0 else _short(number) if number else "-"


def _signed_size(number: int) -> str:
    return f"+{size(number)}" if number > 0 else size(number) if number else "-"
