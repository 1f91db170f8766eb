"""One census: an autopsy of the stores, as metrics. It runs in a process of its own (``cli.census``).

A process of its own gives its memory back when it ends, and cannot take the exporter with it. What is asked of the stores, and
how fast, is what ``necropsy examine --redis`` asks: read-only, backing off when the store answers slowly, idle times kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from necropsy.guard.exposition import Family, Sample


def take(stores: list[tuple[str, str]], incident: str | None) -> list[Family]:
    """Examine stores, with the evidence that an incident file names, and return the metrics.

    Parameters
    ----------
    stores
        Name and address of each.
    incident
        Path of an incident file with logs and configuration; None: the stores alone.
    """
    from necropsy.autopsy import incident_file, judging, reading, reporting, verdict_inputs
    from necropsy.autopsy.sources import LiveAddress, Sources, StoreSource
    from necropsy.case.store import Case
    from necropsy.guard.census.families import families

    sources = Sources(stores=tuple(StoreSource(name, LiveAddress(url)) for name, url in stores), checksums=False)
    if incident is not None:
        sources = sources.join(incident_file.load(incident))
    with Case.create(None, large=reading.needs_disk(sources)) as case:
        evidence = reading.read(case, sources, lambda _stage, _share: None)
        births = verdict_inputs.births_by_store(case)
        judging.judge(case, evidence, sources, births)
        return families(case, reporting.report(case, births))


def encode(families: list[Family]) -> str:
    """Return families as JSON."""
    return json.dumps([asdict(family) for family in families])


def decode(text: str) -> list[Family]:
    """Return the families that ``encode`` wrote."""
    rows: list[dict[str, Any]] = json.loads(text)
    return [
        Family(row["name"], row["type"], row["help"],
               [Sample(tuple((name, value) for name, value in sample["labels"]), sample["value"], sample["suffix"])
                for sample in row["samples"]])
        for row in rows
    ]  # fmt: skip
