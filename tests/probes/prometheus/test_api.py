"""What a running Prometheus answered, saved: version and targets. Against running ones: evidence/configuration/test_live."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.prometheus.api import read_live
from necropsy.probes.simulate import simulate

JOB = '{scrape_configs: [{job_name: web, ec2_sd_configs: [{region: x}], relabel_configs: [{source_labels: [a], regex: "b.c", action: keep}]}]}'
CONFIGURATION = ConfigurationFile("p.yml", JOB, "prometheus")


def answer(data: dict[str, object], of: str | None = "p.yml") -> ConfigurationFile:
    return ConfigurationFile("answer.json", json.dumps({"status": "success", "data": data}), "prometheus_api", of)


TARGETS = answer(
    {
        "activeTargets": [
            {"scrapePool": "web", "discoveredLabels": {"__address__": "h:80", "a": "b\nc", "job": "web"}}
        ],
        "droppedTargets": [{"discoveredLabels": {"__address__": "g:80", "a": "no", "job": "web"}}],
    }
)


def test_targets_of_a_discovery_that_nobody_can_simulate_come_from_the_server() -> None:
    found = simulate([CONFIGURATION, TARGETS])
    assert ([probe.url for probe in found.probes], [lost.address for lost in found.dropped]) == (
        ["http://h:80/metrics"],
        ["g:80"],
    )
    assert found.problems == ()
    assert {origin.file for origin in found.probes[0].origin} == {"p.yml", "answer.json"}


def test_the_version_that_the_server_says_decides_unless_somebody_says_another() -> None:
    build = answer({"version": "2.42.0+ds"})
    assert simulate([CONFIGURATION, TARGETS, build]).probes == ()  # a newline was no character before 3.0
    assert len(simulate([CONFIGURATION, TARGETS, build], prometheus_version="3.0").probes) == 1
    odd = simulate([CONFIGURATION, TARGETS, answer({"version": "unknown"})])
    assert (len(odd.probes), len(odd.problems)) == (1, 1)


def test_answers_of_another_server_change_nothing() -> None:
    found = simulate([CONFIGURATION, ConfigurationFile(TARGETS.name, TARGETS.text, TARGETS.kind, "other.yml")])
    assert found.probes == ()
    assert "ec2_sd are not known" in found.problems[0].reason


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(("data", "activeTargets", "discoveredLabels", "version", "x")), inner)))  # fmt: skip
def test_any_json_is_an_answer_or_a_problem(value: object) -> None:
    problems: list[ConfigurationError] = []
    read_live([("a.json", json.dumps(value), None)], problems)
    assert all(problem.hint for problem in problems)
