"""Every visitor class and every probe, tested: does it create sessions in this store. Nobody is cleared who was not tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.verdict import identity_match
from necropsy.verdict.attribution import join
from necropsy.verdict.attribution.configured import same_period
from necropsy.verdict.attribution.intervals import wilson
from necropsy.verdict.evidence import Circumstances, CreationTest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.model.probe import Probe
    from necropsy.verdict.attribution.groups import Group
    from necropsy.verdict.attribution.reckoning import Reckoning

_ENOUGH: Final = 20
"""Visits that a test needs."""
_INNOCENT: Final = 0.1
"""Births per visit that the test must exclude."""
_TOO_BUSY: Final = 0.95
"""Chance of a birth near a visit from which nobody is cleared."""
_BUSY: Final = 0.5
_EACH_TIME: Final = 0.99
"""Chance from which nobody is cleared each of whose visits, to this share, is followed by a birth."""
_UNSEEN: Final = 0.05
"""Share of the sessions without a known birth from which only health checks are cleared."""
_CREATES: Final = 0.02
_MOSTLY: Final = 0.5
"""Share of births that are last uses from which they count as such."""
_MANY_LEFT: Final = 0.2
"""Share of the births without a known creator from which only health checks are cleared, or who asks too seldom."""


def try_classes(
    reckoning: Reckoning, groups: Sequence[Group], around: Circumstances, *, elsewhere: frozenset[int]
) -> list[CreationTest]:
    """Test every visitor class on one store's births."""
    store, timeline = reckoning.births.store, reckoning.timeline
    count = len(around.classes)
    group_of_row = np.zeros(count, np.int64)
    for number, group in enumerate(groups):
        group_of_row[group.rows] = number
    if not timeline.visit_s.size or reckoning.shares is None or reckoning.pairs is None:
        reason = (
            "no session with a known creation time"
            if not reckoning.births.born_ms.size
            else "no visit to which a birth could be matched"
        )
        return [_untested(store, visitors.class_id, None, 0, reason) for visitors in around.classes]
    low, high = timeline.windows()
    measured = join.shares(low, high, timeline.row, count, timeline.born_s[reckoning.free], timeline.stretches())
    own, leftover = _credits(reckoning, count)
    guilty = {number for source in reckoning.sources if source.amount >= 1 for number in source.groups}
    late = _told_by_last_uses(reckoning, groups, around, guilty)
    rivals = {number: source for source in reckoning.sources for number in source.rivals}
    crowds = _crowds(groups, guilty, measured.visits, own)
    asked = _asked(around, measured.visits)
    nobodys = _nobodys(reckoning)
    count_births = int(reckoning.covered.sum())
    result = []
    for row, visitors in enumerate(around.classes):
        number = int(group_of_row[row])
        visits, followed, chance = int(measured.visits[row]), int(measured.followed[row]), float(measured.chance[row])
        if number in elsewhere:
            result.append(_untested(store, visitors.class_id, None, visits, "its visits belong to another store"))
            continue
        probability = min(1.0, float(own[row]) / max(1, visits))
        lowest, highest = wilson(float(own[row]), visits)
        test = CreationTest(
            store, visitors.class_id, None, visits, followed, chance, probability, lowest, highest, "untested"
        )
        if visits < (1 if number in crowds else 5) or not reckoning.births.born_ms.size:
            test.reason = "too few visits in the time of the surviving births"
        elif number in guilty and probability >= _CREATES:
            test.outcome = "creates"
            test.reason = "births follow its visits"
        elif number in rivals:
            test.outcome = "tied"
            test.reason = "it was active whenever the creator was: the log's times cannot distinguish them"
        else:
            _acquit(test, float(leftover[row]), visits, followed, chance, measured.chance_spread[row])
            unseen = reckoning.births.total - reckoning.births.born_ms.size
            asks_health = visitors.method in ("GET", "HEAD") and groups[number].is_harmless_by_name
            if test.outcome == "innocent" and unseen > _UNSEEN * reckoning.births.total and not asks_health:
                # Unknown are births of sessions that were used again, or logged in: a health check does neither.
                test.outcome, test.probability_high = "untested", 1.0
                test.reason = f"when {unseen:,} sessions have no known creation time, and any of them could be its"
            if (
                test.outcome == "innocent"
                and not asks_health
                and asked[row] > 0.5 * nobodys > 0.5 * _MANY_LEFT * count_births
            ):
                # If the log's times were read wrongly, its births are among those that nobody made.
                test.outcome, test.probability_high = "untested", 1.0
                test.reason = f"{nobodys:,.0f} births have no known creator, and its visits could explain them"
            _leave_open(test, is_late=(visitors.client, visitors.user_agent) in late and not asks_health)
        result.append(test)
    return result


def _crowds(
    groups: Sequence[Group], guilty: set[int], visits: NDArray[np.int64], own: NDArray[np.float64]
) -> frozenset[int]:
    """Programs at many addresses, that create at most of their visits: too few at each address, together enough."""
    found = []
    for number in guilty:
        rows = groups[number].rows
        asked = int(visits[rows].sum())
        if not groups[number].browser and asked >= _ENOUGH and own[rows].sum() >= _MOSTLY * asked:
            found.append(number)
    return frozenset(found)


def _asked(around: Circumstances, visits: NDArray[np.int64]) -> list[int]:
    """By class: visits of all classes of its program and page, at however many addresses."""
    kinds = [(one.user_agent, one.method, one.path) for one in around.classes]
    total: dict[tuple[str, str, str], int] = {}
    for kind, count in zip(kinds, visits.tolist(), strict=True):
        total[kind] = total.get(kind, 0) + count
    return [total[kind] for kind in kinds]


def _nobodys(reckoning: Reckoning) -> float:
    """Births in the logs' time of which no log shows the creator."""
    shown = np.zeros(reckoning.births.born_ms.size)
    for source in reckoning.sources:
        if source.kind != "unlogged":
            shown[source.births] += source.weight
    return float(np.clip(1 - shown[reckoning.covered], 0, 1).sum())


def _told_by_last_uses(
    reckoning: Reckoning, groups: Sequence[Group], around: Circumstances, guilty: set[int]
) -> set[tuple[str, str]]:
    """Clients that create sessions of which only the last use is known: an earlier request may have started them."""
    if reckoning.births.derived <= _MOSTLY:
        return set()
    rows = [int(row) for number in guilty for row in groups[number].rows]
    return {(around.classes[row].client, around.classes[row].user_agent) for row in rows}


def _leave_open(test: CreationTest, *, is_late: bool) -> None:
    if is_late and test.outcome == "innocent":
        test.outcome, test.probability_high = "tied", 1.0
        test.reason = (
            "the creator is the same client, any of whose requests may start the sessions: only their last use is known"
        )


def _acquit(test: CreationTest, leftover: float, visits: int, followed: int, chance: float, spread: float) -> None:
    """Clear a class whose visits leave no birth that others have not made."""
    by_time = _by_time(followed, visits, chance, spread)
    _, by_others = wilson(leftover, visits)
    test.probability_high = max(test.probability, min(by_time, by_others))
    if followed - visits * chance > 0.3 * visits and followed / visits > chance + 3 * spread:
        test.outcome, test.probability_high = "tied", 1.0
        test.reason = "births follow its visits, but match another client better"
    elif visits < _ENOUGH:
        test.reason = f"only {visits} visits in the time of the surviving births"
    elif test.probability_high > _INNOCENT:
        test.reason = "births follow its visits about as often as by chance, and too often to tell"
    elif chance > _BUSY and followed >= _EACH_TIME * visits:
        test.outcome, test.probability_high = "untested", 1.0
        test.reason = "a birth follows each of its visits, and hardly more often than by chance alone"
    elif chance > _TOO_BUSY:
        test.reason = "births are so frequent that one is near every visit by chance"
    else:
        test.outcome = "innocent"
        test.reason = "nearly every birth that follows its visits has another creator"


def _by_time(followed: int, visits: int, chance: float, spread: float) -> float:
    """Highest probability that time alone allows."""
    _, high = wilson(followed, visits)
    return float(np.clip((high - chance + 2 * spread) / max(1e-9, 1 - chance), 0, 1)) if chance < 0.97 else 1.0


def _credits(reckoning: Reckoning, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """By class: births that are credited to it, and births in its windows that nobody else made."""
    timeline, pairs = reckoning.timeline, reckoning.pairs
    assert pairs is not None  # noqa: S101 -- the caller's precondition
    size = reckoning.births.born_ms.size
    total = np.zeros(size)
    own = np.zeros(rows)
    for source in reckoning.sources:
        total[source.births] += source.weight  # each birth once
    for source in reckoning.sources:
        if not source.groups:
            continue
        weight = np.zeros(size)
        weight[source.births] = source.weight
        mine = np.isin(timeline.group[pairs.visit], source.groups[:200])
        visit, birth = pairs.visit[mine], pairs.birth[mine]
        # Each birth is shared by the visits of the source in whose windows it lies.
        sharers = np.bincount(birth, minlength=size)
        own += np.bincount(timeline.row[visit], weight[birth] / np.maximum(sharers[birth], 1), minlength=rows)
    key = timeline.row[pairs.visit].astype(np.int64) * size + pairs.birth
    once = np.unique(key)
    unexplained = np.clip(1 - total, 0, 1)
    unexplained[unexplained < 0.1] = 0.0  # what is credited to others as good as wholly
    leftover = np.bincount(once // size, unexplained[once % size], minlength=rows)
    return own, leftover


def try_probes(reckoning: Reckoning, around: Circumstances, classes: Sequence[CreationTest]) -> Iterator[CreationTest]:
    """Test every configured probe on one store's births: by the classes that show it, else by its rhythm."""
    store = reckoning.births.store
    by_class = {test.class_id: test for test in classes}
    guilty = {source.probe: source for source in reckoning.sources if source.probe is not None and source.amount >= 1}
    for index, probe in enumerate(around.probes):
        shown = [
            by_class[visitors.class_id]
            for visitors in around.classes
            if visitors.class_id in by_class and identity_match.class_fits(probe, visitors)
        ]
        if index in guilty:
            source = guilty[index]
            expected = round(source.visits or _requests(probe, reckoning))
            low, high = wilson(min(source.amount, expected), expected)
            yield CreationTest(
                store, None, index, expected, round(min(source.amount, expected)), 0.0, source.probability or 1.0, low, high,
                "creates", "births come at its requests",
            )  # fmt: skip
        elif not probe.creates_sessions:
            yield _untested(store, None, index, 0, probe.harmless_because or "it does not use HTTP")
        elif shown:
            best = max(shown, key=lambda test: (test.outcome != "untested", test.visits))
            yield CreationTest(
                store, None, index, best.visits, best.followed, best.chance, best.probability, best.probability_low,
                best.probability_high, "untested" if best.outcome == "creates" else best.outcome, best.reason,
            )  # fmt: skip
        else:
            yield _hidden(reckoning, index, probe)


def _requests(probe: Probe, reckoning: Reckoning) -> float:
    born_s = reckoning.timeline.born_s
    if not born_s.size:
        return 0.0
    first = max(float(born_s[0]), reckoning.timeline.horizon_s)
    return max(0.0, float(born_s[-1]) - first) / max(probe.period_s, 1e-3)


def _hidden(reckoning: Reckoning, index: int, probe: Probe) -> CreationTest:
    """Test a probe that no log shows: were it a creator, its births would be among those that nobody is known to have made."""
    store, births = reckoning.births.store, reckoning.births
    expected = int(_requests(probe, reckoning))
    if expected < 2 * _ENOUGH or births.born_ms.size == 0:
        return _untested(
            store, None, index, expected, "no log shows it, and it sent too few requests in the time of the births"
        )
    if probe.timing != "ticker":
        return _untested(store, None, index, expected, "no log shows it, and its requests have no fixed phase")
    total = np.zeros(births.born_ms.size)
    alike = 0.0
    for source in reckoning.sources:
        total[source.births] += source.weight  # each birth once
        if (
            source.kind == "unlogged"
            and source.train is not None
            and same_period(source.train.period_s, probe.period_s)
        ):
            alike += source.amount
    left = float(np.clip(1 - total, 0, 1).sum()) + alike
    _, high = wilson(min(left, expected), expected)
    test = CreationTest(store, None, index, expected, 0, 0.0, 0.0, 0.0, high, "untested")
    if alike:
        test.outcome, test.reason = "tied", "births at its period have no known creator"
    elif left / expected <= 0.3 and births.coverage > 0.5:
        test.outcome, test.reason = (
            "innocent",
            "no births come at its period, and fewer births are unexplained than it would create",
        )
    else:
        test.reason = "no log shows it, and the unexplained births could include its own"
    return test


def _untested(store: str, class_id: int | None, probe_id: int | None, visits: int, reason: str) -> CreationTest:
    return CreationTest(store, class_id, probe_id, visits, 0, 0.0, 0.0, 0.0, 1.0, "untested", reason)
