"""``probes/dropped-target``: a target is lost by accident.

Signs: no relabel rule drops it, yet it is never asked: no address is left, a ``/`` stands in the address, the prober
refuses what it is told to ask. Reason: a rule writes a URL where an address belongs, or deletes what is needed. Nobody is
told: the target is not down, it is not there.

Before: ``target_label: __address__``, ``replacement: http://blackbox:9115`` → ``"http://blackbox:9115" is not a valid
hostname``. After: ``replacement: blackbox:9115``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine.interface import Examiner
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.prometheus.drop_reasons import BY_A_RULE, SAME_AS_ANOTHER, TIMEOUT_ABOVE_INTERVAL

if TYPE_CHECKING:
    from necropsy.case.store import Case

_ACCIDENTS: Final = (
    f"FROM dropped_target WHERE NOT starts_with(reason, {literal(BY_A_RULE)}) AND reason <> {literal(SAME_AS_ANOTHER)}"
    f" AND NOT contains(reason, {literal(TIMEOUT_ABOVE_INTERVAL)})"
)
_MOST_EXHIBITS: Final = 50
_GONE: Final = "The target is not down, it is missing: no metric and no alert shows it."
_REFUSED: Final = (
    "Prometheus sends the request to the exporter, which refuses it: up is 0, there is no probe_success, and the"
    " application is not probed. An empty value deletes a label."
)


def examine(case: Case) -> Iterator[Finding]:
    """One finding a job and reason."""
    rows = case.rows(f"SELECT prober, address, reason, file, line {_ACCIDENTS} ORDER BY prober, reason, address")
    for (prober, reason), found in groupby(rows, key=lambda row: (row["prober"], row["reason"])):
        yield _finding(prober, reason, list(found))


def _finding(prober: str, reason: str, rows: list[dict[str, Any]]) -> Finding:
    exhibits = [_exhibit(row) for row in rows[:_MOST_EXHIBITS]]
    return Finding(
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        title=f"{several(len(rows), 'target')} of {prober} {'is' if len(rows) == 1 else 'are'} never probed: {reason}",
        text=_REFUSED if reason.startswith("the exporter answers 400") else _GONE,
        primary=exhibits[0],
        supporting=tuple(exhibits[1:]),
        remedy=Remedy(
            title="Correct the rule that writes the address, or drop the target by a rule",
            text=f"See each step with `necropsy probes --steps {prober.partition('/')[2]}`.",
            undo="restore the old rule and reload",
        ),
        probers=(prober,),
    )


def _exhibit(row: dict[str, Any]) -> Exhibit:
    return Exhibit(
        title=row["address"] or "a target without an address",
        text=row["reason"],
        origin=Origin(row["file"], row["line"]) if row["file"] else None,
        query=f"SELECT prober, address, reason {_ACCIDENTS}",
    )


EXAMINER: Final = Examiner(
    slug="probes/dropped-target",
    meaning="A target is lost by accident, and nothing reports it.",
    severity=Severity.WARNING,
    needs=("probe",),
    examine=examine,
)
