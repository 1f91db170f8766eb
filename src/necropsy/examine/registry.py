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
from necropsy.examine.sessions import (
    application_settings,
    evicted_halves,
    immortal,
    kept_after_logout,
    orphaned_index,
    oversized,
)
from necropsy.examine.traffic import bot_creates_sessions, client_drops_cookie, login_loop, unlogged_creator

EXAMINERS: Final[tuple[Examiner, ...]] = (
    creates_sessions.EXAMINER,
    wrong_path.EXAMINER,
    redirect_leaves_health.EXAMINER,
    health_behind_session.EXAMINER,
    partial_fix.EXAMINER,
    idle_backend.EXAMINER,
    zombie_service.EXAMINER,
    duplicate_target.EXAMINER,
    doubled.EXAMINER,
    dead_rule.EXAMINER,
    labelmap_collision.EXAMINER,
    dropped_target.EXAMINER,
    timeout_exceeds_interval.EXAMINER,
    unlogged_creator.EXAMINER,
    bot_creates_sessions.EXAMINER,
    client_drops_cookie.EXAMINER,
    login_loop.EXAMINER,
    immortal.EXAMINER,
    kept_after_logout.EXAMINER,
    oversized.EXAMINER,
    evicted_halves.EXAMINER,
    orphaned_index.EXAMINER,
    application_settings.EXAMINER,
    near_limit.EXAMINER,
    no_limit.EXAMINER,
    eviction_logs_users_out.EXAMINER,
    shared_host.EXAMINER,
    not_sessions.EXAMINER,
    fragmentation.EXAMINER,
    fork_headroom.EXAMINER,
    log_blind_spot.EXAMINER,
    store_unwatched.EXAMINER,
    max_clients.EXAMINER,
    persistence_stall.EXAMINER,
    slow_commands.EXAMINER,
    command_timeouts.EXAMINER,
    healthy.EXAMINER,
)

SLUGS: Final[dict[str, str]] = {examiner.slug: examiner.meaning for examiner in EXAMINERS}
"""The vocabulary of findings: every slug that this version can find, with its one-line meaning. Add, never rename."""
