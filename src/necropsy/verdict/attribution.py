"""Attribution: who made which births. Best evidence first, each birth claimed once.

1. The session names its creator (a saved request holds the headers of the request that created it).
2. Births form combs; each comb is fitted with the configured targets and with the visitor classes of the logs.
3. What logged in was people.
4. What is left is regressed on the visits of the classes that do not come like clockwork.
5. What is left then stays unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.model.probe import Probe
from necropsy.probes import session_risk
from necropsy.verdict import acquaintance
from necropsy.verdict.combs import Comb, all_combs
from necropsy.verdict.evidence import Births, Circumstances, Claim, Creator, VisitorClass
from necropsy.verdict.matching import Fit, fit_combs
from necropsy.verdict.parts import AT_ONCE, parts
from necropsy.verdict.visits import claim_by_visits

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENOUGH: Final = 20_000
"""Births of one creator that tell its rhythm: there is nobody else among them."""
_WORTH_IT: Final = 500_000
"""Births from which on several threads look for rhythms."""
_THREADS: Final = 2


def attribute(stores: Sequence[Births], around: Circumstances) -> list[Claim]:
    """Attribute the births of all stores together: a target serves one application, so none is blamed in two stores.

    Returns
    -------
    list of Claim
        By store as given, largest first. Within a store the sum of ``births`` never exceeds the births of known time.
    """
    free = [np.ones(births.born_ms.size, dtype=bool) for births in stores]
    claims = [
        _named(births, around, mask, _hours(births)) if mask.size else []
        for births, mask in zip(stores, free, strict=True)
    ]
    periods = _periods(around)
    found = [_free_combs(births, mask, periods) for births, mask in zip(stores, free, strict=True)]
    fits = fit_combs([[comb for comb, _ in combs] for combs in found], around)
    for number, births in enumerate(stores):
        mine = claims[number]
        for fit in fits[number]:
            comb, members = found[number][fit.comb]
            free[number][members] = False
            mine.append(_comb_claim(births.store, comb, fit, around))
        if births.born_ms.size:
            mine += _authenticated(births, free[number], _hours(births))
            mine += claim_by_visits(births, around, free[number], _hours(births))
        for claim in mine:
            claim.bytes = claim.births * births.bytes_per_session
        mine.sort(key=lambda claim: -claim.births)
    return [claim for mine in claims for claim in mine]


def _hours(births: Births) -> float:
    return max(1 / 60, float(births.born_ms.max() - births.born_ms.min()) / 3_600_000)


def _free_combs(
    births: Births, free: NDArray[np.bool_], periods: tuple[float, ...]
) -> list[tuple[Comb, NDArray[np.int64]]]:
    """Combs of the births that nobody has claimed, with the indices of their births."""
    where = np.flatnonzero(free)
    found = all_combs(births.born_ms[where], periods, resolution_s=births.resolution_s, coverage=births.coverage)
    return [(comb, where[mask]) for comb, mask in found]


def _named(births: Births, around: Circumstances, free: NDArray[np.bool_], hours: float) -> list[Claim]:
    """Claim the births whose sessions name the request that made them; marks them as taken."""
    claims: list[Claim] = []
    each = _by_creator(births)
    free &= births.creator < 0
    for creator, born_ms, comb in zip(births.creators, each, _only_combs(each, around, births), strict=True):
        count = born_ms.size
        if not count:
            continue
        probe_id = _probe_named(creator, around.probes)
        visitors = _class_named(creator, around.classes)
        kind = "probe" if probe_id is not None else "visitor"
        if kind == "visitor" and acquaintance.is_person(creator.user_agent):
            kind = "people"
        claims.append(
            Claim(
                store=births.store,
                creator=kind,
                evidence="named",
                label=_name(creator),
                births=count,
                births_low=count,
                births_high=count,
                births_per_hour=count / hours,
                creation_probability=min(1.0, comb.occupancy) if comb else None,
                user_agent=creator.user_agent,
                probe_id=probe_id,
                class_id=visitors.class_id if visitors else None,
                period_s=comb.period_s if comb else None,
                phase_s=comb.phase_s if comb else None,
                in_access_log=(visitors is not None) if around.logs_given else None,
                last_at=_moment(int(born_ms.max())),
            )
        )
    return _merge_people(claims)


def _by_creator(births: Births) -> list[NDArray[np.int64]]:
    """Put the births of each creator together, in order: views of one array, as there may be ten million.

    Counted and placed a part at a time, whatever the number of creators: there may be as many as an attacker likes.
    """
    groups = len(births.creators) + 1  # the first: births that name nobody
    cut = list(parts(births.creator.size, max(AT_ONCE, groups)))
    counts = [np.bincount(births.creator[part] + 1, minlength=groups) for part in cut]
    total = sum(counts, np.zeros(groups, np.int64))
    ends = np.cumsum(total)
    place = ends - total
    together = np.empty(births.born_ms.size, np.int64)
    small = np.int16 if groups < 1 << 15 else np.int32  # two bytes are sorted by their digits
    for part, here in zip(cut, counts, strict=True):
        order = np.argsort(births.creator[part].astype(small), kind="stable")
        # The n-th of a creator here comes n places after those of the parts before.
        to = np.repeat(place - (np.cumsum(here) - here), here) + np.arange(order.size)
        together[to] = births.born_ms[part][order]
        place += here
    return np.split(together, ends[:-1])[1:]


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).replace(tzinfo=None)


def _merge_people(claims: list[Claim]) -> list[Claim]:
    """Fold the people into one claim: a browser each is noise, and nobody's business."""
    people = [claim for claim in claims if claim.creator == "people"]
    if len(people) < 2:
        return claims
    total = sum(claim.births for claim in people)
    merged = Claim(
        store=people[0].store,
        creator="people",
        evidence="named",
        label="people with browsers",
        births=total,
        births_low=total,
        births_high=total,
        births_per_hour=sum(claim.births_per_hour for claim in people),
    )
    return [claim for claim in claims if claim.creator != "people"] + [merged]


def _name(creator: Creator) -> str:
    return f"{creator.user_agent or 'nameless client'} {creator.method} {creator.host}{creator.path}".strip()


def _probe_named(creator: Creator, probes: Sequence[Probe]) -> int | None:
    for index, probe in enumerate(probes):
        path = probe.path.split("?", 1)[0]
        if (
            acquaintance.agent_fits(probe, creator.user_agent)
            and creator.host
            and acquaintance.host_fits(probe, creator.host)
            and (not creator.path or creator.path == path)
        ):
            return index
    return None


def _class_named(creator: Creator, classes: Sequence[VisitorClass]) -> VisitorClass | None:
    for visitors in classes:
        if (
            visitors.user_agent == creator.user_agent
            and (not visitors.host or not creator.host or _same_host(visitors.host, creator.host))
            and (not creator.path or visitors.path == creator.path)
        ):
            return visitors
    return None


def _same_host(a: str, b: str) -> bool:
    return session_risk.split_host(a) == session_risk.split_host(b)


def _only_combs(each: Sequence[NDArray[np.int64]], around: Circumstances, births: Births) -> Iterator[Comb | None]:
    """Find the one rhythm of each creator: side by side, as NumPy lets go of the interpreter in long loops."""
    periods = _periods(around)

    def find(born_ms: NDArray[np.int64]) -> Comb | None:
        combs = all_combs(born_ms, periods, resolution_s=births.resolution_s, coverage=births.coverage, many=_ENOUGH)
        return combs[0][0] if combs else None

    if sum(born_ms.size for born_ms in each) < _WORTH_IT:
        yield from map(find, each)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(find, each)


def _periods(around: Circumstances) -> tuple[float, ...]:
    probes = {p.period_s for p in around.probes if p.timing == "ticker"}
    seen = {round(c.period_s, 3) for c in around.classes if c.period_s is not None and c.period_s >= 1}
    whole = {period for period in seen if abs(period - round(period)) < 0.02}
    return tuple(sorted(probes | {float(round(period)) for period in whole}))


def _comb_claim(store: str, comb: Comb, fit: Fit, around: Circumstances) -> Claim:
    visitors = around.classes[fit.visitors] if fit.visitors is not None else None
    probe = around.probes[fit.probe] if fit.probe is not None else None
    if probe is not None:
        creator, label = "probe", f"{probe.host}:{probe.port}"
    elif visitors is not None:
        creator, label = "visitor", f"{visitors.user_agent or 'nameless client'} {visitors.method} {visitors.path}"
    else:
        creator, label = "unlogged", f"unknown, {comb.phase_s:.2f} s into every {comb.period_s:g} s"
    share = 1.0 / fit.sharers
    return Claim(
        store=store,
        creator=creator,
        evidence="comb",
        label=label,
        births=comb.births * share,
        births_low=comb.births_low * share,
        births_high=comb.births_high * share,
        births_per_hour=comb.occupancy * comb.per_tick * share * 3600 / comb.period_s,
        creation_probability=min(1.0, comb.occupancy),
        user_agent=visitors.user_agent if visitors else "",
        probe_id=fit.probe,
        class_id=visitors.class_id if visitors else None,
        period_s=comb.period_s,
        phase_s=comb.phase_s,
        phase_low_s=comb.phase_low_s,
        phase_high_s=comb.phase_high_s,
        in_access_log=(visitors is not None) if around.logs_given else None,
        last_at=_moment(comb.last_ms),
    )


def _authenticated(births: Births, free: NDArray[np.bool_], hours: float) -> list[Claim]:
    """Claim what logged in, outside any comb, for people; marks it as taken."""
    mask = free & births.authenticated
    count = int(mask.sum())
    if not count:
        return []
    free &= ~mask
    return [
        Claim(
            store=births.store,
            creator="people",
            evidence="authenticated",
            label="people who logged in",
            births=count,
            births_low=count,
            births_high=count,
            births_per_hour=count / hours,
        )
    ]
