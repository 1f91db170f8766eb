"""Delivery of notices: a thread for each channel, so that one that is down delays no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from necropsy.guard.exposition import Family, Sample
from necropsy.guard.notify.channels import Channel
from necropsy.guard.notify.ledger import Ledger, unwritten
from necropsy.guard.notify.message import Message, MessageState, together
from necropsy.guard.notify.plan import Told, due, latest
from necropsy.guard.notify.post import NotSent
from necropsy.guard.watch.notice import SEVERITIES, Notice

_AGAIN_S: Final = 60.0
"""Interval at which lasting problems are sent to Alertmanager, and quiet hours are checked."""
_MOST_AT_ONCE: Final = 5
"""More messages than these at one moment are one message, where people read them."""
_FIRST_RETRY_S: Final = 5.0
_LAST_RETRY_S: Final = 300.0
_REFUSED_AGAIN: Final = timedelta(seconds=_LAST_RETRY_S)
"""Time after which what was refused is sent again: a receiver, or a proxy before it, can be wrong for a while."""


@dataclass(slots=True)
class _Count:
    sent: int = 0
    failed: int = 0
    error: str = ""


class Teller:
    """Holds the notices and tells the channels.

    Parameters
    ----------
    channels
        Each gets a thread.
    ledger
        What was told before.
    log
        Is told what could not be sent, once until it succeeds again.
    """

    def __init__(self, channels: Sequence[Channel], ledger: Ledger, log: Callable[[str], None]) -> None:
        self.channels = tuple(channels)
        self._ledger = ledger
        self._log = log
        self._notices: tuple[Notice, ...] = ()
        self._changed = {channel.name: threading.Event() for channel in channels}
        self._counts = {channel.name: _Count() for channel in channels}
        self._refused: dict[tuple[str, str, MessageState], datetime] = {}
        """When to send again what a channel refused. Until then it holds back no other message."""
        self._unwritten = ""
        """Why the ledger could not be written, as it was logged."""
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(channel,), name=channel.kind, daemon=True) for channel in channels
        ]

    def start(self) -> None:
        """Begin to tell."""
        for thread in self._threads:
            thread.start()

    def update(self, notices: Sequence[Notice]) -> None:
        """Take the notices as they are now: open ones, and those that were resolved lately."""
        self._notices = tuple(latest(notices))
        keys = {notice.key for notice in self._notices}
        self._refused = {refused: at for refused, at in self._refused.items() if refused[1] in keys}
        for changed in self._changed.values():
            changed.set()

    def stop(self, within_s: float = 10.0) -> None:
        """Tell what is due, once more, and end."""
        self._stop.set()
        for changed in self._changed.values():
            changed.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(within_s / max(1, len(self._threads)))

    def families(self) -> list[Family]:
        """Return metrics: messages sent, and failures."""
        sent = Family("necropsy_notifications_total", "counter", "Messages that a channel accepted.")
        failed = Family("necropsy_notifications_failed_total", "counter", "Messages that a channel did not accept.")
        for channel in self.channels:
            count = self._counts[channel.name]
            sent.samples.append(Sample((("channel", channel.name),), float(count.sent)))
            failed.samples.append(Sample((("channel", channel.name),), float(count.failed)))
        return [sent, failed]

    def health(self) -> dict[str, str | None]:
        """Return by name of the channel why its last message failed: empty when it did not, None when there was none yet."""
        return {name: count.error or ("" if count.sent else None) for name, count in self._counts.items()}

    def tell(self, channel: Channel, now: datetime) -> bool:
        """Tell one channel what is due, and return whether nothing is left that it refused.

        Raises
        ------
        NotSent
            It is down, or refused a message; what was taken stays told.
        OSError
            The ledger cannot be written; all was sent, and is known until the guard ends.
        """
        with self._ledger.turn(channel.name):
            everything = self._due(channel, now)
            messages = [message for message in everything if self._refused.get(_id(channel, message), now) <= now]
            groups = [messages] if channel.is_repeated and messages else [[message] for message in messages]
            if channel.is_read_by_people and len(messages) > _MOST_AT_ONCE:
                groups = [messages]
            self._send(channel, groups, now)
        return len(messages) == len(everything)

    def _send(self, channel: Channel, groups: list[list[Message]], now: datetime) -> None:
        """Send groups of messages; what is refused, or cannot be recorded, is raised once all others were sent."""
        refused: NotSent | None = None
        unrecorded: OSError | None = None
        while groups:
            group = groups.pop(0)
            try:
                channel.send(group if len(group) == 1 or channel.is_repeated else [together(group, now)])
            except NotSent as error:
                if not error.again and channel.is_repeated and len(group) > 1:
                    groups = [[message] for message in group]  # one of them may be wrong: the others are not
                    continue
                self._counts[channel.name].failed += len(group)
                if error.again:
                    raise
                refused = refused or error
                self._refused |= {_id(channel, message): now + _REFUSED_AGAIN for message in group}
                continue
            self._counts[channel.name].sent += len(group)
            for message in group:
                self._refused.pop(_id(channel, message), None)
            try:
                self._ledger.note(channel.name, group, now)
            except OSError as error:
                unrecorded = error
        if (failed := refused or unrecorded) is not None:
            raise failed

    def _due(self, channel: Channel, now: datetime) -> list[Message]:
        told = self._ledger.of(channel.name)
        messages = due(self._notices, told, channel.rules, now)
        if channel.is_repeated:  # all that goes on, whether it was told before or not
            mine = {message.notice.key for message in messages}
            least = SEVERITIES.index(channel.rules.least)
            messages += [
                Message(notice, MessageState.OPEN)
                for notice in self._notices
                if notice.key not in mine and notice.resolved_at is None and notice.rank >= least
            ]
            messages = [*_relabelled(messages, told, now), *messages]
        return messages

    def _run(self, channel: Channel) -> None:
        changed, wait_s = self._changed[channel.name], _AGAIN_S
        while True:
            changed.wait(wait_s)
            changed.clear()
            stopping = self._stop.is_set()
            wait_s = self._told_or_retried(channel, wait_s)
            if stopping:
                return

    def _told_or_retried(self, channel: Channel, waited_s: float) -> float:
        """Tell a channel what is due, and return the seconds until the next attempt."""
        count = self._counts[channel.name]
        try:
            is_all_told = self.tell(channel, datetime.now(UTC))
        except NotSent as error:
            if str(error) != count.error:
                self._log(f"{channel.name}: a message was not accepted: {error}")
            last, count.error = count.error, str(error)
            if not error.again:
                return _AGAIN_S  # for the other messages
            return error.after_s or (min(_LAST_RETRY_S, waited_s * 2) if last else _FIRST_RETRY_S)
        except OSError as error:
            if str(error) != self._unwritten:
                self._log(unwritten(error))
            self._unwritten, count.error = str(error), ""
        except Exception as error:  # noqa: BLE001 -- a fault in one channel's library must not silence it for good
            count.failed, count.error = count.failed + 1, type(error).__name__
            self._log(f"{channel.name}: failed: {type(error).__name__}")
            return _LAST_RETRY_S
        else:
            self._unwritten = ""
            if is_all_told:
                count.error = ""
        return _AGAIN_S


def _id(channel: Channel, message: Message) -> tuple[str, str, MessageState]:
    return channel.name, message.notice.key, message.state


def _relabelled(messages: Sequence[Message], told: Mapping[str, Told], now: datetime) -> Iterator[Message]:
    """Yield the ends of alerts whose slug or severity was another when they were told.

    These are labels, by which Alertmanager knows an alert: it would keep the old one open beside the new.
    """
    for message in messages:
        notice, last = message.notice, told.get(message.notice.key)
        if (
            last is None
            or last.resolved
            or not last.slug
            or (last.slug, last.severity) == (notice.slug, notice.severity)
        ):
            continue
        yield Message(replace(notice, slug=last.slug, severity=last.severity, resolved_at=now), MessageState.RESOLVED)
