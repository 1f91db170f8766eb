"""Progress of a purge, as a value and as a line."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from necropsy.model.figures import size


@dataclass(slots=True)
class Progress:
    """Counts of one run."""

    total: int
    """Sessions of the plan."""
    deleted_before: int = 0
    """Sessions that earlier runs with the same journal deleted, and no undo brought back."""
    deleted: int = 0
    freed: int = 0
    """Bytes, estimated."""
    halves: int = 0
    """Deleted sessions that had lost their marker before."""
    kept: Counter[str] = field(default_factory=Counter)
    """Sessions of the plan that stay, by reason."""
    batches: int = 0
    journal_bytes: int = 0
    dumped: int = 0
    """Sessions whose value the server had to DUMP; the others come from its snapshot."""
    heard: int = 0
    """Sessions that applications were told of and that are kept all the same."""
    state: str = "running"
    p99_s: float = 0.0
    max_impact_s: float = 0.0
    began: float = field(default_factory=time.monotonic)
    remarks: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Sessions deleted a second."""
        return self.deleted / max(1e-6, time.monotonic() - self.began)

    def line(self) -> str:
        """Return the status as one line."""
        done = self.deleted_before + self.deleted
        kept = self.kept.total()
        why = ", ".join(f"{reason} {count:,}" for reason, count in self.kept.most_common(2))
        left = max(0, self.total - done - kept)
        eta = f" · {_seconds(left / self.rate)} left" if self.deleted and left and self.state == "running" else ""
        return (  # what matters first: a terminal may be too narrow for all of it
            f"{self.state}{eta} · {done:,}/{self.total:,} · {self.rate:,.0f}/s · {size(self.freed)} freed"
            f" · p99 {1000 * self.p99_s:.1f}/{1000 * self.max_impact_s:g} ms · kept {kept:,}{f' ({why})' if why else ''}"
        )


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
