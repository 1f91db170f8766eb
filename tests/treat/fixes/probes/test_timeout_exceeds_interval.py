from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    added,
    effect,
    linted,
)


def test_a_timeout_becomes_as_long_as_the_interval_that_counts_for_it(tmp_path: Path) -> None:
    text = "global:\n  scrape_interval: 20s\nscrape_configs:\n  - job_name: a\n    scrape_timeout: '30s'  # long\n"
    finding = linted(tmp_path, prometheus__yml=text)["probes/timeout-exceeds-interval"]
    assert added(finding) == ["scrape_timeout: '20s'  # long"]
    assert effect(finding).startswith("Prometheus loads the configuration")
