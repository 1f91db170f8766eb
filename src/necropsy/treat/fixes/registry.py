"""All fixes, in the order of the slugs. What is not here has no patch: its page says why."""

from __future__ import annotations

from typing import Final

from necropsy.treat.fixes import (
    dead_rule,
    doubled,
    dropped_target,
    duplicate_target,
    idle_backend,
    log_blind_spot,
    redirect_leaves_health,
    timeout_exceeds_interval,
    wrong_path,
    zombie_service,
)
from necropsy.treat.fixes.interface import Fix

FIXES: Final[tuple[Fix, ...]] = (
    wrong_path.FIX,
    redirect_leaves_health.FIX,
    idle_backend.FIX,
    zombie_service.FIX,
    duplicate_target.FIX,
    doubled.FIX,
    dead_rule.FIX,
    dropped_target.FIX,
    timeout_exceeds_interval.FIX,
    log_blind_spot.FIX,
)
BY_SLUG: Final = {fix.slug: fix for fix in FIXES}
