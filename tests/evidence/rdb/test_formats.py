"""What the format allows, byte by byte: every type, every packing, every record, as old and as new as they come."""

from __future__ import annotations

import gzip
import os
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.rdb.minting import (
    AUX,
    EXPIRETIME,
    EXPIRETIME_MS,
    FREQ,
    FUNCTION,
    FUNCTION_RC,
    IDLE,
    KEY_META,
    MODULE_AUX,
    RESIZEDB,
    SELECTDB,
    SLOT_IMPORT,
    SLOT_INFO,
    TEMPLATE,
    by_key,
    compressed,
    dump,
    intset,
    key,
    listpack,
    milliseconds,
    number,
    read_rows,
    size,
    text,
    written,
    ziplist,
    zipmap,
)  # fmt: skip
from necropsy.evidence import open_keyspace
from necropsy.evidence.rdb.reader import open_dump
from necropsy.sessions.keyspace import Projection

ENTRIES = st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=80)), min_size=1, max_size=40)
MODULE_VALUE = (
    b"\x02" + size(7) + b"\x01" + b"\x81" + struct.pack(">q", -1) + b"\x03" + b"\x00" * 4 + b"\x04" + b"\x00" * 8
    + b"\x05" + text(b"inside") + b"\x00"
)  # fmt: skip


def spelled(entry: bytes | int) -> bytes:
    return entry if isinstance(entry, bytes) else b"%d" % entry


def one(folder: Path, *records: bytes, magic: bytes = b"REDIS0011") -> dict[str, object]:
    """The only row of a dump in which nothing is damaged."""
    found, read = read_rows(written(folder, dump(*records, magic=magic)))
    assert read.blemishes == []
    (row,) = found
    return row


def at(seconds: float) -> datetime:
    """As Arrow gives a time without zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def hash_of(row: dict[str, object]) -> tuple[object, ...]:
    return row["type"], row["encoding"], row["elements"], row["field:f"], row["length:f"], row["field:7"]


@pytest.mark.parametrize(
    ("value", "head", "encoding", "length"),
    [
        (text(b""), b"", "embstr", 0),
        (text(b"hello"), b"hello", "embstr", 5),
        (text(b"x" * 44), b"x" * 44, "embstr", 44),
        (text(b"x" * 45), b"x" * 45, "raw", 45),
        (text(b"y" * 20_000), b"y" * 20_000, "raw", 20_000),
        (b"\x80" + struct.pack(">I", 3) + b"abc", b"abc", "embstr", 3),
        (b"\x81" + struct.pack(">Q", 3) + b"abc", b"abc", "embstr", 3),
        (number(0), b"0", "int", 1),
        (number(-128), b"-128", "int", 4),
        (number(-32768), b"-32768", "int", 6),
        (number(-(2**31)), b"-2147483648", "int", 11),
        (number(2**31 - 1), b"2147483647", "int", 10),
        (text(b"9223372036854775807"), b"9223372036854775807", "int", 19),
        (text(b"-9223372036854775808"), b"-9223372036854775808", "int", 20),
        (text(b"9223372036854775808"), b"9223372036854775808", "embstr", 19),
        (text(b"007"), b"007", "embstr", 3),
        (text(b"-0"), b"-0", "embstr", 2),
        (compressed(b"\x01ab\xe0\x0b\x01", 2 + 20), (b"ab" * 11), "embstr", 22),
        (compressed(b"\x00z\xe0\xff\x00\xe0\xff\x00", 1 + 2 * 264), b"z" * 529, "raw", 529),
    ],
)
def test_a_string_has_its_text_its_length_and_the_servers_name_for_its_encoding(
    tmp_path: Path, value: bytes, head: bytes, encoding: str, length: int
) -> None:
    row = one(tmp_path, key(0, b"k", value))
    assert (row["type"], row["encoding"], row["elements"], row["head"]) == ("string", encoding, length, head)


@pytest.mark.parametrize(
    ("code", "value", "encoding"),
    [
        (4, b"\x03" + text(b"f") + text(b"value") + text(b"g") + text(b"") + number(7) + number(-300), "hashtable"),
        (9, text(zipmap((b"f", b"value"), (b"g", b""), (b"7", b"-300"))), "zipmap"),
        (9, text(zipmap((b"f", b"value"), (b"g", b""), (b"7", b"-300"), spare=3)), "zipmap"),
        (13, text(ziplist(b"f", b"value", b"g", b"", 7, -300)), "ziplist"),
        (16, text(listpack(b"f", b"value", b"g", b"", 7, -300)), "listpack"),
        (22, b"\x03" + b"\x00" + text(b"f") + text(b"value") + size(2**41) + text(b"g") + text(b"") + b"\x00" + number(7)
         + number(-300), "hashtable"),
        (23, text(listpack(b"f", b"value", 0, b"g", b"", 2**41, 7, -300, 0)), "listpackex"),
        (24, milliseconds(2**41) + b"\x03" + b"\x00" + text(b"f") + text(b"value") + b"\x01" + text(b"g") + text(b"") + b"\x00"
         + number(7) + number(-300), "hashtable"),
        (25, milliseconds(2**41) + text(listpack(b"g", b"", 2**41, b"f", b"value", 0, 7, -300, 0)), "listpackex"),
        (29, b"\x00" + text(listpack(b"7", b"f", b"g")) + text(listpack(0, -300, b"value", b"")), "template-listpack"),
        (29, b"\x01\x03" + text(b"7") + text(b"f") + text(b"g") + text(listpack(0, -300, b"value", b"")), "template-listpack"),
        (31, b"\x01\x03" + text(b"7") + text(b"f") + text(b"g") + number(-300) + text(b"value") + text(b""), "template-array"),
    ],
)  # fmt: skip
def test_a_hash_in_any_form_gives_the_same_fields(tmp_path: Path, code: int, value: bytes, encoding: str) -> None:
    row = one(tmp_path, key(code, b"k", value))
    assert hash_of(row) == ("hash", encoding, 3, b"value", 5, b"-300")
    assert row["field:absent"] is None
    assert row["length:absent"] is None


def test_a_field_expiry_of_valkey_stands_after_the_value(tmp_path: Path) -> None:
    fields = text(b"g") + text(b"") + milliseconds(2**41) + text(b"f") + text(b"value") + milliseconds(-1)
    row = one(
        tmp_path, key(22, b"k", b"\x03" + fields + number(7) + number(-300) + milliseconds(-1)), magic=b"VALKEY080"
    )
    assert hash_of(row) == ("hash", "hashtable", 3, b"value", 5, b"-300")


def test_hashes_of_a_template_get_their_field_names_back(tmp_path: Path) -> None:
    fields = size(3) + text(b"7") + text(b"f") + text(b"g")
    found, read = read_rows(
        written(
            tmp_path,
            dump(
                bytes([TEMPLATE]) + size(4) + size(1) + text(b"other"),
                bytes([TEMPLATE]) + size(300) + fields,
                key(30, b"packed", text(listpack(300, -300, b"value", b""))),
                key(32, b"array", size(300) + number(-300) + text(b"value") + text(b"")),
                key(32, b"of another", size(4) + text(b"x")),
                magic=b"REDIS0015",
            ),
        )
    )
    assert read.blemishes == []
    assert [hash_of(row) for row in found] == [
        ("hash", "template-listpack", 3, b"value", 5, b"-300"),
        ("hash", "template-array", 3, b"value", 5, b"-300"),
        ("hash", "template-array", 1, None, None, None),
    ]


@pytest.mark.parametrize(
    ("code", "value", "encoding"),
    [
        (2, b"\x03" + text(b"one") + number(-2) + text(b""), "hashtable"),
        (20, text(listpack(b"one", -2, b"")), "listpack"),
        (3, b"\x03" + text(b"one") + b"\x031.5" + number(-2) + b"\xfd" + text(b"") + b"\xfe", "skiplist"),
        (5, b"\x03" + text(b"one") + b"\x00" * 8 + number(-2) + b"\x00" * 8 + text(b"") + b"\x00" * 8, "skiplist"),
        (12, text(ziplist(b"one", 1, -2, b"2.5", b"", 3)), "ziplist"),
        (17, text(listpack(b"one", 1, -2, b"2.5", b"", 3)), "listpack"),
    ],
)
def test_a_set_in_any_form_gives_the_same_members(tmp_path: Path, code: int, value: bytes, encoding: str) -> None:
    row = one(tmp_path, key(code, b"k", value))
    assert (row["encoding"], row["elements"], row["members"]) == (encoding, 3, [b"one", b"-2", b""])


@pytest.mark.parametrize("members", [[1, -2, 300], [70_000, -1], [2**40, -(2**63), 2**63 - 1]])
def test_a_set_of_numbers_gives_them_as_text(tmp_path: Path, members: list[int]) -> None:
    row = one(tmp_path, key(11, b"k", text(intset(*members))))
    assert (row["encoding"], row["members"]) == ("intset", [b"%d" % member for member in members])


@pytest.mark.parametrize(
    ("code", "value", "encoding", "elements"),
    [
        (1, b"\x02" + text(b"a") + number(5), "linkedlist", 2),
        (10, text(ziplist(b"a", 5, b"c")), "ziplist", 3),
        (14, b"\x02" + text(ziplist(b"a", 5)) + text(ziplist(b"c" * 5000)), "quicklist", 3),
        (18, b"\x01\x02" + text(listpack(b"a", 5)), "listpack", 2),
        (18, b"\x02\x02" + text(listpack(b"a", 5)) + b"\x01" + text(b"d" * 9000), "quicklist", 3),
    ],
)
def test_a_list_is_counted_and_passed(tmp_path: Path, code: int, value: bytes, encoding: str, elements: int) -> None:
    row = one(tmp_path, key(code, b"k", value))
    assert (row["type"], row["encoding"], row["elements"]) == ("list", encoding, elements)


def stream(version: int) -> bytes:
    ident = struct.pack(">QQ", 1_700_000_000_000, 0)
    value = size(1) + text(ident) + text(listpack(b"x", 1)) + size(5) + size(2**41) + size(0)
    if version >= 2:
        value += size(1) * 5
    consumer = text(b"consumer") + milliseconds(1) + (milliseconds(2) if version >= 3 else b"") + size(1) + ident
    value += size(2)
    for name in (b"group", b"another"):
        value += text(name) + size(2**41) + size(0) + (size(9) if version >= 2 else b"")
        value += size(1) + ident + milliseconds(3) + size(1) + size(1) + consumer
        if version >= 5:
            value += size(1) + ident
    if version >= 4:
        value += size(100) + size(10) + size(1) + text(b"producer") + size(1) + text(b"iid") + size(2**41) + size(0)
        value += size(1) + size(0)
    return value


@pytest.mark.parametrize(("code", "version"), [(15, 1), (19, 2), (21, 3), (26, 4), (27, 5)])
def test_a_stream_of_any_release_is_counted_and_passed(tmp_path: Path, code: int, version: int) -> None:
    data = dump(key(code, b"s", stream(version)), key(0, b"after", text(b"it")), magic=b"REDIS0014")
    found, read = read_rows(written(tmp_path, data))
    assert read.blemishes == []
    assert [(row["key"], row["type"], row["elements"]) for row in found] == [
        (b"s", "stream", 5),
        (b"after", "string", 2),
    ]


def test_a_modules_value_is_passed_by_its_own_marks(tmp_path: Path) -> None:
    data = dump(key(7, b"m", b"\x81" + b"\xaa" * 8 + MODULE_VALUE), key(0, b"after", text(b"it")))
    found, read = read_rows(written(tmp_path, data))
    assert read.blemishes == []
    assert [(row["key"], row["type"]) for row in found] == [(b"m", "module"), (b"after", "string")]


def test_an_array_is_counted_and_passed(tmp_path: Path) -> None:
    elements = size(0) + b"\x01" + b"\x00" * 8 + size(5) + b"\x02" + b"\x00" * 8 + size(9) + b"\x03" + text(b"small")
    value = size(4) + b"\x01" + size(10) + elements + size(70_000) + b"\x00" + text(b"long" * 30)
    row = one(tmp_path, key(28, b"a", value), magic=b"REDIS0014")
    assert (row["type"], row["encoding"], row["elements"]) == ("array", "sliced-array", 4)


def test_records_between_keys_are_passed_and_touch_no_key(tmp_path: Path) -> None:
    between = (
        bytes([FUNCTION]) + text(b"#!lua name=l\n" * 30),
        bytes([FUNCTION_RC]) + text(b"name") + text(b"LUA") + b"\x01" + text(b"what for") + text(b"code"),
        bytes([FUNCTION_RC]) + text(b"name") + text(b"LUA") + b"\x00" + text(b"code"),
        bytes([MODULE_AUX]) + b"\x81" + b"\xbb" * 8 + b"\x02" + size(2) + MODULE_VALUE,
        bytes([SLOT_INFO]) + size(5) + size(100) + size(3),
        bytes([RESIZEDB]) + size(2) + size(0),
        b"\x79" + size(12) + b"\x6b" + size(1),  # Redis Enterprise: slot, access in RAM
    )
    for record in between:
        data = dump(
            key(0, b"a", text(b"1")), record, bytes([EXPIRETIME_MS]) + milliseconds(5), key(0, b"b", text(b"2"))
        )
        found, read = read_rows(written(tmp_path, data))
        assert read.blemishes == [], record
        assert [row["key"] for row in found] == [b"a", b"b"]
        assert found[0]["expires_at"] is None


def test_what_modules_attach_to_a_key_is_passed_and_so_is_a_slot_import(tmp_path: Path) -> None:
    attached = bytes([KEY_META]) + size(2) + b"abcd" + MODULE_VALUE + b"efgh" + b"\x00"
    row = one(
        tmp_path, bytes([EXPIRETIME_MS]) + milliseconds(1000), attached, key(0, b"k", text(b"v")), magic=b"REDIS0013"
    )
    assert row["expires_at"] == at(1)
    job = bytes([SLOT_IMPORT]) + text(b"job") + size(2) + size(0) + size(5) + size(100) + size(16383)
    assert one(tmp_path, job, key(0, b"k", text(b"v")), magic=b"VALKEY080")["key"] == b"k"


def test_expiry_idle_time_and_use_belong_to_the_next_key_alone(tmp_path: Path) -> None:
    found, _ = read_rows(
        written(
            tmp_path,
            dump(
                bytes([SELECTDB]) + size(3),
                bytes([EXPIRETIME]) + struct.pack("<I", 1_700_000_000) + key(0, b"seconds", text(b"1")),
                bytes([EXPIRETIME_MS]) + milliseconds(1_700_000_000_123) + bytes([IDLE]) + size(70_000)
                + key(0, b"idle", text(b"1")),
                bytes([FREQ]) + b"\xff" + key(0, b"used", text(b"1")),
                bytes([SELECTDB]) + size(500) + key(0, b"plain", text(b"1")),
            ),
        )
    )  # fmt: skip
    seen = {row["key"]: (row["db"], row["expires_at"], row["idle_s"], row["freq"]) for row in found}
    assert seen == {
        b"seconds": (3, at(1_700_000_000), None, None),
        b"idle": (3, at(1_700_000_000.123), 70_000, None),
        b"used": (3, None, None, 255),
        b"plain": (500, None, None, None),
    }


def test_an_expiry_beyond_all_calendars_is_clamped(tmp_path: Path) -> None:
    data = dump(
        bytes([EXPIRETIME_MS]) + milliseconds(2**63 - 1) + key(0, b"late", text(b"1")),
        bytes([EXPIRETIME_MS]) + milliseconds(-(2**63)) + key(0, b"early", text(b"1")),
    )
    found, _ = read_rows(written(tmp_path, data))
    assert [row["expires_at"] for row in found] == [
        datetime.fromisoformat("9999-12-31T23:59:59.999"),
        datetime.fromisoformat("0001-01-01"),
    ]


def test_the_server_speaks_through_aux_fields(tmp_path: Path) -> None:
    aux = [
        (b"redis-ver", text(b"7.2.4")),
        (b"redis-bits", number(64)),
        (b"ctime", number(1_700_000_000)),
        (b"x", text(b"\xff")),
    ]
    data = dump(*[bytes([AUX]) + text(name) + value for name, value in aux])
    found, read = read_rows(written(tmp_path, data))
    assert found == []
    assert read.facts == {
        "magic": "REDIS", "rdb-version": "11", "checksum": "verified",
        "redis-ver": "7.2.4", "redis-bits": "64", "ctime": "1700000000", "x": "�",
    }  # fmt: skip
    assert read.taken_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("version", range(1, 16))
def test_every_version_of_the_format_is_read(tmp_path: Path, version: int) -> None:
    data = dump(key(0, b"k", text(b"v")), magic=b"REDIS%04d" % version)
    found, read = read_rows(written(tmp_path, data))
    assert [row["key"] for row in found] == [b"k"]
    assert read.facts["checksum"] == ("verified" if version >= 5 else "absent")
    assert read.blemishes == []


def test_a_dump_of_a_newer_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    data = dump(key(0, b"k", text(b"v")), key(77, b"new", b"?"), magic=b"REDIS0023")
    found, read = read_rows(written(tmp_path, data))
    assert [row["key"] for row in found] == [b"k"]
    newer, unknown = read.blemishes
    assert "newer than this necropsy" in newer.why
    assert (unknown.unit, unknown.place) == ("byte", 14)
    assert "a value of type 77" in unknown.why
    assert "cover the 1 key" in unknown.why


def test_collections_with_nothing_in_them_are_no_keys(tmp_path: Path) -> None:
    empty = [(4, b"\x00"), (2, b"\x00"), (5, b"\x00"), (16, text(listpack())), (18, b"\x00"), (13, text(ziplist()))]
    data = dump(*[key(code, b"e%d" % code, value) for code, value in empty], key(0, b"k", text(b"v")))
    found, read = read_rows(written(tmp_path, data))
    assert ([row["key"] for row in found], read.keys_read, read.blemishes) == ([b"k"], 1, [])


def test_a_list_of_nodes_with_nothing_in_them_is_no_key(tmp_path: Path) -> None:
    older, newer = text(ziplist()), b"\x02" + text(listpack())
    lists = [
        (14, b"one empty", size(1) + older), (14, b"two empty", size(2) + older + older),
        (14, b"kept", size(2) + older + text(ziplist(b"x"))), (18, b"one empty, newer", size(1) + newer),
        (18, b"kept, newer", size(3) + newer + b"\x02" + text(listpack(b"y", b"z")) + newer),
        (18, b"a text of no length", size(1) + b"\x01" + text(b"")),
    ]  # fmt: skip
    found, read = read_rows(written(tmp_path, dump(*[key(*each) for each in lists])))
    rows = {row["key"]: (row["elements"], row["encoding"]) for row in found}
    assert rows == {
        b"kept": (1, "quicklist"), b"kept, newer": (2, "listpack"), b"a text of no length": (1, "quicklist"),
    }  # fmt: skip
    assert (read.keys_read, read.blemishes) == (3, [])


@given(entries=ENTRIES)
@settings(max_examples=50)
def test_any_listpack_and_ziplist_walks_back_to_what_went_in(
    tmp_path_factory: pytest.TempPathFactory, entries: list[bytes | int]
) -> None:
    pairs = [part for entry in entries for part in (entry, 1)]
    data = dump(key(20, b"set", text(listpack(*entries))), key(12, b"sorted", text(ziplist(*pairs))))
    found, read = read_rows(written(tmp_path_factory.getbasetemp(), data))
    assert read.blemishes == []
    assert [row["members"] for row in found] == [[spelled(entry) for entry in entries]] * 2


@pytest.mark.parametrize("length", [63, 64, 126, 127, 128, 4095, 4096, 16_379, 16_400, 2_097_140, 2_097_160])
def test_a_packed_text_of_any_length_class_is_found(tmp_path: Path, length: int) -> None:
    for code, packed in ((16, listpack), (13, ziplist)):
        row = one(tmp_path, key(code, b"k", text(packed(b"a", b"x" * length, b"f", b"y" * length, b"7", 5))))
        assert (row["length:f"], row["field:7"]) == (length, b"5")


def test_only_the_start_of_what_was_asked_for_is_kept(tmp_path: Path) -> None:
    projection = Projection(string_bytes=3, hash_fields=((b"f", 2), (b"g", 0)), members_of=(b"index:",))
    fields = b"\x02" + text(b"f") + text(b"value") + text(b"g") + compressed(b"\x00z\xe0\xff\x00", 265)
    members = b"\x01" + text(b"m")
    data = dump(
        key(0, b"string", text(b"hello")), key(0, b"squeezed", compressed(b"\x01ab\xe0\x0b\x01", 22)), key(4, b"hash", fields),
        key(16, b"packed", text(listpack(b"f", 12345))), key(2, b"an index: of", members), key(2, b"other", members),
    )  # fmt: skip
    found, _ = read_rows(written(tmp_path, data), projection)
    seen = by_key(found)
    assert (seen[b"string"]["head"], seen[b"squeezed"]["head"], seen[b"hash"]["head"]) == (b"hel", b"aba", None)
    assert [seen[b"hash"][name] for name in ("field:f", "length:f", "field:g", "length:g")] == [b"va", 5, b"", 265]
    assert [seen[b"packed"][name] for name in ("field:f", "length:f", "field:g")] == [b"12", 5, None]
    assert (seen[b"an index: of"]["members"], seen[b"other"]["members"]) == ([b"m"], None)


def test_batches_have_the_rows_that_were_asked_for_and_none_is_lost(tmp_path: Path) -> None:
    data = dump(*[key(0, b"k%d" % n, text(b"v%d" % n)) for n in range(25)])
    seen: list[int] = []
    batches = list(open_dump(written(tmp_path, data), Projection(string_bytes=9), batch_rows=10, progress=seen.append))
    assert [batch.num_rows for batch in batches] == [10, 10, 5]
    assert [key for batch in batches for key in batch["head"].to_pylist()] == [b"v%d" % n for n in range(25)]
    assert seen == sorted(seen)
    assert seen[-1] == len(data)


def test_progress_is_told_within_a_batch_and_begins_with_none(tmp_path: Path) -> None:
    data = dump(*[key(0, b"k%d" % n, text(os.urandom(1 << 20))) for n in range(12)], checksum=False)
    seen: list[int] = []
    (batch,) = open_dump(written(tmp_path, data), Projection(), progress=seen.append)
    assert batch.num_rows == 12
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, len(data))
    assert len(seen) > 4


def test_of_a_compressed_dump_no_share_is_made_up(tmp_path: Path) -> None:
    data = dump(*[key(0, b"k%d" % n, text(b"v" * 1000)) for n in range(2000)])
    plain, packed = written(tmp_path, data), tmp_path / "dump.rdb.gz"
    packed.write_bytes(gzip.compress(data))
    shares: dict[Path, list[float | None]] = {}
    for path in (Path(plain), packed):
        shares[path] = []
        assert (
            sum(batch.num_rows for batch in open_keyspace(str(path), Projection(), progress=shares[path].append))
            == 2000
        )
    assert (shares[Path(plain)][0], shares[Path(plain)][-1]) == (0.0, 1.0)
    assert set(shares[packed]) == {None}


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 2047, 2048, 2049, 5000])
def test_members_may_outnumber_keys_by_any_factor(tmp_path: Path, count: int) -> None:
    members = [b"%d:member" % number for number in range(count)]
    row = one(tmp_path, key(2, b"k", size(count) + b"".join(map(text, members))))
    assert row["members"] == members


def test_the_members_of_a_key_are_kept_to_a_bound_and_the_rest_is_told(tmp_path: Path) -> None:
    member = b"m" * (1 << 20)
    data = dump(key(2, b"k", size(100) + text(member) * 100), key(2, b"other", size(1) + text(b"x")), checksum=False)
    found, read = read_rows(written(tmp_path, data))
    assert [(row["elements"], len(row["members"])) for row in found] == [(100, 64), (1, 1)]
    (blemish,) = read.blemishes
    assert (blemish.place, blemish.count) == (9, 1)
    assert "only the first two million or so" in blemish.why


def test_members_of_keys_that_expire_may_be_left_out(tmp_path: Path) -> None:
    members = b"\x01" + text(b"m")
    path = written(tmp_path, dump(b"\xfc" + milliseconds(7) + key(2, b"passing", members), key(2, b"lasting", members)))
    for lasting, wanted in ((False, [[b"m"], [b"m"]]), (True, [None, [b"m"]])):
        found, _ = read_rows(path, Projection(members_of=(b"",), lasting_members=lasting))
        assert [row["members"] for row in found] == wanted
