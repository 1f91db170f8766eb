from __future__ import annotations

import pytest

from necropsy.evidence.rdb.columns import Texts
from necropsy.evidence.rdb.kernels import Memory


@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_a_column_of_unknown_length_grows_as_far_as_it_must(rows: int) -> None:
    """Members are more than keys: the offsets, one longer than the validity, once hid that the validity was full."""
    data = Memory(1)
    data.owner[0] = ord("x")
    texts = Texts(rows, nullable=True)
    for row in range(10 * rows + 3):
        texts.more_rows(texts.rows)
        texts.put(data, 0, 1)
        texts.seal(texts.rows)
        assert texts.rows == row + 1
