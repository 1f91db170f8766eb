"""Readers' statements about their sources: where evidence came from, what is absent, what was damaged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Provenance(StrEnum):
    """The way in which a number is known."""

    EXPLICIT = "explicit"
    """A field of the session says it."""
    DERIVED = "derived"
    """Arithmetic on a TTL says it."""
    NOT_LATER = "not later than"
    """Arithmetic on a TTL says when the session was last written: its birth for a client that never returned."""
    UNKNOWN = "unknown"


class Authentication(StrEnum):
    """Whether somebody is logged in: three-valued on purpose, as some layouts cannot say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Origin:
    """One line of one file that had a part in what happened."""

    file: str
    """Name of the file as it was given."""
    line: int
    """Line number, counted from 1; 0 when the whole file is meant."""
    what: str = ""
    """Effect of this line in the chain, in a few words; empty when the place says enough."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Source:
    """One source from which evidence was taken."""

    reader: str
    """Room of the reader: ``rdb``, ``access_log``, ``prometheus`` …"""
    locator: str
    """Path or address, as given; passwords removed."""
    taken_at: datetime | None = None
    """When the source was in this state (RDB: its ctime; log: its last line), UTC."""
    sha256: str | None = None
    """Hex digest of the bytes as stored on disk; None for a stream."""
    size: int | None = None
    """Bytes as stored on disk."""
    store: str | None = None
    """Name of the session store that it describes, if it describes one."""
    note: str = ""
    """Note of the reader: the log format that it recognised, the RDB version …"""


@dataclass(frozen=True, slots=True)
class Absent:
    """Evidence that could not be had: a value, never an exception that ends an autopsy."""

    kind: str
    """Reader or table that stays empty."""
    locator: str
    reason: str
    hint: str
    """The step that brings it next time."""


@dataclass(frozen=True, slots=True)
class Blemish:
    """Damage inside a source that was otherwise used."""

    file: str
    unit: str
    """Unit of ``place``: ``line`` or ``byte``; of a live store ``key`` or ``slot``."""
    place: int
    """Number of the first damaged line (from 1); of the first byte, key or slot (from 0)."""
    why: str
    sample: str = ""
    """A few characters of it with secrets masked; empty when not safe to show."""
    count: int = 1
    """Number of places of the file with this same damage."""
