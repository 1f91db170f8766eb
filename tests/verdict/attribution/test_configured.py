from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute
from necropsy.verdict.evidence import Claim
from verdict.incidents import Incident
from verdict.scenes import probe

SHOP = replace(probe("shop", 443), url="https://shop/", health=None)
DOCS = replace(probe("docs", 443), url="https://docs/", instance="docs:443", health=None)
AGENT = "Blackbox Exporter/0.27"


def _claims(scene: Incident) -> list[Claim]:
    births, around, _ = scene.build()
    return attribute([births], around).claims


def test_a_scanner_that_calls_itself_what_the_prober_does_is_not_the_prober() -> None:
    scene = Incident(71, probes=[SHOP])
    scene.people(200)
    scene.prober("prober", 10.0, logged=False)
    for number, at in enumerate(np.sort(scene.random.uniform(0, scene.span_s, 15))):
        bursts = at + np.asarray([0.0, 1.2, 2.9])
        for path, moment in zip(("/.env", "/", "/.git/config"), bursts, strict=True):
            scene.requests(
                "scanner", np.asarray([moment]), client=f"45.9.0.{number}", agent="Go-http-client/1.1", host="", path=path,
                status=404,
            )  # fmt: skip
    found = [claim for claim in _claims(scene) if claim.creator == "probe"]
    assert [(claim.label, claim.in_access_log) for claim in found] == [("shop:443", False)]
    assert found[0].births == pytest.approx(8_640, rel=0.02)


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize("resolution_s", [0.001, 1.0])
def test_of_two_sites_that_a_log_does_not_tell_apart_one_starts_sessions(configured: bool, resolution_s: float) -> None:
    scene = Incident(72, probes=[DOCS, SHOP] if configured else [], resolution_s=resolution_s)
    scene.people(300)
    for who, phase_s, creates in (("shop", 2.1, 1.0), ("docs", 5.3, 0.0)):
        scene.prober(who, 10.0, client="10.5.5.5", agent=AGENT, host="", phase_s=phase_s, creates=creates, status=200)
    claim = max(_claims(scene), key=lambda claim: claim.births)
    assert claim.in_access_log is True
    assert claim.creator == ("probe" if configured else "visitor")
    assert claim.one_of == ([0, 1] if configured else None)
    assert claim.births == pytest.approx(8_640, rel=0.02)


def test_where_both_sites_start_sessions_each_is_named() -> None:
    scene = Incident(73, probes=[DOCS, SHOP])
    for who, phase_s in (("shop", 2.1), ("docs", 5.3)):
        scene.prober(who, 10.0, client="10.5.5.5", agent=AGENT, host="", phase_s=phase_s, status=200)
    found = [claim for claim in _claims(scene) if claim.creator == "probe"]
    assert sorted((claim.label, claim.one_of is None) for claim in found) == [("docs:443", True), ("shop:443", True)]


def test_a_target_that_ended_and_is_configured_no_more_is_not_taken_for_the_one_that_goes_on() -> None:
    scene = Incident(74, probes=[replace(SHOP, port=8080, url="http://shop:8080/")])
    scene.people(300)
    scene.prober("going on", 10.0, logged=False, phase_s=2.1)
    scene.prober("ended", 10.0, logged=False, phase_s=5.3, between=(0.0, scene.span_s / 2))
    found = [claim for claim in _claims(scene) if claim.creator == "probe"]
    named = sorted((claim.label.partition(",")[0], claim.one_of) for claim in found)
    assert named == [("a former target of prometheus/blackbox_exporter_http", [0]), ("shop:8080", None)]
