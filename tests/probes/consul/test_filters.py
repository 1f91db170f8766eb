"""Filters of Consul: parsed as go-bexpr parses, evaluated over what is known. Against the real one: test_consul_live."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.probes.consul.catalog import ConsulText, read_catalog
from necropsy.probes.consul.discovery import discover
from necropsy.probes.consul.expression import FilterRefused, parse
from necropsy.probes.consul.filters import compiled
from necropsy.probes.prometheus.version import prometheus_version
from necropsy.probes.syntax.document import parse_yaml


def answered(**service: object) -> ConsulText:
    entry = {
        "Node": {"Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1", "Meta": {"rack": "1"}},
        "Service": {
            "ID": "web-1",
            "Service": "web",
            "Port": 80,
            "Tags": ["blue"],
            "Meta": {"stage": "live"},
            **service,
        },
        "Checks": [{"Node": "n1", "CheckID": "c", "ServiceID": service.get("ID", "web-1"), "Status": "critical"}],
    }
    return ConsulText(f"health-{entry['Service']['ID']}.json", json.dumps([entry]))  # type: ignore[index]


[WEB] = read_catalog([answered()]).instances


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Service.Meta.stage == "live"', True),
        ("Service.Meta.stage != live", False),
        ("Service.Meta.other == live", False),
        ("Service.Meta.other != live", True),
        ("Service.Meta.other matches `.*`", False),
        ("Service.Meta.other not matches `.*`", True),
        ('Service.Meta["stage"] matches "^l"', True),
        ('"/Service/Meta/stage" == live', True),
        ("stage in Service.Meta and Service.Meta contains stage", True),
        ("blue in Service.Tags", True),
        ('blue in "/Service/Tags"', True),
        ('green not in "/Service/Tags" and stage in "/Service/Meta"', True),
        ('("green" in "/Service/Tags")', False),
        ("Service.Tags not contains blue", False),
        ("green not in Service.Tags", True),
        ("Service.Tags is not empty", True),
        ('Service.Port == "0x50"', True),
        ("eb in Service.Service", True),
        ('Checks.Status == "critical"', True),
        ("Node.Meta.rack == 1 and not Node.Node==n1", False),
        ("Service.ID == a or Service.ID == b and Service.ID == c or ( Service.Port == 80 )", True),
        ("Service.Kind == x", None),
        ("Service.Kind == x and Service.Port == 81", False),
        ("Service.Kind == x or Service.Port == 80", True),
        ("not Service.Kind == x", None),
    ],
)
def test_an_instance_passes_as_in_consul_or_nobody_knows(text: str, expected: bool | None) -> None:
    assert compiled(text).of_health(WEB) is expected


@pytest.mark.parametrize(
    "text",
    ["", "web", "a ==", "a == b c", "(a == b", "a == b)", "not(a == b)", 'a == "b', "1 == a", "a in", 'a == "\\q"',
     'a == "\n"', "a == 01", "a == 0x50", "a == ''", "a and b", "a == b andc == d", "(" * 200 + "a == b" + ")" * 200],
)  # fmt: skip
def test_what_consul_cannot_parse_is_refused(text: str) -> None:
    with pytest.raises(FilterRefused):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["Service.Foo == 1", "Service.Port matches 80", "Service.Port == x", "Service.ID is empty", "Service.Tags == x",
     "Service.ID matches `(`", "Service.ID.x == 1", "ServiceName == web", "Service in x", "Node is empty"],
)  # fmt: skip
def test_what_does_not_fit_the_types_is_refused(text: str) -> None:
    with pytest.raises(FilterRefused):
        compiled(text).of_health(WEB)


def test_the_catalogue_has_selectors_of_its_own() -> None:
    asked = (
        "ServiceName == web and ServiceMeta.stage == live and Node == n1 and NodeMeta.rack == 1 and Datacenter == dc1"
    )
    assert compiled(asked).of_catalog(WEB) is True


@given(st.text('abAB01.=!()[]"`\\ /-,notidcmphe\n', max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(FilterRefused):
        assert parse(text)


@given(st.text(max_size=20).filter(lambda text: "`" not in text and "\r" not in text))
def test_a_text_in_backticks_is_the_text_itself(text: str) -> None:
    assert parse(f"a == `{text}`").value == text  # type: ignore[union-attr]


# -- discovery ------------------------------------------------------------------------------------------------------

TWO = [answered(), answered(ID="web-2", Tags=["BLUE", "new"], Meta={"stage": "test"})]


def found(
    settings: str, texts: list[ConsulText], version: str = "3.12", consul: tuple[int, int] | None = None
) -> tuple[list[str], list[str]]:
    groups, problems = discover(
        parse_yaml(settings, "prometheus.yml"), read_catalog(texts), prometheus_version(version), consul
    )
    ids = [target["__meta_consul_service_id"] for group in groups for target in group.targets]  # type: ignore[index]
    return ids, [problem.reason for problem in problems]


def test_a_filter_that_one_instance_passes_keeps_the_whole_service() -> None:
    assert found("filter: ServiceMeta.stage == live", TWO) == (["web-1", "web-2"], [])
    assert found("filter: ServiceMeta.stage == gone", TWO) == ([], [])


def test_a_consul_before_1_14_ignores_the_filter_of_the_catalogue() -> None:
    ids, problems = found("filter: ServiceMeta.stage == gone", TWO, consul=(1, 13))
    assert ids == ["web-1", "web-2"]
    assert "ignores filter" in problems[0]


def test_a_health_filter_removes_instances() -> None:
    assert found("health_filter: Service.Meta.stage == live", TWO) == (["web-1"], [])


def test_tags_are_looked_up_among_the_instances_that_pass_the_filter() -> None:
    assert found("{filter: ServiceMeta.stage == live, tags: [new]}", TWO) == ([], [])
    assert found("{filter: ServiceMeta.stage == test, tags: [new]}", TWO) == (["web-2"], [])


def test_consul_compares_tags_without_case_and_prometheus_with_it() -> None:
    assert found("tags: [blue]", TWO) == (["web-1", "web-2"], [])
    assert found("tags: [Blue]", TWO) == ([], [])


@pytest.mark.parametrize(
    ("settings", "version", "says"),
    [
        ("health_filter: ServiceName == web", "3.12", "the selector ServiceName is not valid"),
        ("health_filter: web", "3.12", "character 4"),
        ("health_filter: Service.Kind == x", "3.12", "no given file has"),
        ("filter: ServiceName == web", "2.42", "filter exists since Prometheus 3.0"),
        ("health_filter: Service.ID is not empty or Service.Service == web", "3.5", "exists since Prometheus 3.11.2"),
        ("filter: ServiceName == web", "3.11", "3.11.0 and 3.11.1"),
    ],
)
def test_a_filter_that_cannot_be_trusted_keeps_the_targets_and_says_so(settings: str, version: str, says: str) -> None:
    ids, problems = found(settings, TWO, version)
    assert ids == ["web-1", "web-2"]
    assert any(says in problem for problem in problems)
    assert len(problems) == len(set(problems))


def test_what_a_definition_does_not_say_is_not_taken_for_false() -> None:
    definition = ConsulText("web.json", '{"service": {"name": "web", "port": 80}}')
    ids, problems = found("health_filter: Node.Node == n1 and Checks.Status == passing", [definition])
    assert (ids, len(problems)) == (["web"], 1)
