"""An engine of any database that Ibis connects to: ClickHouse, Trino, PostgreSQL and more.

Lines are read here, and go there as numbers and folded texts. Tables are named after a run, and dropped at its end.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from necropsy.visits.steps import registry
from necropsy.visits.tables import arrow_schema

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from necropsy.visits.engines.interface import Function

AT_ONCE: Final = 2_000_000
"""Rows that a function is given at a time, about; bounds memory."""


class IbisEngine:
    """See ``Engine``.

    Parameters
    ----------
    connection
        Of Ibis, to a database in which tables may be made.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._prefix = f"necropsy_{uuid.uuid4().hex[:12]}"
        self._made = 0
        self._steps = registry.by_name()
        self._tables: dict[str, ir.Table] = {}
        self._names: dict[str, str] = {}

    def create(self, step: str, **parameters: int) -> None:
        """See ``Engine``."""
        table = self._steps[step].name
        self._keep(table, self._built(step, parameters))

    def value(self, step: str, **parameters: int) -> int:
        """See ``Engine``."""
        (value,) = self._arrow(self._built(step, parameters))["value"].to_pylist()
        return int(value)

    def fetch(self, step: str) -> pa.Table:
        """See ``Engine``."""
        return self._arrow(self._tables[step])

    def upload(self, step: str, rows: pa.Table) -> None:
        """See ``Engine``."""
        self._keep(step, rows)

    def append(self, step: str, rows: pa.Table) -> None:
        """Add rows to a table that was uploaded."""
        self._connection.insert(self._names[step], rows)

    def map_groups(self, step: str, function: Function, source: str, key: str, schema: Mapping[str, str]) -> None:
        """See ``Engine``. Rows come here, some keys at a time, and what is made of them goes back."""
        import pyarrow as pa

        rows = self._tables[source]
        parts = int(self._arrow(rows.agg(value=rows.count()))["value"][0].as_py()) // AT_ONCE + 1
        made = arrow_schema(schema).empty_table()
        for part in range(parts):
            # A key is a hash: its remainder is as good as any. Of a negative one it is negative, or not, as the engine likes.
            chosen = rows.filter(((rows[key] % parts) + parts) % parts == part) if parts > 1 else rows
            made = pa.concat_tables([made, function(self._arrow(chosen)).cast(made.schema)])
        self.upload(step, made)

    def drop(self, *tables: str) -> None:
        """See ``Engine``."""
        for table in tables:
            self._tables.pop(table, None)
            if table in self._names:
                self._connection.drop_table(self._names.pop(table), force=True)

    def close(self) -> None:
        """Drop every table that was made here."""
        self.drop(*self._names)

    def _built(self, step: str, parameters: Mapping[str, int]) -> ir.Table:
        return self._steps[step].build(self._tables, **parameters)

    def _keep(self, table: str, made: ir.Table | pa.Table) -> None:
        """Make a table, and drop the one that had its name before: the new one may have been made of it."""
        before = self._names.get(table)
        self._made += 1
        name = f"{self._prefix}_{table}_{self._made}"
        self._tables[table] = self._connection.create_table(name, made)
        self._names[table] = name
        if before is not None:
            self._connection.drop_table(before, force=True)

    def _arrow(self, expression: ir.Table) -> pa.Table:
        rows: pa.Table = self._connection.to_pyarrow(expression)
        return rows
