"""The actor of a claim: address, request, rhythm, times, the command that finds its lines, advice."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from necropsy.model.evidence import Origin
from necropsy.model.probe import Probe
from necropsy.model.verdict import Actor
from necropsy.rhythm.endings import has_ended
from necropsy.sessions.cure import Cure
from necropsy.verdict.evidence import Claim, VisitorClass


@dataclass(frozen=True, slots=True)
class Known:
    """Evidence beside the claims."""

    probes: Sequence[Probe]
    classes: Mapping[int, VisitorClass]
    read_at: datetime
    """When the store was read, UTC."""
    cure: Cure | None
    """Of the session layout of the store."""
    log_files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By name of a log its files, where they are other than the name: rotations."""


def actor(claim: Claim, known: Known) -> Actor:
    """Describe who made the births of a claim."""
    probe = known.probes[claim.probe_id] if claim.probe_id is not None else None
    visitors = known.classes.get(claim.class_id) if claim.class_id is not None else None
    single = (claim.clients or 1) == 1
    one_of = [known.probes[number] for number in claim.one_of or ()]
    return Actor(
        user_agent=claim.user_agent or (visitors.user_agent if visitors else ""),
        prober=probe.prober if probe else None,
        url="" if one_of else probe.url if probe else _url(visitors) if visitors else "",
        period_s=claim.period_s or (probe.period_s if probe else None),
        phase_s=claim.phase_s,
        in_access_log=claim.in_access_log,
        creation_probability=claim.creation_probability if claim.creation_probability is not None else 1.0,
        sessions=round(claim.births),
        births_per_hour=claim.births_per_hour,
        evidence=claim.evidence,
        answer=_answer(visitors),
        origin=_shared_lines(one_of) if one_of else probe.origin if probe else (),
        method=probe.method if probe else visitors.method if visitors else "",
        address=visitors.client if visitors and single and visitors.client != "*" else "",
        clients=claim.clients,
        visits=claim.visits,
        first_at=utc(claim.first_at),
        last_at=utc(claim.last_at),
        over=is_over(claim, known.read_at),
        find=find(visitors, claim.user_agent, single=single, files=known.log_files.get(visitors.log, ()))
        if visitors
        else "",
        fix=_fix(visitors, known.cure) if probe is None and visitors is not None else "",
        alternative=claim.alternative or "",
        one_of=tuple(target.url for target in one_of),
    )


def _shared_lines(probes: Sequence[Probe]) -> tuple[Origin, ...]:
    """Lines that lie behind each of several targets: those of one of them would accuse it."""
    return tuple(origin for origin in probes[0].origin if all(origin in probe.origin for probe in probes))


def is_over(claim: Claim, read_at: datetime) -> bool:
    """Whether its births had ended when the store was read."""
    last = utc(claim.last_at)
    return has_ended(last, read_at, claim.period_s, claim.creation_probability, claim.births_per_hour)


def utc(moment: datetime | None) -> datetime | None:
    """Give a time of the case its zone."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def find(visitors: VisitorClass, user_agent: str = "", *, single: bool = True, files: Sequence[str] = ()) -> str:
    """Return the command that shows the lines of a class in its log; empty when the log has no name.

    Parameters
    ----------
    visitors
        The class, or one of many that are one program.
    user_agent
        Name of that program, with ``*`` for the numbers of its versions.
    single
        Whether it comes from the class's address alone.
    files
        The files of the log, where they are rotations of it.

    >>> row = VisitorClass(1, "Go-http-client/1.1", "", "GET", "/orders/*", 302, None, 9, None, None, None, None, "access.log")
    >>> find(row)
    "grep -F 'GET /orders/' access.log | grep -F Go-http-client/1.1"
    """
    if not visitors.log or visitors.log == "-":
        return ""
    whole, star, _ = visitors.path.partition("*")
    asked = f"{visitors.method} {whole}{'' if star else ' '}" if visitors.method else whole
    files = files or (visitors.log,)
    grep = "zgrep" if any(name.endswith(".gz") for name in files) else "grep"
    rotated = len(files) > 1 and all(name.startswith(visitors.log) for name in files)
    where = f"{shlex.quote(visitors.log)}*" if rotated else " ".join(map(shlex.quote, files))
    command = f"{grep} -F {shlex.quote(asked)} {where}"
    agent = user_agent.partition("*")[0] if "*" in user_agent else visitors.user_agent
    for text in (agent, visitors.client if single and visitors.client not in ("", "*") else ""):
        command += f" | grep -F {shlex.quote(text)}" if text and not text.startswith("#") else ""
    return command


def _url(visitors: VisitorClass) -> str:
    """Their requests; the path alone when the log does not name the host."""
    return f"http://{visitors.host}{visitors.path}" if visitors.host else visitors.path


def _answer(visitors: VisitorClass | None) -> str:
    if visitors is None:
        return ""
    return f"{visitors.status} -> {visitors.followed_to}" if visitors.followed_to else str(visitors.status)


def _fix(visitors: VisitorClass, cure: Cure | None) -> str:
    """Advice about a creator that is in no configuration that was given."""
    asks = f"{visitors.method or 'GET'} {visitors.path}"
    return f"{cure.framework}: start no session for {asks}. {cure.stop}" if cure else f"start no session for {asks}"
