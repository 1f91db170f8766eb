from __future__ import annotations

from examine.cases import scene, slugs
from examine.probe_cases import LOST, again, only
from necropsy.model.evidence import Origin
from necropsy.model.finding import Severity


def test_a_timeout_that_relabelling_made_too_long_loses_targets() -> None:
    reason = 'scrape timeout cannot be greater than scrape interval ("30s" > "10s")'
    with scene() as s:
        s.source("prometheus").rows("dropped_target", {**LOST, "reason": reason})
        finding = only("probes/timeout-exceeds-interval", s)
        again(s, finding)
        assert "probes/dropped-target" not in slugs(s.examine())
    assert finding.severity is Severity.WARNING


def test_a_configuration_that_prometheus_refuses_for_its_timeout_is_critical_and_has_its_line() -> None:
    reason = 'prometheus.yml:7: scrape timeout greater than scrape interval for scrape config with job name "web"'
    with scene() as s:
        s.source("prometheus").rows(
            "absence", {"kind": "configuration", "locator": "prometheus.yml:7", "reason": reason, "hint": ""}
        )
        finding = only("probes/timeout-exceeds-interval", s)
        again(s, finding)
    assert finding.severity is Severity.CRITICAL
    assert finding.primary is not None
    assert finding.primary.origin == Origin("prometheus.yml", 7, "scrape_timeout")
