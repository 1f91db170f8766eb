"""The vocabulary of findings: every slug, with its one-line meaning. Add, never rename."""

from __future__ import annotations

from typing import Final

SLUGS: Final[dict[str, str]] = {
    "probes/creates-sessions": "A configured, repeated request creates a new session each time.",
    "probes/wrong-path": "A probe asks for a page of the application although a health endpoint is known.",
    "probes/redirect-leaves-health": "A health endpoint answers with a redirect to a page, and the prober follows.",
    "probes/health-behind-session": "A health endpoint starts a session with each request.",
    "probes/partial-fix": "Some targets of a service ask for its health endpoint, others still for a page.",
    "probes/idle-backend": "A probe asks a port that the proxy sends nobody to.",
    "probes/zombie-service": "Discovery still knows an instance that is gone.",
    "probes/duplicate-target": "One job asks for the same URL more than once.",
    "probes/doubled": "Several probers ask for the same URL.",
    "probes/dead-rule": "A relabel rule touches none of the targets that its job discovers.",
    "probes/labelmap-collision": "A labelmap gives one name to several labels: which value wins is chance.",
    "probes/dropped-target": "A target is lost by accident: nobody asks it, and nobody is told.",
    "probes/timeout-exceeds-interval": "A scrape may take longer than the time until the next one.",
    "traffic/bot-creates-sessions": "A client that is no browser creates sessions, irregularly.",
    "traffic/client-drops-cookie": "Clients never bring back the session cookie that they are given.",
    "traffic/unlogged-creator": "Sessions are born like clockwork, and no access log shows the visitor.",
    "sessions/immortal": "Sessions live so long that they never expire in practice.",
    "sessions/orphaned-index": "Index entries point at sessions that no longer exist.",
    "memory/not-sessions": "Most of the memory is not sessions.",
    "monitoring/log-blind-spot": "A probed port is recorded in no access log.",
    "latency/command-timeouts": "The application waits for its session store in vain.",
    "healthy": "The sessions are those that people make.",
}
"""Slugs that this version can find. The design lists more; each arrives with its examiner, test and page."""
