"""Who is told what when: once, again after the repeat interval, not in quiet hours, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from necropsy.guard.notify.ledger import Ledger
from necropsy.guard.notify.message import Message, MessageState, sample
from necropsy.guard.notify.plan import ReceiverRules, Told, due, parse_quiet
from necropsy.guard.watch.notice import Notice
from necropsy.model.errors import UsageError

NOON = datetime(2019, 5, 24, 12, 0, tzinfo=UTC)
NIGHT = datetime(2019, 5, 24, 23, 0, tzinfo=UTC)
NOTICE = sample(NOON)
WARNING = replace(NOTICE, severity="warning")
OVER = replace(NOTICE, resolved_at=NOON + timedelta(hours=1))
EVER = ReceiverRules()
QUIET = ReceiverRules(quiet=parse_quiet("22:00-07:00"))


def states(notice: Notice, told: Told | None, rules: ReceiverRules = EVER, now: datetime = NOON) -> list[MessageState]:
    return [message.state for message in due([notice], {notice.key: told} if told else {}, rules, now)]


def test_a_notice_is_told_once_and_again_when_the_repeat_interval_is_over() -> None:
    assert states(NOTICE, None) == [MessageState.OPEN]
    told = Told(NOON, resolved=False)
    assert states(NOTICE, told, now=NOON + timedelta(hours=3)) == []
    assert states(NOTICE, told, now=NOON + timedelta(hours=4)) == [MessageState.REMINDER]
    assert states(NOTICE, told, ReceiverRules(repeat_s=None), NOON + timedelta(days=9)) == []


def test_who_it_is_is_told_again_when_it_is_known_better_and_once() -> None:
    better = replace(NOTICE, revision=1)
    assert states(better, Told(NOON, resolved=False)) == [MessageState.UPDATE]
    assert states(better, Told(NOON, resolved=False, revision=1)) == []
    assert states(better, None) == [MessageState.OPEN]


def test_the_end_is_told_once_to_who_was_told_of_the_beginning() -> None:
    assert states(OVER, Told(NOON, resolved=False)) == [MessageState.RESOLVED]
    assert states(OVER, Told(NOON, resolved=True)) == []
    assert states(OVER, None) == []


def test_what_comes_back_is_told_anew_and_its_former_end_is_not() -> None:
    again = replace(NOTICE, opened_at=NOON + timedelta(hours=2))
    messages = due([OVER, again], {NOTICE.key: Told(NOON, resolved=True)}, ReceiverRules(), NOON)
    assert [(message.state, message.notice.opened_at) for message in messages] == [(MessageState.OPEN, again.opened_at)]
    assert due([OVER, again], {NOTICE.key: Told(NOON, resolved=False)}, ReceiverRules(), NOON) == []


def test_a_clock_that_was_set_back_hides_no_notice_and_no_reminder() -> None:
    before = replace(NOTICE, opened_at=NOON - timedelta(days=3))
    (message,) = due([OVER, before], {NOTICE.key: Told(NOON, resolved=True)}, EVER, NOON - timedelta(days=3))
    assert (message.notice, message.state) == (before, MessageState.OPEN)
    told = Told(NOON, resolved=False)
    assert states(NOTICE, told, now=NOON - timedelta(days=3)) == [MessageState.REMINDER]
    assert states(NOTICE, told, now=NOON - timedelta(hours=1)) == []


def test_quiet_hours_hold_back_what_can_wait_until_they_are_over() -> None:
    assert states(WARNING, None, QUIET, NIGHT) == []
    assert states(WARNING, None, QUIET, NIGHT + timedelta(hours=9)) == [MessageState.OPEN]
    assert states(NOTICE, None, QUIET, NIGHT) == [MessageState.OPEN], "critical"
    assert states(NOTICE, None, replace(QUIET, wakes="never"), NIGHT) == []


def test_a_severity_below_the_least_is_not_told() -> None:
    assert states(WARNING, None, ReceiverRules(least="critical")) == []
    assert states(NOTICE, None, ReceiverRules(least="critical")) == [MessageState.OPEN]


def test_quiet_hours_are_those_of_a_zone() -> None:
    berlin = parse_quiet("22:00-07:00 Europe/Berlin")
    assert berlin.holds(datetime(2019, 5, 24, 20, 30, tzinfo=UTC))
    assert not berlin.holds(datetime(2019, 5, 24, 5, 30, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "22-7", "25:00-07:00", "22:00-07:00 Mars/Phobos", "22:00-07:00 ../../etc/passwd"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_quiet(text)


def test_a_ledger_is_the_same_after_a_restart_and_a_damaged_one_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "told"
    one, other = replace(NOTICE, key="a", revision=1), replace(NOTICE, key="b")
    Ledger(path).note("slack", [Message(one, MessageState.OPEN), Message(other, MessageState.OPEN)], NOON)
    Ledger(path).note("slack", [Message(other, MessageState.RESOLVED)], NIGHT)
    assert Ledger(path).of("slack") == {
        "a": Told(NOON, False, 1, one.slug, one.severity),
        "b": Told(NIGHT, True, 0, other.slug, other.severity),
    }
    assert Ledger(path).of("webhook") == {}
    path.write_text('{"slack": [1, 2]}')
    assert Ledger(path).of("slack") == {}
    assert [name.name for name in tmp_path.iterdir()] == ["told"]
