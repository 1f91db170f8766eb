"""``necropsy examine``: the main job."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli import live, output
from necropsy.cli.options import (
    BlackboxOption,
    BlackboxVersionOption,
    ColorOption,
    ConsulOption,
    ConsulVersionOption,
    EngineOption,
    FailOn,
    FailOnOption,
    FieldOption,
    FormatOption,
    FormerReadMethodOption,
    ImpactOption,
    NginxOption,
    OutputOption,
    PasswordOption,
    PatchesOption,
    ProberOption,
    PrometheusOption,
    PrometheusVersionOption,
    QuietOption,
    ReadMethod,
    ReadMethodOption,
)


def examine(
    incident: Annotated[
        Path | None, typer.Argument(help="A TOML file that names the sources, instead of or beside the options.")
    ] = None,
    rdb: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]FILE", help="RDB file of a session store; NAME=FILE names the store."),
    ] = None,
    redis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]URL",
            help="Live session store, read-only: redis://host:6379, rediss://, unix://; NAME=URL names it.",
        ),
    ] = None,
    read_method: ReadMethodOption = ReadMethod.AUTO,
    redis_way: FormerReadMethodOption = None,
    max_impact: ImpactOption = "1ms",
    redis_ask_password: PasswordOption = False,
    access_log: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Access log: JSON, combined or any log_format; gz, zst.")
    ] = None,
    app_log: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Error log of the application.")] = None,
    nginx: NginxOption = None,
    prometheus: PrometheusOption = None,
    blackbox: BlackboxOption = None,
    consul: ConsulOption = None,
    prober: ProberOption = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Format of the access logs in nginx's or Apache's notation, if no configuration has it.",
        ),
    ] = None,
    field: FieldOption = None,
    hash_clients: Annotated[
        bool, typer.Option("--hash-clients", help="Keep a keyed hash instead of each address of the access logs.")
    ] = False,
    engine: EngineOption = None,
    layout: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Session layouts of your own, described in TOML (docs/sessions.md)."),
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that a store may use, for the forecast: 1GB, 512MiB.")
    ] = None,
    prometheus_version: PrometheusVersionOption = None,
    blackbox_version: BlackboxVersionOption = None,
    consul_version: ConsulVersionOption = None,
    prometheus_host: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of Prometheus' host: makes scrape phases computable.")
    ] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Prometheus that scraped the stores: their past, and when births changed."),
    ] = None,
    history_since: Annotated[
        str | None, typer.Option(metavar="SPAN", help="How far back the history is read: 36h, 7d; by default 30d.")
    ] = None,
    before: Annotated[
        list[str] | None, typer.Option(metavar="CASE", help="An older case of the same stores: what has changed since.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="TIME=TEXT", help="What happened when (a deploy), to line up with changes of births."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="The moment to call now (ISO, UTC); by default when the dump was taken."),
    ] = None,
    case: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the case in this file, for `necropsy report` and SQL.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a case that is there already.")] = False,
    withhold_key: Annotated[
        bool, typer.Option(help="Do not keep the key of the hashed session ids in the case.")
    ] = False,
    format: FormatOption = None,  # noqa: A002 -- the option's name
    out: OutputOption = None,
    fail_on: FailOnOption = FailOn.INFO,
    patches: PatchesOption = False,
    color: ColorOption = None,
    quiet: QuietOption = False,
) -> None:
    """Find out why a session store bloats, who does it, and how to stop it. Changes nothing.

    Every option may be repeated; globs (quoted) and - for standard input work. Give at least one
    source: what needs a source that is missing is listed as "not examined".

    \b
    Examples:
      necropsy examine --rdb dump.rdb
      necropsy examine --rdb A=a.rdb --rdb B=b.rdb --access-log 'access*.log' \\
          --nginx nginx.conf --prometheus prometheus.yml --consul services.json
      necropsy examine incident.toml --case incident.case -o report.html
      necropsy examine --redis A=redis://a:6379 --history http://prometheus:9090 \\
          --event '2026-11-02T14:00=version 14'
      zcat access.log.*.gz | necropsy examine --rdb dump.rdb --access-log -
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy import autopsy
    from necropsy.autopsy import sources as given
    from necropsy.autopsy.incident_file import load
    from necropsy.treat.purge.selection import duration_s
    from necropsy.wire.files import expand

    kind = output.chosen(format, out)
    output.ready(kind, out)
    sources = load(str(incident)) if incident else given.Sources()
    limit = given.parse_size(memory_limit) if memory_limit else None
    sources = sources.join(
        given.Sources(
            stores=given.stores([*(rdb or ()), *map(given.as_address, redis or ())], limit),
            access_log=tuple(expand(access_log or ())),
            app_log=tuple(expand(app_log or ())),
            nginx=tuple(expand(nginx or ())),
            prometheus=tuple(expand(prometheus or ())),
            blackbox=tuple(expand(blackbox or ())),
            consul=tuple(expand(consul or ())),
            prober=tuple(prober or ()),
            log_format=log_format,
            field=tuple(field or ()),
            layout=tuple(expand(layout or ())),
            history=tuple(history or ()),
            history_since=timedelta(seconds=duration_s(history_since)) if history_since else None,
            before=tuple(expand(before or ())),
            event=tuple(event or ()),
            hash_clients=hash_clients,
            engine=engine,
            now=given.parse_time(now) if now else None,
            prometheus_version=prometheus_version,
            blackbox_version=blackbox_version,
            consul_version=consul_version,
            prometheus_host=prometheus_host,
            live=live.options(redis_way or read_method, max_impact, ask_password=redis_ask_password),
            checksums=case is not None or kind in output.WITH_CHECKSUMS,
        )
    )
    output.spare(sources, case, out)
    output.fresh(case, force=force)
    with output.progress(quiet=quiet) as say:
        report = autopsy.examine(sources, case_path=case, withhold_key=withhold_key, progress=say)
    output.write(report, kind, out, color=color, quiet=quiet, patches=patches)
    raise typer.Exit(output.exit_code(report, fail_on))
