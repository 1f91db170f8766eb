"""``necropsy prober``: an HTTP prober in place of the blackbox exporter's, which leaks no sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from necropsy.cli.options import ListenOption, WebConfigOption
from necropsy.cli.serving import serve_until_stopped
from necropsy.model.errors import NecropsyError, UsageError


def prober(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "--config.file",
            metavar="FILE",
            help="The blackbox exporter's configuration. Default: one module, http_2xx.",
        ),
    ] = None,
    listen: ListenOption = "127.0.0.1:9115",
    web_config: WebConfigOption = None,
    session: Annotated[
        list[str] | None,
        typer.Option(
            "--session",
            metavar="MODULE=POLICY",
            help="reuse (default): keep the cookies of each target, so that it has one session in all. forbid: fail"
            " if a response starts a session. observe: probe like the blackbox exporter, and report new sessions.",
        ),
    ] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(
            "--store",
            metavar="[NAME=]URL",
            help="Redis server to watch, during the first probes of each target, for sessions that no response shows."
            " Reads no value. Repeatable.",
        ),
    ] = None,
    delegate: Annotated[
        str | None,
        typer.Option(
            "--delegate",
            metavar="URL",
            help="Blackbox exporter for the modules that this prober cannot serve or does not have.",
        ),
    ] = None,
) -> None:
    """Answer /probe as the blackbox exporter's http prober does, without starting a session for each probe.

    Prometheus' configuration stays as it is: only the address of the exporter changes. SIGHUP reloads the
    configuration; if the new file has an error, the old configuration stays in use.

    \b
    Examples:
      necropsy prober --config blackbox.yml
      necropsy prober --config blackbox.yml --session http_2xx=forbid --listen 127.0.0.1:9116
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.cli.exporter import addresses
    from necropsy.guard.allocator import stay_small
    from necropsy.guard.prober.site import ProbeSite
    from necropsy.guard.web import Site, read_web_config, serve

    def warn(text: str) -> None:
        typer.echo(f"warning: {text}", err=True)

    stay_small()
    answering = ProbeSite(config, policies(session or []), delegate, warn, addresses(store or [], None))
    site = Site(answering.routes(), read_web_config(web_config) if web_config else None)
    server = serve(listen, site)

    def reload() -> None:
        try:
            answering.reload()
        except NecropsyError as error:
            typer.echo(f"error: {error.message}\nhint:  {error.hint} The old configuration stays in use.", err=True)
        else:
            typer.echo("Read the configuration again.", err=True)

    serve_until_stopped(server, site, ", ".join(answering.modules), reload)
    answering.close()


def policies(given: list[str]) -> dict[str, str]:
    """Return the policy of each module.

    Raises
    ------
    UsageError
        Not MODULE=POLICY, or an unknown policy.
    """
    from necropsy.guard.prober.probe import POLICIES

    found = {}
    for text in given:
        module, _, policy = text.partition("=")
        if not module or policy not in POLICIES:
            raise UsageError(f"--session {text}: expected MODULE=POLICY", hint=f"Policies: {', '.join(POLICIES)}.")
        found[module] = policy
    return found
