from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    added,
    effect,
    linted,
    removed,
)


def test_a_misspelt_label_is_written_as_the_targets_have_it_and_its_quotes_stay(tmp_path: Path) -> None:
    finding = linted(
        tmp_path,
        prometheus__yml="""
scrape_configs:
  - job_name: web
    file_sd_configs: [{files: [targets.json]}]
    relabel_configs:
    - source_labels: ["__meta_consul_tag"]   # a letter is missing
      regex: .*,web,.*
      action: keep
""",
        targets__json='[{"targets": ["10.0.0.1:80"], "labels": {"__meta_consul_tags": ",web,"}}]',
    )["probes/dead-rule"]
    assert removed(finding) == ['- source_labels: ["__meta_consul_tag"]   # a letter is missing']
    assert added(finding) == ['- source_labels: ["__meta_consul_tags"]   # a letter is missing']
    assert effect(finding) == "the rule touches 1 of 1 target"
