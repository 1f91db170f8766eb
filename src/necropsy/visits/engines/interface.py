"""The interface of an engine; see ``duckdb_engine`` and ``ibis_engine``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Function: TypeAlias = "Callable[[pa.Table], pa.Table]"
"""Pure. It is given all rows of some keys, and may be given those of other keys elsewhere at the same time."""


class Engine(Protocol):
    """Holds the tables of one log, and takes steps."""

    def create(self, step: str, **parameters: int) -> None:
        """Make the table of a step, by its name; one of that name is replaced."""

    def value(self, step: str, **parameters: int) -> int:
        """Return the one whole number that a step yields."""

    def fetch(self, step: str) -> pa.Table:
        """Return the table of a step, made before: an aggregate that fits into memory."""

    def upload(self, step: str, rows: pa.Table) -> None:
        """Make a table of rows."""

    def map_groups(self, step: str, function: Function, source: str, key: str, schema: Mapping[str, str]) -> None:
        """Apply a function to the rows of a table, all rows of a key together, and make a table of what it returns."""

    def drop(self, *steps: str) -> None:
        """Forget tables that are not needed any more."""
