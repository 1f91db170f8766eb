from __future__ import annotations

from examine.cases import scene


def test_a_periodic_visitor_nobody_knows_is_an_unlogged_creator() -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.claim("unlogged", 60, period_s=10.0, phase_s=2.0, creation_probability=1.0, in_access_log=False)
        (finding,) = s.examine().findings
    assert finding.slug == "traffic/unlogged-creator"
    assert finding.share == 0.6
