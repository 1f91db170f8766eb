"""The course of a store as a drawing of the page: coordinates in, no script needed; every text stands outside of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from necropsy.model.history import Course
from necropsy.report.figures import count, moment
from necropsy.report.wording.course import sentence

WIDTH: Final = 720
HEIGHT: Final = 180
_ROOM: Final = 1.06
"""Of the height above the highest point."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment as a line from top to bottom."""

    x: float
    kind: str
    """event, now or horizon."""
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines of one store."""

    store: str
    unit: str
    text: str
    """The same in words."""
    lines: tuple[tuple[str, str, str], ...]
    """Kind (measured, predicted, ahead), name, and points as SVG writes them."""
    marks: tuple[Mark, ...]
    full_y: float | None
    """Height of the line at which memory is used up; None: it is unknown, or far above."""
    top: str
    """Value of the upper edge."""
    start: str
    end: str


def drawn(course: Course) -> Curve:
    """Lay a course into the frame."""
    lines = [
        ("measured", "measured", course.measured),
        ("predicted", f"predicted by {course.predicted_by}", course.predicted),
        ("ahead", "if nothing is changed", course.ahead),
    ]
    highest = max((value for _, _, points in lines for _, value in points), default=0.0)
    full = course.full if course.full is not None and 0 < course.full <= 1.5 * highest else None
    top = max(1.0, highest, full or 0.0) * _ROOM
    start_s, span_s = course.start_s, (course.end_s - course.start_s) or 1.0

    def x(second: float) -> float:
        return round((second - start_s) / span_s * WIDTH, 1)

    def y(value: float) -> float:
        return round(HEIGHT - value / top * HEIGHT, 1)

    marks = [Mark(x(second), "event", _moment(second), text) for second, text in course.marks]
    now_s = course.measured[-1][0]
    marks.append(Mark(x(now_s), "now", _moment(now_s), "now"))
    if course.horizon is not None and start_s <= course.horizon.timestamp() <= course.end_s:
        text = "sessions born before and not used since have expired"
        marks.append(Mark(x(course.horizon.timestamp()), "horizon", moment(course.horizon), text))
    return Curve(
        store=course.store,
        unit=course.unit,
        text=sentence(course),
        lines=tuple(
            (kind, name, " ".join(f"{x(second)},{y(value)}" for second, value in points))
            for kind, name, points in lines
            if points
        ),
        marks=tuple(sorted(marks, key=lambda mark: mark.x)),
        full_y=y(full) if full is not None else None,
        top=count(round(top)),
        start=_moment(start_s),
        end=_moment(course.end_s),
    )


def _moment(unix_s: float) -> str:
    return moment(datetime.fromtimestamp(unix_s, UTC))
