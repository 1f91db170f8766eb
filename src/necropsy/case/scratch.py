"""A DuckDB of our own for the time of reading: bounded memory, spills to disk, leaves nothing behind.

It is not the case's connection: a log may be larger than memory, so limits must hold here that nobody wants there, and
a log's raw lines must not even pass through the case's file.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from necropsy.case.once import Once

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY: Final = "384MB"
"""Memory that DuckDB may hold before it spills. Measured: more gains nothing, as the spill is written once and read once."""
THREADS: Final = 8


class Scratch:
    """The connection, and the folder for links, copies and spilled pages.

    It connects when somebody first needs it: reading plain lines hardly does, and to load a database takes a tenth of a second.

    Parameters
    ----------
    folder
        Where links, copies and spilled pages are.
    memory
        What DuckDB may hold before it spills.
    meanwhile
        What else to make ready while lines are scanned.
    """

    def __init__(self, folder: Path, memory: str = MEMORY, meanwhile: Callable[[], object] | None = None) -> None:
        self.folder = folder
        self.held: list[pa.Table] = []
        """Rows of a log that need no copy of DuckDB's own; see ``lines``."""
        self._connected = Once(lambda: _connect(folder, memory))
        self._meanwhile = meanwhile
        self._readying: Thread | None = None
        self._first: list[str] = []
        self._beginning = Lock()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection."""
        connection = self._connected()
        if self._first:
            with self._beginning:
                while self._first:
                    connection.execute(self._first[0])
                    del self._first[0]
        return connection

    def begin(self, *statements: str) -> None:
        """Run statements before any other that comes later: there may be no connection yet."""
        with self._beginning:
            self._first += statements

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Exceptions that DuckDB raises for bytes that it cannot read."""
        import duckdb

        return duckdb.IOException, duckdb.InvalidInputException

    def get_ready(self) -> None:
        """Begin to load all that will be needed, beside whatever the caller does next; the first call does."""
        if self._readying is None:
            # Not a daemon: compiled code that still loads while the interpreter ends would bring the process down.
            self._readying = Thread(target=self._get_ready)
            self._readying.start()

    def _get_ready(self) -> None:
        # Whoever needs what fails here meets the same error, and can say it.
        with contextlib.suppress(Exception):
            importlib.import_module("pyarrow.compute")
            _ = self.connection
            if self._meanwhile is not None:
                self._meanwhile()

    def close(self) -> None:
        """Close the connection, once nothing is being made ready any more."""
        if self._readying is not None:
            self._readying.join()
        self._connected.end(lambda connection: connection.close())

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
def open_scratch(memory: str = MEMORY, meanwhile: Callable[[], object] | None = None) -> Iterator[Scratch]:
    """Open a scratch database; its folder is deleted afterwards. Parameters as for ``Scratch``."""
    with tempfile.TemporaryDirectory(prefix="necropsy-") as folder:
        scratch = Scratch(Path(folder), memory, meanwhile)
        try:
            yield scratch
        finally:
            scratch.close()


def _connect(folder: Path, memory: str) -> duckdb.DuckDBPyConnection:
    import duckdb

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
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    # Lines of the same second keep their order: what follows a redirect stands behind it.
    connection.execute("SET preserve_insertion_order = true")
    return connection
