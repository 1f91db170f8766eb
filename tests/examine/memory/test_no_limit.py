from __future__ import annotations

import pytest

from examine.cases import cleared
from examine.live_cases import MB, examined, found
from necropsy.model.finding import Severity


@pytest.mark.parametrize(
    ("resident", "severity"), [(10 * MB, Severity.INFO), (600 * MB, Severity.WARNING), (950 * MB, Severity.CRITICAL)]
)
def test_without_a_limit_the_machine_decides_how_bad_it_is(resident: int, severity: Severity) -> None:
    finding = found(examined(maxmemory=0, used_memory_rss=resident, total_system_memory=1000 * MB), "memory/no-limit")
    assert finding is not None
    assert finding.severity is severity


def test_a_limit_is_a_limit() -> None:
    assert cleared(examined(maxmemory=64 * MB))["memory/no-limit"] == "store a: maxmemory is 64 MB"
