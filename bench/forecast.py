"""When is memory full? The forecast of a store, and Prometheus' ``predict_linear`` beside it, against what then happens.

Each run makes up a store: people by the hour of the day, a prober or a crawler that was switched on some time ago, lifetimes from
an hour to 68 years, a limit. The store is looked at once; births go on as they did, and the true moment is when the limit is
reached. ``predict_linear`` gets the memory of the last six hours, by Prometheus' own formula (least squares), as alert rules do.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from necropsy.verdict.future import BirthStream, StoreForecastInput
from necropsy.verdict.what_if import Steps, outlook

RUNS = 400
DAY = 86_400.0
AT = datetime(2026, 11, 1, tzinfo=UTC)
HORIZON_DAYS = 60.0
IMMORTAL_S = 2_147_483_647.0
STEP_S = 300.0
LEAST_BIRTHS = 20
"""With fewer births nobody is named, and nothing is forecast."""
LOOKED_BACK_S = 6 * 3_600.0


@dataclass(frozen=True)
class Run:
    """One store: births of the past and of what is to come, and its limit."""

    kind: str
    machine: NDArray[np.float64]
    """Births of the machine, seconds from the look; negative: before it."""
    people: NDArray[np.float64]
    lifetime_s: float
    bytes_each: float
    estimated_bytes: float
    other: float
    limit: float
    period_s: float | None


def made_up(rng: np.random.Generator) -> Run:
    """Make up a run."""
    lifetime = float(rng.choice([3_600.0, 6 * 3_600.0, DAY, 7 * DAY, IMMORTAL_S, IMMORTAL_S]))
    phase = float(rng.uniform(0, DAY))  # the look is at any hour
    since = -float(rng.uniform(0.02, 1.5)) * min(lifetime, 10 * DAY)
    until = HORIZON_DAYS * DAY
    prober = rng.random() < 0.6
    per_day = float(np.exp(rng.uniform(np.log(400), np.log(30_000))))
    if prober:
        period = float(rng.choice([5.0, 10.0, 15.0, 30.0, 60.0]))
        machine = np.arange(since, until, period) + rng.normal(0, 0.01)
        per_day = DAY / period
    else:
        period = None
        machine = np.sort(rng.uniform(since, until, rng.poisson(per_day * (until - since) / DAY)))
    before = min(lifetime, 30 * DAY)
    days = np.arange(-before, until, 3_600.0)
    hour = ((days + phase) % DAY) / 3_600
    usual = per_day * float(rng.uniform(0.01, 0.3)) / 24 * np.maximum(0.05, 1.6 - ((hour - 13) / 6) ** 2)
    people = np.repeat(days, rng.poisson(usual)) + rng.uniform(0, 3_600)
    each = float(rng.uniform(500, 4_000))
    alive = int((machine <= 0).sum() if lifetime > 1e9 else ((machine <= 0) & (machine > -lifetime)).sum())
    alive += int(((people <= 0) & (people > -lifetime)).sum())
    peak = alive + per_day * min(lifetime, HORIZON_DAYS * DAY) / DAY
    limit = 2e6 + each * (alive + (peak - alive) * float(rng.uniform(0.15, 1.4)))
    kind = f"{'immortal' if lifetime > 1e9 else 'mortal'}, {'prober' if prober else 'crawler'}"
    return Run(kind, machine, people, lifetime, each, each * float(rng.normal(1, 0.02)), 2e6, limit, period)


def population(run: Run, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sessions at some moments. People are as many as they were: what one leaves another brings."""
    total = np.zeros(at.size)
    for births in (run.machine, run.people):
        born = np.sort(births)
        total += np.searchsorted(born, at, side="right") - np.searchsorted(born + run.lifetime_s, at, side="right")
    return total


def truth(run: Run) -> float | None:
    """Seconds until the limit is reached; None: not within the horizon."""
    at = np.arange(0, HORIZON_DAYS * DAY, STEP_S)
    over = np.flatnonzero(run.other + population(run, at) * run.bytes_each >= run.limit)
    return float(at[over[0]]) if over.size else None


def forecast(run: Run) -> tuple[float | None, float | None, float | None]:
    """Likeliest moment, earliest and latest, in seconds; None: never."""
    seen = run.machine[run.machine <= 0]
    alive = seen[seen > -run.lifetime_s]
    people = run.people[(run.people <= 0) & (run.people > -run.lifetime_s)]
    rate = DAY / run.period_s if run.period_s else seen.size / -float(seen[0]) * DAY
    immortal = run.lifetime_s > 1e9
    streams = [
        BirthStream(
            "machine",
            "machine",
            rate,
            0.0 if run.period_s else 1 / np.sqrt(seen.size),
            regular=run.period_s is not None,
        )
    ]
    if immortal and people.size:  # sessions that never expire add up, people's too
        streams.append(BirthStream("people", "people", people.size / 30, 1.5 / np.sqrt(people.size)))
    left = np.sort(np.concatenate([alive, people]) + run.lifetime_s)
    store = StoreForecastInput(
        name="made up",
        at=AT,
        left_s=np.empty(0) if immortal else left,
        immortal=alive.size + people.size if immortal else 0,
        purgeable=0,
        purgeable_immortal=0,
        people=float(people.size),
        lifetime_s=-1.0 if immortal else run.lifetime_s,
        grace_s=0.0,
        streams=streams,
        bytes_per_session=run.estimated_bytes,
        other_bytes=run.other + (alive.size + people.size) * (run.bytes_each - run.estimated_bytes),
        memory_limit=round(run.limit),
        people_left_s=None if immortal else np.sort(people + run.lifetime_s),
    )
    found = outlook(store, Steps())
    return tuple(
        None if one is None else (one - AT) / timedelta(seconds=1)
        for one in (found.full_at, found.full_from, found.full_to)
    )  # type: ignore[return-value]


def predict_linear(run: Run) -> float | None:
    """Seconds until the straight line through the last six hours meets the limit; None: it falls, or never does."""
    at = np.arange(-LOOKED_BACK_S, 1.0, 15.0)
    used = run.other + population(run, at) * run.bytes_each
    slope, base = np.polyfit(at, used, 1)
    return float((run.limit - base) / slope) if slope > 0 else None


def main(runs: int, seed: int) -> int:
    """Print the table; the number of bars that were missed."""
    rng = np.random.default_rng(seed)
    held, widths, late, cried, slept, calm, right_calm, linear_off, off = 0, [], 0, 0, 0, 0, 0, [], []
    reached = 0
    for _ in range(runs):
        run = made_up(rng)
        if np.count_nonzero(run.machine <= 0) < LEAST_BIRTHS:
            continue
        true, (likely, earliest, latest), line = truth(run), forecast(run), predict_linear(run)
        if true is None:
            calm += 1
            right_calm += likely is None or likely > HORIZON_DAYS * DAY or latest is None
            cried += line is not None and 0 <= line < HORIZON_DAYS * DAY
            continue
        if true < 3_600:
            continue
        reached += 1
        inside = earliest is not None and earliest - STEP_S <= true and (latest is None or true <= latest + STEP_S)
        held += inside
        late += not inside and (earliest is None or true < earliest)
        widths.append((latest - earliest) / true if latest is not None and earliest is not None else np.inf)
        if likely is not None:
            off.append(abs(likely - true) / true)
        linear_off.append(abs((line if line is not None else 10 * DAY * HORIZON_DAYS) - true) / true)
        slept += line is None or line > 2 * true
    print(f"{runs} stores, seed {seed}: {reached} reach their limit an hour or more after the look, {calm} never do")
    print(f"{'':44} {'necropsy':>10} {'predict_linear':>15}")
    print(f"{'95 % intervals that hold the true time':44} {held / reached:10.3f} {'-':>15}")
    print(f"{'width of the interval / time left, median':44} {np.median(widths):10.3f} {'-':>15}")
    print(f"{'error / time left, median':44} {np.median(off):10.3f} {np.median(linear_off):15.3f}")
    print(
        f"{'error / time left, 90th percentile':44} {np.quantile(off, 0.9):10.3f} {np.quantile(linear_off, 0.9):15.3f}"
    )
    print(f"{'never full, and said so':44} {right_calm / max(1, calm):10.3f} {1 - cried / max(1, calm):15.3f}")
    print(f"{'full in less than half the time it says':44} {late / reached:10.3f} {slept / reached:15.3f}")
    missed = (held / reached < 0.9) + (float(np.median(widths)) > 0.25)
    print(f"bars: intervals >= 0.9, median width <= 0.25: {'met' if not missed else f'{missed} missed'}")
    return missed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS, int(sys.argv[2]) if len(sys.argv) > 2 else 1))
