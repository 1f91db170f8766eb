from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError, UsageError
from necropsy.probes import relabel
from necropsy.probes.prometheus.relabel.actions import lower, upper
from necropsy.probes.prometheus.relabel.relabelling import compile_rules, relabel_steps
from necropsy.probes.prometheus.relabel.rule import valid_template
from necropsy.probes.syntax.document import parse_yaml

Rules = list[dict[str, Any]]
WEB = {"host": "web-1", "port": "8080", "zone": "eu"}

# One case for each behaviour that Prometheus' own table covers (model/relabel/relabel_test.go, Apache-2.0), in our words.
CASES: list[tuple[str, dict[str, str], Rules, dict[str, str] | None]] = [
    (
        "a group may be used twice",
        {"a": "one"},
        [{"source_labels": ["a"], "regex": "o(.*)", "target_label": "d", "replacement": "tw${1}-tw$1"}],
        {"a": "one", "d": "twne-twne"},
    ),
    (
        "a rule sees what the rules before it wrote",
        {"a": "one", "b": "two"},
        [
            {"source_labels": ["a", "b"], "regex": "o(.*);t(.*)", "target_label": "a", "replacement": "$2$1"},
            {"source_labels": ["b", "a"], "regex": "(t).*;(w).*", "target_label": "c", "replacement": "$2$1$1"},
        ],
        {"a": "wone", "b": "two", "c": "wtt"},
    ),
    (
        "nothing is done behind a rule that drops",
        {"a": "one"},
        [{"source_labels": ["a"], "regex": ".*n.*", "action": "drop"}, {"target_label": "b", "replacement": "c"}],
        None,
    ),
    ("drop needs a match", {"a": "one"}, [{"source_labels": ["a"], "regex": "two", "action": "drop"}], {"a": "one"}),
    ("a match covers all of the value", {"a": "one"}, [{"source_labels": ["a"], "regex": "o|n|e", "action": "drop"}], {"a": "one"}),
    ("keep drops what does not match", {"a": "one"}, [{"source_labels": ["a"], "regex": "two", "action": "keep"}], None),
    ("keep keeps what matches", {"a": "one"}, [{"source_labels": ["a"], "regex": "o.*", "action": "keep"}], {"a": "one"}),
    (
        "without a match nothing is replaced",
        {"a": "one"},
        [{"source_labels": ["a"], "regex": "n", "target_label": "b", "replacement": "x"}],
        {"a": "one"},
    ),
    (
        "hashmod takes the last eight bytes of an MD5",
        {"c": "baz"},
        [{"source_labels": ["c"], "target_label": "d", "action": "hashmod", "modulus": 1000}],
        {"c": "baz", "d": "976"},
    ),
    (
        "hashmod takes newlines as they are",
        {"a": "foo\nbar"},
        [{"source_labels": ["a"], "target_label": "b", "action": "hashmod", "modulus": 1000}],
        {"a": "foo\nbar", "b": "734"},
    ),
    (
        "labelmap copies and keeps the original",
        {"a": "x", "n1": "y", "n2": "z"},
        [{"regex": "n(.*)", "replacement": "m_${1}", "action": "labelmap"}],
        {"a": "x", "n1": "y", "n2": "z", "m_1": "y", "m_2": "z"},
    ),
    (
        "labelmap keeps a part of the name by default",
        {"__meta_my_a": "x", "__meta_b": "y"},
        [{"regex": "__meta_(my.*)", "action": "labelmap"}],
        {"__meta_my_a": "x", "__meta_b": "y", "my_a": "x"},
    ),
    (
        "the name of the target may come from the value",
        {"a": "some-name-value"},
        [{"source_labels": ["a"], "regex": "some-([^-]+)-([^-]+)", "target_label": "${1}", "replacement": "${2}"}],
        {"a": "some-name-value", "name": "value"},
    ),
    (
        "a group that does not exist is empty, and an empty value is no label",
        {"a": "some-name-value"},
        [{"source_labels": ["a"], "regex": "some-([^-]+)-([^-]+)", "target_label": "${1}", "replacement": "${3}"}],
        {"a": "some-name-value"},
    ),
    (
        "a target without a name is not written",
        {"a": "some-name-value"},
        [{"source_labels": ["a"], "regex": "some-([^-]+)-([^-]+)", "target_label": "${3}", "replacement": "${1}"}],
        {"a": "some-name-value"},
    ),
    (
        "tags become path, job and a label of their own",
        {"__meta_tags": "path:/secret,job:some-job,label:color=blue"},
        [
            {"source_labels": ["__meta_tags"], "regex": "(?:.+,|^)path:(/[^,]+).*", "target_label": "__metrics_path__"},
            {"source_labels": ["__meta_tags"], "regex": "(?:.+,|^)job:([^,]+).*", "target_label": "job"},
            {
                "source_labels": ["__meta_tags"],
                "regex": "(?:.+,|^)label:([^=]+)=([^,]+).*",
                "target_label": "${1}",
                "replacement": "${2}",
            },
        ],
        {
            "__meta_tags": "path:/secret,job:some-job,label:color=blue",
            "__metrics_path__": "/secret",
            "job": "some-job",
            "color": "blue",
        },
    ),
    (
        "a label that was dropped can be written again",  # prometheus#12283
        {"__meta_name": "x", "__meta_port": "9091"},
        [
            {"regex": "^__meta_name$", "action": "labeldrop"},
            {"source_labels": ["__meta_port"], "regex": "(.+)", "target_label": "__meta_name", "replacement": "metrics"},
            {"source_labels": ["__meta_name"], "regex": "^metrics$", "action": "keep"},
        ],
        {"__meta_name": "metrics", "__meta_port": "9091"},
    ),
    ("labelkeep", {"a": "x", "b1": "y", "b2": "z"}, [{"regex": "(b.*)", "action": "labelkeep"}], {"b1": "y", "b2": "z"}),
    ("labeldrop", {"a": "x", "b1": "y", "b2": "z"}, [{"regex": "(b.*)", "action": "labeldrop"}], {"a": "x"}),
    (
        "case is mapped",
        {"a": "bAr123Foo"},
        [
            {"source_labels": ["a"], "target_label": "u", "action": "uppercase"},
            {"source_labels": ["a"], "target_label": "l", "action": "lowercase"},
        ],
        {"a": "bAr123Foo", "u": "BAR123FOO", "l": "bar123foo"},
    ),
    (
        "keepequal keeps what is equal",
        {"__a": "1234", "__b": "1234"},
        [{"source_labels": ["__a"], "target_label": "__b", "action": "keepequal"}],
        {"__a": "1234", "__b": "1234"},
    ),
    ("dropequal drops what is equal", {"__a": "1", "__b": "1"}, [{"source_labels": ["__a"], "target_label": "__b", "action": "dropequal"}], None),
    (
        "dropequal keeps what differs",
        {"__a": "1", "__b": "2"},
        [{"source_labels": ["__a"], "target_label": "__b", "action": "dropequal"}],
        {"__a": "1", "__b": "2"},
    ),
    ("keepequal drops what differs", {"__a": "1", "__b": "2"}, [{"source_labels": ["__a"], "target_label": "__b", "action": "keepequal"}], None),
    (
        "a dot matches a newline",
        {"a": "line1\nline2"},
        [{"source_labels": ["a"], "regex": "line1.*line2", "target_label": "d", "replacement": "match${1}"}],
        {"a": "line1\nline2", "d": "match"},
    ),
    (
        "names may be any text, with variables in them too",
        {"utf-8.label": "ab"},
        [
            {"source_labels": ["utf-8.label"], "regex": "(a)(?<second>b)", "target_label": "x.y_$1", "replacement": "v_${second}"},
            {"source_labels": ["utf-8.label"], "target_label": "z-z"},
        ],
        {"utf-8.label": "ab", "x.y_a": "v_b", "z-z": "ab"},
    ),
    (
        "a dollar sign at the end of a regex is an anchor",
        {"a": "http_requests_total"},
        [{"source_labels": ["a"], "regex": ".*_total$", "target_label": "type", "replacement": "counter"}],
        {"a": "http_requests_total", "type": "counter"},
    ),
    ("an empty replacement deletes", WEB, [{"target_label": "zone", "replacement": ""}], {"host": "web-1", "port": "8080"}),
    (
        "a null regex matches only the empty value",
        WEB,
        [{"source_labels": ["zone"], "regex": None, "action": "drop"}, {"source_labels": ["none"], "regex": None, "target_label": "x", "replacement": "y"}],
        {**WEB, "x": "y"},
    ),
    (
        "an empty separator is not the default one",
        WEB,
        [{"source_labels": ["host", "port"], "separator": "", "target_label": "x"}, {"source_labels": ["host", "port"], "target_label": "y"}],
        {**WEB, "x": "web-18080", "y": "web-1;8080"},
    ),
    ("an action may be in capitals", WEB, [{"action": "LabelDrop", "regex": "zone|port"}], {"host": "web-1"}),
    ("numbers and booleans are texts", {"a": "true", "b": "8080"}, [{"source_labels": ["a"], "regex": True, "target_label": "c", "replacement": 1}, {"source_labels": ["b"], "regex": 8080, "action": "keep"}], {"a": "true", "b": "8080", "c": "1"}),
    ("labelmap reads what was there before it", {"a": "1", "b": "2"}, [{"regex": "(a)", "replacement": "b", "action": "labelmap"}, {"regex": "(b)", "replacement": "c", "action": "labelmap"}], {"a": "1", "b": "1", "c": "1"}),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "rules", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_relabelling_agrees_with_prometheus_own_table(
    labels: dict[str, str], rules: Rules, expected: dict[str, str] | None
) -> None:
    assert relabel(labels, rules, prometheus="3.5") == expected


def test_an_empty_label_is_no_label() -> None:
    assert relabel({"a": "", "b": "x"}, []) == {"b": "x"}


def test_the_given_labels_are_left_alone() -> None:
    labels = {"a": "x"}
    relabel(labels, [{"target_label": "a", "replacement": "y"}])
    assert labels == {"a": "x"}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"action": None, "target_label": "x"}, "cannot be empty"),
        ({"action": "rename", "target_label": "x"}, "unknown relabel action"),
        ({}, "requires 'target_label'"),
        ({"action": "lowercase"}, "requires 'target_label'"),
        ({"action": "hashmod", "target_label": "x"}, "non-zero modulus"),
        ({"action": "hashmod", "target_label": "x", "modulus": -1}, "64 bits"),
        ({"action": "hashmod", "target_label": "x", "modulus": "many"}, "whole number"),
        ({"target_label": "x", "regex": "(?=a)"}, "is refused"),
        ({"target_label": "x", "regexp": "a"}, "field regexp not found"),
        ({"target_label": "x", "source_labels": "a"}, "expected a list"),
        ({"target_label": ["x"]}, "where a string is expected"),
        ({"action": "uppercase", "target_label": "x", "replacement": "y"}, "can not be set"),
        ({"action": "labelmap", "replacement": ""}, "invalid 'replacement'"),
        ({"action": "labeldrop", "regex": "a", "source_labels": []}, "requires only 'regex'"),
        ({"action": "labelkeep", "regex": "a", "target_label": "x"}, "requires only 'regex'"),
        ({"action": "keepequal", "target_label": "x", "regex": "(.*)"}, "requires only 'source_labels'"),
        ({"action": "dropequal", "target_label": "x", "separator": "-"}, "requires only 'source_labels'"),
    ],
)
def test_what_prometheus_refuses_is_refused_with_the_number_of_the_rule(rule: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as raised:
        relabel({}, [{"target_label": "fine"}, rule])
    assert raised.value.line == 2
    assert raised.value.hint


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ({"action": "lowercase", "target_label": "x"}, "2.36"),
        ({"action": "dropequal", "target_label": "x"}, "2.41"),
        ({"target_label": "a-b"}, "3.0"),
        ({"target_label": "a.${1}"}, "3.2"),
        ({"action": "labelmap", "replacement": "a-$1"}, "3.2"),
        ({"source_labels": ["a.b"], "target_label": "x"}, "3.0"),
        ({"target_label": "x", "regex": "(?<n>a)"}, "2.51"),
    ],
)
def test_rules_that_came_with_a_version_are_refused_before_it(rule: dict[str, Any], first: str) -> None:
    major, minor = map(int, first.split("."))
    before = f"{major}.{minor - 1}" if minor else "2.55"
    compile_rules([rule], prometheus=first)
    with pytest.raises(ConfigurationError):
        compile_rules([rule], prometheus=before)


def test_before_3_0_a_dot_stops_at_a_newline_and_the_default_regex_with_it() -> None:
    rules: Rules = [{"source_labels": ["a"], "target_label": "b"}]
    assert relabel({"a": "x\ny"}, rules, prometheus="2.55") == {"a": "x\ny"}
    assert relabel({"a": "x\ny"}, rules, prometheus="3.0") == {"a": "x\ny", "b": "x\ny"}


def test_before_2_50_a_template_deletes_nothing() -> None:
    rules: Rules = [{"source_labels": ["a"], "target_label": "$1", "replacement": ""}]
    assert relabel({"a": "b", "b": "x"}, rules, prometheus="2.42") == {"a": "b", "b": "x"}
    assert relabel({"a": "b", "b": "x"}, rules, prometheus="2.55") == {"a": "b"}


def test_a_version_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        relabel({}, [], prometheus="latest")


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("-label", False), ("label", True), ("label${1}", True), ("${1}label", True), ("${1}", True), ("${", False),
        ("$", False), ("${}", False), ("foo${", False), ("$1", True), ("asd$2asd", True), ("-foo${1}bar-", False),
        ("bar.foo${1}bar", False), ("_${1}_", True), ("foo${bar}foo", True), ("9a", False), ("label\n", False),
    ],
)  # fmt: skip
def test_legacy_templates_are_judged_by_the_old_rule(text: str, valid: bool) -> None:
    assert valid_template(text) is valid


def test_case_is_mapped_rune_by_rune() -> None:
    assert upper("straße ﬁ ŉ ᾳ ǆ ı") == "STRAßE ﬁ ŉ ᾼ Ǆ I"
    assert lower("ΑΣ İ Ǆ ẞ") == "ασ i ǆ ß"


def test_steps_show_the_labels_before_and_after_each_rule_and_what_it_wrote() -> None:
    steps = relabel_steps(
        {"__address__": "a:1", "__meta_x": "y"},
        [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"target_label": "__address__", "replacement": "blackbox:9115"},
            {"source_labels": ["__meta_x"], "regex": "y", "action": "drop"},
            {"target_label": "never", "replacement": "reached"},
        ],
    )
    assert [step.changed for step in steps] == [
        {"__param_target": (None, "a:1")},
        {"__address__": ("a:1", "blackbox:9115")},
        {},
    ]
    assert steps[2].after is None
    assert steps[1].before == {"__address__": "a:1", "__meta_x": "y", "__param_target": "a:1"}
    assert steps[0].written == {"__param_target"}
    assert [step.rule.line for step in steps] == [1, 2, 3]


def test_a_rule_that_writes_the_same_value_again_has_still_written_it() -> None:
    step = relabel_steps({"a": "x"}, [{"target_label": "a", "replacement": "x"}])[0]
    assert (step.changed, step.written) == ({}, {"a"})


def test_labels_that_labelmap_copies_to_one_name_collide() -> None:
    rule = {"action": "labelmap", "regex": "__meta_(?:a|b)_(.*)"}
    step = relabel_steps({"__meta_a_x": "1", "__meta_b_x": "2", "__meta_a_y": "3", "__meta_b_y": "3"}, [rule])[0]
    assert [(c.name, c.sources) for c in step.collisions] == [("x", (("__meta_a_x", "1"), ("__meta_b_x", "2")))]


def test_a_rule_of_a_file_knows_its_line_and_says_what_it_does() -> None:
    node = parse_yaml(
        "relabel_configs:\n- target_label: a\n  replacement: b\n- {regex: a, action: labeldrop}\n", "p.yml"
    )
    rules = compile_rules(node.get("relabel_configs")).rules
    assert [(rule.line, rule.describe()) for rule in rules] == [(2, "sets a to b"), (4, "drops labels named a")]


def test_every_action_has_a_description() -> None:
    common: dict[str, Any] = {"source_labels": ["s"], "target_label": "t"}
    made: Rules = [
        {**common, "action": action} for action in ("keep", "drop", "keepequal", "dropequal", "lowercase", "uppercase")
    ]
    made += [
        {**common, "action": "hashmod", "modulus": 8},
        {"action": "labelmap"},
        {"action": "labelkeep", "regex": "a"},
    ]
    made += [{"target_label": "t", "replacement": ""}, {**common, "regex": "a(.)", "replacement": "b$1"}]
    described = [rule.describe() for rule in compile_rules(made).rules]
    assert len(set(described)) == len(made)
    assert described[-1] == "sets t to b$1 if s matches a(.)"


names = st.sampled_from(["a", "b", "c", "__meta_x", "__address__"])
label_sets = st.dictionaries(names, st.text(max_size=6), max_size=5)
some_rules = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"source_labels": st.lists(names, max_size=3), "target_label": names},
            optional={
                "regex": st.sampled_from(["(.*)", "(.+)", "", "a|b", "(.)(.*)", "(?i)A.*"]),
                "replacement": st.sampled_from(["$1", "$2", "", "x", "$1$$2", "${1}y"]),
                "separator": st.text(max_size=2),
            },
        ),
        st.fixed_dictionaries({"action": st.sampled_from(["labelmap", "labeldrop"]), "regex": st.sampled_from(["(a)|b", "__(.*)"])}),
        st.fixed_dictionaries({"action": st.sampled_from(["keep", "drop"]), "source_labels": st.lists(names, max_size=2), "regex": st.sampled_from([".*", "a.*", ""])}),
    ),
    max_size=5,
)  # fmt: skip


@given(label_sets, some_rules, st.sampled_from(["2.24", "2.42", "3.0", "3.14"]))
def test_steps_end_where_relabelling_ends_and_no_value_is_ever_empty(
    labels: dict[str, str], rules: Rules, version: str
) -> None:
    result = relabel(labels, rules, prometheus=version)
    steps = relabel_steps(labels, rules, prometheus=version)
    last = steps[-1].after if steps else {name: value for name, value in labels.items() if value}
    assert last == result
    assert all(value for step in steps for value in (step.after or {}).values())
    for former, latter in pairwise(steps):
        assert former.after == latter.before


@given(label_sets, some_rules, some_rules)
def test_two_chains_one_behind_the_other_are_one_chain(labels: dict[str, str], first: Rules, second: Rules) -> None:
    between = relabel(labels, first)
    assert relabel(labels, [*first, *second]) == (None if between is None else relabel(between, second))
