"""What must hold of attribution whatever the incident: the invariants of docs/how-the-verdict-is-reached.md."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute, clocks, creation_tests
from necropsy.verdict.evidence import Attribution, Births, Circumstances, CreationTest, Visits
from verdict.incidents import BROWSERS, START_S, Incident


def _shares(result: Attribution, births: Births) -> dict[str, float]:
    made: dict[str, float] = {"people": 0.0, "unlogged": 0.0}
    for claim in result.claims:
        made[claim.creator] = made.get(claim.creator, 0.0) + claim.births / births.born_ms.size
    return made


def _mixed(seed: int, **more: object) -> Incident:
    """People, a prober that a log shows, one that none shows, a crawler with many addresses, an innocent check."""
    incident = Incident(seed, span_s=40_000, **more)  # type: ignore[arg-type]
    incident.people(300)
    incident.prober("logged", 10, client="10.0.0.1")
    incident.prober("unlogged", 15, logged=False)
    incident.crawler("logged", 2_500, 400)
    incident.prober("nobody", 10, client="10.0.1.1", agent="Consul Health Check", path="/health", creates=0, status=200)
    return incident


@pytest.mark.parametrize("resolution_s", [0.001, 1.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_claims_on_one_birth_add_up_to_one_at_most_and_are_right(seed: int, resolution_s: float) -> None:
    births, around, truth = _mixed(seed, resolution_s=resolution_s).build()
    result = attribute([births], around)
    said = _shares(result, births)
    assert said["people"] == pytest.approx(truth["people"], abs=0.02)
    assert said["unlogged"] == pytest.approx(truth["unlogged"], abs=0.02)
    assert said["visitor"] == pytest.approx(truth["logged"], abs=0.03)
    assert sum(said.values()) <= 1 + 1e-9
    assert float(result.weight["a"].max()) <= 1 + 1e-6
    assert all(claim.births_low <= claim.births <= claim.births_high for claim in result.claims)
    assert result.accounts[0].explained == pytest.approx(sum(claim.births for claim in result.claims))


def test_moving_log_and_store_together_changes_nothing() -> None:
    here = _mixed(3).build()
    there = _mixed(3).build(start_s=START_S + 987_654.0)
    first, second = (attribute([births], around) for births, around, _ in (here, there))
    assert [(c.creator, c.label.split(",")[0]) for c in first.claims] == [
        (c.creator, c.label.split(",")[0]) for c in second.claims
    ]
    assert [c.births for c in first.claims] == pytest.approx([c.births for c in second.claims], rel=0.01)


@pytest.mark.parametrize("offset_s", [3600.0, -3600.0, 120.0])
def test_a_clock_that_is_wrong_is_found_said_and_corrected(offset_s: float) -> None:
    births, around, truth = _mixed(4).build(offset_s=offset_s)
    result = attribute([births], around)
    (offset,) = result.offsets
    assert offset.offset_s == pytest.approx(offset_s, abs=1.0)
    assert offset.applied
    assert _shares(result, births)["visitor"] == pytest.approx(truth["logged"], abs=0.03)


def test_clocks_that_agree_are_not_corrected() -> None:
    for seed in range(5, 9):
        births, around, _ = _mixed(seed).build()
        assert attribute([births], around).offsets == []


def test_removing_births_by_chance_lowers_probabilities_and_keeps_shares() -> None:
    births, around, truth = _mixed(10).build(keep=0.5)
    result = attribute([births], around)
    said = _shares(result, births)
    assert said["visitor"] == pytest.approx(truth["logged"], abs=0.04)
    assert said["unlogged"] == pytest.approx(truth["unlogged"], abs=0.03)
    largest = max((c for c in result.claims if c.creator == "visitor"), key=lambda claim: claim.births)
    assert largest.creation_probability == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("period_s", [5.0, 10.0, 30.0])
def test_an_innocent_check_changes_no_share_and_is_not_named(period_s: float) -> None:
    incident = _mixed(11)
    without, around, _ = incident.build()
    before = _shares(attribute([without], around), without)
    incident = _mixed(11)
    incident.prober("x", period_s, client="10.9.9.9", agent="ELB-HealthChecker/2.0", path="/health", creates=0)
    births, around, _ = incident.build()
    result = attribute([births], around)
    after = _shares(result, births)
    for name, share in before.items():
        assert after[name] == pytest.approx(share, abs=0.01)
    assert not any("ELB" in claim.user_agent for claim in result.claims)


def test_the_order_of_classes_and_visits_of_one_moment_does_not_matter() -> None:
    births, around, _ = _mixed(12).build()
    assert around.visits is not None
    visits = around.visits
    new_id = np.random.default_rng(1).permutation(len(around.classes))
    classes = sorted(
        (replace(visitors, class_id=int(new_id[visitors.class_id])) for visitors in around.classes),
        key=lambda visitors: visitors.class_id,
    )
    moved = Visits(new_id[visits.class_id].astype(np.int32), visits.client, visits.at_us, visits.spans)
    first = attribute([births], around)
    second = attribute([births], replace(around, classes=classes, visits=moved))
    assert [c.births for c in first.claims] == pytest.approx([c.births for c in second.claims], rel=1e-6)


@pytest.mark.parametrize("alternate", [False, True], ids=["rotated", "two proxies"])
def test_a_log_in_two_files_gives_the_same_answer(alternate: bool) -> None:
    births, around, _ = _mixed(6).build()
    visits = around.visits
    assert visits is not None
    (span,) = visits.spans
    middle = (span.first_us + span.last_us) // 2
    # Rotated at some moment; or each client by one of two proxies, whose logs cover the same time.
    second = visits.client % 2 == 1 if alternate else visits.at_us >= middle
    more = len(around.classes)
    classes = [
        *around.classes,
        *(replace(one, class_id=one.class_id + more, log="other.log") for one in around.classes),
    ]
    other = replace(span, log="other.log") if alternate else replace(span, log="other.log", first_us=middle)
    first = span if alternate else replace(span, last_us=middle)
    parts = replace(
        visits,
        class_id=np.where(second, visits.class_id + more, visits.class_id).astype(np.int32),
        spans=(first, other),
    )
    whole = _shares(attribute([births], around), births)
    halves = _shares(attribute([births], replace(around, classes=classes, visits=parts)), births)
    for who in ("people", "unlogged", "visitor"):
        assert halves[who] == pytest.approx(whole[who], abs=0.02)


def test_a_cut_log_widens_intervals_and_still_contains_the_whole_logs_answer() -> None:
    whole_births, whole_around, _ = _mixed(13).build()
    cut_births, cut_around, _ = _mixed(13).build(covers=(0.6, 1.0))
    whole, cut = attribute([whole_births], whole_around), attribute([cut_births], cut_around)
    for creator in ("people", "visitor"):
        answer = sum(c.births for c in whole.claims if c.creator == creator)
        low = sum(c.births_low for c in cut.claims if c.creator == creator)
        high = sum(c.births_high for c in cut.claims if c.creator == creator)
        assert low <= answer <= high
    assert sum(claim.extrapolated for claim in cut.claims) > 0


def test_births_without_any_relation_to_visits_are_nobodys() -> None:
    incident = _mixed(14)
    births, around, _ = incident.build()
    random = np.random.default_rng(2)
    shuffled = np.sort(random.integers(births.born_ms[0], births.born_ms[-1], births.born_ms.size))
    result = attribute([replace(births, born_ms=shuffled)], around)
    assert not any(c.creator == "unlogged" for c in result.claims)
    probers = [t for t in result.tests if t.class_id is not None and t.visits > 1_000]
    assert all(test.probability < 0.1 for test in probers)


def test_new_names_of_agents_change_names_only() -> None:
    births, around, _ = _mixed(15).build()
    classes = [
        replace(v, user_agent=v.user_agent.replace("PriceSpider", "OtherBot").replace("Go-http-client", "curl"))
        for v in around.classes
    ]
    first, second = attribute([births], around), attribute([births], replace(around, classes=classes))
    assert [c.births for c in first.claims] == pytest.approx([c.births for c in second.claims], rel=1e-6)


def test_a_second_prober_of_another_phase_is_one_train_more() -> None:
    for more in (1, 2, 3):
        incident = Incident(16, span_s=30_000)
        incident.people(200)
        for number in range(more):
            incident.prober("unlogged", 10, logged=False, phase_s=1.3 + 2.9 * number)
        births, around, _ = incident.build()
        assert sum(c.creator == "unlogged" for c in attribute([births], around).claims) == more


def test_two_checks_that_no_time_tells_apart_are_both_named() -> None:
    incident = Incident(17, span_s=40_000, resolution_s=1.0)
    incident.people(200)
    incident.prober("logged", 10, client="10.0.0.1", agent="alpha/1", path="/one", phase_s=3.3)
    incident.prober("nobody", 10, client="10.0.0.2", agent="beta/1", path="/two", phase_s=3.4, creates=0)
    births, around, _ = incident.build()
    result = attribute([births], around)
    (claim,) = [c for c in result.claims if c.creator == "visitor"]
    assert claim.alternative is not None
    assert {claim.label.split()[0], claim.alternative.split()[0]} == {"alpha/1", "beta/1"}
    outcomes = {around.classes[t.class_id].path: t.outcome for t in result.tests if t.class_id is not None}
    assert "innocent" not in {outcomes["/one"], outcomes["/two"]}


def test_no_visit_after_the_last_birth_is_accused() -> None:
    incident = Incident(18, span_s=40_000)
    incident.people(200)
    incident.prober("unlogged", 10, logged=False, between=(0, 20_000), phase_s=2.0)
    incident.prober("nobody", 10, client="10.0.0.1", between=(20_100, 40_000), phase_s=2.0, creates=0)
    births, around, _ = incident.build()
    assert not any(claim.creator == "visitor" for claim in attribute([births], around).claims)


def test_people_are_people_and_a_crawler_with_a_browsers_name_is_not() -> None:
    incident = Incident(19, span_s=40_000)
    incident.people(400)
    incident.crawler("logged", 4_000, 300, agent=BROWSERS[0])
    births, around, truth = incident.build()
    said = _shares(attribute([births], around), births)
    assert said["visitor"] == pytest.approx(truth["logged"], abs=0.03)


def test_without_visits_nothing_is_tested_and_the_reason_is_said() -> None:
    births, _, _ = _mixed(20).build(logs=False)
    result = attribute([births], Circumstances())
    assert result.tests == []
    assert result.accounts[0].reason is not None
    assert {claim.in_access_log for claim in result.claims} == {None}


def test_people_of_a_log_that_tells_no_user_agent_are_no_robots() -> None:
    incident = _mixed(11)
    incident.visits = [
        (client, "", *rest) for client, _, *rest in incident.visits
    ]  # as HAProxy's httplog and CLF tell it
    births, around, truth = incident.build()
    said = _shares(attribute([births], around), births)
    assert said["people"] >= truth["people"] - 0.02
    assert said["unlogged"] == pytest.approx(truth["unlogged"], abs=0.02)


def test_a_health_check_at_the_ticks_of_one_hidden_pod_of_several_is_there_by_coincidence() -> None:
    incident = Incident(5, span_s=30_000, resolution_s=1.0)
    incident.people(150)
    for phase_s in (1.3, 4.8, 8.2):
        incident.prober("unlogged", 20, logged=False, phase_s=phase_s)
    incident.prober(
        "nobody",
        20,
        client="10.0.1.1",
        agent="Consul Health Check",
        path="/health",
        creates=0,
        status=200,
        phase_s=4.79,
    )
    births, around, truth = incident.build()
    result = attribute([births], around)
    assert [claim.creator for claim in result.claims if claim.period_s] == ["unlogged"] * 3
    assert _shares(result, births)["unlogged"] == pytest.approx(truth["unlogged"], abs=0.01)


def test_pods_that_were_replaced_before_the_log_began_are_the_past_of_those_that_it_shows() -> None:
    incident = Incident(6, span_s=30_000)
    incident.people(400)
    for number in range(3):
        client, agent = f"10.0.2.{number}", "kube-probe/1.29"
        incident.prober("logged", 10, client=client, agent=agent, between=(0, 9_000), phase_s=1.0 + number)
        incident.prober("logged", 10, client=client, agent=agent, between=(9_005, 30_000), phase_s=5.2 + 1.3 * number)
    births, around, truth = incident.build(covers=(0.5, 1.0))
    result = attribute([births], around)
    assert not [claim for claim in result.claims if claim.creator == "unlogged"]
    machines = sum(claim.births for claim in result.claims if claim.creator == "visitor") / births.born_ms.size
    assert machines == pytest.approx(truth["logged"], abs=0.03)


def test_many_at_one_moment_of_the_clock_are_as_certain_together_as_one_alone() -> None:
    incident = Incident(7, span_s=40_000, resolution_s=1.0)
    incident.people(100)
    for number in range(6):
        incident.prober(
            "logged", 60, client=f"10.0.3.{number}", agent="Wget/1.21", path="/cron", phase_s=1.2, jitter_s=0.6
        )
    births, around, truth = incident.build()
    claims = [claim for claim in attribute([births], around).claims if claim.creator == "visitor"]
    low, high = (
        sum(each) / births.born_ms.size for each in zip(*((c.births_low, c.births_high) for c in claims), strict=True)
    )
    assert low <= truth["logged"] <= high
    assert high - low < 0.1


def test_a_train_has_no_more_than_a_birth_a_tick_however_much_is_unexplained() -> None:
    incident = Incident(8, span_s=40_000)
    incident.people(2_000)
    incident.prober("unlogged", 10, logged=False)
    births, around, truth = incident.build(logs=False)
    (claim,) = (claim for claim in attribute([births], around).claims if claim.creator == "unlogged")
    assert claim.births_low <= truth["unlogged"] * births.born_ms.size <= claim.births_high
    assert claim.births_high <= 40_000 / 10 + 0.01 * births.born_ms.size


def test_nobody_is_cleared_who_is_followed_by_a_birth_each_time_however_busy_it_is() -> None:
    test = CreationTest("a", 1, None, 81, 81, 0.94, 0.0, 0.0, 0.05, "untested")
    creation_tests._acquit(test, 0.0, 81, 81, 0.94, 0.01)
    assert test.outcome != "innocent"
    test = CreationTest("a", 1, None, 81, 70, 0.94, 0.0, 0.0, 0.05, "untested")
    creation_tests._acquit(test, 0.0, 81, 70, 0.94, 0.01)
    assert test.outcome == "innocent"


def test_a_login_is_not_cleared_by_the_page_that_its_client_asks_for_next() -> None:
    incident = Incident(31, lifetime_s=172_800.0)
    incident.people(200)
    at = np.cumsum(incident.random.uniform(12, 15, 6_000))
    robot = {"client": "10.0.0.8", "agent": "python-requests/2.31"}
    incident.requests("robot", at, path="/login", method="POST", creates=0.0, **robot)
    incident.requests(
        "robot", at + 0.2, path="/report", **robot
    )  # the last write of the session that the login started
    births, around, _ = incident.build()
    births = replace(births, derived=1.0)
    result = attribute([births], around)
    outcomes = {around.classes[t.class_id].path: t.outcome for t in result.tests if t.class_id is not None}
    assert outcomes["/login"] == "tied"
    assert outcomes["/report"] == "creates"


def test_pods_that_take_each_others_phase_at_a_rollout_are_all_in_the_log() -> None:
    incident = Incident(31, span_s=12_000, resolution_s=1.0)
    incident.people(300)
    middle = 6_004.0
    before, after = {"a": 1.2, "b": 4.9, "c": 8.1}, {"a": 8.1, "b": 3.3, "c": 6.4}
    for pod, phase in before.items():
        for half, at in ((phase, (0.0, middle)), (after[pod], (middle, 1e9))):
            incident.prober(
                "logged", 10, client=f"10.0.0.{ord(pod)}", phase_s=half, between=at, agent="kube-probe/1.24"
            )
    births, around, truth = incident.build()
    result = attribute([births], around)
    said = _shares(result, births)
    assert said["unlogged"] == 0.0
    assert said["visitor"] == pytest.approx(truth["logged"], abs=0.03)


@pytest.mark.parametrize("logged_in", [True, False])
def test_the_name_of_a_page_says_nothing_of_a_check_that_logs_in(logged_in: bool) -> None:
    incident = Incident(32, span_s=6_000, resolution_s=1.0)
    incident.people(200)
    incident.prober("logged", 5, client="10.0.0.1", agent="Blackbox Exporter/0.24.0", path="/status", status=200)
    births, around, _ = incident.build()
    births = replace(births, authenticated=incident.who == "logged" if logged_in else births.authenticated)
    largest = max(attribute([births], around).claims, key=lambda claim: claim.births)
    # In a log of seconds a check of five is at the ticks of any other of five by one chance in three.
    assert (largest.creator, largest.alternative) == (
        ("visitor", "a client that no log shows") if logged_in else ("unlogged", None)
    )


def test_a_health_endpoint_that_is_followed_now_and_then_is_not_accused_in_a_sample() -> None:
    incident = Incident(33, span_s=9_000, resolution_s=1.0)
    incident.people(100)
    incident.crawler("logged", 2_500, 1, agent="Googlebot/2.1")
    incident.prober("logged", 7, client="10.0.0.2", agent="kube-probe/1.27", path="/health", creates=0, status=200)
    incident.prober(
        "logged", 2, client="10.0.0.1", agent="HAProxy", path="/health", creates=0, status=200, drift_s=0.003
    )
    incident.visits = [(*one, at[incident.random.random(at.size) < 0.8]) for *one, at in incident.visits]  # type: ignore[misc]
    births, around, _ = incident.build()
    assert not any("HAProxy" in claim.user_agent for claim in attribute([births], around).claims)


def test_visits_after_the_store_was_read_clear_nobody() -> None:
    incident = Incident(34, span_s=20_000)
    incident.people(100)
    incident.crawler("logged", 2_000, 20)
    births, around, _ = incident.build()
    early = int(births.born_ms[0]) + 2_000_000
    seen = births.born_ms <= early
    read = replace(
        births, born_ms=births.born_ms[seen], authenticated=births.authenticated[seen], creator=births.creator[seen],
        total=int(seen.sum()), taken_ms=early,
    )  # fmt: skip
    tests = {test.class_id: test for test in attribute([read], around).tests}
    guilty = [one.class_id for one in around.classes if "Spider" in one.user_agent]
    assert guilty
    assert {tests[number].outcome for number in guilty} <= {"creates", "untested"}
    assert sum(tests[number].visits for number in guilty) < 400


@pytest.mark.parametrize(("seed", "meets"), [(35, True), (36, False)], ids=["its own log", "another day's"])
def test_a_log_whose_clock_is_hours_off_is_known_by_its_visits(seed: int, meets: bool) -> None:
    def happened(seed: int) -> Incident:
        incident = Incident(seed, span_s=4_000, resolution_s=1.0)
        incident.people(1_200)
        incident.crawler("logged", 1_500, 1)
        incident.prober("logged", 10)
        return incident

    births, _, _ = happened(35).build()
    _, around, _ = happened(seed).build(offset_s=7_200.0)
    assert clocks.meet([births], around) is meets


@pytest.mark.parametrize("resolution_s", [0.001, 1.0])
def test_load_balancers_whose_timers_drift_have_their_births(resolution_s: float) -> None:
    incident = Incident(37, span_s=30_000, resolution_s=resolution_s)
    incident.people(400)
    for node, drift_s in enumerate((0.004, 0.007)):
        incident.prober("logged", 10, client=f"10.0.0.{node}", agent="ELB-HealthChecker/2.0", path="/", drift_s=drift_s)
    births, around, truth = incident.build()
    result = attribute([births], around)
    said = _shares(result, births)
    assert said["visitor"] == pytest.approx(truth["logged"], abs=0.03)
    assert said["people"] == pytest.approx(truth["people"], abs=0.03)
    assert said["unlogged"] == 0.0


def test_births_at_whole_seconds_are_no_trains_of_chance() -> None:
    incident = Incident(38, span_s=20_000, birth_resolution_s=1.0)
    incident.people(900)
    incident.prober("unlogged", 30, logged=False)
    births, around, truth = incident.build()
    said = _shares(attribute([births], around), births)
    assert said["unlogged"] == pytest.approx(truth["unlogged"], abs=0.05)
    assert said["people"] == pytest.approx(truth["people"], abs=0.08)


def test_a_phase_that_another_pod_had_two_rollouts_ago_is_no_pod_more() -> None:
    incident = Incident(40, span_s=12_000)
    incident.people(200)
    for phases in ((1.2, 4.4, 7.7), (3.1, 6.0, 1.2)):
        for number, phase in enumerate(phases):
            between = (4_000.0 * number, 4_000.0 * (number + 1))
            incident.prober("unlogged", 10, logged=False, phase_s=phase, between=between)
    births, around, _ = incident.build()
    claims = [claim for claim in attribute([births], around).claims if claim.creator == "unlogged"]
    assert [claim.births for claim in claims] == pytest.approx([1_200, 1_200], rel=0.03)


def test_a_prober_that_paused_is_still_one() -> None:
    incident = Incident(41, span_s=12_000)
    incident.people(200)
    for between in ((0.0, 4_000.0), (8_000.0, 12_000.0)):
        incident.prober("unlogged", 10, logged=False, phase_s=1.2, between=between)
    births, around, _ = incident.build()
    (claim,) = [claim for claim in attribute([births], around).claims if claim.creator == "unlogged"]
    assert claim.births == pytest.approx(800, rel=0.05)


@pytest.mark.parametrize("apart_s", [0.024, 0.04])
def test_pods_whose_phases_nearly_meet_are_both_in_the_log(apart_s: float) -> None:
    incident = Incident(42, span_s=9_000, resolution_s=1.0, answer_s=0.02)
    incident.people(300)
    for pod, phase in enumerate((9.8, 9.8 + apart_s)):
        incident.prober("logged", 10, client=f"10.0.0.{pod}", phase_s=phase, agent="kube-probe/1.24")
    births, around, truth = incident.build()
    said = _shares(attribute([births], around), births)
    assert said["unlogged"] == 0.0
    assert said["visitor"] == pytest.approx(truth["logged"], abs=0.03)
