"""A half fix as it was captured: six targets of one job every 5 s, three fixed at 08:30:42, no access log, no word on the host.

Real Flask-Session on Redis 7.0, Prometheus 3.5.3 and blackbox 0.28.0 (Debian 14); both dumps by the server's own SAVE. The machine
was busy with other work: births come up to 0.4 s late.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from necropsy import autopsy
from necropsy.autopsy.sources import Sources, stores
from necropsy.autopsy.verifying import verify
from necropsy.model.report import Report
from necropsy.model.verdict import Actor
from necropsy.model.verification import CREATES, PARTLY, STOPPED

CAPTURED = Path(__file__).parent / "captured_half_fix"
FIXED = {"127.0.0.1:60531", "127.0.0.1:46883", "127.0.0.1:60781"}
FORGOTTEN = {"127.0.0.1:47417", "127.0.0.1:49071", "127.0.0.1:47669"}
PLATEAU = 3 * 86_400 / 5


def sources(dump: str, folder: Path = CAPTURED) -> Sources:
    return Sources(
        stores=stores([f"A={CAPTURED / dump}"]),
        prometheus=(str(folder / "prometheus.yml"),),
        blackbox=(str(CAPTURED / "blackbox.yml"),),
    )


def actors(report: Report) -> tuple[Actor, ...]:
    return next(cause for cause in report.verdict.causes if cause.slug == "probes/creates-sessions").actors


def test_who_goes_on_and_who_was_fixed_is_named_by_the_moment_of_its_births() -> None:
    report = autopsy.examine(sources("after.rdb.gz"))
    named = {actor.url.removeprefix("http://").rstrip("/"): actor.over for actor in actors(report)}
    assert named == {**dict.fromkeys(FIXED, True), **dict.fromkeys(FORGOTTEN, False)}
    (note,) = [source.note for source in report.sources if source.reader == "prometheus"]
    assert "runs on localhost: the name that explains the moments of 6 of 6 trains of births" in note


def test_verify_names_the_time_the_plateau_and_the_forgotten_targets(tmp_path: Path) -> None:
    case = tmp_path / "sick.case"
    autopsy.examine(sources("before.rdb.gz"), case_path=case)
    (checked,) = verify(case, Sources(stores=stores([f"A={CAPTURED / 'after.rdb.gz'}"]))).stores
    assert checked.outcome == PARTLY
    assert {one.name for one in checked.creators if one.state == CREATES} == FORGOTTEN
    stopped = {one.name: one.last_at for one in checked.creators if one.state == STOPPED}
    assert set(stopped) == FIXED
    assert {f"{at:%H:%M}:{at.second // 10}" for at in stopped.values() if at is not None} <= {"08:30:3", "08:30:4"}
    assert checked.plateau == pytest.approx(PLATEAU, rel=0.01)


def test_where_no_name_explains_the_births_the_group_is_named_and_nobody_in_it_is_accused(tmp_path: Path) -> None:
    """External labels that the births contradict: no name fits, so nothing tells one target from the next."""
    text = (CAPTURED / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("global: {", "global: {external_labels: {replica: other}, "))
    report = autopsy.examine(sources("after.rdb.gz", tmp_path))
    assert {actor.url for actor in actors(report)} == {""}
    assert all({re.sub(r"^http://|/$", "", url) for url in a.one_of} == FIXED | FORGOTTEN for a in actors(report))
    cause = next(cause for cause in report.verdict.causes if cause.slug == "probes/creates-sessions")
    assert "3 of these 6 targets create sessions; no evidence tells which: " in cause.text
    assert not any("target 127.0.0.1" in origin.what for actor in actors(report) for origin in actor.origin)
