"""``necropsy exporter``: the Redis exporter, in place of redis_exporter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from necropsy.cli.durations import SHORTEST_CENSUS_S, seconds
from necropsy.cli.options import WebConfigOption
from necropsy.cli.serving import serve_until_stopped
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.wire.redis.address import Address


def exporter(
    redis: Annotated[
        list[str] | None,
        typer.Option("--redis", metavar="[NAME=]URL", envvar="REDIS_ADDR", help="A server to export. Repeatable."),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            "--web.listen-address",
            metavar="HOST:PORT",
            envvar="REDIS_EXPORTER_WEB_LISTEN_ADDRESS",
            help="Address to listen on. Each exporter on a host needs its own port.",
        ),
    ] = "127.0.0.1:9121",
    web_config: WebConfigOption = None,
    namespace: Annotated[
        str, typer.Option("--namespace", envvar="REDIS_EXPORTER_NAMESPACE", help="Prefix of all metric names.")
    ] = "redis",
    system_metrics: Annotated[
        bool,
        typer.Option(
            "--include-system-metrics",
            envvar="REDIS_EXPORTER_INCL_SYSTEM_METRICS",
            help="Export the memory of the server's machine.",
        ),
    ] = False,
    no_histograms: Annotated[
        bool,
        typer.Option(
            "--exclude-latency-histogram-metrics",
            envvar="REDIS_EXPORTER_EXCLUDE_LATENCY_HISTOGRAM_METRICS",
            help="Do not run LATENCY HISTOGRAM.",
        ),
    ] = False,
    role_label: Annotated[
        bool, typer.Option("--append-instance-role-label", help="Add the label instance_role to each metric.")
    ] = False,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--redis.password-file",
            metavar="FILE",
            envvar="REDIS_PASSWORD_FILE",
            help="File with the password in its first line, for servers whose URL has none. Default: REDIS_PASSWORD.",
        ),
    ] = None,
    sessions: Annotated[
        str | None,
        typer.Option(
            "--sessions",
            metavar="TIME",
            help="Count the sessions at this interval (10m), in the background, and export them at /metrics. Stores"
            " are read as by `necropsy examine --redis`.",
        ),
    ] = None,
    incident: Annotated[
        Path | None,
        typer.Option(
            "--incident",
            metavar="FILE",
            help="incident.toml with access logs and configuration, to export births by creator.",
        ),
    ] = None,
) -> None:
    """Export metrics of Redis servers to Prometheus, under the names that redis_exporter uses.

    A single server is exported at /metrics, each of several at /scrape?target=NAME. A scrape runs INFO, CONFIG GET,
    SLOWLOG and LATENCY, and reads no key. A server that hangs has redis_up 0 before the scrape times out.

    \b
    Examples:
      necropsy exporter --redis redis://127.0.0.1:6379
      necropsy exporter --redis redis://127.0.0.1:6379 --sessions 10m --incident incident.toml
      necropsy exporter --redis A=redis://10.0.0.1 --redis B=rediss://10.0.0.2:6380 --listen 127.0.0.1:9122
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.cli.census import COMMAND
    from necropsy.guard.census.schedule import Census
    from necropsy.guard.census.worker import Asked
    from necropsy.guard.exporter.site import Exporter
    from necropsy.guard.exporter.target import Options
    from necropsy.guard.web import Site, read_web_config, serve

    site_options = Options(
        namespace=namespace,
        include_system_metrics=system_metrics,
        exclude_latency_histogram_metrics=no_histograms,
        append_instance_role_label=role_label,
    )
    given = redis or ["redis://127.0.0.1:6379"]
    named = addresses(given, password_file)
    census = None
    if sessions is not None:
        urls = [url_of(text) for text in given]
        stores = [(name, url) for (name, _), url in zip(named, urls, strict=True)]
        asked = Asked(tuple(stores), str(incident) if incident else None)
        census = Census(COMMAND, asked, seconds("--sessions", sessions, least=SHORTEST_CENSUS_S))
    elif incident is not None:
        raise UsageError("--incident needs --sessions", hint="Add --sessions 10m.")
    shown = Exporter(named, site_options, census)
    server = serve(listen, Site(shown.routes(), read_web_config(web_config) if web_config else None))
    names = ", ".join(f"{name} ({target.address.masked})" for name, target in shown.targets.items())
    if census is not None:
        census.start()
    try:
        serve_until_stopped(server, listen, names, secure=web_config is not None)
    finally:
        shown.close()
        if census is not None:
            census.stop()


def addresses(given: list[str], password_file: Path | None) -> list[tuple[str, Address]]:
    """Return name and address of each server; a server without a name is called by its host and port.

    Raises
    ------
    UsageError
        Two servers have one name, or the password file cannot be read.
    """
    from necropsy.wire.redis.address import PASSWORD_VARIABLES, parse_address

    environ = dict(os.environ)
    password = environ.get("REDIS_PASSWORD")
    if password_file is not None:
        try:
            password = password_file.read_text(encoding="utf-8").partition("\n")[0]
        except OSError as error:
            raise UsageError(
                f"{password_file}: {error.strerror}", hint="Name a file whose first line is the password."
            ) from error
    if password:
        environ[PASSWORD_VARIABLES[0]] = password
    found: dict[str, Address] = {}
    for text in given:
        address = parse_address(url_of(text), environ=environ)
        name = text.partition("=")[0] if url_of(text) != _with_scheme(text) else str(address.endpoint)
        if name in found:
            raise UsageError(f"two servers have the name {name!r}", hint="Give each a name: --redis A=redis://…")
        found[name] = address
    return list(found.items())


def url_of(text: str) -> str:
    """Return the address in ``[NAME=]URL``.

    >>> url_of("A=redis://a"), url_of("redis://a?password_file=x"), url_of("10.0.0.1:6379")
    ('redis://a', 'redis://a?password_file=x', 'redis://10.0.0.1:6379')
    """
    name, separator, url = text.partition("=")
    return _with_scheme(url if separator and "://" not in name else text)


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"redis://{url}"
