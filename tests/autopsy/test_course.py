"""How full a store was and will be, from a kept case with a history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from necropsy import autopsy
from necropsy.autopsy.course import PREDICTED
from necropsy.autopsy.sources import DumpPath, Sources, StoreSource
from necropsy.model.history import Course
from necropsy.report.html import page
from necropsy.report.html.charts import galleries

DUMP = next((Path(__file__).parents[1] / "assets" / "spring").glob("*.rdb"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """Keep a case, and give it an hour of history, what was predicted, and an event."""
    path = tmp_path_factory.mktemp("course") / "kept.case"
    report = autopsy.examine(Sources(stores=(StoreSource("A", DumpPath(str(DUMP))),)), case_path=path)
    at = report.stores[0].taken_at
    assert at is not None
    assert report.courses == (), "nothing is known of its past"
    with duckdb.connect(str(path)) as case:
        naive = at.replace(tzinfo=None)
        for minutes, quantity, value in (
            (60, "sessions", 1.0),
            (30, "sessions", 2.0),
            (60, PREDICTED, 1.0),
            (-600, PREDICTED, 8.0),
        ):
            # A look is known to a part of a second; here the first is half a second late.
            moment = naive - timedelta(minutes=minutes, seconds=-0.5 if minutes == 60 else 0)
            case.execute("INSERT INTO history VALUES ('A', 'guard', ?, ?, 0, ?)", [quantity, moment, value])
        case.execute(
            "INSERT INTO event VALUES (?, 'given', 'version 14', 'guard', NULL)", [naive - timedelta(minutes=45)]
        )
        case.execute("INSERT INTO event VALUES (?, 'given', 'version 13', 'guard', NULL)", [naive - timedelta(hours=1)])
        case.execute("INSERT INTO event VALUES (?, 'given', 'long ago', 'guard', NULL)", [naive - timedelta(days=45)])
    return path, at


def course(path: Path) -> Course:
    (found,) = autopsy.report(path).courses
    return found


def test_what_was_measured_ends_with_what_is_there_now(kept: tuple[Path, datetime]) -> None:
    path, at = kept
    found = course(path)
    sessions = autopsy.report(path).stores[0].sessions
    assert [value for _, value in found.measured] == [1.0, 2.0, float(sessions)]
    assert found.measured[-1][0] == at.timestamp()
    assert found.ahead[0] == (at.timestamp(), float(sessions))


def test_what_was_predicted_is_cut_off_as_far_ahead_as_the_past_is_shown(kept: tuple[Path, datetime]) -> None:
    path, at = kept
    found = course(path)
    assert found.predicted_by == "guard"
    assert found.predicted[0] == (at.timestamp() - 3_599.5, 1.0)
    assert found.predicted[-1] == (at.timestamp() + 3_600, pytest.approx(1 + 7 * 7_199.5 / 39_599.5))


def test_events_of_the_time_that_is_shown_stand_in_the_picture(kept: tuple[Path, datetime]) -> None:
    path, at = kept
    first = (at.timestamp() - 3_599.5, "version 13")
    assert course(path).marks == (first, (at.timestamp() - 45 * 60, "version 14")), (
        "one in the second of the first look"
    )
    report = autopsy.report(path)
    (picture,) = [one for hung in galleries(report) for one in hung.wide if one.kind == "course"]
    assert [line["kind"] for line in picture.data["lines"]] == ["measured", "predicted", "ahead"]
    assert "version 14" in [mark["text"] for mark in picture.data["marks"]]
    assert picture.caption in page.render(report)


def test_a_prediction_does_not_lengthen_the_history(kept: tuple[Path, datetime]) -> None:
    path, at = kept
    (history,) = [one for one in autopsy.report(path).histories if one.source == "guard"]
    assert history.end == at - timedelta(minutes=30)
    assert history.end.tzinfo is UTC
