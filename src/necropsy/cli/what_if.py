"""``necropsy what-if``: what the stores of a case would become."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli.options import TextOrJson, TextOrJsonOption
from necropsy.model.errors import UsageError


def what_if(
    case: Annotated[Path, typer.Argument(help="A case file that `necropsy examine --case` wrote.")],
    fix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SLUG", help="A cause whose creators stop, for example probes/creates-sessions; all: every one."
        ),
    ] = None,
    ttl: Annotated[str | None, typer.Option(metavar="TIME", help="Lifetime of new sessions: 1d, 30m.")] = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Sessions of nobody that were not used for an hour are deleted.")
    ] = False,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="Another memory limit: 64MB.")] = None,
    format: TextOrJsonOption = TextOrJson.TEXT,  # noqa: A002
) -> None:
    """Say what a store would become: as it goes on, with each step alone, and with all of them. Reads nothing but the case.

    \b
    Examples:
      necropsy what-if incident.case
      necropsy what-if incident.case --fix probes/creates-sessions --purge
      necropsy what-if incident.case --fix all --ttl 1d --purge --memory 64MB --format json | jq '.stores[].together'
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import parse_size
    from necropsy.autopsy.what_if import what_if as run
    from necropsy.examine.registry import SLUGS
    from necropsy.probes.prometheus.duration import parse_duration
    from necropsy.report.commands import what_if as shown
    from necropsy.verdict.what_if import Steps

    unknown = [slug for slug in fix or () if slug != "all" and slug not in SLUGS]
    if unknown:
        raise UsageError(
            f"--fix {unknown[0]}: no such cause", hint="See `necropsy explain` for all of them, or write all."
        )
    try:
        seconds = parse_duration(ttl) / 1000 if ttl is not None else None
    except ValueError as error:
        raise UsageError(f"--ttl {ttl}: {error}", hint="For example 1d or 30m.") from None
    made = run(case, Steps(tuple(fix or ()), seconds, purge), parse_size(memory) if memory else None)
    typer.echo(shown.as_json(made) if format is TextOrJson.JSON else shown.as_text(made), nl=False)
