"""The notice that a look failed as a whole: it is in no case, and its end must reach every channel all the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from necropsy.guard.census.schedule import CensusSchedule
from necropsy.guard.census.worker import Asked, Taken, encode
from necropsy.guard.keeper import Keeper
from necropsy.guard.notify.ledger import Ledger
from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.notify.plan import ReceiverRules, due
from necropsy.guard.watch.notice import Notice
from necropsy.guard.watch.stores import FAILURE

pytestmark = pytest.mark.process

FAILS = (sys.executable, "-c", "raise SystemExit('No space left on device')")
WORKS = (sys.executable, "-c", f"print({encode(Taken([]))!r})")


class Looks:
    """Looks that fail or not, and what the keeper said after the last one."""

    def __init__(self, failing_since: datetime | None = None) -> None:
        self.told: Sequence[Notice] = ()
        self.keeper = Keeper(self._tell, failing_since)

    def _tell(self, notices: Sequence[Notice]) -> None:
        self.told = notices

    def look(self, command: Sequence[str]) -> None:
        CensusSchedule(command, Asked(), 600, self.keeper.after_look).take()


def test_a_clock_that_is_set_back_makes_no_census_young(monkeypatch: pytest.MonkeyPatch) -> None:
    census = CensusSchedule(WORKS, Asked(), 600)
    census.take()
    assert census.taken_at is not None
    now, began = census.taken_at + 60, time.monotonic()
    monkeypatch.setattr("necropsy.guard.census.schedule.time.time", lambda: now - 86_400)
    monkeypatch.setattr("necropsy.guard.census.schedule.time.monotonic", lambda: began + 60)
    (age,) = [one for one in census.families() if one.name == "necropsy_census_age_seconds"]
    assert age.samples[0].value >= 60


def test_the_end_of_a_failure_is_handed_on_until_a_channel_that_was_down_can_be_told() -> None:
    looks = Looks()
    looks.look(FAILS)
    (failure,) = looks.told
    assert (failure.key, failure.resolved_at) == (FAILURE, None)
    assert "No space left on device" in failure.title
    for _ in range(3):
        looks.look(WORKS)
        assert [(notice.key, notice.resolved_at is None) for notice in looks.told] == [(FAILURE, False)]
        assert looks.keeper.open() == []
    looks.look(FAILS)
    assert [(notice.key, notice.resolved_at) for notice in looks.told] == [(FAILURE, None)]


def test_a_failure_that_ended_while_the_guard_was_restarted_is_resolved_where_it_was_told(tmp_path: Path) -> None:
    looks = Looks()
    looks.look(FAILS)
    at = datetime.now(UTC)
    Ledger(tmp_path / "told").note("slack", [Message(looks.told[0], MessageState.OPEN)], at)
    again = Ledger(tmp_path / "told")
    looks = Looks(again.open_since(FAILURE))
    assert [notice.key for notice in looks.keeper.open()] == [FAILURE], "until a look says otherwise it goes on"
    looks.look(WORKS)
    (message,) = due(looks.told, again.of("slack"), ReceiverRules(), at + timedelta(seconds=1))
    assert message.state is MessageState.RESOLVED
    again.note("slack", [message], at)
    assert again.open_since(FAILURE) is None
