from __future__ import annotations

import pytest

from examine.cases import cleared
from examine.live_cases import examined, found
from necropsy.model.finding import Severity


@pytest.mark.parametrize(("stops", "severity"), [("yes", Severity.CRITICAL), ("no", Severity.WARNING)])
def test_a_failed_save_forbids_writing_unless_it_was_told_not_to(stops: str, severity: Severity) -> None:
    said = examined(rdb_last_bgsave_status="err", config__stop_writes_on_bgsave_error=stops, config__save="60 1")
    finding = found(said, "latency/persistence-stall")
    assert finding is not None
    assert finding.severity is severity
    assert ("MISCONF" in finding.title) is (stops == "yes")


def test_a_long_fork_is_told_and_a_short_one_is_clear() -> None:
    finding = found(examined(rdb_last_bgsave_status="ok", latest_fork_usec=900_000), "latency/persistence-stall")
    assert finding is not None
    assert "900 ms" in finding.title
    said = examined(rdb_last_bgsave_status="ok", latest_fork_usec=900)
    assert "latency/persistence-stall" in cleared(said)
