r"""Log lines inside other log lines: containers and shippers wrap what an application wrote.

========================================================  ======================
line                                                      written by
========================================================  ======================
``{"log":"203.0.113.9 - - […\n","stream":"stdout",…}``    Docker (json-file)
``2019-05-24T18:41:34.25Z stdout F 203.0.113.9 - - […``   Kubernetes (CRI)
``May 24 18:41:34 web1 nginx: {"time":"2019-…``           syslog, before JSON
========================================================  ======================

The inner lines are written into a file of their own, one for one, so that their numbers stay those of the lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from necropsy._internal.sql_quoting import identifier, literal
from necropsy.evidence.access_log import damaged_lines
from necropsy.evidence.access_log.sources import LogFile

if TYPE_CHECKING:
    from necropsy.case.scratch import Scratch

_CRI: Final = re.compile(rb"(?m)^\S+ (?:stdout|stderr) [FP] ")
_INNER: Final = ("log", "message", "msg", "MESSAGE")


def unwrapped(scratch: Scratch, file: LogFile, lines: Sequence[str]) -> LogFile | None:
    """Return a file of the inner lines; None when nothing is wrapped."""
    copy = file.path.with_name(f"{file.path.name}-inner")
    key = _wrapping_key(lines)
    if key is not None:
        tidy = damaged_lines.tidy(file, file.path.with_name(f"{file.path.name}-outer"))
        inner = f"regexp_replace(coalesce({identifier(key)}, '?'), '[\\r\\n\\x01]+', ' ', 'g')"
        scratch.run(
            f"COPY (SELECT {inner} FROM read_json({literal(str(tidy.path))}, format = 'newline_delimited', ignore_errors = true,"
            f" columns = {{{literal(key)}: 'VARCHAR'}})) TO {literal(str(copy))}"
            " (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
        return LogFile(file.locator, copy, "none", file.damage)
    head = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if not _CRI.search(head) and damaged_lines.repaired(head) == head:
        return None
    with copy.open("wb") as out:
        for _, piece, _ends in damaged_lines.lines(file):
            out.write(damaged_lines.repaired(_CRI.sub(b"", piece)))
    return LogFile(file.locator, copy, "none", file.damage)


def _wrapping_key(lines: Sequence[str]) -> str | None:
    """Return the key that holds the inner line, if most lines are such objects."""
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found += [key for key in _INNER if isinstance(value.get(key), str)][:1]
    best = max(set(found), key=found.count, default=None)
    return best if best is not None and found.count(best) * 2 > len(lines) else None
