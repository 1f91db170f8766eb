"""``necropsy examine``: read the sources of an incident, judge them, and print the verdict."""

from __future__ import annotations

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
from necropsy.cli.process import refuse_pandas


def examine(
    incident: Annotated[
        Path | None,
        typer.Argument(
            metavar="INCIDENT.TOML",
            help="A TOML file that lists the sources, instead of the options or in addition to them.",
        ),
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
    app_log: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Error log of the application: a file, or opensearch://HOST:9200/INDEX."),
    ] = None,
    nginx: NginxOption = None,
    prometheus: PrometheusOption = None,
    blackbox: BlackboxOption = None,
    consul: ConsulOption = None,
    prober: ProberOption = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Format of the access logs in nginx's or Apache's notation, if no given configuration defines it.",
        ),
    ] = None,
    field: FieldOption = None,
    hash_clients: Annotated[
        bool, typer.Option("--hash-clients", help="Store a keyed hash of each client address instead of the address.")
    ] = False,
    engine: EngineOption = None,
    layout: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Your own session layouts, described in TOML (docs/sessions.md)."),
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory limit of the store, for the forecast: 1GB, 512MiB.")
    ] = None,
    prometheus_version: PrometheusVersionOption = None,
    blackbox_version: BlackboxVersionOption = None,
    consul_version: ConsulVersionOption = None,
    prometheus_host: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Host name of the Prometheus server, to compute when it sends each probe."),
    ] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Address of a Prometheus that scrapes the stores: shows when births changed."),
    ] = None,
    history_since: Annotated[
        str | None, typer.Option(metavar="SPAN", help="How far back to read the history: 36h, 7d. Default: 30d.")
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(metavar="CASE", help="An older case of the same stores, to show what has changed."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME=TEXT", help="An event such as a deploy, to compare with changes in births. Repeatable."
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Treat this time as now (ISO, UTC). Default: when the dump was taken."),
    ] = None,
    case: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the case in this file, for `necropsy report` and SQL.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing case.")] = False,
    withhold_key: Annotated[
        bool, typer.Option(help="Leave the key of the hashed session ids out of the case.")
    ] = False,
    format: FormatOption = None,  # noqa: A002 -- the option's name
    out: OutputOption = None,
    fail_on: FailOnOption = FailOn.INFO,
    patches: PatchesOption = False,
    color: ColorOption = None,
    quiet: QuietOption = False,
) -> None:
    """Find out why a session store grows, what causes it, and how to stop it. Changes nothing.

    Options that name files may be repeated, and take globs (in quotes) and - for standard input. Give at least one
    source. A check that lacks its source is listed as "not examined".

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
            history_since=given.parse_span(history_since) if history_since else None,
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
    if engine is None:  # another engine hands its tables over as pandas'
        refuse_pandas()
    output.spare(sources, case, out)
    output.fresh(case, force=force)
    with output.progress(quiet=quiet) as say:
        report = autopsy.examine(sources, case_path=case, withhold_key=withhold_key, progress=say)
    output.write(report, kind, out, color=color, quiet=quiet, patches=patches)
    raise typer.Exit(output.exit_code(report, fail_on))
