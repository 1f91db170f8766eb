"""The two logs of the real incident."""

from __future__ import annotations

from datetime import UTC, datetime

from .conftest import ASSETS


def test_the_redirected_prober_is_one_visit_of_two_requests_every_ten_seconds(reading) -> None:
    read = reading([ASSETS / "nginx_json_prober_is_redirected.log"])
    prober = read.case.rows("SELECT * FROM visitor_class WHERE user_agent LIKE 'Go-http-client%'")
    assert len(prober) == 1
    row = prober[0]
    assert (row["host"], row["method"], row["path"], row["status"]) == ("172.12.1.189:80", "GET", "/", 302)
    assert (row["followed_to"], row["visits"], row["requests"]) == ("/login", 6, 12)
    assert (row["period_s"], row["coverage"], row["client"]) == (10.0, 1.0, "")
    assert row["phase_s"] == 4.5  # whole seconds, :34, :44 …: any moment of that second
    assert 0.25 < row["phase_spread_s"] < 0.35


def test_everyone_else_asks_health_and_is_told_apart(reading) -> None:
    read = reading([ASSETS / "nginx_json_prober_is_redirected.log"])
    assert sorted(read.classes("user_agent, host, path, status, followed_to, visits")) == [
        ("Consul Health Check", "localhost", "/health", 200, None, 5),
        ("ELB-HealthChecker/2.0", "172.12.1.189", "/health", 200, None, 4),
        ("Go-http-client/1.1", "172.12.1.189:80", "/", 302, "/login", 6),
    ]


def test_after_the_fix_the_prober_asks_health(reading) -> None:
    read = reading([ASSETS / "nginx_json_prober_asks_health.log"])
    prober = read.case.rows("SELECT path, status, period_s, phase_s FROM visitor_class WHERE user_agent LIKE 'Go-%'")
    assert prober == [{"path": "/health", "status": 200, "period_s": 10.0, "phase_s": 4.5}]


def test_what_was_read_is_said_aloud(reading) -> None:
    path = ASSETS / "nginx_json_prober_is_redirected.log"
    log = reading([path]).log
    (source,) = log.sources
    assert source.note == (
        "JSON: time=@timestamp, client=remote_addr, request=request, host=host, status=status,"
        " user agent=http_user_agent, referer=http_referrer"
    )
    assert source.size == path.stat().st_size
    assert len(source.sha256 or "") == 64
    assert source.taken_at == log.last_at == datetime(2019, 5, 24, 18, 42, 24, tzinfo=UTC)
    assert log.first_at == datetime(2019, 5, 24, 18, 41, 32, tzinfo=UTC)
    assert (log.requests, log.absent, log.blemishes) == (21, [], [])


def test_two_logs_are_two_logs_and_their_classes_are_numbered_on(reading) -> None:
    read = reading([ASSETS / "nginx_json_prober_is_redirected.log", ASSETS / "nginx_json_prober_asks_health.log"])
    assert read.log.requests == 33
    assert [row[0] for row in read.classes("class_id")] == list(range(6))
    assert len({row[0] for row in read.classes("log")}) == 2


def test_bins_add_up_to_the_visits_of_each_class(reading) -> None:
    read = reading([ASSETS / "nginx_json_prober_is_redirected.log", ASSETS / "nginx_json_prober_asks_health.log"])
    assert (
        read.case.rows(
            "SELECT class_id FROM visitor_class LEFT JOIN (SELECT class_id, sum(visits) AS binned FROM visit_bin GROUP BY ALL)"
            " USING (class_id) WHERE binned IS DISTINCT FROM visits"
        )
        == []
    )
    assert read.case.value("SELECT count(*) FROM visit_bin WHERE second(bin) <> 0") == 0
