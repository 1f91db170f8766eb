from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.probes.prometheus.regexp import Regexp, RegexpRefused, Template, anchored, plain
from necropsy.probes.prometheus.version import prometheus_version

V2, V3 = prometheus_version("2.42"), prometheus_version("3.0")


def expand(template: str, pattern: str, text: str) -> str:
    regexp = Regexp(pattern)
    data = text.encode()
    spans = regexp.find(data)
    assert spans is not None
    return Template(template, regexp.names).expand(data, spans).decode()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$1x|${1}x|$$|$|${|$3|${2}", "|80x|$|$|${||81"),  # measured with Prometheus 2.42
        ("$0", "80-81"),
        ("$1$2", "8081"),
        ("${1}0", "800"),
        ("$10", ""),
        ("$01", ""),  # a name, not a number
        ("$", "$"),
        ("$|", "$|"),
        ("${1", "${1"),
        ("${}", "${}"),
        ("$$1", "$1"),
        ("$é", ""),  # letters of any script make a name
        ("$999999999", ""),
        ("a${first}b", "ab"),
    ],
)
def test_templates_expand_as_go_expands_them(template: str, expected: str) -> None:
    assert expand(template, r"(\d+)-(\d+)", "80-81") == expected


def test_a_name_means_the_first_group_of_that_name_that_took_part() -> None:
    assert expand("${n}", "(?P<n>a)|(?P<n>b)", "b") == "b"
    assert expand("$n", r"(?P<m>x)(?<n>\w+)", "xyz") == "yz"


def test_a_dot_matches_a_newline_since_prometheus_3() -> None:
    assert not anchored("a.b", V2).matches("a\nb")
    assert anchored("a.b", V3).matches("a\nb")


def test_anchors_are_text_so_that_an_odd_parenthesis_escapes_them_as_it_does_upstream() -> None:
    regexp = anchored("a)|(?:b", V3)
    assert [regexp.matches(text) for text in ("a", "axx", "xxb", "xax")] == [True, True, True, False]


def test_the_end_is_the_end_of_the_text_and_not_before_a_last_newline() -> None:
    assert not anchored("a", V3).matches("a\n")


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\1", "a**", r"\C", "x{1001}", "x{9876543210}", "(?P<é>a)", "[b-a]", "(", r"\p{Nonsense}"]
)
def test_what_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(RegexpRefused):
        anchored(pattern, V3)


def test_groups_in_angle_brackets_came_with_go_1_22() -> None:
    assert anchored("(?<n>a)", V3).matches("a")
    with pytest.raises(RegexpRefused, match="named capture"):
        anchored("(?<n>a)", V2)


@pytest.mark.parametrize(
    "pattern", [r"\Q\C(?<é>{1001}\E", r"[\]({1001}]", r"\(?", r"a\{1001\}", "[[:alpha:]]+", "[]a]", "[^]a]"]
)
def test_what_only_looks_refused_is_accepted(pattern: str) -> None:
    anchored(pattern, V3)


def test_names_of_groups_are_counted_past_classes_and_quotes() -> None:
    assert Regexp(r"[(](?:a)\((?P<x>\Q(\E)(b)(?i:c)").names == ("", "x", "")


@pytest.mark.parametrize(
    ("pattern", "template", "text", "expected"),
    [
        ("^(?:a(.*))$", "x$1", "abc", "xbc"),
        ("b", "x", "abcb", "axcx"),
        ("", "-", "ab", "-a-b-"),
        ("b*", "-", "abc", "-a-c-"),  # no empty match right behind a match
        ("é*", "-", "aéa", "-a-a-"),
    ],
)
def test_all_matches_are_replaced_as_go_replaces_them(pattern: str, template: str, text: str, expected: str) -> None:
    regexp = plain(pattern)
    assert regexp.replace_all(text, Template(template, regexp.names)) == expected


@given(st.text(alphabet="$ab1{}é_", max_size=12))
def test_a_template_without_variables_is_constant_and_expands_to_that(text: str) -> None:
    template = Template(text, ("",))
    if template.constant is not None:
        assert expand(text, "x", "x") == template.constant
        assert template.constant.count("$") <= text.count("$")
    else:
        assert "$" in text


@given(st.text(alphabet="ab()|[]{}*+?^$\\.Qdé<>P:1,-", max_size=16))
def test_any_expression_is_compiled_or_refused(text: str) -> None:
    try:
        regexp = plain(text)
    except RegexpRefused:
        return
    spans = regexp.find(b"ab1")
    assert spans is None or len(spans) == len(regexp.names)
