"""Verify on the lab's stores: the incident's case, and the same store half fixed and wholly fixed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from necropsy import autopsy
from necropsy.autopsy.incident_file import load
from necropsy.autopsy.sources import DumpPath, Sources, StoreSource
from necropsy.autopsy.verifying import verify
from necropsy.lab.demo import stage
from necropsy.lab.story import INCIDENT, JUST_FIXED, NOW, PARTIAL_FIX, Story
from necropsy.model.errors import UsageError
from necropsy.model.verification import CREATES, CURED, NOT_CURED, PARTLY, STOPPED, UNJUDGED, Verification
from necropsy.report.commands.verify import as_json, as_text

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before")
    # Before the half fix, which was made thirty hours before the lab's now.
    staged = stage(folder, seed=3, story=replace(INCIDENT, now=NOW - timedelta(hours=40)))
    case = folder / "incident.case"
    autopsy.examine(load(str(staged.incident)), case_path=case)
    return case


def looked_at(case: Path, folder: Path, story: Story) -> Verification:
    staged = stage(folder, seed=3, story=story)
    store = load(str(staged.incident)).stores[0]
    return verify(case, Sources(stores=(StoreSource("admin-a", store.locator),), checksums=False))


def test_half_a_fix_names_the_server_that_goes_on(incident: Path, tmp_path: Path) -> None:
    made = looked_at(incident, tmp_path, PARTIAL_FIX)
    check, _ = made.stores
    assert (check.outcome, made.exit_code) == (PARTLY, 12)
    states = {one.name: one.state for one in check.creators}
    assert {name for name, state in states.items() if state == CREATES} == {"172.12.1.190:80", "172.12.1.190:8080"}
    assert {name for name, state in states.items() if state == STOPPED} == {"172.12.1.189:80", "172.12.1.189:8080"}
    assert check.plateau == pytest.approx(2 * 8_640, rel=0.01)
    text = as_text(made)
    assert text.startswith("PARTLY CURED  store admin-a")
    assert "a plateau of 17,2" in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_whole_fix_is_a_cure_with_the_time_at_which_each_creator_stopped(incident: Path, tmp_path: Path) -> None:
    made = looked_at(incident, tmp_path, JUST_FIXED)
    check, other = made.stores
    assert check.outcome == CURED
    assert (other.store, other.outcome, made.exit_code) == ("admin-b", UNJUDGED, 4)
    assert other.reason.startswith("it was not given")
    assert (other.sessions_now, other.births_per_day_now, other.taken_at) == (None, None, None)
    last = as_text(made).split("\n\n")[1]
    assert last.startswith("NOT JUDGED  store admin-b\n")
    assert "not counted now" in last
    assert {one.last_at.hour for one in check.creators if one.last_at} <= {12, 13}


def test_what_was_not_read_of_a_dump_has_not_stopped(incident: Path, tmp_path: Path) -> None:
    staged = stage(tmp_path, seed=3, story=JUST_FIXED)
    whole = Path(load(str(staged.incident)).stores[0].locator.text)
    cut = tmp_path / "cut.rdb"
    cut.write_bytes(whole.read_bytes()[:3_000])
    made = verify(incident, Sources(stores=(StoreSource("admin-a", DumpPath(str(cut))),), checksums=False))
    assert (made.stores[0].outcome, made.exit_code) == (UNJUDGED, 4)
    assert f"at least {made.stores[0].sessions_now:,} now" in as_text(made)
    assert "of its keys could be read" in made.stores[0].reason


def test_a_store_that_was_given_and_not_read_says_why(incident: Path, tmp_path: Path) -> None:
    staged = stage(tmp_path, seed=3, story=JUST_FIXED)
    broken = tmp_path / "broken.rdb"
    broken.write_text("no dump")
    first = load(str(staged.incident)).stores[0]
    stores = (StoreSource("admin-a", first.locator), StoreSource("admin-b", DumpPath(str(broken))))
    made = verify(incident, Sources(stores=stores, checksums=False))
    other = made.stores[1]
    assert (other.store, other.outcome, other.sessions_now) == ("admin-b", UNJUDGED, None)
    assert other.reason.startswith(f"{broken} could not be read: not a dump")
    document = json.loads(as_json(made))
    schema = json.loads(
        resources.files("necropsy.report").joinpath("commands/schemas/verify-1.schema.json").read_text()
    )
    jsonschema.validate(document, schema)
    assert document["stores"][1]["taken_at"] is None


def test_the_same_store_again_is_no_cure(incident: Path, tmp_path: Path) -> None:
    made = looked_at(incident, tmp_path, INCIDENT)
    assert (made.stores[0].outcome, made.exit_code) == (NOT_CURED, 13)


def test_the_dump_of_before_the_fix_is_no_proof_that_there_was_none(incident: Path) -> None:
    stores = [
        replace(store, name=name) for name, store in zip(("admin-a", "admin-b"), own_stores(incident), strict=True)
    ]
    with pytest.raises(UsageError, match="as the case was") as caught:
        verify(incident, Sources(stores=tuple(stores), checksums=False))
    assert "a dump from after it" in (caught.value.hint or "")


def own_stores(case: Path) -> tuple[StoreSource, ...]:
    return load(str(case.with_name("incident.toml"))).stores


def test_the_json_is_what_its_schema_says(incident: Path, tmp_path: Path) -> None:
    document = json.loads(as_json(looked_at(incident, tmp_path, PARTIAL_FIX)))
    schema = json.loads(
        resources.files("necropsy.report").joinpath("commands/schemas/verify-1.schema.json").read_text()
    )
    jsonschema.validate(document, schema)
    assert document["outcome"] == "partly-cured"


def test_a_store_that_the_case_does_not_have_is_refused_with_the_names_that_it_has(incident: Path) -> None:
    with pytest.raises(UsageError, match="no store elsewhere") as caught:
        verify(incident, Sources(stores=(StoreSource("elsewhere", DumpPath("x.rdb")),)))
    assert "admin-a, admin-b" in (caught.value.hint or "")
