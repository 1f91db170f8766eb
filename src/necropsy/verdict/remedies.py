"""The remedy of a cause: its finding's patches, else advice with the framework's words for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from necropsy.model.finding import UNLOGGED, Confidence, Finding, Remedy
from necropsy.model.verdict import Actor
from necropsy.sessions.cure import Cure
from necropsy.verdict.order import CREATORS
from necropsy.visits.agents import hides_its_clients

_SHOWN: Final = 3
"""Names of a list that are shown, and one more if that is the last."""


def remedy_of(finding: Finding, actors: Sequence[Actor], cure: Cure | None) -> Remedy | None:
    """Return what to do about a cause; of a guess, first what to check.

    Parameters
    ----------
    finding
        What was found, with its remedy: patches, or advice.
    actors
        Who is named. Of those that are in no configuration that was given the application must take care.
    cure
        What the framework of the sessions offers; None when it is not known.
    """
    remedy = _remedy(finding, actors, cure)
    return _to_check(finding, actors, remedy) if finding.confidence is Confidence.LOW else remedy


def _remedy(finding: Finding, actors: Sequence[Actor], cure: Cure | None) -> Remedy | None:
    remedy = finding.remedy
    if finding.slug not in CREATORS:
        return remedy
    if remedy is not None and remedy.patches:
        if not actors or any(actor.origin for actor in actors):
            return remedy
        remedy = None  # it is of other probes than those that are named
    if remedy is None and actors:
        remedy = _for_probe(actors)
    if remedy is None or cure is None or finding.slug == UNLOGGED:
        return remedy
    return replace(remedy, text=f"{remedy.text}\n{cure.framework}: {cure.stop}")


def _listed(names: Sequence[str]) -> str:
    """List what is named, the first few if it is many.

    >>> _listed(["/", "", "/"]), _listed(["a", "b", "c", "d", "e"])
    ('/', 'a, b, c and 2 more')
    """
    known = [name for name in dict.fromkeys(names) if name]
    if len(known) > _SHOWN + 1:
        known = [*known[:_SHOWN], f"{len(known) - _SHOWN} more"]
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))


def _for_probe(actors: Sequence[Actor]) -> Remedy:
    """Advice about a prober that is in no configuration, or that no patch could be made for."""
    who = _listed([actor.prober or _program(actor.user_agent) for actor in actors]) or "it"
    asked = _listed([actor.url for actor in actors]) or "the application"
    addresses = _listed([actor.address for actor in actors])
    where = f" from {addresses}" if addresses else ""
    text = f"It requests {asked}{where}: change that in its configuration, or answer without starting a session."
    if any(hides_its_clients(actor.user_agent) for actor in actors):
        text += " Who it is, the log of what stands before the server tells, or X-Forwarded-For in this one."
    return Remedy(
        title=f"Point {who} at a health endpoint that starts no session",
        text=text,
        undo="restore the old address",
    )


def _program(user_agent: str) -> str:
    return f"the client behind {user_agent}" if hides_its_clients(user_agent) else user_agent


def _to_check(finding: Finding, actors: Sequence[Actor], remedy: Remedy | None) -> Remedy | None:
    """Put the check before the remedy: a guess is no reason to change anything."""
    if remedy is None or finding.slug not in CREATORS or finding.slug == UNLOGGED or not actors:
        return remedy
    first = actors[0]
    who = first.prober or first.user_agent or (f"the client {first.address}" if first.address else "it")
    other = next((actor.alternative for actor in actors if actor.alternative), "")
    rhythm = f" every {first.period_s:g} s" if first.period_s else ""
    test = f"To know, stop {who} for ten minutes{f' and leave {other} as it is' if other else ''}."
    told = f"If no session is born{rhythm} in that time, {who} creates them"
    steps = [
        f"It is a guess: {finding.doubt or 'little speaks for it'}.",
        f"{test} {told}{f'; if births go on, it is {other}' if other else ''}.",
        f"If so: {remedy.title}.",
        remedy.text,
    ]
    title = f"Check first whether it is {who}{f' or {other}' if other else ''}"
    return replace(remedy, title=title, text="\n".join(steps))
