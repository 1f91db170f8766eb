"""A remote backend: lines are read here, and analysed by whatever Ibis connects to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from necropsy.case.scratch import Scratch, open_scratch
from necropsy.evidence.access_log.backends.interface import Backend, Part, WantedLines
from necropsy.evidence.access_log.backends.local import LocalBackend
from necropsy.visits import analyse
from necropsy.visits.tables import SOURCES, arrow_schema

if TYPE_CHECKING:
    from necropsy.visits.analyse import Analysis
    from necropsy.visits.engines.interface import Engine

_UPLOADED: Final = 1 << 18
"""Rows that go to the engine at a time."""


class RemoteBackend:
    """Lines are read here, and go to an engine elsewhere as numbers and folded texts."""

    def __init__(self, scratch: Scratch, connection: Any) -> None:
        from necropsy.visits.engines.ibis_engine import IbisEngine

        self._local = LocalBackend(scratch)
        self.connected = IbisEngine(connection)
        self.engine: Engine = self.connected

    def read(self, wanted: WantedLines) -> Part:
        """See ``Backend``."""
        import pyarrow as pa

        part = self._local.read(wanted)
        for table in ("line", "given"):
            schema = arrow_schema(SOURCES[table])
            self.engine.upload(table, schema.empty_table())
            columns = ", ".join(SOURCES[table])
            reader = self._local.scratch.connection.sql(f"SELECT {columns} FROM {table}").to_arrow_reader(_UPLOADED)
            for batch in reader:
                self.connected.append(table, pa.Table.from_batches([batch]).cast(schema))
        return part

    def analyse(self, *, slack_us: int, bins: bool, visits_between: tuple[int, int] | None) -> Analysis:
        """See ``Backend``."""
        return analyse.analyse(self.engine, slack_us=slack_us, bins=bins, visits_between=visits_between)


@contextlib.contextmanager
def open_remote(connection: Any) -> Iterator[Backend]:
    """Open a backend for one log on an engine that Ibis is connected to; its tables are dropped at the end."""
    with open_scratch() as scratch:
        backend = RemoteBackend(scratch, connection)
        try:
            yield backend
        finally:
            backend.connected.close()
