"""A census of a keyspace: batches of keys go in; session parts, index entries and families of keys come out.

>>> # census = Census("a", now)
>>> # for batch in dump:
>>> #     for table, rows in census.take(batch):
>>> #         case.append(table, rows)
>>> # case.append("key_family", census.families())
>>> # settle(case, "a", now)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from necropsy.sessions.interface import OTHER
from necropsy.sessions.registry import LAYOUTS

if TYPE_CHECKING:
    import pyarrow as pa


class Census:
    """Counts every key of one store exactly once.

    Parameters
    ----------
    store
        Name of the store: goes into every row.
    now
        The moment for which keys count as expired; without a zone it means UTC.
    """

    def __init__(self, store: str, now: datetime) -> None:
        import numpy as np

        from necropsy.sessions.families import Families

        self._store = store
        self._layouts = [layout() for layout in LAYOUTS]
        self._families = Families(np.datetime64((now.astimezone(UTC) if now.tzinfo else now).replace(tzinfo=None)))

    def take(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Table]]:
        """Take one batch (``keyspace.key_schema``); yield tables for ``session_part`` and ``index_entry``.

        The raw ``id`` and ``index`` columns are binary: the case hashes them. Exhaust the iterator, else the batch is
        not wholly counted.
        """
        import numpy as np

        from necropsy.sessions.columns import Keys
        from necropsy.sessions.folding import fold

        keys = Keys(batch)
        for layout in self._layouts:
            for claim in layout.recognise(keys):
                keys.free[claim.rows] = False
                self._families.add(keys, claim.rows, claim.role, claim.pattern)
                if claim.names is not None:
                    self._families.remember(claim.names)
                if claim.parts is not None and claim.parts.num_rows:
                    yield "session_part", self._stamp(claim.parts, role=claim.role, keys=1)
                if claim.entries is not None and claim.entries.num_rows:
                    yield "index_entry", self._stamp(claim.entries)
        rest = np.flatnonzero(keys.free)
        self._families.add(keys, rest, OTHER, fold(keys.take("key", rest)))

    def families(self) -> pa.Table:
        """Return the rows of ``key_family``; the sum of their ``keys`` is the number of keys taken."""
        return self._stamp(self._families.table())

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was left out, a sentence each; empty when nothing was."""
        return tuple(remark for layout in self._layouts for remark in layout.remarks())

    def _stamp(self, rows: pa.Table, **values: Any) -> pa.Table:
        import pyarrow as pa

        for name, value in {"store": self._store, **values}.items():
            rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
        return rows
