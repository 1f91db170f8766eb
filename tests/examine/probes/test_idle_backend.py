from __future__ import annotations

from dataclasses import replace

import pytest

from examine.cases import scene, slugs
from examine.probe_cases import ASKED, IDLE, again, only
from necropsy.model.finding import Severity


def test_a_probe_of_a_port_out_of_use_is_idle_and_the_proxy_s_line_says_so() -> None:
    with scene() as s:
        finding = only("probes/idle-backend", s.source("prometheus", "nginx").probe(ASKED).backend(IDLE))
        again(s, finding)
    assert "port 8080" in finding.title
    assert finding.primary is not None
    assert finding.primary.text == "nginx.conf:12: out of use in upstream admin"


@pytest.mark.parametrize(
    ("health", "severity"), [("passing", Severity.WARNING), (None, Severity.WARNING), ("critical", Severity.INFO)]
)
def test_an_idle_port_that_does_not_answer_costs_no_sessions(health: str | None, severity: Severity) -> None:
    with scene() as s:
        s.source("prometheus", "nginx").probe(replace(ASKED, health=health)).backend(IDLE)
        assert only("probes/idle-backend", s).severity is severity


def test_a_port_that_is_live_in_another_upstream_is_not_idle() -> None:
    with scene() as s:
        s.source("prometheus", "nginx").probe(ASKED).backend(IDLE, replace(IDLE, state="live", upstream="other"))
        assert "probes/idle-backend" not in slugs(s.examine())


def test_without_the_proxy_s_configuration_nothing_is_said_of_idle_ports() -> None:
    with scene() as s:
        examination = s.source("prometheus").probe(ASKED).examine()
    assert "probes/idle-backend" in {entry.slug for entry in examination.unexamined}
