"""Completeness of a verdict, in sentences: limits and contradictions of the evidence, evidence to add; and the recap."""

from __future__ import annotations

from datetime import datetime

from necropsy.model.figures import IMMORTAL_S, several
from necropsy.model.report import Report
from necropsy.model.verdict import Actor, Kind, View
from necropsy.report.escaping import inert, prose
from necropsy.report.figures import count, moment, percent
from necropsy.report.wording.sentences import extent

_NEARLY_ALL = 0.9


def limits(report: Report) -> list[tuple[str, str]]:
    """Return (store, limits of its evidence) for each store that has any: expired sessions, uncovered times, damage."""
    told = [(inert(view.store), "; ".join(_limits(view, report.taken_at))) for view in report.verdict.views]
    return [(store, text) for store, text in told if text]


def _limits(view: View, now: datetime) -> list[str]:
    said = []
    # Of sessions that never expire in practice none has: a day decades ago would tell nothing.
    if view.horizon_at is not None and view.births and (now - view.horizon_at).total_seconds() < IMMORTAL_S:
        said.append(
            f"sessions born before {moment(_minute(view.horizon_at))} may have expired: shares refer to the sessions"
            f" that are left"
        )
    if view.covered_from is not None and view.covered_to is not None and view.births:
        share = view.covered / view.births
        if share < _NEARLY_ALL:
            span = f"{moment(_minute(view.covered_from))} to {moment(_minute(view.covered_to))}"
            said.append(f"the access logs cover {percent(share)} of the births, {span}")
    if view.unknown:
        said.append(
            f"the creation time of {count(view.unknown)} of {several(view.births + view.unknown, 'session')} is unknown"
        )
    if view.read < 1.0:
        said.append(f"{percent(view.read)} of its keys could be read")
    if view.reason:
        said.append(prose(view.reason))
    return said


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def contradictions(report: Report) -> list[tuple[str, str]]:
    """Sources that do not fit together, each with what was done about it."""
    return [(inert(item.source), prose(item.text)) for item in report.verdict.contradictions]


def requests(report: Report) -> list[tuple[str, str, str]]:
    """Evidence that would complete the verdict: (what, why, command)."""
    return [(prose(item.what), prose(item.why), inert(item.command)) for item in report.verdict.requests]


def source_and_times(actor: Actor) -> str:
    """Source of an actor, and its births' times: ``from 10.9.0.2, 900 visits in the log, births 2019-05-24 10:00 UTC to …``."""
    parts = []
    if actor.address:
        parts.append(f"from {inert(actor.address)}")
    elif (actor.clients or 0) > 1:
        parts.append(f"from {several(actor.clients or 0, 'client')}")
    if actor.visits:
        parts.append(f"{several(actor.visits, 'visit')} in the log")
    if actor.first_at is not None and actor.last_at is not None:
        span = f"{moment(_minute(actor.first_at))} to {moment(_minute(actor.last_at))}"
        parts.append(f"births {span}" + (", then it stopped" if actor.over else ""))
    return ", ".join(parts)


def recap(report: Report) -> tuple[str, str]:
    """The verdict and the next step, a line each, without the label."""
    verdict = report.verdict
    if verdict.causes:
        first, more = verdict.causes[0], len(verdict.causes) - 1
        rest = f" (+{several(more, 'cause')})" if more else ""
        remedy = first.remedy
        if remedy is None:
            return f"{prose(first.title)}{rest}", f"necropsy explain {inert(first.slug)}"
        patches = f": {extent(remedy.patches)}, see --patches" if remedy.patches else ""
        return f"{prose(first.title)}{rest}", f"{prose(remedy.title)}{patches}"
    if verdict.kind is Kind.HEALTHY:
        said = [finding.title for finding in report.findings if finding.reassures]
        return (prose(said[0]) if said else "healthy"), "save a case of this healthy day: --case healthy.case"
    asked = requests(report)
    if verdict.kind is Kind.UNKNOWN:
        return "no verdict", f"add {asked[0][0]}: {asked[0][2]}" if asked else "see NOT EXAMINED above"
    return "no cause found in the evidence", "see FOUND above"
