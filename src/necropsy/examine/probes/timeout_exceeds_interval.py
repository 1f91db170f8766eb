"""``probes/timeout-exceeds-interval``: a scrape may take longer than the time until the next one.

Signs: Prometheus refuses the configuration, or, where a relabel rule wrote the times, loses the target. Reason: the
interval was made shorter, and the timeout stayed as it was.

Before: ``scrape_interval: 10s``, ``scrape_timeout: 30s``. After: ``scrape_timeout: 8s``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy._internal.sql_quoting import literal
from necropsy.examine.interface import Examiner
from necropsy.model.evidence import Origin
from necropsy.model.figures import several
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.prometheus.drop_reasons import CONFIGURED_TIMEOUT_ABOVE_INTERVAL, TIMEOUT_ABOVE_INTERVAL

if TYPE_CHECKING:
    from necropsy.case.store import Case

_REFUSED: Final = f"FROM absence WHERE contains(reason, {literal(CONFIGURED_TIMEOUT_ABOVE_INTERVAL)})"
_LOST: Final = f"FROM dropped_target WHERE contains(reason, {literal(TIMEOUT_ABOVE_INTERVAL)})"
_PLACE: Final = re.compile(r"(.*):(\d+)")
_REMEDY: Final = Remedy(
    title="Make scrape_timeout shorter than scrape_interval",
    text="The job's interval applies, else the global one; labels written by a rule override both.",
    undo="restore the old value and reload",
    safe=True,
)


def examine(case: Case) -> Iterator[Finding]:
    """One finding for each refused file, one for all lost targets of a job."""
    for row in case.rows(f"SELECT locator, reason {_REFUSED} ORDER BY locator"):
        place = _PLACE.fullmatch(row["locator"])
        where = Origin(place[1], int(place[2]), "scrape_timeout") if place else None
        yield Finding(
            severity=Severity.CRITICAL,
            confidence=Confidence.HIGH,
            title=f"Prometheus refuses the configuration: {row['reason'].removeprefix(row['locator'] + ': ')}",
            text="A running Prometheus keeps its old configuration, but a restarted one does not come up.",
            primary=Exhibit(
                "scrape_timeout is longer than scrape_interval",
                origin=where,
                query=f"SELECT locator, reason {_REFUSED}",
            ),
            remedy=_REMEDY,
        )
    jobs: dict[str, list[dict[str, Any]]] = {}
    for row in case.rows(f"SELECT prober, address, reason, file, line {_LOST} ORDER BY prober, address"):
        jobs.setdefault(row["prober"], []).append(row)
    for prober, rows in jobs.items():
        exhibits = [
            Exhibit(
                title=row["address"],
                text=row["reason"],
                origin=Origin(row["file"], row["line"], "discovers it") if row["file"] else None,
                query=f"SELECT prober, address, reason {_LOST}",
            )
            for row in rows
        ]
        yield Finding(
            severity=Severity.WARNING,
            confidence=Confidence.HIGH,
            title=f"{several(len(rows), 'target')} of {prober} {'is' if len(rows) == 1 else 'are'} never probed: the timeout"
            " is longer than the interval",
            text="Relabel rules set the times, so Prometheus loads the configuration and drops the targets.",
            primary=exhibits[0],
            supporting=tuple(exhibits[1:]),
            remedy=_REMEDY,
            probers=(prober,),
        )


EXAMINER: Final = Examiner(
    slug="probes/timeout-exceeds-interval",
    meaning="A scrape may take longer than the time until the next one.",
    severity=Severity.CRITICAL,
    needs=("probe",),
    examine=examine,
)
