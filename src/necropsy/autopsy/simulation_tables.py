"""Charting: what a simulation found becomes rows of the case, for the examiners and for SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.serialization import to_plain

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.probes.monitoring import Monitoring
    from necropsy.probes.simulate import Dropped, Simulation

_PROBE: Final = (
    "prober", "kind", "method", "url", "host", "port", "path", "period_s", "timing", "phase_s", "creates_sessions",
    "service", "health",
)  # fmt: skip
_PROBE_FIELDS: Final = attrgetter(*_PROBE)
_BACKEND: Final = ("address", "port", "role", "state", "upstream", "access_log")
_NODE_CHECK: Final = "serfHealth"


def chart(case: Case, simulation: Simulation, *, whole: bool = True) -> None:
    """Fill the tables that configuration alone decides.

    Parameters
    ----------
    case
        The case to fill.
    simulation
        What the configuration does.
    whole
        Keep each probe with everything that is known of it. Not for a case that nobody will open: who fills it has the
        probes at hand (``examine.case_queries.remember``).
    """
    case.append(
        "probe",
        [
            {
                "probe_id": number,
                **dict(zip(_PROBE, _PROBE_FIELDS(probe), strict=True)),
                "value": _json(probe) if whole else "{}",
            }
            for number, probe in enumerate(simulation.probes)
        ],
    )
    case.append(
        "backend",
        [
            {**{name: getattr(backend, name) for name in _BACKEND}, "value": _json(backend)}
            for backend in simulation.backends
        ],
    )
    case.append("dropped_target", [_dropped(target) for target in simulation.dropped])
    if simulation.monitoring is not None:
        case.append("relabel_rule", list(_rules(simulation.monitoring)))
        case.append("service_instance", list(_instances(simulation.monitoring)))


def _json(value: object) -> str:
    return json.dumps(to_plain(value))


def _dropped(target: Dropped) -> dict[str, Any]:
    decided = target.origin[0] if target.origin else None
    return {
        "prober": target.prober,
        "address": target.address,
        "reason": target.reason,
        "file": decided.file if decided else None,
        "line": decided.line if decided else None,
        "value": _json(target),
    }


def _rules(monitoring: Monitoring) -> Iterator[dict[str, Any]]:
    from necropsy.probes.http.request import mask_chain
    from necropsy.probes.relabel_coverage import coverage

    for tally in coverage(monitoring):
        (line,) = mask_chain([tally.rule.node.origin(tally.rule.describe())])
        yield {
            "prober": f"prometheus/{tally.job}",
            "file": line.file,
            "line": line.line,
            "action": tally.rule.action,
            "what": line.what,
            "reached": tally.reached,
            "matched": tally.matched if tally.matched or tally.is_judged else None,
            "collided": tally.collided,
            "collision": tally.collision,
            "absent_label": tally.absent_label,
            "alike": tally.alike,
        }


def _instances(monitoring: Monitoring) -> Iterator[dict[str, Any]]:
    for instance in monitoring.catalog.instances if monitoring.catalog is not None else ():
        known = instance.origin[0] if instance.origin else None
        statuses = [check.status for check in instance.checks if check.identity == _NODE_CHECK]
        yield {
            "service": instance.name,
            "instance": instance.service_id,
            "node": instance.node.name,
            "address": instance.host_port,
            "port": instance.port,
            "health": instance.health or None,
            "node_health": statuses[0] if statuses else None,
            "file": known.file if known else None,
            "line": known.line if known else None,
        }
