"""Options that several commands share: one name, one meaning, one help text."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from necropsy.model.errors import UsageError


class Format(StrEnum):
    """Formats of a report."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"
    SARIF = "sarif"


class FailOn(StrEnum):
    """Least severity that makes the exit code say so."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    NEVER = "never"


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        help="Output format. Default: by the suffix of --output, else text.",
        case_sensitive=False,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write the report to this file instead of standard output (-)."
    ),
]
ColorOption = Annotated[
    bool | None,
    typer.Option(
        "--color/--no-color", help="Use colours. Default: if standard output is a terminal and NO_COLOR is not set."
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no summary on standard error.")]
PatchesOption = Annotated[
    bool, typer.Option("--patches", help="Show the diffs of all patches below the verdict, in text output.")
]
FailOnOption = Annotated[
    FailOn, typer.Option("--fail-on", help="Exit with 11, 12 or 13 only for findings of at least this severity.")
]


class ReadMethod(StrEnum):
    """Read methods of a live store."""

    AUTO = "auto"
    STREAM = "stream"
    SCRIPT = "script"
    PIPELINE = "pipeline"


ReadMethodOption = Annotated[
    ReadMethod,
    typer.Option(
        help="How to read a live store: by its replication stream, by SCAN in read-only scripts (script), or by SCAN"
        " and plain commands (pipeline). auto: the fastest that the server permits within --max-impact."
    ),
]
FormerReadMethodOption = Annotated[
    ReadMethod | None, typer.Option("--redis-way", hidden=True, help="The former name of --read-method.")
]
"""The name that ``--read-method`` had."""
ImpactOption = Annotated[
    str, typer.Option(metavar="TIME", help="Maximum latency to add for the store's other clients: 1ms, 500us.")
]
PasswordOption = Annotated[
    bool,
    typer.Option(
        "--redis-ask-password",
        help="Ask for the password. Otherwise it is taken from NECROPSY_REDIS_PASSWORD, REDISCLI_AUTH, or"
        " ?password_file=FILE in the address.",
    ),
]
PrometheusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|URL",
        help="Prometheus configuration, or http://HOST:9090 of a running server. Repeatable.",
    ),
]
BlackboxOption = Annotated[
    list[str] | None, typer.Option(metavar="FILE", help="blackbox exporter configuration. Repeatable.")
]
ConsulOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|URL",
        help=(
            "Consul: service definitions (JSON, HCL), saved API answers, a folder, or http://HOST:8500 of a running"
            " agent. ADDRESS=FILE gives the node's address. Repeatable."
        ),
    ),
]
NginxOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FILE", help="nginx configuration; its includes are followed. Repeatable."),
]
KubernetesOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="Kubernetes manifests, or what `kubectl get -A -o yaml` prints: files or folders. Repeatable.",
    ),
]
ProberOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND=FILE",
        help="Configuration of another prober or service discovery: kubernetes, haproxy, compose, terraform, gatus,"
        " http_sd … Repeatable.",
    ),
]
PrometheusVersionOption = Annotated[
    str | None,
    typer.Option(metavar="VERSION", help="Version of Prometheus, for behaviour that depends on it: 2.53, 3.1."),
]
BlackboxVersionOption = Annotated[
    str | None, typer.Option(metavar="VERSION", help="Version of the blackbox exporter: 0.28.0.")
]
ConsulVersionOption = Annotated[str | None, typer.Option(metavar="VERSION", help="Version of Consul: 1.20.")]
HostOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Host name of the Prometheus server, to compute when it sends each probe."),
]
FieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="FIELD=KEY",
        help="Key of a field in JSON, LTSV or logfmt: client=remote_ip, agent=ua. Repeatable.",
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Read and analyse access logs on this engine: spark://HOST:PORT, or a database that Ibis supports."
        " Default: DuckDB in this process.",
    ),
]


class TextOrJson(StrEnum):
    """Formats of a result that has no page: text for people, JSON for programs."""

    TEXT = "text"
    JSON = "json"


TextOrJsonOption = Annotated[TextOrJson, typer.Option("--format", "-f", help="Text or JSON.", case_sensitive=False)]
StoreAddressOption = Annotated[
    str | None, typer.Option("--redis", metavar="URL", help="Address of the store: redis://, rediss:// or unix://.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
ListenOption = Annotated[
    str, typer.Option("--listen", "--web.listen-address", metavar="HOST:PORT", help="Address to listen on.")
]
WebConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--web.config.file", metavar="FILE", help="TLS and basic authentication, as for Prometheus' exporters."
    ),
]


def refuse_idle(context: typer.Context, mode: str, used: frozenset[str]) -> None:
    """Refuse options that a mode of a command has no use for: what was asked, and does not happen, is to be said.

    Parameters
    ----------
    mode
        The option that chose the mode, as it is written: ``--undo``.
    used
        Names of the parameters that it does use, as the function has them.

    Raises
    ------
    UsageError
        One of the others was given on the command line.
    """
    names = {parameter.name: max(parameter.opts, key=len) for parameter in context.command.params if parameter.name}
    idle = [
        option
        for name, option in names.items()
        if name not in used
        and option != mode
        and (source := context.get_parameter_source(name)) is not None
        and source.name in ("COMMANDLINE", "ENVIRONMENT")
    ]
    if idle:
        raise UsageError(f"{mode} takes no {', no '.join(idle)}", hint=f"Leave it out, or leave out {mode}.")
