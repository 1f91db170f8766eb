"""A notice: something that changed and that somebody should know, from the look that first saw it to its end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from necropsy.report.figures import moment

_ASKED = re.compile(r" (?:GET|HEAD|POST) (\S+)$")
SEVERITIES = ("info", "warning", "critical")
"""Least severe first."""


@dataclass(frozen=True, slots=True)
class Member:
    """The subject of a notice: one creator of sessions, or one instance that is gone."""

    name: str
    """In a few words, nothing secret."""
    about: str = ""
    """Its prober or client, its interval, and whether a log shows it."""
    url: str = ""
    """Its request, where a configured probe explains it."""
    prober: str = ""
    period_s: float | None = None
    phase_s: float | None = None
    per_day: float = 0.0
    """Sessions that it starts a day."""

    @property
    def asks(self) -> str:
        """Host, port and path that it asks for; empty where that is unknown.

        >>> Member("curl/7.64 GET 10.0.0.1:80/").asks, Member("10.0.0.1:80", url="http://10.0.0.1/").asks, Member("births").asks
        ('10.0.0.1/', '10.0.0.1/', '')
        """
        named = _ASKED.search(self.name)
        asked = self.url.partition("://")[2] if self.url else named[1] if named else ""
        host, slash, path = asked.partition("/")
        return f"{host.removesuffix(':80').removesuffix(':443')}{slash}{path}"

    def is_same(self, other: Member) -> bool:
        """Whether two looks saw the same one: the same probe, the same client, or one rhythm at the same phase."""
        if self.url and other.url:
            return (self.prober, self.url) == (other.prober, other.url)
        if self.period_s and other.period_s and self.phase_s is not None and other.phase_s is not None:
            if abs(self.period_s - other.period_s) > 0.01 * self.period_s:
                return False
            apart = abs(self.phase_s - other.phase_s) % self.period_s
            return min(apart, self.period_s - apart) <= max(0.1, 0.02 * self.period_s)
        return self.name == other.name


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. Its texts hold no session id, no password and no user's name."""

    key: str
    """The same as long as it is the same matter."""
    kind: str
    """``creator``, ``share``, ``half-fixed``, ``plateau``, ``emptied``, ``event``, ``full``,
    ``zombie``, ``unread`` or ``misread``; of a message in place of many: ``several``."""
    slug: str
    store: str | None
    severity: str
    """``info``, ``warning`` or ``critical``."""
    title: str
    """One sentence with its figure, without a full stop."""
    opened_at: datetime
    """The look that first saw it, UTC."""
    since: datetime | None = None
    """When it began, UTC; None when unknown."""
    members: tuple[Member, ...] = ()
    figures: tuple[str, ...] = ()
    line: str = ""
    """The line of configuration to change: ``prometheus.yml:17 …``; empty when none is known."""
    hint: str = ""
    """The next step, where it is no command and no line; empty when none is known."""
    command: str = ""
    """The next command."""
    readers: tuple[str, ...] = ()
    """Sources that a look must have read to call it resolved."""
    missed: int = 0
    """Looks in a row that did not see it, and did not see it end either."""
    revision: int = 0
    """Number of later examinations that corrected its creator, since it was opened."""
    resolved_at: datetime | None = None
    """The look that no longer saw it, UTC; None: it goes on."""
    unwatched: bool = False
    """Whether it ended because its store is not in the incident file any more: nobody saw that it is over."""

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return SEVERITIES.index(self.severity)


_MOST_NAMED = 8


def who(notice: Notice) -> list[str]:
    """Return whom a notice is about, those together of whom the same is known.

    >>> about = ["every 10 s", "every 10 s", "every 10 s, not in any access log"]
    >>> probes = [Member(f"10.0.0.{number + 1}:80", text) for number, text in enumerate(about)]
    >>> who(Notice("k", "creator", "s", "A", "info", "t", datetime(2019, 5, 24), members=tuple(probes)))
    ['10.0.0.1:80, 10.0.0.2:80: every 10 s', '10.0.0.3:80: every 10 s, not in any access log']
    """
    alike: dict[str, list[str]] = {}
    for member in notice.members[:_MOST_NAMED]:
        alike.setdefault(member.about, []).append(member.name)
    said = [f"{', '.join(names)}: {about}" if about else ", ".join(names) for about, names in alike.items()]
    more = len(notice.members) - _MOST_NAMED
    return [*said, f"and {more} more"] if more > 0 else said


def lines(notice: Notice) -> list[str]:
    r"""Return the message below its title: who, since when, figures, the line to change, the command to run.

    >>> at = datetime(2019, 5, 24, 19, 0)
    >>> print(*lines(Notice("k", "full", "memory/near-limit", "A", "critical", "Store A is full in 3 hours", at,
    ...     since=at, figures=("900 MB of 1.0 GB",), command="necropsy explain memory/near-limit")), sep="\n")
    since    2019-05-24 19:00 UTC
    figures  900 MB of 1.0 GB
    run      necropsy explain memory/near-limit
    """
    said = [("who", text) for text in who(notice)]
    if notice.since is not None:
        said.append(("since", moment(notice.since)))
    said += [("figures", figure) for figure in notice.figures]
    last_ones = (("change", notice.line), ("hint", notice.hint), ("run", notice.command))
    said += [(word, text) for word, text in last_ones if text]
    shown, last = [], ""
    for word, text in said:
        shown.append(f"{'' if word == last else word:<8} {text}")
        last = word or last
    return shown
