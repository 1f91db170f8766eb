"""Serving until somebody ends it: the exporter and the prober."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import typer

from necropsy.cli.signals import told_of
from necropsy.guard.web import address_of, drain

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from necropsy.guard.web import Site

_DRAIN_S: Final = 10.0


def serve_until_stopped(
    server: ThreadingHTTPServer, site: Site, what: str, reload: Callable[[], None] | None = None
) -> None:
    """Answer requests until Ctrl-C or SIGTERM; then finish those that were taken, and close the server.

    Parameters
    ----------
    server, site
        Bound already, and its routes.
    what
        What it serves, for the line that announces it on standard error.
    reload
        What SIGHUP does; None: it ends the process, as it does by default.
    """
    numbers = (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if reload is not None else ()))
    with told_of(*numbers) as next_signal:
        threading.Thread(target=server.serve_forever, name="web", daemon=True).start()
        typer.echo(f"Listening on {address_of(server, site)}: {what}", err=True)
        while next_signal() == signal.SIGHUP and reload is not None:
            reload()
        answered = drain(server, site, _DRAIN_S)
    typer.echo("Stopped." if answered else "Stopped; some requests were not answered in time.", err=True)
