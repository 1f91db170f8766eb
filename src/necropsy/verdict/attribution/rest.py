"""The births of no train: shared among the visits of the logs' time, then sorted into people and machines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict.attribution import expectation_maximisation
from necropsy.verdict.attribution.exchange import Ownership
from necropsy.verdict.attribution.intervals import wilson
from necropsy.verdict.attribution.join import Pairs, Shares, births_each, shares
from necropsy.verdict.attribution.sorting import Shared, into_sources
from necropsy.verdict.attribution.sources import BirthSource
from necropsy.verdict.attribution.timeline import Timeline, union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.attribution.groups import Group, Groups
    from necropsy.verdict.evidence import Births

_FEWEST_PROVE: Final = 30
_TOO_BUSY: Final = 0.98
_NONE_LACKS: Final = 0.97
_MOSTLY: Final = 0.5
_PARTLY: Final = 0.15
"""Births a visit of a check from which it makes one each time, and from which it may."""
_GUESS: Final = 0.3
"""Creation probability of a group to begin with."""
_HALF: Final = 0.5
_MORE_THAN_ONE: Final = 1.4
"""Births a visit, those by chance taken off, from which several of its requests start sessions."""
_ENOUGH_CLIENTS: Final = 20
"""Browsers' clients from which their first visits tell."""


def attribute_rest(
    births: Births,
    timeline: Timeline,
    grouped: Groups,
    pairs: Pairs,
    measured: Shares,
    sources: list[BirthSource],
    free: NDArray[np.bool_],
    covered: NDArray[np.bool_],
    owned: Sequence[Ownership],
    walks: Sequence[Ownership],
) -> tuple[list[BirthSource], NDArray[np.float64]]:
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
    for group, own_delays in timeline.slow.items():
        mine = timeline.group[visit] == group
        density[mine] = own_delays.at(delay[mine])
    low, high = timeline.windows()
    inside = left & covered
    joined = np.zeros(size, dtype=bool)
    joined[birth] = True
    nobody = expectation_maximisation.nobodys_rate(
        low, high, union([timeline.young(log.spans_s) for log in timeline.logs]), int((inside & ~joined).sum())
    )
    owners = {own.group for own in (*owned, *walks)}
    # What makes a session makes one at each visit: clockwork, or a health endpoint, that does so now and then is a coincidence.
    suspect = np.asarray(
        [
            (group.is_clockwork or (group.is_harmless_by_name and not group.browser)) and number not in owners
            for number, group in enumerate(groups)
        ],
        dtype=bool,
    )
    open_visits = np.bincount(timeline.group[~used], minlength=len(groups))
    harmless = np.asarray([group.is_clockwork and group.is_harmless_by_name for group in groups], dtype=bool)
    least = _proved(timeline, grouped, low, high, left, used)
    guess = _first_guess(births, timeline, groups)
    most = _most_each(timeline, groups, low, high, left)
    start = np.where(measured.chance < _TOO_BUSY, np.maximum(measured.naive, guess), guess)

    def fitted(least: NDArray[np.float64]) -> expectation_maximisation.Fit:
        return expectation_maximisation.fit(
            visit, birth, density, timeline.group, open_visits, size, nobody, suspect, harmless,
            start, grouped.family, least, most=most, coverage=births.coverage,
        )  # fmt: skip

    done, other = _readings(
        fitted, least, lambda probability: _wholly(probability, grouped, measured, open_visits, births.coverage, owners)
    )
    probability = done.probability.copy()
    for own in owned:
        probability[own.group] = max(probability[own.group], own.visits.size / max(1, int(measured.visits[own.group])))
    sorted_out = into_sources(births, timeline, grouped, Shared(visit, birth, done.weight, other.weight), left, covered)
    return sorted_out, probability


def _readings(
    fitted: Callable[[NDArray[np.float64]], expectation_maximisation.Fit],
    least: NDArray[np.float64],
    wholly: Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[expectation_maximisation.Fit, expectation_maximisation.Fit]:
    """The likeliest reading, and another that the evidence allows."""
    free = fitted(least)
    whole, perhaps = wholly(free.probability)
    done = fitted(np.maximum(least, whole)) if (whole > least + 0.02).any() else free
    return done, fitted(np.maximum(least, np.maximum(whole, perhaps))) if perhaps.any() else free


def _first_guess(births: Births, timeline: Timeline, groups: Sequence[Group]) -> NDArray[np.float64]:
    """By group: probability to begin with. Of browsers it is higher the more of their visits are their clients' first.

    At a load at which some birth is always near a visit this decides: whoever comes for the first time brings no cookie.
    Where births are last writes, it is the last visit of each client.
    """
    guess = np.full(len(groups), _GUESS)
    pages = np.asarray([not group.is_static for group in groups], dtype=bool)
    browser = np.asarray([group.browser and not group.is_clockwork for group in groups], dtype=bool)
    mine = np.flatnonzero(pages[timeline.group] & browser[timeline.group])
    if not mine.size or np.unique(timeline.client[mine]).size < _ENOUGH_CLIENTS:
        return guess
    lifetime = births.lifetime_s if births.lifetime_s and births.lifetime_s > 0 else np.inf
    order = mine[np.lexsort((timeline.visit_s[mine], timeline.client[mine]))]
    new = (timeline.client[order[1:]] != timeline.client[order[:-1]]) | (np.diff(timeline.visit_s[order]) > lifetime)
    one = np.ones(1, dtype=bool)
    first = np.concatenate([new, one] if births.derived > _HALF else [one, new])
    visits = np.bincount(timeline.group[order], minlength=len(groups))
    share = np.bincount(timeline.group[order], first, minlength=len(groups)) / np.maximum(visits, 1)
    return np.where(browser & (visits > 0), 2 * _GUESS * np.clip(share, 0.1, 1.0), guess)


def _most_each(
    timeline: Timeline,
    groups: Sequence[Group],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    left: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """By group: births that a visit can make; more than one where clients follow redirects, and as many births lie there.

    A browser brings its cookie to the second request; one whose cookie is lost does not.
    """
    requests = np.asarray([group.requests_each for group in groups])
    mine = np.flatnonzero((requests[timeline.group] > 1) & timeline.covered(timeline.visit_s))
    if not mine.size:
        return np.ones(len(groups))
    group = timeline.group[mine]
    first_s, length_s = timeline.stretches()
    each = births_each(
        low[mine], high[mine], group, len(groups), timeline.born_s[left], (first_s[mine], length_s[mine])
    )
    many = np.bincount(group, minlength=len(groups)) >= _FEWEST_PROVE
    return np.where(many & (each >= _MORE_THAN_ONE), requests, 1).astype(np.float64)


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
    owners: Collection[int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By family: nearly 1 where it creates at each visit, and where it may: no visit lacks a birth.

    At a load at which some birth is always near, the visits of others take their part of its births. A check that creates
    sessions creates one each time: it does where that seems to be more than half of its visits, or a train is its own for a
    part of the time. Where it is less, nothing tells, and the interval holds both.
    """
    families = int(grouped.family.max(initial=-1)) + 1
    mine = np.flatnonzero((grouped.family >= 0) & (visits > 0))
    family = grouped.family[mine]
    total = np.bincount(family, visits[mine], minlength=families)
    made = np.bincount(family, probability[mine] * visits[mine], minlength=families) / np.maximum(total, 1)
    followed = np.bincount(family, measured.followed[mine], minlength=families)
    share = followed / np.maximum(np.bincount(family, measured.visits[mine], minlength=families), 1)
    none_lacks = (share >= _NONE_LACKS) & (coverage >= 1.0) & (total >= _FEWEST_PROVE)
    is_owner = np.isin(np.arange(families), grouped.family[list(owners)]) if owners else np.zeros(families, dtype=bool)
    steady = np.isin(np.arange(families), grouped.family[[group.is_clockwork for group in grouped.groups]])
    is_whole = none_lacks & ((made >= _MOSTLY) | (is_owner & (made >= _PARTLY)))
    perhaps = none_lacks & steady & ~is_whole & (made >= _PARTLY)
    return np.where(is_whole, share, 0.0), np.where(perhaps, share, 0.0)
