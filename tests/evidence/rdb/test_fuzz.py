"""Whatever the bytes are: no crash, no hang, no answer that differs with the compiler, and every loss has a blemish."""

from __future__ import annotations

import io
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence.rdb import minting
from evidence.rdb.minting import EVERYTHING, compressed, dump, intset, key, listpack, size, text, ziplist, zipmap
from evidence.rdb.sources import uncompiled
from evidence.rdb.test_formats import MODULE_VALUE, stream

ASSETS = Path(__file__).parents[2] / "assets" / "rdb"
"""A dump of each server of ``tests/servers.py``: two databases with a few keys of each kind."""


def outcome(data: bytes, **options: Any) -> tuple[Any, ...]:
    """What reading these bytes comes to, by whichever modules are loaded."""
    from necropsy.evidence.rdb.reader import Dump
    from necropsy.evidence.rdb.source import Opened
    from necropsy.model.errors import UnreadableSource

    opened = Opened(io.BufferedReader(io.BytesIO(data)), "fuzzed")  # type: ignore[arg-type]
    given_options = {
        "batch_rows": 64,
        "verify_checksum": True,
        "progress": None,
        "sample": 1.0,
        "allocator": "jemalloc",
    }
    try:
        read = Dump(opened, EVERYTHING, **{**given_options, **options})
    except UnreadableSource as error:
        return (str(error),)
    found = minting.rows(read)
    assert read.keys_read == len(found)
    assert read.facts["checksum"] in {"verified", "absent", "mismatch", "not reached", "not checked"}
    if read.facts["checksum"] in {"mismatch", "not reached"}:
        assert read.blemishes
    for blemish in read.blemishes:
        assert 0 <= blemish.place <= len(data)
        assert (blemish.unit, blemish.sample) == ("byte", "")
    return found, read.facts, read.blemishes


@cache
def seeds() -> tuple[bytes, ...]:
    """Dumps that have everything, to be damaged."""
    minted = dump(
        key(1, b"list", b"\x02" + text(b"a") + minting.number(5)),
        key(3, b"old scores", b"\x02" + text(b"one") + b"\x031.5" + text(b"") + b"\xfe"),
        key(9, b"zipmap", text(zipmap((b"f", b"value"), (b"7", b"x"), spare=2))),
        key(10, b"ziplist", text(ziplist(b"a", 5, -70_000))),
        key(13, b"hash", text(ziplist(b"f", b"value", 7, 2**40))),
        key(14, b"quicklist", b"\x01" + text(ziplist(b"a", 5))),
        key(24, b"expiring", b"\x00" * 8 + b"\x02\x00" + text(b"f") + text(b"v") + b"\x05" + text(b"g") + text(b"w")),
        key(25, b"packed", b"\x00" * 8 + text(listpack(b"f", b"v", 0, b"g", b"w", 2**41))),
        key(27, b"stream", stream(5)),
        key(7, b"module", b"\x81" + b"\xaa" * 8 + MODULE_VALUE),
        bytes([242]) + size(1) + size(2) + text(b"f") + text(b"7"),
        key(30, b"template", text(listpack(1, b"value", 9))),
        key(32, b"array", size(1) + text(b"value") + minting.number(9)),
        bytes([243]) + size(1) + b"abcd" + MODULE_VALUE + key(11, b"intset", text(intset(1, -2, 70_000))),
        key(0, b"squeezed", compressed(b"\x01ab\xe0\x0b\x01", 22)),
        magic=b"REDIS0015",
    )
    return (minted, *(path.read_bytes() for path in sorted(ASSETS.glob("*.rdb"))))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A seed with some bytes changed, cut out, doubled or cut off; what is changed is more often a length than not."""
    data = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(1, 5))):
        if len(data) < 2:
            break
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data[at] = draw(st.sampled_from((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xC0, 0xC3, 0xF0, 0xF4, 0xFE, 0xFF)))
        elif kind == 1:
            data[at] = draw(st.integers(0, 255))
        elif kind == 2:
            del data[at : at + draw(st.integers(1, 30))]
        elif kind == 3:
            data[at:at] = data[at : at + draw(st.integers(1, 30))]
        else:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", ["redis-6.2", "redis-7.0", "redis-8.2", "valkey-8", "valkey-9"])
def test_the_dump_of_a_server_is_whole(name: str) -> None:
    found, facts, blemishes = outcome((ASSETS / f"{name}.rdb").read_bytes())
    assert (facts["checksum"], blemishes) == ("verified", [])
    assert len(found) >= 30
    assert {row["type"] for row in found} == {"string", "hash", "set", "zset", "list", "stream"}
    assert {row["db"] for row in found} == {0, 2}
    assert all(row["idle_s"] is not None for row in found)


@pytest.mark.parametrize("modules", [nullcontext, uncompiled], ids=["as built", "plain"])
@pytest.mark.parametrize("header", [b"REDIS0011", b"REDIS0015", b"VALKEY080", b""])
@given(body=st.binary(max_size=200))
@settings(max_examples=60)
def test_random_bytes_are_read_or_refused(modules: Any, header: bytes, body: bytes) -> None:
    with modules():
        outcome(header + body)


@pytest.mark.process
@given(data=damaged())
@settings(max_examples=200)
@example(data=b"REDIS0011\x00\x80\xff\xff\xff\xff")
@example(data=b"REDIS0011\x0f\x01s\x81\x00\x01" + b"\xff" * 6)
def test_damaged_dumps_are_read_as_far_as_they_go_compiled_or_not(data: bytes) -> None:
    as_built = outcome(data)
    with uncompiled():
        assert outcome(data) == as_built
