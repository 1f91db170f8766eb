from __future__ import annotations

from dataclasses import replace

from examine.cases import scene, slugs
from examine.probe_cases import ASKED, again, only
from necropsy.model.finding import Severity


def test_two_targets_of_one_job_with_one_url_are_one_too_many_and_the_label_that_differs_is_named() -> None:
    twin = replace(ASKED, labels=(("team", "web"),))
    with scene() as s:
        finding = only("probes/duplicate-target", s.source("prometheus").probe(ASKED, twin))
        again(s, finding)
    assert finding.severity is Severity.WARNING
    assert "1 target too many" in finding.title
    assert finding.supporting[0].text == "team=web"


def test_an_unknown_address_is_not_the_same_address_twice() -> None:
    unknown = replace(ASKED, url="http://<address>:8080/", host="<address>")
    with scene() as s:
        assert "probes/duplicate-target" not in slugs(s.source("prometheus").probe(unknown, unknown).examine())
