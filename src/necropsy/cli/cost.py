"""``necropsy cost``: sessions, keys and bytes that probes cost, and what if."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from necropsy.cli import output
from necropsy.cli.durations import seconds
from necropsy.cli.options import (
    BlackboxOption,
    BlackboxVersionOption,
    ColorOption,
    ConsulOption,
    ConsulVersionOption,
    KubernetesOption,
    NginxOption,
    ProberOption,
    PrometheusOption,
    PrometheusVersionOption,
    TextOrJson,
    TextOrJsonOption,
)
from necropsy.cli.probes import named
from necropsy.model.errors import NoEvidence, UsageError


def cost(
    prometheus: PrometheusOption = None,
    blackbox: BlackboxOption = None,
    consul: ConsulOption = None,
    nginx: NginxOption = None,
    kubernetes: KubernetesOption = None,
    prober: ProberOption = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long a session lives: 1d, 30m, 1h30m or seconds.")
    ] = None,
    keys_per_session: Annotated[
        float,
        typer.Option(min=0, metavar="NUMBER", help="Redis keys for each session: 2 or 3 in Spring's indexed layout."),
    ] = 1.0,
    bytes_per_session: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory of one session with all its keys: 1.2kB, 900.")
    ] = None,
    sessions_per_request: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="Sessions that one request starts. --redirect calculates them for the blackbox exporter.",
        ),
    ] = 1.0,
    redirect: Annotated[
        str | None,
        typer.Option(
            metavar="LOCATION",
            help=(
                "Location header that the application sends to visitors without a session: /login,"
                " https://admin.example.com/login. A blackbox probe that follows it without the cookie starts two sessions."
            ),
        ),
    ] = None,
    exporter_go: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help=(
                "With --redirect: Go version of the blackbox exporter, as `blackbox_exporter --version` prints it."
                " Before 1.26, which is assumed, it loses the cookie on a redirect to a full URL."
            ),
        ),
    ] = None,
    minute_sets: Annotated[
        bool,
        typer.Option(
            "--minute-sets", help="Count one more key for each minute of --ttl, as in Spring's indexed layout."
        ),
    ] = False,
    interval: Annotated[
        str | None, typer.Option(metavar="DURATION", help="What if: interval of every probe, 60s.")
    ] = None,
    replicas: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="What if: number of Prometheus servers that send these probes.")
    ] = 1,
    fixed: Annotated[
        list[str] | None, typer.Option(metavar="HOST", help="What if: this host (host:port) is fixed. Repeatable.")
    ] = None,
    prometheus_version: PrometheusVersionOption = None,
    blackbox_version: BlackboxVersionOption = None,
    consul_version: ConsulVersionOption = None,
    format: TextOrJsonOption = TextOrJson.TEXT,  # noqa: A002 -- the option's name
    color: ColorOption = None,
) -> None:
    """Calculate what the probes cost a session store: sessions, keys and bytes a day and at the steady state.

    Without a source, the configuration recognised in this folder is read. No server is contacted, except those named
    by URL.
    Counts one session for each request to a page unless an option says otherwise, and none for a health endpoint. With
    what-if options, shows the sum before and after.

    \b
    Examples:
      necropsy cost --prometheus prometheus.yml --consul services.json --ttl 1d --keys-per-session 2
      necropsy cost --prometheus prometheus.yml --consul services.json --ttl 1d --interval 60s
      necropsy cost --prometheus prometheus.yml --consul services.json --ttl 1d --fixed 10.0.0.1
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.sources import parse_size
    from necropsy.autopsy.survey import survey
    from necropsy.model.cost import Assumptions
    from necropsy.probes.prometheus.blackbox.redirected_sessions import keeps_cookies_by_host
    from necropsy.probes.session_risk import idle_probes
    from necropsy.report.commands import cost as table
    from necropsy.verdict.cost import cost as reckon

    if redirect is not None and sessions_per_request != 1:
        raise UsageError("--redirect and --sessions-per-request cannot be combined", hint="Use one at a time.")
    if exporter_go is not None and redirect is None:
        raise UsageError("--exporter-go needs --redirect", hint="Add --redirect LOCATION.")
    sources = named(prometheus, blackbox, consul, nginx, kubernetes, prober, prometheus_version, None)
    found = survey(replace(sources, blackbox_version=blackbox_version, consul_version=consul_version))
    assumptions = Assumptions(
        lifetime_s=_seconds(ttl, "--ttl"),
        keys_per_session=keys_per_session,
        bytes_per_session=float(parse_size(bytes_per_session)) if bytes_per_session else None,
        sessions_per_request=sessions_per_request,
        redirect=redirect or "",
        cookies_by_host=keeps_cookies_by_host(exporter_go) if exporter_go else False,
        minute_sets=minute_sets,
        interval_s=_seconds(interval, "--interval"),
        replicas=replicas,
        fixed=tuple(fixed or ()),
    )
    simulation = found.simulation
    unread = bool(found.absent) and not simulation.probes and not simulation.dropped
    for host in () if unread else assumptions.fixed:
        _require(host, {(probe.host, probe.port) for probe in simulation.probes})
    made = reckon(simulation.probes, idle_probes(simulation.probes, simulation.backends), assumptions)
    if format is TextOrJson.JSON:
        output.say(table.render_json(made, found.absent))
    else:
        color = output.use_color(color)
        output.say(table.render(made, found.absent, width=output.width(), color=color))
    if unread:
        raise typer.Exit(NoEvidence.exit_code)  # nothing was counted, and the text says why


def _seconds(text: str | None, option: str) -> float | None:
    """Return the seconds of a duration; a number alone means seconds."""
    if text is None:
        return None
    return seconds(option, f"{text}s" if text.replace(".", "", 1).isdigit() else text)


def _require(host: str, known: set[tuple[str, int]]) -> None:
    """A what-if about a host that nobody asks would say that nothing helps."""
    if not any(host.lower() in (name.lower(), f"{name}:{port}".lower()) for name, port in known):
        asked = ", ".join(sorted({name for name, _ in known})) or "none"
        raise UsageError(f"--fixed {host}: no probe goes to this host", hint=f"Hosts that are probed: {asked}.")
