"""``necropsy lint``: the findings of configuration alone, for continuous integration."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from necropsy.cli import output
from necropsy.cli.options import (
    BlackboxVersionOption,
    ColorOption,
    ConsulVersionOption,
    FailOn,
    FailOnOption,
    Format,
    PrometheusVersionOption,
)
from necropsy.model.errors import NotJudged


class LintFormat(StrEnum):
    """Formats of the findings."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    DIFF = "diff"


def lint(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Configuration files or folders, recognised by their content. Default: this folder.",
        ),
    ] = None,
    prometheus_version: PrometheusVersionOption = None,
    blackbox_version: BlackboxVersionOption = None,
    consul_version: ConsulVersionOption = None,
    format: Annotated[  # noqa: A002 -- the option's name
        LintFormat,
        typer.Option(
            "--format",
            "-f",
            help="Output format; github: annotations, diff: the patches.",
            case_sensitive=False,
        ),
    ] = LintFormat.TEXT,
    fail_on: FailOnOption = FailOn.INFO,
    color: ColorOption = None,
) -> None:
    """Check the configuration of the monitoring: wrong paths, lost targets, dead rules, duplicates, stale services.

    Contacts no server. Files of Prometheus, blackbox exporter, Consul (JSON, HCL, saved answers), nginx and other
    probers belong together: give all of them. Sources and settings of applications are read as well, for places that
    start a session for every visitor or set no expiry. The exit code is that of the most severe finding. Without a
    finding it is 1 if a file is refused or cannot be read, else 4 if something could not be judged.

    \b
    Examples:
      necropsy lint
      necropsy lint prometheus.yml blackbox.yml consul/ nginx.conf
      necropsy lint deploy/ --format github --fail-on warning
      necropsy lint deploy/ --format sarif > necropsy.sarif
      necropsy lint --format diff | patch -p1
    """  # noqa: D301 -- \b is click's mark for text that is not to be wrapped
    from necropsy.autopsy.linting import lint as examine
    from necropsy.report.commands import lint as lines

    linted = examine(
        files or ["."],
        prometheus_version=prometheus_version,
        blackbox_version=blackbox_version,
        consul_version=consul_version,
    )
    if format is LintFormat.TEXT:
        color = output.use_color(color)
        text = lines.render(
            linted.report, linted.refused, linted.files, linted.unjudged, width=output.width(), color=color
        )
    elif format is LintFormat.GITHUB:
        text = lines.render_github(linted.report, linted.refused)
    elif format is LintFormat.DIFF:
        text = lines.render_diff(linted.report)
    else:
        text = output.render(linted.report, Format(format.value))
    output.say(text)
    code = output.exit_code(linted.report, fail_on) or (1 if linted.refused else 0)
    raise typer.Exit(code or (NotJudged.exit_code if linted.unjudged else 0))
