"""DuckDB in this process, with the SQL that was compiled from the steps beforehand: no Ibis is needed to run it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING, Final

from necropsy.visits.tables import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.case.scratch import Scratch
    from necropsy.visits.engines.interface import Function

SQL: Final = "duckdb.sql"
_AT_ONCE: Final = 1_000_000
"""Rows that each thread gives to a function at a time, about; bounds memory."""
_WORTH_IT: Final = 100_000
"""Rows from which on several threads are given some keys each."""
_THREADS: Final = 2


@cache
def statements() -> Mapping[str, tuple[str, str]]:
    """Return the table and the SQL of each step, by what the step is called."""
    text = resources.files(__package__).joinpath(SQL).read_text(encoding="utf-8")
    _, *parts = re.split(r"(?m)^-- (\w+) -> (\w+)\n", text)
    return {title: (table, sql.strip()) for title, table, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


class DuckdbEngine:
    """See ``Engine``. The lines of the log are in the scratch database already."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def create(self, step: str, **parameters: int) -> None:
        """See ``Engine``."""
        table, sql = statements()[step]
        self._scratch.run(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql.format(**parameters)}")

    def value(self, step: str, **parameters: int) -> int:
        """See ``Engine``."""
        return int(self._scratch.value(statements()[step][1].format(**parameters)))

    def fetch(self, step: str) -> pa.Table:
        """See ``Engine``."""
        rows = self._scratch.connection.sql(f"FROM {step}").to_arrow_table()
        return rows.cast(whole_numbers(rows.schema))

    def upload(self, step: str, rows: pa.Table) -> None:
        """See ``Engine``."""
        self._scratch.connection.register("rows_to_upload", rows)
        self._scratch.run(f"CREATE OR REPLACE TEMP TABLE {step} AS FROM rows_to_upload")
        self._scratch.connection.unregister("rows_to_upload")

    def map_groups(self, step: str, function: Function, source: str, key: str, schema: Mapping[str, str]) -> None:
        """See ``Engine``. Threads take one part of the keys after the other: NumPy lets go of the interpreter."""
        import pyarrow as pa

        rows = self._scratch.value(f"SELECT count(*) FROM {source}")
        # As many for each thread: one that is left over would be waited for by all.
        parts = (rows // (_AT_ONCE * _THREADS) + 1) * _THREADS if rows > _WORTH_IT else 1
        columns = arrow_schema(schema)
        reading = Lock()

        def work(part: int) -> pa.Table:
            chosen = f" WHERE hash({key}) % {parts} = {part}" if parts > 1 else ""
            with reading:
                some = self._scratch.connection.sql(f"FROM {source}{chosen}").to_arrow_table()
            return function(some).cast(columns)

        with ThreadPoolExecutor(min(parts, _THREADS)) as pool:
            self.upload(step, pa.concat_tables([columns.empty_table(), *pool.map(work, range(parts))]))

    def drop(self, *steps: str) -> None:
        """See ``Engine``."""
        for step in steps:
            self._scratch.run(f"DROP TABLE IF EXISTS {step}")


def whole_numbers(schema: pa.Schema) -> pa.Schema:
    """Return a schema without decimals: DuckDB sums whole numbers up to 128 bits, which Arrow knows as decimals alone."""
    import pyarrow as pa

    fields = [field.with_type(pa.int64()) if pa.types.is_decimal(field.type) else field for field in schema]
    return pa.schema(fields)
