"""``necropsy traffic``: who calls, how often, at a fixed interval or not."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from necropsy.cli import output
from necropsy.cli.options import ColorOption, EngineOption, FieldOption, Format, QuietOption
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.model.traffic import Traffic


class TrafficFormat(StrEnum):
    """Formats of traffic."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    CSV = "csv"
    PARQUET = "parquet"


class SortOrder(StrEnum):
    """By what to put visitors in order."""

    SESSIONS = "sessions"
    VISITS = "visits"
    REQUESTS = "requests"
    PERIOD = "period"
    FIRST = "first"
    LAST = "last"
    CLIENT = "client"
    AGENT = "agent"
    PATH = "path"


def traffic(
    logs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LOG]...",
            help="Access logs, plain or compressed (gz, zst, bz2, xz), globs, or - for standard input. Rotated files"
            " are taken as one log.",
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Format of the logs in nginx's or Apache's notation, if no given configuration defines it.",
        ),
    ] = None,
    field: FieldOption = None,
    nginx: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="nginx configuration that holds the log_format; its includes are followed."),
    ] = None,
    apache: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Apache configuration that holds the LogFormat; its includes are followed."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only requests from this time on (ISO, UTC).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only requests before this time (ISO, UTC).")
    ] = None,
    hash_clients: Annotated[
        bool,
        typer.Option("--hash-clients", help="Show a keyed hash of each client address; the key is new in each run."),
    ] = False,
    engine: EngineOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep reading as the logs grow, also across rotation. Stop with Ctrl-C.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="With --follow: seconds between updates.")
    ] = 5.0,
    window: Annotated[
        str, typer.Option(metavar="SIZE", help="With --follow: how much to analyse, from the end of each log.")
    ] = "16MiB",
    sort: Annotated[
        SortOrder, typer.Option(help="Order of the rows. sessions: those that probably start the most come first.")
    ] = SortOrder.SESSIONS,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="NUMBER", help="Maximum number of rows. Default: 20 in text, 200 in HTML, else all."
        ),
    ] = None,
    format: Annotated[  # noqa: A002 -- the option's name
        TrafficFormat | None,
        typer.Option("--format", "-f", help="Output format. Default: by the suffix of --output, else text."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output."),
    ] = None,
    color: ColorOption = None,
    quiet: QuietOption = False,
) -> None:
    """List clients, how often and how regularly they come, and which visits probably start sessions.

    Needs only access logs, and changes nothing. Whether a visit starts a session is inferred from its status, its
    redirects and the
    client's program.

    \b
    Examples:
      necropsy traffic 'access.log*'
      necropsy traffic access.log --nginx /etc/nginx/nginx.conf --sort period
      necropsy traffic access_log --log-format '%h %t "%r" %>s %D "%{User-Agent}i"'
      necropsy traffic requests.json --field client=from --field agent=browser.name
      necropsy traffic 'access.log*' --hash-clients --output traffic.html
      necropsy traffic --follow access.log --interval 10
      necropsy traffic '/logs/access.log*' --engine spark://spark.example:7077
      kubectl logs -f deploy/ingress | necropsy traffic --follow - --format json
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import parse_size, parse_time
    from necropsy.evidence.access_log.formats.given import name_keys
    from necropsy.traffic.formats import gather
    from necropsy.traffic.survey import survey
    from necropsy.wire.files import expand

    kind = format or _by_suffix(out)
    _ready(kind, out, follow=follow)
    if follow and (since or until):
        raise UsageError("--follow cannot be combined with --since or --until", hint="Leave one of them out.")
    if follow and engine:
        raise UsageError("--follow cannot be combined with --engine", hint="Leave one of them out.")
    formats = [*name_keys(field or ()), *gather(log_format, expand(nginx or ()), expand(apache or ()))]
    if follow:
        from necropsy.cli.following import Following, show

        chosen = Following(
            tuple(expand(logs or ())),
            tuple(formats),
            interval,
            parse_size(window),
            sort.value,
            hash_clients=hash_clients,
        )
        show(chosen, as_json=kind is TrafficFormat.JSON, limit=limit, color=color, quiet=quiet)
        return
    read = expand(logs or ())
    output.spare_files([*read, *expand(nginx or ()), *expand(apache or ())], out)
    with output.progress(quiet=quiet) as say:
        found = survey(
            read,
            log_formats=formats,
            hash_clients=hash_clients,
            sort=sort.value,
            activity=kind is TrafficFormat.HTML,
            checksums=kind is TrafficFormat.JSON,  # the only one that shows them
            since=parse_time(since) if since else None,
            until=parse_time(until) if until else None,
            engine=engine,
            progress=say,
        )
    colored = output.use_color(color) and out is None
    output.put(
        _rendered(found, kind, limit, color=colored, width=output.width() if out is None else 80), out, quiet=quiet
    )


def _ready(kind: TrafficFormat, out: Path | None, *, follow: bool) -> None:
    """Refuse an output that cannot be before a log of gigabytes is read."""
    if follow and (out is not None or kind not in {TrafficFormat.TEXT, TrafficFormat.JSON}):
        raise UsageError("--follow writes text or JSON lines to standard output", hint="Leave one of them out.")
    if kind is TrafficFormat.PARQUET and out is None and sys.stdout.isatty():
        raise UsageError("Parquet output cannot be written to a terminal", hint="Name a file with --output.")
    output.ready(Format.HTML if kind is TrafficFormat.HTML else Format.TEXT, out)


_DEFAULT_LIMIT: Final = {TrafficFormat.TEXT: 20, TrafficFormat.HTML: 200}


def _rendered(found: Traffic, kind: TrafficFormat, limit: int | None, *, color: bool, width: int = 80) -> bytes:
    rows = limit or _DEFAULT_LIMIT.get(kind)
    if kind is TrafficFormat.TEXT:
        from necropsy.report.commands import traffic as text

        return text.render(found, width=width, color=color, rows=rows).encode()
    if kind is TrafficFormat.HTML:
        from necropsy.report.html import traffic as page

        return page.render(found, rows=rows).encode()
    from necropsy.report.commands import traffic_rows

    if kind is TrafficFormat.PARQUET:
        return traffic_rows.as_parquet(found, limit=rows)
    made = traffic_rows.as_json if kind is TrafficFormat.JSON else traffic_rows.as_csv
    return made(found, limit=rows).encode()


def _by_suffix(out: Path | None) -> TrafficFormat:
    suffix = out.suffix.removeprefix(".") if out is not None else ""
    return TrafficFormat(suffix) if suffix in set(TrafficFormat) else TrafficFormat.TEXT
