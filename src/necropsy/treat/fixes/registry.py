"""All fixes, in the order in which they are tried. What is not here has no patch: its page says why."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from necropsy.treat.fixes.monitoring import log_blind_spot
from necropsy.treat.fixes.probes import (
    dead_rule,
    doubled,
    dropped_target,
    duplicate_target,
    health_behind_session,
    health_endpoint,
    idle_backend,
    labelmap_collision,
    redirect_leaves_health,
    timeout_exceeds_interval,
    wrong_path,
    zombie_service,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from necropsy.treat.fixes.interface import Fix

FIXES: Final[tuple[Fix, ...]] = (
    health_endpoint.FIX,
    wrong_path.FIX,
    wrong_path.BY_TARGET,
    redirect_leaves_health.FIX,
    idle_backend.FIX,
    zombie_service.FIX,
    duplicate_target.FIX,
    doubled.FIX,
    dead_rule.FIX,
    dropped_target.FIX,
    labelmap_collision.FIX,
    health_behind_session.FIX,
    timeout_exceeds_interval.FIX,
    log_blind_spot.FIX,
)


def _by_slug() -> Mapping[str, Sequence[Fix]]:
    by_slug: dict[str, list[Fix]] = defaultdict(list)
    for fix in FIXES:
        for slug in fix.slugs:
            by_slug[slug].append(fix)
    return dict(by_slug)


BY_SLUG: Final = _by_slug()
"""Slug of a finding → the fixes that may end it."""
GUESSED: Final = frozenset(slug for fix in FIXES if fix.guess for slug in fix.slugs)
"""Findings whose patches somebody has to confirm before they are applied."""
