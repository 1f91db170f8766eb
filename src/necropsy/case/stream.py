"""Rows by the million: one ``INSERT`` that is fed while the caller goes on reading.

A statement for each batch costs a transaction each time, and waits for the caller while the caller waits for it. Here one
statement takes batch after batch from a short queue; DuckDB compresses what it has while the next batch is read.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_WAITING: Final = 2
"""Batches that may wait: enough that neither side does."""


class _Abandoned(Exception):  # noqa: N818 -- not an error of ours: it takes the rows back
    """The caller failed."""


class TableStream:
    """Appends Arrow tables to one table of a case while its block runs.

    Parameters
    ----------
    cursor
        A connection of its own to the case's database; closed at the end.
    table
        Where the rows go.
    prepare
        What is to be done to each table of rows before it is stored.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, table: str, prepare: Callable[[pa.Table], pa.Table]) -> None:
        self._cursor = cursor
        self._table = table
        self._prepare = prepare
        self._queue: queue.Queue[pa.Table | BaseException | None] = queue.Queue(_WAITING)
        self._worker: threading.Thread | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def put(self, rows: pa.Table) -> None:
        """Append rows; all tables that are put have the same columns of the same types.

        Raises
        ------
        duckdb.Error
            An earlier row could not be stored.
        """
        if not rows.num_rows:
            return
        rows = self._prepare(rows)
        if self._worker is None:
            self._worker = threading.Thread(target=self._insert, args=(rows.schema,), name=f"rows of {self._table}")
            self._worker.start()
        self._hand_over(rows)

    def _hand_over(self, rows: pa.Table | BaseException | None) -> None:
        while self._error is None:
            try:
                self._queue.put(rows, timeout=0.5)
            except queue.Full:
                continue
            return
        if not isinstance(rows, BaseException) and rows is not None:
            raise self._error

    def _insert(self, schema: pa.Schema) -> None:
        import pyarrow as pa

        names = ", ".join(f'"{name}"' for name in schema.names)
        try:
            self._cursor.register("incoming", pa.RecordBatchReader.from_batches(schema, self._batches()))
            self._cursor.execute(f'INSERT INTO "{self._table}" ({names}) SELECT {names} FROM incoming')
        except BaseException as error:  # noqa: BLE001 -- raised again where the caller is
            self._error = error

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while (rows := self._queue.get()) is not None:
            if isinstance(rows, BaseException):
                raise rows
            yield from rows.to_batches()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._hand_over(None if error is None else _Abandoned())
            self._worker.join()
        self._cursor.close()
        if self._error is not None and error is None:
            raise self._error
