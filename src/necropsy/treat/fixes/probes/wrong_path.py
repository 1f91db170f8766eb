"""``probes/wrong-path``: a path that somebody wrote by hand is replaced where it stands, in any prober's file.

Kubernetes probes, load balancers (Terraform, CloudFormation), HAProxy, compose, Gatus, Uptime Kuma, Consul's checks: each
knows the line that names its path, or its URL. On that line the path alone is exchanged, or written where nobody wrote one,
and all is simulated again: the patch is kept only if exactly the accused requests ask for the health endpoint now, and no
other request changed. Targets of the blackbox exporter are patched where they are written as URLs; what comes of relabel
rules is ``health_endpoint``'s.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from necropsy.model.figures import several
from necropsy.model.finding import Remedy
from necropsy.probes.session_risk import asks_for_page, is_page
from necropsy.treat.edits.absent_path import absent_path
from necropsy.treat.edits.text import Insertion, line_end
from necropsy.treat.fixes.interface import Edits, Fix, FixContext, asked

if TYPE_CHECKING:
    from necropsy.model.evidence import Origin
    from necropsy.model.probe import Probe
    from necropsy.probes.simulate import Simulation

_BLACKBOX: Final = "blackbox-http"
_OF_NGINX: Final = "nginx-health-check"
_BEHIND: Final = r"""(?=["'\s,)\]}]|$)"""
_LINES: Final = 4
"""Lines from the accused one on, among which the path stands."""


def _wrong(context: FixContext) -> list[Probe]:
    exhibits = [one for one in (context.finding.primary, *context.finding.supporting) if one is not None and one.origin]
    places = {(one.origin.file, one.origin.line) for one in exhibits if one.origin is not None}
    return [
        probe
        for probe in context.simulation.probes
        if asks_for_page(probe)
        and probe.origin
        and (probe.origin[0].file, probe.origin[0].line) in places
        and (probe.kind != _BLACKBOX or probe.prober in context.finding.probers)  # one rule may serve several jobs
    ]


def _written(probe: Probe) -> Origin | None:
    """Return the line on which the URL, or its path, is written."""
    if probe.kind != _BLACKBOX:
        return probe.origin[0]
    return next((one for one in probe.origin if one.what.startswith("target ") and "://" in one.what), None)


def _health(probe: Probe, simulation: Simulation) -> str | None:
    """Return the path that starts no session: the service's own, else the one that all others of this port ask for."""
    if probe.health_path and not is_page(probe.health_path):
        return "/" + probe.health_path.lstrip("/")
    healthy = [one for one in simulation.probes if one.path not in {"", "/"} and _is_health(one)]
    same_port = {one.path for one in healthy if one.port == probe.port}
    everywhere = {one.path for one in healthy}
    found = same_port or everywhere
    return found.pop() if len(found) == 1 else None


def _is_health(probe: Probe) -> bool:
    return probe.creates_sessions and not asks_for_page(probe)


def _edit(context: FixContext) -> Edits:
    edits: Edits = {}
    done: set[tuple[str, int]] = set()
    for probe in _wrong(context):
        health = _health(probe, context.simulation)
        origin = _written(probe)
        file = next((one for one in context.files if origin is not None and one.name == origin.file), None)
        if health is None or file is None or origin is None:
            return {}
        lines = 1 if probe.kind == _BLACKBOX else _LINES
        absent = absent_path(file.text, origin.line, probe.kind, health) if probe.path in {"", "/"} else None
        change = _exchange(file.text, origin.line, probe.path or "/", health, lines)
        if change is None or probe.kind == _OF_NGINX:  # where location / stands on the line as well
            change = absent or change
        if change is None:
            return {}
        if (file.name, change.offset) not in done:
            done.add((file.name, change.offset))
            edits.setdefault(file.name, []).append(change)
    return edits


def _exchange(text: str, line: int, path: str, health: str, lines: int) -> Insertion | None:
    """Return the edit that puts another path in the place of this one, on the accused line or soon after."""
    begin = line_end(text, line - 1)
    end = line_end(text, line - 1 + lines)
    piece = text[begin:end]
    written = re.compile(rf"""(?:(?<=["'\s=:])|(?<=\d)|(?<=://)[^/\s"']+){re.escape(path)}{_BEHIND}""", re.MULTILINE)
    for found in written.finditer(piece):
        start = begin + found.end() - len(path)
        return Insertion(start, health, start + len(path))
    if path == "/":  # a URL that ends with its host, or a path that nobody wrote
        bare = re.search(rf"""\w://[^/\s"',)\]}}]+{_BEHIND}""", piece, re.MULTILINE)
        if bare:
            return Insertion(begin + bare.end(), health, begin + bare.end())
    return None


def _effect(before: FixContext, after: FixContext) -> str:
    wrong = _wrong(before)
    gone = {(probe.prober, probe.method, probe.url) for probe in wrong}
    then, now = set(asked(before.simulation)), set(asked(after.simulation))
    added = now - then
    if not gone or then - now != gone or len(asked(before.simulation)) != len(asked(after.simulation)):
        return ""
    targets = {(prober, method, urlsplit(url).netloc) for prober, method, url in gone}
    if {(prober, method, urlsplit(url).netloc) for prober, method, url in added} != targets:
        return ""
    paths = sorted({urlsplit(url).path for _, _, url in added})
    return f"{several(len(wrong), 'probe')} {'requests' if len(wrong) == 1 else 'request'} {', '.join(paths)} instead"


def _remedy(before: FixContext, after: FixContext | None) -> Remedy | None:
    wrong = _wrong(before)
    if after is None or not wrong:
        return None
    paths = sorted({health for probe in wrong if (health := _health(probe, before.simulation))})
    return Remedy(
        title=f"Point the probes at {', '.join(paths)}",
        text=f"{', '.join(paths)} is the path at which the other targets are probed. Request it once from each target"
        f" by hand, then reload.",
        undo="apply the patches in reverse (patch -R -p1) and reload",
    )


FIX: Final = Fix(("probes/wrong-path", "probes/creates-sessions"), _edit, _effect, remedy=_remedy)
