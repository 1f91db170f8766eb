"""Any ``log_format``: what nginx writes with it is read back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from necropsy.evidence.access_log import duckdb_reader, reference
from necropsy.evidence.access_log.formats.nginx import Variable, ambiguous, parse
from necropsy.evidence.access_log.formats.text.text_lines import compile_format
from necropsy.evidence.access_log.lines import moment

AT = datetime(2019, 5, 24, 18, 41, 34, tzinfo=UTC)


def escaped(value: str) -> str:
    """As nginx does with escape=default: ngx_http_log_escape."""
    data = value.encode()
    return "".join(f"\\x{b:02X}" if b < 0x20 or b >= 0x7F or b in b'"\\' else chr(b) for b in data)


def written(text: str, values: dict[str, str]) -> str:
    """A line of the log, as nginx writes it."""
    return "".join(piece if isinstance(piece, str) else values[piece.name] for piece in parse(text))


def read_back(scratch, layout, lines):
    """Rows of some lines as DuckDB reads them, and as the reference does where DuckDB leaves them."""
    path = scratch.folder / "lines.log"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    rows = scratch.connection.sql(duckdb_reader.query(layout, layout.lines.table(str(path), "none"))).fetchall()
    scratch.forget_rejects()
    assert len(rows) == len(lines)
    return list(reference.read(layout, lines))


COMMON = st.sampled_from(
    ["remote_addr", "status", "body_bytes_sent", "request_time", "connection", "remote_user", "upstream_addr"]
)
QUOTED = st.sampled_from(["request", "http_user_agent", "http_referer", "http_x_forwarded_for", "http_cookie"])


@st.composite
def formats(draw: st.DrawFn) -> str:
    """Formats as people write them: words, quoted texts, prefixes, brackets, in any order."""
    words = [f"${name}" for name in draw(st.lists(COMMON, unique=True, max_size=5))]
    words += [f'"${name}"' for name in draw(st.lists(QUOTED, unique=True, max_size=4))]
    words.append(draw(st.sampled_from(["[$time_local]", "$time_iso8601", "$msec", "t=$msec;"])))
    if '"$request"' not in words:
        words.append(draw(st.sampled_from(['"$request"', "$request_method $request_uri", '"$request_method $uri"'])))
    words += draw(
        st.lists(
            st.sampled_from(["-", "rt=$request_length", "p:$pipe", "|", '"$scheme://$host"']), unique=True, max_size=3
        )
    )
    return " ".join(draw(st.permutations(words)))


TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), max_size=20)


def characters(text: str) -> str:
    """What a reader makes of nginx's escapes: characters of UTF-8 again, all other escapes as they stand."""
    return re.sub(r"(?:\\x[89A-F][0-9A-F])+", lambda run: bytes.fromhex(run[0].replace("\\x", "")).decode(), text)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(
    text='"$http_user_agent" "$request" [$time_local] "$scheme://$host" "$http_referer"',
    agent="", referer="", user="", cookie="", path="", status=100,
)  # fmt: skip
@given(
    text=formats(),
    agent=TEXT,
    referer=TEXT,
    user=TEXT,
    cookie=TEXT,
    path=st.text("abc/.~", max_size=12),
    status=st.integers(100, 599),
)
def test_what_nginx_writes_is_read_back(scratch, text, agent, referer, user, cookie, path, status) -> None:
    values = {
        "remote_addr": "203.0.113.9", "status": f"{status:03}", "body_bytes_sent": "17", "request_time": "0.000", "connection": "4711",
        "remote_user": escaped(user), "upstream_addr": "10.0.0.1:80, 10.0.0.2:80 : unix:/s.sock", "request": f"GET /{path}?token=x HTTP/1.1",
        "http_user_agent": escaped(agent), "http_referer": escaped(referer), "http_x_forwarded_for": "198.51.100.7, 10.0.0.2",
        "http_cookie": escaped(cookie), "time_local": "24/May/2019:20:41:34 +0200", "time_iso8601": "2019-05-24T18:41:34+00:00",
        "msec": "1558723294.000", "request_method": "GET", "request_uri": f"/{path}?token=x", "uri": f"/{path}", "request_length": "417",
        "pipe": ".", "scheme": "https", "host": "shop.example",
    }  # fmt: skip
    layout = compile_format(text, name="x", note="x")
    assert layout is not None
    (row,) = read_back(scratch, layout, [written(text, values)])
    assert isinstance(row, reference.ParsedLine)
    assert moment(row.time_us) == AT
    assert row.request.split(" ")[:2] == ["GET", f"/{path}"]
    if "$status" in text:
        assert row.status == status
    if "$http_user_agent" in text:
        assert row.agent == characters(escaped(agent))
    if "$http_x_forwarded_for" in text:
        assert row.client == "198.51.100.7"
    elif "$remote_addr" in text:
        assert row.client == "203.0.113.9"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    text=formats(),
    lines=st.lists(
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=80),
        min_size=1,
        max_size=30,
    ),
)
def test_no_line_breaks_a_compiled_format(scratch, text, lines) -> None:
    layout = compile_format(text, name="x", note="x")
    assert layout is not None
    assert len(read_back(scratch, layout, lines)) == len(lines)


@given(st.text(st.sampled_from(["$", "{", "}", "a", "_", "1", '"', " ", "-"]), max_size=30))
def test_taking_a_format_apart_loses_nothing(text) -> None:
    pieces = parse(text)
    parts = [[f"${p.name}", f"${{{p.name}}}"] if isinstance(p, Variable) else [p] for p in pieces]
    rest = [text]
    for part in parts:
        rest = [each[len(way) :] for each in rest for way in part if each.startswith(way)]
    assert "" in rest


def test_variables_with_and_without_braces_are_the_same() -> None:
    assert parse("${status}x$status") == [Variable("status"), "x", Variable("status")]


@pytest.mark.parametrize(
    "text",
    ["$status", "[$time_local] $status", '"$request" $status', "$remote_addr$request_time [$time_local] $request"],
)
def test_a_format_that_tells_no_time_no_request_or_nothing_certain_is_no_layout(text) -> None:
    assert compile_format(text, name="x", note="x") is None
    assert ambiguous(parse("$a$b"))


def test_escape_json_in_text_keeps_its_quotes_apart(scratch) -> None:
    layout = compile_format('[$time_local] "$request" "$http_user_agent" $status', "json", name="x", note="x")
    assert layout is not None
    line = '[24/May/2019:18:41:34 +0000] "GET / HTTP/1.1" "a \\"quoted\\" agent" 200'
    (row,) = read_back(scratch, layout, [line])
    assert moment(row.time_us) == AT
    assert (row.agent, row.status) == ('a \\"quoted\\" agent', 200)
