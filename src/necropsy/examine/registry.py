"""All examiners, in the order of the report's areas. Read it top to bottom."""

from __future__ import annotations

from typing import Final

from necropsy.examine import healthy
from necropsy.examine.interface import Examiner
from necropsy.examine.latency import command_timeouts, max_clients, persistence_stall, slow_commands
from necropsy.examine.memory import (
    eviction_logs_users_out,
    fork_headroom,
    fragmentation,
    near_limit,
    no_limit,
    not_sessions,
    shared_host,
)
from necropsy.examine.monitoring import log_blind_spot, store_unwatched
from necropsy.examine.probes import (
    creates_sessions,
    dead_rule,
    doubled,
    dropped_target,
    duplicate_target,
    health_behind_session,
    idle_backend,
    labelmap_collision,
    partial_fix,
    redirect_leaves_health,
    timeout_exceeds_interval,
    wrong_path,
    zombie_service,
)
from necropsy.examine.sessions import evicted_halves, immortal, orphaned_index, oversized
from necropsy.examine.traffic import bot_creates_sessions, client_drops_cookie, login_loop, unlogged_creator

EXAMINERS: Final[tuple[Examiner, ...]] = (
    Examiner("probes/creates-sessions", creates_sessions.examine, ("session",), ("probe", "visitor_class")),
    Examiner("probes/wrong-path", wrong_path.examine, ("probe",)),
    Examiner("probes/redirect-leaves-health", redirect_leaves_health.examine, ("probe", "visitor_class")),
    Examiner(
        "probes/health-behind-session",
        health_behind_session.examine,
        ("session",),
        ("probe", "visitor_class", "cookie_use"),
    ),
    Examiner("probes/partial-fix", partial_fix.examine, ("probe",), ("session",)),
    Examiner("probes/idle-backend", idle_backend.examine, ("probe", "backend")),
    Examiner("probes/zombie-service", zombie_service.examine, ("probe",), ("backend",)),
    Examiner("probes/duplicate-target", duplicate_target.examine, ("probe",)),
    Examiner("probes/doubled", doubled.examine, ("probe",)),
    Examiner("probes/dead-rule", dead_rule.examine, ("probe",)),
    Examiner("probes/labelmap-collision", labelmap_collision.examine, ("probe",)),
    Examiner("probes/dropped-target", dropped_target.examine, ("probe",)),
    Examiner("probes/timeout-exceeds-interval", timeout_exceeds_interval.examine, ("probe",)),
    Examiner("traffic/unlogged-creator", unlogged_creator.examine, ("session",), ("visitor_class", "probe")),
    Examiner("traffic/bot-creates-sessions", bot_creates_sessions.examine, ("session",), ("visitor_class",)),
    Examiner("traffic/client-drops-cookie", client_drops_cookie.examine, (), ("session", "cookie_use")),
    Examiner("traffic/login-loop", login_loop.examine, ("session",), ("visitor_class",)),
    Examiner("sessions/immortal", immortal.examine, ("session",)),
    Examiner("sessions/oversized", oversized.examine, ("session",)),
    Examiner("sessions/evicted-halves", evicted_halves.examine, ("session",), ("server",)),
    Examiner("sessions/orphaned-index", orphaned_index.examine, ("index_entry",)),
    Examiner("memory/near-limit", near_limit.examine, ("server",)),
    Examiner("memory/no-limit", no_limit.examine, ("live_server",)),
    Examiner("memory/eviction-logs-users-out", eviction_logs_users_out.examine, ("live_server", "session")),
    Examiner("memory/shared-host", shared_host.examine, ("live_server",)),
    Examiner("memory/not-sessions", not_sessions.examine, ("key_family",)),
    Examiner("memory/fragmentation", fragmentation.examine, ("live_server",)),
    Examiner("memory/fork-headroom", fork_headroom.examine, ("live_server",)),
    Examiner("monitoring/log-blind-spot", log_blind_spot.examine, ("probe", "visitor_class"), ("backend",)),
    Examiner("monitoring/store-unwatched", store_unwatched.examine, ("probe",), ("session",)),
    Examiner("latency/max-clients", max_clients.examine, ("live_server",)),
    Examiner("latency/persistence-stall", persistence_stall.examine, ("live_server",)),
    Examiner("latency/slow-commands", slow_commands.examine, ("live_server",)),
    Examiner("latency/command-timeouts", command_timeouts.examine, ("error_event",)),
    Examiner("healthy", healthy.examine, ("session",), ("visitor_class", "probe")),
)
