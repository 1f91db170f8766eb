"""``monitoring/store-unwatched``: the monitoring that was given watches no Redis server.

Sign: no target of any Prometheus job is a Redis exporter, by port (9121), path or name. Reason: then nobody sees keys and
memory grow; the first sign is an application that hangs. It kills no store: it hides why one dies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from necropsy.examine import case_queries
from necropsy.examine.interface import Examiner
from necropsy.model.figures import several
from necropsy.model.finding import Cleared, Confidence, Exhibit, Finding, Remedy, Severity

if TYPE_CHECKING:
    from necropsy.case.store import Case

_WATCHES: Final = re.compile(r"(?i)redis|valkey|keydb|dragonfly|necropsy|:9121\b")


def examine(case: Case) -> Iterator[Finding | Cleared]:
    """One finding or clearance for the whole configuration; nothing where no Prometheus is among the evidence."""
    files = [row["locator"] for row in case.rows("SELECT locator FROM source WHERE reader = 'prometheus' ORDER BY 1")]
    stores = case_queries.sessions_by_store(case)
    if not files or not stores:
        return
    probes = case_queries.probes(case).values()
    dropped = case.rows("SELECT prober, address FROM dropped_target")
    known = [f"{probe.prober} {probe.url} {probe.service or ''}" for probe in probes]
    known += [f"{row['prober']} {row['address']}" for row in dropped]
    watching = [text for text in known if _WATCHES.search(text)]
    if watching:
        yield Cleared("", f"{watching[0].split()[0]} watches a Redis server")
        return
    named = f"store {', '.join(stores)}" if len(stores) == 1 else f"stores {', '.join(stores)}"
    yield Finding(
        severity=Severity.INFO,
        confidence=Confidence.MEDIUM,
        title=f"No job in {files[0]} monitors Redis: {named} would grow unnoticed",
        text="Keys, memory and evictions of a session store show a leak a day before users notice it.",
        primary=Exhibit(
            title=f"{several(len(known), 'target')}, none of which is a Redis exporter",
            query="SELECT prober, kind, url FROM probe ORDER BY prober, url",
        ),
        remedy=Remedy(
            title="Run an exporter beside each store and scrape it",
            text="Alert on keys, used memory against maxmemory, and evicted_keys above 0.",
            undo="remove the job again",
            safe=True,
        ),
    )


EXAMINER: Final = Examiner(
    slug="monitoring/store-unwatched",
    meaning="The monitoring configuration that was given watches no Redis server.",
    severity=Severity.INFO,
    needs=("probe",),
    helped_by=("session",),
    examine=examine,
)
