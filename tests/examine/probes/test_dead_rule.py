from __future__ import annotations

import pytest

from examine.cases import scene, slugs
from examine.probe_cases import RULE, again, only
from necropsy.model.finding import Confidence, Severity


def test_a_misspelt_label_that_drops_everything_is_named_with_the_one_that_was_meant() -> None:
    rule = {**RULE, "absent_label": "__meta_consul_tag", "alike": "__meta_consul_tags"}
    with scene() as s:
        finding = only("probes/dead-rule", s.source("prometheus").rows("relabel_rule", rule))
        again(s, finding)
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.HIGH)
    assert finding.title == "A rule drops all 3 targets of prometheus/web"
    assert finding.text.endswith("no target has the label __meta_consul_tag; they do have __meta_consul_tags.")
    assert finding.primary is not None
    assert str(finding.primary.origin) == "prometheus.yml:9"


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "drop"},
        {"action": "labelmap"},
        {"action": "replace", "absent_label": "__meta_kubernetes_pod_annotation_prometheus_io_path"},
        {"action": "keep", "reached": 0},
        {"action": "keep", "matched": 1},
    ],
    ids=["precaution", "optional labels", "optional annotation", "nothing reached it", "alive"],
)
def test_a_rule_that_may_wait_is_not_dead(rule: dict[str, object]) -> None:
    with scene() as s:
        assert "probes/dead-rule" not in slugs(s.source("prometheus").rows("relabel_rule", {**RULE, **rule}).examine())


def test_a_rewriting_rule_that_matches_nothing_is_worth_a_note() -> None:
    with scene() as s:
        s.source("prometheus").rows("relabel_rule", {**RULE, "action": "replace"})
        assert only("probes/dead-rule", s).severity is Severity.INFO
