from __future__ import annotations

import numpy as np
import pytest

from necropsy.verdict.attribution import attribute
from verdict.incidents import Incident


def _loop(answer_s: float, *, starts: bool = True, resolution_s: float = 0.001) -> Incident:
    """People, and a program that logs in every 12 to 15 s, reads a report, and forgets its cookie."""
    incident = Incident(41, span_s=40_000, starts=starts, resolution_s=resolution_s)
    incident.people(300)
    at = np.cumsum(incident.random.uniform(12, 15, 3_200))
    incident.answer_s = answer_s
    about = {"client": "10.3.0.8", "agent": "python-requests/2.31.0"}
    incident.requests("loop", at, path="/api/login", method="POST", **about)  # type: ignore[arg-type]
    incident.requests("loop", at + 4 * answer_s, path="/api/report", creates=0, **about)  # type: ignore[arg-type]
    return incident


@pytest.mark.parametrize("answer_s", [0.03, 0.4, 1.0])
def test_a_login_that_takes_longer_than_peoples_pages_has_its_births(answer_s: float) -> None:
    births, around, truth = _loop(answer_s).build()
    claims = {claim.creator: claim for claim in attribute([births], around).claims}
    assert claims["visitor"].births / births.total == pytest.approx(truth["loop"], abs=0.05)
    assert claims["people"].births / births.total == pytest.approx(truth["people"], abs=0.05)
    (row,) = [one for one in around.classes if one.class_id == claims["visitor"].class_id]
    assert row.path == "/api/login"


def test_pages_that_answer_as_the_others_do_have_no_window_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from necropsy.verdict.attribution import conductor, slow

    learnt = []

    def learn(births, timeline, *more):  # type: ignore[no-untyped-def]
        slow.learn(births, timeline, *more)
        learnt.append(dict(timeline.slow))

    monkeypatch.setattr(conductor, "slow", type("Slow", (), {"learn": staticmethod(learn)}))
    for seed in range(3):
        incident = Incident(seed, span_s=40_000)
        incident.people(600)
        incident.crawler("logged", 1_500, 400)
        incident.prober("unlogged", 15, logged=False)
        births, around, _ = incident.build()
        attribute([births], around)
    assert learnt == [{}, {}, {}]
