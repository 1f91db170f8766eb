"""Where dumps come from, and what is said of those that are cut off, changed, or no dumps at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from evidence.rdb.minting import (
    RESIZEDB,
    by_key,
    compressed,
    dump,
    key,
    listpack,
    read_rows,
    rows,
    size,
    text,
    written,
)
from necropsy.evidence.rdb.reader import open_dump
from necropsy.model.errors import UnreadableSource
from necropsy.model.figures import several
from necropsy.sessions.keyspace import Projection

KEYS = Projection()


def of_many_keys(count: int = 300) -> bytes:
    return dump(
        bytes([RESIZEDB]) + size(count) + size(0),
        *[key(0, b"key:%d" % number, text(b"value of %d" % number)) for number in range(count)],
    )


def lz4(data: bytes) -> bytes:
    return bytes(pa.Codec("lz4").compress(data, asbytes=True))


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        zstandard.compress,
        lz4,
        lambda data: b"VKCS\x01\x01\x00\x00" + lz4(data),
        lambda data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
    ],
    ids=["gzip", "bzip2", "xz", "zstd", "lz4", "valkey's envelope", "gzip in two members"],
)
def test_a_compressed_dump_is_read_as_it_is(tmp_path: Path, pack: object) -> None:
    data = of_many_keys()
    found, read = read_rows(written(tmp_path, pack(data)), KEYS)  # type: ignore[operator]
    assert len(found) == 300
    assert (read.facts["checksum"], read.blemishes) == ("verified", [])


def test_dragonflys_own_snapshots_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "dump-summary.dfs").write_bytes(of_many_keys())
    with pytest.raises(UnreadableSource, match="Dragonfly's own format") as refused:
        open_dump(str(tmp_path / "dump-summary.dfs"), KEYS)
    assert "SAVE RDB" in (refused.value.hint or "")


def test_a_dump_comes_through_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BufferedReader(io.BytesIO(gzip.compress(of_many_keys())))  # type: ignore[arg-type]

    monkeypatch.setattr("sys.stdin", Input)
    found, read = read_rows("-", KEYS)
    assert (len(found), read.facts["checksum"], read.file) == (300, "verified", "-")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress, lz4])
def test_a_compressed_file_that_breaks_off_gives_what_came_before(tmp_path: Path, pack: object) -> None:
    data = of_many_keys(60_000)
    packed = pack(data)  # type: ignore[operator]
    found, read = read_rows(written(tmp_path, packed[: len(packed) * 2 // 3]), KEYS)
    (blemish,) = read.blemishes
    assert "the figures cover the" in blemish.why
    assert "(of 60,000 announced)" in blemish.why
    assert len(found) == read.keys_read < 60_000
    if pack is not bz2.compress:  # whose blocks are as long as this file
        assert len(found) > 10_000


def test_a_small_compressed_dump_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(of_many_keys())
    found, read = read_rows(written(tmp_path, packed[: len(packed) * 2 // 3]), KEYS)
    assert 0 < len(found) < 300
    assert "(of 300 announced)" in read.blemishes[0].why


def test_a_dump_cut_off_anywhere_gives_the_keys_before_the_cut(tmp_path: Path) -> None:
    records = [
        key(0, b"string", text(b"hello")),
        key(4, b"hash", b"\x02" + text(b"f") + text(b"value") + text(b"g") + text(b"x")),
        key(16, b"packed", text(listpack(b"f", 5))),
        key(18, b"list", b"\x01\x02" + text(listpack(b"f", 5))),
    ]
    data = dump(*records)
    ends = [9 + sum(map(len, records[:number])) for number in range(1, len(records) + 1)]
    for cut in range(9, len(data)):
        found, read = read_rows(written(tmp_path, data[:cut]))
        whole = sum(end <= cut for end in ends)
        assert len(found) == whole, cut
        (blemish,) = read.blemishes
        assert (blemish.unit, blemish.place) == ("byte", cut)
        covered = (
            f"the figures cover the {several(whole, 'key')} before that" if whole else "no key was read before that"
        )
        assert blemish.why == (f"the dump ends early at byte {cut}: {covered}")
        assert read.facts["checksum"] == "not reached"


def test_a_changed_byte_is_told_by_the_checksum_and_everything_is_read(tmp_path: Path) -> None:
    data = bytearray(of_many_keys())
    data[data.index(b"value of 7")] ^= 1
    found, read = read_rows(written(tmp_path, bytes(data)), KEYS)
    (blemish,) = read.blemishes
    assert (len(found), read.facts["checksum"], blemish.place) == (300, "mismatch", len(data) - 8)
    assert "all keys could be read (300), but some may be wrong" in blemish.why
    _, unchecked = read_rows(written(tmp_path, bytes(data)), KEYS, verify_checksum=False)
    assert (unchecked.facts["checksum"], unchecked.blemishes) == ("not checked", [])


def test_a_dump_without_checksum_is_no_damaged_one(tmp_path: Path) -> None:
    _, read = read_rows(written(tmp_path, dump(key(0, b"k", text(b"v")), checksum=False)), KEYS)
    assert (read.facts["checksum"], read.blemishes) == ("absent", [])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"\x83" + b"\x00" * 9, "0x83 where a length belongs"),
        (b"\xc4abc", "0xc4 where a text belongs"),
        (b"\x81" + b"\xff" * 8, "a length that nothing can have"),
        (compressed(b"\x00a", 10_000_000), "compressed text that would expand beyond what LZF can"),
    ],
)
def test_bytes_that_no_server_writes_end_the_read_with_their_place(tmp_path: Path, value: bytes, why: str) -> None:
    data = dump(key(0, b"before", text(b"v")), key(0, b"broken", value), key(0, b"after", text(b"v")))
    found, read = read_rows(written(tmp_path, data), KEYS)
    (blemish,) = read.blemishes
    assert [row["key"] for row in found] == [b"before"]
    assert blemish.place == 9 + len(key(0, b"before", text(b"v")))
    assert why in blemish.why
    assert "the figures cover the 1 key before that" in blemish.why


@pytest.mark.parametrize(
    ("code", "value", "why"),
    [
        (16, text(b"\x0a\x00\x00\x00\x01\x00\x85abc"), "a listpack whose head contradicts its length"),
        (16, text(b"\x0b\x00\x00\x00\x02\x00\xbfabc\xff"), "a packed text that reaches beyond the end"),
        (16, text(listpack(b"f", b"v", b"lonely")), "a packed value with a field that has no value"),
        (11, text(b"\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"), "an intset whose head contradicts its length"),
        (16, compressed(b"\x20\x05", 3), "compressed text refers to before its beginning"),
        (0, compressed(b"\x05abcdef\x20\x20", 30), "compressed text refers to before its beginning"),
    ],
)
def test_damage_inside_one_value_costs_this_value_alone(tmp_path: Path, code: int, value: bytes, why: str) -> None:
    data = dump(key(code, b"broken", value), key(16, b"whole", text(listpack(b"f", 5))))
    found, read = read_rows(written(tmp_path, data))
    assert by_key(found)[b"whole"]["field:f"] == b"5"
    assert by_key(found)[b"broken"]["field:f"] is None
    (blemish,) = read.blemishes
    assert (blemish.place, blemish.count) == (9, 1)
    assert why in blemish.why
    assert "the key is counted" in blemish.why
    assert read.facts["checksum"] == "verified"


def test_values_damaged_alike_are_one_blemish_with_a_count(tmp_path: Path) -> None:
    data = dump(*[key(16, b"broken %d" % n, text(listpack(b"f"))) for n in range(20)])
    found, read = read_rows(written(tmp_path, data))
    assert len(found) == 20
    assert [blemish.count for blemish in read.blemishes] == [20]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "redis-cli --rdb"),
        (b"REDIS", "redis-cli --rdb"),
        (b'{"json": true}', "redis-cli --rdb"),
        (b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "aof-use-rdb-preamble"),
        (gzip.compress(b"something else"), "redis-cli --rdb"),
        (b"\x1f\x8b\x08garbage", "again"),
    ],
)
def test_what_is_no_dump_is_refused_with_the_next_step(tmp_path: Path, content: bytes, hint: str) -> None:
    with pytest.raises(UnreadableSource) as refused:
        open_dump(written(tmp_path, content), KEYS)
    assert hint in refused.value.hint


def test_an_append_only_file_is_read_to_the_end_of_its_dump(tmp_path: Path) -> None:
    commands = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"
    found, read = read_rows(written(tmp_path, of_many_keys() + commands), KEYS)
    (blemish,) = read.blemishes
    assert (len(found), blemish.place, read.facts["checksum"]) == (300, len(of_many_keys()), "verified")
    assert "not replayed" in blemish.why


def test_the_mark_that_ends_a_dump_sent_to_a_replica_is_no_damage_but_other_bytes_are(tmp_path: Path) -> None:
    _, marked = read_rows(written(tmp_path, of_many_keys() + b"0123456789abcdef" * 2 + b"01234567"), KEYS)
    assert marked.blemishes == []
    for more in (b"x", b"x" * 39, b"x" * 41, b"x" * 5000):
        found, read = read_rows(written(tmp_path, of_many_keys() + more), KEYS)
        assert len(found) == 300
        assert "other data follows" in read.blemishes[0].why


def test_the_folder_of_an_append_only_file_stands_for_its_base(tmp_path: Path) -> None:
    folder = tmp_path / "appendonlydir"
    folder.mkdir()
    (folder / "appendonly.aof.2.base.rdb").write_bytes(of_many_keys())
    (folder / "appendonly.aof.manifest").write_text(
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n", encoding="utf-8"
    )
    for locator in (folder, tmp_path):
        found, read = read_rows(str(locator), KEYS)
        assert len(found) == 300
        assert read.file == str(folder / "appendonly.aof.2.base.rdb")
        assert "1 files with later changes are not read" in read.blemishes[0].why
    (folder / "appendonly.aof.manifest").write_text("", encoding="utf-8")
    with pytest.raises(UnreadableSource, match="names no base file"):
        open_dump(str(folder), KEYS)
    (folder / "appendonly.aof.manifest").unlink()
    with pytest.raises(UnreadableSource, match="without a manifest"):
        open_dump(str(folder), KEYS)


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "appendonlydir"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(of_many_keys())
    (folder / "a.manifest").write_text("file ../secret seq 1 type b\n", encoding="utf-8")
    with pytest.raises(UnreadableSource, match="no such file"):
        open_dump(str(folder), KEYS)


def test_a_sample_is_the_same_every_time_and_about_as_large_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path, of_many_keys(10_000))
    first, read = read_rows(path, KEYS, sample=0.1)
    again, _ = read_rows(path, KEYS, sample=0.1, batch_rows=77)
    assert first == again
    assert (read.keys_seen, read.keys_read) == (10_000, len(first))
    assert 850 < len(first) < 1150  # five standard deviations
    larger, _ = read_rows(path, KEYS, sample=0.3)
    assert {row["key"] for row in first} <= {row["key"] for row in larger}
    everything, _ = read_rows(path, KEYS, sample=1.0)
    assert len(everything) == 10_000


def test_a_length_that_lies_asks_for_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    lies = [
        key(0, b"k", b"\x81" + (2**47).to_bytes(8, "big")),
        key(0, b"k", b"\xc3" + b"\x80" + (2**31).to_bytes(4, "big") + b"\x80" + (2**32 - 1).to_bytes(4, "big")),
        key(16, b"k", b"\x80" + (60 << 20).to_bytes(4, "big")),
        key(2, b"k", b"\x81" + (2**47).to_bytes(8, "big")),
        key(15, b"k", b"\x81" + (2**47).to_bytes(8, "big")),
        b"\x00" + b"\x80" + (2**31).to_bytes(4, "big"),
        bytes([242]) + size(1) + b"\x81" + (2**47).to_bytes(8, "big"),
    ]
    for lie in lies:
        path = written(tmp_path, dump(key(0, b"before", text(b"v")), lie, magic=b"REDIS0015"))
        read = open_dump(path, Projection(string_bytes=1 << 30, hash_fields=((b"f", 1 << 30),), members_of=(b"",)))
        tracemalloc.start()
        found = rows(read)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert [row["key"] for row in found] == [b"before"]
        assert len(read.blemishes) == 1
        assert peak < 40 << 20, lie  # the columns of a batch and the window take what they take


@pytest.mark.parametrize("batch_rows", [1, 2, 7])
def test_members_may_outnumber_the_rows_of_a_batch_by_any_factor(tmp_path: Path, batch_rows: int) -> None:
    """Members have offsets and a validity of their own: both must grow, at every doubling."""
    members = [b"member-%d" % number for number in range(150)]
    path = written(tmp_path, dump(key(20, b"index", text(listpack(*members))), key(0, b"after", text(b"x"))))
    found, read = read_rows(path, batch_rows=batch_rows)
    assert by_key(found)[b"index"]["members"] == members
    assert b"after" in by_key(found)
    assert not read.blemishes
