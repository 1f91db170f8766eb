from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from functools import cache

import pytest

from necropsy.lab.events import ActorTraces
from necropsy.lab.machines import milliseconds
from necropsy.lab.people import bot, people, principals
from necropsy.lab.story import ADMIN_A, CRAWLED, HEALTHY, NAMED, NOW

SPAN = (NOW - timedelta(days=4), NOW)


@cache
def _lived() -> ActorTraces:
    return people(ADMIN_A, SPAN, random.Random(1))


def test_everybody_has_a_name_of_her_own() -> None:
    assert len(set(principals(500))) == 500
    with pytest.raises(ValueError, match="only 500 people have names"):
        principals(501)


def test_the_same_dice_give_the_same_days() -> None:
    assert people(ADMIN_A, SPAN, random.Random(1)) == _lived()
    assert people(ADMIN_A, SPAN, random.Random(2)) != _lived()


def test_most_sessions_of_people_are_logged_in_and_some_are_not() -> None:
    sessions = _lived().sessions
    known = [session for session in sessions if session.principal is not None]
    assert 0.5 < len(known) / len(sessions) < 0.95
    assert all(session.former_id and session.former_id != session.id for session in known)
    assert len({session.id for session in sessions}) == len(sessions)


def test_a_session_is_used_between_its_birth_and_the_end() -> None:
    for session in _lived().sessions:
        assert milliseconds(SPAN[0]) < session.created_ms <= session.accessed_ms <= session.written_ms
        assert session.written_ms <= milliseconds(NOW)


def test_some_sessions_are_older_than_a_day_when_they_are_used_last() -> None:
    """A browser was left open overnight: its session was not born in the log's window."""
    assert any(session.accessed_ms - session.created_ms > 12 * 3_600_000 for session in _lived().sessions)


def test_people_work_by_day_and_not_by_clockwork() -> None:
    births = sorted(session.created_ms for session in _lived().sessions)
    hours = Counter(at // 3_600_000 % 24 for at in births)
    assert sum(hours[hour] for hour in range(5, 17)) > 0.8 * len(births)
    phases = Counter(at % 10_000 // 1_000 for at in births)
    assert max(phases.values()) < 0.25 * len(births)


def test_no_request_tells_who_asks() -> None:
    for requests in _lived().requests.values():
        assert not any("@" in request.line or "@" in request.referrer for request in requests)


def test_careless_links_carry_a_user_name_in_their_query() -> None:
    trace = people(HEALTHY.admins[0], SPAN, random.Random(1))
    lines = [request.line for requests in trace.requests.values() for request in requests]
    assert any("?user=principal-" in line for line in lines)


def test_requests_fail_only_while_redis_hangs() -> None:
    lived = _lived()
    failed = [r.ended_ms for requests in lived.requests.values() for r in requests if r.status == 500]
    assert failed
    assert sorted(failed) == sorted(at for times in lived.failures.values() for at in times)
    assert min(failed) > milliseconds(NOW - timedelta(hours=10))


def test_a_login_empties_the_saved_request_and_a_passer_by_keeps_his() -> None:
    trace = people(NAMED.admins[0], SPAN, random.Random(1))
    for session in trace.sessions:
        saved = dict(session.attributes)["SPRING_SECURITY_SAVED_REQUEST"]
        assert (saved == b"") == (session.principal is not None)


def test_a_crawler_comes_at_random_times_and_makes_a_session_each_time() -> None:
    assert CRAWLED.bot is not None
    trace = bot(CRAWLED.bot, ADMIN_A, (NOW - timedelta(days=1), NOW), random.Random(1))
    requests = [request for requests in trace.requests.values() for request in requests]
    assert len(requests) == 2 * len(trace.sessions)
    assert abs(len(trace.sessions) - 14_000) < 1_400
    phases = Counter(session.created_ms % 10_000 // 500 for session in trace.sessions)
    assert max(phases.values()) < 1.2 * min(phases.values())
