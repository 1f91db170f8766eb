"""From sources to claims: names, intervals, first and last, as the case keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.model.verdict import which_target
from necropsy.verdict.attribution import intervals, named
from necropsy.verdict.attribution.configured import phase_of
from necropsy.verdict.evidence import Circumstances, Claim, VisitorClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.model.probe import Probe
    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.reckoning import Reckoning
    from necropsy.verdict.attribution.sources import BirthSource
    from necropsy.verdict.attribution.trains import Train

_PART: Final = 0.1
_SHORTEST_H: Final = 1 / 60


def make_claims(
    sources: Sequence[BirthSource],
    reckoning: Reckoning,
    groups: Sequence[Group],
    around: Circumstances,
    unexplained: float,
) -> list[Claim]:
    """Return the claims of one store's sources; ``unexplained`` are its births that nobody is known to have made."""
    errors = intervals.errors(sources, groups, reckoning.births.born_ms.size)
    return [
        _claim(source, reckoning, groups, around, unexplained, error)
        for source, error in zip(sources, errors, strict=True)
    ]


def _claim(
    source: BirthSource,
    reckoning: Reckoning,
    groups: Sequence[Group],
    around: Circumstances,
    unexplained: float,
    error: float,
) -> Claim:
    births = reckoning.births
    count = source.amount
    low, high = intervals.of_source(source, error, births.born_ms.size, unexplained, births.derived)
    at = births.born_ms[source.births]
    sure = source.weight >= 0.5
    # Of several at one moment of the clock each has a part of every birth, and hardly any for sure.
    strong = at[sure] if float(source.weight[sure].sum()) >= 0.5 * count else at[source.weight >= _PART]
    strong = strong if strong.size else at
    first, last = int(strong.min()), int(strong.max())
    train = source.train
    # The phase may have walked out of the train: then its visits tell how long it ran.
    ticks_h = count / source.births_each * train.period_s / 3600 if train else 0.0
    hours = max(
        _SHORTEST_H,
        source.seconds / 3600 or (last - first) / 3_600_000,
        ticks_h,
    )
    probe = around.probes[source.probe] if source.probe is not None else None
    visitors = around.classes[source.row] if source.row is not None else None
    in_log: bool | None = None
    if (
        (around.logs_given and (around.visits is not None or not around.classes))
        or source.groups
        or source.row is not None
    ):
        in_log = bool(source.groups) or source.row is not None
    if source.kind == "people" and not source.groups:
        in_log = None
    if (
        not in_log
        and around.visits is not None
        and reckoning.timeline.logs
        and not reckoning.covered[source.births].any()
    ):
        in_log = None  # it was gone before the logs begin, or came after they end
    phased = train if train is not None and not train.drifts else None
    origin_us = reckoning.timeline.origin_us
    interval_s = train.period_s if train else _interval(source, groups)
    if interval_s is None and source.evidence == "named" and visitors is not None:
        interval_s = _whole(visitors.period_s)  # of several checks of one name, none of whose phases stands out
    creator = births.creators[source.creator] if source.creator is not None else None
    return Claim(
        store=births.store,
        creator="probe" if probe is not None else source.kind,
        evidence=source.evidence,
        label=_label(source, reckoning, groups, around),
        births=count,
        births_low=low,
        births_high=high,
        births_per_hour=count / hours / max(births.coverage, 0.01),
        creation_probability=None
        if source.probability is None
        else min(1.0, source.probability / max(births.coverage, 0.01)),
        user_agent=creator.user_agent
        if creator
        else (_agent(source, groups, visitors) if visitors and source.kind != "people" else ""),
        probe_id=source.probe,
        class_id=visitors.class_id if visitors is not None else None,
        period_s=interval_s,
        phase_s=phase_of(phased.low_s, phased.width_s, phased.period_s, origin_us) if phased else None,
        phase_low_s=(origin_us / 1e6 + phased.low_s) % phased.period_s if phased else None,
        phase_high_s=(origin_us / 1e6 + phased.low_s + phased.width_s) % phased.period_s if phased else None,
        in_access_log=in_log,
        last_at=moment(last),
        bytes=count * births.bytes_per_session,
        alternative=source.also,
        first_at=moment(first),
        clients=source.clients,
        visits=source.visits,
        extrapolated=source.extrapolated,
        one_of=source.one_of,
    )


def _agent(source: BirthSource, groups: Sequence[Group], visitors: VisitorClass) -> str:
    """User-Agent of a creator; with ``*`` for numbers where it is many versions of one program."""
    first = groups[source.groups[0]].agent if source.groups else ""
    return first if "*" in first and "*" not in visitors.user_agent else visitors.user_agent


def _interval(source: BirthSource, groups: Sequence[Group]) -> float | None:
    """Interval of a creator that comes at a fixed interval but keeps no phase."""
    alone = [groups[number] for number in source.groups if groups[number].is_clockwork]
    return alone[0].interval_s if source.kind == "visitor" and len(alone) == 1 == len(source.groups) else None


def _whole(interval_s: float | None) -> float | None:
    """Interval that somebody configured, of a check whose mean is some milliseconds longer."""
    whole = round(interval_s) if interval_s is not None else 0
    return float(whole) if whole and interval_s is not None and abs(interval_s - whole) < 0.01 * whole else interval_s


def _label(source: BirthSource, reckoning: Reckoning, groups: Sequence[Group], around: Circumstances) -> str:
    if source.probe is not None:
        return _label_of_probe(source, around.probes[source.probe], reckoning)
    if source.kind == "people":
        return _label_of_people(source, groups, around)
    if source.creator is not None:
        return named.label(reckoning.births.creators[source.creator])
    if source.row is not None:
        return label_of_row(source.row, around)
    return _label_of_train(source.train, reckoning)


def _label_of_train(train: Train | None, reckoning: Reckoning) -> str:
    if train is None:
        return "unknown"
    return f"unknown client, {_rhythm(train, reckoning)}"


def _rhythm(train: Train, reckoning: Reckoning) -> str:
    """Say when it comes: that tells one from the next."""
    if train.drifts:
        return f"every {train.period_s:g} s at no fixed moment"
    phase = phase_of(train.low_s, train.width_s, train.period_s, reckoning.timeline.origin_us)
    return f"{phase:.2f} s into every {train.period_s:g} s"


def _label_of_probe(source: BirthSource, probe: Probe, reckoning: Reckoning) -> str:
    if source.one_of is not None and source.train is not None:
        return f"{which_target(len(source.one_of))} of {probe.prober}, {_rhythm(source.train, reckoning)}"
    return f"{probe.host}:{probe.port}"


def _label_of_people(source: BirthSource, groups: Sequence[Group], around: Circumstances) -> str:
    if source.evidence == "authenticated":
        return "people who logged in"
    nameless = source.groups and not any(around.classes[row].user_agent for row in groups[source.groups[0]].rows)
    return "people, by how they come" if nameless else "people with browsers"


def label_of_row(row: int, around: Circumstances) -> str:
    """Name a class for a legend."""
    visitors = around.classes[row]
    return f"{visitors.user_agent or 'no User-Agent'} {visitors.method} {visitors.path}".strip()


def moment(unix_ms: int) -> datetime:
    """UTC without a zone, as the case holds it."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).replace(tzinfo=None)


def representative(
    source: BirthSource, groups: Sequence[Group], around: Circumstances, seen: NDArray[np.int64]
) -> int | None:
    """Class that stands for a source: of the group with most births, the one with most visits.

    ``seen`` are visits of each class that can have left a session; where several have as many, all visits count.
    """
    if not source.groups or source.kind == "people":
        return source.row
    rows = groups[source.groups[0]].rows
    return max(rows, key=lambda row: (int(seen[row]), around.classes[row].visits))
