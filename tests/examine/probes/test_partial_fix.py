from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from examine.cases import HEALTHY_PROBE, Scene, scene, slugs
from examine.probe_cases import ASKED, again, only
from necropsy.model.finding import Confidence


def _comb(s: Scene, phase_s: int, hours: int) -> None:
    s.case.execute(
        "INSERT INTO session (store, id_hash, born_at, authentication, state, keys, bytes)"
        f" SELECT 'a', hash('{phase_s}-' || i), TIMESTAMP '2019-05-24 00:00:00' + (i * 10 + {phase_s}) * INTERVAL 1 SECOND,"
        f" 'no', 'live', 1, 100 FROM range({hours * 360}) r(i)"
    )
    s.claim("probe", hours * 360.0, label=f"at {phase_s}", period_s=10.0, phase_s=float(phase_s), creation_probability=1.0,
            first_at=datetime(2019, 5, 24, 0, 0, phase_s), last_at=datetime(2019, 5, 24, hours - 1, 59, 50 + phase_s))  # fmt: skip  # noqa: DTZ001 -- the case holds UTC without a zone


def test_half_a_fix_is_counted_by_service() -> None:
    done = replace(HEALTHY_PROBE, service="admin", host="10.0.0.2", url="http://10.0.0.2:8080/health")
    with scene() as s:
        finding = only("probes/partial-fix", s.source("prometheus").probe(ASKED, done))
        again(s, finding)
    assert finding.title == "1 of 2 targets of admin are probed at /health, 1 still at /"
    assert finding.confidence is Confidence.HIGH
    assert finding.primary is not None
    assert finding.primary.title.startswith("GET http://10.0.0.1:8080/ ")


def test_different_services_may_differ() -> None:
    done = replace(HEALTHY_PROBE, service="other")
    with scene() as s:
        assert "probes/partial-fix" not in slugs(s.source("prometheus").probe(ASKED, done).examine())


def test_a_train_that_ended_beside_one_that_goes_on_is_a_plateau() -> None:
    with scene() as s:
        s.source("rdb", "prometheus")
        _comb(s, 2, hours=12)
        _comb(s, 7, hours=6)
        finding = only("probes/partial-fix", s)
        assert finding.primary is not None
        assert [row["label"] for row in s.case.rows(finding.primary.query)] == ["at 7", "at 2"]
    assert finding.store == "a"
    assert finding.title == "1 of 2 periodic creators in store a have stopped, 1 goes on"


def test_a_train_that_a_restart_moved_to_another_phase_is_no_fix() -> None:
    with scene() as s:
        s.source("rdb", "prometheus")
        _comb(s, 2, hours=12)
        _comb(s, 7, hours=6)
        s.case.execute("UPDATE birth_claim SET first_at = TIMESTAMP '2019-05-24 06:00:30' WHERE label = 'at 2'")
        assert "probes/partial-fix" not in slugs(s.examine())


def test_trains_that_all_go_on_are_no_fix() -> None:
    with scene() as s:
        s.source("rdb", "prometheus")
        _comb(s, 2, hours=6)
        _comb(s, 7, hours=6)
        assert "probes/partial-fix" not in slugs(s.examine())
