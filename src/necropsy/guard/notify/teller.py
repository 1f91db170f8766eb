"""Delivery of notices: a thread for each way, so that one that is down delays no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from necropsy.guard.exposition import Family, Sample
from necropsy.guard.notify.ledger import Ledger
from necropsy.guard.notify.message import Message, MessageState, together
from necropsy.guard.notify.plan import Told, due, latest
from necropsy.guard.notify.post import NotSent
from necropsy.guard.notify.ways import Way
from necropsy.guard.watch.notice import SEVERITIES, Notice

_AGAIN_S: Final = 60.0
"""Interval at which lasting problems are sent to Alertmanager, and quiet hours are checked."""
_MOST_AT_ONCE: Final = 5
"""More messages than these at one moment are one message, where people read them."""
_FIRST_RETRY_S: Final = 5.0
_LAST_RETRY_S: Final = 300.0


@dataclass(slots=True)
class _Count:
    sent: int = 0
    failed: int = 0
    error: str = ""


class Teller:
    """Holds the notices and tells the ways.

    Parameters
    ----------
    ways
        Each gets a thread.
    ledger
        What was told before.
    log
        Is told what could not be sent, once until it succeeds again.
    """

    def __init__(self, ways: Sequence[Way], ledger: Ledger, log: Callable[[str], None]) -> None:
        self.ways = tuple(ways)
        self._ledger = ledger
        self._log = log
        self._notices: tuple[Notice, ...] = ()
        self._changed = {way.name: threading.Event() for way in ways}
        self._counts = {way.name: _Count() for way in ways}
        self._refused: set[tuple[str, str, MessageState]] = set()
        """Messages that a way refused for good."""
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(way,), name=way.kind, daemon=True) for way in ways]

    def start(self) -> None:
        """Begin to tell."""
        for thread in self._threads:
            thread.start()

    def update(self, notices: Sequence[Notice]) -> None:
        """Take the notices as they are now: open ones, and those that were resolved lately."""
        self._notices = tuple(latest(notices))
        keys = {notice.key for notice in self._notices}
        self._refused = {refused for refused in self._refused if refused[1] in keys}
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
        for way in self.ways:
            count = self._counts[way.name]
            sent.samples.append(Sample((("way", way.name),), float(count.sent)))
            failed.samples.append(Sample((("way", way.name),), float(count.failed)))
        return [sent, failed]

    def health(self) -> dict[str, str | None]:
        """Return by name of the channel why its last message failed: empty when it did not, None when there was none yet."""
        return {name: count.error or ("" if count.sent else None) for name, count in self._counts.items()}

    def tell(self, way: Way, now: datetime) -> None:
        """Tell one way what is due.

        Raises
        ------
        NotSent
            It was not taken; what was taken before stays told.
        """
        messages = self._due(way, now)
        groups = [messages] if way.is_repeated and messages else [[message] for message in messages]
        if way.is_read_by_people and len(messages) > _MOST_AT_ONCE:
            groups = [messages]
        for group in groups:
            try:
                way.send(group if len(group) == 1 or way.is_repeated else [together(group, now)])
            except NotSent as error:
                self._counts[way.name].failed += len(group)
                if not error.again:
                    self._refused |= {(way.name, message.notice.key, message.state) for message in group}
                raise
            self._counts[way.name].sent += len(group)
            self._ledger.note(way.name, group, now)

    def _due(self, way: Way, now: datetime) -> list[Message]:
        told = self._ledger.of(way.name)
        messages = due(self._notices, told, way.rules, now)
        if way.is_repeated:  # all that goes on, whether it was told before or not
            mine = {message.notice.key for message in messages}
            least = SEVERITIES.index(way.rules.least)
            messages += [
                Message(notice, MessageState.OPEN)
                for notice in self._notices
                if notice.key not in mine and notice.resolved_at is None and notice.rank >= least
            ]
            messages = [*_relabelled(messages, told, now), *messages]
        return [message for message in messages if (way.name, message.notice.key, message.state) not in self._refused]

    def _run(self, way: Way) -> None:
        changed, count, wait_s = self._changed[way.name], self._counts[way.name], _AGAIN_S
        while True:
            changed.wait(wait_s)
            changed.clear()
            stopping = self._stop.is_set()
            try:
                self.tell(way, datetime.now(UTC))
            except NotSent as error:
                if str(error) != count.error:
                    self._log(f"{way.name}: a message was not accepted: {error}")
                last, count.error = count.error, str(error)
                wait_s = error.after_s or (min(_LAST_RETRY_S, wait_s * 2) if last else _FIRST_RETRY_S)
            except OSError as error:
                self._log(f"{way.name}: the record of sent messages cannot be written: {error}")
                wait_s = _AGAIN_S
            except Exception as error:  # noqa: BLE001 -- a fault in one way's library must not silence it for good
                count.failed, count.error = count.failed + 1, type(error).__name__
                self._log(f"{way.name}: failed: {type(error).__name__}")
                wait_s = _LAST_RETRY_S
            else:
                count.error, wait_s = "", _AGAIN_S
            if stopping:
                return


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
