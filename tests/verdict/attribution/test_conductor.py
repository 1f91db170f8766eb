from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from necropsy.model.probe import Probe
from necropsy.verdict.attribution import attribute
from necropsy.verdict.evidence import Births, Circumstances, Claim
from verdict.incidents import BROWSERS, Incident
from verdict.scenes import (
    A1,
    A2,
    BACKENDS,
    DAY_MS,
    NOW_MS,
    births,
    comb,
    creator,
    dust,
    incident,
    probe,
    seen,
    visitors,
)


def _claims(stores: list[Births], around: Circumstances) -> list[Claim]:
    return attribute(stores, around).claims


def _by_target(claims: list[Claim]) -> dict[str, Claim]:
    return {claim.label: claim for claim in claims if claim.creator == "probe"}


def test_the_incident_names_its_four_targets_and_marks_the_two_that_no_log_shows() -> None:
    store = births(comb(4_200, seed=1), comb(7_100, seed=2), comb(2_900, seed=3), comb(9_400, seed=4), dust(300))
    claims = _claims([store], incident())
    targets = _by_target(claims)
    assert set(targets) == {f"{A1}:80", f"{A1}:8080", f"{A2}:80", f"{A2}:8080"}
    assert targets[f"{A1}:80"].in_access_log is True
    assert targets[f"{A2}:80"].in_access_log is True
    assert targets[f"{A1}:8080"].in_access_log is False
    assert targets[f"{A2}:8080"].in_access_log is False
    assert targets[f"{A1}:80"].phase_s == pytest.approx(4.2, abs=0.02)
    assert targets[f"{A2}:80"].phase_s == pytest.approx(7.1, abs=0.02)
    assert sum(claim.births for claim in targets.values()) == pytest.approx(4 * 8_640, rel=0.01)


def test_targets_of_another_store_are_not_blamed_for_this_one() -> None:
    claims = _claims([births(comb(1_400, seed=5), comb(6_000, seed=6))], incident())
    assert set(_by_target(claims)) == {"172.12.1.201:80", "172.12.1.201:8080"}


def test_claims_never_exceed_the_births() -> None:
    store = births(comb(4_200, seed=1), comb(4_203, seed=9), dust(500))
    assert sum(claim.births for claim in _claims([store], incident())) <= store.total


def test_a_comb_that_nothing_explains_is_unlogged() -> None:
    (claim,) = _claims([births(comb(4_200))], Circumstances(logs_given=True))
    assert (claim.creator, claim.in_access_log, claim.period_s) == ("unlogged", False, 10.0)


def test_without_any_log_nothing_is_said_about_logs() -> None:
    claims = _claims([births(comb(4_200))], Circumstances())
    assert [claim.in_access_log for claim in claims] == [None]


def test_a_health_check_of_another_phase_is_not_blamed() -> None:
    harmless = [visitors(0, "localhost", 8.2, path="/health", agent="Consul Health Check")]
    around = Circumstances(classes=harmless, visits=seen(comb(8_200, seed=7)), logs_given=True)
    result = attribute([births(comb(4_200))], around)
    assert [claim.creator for claim in result.claims] == ["unlogged"]
    assert [(test.outcome, test.followed) for test in result.tests] == [("innocent", 0)]


def test_a_configured_health_probe_is_blamed_where_the_log_shows_it_at_births_that_nobody_else_made() -> None:
    around = incident()
    healthy = [
        replace(probe, path="/health", url=probe.url + "health", health_path="/health") for probe in around.probes
    ]
    classes = [replace(known, path="/health") for known in around.classes]
    claims = _claims([births(comb(4_200, seed=1))], replace(around, probes=healthy, classes=classes))
    (claim,) = [claim for claim in claims if claim.creator == "probe"]
    assert (claim.probe_id is not None, claim.in_access_log) == (True, True)


def test_a_session_that_names_its_creator_is_believed_before_any_comb() -> None:
    named = (creator("Go-http-client/1.1", f"{A1}:8080"),)
    store = births(comb(4_200), creator=np.zeros(8_640, dtype=np.int64), creators=named)
    (claim,) = _claims([store], incident(classes=[], visits=None))
    assert (claim.evidence, claim.creator, claim.births) == ("named", "probe", 8_640)
    assert claim.probe_id is not None
    assert claim.period_s == 10.0


def test_of_two_probers_of_one_name_a_log_shows_the_one_whose_visits_are_at_the_births() -> None:
    logged, hidden = comb(4_200, seed=1), comb(7_100, seed=2)
    named = (creator("Go-http-client/1.1", A1),)  # the proxy's name and the upstream's are the same, without a port
    store = births(logged, hidden, creator=np.zeros(2 * 8_640, dtype=np.int64), creators=named)
    around = incident(classes=[visitors(0, f"{A1}:80", 4.2)], visits=seen(logged))
    targets = _by_target(_claims([store], around))
    assert {name: claim.in_access_log for name, claim in targets.items()} == {f"{A1}:80": True, f"{A1}:8080": False}
    assert targets[f"{A1}:80"].phase_s == pytest.approx(4.2, abs=0.02)


def test_a_creator_that_sessions_name_is_not_the_health_check_of_the_same_agent() -> None:
    named = (creator("Go-http-client/1.1", A1),)
    store = births(comb(4_200, seed=1), creator=np.zeros(8_640, dtype=np.int64), creators=named)
    check = visitors(0, A1, 8.2, path="/health")
    (claim,) = _claims([store], incident(classes=[check], visits=seen(comb(8_200, seed=7))))
    assert (claim.class_id, claim.in_access_log) == (None, False)


def test_births_of_the_time_that_spring_keeps_a_session_after_its_end_have_their_visits() -> None:
    ticks = comb(4_200, seed=1)[:120]  # the newest twenty minutes
    short = {"lifetime_s": 900.0, "taken_ms": int(ticks.max())}
    around = Circumstances(classes=[visitors(0, "", 4.2)], visits=seen(ticks), logs_given=True)
    for grace_s, followed in ((0.0, 91), (300.0, 120)):
        result = attribute([births(ticks, grace_s=grace_s, **short)], around)
        assert result.tests[0].visits == pytest.approx(followed, abs=1)


def test_an_error_dispatch_names_the_client_and_not_the_page() -> None:
    named = (replace(creator("Go-http-client/1.1", f"{A1}:8080"), path="/error"),)
    store = births(comb(4_200), creator=np.zeros(8_640, dtype=np.int64), creators=named)
    (claim,) = _claims([store], incident(classes=[], visits=None))
    assert (claim.creator, claim.label) == ("probe", f"{A1}:8080")


def test_nothing_to_attribute_is_no_claim() -> None:
    result = attribute([births(np.zeros(0, dtype=np.int64))], incident())
    assert result.claims == []
    assert [account.reason for account in result.accounts] == ["no session"]
    assert {test.outcome for test in result.tests} == {"untested"}


def test_no_target_is_blamed_in_two_stores() -> None:
    a = births(comb(4_200, seed=1), comb(7_100, seed=2), comb(2_900, seed=3), comb(9_400, seed=4))
    b = births(comb(1_400, seed=5), comb(6_000, seed=6), store="b")
    for around in (incident(), incident(classes=[], visits=None, logs_given=False)):
        claims = _claims([b, a], around)
        blamed = {store: {c.label for c in claims if c.store == store and c.creator == "probe"} for store in "ab"}
        assert blamed["b"] == {"172.12.1.201:80", "172.12.1.201:8080"}
        assert blamed["a"] == {f"{A1}:80", f"{A1}:8080", f"{A2}:80", f"{A2}:8080"}


def test_of_a_log_that_is_a_sample_a_prober_is_recognised_and_the_others_have_their_part() -> None:
    random = np.random.default_rng(8)
    ticks, check = comb(4_200, seed=1), comb(1_300, period_ms=15_000, count=5_760, seed=3)
    crawler = np.sort(dust(4_000, seed=5))
    kept = [part[random.random(part.size) < 0.6] for part in (ticks, check, crawler)]
    classes = [
        visitors(0, "", 4.2),
        visitors(1, "", 1.3, path="/health", agent="kube-probe/1.27"),
        visitors(2, "", None, path="/products/*", agent="Scrapy/2.8.0"),
    ]
    around = Circumstances(classes=classes, visits=seen(*kept), logs_given=True)
    claims = {claim.class_id: claim for claim in _claims([births(ticks, crawler)], around)}
    assert claims[0].births == pytest.approx(8_640, rel=0.02)
    assert claims[2].births == pytest.approx(4_000, rel=0.05)
    assert claims[2].births_low < 4_000 < claims[2].births_high


def test_a_prober_of_two_seconds_is_in_the_sampled_log_that_shows_half_of_its_visits() -> None:
    random = np.random.default_rng(8)
    ticks, check = comb(1_300, period_ms=2_000, count=3_000, seed=1), comb(1_900, period_ms=7_000, count=850, seed=3)
    kept = [part[random.random(part.size) < 0.5] for part in (ticks, check)]
    classes = [
        replace(visitors(0, "", 1.3), period_s=2.0),
        replace(visitors(1, "", 1.9, path="/health", agent="kube-probe/1.27"), period_s=7.0),
    ]
    around = Circumstances(classes=classes, visits=seen(*kept, resolution_s=1.0), logs_given=True)
    (claim,) = _claims([births(ticks)], around)
    assert (claim.creator, claim.in_access_log) == ("visitor", True)
    assert claim.births == pytest.approx(3_000, rel=0.02)


def test_a_target_that_its_own_check_calls_dead_is_named_where_a_proxy_answers_for_it() -> None:
    zombie = probe(A1, 80, service="gone", health="critical")
    around = Circumstances(probes=[zombie], backends=[BACKENDS[0]], idle=frozenset({0}))
    (claim,) = _claims([births(comb(4_200), dust(300))], around)
    assert (claim.creator, claim.label) == ("probe", f"{A1}:80")


def _follows_a_redirect(requests: int) -> list[Claim]:
    visits = comb(4_200, seed=1)
    store = births(visits, comb(4_212, seed=2), dust(300))
    curl = replace(visitors(0, "shop", 4.2, agent="curl/8.5.0"), requests=requests * 8_640)
    around = Circumstances(classes=[curl], visits=seen(visits), logs_given=True)
    return sorted(_claims([store], around), key=lambda claim: -claim.births)


def test_a_client_that_follows_a_redirect_without_a_cookie_makes_two_births_a_visit() -> None:
    curl = _follows_a_redirect(2)[0]
    assert (curl.creator, curl.in_access_log, curl.user_agent) == ("visitor", True, "curl/8.5.0")
    assert curl.births == pytest.approx(2 * 8_640, rel=0.02)
    assert curl.births_per_hour == pytest.approx(720, rel=0.03)


@pytest.mark.parametrize(("median_ms", "spread"), [(8, 0.9), (15, 0.9), (40, 0.6), (100, 0.6)])
def test_births_of_a_second_request_lie_partly_in_the_window_of_the_first(median_ms: int, spread: float) -> None:
    visits = comb(4_200, seed=1)
    second = visits + np.random.default_rng(7).lognormal(np.log(median_ms), spread, visits.size).astype(np.int64)
    curl = replace(visitors(0, "shop", 4.2, agent="curl/8.5.0"), requests=2 * 8_640)
    around = Circumstances(classes=[curl], visits=seen(visits), logs_given=True)
    (claim,) = _claims([births(visits, second, dust(300))], around)
    assert (claim.creator, claim.in_access_log) == ("visitor", True)
    assert claim.births == pytest.approx(2 * 8_640, rel=0.03)


def _late_second_request(requests: int, ends: int, probes: list[Probe]) -> list[Claim]:
    visits = comb(4_200, seed=1)
    second = visits[ends:] + np.random.default_rng(7).lognormal(np.log(400), 0.1, visits.size - ends).astype(np.int64)
    curl = replace(visitors(0, "shop", 4.2, agent="curl/8.5.0"), requests=requests * 8_640)
    around = Circumstances(
        classes=[curl], visits=seen(visits), logs_given=True, probes=probes, backends=BACKENDS if probes else []
    )
    return _claims([births(visits, second, dust(300))], around)


def test_a_second_request_from_another_continent_is_the_clients_own_and_said_to_be_doubtful() -> None:
    (claim,) = _late_second_request(2, 0, [])
    assert (claim.creator, claim.in_access_log) == ("visitor", True)
    assert claim.births == pytest.approx(2 * 8_640, rel=0.02)
    assert claim.births_low <= 8_700


@pytest.mark.parametrize(
    ("requests", "ends", "probes"), [(1, 0, []), (2, 3_000, []), (2, 0, [probe(A1, 8080)])]
)  # one request a visit; it ended long before; a target round the proxy is configured
def test_a_train_half_a_second_later_is_another_clients_where_something_says_so(
    requests: int, ends: int, probes: list[Probe]
) -> None:
    claims = _late_second_request(requests, ends, probes)
    assert [claim.in_access_log for claim in claims] == [True, False]


def test_a_visit_of_one_request_makes_one_birth() -> None:
    curl, other = _follows_a_redirect(1)[:2]
    assert {curl.creator, other.creator} == {"visitor", "unlogged"}
    assert curl.births == pytest.approx(8_640, rel=0.03)


@pytest.mark.parametrize("apart_ms", [3, 12, 15, 30])
def test_two_probers_a_few_milliseconds_apart_are_not_cut_into_pieces(apart_ms: int) -> None:
    store = births(comb(4_200, seed=1), comb(4_200 + apart_ms, seed=2), dust(300))
    claims = attribute([store], Circumstances()).claims
    assert [claim.period_s for claim in claims] == [10.0, 10.0]
    assert [claim.births for claim in claims] == pytest.approx([8_640, 8_640], rel=0.01)


@pytest.mark.parametrize(("requests", "share"), [(2, 1.0), (1, 0.5)])
def test_visits_without_a_rhythm_make_as_many_births_as_they_have_requests(requests: int, share: float) -> None:
    random = np.random.default_rng(3)
    visits = np.sort(NOW_MS - random.integers(0, DAY_MS, 2_000))
    followed = [visits + random.integers(2, 9, visits.size), visits + random.integers(11, 18, visits.size)]
    crawler = replace(visitors(0, "shop", None, agent="Scrapy/2.8.0"), visits=2_000, requests=requests * 2_000)
    around = Circumstances(classes=[crawler], visits=seen(visits), logs_given=True)
    made = {claim.creator: claim.births for claim in _claims([births(*followed)], around)}
    assert made["visitor"] == pytest.approx(share * 4_000, rel=0.05)


@pytest.mark.parametrize("apart_ms", [0, 3, 12, 20])
@pytest.mark.parametrize("when", [slice(3_000, None), slice(None, 3_000), slice(3_000, 6_000), slice(8_000, None)])
def test_a_target_of_nearly_the_same_phase_that_came_or_went_is_no_second_request(apart_ms: int, when: slice) -> None:
    whole, part = comb(4_200, seed=1), comb(4_200 + apart_ms, seed=2)[when]
    around = Circumstances(
        classes=[replace(visitors(0, "shop", 4.2), requests=2 * 8_640)], visits=seen(whole), logs_given=True
    )
    claims = _claims([births(whole, part, dust(200))], around)
    assert [(claim.creator, claim.in_access_log) for claim in claims] == [("visitor", True), ("unlogged", False)]
    assert claims[0].births == pytest.approx(8_640, rel=0.005)
    assert claims[1].births == pytest.approx(part.size, rel=0.02)


def test_pods_of_a_rollout_that_sessions_name_are_as_many_probers_as_run_at_a_time() -> None:
    pods = ["10.2.0.7:8080", "10.2.0.8:8080", "10.2.0.12:8080", "10.2.0.13:8080"]
    parts = [comb(phase, count=8_640)[part] for phase, part in zip(
        (4_200, 7_100, 2_900, 9_400), (slice(4_000, None), slice(4_000, None), slice(None, 3_990), slice(None, 3_990)),
        strict=True,
    )]  # fmt: skip
    whose = np.concatenate([np.full(part.size, number) for number, part in enumerate(parts)])
    order = np.argsort(np.concatenate(parts), kind="stable")
    store = births(
        *parts, creator=whose[order].astype(np.int32), creators=tuple(creator("kube-probe/1.27", host) for host in pods)
    )
    claims = _claims([store], Circumstances())
    assert [claim.births for claim in claims] == pytest.approx([8_630, 8_630], abs=5)
    assert {claim.label for claim in claims} == {f"kube-probe/1.27 GET {host}/" for host in pods[2:]}


def test_a_balancer_of_several_addresses_that_sessions_name_has_the_interval_of_the_log() -> None:
    random = np.random.default_rng(5)
    each = [NOW_MS - DAY_MS + np.cumsum(random.normal(30_006, 30, 2_878)).astype(np.int64) for _ in range(4)]
    classes = [
        replace(visitors(number, "10.1.2.3", 0.0, agent="ELB-HealthChecker/2.0"), period_s=30.006, phase_s=None)
        for number in range(4)
    ]
    store = births(
        *each, creator=np.zeros(4 * 2_878, np.int32), creators=(creator("ELB-HealthChecker/2.0", "10.1.2.3"),)
    )
    (claim,) = _claims([store], Circumstances(classes=classes, visits=seen(*each), logs_given=True))
    assert (claim.period_s, claim.clients, claim.in_access_log) == (30.0, 4, True)


def test_a_cron_job_is_in_a_log_whose_clock_is_a_second_off_and_that_nobody_else_is_in() -> None:
    ticks = comb(500, period_ms=300_000, count=288)
    cron = replace(visitors(0, "shop", None, path="/export", agent="Wget/1.21"), visits=288, period_s=300.0)
    around = Circumstances(classes=[cron], visits=seen(ticks - 1_400, resolution_s=1.0), logs_given=True)
    (claim,) = _claims([births(ticks)], around)
    assert (claim.creator, claim.in_access_log) == ("visitor", True)


def test_a_prober_that_a_log_shows_is_not_the_target_round_the_proxy() -> None:
    shown, hidden = comb(4_200, seed=1)[8_000:], comb(7_100, seed=2)  # the shown one ended
    around = Circumstances(
        probes=[probe(A1, 8080)],
        backends=BACKENDS,
        classes=[visitors(0, "", 4.3, visits=640)],
        visits=seen(shown),
        logs_given=True,
    )
    found = {claim.label: claim.in_access_log for claim in _claims([births(shown, hidden)], around)}
    assert found[f"{A1}:8080"] is False
    assert list(found.values()).count(True) == 1


@pytest.mark.parametrize(("host", "agent", "found"), [
    ("10.2.0.7", "kube-probe/1.27", "probe"), ("10.2.0.7:8080", "kube-probe/1.27", "probe"),
    ("10.2.0.7:8081", "kube-probe/1.27", "visitor"), ("10.2.0.7", "GoogleHC/1.0", "visitor"),
])  # fmt: skip
def test_a_log_that_names_hosts_without_ports_shows_a_kubelets_probe_of_any_port(
    host: str, agent: str, found: str
) -> None:
    kubelet = replace(
        probe("<address>", 8080),
        prober="kubelet/deployment/app/app/liveness",
        kind="kubelet",
        user_agents=("kube-probe/",),
    )
    ticks = comb(4_200, seed=1)
    around = Circumstances(
        probes=[kubelet], classes=[visitors(0, host, 4.2, agent=agent)], visits=seen(ticks), logs_given=True
    )
    (claim,) = _claims([births(ticks)], around)
    assert (claim.creator, claim.in_access_log) == (found, True)


@pytest.mark.parametrize("lost", [0, 3, 12])
def test_a_check_each_second_is_in_a_log_of_whole_seconds_that_lacks_a_few_of_its_lines(lost: int) -> None:
    ticks = comb(590, period_ms=1_000, count=3_000)
    kept = np.delete(ticks, np.random.default_rng(3).choice(ticks.size, lost, replace=False))
    check = replace(visitors(0, A1, None, agent=""), period_s=1.0, visits=kept.size)
    around = Circumstances(
        probes=[replace(probe(A1, 80), period_s=1.0)],
        classes=[check],
        visits=seen(kept, resolution_s=1.0),
        logs_given=True,
    )
    (claim,) = _claims([births(ticks)], around)
    assert (claim.creator, claim.in_access_log) == ("probe", True)


def test_many_versions_of_one_program_are_one_creator() -> None:
    scene = Incident(31, span_s=7_200.0, resolution_s=1.0)
    scene.people(60)
    random = scene.random
    for number in range(400):
        agent = f"Shop/4.{number % 9}.{number % 4} (Android {10 + number % 5}; okhttp/4.12.0)"
        at = random.uniform(0, scene.span_s, 3)
        scene.requests("app", at, client=f"91.2.{number // 250}.{number % 250}", agent=agent, path="/api/sync")
    births_, around, truth = scene.build()
    claims = [claim for claim in _claims([births_], around) if claim.creator == "visitor"]
    assert [claim.user_agent for claim in claims] == ["Shop/* (Android *; okhttp/*)"]
    assert sum(claim.births for claim in claims) / births_.total == pytest.approx(truth["app"], abs=0.03)
    assert claims[0].births_low >= 0.9 * claims[0].births


def test_few_versions_of_a_program_are_told_apart() -> None:
    scene = Incident(32, span_s=7_200.0)
    at = scene.random.uniform(0, scene.span_s, 600)
    scene.requests("old", at[:300], client="10.2.0.1", agent="python-requests/2.28.1", path="/")
    scene.requests("new", at[300:], client="10.2.0.2", agent="python-requests/2.32.3", path="/", creates=0)
    births_, around, _ = scene.build()
    claims = [claim for claim in _claims([births_], around) if claim.creator == "visitor"]
    assert [claim.user_agent for claim in claims] == ["python-requests/2.28.1"]


def test_a_program_at_many_addresses_is_tested_as_one() -> None:
    scene = Incident(33, span_s=7_200.0)
    scene.people(60)
    at = scene.random.uniform(0, scene.span_s, 900)
    scene.requests("guesser", at, client="77.2.0.1", agent="Hydra/9", path="/login", method="POST")
    births_, around, _ = scene.build()
    assert around.visits is not None
    # The same visits, from 300 addresses: three visits each.
    (whole,) = (one for one in around.classes if one.user_agent == "Hydra/9")
    number = around.visits.class_id.copy()
    mine = number == whole.class_id
    number[mine] = 1_000 + np.arange(900) % 300
    classes = [one for one in around.classes if one is not whole]
    classes += [replace(whole, class_id=1_000 + n, client=f"77.2.{n}.1", visits=3) for n in range(300)]
    result = attribute([births_], replace(around, classes=classes, visits=replace(around.visits, class_id=number)))
    (named,) = (claim for claim in result.claims if claim.creator == "visitor")
    tests = {test.class_id: test.outcome for test in result.tests}
    assert tests[named.class_id] == "creates"


def test_what_stands_for_a_program_was_there_when_the_sessions_that_are_left_were_born() -> None:
    scene = Incident(34, span_s=7_200.0, lifetime_s=1_800.0)
    scene.people(60)
    scene.requests(
        "sdk", scene.random.uniform(0, scene.span_s, 600), client="77.2.0.1", agent="sdk/2", path="/v1/events"
    )
    births_, around, _ = scene.build()
    kept = births_.born_ms >= (births_.taken_ms or 0) - 1_800_000
    columns = {name: getattr(births_, name)[kept] for name in ("born_ms", "authenticated", "creator")}
    births_ = replace(births_, total=int(kept.sum()), **columns)
    assert around.visits is not None
    (whole,) = (one for one in around.classes if one.user_agent == "sdk/2")
    number = around.visits.class_id.copy()
    mine = number == whole.class_id
    number[mine] = 1_000 + np.arange(600)
    classes = [replace(whole, class_id=1_000 + n, client=f"77.{n % 250}.{n}.1", visits=1) for n in range(600)]
    classes += [one for one in around.classes if one is not whole]
    result = attribute([births_], replace(around, classes=classes, visits=replace(around.visits, class_id=number)))
    (named,) = (claim for claim in result.claims if claim.creator == "visitor")
    tests = {test.class_id: test.outcome for test in result.tests}
    assert tests[named.class_id] == "creates"


def test_a_page_that_browsers_fetch_without_their_cookie_may_have_made_the_births_of_all_who_return() -> None:
    scene = Incident(35, span_s=28_800.0, lifetime_s=28_800.0)
    for number in range(560):
        client, agent = f"91.3.{number // 250}.{number % 250}", BROWSERS[number % len(BROWSERS)]
        begin = scene.random.uniform(0, scene.span_s)
        pages = begin + np.cumsum(scene.random.exponential(40, int(scene.random.integers(2, 7))) + 2)
        scene.requests("people", pages[:1], client=client, agent=agent, path="/")
        scene.requests("people", pages[1:], client=client, agent=agent, path="/products", creates=0)
        scene.requests("page", pages + 0.3, client=client, agent=agent, path="/manifest")
    births_, around, truth = scene.build()
    mine = [claim for claim in _claims([births_], around) if claim.creator == "visitor"]
    assert mine
    assert sum(claim.births_high for claim in mine) / births_.total >= truth["page"]
