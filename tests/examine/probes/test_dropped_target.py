from __future__ import annotations

from examine.cases import scene
from examine.probe_cases import LOST, again, only


def test_a_target_that_nobody_meant_to_drop_is_found_with_the_line_that_discovers_it() -> None:
    with scene() as s:
        s.source("prometheus").rows(
            "dropped_target",
            {**LOST, "reason": '"http://blackbox:9115" is not a valid hostname'},
            {**LOST, "reason": "a relabel rule drops targets whose job matches web"},
            {**LOST, "reason": "it has the same labels and URL as another target"},
        )
        finding = only("probes/dropped-target", s)
        again(s, finding)
    assert finding.title.startswith("1 target of prometheus/web is never probed: ")
    assert finding.primary is not None
    assert str(finding.primary.origin) == "services.json:4"
