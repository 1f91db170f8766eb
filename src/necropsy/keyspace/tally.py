"""Batches of keys go in, sums stay: DuckDB groups each batch, and joins the sums when there are many.

What is held does not grow with the keys: a row for each pattern in a database of a node with a type, one for each slot,
and the biggest keys so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from necropsy.case import identity
from necropsy.keyspace import measures
from necropsy.keyspace.patterns import MOST_PATTERNS, Patterns
from necropsy.keyspace.slots import slots
from necropsy.model.keyspace import Figures

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS: Final = 200_000
_HASH_DIGITS: Final = 12
_PLACE: Final = "node, before, db, pattern, type, encoding"
_SLOT: Final = "before, slot"
_COLUMNS: Final = ("db", "key", "type", "encoding", "expires_at", "idle_s", "elements", "bytes")
_NAMED: Final = {
    "pattern": "called.text",
    "database": "db::VARCHAR",
    "type": "type || ', ' || encoding",
    "node": "node",
}


class Tally:
    """Sums over the keys of all sources.

    Parameters
    ----------
    top
        How many of the biggest keys to keep.
    show_keys
        Keep their names; else a hash of each, with a key of this run alone.
    by_slot
        Count slots, too.
    """

    def __init__(self, *, top: int, show_keys: bool, by_slot: bool) -> None:
        import duckdb

        self.patterns = Patterns()
        self._top, self._show_keys, self._by_slot = top, show_keys, by_slot
        self._key = identity.new_key()
        self._rows = 0
        self._least = -1
        self._connection = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})
        self._run("SET TimeZone = 'UTC'")
        self._run("SET temp_directory = ''")  # what is held is small: nothing of it belongs on a disk
        place = "node VARCHAR, before BOOLEAN, db INTEGER, pattern INTEGER, type VARCHAR, encoding VARCHAR"
        self._run(f"CREATE TABLE place ({place}, {measures.DECLARED})")
        self._run(f"CREATE TABLE slot (before BOOLEAN, slot INTEGER, {measures.DECLARED})")
        self._run(
            f"CREATE TABLE biggest ({place}, name BLOB, elements BIGINT, bytes BIGINT, left_ms BIGINT, idle_s BIGINT)"
        )

    def close(self) -> None:
        """Let go of everything."""
        self._connection.close()

    def add(self, batch: pa.RecordBatch, node: str, moment: datetime, *, before: bool) -> None:
        """Count a batch of a node; ``moment`` is when it was so, and decides what has expired."""
        import pyarrow as pa

        columns = {name: batch.column(name) for name in _COLUMNS}
        # DuckDB 2.0.1 refuses epoch_ms() of such a time, and a time in microseconds does not reach as far.
        columns["expires_at"] = columns["expires_at"].cast(pa.int64())
        columns["pattern"] = pa.array(self.patterns.of(batch))
        if self._by_slot:
            columns["slot"] = pa.array(slots(batch.column("key")))
        keys = f"""(
            SELECT *, {measures.CLASSES}
            FROM (SELECT * REPLACE (type::VARCHAR AS type, encoding::VARCHAR AS encoding),
                         expires_at - $moment AS left_ms
                  FROM incoming)
        )"""
        given = {"node": node, "before": before, "moment": round(moment.timestamp() * 1000)}
        self._connection.register("incoming", pa.table(columns))
        try:
            self._run(
                f"INSERT INTO place SELECT $node, $before, db, pattern, type, encoding, {measures.SUMMED}"
                f" FROM {keys} GROUP BY db, pattern, type, encoding",
                given,
            )
            if self._by_slot:
                moved = {name: given[name] for name in ("before", "moment")}
                self._run(f"INSERT INTO slot SELECT $before, slot, {measures.SUMMED} FROM {keys} GROUP BY slot", moved)
            if self._top and not before:
                self._keep_biggest(keys, given)
        finally:
            self._connection.unregister("incoming")
        self._make_room()

    def total(self, *, before: bool, sample: float) -> Figures:
        """Return the sums over everything."""
        sums = self._query(f"SELECT {measures.JOINED} FROM place WHERE before = $before", {"before": before})[0]
        return measures.figures(sums, sample)

    def grouped(self, by: str, *, before: bool, sample: float) -> dict[str, Figures]:
        """Return the sums by ``pattern``, ``database``, ``type``, ``node`` or ``slot``."""
        if by == "slot":
            query = f"SELECT slot::VARCHAR AS named, {measures.JOINED} FROM slot WHERE before = $before GROUP BY ALL"
        else:
            joined = " JOIN called ON called.pattern = place.pattern" if by == "pattern" else ""
            query = (
                f"SELECT {_NAMED[by]} AS named, {measures.JOINED} FROM place{joined}"
                " WHERE before = $before GROUP BY ALL"
            )
        rows = self._query(query, {"before": before})
        return {row["named"]: measures.figures(row, sample) for row in rows}

    def biggest(self) -> list[dict[str, Any]]:
        """Return the biggest keys with the text of their pattern, biggest first."""
        return self._query(
            "SELECT biggest.*, called.text FROM biggest JOIN called ON called.pattern = biggest.pattern"
            " ORDER BY bytes DESC, elements DESC, text, name LIMIT $top",
            {"top": self._top},
        )

    def settle(self) -> None:
        """Fold patterns by counting, and join what became the same; before anything is asked."""
        import pyarrow as pa

        counts = self._connection.execute("SELECT pattern, sum(keys)::BIGINT FROM place GROUP BY pattern").fetchall()
        moved = self.patterns.settle(dict(counts))
        table = pa.table({"old": pa.array(list(moved), pa.int32()), "new": pa.array(list(moved.values()), pa.int32())})
        self._connection.register("moved", table)
        for name in ("place", "biggest"):
            self._run(f"UPDATE {name} SET pattern = moved.new FROM moved WHERE moved.old = {name}.pattern")
        self._connection.unregister("moved")
        self._join("place", _PLACE)
        called = self.patterns.called()
        numbers = pa.array([number for number, _ in called], pa.int32())
        texts = pa.table({"pattern": numbers, "text": pa.array([text for _, text in called], pa.string())})
        self._connection.register("texts", texts)
        self._run("CREATE OR REPLACE TABLE called AS SELECT * FROM texts")
        self._connection.unregister("texts")

    def _keep_biggest(self, keys: str, given: dict[str, Any]) -> None:
        name = "key" if self._show_keys else f"encode(left(sha256($key || key), {_HASH_DIGITS}))"
        hashing = {} if self._show_keys else {"key": self._key}
        self._run(
            f"INSERT INTO biggest SELECT $node, $before, db, pattern, type, encoding, {name}, elements, bytes, left_ms,"
            f" idle_s FROM {keys} WHERE bytes > $least ORDER BY bytes DESC, key LIMIT $top",
            {**given, **hashing, "least": self._least, "top": self._top},
        )
        held = self._connection.execute("SELECT bytes FROM biggest ORDER BY bytes DESC LIMIT ?", [self._top]).fetchall()
        if len(held) == self._top:
            self._least = held[-1][0]
            self._run("DELETE FROM biggest WHERE bytes < $least", {"least": self._least})

    def _make_room(self) -> None:
        if len(self.patterns) > MOST_PATTERNS:
            self.settle()
        elif self._count("place") > _MOST_ROWS:
            self._join("place", _PLACE)
        if self._by_slot and self._count("slot") > _MOST_ROWS:
            self._join("slot", _SLOT)

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

    def _join(self, table: str, by: str) -> None:
        self._run(f"CREATE OR REPLACE TABLE {table} AS SELECT {by}, {measures.JOINED} FROM {table} GROUP BY {by}")

    def _run(self, statement: str, parameters: dict[str, Any] | None = None) -> None:
        self._connection.execute(statement, parameters or None).fetchall()

    def _query(self, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query, parameters)
        names: Sequence[str] = [field[0] for field in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
