"""A census of a keyspace: batches of keys go in; sessions, index entries and families of keys come out.

>>> # census = Census("a", now, case.hashes)
>>> # for batch in dump:
>>> #     for table, rows in census.take(batch):
>>> #         case.append(table, rows)
>>> # case.append("key_family", census.families())
>>> # settle(case, census)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from necropsy.sessions.interface import COMPANION, OTHER, Layout, RecognisedKeys
from necropsy.sessions.registry import layouts

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.sessions.columns import Keys
    from necropsy.sessions.writers.form import SessionForm
    from necropsy.sessions.writers.hashes import HashForm


def _plain(moment: datetime) -> datetime:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None)


class Census:
    """Counts every key of one store exactly once.

    Parameters
    ----------
    store
        Name of the store: goes into every row.
    now
        The moment for which keys count as expired; without a zone it means UTC.
    hashes
        Keyed hashes of a column of ids, as the case makes them; by default with a key that is forgotten.
    taken_at
        When the keys were taken, to the second below; ``now`` when nothing else is known.
    described
        Layouts that the user described.
    """

    uncertain_s = 1.0
    """Longest time after ``taken_at`` at which a key may have been written: on a live server, as long as reading took."""

    def __init__(
        self,
        store: str,
        now: datetime,
        hashes: Callable[[pa.Array], pa.Array] | None = None,
        taken_at: datetime | None = None,
        described: tuple[SessionForm | HashForm, ...] = (),
    ) -> None:
        import numpy as np

        from necropsy.case import identity
        from necropsy.sessions.families import Families
        from necropsy.sessions.joining import Companions

        self.store = store
        self.now = _plain(now)
        self.taken_at = _plain(taken_at or now)
        self.layouts: list[Layout] = [layout() for layout in layouts(described)]
        self.companions = Companions()
        key = identity.new_key()
        self._hashes = hashes or (lambda identifiers: identity.hash_column(key, identifiers))
        self._families = Families(np.datetime64(self.now))

    def take(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Table]]:
        """Take one batch (``keyspace.key_schema``); yield tables for ``session``, ``session_part`` and ``index_entry``.

        Where a column ``id`` is binary, the case hashes it. Exhaust the iterator, else the batch is not wholly counted.
        """
        import numpy as np

        from necropsy.sessions.columns import Keys
        from necropsy.sessions.folding import fold

        keys = Keys(batch)
        for layout in self.layouts:
            claims = []
            for claim in layout.recognise(keys):
                keys.free[claim.rows] = False
                claims.append(claim)
            for claim in claims:
                self._families.add(keys, claim.rows, claim.role, claim.pattern)
                if claim.names is not None:
                    self._families.remember(claim.names)
                if claim.role == COMPANION and claim.parts is not None:
                    self._accompany(claim.parts)
            for claim in claims:
                yield from self._rows(keys, claim)
        rest = np.flatnonzero(keys.free)
        self._families.add(keys, rest, OTHER, fold(keys.take("key", rest)))

    def families(self) -> pa.Table:
        """Return the rows of ``key_family``; the sum of their ``keys`` is the number of keys taken."""
        return self._stamp(self._families.table())

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on what was left out, a sentence each; empty when nothing was."""
        return tuple(remark for layout in self.layouts for remark in layout.remarks())

    def _accompany(self, parts: pa.Table) -> None:
        from necropsy.sessions.columns import numbers

        groups = self.companions.group(parts["namespace"], parts["db"])
        self.companions.add(groups, numbers(self._hashes(parts["id"])), numbers(parts["bytes"]))

    def _rows(self, keys: Keys, claim: RecognisedKeys) -> Iterator[tuple[str, pa.Table]]:
        import pyarrow as pa

        if claim.parts is not None and claim.parts.num_rows and claim.role != COMPANION:
            if claim.told:
                yield "session", self._stamp(self._sessions(claim.parts, paired=claim.paired))
            else:
                keys_each = pa.repeat(1, claim.parts.num_rows)
                yield "session_part", self._stamp(claim.parts.append_column("keys", keys_each), role=claim.role)
        if claim.entries is not None and claim.entries.num_rows:
            entries = claim.entries
            indexes = self._hashes(keys.take("key", claim.rows)).take(entries["owner"])
            hashed = entries.drop_columns(["owner", "id"]).append_column("index_hash", indexes)
            yield "index_entry", self._stamp(hashed.append_column("id_hash", self._hashes(entries["id"])))

    def _sessions(self, parts: pa.Table, *, paired: bool) -> pa.Table:
        """Make sessions of records that tell everything themselves, with the companion that each is expected to have."""
        import numpy as np
        import pyarrow as pa

        from necropsy.sessions.columns import numbers, words

        hashes = self._hashes(parts["id"])
        groups = self.companions.group(parts["namespace"], parts["db"])
        sizes = numbers(parts["bytes"])
        keys = np.ones(len(sizes), np.int32)
        if paired:
            more, larger = self.companions.expect(groups, numbers(hashes))
            keys, sizes = keys + more.astype(np.int32), sizes + larger
        else:
            self.companions.none_expected(groups, numbers(hashes))
        ends = numbers(parts["expires_at"].cast(pa.int64()))
        over = ends - numbers(parts["grace_s"]).astype(np.int64) * 1000
        now = int(np.datetime64(self.now, "ms").astype(np.int64))
        states = np.where(ends <= now, 2, np.where(over <= now, 1, 0))
        states[numbers(parts["state"].is_valid())] = 3
        return (
            parts.drop_columns(["id", "grace_s", "state", "expires_at", "bytes"])
            .append_column("id_hash", hashes)
            .append_column("expires_at", pa.array(over).cast(pa.timestamp("ms")))
            .append_column("keys", pa.array(keys))
            .append_column("bytes", pa.array(sizes))
            .append_column("state", words(states, ("live", "grace", "expired", "ghost")))
        )

    def _stamp(self, rows: pa.Table, **values: Any) -> pa.Table:
        import numpy as np

        from necropsy.sessions.columns import words

        codes = np.zeros(rows.num_rows, np.int8)
        for name, value in {"store": self.store, **values}.items():
            rows = rows.append_column(name, words(codes, (value,)))
        return rows
