"""``probes/dead-rule``: a relabel rule that touches none of the targets that its job discovers.

Signs: targets came as far as the rule, and its regex matched none of them, or they have no such label. Reason: a label is
misspelt, or the rule was written for other targets. A ``keep`` rule like that drops everything.

Before: ``source_labels: [__meta_consul_tag]``, ``action: keep`` → no targets at all.
After: ``source_labels: [__meta_consul_tags]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy.examine.interface import Examiner
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_DEAD: Final = "reached > 0 AND (matched = 0 OR alike IS NOT NULL)"
_QUERY: Final = f"SELECT prober, file, line, what, reached, matched FROM relabel_rule WHERE {_DEAD}"
_OPTIONAL: Final = re.compile(r"__meta_\w*(?:label|annotation|labelpresent|metadata|meta|tag)_")
"""Labels that a target has if its owner wrote them: not to have one is no mistake."""
_PRECAUTIONS: Final = ("drop", "dropequal", "labeldrop", "labelmap")
"""Such a rule may wait for a target that is not there today."""


def examine(case: Case) -> Iterator[Finding]:
    """One finding a rule."""
    rows = case.rows(
        "SELECT *, matched = 0 AND action IN ('keep', 'keepequal') AS selects FROM relabel_rule"
        f" WHERE {_DEAD} ORDER BY file, line"
    )
    for row in rows:
        if row["selects"] or row["alike"] is not None or not _is_precaution(row):
            yield _finding(row)


def _is_precaution(row: dict[str, Any]) -> bool:
    """Whether such a rule is right even if nothing fits it today."""
    if row["absent_label"] is not None:
        return _OPTIONAL.match(row["absent_label"]) is not None
    return row["action"] in _PRECAUTIONS


def _finding(row: dict[str, Any]) -> Finding:
    targets = several(row["reached"], "target")
    why = f"no target has the label {row['absent_label']}" if row["absent_label"] else "its regex matches none of them"
    better = f"; they do have {row['alike']}" if row["alike"] else ""
    effect = (
        f"drops all {targets} of {row['prober']}"
        if row["selects"]
        else f"matches nothing: {targets} reached it"
        if not row["matched"]
        else f"reads a label that none of its {targets} has"
    )
    return Finding(
        severity=Severity.WARNING if row["selects"] or row["alike"] else Severity.INFO,
        confidence=Confidence.HIGH if row["alike"] else Confidence.MEDIUM,
        title=f"A rule of {row['prober']} {effect}" if not row["selects"] else f"A rule {effect}",
        text=f"It {row['what']}: {why}{better}.",
        primary=Exhibit(
            title=f"{row['prober']}: {row['what']}",
            text=f"{why}{better}",
            origin=Origin(row["file"], row["line"], row["what"]),
            query=_QUERY,
        ),
        remedy=Remedy(
            title=f"Write {row['alike']}" if row["alike"] else "Correct the rule, or remove it",
            text="`necropsy probes --steps JOB` shows the labels rule by rule.",
            undo="restore the old rule and reload",
        ),
        probers=(row["prober"],),
    )


EXAMINER: Final = Examiner(
    slug="probes/dead-rule",
    meaning="A relabel rule matches none of the targets that its job discovers.",
    severity=Severity.WARNING,
    needs=("probe",),
    examine=examine,
)
