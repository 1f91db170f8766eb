"""Relabelling step by step: the label set of each target before and after every rule, as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from necropsy._internal.serialization import to_plain
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.report.escaping import inert, prose
from necropsy.report.terminal.layout import Sheet

SCHEMA: Final = "necropsy/relabel-steps/1"
_NAME_COLUMN: Final = 40
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class RuleStep:
    """The effect of one rule on one target; secrets in labels are masked already."""

    rule: Origin
    """Line of the rule and what it does."""
    before: Mapping[str, str]
    after: Mapping[str, str] | None
    """None: the rule dropped the target."""
    collisions: tuple[str, ...] = ()
    """Labels that a labelmap writes more than once: Prometheus picks one at random."""


@dataclass(frozen=True, slots=True)
class RelabelWalk:
    """One target on its way through the rules of its job."""

    job: str
    address: str
    discovered: Mapping[str, str]
    steps: tuple[RuleStep, ...]
    outcome: str
    """URL that is asked in the end, or why none is."""


def render_json(walks: Sequence[RelabelWalk], more: int = 0) -> str:
    """Render the steps as JSON text, ending in a line break."""
    targets: list[Any] = [to_plain(walk) for walk in walks]
    return json.dumps({"schema": SCHEMA, "targets": targets, "not_shown": more}, indent=2, allow_nan=False) + "\n"


def render(walks: Sequence[RelabelWalk], more: int = 0, *, width: int = 80, color: bool = False) -> str:
    """Render the steps for a terminal; ``more`` targets are only counted."""
    sheet = Sheet(width=width, color=color)
    for walk in walks:
        _walk(sheet, walk)
    if more:
        sheet.gap()
        sheet.line(f"... {several(more, 'more target')}: --target ADDRESS shows one, --format json all of them")
    return sheet.text()


def _walk(sheet: Sheet, walk: RelabelWalk) -> None:
    sheet.gap()
    sheet.ends([(f"{inert(walk.job)}  {inert(walk.address)}", "bold")], several(len(walk.steps), "rule"), style="dim")
    sheet.line("discovered with", indent=2)
    _table(sheet, {name: (None, value) for name, value in walk.discovered.items()}, header=False)
    for step in walk.steps:
        sheet.line((inert(str(step.rule)), "cyan"), f"  {prose(step.rule.what)}", indent=2, hang=4)
        if step.after is None:
            sheet.line(("drops the target", "bold"), indent=6)
            continue
        changed = _changed(step.before, step.after)
        if changed:
            _table(sheet, changed, header=True)
        else:
            sheet.line("changes nothing", indent=6)
        for name in step.collisions:
            sheet.line(f"several labels become {inert(name)}: Prometheus picks one at random", indent=6)
    # A URL that is wrapped cannot be copied.
    sheet.verbatim(f"  -> {inert(walk.outcome)}", "bold")


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    names = sorted({*before, *after})
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _table(sheet: Sheet, rows: Mapping[str, tuple[str | None, str | None]], *, header: bool) -> None:
    """Three columns, label, before and after; on lines of their own where they do not fit."""
    cells = [(inert(name), _shown(pair[0]), _shown(pair[1])) for name, pair in rows.items()]
    if header:
        cells.insert(0, ("label", "before", "after"))
    name_width = min(_NAME_COLUMN, max((len(name) for name, _, _ in cells), default=0))
    room = (sheet.width - 6 - name_width - 4) // 2 if header else sheet.width - 6 - name_width - 2
    for number, (name, old, new) in enumerate(cells):
        style = "dim" if header and number == 0 else ""
        values = (old, new) if header else (new,)
        if len(name) <= name_width and all(len(value) <= room for value in values):
            text = "  ".join([name.ljust(name_width), *(value.ljust(room) for value in values)]).rstrip()
            sheet.line((text, style), indent=6)
            continue
        sheet.line(name, indent=6)
        for label, value in zip(("before", "after") if header else ("",), values, strict=True):
            sheet.line(f"{label:<8}" if label else "", value, indent=8, hang=8 if label else 0)


def _shown(value: str | None) -> str:
    return _NOTHING if value is None else inert(value)
