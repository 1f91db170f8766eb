"""One partition: its tables in a DuckDB of its own, what it says of them, and what the next stage will need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from necropsy.visits.engines.duckdb_engine import DuckdbEngine, whole_numbers
from necropsy.visits.partitioned.packing import packed, unpacked
from necropsy.visits.tables import SOURCES, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.case.scratch import Scratch

Stage: TypeAlias = "Callable[[Partition], None]"
"""Pure, and can be pickled; see ``stages``."""
_HELD: Final = 3 << 20
"""Rows of a table that stay as they came: of a table that has more, all go to DuckDB's own, which it can spill."""
_LARGE: Final = ("line", "given", "visit")
"""Tables that no step makes anew: they need no copy of DuckDB's own."""
_AT_ONCE: Final = 1 << 20
"""Rows that leave at a time."""


class Partition:
    """Tables of some flows; a stage makes others of them.

    Parameters
    ----------
    scratch
        Empty.
    """

    def __init__(self, scratch: Scratch) -> None:
        # Its neighbours on this machine have the other cores.
        scratch.run("SET threads = 1")
        self.engine = DuckdbEngine(scratch)
        self.scratch = scratch
        self.said: dict[str, pa.Table] = {}
        """Sums, for whoever adds them up."""
        self.kept: list[str] = []
        """Tables that the next stage needs."""
        self._held: dict[str, list[pa.Table]] = {}
        self._stored: set[str] = set()

    def take(self, data: bytes) -> None:
        """Take some rows of a table."""
        name, rows = unpacked(data)
        held = self._held.setdefault(name, [])
        held.append(rows)
        if sum(table.num_rows for table in held) > _HELD:
            self._store(name)

    def ready(self) -> None:
        """Give all rows that were taken the names of their tables; those of the reader are there even without a row."""
        import pyarrow as pa

        for name in ("line", "given"):
            if name not in self._stored:
                self._held.setdefault(name, [arrow_schema(SOURCES[name]).empty_table()])
        for name, held in self._held.items():
            if name in self._stored or name not in _LARGE:
                self._store(name)
            else:
                self.scratch.connection.register(name, pa.concat_tables(held))

    def run(self, statement: str) -> None:
        """Run SQL."""
        self.scratch.run(statement)

    def say(self, name: str, query: str = "") -> None:
        """Say a table, or a query under its name, to whoever adds up."""
        rows = self.scratch.connection.sql(query or f"FROM {name}").to_arrow_table()
        self.said[name] = rows.cast(whole_numbers(rows.schema))

    def keep(self, *names: str) -> None:
        """Keep tables for the next stage."""
        self.kept += names

    def leaving(self) -> Iterator[bytes]:
        """Yield what is kept, a million rows at a time; a table without rows, too."""
        import pyarrow as pa

        for name in self.kept:
            reader = self.scratch.connection.sql(f"FROM {name}").to_arrow_reader(_AT_ONCE)
            batch = None
            for batch in reader:
                yield packed(name, pa.Table.from_batches([batch]))
            if batch is None:
                yield packed(name, reader.schema.empty_table())

    def _store(self, name: str) -> None:
        import pyarrow as pa

        held = self._held[name]
        if held:
            self.scratch.connection.register("rows_to_store", pa.concat_tables(held))
            if name in self._stored:
                self.scratch.run(f"INSERT INTO {name} FROM rows_to_store")
            else:
                self.scratch.run(f"CREATE TEMP TABLE {name} AS FROM rows_to_store")
                self._stored.add(name)
            self.scratch.connection.unregister("rows_to_store")
            held.clear()


def run_stage(partition: Partition, stage: Stage, given: Mapping[str, pa.Table]) -> None:
    """Run a stage on a partition that has taken its rows, beside tables that all partitions are given."""
    partition.ready()
    for name, rows in given.items():
        partition.scratch.connection.register(name, rows)
    stage(partition)
