from __future__ import annotations

from dataclasses import replace

import pytest

from necropsy.model.finding import Severity
from necropsy.model.probe import Backend

from .cases import HEALTHY_PROBE, PROBE, cleared, scene, slugs

PROXY = Backend("*", 80, "proxy", "live", access_log="access.log")


def test_clockwork_from_nobody_known_is_an_unlogged_creator() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.claim("unlogged", 60, period_s=10.0, phase_s=2.0, creation_probability=1.0, in_access_log=False)
        (finding,) = s.examine().findings
    assert finding.slug == "traffic/unlogged-creator"
    assert finding.share == 0.6


def test_a_bot_that_creates_many_sessions_is_named() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("visitor", 40, user_agent="EvilBot/1.0", evidence="visits")
        (finding,) = s.examine().findings
    assert finding.slug == "traffic/bot-creates-sessions"
    assert finding.primary is not None
    assert "EvilBot/1.0" in finding.primary.title


def test_a_bot_that_creates_few_is_not() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100).claim("visitor", 2, user_agent="Bot/1", evidence="visits")
        s.claim("people", 95).visitors(1, "Bot/1", "h")
        s.rows("birth_account", {"store": "a", "births": 100, "unknown": 0, "explained": 97, "covered": 100})
        assert slugs(s.examine()) == {"healthy"}


def test_immortal_sessions_are_counted_and_mortal_ones_cleared() -> None:
    with scene() as s:
        s.source("rdb").sessions(10, lifetime_s=2**31 - 1).sessions(30, lifetime_s=-1, expires_at=None)
        s.sessions(20).sessions(5, state="grace", lifetime_s=-1)
        findings = [f for f in s.examine().findings if f.slug == "sessions/immortal"]
        assert [s.case.rows(f.primary.query)[0]["count_star()"] for f in findings if f.primary] == [30, 10]
    never, long = findings
    assert (never.severity, never.share) == (Severity.WARNING, pytest.approx(30 / 65))
    assert (long.severity, long.share) == (Severity.INFO, None)
    with scene() as s:
        assert "sessions/immortal" in cleared(s.source("rdb").sessions(20).examine())
    with scene() as s:  # the default of Flask, 31 days, is no finding
        assert "sessions/immortal" in cleared(
            s.source("rdb").sessions(1, layout="flask", lifetime_s=31 * 86_400).examine()
        )


def test_sessions_that_are_over_and_whose_key_has_no_expiry_never_leave() -> None:
    with scene() as s:
        s.source("rdb").sessions(350).sessions(
            50, state="overdue", lifetime_s=3600, expires_at=None, layout="spring-reactive"
        )
        (finding,) = [f for f in s.examine().findings if f.slug == "sessions/immortal"]
    assert (finding.severity, finding.share) == (Severity.WARNING, pytest.approx(50 / 400))
    assert "50 of them are over" in finding.text
    assert "2464" in finding.text


@pytest.mark.parametrize(("layout", "setting"), [("express", "maxAge"), ("flask", "PERMANENT_SESSION_LIFETIME")])
def test_the_advice_names_the_setting_of_the_framework(layout: str, setting: str) -> None:
    with scene() as s:
        s.source("rdb").sessions(2000, layout=layout, lifetime_s=2**31 - 1)
        (finding,) = [f for f in s.examine().findings if f.slug == "sessions/immortal"]
    assert finding.severity == Severity.CRITICAL
    assert finding.remedy is not None
    assert setting in finding.remedy.text


@pytest.mark.parametrize(("without_expiry", "found"), [(1, True), (0, False)])
def test_index_entries_without_a_session_are_orphans_unless_the_index_expires(without_expiry: int, found: bool) -> None:
    with scene() as s:
        s.source("rdb").sessions(1)
        s.case.append(
            "key_family",
            [
                {
                    "store": "a",
                    "pattern": "ns:index:*",
                    "role": "index",
                    "keys": 1,
                    "bytes": 1,
                    "without_expiry": without_expiry,
                }
            ],
        )
        s.case.append(
            "index_entry", [{"store": "a", "family": "ns:index:*", "index": b"i", "id": b"%d" % n} for n in range(200)]
        )
        orphans = [f for f in s.examine().findings if f.slug == "sessions/orphaned-index"]
    assert bool(orphans) is found
    assert not found or "200 of 200" in orphans[0].title


def test_a_store_full_of_something_else_is_told_so() -> None:
    with scene() as s:
        s.source("rdb").case.append("key_family", [
            {"store": "a", "pattern": "cache:*", "type": "string", "role": "other", "keys": 10, "bytes": 9_000_000, "without_expiry": 10},
            {"store": "a", "pattern": "spring:*", "type": "hash", "role": "session", "keys": 10, "bytes": 1_000_000, "without_expiry": 0},
        ])  # fmt: skip
        (finding,) = s.examine().findings
    assert finding.slug == "memory/not-sessions"
    assert finding.title.startswith("90 %")


def test_a_probed_port_that_no_log_records_is_a_blind_spot() -> None:
    seen = replace(PROBE, url="http://10.0.0.1:80/", port=80)
    with scene() as s:
        s.source("prometheus", "access_log", "nginx").probe(PROBE, seen).backend(PROXY).visitors(
            0, "Go-http-client/1.1", "10.0.0.1:80"
        )
        findings = {f.slug: f for f in s.examine().findings}
    blind = findings["monitoring/log-blind-spot"]
    assert blind.primary is not None
    assert "http://10.0.0.1:8080/" in blind.primary.title
    assert not blind.supporting


def test_an_unlogged_health_endpoint_is_worth_knowing_and_no_warning() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).visitors(0, "Go-http-client/1.1", "10.0.0.1:80")
        examination = s.examine()
    (blind,) = (f for f in examination.findings if f.slug == "monitoring/log-blind-spot")
    assert blind.severity == "info"


def test_a_port_that_a_log_shows_is_no_blind_spot() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(PROBE).visitors(0, "Go-http-client/1.1", "10.0.0.1:8080")
        examination = s.examine()
    assert "monitoring/log-blind-spot" in cleared(examination)


def test_timeouts_in_the_application_log_are_counted_with_their_time() -> None:
    with scene() as s:
        s.source("app_log").case.execute(
            "INSERT INTO error_event VALUES ('e.log', TIMESTAMP '2019-05-24 18:00:00', 'RedisCommandTimeoutException', 7, 'slow'), ('e.log', NULL, 'NullPointerException', 9, NULL)"
        )
        (finding,) = s.examine().findings
    assert finding.slug == "latency/command-timeouts"
    assert "7 times, from 2019-05-24 18:00" in finding.title


def test_timeouts_are_lined_up_with_the_vital_signs_of_the_store() -> None:
    facts = {
        "latency-history:fork": "2019-05-24T11:00:00Z=900 2019-05-24T12:01:30Z=1200 2019-05-24T12:02:10Z=80 broken",
        "slowlog:7": "2019-05-24T12:02:59Z 250000 us KEYS",
        "slowlog:8": "2019-05-24T13:00:00Z 990000 us KEYS",
        "server-time": "2019-05-24T14:00:00+00:00",
        "uptime_in_seconds": "6940",
        "rdb_last_save_time": "1558699260",
        "used_memory": "1020",
        "maxmemory": "1024",
    }
    with scene() as s:
        s.source("app_log", "redis").case.execute(
            "INSERT INTO error_event VALUES ('e.log', TIMESTAMP '2019-05-24 12:01:00', 'RedisCommandTimeoutException', 7, 'slow'),"
            " ('e.log', TIMESTAMP '2019-05-24 12:02:00', 'RedisCommandTimeoutException', 2, 'slow')"
        )
        s.rows("server_fact", *({"store": "a", "name": name, "value": value} for name, value in facts.items()))
        s.sessions(100)  # one a second from noon on
        found = {finding.slug: finding for finding in s.examine().findings}
    assert [exhibit.title for exhibit in found["latency/command-timeouts"].supporting] == [
        "sessions born: 20.0 a minute then, 1.0 in the hour before",
        "a: latency event fork 2 times, the longest 1,200 ms at 2019-05-24 12:01:30 UTC",
        "a: slow command KEYS once, 250 ms at 2019-05-24 12:02:59 UTC",
        "a: the server was started at 2019-05-24 12:04:20 UTC",
        "a: a dump was saved at 2019-05-24 12:01:00 UTC",
        "a: its memory was at 100% of maxmemory when it was asked",
    ]


def test_slow_moments_at_other_times_are_said_to_be_elsewhere() -> None:
    with scene() as s:
        s.source("app_log", "redis").case.execute(
            "INSERT INTO error_event VALUES ('e.log', TIMESTAMP '2019-05-24 18:00:00', 'RedisCommandTimeoutException', 7, 'slow')"
        )
        s.rows("server_fact", {"store": "a", "name": "slowlog:8", "value": "2019-05-24T19:00:00Z 990000 us KEYS"})
        (finding,) = s.examine().findings
    assert [exhibit.title for exhibit in finding.supporting] == [
        "none of the 1 slow moments that the store remembers lies in those minutes"
    ]


def test_an_application_log_without_such_errors_is_cleared() -> None:
    with scene() as s:
        s.source("app_log").case.execute(
            "INSERT INTO error_event VALUES ('e.log', NULL, 'NullPointerException', 9, NULL)"
        )
        assert "latency/command-timeouts" in cleared(s.examine())
