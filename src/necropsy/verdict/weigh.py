"""Weighing: findings and claims become causes with the share each explains, and what remains unexplained.

``order`` says which finding can be a cause and which stands first, ``actors`` who is named, ``wording`` how it is said,
``requests`` what to bring when it is not enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from necropsy.model.figures import percent
from necropsy.model.finding import HEALTHY, Cleared, Finding, Unexamined
from necropsy.model.probe import Probe
from necropsy.model.verdict import Cause, Contradiction, Contribution, Kind, Prediction, Verdict, View
from necropsy.sessions.registry import cure
from necropsy.verdict import order
from necropsy.verdict.actors import Known, actor, utc
from necropsy.verdict.evidence import BY_EXPIRY, Account, ChangedLifetime, Claim, ClockOffset, SessionKind, VisitorClass
from necropsy.verdict.remedies import remedy_of
from necropsy.verdict.requests import requests
from necropsy.verdict.wording import span, words

_HALF_HOUR_S: Final = 1_800.0
_NEARLY_S: Final = 2.0
"""Time zones are whole numbers of half hours apart, and clocks some seconds."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Input of the weighing beside the findings."""

    claims: Sequence[Claim]
    """A claim's place is its ``claim_id``."""
    probes: Sequence[Probe]
    classes: Mapping[int, VisitorClass]
    sessions: Mapping[str, int]
    """Sessions per store."""
    bytes_per_session: Mapping[str, float]
    predictions: tuple[Prediction, ...]
    now: datetime
    accounts: Sequence[Account] = ()
    offsets: Sequence[ClockOffset] = ()
    held: Mapping[str, float] = field(default_factory=dict)
    """By log that is a sample: which share of the requests it holds."""
    server_clocks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By store: how far one application server's clock is ahead of another's, and the share of the births that it dates."""
    coverage: Mapping[str, float] = field(default_factory=dict)
    """Share of each store's keys that could be read, where its dump breaks off."""
    expired: Mapping[str, float] = field(default_factory=dict)
    """Share of each store's sessions that had expired when it was read, where that is much."""
    changed: Mapping[str, ChangedLifetime] = field(default_factory=dict)
    """Stores whose sessions' lifetime was changed while those of the older one still live."""
    layouts: Mapping[str, str] = field(default_factory=dict)
    """Commonest session layout of each store."""
    kinds: Mapping[int, SessionKind] = field(default_factory=dict)
    """By ``claim_id``: what its sessions are, in stores that hold several kinds."""
    read_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each store was read, UTC; ``now`` where it is not known."""
    log_files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By name of an access log its files."""
    logs: bool = False
    """Whether an access log is among the evidence."""
    keys_command: str = "necropsy keys dump.rdb"
    """The command that lists the keys of the first store."""


def weigh(
    findings: Sequence[Finding], cleared: Sequence[Cleared], unexamined: Sequence[Unexamined], scale: Weighed
) -> Verdict:
    """Return the verdict.

    Which findings are causes is decided in ``order``; every other finding contributes, with the cause that explains it.
    Nothing is rounded away: the unexplained share is over all sessions of all stores.
    """
    views = _views(scale)
    causes: list[Cause] = []
    contributing: list[Contribution] = []
    for finding in findings:
        others = [other for other in findings if other is not finding]
        if finding.slug == HEALTHY:  # health is no condition that made anything worse
            continue
        if order.is_cause(finding, others):
            causes.append(_cause(finding, findings, scale, next((v for v in views if v.store == finding.store), None)))
        else:
            explained = order.explained_by(finding, others) or ""
            contributing.append(Contribution(finding.slug, finding.store, finding.title, explained))
    ordered = order.in_order(causes)
    kind, reason = _kind(ordered, findings, unexamined, scale)
    total = sum(scale.sessions.values())
    explained_births = sum(claim.births for claim in scale.claims if claim.creator != "unlogged")
    return Verdict(
        causes=ordered,
        contributing=tuple(contributing),
        ruled_out=tuple(cleared),
        unexamined=tuple(unexamined),
        unexplained_share=max(0.0, 1.0 - explained_births / total) if total else 0.0,
        predictions=scale.predictions,
        kind=kind,
        reason=reason,
        requests=requests(
            kind,
            ordered,
            views,
            stores=bool(scale.sessions),
            sessions=total > 0,
            logs=scale.logs,
            configured=bool(scale.probes),
            keys_command=scale.keys_command,
        ),
        views=views,
        contradictions=_contradictions(scale),
    )


def _cause(finding: Finding, findings: Sequence[Finding], scale: Weighed, view: View | None) -> Cause:
    claims = [scale.claims[number] for number in finding.claims if number < len(scale.claims)]
    store = finding.store or ""
    share, low, high = (
        value if value is not None else 0.0 for value in (finding.share, finding.share_low, finding.share_high)
    )
    sessions = finding.sessions
    if sessions is None:
        sessions = round(share * scale.sessions.get(store, 0)) if finding.share_of == "births" else 0
    size = round(sessions * scale.bytes_per_session.get(store, 0.0)) if finding.bytes is None else finding.bytes
    kind = _kind_of_most(finding, scale)
    layout = kind.layout or scale.layouts.get(store)
    known = Known(scale.probes, scale.classes, scale.read_at.get(store, scale.now), cure(layout), scale.log_files)
    actors = tuple(actor(claim, known) for claim in claims)
    lifetime_s = next((p.lifetime_s for p in scale.predictions if p.store == finding.store), None)
    own_s = None
    if finding.store is not None and finding.store in scale.changed:
        lifetime_s = scale.changed[finding.store].newer_s
    elif kind.lifetime_s is not None:
        lifetime_s = own_s = kind.lifetime_s
    title, text = words(finding, actors, lifetime_s, view, many=len(scale.sessions) > 1)
    going = [claim for claim, one in zip(claims, actors, strict=True) if not one.over]
    firsts = [one.first_at for one in actors if one.first_at is not None]
    lasts = [one.last_at for one in actors if one.last_at is not None]
    follows = order.place_of(finding.slug).explains
    return Cause(
        slug=finding.slug,
        store=finding.store,
        title=title,
        text=text,
        share=share,
        share_low=low,
        share_high=high,
        confidence=finding.confidence,
        births_per_hour=sum(claim.births_per_hour for claim in going or claims),
        sessions=sessions,
        bytes=size,
        actors=actors,
        remedy=remedy_of(finding, actors, known.cure),
        severity=finding.severity,
        share_of=finding.share_of,
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
        over=bool(claims) and not going,
        lifetime_s=own_s,
        explains=tuple(
            dict.fromkeys(f.slug for f in findings if f.slug in follows and f.store in (None, finding.store))
        ),
    )


def _kind_of_most(finding: Finding, scale: Weighed) -> SessionKind:
    """Return the kind of most sessions of a cause, where its store holds several: another's settings mend nothing."""
    births: Counter[SessionKind] = Counter()
    for number in finding.claims:
        if number < len(scale.claims):
            kind = scale.kinds.get(number, SessionKind(None, None))
            births[kind] += max(1, round(scale.claims[number].births))
    return births.most_common(1)[0][0] if births else SessionKind(None, None)


def _kind(
    causes: Sequence[Cause], findings: Sequence[Finding], unexamined: Sequence[Unexamined], scale: Weighed
) -> tuple[Kind, str]:
    """The conclusion of the verdict, and the reason where there is none."""
    if causes:
        return Kind.CAUSE, ""
    if not scale.sessions:
        return Kind.UNKNOWN, "no session store was examined, so nothing could be counted"
    if not any(scale.sessions.values()):
        return Kind.UNKNOWN, "no session of a known layout was found, so no cause can be named"
    lacking = [item.hint for item in unexamined if item.slug == HEALTHY]
    if lacking:
        return Kind.UNKNOWN, "; ".join(dict.fromkeys(lacking))
    healthy = {finding.store for finding in findings if finding.slug == HEALTHY}
    if healthy >= {store for store, sessions in scale.sessions.items() if sessions}:
        return Kind.HEALTHY, ""
    return Kind.NOTHING_FOUND, "no cause was found in the evidence; other findings are listed below"


def _views(scale: Weighed) -> tuple[View, ...]:
    return tuple(
        View(
            store=account.store,
            births=account.births,
            unknown=account.unknown,
            explained=min(float(account.births), account.explained),
            horizon_at=utc(account.horizon_at),
            covered_from=utc(account.covered_from),
            covered_to=utc(account.covered_to),
            covered=account.covered,
            read=scale.coverage.get(account.store, 1.0),
            reason=account.reason or "",
        )
        for account in scale.accounts
    )


def _contradictions(scale: Weighed) -> tuple[Contradiction, ...]:
    """Sources that do not fit together: clocks that disagree, dumps that break off."""
    said = [Contradiction(offset.log, _clock(offset), not offset.applied) for offset in scale.offsets]
    said += [
        Contradiction(
            log,
            f"it is a sample with about {percent(share)} of the requests: the rest is inferred",
            set_aside=False,
        )
        for log, share in scale.held.items()
    ]
    said += [
        Contradiction(
            f"store {store}",
            f"its dump is truncated: {percent(read)} of its keys were read, and shares refer to those",
            False,
        )
        for store, read in scale.coverage.items()
        if read < 1.0
    ]
    said += [
        Contradiction(
            f"store {store}",
            f"{percent(expired)} of its sessions had expired when it was read, and were still there: a replica that was cut off"
            " from its master expires nothing, and a server whose clock is behind expires late",
            False,
        )
        for store, expired in scale.expired.items()
    ]
    said += [
        Contradiction(
            f"store {store}",
            f"{percent(share)} of its births come {abs(ahead_s):.1f} s {'later' if ahead_s > 0 else 'sooner'} after their"
            " requests than the others: the clocks of two application servers differ; their times were moved",
            False,
        )
        for store, (ahead_s, share) in scale.server_clocks.items()
    ]
    said += [
        Contradiction(
            f"store {store}",
            f"the lifetime of its sessions was changed from {span(one.older_s)} to {span(one.newer_s)} on"
            f" {one.at:%Y-%m-%d at %H:%M} UTC, by what is left of them: births were derived from either",
            False,
        )
        for store, one in scale.changed.items()
    ]
    return tuple(dict.fromkeys(said))


def _clock(offset: ClockOffset) -> str:
    ahead = "ahead of" if offset.offset_s >= 0 else "behind"
    done = "its times were moved" if offset.applied else "it was left out"
    apart = f"{abs(offset.offset_s):,.0f} s"
    if offset.reason == BY_EXPIRY:
        where = f"store {offset.store}"
        return f"its times are {apart} {ahead} the births in {where} ({offset.reason}, or its clock is wrong): {done}"
    if abs(offset.offset_s) >= _HALF_HOUR_S - _NEARLY_S and _of_a_zone(offset.offset_s):
        return f"its times are {apart} {ahead} those of store {offset.store}, as of another time zone: {done}"
    return f"its clock is {apart} {ahead} that of store {offset.store}: {done}"


def _of_a_zone(offset_s: float) -> bool:
    """Whether it is a whole number of half hours: a log that names no zone is read as UTC.

    >>> _of_a_zone(3_600.2), _of_a_zone(-19_800.0), _of_a_zone(3_500.0)
    (True, True, False)
    """
    return abs(offset_s - round(offset_s / _HALF_HOUR_S) * _HALF_HOUR_S) <= _NEARLY_S
