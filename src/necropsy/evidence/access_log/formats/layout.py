"""The layout of a log's lines: the columns that DuckDB reads, and the expression for each field over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from necropsy._internal.sql_quoting import literal
from necropsy.model.evidence import Origin

if TYPE_CHECKING:
    from necropsy.evidence.access_log.formats.plan import Plan

MAXIMUM_LINE: Final = 1 << 20
"""Bytes of the longest line that is read; longer ones are counted as damaged."""

FIELDS: Final = ("stamp", "client", "agent", "host", "request", "status", "referer")
"""Columns of every reading, in order: TIMESTAMP (UTC), five VARCHAR with SMALLINT status before the last.

``request`` is ``METHOD target`` and ``referer`` a URL, both with the query already cut off."""


class LogFormat(Protocol):
    """A ``log_format``, as nginx has it; what ``probes.simulate`` finds in a configuration fits."""

    @property
    def name(self) -> str:
        """Name of the format."""

    @property
    def text(self) -> str:
        """The parts joined without a separator."""

    @property
    def escape(self) -> str:
        """``default``, ``json`` or ``none``."""

    @property
    def origin(self) -> Origin | None:
        """Where it was found."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One recognised layout of log lines."""

    name: str
    """``JSON``, ``combined``, ``log_format main``."""
    note: str
    """What is said aloud: the name and which key or variable is taken for which field."""
    kind: str
    """``json``: one object a line; ``lines``: one column ``line``."""
    fields: dict[str, str]
    """Field (see ``FIELDS``) to DuckDB expression; missing ones are empty."""
    columns: dict[str, str] = field(default_factory=dict)
    """JSON only: key to DuckDB type."""
    fits: str = "TRUE"
    """Condition that a line meets when it has this layout at all."""
    fine: bool = False
    """Whether the time resolves less than a second."""
    times_are_starts: bool = False
    """True: the duration is logged, and ``stamp`` is the start of the request; false: when its line was written."""
    steps: tuple[Mapping[str, str], ...] = ()
    """Columns that are computed first, each step over those before it."""
    plan: Plan | None = None
    """How to read plain lines the short way; None: there is no short way."""
    comment: str = ""
    """What a line begins with that is no request and no damage."""

    def query(self, path: str, compression: str) -> str:
        """Return the SELECT that reads a file: ``FIELDS`` and ``fault`` (see ``FAULTS``; 0: none), a row a line.

        A layout that tells of cookies or of the answer's body has a last column, ``flags``.
        """
        return self.select(self._table(path, compression))

    def select(self, table: str) -> str:
        """Return the same over a table that holds the columns already."""
        for step in self.steps:
            computed = ", ".join(f"{expression} AS {name}" for name, expression in step.items())
            table = f"(SELECT *, {computed} FROM {table})"
        chosen = ", ".join(f"{self.fields.get(name, _EMPTY[name])} AS {name}" for name in FIELDS)
        # Of a request line the version is no part of what was asked for.
        given = ", ".join(
            "regexp_extract(request, '^[^ ]*( [^ ]*)?') AS request" if name == "request" else name for name in FIELDS
        )
        told = "flags" in self.fields
        chosen += f", {self.fields['flags']} AS flags" if told else ""
        return (
            f"SELECT {given}, {_fault('readable', 'blank')} AS fault{', flags' if told else ''} FROM"
            f" (SELECT {chosen}, ({self.fits}) AS readable, ({self._blank}) AS blank FROM {table})"
        )

    @property
    def _blank(self) -> str:
        if self.kind != "lines":
            return "FALSE"
        comment = f" OR starts_with(line, {literal(self.comment)})" if self.comment else ""
        return f"trim(line) = '' OR line IS NULL{comment}"

    def _table(self, path: str, compression: str) -> str:
        if self.kind == "lines":
            return (
                f"read_csv({literal(path)}, auto_detect = false, header = false, delim = '\x01', quote = '', escape = '',"
                f" columns = {{'line': 'VARCHAR'}}, compression = {literal(compression)}, strict_mode = false,"
                f" max_line_size = {MAXIMUM_LINE}, store_rejects = true, rejects_limit = 0)"
            )
        columns = ", ".join(f"{literal(key)}: {literal(kind)}" for key, kind in self.columns.items())
        return (
            f"read_json({literal(path)}, format = 'newline_delimited', ignore_errors = true,"
            f" columns = {{{columns}}}, compression = {literal(compression)}, maximum_object_size = {4 * MAXIMUM_LINE})"
        )


_EMPTY: Final = {
    "stamp": "NULL::TIMESTAMP",
    "status": "NULL::SMALLINT",
    "request": "NULL::VARCHAR",
    "client": "''",
    "agent": "''",
    "host": "''",
    "referer": "''",
}

FAULTS: Final = {1: "does not fit the layout", 2: "has no readable time", 3: "holds no request"}
"""Why a line cannot be used, by number; 9 is a blank line, which is no damage."""
BLANK: Final = 9


def _fault(readable: str, blank: str) -> str:
    return (
        f"CASE WHEN {blank} THEN {BLANK} WHEN NOT coalesce({readable}, FALSE) THEN 1 WHEN stamp IS NULL THEN 2"
        " WHEN request IS NULL OR request = '' THEN 3 ELSE 0 END::TINYINT"
    )


def first_given(expressions: Sequence[str]) -> str:
    """Return an expression for the first value that is neither missing, empty nor ``-``."""
    if len(expressions) < 2:
        return expressions[0] if expressions else "''"
    given = [f"nullif(nullif({expression}, ''), '-')" for expression in expressions]
    return f"coalesce({', '.join(given)}, '')"
