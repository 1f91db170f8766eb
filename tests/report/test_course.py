"""A store over time in words and figures."""

from __future__ import annotations

from dataclasses import replace

from guard.page.test_curve import COURSE
from necropsy.report.wording.course import at, rows, sentence


def test_a_line_is_read_between_its_points_and_nowhere_else() -> None:
    assert at(COURSE.measured, 900.0) == 25.0
    assert at(COURSE.measured, 3_600.0) == 100.0
    assert at(COURSE.measured, 3_601.0) is None
    assert at((), 0.0) is None


def test_the_table_shows_what_was_measured_up_to_now_and_what_is_expected_from_then_on() -> None:
    table = rows(COURSE, 4)
    assert [row[1] for row in table] == ["0", "50", "100", "150", "200"]
    assert [row[2] for row in table] == ["0", "5", "10", "15", "20"]


def test_where_nobody_predicted_nothing_is_said_to_be_predicted() -> None:
    said = sentence(replace(COURSE, predicted=(), predicted_by=""))
    assert "predicted" not in said
    assert "If nothing is changed, 200 at" in said
