"""What a person reads of a plan and of a purge that is under way, in 80 columns."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from necropsy.report.commands import treatment as text
from necropsy.treat.purge.plan import PurgePlan, shown
from necropsy.treat.purge.progress import Progress


def test_the_status_says_first_why_it_rests() -> None:
    progress = Progress(3200, deleted=200, state="paused: latency 35.0 ms, else 0.2", p99_s=0.0364, max_impact_s=0.002)
    progress.kept["used lately"] = 7
    first = "paused: latency 35.0 ms, else 0.2 · 200/3,200 · "
    assert progress.line().startswith(first)
    assert progress.line().endswith(" · p99 36.4/2 ms · kept 7 (used lately 7)")


def _plan(**changed: object) -> PurgePlan:
    made = {
        "made_at": "2026-11-30T10:00:00+00:00", "expires_at": "2026-12-01T10:00:00+00:00", "address": "redis://a:6379",
        "db": 0, "identities": (), "server": "Redis 7.0.15", "where": ("anonymous",), "idle_s": 3600,
        "unknown_is_anonymous": False, "trust_inferred_lifetime": False, "lifetimes": (), "sessions": 1, "keys": 3,
        "bytes": 900, "total": 1, "kept": {}, "halves": {}, "layouts": {"spring-indexed": 1}, "sample": (),
        "hashes": np.zeros(1, np.uint64),
    }  # fmt: skip
    return PurgePlan(**{**made, **changed})  # type: ignore[arg-type]


def test_the_sample_fits_into_80_columns_and_a_command_has_its_own_line() -> None:
    moment = datetime(2026, 11, 30, 10, 41, tzinfo=UTC)
    row = {"namespace": "spring:session", "id_hash": 1, "last_seen_at": moment, "expires_at": moment}
    said = text.plan(_plan(sample=(shown(row),), notes=("a user with these permissions: ACL SETUSER a",)), None)
    assert max(map(len, said.splitlines())) <= 80
    assert "       ACL SETUSER a\n" in said
    assert "NEXT   nothing was deleted; add --plan FILE to save this plan\n" in said


def test_the_sample_has_the_year_of_an_end_that_is_another_than_the_last_use_s() -> None:
    last, far = datetime(2026, 11, 30, 10, 41, tzinfo=UTC), datetime(2087, 6, 10, 8, 0, tzinfo=UTC)
    row = {"namespace": "spring:session", "id_hash": 1, "last_seen_at": last, "expires_at": far}
    assert shown(row).endswith("used 11-30 10:41, expires 2087-06-10")
    assert shown({**row, "last_seen_at": None}).endswith("last use unknown, expires 2087-06-10")
    assert shown({**row, "expires_at": last}).endswith("used 11-30 10:41, expires 11-30 10:41")


def test_a_plan_of_nothing_has_no_next_command() -> None:
    assert "3 sessions of the plan do not say each use:" in text.plan(_plan(undecided=3), None)
    kept = text.plan(_plan(sessions=0, total=3, kept={"logged in": 3}), None)
    assert kept.endswith("NEXT   nothing to purge\n")
    assert text.plan(_plan(sessions=0, total=0), None).endswith(
        "nothing to purge: no session of a known layout was found\n"
    )
