"""``probes/idle-backend``: a rule that drops the port that waits, for as long as discovery itself calls it critical."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.treat.edits.yaml_fields import job_named, quoted, rule_added
from necropsy.treat.fixes.interface import Edits, Fix, FixContext, asked

if TYPE_CHECKING:
    from necropsy.model.probe import Probe
    from necropsy.probes.simulate import Simulation

_SILENT: Final = ("critical", "maintenance")


def _idle_ports(simulation: Simulation) -> set[int]:
    live = {backend.port for backend in simulation.backends if backend.state != "idle"}
    return {backend.port for backend in simulation.backends if backend.state == "idle"} - live


def _asking(simulation: Simulation) -> list[Probe]:
    ports = _idle_ports(simulation)
    return [probe for probe in simulation.probes if probe.port in ports and probe.prober.startswith("prometheus/")]


def _edit(context: FixContext) -> Edits:
    edits: Edits = {}
    asking = _asking(context.simulation)
    for file in context.of_kind("prometheus"):
        for prober in sorted({probe.prober for probe in asking}):
            job = job_named(context.tree(file), prober)
            mine = [probe for probe in asking if probe.prober == prober]
            if job is None:
                continue
            ports = "|".join(sorted({str(probe.port) for probe in mine}))
            regex, sources = f".*:({ports})(/.*)?", "__address__"
            if all(probe.health in _SILENT for probe in mine):
                # When the colours change places, the check says so, and the rule lets the other one go.
                regex, sources = f"{regex};({'|'.join(_SILENT)})", "__address__, __meta_consul_health"
            rule = (f"source_labels: [{sources}]", f"regex: {quoted(regex)}", "action: drop")
            if insertions := rule_added(file.text, job, rule, first=True):
                edits.setdefault(file.name, []).extend(insertions)
    return edits


def _effect(before: FixContext, after: FixContext) -> str:
    gone = {(probe.prober, probe.method, probe.url) for probe in _asking(before.simulation)}
    then, now = set(asked(before.simulation)), set(asked(after.simulation))
    if not gone or then - now != gone or now - then:
        return ""
    by_port = any(probe.health not in _SILENT for probe in _asking(before.simulation))
    ports = ", ".join(str(port) for port in sorted({probe.port for probe in _asking(before.simulation)}))
    caution = "; remove the rule before the idle and the active instance change roles" if by_port else ""
    return f"port {ports} is no longer probed{caution}"


FIX: Final = Fix(("probes/idle-backend",), _edit, _effect)
