from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from statistics import mean, pstdev

from necropsy.lab.events import ActorTraces
from necropsy.lab.machines import health_checks, milliseconds, probe
from necropsy.lab.story import ADMIN_A, BLACKBOX, NAMED, NOW, AppPort, StoryMachine

DAY = (NOW - timedelta(days=1), NOW)
A1 = ADMIN_A.servers[0]
PROXY, APPLICATION, IDLE = A1.targets


def _asked(target: AppPort, *, server: StoryMachine = A1, knows_health: bool = False) -> ActorTraces:
    prober = replace(BLACKBOX, knows_health=knows_health)
    return probe(prober, ADMIN_A, server, target, DAY, random.Random(1))


def test_a_day_of_one_probe_every_ten_seconds_is_8640_sessions() -> None:
    assert len(_asked(PROXY).sessions) == 8_640
    assert len({session.id for session in _asked(PROXY).sessions}) == 8_640


def test_births_come_a_few_milliseconds_after_the_phase_of_the_target() -> None:
    late = [(session.created_ms - PROXY.phase_ms) % 10_000 for session in _asked(PROXY).sessions]
    assert 3 < mean(late) < 8
    assert pstdev(late) < 3
    assert max(late) < 40


def test_a_probe_uses_its_session_twice_within_a_blink_and_never_again() -> None:
    for session in _asked(APPLICATION).sessions:
        assert 0 < session.accessed_ms - session.created_ms < 100
        assert 0 <= session.written_ms - session.accessed_ms < 100
        assert session.principal is None
        assert session.attributes == ()


def test_nginx_sees_both_hops_of_a_probe_of_its_own_port() -> None:
    requests = _asked(PROXY).requests["a1"]
    assert len(requests) == 2 * 8_640
    first, second = requests[:2]
    assert (first.host, first.line, first.status) == ("172.12.1.189:80", "GET / HTTP/1.1", 302)
    assert (second.host, second.line, second.status) == ("172.12.1.189", "GET /login HTTP/1.1", 200)
    assert second.referrer == "http://172.12.1.189:80"


def test_a_probe_of_the_application_port_is_in_no_log() -> None:
    assert _asked(APPLICATION).requests == {}


def test_a_port_where_nothing_listens_makes_nothing() -> None:
    assert _asked(IDLE) == ActorTraces()


def test_after_the_fix_the_same_probe_asks_for_health_and_makes_nothing() -> None:
    server = replace(A1, fixed_at=NOW - timedelta(hours=6))
    trace = _asked(PROXY, server=server, knows_health=True)
    assert len(trace.sessions) == 8_640 * 18 // 24
    assert max(session.created_ms for session in trace.sessions) < milliseconds(NOW - timedelta(hours=6)) + 100
    paths = Counter(request.line.split(" ")[1] for request in trace.requests["a1"])
    assert paths == {"/": 6_480, "/login": 6_480, "/health": 2_160}


def test_a_fix_that_the_prober_does_not_know_of_changes_nothing() -> None:
    server = replace(A1, fixed_at=NOW - timedelta(hours=6))
    assert _asked(PROXY, server=server).sessions == _asked(PROXY).sessions


def test_sessions_that_save_the_request_name_their_creator() -> None:
    assert NAMED.prober is not None
    trace = probe(NAMED.prober, NAMED.admins[0], A1, APPLICATION, DAY, random.Random(1))
    ((name, value),) = trace.sessions[0].attributes
    assert name == "SPRING_SECURITY_SAVED_REQUEST"
    assert b"kube-probe/1.14" in value
    assert b"172.12.1.189:8080" in value


def test_health_checks_drift_against_the_clock_and_make_no_session() -> None:
    trace = health_checks(A1, DAY, random.Random(1))
    consul = [request.ended_ms for request in trace.requests["a1"] if request.host == "localhost"]
    balancer = [request for request in trace.requests["a1"] if request.user_agent == "ELB-HealthChecker/2.0"]
    assert trace.sessions == []
    assert 8_600 < len(consul) < 8_640
    assert 5_700 < len(balancer) <= 5_760
    assert consul[-1] - consul[0] > 10_000 * (len(consul) - 1) + 5_000
    assert {request.line for request in trace.requests["a1"]} == {"GET /health HTTP/1.1"}
