"""External labels: part of the seed of the scrape phase, so that replicas of Prometheus do not scrape at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from necropsy.probes.prometheus.version import Version

# Go's os.Expand: ${name}, $name, and one special character behind a dollar sign.
_VARIABLE: Final = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z0-9_]+)|([*#$@!?-]))", re.ASCII)


def read_external_labels(
    labels: Mapping[str, str], environment: Mapping[str, str], version: Version
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Expand environment variables, which Prometheus does since 3.0 (before, only behind a feature flag).

    Returns
    -------
    tuple
        The labels, sorted by name, and the variables that ``environment`` lacks (Prometheus takes them for empty).

    >>> read_external_labels({"dc": "${DC}-$$1"}, {"DC": "eu"}, Version(3, 0))
    ({'dc': 'eu-$1'}, ())
    """
    if version < (3, 0):
        return dict(sorted(labels.items())), ()
    missing: list[str] = []

    def expand(match: re.Match[str]) -> str:
        name = match[1] if match[1] is not None else match[2] or match[3]
        if name == "$":
            return "$"
        if not environment.get(name):
            missing.append(name)
        return environment.get(name, "")

    return {name: _VARIABLE.sub(expand, value) for name, value in sorted(labels.items())}, tuple(missing)
