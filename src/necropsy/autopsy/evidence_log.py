"""The evidence log: evidence that is kept beside the case, and the record of its sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from necropsy._internal.serialization import to_plain
from necropsy.model.errors import NecropsyError
from necropsy.model.evidence import Absent, Blemish, Source

if TYPE_CHECKING:
    from necropsy.case.store import Case
    from necropsy.probes.configuration_file import ConfigurationFile
    from necropsy.probes.simulate import Simulation


@dataclass(slots=True)
class EvidenceInMemory:
    """Evidence that stays in memory beside the case: configuration texts, which patches are made from, and their simulation."""

    log: EvidenceLog
    """The record of its sources."""
    files: list[ConfigurationFile] = field(default_factory=list)
    simulation: Simulation | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    logs_given: bool = False


class EvidenceLog:
    """Records the sources of a case, and what of them is absent or damaged."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.sources = 0
        self.absent: list[Absent] = []

    def record(
        self, sources: Iterable[Source] = (), absent: Iterable[Absent] = (), blemishes: Iterable[Blemish] = ()
    ) -> None:
        """Write sources, absences and blemishes into the case."""
        sources = list(sources)
        # The locator stands beside the reason wherever both are shown: once is enough.
        absent = [replace(value, reason=value.reason.removeprefix(f"{value.locator}: ")) for value in absent]
        self.sources += len(sources)
        self.absent += absent
        self.case.append("source", [_row(source) for source in sources])
        self.case.append("absence", [_row(value) for value in absent])
        self.case.append("blemish", [_row(value) for value in blemishes])

    def fail(self, kind: str, locator: str, error: NecropsyError) -> None:
        """Record a source that could not be read as absent, with the hint of its error."""
        self.record(absent=[Absent(kind, locator, error.message, error.hint)])


def _row(value: object) -> dict[str, object]:
    row = dict(to_plain(value))
    taken_at = getattr(value, "taken_at", None)
    if taken_at is not None:
        row["taken_at"] = _naive(taken_at)
    return row


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
