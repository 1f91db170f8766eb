"""``necropsy watch``: examines again and again, and says what changed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.cli import output
from necropsy.cli.durations import SHORTEST_CENSUS_S, seconds
from necropsy.model.errors import NoEvidence

if TYPE_CHECKING:
    from necropsy.guard.census.worker import Asked
    from necropsy.guard.configuration import GuardConfig
    from necropsy.guard.notify.ledger import Ledger
    from necropsy.guard.notify.message import Message
    from necropsy.guard.watch.notice import Notice


def watch(
    incident: Annotated[
        Path,
        typer.Argument(
            metavar="INCIDENT.TOML", help="The TOML file that lists the sources, as for `necropsy examine`."
        ),
    ],
    every: Annotated[
        str | None, typer.Option("--every", metavar="TIME", help="How often to examine. Default: 10m.")
    ] = None,
    case: Annotated[
        Path | None,
        typer.Option(
            "--case",
            metavar="FILE",
            help="File for the last examination and the history. Default: INCIDENT.watch.case.",
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="TIME=TEXT", help="An event, such as a deploy. Repeatable."),
    ] = None,
    event_file: Annotated[
        Path | None,
        typer.Option(
            "--event-file",
            metavar="FILE",
            help="File of events, one TIME=TEXT on each line; other programs may append to it. Read at each examination.",
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Examine once and exit, for cron or a systemd timer.")] = False,
) -> None:
    """Examine at an interval, and report what changed since the last examination.

    It reports each of these once when it begins and once when it is over: a new creator of sessions, a cause above its
    limit, a partial fix, a number of sessions that levels off at another value than predicted, more births after a deploy, a
    store that will be full within a day, an instance that is gone, and a store that cannot be read. Notices go to
    standard output and to each channel under [[guard.tell]] in the file: Alertmanager, Slack, a webhook, apprise.

    \b
    Examples:
      necropsy watch incident.toml --every 10m
      necropsy watch incident.toml --once --event "$(date -Is)=deploy v42"
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import parse_event
    from necropsy.cli.census import COMMAND
    from necropsy.guard.allocator import stay_small
    from necropsy.guard.census.schedule import CensusSchedule
    from necropsy.guard.configuration import read_guard, require_stores
    from necropsy.guard.keeper import Keeper
    from necropsy.guard.notify.ledger import Ledger
    from necropsy.guard.notify.teller import Teller
    from necropsy.guard.watch.kept import held, require_own
    from necropsy.guard.watch.stores import FAILURE

    config = read_guard(str(incident))
    require_stores(str(incident))
    for text in event or ():
        parse_event(text)
    config = replace(
        config,
        every_s=seconds("--every", every, least=SHORTEST_CENSUS_S) if every else config.every_s,
        case=str(case) if case else config.case,
        events=(*config.events, *(event or ())),
        event_file=str(event_file) if event_file else config.event_file,
    )
    require_own(Path(config.case))
    ledger = Ledger(Path(f"{config.case}.told"))
    teller = Teller(config.channels, ledger, lambda text: typer.echo(f"warning: {text}", err=True))
    printer = Printer(ledger)

    def tell(notices: Sequence[Notice]) -> None:
        if census.taken is not None:
            for warning in census.taken.warnings:
                typer.echo(f"warning: {warning}", err=True)
        printer.say(notices)
        teller.update(notices)

    keeper = Keeper(tell, ledger.open_since(FAILURE))
    census = CensusSchedule(COMMAND, asked(str(incident), config), config.every_s, keeper.after_look)
    output.report_uncompiled()
    stay_small()
    with held(Path(config.case)):
        teller.start()
        try:
            if once:
                census.take()
                if not census.error and not keeper.open() and sys.stderr.isatty():
                    typer.echo(nothing_to_report(Path(config.case)), err=True)
            else:
                typer.echo(f"Examining every {config.every_s:g} s, keeping {config.case}", err=True)
                census.start()
                for_ever = threading.Event()
                # A signal that another thread was given is noticed when this one is awake.
                while not for_ever.wait(1.0):
                    pass
        finally:
            census.stop()
            teller.stop()
    if census.error:
        raise NoEvidence(census.error, hint="Run `necropsy examine` on the same file for the full report.")
    failed = [f"{name}: {why}" for name, why in teller.health().items() if why]
    if failed:
        raise typer.Exit(1)


def nothing_to_report(case: Path) -> str:
    """Say what was examined without a notice, for who looks at a terminal: cron is told nothing."""
    from necropsy.case.store import Case
    from necropsy.model.figures import several

    with Case.open(case) as opened:
        (count,) = opened.rows("SELECT count(*) AS n FROM session")[0].values()
        keys = opened.rows("SELECT coalesce(sum(keys), 0)::BIGINT AS n FROM key_family")[0]["n"]
    what = several(count, "session") if count else f"no session of a known layout among {several(keys, 'key')}"
    return f"Nothing to report: {what}. Examination kept in {case}"


def asked(incident: str, config: GuardConfig, *, page: bool = False) -> Asked:
    """Return what each look is to do."""
    from necropsy.guard.census.worker import Asked, Watched
    from necropsy.wire.files import read_text

    watched = Watched(config.case, config.keep_s, config.limits, config.events, config.event_file, page)
    return Asked(incident=incident, incident_text=read_text(incident), watch=watched)


class Printer:
    """Prints to standard output what was not printed before, by any run on the same case."""

    NAME = "standard output"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._unwritten = ""
        """Why the ledger could not be written, as it was said."""

    def say(self, notices: Sequence[Notice]) -> None:
        """Print notices that opened, and those that were resolved."""
        from datetime import UTC, datetime

        from necropsy.guard.notify.ledger import unwritten
        from necropsy.guard.notify.plan import ReceiverRules, due

        now = datetime.now(UTC)
        for message in due(notices, self._ledger.of(self.NAME), ReceiverRules(repeat_s=None), now):
            typer.echo(text_of(message))
            try:
                self._ledger.note(self.NAME, [message], now)
            except OSError as error:  # a full disk is no reason to tell nobody
                if str(error) != self._unwritten:
                    typer.echo(f"warning: {unwritten(error)}", err=True)
                self._unwritten = str(error)


def text_of(message: Message) -> str:
    """Return a message for a terminal or a log."""
    from necropsy.report.figures import moment

    notice = message.notice
    at = notice.resolved_at or notice.opened_at
    body = "".join(f"\n  {line}" for line in message.body)
    return f"{moment(at)}  {notice.severity.upper()}  {message.title}{body}"
