"""The bench is part of a checkout: beside an installed wheel there is none to test."""

from __future__ import annotations

from pathlib import Path

collect_ignore_glob = [] if (Path(__file__).parents[2] / "bench" / "incidents").is_dir() else ["test_*.py"]
