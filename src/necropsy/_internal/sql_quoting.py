"""Quoting for DuckDB. Values of a log never become SQL; names of keys, files and formats do, and pass through here."""

from __future__ import annotations


def literal(value: str) -> str:
    """Return a string literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def identifier(value: str) -> str:
    """Return a quoted identifier.

    >>> identifier('@time"stamp')
    '"@time""stamp"'
    """
    return '"' + value.replace('"', '""') + '"'
