"""Probes, instances and rules that the tests of several examiners of configuration share."""

from __future__ import annotations

from dataclasses import replace

from examine.cases import PROBE, Scene
from necropsy.model.evidence import Origin
from necropsy.model.finding import Finding
from necropsy.model.probe import UpstreamPort

JOB = Origin("prometheus.yml", 4, "job blackbox_exporter_http")

ASKED = replace(PROBE, origin=(*PROBE.origin, JOB), service="admin", instance="Server:8080")

RULE = {
    "prober": "prometheus/web",
    "file": "prometheus.yml",
    "line": 9,
    "action": "keep",
    "what": "keeps targets whose __meta_consul_tag matches web",
    "reached": 3,
    "matched": 0,
}


def only(slug: str, s: Scene) -> Finding:
    (finding,) = [finding for finding in s.examine().findings if finding.slug == slug]
    return finding


def again(s: Scene, finding: Finding) -> None:
    """Every query of a finding runs."""
    for exhibit in (finding.primary, *finding.supporting):
        assert exhibit is not None
        s.case.rows(exhibit.query)


IDLE = UpstreamPort("127.0.0.1", 8080, "upstream", "idle", upstream="admin", origin=Origin("nginx.conf", 12))

LOST = {"prober": "prometheus/web", "address": "10.0.0.1:80", "file": "services.json", "line": 4}
