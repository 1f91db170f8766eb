"""Text for DuckDB."""

from __future__ import annotations


def text(value: str) -> str:
    """Return a text as a literal of SQL.

    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"
