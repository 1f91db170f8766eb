"""A health check that names no path asks for ``/``: write the path where each format wants it.

::

    option httpchk                 →  option httpchk /health
    health_check {                 →  health_check {
      interval = 10                       path = "/health"
    httpGet: {port: 8080}          →  httpGet: {path: /health, port: 8080}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from necropsy.treat.edits.text import Insertion, line_end, newline_of

_HTTPCHK: Final = re.compile(r"^\s*option\s+httpchk(?=\s*(?:#|$))")
_SEND: Final = re.compile(r"^\s*http-check\s+send\b(?![^#\n]*\suri\s)")
_NGINX: Final = re.compile(r"\bhealth_check\b(?![^;#]*\buri=)")
_BLOCK: Final = re.compile(r"^(\s*)health_check\s*\{\s*(?:[#/].*)?$")
_FLOW: Final = re.compile(r"\bhttpGet:\s*\{\s*")
_QUOTED: Final = re.compile(r'^[\s{,]*(?=")')


def absent_path(text: str, line: int, kind: str, health: str) -> Insertion | None:
    """Return the edit that names the path of a check on whose line none is written; None: not in a form that is known.

    Parameters
    ----------
    line
        Of the check, from 1.
    kind
        Of the probe: ``haproxy-httpchk``, ``elb-http``, ``kubelet-http``, ``nginx-health-check``.
    """
    known = _KINDS.get(kind)
    start, end = line_end(text, line - 1), line_end(text, line)
    found = known(text[start:end].rstrip("\r\n"), health, newline_of(text)) if known is not None else None
    return None if found is None else Insertion(start + found[0], found[1])


def _haproxy(written: str, health: str, _newline: str) -> tuple[int, str] | None:
    if found := _HTTPCHK.search(written):
        return found.end(), f" {health}"
    found = _SEND.search(written)
    return (found.end(), f" uri {health}") if found else None


def _nginx(written: str, health: str, _newline: str) -> tuple[int, str] | None:
    found = _NGINX.search(written)
    return (found.end(), f" uri={health}") if found else None


def _load_balancer(written: str, health: str, newline: str) -> tuple[int, str] | None:
    """Return it for a block of Terraform, or before the first property of a target group of CloudFormation."""
    if found := _BLOCK.match(written):
        return len(written), f'{newline}{found[1]}  path = "{health}"'
    if found := _QUOTED.match(written):
        return found.end(), f'"HealthCheckPath": "{health}", '
    if re.match(r"\s*[A-Z]\w+:", written):
        indent = written[: len(written) - len(written.lstrip())]
        return 0, f"{indent}HealthCheckPath: {health}{newline}"
    return None


def _kubelet(written: str, health: str, newline: str) -> tuple[int, str] | None:
    if found := _FLOW.search(written):
        return found.end(), f"path: {health}, "
    if re.match(r"\s*(?:port|scheme|host|httpHeaders):", written):
        indent = written[: len(written) - len(written.lstrip())]
        return 0, f"{indent}path: {health}{newline}"
    return None


_KINDS: Final[dict[str, Callable[[str, str, str], tuple[int, str] | None]]] = {
    "haproxy-httpchk": _haproxy,
    "nginx-health-check": _nginx,
    "elb-http": _load_balancer,
    "kubelet-http": _kubelet,
}
