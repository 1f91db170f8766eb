"""The plan of messages, pure: none is sent twice, quiet hours delay what can wait, and lasting problems are repeated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from necropsy.guard.notify.message import Message, MessageState
from necropsy.guard.watch.notice import SEVERITIES, Notice
from necropsy.model.errors import UsageError

_QUIET: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only what is severe enough is told."""

    begins: time
    ends: time
    zone: str = "UTC"

    def holds(self, now: datetime) -> bool:
        """Whether they are now.

        >>> from datetime import UTC
        >>> night = Quiet(time(22), time(7))
        >>> [night.holds(datetime(2019, 5, 24, hour, tzinfo=UTC)) for hour in (21, 22, 3, 7)]
        [False, True, True, False]
        """
        here = now.astimezone(ZoneInfo(self.zone)).time()
        if self.begins <= self.ends:
            return self.begins <= here < self.ends
        return here >= self.begins or here < self.ends


def parse_quiet(text: str) -> Quiet:
    """Read quiet hours; without a zone they are UTC.

    >>> parse_quiet("22:00-07:00 Europe/Berlin")
    Quiet(begins=datetime.time(22, 0), ends=datetime.time(7, 0), zone='Europe/Berlin')

    Raises
    ------
    UsageError
        Not hours, or no zone that this machine knows.
    """
    match = _QUIET.fullmatch(text.strip())
    hint = "Write them like 22:00-07:00, or 22:00-07:00 Europe/Berlin."
    if match is None:
        raise UsageError(f"not a time span: {text!r}", hint=hint)
    try:
        zone = match[5] or "UTC"
        ZoneInfo(zone)
        return Quiet(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])), zone)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise UsageError(f"not a time span: {text!r}", hint=hint) from error


@dataclass(frozen=True, slots=True)
class ReceiverRules:
    """The rules of one receiver: which notices it gets, and when."""

    least: str = "info"
    """Least severity that it is told at all."""
    quiet: Quiet | None = None
    wakes: str = "critical"
    """Least severity that is told in quiet hours, too; ``never``: none."""
    repeat_s: float | None = 4 * 3_600.0
    """Seconds after which what goes on is said again; None: it is not."""


@dataclass(frozen=True, slots=True)
class Told:
    """The last message about a notice to one receiver."""

    at: datetime
    resolved: bool
    revision: int = 0
    """Of the notice, as it was told."""
    slug: str = ""
    severity: str = ""


def latest(notices: Iterable[Notice]) -> list[Notice]:
    """Return of each key the notice that is open, else the one that opened last: what came back is not over because it was once.

    The clock may have been set back meanwhile: what is open can have opened before what is over.
    """
    found: dict[str, Notice] = {}
    for notice in notices:
        other = found.get(notice.key)
        if other is None or _recent(notice) > _recent(other):
            found[notice.key] = notice
    return sorted(found.values(), key=lambda notice: (notice.opened_at, notice.key))


def _recent(notice: Notice) -> tuple[bool, datetime]:
    return notice.resolved_at is None, notice.opened_at


def due(notices: Iterable[Notice], told: Mapping[str, Told], rules: ReceiverRules, now: datetime) -> list[Message]:
    """Return what a channel is to be told now, oldest first.

    What was never told as open is not told as resolved: it came and went unseen, and the history has it.
    """
    quiet = rules.quiet is not None and rules.quiet.holds(now)
    messages = []
    for notice in latest(notices):
        state = _state(notice, told.get(notice.key), rules, now)
        if state is None or notice.rank < SEVERITIES.index(rules.least):
            continue
        if quiet and (rules.wakes == "never" or notice.rank < SEVERITIES.index(rules.wakes)):
            continue
        messages.append(Message(notice, state))
    return messages


def _state(notice: Notice, last: Told | None, rules: ReceiverRules, now: datetime) -> MessageState | None:
    """In which state a notice is to be told; None: there is nothing to say."""
    if notice.resolved_at is not None:
        return MessageState.RESOLVED if last is not None and not last.resolved else None
    if last is None or last.resolved:
        return MessageState.OPEN
    if last.revision < notice.revision:
        return MessageState.UPDATE
    # A clock that was set back would be silent until it is where it was.
    over = rules.repeat_s is not None and abs((now - last.at).total_seconds()) >= rules.repeat_s
    return MessageState.REMINDER if over else None
