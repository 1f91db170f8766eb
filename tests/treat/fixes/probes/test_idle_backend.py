from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    BLACKBOX_JOB,
    NGINX,
    added,
    effect,
    linted,
)


def test_the_port_that_waits_is_dropped_by_a_rule_before_all_others(tmp_path: Path) -> None:
    finding = linted(tmp_path, prometheus__yml=BLACKBOX_JOB, nginx__conf=NGINX)["probes/idle-backend"]
    assert added(finding) == ["- source_labels: [__address__]", "regex: '.*:(8081)(/.*)?'", "action: drop"]
    roles = "remove the rule before the idle and the active instance change roles"
    assert effect(finding) == f"port 8081 is no longer probed; {roles}"
