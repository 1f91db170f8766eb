"""The probe map: every request that monitoring will send, who sends it, where it shows, and the lines behind it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from necropsy._internal.serialization import to_plain
from necropsy.model.evidence import Absent, Origin
from necropsy.model.figures import several
from necropsy.model.probe import Probe
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, duration, iso
from necropsy.report.terminal.layout import Sheet

SCHEMA: Final = "necropsy/probes/1"
_DAY_S: Final = 86_400
_PLACE_COLUMN: Final = 32
_HITS: Final = {"asks": "ASKS FOR IT", "proxied": "HANDED ON TO IT BY NGINX", "redirected": "MAY BE REDIRECTED THERE"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One probe and what is known around it."""

    probe: Probe
    logs: tuple[str, ...] | None
    """Access log that shows it; empty: none does; None: no proxy's configuration is known."""
    idle: bool
    """Nobody answers there, or the proxy sends nobody there."""
    may_create: bool
    """Whether each request may start a session."""
    fires_at: datetime | None = None
    """When it fires next."""
    location: Origin | None = None
    """The ``location`` of nginx that serves it."""
    hit: str = "asks"
    """The way to the URL in question: ``asks``, ``proxied`` or ``redirected``."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Targets of one job that are never asked, for one reason."""

    prober: str
    reason: str
    addresses: tuple[str, ...]
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class ProbeMap:
    """Everything that monitoring will send, and what it will not."""

    entries: tuple[Entry, ...]
    lost: tuple[Lost, ...] = ()
    absent: tuple[Absent, ...] = ()
    question: str | None = None
    """The question of ``--who-hits``."""


def render_json(found: ProbeMap) -> str:
    """Render the map as JSON text, ending in a line break."""
    document = {
        "schema": SCHEMA,
        "question": found.question,
        "probes": [_entry_value(entry) for entry in found.entries],
        "lost": to_plain(found.lost),
        "absent": to_plain(found.absent),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _entry_value(entry: Entry) -> dict[str, Any]:
    fires_at = iso(entry.fires_at) if entry.fires_at is not None else None
    logs = list(entry.logs) if entry.logs is not None else None
    place = to_plain(entry.location) if entry.location is not None else None
    around = {
        "location": place,
        "logs": logs,
        "idle": entry.idle,
        "may_create_sessions": entry.may_create,
        "fires_at": fires_at,
    }
    return {**to_plain(entry.probe), **around, "hit": entry.hit}


def render(found: ProbeMap, *, width: int = 80, color: bool = False) -> str:
    """Render the map for a terminal of ``width`` columns."""
    sheet = Sheet(width=width, color=color)
    if found.question is None:
        _groups(sheet, found.entries)
    else:
        _answer(sheet, found)
    _sum(sheet, found)
    if found.question is None:
        _lost(sheet, found.lost)
    _absent(sheet, found.absent)
    return sheet.text()


def _answer(sheet: Sheet, found: ProbeMap) -> None:
    for hit, title in _HITS.items():
        entries = [entry for entry in found.entries if entry.hit == hit]
        if entries:
            sheet.gap()
            sheet.line((f"{title}: {inert(found.question or '')}", "bold"))
            _groups(sheet, entries)
    if not found.entries:
        sheet.line((f"No probe in this configuration requests {inert(found.question or '')}.", "bold"))


def _groups(sheet: Sheet, entries: Sequence[Entry]) -> None:
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        probe = entry.probe
        key = (
            probe.prober,
            probe.kind,
            probe.period_s,
            probe.timing,
            probe.user_agents,
            probe.follows_redirects,
            probe.headers,
        )
        groups.setdefault(key, []).append(entry)
    for group in groups.values():
        _group(sheet, group)


def _group(sheet: Sheet, entries: Sequence[Entry]) -> None:
    probe = entries[0].probe
    sheet.gap()
    drifts = "" if probe.timing == "ticker" else ", plus its duration"
    every = f"every {duration(probe.period_s)}{drifts}"
    sheet.ends([(inert(probe.prober), "bold"), f"  {probe.kind}"], every, style="dim")
    manner = list(_manner(probe))
    if manner:
        sheet.line("; ".join(manner), indent=2, hang=2)
    common = [origin for origin in probe.origin if all(origin in entry.probe.origin for entry in entries)]
    if len(entries) == 1:
        common = []
    for entry in entries:
        asked = f"{entry.probe.method} {inert(entry.probe.url)}".strip()
        host = entry.probe.host
        beside = f"  Host: {inert(host)}" if host and host not in entry.probe.url else ""
        sheet.line((asked, "bold"), beside, indent=2, hang=4)
        sheet.line("; ".join(_facts(entry)), indent=6)
        _chain(sheet, [origin for origin in entry.probe.origin if origin not in common], indent=6)
    if common:
        sheet.line("all of them because of", indent=2)
        _chain(sheet, common, indent=4)


def _manner(probe: Probe) -> Iterator[str]:
    agents = [f"{inert(agent)}…" if agent.endswith("/") else inert(agent) for agent in probe.user_agents]
    if agents:
        yield "User-Agent " + (", ".join(agents[:-1]) + " or " + agents[-1] if len(agents) > 1 else agents[0])
    if probe.headers:
        yield "; ".join(f"{inert(name)}: {inert(value)}" for name, value in probe.headers)
    if not probe.creates_sessions and probe.harmless_because:
        yield prose(probe.harmless_because)
    elif probe.creates_sessions:
        yield "follows redirects" if probe.follows_redirects else "follows no redirect"


def _facts(entry: Entry) -> Iterator[str]:
    if entry.location is not None:
        yield f"{prose(entry.location.what)} ({inert(str(entry.location))})"
    if entry.logs is not None:
        yield f"recorded in {', '.join(map(inert, entry.logs))}" if entry.logs else "not in any access log"
    if entry.idle:
        yield "idle: the proxy sends no traffic there"
    if entry.probe.health not in (None, "passing"):
        yield f"{entry.probe.health} in discovery"
    if entry.probe.phase_s is not None:
        yield f"phase {entry.probe.phase_s:.3f} s"
    if entry.fires_at is not None:
        yield f"next {iso(_to_the_millisecond(entry.fires_at))}"
    yield "may start a session each time" if entry.may_create else "starts no session"


def _to_the_millisecond(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) + timedelta(milliseconds=round(moment.microsecond / 1000))


def _chain(sheet: Sheet, origins: Sequence[Origin], *, indent: int) -> None:
    places = [inert(str(origin)) for origin in origins]
    column = max((len(place) for place in places if len(place) <= _PLACE_COLUMN), default=0)
    for place, origin in zip(places, origins, strict=True):
        what = f"  {prose(origin.what)}" if origin.what else ""
        sheet.line(
            (place.ljust(column if what else 0), "cyan"),
            what,
            indent=indent,
            hang=column + 2 if len(place) <= column else 4,
        )


def _sum(sheet: Sheet, found: ProbeMap) -> None:
    if not found.entries:
        if found.question is None:
            sheet.gap()
            read = "the files that could be read" if found.absent else "this configuration"
            sheet.line(f"No probe in {read}.")
        return
    rate = _per_day(entry for entry in found.entries)
    costly = [entry for entry in found.entries if entry.may_create]
    text = f"{several(len(found.entries), 'probe')}, {count(rate)} requests a day"
    if costly:
        text += f"; {len(costly)} may start sessions: {count(_per_day(iter(costly)))} a day"
    sheet.gap()
    sheet.labelled("SUM", (text, "bold"))
    if all(entry.logs is None for entry in found.entries):
        sheet.beside("Add --nginx nginx.conf to see which access log records them.")
    if any(entry.probe.timing == "ticker" and entry.probe.phase_s is None for entry in found.entries):
        sheet.beside("Add --prometheus-host NAME to see when they are sent.")


def _per_day(entries: Iterator[Entry]) -> float:
    return sum(_DAY_S / entry.probe.period_s for entry in entries if entry.probe.period_s)


def _lost(sheet: Sheet, lost: Sequence[Lost]) -> None:
    for number, group in enumerate(lost):
        if number == 0:
            sheet.gap()
        who = f"{several(len(group.addresses), 'target')} of {inert(group.prober)}"
        examples = ", ".join(inert(address) or "no address" for address in group.addresses[:3])
        more = f" and {len(group.addresses) - 3} more" if len(group.addresses) > 3 else ""
        where = f" ({inert(str(group.origin))})" if group.origin else ""
        sheet.labelled("LOST" if number == 0 else "", f"{who}: {prose(group.reason)}{where}: {examples}{more}")


def _absent(sheet: Sheet, absent: Sequence[Absent]) -> None:
    said = Counter((item.locator, item.reason, item.hint) for item in absent)
    for number, (locator, reason, hint) in enumerate(said):
        if number == 0:
            sheet.gap()
        place = locator.removesuffix(":0")
        sheet.labelled("UNREAD" if number == 0 else "", f"{inert(place)}: {prose(reason)}. {prose(hint)}".rstrip())
