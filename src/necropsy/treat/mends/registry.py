"""All mends, in the order of the slugs. What is not here has no patch: its page says why."""

from __future__ import annotations

from typing import Final

from necropsy.treat.mends import (
    dead_rule,
    doubled,
    dropped_target,
    duplicate_target,
    idle_backend,
    log_blind_spot,
    redirect_leaves_health,
    timeout_exceeds_interval,
    zombie_service,
)
from necropsy.treat.mends.interface import Mend

MENDS: Final[tuple[Mend, ...]] = (
    redirect_leaves_health.MEND,
    idle_backend.MEND,
    zombie_service.MEND,
    duplicate_target.MEND,
    doubled.MEND,
    dead_rule.MEND,
    dropped_target.MEND,
    timeout_exceeds_interval.MEND,
    log_blind_spot.MEND,
)
BY_SLUG: Final = {mend.slug: mend for mend in MENDS}
