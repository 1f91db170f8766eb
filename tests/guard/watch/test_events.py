"""What a file of events holds, and what is said of lines that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from necropsy.guard.watch.events import read_events

GOOD = "2019-05-24T19:00:00Z=deploy v42\n"
EVENT = (datetime(2019, 5, 24, 19, 0, tzinfo=UTC), "deploy v42")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD, ""),
        (f"# deploys\n\n{GOOD}{GOOD}", ""),
        (f"{GOOD}yesterday=deploy v41\n", "line 2 is not TIME=TEXT"),
        (f"deploy v41\n{GOOD}2019-05-25\n=\n", "3 lines are, the first is line 1, not TIME=TEXT"),
        (f"\x00\xff\n{GOOD}", "line 1 is not TIME=TEXT"),
    ],
)
def test_lines_that_are_no_event_are_passed_over_and_said(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "deploys.log"
    file.write_text(text)
    events, warnings = read_events((), str(file))
    assert events == [EVENT]
    assert [said in warning for warning in warnings] == [True] * bool(said)


def test_a_file_that_is_not_there_yet_has_no_events(tmp_path: Path) -> None:
    assert read_events((), str(tmp_path / "deploys.log")) == ([], [])


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert read_events((GOOD,), str(tmp_path)) == (
        [EVENT],
        [f"{tmp_path}: cannot be read: Is a directory; its events are not known"],
    )
