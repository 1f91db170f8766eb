from __future__ import annotations

from dataclasses import replace

import pytest

from examine.cases import PROBE, cleared, scene, slugs
from necropsy.model.finding import Confidence


def test_an_address_without_a_path_is_the_wrong_path_when_the_service_knows_a_better_one() -> None:
    with scene() as s:
        (finding,) = s.source("prometheus").probe(PROBE).examine().findings
    assert finding.slug == "probes/wrong-path"
    assert "not /health" in finding.title
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize("path", ["/health", "/healthz", "/actuator/health", "/-/healthy", "/_health", "/ready.txt"])
def test_health_endpoints_are_right(path: str) -> None:
    with scene() as s:
        examination = s.source("prometheus").probe(replace(PROBE, path=path, health_path=None)).examine()
    assert slugs(examination) == set()
    assert "probes/wrong-path" in cleared(examination)


def test_a_path_whose_name_says_nothing_is_doubted_with_medium_confidence() -> None:
    with scene() as s:
        examination = s.source("prometheus").probe(replace(PROBE, path="/leader", health_path=None)).examine()
    assert [f.confidence for f in examination.findings] == [Confidence.MEDIUM]


@pytest.mark.parametrize("kind", ["kubelet-http", "compose-http", "haproxy-http", "elb-http", "consul-check"])
@pytest.mark.parametrize(
    ("path", "is_wrong"),
    [("/", True), ("/login", True), ("/shop/index.php", True), ("/leader", False), ("/livez", False)],
)
def test_every_prober_that_asks_for_a_page_is_named_with_its_line(kind: str, path: str, is_wrong: bool) -> None:
    prober = kind.partition("-")[0]
    probe = replace(PROBE, prober=f"{prober}/shop", kind=kind, path=path, health_path=None)
    with scene() as s:
        found = [f for f in s.source("prometheus").probe(probe).examine().findings if f.slug == "probes/wrong-path"]
    assert [f.primary.origin for f in found if f.primary] == [PROBE.origin[0]] * is_wrong
    assert all(f.remedy and prober in f.remedy.title for f in found)


def test_a_probe_that_speaks_no_http_is_not_judged_by_its_path() -> None:
    tcp = replace(PROBE, kind="blackbox-tcp", creates_sessions=False, harmless_because="TCP")
    with scene() as s:
        assert slugs(s.source("prometheus").probe(tcp).examine()) == set()
