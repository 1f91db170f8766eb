"""``probes/idle-backend``: a probe asks a port that the proxy sends nobody to.

Sign: nginx' configuration knows the port as ``down``, ``backup`` or out of use, and no upstream that is in use has it.
Reason: blue/green; both colours are registered in discovery, and the prober asks both.

Before: ``# server 127.0.0.1:8081;`` and ``GET http://10.0.0.1:8081/`` every 10 s: sessions that no user could have made.
After: the waiting colour is not registered, or only its health endpoint is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.examine.probes.asking import a_session_each, exhibit
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case


def examine(case: Case) -> Iterator[Finding]:
    """One finding for all idle ports."""
    backends = case_queries.backends(case)
    live = {backend.port for backend in backends if backend.state != "idle"}
    idle = {backend.port: backend for backend in backends if backend.state == "idle" and backend.port not in live}
    asking = [
        probe for probe in case_queries.probes(case).values() if probe.port in idle and probe.kind != "consul-check"
    ]
    if not asking:
        return
    # What discovery calls critical does not even answer: it costs alerts, and no sessions.
    costly = a_session_each([probe for probe in asking if probe.health not in ("critical", "maintenance")])
    ports = sorted({probe.port for probe in asking})
    hosts = {probe.host for probe in asking}
    exhibits = [exhibit(probe, f"{idle[probe.port].origin}: {_state(idle[probe.port].upstream)}") for probe in asking]
    yield Finding(
        severity=Severity.WARNING if costly else Severity.INFO,
        # One proxy's file says nothing about another server's colours.
        confidence=Confidence.HIGH if len(hosts) == 1 else Confidence.MEDIUM,
        title=(
            f"{several(len(asking), 'probe')} request{'s' if len(asking) == 1 else ''} port"
            f"{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))}, to which the proxy sends no traffic"
        ),
        text=(
            "An alert about an idle port says nothing about what users see."
            + (" And if an application does listen there, each request may start a session." if costly else "")
        ),
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=Remedy(
            title="Probe only the active instance, or the health endpoint of both",
            text=(
                "Deregister the idle instance (consul services deregister), or put it into maintenance and drop it by"
                " a relabel rule on __meta_consul_health; otherwise probe the health endpoint of both."
            ),
            undo="register the instance again: consul reload reads its definition",
        ),
    )


def _state(upstream: str) -> str:
    return f"out of use in upstream {upstream}" if upstream else "out of use"


EXAMINER: Final = Examiner(
    slug="probes/idle-backend",
    meaning="A probe requests a port to which the proxy sends no traffic.",
    severity=Severity.WARNING,
    needs=("probe", "backend"),
    examine=examine,
)
