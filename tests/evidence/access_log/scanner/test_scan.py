"""The short way means what the long way means, and is the same compiled or not."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from necropsy.case.scratch import Scratch
from necropsy.evidence.access_log.files.sources import attach
from necropsy.evidence.access_log.formats.json.json_lines import recognise
from necropsy.evidence.access_log.formats.text.text_lines import compile_format
from necropsy.evidence.access_log.lines import KEYED, TEXTS, create_tables, finish
from necropsy.evidence.access_log.loading import load
from necropsy.evidence.access_log.scanner import byte_loops, scan
from necropsy.evidence.access_log.scanner.plan import Plan, plan_of

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)


def plain_python() -> ModuleType:
    """Load the scanner as plain Python beside the compiled one, with no Cython at hand."""
    folder = Path(scan.__file__ or "").parent
    with mock.patch.dict(sys.modules, {"cython": None}):
        for name in ("byte_loops", "line_values", "path_templates", "scan"):
            full = f"necropsy.evidence.access_log.scanner.{name}"
            spec = importlib.util.spec_from_file_location(full, folder / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[full] = module
            spec.loader.exec_module(module)
    return module


PLAIN_PYTHON = plain_python()


def plan_of_objects() -> Plan:
    line = {"time": "2019-05-24T18:41:32+00:00", "remote_addr": "10.0.0.1", "host": "a.example", "request": "GET / HTTP/1.1",
            "status": "302", "http_referer": "", "http_user_agent": "curl/8"}  # fmt: skip
    layout = recognise([json.dumps(line)])
    assert layout is not None
    plan = plan_of(layout)
    assert plan is not None
    return plan


def plan_of_text(text: str = COMBINED) -> Plan:
    layout = compile_format(text, name="x", note="x")
    assert layout is not None
    plan = plan_of(layout)
    assert plan is not None
    return plan


def result(module: Any, plan: Plan, piece: bytes) -> dict[str, Any]:
    """Scan, as plain values."""
    found = module.LineScanner(plan, 7).scan(piece)
    plain = {name: value.tolist() for name, value in found.items() if isinstance(value, np.ndarray)}
    texts = [(keys.tolist(), ends.tolist(), data) for keys, ends, data in found["texts"]]
    headers = [(flag, ends.tolist(), data) for flag, ends, data in found["headers"]]
    return plain | {
        "headers": headers,
        "lines": found["lines"],
        "keys": [keys.tolist() for keys in found["keys"]],
        "texts": texts,
    }


def test_the_scanner_is_compiled_where_there_is_a_compiler() -> None:
    if not scan.is_compiled():
        if os.environ.get("CI"):
            pytest.fail("the scanner is not compiled here: is there a C compiler, and was the package built with it?")
        pytest.skip("the scanner is not compiled here: no C compiler when the package was installed")
    assert not PLAIN_PYTHON.is_compiled()
    assert str(PLAIN_PYTHON.__file__).endswith(".py")


def test_a_plain_line_becomes_a_time_a_status_and_keys_and_each_text_is_given_once() -> None:
    line = '10.0.0.1 - - [24/May/2019:18:41:34 +0200] "GET /a?token=1 HTTP/1.1" 302 5 "http://a.example/?q" "curl/8"\n'
    found = result(scan, plan_of_text(), (line + line.replace("/a?", "/b?")).encode())
    assert (found["lines"], found["line"], found["hard"]) == (2, [0, 1], [])
    assert (found["time_us"][0], found["status"]) == (1558716094000000, [302, 302])
    client, agent, host, page = (data for _, _, data in found["texts"])
    assert (client, agent, host, page) == (b"10.0.0.1", b"curl/8", b"", b"GET /aGET /b")
    assert found["keys"][2] == [0, 0]
    assert found["keys"][3][0] != found["keys"][3][1]


WYHASH = {
    b"a": 0xC5BAC3DB178713C4,
    b"abc": 0xA97F2F7B1D9B3314,
    b"message digest": 0x786D1F1DF3801DF4,
    b"abcdefghijklmnopqrstuvwxyz": 0xDCA5A8138AD37C87,
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": 0xB9E734F117CFAF70,
    b"1234567890" * 8: 0x6CC5EAB49A92D617,
}
"""Texts and their hashes, seeded by 1, 2, 3 ..., as its author gives them for final version 4.2."""


def keys_of(texts: list[bytes], seed: int) -> list[int]:
    found = np.empty(len(texts), np.uint64)
    byte_loops.fill_keys(b"".join(texts), np.cumsum([len(text) for text in texts]), found, seed)
    return found.tolist()


def test_a_key_is_wyhash_compiled_or_not() -> None:
    for seed, (text, key) in enumerate(WYHASH.items(), 1):
        assert keys_of([text], seed) == [key]
        assert PLAIN_PYTHON.key_of(text, 0, len(text), seed) == key


def test_a_key_of_any_length_is_the_same_compiled_or_not_and_reads_no_further() -> None:
    texts = [random.Random(length).randbytes(length) for length in range(200)]
    assert keys_of(texts, 7) == [PLAIN_PYTHON.key_of(b"x" + text + b"y", 1, 1 + len(text), 7) for text in texts]
    assert len(set(keys_of(texts, 7))) == len(texts)


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.1 - a b [24/May/2019:18:41:34 +0200] "GET / HTTP/1.1" 302 5 "-" "curl/8"',
        '10.0.0.1 - - [31/Feb/2019:18:41:34 +0200] "GET / HTTP/1.1" 302 5 "-" "curl/8"',
        '10.0.0.1 - - [24/May/2019:18:41:34 +0200] "GET / HTTP/1.1" 3x2 5 "-" "curl/8"',
        '10.0.0.1 - - [24/May/2019:18:41:34 +0200] "" 302 5 "-" "curl/8"',
        '10.0.0.1 - - [24/May/2019:18:41:34 +0200] "GET / HTTP/1.1" 302 5 "-" "curl/8" more',
        '10.0.0.1 - - [24/May/2019:18:41:34 +0200] "GET /\\xC3 HTTP/1.1" 302 5 "-" "curl/8"',
        '10.0.0.1 - - [24/May/2019:18:41:34 +0200] "GET /\x01 HTTP/1.1" 302 5 "-" "curl/8"',
        "?",
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(line) -> None:
    found = result(scan, plan_of_text(), f"\n{line}\n\n".encode())
    assert (found["lines"], found["line"], found["hard"]) == (3, [], [1])
    assert (found["hard_start"], found["hard_stop"]) == ([1], [1 + len(line.encode())])


def test_values_of_any_length_and_an_odd_byte_at_any_place_are_found_compiled_or_not() -> None:
    line = b'%s - - [24/May/2019:18:41:34 +0200] "GET /%s HTTP/1.1" 302 %s "-" "%s"'
    lines = [
        line % (b"1" * (1 + n % 40), b"a" * n, b"5" * (1 + n % 35), bytes(35 + (i + n) % 57 for i in range(n)))
        for n in range(150)
    ]
    lines += [
        lines[60][:at] + odd + lines[60][at + 1 :]
        for at in range(len(lines[60]))
        for odd in (b"\x7f", b"\xe9", b"\xed\xa0\x80")
    ]
    piece = b"\n".join(lines)
    found = result(scan, plan_of_text(), piece)
    assert found == result(PLAIN_PYTHON, plan_of_text(), piece)
    assert found["line"] == list(range(150))
    assert found["hard"] == list(range(150, len(lines)))


def test_more_texts_than_are_remembered_are_given_again_and_keep_their_keys() -> None:
    lines = b"".join(
        b'10.%d.%d.%d - - [24/May/2019:18:41:34 +0200] "GET / HTTP/1.1" 200 5 "-" "curl/8"\n'
        % (i >> 16, i >> 8 & 255, i & 255)
        for i in range(300_000)
    )
    scanner = scan.LineScanner(plan_of_text(), 7)
    first, second = scanner.scan(lines), scanner.scan(lines)
    assert first["keys"][0].tolist() == second["keys"][0].tolist()
    assert len(set(first["keys"][0].tolist())) == len(first["texts"][0][0]) == 300_000
    assert len(second["texts"][0][0]) >= 300_000 - (1 << 18)


def test_a_range_outside_of_the_bytes_is_refused() -> None:
    for start, stop in ((-1, 3), (2, 1), (0, 4)):
        with pytest.raises(IndexError):
            scan.LineScanner(plan_of_text(), 7).scan(b"abc", start, stop if stop >= 0 else 9)


ADDRESS = st.sampled_from(["10.0.0.1", "::1", "unix:", "-", "", "a b", "é", "10.0.0.1, 10.0.0.2"])
REQUEST = st.sampled_from(
    ["GET / HTTP/1.1", "GET /a?q=1 HTTP/1.1", "GET /a HTTP/2.0", "GET", "-", "", "POST /login", "GET /é HTTP/1.1", "GET  /", "\\x16\\x03",
     'GET /\\" HTTP/1.1', "GET /a b HTTP/1.1", "? /", "GET http://a.example/x?y HTTP/1.1"]
)  # fmt: skip
STATUS = st.sampled_from(["200", "302", "404", "000", "20", "-", "", "2000", " 302", "abc"])
AGENT = st.sampled_from(["curl/8", "-", "", "Go-http-client/1.1", "a\\x22b", "ü", "x" * 300])
TIMES = {
    "iso": ["2019-05-24T18:41:32+00:00", "2019-05-24T18:41:32Z", "2019-05-24 18:41:33.25+02:00", "2019-05-24T18:41:32", "2019-02-30T00:00:00Z", "x", "", "2300-01-01T00:00:00Z"],
    "common": ["24/May/2019:18:41:32 +0000", "24/May/2019:18:41:33 -0730", "24/Mai/2019:18:41:32 +0000", "31/Jun/2019:18:41:32 +0000", "24/May/2019:24:41:32 +0000", "x"],
    "epoch": ["1558723292", "1558723292.5", "1558723292.123", "99", "x", "1558723292.1234567"],
}  # fmt: skip


@st.composite
def object_lines(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(sorted(TIMES)))
    lines = []
    for _ in range(draw(st.integers(1, 40))):
        fields: dict[str, Any] = {
            "time": draw(st.sampled_from(TIMES[kind])), "remote_addr": draw(ADDRESS), "host": draw(ADDRESS), "request": draw(REQUEST),
            "status": draw(STATUS), "request_time": draw(st.sampled_from(["0.010", "-", "", "1", "86401", "x", "0.0000001"])),
            "http_referer": draw(ADDRESS), "http_user_agent": draw(AGENT), "other": draw(st.sampled_from([1, 1.5, None, True, "x", {"a": [1]}, -3])),
        }  # fmt: skip
        for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
            fields.pop(name, None)
        if draw(st.integers(0, 5)) == 0:
            fields["status"] = draw(st.sampled_from([200, 302, None, True, 1e3]))
        if draw(st.integers(0, 9)) == 0:
            fields = dict(reversed(fields.items()))
        text = json.dumps(
            fields, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([(",", ":"), (", ", ": ")]))
        )
        lines.append(draw(st.sampled_from([text, text, text, text + " ", text[:-1], "", "  ", "rubbish", text + "\r"])))
    return "\n".join(lines) + draw(st.sampled_from(["\n", ""]))


@st.composite
def text_lines(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(1, 40))):
        line = (
            f'{draw(ADDRESS)} - {draw(ADDRESS)} [{draw(st.sampled_from(TIMES["common"]))}] "{draw(REQUEST)}" {draw(STATUS)}'
            f' {draw(STATUS)} "{draw(ADDRESS)}" "{draw(AGENT)}"'
        )
        lines.append(draw(st.sampled_from([line, line, line, line, f"{line} ", line[:-1], "", " ", "rubbish"])))
    return "\n".join(lines) + draw(st.sampled_from(["\n", ""]))


def everything_read(scratch: Scratch, path: Path) -> tuple[Any, ...]:
    """What the tables hold after reading, and what was said."""
    create_tables(scratch)
    loaded = load(scratch, attach(str(path), scratch.folder, 0), [])
    texts = ", ".join(f"(SELECT any_value(text) FROM given WHERE key = line.{field}_key) AS {field}" for field in TEXTS)
    finish(scratch)
    keys = ", ".join(f"{field}_key" for field in KEYED)
    rows = scratch.rows(f"SELECT time_us, status, {keys}, {texts} FROM line ORDER BY number")
    for left in scratch.folder.iterdir():
        left.unlink()
    said = [(b.unit, b.place, b.why, b.count, b.sample) for b in loaded.blemishes]
    return rows, said, loaded.requests, loaded.last_at, loaded.note


@settings(
    max_examples=14, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(text=st.one_of(object_lines(), text_lines()))
def test_the_short_way_and_the_long_way_come_to_the_same(scratch, tmp_path, text) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(text.encode())
    with mock.patch.object(scan, "is_compiled", return_value=False):
        by_the_long_way = everything_read(scratch, path)
    with mock.patch.object(scan, "is_compiled", return_value=True):
        assert everything_read(scratch, path) == by_the_long_way


@pytest.mark.process
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(text=st.one_of(object_lines(), text_lines()), seed=st.integers(0, 1 << 30))
def test_compiled_or_not_damaged_or_not_it_reads_alike_and_counts_every_line(text, seed) -> None:
    rng = random.Random(seed)
    data = bytearray(text.encode())
    for _ in range(rng.choice((0, 0, 1, 5)) if data else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    piece = bytes(data)
    for plan in (
        plan_of_objects(),
        plan_of_text(),
        plan_of_text("$msec|$request_method $request_uri|$status|$http_host"),
    ):
        found = result(scan, plan, piece)
        assert found == result(PLAIN_PYTHON, plan, piece)
        lines = piece.split(b"\n")
        lines = lines[:-1] if lines[-1] == b"" else lines
        blank = [number for number, line in enumerate(lines) if line in {b"", b"\r"}]
        assert sorted(found["line"] + found["hard"] + blank) == list(range(found["lines"])) == list(range(len(lines)))
