"""Traffic for a terminal: who calls, how often, at a fixed interval or not, and which visits probably start sessions.

::

      VISITS  RHYTHM      SESSIONS  VISITOR
       8,640  10 s        likely    GET / 302 -> /login
                                    Go net/http  at 172.12.1.189:80
                                    sent to a login page, and programs hardly ever return cookies
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from necropsy.model.figures import several
from necropsy.model.traffic import Traffic, Visitor
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, duration, moment, percent
from necropsy.report.terminal.layout import Sheet
from necropsy.report.wording.sentences import absence, damage

MOST_ROWS: Final = 20
"""Rows of the table unless more are asked for."""
_VISITS, _RHYTHM, _SESSIONS = 10, 14, 10
"""Widths of the columns before the visitor's own."""
_MARGIN: Final = _VISITS + 2 + _RHYTHM + _SESSIONS
_LABEL: Final = 9
_STYLES: Final = {"likely": "bold red", "possible": "yellow", "once": "", "unlikely": "green"}
_LONGEST: Final = 160
_HOUR_S: Final = 3600.0


def render(traffic: Traffic, *, width: int = 80, color: bool = False, rows: int | None = MOST_ROWS) -> str:
    """Render traffic as text.

    Parameters
    ----------
    traffic
        What was found.
    width
        Columns of the terminal.
    color
        Whether to write ANSI colours; every word is there without them.
    rows
        Most rows of the table; None for all.
    """
    sheet = Sheet(width=width, color=color)
    _head(sheet, traffic)
    _table(sheet, traffic, rows)
    _margins(sheet, traffic)
    return sheet.text()


def headline(traffic: Traffic) -> str:
    """Say in one line how much of the traffic probably starts sessions."""
    likely, possible = (traffic.of(level).visits for level in ("likely", "possible"))
    if not likely and not possible:
        return "only visits by browsers are likely to start sessions"
    parts = []
    if likely:
        start = "starts" if likely == 1 else "start"
        each = " each" if likely > 1 else ""
        parts.append(f"{several(likely, 'visit')} probably {start} a session{each}{_rate(likely, traffic)}")
    if possible:
        they = f"{possible:,} more may start one" if likely else f"{several(possible, 'visit')} may start a session"
        parts.append(f"{they}{' each' if possible > 1 else ''}{_rate(possible, traffic)}")
    return "; ".join(parts)


def rhythm(visitor: Visitor) -> str:
    """Say how regularly a visitor comes; empty when it does not come at a fixed interval.

    Returns
    -------
    str
        ``10 s``; ``10 s, 62 %`` where more than a tenth of the expected visits is missing; ``10 s, by 2``: two are interleaved.
    """
    if visitor.period_s is None:
        return ""
    seldom = visitor.coverage is not None and visitor.coverage < 0.9
    share = f", {percent(visitor.coverage or 0.0)}" if seldom else ""
    return _period(visitor.period_s) + share + (f", by {visitor.probers}" if (visitor.probers or 1) > 1 else "")


def _period(seconds: float) -> str:
    """Give a period as short as it can be told.

    >>> _period(10.0), _period(29.97), _period(300.0), _period(0.5)
    ('10 s', '30 s', '5 min', '0.5 s')
    """
    rounded = round(seconds) if abs(seconds - round(seconds)) < 0.005 * seconds else round(seconds, 2)
    if rounded >= 120 and rounded % 60 == 0:
        return f"{rounded // 60:g} min"
    return duration(rounded) if rounded < 60 else f"{rounded:g} s"


def _rate(visits: int, traffic: Traffic) -> str:
    """Say how many that are an hour, where the log is long enough to tell."""
    return f", {count(visits / traffic.span_s * _HOUR_S)} an hour" if traffic.span_s >= _HOUR_S else ""


def _head(sheet: Sheet, traffic: Traffic) -> None:
    what = f"{several(traffic.visits, 'visit')} ({several(traffic.requests, 'request')})"
    _labelled(sheet, "TRAFFIC", (what, "bold"), f" of {_classes(len(traffic.visitors))}")
    if traffic.first_at is not None and traffic.last_at is not None:
        _labelled(sheet, "", f"{moment(traffic.first_at)} to {moment(traffic.last_at)}")
    periodic = traffic.periodic
    if periodic.classes:
        share = periodic.visits / traffic.visits
        come = "comes" if periodic.classes == 1 else "come"
        _labelled(
            sheet, "CLOCKS", f"{_classes(periodic.classes)} {come} at a fixed interval: {percent(share)} of the visits"
        )
    _labelled(sheet, "STARTS", (headline(traffic), "bold" if traffic.of("likely").classes else ""))


def _labelled(sheet: Sheet, label: str, *parts: str | tuple[str, str]) -> None:
    sheet.line((label.ljust(_LABEL), "bold"), *parts, hang=_LABEL)


def _classes(number: int) -> str:
    return several(number, "client group")


def _table(sheet: Sheet, traffic: Traffic, rows: int | None) -> None:
    if not traffic.visitors:
        return
    shown = traffic.visitors[:rows]
    several_logs = traffic.logs > 1
    telling = traffic.visitors.telling_agents
    sheet.gap()
    head = f"{'VISITS':>{_VISITS}}  {'RHYTHM':<{_RHYTHM}}{'SESSIONS':<{_SESSIONS}}VISITOR"
    sheet.line((head, "bold"), hang=_MARGIN)
    for visitor in shown:
        _row(sheet, visitor, several_logs=several_logs, agents_told=visitor.log in telling)
    rest = traffic.visitors[len(shown) :]
    if rest:
        visits = sum(rest.column("visits"))
        groups = several(len(rest), "more client group", "more client groups")
        sheet.line(f"... {groups}: {several(visits, 'visit')} (--limit shows more)")


def _row(sheet: Sheet, visitor: Visitor, *, several_logs: bool, agents_told: bool) -> None:
    figures = f"{_short(visitor.visits):>{_VISITS}}  {rhythm(visitor) + ' ':<{_RHYTHM}}"
    sheet.line(
        figures,
        (f"{visitor.sessions:<{_SESSIONS}}", _STYLES[visitor.sessions]),
        (_asked(visitor), "bold"),
        hang=_MARGIN,
    )
    sheet.line(_who(visitor, several_logs=several_logs, agents_told=agents_told), indent=_MARGIN)
    if visitor.sessions in {"likely", "possible"}:
        sheet.line((prose(visitor.because), "dim"), indent=_MARGIN)


def _asked(visitor: Visitor) -> str:
    status = f" {visitor.status}" if visitor.status is not None else ""
    led = f" -> {visitor.followed_to}" if visitor.followed_to else ""
    return inert(f"{visitor.method} {visitor.path}{status}{led}", limit=_LONGEST)


def _who(visitor: Visitor, *, several_logs: bool, agents_told: bool) -> str:
    agent = visitor.user_agent if visitor.agent_kind == "unknown" else visitor.agent
    parts = [inert(agent, limit=_LONGEST) or ("no User-Agent" if agents_told else "User-Agent not logged")]
    client = "several clients" if visitor.client == "*" else inert(visitor.client, limit=_LONGEST)
    parts += [f"from {client}"] if client else []
    host = "several hosts" if visitor.host == "*" else inert(visitor.host, limit=_LONGEST)
    parts += [f"at {host}"] if host else []
    parts += [f"in {inert(visitor.log, limit=_LONGEST)}"] if several_logs else []
    return "  ".join(["several User-Agents" if agent == "*" else parts[0], *parts[1:]])


def _short(number: int) -> str:
    return count(number) if number < 100_000_000 else f"{number / 1e6:,.1f}M"


def _margins(sheet: Sheet, traffic: Traffic) -> None:
    sheet.gap()
    for number, source in enumerate(traffic.sources):
        note = prose(source.note) if source.note else ""
        sheet.labelled("" if number else "READ", inert(source.locator), f"  {note}", style="dim")
    for number, absent in enumerate(traffic.absent):
        why = replace(absent, reason=absent.reason.removeprefix(f"{absent.locator}: "))
        text = f"{inert(absent.locator)}: {prose(absence(why))}"
        sheet.labelled("" if number else "ABSENT", text, style="bold magenta")
    for number, blemish in enumerate(traffic.blemishes):
        sheet.labelled("" if number else "DAMAGED", prose(damage(blemish)), style="bold magenta")
