"""A health check that asks for a path becomes one that opens a connection and asks nothing.

::

    httpGet: {path: /health, port: 8080}  →  tcpSocket: {port: 8080}      Kubernetes
    option httpchk GET /health            →  option tcp-check             HAProxy

A check that says more than path and port (headers, a scheme, what to expect) is left alone: there is no such check
without a request.
"""

from __future__ import annotations

import re
from typing import Final

from necropsy.treat.edits.text import Insertion, line_end, lines_of

_FLOW: Final = re.compile(r"\bhttpGet:\s*\{([^{}#]*)\}")
_BLOCK: Final = re.compile(r"^\s*(?:- )?(httpGet):\s*(?:#.*)?$")
_FIELD: Final = re.compile(r"\s*(?:path|port):")
_HTTPCHK: Final = re.compile(r"^\s*option\s+(httpchk\b(?:[ \t]+[^\s#]+)*)")


def kubelet_knocks(text: str, line: int) -> list[Insertion]:
    """Turn ``httpGet`` into ``tcpSocket``; ``line``: of its path, from 1. Empty where it says more than path and port."""
    start, end = line_end(text, line - 1), line_end(text, line)
    written = text[start:end]
    if found := _FLOW.search(written):
        fields = [field.strip() for field in found[1].split(",") if field.strip()]
        port = next((field for field in fields if field.startswith("port:")), None)
        if port is None or len(fields) > 2 or any(not _FIELD.match(field) for field in fields):
            return []
        return [Insertion(start + found.start(), f"tcpSocket: {{{port}}}", start + found.end())]
    indent = len(written) - len(written.lstrip())
    if not written.lstrip().startswith("path:"):
        return []
    lines = lines_of(text)
    head = line - 1
    while head >= 0 and (not lines[head].strip() or _indent(lines[head]) >= indent):
        head -= 1
    if head < 0 or (opening := _BLOCK.match(lines[head])) is None:
        return []
    inside = []
    for one in lines[head + 1 :]:
        if one.strip() and _indent(one) < indent:
            break
        if one.strip() and not one.lstrip().startswith("#"):
            inside.append(one)
    if sorted(one.lstrip().partition(":")[0] for one in inside) != ["path", "port"]:
        return []
    at = line_end(text, head) + opening.start(1)
    return [Insertion(at, "tcpSocket", at + len(opening[1])), Insertion(start, "", end)]


def haproxy_knocks(text: str, line: int) -> list[Insertion]:
    """Turn ``option httpchk`` into ``option tcp-check``. Empty where lines say what to send or to expect."""
    start, end = line_end(text, line - 1), line_end(text, line)
    found = _HTTPCHK.match(text[start:end])
    if found is None or re.search(r"^\s*http-check\b", text, re.MULTILINE):
        return []
    return [Insertion(start + found.start(1), "tcp-check", start + found.end(1))]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
