from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus import file_sd
from necropsy.probes.prometheus.file_sd import matches, patterns, read_groups
from necropsy.probes.syntax.document import parse_yaml

JSON = """\
[
  {
    "targets": ["10.0.0.1:80",
                "10.0.0.2:80"],
    "labels": {"zone": "eu"}
  },
  {"TARGETS": [], "labels": null}
]
"""


@pytest.fixture
def _every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_sd, "_LARGE", 0)


def test_json_groups_know_the_lines_of_their_targets() -> None:
    first, second = read_groups(JSON, "targets.json")
    assert (first.targets, first.labels) == (
        ("10.0.0.1:80", "10.0.0.2:80"),
        {"zone": "eu", "__meta_filepath": "targets.json"},
    )
    assert [[o.line for o in first.origin_of(i)] for i in range(2)] == [[3, 2], [4, 2]]
    assert (second.targets, second.labels) == ((), {"__meta_filepath": "targets.json"})


def test_yaml_groups_are_read_alike() -> None:
    groups = read_groups("- targets: [a:1]\n  labels: {n: 1}\n- targets:\n  - b:1\n", "targets.yml")
    assert [(group.targets, group.labels.get("n")) for group in groups] == [(("a:1",), "1"), (("b:1",), None)]
    assert [o.line for o in groups[1].origin_of(0)] == [4, 3]


def test_other_discoveries_bring_their_own_labels() -> None:
    assert read_groups('[{"targets": ["a"]}]', "sd.json", labels={"__meta_url": "http://sd"})[0].labels == {
        "__meta_url": "http://sd"
    }


@pytest.mark.parametrize(
    ("text", "name", "line", "reason"),
    [
        ('[{"targets": ["a"],\n "label": {}}]', "t.json", 2, "unknown field"),
        ('[{"targets": ["a", 1]}]', "t.json", 1, "expected a string"),
        ('[{"targets": "a"}]', "t.json", 1, "expected a list"),
        ('[{"targets": ["a"], "labels": {"n": 1}}]', "t.json", 1, "expected a string"),
        ('[{"targets": ["a"], "labels": {"": "x"}}]', "t.json", 1, "not a valid label name"),
        ("[\nnull]", "t.json", 2, "nil target group"),
        ('{"targets": []}', "t.json", 1, "expected a list"),
        ("[1]", "t.json", 1, "must be an object"),
        ('[{"targets": ["a"]}', "t.json", 1, "not JSON"),
        ('[{"targets": ["a"]}] x', "t.json", 1, "not JSON"),
        ("- target: [a]\n", "t.yml", 1, "field target not found"),
        ("- targets: [a]\n-\n", "t.yaml", 2, "nil target group"),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_files_that_prometheus_skips_are_refused_at_their_line(
    text: str, name: str, line: int, reason: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(file_sd, "_LARGE", 0)
    with pytest.raises(ConfigurationError, match=reason) as raised:
        read_groups(text, name)
    assert (raised.value.file, raised.value.line) == (name, line)


def test_legacy_label_names_are_refused_before_prometheus_3() -> None:
    text = '[{"targets": ["a"], "labels": {"a-b": "x"}}]'
    assert read_groups(text, "t.json")[0].labels["a-b"] == "x"
    with pytest.raises(ConfigurationError, match="not a valid label name"):
        read_groups(text, "t.json", legacy=True)


def test_an_empty_file_has_no_groups() -> None:
    assert read_groups("[]", "t.json") == read_groups("", "t.yml") == read_groups("null", "t.json") == []


@pytest.mark.usefixtures("_every_file_is_large")
def test_large_files_are_read_alike_with_the_lines_of_their_groups() -> None:
    first, second = read_groups(JSON.replace("TARGETS", "targets").replace("null", "{}"), "targets.json")
    assert (first.targets, first.labels["zone"], first.origin[0].line) == (("10.0.0.1:80", "10.0.0.2:80"), "eu", 2)
    assert (second.targets, second.origin[0].line) == ((), 7)
    assert first.target_origins == ()


groups = st.lists(
    st.fixed_dictionaries(
        {"targets": st.lists(st.text(max_size=6), max_size=3)},
        optional={"labels": st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=4), max_size=2)},
    ),
    max_size=4,
)


@given(groups, st.sampled_from([None, 1]))
def test_the_fast_way_and_the_exact_way_agree(value: list[dict[str, Any]], indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    slow = read_groups(text, "t.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_sd, "_LARGE", 0)
        fast = read_groups(text, "t.json")
    assert [(g.targets, g.labels, g.origin) for g in fast] == [(g.targets, g.labels, g.origin) for g in slow]


def test_patterns_are_relative_to_the_file_that_names_them() -> None:
    node = parse_yaml("files: [a/*.json, /etc/b.yml]\n", "etc/prometheus/prometheus.yml")
    assert [pattern for pattern, _ in patterns(node)] == ["etc/prometheus/a/*.json", "/etc/b.yml"]


@pytest.mark.parametrize(
    ("pattern", "file", "expected"),
    [
        ("a/*.json", "a/x.json", True),
        ("a/*.json", "./a/x.json", True),
        ("a/*.json", "a/b/x.json", False),
        ("*.yml", "x.json", False),
        ("x.yml", "x.yml", True),
    ],
)
def test_a_star_matches_within_the_last_part_of_a_path(pattern: str, file: str, expected: bool) -> None:
    assert matches(pattern, file) is expected
