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
    "traffic/login-loop": "A program logs in again and again, and each login starts a session.",
    "traffic/unlogged-creator": "Sessions are born like clockwork, and no access log shows the visitor.",
    "sessions/immortal": "Sessions live so long that they never expire in practice.",
    "sessions/oversized": "Sessions are so large that they, and not their number, fill the memory.",
    "sessions/evicted-halves": "Redis evicted one of the keys of a session and left the other.",
    "sessions/orphaned-index": "Index entries point at sessions that no longer exist.",
    "memory/near-limit": "The store has used up its memory, or nearly.",
    "memory/no-limit": "Nothing bounds the store but the machine.",
    "memory/eviction-logs-users-out": "The store throws sessions away to stay within its limit.",
    "memory/shared-host": "The store shares a machine that has no memory left for all who live there.",
    "memory/not-sessions": "Most of the memory is not sessions.",
    "memory/fragmentation": "The server holds much more memory than its data needs.",
    "memory/fork-headroom": "A save may need more memory than the machine has left.",
    "monitoring/log-blind-spot": "A probed port is recorded in no access log.",
    "monitoring/store-unwatched": "The monitoring that was given watches no Redis server.",
    "latency/max-clients": "The server has no connection left for whoever comes next.",
    "latency/persistence-stall": "Saving stops the server, or has failed and forbids writing.",
    "latency/slow-commands": "Single commands keep everybody waiting.",
    "latency/command-timeouts": "The application waits for its session store in vain.",
    "healthy": "The sessions are those that people make.",
}
"""Slugs that this version can find. The design lists more; each arrives with its examiner, test and page."""
