"""Formats of log lines: those that are given, and those that a configuration holds."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_dir, is_file
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Origin
from necropsy.probes.nginx import apache_logs
from necropsy.probes.simulate import LogFormat
from necropsy.wire.files import read_text

_MOST_FILES: Final = 1000


def gather(log_format: str | None, nginx: Sequence[str] = (), apache: Sequence[str] = ()) -> list[LogFormat]:
    """Gather the formats: the given one first, then every one of the configurations, includes followed.

    Parameters
    ----------
    log_format
        nginx's or Apache's notation.
    nginx, apache
        Configuration files.

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
            raise UnreadableSource(f"{absent[0].locator}: {absent[0].reason}", hint=absent[0].hint)
        formats += simulate(files).log_formats
    for locator in apache:
        formats += _apache(locator)
    return formats


def _apache(locator: str) -> Iterator[LogFormat]:
    """Yield the formats of a configuration and of what it includes; an include that cannot be read is passed over."""
    waiting, seen = [locator], {locator}
    root = Path(locator).parent
    while waiting:
        name = waiting.pop(0)
        try:
            found = apache_logs.read(read_text(name), name)
        except UnreadableSource:
            if name == locator:
                raise
            continue
        yield from found.formats
        root = Path(found.server_root) if found.server_root and is_dir(found.server_root) else root
        for pattern in found.includes:
            for path in sorted(glob.glob(str(root / pattern))):  # noqa: PTH207 -- absolute patterns too
                if path not in seen and len(seen) < _MOST_FILES and is_file(path):
                    seen.add(path)
                    waiting.append(path)
