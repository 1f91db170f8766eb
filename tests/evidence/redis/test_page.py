"""Pages of a scan: joined, filtered, turned into batches, none of their values lost or moved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necropsy.evidence.redis.batches import Batches
from necropsy.evidence.redis.page import WINDOW, HashFields, KeyWords, Page, Recent, Sparse
from necropsy.evidence.redis.parallel_nodes import interleaved
from necropsy.sessions.keyspace import KEY_TYPES, Projection, key_schema

PROJECTION = Projection(string_bytes=5, hash_fields=((b"a", 5), (b"b", 0)), members_of=(b"x",))
blob = st.binary(max_size=6)
row = st.fixed_dictionaries(
    {
        "key": blob,
        "type": st.sampled_from(KEY_TYPES),
        "encoding": st.sampled_from([None, "listpack", "raw", "hashtable"]),
        "expires": st.one_of(st.none(), st.integers(0, 1 << 62)),
        "idle": st.one_of(st.none(), st.integers(0, 1 << 40)),
        "freq": st.one_of(st.none(), st.integers(0, 255)),
        "elements": st.integers(0, 1 << 40),
        "usage": st.integers(0, 1 << 40),
        "head": st.one_of(st.none(), blob),
        "members": st.one_of(st.none(), st.lists(blob, max_size=3)),
        "fields": st.one_of(st.none(), st.tuples(st.one_of(st.none(), blob), st.one_of(st.none(), blob))),
    }
)


def page_of(rows: list[dict[str, Any]], names: KeyWords) -> Page:
    def sparse(name: str) -> Sparse:
        at = [place for place, row in enumerate(rows) if row[name] is not None]
        return Sparse(at, [rows[place][name] for place in at])

    at = [place for place, row in enumerate(rows) if row["fields"] is not None]
    columns = [[rows[place]["fields"][number] for place in at] for number in range(2)]
    return Page(
        keys=[row["key"] for row in rows],
        types=[KEY_TYPES.index(row["type"]) for row in rows],
        encodings=[names.encoding(row["encoding"].encode() if row["encoding"] else None) for row in rows],
        expires=[row["expires"] for row in rows],
        idle=[row["idle"] for row in rows],
        freq=[row["freq"] for row in rows],
        elements=[row["elements"] for row in rows],
        usage=[row["usage"] for row in rows],
        heads=sparse("head"),
        members=sparse("members"),
        fields=HashFields(at, columns, [[None if v is None else len(v) for v in column] for column in columns]),
    )


@settings(max_examples=50)
@given(st.lists(st.lists(row, max_size=6), max_size=4), st.data())
def test_what_goes_into_pages_comes_out_of_the_batch(pages: list[list[dict[str, Any]]], data: st.DataObject) -> None:
    names = KeyWords()
    batches = Batches(PROJECTION, names, rows=1000, expiry_bytes=32)
    batches.start(7)
    expected = []
    for rows in pages:
        kept = sorted(data.draw(st.sets(st.sampled_from(range(len(rows)))))) if rows else []
        page = page_of(rows, names)
        batches.add(page.only(kept) if len(kept) < len(rows) else page)
        expected += [rows[place] for place in (kept if len(kept) < len(rows) else range(len(rows)))]
    batch = batches.take()
    if batch is None:
        assert not expected
        return
    batch.validate(full=True)
    assert batch.schema == key_schema(PROJECTION)
    columns = {name: batch.column(name).to_pylist() for name in batch.schema.names if name != "expires_at"}
    assert columns["db"] == [7] * len(expected)
    for name in ("key", "type", "encoding", "elements", "head", "members", "freq"):
        assert columns[name] == [row[name] for row in expected]
    assert columns["bytes"] == [row["usage"] + (32 if row["expires"] is not None else 0) for row in expected]
    for number, name in enumerate("ab"):
        values = [row["fields"][number] if row["fields"] else None for row in expected]
        assert columns[f"field:{name}"] == values
        assert columns[f"length:{name}"] == [None if value is None else len(value) for value in values]
    assert batches.take() is None


@given(st.lists(st.lists(st.integers(0, 40), max_size=8), max_size=30))
def test_a_key_seen_lately_is_seen_once(pages: list[list[int]]) -> None:
    recent = Recent()
    met: list[bytes] = []
    for page in pages:
        keys = [b"%d" % number for number in page]
        rows = recent.fresh(keys)
        met += keys if rows is None else [keys[place] for place in rows]
    assert len(met) == len(set(met))
    assert set(met) == {b"%d" % number for page in pages for number in page}


def test_what_is_remembered_is_bounded() -> None:
    recent = Recent()
    for start in range(0, 20 * WINDOW, 1000):
        assert recent.fresh([b"%d" % number for number in range(start, start + 1000)]) is None
    assert len(recent._older) + len(recent._newer) < 3 * WINDOW


@given(st.lists(st.lists(st.integers(), max_size=20), min_size=1, max_size=5))
def test_side_by_side_gives_all_of_each_in_its_order(sources: list[list[int]]) -> None:
    tagged = [[(place, item) for item in source] for place, source in enumerate(sources)]
    taken = list(interleaved(tagged))
    for place, source in enumerate(sources):
        assert [item for at, item in taken if at == place] == source


def test_side_by_side_raises_what_one_of_them_raises_and_stops_the_others() -> None:
    def endless() -> Any:
        try:
            while True:
                yield 1
        finally:
            stopped.append(True)

    def broken() -> Any:
        yield 2
        raise ValueError("broken")

    stopped: list[bool] = []
    with pytest.raises(ValueError, match="broken"):
        list(interleaved([endless(), broken()]))
    assert not stopped or stopped == [True]
