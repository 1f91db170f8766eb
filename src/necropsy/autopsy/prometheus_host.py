"""Find the host name of Prometheus by trying candidates against the access log, or against trains of births.

The moment of each scrape follows from that name (``prometheus.targets.scrape_phase``). The name is written in no file; but
the right one explains the moments of all requests of a log at once, and a wrong one explains none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.probes.monitoring import FoundTarget, Monitoring
    from necropsy.probes.prometheus.targets.scrape_phase import HostSolution, Observation
    from necropsy.probes.prometheus.targets.scrape_phase_of_trains import TrainSolution
    from necropsy.verdict.evidence import Claim, VisitorClass

_CLASSES: Final = (
    "SELECT class_id, user_agent, host, method, path, status, followed_to, visits, period_s, phase_s, phase_spread_s,"
    " coverage, log FROM visitor_class WHERE period_s IS NOT NULL AND phase_s IS NOT NULL ORDER BY class_id"
)
_TOLERANCE_S: Final = 0.05
"""Delay of the logged request after the scrape, where the log has milliseconds."""
_MOST_NAMES: Final = 5_000
_MOST_WRITTEN: Final = 500
"""Names that are taken from the configuration: each is tried with each domain as well."""
_MOST_DOMAINS: Final = 20
_OLDER_HASH: Final = "2.43.0"
"""The last version that hashes labels as all before it did, and as Debian's builds until 3.4."""
_PLENTY: Final = 60
"""Probes of one server that are compared: ten tell the right name from all others."""
_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.?")
_USUAL: Final = (
    "localhost",
    "localhost.localdomain",
    "localhost.",
    "prometheus",
    "prometheus-0",
    "prometheus-server-0",
)
_AWS: Final = ("ec2.internal", *(f"{region}.compute.internal" for region in (
    "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1",
    "eu-north-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ap-northeast-2",
)))  # fmt: skip


def solve(case: Case, monitoring: Monitoring) -> tuple[str, HostSolution, int] | None:
    """Find the name under which Prometheus sees its own machine.

    Returns
    -------
    tuple or None
        (file of the server's configuration, solution, number of names that were tried); None when no name explains the
        log, or several servers do not agree.
    """
    from necropsy.probes.prometheus.targets.scrape_phase import solve_host
    from necropsy.probes.simulate import scheduled

    classes = _classes(case)
    if not classes:
        return None
    by_path: dict[str, list[VisitorClass]] = {}
    for visitors in classes:
        by_path.setdefault(visitors.path, []).append(visitors)
    observed: dict[str, list[Observation]] = {}
    servers = {}
    names: dict[str, None] = dict.fromkeys(_USUAL)
    for found, probe in scheduled(monitoring):
        if len(names) < _MOST_WRITTEN:
            names.update(dict.fromkeys(_names_of(found)))
        if len(observed.get(found.server.file, ())) >= _PLENTY:
            continue
        for observation in _observations(found, probe, by_path.get(probe.path.partition("?")[0], ())):
            servers[found.server.file] = found.server
            observed.setdefault(found.server.file, []).append(observation)
    if not observed:
        return None
    tried = list(_candidates(names, _clients(case)))[:_MOST_NAMES]
    solutions = []
    for file, observations in observed.items():
        server = servers[file]
        solution = solve_host(tried, observations, external_labels=server.external_labels, version=str(server.version))
        if solution is not None:
            solutions.append((file, solution, len(tried)))
    return solutions[0] if len({solution.host for _, solution, _ in solutions}) == 1 else None


def solve_by_births(
    case: Case, monitoring: Monitoring, claims: Iterable[Claim], version: str | None
) -> tuple[str, TrainSolution] | None:
    """Find the name by the trains of births that no log shows: one name explains when they all come.

    Parameters
    ----------
    version
        Of Prometheus, where the user gave it; None: both ways in which builds hash labels are tried.

    Returns
    -------
    tuple or None
        (file of the server's configuration, solution); None when no name explains the births, or several servers have one.
    """
    from necropsy.probes.prometheus.targets.scrape_phase_of_trains import TrainPhase, solve_by_trains
    from necropsy.probes.simulate import scheduled

    trains = [
        TrainPhase(
            claim.period_s, claim.phase_s, ((claim.phase_high_s or 0.0) - (claim.phase_low_s or 0.0)) % claim.period_s
        )
        for claim in claims
        if claim.period_s and claim.phase_s is not None and claim.class_id is None and claim.phase_low_s is not None
    ]
    if not trains:
        return None
    asked: dict[str, list[FoundTarget]] = {}
    names: dict[str, None] = dict.fromkeys(_USUAL)
    for found, probe in scheduled(monitoring):
        if len(names) < _MOST_WRITTEN:
            names.update(dict.fromkeys(_names_of(found)))
        if probe.creates_sessions and len(asked.setdefault(found.server.file, [])) < _PLENTY:
            asked[found.server.file].append(found)
    tried = list(_candidates(names, _clients(case)))[:_MOST_NAMES]
    solutions = []
    for file, targets in asked.items():
        server = targets[0].server
        solution = solve_by_trains(
            tried,
            [found.target for found in targets],
            trains,
            external_labels=server.external_labels,
            versions=[str(server.version)] if version else [str(server.version), _OLDER_HASH],
        )
        if solution is not None:
            solutions.append((file, solution))
    return solutions[0] if len(solutions) == 1 else None


def _classes(case: Case) -> list[VisitorClass]:
    from necropsy.verdict.evidence import VisitorClass

    def texts(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, **{name: row[name] or "" for name in ("user_agent", "host", "method", "path", "log")}}

    return [VisitorClass(**{**texts(row), "status": row["status"] or 0}) for row in case.rows(_CLASSES)]


def _observations(found: FoundTarget, probe: Any, classes: Iterable[VisitorClass]) -> Iterator[Observation]:
    from necropsy.probes.prometheus.targets.scrape_phase import Observation
    from necropsy.verdict.identity_match import class_fits

    shown = [visitors for visitors in classes if class_fits(probe, visitors)]
    if len(shown) != 1:  # two replicas, or two targets behind one address: nobody knows whose moment it is
        return
    (visitors,) = shown
    tolerance = max(_TOLERANCE_S, visitors.phase_spread_s or 0.0)
    if visitors.phase_s is not None and tolerance * 4 < found.target.interval_s:
        yield Observation(found.target, visitors.phase_s, tolerance)


def _clients(case: Case) -> list[str]:
    return [str(row["client"]) for row in case.rows("SELECT DISTINCT client FROM visitor_class WHERE client <> ''")]


def _names_of(found: FoundTarget) -> Iterator[str]:
    """Names that discovery knows: machines stand beside each other."""
    labels = found.target.discovered_labels
    for name in (
        "__address__",
        "__meta_consul_node",
        "__meta_kubernetes_pod_name",
        "__meta_kubernetes_node_name",
        "instance",
    ):
        text = labels.get(name, "").partition("://")[2] or labels.get(name, "")
        host = text.partition("/")[0].rpartition(":")[0] or text
        if _NAME.fullmatch(host) and not _ADDRESS.fullmatch(host):
            yield host
    yield from (host for host in _written(found.server.external_labels.values()))


def _written(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if _NAME.fullmatch(text) and not _ADDRESS.fullmatch(text):
            yield text


def _candidates(names: Iterable[str], clients: Iterable[str]) -> Iterator[str]:
    """Yield names worth trying, each once: those that are written, with the domains that others have, and Amazon's own."""
    known = list(dict.fromkeys(names))
    domains = list(dict.fromkeys(name.partition(".")[2].rstrip(".") for name in known if "." in name.rstrip(".")))[
        :_MOST_DOMAINS
    ]
    made = [f"{name.rstrip('.').partition('.')[0]}.{domain}" for name in known for domain in domains]
    aws = [f"ip-{client.replace('.', '-')}" for client in clients if _ADDRESS.fullmatch(client)]
    aws += [f"{name}.{domain}" for name in aws for domain in _AWS]
    for name in dict.fromkeys((*known, *made, *aws)):
        yield name
        if "." in name and not name.endswith("."):
            yield f"{name}."
