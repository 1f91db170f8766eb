"""The part below the verdict in the terminal: other findings, what is clear, what was not examined, the sources."""

from __future__ import annotations

import shlex
from typing import Final

from necropsy.model.evidence import Source
from necropsy.model.figures import several
from necropsy.model.report import Report, StoreSummary
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, duration, moment, size
from necropsy.report.terminal.layout import Sheet
from necropsy.report.wording import completeness, over_time, sentences

_MOST_NAMES: Final = 8
"""Sources that one reader took alike and that are named one by one."""


def write(sheet: Sheet, report: Report) -> None:
    """Write every margin that has something to say, each with its label once."""
    verdict = report.verdict
    sheet.gap()
    if verdict.causes:
        _notes(sheet, "ALSO", "yellow", [(item.slug, item.title) for item in sentences.also(report)])
    if sentences.unexplained(report):
        sheet.labelled("OPEN", sentences.unexplained(report))
    if verdict.causes:
        for number, (what, why, command) in enumerate(completeness.requests(report)):
            sheet.labelled("" if number else "ADD", (what, "bold"), f": {why}")
            sheet.beside(command)
    _notes(sheet, "LIMITS", "", completeness.limits(report))
    _notes(sheet, "CHANGED", "", over_time.changes(report))
    _notes(sheet, "CONFLICT", "yellow", completeness.contradictions(report))
    _notes(sheet, "STORE", "", [(store.name, population(store)) for store in report.stores])
    cleared = [(cleared.slug, cleared.text) for cleared in verdict.ruled_out if not cleared.reassures]
    _notes(sheet, "RULED OUT", "green", cleared)
    _notes(sheet, "NOT EXAMINED", "magenta", sentences.unexamined(report))
    absent = [(f"{item.kind} {item.locator}".strip(), sentences.absence(item)) for item in report.absent]
    _notes(sheet, "ABSENT", "magenta", absent)
    for number, blemish in enumerate(report.blemishes):
        sample = f": {inert(blemish.sample)}" if blemish.sample else ""
        margin = " " * len("DAMAGED") if number else "DAMAGED"
        sheet.labelled(margin, f"{prose(sentences.damage(blemish))}{sample}", style="bold magenta")
    for number, (places, facts) in enumerate(_read(report)):
        sheet.labelled("" if number else "READ", places, f"  {prose(facts)}", style="dim")
    for number, command in enumerate(_commands(report)):
        sheet.labelled("" if number else "MORE", command)


def population(store: StoreSummary) -> str:
    """The sessions of a store by kind, in one line."""
    if not store.sessions:
        kept = f"{several(store.keys, 'key')}, {size(store.bytes)}" if store.keys else "no keys"
        return f"no sessions of a known layout; {kept}" if store.keys else "no keys"
    people = f"{count(store.authenticated)} logged in, {count(store.anonymous)} anonymous"
    people += f", {count(store.unknown)} unknown" if store.unknown else ""
    parts = [f"{several(store.sessions, 'session')} ({people})", several(store.keys, "key"), size(store.bytes)]
    if store.lifetime_s is not None:
        parts.append("they never expire" if store.lifetime_s < 0 else f"live {duration(store.lifetime_s)}")
    return ", ".join([*parts, *([inert(store.layout)] if store.layout else [])])


def _read(report: Report) -> list[tuple[str, str]]:
    """Sources that a reader took alike are told together: their names, and what it took them for."""
    alike: dict[tuple[str, str], list[Source]] = {}
    for source in report.sources:
        alike.setdefault((source.reader, source.note), []).append(source)
    told = []
    for (reader, note), sources in alike.items():
        latest = max((source.taken_at for source in sources if source.taken_at is not None), default=None)
        state = f"up to {moment(latest)}" if latest is not None else ""
        names = [inert(source.locator) for source in sources]
        if len(names) > _MOST_NAMES:
            names[_MOST_NAMES - 1 :] = [f"{count(len(names) - _MOST_NAMES + 1)} more"]
        places = ", ".join(names)
        told.append((places, ", ".join(filter(None, (reader, state, note)))))
    return told


def _notes(sheet: Sheet, label: str, color: str, notes: list[tuple[str, str]]) -> None:
    width = max(len(label) + 2, 7)
    for number, (subject, text) in enumerate(notes):
        margin = label if number == 0 else " " * (width - 2)
        sheet.labelled(margin, (inert(subject), "bold"), f"  {prose(text)}", style=f"bold {color}")


def _commands(report: Report) -> list[str]:
    slugs = [cause.slug for cause in report.verdict.causes] or [f.slug for f in sentences.accusations(report)]
    commands = [f"necropsy explain {slug}" for slug in dict.fromkeys(slugs)]
    commands += [f"necropsy {command} {shlex.quote(inert(locator))}" for command, locator in _elsewhere(report)]
    if report.case is not None:
        commands.append(f"necropsy report {shlex.quote(inert(report.case))} --format html --output report.html")
    return commands


def _elsewhere(report: Report) -> list[tuple[str, str]]:
    """Commands that say more of a source than a report without sessions can."""
    if any(store.sessions for store in report.stores):
        return []
    command = {"access_log": "traffic", "rdb": "keys", "redis": "keys --redis"}
    first = {source.reader: source.locator for source in reversed(report.sources) if source.reader in command}
    return [(command[reader], locator) for reader, locator in sorted(first.items()) if locator != "-"]
