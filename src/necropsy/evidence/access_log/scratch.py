"""A DuckDB of our own for the time of reading: bounded memory, spills to disk, leaves nothing behind.

It is not the case's connection: a log may be larger than memory, so limits must hold here that nobody wants there, and
a log's raw lines must not even pass through the case's file.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY: Final = "512MB"
"""What DuckDB may hold before it spills. Measured: more gains nothing, as the spill is written once and read once."""
THREADS: Final = 8


@dataclass(frozen=True, slots=True)
class Scratch:
    """The connection and the folder for links, copies and spilled pages."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    errors: tuple[type[Exception], ...]
    """What DuckDB raises for bytes that it cannot read."""
    held: list[pa.Table] = field(default_factory=list)
    """Rows of a log that need no copy of DuckDB's own; see ``lines``."""

    def run(self, statement: str, parameters: list[Any] | None = None) -> None:
        """Run a statement."""
        self.connection.execute(statement, parameters)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query with a small answer."""
        return self.connection.execute(query).fetchall()

    def value(self, query: str) -> Any:
        """Run a query that yields one value."""
        rows = self.rows(query)
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a second connection to the same database: to read from while the first one inserts."""
        connection = self.connection.cursor()
        try:
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()

    def forget_rejects(self) -> None:
        """Drop what the CSV reader noted about lines that it skipped."""
        for table in ("reject_errors", "reject_scans"):
            self.connection.execute(f"DROP TABLE IF EXISTS {table}")

    def columns(self, query: str) -> dict[str, Any]:
        """Run a query; a mapping of column to NumPy array."""
        return dict(self.connection.execute(query).fetchnumpy())


@contextlib.contextmanager
def open_scratch(memory: str = MEMORY) -> Iterator[Scratch]:
    """Open a scratch database; its folder is deleted afterwards."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="necropsy-") as folder:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": min(THREADS, os.cpu_count() or 1),
                "memory_limit": memory,
                "temp_directory": f"{folder}/spill",
                "autoinstall_known_extensions": False,
                "allow_community_extensions": False,
            },
        )
        try:
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET TimeZone = 'UTC'")
            # Lines of the same second keep their order: what follows a redirect stands behind it.
            connection.execute("SET preserve_insertion_order = true")
            yield Scratch(connection, Path(folder), (duckdb.IOException, duckdb.InvalidInputException))
        finally:
            connection.close()
