"""Each reason for a rest is one, alone, and the status says which."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from necropsy.treat.purge.control import Control, Knobs
from necropsy.treat.purge.stores import WritableStore
from necropsy.treat.purge.throttle import Throttle, reason_of
from necropsy.wire.redis.address import parse_address
from servers import running
from waiting import wait_until

_MB = 1 << 20
_CALM: Mapping[str, str] = {
    "loading": "0",
    "rdb_bgsave_in_progress": "0",
    "aof_rewrite_in_progress": "0",
    "instantaneous_ops_per_sec": "9000",
    "lazyfree_pending_objects": "12",
    "master_repl_offset": "100000000",
    "slave0": "ip=10.0.0.2,port=6379,state=online,offset=99999000,lag=0",
    "mem_clients_slaves": "20480",
    "used_memory": str(500 * _MB),
}


def test_a_calm_server_needs_no_rest() -> None:
    assert reason_of(_CALM, 500 * _MB) == ""
    assert reason_of(_CALM, 500 * _MB, max_ops=9000) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"loading": "1"}, "the server is loading its dump"),
        ({"rdb_bgsave_in_progress": "1"}, "a save is in progress"),
        ({"aof_rewrite_in_progress": "1"}, "a save is in progress"),
        ({"instantaneous_ops_per_sec": "9001"}, "the server handles 9,001 commands a second, more than 9,000"),
        ({"lazyfree_pending_objects": "100001"}, "100,001 objects wait to be freed"),
        ({"master_repl_offset": "150000000"}, "a replica is 47 MB behind"),
        ({"mem_clients_slaves": str(65 * _MB)}, "output buffers of replicas hold 65 MB"),
        ({"used_memory": str(600 * _MB)}, "memory rises: 600 MB, 500 MB before"),
    ],
)
def test_any_one_of_them_is_enough(changed: Mapping[str, str], said: str) -> None:
    assert reason_of({**_CALM, **changed}, 500 * _MB, max_ops=9000).startswith(said)


@pytest.mark.integration
def test_a_save_on_a_real_server_makes_it_rest_and_its_end_goes_on() -> None:
    with running("redis-7.0") as server:
        client = server.client()
        client.set("a", "b")
        client.config_set("rdb-key-save-delay", 60_000_000)  # microseconds for the one key
        store = WritableStore(parse_address(server.url))
        now = [0.0]
        control = Control(Knobs())
        throttle = Throttle(control, clock=lambda: now[0])
        try:
            now[0] += 10
            assert throttle.reason(store.primaries[0]) == ""
            client.bgsave()
            now[0] += 10
            assert throttle.reason(store.primaries[0]).startswith("a save is in progress")
            control.knobs.paused = True
            assert throttle.reason(store.primaries[0]) == "paused by you"
            control.knobs.paused = False
            client.flushall()  # ends the save
            wait_until(lambda: not client.info("persistence")["rdb_bgsave_in_progress"], "the end of the save")
            now[0] += 10
            assert throttle.reason(store.primaries[0]) == ""
        finally:
            store.close()


def test_the_rate_is_kept_by_rests_as_long_as_it_takes() -> None:
    now = [100.0]
    control = Control(Knobs(rate=50))
    throttle = Throttle(control, clock=lambda: now[0])
    assert throttle.pace(100) == 2.0
    now[0] += 1.5
    assert throttle.pace(100) == 0.5
    control.knobs.rate = 0
    assert throttle.pace(100) == 0.0


def test_scripts_shrink_where_a_server_is_slow_and_grow_where_it_is_fast() -> None:
    throttle = Throttle(Control(Knobs(max_impact_s=0.002)))
    for _ in range(60):
        throttle.took(throttle.call, throttle.call * 0.0001)
    assert throttle.call * 0.0001 <= 0.0012
    for _ in range(60):
        throttle.took(throttle.call, throttle.call * 0.000001)
    assert throttle.call > 256
