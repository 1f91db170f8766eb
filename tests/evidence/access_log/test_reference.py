"""The reader comes to what the reference comes to, on lines of every layout: random, damaged, hostile ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.access_log.conftest import ASSETS
from evidence.access_log.producers import PRODUCERS, requests
from necropsy.case.scratch import Scratch
from necropsy.evidence.access_log import duckdb_reader, reference
from necropsy.evidence.access_log.files.sources import LogFile, attach, first_lines
from necropsy.evidence.access_log.formats.field_texts import changes
from necropsy.evidence.access_log.formats.layout import BLANK, LineLayout
from necropsy.evidence.access_log.formats.text.text_lines import compile_format
from necropsy.evidence.access_log.lines import KEYED, TEXTS, create_tables, finish
from necropsy.evidence.access_log.loading import load
from necropsy.evidence.access_log.recognise import recognise

COOKIES = '{"time":"2019-05-24T18:41:%02d+00:00","request":"GET /상품/🙂?q=%%ED HTTP/1.1","status":200,"http_cookie":"a=1; SESSION=YjQ","request_time":"0.01%d"}'
W3C = [
    "#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)",
    "2019-05-24\t18:41:34\t203.0.113.9\tGET\td111.example\t/login\t302\t-\tcurl/8.5.0%20x",
]
GIVEN = {
    "msec and duration": ("$msec|$request_method $request_uri|$status|$request_time|$http_host", "default"),
    "escape=json": ('$remote_addr [$time_local] "$request" $status "$http_user_agent" "$cookie_JSESSIONID"', "json"),
    "escape=none": ('$http_x_forwarded_for, $remote_addr [$time_iso8601] "$request" $status', "none"),
}
LINES_OF_GIVEN = {
    "msec and duration": "1558723292.123|GET /a?b|302|0.010|a.example",
    "escape=json": '203.0.113.9 [24/May/2019:18:41:34 +0000] "GET /a\\"b HTTP/1.1" 200 "curl\\u00e9" "abc"',
    "escape=none": '203.0.113.9, 10.0.0.1 [2019-05-24T18:41:34+00:00] "GET / HTTP/1.1" 200',
}


def samples() -> Iterator[tuple[str, LineLayout, list[str]]]:
    """Every layout that is no wrapped one, with lines that it reads."""
    for name, written in PRODUCERS.items():
        lines = [written.text(request) for request in requests()][:8]
        layout = recognise(lines, [])
        if layout is not None:
            yield name, layout, lines
    for path in sorted(ASSETS.rglob("*.log*")):
        lines = first_lines(LogFile(str(path), path, "gzip" if path.suffix == ".gz" else "none"))
        layout = recognise(lines, [])
        if layout is not None:
            yield path.name, layout, lines[:12]
    for name, lines in (("cookies", [COOKIES % (i, i) for i in range(6)]), ("W3C", W3C)):
        layout = recognise(lines, [])
        assert layout is not None
        yield name, layout, lines
    for name, (text, escape) in GIVEN.items():
        layout = compile_format(text, escape, name=name, note=name)
        assert layout is not None
        yield name, layout, [LINES_OF_GIVEN[name]] * 3


SAMPLES = {name: (layout, lines) for name, layout, lines in samples()}


def by_duckdb(scratch: Scratch, layout: LineLayout, lines: Sequence[str]) -> dict[int, Any]:
    """What the reader reads, by line; lines that it leaves are missing, blank ones are ``BLANK``."""
    path = scratch.folder / "some.log"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    query = duckdb_reader.query(layout, layout.lines.table(str(path), "none"))
    rows = scratch.connection.sql(query).to_arrow_table().to_pylist()
    scratch.forget_rejects()
    counted = [i for i, line in enumerate(lines) if layout.kind != "json" or line.strip(" \t\n\v\f\r")]
    assert len(rows) == len(counted)
    change = changes(layout)
    found: dict[int, Any] = {}
    for i, row in zip(counted, rows, strict=True):
        if row["fault"] == BLANK:
            found[i] = BLANK
        elif row["fault"] == 0:
            texts = {name: row[name] or "" for name in ("client", "agent", "host", "request", "referer")}
            texts = {name: change[name](text) if name in change else text for name, text in texts.items()}
            status = -1 if row["status"] is None else row["status"]
            found[i] = reference.ParsedLine(row["time_us"], status, **texts, flags=row.get("flags", 0))
    return found


def assert_equal(scratch: Scratch, layout: LineLayout, lines: Sequence[str]) -> dict[int, Any]:
    read = by_duckdb(scratch, layout, lines)
    expected = list(reference.read(layout, lines))
    assert read == {i: expected[i] for i in read}
    return read


@pytest.mark.parametrize("name", SAMPLES)
def test_well_formed_lines_are_read_by_duckdb_and_as_the_reference_reads_them(scratch, name) -> None:
    layout, lines = SAMPLES[name]
    read = assert_equal(scratch, layout, lines)
    readable = [i for i, row in enumerate(reference.read(layout, lines)) if isinstance(row, reference.ParsedLine)]
    assert readable
    assert len(set(readable) & set(read)) * 2 > len(readable)


VALUES: list[Any] = [
    "", "-", " ", "0", "200", " 302", "2e2", "-1", "40000", "1_0", "GET", "GET /", "GET  /", "GET /é?x HTTP/1.1", "POST", "/a?b", "?", "? /", "\\x16\\x03",
    "caf\\xC3\\xA9", "\\xFF", "%FF", "a%20b+c", "http://a.example", "HTTPS://a.example:8/b?c", "GET http://b.example?x HTTP/1.1", "::ffff:10.0.0.1", "10.0.0.1:80", "[::1]:9",
    "10.0.0.1, 10.0.0.2", " , ", "2019-05-24T18:41:32.1234567Z", "2019-05-24 18:41:32 +0200", "2019-02-30T00:00:00Z", "2300-01-01T00:00:00Z", "2019/05/24 18:41:32",
    "2019-05-24T18:41:32+02", "2019-05-24T24:00:00Z", "24/may/2019:18:41:33 -0730", "31/Jun/2019:18:41:32 +0000", "[24/May/2019:18:41:32 +0000]", "1558723292.1234567",
    "1558723292123", "1e9", "nan", "inf", "86401", "0.0000001", "SESSION=x", "x; JSESSIONID=1; y", "REDACTED", '"', "'", "\\", "{a|b}", "x" * 300, "\u0000", "\u2028", "\ud800",
]  # fmt: skip
OTHERS: list[Any] = [None, True, False, 0, 200, 302.5, -3, 1e3, 1.50, 1558723292.123, 1e16, 1e300, 12345678901234567890, 2**70, -0.0, [], ["x"], ["a", 1], {}, {"a": [1, {"b": None}]}, [["y"]]]  # fmt: skip


def damaged(line: str, rng: random.Random) -> str:
    """A line with some characters changed, lost, or in another place; or one that is no line of the layout at all."""
    kind = rng.randrange(12)
    if kind == 0:
        return rng.choice(
            [
                "",
                " ",
                "\t",
                "rubbish",
                "{}",
                "[]",
                "null",
                '{"a":}',
                "#x",
                line[: len(line) // 2],
                line + line,
                line + " ",
                f" {line}",
            ]
        )
    if kind == 1:
        start = rng.randrange(len(line))
        return (
            line[:start]
            + rng.choice(['"', "\\", " ", "\t", "é", "🙂", "{", "}", "[", ":", ",", "0", "-", "\x01"])
            + line[start + rng.randrange(2) :]
        )
    if kind == 2:
        words = line.split(rng.choice([" ", '"', "\t", ","]))
        words[rng.randrange(len(words))] = str(rng.choice(VALUES))
        return rng.choice([" ", '"', "\t", ","]).join(words) if rng.randrange(4) == 0 else " ".join(words)
    for separator in rng.sample([" ", '"', "\t", "|"], 4):
        words = line.split(separator)
        if len(words) > 1:
            words[rng.randrange(len(words))] = str(rng.choice(VALUES))
            return separator.join(words)
    return line


def with_other_values(line: str, rng: random.Random) -> str:
    """An object with other values, anywhere in it; with a key twice, or none of some."""
    whole = json.loads(line)
    for _ in range(rng.randrange(3)):
        here = whole
        while True:
            if not here:
                break
            key = rng.choice(list(here) if isinstance(here, dict) else range(len(here)))
            if isinstance(here[key], dict | list) and here[key] and rng.randrange(5):
                here = here[key]
                continue
            if isinstance(here, dict) and rng.randrange(6) == 0:
                del here[key]
            else:
                here[key] = deepcopy(rng.choice(VALUES + OTHERS))
            break
    text = json.dumps(whole, ensure_ascii=rng.random() < 0.4, separators=rng.choice([(",", ":"), (", ", ": ")]))
    if rng.randrange(8) == 0 and isinstance(whole, dict) and whole:
        key = rng.choice(list(whole))
        text = f"{{{json.dumps(key)}:{json.dumps(rng.choice(VALUES + OTHERS))},{text[1:]}"
    return text


def strange(lines: Sequence[str], rng: random.Random) -> list[str]:
    """Lines that are more or less like these, each of which can be written as UTF-8 and holds no newline."""
    made = []
    for _ in range(60):
        line = rng.choice(lines)
        if line.startswith("{") and rng.randrange(3):
            line = with_other_values(line, rng)
        if rng.randrange(3) == 0 and line:
            line = damaged(line, rng)
        made.append(line.encode("utf-8", "replace").decode().replace("\n", " ").replace("\r", " "))
    return made


@pytest.mark.process
@pytest.mark.parametrize("name", SAMPLES)
@settings(
    max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(seed=st.integers(0, 1 << 40))
def test_strange_lines_that_the_reader_accepts_it_reads_as_the_reference_does(scratch, name, seed) -> None:
    layout, lines = SAMPLES[name]
    assert_equal(scratch, layout, strange(lines, random.Random(seed)))


def everything_read(scratch: Scratch, path: Path) -> tuple[Any, ...]:
    """What the tables hold after reading, and what was reported."""
    create_tables(scratch)
    loaded = load(scratch, attach(str(path), scratch.folder, 0), [])
    finish(scratch)
    texts = ", ".join(f"(SELECT any_value(text) FROM given WHERE key = line.{field}_key) AS {field}" for field in TEXTS)
    keys = ", ".join(f"{field}_key" for field in KEYED)
    rows = scratch.rows(f"SELECT number, time_us, status, flags, {keys}, {texts} FROM line ORDER BY number")
    for left in scratch.folder.iterdir():
        left.unlink()
    said = [(b.unit, b.place, b.why, b.count, b.sample) for b in loaded.blemishes]
    return rows, said, loaded.lines, loaded.requests, loaded.starts, loaded.last_at, loaded.note


def left_whole(query: Any) -> Any:
    """A query by which DuckDB leaves every line that is not blank."""
    return lambda layout, table: (
        f"SELECT * REPLACE (CASE WHEN fault = {BLANK} THEN {BLANK} ELSE 1 END AS fault) FROM ({query(layout, table)})"
    )


@pytest.mark.process
@pytest.mark.parametrize("name", SAMPLES)
@settings(
    max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(seed=st.integers(0, 1 << 40))
def test_a_file_comes_to_the_same_tables_whoever_reads_its_lines(scratch, tmp_path, name, seed) -> None:
    _, lines = SAMPLES[name]
    rng = random.Random(seed)
    ends = ["\n", "\n", "\n", "\n\n", "\r\n"] if rng.randrange(2) else ["\n"]
    data = bytearray("".join(line + rng.choice(ends) for line in [*lines, *strange(lines, rng)]).encode())
    for _ in range(rng.choice((0, 0, 1, 5))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path = tmp_path / "access.log"
    path.write_bytes(bytes(data))
    as_it_is = everything_read(scratch, path)
    with mock.patch.object(duckdb_reader, "query", left_whole(duckdb_reader.query)):
        assert everything_read(scratch, path) == as_it_is


@pytest.mark.parametrize("name", ["nginx, combined", "Caddy", "cookies", "W3C"])
def test_each_line_has_a_number_of_its_own_and_all_stand_in_the_order_of_the_file(scratch, tmp_path, name) -> None:
    _, lines = SAMPLES[name]
    path = tmp_path / "access.log"
    shapes = ("{}\n", "\n{}\n", "shipper: {}\n", "{} \n")
    path.write_text("".join(shapes[i % 4].format(lines[i % len(lines)]) for i in range(40)))
    create_tables(scratch)
    load(scratch, attach(str(path), scratch.folder, 0), [], 100)
    finish(scratch)
    numbers = [number for (number,) in scratch.rows("SELECT number FROM line ORDER BY number")]
    assert len(set(numbers)) == len(numbers) > 10
    assert min(numbers) >= 100


def test_lines_that_duckdb_withdraws_leave_nothing_behind(scratch, tmp_path) -> None:
    line = '203.0.113.%d - - [24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"\n'
    path = tmp_path / "access.log"
    path.write_bytes(
        "".join(line % (i % 250) for i in range(200_000)).encode() + b"\xff torn\rapart\n" + (line % 7).encode()
    )
    create_tables(scratch)
    loaded = load(scratch, attach(str(path), scratch.folder, 0), [])
    finish(scratch)
    assert loaded.requests == 200_001
    assert scratch.rows("SELECT count(*), count(DISTINCT number) FROM line") == [(200_001, 200_001)]
    assert [(b.place, b.count) for b in loaded.blemishes] == [(200_001, 1)]


def test_numbers_of_a_file_are_counted_on_from_those_before_it(scratch, tmp_path) -> None:
    _, lines = SAMPLES["nginx, combined"]
    path = tmp_path / "access.log"
    path.write_text("\n".join([*lines, "rubbish", lines[0]]) + "\n")
    create_tables(scratch)
    loaded = load(scratch, attach(str(path), scratch.folder, 0), [], 1000)
    finish(scratch)
    count = len(lines)
    assert loaded.lines == count + 2
    found = np.sort([number for (number,) in scratch.rows("SELECT number FROM line")]).tolist()
    assert found == [*range(1000, 1000 + count), 1000 + count + 1]
