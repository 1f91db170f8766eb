from __future__ import annotations

from examine.cases import cleared, scene


def test_timeouts_in_the_application_log_are_counted_with_their_time() -> None:
    with scene() as s:
        s.source("app_log").case.execute(
            "INSERT INTO error_event VALUES ('e.log', TIMESTAMP '2019-05-24 18:00:00', 'RedisCommandTimeoutException', 7, 'slow'), ('e.log', NULL, 'NullPointerException', 9, NULL)"
        )
        (finding,) = s.examine().findings
    assert finding.slug == "latency/command-timeouts"
    assert "7 times, at 2019-05-24 18:00 UTC" in finding.title


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
        "sessions created: 20.0 a minute then, 1.0 in the hour before",
        "a: latency event fork 2 times, the longest 1,200 ms at 2019-05-24 12:01:30 UTC",
        "a: slow command KEYS once, 250 ms at 2019-05-24 12:02:59 UTC",
        "a: the server was started at 2019-05-24 12:04:20 UTC",
        "a: a dump was saved at 2019-05-24 12:01:00 UTC",
        "a: its memory was at 100% of maxmemory when it was read",
    ]


def test_slow_moments_at_other_times_are_said_to_be_elsewhere() -> None:
    with scene() as s:
        s.source("app_log", "redis").case.execute(
            "INSERT INTO error_event VALUES ('e.log', TIMESTAMP '2019-05-24 18:00:00', 'RedisCommandTimeoutException', 7, 'slow')"
        )
        s.rows("server_fact", {"store": "a", "name": "slowlog:8", "value": "2019-05-24T19:00:00Z 990000 us KEYS"})
        (finding,) = s.examine().findings
    assert [exhibit.title for exhibit in finding.supporting] == [
        "none of the 1 slow moments that the store has recorded lies in those minutes"
    ]


def test_an_application_log_without_such_errors_is_cleared() -> None:
    with scene() as s:
        s.source("app_log").case.execute(
            "INSERT INTO error_event VALUES ('e.log', NULL, 'NullPointerException', 9, NULL)"
        )
        assert "latency/command-timeouts" in cleared(s.examine())
