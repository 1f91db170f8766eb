"""``sessions/application-settings``: an application is set up to start a session for everybody, or to let none end.

Signs: a setting in a file of the application that was given (``necropsy lint app.js settings.py``). Reason: the framework's
default, or a line that was copied from a tutorial. It is what the files say; whether probes ask is not known from them.

Before: ``session({ store, saveUninitialized: true })``. After: ``saveUninitialized: false``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine.interface import Examiner
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_ALL: Final = (
    "SELECT file, line, framework, layout, meaning, instead FROM application_setting ORDER BY layout, file, line"
)


def examine(case: Case) -> Iterator[Finding]:
    """One finding for each framework and setting, with every place."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in case.rows(_ALL):
        groups.setdefault((row["framework"], row["meaning"]), []).append(row)
    for (framework, meaning), rows in groups.items():
        exhibits = [
            Exhibit(
                f"{row['file']}:{row['line']}", text=f"write {row['instead']}",
                origin=Origin(row["file"], row["line"], "sets it"), query=_ALL,
            )
            for row in rows
        ]  # fmt: skip
        places = f" (in {several(len(rows), 'place')})" if len(rows) > 1 else ""
        yield Finding(
            severity=Severity.WARNING,
            confidence=Confidence.HIGH,
            title=f"{framework}: {meaning}{places}",
            text="This follows from the file alone. Whether a probe requests such a page depends on the configuration"
            " of the monitoring.",
            primary=exhibits[0],
            supporting=tuple(exhibits[1:]),
            remedy=Remedy(
                title=f"Write {rows[0]['instead']}",
                text="docs/sessions.md describes the whole fix, with code, and what each visit costs.",
                undo="restore the old line",
            ),
        )


EXAMINER: Final = Examiner(
    slug="sessions/application-settings",
    meaning="An application is configured to start a session for every visitor, or to let none expire.",
    severity=Severity.WARNING,
    needs=(),
    examine=examine,
)
