"""The lab's other stories: half a fix, a fix, health, a crawler, sessions that name their creator."""

from __future__ import annotations

from pathlib import Path

import pytest

from necropsy import autopsy
from necropsy.autopsy.incident_file import load
from necropsy.lab.demo import stage
from necropsy.lab.story import CRAWLED, HEALTHY, JUST_FIXED, NAMED, PARTIAL_FIX, Story
from necropsy.lab.truth import Stage
from necropsy.model.report import Report
from necropsy.model.verdict import Cause
from necropsy.report.terminal import document as terminal

pytestmark = pytest.mark.integration


def _examine(folder: Path, story: Story) -> tuple[Stage, Report]:
    staged = stage(folder, seed=3, story=story)
    return staged, autopsy.examine(load(str(staged.incident)))


def _causes(report: Report) -> dict[str, Cause]:
    return {cause.slug: cause for cause in report.verdict.causes}


def test_a_healthy_store_has_no_cause_of_death(tmp_path: Path) -> None:
    staged, report = _examine(tmp_path, HEALTHY)
    assert _causes(report) == {}
    assert "healthy" in {finding.slug for finding in report.findings}
    assert {f.slug for f in report.findings if f.severity == "critical"} == set()
    assert terminal.render(report).startswith("HEALTHY")
    assert report.stores[0].authenticated == pytest.approx(staged.stores[0].authenticated, abs=1)
    for principal in staged.principals:
        assert principal not in terminal.render(report)


def test_a_crawler_that_drops_its_cookie_is_named_and_no_prober_is_blamed(tmp_path: Path) -> None:
    staged, report = _examine(tmp_path, CRAWLED)
    (cause,) = report.verdict.causes
    assert cause.slug == "traffic/bot-creates-sessions"
    assert "PriceSpider" in cause.actors[0].user_agent
    assert cause.sessions == pytest.approx(staged.stores[0].from_bot, rel=0.02)


def test_sessions_that_name_their_creator_are_believed_without_any_configuration_of_it(tmp_path: Path) -> None:
    _, report = _examine(tmp_path, NAMED)
    cause = _causes(report)["probes/creates-sessions"]
    assert {actor.evidence for actor in cause.actors} == {"named"}
    assert all(actor.user_agent.startswith("kube-probe/") for actor in cause.actors)
    assert cause.share > 0.9


def test_half_a_fix_leaves_half_of_the_targets_to_blame(tmp_path: Path) -> None:
    staged, report = _examine(tmp_path, PARTIAL_FIX)
    cause = _causes(report)["probes/creates-sessions"]
    assert {actor.url for actor in cause.actors} == {
        f"http://{t.address}:{t.port}/" for t in staged.targets if t.creates
    }
    (prediction,) = report.verdict.predictions
    assert prediction.steady_state_keys == 36_000
    assert prediction.counted_keys == pytest.approx(36_000, rel=0.01)


def test_after_a_fix_the_births_are_said_to_have_stopped(tmp_path: Path) -> None:
    _, report = _examine(tmp_path, JUST_FIXED)
    assert all("stopped on 2019-05-24" in cause.text for cause in report.verdict.causes)
    assert sum(cause.share for cause in report.verdict.causes) > 0.9
