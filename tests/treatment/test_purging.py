"""What a plan may take of memory is enough for stores of every size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from necropsy.case.schema import BY_NAME
from necropsy.case.store import Case
from necropsy.model.errors import CaseError
from necropsy.treatment import purging

_BATCH = 8192
_WORDS = np.array(["spring-indexed", "spring:session", "no", "live"])


def _rows(table: str, count: int, rng: np.random.Generator) -> pa.Table:
    """Make rows as a store has them at worst: no two alike."""

    def column(name: str, kind: str) -> Any:
        if name == "store":
            return pa.repeat("store", count)
        if "CHAR" in kind:
            return pa.array(_WORDS[rng.integers(0, len(_WORDS), count)])
        if "TIMESTAMP" in kind:
            return pa.array(rng.integers(1_700_000_000_000, 1_800_000_000_000, count)).cast(pa.timestamp("ms"))
        if kind == "DOUBLE":
            return pa.array(rng.random(count))
        if kind == "UBIGINT":
            return pa.array(rng.integers(0, 1 << 63, count, dtype=np.uint64))
        return pa.array(rng.integers(0, 100_000, count))

    return pa.table({one.name: column(one.name, one.type.upper()) for one in BY_NAME[table].columns})


def _filled(memory: str, count: int) -> int:
    rng = np.random.default_rng(1)
    with Case.create(None, large=True, memory=memory) as case:
        case.execute("SET threads = 1")
        with case.filling(), case.stream("session") as sessions, case.stream("session_part") as parts:
            for start in range(0, count, _BATCH):
                sessions.put(_rows("session", min(_BATCH, count - start), rng))
                parts.put(_rows("session_part", min(_BATCH, count - start), rng))
        return int(case.value("SELECT count(*) FROM session"))


@pytest.mark.parametrize("count", [60_000, 122_800, 150_000])
def test_a_plan_of_any_number_of_sessions_fits_into_its_memory(count: int) -> None:
    """DuckDB writes groups of 122,880 rows, and what fills none at once."""
    assert _filled(purging.READING, count) == count


def test_too_little_memory_is_not_called_a_full_disk() -> None:
    with pytest.raises(CaseError, match="6MB of memory") as caught:
        _filled("6MB", 60_000)
    assert "disk" not in str(caught.value)
