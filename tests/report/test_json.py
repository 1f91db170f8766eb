from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, is_typeddict

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from necropsy.report.json import document, types_v1, v1

from . import sample
from .golden import agrees

SCHEMA: dict[str, Any] = json.loads(v1.schema())


def validate(value: Any) -> None:
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(value)


def objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield part
        for value in part.values():
            yield from objects(value)


@pytest.mark.parametrize("name", sample.EVERY)
def test_every_report_is_valid_by_the_published_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    validate(json.loads(v1.render(sample.EVERY[name]())))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict", "kind"), "perhaps"),
        (("verdict", "causes", 0, "share"), 93),
        (("taken_at",), "2019-05-24T19:00:00+00:00"),
        (("findings", 0, "severity"), "bad"),
        (("stores", 0, "sessions"), "many"),
        (("schema",), "necropsy/report/2"),
    ],
)
def test_a_report_that_breaks_the_format_is_not_valid(path: tuple[str | int, ...], value: Any) -> None:
    report = json.loads(v1.render(sample.incident()))
    place = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        validate(report)


def test_a_key_that_a_later_version_adds_breaks_no_reader() -> None:
    report = json.loads(v1.render(sample.incident()))
    report["verdict"]["causes"][0]["colour"] = "red"
    validate(report)


def test_no_object_of_the_schema_lets_a_key_be_missing_and_each_lets_keys_be_added() -> None:
    for part in objects(SCHEMA):
        if "properties" in part:
            assert part["additionalProperties"] is True
            assert part["required"] == list(part["properties"])
            assert all("description" in key for key in part["properties"].values())


def test_the_schema_describes_exactly_the_shapes_that_are_written() -> None:
    described = {name: list(part["properties"]) for name, part in SCHEMA["$defs"].items()}
    shaped = {name: list(shape.__annotations__) for name, shape in types_v1.DEFINITIONS.items()}
    inherited = list(types_v1.StorePredictionV1.__annotations__)
    assert set(described) == set(shaped)
    assert set(inherited) == set(described["store_prediction"])
    for name, keys in shaped.items():
        assert set(keys) == set(described[name]), name
    assert list(types_v1.ReportV1.__annotations__) == list(SCHEMA["properties"])
    shapes = {value for value in vars(types_v1).values() if is_typeddict(value)}
    assert shapes == {*types_v1.DEFINITIONS.values(), types_v1.ReportV1}


def test_the_shape_of_the_design_is_there_key_by_key() -> None:
    report = json.loads(v1.render(sample.incident()))
    assert {
        "schema", "necropsy", "taken_at", "verdict", "sessions", "findings", "prediction", "sources", "absent",
    } <= set(report)  # fmt: skip
    assert report["schema"] == "necropsy/report/1"
    assert set(report["verdict"]) >= {"causes", "contributing", "ruled_out", "unexamined", "unexplained_share"}
    cause = report["verdict"]["causes"][0]
    assert set(cause) >= {
        "slug", "share", "share_low", "share_high", "confidence", "births_per_hour", "sessions", "bytes", "actors",
        "store", "title", "text",
    }  # fmt: skip
    assert (
        cause["actors"][0].items()
        >= {
            "user_agent": "Go-http-client/1.1",
            "prober": "prometheus/blackbox_exporter_http",
            "url": "http://172.12.1.189:80/",
            "period_s": 10.0,
            "phase_s": 4.0,
            "in_access_log": True,
            "creation_probability": 1.0,
            "origin": [
                {"file": "prometheus.yml", "line": 17},
                {"file": "consul-services.json", "line": 10},
                {"file": "blackbox.yml", "line": 3},
            ],
        }.items()
    )
    assert set(report["sessions"]) == {
        "total", "authenticated", "anonymous", "unknown", "immortal", "bytes", "frameworks",
    }  # fmt: skip
    assert report["prediction"] == {
        "steady_state_sessions": 34560,
        "steady_state_keys": 70560,
        "steady_state_bytes": 36100000,
        "memory_exhausted_at": None,
        "memory_exhausted_from": None,
        "memory_exhausted_to": None,
    }


def test_the_primary_exhibit_comes_first() -> None:
    exhibits = json.loads(v1.render(sample.incident()))["findings"][0]["exhibits"]
    assert exhibits[0]["origin"] == {"file": "prometheus.yml", "line": 17}
    assert len(exhibits) == 2


def test_the_same_values_give_the_same_bytes_in_whatever_order_they_were_counted() -> None:
    one = replace(sample.incident(), frameworks={"spring": 1, "spring-indexed": 2})
    other = replace(sample.incident(), frameworks={"spring-indexed": 2, "spring": 1})
    assert v1.render(one) == v1.render(other)


def test_times_are_utc_and_end_in_z() -> None:
    paris = datetime(2019, 5, 24, 21, 0, tzinfo=timezone(timedelta(hours=2)))
    naive = paris.astimezone(UTC).replace(tzinfo=None)
    for time in (paris, naive):
        assert v1.convert(replace(sample.empty(), taken_at=time))["taken_at"] == "2019-05-24T19:00:00Z"


def test_the_text_is_ascii_without_control_characters() -> None:
    text = v1.render(sample.hostile())
    assert text.isascii()
    assert not {character for character in text if not character.isprintable()} - {"\n"}
    assert json.loads(text)["verdict"]["causes"][0]["title"] == sample.EVIL


def test_a_figure_that_is_no_number_is_an_error_and_not_a_report() -> None:
    report = sample.incident()
    with pytest.raises(ValueError, match="JSON compliant"):
        v1.render(replace(report, verdict=replace(report.verdict, unexplained_share=float("nan"))))


@pytest.mark.checkout
def test_the_document_says_what_the_schema_says(checkout: Path) -> None:
    assert agrees("json-report.md", document.describe(), folder=checkout / "docs"), "NECROPSY_GOLDEN=1 refreshes it"
