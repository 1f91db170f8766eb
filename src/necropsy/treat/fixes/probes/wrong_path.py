"""``probes/wrong-path``: a path that somebody wrote by hand is replaced where it stands, in any prober's file.

Kubernetes probes, load balancers (Terraform, CloudFormation), HAProxy, compose, Gatus, Uptime Kuma, Consul's checks: each
knows the line that names its path, or its URL. On that line the path alone is exchanged, or written where nobody wrote one,
and all is simulated again: the patch is kept only if exactly the accused requests ask for the health endpoint now, and no
other request changed. Targets of the blackbox exporter are patched where somebody wrote the URL: as the target, as a label,
as the parameter ``target`` of a job, or in the relabel rule that makes it of an address. What Consul knows is
``health_endpoint``'s.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from necropsy.model.figures import several
from necropsy.model.finding import Remedy
from necropsy.probes.session_risk import asks_for_page, is_page
from necropsy.treat.edits.absent_path import absent_path
from necropsy.treat.edits.target_rule import name_path
from necropsy.treat.edits.text import Insertion, line_end
from necropsy.treat.fixes.interface import Edits, Fix, FixContext, asked

if TYPE_CHECKING:
    from necropsy.model.evidence import Origin
    from necropsy.model.probe import Probe
    from necropsy.probes.configuration_file import ConfigurationFile
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
    if probe.origin[0].what.startswith("label "):
        return probe.origin[0]
    target = _target(probe)
    if target is not None and "://" in target.what:
        return target
    return probe.origin[0] if _made_by_rule(probe) else _parameters(probe)


def _target(probe: Probe) -> Origin | None:
    return next((one for one in probe.origin if one.what.startswith("target ")), None)


def _made_by_rule(probe: Probe) -> bool:
    """Whether a relabel rule makes the URL of an address."""
    return "__param_target" in probe.origin[0].what


def _parameters(probe: Probe) -> Origin | None:
    return next((one for one in probe.origin if one.what == "params"), None)


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
    changes: dict[tuple[str, int], Insertion] = {}
    for probe in _wrong(context):
        health = _health(probe, context.simulation)
        origin = _written(probe)
        file = next((one for one in context.files if origin is not None and one.name == origin.file), None)
        if health is None or file is None or origin is None:
            return {}
        change = _change(context, probe, file, origin, health)
        if change is None or changes.setdefault((file.name, change.offset), change) != change:
            return {}  # two that are asked for different paths cannot share one line
    edits: Edits = {}
    for (name, _), change in changes.items():
        edits.setdefault(name, []).append(change)
    return edits


def _edit_targets(context: FixContext) -> Edits:
    """Write the path behind each address of which a rule makes a URL: where not all of the rule are asked for one."""
    edits: Edits = {}
    for probe in _wrong(context):
        health, target = _health(probe, context.simulation), _target(probe)
        if health is None or target is None or probe.kind != _BLACKBOX or probe.path not in {"", "/"}:
            return {}
        text = context.text(target.file)
        begin, end = line_end(text, target.line - 1), line_end(text, target.line)
        written = re.compile(
            rf"""(?<![\w.:/-]){re.escape(target.what.removeprefix("target "))}{_BEHIND}""", re.MULTILINE
        )
        for found in written.finditer(text, begin, end):
            start = found.end() - (1 if found[0].endswith("/") else 0)  # an address may end with the slash of its path
            edits.setdefault(target.file, []).append(Insertion(start, health, found.end()))
    return edits


def _change(
    context: FixContext, probe: Probe, file: ConfigurationFile, origin: Origin, health: str
) -> Insertion | None:
    if probe.kind == _BLACKBOX and origin is probe.origin[0] and _made_by_rule(probe):
        return name_path(file.text, context.tree(file), origin.line, probe.path or "/", health)
    lines = 1 if probe.kind == _BLACKBOX and origin.what != "params" else _LINES
    absent = absent_path(file.text, origin.line, probe.kind, health) if probe.path in {"", "/"} else None
    change = _exchange(file.text, origin.line, probe.path or "/", health, lines)
    if change is None or probe.kind == _OF_NGINX:  # where location / stands on the line as well
        change = absent or change
    return change


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
    gone = Counter((probe.prober, probe.method, probe.url) for probe in wrong)
    then, now = Counter(asked(before.simulation)), Counter(asked(after.simulation))
    added = now - then  # counted, as an instance may be asked for its health endpoint by another check already
    if not gone or then - now != gone or _targets(added) != _targets(gone):
        return ""
    paths = sorted({urlsplit(url).path for _, _, url in added})
    meant = {urlsplit(f"//host{health}").path for probe in wrong if (health := _health(probe, before.simulation))}
    if not meant.issuperset(paths):  # such as //health, where the address ends with a slash
        return ""
    return f"{several(len(wrong), 'probe')} {'requests' if len(wrong) == 1 else 'request'} {', '.join(paths)} instead"


def _targets(requests: Counter[tuple[str, str, str]]) -> Counter[tuple[str, str, str]]:
    """Count who asks which host, whatever the path."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for (prober, method, url), count in requests.items():
        counted[prober, method, urlsplit(url).netloc] += count
    return counted


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


_SLUGS: Final = ("probes/wrong-path", "probes/creates-sessions")
FIX: Final = Fix(_SLUGS, _edit, _effect, remedy=_remedy)
BY_TARGET: Final = Fix(_SLUGS, _edit_targets, _effect, remedy=_remedy)
