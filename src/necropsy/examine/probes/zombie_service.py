"""``probes/zombie-service``: an instance is gone and still in service discovery.

Signs: the node's own check (serfHealth) is not passing; one address is registered by two nodes, as after an agent came
back under a new name; or an instance is critical and the proxy knows no such port. Reason: Consul keeps what was never
deregistered (72 h for a failed node, for ever for a service), and Prometheus discovers instances whatever their health.

Before: node ``admin-1-old``, serfHealth critical, ``10.0.0.1:8080`` is asked every 10 s.
After: ``consul force-leave -prune admin-1-old``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import UNKNOWN_ADDRESS

if TYPE_CHECKING:
    from necropsy.case.store import Case

_INSTANCES = (
    "SELECT i.*, (SELECT count(*) FROM service_instance o WHERE o.service = i.service AND o.address = i.address"
    " AND o.node <> i.node AND coalesce(o.node_health, 'passing') = 'passing') AS others"
    " FROM service_instance i ORDER BY service, address, node, instance"
)
_QUERY = "SELECT service, instance, node, address, health, node_health FROM service_instance"


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding for all zombies."""
    rows = case.rows(_INSTANCES)
    ports = {backend.port for backend in case_queries.backends(case)}
    zombies = [(row, why) for row in rows if (why := _why(row, ports))]
    if not zombies:
        living = sum(row["node_health"] == "passing" for row in rows)
        if living and living == len(rows):
            yield Cleared("", f"{several(living, 'registered instance')}, all on nodes that are alive")
        return
    probes = case_queries.probes(case).values()
    asked = {(probe.service, probe.instance) for probe in probes if not probe.kind.startswith("consul")}
    probed = [(row, why) for row, why in zombies if (row["service"], row["instance"]) in asked]
    certain = any(row["node_health"] not in (None, "passing") for row, _ in zombies)
    exhibits = [_exhibit(row, why) for row, why in zombies]
    nodes = sorted({row["node"] for row, _ in zombies if row["node"]})
    yield Finding(
        severity=Severity.WARNING if probed else Severity.INFO,
        confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        title=(
            f"{several(len(zombies), 'registered instance')} {'is' if len(zombies) == 1 else 'are'} gone"
            + (" and still probed" if probed and len(probed) == len(zombies) else "")
            + (f", {len(probed)} of them still probed" if 0 < len(probed) < len(zombies) else "")
        ),
        text=(
            "Consul keeps an instance until somebody deregisters it, and Prometheus discovers critical ones as well."
            " A fixed service definition does not reach it."
        ),
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=Remedy(
            title="Deregister the instances that are gone",
            text=(
                f"For a node that is gone: consul force-leave -prune {nodes[0] if nodes else 'NODE'}. For an instance"
                f" on a running node: consul services deregister -id=ID, on that node."
            ),
            undo="start the agent again: it registers the services in its definitions",
        ),
    )


def _why(row: dict[str, Any], ports: set[int]) -> str:
    if row["node_health"] not in (None, "passing"):
        return f"its node {row['node']} is {row['node_health']}"
    if row["others"] and row["node_health"] is None and not row["address"].startswith(UNKNOWN_ADDRESS):
        return "another node registers the same address"
    if row["health"] == "critical" and ports and row["port"] not in ports:
        return "critical, and the proxy has no such port"
    return ""


def _exhibit(row: dict[str, Any], why: str) -> Exhibit:
    return Exhibit(
        title=f"{row['service']} {row['instance']} at {row['address']}",
        text=why,
        origin=Origin(row["file"], row["line"], "registers it") if row["file"] else None,
        query=_QUERY,
    )


EXAMINER: Final = Examiner(
    slug="probes/zombie-service",
    meaning="Service discovery still lists an instance that is gone.",
    severity=Severity.WARNING,
    needs=("probe",),
    helped_by=("backend",),
    examine=examine,
)
