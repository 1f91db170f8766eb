"""When a server must not be made to fork."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.evidence.redis.fork_memory import why_not_fork
from necropsy.evidence.redis.read_methods import choose
from necropsy.evidence.redis.server import ServerFacts

GIB = 1 << 30
FINE = {
    "used_memory": str(GIB),
    "used_memory_rss": str(GIB + 1000),
    "total_system_memory": str(8 * GIB),
    "maxmemory": "0",
    "redis_version": "7.0.15",
}


def test_room_for_all_of_it_twice_is_room() -> None:
    assert why_not_fork(FINE, 0.001) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rdb_bgsave_in_progress": "1"}, "saving"),
        ({"aof_rewrite_in_progress": "1"}, "append-only"),
        ({"loading": "1"}, "loading"),
        ({"async_loading": "1"}, "loading"),
        ({"total_system_memory": str(2 * GIB - 1)}, "of the machine are left"),
        ({"total_system_memory": "0"}, "how much memory its machine has"),
        ({"maxmemory": str(2 * GIB - 1)}, "maxmemory"),
        ({"used_memory_rss": str(GIB // 2)}, "swapped"),
        ({"host:server-swapped": str(GIB // 2)}, "swapped"),
        ({"host:memory-available": str(GIB - 1)}, "available on its machine"),
        ({"latest_fork_usec": "80000"}, "80 ms"),
        ({"used_memory": "", "used_memory_rss": ""}, "how much memory it uses"),
    ],
)
def test_each_danger_is_named(change: dict[str, str], reason: str) -> None:
    assert reason in why_not_fork(FINE | change, 0.001)


def test_a_larger_budget_bears_a_longer_pause() -> None:
    info = FINE | {"latest_fork_usec": "80000"}
    assert why_not_fork(info, 0.001)
    assert why_not_fork(info, 0.01) == ""


@given(st.dictionaries(st.sampled_from([*FINE, "latest_fork_usec", "loading"]), st.text(max_size=20)))
def test_no_info_is_too_strange(info: dict[str, str]) -> None:
    assert isinstance(why_not_fork(info, 0.001), str)


def facts(**change: str) -> ServerFacts:
    return ServerFacts(info=FINE | change, facts={"config:repl-diskless-sync": "yes"})


@pytest.mark.parametrize(
    ("server", "keys", "can_stream", "quiet", "way"),
    [
        (facts(), 10_000_000, True, True, "stream"),
        (facts(), 70_000, True, True, "script"),
        (facts(), 10_000_000, False, True, "script"),
        (facts(maxmemory=str(GIB + 1)), 10_000_000, True, True, "script"),
        (facts(maxmemory_policy="allkeys-lru"), 70_000, True, False, "stream"),
        (facts(maxmemory_policy="allkeys-lru"), 70_000, True, True, "script"),
        (ServerFacts(info=FINE, facts={"config:repl-diskless-sync": "no"}), 10_000_000, True, True, "script"),
        (ServerFacts(info=FINE | {"redis_version": "6.2.5"}), 10_000_000, True, True, "script"),
    ],
)
def test_the_way_is_chosen_by_what_the_server_bears(
    server: ServerFacts, keys: int, can_stream: bool, quiet: bool, way: str
) -> None:
    choice = choose(server, keys, 0.001, can_stream=can_stream, keeps_idle_times=quiet)
    assert choice.way == way
    assert choice.why
