"""Flags and variables of redis_exporter, for command lines that were written for it: served, or refused by name.

Its command line is Go's: ``-redis.addr`` is ``--redis.addr``, and a flag may be given as ``-include-system-metrics=true``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import typer.core

from necropsy.model.errors import UsageError

_KEYS: Final = "It reads keys inside each scrape, and makes them look used. Use --sessions 10m."
_NOT_SERVED: Final = "It is not served here: remove it, or keep redis_exporter for this server."
_WEB_CONFIG: Final = "Use --web.config.file, as for Prometheus' exporters."
_OF_KEYS: Final = (
    "check-keys", "check-single-keys", "count-keys", "check-key-groups", "check-streams", "check-single-streams",
    "script",
)  # fmt: skip
_OF_THE_SITE: Final = (
    "basic-auth-username", "basic-auth-password", "basic-auth-hash-password", "tls-server-cert-file",
    "tls-server-key-file", "tls-server-ca-cert-file", "tls-server-min-version",
)  # fmt: skip
_OTHERS: Final = (
    "check-search-indexes", "export-client-list", "export-client-port", "include-config-metrics",
    "include-go-runtime-metrics", "include-modules-metrics", "include-rdb-file-size-metric",
    "include-search-indexes-metrics", "include-sentinel-peer-info", "is-tile38", "config-command",
)  # fmt: skip
_REFUSED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_OF_KEYS, _KEYS),
    **dict.fromkeys(_OF_THE_SITE, _WEB_CONFIG),
    **dict.fromkeys(_OTHERS, _NOT_SERVED),
    "redis.password": "Every user of this machine can read arguments. Use REDIS_PASSWORD, or --redis.password-file FILE.",
}
_WITHOUT_EFFECT: Final = frozenset((
    "check-keys-batch-size", "cluster-discover-hostnames", "debug", "disable-exporting-key-values", "is-cluster",
    "log-format", "log-level", "lua-script-read-only", "max-distinct-key-groups", "ping-on-connect",
    "redact-config-metrics", "set-client-name", "skip-checkkeys-for-role-master", "streams-exclude-consumer-metrics",
))  # fmt: skip
"""Flags about things that are not here (keys, values of the configuration, a log), or that hold at all times."""
_SWITCHES: Final = frozenset((
    "append-instance-role-label", "debug", "cluster-discover-hostnames", "disable-exporting-key-values",
    "disable-scrape-endpoint", "exclude-latency-histogram-metrics", "export-client-list", "export-client-port",
    "include-config-metrics", "include-go-runtime-metrics", "include-metrics-for-empty-databases",
    "include-modules-metrics", "include-rdb-file-size-metric", "include-search-indexes-metrics",
    "include-sentinel-peer-info", "include-system-metrics", "is-cluster", "is-tile38", "lua-script-read-only",
    "ping-on-connect", "redact-config-metrics", "redis-only-metrics", "set-client-name",
    "skip-checkkeys-for-role-master", "skip-tls-verification", "streams-exclude-consumer-metrics",
))  # fmt: skip
"""Flags that need no value."""
_SHORTENED: Final = {
    "INCL_CONFIG_METRICS": "include-config-metrics", "INCL_MODULES_METRICS": "include-modules-metrics",
    "INCL_RDB_FILE_SIZE_METRIC": "include-rdb-file-size-metric", "INCL_SEARCH_INDEXES_METRICS": "include-search-indexes-metrics",
    "INCL_SENTINEL_PEER_INFO": "include-sentinel-peer-info", "INCLUDE_GO_RUNTIME_METRICS": "include-go-runtime-metrics",
}  # fmt: skip
_PREFIX: Final = "REDIS_EXPORTER_"
_FALSE: Final = frozenset(("", "0", "f", "false"))
_GO_FLAG: Final = re.compile(r"--?([a-z][a-z0-9.-]+)(?:=(.*))?", re.DOTALL)


def translated(words: Sequence[str]) -> Iterator[str]:
    """Yield a command line as it is read here.

    Raises
    ------
    UsageError
        A flag of redis_exporter that is not served here, and what to do instead.

    >>> list(translated(["-redis.addr=redis://a", "-include-system-metrics=true", "-is-cluster=false", "--listen", ":1"]))
    ['--redis.addr', 'redis://a', '--include-system-metrics', '--listen', ':1']
    """
    rest = iter(words)
    for word in rest:
        match = _GO_FLAG.fullmatch(word)
        if match is None:
            yield word
            continue
        name, value = match[1], match[2]
        is_off = name in _SWITCHES and value is not None and value.lower() in _FALSE
        if name in _REFUSED and not is_off:
            raise UsageError(f"--{name} is not an option of this exporter", hint=_REFUSED[name])
        if name in _WITHOUT_EFFECT:
            if name not in _SWITCHES and value is None:
                next(rest, None)
        elif name == "include-metrics-for-empty-databases":
            yield f"--no-{name}" if is_off else f"--{name}"
        elif name in _SWITCHES:
            yield from () if is_off else (f"--{name}",)
        else:
            yield f"--{name}"
            yield from () if value is None else (value,)


def refuse_variables(environ: Mapping[str, str]) -> None:
    """Refuse a variable of redis_exporter that asks for what is not served here.

    Raises
    ------
    UsageError
        Its name, and what to do instead.
    """
    for variable, value in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or value.lower() in _FALSE:
            continue
        short = variable.removeprefix(_PREFIX)
        name = _SHORTENED.get(short) or short.lower().replace("_", "-")
        if name in _REFUSED and not (name == "check-search-indexes" and value == ".*"):
            raise UsageError(
                f"{variable} asks for --{name}, which is not an option of this exporter", hint=_REFUSED[name]
            )


class GoCommand(typer.core.TyperCommand):
    """A command that also takes the command lines of redis_exporter."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Translate, and read."""
        if "--help" not in args:
            refuse_variables(os.environ)
            args = list(translated(args))
        read: Any = super().parse_args(ctx, args)
        return list(read)
