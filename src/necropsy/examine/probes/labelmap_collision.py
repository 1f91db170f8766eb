"""``probes/labelmap-collision``: a labelmap gives one name to several labels of a target.

Sign: two labels with different values match the regex, and the replacement makes one name of both. Reason: Prometheus goes
through the labels of a target in no certain order, so the value is chance, and may be another after each reload.

Before: ``regex: __meta_.*_(address|name)``, ``replacement: $1``. After: a regex that keeps the prefixes apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine.interface import Examiner
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_QUERY: Final = "SELECT prober, file, line, what, collision, collided FROM relabel_rule WHERE collided > 0"


def examine(case: Case) -> Iterator[Finding]:
    """One finding a rule."""
    for row in case.rows(f"{_QUERY} ORDER BY file, line"):
        yield Finding(
            severity=Severity.WARNING,
            confidence=Confidence.HIGH,
            title=(
                f"A labelmap of {row['prober']} makes {row['collision']} of several labels in"
                f" {several(row['collided'], 'target')}: which value wins is undefined"
            ),
            text="Prometheus goes through the labels in no fixed order, so a target may change with each reload.",
            primary=Exhibit(
                title=f"{row['prober']}: {row['what']}",
                text=f"several labels become {row['collision']}",
                origin=Origin(row["file"], row["line"], row["what"]),
                query=_QUERY,
            ),
            remedy=Remedy(
                title="Make the regex distinguish the names",
                text="Capture the part of the name that differs, or copy the intended label by its full name.",
                undo="restore the old rule and reload",
            ),
            probers=(row["prober"],),
        )


EXAMINER: Final = Examiner(
    slug="probes/labelmap-collision",
    meaning="A labelmap gives several labels the same name: which value wins is undefined.",
    severity=Severity.WARNING,
    needs=("probe",),
    examine=examine,
)
