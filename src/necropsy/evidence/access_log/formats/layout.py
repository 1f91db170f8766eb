"""The layout of a log's lines: how values are taken out of a line, and which of them are which field.

A layout is read in two ways that mean the same: ``duckdb_reader`` makes one query of it for all lines of a file, and
``reference`` takes one line after the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from necropsy._internal.sql_quoting import literal
from necropsy.model.evidence import Origin

if TYPE_CHECKING:
    from necropsy.evidence.access_log.formats.fields.timestamps import TimeForm
    from necropsy.evidence.access_log.formats.nginx import Piece

MAXIMUM_LINE: Final = 1 << 20
"""Bytes of the longest line that is read; longer ones are counted as damaged."""

FIELDS: Final = (
    "time", "duration", "client", "host", "request", "method", "target", "status", "agent", "referer",
    "cookie", "own_cookie", "set_cookie", "own_set_cookie", "body",
)  # fmt: skip
"""Fields that a value may carry."""

FAULTS: Final = {1: "does not fit the log format", 2: "has no readable time", 3: "has no request"}
"""Why a line cannot be used, by number."""
_NOWHERE: Final = "".join(
    secrets.choice("\x01\x02\x03\x04\x05\x06\x0e\x0f\x10\x11\x12\x1c\x1d\x1e\x1f") for _ in range(4)
)
"""A separator of columns that no line holds, as nobody can know it: a line is one column."""
BLANK: Final = 9
"""A blank line or a comment, which is no damage."""


class NamedLogFormat(Protocol):
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
        """The place where it was found."""


class Lines(Protocol):
    """Takes the values out of lines; a value has a name."""

    @property
    def kind(self) -> str:
        """``json``: one object a line; ``lines``: text."""

    def table(self, path: str, compression: str) -> str:
        """Return the DuckDB table of a file's lines, with whatever the expressions need."""

    def sql(self, name: str) -> str:
        """Return the DuckDB expression of a value: text, or NULL."""

    @property
    def fits(self) -> str:
        """The DuckDB condition that a line with a time and a request meets when it has this layout."""

    def values(self, texts: Sequence[str]) -> list[Mapping[str, str | None] | None]:
        """Return the values of some lines; None for a line that does not have this layout."""


@dataclass(frozen=True, slots=True)
class LineLayout:
    """One recognised layout of log lines."""

    name: str
    """``JSON``, ``combined``, ``log_format main``."""
    note: str
    """What is reported: the name and which key or variable is taken for which field."""
    lines: Lines
    fields: Mapping[str, tuple[str, ...]]
    """Field (see ``FIELDS``) to names of values; of several clients and hosts the first that is filled counts."""
    form: TimeForm
    """How ``time`` is written."""
    times_are_starts: bool = False
    """Whether the times are those of the requests' starts: written so, or the duration is logged, too."""
    clients_are_lists: bool = False
    """Whether a client may be a list of addresses (X-Forwarded-For), of which the first counts."""
    clients_are_untidy: bool = False
    """Whether addresses may have ports, or be IPv4 addresses mapped into IPv6."""
    absolute: bool = False
    """Whether targets may be whole URLs; where no value carries the host, it is theirs."""
    escapes: str = ""
    r"""How values are escaped: ``bytes`` (``\xC3``), ``percent`` or ``plus`` (agents alone); empty: not at all."""
    otherwise: Lines | None = None
    """Takes the values out of lines that ``lines`` cannot read, if there is such a way."""
    template: Sequence[Piece] = ()
    """Variables and literals that a line is made of; empty: it is no such format."""
    template_is_open: bool = False
    """Whether a line may go on behind them."""
    comment: str = ""
    """What a line begins with that is no request and no damage."""

    @property
    def kind(self) -> str:
        """See ``Lines``."""
        return self.lines.kind


def lines_table(path: str, compression: str) -> str:
    """Return the DuckDB table of a file's lines, with the one column ``line``."""
    return (
        f"read_csv({literal(path)}, auto_detect = false, header = false, delim = '{_NOWHERE}', quote = '', escape = '',"
        f" columns = {{'line': 'VARCHAR'}}, compression = {literal(compression)}, strict_mode = false,"
        f" max_line_size = {MAXIMUM_LINE}, store_rejects = true, rejects_limit = 0)"
    )
