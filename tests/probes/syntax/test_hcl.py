"""HCL of version 1, as Consul's agents read it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax.hcl import parse_hcl

SERVICES = """# The admin's services
services {
  id   = "Server:8080"
  name = "b2b-admin"          // the name that Prometheus sees
  port = 8080
  tags = ["blackbox_exporter_http", "blue",]
  meta = { health_check_endpoint = "health", "x-y" = "z" }
  check {
    http     = "http://localhost:8080/health"
    interval = "10s"
  }
}
services { name = "other" /* one line */ port = 0x10 enable_tag_override = true }
"""


def test_a_definition_file_is_read_with_its_lines() -> None:
    root = parse_hcl(SERVICES, "web.hcl")
    first, second = [value for _, value in root.pairs]
    assert first.to_python() == {
        "id": "Server:8080",
        "name": "b2b-admin",
        "port": "8080",
        "tags": ["blackbox_exporter_http", "blue"],
        "meta": {"health_check_endpoint": "health", "x-y": "z"},
        "check": {"http": "http://localhost:8080/health", "interval": "10s"},
    }
    assert second.to_python() == {"name": "other", "port": "0x10", "enable_tag_override": "true"}
    http = first.at("check", "http")
    assert http is not None
    assert (http.line, http.column, SERVICES[http.start : http.end]) == (9, 15, '"http://localhost:8080/health"')
    assert (first.line, first.end_line, second.line) == (2, 12, 13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a = 1", {"a": "1"}),
        ("a = -1.5e3\nb = .5", {"a": "-1.5e3", "b": ".5"}),
        ('"quoted key" = "v"', {"quoted key": "v"}),
        ("a { b { c = 1 } }", {"a": {"b": {"c": "1"}}}),
        ("a = { b = 1, c = 2 }, d = 3", {"a": {"b": "1", "c": "2"}, "d": "3"}),
        ('service "web" "x" { port = 1 }', {"service": {"web": {"x": {"port": "1"}}}}),
        ("a = [ 1, [2], { b = 3 }, ]", {"a": ["1", ["2"], {"b": "3"}]}),
        ('a = "x${env("a{b}")}y"', {"a": 'x${env("a{b}")}y'}),
        (r'a = "\"\\\n\u00e9\x41\101"', {"a": '"\\\né' + "AA"}),
        ("a = <<EOF\n one\n  two\nEOF\nb = 1", {"a": " one\n  two\n", "b": "1"}),
        ("a = <<-EOF\n    one\n      two\n    EOF\n", {"a": "one\n  two\n"}),
        ("a.b-c_d = true", {"a.b-c_d": "true"}),
        ("a = 1 # x\n// y\n/* z\n */ b = 2", {"a": "1", "b": "2"}),
        ('{"a": [1, null]}', {"a": ["1", None]}),
        ("a = 1\r\nb = 2\r\n", {"a": "1", "b": "2"}),
    ],
)
def test_the_language_is_read_as_consul_reads_it(text: str, expected: dict[str, Any]) -> None:
    assert parse_hcl(text, "a.hcl").to_python() == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a", 1),
        ("a =", 1),
        ("a = b", 1),
        ('a "b" = 1', 1),
        ("\na {", 2),
        ("a = [1 2]", 1),
        ('a = "x\ny"', 1),
        ("a = <<EOF\nx", 1),
        ("a = 1\n}", 2),
        ("= 1", 1),
        ('{"a": 1,}', 1),
        ("a{" * 100_000, 1),
        ("a=" + "[" * 100_000, 1),
    ],
)
def test_what_is_not_hcl_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_hcl(text, "a.hcl")
    assert raised.value.line == line
    assert raised.value.hint


scalars = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda text: "${" not in text)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3),
    max_leaves=12,
)


def written(value: Any, assign: str) -> str:
    if isinstance(value, dict):
        return "{" + "\n".join(f"{written(k, assign)}{assign}{written(v, assign)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item, assign) for item in value) + "]"
    return '"' + value.translate({i: f"\\u{i:04x}" for i in (*range(32), 34, 92)}) + '"'


@given(st.dictionaries(scalars, values, max_size=4), st.sampled_from([" = ", "=", " =\n"]))
def test_whatever_is_written_is_read_back(data: dict[str, Any], assign: str) -> None:
    text = "# \n" + written(data, assign)[1:-1]
    assert parse_hcl(text, "a.hcl").to_python() == data


@given(st.text(alphabet='ab1 \n"{}[]=,#/*<-E$\\', max_size=40))
def test_any_text_is_read_or_refused_with_a_line_inside_it(text: str) -> None:
    try:
        line = parse_hcl(text, "a.hcl").end_line
    except ConfigurationError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + 1
