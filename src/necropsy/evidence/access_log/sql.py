"""Quoting for DuckDB. Values of a log never become SQL; names of keys, files and formats do, and pass through here."""

from __future__ import annotations


def text(value: str) -> str:
    """Return a string literal.

    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """Return a quoted identifier.

    >>> name('@time"stamp')
    '"@time""stamp"'
    """
    return '"' + value.replace('"', '""') + '"'
