"""``necropsy what-if``: what the stores of a case would become."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli.options import TextOrJson, TextOrJsonOption
from necropsy.model.errors import UsageError


def what_if(
    context: typer.Context,
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case file that `necropsy examine --case` wrote.")],
    fix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SLUG",
            help="Assume that this cause is fixed, for example probes/creates-sessions; all: every cause. Repeatable.",
        ),
    ] = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="TIME", help="Assume this lifetime of new sessions: 1d, 30m.")
    ] = None,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Assume that anonymous sessions are deleted, except those used within --idle."),
    ] = False,
    idle: Annotated[
        str,
        typer.Option(metavar="TIME", help="With --purge: sessions used within this time stay, as with `purge --idle`."),
    ] = "1h",
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="Assume another memory limit: 64MB.")] = None,
    format: TextOrJsonOption = TextOrJson.TEXT,  # noqa: A002
) -> None:
    """Predict a store's size: without a change, with each given change alone, and with all of them. Reads only the case.

    \b
    Examples:
      necropsy what-if incident.case
      necropsy what-if incident.case --fix probes/creates-sessions --purge
      necropsy what-if incident.case --fix all --ttl 1d --purge --memory 64MB --format json | jq '.stores[].together'
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import parse_size
    from necropsy.autopsy.what_if import what_if as run
    from necropsy.cli.durations import seconds
    from necropsy.examine.registry import SLUGS
    from necropsy.report.commands import what_if as shown
    from necropsy.verdict.what_if import Steps

    unknown = [slug for slug in fix or () if slug != "all" and slug not in SLUGS]
    if unknown:
        raise UsageError(
            f"--fix {unknown[0]}: no such cause", hint="`necropsy explain` lists them; all stands for every cause."
        )
    source = context.get_parameter_source("idle")
    if not purge and source is not None and source.name == "COMMANDLINE":
        raise UsageError("--idle without --purge changes nothing", hint="Add --purge, or leave --idle out.")
    lifetime_s = seconds("--ttl", ttl) if ttl is not None else None
    made = run(
        case,
        Steps(tuple(fix or ()), lifetime_s, purge),
        parse_size(memory) if memory else None,
        idle_s=seconds("--idle", idle),
    )
    typer.echo(shown.as_json(made) if format is TextOrJson.JSON else shown.as_text(made), nl=False)
