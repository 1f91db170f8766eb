"""Keys of one family are not all asked everything; the parts of a session are asked of each key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from evidence.redis.live import read, rows, without
from necropsy.evidence.redis.cost_sampling import LEAST, CostSampling
from necropsy.evidence.redis.page import HashFields, Page
from necropsy.sessions.keyspace import KEY_TYPES, Projection
from necropsy.sessions.registry import projection
from servers import Server, running

HASH, STRING = KEY_TYPES.index("hash"), KEY_TYPES.index("string")
FILL = """
for i = 1, 4000 do
  local id = string.format('%08x-1111-4222-8333-%012x', i, i * 7919)
  local key = 'spring:session:sessions:' .. id
  redis.call('HSET', key, 'creationTime', 'c' .. i, 'lastAccessedTime', 'l' .. i, 'maxInactiveInterval', '1800',
    'sessionAttr:cart', string.rep('x', 100 + i % 50))
  redis.call('PEXPIREAT', key, 4102444800000 + i)
  redis.call('SET', 'spring:session:sessions:expires:' .. id, '', 'PXAT', 4102444800000 + i)
  redis.call('SET', 'page:' .. i, string.rep('p', i % 7))
  if i <= 600 then -- of one length, with their last colon in different places
    redis.call('SET', string.format('one:%012d', i), 'x')
    redis.call('HSET', string.format('other:%010d', i), 'a', 'b')
    redis.call('RPUSH', string.format('one:%06d:%05d', i, i), 'y')
  end
end
redis.call('SADD', 'spring:session:expirations:60000', 'passing')
redis.call('PEXPIREAT', 'spring:session:expirations:60000', 4102444800000)
redis.call('SADD', 'spring:session:expirations:120000', 'lasting')
redis.call('RPUSH', 'spring:session:sessions:a-list', '1')
redis.call('HSET', 'spring:session:sessions:one-attribute-more', 'creationTime', '7', 'a', '1', 'b', '2', 'c', '3', 'd', '4')
"""


def page(keys: list[bytes], kind: int = HASH, elements: int = 4, usage: int = 400, encoding: int = 0) -> Page:
    many = len(keys)
    return Page(
        keys, [kind] * many, [encoding] * many, [None] * many, [None] * many, [None] * many, [elements] * many,
        [usage] * many,
    )  # fmt: skip


def told(sampling: CostSampling, page: Page) -> list[Any]:
    sampling.settling()(page, [0] * len(page))
    return sampling.words()


def names(count: int, family: str = "s:") -> list[bytes]:
    return [f"{family}{number}".encode() for number in range(count)]


def test_a_family_is_known_when_enough_of_it_was_alike() -> None:
    sampling = CostSampling()
    assert told(sampling, page(names(LEAST - 1))) == []
    assert told(sampling, page(names(1))) == [b"s:", "hash", 4, 1, b""]


def test_a_family_of_two_types_or_encodings_or_with_a_large_key_never_is() -> None:
    for other in (page([b"s:x"], kind=STRING), page([b"s:x"], encoding=1), page([b"s:x"], usage=1 << 20)):
        sampling = CostSampling()
        assert told(sampling, page(names(2 * LEAST)))
        assert told(sampling, other) == []


def test_elements_are_guessed_of_a_family_only_when_all_had_the_same_number() -> None:
    sampling = CostSampling()
    told(sampling, page(names(LEAST)))
    assert told(sampling, page([b"s:x"], elements=5)) == [b"s:", "hash", 4, 0, b""]


def test_the_script_is_told_anew_when_something_has_changed_and_not_before() -> None:
    sampling = CostSampling()
    before = told(sampling, page(names(LEAST)))
    assert told(sampling, page(names(LEAST))) is before
    assert told(sampling, page(names(LEAST, "t:"))) == [*before, b"t:", "hash", 4, 1, b""]


def test_a_key_that_was_not_asked_costs_the_mean_and_that_is_said() -> None:
    sampling = CostSampling()
    told(sampling, page(names(LEAST), usage=400))
    told(sampling, page(names(LEAST), usage=500))
    mine = page([b"s:new"], usage=0)
    mine.usage, mine.types, mine.encodings = [None], [0], [-1]
    sampling.settling()(mine, [1])
    assert (mine.usage, mine.types, mine.encodings) == ([450], [HASH], [0])
    assert re.match(
        r"memory and encoding of 1 key are extrapolated from 256 similar keys \(± 1\.4 %\)", sampling.remark()
    )


@pytest.fixture(scope="module", params=["redis-6.2", "redis-7.0", "redis-8.2", "valkey-9"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param, tcp=True) as started:
        started.client().eval(FILL, 0)
        yield started


@pytest.mark.integration
def test_nothing_but_encoding_idle_time_and_memory_differs_from_asking_each(server: Server) -> None:
    wanted = projection()
    each = rows(read(server.url, "script", wanted), wanted)
    live = read(server.url, "script", wanted, each=False)
    some = rows(live, wanted)
    guessed = ("encoding", "idle_s", "bytes")
    assert without(some, *guessed) == without(each, *guessed)
    assert {row["encoding"] for row in some} == {row["encoding"] for row in each}
    total, mean = (sum(row["bytes"] for row in found) for found in (each, some))
    assert abs(total - mean) / total < 0.01
    assert int(live.facts["scan-keys-guessed"]) > 4_000
    assert "similar keys" in live.note
    lists = [[row for row in found if row["type"] == "list"] for found in (each, some)]
    assert without(lists[0], "idle_s") == without(lists[1], "idle_s"), "one that is not of its family's type"


@pytest.mark.integration
def test_a_family_is_told_by_the_last_colon_whatever_else_is_as_long(server: Server) -> None:
    nothing = Projection()
    each, some = (
        [row for row in rows(read(server.url, "script", nothing, each=each), nothing) if row["key"].startswith(b"o")]
        for each in (True, False)
    )
    assert len(some) == 1_800
    assert without(some, "encoding", "idle_s", "bytes") == without(each, "encoding", "idle_s", "bytes")


@pytest.mark.integration
def test_members_of_sets_that_expire_are_not_asked_for_when_nobody_wants_them(server: Server) -> None:
    wanted = projection()
    for way in ("script", "pipeline"):
        found = {row["key"]: row["members"] for row in rows(read(server.url, way, wanted), wanted)}
        assert found[b"spring:session:expirations:60000"] is None
        assert found[b"spring:session:expirations:120000"] == [b"lasting"]


def test_fields_are_known_of_a_group_whose_keys_had_all_and_no_others() -> None:
    def hashes(elements: int, *columns: bytes | None) -> Page:
        many = page(names(LEAST), elements=elements)
        many.fields = HashFields(
            list(range(LEAST)), [[value] * LEAST for value in columns], [[None] * LEAST for _ in columns]
        )
        return many

    for elements, columns, known in (
        (2, (b"a", None, b"c"), b"\1\3"),
        (3, (b"a", None, b"c"), b""),  # there is one that nobody asked for
        (1, (None, b"", None), b"\2"),
    ):
        assert told(CostSampling(), hashes(elements, *columns))[-1] == known
    sampling = CostSampling()
    assert told(sampling, hashes(2, b"a", None, b"c"))[-1] == b"\1\3"
    assert told(sampling, hashes(2, b"a", b"b", None))[-1] == b"", "others of as many fields are not the same"


MANY_KINDS = """
for i = 1, 3000 do
  redis.call('HSET', 's:' .. i, 'a', i % 3, 'b', string.rep('b', 20 + i % 2))
end
redis.call('HSET', 's:other', 'a', '1', 'd', 'd')
redis.call('HSET', 's:none', 'x', '1', 'y', '1')
redis.call('HSET', 's:empty', 'a', '', 'b', '')
redis.call('HSET', 's:long', 'a', string.rep('l', 5000), 'b', 'b')
redis.call('HSET', 's:three', 'a', '1', 'b', '2', 'c', '3')
"""


@pytest.mark.integration
@pytest.mark.parametrize("name", ["redis-7.0", "valkey-9"])
def test_a_key_of_other_fields_is_asked_for_all_of_them(name: str) -> None:
    wanted = Projection(hash_fields=((b"a", 10), (b"b", 4), (b"c", 0), (b"d", 9), (b"e", 9)), repeated=(b"a", b"d"))
    with running(name, tcp=True) as server:
        server.client().eval(MANY_KINDS, 0)
        each, some = (rows(read(server.url, "script", wanted, each=each), wanted) for each in (True, False))
        plain = rows(read(server.url, "pipeline", wanted), wanted)
    assert without(some, "encoding", "idle_s", "bytes") == without(each, "encoding", "idle_s", "bytes")
    assert without(each, "idle_s") == without(plain, "idle_s")
    found = {row["key"]: row for row in some}
    assert [found[b"s:other"][f"field:{name}"] for name in "abcde"] == [b"1", None, None, b"d", None]
    assert (found[b"s:long"]["field:a"], found[b"s:long"]["length:a"]) == (b"l" * 10, 5_000)
    assert (found[b"s:empty"]["field:b"], found[b"s:empty"]["length:b"]) == (b"", 0)
    assert (found[b"s:three"]["field:c"], found[b"s:three"]["length:c"]) == (b"", 1)


@pytest.mark.integration
def test_progress_is_told_many_times_within_a_batch(server: Server) -> None:
    shares: list[float | None] = []
    rows(read(server.url, "script", Projection(), progress=shares.append), Projection())
    assert len(shares) > 50, "all keys are one batch"
    assert shares == sorted(share for share in shares if share is not None)
