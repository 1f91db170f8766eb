"""A health check that names no path asks for ``/``: write the path where each format wants it.

::

    option httpchk                 →  option httpchk /health
    health_check {                 →  health_check {
      interval = 10                       path = "/health"
    httpGet: {port: 8080}          →  httpGet: {path: /health, port: 8080}
    port = 8080 (no health_check)  →  health_check {
                                        path = "/health"
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
_GROUP: Final = re.compile(r'^(\s*)resource\s+"aws_(?:lb|alb)_target_group"\s+"[^"]*"\s*\{\s*(?:[#/].*)?$')
_FLOW: Final = re.compile(r'(")?\bhttpGet"?\s*:\s*\{')
_PROPERTIES: Final = re.compile(r'(")?\bProperties"?\s*:\s*\{')
_QUOTED: Final = re.compile(r'^[\s{,]*(?=")')
_ANNOTATIONS: Final = re.compile(r"\bannotations:\s*\{")
_ANNOTATION: Final = "alb.ingress.kubernetes.io/healthcheck-path"


def absent_path(text: str, line: int, kind: str, health: str) -> Insertion | None:
    """Return the edit that names the path of a check on whose line none is written; None: not in a form that is known.

    Parameters
    ----------
    line
        Of the check, from 1.
    kind
        Of the probe: ``haproxy-httpchk``, ``elb-http``, ``ingress-http``, ``kubelet-http``, ``nginx-health-check``.
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
    return _terraform(written, health, newline) or _cloudformation(written, health, newline)


def _terraform(written: str, health: str, newline: str) -> tuple[int, str] | None:
    """Return it for a block without path, and for a target group without block."""
    if found := _BLOCK.match(written):
        return len(written), f'{newline}{found[1]}  path = "{health}"'
    if found := _GROUP.match(written):
        lines = ("  health_check {", f'    path = "{health}"', "  }")
        return len(written), "".join(f"{newline}{found[1]}{line}" for line in lines)
    return None


def _cloudformation(written: str, health: str, newline: str) -> tuple[int, str] | None:
    """Return it before the first property of a target group."""
    if found := _PROPERTIES.search(written):
        if not found[1]:
            return found.end(), f"HealthCheckPath: {health}, "
        return _first_of_json(written, found.end(), f'"HealthCheckPath": "{health}"', newline)
    if found := _QUOTED.match(written):
        return found.end(), f'"HealthCheckPath": "{health}", '
    if re.match(r"\s*[A-Z]\w+:", written):
        return 0, f"{_indent(written)}HealthCheckPath: {health}{newline}"
    return None


def _ingress(written: str, health: str, newline: str) -> tuple[int, str] | None:
    """Return it before the first annotation."""
    if found := _ANNOTATIONS.search(written):
        return found.end(), f"{_ANNOTATION}: {health}, "
    if re.match(r"\s+[\w./-]+:\s", written):
        return 0, f"{_indent(written)}{_ANNOTATION}: {health}{newline}"
    return None


def _kubelet(written: str, health: str, newline: str) -> tuple[int, str] | None:
    if found := _FLOW.search(written):
        if found[1]:
            return _first_of_json(written, found.end(), f'"path": "{health}"', newline)
        behind = len(written[found.end() :]) - len(written[found.end() :].lstrip())
        return found.end() + behind, f"path: {health}, "
    if re.match(r"\s*(?:port|scheme|host|httpHeaders):", written):
        return 0, f"{_indent(written)}path: {health}{newline}"
    return None


def _first_of_json(written: str, place: int, field: str, newline: str) -> tuple[int, str]:
    """Return a field as the first of the object that opens at a place: on a line of its own where the others are."""
    if written[place:].strip():
        return place, f"{field}, "
    return len(written), f"{newline}{_indent(written)}  {field},"


def _indent(written: str) -> str:
    return written[: len(written) - len(written.lstrip())]


_KINDS: Final[dict[str, Callable[[str, str, str], tuple[int, str] | None]]] = {
    "haproxy-httpchk": _haproxy,
    "nginx-health-check": _nginx,
    "elb-http": _load_balancer,
    "ingress-http": _ingress,
    "kubelet-http": _kubelet,
}
