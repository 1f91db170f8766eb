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
        help="How to render the report; by default what the suffix of --output says, else text.",
        case_sensitive=False,
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write the report here instead of standard output (-).")
]
ColorOption = Annotated[
    bool | None,
    typer.Option(
        "--color/--no-color", help="Colours; by default when standard output is a terminal and NO_COLOR is not set."
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary on standard error.")]
PatchesOption = Annotated[
    bool, typer.Option("--patches", help="Show the diffs of all patches below the verdict (format text).")
]
FailOnOption = Annotated[
    FailOn, typer.Option("--fail-on", help="Exit 11, 12 or 13 only for findings at least this severe.")
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
        help="How a live store is read: its replication stream, SCAN by read-only scripts, or by plain commands."
        " By default the fastest that the server permits within --max-impact."
    ),
]
FormerReadMethodOption = Annotated[
    ReadMethod | None, typer.Option("--redis-way", hidden=True, help="The former name of --read-method.")
]
"""The name that ``--read-method`` had."""
ImpactOption = Annotated[
    str, typer.Option(metavar="TIME", help="Latency that may be added for the store's other clients: 1ms, 500us.")
]
PasswordOption = Annotated[
    bool,
    typer.Option(
        "--redis-ask-password",
        help="Ask for the password. Else NECROPSY_REDIS_PASSWORD, REDISCLI_AUTH, or ?password_file=FILE in the address.",
    ),
]
PrometheusOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|URL",
        help="Prometheus configuration, or http://HOST:9090 of a running one. Repeatable.",
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
            "Consul: service definitions (JSON, HCL), saved API answers, a folder, or http://HOST:8500 of a running one;"
            " ADDRESS=FILE names the node. Repeatable."
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
        help="Another prober or discovery: kubernetes, haproxy, compose, terraform, gatus, http_sd … Repeatable.",
    ),
]
PrometheusVersionOption = Annotated[
    str | None, typer.Option(metavar="VERSION", help="Version of Prometheus, for rules that changed.")
]
BlackboxVersionOption = Annotated[
    str | None, typer.Option(metavar="VERSION", help="Version of the blackbox exporter, as 0.28.0.")
]
ConsulVersionOption = Annotated[str | None, typer.Option(metavar="VERSION", help="Version of Consul, as 1.20.")]
HostOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Name of Prometheus' host: makes the moments of scrapes computable.")
]
FieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="FIELD=KEY",
        help="Key of JSON (LTSV, logfmt) that holds a field: client=remote_ip, agent=ua.",
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Where access logs are read and analysed, if not here: spark://HOST:PORT, or another engine that Ibis connects to.",
    ),
]


class TextOrJson(StrEnum):
    """Formats of a result that has no page: text for people, JSON for programs."""

    TEXT = "text"
    JSON = "json"


TextOrJsonOption = Annotated[TextOrJson, typer.Option("--format", "-f", help="Text or JSON.", case_sensitive=False)]
StoreAddressOption = Annotated[
    str | None, typer.Option("--redis", help="Address of the store: redis://, rediss:// or unix://.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
ListenOption = Annotated[
    str, typer.Option("--listen", "--web.listen-address", metavar="HOST:PORT", help="Where to listen.")
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
