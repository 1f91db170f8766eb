"""``necropsy guard``: files for what stays running."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from necropsy.model.errors import NecropsyError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Files for what stays running beside the stores: Prometheus' rules for the metrics of `necropsy exporter` and"
    " `necropsy prober`.",
)


@app.callback()
def _root() -> None:
    pass


@app.command("rules")
def rules(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write necropsy.rules.yml into this folder. Default: print it."),
    ] = None,
) -> None:
    r"""Write recording and alerting rules for Prometheus, one alert for each way in which sessions get out of hand.

    \b
      necropsy guard rules --out /etc/prometheus/rules
      necropsy guard rules | promtool check rules /dev/stdin
    """
    from necropsy.guard.rules import as_yaml

    text = as_yaml()
    if out is None:
        sys.stdout.write(text)
        return
    path = out / "necropsy.rules.yml"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NecropsyError(
            f"{path}: cannot write: {error.strerror}", hint="Name another folder with --out."
        ) from error
    typer.echo(f"Wrote {path}. Name it under rule_files in prometheus.yml.", err=True)
