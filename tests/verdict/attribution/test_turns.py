"""Probers that a log shows as several visitors: one after the other, or in turn."""

from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute
from necropsy.verdict.evidence import Claim
from verdict.incidents import DAY_S, Incident

PARTS = ((0.0, 0.4 * DAY_S), (0.4 * DAY_S, 0.7 * DAY_S), (0.7 * DAY_S, DAY_S))


def _claims(scene: Incident) -> list[Claim]:
    births, around, _ = scene.build()
    return sorted(attribute([births], around).claims, key=lambda claim: -claim.births)


@pytest.mark.parametrize("resolution_s", [0.001, 1.0])
@pytest.mark.parametrize("changed", ["path", "client"])
def test_a_prober_whose_page_or_address_was_changed_is_in_the_log_all_the_time(
    changed: str, resolution_s: float
) -> None:
    scene = Incident(81, resolution_s=resolution_s)
    scene.people(300)
    for value, between in zip(
        ("/", "/login", "/start") if changed == "path" else ("10.0.0.4", "10.0.0.9"), PARTS, strict=False
    ):
        scene.prober("prober", 30.0, phase_s=4.0, between=between, agent="Nagios", **{changed: value})
    claims = [claim for claim in _claims(scene) if claim.creator != "people"]
    assert {(claim.creator, claim.in_access_log) for claim in claims if claim.births > 10} == {("visitor", True)}
    made = sum(part.size for part in scene.made["prober"])
    assert sum(claim.births for claim in claims) == pytest.approx(made, rel=0.02)


def test_a_prober_that_takes_turns_among_its_addresses_is_one() -> None:
    scene = Incident(82)
    scene.people(300)
    ticks = np.arange(int(DAY_S / 20)) * 20.0 + 7.0
    address = scene.random.integers(0, 30, ticks.size)
    for number in range(30):
        scene.requests("service", ticks[address == number], client=f"77.1.0.{number}", agent="StatusCake", path="/")
    first = _claims(scene)[0]
    assert (first.creator, first.user_agent or "StatusCake", first.in_access_log) == ("visitor", "StatusCake", True)
    assert first.births == pytest.approx(ticks.size, rel=0.02)
    assert first.clients == 30


def test_behind_an_intermediary_people_are_people_and_the_clockwork_is_in_the_log() -> None:
    scene = Incident(83)
    agent = "Amazon CloudFront"
    edges = [f"130.176.1.{number}" for number in range(60)]
    ticks = np.arange(int(DAY_S / 30)) * 30.0 + 3.0
    people = np.sort(scene.random.uniform(0, DAY_S, 900))
    looks = np.sort(scene.random.uniform(0, DAY_S, 4_000))
    at = scene.random.integers(0, len(edges), ticks.size)
    for number, edge in enumerate(edges):
        scene.requests("clock", ticks[at == number], client=edge, agent=agent, path="/")
        scene.requests("people", people[number::60], client=edge, agent=agent, path="/login", status=200)
        scene.requests("people", looks[number::60], client=edge, agent=agent, path="/products", creates=0)
        scene.requests(
            "people", looks[number::7][:9] + 5, client=edge, agent=agent, path="/login", creates=0, status=200
        )
    first, *others = _claims(scene)
    assert (first.creator, first.period_s, first.in_access_log) == ("visitor", 30.0, True)
    assert {claim.creator for claim in others if claim.births > 20} == {"people"}


def test_two_probers_of_one_interval_that_do_not_take_turns_stay_two() -> None:
    scene = Incident(84)
    scene.people(300)
    for number in range(3):
        scene.prober(
            f"p{number}",
            30.0,
            phase_s=4.0 + 10 * number,
            client=f"10.0.0.{number}",
            agent="StatusCake",
            creates=number == 0,
        )
    first = _claims(scene)[0]
    assert (first.creator, first.clients, first.in_access_log) == ("visitor", 1, True)
    assert first.births == pytest.approx(2_880, rel=0.02)


@pytest.mark.parametrize("resolution_s", [0.001, 1.0])
def test_of_a_client_that_follows_to_https_the_answer_of_the_application_is_named(resolution_s: float) -> None:
    scene = Incident(85, resolution_s=resolution_s)
    scene.people(300)
    ticks = np.arange(int(DAY_S / 30)) * 30.0 + 4.3
    scene.requests("moved", ticks, client="10.0.0.9", agent="curl", status=301, creates=0)
    scene.requests("check", ticks + 0.02, client="10.0.0.9", agent="curl", status=200)
    births, around, _ = scene.build()
    first = max(attribute([births], around).claims, key=lambda claim: claim.births)
    (named,) = [visitors for visitors in around.classes if visitors.class_id == first.class_id]
    assert (named.status, first.births) == (200, pytest.approx(ticks.size, rel=0.02))
