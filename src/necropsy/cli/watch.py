"""``necropsy watch``: examines again and again, and says what changed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.cli.exporter import interval
from necropsy.model.errors import NoEvidence, UsageError

if TYPE_CHECKING:
    from necropsy.guard.watch.notice import Notice


def watch(
    incident: Annotated[Path, typer.Argument(help="The TOML file that names the sources, as for `necropsy examine`.")],
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="How often to look: 10m.")] = "10m",
    case: Annotated[
        Path | None,
        typer.Option(
            "--case",
            metavar="FILE",
            help="Where the last look and the history are kept. Default: beside INCIDENT, .watch.case.",
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="TIME=TEXT", help="Something that happened, such as a deploy. Repeatable."),
    ] = None,
    event_file: Annotated[
        Path | None,
        typer.Option(
            "--event-file", metavar="FILE", help="File to which others append TIME=TEXT lines; read at each look."
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, for a timer of your own.")] = False,
) -> None:
    r"""Examine again and again, and say what changed since the look before.

    Told are a new creator of sessions, a share that crosses its limit, a half fix, a population that is steady where
    configuration does not predict it, births after a deploy, a store that is full within a day, an instance that is gone,
    and a store that cannot be read; each once, and again when it is over.

    \b
      necropsy watch incident.toml --every 10m
      necropsy watch incident.toml --once --event "$(date -Is)=deploy v42"
    """
    from necropsy.cli.census import COMMAND
    from necropsy.guard.census.schedule import Census
    from necropsy.guard.census.worker import Asked, Watched
    from necropsy.guard.keeper import Keeper
    from necropsy.guard.watch.events import parse_event

    if not incident.is_file():
        raise UsageError(f"{incident}: no such file", hint="Name a TOML file as for `necropsy examine incident.toml`.")
    for text in event or ():
        parse_event(text)
    kept = case or incident.with_suffix(".watch.case")
    asked = Asked(
        incident=str(incident),
        watch=Watched(str(kept), events=tuple(event or ()), event_file=str(event_file) if event_file else None),
    )
    told: set[tuple[str, bool]] = set()

    def say(notices: Sequence[Notice]) -> None:
        for notice in notices:
            mark = (notice.key, notice.resolved_at is not None)
            if mark not in told:
                told.add(mark)
                typer.echo(_text(notice))

    keeper = Keeper(say)
    census = Census(COMMAND, asked, interval(every, "--every"), keeper.after_look)
    if once:
        census.take()
        if census.error:
            raise NoEvidence(census.error, hint="Run `necropsy examine` on the same file to see all that it says.")
        return
    typer.echo(f"Looking every {every}, keeping {kept}", err=True)
    census.start()
    try:
        threading.Event().wait()
    finally:
        census.stop()


def _text(notice: Notice) -> str:
    from necropsy.guard.watch.notice import lines
    from necropsy.report.figures import moment

    if notice.resolved_at is not None:
        return f"{moment(notice.resolved_at)}  RESOLVED  {notice.title}"
    body = "".join(f"\n  {line}" for line in lines(notice))
    return f"{moment(notice.opened_at)}  {notice.severity.upper()}  {notice.title}{body}"
