"""The births of no train: shared among visits within the logs' time, by likeness outside it; then people and machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution import expectation_maximisation, outside, people
from necropsy.verdict.attribution.intervals import wilson
from necropsy.verdict.attribution.join import Pairs, Shares, shares
from necropsy.verdict.attribution.owners import Ownership
from necropsy.verdict.attribution.sources import Source, gathered
from necropsy.verdict.attribution.timeline import Timeline, union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group, Groups
    from necropsy.verdict.evidence import Births

_FEWEST_PROVE: Final = 30
_TOO_BUSY: Final = 0.98
_ONLY_PEOPLE: Final = 0.9
_NONE_LACKS: Final = 0.97
_FEW: Final = 8.0
_FEW_SHARE: Final = 0.005
"""Births, by number and by share, below which browsers stay people."""


def attribute_rest(
    births: Births,
    timeline: Timeline,
    grouped: Groups,
    pairs: Pairs,
    measured: Shares,
    sources: list[Source],
    free: NDArray[np.bool_],
    covered: NDArray[np.bool_],
    owned: Sequence[Ownership],
    walks: Sequence[Ownership],
) -> tuple[list[Source], NDArray[np.float64]]:
    """Attribute the births of no train: by visits within the logs' time, by likeness outside it."""
    size, groups = births.born_ms.size, grouped.groups
    claimed = np.zeros(size)
    for source in sources:
        claimed[source.births] += source.weight
    left = free & (claimed < 0.5)
    used = np.zeros(timeline.visit_s.size, dtype=bool)
    for own in owned:
        used[own.visits] = True
    idle = _files(timeline, groups)
    keep = left[pairs.birth] & covered[pairs.birth] & ~used[pairs.visit] & ~idle[timeline.group[pairs.visit]]
    pinned = np.full(size, -1, np.int64)  # births of a walk through the phases are its owner's
    for own in walks:
        pinned[own.births] = own.visits
    keep &= (pinned[pairs.birth] < 0) | (pinned[pairs.birth] == pairs.visit)
    visit, birth = pairs.visit[keep], pairs.birth[keep]
    delay = timeline.born_s[birth] - timeline.visit_s[visit]
    density = np.zeros(visit.size)
    for number, log in enumerate(timeline.logs):
        mine = timeline.log[visit] == number
        if mine.any() and log.delays is not None:
            density[mine] = log.delays.at(delay[mine])
    low, high = timeline.windows()
    inside = left & covered
    joined = np.zeros(size, dtype=bool)
    joined[birth] = True
    nobody = expectation_maximisation.nobodys_rate(
        low, high, union([timeline.young(log.spans_s) for log in timeline.logs]), int((inside & ~joined).sum())
    )
    owners = {own.group for own in (*owned, *walks)}
    suspect = np.asarray([g.is_clockwork and n not in owners for n, g in enumerate(groups)], dtype=bool)
    open_visits = np.bincount(timeline.group[~used], minlength=len(groups))
    harmless = np.asarray([group.is_harmless_by_name for group in groups], dtype=bool)
    least = _proved(timeline, grouped, low, high, left, used)

    def fitted(least: NDArray[np.float64]) -> expectation_maximisation.Fit:
        return expectation_maximisation.fit(
            visit, birth, density, timeline.group, open_visits, size, nobody, suspect, harmless,
            np.maximum(measured.naive, 0.3), grouped.family, least, coverage=births.coverage,
        )  # fmt: skip

    done = fitted(least)
    whole = _wholly(done.probability, grouped, measured, open_visits, births.coverage)
    if (whole > least + 0.02).any():
        done = fitted(np.maximum(least, whole))
    probability = done.probability.copy()
    for own in owned:
        probability[own.group] = max(probability[own.group], own.visits.size / max(1, int(measured.visits[own.group])))
    return _sort(births, timeline, grouped, visit, birth, done.weight, left, covered), probability


def _files(timeline: Timeline, groups: Sequence[Group]) -> NDArray[np.bool_]:
    """By group: whether it is files of pages that the same clients ask for; the page made the session."""
    pages = np.asarray([not group.is_static for group in groups], dtype=bool)
    asks_pages = np.zeros(int(timeline.client.max(initial=0)) + 1, dtype=bool)
    asks_pages[timeline.client[pages[timeline.group]]] = True
    alone = np.bincount(timeline.group[~asks_pages[timeline.client]], minlength=len(groups))
    visits = np.bincount(timeline.group, minlength=len(groups))
    return ~pages & (alone < 0.5 * visits)


def _proved(
    timeline: Timeline,
    grouped: Groups,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    left: NDArray[np.bool_],
    used: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """By family of clockwork: creation probability that its own count proves, at least.

    At a load at which somebody's birth is always near, only this tells: that not one of its visits lacks a birth.
    """
    families = int(grouped.family.max(initial=-1)) + 1
    family = grouped.family[timeline.group]
    steady = np.asarray([group.is_clockwork for group in grouped.groups], dtype=bool)
    mine = np.flatnonzero((family >= 0) & steady[timeline.group] & ~used & timeline.covered(timeline.visit_s))
    if not families or not mine.size:
        return np.zeros(families)
    first_s, length_s = timeline.stretches()
    counted = shares(
        low[mine], high[mine], family[mine].astype(np.int32), families, timeline.born_s[left],
        (first_s[mine], length_s[mine]),
    )  # fmt: skip
    least = np.zeros(families)
    for number in range(families):
        visits, chance = int(counted.visits[number]), float(counted.chance[number])
        if visits >= _FEWEST_PROVE and chance < _TOO_BUSY:
            lowest, _ = wilson(float(counted.followed[number]), visits)
            least[number] = np.clip((lowest - chance - 2 * counted.chance_spread[number]) / (1 - chance), 0, 1)
    return least


def _wholly(
    probability: NDArray[np.float64],
    grouped: Groups,
    measured: Shares,
    visits: NDArray[np.int64],
    coverage: float,
) -> NDArray[np.float64]:
    """By family: nearly 1 where it seems to create in more than half of its visits and no visit lacks a birth.

    At a load at which some birth is always near, the visits of others take their part of its births. A check that creates
    sessions creates one each time, and the count of its visits does not contradict.
    """
    families = int(grouped.family.max(initial=-1)) + 1
    mine = np.flatnonzero((grouped.family >= 0) & (visits > 0))
    family = grouped.family[mine]
    total = np.bincount(family, visits[mine], minlength=families)
    made = np.bincount(family, probability[mine] * visits[mine], minlength=families) / np.maximum(total, 1)
    followed = np.bincount(family, measured.followed[mine], minlength=families)
    share = followed / np.maximum(np.bincount(family, measured.visits[mine], minlength=families), 1)
    wholly = (made >= 0.5) & (share >= _NONE_LACKS) & (coverage >= 1.0) & (total >= _FEWEST_PROVE)
    return np.where(wholly, 0.98 * share, 0.0)


def _sort(
    births: Births,
    timeline: Timeline,
    grouped: Groups,
    visit: NDArray[np.int64],
    birth: NDArray[np.int64],
    weight: NDArray[np.float64],
    left: NDArray[np.bool_],
    covered: NDArray[np.bool_],
) -> list[Source]:
    """Sort what visits made into sources: people, and each machine."""
    size, groups = births.born_ms.size, grouped.groups
    given = np.bincount(visit, weight, minlength=timeline.visit_s.size).astype(np.float64)
    is_browser = np.asarray([group.browser for group in groups], dtype=bool)
    alone = np.asarray([group.is_clockwork for group in groups], dtype=bool)
    machine = ~is_browser[timeline.group] | alone[timeline.group]
    seen = np.flatnonzero(is_browser[timeline.group] & ~alone[timeline.group])
    spans_s = union([timeline.young(log.spans_s) for log in timeline.logs])
    length = float((spans_s[:, 1] - spans_s[:, 0]).sum())
    lifetimes = length / births.lifetime_s if births.lifetime_s and births.lifetime_s > 0 else 1.0
    page = timeline.group[seen]
    agent = grouped.agent_of_row[timeline.row[seen]]
    machine[seen] = people.machines(timeline.client[seen], given[seen], agent, page, lifetimes, births.coverage)
    # One source for people, one for each group of machines with one agent, one for each that comes at a fixed interval.
    keys: dict[tuple[object, ...], int] = {("people",): 0}
    key_of = np.zeros(len(groups), np.int64)
    for number, group in enumerate(groups):
        name: tuple[object, ...] = ("alone", number) if group.is_clockwork else (group.agent, group.browser)
        key_of[number] = keys.setdefault(name, len(keys))
    # A handful of births does not make a machine of a browser.
    by_machine = np.bincount(key_of[timeline.group[seen]], given[seen] * machine[seen], minlength=len(keys))
    few = by_machine < max(_FEW, _FEW_SHARE * given.sum())
    machine[seen] &= ~few[key_of[timeline.group[seen]]]
    key = np.where(machine, key_of[timeline.group], 0)
    inside = np.flatnonzero(left & covered)
    others = np.flatnonzero(left & ~covered)
    is_old = timeline.born_s[others] < timeline.horizon_s
    logged_in = births.authenticated[birth]
    by_key = np.bincount(key[visit[logged_in]], weight[logged_in], minlength=len(keys))
    # Whoever logs in is people, if the logs show that nobody else does: by day more than by night.
    only_people = by_key.sum() >= _FEW and by_key[0] >= _ONLY_PEOPLE * by_key.sum()
    sure = births.authenticated[others] & only_people
    inside_left = inside[~births.authenticated[inside]] if only_people else inside
    made_left = np.bincount(key[visit], weight * ~(logged_in & only_people), minlength=len(keys))
    shared = np.zeros(others.size)
    shared[~sure] = outside.likeness(timeline.born_s[inside_left], timeline.born_s[others[~sure]], length)
    pair_key = key[visit]
    order = np.argsort(pair_key, kind="stable")
    cuts = np.searchsorted(pair_key[order], np.arange(len(keys) + 1))
    made = np.bincount(pair_key, weight, minlength=len(keys))
    result: list[Source] = []
    person_share = made[0] / max(1.0, made.sum())
    for number in np.flatnonzero(made >= 1.0).tolist():
        mine = order[cuts[number] : cuts[number + 1]]
        where, weights = gathered(birth[mine], weight[mine], size)
        composition = made_left[number] / max(1, inside_left.size)
        beyond = np.where(is_old, (number == 0) * min(1.0, person_share), shared * composition)
        beyond[sure] = float(number == 0)
        taken = beyond > 0.01
        visits = np.flatnonzero((key == number) & (given > 0)) if number == 0 else np.flatnonzero(key == number)
        by_group = np.bincount(timeline.group[visit[mine]], weight[mine], minlength=len(groups))
        ranked = [int(g) for g in np.argsort(-by_group) if by_group[g] >= 0.5]
        in_ranked = np.isin(timeline.group[visits], ranked)
        clients = int(np.unique(timeline.client[visits[in_ranked]]).size)
        result.append(
            Source(
                kind="people" if number == 0 else "visitor",
                evidence="visits",
                births=np.concatenate([where, others[taken]]),
                weight=np.concatenate([weights, beyond[taken]]),
                groups=ranked,
                visits=int(in_ranked.sum()),
                clients=None if number == 0 and not people.identify_visitors(float(made[0]), clients) else clients,
                extrapolated=float(beyond[taken].sum()),
                probability=min(1.0, float(made[number]) / max(1, int(in_ranked.sum()))),
            )
        )
    return result
