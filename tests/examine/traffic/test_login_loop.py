from __future__ import annotations

import pytest

from examine.cases import scene

AGENT = "python-requests/2.31"


@pytest.mark.parametrize(("births", "accused"), [(40, True), (2, False)])
def test_a_program_that_logs_in_each_time_is_accused_with_its_share(births: float, accused: bool) -> None:
    with scene() as s:
        s.source("rdb", "access_log").sessions(100)
        s.rows(
            "visitor_class",
            {"class_id": 1, "user_agent": AGENT, "host": "h", "method": "POST", "path": "/login", "visits": 50},
        )
        s.claim("visitor", births, class_id=1, claim_id=0, user_agent=AGENT, evidence="visits", clients=1)
        found = [finding for finding in s.examine().findings if finding.slug == "traffic/login-loop"]
        assert bool(found) is accused
        for finding in found:
            assert finding.share == pytest.approx(births / 100)
            assert AGENT in finding.title
            s.case.rows(finding.primary.query)  # type: ignore[union-attr]
