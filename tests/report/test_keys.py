from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from necropsy.model.evidence import Absent, Blemish
from necropsy.model.keyspace import (
    IDLE_CLASSES,
    SIZE_CLASSES,
    TTL_CLASSES,
    BigKey,
    Figures,
    KeySource,
    Keyspace,
    KeyspaceRow,
)
from necropsy.report.commands import keys, keys_rows

COUNTS = st.integers(0, 2**34)
FEW = settings(max_examples=30)
HOSTILE = "=cmd|'/c calc'\x1b[2J\u202e\n\x00"


def _several(number: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[COUNTS] * number)


FIGURES = st.builds(
    Figures,
    **dict.fromkeys(("keys", "bytes", "elements", "without_ttl", "expired", "largest", "keys_margin"), COUNTS),
    ttl=_several(len(TTL_CLASSES)),
    idle=_several(len(IDLE_CLASSES)),
    size=_several(len(SIZE_CLASSES)),
).map(lambda drawn: replace(drawn, keys=drawn.keys + drawn.without_ttl + drawn.expired))


def keyspace(row: KeyspaceRow, sample: float = 1.0) -> Keyspace:
    return Keyspace(
        total=replace(row, name="all"),
        groups=(("pattern", (row, replace(row, name="cache:*"))), ("slot", (replace(row, name="16383"),))),
        biggest=(BigKey(row.name, row.name, 0, "hash", "listpack", 3, 2**33, -5, 90, "a.rdb"),),
        sources=(KeySource("a.rdb", "a.rdb", "Redis 7.0.15", datetime(2026, 1, 1, tzinfo=UTC), row.figures.keys),),
        sample=sample,
        blemishes=(Blemish("a.rdb", "byte", 7, f"damaged {HOSTILE}"),),
        absent=(Absent("keys", "b.rdb", "b.rdb: no such file", "Check the path."),),
    )


@given(
    FIGURES,
    FIGURES | st.none(),
    st.text(max_size=120),
    st.sampled_from((1.0, 0.01)),
    st.sampled_from((40, 50, 60, 80, 120)),
)
@FEW
def test_no_line_is_wider_than_the_terminal_and_nothing_in_it_acts(
    figures: Figures, before: Figures | None, name: str, sample: float, width: int
) -> None:
    found = keyspace(KeyspaceRow(name + HOSTILE, figures, before), sample)
    text = keys.render(found, distributions=True, width=width)
    assert [line for line in text.splitlines() if cell_len(line) > width] == []
    assert not {"\x1b", "\u202e", "\x00"} & set(text)


@given(FIGURES, FIGURES | st.none())
@FEW
def test_json_csv_and_parquet_tell_the_same(figures: Figures, before: Figures | None) -> None:
    found = keyspace(KeyspaceRow("sess:*", figures, before))
    document = json.loads(keys_rows.as_json(found))
    lines = list(csv.DictReader(io.StringIO(keys_rows.as_csv(found))))
    table = pq.read_table(io.BytesIO(keys_rows.as_parquet(found))).to_pylist()
    nested = [(by, row) for by, rows in document["groups"].items() for row in rows]
    assert len(nested) == len(lines) == len(table) == 3
    for (by, row), line, entry in zip(nested, lines, table, strict=True):
        assert list(line) == list(entry) == list(keys_rows.COLUMNS)
        assert (by, row["name"]) == (line["by"], line["name"]) == (entry["by"], entry["name"])
        assert row["keys"] == int(line["keys"]) == entry["keys"] == figures.keys
        assert row["ttl"]["none"] == int(line["ttl_none"]) == entry["ttl_none"] == figures.ttl[-1]
        assert row["keys_before"] == entry["keys_before"] == (before.keys if before else None)


def test_a_spreadsheet_does_not_run_what_somebody_named_a_key() -> None:
    text = keys_rows.as_csv(keyspace(KeyspaceRow("=HYPERLINK(*)", Figures())))
    assert next(csv.DictReader(io.StringIO(text)))["name"].startswith("'=")


@pytest.mark.parametrize(("shown", "field"), [(False, "hash"), (True, "key")])
def test_json_says_whether_a_name_is_a_key_or_its_hash(shown: bool, field: str) -> None:
    found = replace(keyspace(KeyspaceRow("a", Figures(keys=1))), keys_shown=shown)
    biggest = json.loads(keys_rows.as_json(found))["biggest"][0]
    assert {name for name in ("key", "hash") if biggest[name] is not None} == {field}


@pytest.mark.checkout
def test_every_column_is_explained(checkout: Path) -> None:
    text = (checkout / "docs" / "keys.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", text))
    classes = {f"{kind}_{name}" for kind, names in keys_rows.DISTRIBUTIONS for name in names}
    assert set(keys_rows.COLUMNS) - classes <= explained
    assert classes <= {f"{kind}_{name}" for kind in ("ttl", "idle", "size") for name in explained}


def test_idle_times_that_no_dump_carries_are_not_told() -> None:
    idle = (0,) * (len(IDLE_CLASSES) - 1) + (5,)
    text = keys.render(keyspace(KeyspaceRow("a", Figures(keys=5, bytes=500, idle=idle))))
    assert "NOT USED FOR" not in text
    assert "NOT USED FOR" in keys.render(keyspace(KeyspaceRow("a", Figures(keys=5, idle=(5, *idle[1:])))))


def test_an_empty_keyspace_is_told_as_such() -> None:
    empty = Keyspace(KeyspaceRow("all", Figures()), (("pattern", ()),), (), ())
    assert keys.render(empty).startswith("KEYS   0 keys, 0 B\n")


@given(FIGURES, FIGURES | st.none(), st.text(max_size=20), st.sampled_from((1.0, 0.01)))
@FEW
def test_the_json_is_what_the_published_schema_says(
    figures: Figures, before: Figures | None, name: str, sample: float
) -> None:
    schema = json.loads(keys_rows.schema())
    document = json.loads(keys_rows.as_json(keyspace(KeyspaceRow(name, figures, before), sample)))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert set(document) == set(schema["properties"])
    for part, rows in (("row", [document["total"]]), ("big_key", document["biggest"]), ("source", document["sources"])):
        assert set(rows[0]) == set(schema["$defs"][part]["properties"])
