"""Verify a fix: find the creators of a case among the births of the same store, which is read again later.

A creator has stopped when it has been silent for several of its own intervals, so that further births would have followed
(``rhythm.endings``). A creator whose sessions are all gone is judged by the same silence. A creator without a rhythm needs the
access log again, because births without a rhythm could be anybody's.

Only a log, a session or the prober's own phase tells several targets of one job apart. Without these, targets and phases are
paired by their numbers alone (``attribution.configured``), and each reading may pair them differently. A creator is therefore
found again by its phase, which it keeps. Where some of the targets go on and others do not, it is named as one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from necropsy.model.probe import Probe
from necropsy.model.verification import (
    CREATES,
    CURED,
    NOT_CURED,
    PARTLY,
    STOPPED,
    TOO_EARLY,
    UNJUDGED,
    UNKNOWN,
    CheckedCreator,
    StoreCheck,
)
from necropsy.rhythm.endings import LEAST_QUIET_S, quiet_s
from necropsy.verdict.actors import utc
from necropsy.verdict.evidence import Claim
from necropsy.verdict.forecast import DAY_S, is_immortal

_LEAST_SHARE: Final = 0.01
"""Creators with less than this share of a store's births are not followed: they were none of the causes."""
_MACHINES: Final = frozenset({"probe", "visitor", "unlogged"})
_PERIOD_TOLERANCE: Final = 0.01
_PHASE_TOLERANCE_S: Final = 0.1
_PHASE_TOLERANCE: Final = 0.02
"""Phases of one creator differ by less than this share of the period, or by less than a tenth of a second."""
_HOURS_A_DAY: Final = 24.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A store at one of two times: when the case was made, or now."""

    at: datetime
    """When it was read, UTC."""
    sessions: int
    claims: Sequence[Claim]
    lifetime_s: float | None = None
    births_known: bool = True
    logs_given: bool = False
    layout: str = ""
    """Commonest layout of its sessions; empty when it has none."""
    unread: str = ""
    """Reason for which not all of its sessions are known; empty when they are. Births that were not read have not stopped."""
    refuses: str = ""
    """Reason for which no session can be born in it; empty when it takes writes. Such silence proves nothing."""
    least_quiet_s: float = LEAST_QUIET_S
    """Seconds for which a creator with a rhythm must be silent at least before it counts as gone."""
    zombies: Mapping[str, str] = field(default_factory=dict)
    """Node by ``HOST:PORT`` of instances that service discovery still has and whose agent is gone."""


def check(store: str, before: Reading, after: Reading, probes: Sequence[Probe]) -> StoreCheck:
    """Compare a store with itself.

    Parameters
    ----------
    before
        As the case has it.
    after
        As it was read again; attributed with the probes of the case.
    probes
        Probes of the case, by ``probe_id``.
    """
    machines = _machines(before)
    now = _machines(after)
    matches = _matches(machines, now)
    followed = [_follow(claim, match, before, after, probes) for claim, match in zip(machines, matches, strict=True)]
    known = {id(match) for match in matches if match is not None}
    followed += [
        _new(claim, probes)
        for claim in now
        if id(claim) not in known and not _quiet(claim, after) and _begun_since(claim, before.at)
    ]
    outcome, until, reason = _outcome(followed, machines, before, after)
    sure = {id(c) for c, m in zip(machines, matches, strict=True) if _is_sure(c, probes) or _is_named_the_same(c, m)}
    followed[: len(machines)] = _named(machines, followed[: len(machines)], probes, sure)
    followed = [_with_zombie(one, after.zombies) for one in followed]
    creators = tuple(sorted(followed, key=lambda one: (one.state != CREATES, -one.births_per_day_now, one.name)))
    rate = sum(one.births_per_day_now for one in creators if one.state == CREATES)
    return StoreCheck(
        store=store,
        outcome=outcome,
        creators=creators,
        sessions_before=before.sessions,
        sessions_now=after.sessions,
        plateau=_plateau(rate, after),
        births_per_day_now=rate,
        lifetime_s=after.lifetime_s,
        taken_at=after.at,
        until=until,
        reason=reason,
        is_partial=bool(after.unread),
    )


def _machines(reading: Reading) -> list[Claim]:
    total = sum(claim.births for claim in reading.claims)
    return [
        claim
        for claim in reading.claims
        if claim.creator in _MACHINES and claim.births >= _LEAST_SHARE * max(1.0, total)
    ]


def _matches(machines: Sequence[Claim], now: Sequence[Claim]) -> list[Claim | None]:
    """Return for each creator of the case the claim of now on the same creator. Each claim of now is used once.

    The surest match comes first: the same probe, named by its sessions or at the same phase; the same client; the same rhythm
    at the same phase, whatever its name is now; the same probe at another phase.
    """
    found: list[Claim | None] = [None] * len(machines)
    taken: set[int] = set()
    for same in (_same_and_sure, _same_client, _same_rhythm, _same_probe):
        for number, claim in enumerate(machines):
            if found[number] is None:
                match = next((other for other in now if id(other) not in taken and same(claim, other)), None)
                if match is not None:
                    found[number] = match
                    taken.add(id(match))
    return found


def _same_probe(a: Claim, b: Claim) -> bool:
    return a.probe_id is not None and a.probe_id == b.probe_id


def _same_and_sure(a: Claim, b: Claim) -> bool:
    return _same_probe(a, b) and (b.evidence == "named" or _same_rhythm(a, b))


def _same_client(a: Claim, b: Claim) -> bool:
    return a.creator == b.creator == "visitor" and a.label == b.label


def _same_rhythm(a: Claim, b: Claim) -> bool:
    if not a.period_s or not b.period_s or a.phase_s is None or b.phase_s is None:
        return False
    if abs(a.period_s - b.period_s) > _PERIOD_TOLERANCE * a.period_s:
        return False
    apart = abs(a.phase_s - b.phase_s) % a.period_s
    return min(apart, a.period_s - apart) <= max(_PHASE_TOLERANCE_S, _PHASE_TOLERANCE * a.period_s)


def _is_named_the_same(claim: Claim, match: Claim | None) -> bool:
    """Whether the sessions of now name the creator themselves, and it is the one of before."""
    return match is not None and match.evidence == "named" and _same_probe(claim, match)


def _is_sure(claim: Claim, probes: Sequence[Probe]) -> bool:
    """Whether a log, the session or a computed phase identified the probe of a claim, and not its number alone."""
    if claim.evidence == "named" or claim.class_id is not None:
        return True
    return claim.probe_id is not None and claim.probe_id < len(probes) and probes[claim.probe_id].phase_s is not None


def _named(
    machines: Sequence[Claim], followed: Sequence[CheckedCreator], probes: Sequence[Probe], sure: Collection[int]
) -> list[CheckedCreator]:
    """Rename creators whose target is uncertain: by its server where that identifies it, else as one of several targets."""
    by_server = _by_server(machines, followed, probes, sure)
    if by_server is not None:
        return [by_server.get(id(claim), one) for claim, one in zip(machines, followed, strict=True)]
    states = {id(claim): one.state for claim, one in zip(machines, followed, strict=True)}
    return [
        _as_one_of_several(claim, one, _alike(claim, machines, states, probes, sure), probes)
        for claim, one in zip(machines, followed, strict=True)
    ]


def _alike(
    claim: Claim, machines: Sequence[Claim], states: Mapping[int, str], probes: Sequence[Probe], sure: Collection[int]
) -> int:
    """Return the number of targets that a creator could be; 1 if its target is known, or if all of them have the same state."""
    if claim.probe_id is None or claim.probe_id >= len(probes) or id(claim) in sure:
        return 1
    mine = probes[claim.probe_id]
    told = {other.probe_id for other in machines if id(other) in sure}
    targets = {
        number
        for number, probe in enumerate(probes)
        if (probe.prober, probe.service, probe.period_s) == (mine.prober, mine.service, mine.period_s)
        and probe.phase_s is None
        and probe.creates_sessions
        and number not in told
    }
    fate = [states[id(other)] for other in machines if other.probe_id in targets]
    return 1 if len(targets) < 2 or (len(set(fate)) == 1 and len(fate) >= len(targets)) else len(targets)


def _by_server(
    machines: Sequence[Claim], followed: Sequence[CheckedCreator], probes: Sequence[Probe], sure: Collection[int]
) -> dict[int, CheckedCreator] | None:
    """Identify uncertain targets by the other ports of their servers, if only one assignment is possible.

    A server is fixed as a whole: a port of unknown state has the state of the ports that are known for sure.

    Returns
    -------
    dict
        The creator under its new name, by the identity of its claim; empty where the numbers do not agree. None where no
        server has a port that is known for sure.
    """
    fates: dict[str, set[str]] = {}
    for claim, one in zip(machines, followed, strict=True):
        if claim.probe_id is not None and claim.probe_id < len(probes) and id(claim) in sure:
            fates.setdefault(probes[claim.probe_id].host, set()).add(one.state)
    unsure = [
        (claim, one)
        for claim, one in zip(machines, followed, strict=True)
        if claim.probe_id is not None and claim.probe_id < len(probes) and id(claim) not in sure
    ]
    if not any(probes[claim.probe_id or 0].host in fates for claim, _ in unsure):
        return None
    places: dict[str, list[tuple[str, str]]] = {}
    for claim, _ in unsure:
        probe = probes[claim.probe_id or 0]
        fate = fates.get(probe.host, set())
        if len(fate) != 1:
            return {}
        places.setdefault(next(iter(fate)), []).append(
            (f"{probe.host}:{probe.port}" if claim.one_of else claim.label, probe.url)
        )
    if {state: len(names) for state, names in places.items()} != Counter(one.state for _, one in unsure):
        return {}
    named = {}
    for claim, one in unsure:
        name, url = places[one.state].pop(0)
        named[id(claim)] = replace(one, name=name, url=url)
    return named


def _as_one_of_several(claim: Claim, one: CheckedCreator, alike: int, probes: Sequence[Probe]) -> CheckedCreator:
    """Name a creator by its job and its rhythm, where its target is one of several."""
    if alike == 1 or claim.probe_id is None:
        return one
    rhythm = f", {claim.phase_s:.2f} s into every {claim.period_s:g} s" if claim.phase_s is not None else ""
    return replace(one, name=f"one of {alike} targets of {probes[claim.probe_id].prober}{rhythm}", url="")


def _follow(
    claim: Claim, match: Claim | None, before: Reading, after: Reading, probes: Sequence[Probe]
) -> CheckedCreator:
    """Return the state of one creator, given the claim of now that matches it."""
    last = utc(match.last_at if match is not None else claim.last_at)
    per_day = claim.births_per_hour * _HOURS_A_DAY
    if match is not None and not _quiet(_like(claim, match), after):
        return _checked(claim, probes, CREATES, match.births_per_hour * _HOURS_A_DAY or per_day, last)
    silent_since = last or before.at
    if (after.at - silent_since).total_seconds() <= _needed_s(claim, after):
        return _checked(claim, probes, UNKNOWN, per_day, last, _waiting(last, after))
    if after.refuses:
        return _checked(claim, probes, UNKNOWN, per_day, last, after.refuses)
    if match is None and claim.period_s is None and not after.logs_given:
        return _checked(
            claim,
            probes,
            UNKNOWN,
            per_day,
            None,
            "it does not come at a fixed interval: give the access log since the fix",
        )
    return _checked(claim, probes, STOPPED, 0.0, last)


def _like(claim: Claim, match: Claim) -> Claim:
    """Return the claim of now, with the rhythm of the case if too few births are left to show one."""
    if match.period_s or not claim.period_s:
        return match
    return replace(
        match,
        period_s=claim.period_s,
        creation_probability=claim.creation_probability,
        births_per_hour=claim.births_per_hour,
    )


def _needed_s(claim: Claim, after: Reading) -> float:
    """Return the seconds of silence after which a creator counts as gone."""
    return quiet_s(claim.period_s, claim.creation_probability, claim.births_per_hour, least_s=after.least_quiet_s)


def _quiet(claim: Claim, after: Reading) -> bool:
    """Whether a creator has been silent for a few of its own intervals, which is not yet proof that it is gone.

    A creator without a rhythm may be silent for any time.
    """
    last = utc(claim.last_at)
    if last is None:
        return False
    least_s = 0.0 if claim.period_s else after.least_quiet_s
    needed = quiet_s(claim.period_s, claim.creation_probability, claim.births_per_hour, least_s=least_s)
    return (after.at - last).total_seconds() > needed


def _waiting(last: datetime | None, after: Reading) -> str:
    if last is None:
        return "too little time has passed since the case"
    return f"silent for {(after.at - last).total_seconds():,.0f} s, too short to say that it is gone"


def _with_zombie(creator: CheckedCreator, zombies: Mapping[str, str]) -> CheckedCreator:
    """Add the node of a creator that still creates and whose registration has outlived its agent."""
    node = zombies.get(urlsplit(creator.url).netloc, "") if creator.state == CREATES else ""
    return replace(creator, zombie=node) if node else creator


def _new(claim: Claim, probes: Sequence[Probe]) -> CheckedCreator:
    checked = _checked(claim, probes, CREATES, claim.births_per_hour * _HOURS_A_DAY, utc(claim.last_at))
    return CheckedCreator(
        checked.name, checked.url, CREATES, 0.0, checked.births_per_day_now, checked.last_at, is_new=True
    )


def _begun_since(claim: Claim, moment: datetime) -> bool:
    first = utc(claim.first_at)
    return first is not None and first > moment


def _checked(
    claim: Claim, probes: Sequence[Probe], state: str, per_day: float, last: datetime | None, reason: str = ""
) -> CheckedCreator:
    known = claim.probe_id is not None and claim.probe_id < len(probes)
    return CheckedCreator(
        name=claim.label,
        url=probes[claim.probe_id].url if known and claim.probe_id is not None else "",
        state=state,
        births_per_day_before=claim.births_per_hour * _HOURS_A_DAY,
        births_per_day_now=per_day,
        last_at=last,
        reason=reason,
    )


def _outcome(
    creators: Sequence[CheckedCreator], machines: Sequence[Claim], before: Reading, after: Reading
) -> tuple[str, datetime | None, str]:
    """Return the outcome, the time from which it can be judged if it is too early, and the reason if it cannot be judged."""
    creating = [one for one in creators if one.state == CREATES]
    reason = _unjudged(machines, before, after)
    if reason and not (creating and reason in {after.unread, after.refuses}):
        return UNJUDGED, None, reason
    unknown = [one for one in creators if one.state == UNKNOWN]
    if creating and any(one.state == STOPPED for one in creators):
        return PARTLY, None, ""
    if unknown:
        waiting = [claim for claim in machines if any(one.name == claim.label for one in unknown)]
        needed = max(_needed_s(claim, after) for claim in waiting)
        last = max((one.last_at for one in unknown if one.last_at is not None), default=before.at)
        until = last + timedelta(seconds=needed)
        if until > after.at:  # those that go on are no cure; whether the others stopped decides between partly and not
            return TOO_EARLY, until, ""
        if not creating:
            return UNJUDGED, None, unknown[0].reason
    return (NOT_CURED if creating else CURED), None, ""


def _unjudged(machines: Sequence[Claim], before: Reading, after: Reading) -> str:
    """Return the reason for which the silence of a store proves nothing; empty if it is a proof."""
    if not after.births_known:
        return "the store's sessions have no creation time"
    if not machines:
        return "the case blames no creator, only people: there is nothing to verify"
    if before.layout and after.layout and before.layout != after.layout:
        return f"its sessions are {after.layout}, and were {before.layout}: is it the same store?"
    return after.unread or after.refuses


def not_looked_at(store: str, before: Reading, reason: str) -> StoreCheck:
    """Return the result for a store of the case that was not read again: nothing is known of it."""
    return StoreCheck(
        store=store,
        outcome=UNJUDGED,
        creators=(),
        sessions_before=before.sessions,
        sessions_now=None,
        plateau=None,
        births_per_day_now=None,
        lifetime_s=None,
        taken_at=None,
        reason=reason,
    )


def _plateau(per_day: float, after: Reading) -> float | None:
    if after.lifetime_s is None or is_immortal(after.lifetime_s):
        return None if per_day else 0.0
    return per_day / DAY_S * after.lifetime_s
