"""The examiners of this area that ask a live server: max-clients, persistence-stall, slow-commands."""

from __future__ import annotations

import pytest

from examine.cases import cleared, scene
from necropsy.examine.interface import Examination
from necropsy.model.finding import Finding, Severity


def examined(**facts: object) -> Examination:
    with scene() as s:
        return s.source("redis").sessions(50).facts(**facts).examine()


def found(said: Examination, slug: str) -> Finding | None:
    return next((f for f in said.findings if f.slug == slug), None)


def test_a_server_without_a_free_connection_is_an_outage() -> None:
    finding = found(examined(connected_clients=99, maxclients=100, rejected_connections=7), "latency/max-clients")
    assert finding is not None
    assert (finding.severity, finding.title) == (Severity.CRITICAL, "Store a has no connection left: 99 of 100")


def test_refusals_of_the_past_are_a_warning_and_none_are_clear() -> None:
    finding = found(examined(connected_clients=5, maxclients=100, rejected_connections=7), "latency/max-clients")
    assert finding is not None
    assert (finding.severity, finding.title) == (Severity.WARNING, "Store a has refused 7 connections (maxclients 100)")
    said = examined(connected_clients=5, maxclients=100, rejected_connections=0)
    assert "none was ever refused" in cleared(said)["latency/max-clients"]


@pytest.mark.parametrize(("stops", "severity"), [("yes", Severity.CRITICAL), ("no", Severity.WARNING)])
def test_a_failed_save_forbids_writing_unless_it_was_told_not_to(stops: str, severity: Severity) -> None:
    said = examined(rdb_last_bgsave_status="err", config__stop_writes_on_bgsave_error=stops, config__save="60 1")
    finding = found(said, "latency/persistence-stall")
    assert finding is not None
    assert finding.severity is severity
    assert ("MISCONF" in finding.title) is (stops == "yes")


def test_a_long_fork_is_told_and_a_short_one_is_clear() -> None:
    finding = found(examined(rdb_last_bgsave_status="ok", latest_fork_usec=900_000), "latency/persistence-stall")
    assert finding is not None
    assert "900 ms" in finding.title
    said = examined(rdb_last_bgsave_status="ok", latest_fork_usec=900)
    assert "latency/persistence-stall" in cleared(said)


def test_slow_commands_are_named_with_their_time() -> None:
    slow = {"slowlog__7": "2019-05-24T12:02:59Z 250000 us KEYS", "slowlog__8": "2019-05-24T12:03:59Z 90 us GET"}
    finding = found(examined(**slow, **{"slowlog-length": 2}), "latency/slow-commands")
    assert finding is not None
    assert finding.title == "1 slow command in store a: KEYS stopped it for 250 ms at 2019-05-24T12:02:59Z"


def test_a_slow_log_that_is_off_shows_nothing() -> None:
    said = examined(**{"slowlog-length": 0}, config__slowlog_log_slower_than=-1)
    assert "latency/slow-commands" not in cleared(said)
    assert any(u.slug == "latency/slow-commands" for u in said.unexamined)
    assert "latency/slow-commands" in cleared(examined(**{"slowlog-length": 0}))
