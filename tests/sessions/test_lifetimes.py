"""Lifetimes that no session says: inferred from what is left of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.sessions.lifetimes import USUAL
from sessions.keyspaces import FEW, batch, key, sessions, settled

DAY = 86_400
ANONYMOUS = b'{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}}'
USER = ANONYMOUS[:-1] + b',"passport":{"user":7}}'


def express(left_s: float, value: bytes = ANONYMOUS, number: int = 0) -> dict[str, Any]:
    return key(f"sess:{value[-3:-2].decode()}{number}-{left_s}", ttl_s=left_s, head=value, elements=len(value))


def found(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    with settled([batch(rows)]) as case:
        return sessions(case)


@given(lifetime=st.sampled_from(USUAL), late_s=st.floats(0, 1), pace_s=st.sampled_from((0.5, 1, 10)))
@FEW
def test_a_write_in_the_second_of_the_dump_makes_no_other_lifetime(lifetime: int, late_s: float, pace_s: float) -> None:
    lefts = [lifetime + late_s - number * pace_s for number in range(20)]
    rows = found(*(express(left, number=number) for number, left in enumerate(lefts) if left > 0))
    assert {row["lifetime_s"] for row in rows} == {lifetime}
    assert {row["born_precision_s"] for row in rows} == {1.0}


def test_a_short_lifetime_for_anonymous_visitors_is_told_from_the_long_one_of_users() -> None:
    anonymous = [express(60.5 - 1.5 * n, number=n) for n in range(40)]
    users = [express(DAY - 3000.0 * n, USER, n) for n in range(25)]
    rows = found(*anonymous, *users)
    assert {(row["authentication"], row["lifetime_s"]) for row in rows} == {("no", 60), ("yes", DAY)}


def test_two_lifetimes_of_sessions_that_look_alike_are_told_by_their_density() -> None:
    short = [express(59.9 - 0.6 * n, number=n) for n in range(100)]
    long = [express(DAY - 900.0 * n, number=n) for n in range(90)]
    assert {row["lifetime_s"] for row in found(*short, *long)} == {60, DAY}


def test_a_prober_that_stopped_hours_ago_makes_no_other_lifetime() -> None:
    stopped = [express(28_300.0 - 20.0 * n, number=n) for n in range(700)]
    people = [express(DAY / 2 - 850.0 * n, number=n) for n in range(30)]
    assert {row["lifetime_s"] for row in found(*stopped, *people)} == {DAY / 2}


def test_a_few_of_a_kind_have_the_lifetime_of_their_namespace() -> None:
    many = [express(DAY - 10.0 * n, number=n) for n in range(100)]
    few = [express(50_300.0 - 7 * n, USER, n) for n in range(3)]
    assert {row["lifetime_s"] for row in found(*many, *few)} == {DAY}


@pytest.mark.parametrize("longest", [50_001.0, 83_000.0])
def test_what_is_not_certain_is_said_with_its_precision(longest: float) -> None:
    rows = found(*(express(longest - 10 * n, number=n) for n in range(200)))
    (lifetime,) = {row["lifetime_s"] for row in rows}
    (precision,) = {row["born_precision_s"] for row in rows}
    assert lifetime >= longest - 1
    assert precision >= max(60, lifetime - longest)


def test_the_last_write_is_no_more_than_a_bound_of_the_birth() -> None:
    assert {row["born_provenance"] for row in found(express(100.0), express(86_399.0))} == {"not later than"}


def test_what_has_expired_has_the_lifetime_of_the_others() -> None:
    rows = found(express(-5.0), *(express(1800 - 2.0 * n, number=n) for n in range(9)))
    assert {row["lifetime_s"] for row in rows} == {1800}
    assert sorted({row["state"] for row in rows}) == ["expired", "live"]
