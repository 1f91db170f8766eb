from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blank_cases import blank_case
from necropsy.model.traffic import LIKELIHOODS, Visitor, Visitors
from necropsy.traffic.judgement import judge
from necropsy.traffic.visitors import SORTS, visitors_of
from necropsy.visits.agents import recognise

BEGIN = datetime(2019, 5, 24, tzinfo=UTC)
AGENTS = [
    "",
    "*",
    "curl/8.5.0",
    "Go-http-client/1.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
]
CLASS = st.fixed_dictionaries(
    {
        "log": st.sampled_from(["access.log", "other.log"]),
        "client": st.sampled_from(["", "*", "10.0.0.1", "10.0.0.2"]),
        "user_agent": st.sampled_from(AGENTS),
        "host": st.just("shop"),
        "method": st.sampled_from(["GET", "POST"]),
        "path": st.sampled_from(["/", "/login", "/a.css", "/health"]),
        "status": st.sampled_from([None, 200, 302, 404]),
        "followed_to": st.sampled_from([None, "/login"]),
        "visits": st.integers(1, 3),
        "requests": st.integers(3, 5),
        "first_at": st.integers(0, 3).map(lambda s: BEGIN + timedelta(seconds=s)),
        "last_at": st.integers(4, 6).map(lambda s: BEGIN + timedelta(seconds=s)),
        "period_s": st.sampled_from([None, 10.0, 15.0]),
        "bare": st.booleans(),
    }
)
COOKIES = {("access.log", "10.0.0.1", "curl/8.5.0"): (5, 0), ("access.log", "10.0.0.2", "curl/8.5.0"): (5, 1),
           ("access.log", "*", "curl/8.5.0"): (5, 0), ("other.log", "10.0.0.1", "curl/8.5.0"): (2, 0)}  # fmt: skip
"""Log, client and User-Agent; cookies given in vain, and those brought back."""


def one_by_one(rows: list[dict[str, Any]]) -> list[Visitor]:
    """What ``visitors_of`` does by columns, visitor by visitor."""
    visitors = []
    for row in rows:
        renewed, brought = COOKIES.get((row["log"], row["client"], row["user_agent"]), (0, 0))
        returns = None if row["client"] == "*" else True if brought else False if renewed >= 3 else None
        who = recognise(row["user_agent"])
        what = (who.kind, row["method"], row["path"], row["status"], row["followed_to"])
        untold = not any(one["user_agent"] for one in rows if one["log"] == row["log"])
        told = {"returns": returns, "bare": row["bare"], "several": row["user_agent"] == "*", "untold": untold}
        judged = judge(*what, periodic=row["period_s"] is not None, **told)
        fields = {name: value for name, value in row.items() if name != "bare"}
        visitors.append(
            Visitor(**fields, agent=who.name, agent_kind=who.kind, sessions=judged.likelihood, because=judged.because)
        )
    return visitors


KEYS: dict[str, Any] = {
    "sessions": lambda v: (LIKELIHOODS.index(v.sessions), v.period_s is None and v.sessions == "possible"),
    "visits": lambda v: -v.visits,
    "requests": lambda v: -v.requests,
    "period": lambda v: (v.period_s is None, v.period_s or 0.0),
    "first": lambda v: v.first_at,
    "last": lambda v: -v.last_at.timestamp(),
    "client": lambda v: v.client,
    "agent": lambda v: (v.agent.lower(), v.user_agent),
    "path": lambda v: (v.path, v.method),
}


@pytest.mark.process
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CLASS, min_size=1, max_size=12), st.sampled_from(SORTS))
def test_by_columns_and_one_by_one_visitors_and_their_order_are_the_same(rows: list[dict[str, Any]], sort: str) -> None:
    with blank_case() as case:
        case.append("visitor_class", [row | {"class_id": number} for number, row in enumerate(rows)])
        case.append(
            "cookie_use",
            [
                {"log": log, "client": client, "user_agent": agent, "renewed": renewed, "brought": brought}
                for (log, client, agent), (renewed, brought) in COOKIES.items()
            ],
        )
        numbers, found = visitors_of(case, sort)
    expected = sorted(enumerate(one_by_one(rows)), key=lambda pair: (KEYS[sort](pair[1]), -pair[1].visits, pair[0]))
    assert list(zip(numbers, found, strict=True)) == expected


def test_every_order_is_tried() -> None:
    assert set(KEYS) == set(SORTS)


def test_a_part_of_the_visitors_is_that_of_each_column() -> None:
    visitors = [
        Visitor("a.log", "", "", "", "unknown", "", "GET", "/", 200, None, n, n, BEGIN, BEGIN) for n in range(5)
    ]
    found = Visitors.of(*visitors)
    assert list(found) == visitors
    assert list(found[1:3]) == visitors[1:3]
    assert found[-1] == visitors[-1]
    assert found[:2] == Visitors.of(*visitors[:2]) != Visitors.of(*visitors[1:3])
    assert found.but(visits=[7] * 5).column("visits") == [7] * 5
    assert list(Visitors.of()) == []
    assert len(Visitors.of()) == 0
