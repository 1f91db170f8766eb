"""The series behind the pictures, against what a reader would count."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from necropsy.autopsy import chart_data, verdict_inputs
from necropsy.case.store import Case

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
    with Case.create(None) as case:
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
