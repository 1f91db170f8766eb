"""Messages: a notice in one of its states, as texts for every receiver. No notice holds a secret, so no message does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from necropsy.guard.watch.notice import SEVERITIES, Member, Notice, lines
from necropsy.report.figures import moment


class MessageState(StrEnum):
    """The reason for a message."""

    OPEN = "open"
    """It began."""
    REMINDER = "reminder"
    """It goes on, and the repeat interval is over."""
    UPDATE = "update"
    """It goes on, and its creator is known better than in the last message."""
    RESOLVED = "resolved"
    """It is over."""
    TEST = "test"
    """Somebody tests the channel."""


_BEFORE: Final = {
    MessageState.OPEN: "",
    MessageState.REMINDER: "Goes on: ",
    MessageState.UPDATE: "Now known: ",
    MessageState.RESOLVED: "Resolved: ",
}
_UNWATCHED: Final = "No longer watched: "
_TEST: Final = "Test by necropsy: nothing has happened"


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in one of its states."""

    notice: Notice
    state: MessageState

    @property
    def title(self) -> str:
        """One line."""
        if self.state is MessageState.TEST:
            return _TEST
        is_unknown = self.state is MessageState.RESOLVED and self.notice.unwatched
        return f"{_UNWATCHED if is_unknown else _BEFORE[self.state]}{self.notice.title}"

    @property
    def body(self) -> list[str]:
        """Lines below the title; of what is over only when it was."""
        if self.state is MessageState.RESOLVED and self.notice.resolved_at is not None:
            began = self.notice.since or self.notice.opened_at
            return [f"{moment(began)} to {moment(self.notice.resolved_at)}"]
        return [*([self.example] if self.state is MessageState.TEST else []), *lines(self.notice)]

    @property
    def example(self) -> str:
        """Of a test: the line that marks what follows as an example."""
        return f"example of an alert: {self.notice.title}"

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([self.title, *self.body])


_TITLES: Final = 20


def together(messages: Sequence[Message], now: datetime) -> Message:
    """Return one message in place of many, for people: how many, the worst first, and where all of it stands.

    >>> from dataclasses import replace
    >>> one = sample(datetime(2019, 5, 24, 19, tzinfo=UTC))
    >>> opened, resolved = Message(one, MessageState.OPEN), Message(one, MessageState.RESOLVED)
    >>> many = [Message(replace(one, severity="warning"), MessageState.OPEN), resolved, opened]
    >>> print(together(many, one.opened_at).title)
    3 notices at once: 1 critical, 1 warning, 1 resolved
    """
    resolved = [message for message in messages if message.state is MessageState.RESOLVED]
    going = sorted((m for m in messages if m.state is not MessageState.RESOLVED), key=lambda m: -m.notice.rank)
    counts = [(word, sum(m.notice.severity == word for m in going)) for word in reversed(SEVERITIES)]
    counts.append(("resolved", len(resolved)))
    titles = [message.title for message in (*going, *resolved)]
    more = len(titles) - _TITLES
    worst = (going or resolved)[0].notice
    notice = Notice(
        key="several",
        kind="several",
        slug=worst.slug,
        store=None,
        severity=worst.severity,
        title=f"{len(messages)} notices at once: {', '.join(f'{number} {word}' for word, number in counts if number)}",
        opened_at=now,
        figures=(*titles[:_TITLES], *((f"and {more} more",) if more > 0 else ())),
        command=worst.command,
    )
    return Message(notice, MessageState.OPEN)


def sample(now: datetime | None = None) -> Notice:
    """Return the notice that the incident would have caused: what a test of a channel shows and sends."""
    at = (now or datetime.now(UTC)).replace(microsecond=0)
    hosts = ("172.12.1.189:80", "172.12.1.189:8080", "172.12.1.190:80", "172.12.1.190:8080")
    asked = "probed by prometheus/blackbox_exporter_http, every 10 s"
    members = tuple(
        Member(host, asked if host.endswith(":80") else f"{asked}, not in any access log", f"http://{host}/",
               "prometheus/blackbox_exporter_http", 10.0, 4.1, 8_640.0)
        for host in hosts
    )  # fmt: skip
    return Notice(
        key="test",
        kind="creator",
        slug="probes/creates-sessions",
        store="A",
        severity="critical",
        title="4 new creators start 34,560 sessions a day in store A",
        opened_at=at,
        since=at - timedelta(hours=1),
        members=members,
        figures=(
            "34,560 sessions a day",
            "93 % of 1,548 sessions (1.1 MB)",
            "their sessions alone level off at 34,560, 24 MB, as each lives for 1 day",
        ),
        line="prometheus.yml:17  copies __address__ into __param_target: an address has no path",
        command="necropsy treat guard.case --patch",
    )
