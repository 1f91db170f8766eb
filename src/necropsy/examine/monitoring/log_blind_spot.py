"""``monitoring/log-blind-spot``: a probed port is recorded in no access log.

Sign: probes of a port that the proxy's configuration does not listen on (or whose log is off), and no visitor class of
the given logs fits them. Reason: the prober asks the application directly; whoever reads the proxy's log misses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.session_risk import UNKNOWN_ADDRESS, may_create, names_port, split_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necropsy.case.store import Case
    from necropsy.model.probe import Probe


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding for all blind ports together."""
    logged_ports = {b.port for b in case_queries.backends(case) if b.role == "proxy" and b.access_log}
    hosts = case.rows("SELECT DISTINCT user_agent, host FROM visitor_class")
    # Where nobody says at which ports the proxy answers, a log that names no hosts, or hosts without ports, may show any port.
    seen = {(row["user_agent"], *_place(row["host"], sure=bool(logged_ports))) for row in hosts if row["host"]}
    hostless = tuple(row["user_agent"] or "" for row in hosts if not row["host"] and not logged_ports)
    # What was matched with a client of a log is shown by it, whatever host and port that log writes.
    matched = {
        row["probe_id"]
        for row in case.rows("SELECT probe_id FROM birth_claim WHERE probe_id IS NOT NULL AND in_access_log")
    }
    known = case_queries.probes(case)
    shown = {id(known[number]) for number in matched if number in known}
    probed = [probe for probe in known.values() if probe.creates_sessions and probe.kind != "scrape"]
    blind = [
        probe
        for probe in probed
        if id(probe) not in shown
        and probe.port not in logged_ports
        and not any(_shows(probe, *entry) for entry in seen)
        and not (probe.user_agents and any(agent.startswith(probe.user_agents) for agent in hostless))
        and not (probe.kind == "consul-check" and not may_create(probe))
    ]
    if not blind:
        if probed:
            yield Cleared("", "every probed port is recorded in an access log")
        return
    ports = ", ".join(str(port) for port in sorted({probe.port for probe in blind}))
    exhibits = tuple(
        Exhibit(
            title=f"{probe.method} {probe.url}: not in any access log",
            origin=probe.origin[0] if probe.origin else None,
            query="SELECT url FROM probe",
        )
        for probe in blind
    )
    harmful = any(may_create(probe) for probe in blind)
    yield Finding(
        severity=Severity.WARNING if harmful else Severity.INFO,
        confidence=Confidence.HIGH if logged_ports else Confidence.MEDIUM,
        title=f"{_who(blind)} the proxy: no access log shows port{'s' if ',' in ports else ''} {ports}",
        text=(
            "The proxy's log does not show these requests. The application's own access log would."
            + ("" if harmful else " They request health endpoints, so they start no session today.")
        ),
        primary=exhibits[0],
        supporting=exhibits[1:],
        remedy=Remedy(
            title="Log the application's own ports, or probe through the proxy",
            text=f"{_switch(case_queries.layouts(case))} Or probe only the proxy's address.",
            undo="switch the log off again",
            safe=True,
        ),
    )


def _switch(layouts: Sequence[str]) -> str:
    """Return how the application's own log is switched on; the setting, where the sessions are those of one framework."""
    if layouts and all(layout.startswith("spring") for layout in layouts):
        return "Spring Boot: server.tomcat.accesslog.enabled=true."
    return "Switch on the access log of the application's own server, with Host and User-Agent in it."


def _place(host: str, *, sure: bool) -> tuple[str, int | None]:
    name, port = split_host(host)
    return name, port if sure or names_port(host) else None


def _shows(probe: Probe, user_agent: str, host: str, port: int | None) -> bool:
    agent = not probe.user_agents or user_agent.startswith(probe.user_agents)
    return agent and port in (None, probe.port) and (probe.host == UNKNOWN_ADDRESS or host in (probe.host, "localhost"))


EXAMINER: Final = Examiner(
    slug="monitoring/log-blind-spot",
    meaning="No access log records the requests to a probed port.",
    severity=Severity.WARNING,
    needs=("probe", "visitor_class"),
    helped_by=("backend",),
    examine=examine,
)


def _who(blind: list[Probe]) -> str:
    return f"{several(len(blind), 'probed URL')} {'bypass' if len(blind) > 1 else 'bypasses'}"
