"""Formats of log lines: those that are given, and those that a configuration holds."""

from __future__ import annotations

from collections.abc import Sequence

from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Origin
from necropsy.probes.simulate import LogFormat


def gather(log_format: str | None, nginx: Sequence[str]) -> list[LogFormat]:
    """Gather the formats: the given one first, then every ``log_format`` of nginx's configuration.

    Raises
    ------
    UnreadableSource
        A configuration file that cannot be read: it was named because its format is needed.
    """
    formats: list[LogFormat] = []
    if log_format is not None:
        formats.append(LogFormat("--log-format", log_format, "default", Origin("--log-format", 0)))
    if nginx:
        from necropsy.evidence.configuration.reader import read
        from necropsy.probes.simulate import simulate

        files, _, absent = read("nginx", nginx)
        if absent and not files:
            raise UnreadableSource(absent[0].reason, hint=absent[0].hint)
        formats += simulate(files).log_formats
    return formats
