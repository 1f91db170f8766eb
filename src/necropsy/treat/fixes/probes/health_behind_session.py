"""``probes/health-behind-session``: have the health path answered before the application, or knock at its port alone.

Requests that come through nginx are answered by it: ``location = /health { return 200; }`` in the server that they reach.
Checks of Consul, Kubernetes and HAProxy that go to the application directly open a TCP connection instead. Both are guesses,
and say so: the check then no longer asks the application how it is. The cure is in the application, where only its authors
can write it. Other probers keep the advice alone: a target group behind an ALB, Gatus or Uptime Kuma ask by HTTP or are
another kind of monitor, with other conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from necropsy.model.figures import several
from necropsy.probes.syntax.hcl import parse_hcl
from necropsy.probes.visibility import location
from necropsy.treat.edits.knock import haproxy_knocks, kubelet_knocks
from necropsy.treat.edits.text import Insertion, line_end, newline_of
from necropsy.treat.edits.yaml_fields import replaced
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.model.probe import Probe
    from necropsy.probes.nginx.servers import Location
    from necropsy.probes.syntax.node import Node

_OF_HTTP: Final = frozenset(
    {"header", "method", "body", "disable_redirects", "tls_skip_verify", "tls_server_name", "http"}
)
"""Fields of a check that a TCP check has not."""
_KNOCKS: Final = {"kubelet-http": kubelet_knocks, "haproxy-httpchk": haproxy_knocks}
_ANSWER: Final = "location = {path} {{ return 200; }}"


def _accused(context: FixContext) -> list[Probe]:
    accused = context.finding.requests
    return [
        probe
        for probe in context.simulation.probes
        if accused & {f"{probe.method} {probe.url}", f"{probe.method} {probe.path.partition('?')[0]}"}
    ]


def _passed_on(context: FixContext, probe: Probe) -> Location | None:
    """Return where nginx hands a request on; None: it does not come through a known nginx, or is answered by it."""
    served = location(probe, context.simulation.proxies)
    return served if served is not None and served.passes else None


def _edit(context: FixContext) -> Edits:
    edits: Edits = {}
    for probe in _accused(context):
        path = probe.path.partition("?")[0]
        served = _passed_on(context, probe)
        if served is not None and served.modifier != "=" and path.isascii() and not set(path) & set(" ;{}\"'$\\"):
            for insertion in _answered(context.text(served.origin.file), served, path):
                _add(edits, served.origin.file, insertion)
        elif served is None and probe.kind == "consul-check":
            for file in context.of_kind("consul"):
                root = context.documents.parsed(file, parse_hcl)
                for insertion in _knocking(file.text, root, probe) if root is not None else ():
                    _add(edits, file.name, insertion)
        elif served is None and probe.kind in _KNOCKS and probe.origin:
            place = probe.origin[0]
            for insertion in _KNOCKS[probe.kind](context.text(place.file), place.line):
                _add(edits, place.file, insertion)
    return edits


def _add(edits: Edits, file: str, insertion: Insertion) -> None:
    if insertion not in edits.setdefault(file, []):
        edits[file].append(insertion)


def _answered(text: str, served: Location, path: str) -> list[Insertion]:
    """Write a location before the one that hands the request on, indented as it is."""
    start, end = line_end(text, served.origin.line - 1), line_end(text, served.origin.line)
    written = text[start:end]
    if not written.lstrip().startswith("location"):
        return []
    indent = written[: len(written) - len(written.lstrip())]
    return [Insertion(start, f"{indent}{_ANSWER.format(path=path)}{newline_of(text)}")]


def _knocking(text: str, root: Node, probe: Probe) -> Iterator[Insertion]:
    """Turn ``http = URL`` of a check into ``tcp = HOST:PORT``."""
    for check in _checks(root):
        url = check.get("http")
        key = check.key("http")
        if url is None or key is None or url.text() != probe.url:
            continue
        if any(check.get(name) is not None for name in _OF_HTTP - {"http"}):
            return
        at = urlsplit(url.text())
        if at.hostname is None or at.scheme != "http":
            return
        value = replaced(text, url, f"{at.hostname}:{at.port or 80}")
        name = text[key.start : key.end]
        if value and "http" in name:
            yield Insertion(key.start, name.replace("http", "tcp"), key.end)
            yield from value


def _checks(node: Node) -> Iterator[Node]:
    """Yield every mapping of a definition, however deep."""
    if node.kind == "mapping":
        yield node
        for _, value in node.pairs:
            yield from _checks(value)
    else:
        for element in node.elements:
            yield from _checks(element)


def _effect(before: FixContext, after: FixContext) -> str:
    accused = _accused(before)
    by_proxy = [probe for probe in accused if _passed_on(before, probe) is not None]
    if any(_passed_on(after, probe) is not None for probe in by_proxy):
        return ""
    now = {(probe.prober, probe.url) for probe in after.simulation.probes}
    direct = [probe for probe in accused if _passed_on(before, probe) is None and (probe.prober, probe.url) not in now]
    if len(before.simulation.probes) != len(after.simulation.probes):
        return ""
    told = []
    if by_proxy:
        paths = ", ".join(sorted({probe.path for probe in by_proxy}))
        told.append(f"nginx itself answers {paths} to {several(len(by_proxy), 'probe')}")
    if direct:
        one = len(direct) == 1
        does = "opens a connection and requests nothing" if one else "open connections and request nothing"
        told.append(f"{several(len(direct), 'check')} {does}")
    if not told:
        return ""
    return (
        f"{'; '.join(told)}. A guess: confirm that something else still checks the application, on a path without"
        " sessions"
    )


FIX: Final = Fix(("probes/health-behind-session",), _edit, _effect, guess=True)
