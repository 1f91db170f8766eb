"""The command what-if on a case that was read from a real dump."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from necropsy import autopsy
from necropsy.autopsy.incident_file import load
from necropsy.cli.main import command_line
from necropsy.lab.demo import stage
from necropsy.lab.story import INCIDENT
from necropsy.model.errors import UsageError

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("incident")
    staged = stage(folder, seed=3, story=INCIDENT)
    path = folder / "incident.case"
    autopsy.examine(load(str(staged.incident)), case_path=path)
    return path


def run(case: Path, *options: str) -> str:
    made = CliRunner().invoke(command_line(["what-if"]), ["what-if", str(case), *options], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return made.output


def test_the_incident_says_that_a_bigger_machine_was_not_needed(case: Path) -> None:
    text = run(case, "--fix", "probes/creates-sessions", "--purge")
    assert max(map(len, text.splitlines())) <= 80
    first, second = text.split("STORE")[1:]
    assert "ENOUGH 16 MB of memory: at least twice" in first
    assert "need not be raised" in " ".join(first.split())
    assert "grows without limit" in second
    assert "memory will be full about 2019-" in second


def test_a_limit_that_is_exceeded_today_is_full_already_and_without_a_change_the_options_are_named(case: Path) -> None:
    text = run(case, "--memory", "1MB")
    assert text.count("memory is full already: more is used than the limit") == 2
    assert text.endswith("NEXT   add --fix all, --purge or --ttl 1d to see what each changes\n")
    assert "NEXT" not in run(case, "--purge")


def test_the_json_is_what_its_schema_says(case: Path) -> None:
    document = json.loads(run(case, "--fix", "all", "--ttl", "1d", "--format", "json"))
    schema = json.loads(
        resources.files("necropsy.report").joinpath("commands/schemas/what-if-1.schema.json").read_text()
    )
    jsonschema.validate(document, schema)
    assert [store["store"] for store in document["stores"]] == ["admin-a", "admin-b"]


@pytest.mark.parametrize("options", [("--fix", "probes/nonsense"), ("--ttl", "one day"), ("--idle", "2h")])
def test_a_wrong_option_is_refused_with_what_it_may_be(case: Path, options: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        CliRunner().invoke(command_line(["what-if"]), ["what-if", str(case), *options], catch_exceptions=False)
