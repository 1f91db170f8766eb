from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    RELABEL,
    added,
    effect,
    linted,
)


def test_a_target_that_asks_twice_is_dropped_by_what_tells_it_from_the_first(tmp_path: Path) -> None:
    text = f"""
scrape_configs:
  - job_name: web
    metrics_path: /probe
    static_configs:
    - targets: ['http://10.0.0.1/health', 'http://10.0.0.2/health']
      labels: {{team: a}}
    - targets: ['http://10.0.0.1/health']
      labels: {{team: b}}
{RELABEL}"""
    finding = linted(tmp_path, prometheus__yml=text)["probes/duplicate-target"]
    assert added(finding) == [
        "- source_labels: [__param_target, team]",
        r"regex: 'http://10\.0\.0\.1/health;b'",
        "action: drop",
    ]
    assert effect(finding) == "1 request fewer each interval, every URL is still requested"
