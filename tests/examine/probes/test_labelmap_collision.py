from __future__ import annotations

from examine.cases import scene
from examine.probe_cases import RULE, again, only


def test_a_labelmap_whose_result_is_chance_is_found_at_its_line() -> None:
    rule = {**RULE, "action": "labelmap", "matched": 3, "collided": 2, "collision": "name"}
    with scene() as s:
        finding = only("probes/labelmap-collision", s.source("prometheus").rows("relabel_rule", rule))
        again(s, finding)
    assert "makes name of several labels in 2 targets" in finding.title
