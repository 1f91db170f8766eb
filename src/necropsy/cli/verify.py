"""``necropsy verify``: whether a fix cured the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli import live, output
from necropsy.cli.durations import seconds
from necropsy.cli.options import (
    ConsulOption,
    ImpactOption,
    PasswordOption,
    PrometheusOption,
    QuietOption,
    ReadMethod,
    ReadMethodOption,
    TextOrJson,
    TextOrJsonOption,
)
from necropsy.model.errors import UsageError


def verify(
    case: Annotated[
        Path, typer.Argument(metavar="CASE", help="The case from before the fix, written by `necropsy examine --case`.")
    ],
    rdb: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]FILE", help="A dump of the store as it is now.")
    ] = None,
    redis: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]URL", help="The live store, read-only: redis://host:6379.")
    ] = None,
    access_log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Access log since the fix, needed for clients that do not come at a fixed interval."
        ),
    ] = None,
    prometheus: PrometheusOption = None,
    consul: ConsulOption = None,
    silence: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="A creator counts as stopped once it was silent for this time, and for five of its intervals.",
        ),
    ] = "5m",
    read_method: ReadMethodOption = ReadMethod.AUTO,
    max_impact: ImpactOption = "1ms",
    redis_ask_password: PasswordOption = False,
    format: TextOrJsonOption = TextOrJson.TEXT,  # noqa: A002
    quiet: QuietOption = False,
) -> None:
    """Check whether the creators in a case still start sessions: cured, partly cured, not cured, or too early.

    The result depends on sessions created since the fix, not on the configuration: a server that was forgotten keeps
    creating them. A store needs a name only if the case has several.

    \b
    Examples:
      necropsy verify incident.case --redis redis://127.0.0.1:6379
      necropsy verify incident.case --redis redis://127.0.0.1:6379 --consul http://127.0.0.1:8500 --silence 1m
      necropsy verify incident.case --rdb A=a-now.rdb --rdb B=b-now.rdb --format json | jq .outcome

    Exit codes: 0 cured, 12 partly cured, 13 not cured, 4 too early or not to be judged.
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy import sources as given
    from necropsy.autopsy.verifying import verify as run
    from necropsy.report.commands import verify as shown
    from necropsy.wire.files import expand

    stores = given.stores([*(rdb or ()), *(redis or ())], None)
    if not stores:
        raise UsageError("no store to look at", hint="Give --redis URL or --rdb FILE: the store as it is now.")
    sources = given.Sources(
        stores=stores,
        access_log=tuple(expand(access_log or ())),
        prometheus=tuple(expand(prometheus or ())),
        consul=tuple(expand(consul or ())),
        live=live.options(read_method, max_impact, ask_password=redis_ask_password),
        checksums=False,
    )
    with output.progress(quiet=quiet) as report_progress:
        made = run(case, sources, report_progress, least_quiet_s=seconds("--silence", silence))
    typer.echo(shown.as_json(made) if format is TextOrJson.JSON else shown.as_text(made), nl=False)
    raise typer.Exit(made.exit_code)
