"""Serving until somebody ends it: the exporter and the prober."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from http.server import HTTPServer


def serve_until_stopped(server: HTTPServer, listen: str, what: str, *, secure: bool) -> None:
    """Answer requests until Ctrl-C or SIGTERM, then close the server.

    Parameters
    ----------
    server
        Bound already.
    listen, what, secure
        Its address, what it serves and whether by TLS, for the line that announces it on standard error.
    """

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    typer.echo(f"Listening on http{'s' if secure else ''}://{listen}: {what}", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
    finally:
        server.server_close()
