"""The machines of the story that ask at a fixed interval: the prober, and the health checks of the load balancer and Consul.

In the access log of one server (before the fix) they look like this, shortened::

    18:41:34 "GET / HTTP/1.1"      302 0.010 172.12.1.189:80  -                       Go-http-client/1.1
    18:41:34 "GET /login HTTP/1.1" 200 0.012 172.12.1.189     http://172.12.1.189:80  Go-http-client/1.1
    18:41:35 "GET /health HTTP/1.1" 200 0.001 172.12.1.189    -                       ELB-HealthChecker/2.0
    18:41:40 "GET /health HTTP/1.1" 200 0.001 localhost       -                       Consul Health Check
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Final

from necropsy.lab.events import ActorTraces, LoggedRequest, WrittenSession, session_id
from necropsy.lab.spring_security import saved_request
from necropsy.lab.story import Admin, AppPort, StoryMachine, StoryProber

PROXY_PORT: Final = 80
_HEALTH_SIZE: Final = 6
_LOGIN_SIZE: Final = 1769


def milliseconds(moment: datetime) -> int:
    """Return Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def creates(prober: StoryProber | None, server: StoryMachine, target: AppPort, at: datetime) -> bool:
    """Tell whether a probe of this target makes a session at that time: it is answered, and asks for ``/``."""
    if prober is None or not target.live or (prober.kind == "kubelet" and target.port == PROXY_PORT):
        return False
    return not (prober.knows_health and server.fixed_at is not None and at >= server.fixed_at)


def probe(
    prober: StoryProber,
    admin: Admin,
    server: StoryMachine,
    target: AppPort,
    span: tuple[datetime, datetime],
    chance: random.Random,
) -> ActorTraces:
    """Ask one target at every tick in ``span`` (start excluded, end included).

    The ticks are locked to the clock (the scrape wanders by half a millisecond); a session is born a few milliseconds
    later, when the request reaches the application. The redirect is followed with the cookie: one session a probe.
    """
    trace = ActorTraces()
    if not target.live or (prober.kind == "kubelet" and target.port == PROXY_PORT):
        return trace
    interval = prober.interval_s * 1000
    start, end = (milliseconds(moment) for moment in span)
    fixed = milliseconds(server.fixed_at) if prober.knows_health and server.fixed_at is not None else end + 1
    host = f"{server.address}:{target.port}"
    logged = target.port == PROXY_PORT
    attributes: tuple[tuple[str, bytes], ...] = ()
    if admin.saves_requests:
        headers = {"host": host, "user-agent": prober.user_agent, "accept-encoding": "gzip", "connection": "close"}
        attributes = (("SPRING_SECURITY_SAVED_REQUEST", saved_request(server.address, target.port, "/", headers)),)
    for tick in range(start - start % interval - interval + target.phase_ms, end + 1, interval):
        if tick <= start:
            continue
        arrived = tick + chance.gauss(0, 0.5) + chance.lognormvariate(1.3, 0.35)
        if tick >= fixed:
            if logged:
                took = chance.lognormvariate(1.2, 0.3)
                trace.log(server.name, LoggedRequest(round(arrived + took), host, "GET /health HTTP/1.1", 200,
                                               _HEALTH_SIZE, round(took), "", prober.user_agent))  # fmt: skip
            continue
        redirected = arrived + chance.lognormvariate(2.3, 0.25)
        shown = redirected + chance.lognormvariate(2.4, 0.25)
        trace.sessions.append(
            WrittenSession(session_id(chance), round(arrived + 1), round(redirected + 2), round(shown), attributes)
        )
        if logged:
            trace.log(server.name, LoggedRequest(round(redirected), host, "GET / HTTP/1.1", 302, 0,
                                           round(redirected - arrived), "", prober.user_agent))  # fmt: skip
            trace.log(server.name, LoggedRequest(round(shown), server.address, "GET /login HTTP/1.1", 200, _LOGIN_SIZE,
                                           round(shown - redirected), f"http://{host}", prober.user_agent))  # fmt: skip
    return trace


def health_checks(server: StoryMachine, span: tuple[datetime, datetime], chance: random.Random) -> ActorTraces:
    """Ask for ``/health`` as the load balancer's two nodes (every 30 s) and Consul's agent (10 s after an answer) do."""
    trace = ActorTraces()
    start, end = (milliseconds(moment) for moment in span)
    for host, user_agent, interval in (
        (server.address, "ELB-HealthChecker/2.0", 30_000),
        (server.address, "ELB-HealthChecker/2.0", 30_000),
        ("localhost", "Consul Health Check", 10_000),
    ):
        at = start + chance.uniform(0, interval)
        while at <= end:
            took = chance.lognormvariate(0.2, 0.4)
            at += took  # renewal: the next one counts from this answer, so it drifts against the clock
            trace.log(server.name, LoggedRequest(int(at), host, "GET /health HTTP/1.1", 200, _HEALTH_SIZE,
                                           max(round(took), 0), "", user_agent))  # fmt: skip
            at += interval + chance.uniform(0, 1)
    return trace
