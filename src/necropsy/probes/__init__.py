"""Configuration → the exact URLs that will be requested, and when: discovery, relabelling, prober semantics. Pure.

``relabel`` and ``targets`` are public and stable.
"""

from __future__ import annotations

from necropsy.probes.prometheus.relabel.relabelling import relabel
from necropsy.probes.prometheus.targets.scraped import targets

__all__ = ["relabel", "targets"]
