"""Fill levels of a store, measured, predicted and to come: in words, as a table and as points of a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from necropsy.model.history import Course
from necropsy.report.escaping import inert
from necropsy.report.figures import count, moment

Points = tuple[tuple[float, float], ...]


def sentence(course: Course) -> str:
    """Say what is there now, what was predicted for now, and what will be there at the end of the picture.

    ``Sessions from … to now: 1,080 are there now, 1,075 were predicted (by old.case). As it goes on …``
    """
    end_s, level = course.measured[-1]
    text = f"{course.unit.capitalize()} since {_moment(course.measured[0][0])}: {count(round(level))} are there now"
    then = at(course.predicted, end_s)
    if then is not None:
        text += f", {count(round(then))} were predicted by {inert(course.predicted_by)}"
    text += "."
    if course.ahead:
        text += f" If nothing is changed, {count(round(course.ahead[-1][1]))} at {_moment(course.ahead[-1][0])}."
    if course.full is not None and course.full > 0:
        text += f" Memory is used up at some {count(round(course.full))}."
    if course.horizon is not None:
        text += f" Sessions born before {moment(course.horizon)} and not used since have expired."
    return text


def rows(course: Course, most: int = 24) -> tuple[tuple[str, str, str], ...]:
    """Return (moment, measured or ahead, predicted) at moments spread over the picture."""
    step = (course.end_s - course.start_s) / most or 1.0
    moments = [course.start_s + number * step for number in range(most + 1)]
    now_s = course.measured[-1][0]
    return tuple(
        (
            _moment(second),
            _number(at(course.measured if second <= now_s else course.ahead, second)),
            _number(at(course.predicted, second)),
        )
        for second in moments
    )


def at(points: Points, second: float) -> float | None:
    """Return the level of a line at a moment; None where the line is not."""
    if not points or not points[0][0] <= second <= points[-1][0]:
        return None
    for (before_s, before), (after_s, after) in pairwise(points):
        if before_s <= second <= after_s:
            return before + (after - before) * (second - before_s) / ((after_s - before_s) or 1.0)
    return points[0][1]


def _number(value: float | None) -> str:
    return "–" if value is None else count(round(value))


def _moment(unix_s: float) -> str:
    return moment(datetime.fromtimestamp(unix_s, UTC))
