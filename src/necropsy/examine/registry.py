"""All examiners, in the order of the report's areas. Read it top to bottom."""

from __future__ import annotations

from typing import Final

from necropsy.examine import healthy
from necropsy.examine.interface import Examiner
from necropsy.examine.latency import command_timeouts
from necropsy.examine.memory import not_sessions
from necropsy.examine.monitoring import log_blind_spot
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
from necropsy.examine.sessions import immortal, orphaned_index
from necropsy.examine.traffic import bot_creates_sessions, client_drops_cookie, unlogged_creator

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
    Examiner("traffic/client-drops-cookie", client_drops_cookie.examine, ("cookie_use",)),
    Examiner("sessions/immortal", immortal.examine, ("session",)),
    Examiner("sessions/orphaned-index", orphaned_index.examine, ("index_entry",)),
    Examiner("memory/not-sessions", not_sessions.examine, ("key_family",)),
    Examiner("monitoring/log-blind-spot", log_blind_spot.examine, ("probe", "visitor_class"), ("backend",)),
    Examiner("latency/command-timeouts", command_timeouts.examine, ("error_event",)),
    Examiner("healthy", healthy.examine, ("session",), ("visitor_class", "probe")),
)
