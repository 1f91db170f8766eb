"""A table of a case file as a value: the DDL, the documentation and the hashing of ids all come from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: name, DuckDB type, meaning."""

    name: str
    type: str
    doc: str
    hashed_from: str | None = None
    """Name of the incoming column whose bytes are hashed into this one."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a case file."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    staging: bool = False
    """Emptied before a case is saved: raw material of another table."""

    @property
    def ddl(self) -> str:
        """``CREATE TABLE`` statement."""
        columns = ", ".join(f'"{c.name}" {c.type}' for c in self.columns)
        return f'CREATE TABLE IF NOT EXISTS "{self.name}" ({columns})'
