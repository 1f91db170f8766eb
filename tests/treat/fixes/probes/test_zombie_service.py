from __future__ import annotations

import json
from pathlib import Path

from treat.configurations import (
    JOINED,
    added,
    effect,
    linted,
)


def test_what_is_gone_is_dropped_by_node_and_instance_and_what_lives_is_still_asked(tmp_path: Path) -> None:
    def answer(node: str, status: str) -> dict[str, object]:
        return {
            "Node": {"Node": node, "Address": "10.0.0.1"},
            "Service": {"ID": "web", "Service": "admin", "Port": 8080, "Meta": {"health_check_endpoint": "health"}},
            "Checks": [{"Node": node, "CheckID": "serfHealth", "ServiceID": "", "Status": status}],
        }

    answers = json.dumps([answer("old.1", "critical"), answer("new", "passing")], indent=1)
    finding = linted(
        tmp_path,
        prometheus__yml=JOINED.replace(
            "    - {t", "    - {source_labels: [__meta_consul_node], target_label: node}\n    - {t"
        ),
        health__json=answers,
    )["probes/zombie-service"]
    assert added(finding) == [
        "- source_labels: [__meta_consul_node, __meta_consul_service_id]",
        r"regex: 'old\.1;web'",
        "action: drop",
    ]
    assert effect(finding).startswith("1 probe fewer, of instances that are gone")
