from __future__ import annotations

from dataclasses import replace

from examine.cases import cleared, scene, slugs
from examine.probe_cases import ASKED, IDLE, again, only
from necropsy.model.finding import Confidence, Severity

INSTANCE = {
    "service": "admin",
    "instance": "Server:8080",
    "node": "admin-1",
    "address": "10.0.0.1:8080",
    "port": 8080,
    "health": "passing",
    "node_health": "passing",
    "file": "services.json",
    "line": 3,
}


def test_an_instance_on_a_dead_node_is_a_zombie_and_still_probed() -> None:
    with scene() as s:
        s.source("prometheus", "consul").probe(ASKED).rows("service_instance", {**INSTANCE, "node_health": "critical"})
        finding = only("probes/zombie-service", s)
        again(s, finding)
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.HIGH)
    assert "still probed" in finding.title
    assert finding.remedy is not None
    assert "force-leave -prune admin-1" in finding.remedy.text


def test_of_two_registrations_of_one_address_the_dead_one_is_the_zombie() -> None:
    old = {**INSTANCE, "node": "admin-1-old", "node_health": "critical", "health": "critical"}
    with scene() as s:
        finding = only("probes/zombie-service", s.source("consul").rows("service_instance", INSTANCE, old))
    assert not finding.supporting
    assert finding.primary is not None
    assert finding.primary.text == "its node admin-1-old is critical"


def test_a_critical_instance_on_a_port_that_the_proxy_knows_is_an_outage_and_no_zombie() -> None:
    critical = {**INSTANCE, "health": "critical"}
    with scene() as s:
        s.source("consul", "nginx").rows("service_instance", critical).backend(replace(IDLE, state="live"))
        assert "probes/zombie-service" not in slugs(s.examine())


def test_a_critical_instance_on_a_port_that_the_proxy_does_not_know_is_a_zombie() -> None:
    critical = {**INSTANCE, "health": "critical", "port": 9999, "address": "10.0.0.1:9999"}
    with scene() as s:
        s.source("consul", "nginx").rows("service_instance", critical).backend(replace(IDLE, state="live"))
        finding = only("probes/zombie-service", s)
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)


def test_living_nodes_are_cleared() -> None:
    with scene() as s:
        examination = s.source("consul").rows("service_instance", INSTANCE).examine()
    assert cleared(examination)["probes/zombie-service"] == "1 registered instance, all on nodes that are alive"
