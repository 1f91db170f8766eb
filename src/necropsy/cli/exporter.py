"""``necropsy exporter``: the Redis exporter, in place of redis_exporter."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, quote, urlencode

import typer

from necropsy.cli.durations import SHORTEST_CENSUS_S, seconds
from necropsy.cli.options import WebConfigOption
from necropsy.cli.serving import serve_until_stopped
from necropsy.model.errors import UsageError

if TYPE_CHECKING:
    from necropsy.guard.census.schedule import CensusSchedule
    from necropsy.wire.redis.address import Address, Secret, Tls


def exporter(
    redis: Annotated[
        list[str] | None,
        typer.Option(
            "--redis", "--redis.addr", metavar="[NAME=]URL", envvar="REDIS_ADDR", help="A server to export. Repeatable."
        ),
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
        str,
        typer.Option(
            "--namespace", metavar="NAME", envvar="REDIS_EXPORTER_NAMESPACE", help="Prefix of all metric names."
        ),
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
        bool,
        typer.Option(
            "--append-instance-role-label",
            envvar="REDIS_EXPORTER_APPEND_INSTANCE_ROLE_LABEL",
            help="Add the label instance_role to each metric.",
        ),
    ] = False,
    empty_databases: Annotated[
        bool,
        typer.Option(
            "--include-metrics-for-empty-databases/--no-include-metrics-for-empty-databases",
            envvar="REDIS_EXPORTER_INCL_METRICS_FOR_EMPTY_DATABASES",
            help="Export databases that have no key, with 0.",
        ),
    ] = True,
    redis_only: Annotated[
        bool,
        typer.Option(
            "--redis-only-metrics",
            envvar="REDIS_EXPORTER_REDIS_ONLY_METRICS",
            help="Do not export metrics of the exporter's own process.",
        ),
    ] = False,
    no_scrape: Annotated[
        bool,
        typer.Option(
            "--disable-scrape-endpoint", envvar="REDIS_EXPORTER_DISABLE_SCRAPE_ENDPOINT", help="Do not serve /scrape."
        ),
    ] = False,
    metrics_path: Annotated[
        str,
        typer.Option(
            "--web.telemetry-path",
            metavar="PATH",
            envvar="REDIS_EXPORTER_WEB_TELEMETRY_PATH",
            help="Path of the metrics.",
        ),
    ] = "/metrics",
    connection_timeout: Annotated[
        str,
        typer.Option(
            "--connection-timeout",
            metavar="TIME",
            envvar="REDIS_EXPORTER_CONNECTION_TIMEOUT",
            help="Time that a server may take to answer; less if Prometheus allows less.",
        ),
    ] = "15s",
    user: Annotated[
        str | None,
        typer.Option(
            "--redis.user", metavar="NAME", envvar="REDIS_USER", help="User name for servers whose URL has none."
        ),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--redis.password-file",
            metavar="FILE",
            envvar="REDIS_PASSWORD_FILE",
            help="File with the password in its first line, for servers whose URL has none; or JSON with a password for"
            ' each address, {"redis://10.0.0.1:6379": "…"}. Default: REDIS_PASSWORD.',
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--tls-ca-cert-file",
            metavar="FILE",
            envvar="REDIS_EXPORTER_TLS_CA_CERT_FILE",
            help="CA certificates with which to verify rediss:// servers.",
        ),
    ] = None,
    cert_file: Annotated[
        Path | None,
        typer.Option(
            "--tls-client-cert-file",
            metavar="FILE",
            envvar="REDIS_EXPORTER_TLS_CLIENT_CERT_FILE",
            help="Client certificate for rediss:// servers.",
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--tls-client-key-file",
            metavar="FILE",
            envvar="REDIS_EXPORTER_TLS_CLIENT_KEY_FILE",
            help="Private key of that certificate.",
        ),
    ] = None,
    no_verification: Annotated[
        bool,
        typer.Option(
            "--skip-tls-verification",
            envvar="REDIS_EXPORTER_SKIP_TLS_VERIFICATION",
            help="Do not verify the certificates of rediss:// servers.",
        ),
    ] = False,
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
    SLOWLOG and LATENCY, and reads no key. A server that hangs has redis_up 0 before the scrape times out. Flags and
    environment variables of redis_exporter work, also with one dash (-redis.addr); an unsupported one is refused by name.

    \b
    Examples:
      necropsy exporter --redis redis://127.0.0.1:6379
      necropsy exporter --redis redis://127.0.0.1:6379 --sessions 10m --incident incident.toml
      necropsy exporter --redis A=redis://10.0.0.1 --redis B=rediss://10.0.0.2:6380 --listen 127.0.0.1:9122
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.cli.census import COMMAND
    from necropsy.guard.allocator import stay_small
    from necropsy.guard.census.schedule import CensusSchedule
    from necropsy.guard.census.worker import Asked
    from necropsy.guard.exporter.site import Exporter
    from necropsy.guard.exporter.target import Options
    from necropsy.guard.web import Site, read_web_config, serve
    from necropsy.wire.redis.address import Tls

    site_options = Options(
        namespace=namespace,
        include_system_metrics=system_metrics,
        exclude_latency_histogram_metrics=no_histograms,
        append_instance_role_label=role_label,
        include_empty_databases=empty_databases,
        redis_only_metrics=redis_only,
        timeout_s=seconds("--connection-timeout", connection_timeout),
    )
    stay_small()
    files = [str(file) if file else None for file in (ca_file, cert_file, key_file)]
    tls = Tls(ca_certificates=files[0], certificate=files[1], key=files[2], verify=not no_verification)
    given = redis or ["redis://127.0.0.1:6379"]
    named = addresses(given, password_file, user, tls)
    census = None
    if sessions is not None:

        def stores() -> tuple[tuple[str, str], ...]:
            return tuple(
                (name, _whole(address, url_of(text))) for (name, address), text in zip(named, given, strict=True)
            )

        asked = Asked(stores(), str(incident) if incident else None)
        every_s = seconds("--sessions", sessions, least=SHORTEST_CENSUS_S)
        warn = troubles(lambda text: typer.echo(f"warning: {text}", err=True))
        census = CensusSchedule(COMMAND, asked, every_s, warn, stores)
    elif incident is not None:
        raise UsageError("--incident needs --sessions", hint="Add --sessions 10m.")
    shown = Exporter(named, site_options, census)
    routes = shown.routes()
    routes[metrics_path] = routes["/metrics"]
    for left in [*(["/metrics"] if metrics_path != "/metrics" else []), *(["/scrape"] if no_scrape else [])]:
        del routes[left]
    site = Site(routes, read_web_config(web_config) if web_config else None)
    server = serve(listen, site)
    names = ", ".join(f"{name} ({target.address.masked})" for name, target in shown.targets.items())
    if census is not None:
        census.start()
    try:
        serve_until_stopped(server, site, names)
    finally:
        shown.close()
        if census is not None:
            census.stop()


def troubles(warn: Callable[[str], None]) -> Callable[[CensusSchedule], None]:
    """Return what says after each census why it failed, and which stores it could not read; once, until that changes."""
    said: list[str] = []

    def say(census: CensusSchedule) -> None:
        unread = census.taken.unread if census.taken is not None and not census.error else ()
        now = [f"the sessions in store {name} are not counted: {why}" for name, why in unread]
        now += [f"the sessions could not be counted: {census.error}"] if census.error else []
        for text in now:
            if text not in said:
                warn(text)
        said[:] = now

    return say


def addresses(
    given: list[str], password_file: Path | None, user: str | None = None, tls: Tls | None = None
) -> list[tuple[str, Address]]:
    """Return name and address of each server; a server without a name is called by its host and port.

    User, password and TLS settings are for the servers whose URL has none.

    Raises
    ------
    UsageError
        Two servers have one name, or the password file cannot be read.
    """
    from necropsy.wire.redis.address import PASSWORD_VARIABLES, Tls, parse_address

    environ = dict(os.environ)
    of_all, of_each = _passwords(password_file)
    password = of_all or environ.get("REDIS_PASSWORD")
    if password:
        environ[PASSWORD_VARIABLES[0]] = password
    found: dict[str, Address] = {}
    for text in given:
        bare = parse_address(url_of(text), environ={})
        own = of_each.get(str(bare.endpoint))
        address = parse_address(url_of(text), environ=environ if own is None else {PASSWORD_VARIABLES[0]: own})
        if password_file is not None and bare.password is None and (own or of_all):
            address = replace(address, read_again=partial(_password_of, password_file, str(bare.endpoint)))
        if address.username is None and user and address.password is not None:
            address = replace(address, username=user)
        if tls is not None and address.tls == Tls():
            address = replace(address, tls=tls)
        name = text.partition("=")[0] if url_of(text) != _with_scheme(text) else str(address.endpoint)
        if name in found:
            raise UsageError(f"two servers have the name {name!r}", hint="Give each a name of its own: NAME=redis://…")
        found[name] = address
    return list(found.items())


def _password_of(file: Path, endpoint: str) -> Secret | None:
    """Return the password of one server as the file has it now."""
    from necropsy.wire.redis.address import Secret

    of_all, of_each = _passwords(file)
    password = of_each.get(endpoint) or of_all
    return Secret(password) if password else None


def _passwords(file: Path | None) -> tuple[str | None, dict[str, str]]:
    """Return the password for all, and those of single servers by host and port, as a file has the one or the others."""
    from necropsy.wire.redis.address import is_address, parse_address

    if file is None:
        return None, {}
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text"
        raise UsageError(f"{file}: {reason}", hint="Name a file whose first line is the password.") from error
    if not text.lstrip().startswith("{"):
        return text.partition("\n")[0], {}
    try:
        said = json.loads(text)
    except ValueError:
        said = {"": None}
    if not all(isinstance(value, str) and is_address(_with_scheme(url)) for url, value in said.items()):
        hint = 'Write {"redis://10.0.0.1:6379": "PASSWORD"}, or the password alone.'
        raise UsageError(f"{file}: is not JSON with a password for each address", hint=hint)
    return None, {str(parse_address(_with_scheme(url), environ={}).endpoint): value for url, value in said.items()}


def _whole(address: Address, url: str) -> str:
    """Return a URL with all that its address holds, for the process that counts sessions: by its standard input, no argument."""
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    options.pop("password_file", None)
    if address.tls is not None:
        tls = address.tls
        files = {"ssl_ca_certs": tls.ca_certificates, "ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
        options |= {name: file for name, file in files.items() if file}
        if not tls.verify:
            options["ssl_cert_reqs"] = "none"
    place = place.rpartition("@")[2]
    password = address.current_password
    if password is not None:
        place = f"{quote(address.username or '', safe='')}:{quote(password.reveal(), safe='')}@{place}"
    return f"{scheme}://{place}" + (f"?{urlencode(options)}" if options else "")


def url_of(text: str) -> str:
    """Return the address in ``[NAME=]URL``.

    >>> url_of("A=redis://a"), url_of("redis://a?password_file=x"), url_of("10.0.0.1:6379")
    ('redis://a', 'redis://a?password_file=x', 'redis://10.0.0.1:6379')
    """
    name, separator, url = text.partition("=")
    return _with_scheme(url if separator and "://" not in name else text)


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"redis://{url}"
