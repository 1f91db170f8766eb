"""Cases in memory over databases that are emptied and used again: to make a database takes longer than most tests that need one."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import duckdb

from necropsy.case import identity
from necropsy.case.schema import BY_NAME
from necropsy.case.store import Case

_MADE = ExitStack()
_FREE: list[duckdb.DuckDBPyConnection] = []
_META = ("schema_version", "necropsy", "created_at")
"""Facts that a new case has."""


@atexit.register
def _close() -> None:
    _FREE.clear()
    _MADE.close()


@contextmanager
def blank_case() -> Iterator[Case]:
    """A case as ``Case.create(None)`` makes it, with a key of its own; after an error its database is not used again."""
    connection = _FREE.pop() if _FREE else _MADE.enter_context(Case.create(None)).connection
    yield Case(lambda: connection, identity.new_key(), None)
    _empty(connection)
    _FREE.append(connection)


def _empty(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every table anew that has held rows; drop whatever else there is."""
    for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
        connection.execute(f'DROP VIEW "{view}"')
    found = connection.execute("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall()
    for table in [name for name, rows in found if name != "meta" and (rows or name not in BY_NAME)]:
        connection.execute(f'DROP TABLE "{table}"')
        if table in BY_NAME:
            connection.execute(BY_NAME[table].ddl)
    connection.execute(f"DELETE FROM meta WHERE name NOT IN {_META}")
