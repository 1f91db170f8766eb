"""Weighing: findings and claims become causes with the share each explains, and what remains unexplained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from necropsy.model.figures import percent
from necropsy.model.finding import Cleared, Finding, Remedy, Unexamined
from necropsy.model.probe import Probe
from necropsy.model.verdict import Actor, Cause, Contribution, Prediction, Verdict
from necropsy.verdict.evidence import Claim, VisitorClass

CAUSES: Final = (
    "probes/creates-sessions",
    "traffic/bot-creates-sessions",
    "traffic/unlogged-creator",
    "sessions/immortal",
)
"""Slugs that can be a cause of death, in the order in which an operator should act: what goes on now comes first."""

_LEAST_SHARE: Final = 0.05
_YEAR_S: Final = 31_556_952
_CREATORS: Final[dict[str, tuple[str, bool | None]]] = {
    "probes/creates-sessions": ("probe", None),
    "traffic/bot-creates-sessions": ("visitor", False),
    "traffic/unlogged-creator": ("unlogged", None),
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """What weighing needs beside the findings."""

    claims: Sequence[Claim]
    probes: Sequence[Probe]
    classes: Mapping[int, VisitorClass]
    sessions: Mapping[str, int]
    """Sessions per store."""
    bytes_per_session: Mapping[str, float]
    predictions: tuple[Prediction, ...]
    remedies: Mapping[str, Remedy]
    """Remedy per slug, where treatment has one to offer."""
    now: datetime


def weigh(
    findings: Sequence[Finding], cleared: Sequence[Cleared], unexamined: Sequence[Unexamined], scale: Weighed
) -> Verdict:
    """Return the verdict.

    A finding whose slug can be a cause, and that explains at least a twentieth of its store, becomes one; every other
    finding contributes. Nothing is rounded away: the unexplained share is over all sessions of all stores.
    """
    causes: list[Cause] = []
    contributing: list[Contribution] = []
    for finding in findings:
        if finding.slug in CAUSES and finding.store is not None and (finding.share or 0.0) >= _LEAST_SHARE:
            causes.append(_cause(finding, scale))
        elif finding.slug != "healthy":  # health is no condition that made anything worse
            contributing.append(Contribution(finding.slug, finding.store, finding.title))
    causes.sort(key=lambda c: (CAUSES.index(c.slug), -c.births_per_hour, -c.share, c.store or ""))
    total = sum(scale.sessions.values())
    explained = sum(claim.births for claim in scale.claims if claim.creator != "unlogged")
    return Verdict(
        causes=tuple(causes),
        contributing=tuple(contributing),
        ruled_out=tuple(cleared),
        unexamined=tuple(unexamined),
        unexplained_share=max(0.0, 1.0 - explained / total) if total else 0.0,
        predictions=scale.predictions,
    )


def _cause(finding: Finding, scale: Weighed) -> Cause:
    claims = _claims_of(finding, scale)
    store = finding.store or ""
    share, low, high = (
        value if value is not None else 0.0 for value in (finding.share, finding.share_low, finding.share_high)
    )
    sessions = round(share * scale.sessions.get(store, 0))
    actors = tuple(_actor(claim, scale) for claim in claims)
    lifetime_s = next((p.lifetime_s for p in scale.predictions if p.store == finding.store), None)
    title, text = _words(finding, actors, lifetime_s, many=len(scale.sessions) > 1)
    text = " ".join(part for part in (text, _stopped(claims, scale.now, lifetime_s)) if part)
    return Cause(
        slug=finding.slug,
        store=finding.store,
        title=title,
        text=text,
        share=share,
        share_low=low,
        share_high=high,
        confidence=finding.confidence,
        births_per_hour=sum(claim.births_per_hour for claim in claims),
        sessions=sessions,
        bytes=round(sessions * scale.bytes_per_session.get(store, 0.0)),
        actors=actors,
        remedy=scale.remedies.get(finding.slug, finding.remedy),
    )


def _claims_of(finding: Finding, scale: Weighed) -> list[Claim]:
    rule = _CREATORS.get(finding.slug)
    if rule is None:
        return []
    creator, clockwork = rule
    mine = [claim for claim in scale.claims if claim.store == finding.store]
    if creator == "probe":
        return [c for c in mine if c.creator == "probe" or (c.creator == "visitor" and c.period_s is not None)]
    return [c for c in mine if c.creator == creator and (clockwork is None or (c.period_s is not None) == clockwork)]


def _actor(claim: Claim, scale: Weighed) -> Actor:
    probe = scale.probes[claim.probe_id] if claim.probe_id is not None else None
    visitors = scale.classes.get(claim.class_id) if claim.class_id is not None else None
    url = probe.url if probe else _url(visitors) if visitors else ""
    return Actor(
        user_agent=claim.user_agent or (visitors.user_agent if visitors else ""),
        prober=probe.prober if probe else None,
        url=url,
        period_s=claim.period_s or (probe.period_s if probe else None),
        phase_s=claim.phase_s,
        in_access_log=claim.in_access_log,
        creation_probability=claim.creation_probability if claim.creation_probability is not None else 1.0,
        sessions=round(claim.births),
        births_per_hour=claim.births_per_hour,
        evidence=claim.evidence,
        answer=_answer(visitors),
        origin=probe.origin if probe else (),
    )


def _url(visitors: VisitorClass) -> str:
    """What they ask for; the path alone when the log does not name the host."""
    return f"http://{visitors.host}{visitors.path}" if visitors.host else visitors.path


def _answer(visitors: VisitorClass | None) -> str:
    if visitors is None:
        return ""
    return f"{visitors.status} -> {visitors.followed_to}" if visitors.followed_to else str(visitors.status)


def _words(finding: Finding, actors: tuple[Actor, ...], lifetime_s: float | None, *, many: bool) -> tuple[str, str]:
    """Title and text of a cause, in the reader's words."""
    if finding.slug != "probes/creates-sessions":
        return finding.title, finding.text
    where = f"store {finding.store}" if many else "this store"
    who = "Your own monitoring" if any(actor.prober for actor in actors) else "A client that comes like clockwork"
    title = f"{who} creates {percent(finding.share or 0)} of the sessions in {where}."
    jobs = sorted({actor.prober for actor in actors if actor.prober})
    periods = sorted({actor.period_s for actor in actors if actor.period_s})
    paths = sorted({_path(actor.url) for actor in actors})
    every = f" every {', '.join(f'{period:g} s' for period in periods)}" if periods else ""
    text = (
        f"{_prober_name(jobs)} asks GET {', '.join(paths)}{every}; every answer is a new session{_lives(lifetime_s)}."
    )
    return title, text


def _stopped(claims: Sequence[Claim], now: datetime, lifetime_s: float | None) -> str:
    """When the births ended, if they all ended some periods ago: after a fix only the sessions remain."""
    ends = [(claim.last_at, claim.period_s) for claim in claims if claim.last_at is not None and claim.period_s]
    if not ends or len(ends) < len(claims):
        return ""
    last = max(end for end, _ in ends).replace(tzinfo=UTC)
    if (now - last).total_seconds() < max(300.0, 5 * max(period for _, period in ends)):
        return ""
    immortal = lifetime_s is not None and (lifetime_s < 0 or lifetime_s > _YEAR_S)
    left = "what is left stays, as it never expires" if immortal else "what is left falls away as it expires"
    return f"It stopped on {last:%Y-%m-%d at %H:%M} UTC: {left}."


def _path(url: str) -> str:
    if url.startswith("/"):
        return url
    return "/" + url.split("/", 3)[3] if url.count("/") >= 3 else "/"


def _lives(lifetime_s: float | None) -> str:
    if lifetime_s is None:
        return ""
    if lifetime_s < 0:
        return " that never expires"
    for name, seconds in (("year", _YEAR_S), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if lifetime_s >= seconds:
            number = lifetime_s / seconds
            return f" that lives for {number:{'.0f' if number >= 10 else '.3g'}} {name}{'' if number == 1 else 's'}"
    return f" that lives for {lifetime_s:g} s"


def _prober_name(jobs: Sequence[str]) -> str:
    if not jobs:
        return "It"
    family, _, name = jobs[0].partition("/")
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    return f"{family.capitalize()} job {name}{more}" if family == "prometheus" else f"{jobs[0]}{more}"
