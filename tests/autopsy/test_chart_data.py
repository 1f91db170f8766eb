"""The series behind the pictures, against what a reader would count."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from blank_cases import blank_case
from necropsy.autopsy import chart_data, verdict_inputs
from necropsy.verdict.evidence import Claim
from verdict import scenes

NOW_MS = 1_558_724_400_000
HOUR_MS = 3_600_000


@pytest.mark.parametrize("unknown", [0, 2])
def test_sessions_are_counted_by_age_and_by_what_is_left_of_them(unknown: int) -> None:
    hours = [0, 1, 1.001, 6, 11, 24, 25, 168, 720, 721, 9_000, -3]  # the last: a clock that is fast
    born = [NOW_MS - round(each * HOUR_MS) for each in hours] + [None] * unknown
    ends = [NOW_MS + round(each * HOUR_MS) for each in hours] + [None] * unknown
    np.random.default_rng(1).shuffle(born)
    rows = pa.table(
        {
            "store": ["a"] * len(born),
            "id_hash": pa.array(range(len(born)), pa.uint64()),
            "born_at": pa.array(born, pa.int64()).cast(pa.timestamp("ms")),
            "expires_at": pa.array(ends, pa.int64()).cast(pa.timestamp("ms")),
            "bytes": [1000] * len(born),
        }
    )
    with blank_case() as case:
        case.append("source", [{"reader": "rdb", "locator": "dump.rdb", "store": "a"}])
        case.append("session", rows)
        births = verdict_inputs.births_by_store(case)["a"]
        chart = chart_data.population(case, births, datetime.fromtimestamp(NOW_MS / 1000, UTC))
    more = ("unknown",) if unknown else ()
    assert chart.by_age.labels == (
        "< 1 h",
        "1 to 6 h",
        "6 to 12 h",
        "12 to 24 h",
        "1 to 7 d",
        "7 to 30 d",
        "> 30 d",
        *more,
    )
    assert chart.by_age.counts == (3, 2, 1, 1, 2, 1, 2, *((unknown,) if unknown else ()))
    more = ("never",) if unknown else ()
    assert chart.by_remaining.labels == ("expired", *chart.by_age.labels[:7], *more)
    assert chart.by_remaining.counts == (2, 1, 2, 1, 1, 2, 1, 2, *((unknown,) if unknown else ()))


@pytest.mark.parametrize(("phased", "said"), [((), ("b:8080", "c:8080")), ((1,), ()), ((1, 2), ())])
def test_targets_that_no_log_shows_are_told_apart_by_a_computed_phase_alone(
    phased: tuple[int, ...], said: tuple[str, ...]
) -> None:
    ticks = NOW_MS - 10_000 * np.arange(1_000)
    births = scenes.births(*(ticks + phase for phase in (1_000, 4_000, 7_000)))
    claims = [
        Claim(
            "a", "probe", "comb", label, 1_000, 990, 1_000, 360.0, 1.0, "", number, None, 10.0, phase, phase - 0.1,
            phase + 0.1, logged, None, 0.0, None,
        )
        for number, (label, phase, logged) in enumerate((("a:80", 1.0, True), ("b:8080", 4.0, False), ("c:8080", 7.0, False)))
    ]  # fmt: skip
    (chart,) = chart_data.comb_charts({"a": births}, claims, phased)
    assert tuple(label.split()[0] for label in chart.by_number) == said
