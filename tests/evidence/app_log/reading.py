"""Read a text as an application log: the same few lines for all tests of this room."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from blank_cases import blank_case
from necropsy.evidence.app_log.reader import ReadErrors, read


def events(
    folder: Path, content: str | bytes, name: str = "error.log", *, written: datetime | None = None
) -> tuple[ReadErrors, list[tuple[Any, ...]]]:
    """Return what was read, and the rows (minute, class, trouble, events) in their order; ``-`` reads standard input."""
    path = folder / name
    if name != "-":
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if written is not None:
            os.utime(path, (written.timestamp(), written.timestamp()))
    with blank_case() as case:
        log = read(case, [name if name == "-" else str(path)])
        rows = case.rows("SELECT bin, class, trouble, events FROM error_event ORDER BY ALL")
    return log, [tuple(row.values()) for row in rows]
