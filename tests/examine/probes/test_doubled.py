from __future__ import annotations

from dataclasses import replace

import pytest

from examine.cases import HEALTHY_PROBE, PROBE, scene, slugs
from examine.probe_cases import ASKED, JOB, again, only
from necropsy.model.evidence import Origin
from necropsy.model.finding import Severity
from necropsy.model.probe import Probe


def test_the_localhost_of_two_machines_is_not_one_machine() -> None:
    check = replace(PROBE, prober="consul/a", kind="consul-check", url="http://localhost/health", host="localhost")
    with scene() as s:
        assert "probes/doubled" not in slugs(
            s.source("consul").probe(check, replace(check, prober="consul/b")).examine()
        )


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, origin=(Origin("replica.yml", 4, "job blackbox_exporter_http"),)),
        replace(ASKED, prober="prometheus/copy", origin=(Origin("prometheus.yml", 30, "job copy"),)),
    ],
    ids=["replica", "copied job"],
)
def test_two_servers_or_two_jobs_that_ask_for_one_url_double_it(other: Probe) -> None:
    with scene() as s:
        finding = only("probes/doubled", s.source("prometheus").probe(ASKED, other))
        again(s, finding)
        assert "probes/duplicate-target" not in slugs(s.examine())
    assert "17,280 requests a day" in finding.title
    assert finding.severity is Severity.WARNING


def test_doubled_health_checks_are_worth_a_note_and_no_more() -> None:
    one = replace(HEALTHY_PROBE, origin=(JOB,))
    with scene() as s:
        s.source("prometheus").probe(
            one, replace(one, prober="prometheus/copy", origin=(Origin("p.yml", 3, "job copy"),))
        )
        assert only("probes/doubled", s).severity is Severity.INFO
