"""Births made to order, with a seed: what the verdict is tested on."""

from __future__ import annotations

import numpy as np

from necropsy.model.probe import Probe, UpstreamPort
from necropsy.verdict.evidence import Births, Circumstances, Creator, LogSpan, VisitorClass, Visits

NOW_MS = 1_558_724_400_000
DAY_MS = 86_400_000


def comb(phase_ms: int, *, period_ms: int = 10_000, count: int = 8_640, seed: int = 1, keep: float = 1.0) -> np.ndarray:
    """A day of births of one target: lock-step ticks, log-normal latency of a few ms."""
    random = np.random.default_rng(seed)
    ticks = NOW_MS // period_ms * period_ms - period_ms * np.arange(1, count + 1) + phase_ms
    born = ticks + random.lognormal(1.2, 0.5, count).astype(np.int64)
    return born[random.random(count) < keep]


def dust(count: int, seed: int = 2) -> np.ndarray:
    """People: anywhere in the day."""
    return NOW_MS - np.random.default_rng(seed).integers(0, DAY_MS, count)


def births(*parts: np.ndarray, authenticated: np.ndarray | None = None, **more: object) -> Births:
    born = np.concatenate(parts).astype(np.int64)
    order = np.argsort(born, kind="stable")
    logged_in = authenticated if authenticated is not None else np.zeros(born.size, dtype=bool)
    values: dict[str, object] = {
        "store": "a",
        "born_ms": born[order],
        "authenticated": logged_in[order],
        "creator": np.full(born.size, -1, dtype=np.int64),
        "creators": (),
        "resolution_s": 0.001,
        "bytes_per_session": 1047.0,
        "total": born.size,
    }
    return Births(**(values | more))  # type: ignore[arg-type]


def probe(
    address: str, port: int, *, path: str = "/", service: str = "admin-a", health: str | None = "passing"
) -> Probe:
    return Probe(
        prober="prometheus/blackbox_exporter_http",
        kind="blackbox-http",
        method="GET",
        url=f"http://{address}:{port}{path}",
        host=address,
        port=port,
        path=path,
        period_s=10.0,
        user_agents=("Go-http-client/", "Blackbox Exporter/"),
        service=service,
        instance=f"{address}:{port}",
        health=health,
        health_path="/health",
    )


def visitors(
    class_id: int,
    host: str,
    phase_s: float | None,
    *,
    path: str = "/",
    agent: str = "Go-http-client/1.1",
    visits: int = 8640,
) -> VisitorClass:
    return VisitorClass(
        class_id=class_id,
        user_agent=agent,
        host=host,
        method="GET",
        path=path,
        status=302 if path == "/" else 200,
        followed_to="/login" if path == "/" else None,
        visits=visits,
        period_s=10.0 if phase_s is not None else None,
        phase_s=phase_s,
        phase_spread_s=0.3 if phase_s is not None else None,
        coverage=1.0 if phase_s is not None else None,
    )


A1, A2, B1 = "172.12.1.189", "172.12.1.190", "172.12.1.201"
INCIDENT_PROBES = [
    probe(address, port, service=service, health="critical" if port == 8081 else "passing")
    for address, service in ((A1, "admin-a"), (A2, "admin-a"), (B1, "admin-b"))
    for port in (80, 8080, 8081)
]
BACKENDS = [
    UpstreamPort("*", 80, "proxy", "live", access_log="access.log"),
    UpstreamPort("127.0.0.1", 8080, "upstream", "live", "app"),
    UpstreamPort("127.0.0.1", 8081, "upstream", "idle", "app"),
]


def incident(**more: object) -> Circumstances:
    from necropsy.probes.session_risk import idle_probes

    values: dict[str, object] = {
        "probes": INCIDENT_PROBES,
        "backends": BACKENDS,
        "classes": [
            visitors(0, f"{A1}:80", 4.3),
            visitors(1, f"{A2}:80", 7.2),
            visitors(2, f"{B1}:80", 1.5),
            visitors(3, "localhost", 0.4, path="/health", agent="Consul Health Check"),
        ],
        "visits": seen(comb(4_200, seed=1), comb(7_100, seed=2), comb(1_400, seed=5), comb(400, seed=9)),
        "logs_given": True,
        "idle": idle_probes(INCIDENT_PROBES, BACKENDS),
    }
    return Circumstances(**(values | more))  # type: ignore[arg-type]


def seen(*ticks: np.ndarray, resolution_s: float = 0.001) -> Visits:
    """Visits of classes 0, 1, 2 …, each at its births' times less three milliseconds, of one client each."""
    class_id = np.concatenate([np.full(at.size, number) for number, at in enumerate(ticks)])
    at_us = (np.concatenate(ticks) - 3) * 1000
    at_us = at_us // round(resolution_s * 1e6) * round(resolution_s * 1e6)
    order = np.argsort(at_us, kind="stable")
    span = LogSpan("", (NOW_MS - DAY_MS) * 1000, NOW_MS * 1000, resolution_s, times_are_starts=True)
    return Visits(class_id[order].astype(np.int32), class_id[order].astype(np.int64), at_us[order], (span,))


def creator(agent: str, host: str, path: str = "/") -> Creator:
    return Creator(agent, host, "GET", path)
