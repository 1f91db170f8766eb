"""Reasons for which Prometheus scrapes no target, in the words that examiners find them by again."""

from __future__ import annotations

from typing import Final

BY_A_RULE: Final = "a relabel rule "
"""Begins the reason of a target that a relabel rule drops, or does not keep."""
SAME_AS_ANOTHER: Final = "it has the same labels and URL as another target"
TIMEOUT_ABOVE_INTERVAL: Final = "scrape timeout cannot be greater than scrape interval"
"""Prometheus' words (scrape/target.go), of times that labels set."""
CONFIGURED_TIMEOUT_ABOVE_INTERVAL: Final = "scrape timeout greater than scrape interval"
"""Prometheus' words (config/config.go), of times that the configuration sets."""
