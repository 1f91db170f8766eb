from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.syntax.document import parse_json, parse_yaml, parse_yaml_all
from necropsy.probes.syntax.node import RENDER_FIRST, Node

CONFIGURATION = """\
global:
  scrape_interval: 10s   # how often

scrape_configs:
  - job_name: 'web'
    params: {module: [http_2xx, "8080"]}
    relabel_configs:
      - regex: |
          a
          b

      # the next rule
      - target_label: x
"""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def as_text(value: Any) -> Any:
    """What a tree of texts keeps of plain data."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def nodes(node: Node) -> list[Node]:
    found = [node]
    for key, value in node.pairs:
        found += [key, *nodes(value)]
    for element in node.elements:
        found += nodes(element)
    return found


def test_values_stay_the_text_that_was_written() -> None:
    node = parse_yaml("regex: 8080\nenabled: yes\nwhen: 2019-05-24\nnothing:\n", "a.yml")
    assert node.to_python() == {"regex": "8080", "enabled": "yes", "when": "2019-05-24", "nothing": None}


def test_every_node_knows_its_line_and_indentation() -> None:
    node = parse_yaml(CONFIGURATION, "prometheus.yml")
    rule = node.at("scrape_configs", 0, "relabel_configs", 1)
    assert rule is not None
    assert (rule.line, rule.column, rule.file) == (13, 8, "prometheus.yml")
    key = node.key("scrape_configs")
    assert key is not None
    assert (key.line, key.column) == (4, 0)
    assert node.at("scrape_configs", 3) is None
    assert node.at("global", "scrape_interval", "x") is None


def test_a_node_ends_before_the_comments_behind_it() -> None:
    node = parse_yaml(CONFIGURATION, "prometheus.yml")
    interval = node.at("global", "scrape_interval")
    block = node.at("scrape_configs", 0, "relabel_configs", 0)
    assert interval is not None
    assert block is not None
    assert CONFIGURATION[interval.start : interval.end] == "10s"
    assert CONFIGURATION[block.start : block.end] == "regex: |\n          a\n          b"
    assert block.end_line == 10


def test_quotes_and_styles_are_remembered_for_patches() -> None:
    node = parse_yaml(CONFIGURATION, "prometheus.yml")
    assert [node.at("scrape_configs", 0, "job_name").style, node.at("scrape_configs", 0, "params").style] == [
        "'",
        "flow",
    ]
    assert [element.style for element in node.at("scrape_configs", 0, "params", "module").elements] == ["plain", '"']


def test_aliases_are_followed_and_merge_keys_give_way_to_own_keys() -> None:
    node = parse_yaml("base: &b {a: 1, b: 2}\nuse:\n  <<: *b\n  b: 3\nlist: [*b, *b]\n", "a.yml")
    assert node.get("use").to_python() == {"a": "1", "b": "3"}
    assert node.at("list", 1, "a").text() == "1"


def test_a_repeated_key_is_found_and_counts_with_its_last_value() -> None:
    node = parse_yaml("a: 1\nb: 2\na: 3\n", "a.yml")
    assert [key.line for key in node.repeated_keys()] == [3]
    assert node.get("a").text() == "3"


def test_only_the_first_document_counts_unless_all_are_asked_for() -> None:
    text = "a: 1\n---\nb: 2\n...\n"
    assert parse_yaml(text, "a.yml").to_python() == {"a": "1"}
    assert [node.to_python() for node in parse_yaml_all(text, "a.yml")] == [{"a": "1"}, {"b": "2"}]


def test_without_libyaml_everything_stands_in_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def places(node: Node) -> list[tuple[object, ...]]:
        return [(n.kind, n.value, n.line, n.column, n.start, n.end, n.end_line, n.style) for n in nodes(node)]

    expected = places(parse_yaml(CONFIGURATION, "a.yml"))
    monkeypatch.delattr(yaml, "CBaseLoader")
    assert places(parse_yaml(CONFIGURATION, "a.yml")) == expected
    with pytest.raises(ConfigurationError, match="nested deeper"):
        parse_yaml("[" * 10_000, "a.yml")


def test_an_empty_text_is_a_null_node() -> None:
    assert parse_yaml("# nothing\n", "a.yml").kind == "null"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: [", 2, r"ends inside of a list \["),
        ("a:\n\tb: 1", 2, "may begin with this character"),
        ("a: b: c", 1, "begins a mapping"),
        ('a:\n  "\\q"', 2, "begins no escape"),
        ("a: 1\nb: \x01", 2, "control characters"),
        ("a: *nobody", 1, "refers to nothing"),
        ("a: &x [*x]", 1, "refers to nothing above it, or to itself"),
        ("[" * 100_000, 1, "nested deeper|maximum nesting depth"),  # ours, or that of newer libyaml
    ],
)
def test_yaml_that_is_none_is_refused_at_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as raised:
        parse_yaml(text, "bad.yml")
    assert (raised.value.file, raised.value.line) == ("bad.yml", line)
    assert raised.value.hint


def test_a_yaml_bomb_is_an_error_and_not_a_wait() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 60)]
    with pytest.raises(ConfigurationError, match="aliases expanded"):
        parse_yaml("\n".join(levels), "bomb.yml")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("[1,\n]", 2),
        ('{"a": 1,}', 1),
        ("{a: 1}", 1),
        ('{"a" 1}', 1),
        ("[1]\n\nx", 3),
        ('["a\nb"]', 1),
        ("[01]", 1),
        ("[NaN]", 1),
        ("[nul]", 1),
        ("[1}", 1),
        ("[" * 100_000, 1),
        ("{'a': 1}", 1),
        ("// no\n{}", 1),
    ],
)
def test_json_that_is_none_is_refused_at_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError, match="not JSON") as raised:
        parse_json(text, "bad.json")
    assert raised.value.line == line


def test_half_a_surrogate_pair_is_replaced_as_go_does() -> None:
    assert parse_json(r'["\ud83d\ude00", "a\ud800b", "\udc00"]', "a.json").to_python() == ["😀", "a\ufffdb", "\ufffd"]


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("text", ["a: 1\nb: \udc80\n", "a: 1\nb: \x00\n", "a: 1\nb: \x07\n"])
def test_characters_that_no_yaml_has_are_refused_at_their_line(
    text: str, pure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pure:
        monkeypatch.delattr(yaml, "CBaseLoader")
    with pytest.raises(ConfigurationError, match="not YAML") as raised:
        parse_yaml(text, "bad.yml")
    assert raised.value.line == 2


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a:\n  b: [1,\n  2\nc: 3\n", 4, "the list [ of line 2 lacks a comma or its ]"),
        ("a: {b: 1\nc: 2\n", 2, "the mapping { of line 1 lacks a comma or its }"),
        ("a: 1\nb: 'c\nd: e\n", 4, "the quote of line 2 is never closed"),
        ("a: 1\nregex: *.example\n", 2, "no name follows this * or &; quote a value that begins so"),
        ("a: b: c\n", 1, "this colon begins a mapping where none may stand"),
        ("a: @b\n", 1, "no value may begin with this character, unless it is quoted"),
        ("a: 1\nb: 'c'd\n", 2, "something follows the value of this line; if it belongs to it, quote all of it"),
        ('a: "\\d+"\n', 1, "this backslash begins no escape that YAML has in double quotes"),
        ("a: [,1]\n", 1, "no value where one must stand"),
        ("a: 1\nb\nc: 2\n", 3, "line 2 is no `key: value`: it has no colon"),
    ],
)
def test_a_fault_of_yaml_is_named_in_words_by_either_parser(
    text: str, line: int, reason: str, pure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pure:
        monkeypatch.delattr(yaml, "CBaseLoader")
    with pytest.raises(ConfigurationError) as raised:
        parse_yaml(text, "bad.yml")
    assert raised.value.message == f"bad.yml:{line}: not YAML: {reason}"


def test_the_hint_for_a_template_is_to_render_it() -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_yaml("{{- if .Values.monitoring }}\na: 1\n", "templates/prometheus.yml")
    assert "helm template" in raised.value.hint


def test_whole_numbers_and_booleans_are_read_as_yaml_1_1_has_them() -> None:
    node = parse_yaml("[10, 0x10, 017, 1_000, 'yes', yes, Off, tRue, 1.5]", "a.yml")
    assert [node.elements[i].integer() for i in range(4)] == [10, 16, 15, 1000]
    assert [node.elements[5].boolean(), node.elements[6].boolean()] == [True, False]
    for index in (4, 7):
        with pytest.raises(ConfigurationError, match="not a boolean"):
            node.elements[index].boolean()
    with pytest.raises(ConfigurationError, match="not a whole number"):
        node.elements[8].integer()


@given(values, st.sampled_from([None, 2]))
def test_json_means_what_the_standard_library_says_it_means(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    node = parse_json(text, "a.json")
    assert node.to_python() == as_text(value)
    for part in nodes(node):
        assert parse_json(text[part.start : part.end], "part").to_python() == part.to_python()
        assert part.line == text.count("\n", 0, part.start) + 1
        assert part.end_line == text.count("\n", 0, part.end) + 1
        assert part.column == len(text[: part.start].rpartition("\n")[2])


@given(values)
def test_json_is_yaml_too_except_for_its_surrogates(value: Any) -> None:
    printable = json.dumps(value)
    assume(not re.search(r"\\ud[89a-f]", printable))
    assert parse_yaml(printable, "a.yml").to_python() == parse_json(printable, "a.json").to_python()


@given(st.text(alphabet="ab:-[]{},#&*!|>'\"%@`\n \t\\?<", max_size=40))
def test_any_text_is_read_as_another_parser_reads_it_or_refused(text: str) -> None:
    try:
        expected = yaml.compose(text, Loader=yaml.CBaseLoader)
    except yaml.YAMLError:
        expected = "refused"
    try:
        found: Any = parse_yaml(text, "a.yml")
    except ConfigurationError:
        found = "refused"
    if expected == "refused" or found == "refused":
        # We stop behind the first document, and refuse an alias of the node that it stands in.
        assert expected == "refused" or "*" in text
    elif expected is not None:
        assert {"scalar": "scalar", "null": "scalar"}.get(found.kind, found.kind) == expected.id


@given(st.text(max_size=60))
def test_no_text_at_all_does_more_than_raise_a_configuration_error(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        try:
            line = parse(text, "a").line
        except ConfigurationError as error:
            line = error.line
        assert 1 <= line <= len(text) + 2


@pytest.mark.parametrize(
    "value", ["${INTERVAL}", '"{{ .Values.interval }}"', "{{ .Values.interval }}", "<%= @interval %>"]
)
def test_a_refused_value_that_a_program_fills_in_is_called_a_template(value: str) -> None:
    text = f"global:\n  scrape_interval: {value}\n"
    with pytest.raises(ConfigurationError) as refused:
        parse_prometheus(text, "prometheus.yml")
    assert (refused.value.line, refused.value.hint) == (2, RENDER_FIRST)


def test_a_refused_value_without_a_placeholder_is_no_template() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_prometheus("global:\n  scrape_interval: $15\n", "prometheus.yml")
    assert "15s" in refused.value.hint
