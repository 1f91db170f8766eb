"""All examiners, in the order of the report's areas. Read it top to bottom."""

from __future__ import annotations

from typing import Final

from necropsy.examine import healthy
from necropsy.examine.interface import Examiner
from necropsy.examine.latency import command_timeouts
from necropsy.examine.memory import not_sessions
from necropsy.examine.monitoring import log_blind_spot
from necropsy.examine.probes import creates_sessions, wrong_path
from necropsy.examine.sessions import immortal, orphaned_index
from necropsy.examine.traffic import bot_creates_sessions, unlogged_creator

EXAMINERS: Final[tuple[Examiner, ...]] = (
    Examiner("probes/creates-sessions", creates_sessions.examine, ("session",), ("probe", "visitor_class")),
    Examiner("probes/wrong-path", wrong_path.examine, ("probe",)),
    Examiner("traffic/unlogged-creator", unlogged_creator.examine, ("session",), ("visitor_class", "probe")),
    Examiner("traffic/bot-creates-sessions", bot_creates_sessions.examine, ("session", "visitor_class")),
    Examiner("sessions/immortal", immortal.examine, ("session",)),
    Examiner("sessions/orphaned-index", orphaned_index.examine, ("index_entry",)),
    Examiner("memory/not-sessions", not_sessions.examine, ("key_family",)),
    Examiner("monitoring/log-blind-spot", log_blind_spot.examine, ("probe", "visitor_class"), ("backend",)),
    Examiner("latency/command-timeouts", command_timeouts.examine, ("error_event",)),
    Examiner("healthy", healthy.examine, ("session",), ("visitor_class", "probe")),
)
