"""``monitoring/log-blind-spot``: switch the proxy's access log on where it is off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from necropsy.probes.nginx.tokens import Directive, read
from necropsy.treat.edits.text import Insertion, line_end, newline_of
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.model.probe import UpstreamPort

_OFF: Final = re.compile(r"\baccess_log(\s+)off(\s*);")
_DEFAULT_LOG: Final = "/var/log/nginx/access.log"


def _silent(context: FixContext) -> list[UpstreamPort]:
    """Proxies that are probed and log nothing."""
    probed = {probe.port for probe in context.simulation.probes if probe.creates_sessions and probe.kind != "scrape"}
    return [b for b in context.simulation.backends if b.role == "proxy" and not b.access_log and b.port in probed]


def _edit(context: FixContext) -> Edits:
    log = next(
        (b.access_log for b in context.simulation.backends if b.access_log and "$" not in b.access_log), _DEFAULT_LOG
    )
    if not log.startswith("/"):
        log = _DEFAULT_LOG
    edits: Edits = {}
    places = {(b.origin.file, b.origin.line) for b in _silent(context) if b.origin is not None}
    for file in context.of_kind("nginx"):
        lines = sorted(line for name, line in places if name == file.name)
        found = [
            edit for line in lines for edit in _of(file.text, context.documents.parsed(file, read) or (), line, log)
        ]
        if found:
            edits[file.name] = list(dict.fromkeys(found))
    return edits


def _of(text: str, directives: Iterable[Directive], line: int, log: str) -> list[Insertion]:
    server = next(
        (s for s in _servers(directives) if any(d.name == "listen" and d.line == line for d in s.block or ())), None
    )
    if server is None:
        return []
    own = next((d for d in server.block or () if d.name == "access_log" and d.arguments[:1] == ("off",)), None)
    start, end = line_end(text, (own.line if own else line) - 1), line_end(text, own.line if own else line)
    written = text[start:end]
    if own is not None:
        match = _OFF.search(written)
        return (
            [Insertion(start + match.start(), f"access_log{match[1]}{log}{match[2]};", start + match.end())]
            if match
            else []
        )
    if not written.lstrip().startswith("listen"):
        return []
    indent = written[: len(written) - len(written.lstrip())]
    return [Insertion(end, f"{indent}access_log {log};{newline_of(text)}")]


def _servers(directives: Iterable[Directive]) -> Iterator[Directive]:
    for directive in directives:
        if directive.name == "server" and directive.block is not None:
            yield directive
        elif directive.block:
            yield from _servers(directive.block)


def _effect(before: FixContext, after: FixContext) -> str:
    ports = sorted({backend.port for backend in _silent(before)})
    if not ports or _silent(after) or len(after.simulation.problems) > len(before.simulation.problems):
        return ""
    return f"requests to port {', '.join(map(str, ports))} are logged"


FIX: Final = Fix(("monitoring/log-blind-spot",), _edit, _effect)
