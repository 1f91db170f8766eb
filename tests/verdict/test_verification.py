"""Whether creators stopped: judged from the births that are left, and never called cured too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.probe import Probe
from necropsy.model.verification import CREATES, CURED, NOT_CURED, PARTLY, STOPPED, TOO_EARLY, UNJUDGED, UNKNOWN
from necropsy.verdict.evidence import Claim
from necropsy.verdict.verification import Reading, check

BEFORE = datetime(2019, 5, 24, 19, tzinfo=UTC)
DAY = 86_400


def claim(label: str, last: datetime | None, **more: Any) -> Claim:
    settings: dict[str, Any] = {"creator": "probe", "evidence": "comb", "births": 8_640.0, "births_per_hour": 360.0,
                                "period_s": 10.0, "phase_s": 4.0} | more  # fmt: skip
    births = settings["births"]
    return Claim(store="A", label=label, births_low=births, births_high=births, last_at=last, **settings)


def before(*claims: Claim) -> Reading:
    return Reading(BEFORE, 34_000, claims)


def after(*claims: Claim, hours: float = 6, **more: Any) -> Reading:
    return Reading(BEFORE + timedelta(hours=hours), 20_000, claims, lifetime_s=DAY, **more)


FIXED = BEFORE + timedelta(hours=1)
NOW = BEFORE + timedelta(hours=6)


def test_all_that_stopped_hours_ago_is_a_cure() -> None:
    made = check("A", before(claim("a1:80", BEFORE)), after(claim("a1:80", FIXED)), ())
    assert made.outcome == CURED
    assert [one.state for one in made.creators] == [STOPPED]
    assert made.creators[0].last_at == FIXED
    assert made.births_per_day_now == 0


def test_the_forgotten_server_is_named_with_the_plateau_that_it_leads_to() -> None:
    old = before(claim("a1:80", BEFORE), claim("a2:80", BEFORE, phase_s=9.0))
    made = check("A", old, after(claim("a1:80", FIXED), claim("a2:80", NOW, phase_s=9.0)), ())
    assert made.outcome == PARTLY
    assert [(one.name, one.state) for one in made.creators] == [("a2:80", CREATES), ("a1:80", STOPPED)]
    assert made.plateau == pytest.approx(8_640)


def test_when_nobody_stopped_it_is_no_cure() -> None:
    made = check("A", before(claim("a1:80", BEFORE)), after(claim("a1:80", NOW)), ())
    assert made.outcome == NOT_CURED


def test_a_creator_is_the_same_by_its_rhythm_when_nothing_names_it_any_more() -> None:
    """Without the access log a client of the log is an unidentified train, at the same moments."""
    old = before(claim("Go GET /", BEFORE, creator="visitor", class_id=3))
    made = check("A", old, after(claim("unidentified", NOW, creator="unlogged", phase_s=4.02)), ())
    assert made.outcome == NOT_CURED
    assert [one.name for one in made.creators] == ["Go GET /"]


def test_minutes_after_the_fix_it_is_too_early_and_said_until_when() -> None:
    read = BEFORE + timedelta(minutes=2)
    made = check("A", before(claim("a1:80", BEFORE)), Reading(read, 1, [claim("a1:80", BEFORE)], lifetime_s=DAY), ())
    # Its last birth is two minutes old: five ticks have passed, but five minutes have not.
    assert made.outcome in {TOO_EARLY, NOT_CURED}
    assert made.outcome != CURED


def test_nothing_left_of_a_creator_is_a_cure_once_its_silence_is_long_enough() -> None:
    assert check("A", before(claim("a1:80", BEFORE)), after(), ()).outcome == CURED
    soon = check("A", before(claim("a1:80", BEFORE)), after(hours=0.01), ())
    assert soon.outcome == TOO_EARLY
    assert soon.until == BEFORE + timedelta(seconds=300)


def test_a_client_without_a_rhythm_is_unknown_without_the_log_and_never_called_stopped() -> None:
    old = before(claim("spider", BEFORE, creator="visitor", period_s=None, phase_s=None))
    made = check("A", old, after(hours=48), ())
    assert made.outcome == UNJUDGED
    assert made.creators[0].state == UNKNOWN
    assert "access log" in made.reason
    assert check("A", old, after(hours=48, logs_given=True), ()).outcome == CURED


def test_who_began_since_is_named_as_new() -> None:
    began = claim("new", NOW, phase_s=1.0, first_at=BEFORE + timedelta(hours=2))
    made = check("A", before(claim("a1:80", BEFORE)), after(claim("a1:80", FIXED), began), ())
    assert made.outcome == PARTLY
    assert [(one.name, one.is_new) for one in made.creators] == [("new", True), ("a1:80", False)]


def test_immortal_sessions_have_no_plateau() -> None:
    made = check(
        "A", before(claim("a1:80", BEFORE)), Reading(NOW, 5, [claim("a1:80", NOW)], lifetime_s=2_147_483_647), ()
    )
    assert made.plateau is None
    assert made.births_per_day_now == pytest.approx(8_640)


def test_a_store_whose_births_are_unknown_is_not_judged() -> None:
    made = check("A", before(claim("a1:80", BEFORE)), after(births_known=False), ())
    assert (made.outcome, made.reason != "") == (UNJUDGED, True)


def test_a_case_that_names_nobody_cannot_be_verified() -> None:
    people = claim("people", BEFORE, creator="people", period_s=None)
    assert check("A", before(people), after(), ()).outcome == UNJUDGED


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 100)), max_size=5), st.floats(0, 100))
def test_a_cure_is_only_said_when_nobody_creates_and_nobody_is_unknown(
    creators: list[tuple[bool, float]], hours: float
) -> None:
    old = [claim(f"t{n}", BEFORE, phase_s=float(n)) for n in range(len(creators))]
    read = BEFORE + timedelta(hours=hours)
    now = [
        claim(f"t{n}", read - timedelta(hours=min(ago, hours)), phase_s=float(n))
        for n, (is_there, ago) in enumerate(creators)
        if is_there
    ]
    made = check("A", before(*old), Reading(read, 1, now, lifetime_s=DAY), ())
    if made.outcome == CURED:
        assert old
        assert all(one.state == STOPPED for one in made.creators)


def test_one_that_is_silent_is_not_said_to_create_before_its_silence_is_long_enough() -> None:
    """Two minutes are twelve of its intervals: it does not create any more, and may have been restarted."""
    read = FIXED + timedelta(minutes=2)
    now = Reading(read, 1, [claim("a1:80", FIXED), claim("a2:80", read, phase_s=9.0)], lifetime_s=DAY)
    made = check("A", before(claim("a1:80", BEFORE), claim("a2:80", BEFORE, phase_s=9.0)), now, ())
    assert [(one.name, one.state) for one in made.creators] == [("a2:80", CREATES), ("a1:80", UNKNOWN)]
    assert "silent for 120 s" in made.creators[1].reason
    sooner = replace(now, least_quiet_s=60.0)
    assert check("A", before(claim("a1:80", BEFORE), claim("a2:80", BEFORE, phase_s=9.0)), sooner, ()).outcome == PARTLY


def test_two_sessions_that_are_left_of_a_train_are_silent_at_its_pace() -> None:
    old = before(claim("a1:80", BEFORE, probe_id=0))
    left = claim(
        "a1:80", FIXED, probe_id=0, evidence="named", births=2.0, births_per_hour=2.0, period_s=None, phase_s=None
    )
    assert check("A", old, after(left, hours=2), (_probe(80),)).outcome == CURED


def test_a_fixed_server_is_not_accused_of_what_its_neighbour_does_at_nearly_the_same_moment() -> None:
    old = before(claim("a1:80", BEFORE, probe_id=0, phase_s=4.0), claim("a1:8080", BEFORE, probe_id=1, phase_s=4.05))
    made = check(
        "A", old, after(claim("a1:80", NOW, probe_id=0, phase_s=4.0, evidence="named")), (_probe(80), _probe(8080))
    )
    assert [(one.name, one.state) for one in made.creators] == [("a1:80", CREATES), ("a1:8080", STOPPED)]


def test_the_silence_of_a_full_store_proves_nothing() -> None:
    made = check("A", before(claim("a1:80", BEFORE)), after(claim("a1:80", FIXED), refuses="it is full"), ())
    assert (made.outcome, made.reason) == (UNJUDGED, "it is full")
    assert [(one.state, one.reason) for one in made.creators] == [(UNKNOWN, "it is full")]


def test_a_zombie_is_named_with_the_target_that_it_keeps_alive() -> None:
    old = before(claim("a1:80", BEFORE, probe_id=0), claim("a1:8080", BEFORE, probe_id=1, phase_s=9.0))
    now = after(claim("a1:80", NOW, probe_id=0), claim("a1:8080", FIXED, probe_id=1, phase_s=9.0),
                zombies={"a1:80": "a1-old", "a1:8080": "a1-old"})  # fmt: skip
    made = check("A", old, now, (_probe(80), _probe(8080)))
    assert [(one.name, one.zombie) for one in made.creators] == [("a1:80", "a1-old"), ("a1:8080", "")]


def _probe(port: int) -> Probe:
    return Probe(
        prober="prometheus/blackbox", kind="prometheus", method="GET", url=f"http://a1:{port}/", host="a1", port=port, path="/",
        period_s=10.0, phase_s={80: 4.0, 8080: 9.0}[port],
    )  # fmt: skip


def targets(*phases: float | None) -> list[Probe]:
    """Targets of one job; whose phase was computed is known by it."""
    return [
        Probe("prometheus/pages", "prometheus", "GET", f"http://a{n}/", f"a{n}", 80, "/", 10.0, phase_s=phase)
        for n, phase in enumerate(phases, 1)
    ]


def train(number: int, phase_s: float, last: datetime) -> Claim:
    return claim(f"a{number + 1}:80", last, probe_id=number, phase_s=phase_s)


def test_targets_that_only_their_number_tells_are_found_again_by_their_phase_and_none_is_accused_by_name() -> None:
    """Held out: a half fix without an access log; each reading gives the targets to the trains anew, in another order."""
    old = before(train(0, 1.0, BEFORE), train(1, 4.0, BEFORE), train(2, 7.0, BEFORE))
    new = after(train(2, 1.02, FIXED), train(0, 4.01, NOW), train(1, 6.98, FIXED))
    made = check("A", old, new, targets(None, None, None))
    assert made.outcome == PARTLY
    assert {(one.name, one.state, one.last_at) for one in made.creators} == {
        ("one of 3 targets of prometheus/pages, 4.00 s into every 10 s", CREATES, NOW),
        ("one of 3 targets of prometheus/pages, 1.00 s into every 10 s", STOPPED, FIXED),
        ("one of 3 targets of prometheus/pages, 7.00 s into every 10 s", STOPPED, FIXED),
    }
    assert {one.url for one in made.creators} == {""}
    assert made.plateau == pytest.approx(8_640)


def test_targets_that_all_stopped_keep_their_names_whichever_is_which() -> None:
    old = before(train(0, 1.0, BEFORE), train(1, 4.0, BEFORE))
    made = check("A", old, after(train(1, 1.0, FIXED), train(0, 4.0, FIXED)), targets(None, None))
    assert made.outcome == CURED
    assert {one.name for one in made.creators} == {"a1:80", "a2:80"}


def test_targets_whose_phase_was_computed_are_named() -> None:
    old = before(train(0, 1.0, BEFORE), train(1, 4.0, BEFORE))
    made = check("A", old, after(train(0, 1.0, FIXED), train(1, 4.0, NOW)), targets(1.0, 4.0))
    assert [(one.name, one.state) for one in made.creators] == [("a2:80", CREATES), ("a1:80", STOPPED)]


def test_a_hidden_port_is_told_by_the_other_port_of_its_server() -> None:
    seen = [replace(train(0, 1.0, BEFORE), class_id=1), replace(train(1, 4.0, BEFORE), class_id=2)]
    hidden = [train(2, 6.0, BEFORE), train(3, 8.0, BEFORE)]
    probes = targets(None, None, None, None)
    probes[2:] = [replace(probe, host=f"a{n}", port=8080) for n, probe in enumerate(probes[2:], 1)]
    new = after(train(0, 1.0, FIXED), train(1, 4.0, NOW), train(2, 6.0, NOW), train(3, 8.0, FIXED))
    made = check("A", before(*seen, *hidden), new, probes)
    states = {one.name: one.state for one in made.creators}
    assert states == {"a1:80": STOPPED, "a2:80": CREATES, "a3:80": STOPPED, "a4:80": CREATES}
