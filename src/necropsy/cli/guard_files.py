"""``necropsy guard dashboards`` and ``scrape``: files for what stands around a guard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from necropsy.model.errors import NecropsyError, UsageError

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Write into this folder.")]
Prometheus = Annotated[
    str, typer.Option("--prometheus", metavar="URL", help="Where Grafana finds Prometheus.", show_default=True)
]


def dashboards(out: Out, prometheus: Prometheus = "http://127.0.0.1:9090") -> None:
    """Write three dashboards for Grafana (one store, all stores, probes), and the files by which it finds them.

    \b
    Examples:
      necropsy guard dashboards --out grafana
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.guard.around.dashboards import files

    written(out, files(prometheus))
    typer.echo(
        f"Wrote {out}. Copy its provisioning into Grafana's own, and dashboards to /etc/grafana/dashboards.", err=True
    )


def scrape(
    config: Annotated[Path, typer.Argument(metavar="GUARD.TOML", help="The file of `necropsy guard run`.")],
    out: Out,
    probe: Annotated[
        list[str] | None, typer.Option("--probe", metavar="URL", help="An address to ask; may be repeated.")
    ] = None,
    module: Annotated[str, typer.Option("--module", metavar="NAME", help="Module of the prober.")] = "http_2xx",
    alertmanager: Annotated[
        list[str] | None, typer.Option("--alertmanager", metavar="HOST:PORT", help="Where alerts go; may be repeated.")
    ] = None,
) -> None:
    """Write prometheus.yml for a guard: its own metrics, each of its stores, and probes that go through it.

    \b
    Examples:
      necropsy guard scrape guard.toml --probe http://10.0.0.1:8080/health --out /etc/prometheus
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.incident_file import load
    from necropsy.guard.around.scrape import as_yaml
    from necropsy.guard.configuration import read_guard
    from necropsy.guard.rules import as_yaml as rules

    for url in probe or []:
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise UsageError(
                "an address of --probe holds a password, which every reader of Prometheus' labels would see",
                hint="Leave it out, and give it in the prober's module: basic_auth.",
            )
    guard = read_guard(str(config))
    stores = [store.name for store in load(str(config)).stores]
    text = as_yaml(guard.listen, stores, probe or [], module, alertmanager or [])
    written(out, {"prometheus.yml": text, "necropsy.rules.yml": rules()})
    typer.echo(f"Wrote {out / 'prometheus.yml'} and the rules beside it.", err=True)


def written(out: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder.

    Raises
    ------
    NecropsyError
        It cannot be written.
    """
    for name, text in files.items():
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            hint = "Name another folder with --out."
            raise NecropsyError(f"{path}: cannot write: {error.strerror}", hint=hint) from error
