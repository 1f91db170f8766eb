from __future__ import annotations

from examine.cases import cleared
from examine.live_cases import examined, found
from necropsy.model.finding import Severity


def test_a_server_without_a_free_connection_is_an_outage() -> None:
    finding = found(examined(connected_clients=99, maxclients=100, rejected_connections=7), "latency/max-clients")
    assert finding is not None
    assert (finding.severity, finding.title) == (Severity.CRITICAL, "Store a has no connection left: 99 of 100")


def test_refusals_of_the_past_are_a_warning_and_none_are_clear() -> None:
    finding = found(examined(connected_clients=5, maxclients=100, rejected_connections=7), "latency/max-clients")
    assert finding is not None
    assert (finding.severity, finding.title) == (Severity.WARNING, "Store a has refused 7 connections (maxclients 100)")
    said = examined(connected_clients=5, maxclients=100, rejected_connections=0)
    assert "none refused" in cleared(said)["latency/max-clients"]
