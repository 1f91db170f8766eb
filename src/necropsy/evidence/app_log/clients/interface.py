"""The columns of one row in the table of error patterns."""

from __future__ import annotations

from dataclasses import dataclass

from necropsy.model.store_trouble import StoreTrouble


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One class of errors."""

    name: str
    """As it is shown and kept."""
    pattern: str
    """Regular expression (RE2) that finds it in a line."""
    trouble: StoreTrouble
    """Its meaning for the store."""
    vague: bool = False
    """True when other words of the same entry may say the trouble better: Jedis' ``JedisConnectionException`` stands for a
    time-out as well as for a refused connection."""
    shared: bool = False
    """True when others write these words too (HTTP, JDBC, mail …): they count only beside the name of a store's client."""
