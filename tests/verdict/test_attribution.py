from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from necropsy.verdict import attribution
from necropsy.verdict.attribution import attribute
from necropsy.verdict.evidence import Circumstances, Claim, VisitBins

from .scenes import A1, A2, DAY_MS, NOW_MS, births, comb, creator, dust, incident, visitors


def _by_target(claims: list[Claim]) -> dict[str, Claim]:
    return {claim.label: claim for claim in claims if claim.creator == "probe"}


def test_the_incident_names_its_four_targets_and_marks_the_two_that_no_log_shows() -> None:
    logged_in = np.zeros(34_560 + 300, dtype=bool)
    logged_in[-300:] = True
    store = births(
        comb(4_200, seed=1),
        comb(7_100, seed=2),
        comb(2_900, seed=3),
        comb(9_400, seed=4),
        dust(300),
        authenticated=logged_in,
    )
    claims = attribute([store], incident())
    targets = _by_target(claims)
    assert set(targets) == {f"{A1}:80", f"{A1}:8080", f"{A2}:80", f"{A2}:8080"}
    assert targets[f"{A1}:80"].in_access_log is True
    assert targets[f"{A2}:80"].in_access_log is True
    assert targets[f"{A1}:8080"].in_access_log is False
    assert targets[f"{A2}:8080"].in_access_log is False
    assert targets[f"{A1}:80"].phase_s == pytest.approx(4.2, abs=0.02)
    assert targets[f"{A2}:80"].phase_s == pytest.approx(7.1, abs=0.02)
    people = [claim for claim in claims if claim.creator == "people"]
    assert sum(claim.births for claim in people) == pytest.approx(300, abs=5)


def test_targets_of_another_store_are_not_blamed_for_this_one() -> None:
    claims = attribute([births(comb(1_400, seed=1), comb(6_000, seed=2))], incident())
    assert set(_by_target(claims)) == {"172.12.1.201:80", "172.12.1.201:8080"}


def test_claims_never_exceed_the_births() -> None:
    store = births(comb(4_200), comb(4_203, seed=9), dust(500))
    assert sum(claim.births for claim in attribute([store], incident())) <= store.total


def test_a_comb_that_nothing_explains_is_unlogged() -> None:
    (claim,) = attribute([births(comb(4_200))], Circumstances(logs_given=True))
    assert (claim.creator, claim.in_access_log, claim.period_s) == ("unlogged", False, 10.0)


def test_without_any_log_nothing_is_said_about_logs() -> None:
    claims = attribute([births(comb(4_200))], Circumstances())
    assert [claim.in_access_log for claim in claims] == [None]


def test_a_health_check_is_not_blamed_although_its_phase_fits() -> None:
    harmless = [visitors(0, "localhost", 4.2, path="/health", agent="Consul Health Check")]
    (claim,) = attribute([births(comb(4_200))], Circumstances(classes=harmless, logs_given=True))
    assert claim.creator == "unlogged"


def test_a_configured_health_probe_is_blamed_where_the_log_shows_it_at_the_phase_of_births_that_nobody_else_made() -> (
    None
):
    around = incident()
    healthy = [
        replace(probe, path="/health", url=probe.url + "health", health_path="/health") for probe in around.probes
    ]
    seen = [replace(known, path="/health") for known in around.classes]
    claims = attribute([births(comb(4_200))], replace(around, probes=healthy, classes=seen))
    (claim,) = [claim for claim in claims if claim.creator == "probe"]
    assert (claim.probe_id is not None, claim.in_access_log) == (True, True)


def test_a_session_that_names_its_creator_is_believed_before_any_comb() -> None:
    store = births(
        comb(4_200),
        dust(50),
        creator=np.concatenate([np.zeros(8_640, dtype=np.int64), np.full(50, -1)]),
        creators=(creator("Go-http-client/1.1", f"{A1}:8080"),),
    )
    store = births(comb(4_200), creator=np.zeros(8_640, dtype=np.int64), creators=store.creators)
    (claim,) = attribute([store], incident(classes=[]))
    assert (claim.evidence, claim.creator, claim.births) == ("named", "probe", 8_640)
    assert claim.probe_id is not None
    assert claim.period_s == 10.0


def test_births_follow_the_visits_of_a_bot() -> None:
    random = np.random.default_rng(5)
    visits = np.sort(NOW_MS - random.integers(0, DAY_MS, 5_000))
    minutes, counts = np.unique(visits // 60_000, return_counts=True)
    bot = visitors(7, "admin", None, agent="EvilBot/1.0", visits=5_000)
    around = Circumstances(
        classes=[bot], bins=VisitBins(np.full(minutes.size, 7), minutes, counts.astype(float)), logs_given=True
    )
    made = visits[random.random(visits.size) < 0.6] + 5
    (claim,) = attribute([births(made)], around)
    assert (claim.creator, claim.evidence, claim.user_agent) == ("visitor", "visits", "EvilBot/1.0")
    assert claim.births == pytest.approx(made.size, rel=0.05)
    assert claim.births_low <= claim.births <= claim.births_high * 1.001
    assert claim.creation_probability == pytest.approx(0.6, abs=0.05)


def test_nothing_to_attribute_is_no_claim() -> None:
    assert attribute([births(np.zeros(0, dtype=np.int64))], incident()) == []


def test_no_target_is_blamed_in_two_stores() -> None:
    a = births(comb(4_200, seed=1), comb(7_100, seed=2), comb(2_900, seed=3), comb(9_400, seed=4))
    b = births(comb(1_400, seed=5), comb(6_000, seed=6), store="b")
    for around in (incident(), incident(classes=[], logs_given=False)):
        claims = attribute([b, a], around)
        blamed = {store: {c.label for c in claims if c.store == store and c.creator == "probe"} for store in "ab"}
        assert blamed["b"] == {"172.12.1.201:80", "172.12.1.201:8080"}
        assert blamed["a"] == {f"{A1}:80", f"{A1}:8080", f"{A2}:80", f"{A2}:8080"}


def test_rhythms_of_creators_found_by_two_threads_are_those_found_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(creator(f"prober/{number}", "shop:80") for number in range(6))
    parts = [comb(1_000 * number, seed=number, count=2_000) for number in range(6)]
    who = np.repeat(np.arange(6), [part.size for part in parts])
    order = np.argsort(np.concatenate(parts), kind="stable")
    store = births(*parts, creator=who[order], creators=names)
    alone = attribute([store], incident())
    monkeypatch.setattr("necropsy.verdict.attribution._WORTH_IT", 0)
    assert attribute([store], incident()) == alone
    assert [claim.period_s for claim in alone] == [10.0] * 6


@pytest.mark.parametrize("at_once", [1, 7, 1 << 17])
@pytest.mark.parametrize("creators", [0, 1, 40])
def test_births_are_put_together_by_creator_whatever_the_size_of_a_part(
    at_once: int, creators: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "AT_ONCE", at_once)
    who = np.random.default_rng(4).integers(-1, creators, 1_000).astype(np.int32)
    store = births(
        np.arange(1_000), creator=who, creators=tuple(creator(f"prober/{n}", "shop:80") for n in range(creators))
    )
    each = attribution._by_creator(store)
    assert [part.tolist() for part in each] == [np.flatnonzero(who == number).tolist() for number in range(creators)]
