"""Blackbox probes that ask for a page: let them ask for the health endpoint that the service's own check knows.

Two edits of two programs: each service's definition in Consul names its endpoint in its meta, and a relabel rule of
Prometheus joins the address with it. What Consul will answer once its agents have read the new definitions is foreseen, so
that both together can be simulated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.model.finding import Remedy
from necropsy.probes.session_risk import may_create
from necropsy.probes.syntax.document import parse_json
from necropsy.probes.syntax.hcl import parse_hcl
from necropsy.treat.edits.consul_meta import foresee_answer, name_health_endpoint
from necropsy.treat.edits.target_rule import join_health_endpoint
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.model.probe import Probe
    from necropsy.probes.simulate import Simulation

_ADVICE: Final = Remedy(
    title="Point the probes at a health endpoint",
    text=(
        "Register each service's health endpoint in its meta, and append it to the address by a relabel rule; or"
        " serve the probes from a path outside the session middleware."
    ),
    undo="reload the configuration as it was",
)


_SHOWN: Final = 4
"""Lines that the advice names."""


def _advice(wrong: list[Probe]) -> Remedy:
    """Advice where nothing tells the endpoint: in Consul, if that is where the targets are found, else at their lines."""
    lines = list(dict.fromkeys(str(probe.origin[0]) for probe in wrong if probe.origin))
    if not lines or any(probe.service for probe in wrong):
        return _ADVICE
    if len(lines) > _SHOWN:
        lines = [*lines[: _SHOWN - 1], f"{len(lines) - _SHOWN + 1} more"]
    where = " and ".join(filter(None, [", ".join(lines[:-1]), lines[-1]]))
    return replace(
        _ADVICE,
        text=f"Write the path of an endpoint that starts no session into {where}; or serve the probes from a path outside the"
        " session middleware.",
    )


def _wrong(simulation: Simulation) -> list[Probe]:
    return [probe for probe in simulation.probes if probe.kind == "blackbox-http" and may_create(probe)]


def _endpoints(simulation: Simulation) -> dict[tuple[str, str], str]:
    """Health endpoint of each (service name, service ID) that is asked for the wrong page.

    The agents of one service carry equal definitions, and a definition does not say on which node it lies: each file
    that defines the service is patched.
    """
    return {
        (probe.service, probe.instance): probe.health_path
        for probe in _wrong(simulation)
        if probe.service and probe.instance and probe.health_path
    }


def _edit(context: FixContext) -> Edits:
    wrong = _wrong(context.simulation)
    if not wrong or _is_of_a_store(context):
        return {}
    jobs = frozenset(probe.prober.split("/", 1)[1] for probe in wrong if probe.prober.startswith("prometheus/"))
    endpoints = _endpoints(context.simulation)
    edits: Edits = {}
    for file in context.of_kind("prometheus"):
        root = context.tree(file)
        if root is not None and (rules := join_health_endpoint(file.text, root, jobs)):
            edits[file.name] = rules
    for file in context.of_kind("consul"):
        root = context.documents.parsed(file, parse_hcl)
        if root is not None and (entries := name_health_endpoint(file.text, root, endpoints)):
            edits[file.name] = entries
    return edits


def _is_of_a_store(context: FixContext) -> bool:
    """Whether the finding is about trains of births that ended: which definition they follow is not known."""
    return context.finding.slug == "probes/partial-fix" and context.finding.store is not None


def _foresee(context: FixContext) -> Edits:
    """Saved answers of Consul as they will be after the agents have read their patched definitions."""
    endpoints = _endpoints(context.simulation)
    trees = [(file, context.documents.parsed(file, parse_json)) for file in context.of_kind("consul")]
    return {file.name: foresee_answer(file.text, root, endpoints) for file, root in trees if root is not None}


def _effect(before: FixContext, after: FixContext) -> str:
    if _wrong(after.simulation) or _targets(before.simulation) != _targets(after.simulation):
        return ""
    count = len(_wrong(before.simulation))
    paths = ", ".join(_now(before, after))
    return f"{several(count, 'probe')} {'requests' if count == 1 else 'request'} {paths} instead"


def _targets(simulation: Simulation) -> list[tuple[str, str, int]]:
    """Every target: the patch must lose none and add none, only paths may change."""
    return sorted((probe.prober, probe.host, probe.port) for probe in simulation.probes)


def _now(before: FixContext, after: FixContext) -> list[str]:
    """Paths that the wrong probes ask for after the patch."""
    wrong = {(probe.prober, probe.host, probe.port) for probe in _wrong(before.simulation)}
    probes = after.simulation.probes
    return sorted({probe.path for probe in probes if (probe.prober, probe.host, probe.port) in wrong})


def _remedy(before: FixContext, after: FixContext | None) -> Remedy | None:
    if not _wrong(before.simulation):
        return None
    if after is None:
        return _advice(_wrong(before.simulation))
    return Remedy(
        title=f"Point the probes at {', '.join(_now(before, after))}",
        text=(
            "Apply the patches, reload the Consul agents on every server, then Prometheus. Births stop at once; keys fall"
            " as sessions expire."
        ),
        undo="apply the patches in reverse (patch -R -p1) and reload",
    )


FIX: Final = Fix(
    ("probes/creates-sessions", "probes/wrong-path", "probes/partial-fix"), _edit, _effect, _foresee, _remedy
)
