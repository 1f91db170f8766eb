from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    BLACKBOX_JOB,
    added,
    effect,
    linted,
    removed,
)


def test_a_job_that_asks_nothing_of_its_own_is_removed(tmp_path: Path) -> None:
    copy = BLACKBOX_JOB.partition("scrape_configs:\n")[2].replace("job_name: web", "job_name: copy")
    finding = linted(tmp_path, prometheus__yml=BLACKBOX_JOB + copy)["probes/doubled"]
    assert "- job_name: copy" in removed(finding)
    assert "- job_name: web" not in removed(finding)
    assert added(finding) == []
    assert "every URL is still requested" in effect(finding)
