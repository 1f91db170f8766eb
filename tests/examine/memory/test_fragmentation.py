from __future__ import annotations

import pytest

from examine.cases import cleared
from examine.live_cases import MB, examined, found


@pytest.mark.parametrize(("used", "resident", "ill"), [(400, 800, True), (4, 12, False), (400, 500, False)])
def test_fragmentation_counts_bytes_as_well_as_the_ratio(used: int, resident: int, ill: bool) -> None:
    said = examined(used_memory=used * MB, used_memory_rss=resident * MB)
    assert (found(said, "memory/fragmentation") is not None) is ill
    assert ("memory/fragmentation" in cleared(said)) is not ill
