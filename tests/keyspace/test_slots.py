from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from necropsy.keyspace.slots import slots

KEYS = st.lists(st.binary(max_size=40) | st.text("ab{}", max_size=12).map(str.encode))


@given(KEYS)
def test_every_key_has_the_slot_that_a_client_of_a_cluster_gives_it(keys: list[bytes]) -> None:
    assert slots(pa.array(keys, pa.binary())).tolist() == [key_slot(key) for key in keys]


def test_a_slice_of_a_column_has_the_slots_of_its_own_keys() -> None:
    keys = [b"{a}1", b"b", b"c{d", b"}e{f}"]
    assert slots(pa.array(keys, pa.binary())[1:3]).tolist() == [key_slot(key) for key in keys[1:3]]
