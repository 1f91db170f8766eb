from __future__ import annotations

import json
from pathlib import Path

import pytest

from treat.configurations import added, effect, linted, removed

PROMETHEUS = """
scrape_configs:
  - job_name: web
    file_sd_configs: [{files: [targets.json]}]
    relabel_configs:
    - action: labelmap   # names of both
      regex: __meta_kubernetes_(?:pod|service)_label_(.+)
      replacement: $1
"""
_POD, _SERVICE = "__meta_kubernetes_pod_label_app", "__meta_kubernetes_service_label_app"


def _targets(*labels: dict[str, str]) -> str:
    return json.dumps([{"targets": [f"10.0.0.{n}:80"], "labels": one} for n, one in enumerate(labels, 1)])


def test_the_label_that_all_targets_have_is_kept_and_the_patch_says_what_to_confirm(tmp_path: Path) -> None:
    finding = linted(
        tmp_path,
        prometheus__yml=PROMETHEUS,
        targets__json=_targets({_POD: "web", _SERVICE: "shop"}, {_POD: "api"}),
    )["probes/labelmap-collision"]
    assert added(finding) == ["- action: labeldrop", f"regex: '{_SERVICE}'"]
    assert removed(finding) == []
    assert effect(finding) == (
        f"app is always that of {_POD}, in 2 targets. A guess: confirm that not {_SERVICE} is meant, else drop the other one"
    )


@pytest.mark.parametrize(
    "labels",
    [
        ({_POD: "web", _SERVICE: "shop"}, {_POD: "api"}, {_SERVICE: "mail"}),
        ({"app_pod": "a", "app_service": "b"},),
    ],
    ids=["no label that all have", "labels of the target itself"],
)
def test_where_a_target_would_lose_a_label_there_is_no_patch(
    labels: tuple[dict[str, str], ...], tmp_path: Path
) -> None:
    text = PROMETHEUS.replace("_(?:pod|service)_label_(.+)", "_(?:pod|service)_label_(.+)|(app)_.*")
    text = text.replace("$1", "$1$2")
    finding = linted(tmp_path, prometheus__yml=text, targets__json=_targets(*labels))["probes/labelmap-collision"]
    assert finding.remedy is not None
    assert finding.remedy.patches == ()


def test_a_label_that_a_later_rule_reads_is_not_taken_from_it(tmp_path: Path) -> None:
    text = PROMETHEUS + f"    - source_labels: [{_SERVICE}]\n      target_label: team\n"
    targets = _targets({_POD: "web", _SERVICE: "shop"}, {_POD: "api"})
    finding = linted(tmp_path, prometheus__yml=text, targets__json=targets)["probes/labelmap-collision"]
    assert finding.remedy is not None
    assert finding.remedy.patches == ()
