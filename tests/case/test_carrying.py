"""The history that a case takes over from the one before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from necropsy.case.carrying import carry_over
from necropsy.case.store import Case

NOON = datetime(2019, 5, 24, 12, 0)  # noqa: DTZ001 -- as a case holds it
WEEK_S = 7 * 86_400.0


def level(at: datetime, value: float, source: str = "guard") -> dict[str, object]:
    return {"store": "A", "source": source, "quantity": "sessions", "at": at, "seconds": 0.0, "value": value}


def births(at: datetime, value: float) -> dict[str, object]:
    return {"store": "A", "source": "guard", "quantity": "births", "at": at, "seconds": 600.0, "value": value}


def kept(folder: Path, rows: list[dict[str, object]], table: str = "history") -> list[dict[str, object]]:
    with Case.create(folder / "old.case") as case:
        case.append(table, rows)
    with Case.create(None) as case:
        assert carry_over(case, folder / "old.case", NOON, WEEK_S, "guard")
        return case.rows(f'SELECT * FROM "{table}" ORDER BY ALL')


def test_what_a_watch_measured_is_taken_over_and_what_others_measured_is_not(tmp_path: Path) -> None:
    found = kept(tmp_path, [level(NOON - timedelta(hours=1), 5.0), level(NOON - timedelta(hours=1), 9.0, "prometheus")])
    assert [row["value"] for row in found] == [5.0]


def test_what_is_too_old_is_dropped(tmp_path: Path) -> None:
    assert not kept(tmp_path, [level(NOON - timedelta(days=8), 5.0)])


def test_after_a_day_the_last_level_of_each_hour_stays_and_counts_are_summed_up(tmp_path: Path) -> None:
    hour = NOON - timedelta(days=2, hours=3)
    minutes = [hour + timedelta(minutes=10 * n) for n in range(12)]
    levels = kept(tmp_path, [level(at, float(n)) for n, at in enumerate(minutes)])
    assert [(row["at"], row["value"]) for row in levels] == [(minutes[5], 5.0), (minutes[11], 11.0)]
    counts = kept(tmp_path, [births(at, 1.0) for at in minutes])
    assert [(row["at"], row["seconds"], row["value"]) for row in counts] == [
        (minutes[0], 3600.0, 6.0),
        (minutes[6], 3600.0, 6.0),
    ]


def test_a_notice_that_goes_on_never_grows_old_and_one_that_is_over_does(tmp_path: Path) -> None:
    long_ago = NOON - timedelta(days=30)
    found = kept(tmp_path, [{"key": "a", "opened_at": long_ago}, {"key": "b", "opened_at": long_ago, "resolved_at": long_ago}],
                 "notice")  # fmt: skip
    assert [row["key"] for row in found] == ["a"]


def test_no_case_and_no_file_are_no_history_and_a_case_without_these_tables_neither(tmp_path: Path) -> None:
    (tmp_path / "x.case").write_text("something else")
    with Case.create(tmp_path / "old.case") as case:
        for table in ("history", "look", "notice", "event"):
            case.execute(f"DROP TABLE {table}")
        case.append("meta", [{"name": "a", "value": "b"}])
    with Case.create(None) as case:
        assert not carry_over(case, tmp_path / "none.case", NOON, WEEK_S, "guard")
        assert not carry_over(case, tmp_path / "x.case", NOON, WEEK_S, "guard")
        assert carry_over(case, tmp_path / "old.case", NOON, WEEK_S, "guard")
        assert not case.has("history")
