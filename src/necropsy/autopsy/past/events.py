"""Events that nobody measures: those that the user names, and the commits of configuration files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from necropsy.history.events import Event
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.autopsy.sources import Sources


def given(sources: Sources, now: datetime) -> Iterator[Event]:
    """Yield the events that the user named, ``TIME=TEXT``.

    Raises
    ------
    UsageError
        Not of that form, or in the future.
    """
    from necropsy.autopsy.sources import parse_event

    for given in sources.event:
        at, text = parse_event(given)
        if at > max(now, datetime.now(UTC)):
            raise UsageError(
                f"event {text!r} is in the future: {at:%Y-%m-%d %H:%M} UTC",
                hint="Times without a zone are UTC; write +02:00 behind them otherwise.",
            )
        yield Event(at.timestamp(), "given", text, "--event")


def commits(sources: Sources, now: datetime) -> Iterator[Event]:
    """Yield the commits that changed the configuration files that were given."""
    from necropsy.evidence.configuration.commits import commits_of

    files = [*sources.prometheus, *sources.blackbox, *sources.consul, *sources.nginx]
    files += [name.partition("=")[2] for name in sources.prober]
    for event in commits_of(files):
        if event.at_s <= now.timestamp():
            yield event
