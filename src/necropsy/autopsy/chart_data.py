"""The series behind the pictures: births by source, the comb, the population, the chain from a line to memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.figures import size
from necropsy.model.report import BirthChart, Chain, ChartSeries, CombChart, Histogram, Link, PopulationChart, Tooth
from necropsy.verdict.chunks import chunks
from necropsy.verdict.evidence import Births, Claim
from necropsy.verdict.labels import label_births

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from necropsy.case.store import Case
    from necropsy.model.verdict import Cause, Prediction, Verdict

_BINS: Final = 96
_STEPS_S: Final = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400)
_MOST_POINTS: Final = 6000
_MOST_SERIES: Final = 12
_KIND: Final = {"probe": "cause", "visitor": "cause", "unlogged": "cause", "people": "people"}
_HOUR_MS: Final = 3_600_000
_AGES: Final = (
    ("< 1 h", 1),
    ("1 to 6 h", 6),
    ("6 to 12 h", 12),
    ("12 to 24 h", 24),
    ("1 to 7 d", 168),
    ("7 to 30 d", 720),
)


def birth_charts(births: Mapping[str, Births], claims: Sequence[Claim]) -> Iterator[BirthChart]:
    """One chart a store: births per step of time, one series for each creator, the rest as unexplained.

    A birth is drawn with who made it most probably. The series are then scaled to the births that the verdict counts, by
    probabilities: a page has one figure for one thing.
    """
    import numpy as np

    for store, population in births.items():
        if not population.born_ms.size:
            continue
        mine = [claim for claim in claims if claim.store == store]
        label = label_births(population, mine)
        first, last = int(population.born_ms.min()), int(population.born_ms.max())
        step_ms = 1000 * next((s for s in _STEPS_S if (last - first) / 1000 / s <= _BINS), _STEPS_S[-1])
        start = first // step_ms * step_ms
        length = int((last - start) // step_ms) + 1
        # One pass for all makers: a row of counts for each, the first of them for births that nobody claims.
        counts = np.zeros((len(mine) + 1, length), np.int64)
        for part in chunks(label.size):
            place = (population.born_ms[part] - start) // step_ms + (label[part] + 1) * length
            counts += np.bincount(place, minlength=counts.size).reshape(counts.shape)
        shown = [number for number in range(len(mine)) if counts[number + 1].any()][:_MOST_SERIES]
        drawn = [_scaled(counts[number + 1], mine[number].births) for number in shown]
        series = [
            ChartSeries(mine[number].label, tuple(values.tolist()), _KIND[mine[number].creator])
            for number, values in zip(shown, drawn, strict=True)
        ]
        rest = np.delete(counts, [number + 1 for number in shown], axis=0).sum(axis=0)
        rest = _scaled(rest, max(0.0, float(label.size) - sum(values.sum() for values in drawn)))
        by_visits = sum(claim.births for claim in mine if claim.evidence == "visits" and claim.creator == "people")
        name, kind = (
            ("people (by their visits)", "people") if by_visits > rest.sum() / 2 else ("unexplained", "unexplained")
        )
        if rest.any():
            series.append(ChartSeries(name, tuple(rest.tolist()), kind))
        yield BirthChart(store, _moment(start), step_ms / 1000, tuple(series))


def _scaled(counts: NDArray[np.int64], total: float) -> NDArray[np.floating[Any]]:
    """Return counts that add up to a total; of none, none."""
    return counts * (total / max(1, int(counts.sum())))


def comb_charts(births: Mapping[str, Births], claims: Sequence[Claim], phased: Collection[int]) -> Iterator[CombChart]:
    """One picture a store with combs: phase against time, a deterministic sample of all births.

    ``phased``: numbers of the probes whose phase is computed; of the others that no log shows the number alone is known.
    """
    for store, population in births.items():
        mine = [claim for claim in claims if claim.store == store]
        combs = [n for n, claim in enumerate(mine) if claim.period_s is not None and claim.phase_s is not None]
        if not combs:
            continue
        period_s = mine[combs[0]].period_s or 1.0
        sampled = _sample(population.born_ms.size)
        born_ms = population.born_ms[sampled]
        label = label_births(
            replace(
                population,
                born_ms=born_ms,
                authenticated=population.authenticated[sampled],
                creator=population.creator[sampled],
            ),
            mine,
        )
        start = int(population.born_ms.min())
        same = [n for n in combs if mine[n].period_s == period_s]
        tooth = {number: index for index, number in enumerate(same)}
        points = tuple(
            (
                round((born - start) / 1000, 3),
                round(born % round(period_s * 1000) / 1000, 3),
                tooth.get(maker, -1),
            )
            for born, maker in zip(born_ms.tolist(), label.tolist(), strict=True)
        )
        teeth = tuple(
            Tooth(mine[n].phase_s or 0.0, _tooth_label(mine[n]), round(mine[n].births), mine[n].in_access_log)
            for n in same
        )
        unknown = [
            tooth.label
            for tooth, n in zip(teeth, same, strict=True)
            if mine[n].in_access_log is False and mine[n].probe_id is not None and mine[n].probe_id not in phased
            and mine[n].one_of is None
        ]  # fmt: skip
        yield CombChart(
            store, period_s, _moment(start), points, teeth, int(population.born_ms.size),
            by_number=tuple(unknown) if len(unknown) > 1 else (),
        )  # fmt: skip


def _sample(size: int) -> NDArray[np.int64]:
    """Indices of at most so many births. Drawn, not every n-th: four combs and a step of four would show one comb."""
    import numpy as np

    if size <= _MOST_POINTS:
        return np.arange(size, dtype=np.int64)
    return np.sort(np.random.default_rng(0).choice(size, _MOST_POINTS, replace=False)).astype(np.int64)


def _tooth_label(claim: Claim) -> str:
    return f"{claim.label} (not in any access log)" if claim.in_access_log is False else claim.label


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def population(case: Case, births: Births, now: datetime) -> PopulationChart:
    """Age, remaining lifetime and authentication of a store's sessions."""
    now_ms = round(now.timestamp() * 1000)
    return PopulationChart(
        store=births.store,
        by_age=_ages(births, now_ms),
        by_remaining=_remaining(case, births.store, now_ms),
        by_authentication=_authentication(case, births.store),
    )


def _ages(births: Births, now_ms: int) -> Histogram:
    """Count by age: births are in order, so each edge is sought, not ten million ages compared with it."""
    import numpy as np

    size = int(births.born_ms.size)
    edges = np.array([now_ms - hours * _HOUR_MS for _, hours in _AGES], dtype=np.int64)
    younger = [0, *(size - np.searchsorted(births.born_ms, edges)).tolist(), size]
    counts = [*np.diff(younger).tolist(), births.total - size]
    return _histogram([name for name, _ in _AGES], counts, "unknown")


def _remaining(case: Case, store: str, now_ms: int) -> Histogram:
    edges = (("expired", 0), *_AGES)
    branches = " ".join(f"WHEN ends <= {now_ms + hours * _HOUR_MS} THEN {n}" for n, (_, hours) in enumerate(edges))
    rows = case.rows(
        f"SELECT CASE WHEN ends IS NULL THEN {len(edges) + 1} {branches} ELSE {len(edges)} END AS bin, count(*) AS n"
        " FROM (SELECT epoch_ms(expires_at) AS ends FROM session WHERE store = ?) GROUP BY 1",
        [store],
    )
    counts = {row["bin"]: row["n"] for row in rows}
    return _histogram([name for name, _ in edges], [counts.get(n, 0) for n in range(len(edges) + 2)], "never")


def _histogram(names: Sequence[str], counts: Sequence[int], missing: str) -> Histogram:
    """Bars of these names, of what is beyond them, and last of what has no such time, if anything has none."""
    shown = slice(None if counts[-1] else -1)
    return Histogram((*names, "> 30 d", missing)[shown], tuple(counts)[shown])


def _authentication(case: Case, store: str) -> Histogram:
    names = {"yes": "logged in", "no": "anonymous", "unknown": "unknown"}
    counts = {
        row["authentication"]: row["n"]
        for row in case.rows("SELECT authentication, count(*) AS n FROM session WHERE store = ? GROUP BY 1", [store])
    }
    shown = [name for name in names if name != "unknown" or counts.get(name)]
    return Histogram(tuple(names[name] for name in shown), tuple(counts.get(name, 0) for name in shown))


def chains(verdict: Verdict) -> Iterator[Chain]:
    """One chain for each cause that a configured line began."""
    predictions = {prediction.store: prediction for prediction in verdict.predictions}
    for cause in verdict.causes:
        if cause.store is None or not any(actor.origin for actor in cause.actors):
            continue
        yield Chain(cause.store, cause.slug, tuple(_links(cause, predictions.get(cause.store))))


def _links(cause: Cause, prediction: Prediction | None) -> Iterator[Link]:
    accused = next(actor for actor in cause.actors if actor.origin)
    line = accused.origin[0]
    yield Link(str(line), line.what)
    others = len(cause.actors) - 1
    more = f" and {others} more" if others else ""
    period = f"every {accused.period_s:g} s" if accused.period_s else "repeatedly"
    yield Link(
        f"GET {accused.url}{more}",
        f"requested {period}, without a cookie",
        f"{24 * cause.births_per_hour:,.0f} new sessions a day",
    )
    answers = sorted({actor.answer for actor in cause.actors if actor.answer})
    yield Link(
        "a new session each time",
        f"answer: {', '.join(answers)}" if answers else "",
        f"{cause.sessions:,} sessions by this cause",
    )
    if prediction is not None:
        yield Link("keys in Redis", prediction.formula, f"{prediction.counted_keys:,} keys in the store")
        lived = _lifetime(prediction.lifetime_s)
        yield Link("memory", lived, size(prediction.counted_bytes))


def _lifetime(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0 or seconds > 365 * 86400:
        return "sessions never expire in practice"
    days = seconds / 86400
    return (
        f"sessions live {days:g} day{'s' if days != 1 else ''}"
        if days >= 1
        else f"sessions live {seconds / 60:g} minutes"
    )
