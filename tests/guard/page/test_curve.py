"""The drawing of a store over time: where its lines are, and that what comes from outside is text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from guard.page.test_page import EMPTY
from necropsy.guard.page import view
from necropsy.guard.page.curve import HEIGHT, WIDTH, drawn
from necropsy.model.history import Course

COURSE = Course(
    store="A",
    unit="sessions",
    measured=((0.0, 0.0), (1_800.0, 50.0), (3_600.0, 100.0)),
    predicted=((0.0, 0.0), (3_600.0, 10.0), (7_200.0, 20.0)),
    predicted_by="guard",
    ahead=((3_600.0, 100.0), (7_200.0, 200.0)),
    full=250.0,
    horizon=datetime.fromtimestamp(900, UTC),
    marks=((600.0, "deploy v42"),),
)


def points(curve: object, kind: str) -> list[tuple[float, float]]:
    (text,) = [points for name, _, points in curve.lines if name == kind]  # type: ignore[attr-defined]
    return [tuple(map(float, point.split(","))) for point in text.split()]  # type: ignore[misc]


def test_now_is_where_what_was_measured_ends_and_what_comes_begins() -> None:
    curve = drawn(COURSE)
    assert points(curve, "measured")[-1] == points(curve, "ahead")[0]
    assert points(curve, "measured")[0] == (0.0, HEIGHT)
    assert points(curve, "ahead")[-1][0] == WIDTH
    (now,) = [mark.x for mark in curve.marks if mark.kind == "now"]
    assert now == WIDTH / 2


def test_events_and_the_horizon_of_the_survivors_are_lines_at_their_moments() -> None:
    marks = {mark.kind: (mark.x, mark.text) for mark in drawn(COURSE).marks}
    assert marks["event"] == (60.0, "deploy v42")
    assert marks["horizon"][0] == 90.0


def test_a_limit_is_drawn_where_it_is_near_and_said_where_it_is_far() -> None:
    near, far = drawn(COURSE), drawn(replace(COURSE, full=5_000.0))
    assert near.full_y is not None
    assert 0 < near.full_y < points(near, "ahead")[-1][1]
    assert far.full_y is None
    assert "used up at some 5,000" in far.text


def test_the_page_says_what_was_predicted_in_words_and_no_event_is_markup() -> None:
    hostile = replace(COURSE, marks=((600.0, "<script>alert(1)</script>\u202e"),), predicted_by="<b>\x1b[2J")
    page = view.render(replace(EMPTY, courses=(COURSE, replace(hostile, store="B"))))
    assert "100 are there now, 10 were predicted by guard." in page
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
