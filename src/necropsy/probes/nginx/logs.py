"""Log formats, and which access log sees a request.

A level (``http``, ``server``, ``location``) with any ``access_log`` replaces the list of the level above; ``off`` silences a
level whatever else stands there; where nothing is said, nginx writes ``combined`` to its default log (src/http/modules/
ngx_http_log_module.c: ngx_http_log_merge_loc_conf).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.probes.nginx.tokens import Directive

COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
"""Text of the one predefined format."""

_ESCAPES: Final = ("default", "json", "none")


@dataclass(frozen=True, slots=True)
class LogFormat:
    """One ``log_format``: what a line of an access log is made of."""

    name: str
    text: str
    """The parts joined without a separator, as nginx joins them; holds ``$variable`` and ``${variable}``."""
    escape: str
    """``default`` (``\\xHH``), ``json`` or ``none``."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class AccessLog:
    """One destination of access log lines."""

    path: str
    """As written; may hold variables, may begin with ``syslog:``."""
    log_format: str
    """Name of the format."""
    conditional: bool
    """Has ``if=``: not every request is in it."""
    origin: Origin | None
    """None for nginx's built-in default."""


DEFAULT: Final = (AccessLog("logs/access.log", "combined", conditional=False, origin=None),)
"""The default log of nginx; the place of the file was decided when that nginx was built."""


def log_formats(
    directives: Iterable[Directive],
) -> Iterator[LogFormat | ConfigurationError]:
    r"""Yield the formats that the directives of an ``http`` block define.

    >>> from necropsy.probes.nginx.tokens import read
    >>> [f] = log_formats(read('log_format j escape=json \'{"status":\' \'"$status"}\';', "nginx.conf"))
    >>> f.text, f.escape
    ('{"status":"$status"}', 'json')
    """
    for directive in directives:
        if directive.name != "log_format":
            continue
        origin = Origin(directive.file, directive.line)
        name, *parts = directive.arguments or ("",)
        escape = "default"
        if parts and parts[0].startswith("escape="):
            escape = parts.pop(0).removeprefix("escape=")
        if not parts or escape not in _ESCAPES:
            reason = "log_format needs a name and a text" if not parts else f'unknown log format escaping "{escape}"'
            yield ConfigurationError(directive.file, directive.line, reason, hint="Run `nginx -t` on this file.")
            continue
        yield LogFormat(name, "".join(parts), escape, origin)


def access_logs(level: Iterable[Directive], above: tuple[AccessLog, ...]) -> tuple[AccessLog, ...]:
    """Logs that are in force at a level, given those of the level above; empty when switched off."""
    found: list[AccessLog] = []
    said = off = False
    for directive in level:
        if directive.name != "access_log" or not directive.arguments:
            continue
        said = True
        path, *options = directive.arguments
        if path == "off":
            off = True
            continue
        named = options[0] if options and "=" not in options[0] and options[0] != "gzip" else "combined"
        conditional = any(option.startswith("if=") for option in options)
        found.append(AccessLog(path, named, conditional, Origin(directive.file, directive.line)))
    if not said:
        return above
    return () if off else tuple(found)
