"""One slice of a scan: columns of its keys, and what the server did not give of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from necropsy.sessions.keyspace import KEY_TYPES

WINDOW: Final = 8_192
"""Keys that are remembered, at least, to recognise one that comes again."""


@dataclass(slots=True)
class Sparse:
    """Values that few rows have: their rows, ascending, and the values."""

    rows: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def extend(self, other: Sparse, start: int) -> None:
        """Add the values of rows that come after."""
        self.rows.extend([start + row for row in other.rows] if start else other.rows)
        self.values.extend(other.values)

    def only(self, position: dict[int, int]) -> Sparse:
        """Return what belongs to rows that stay; ``position`` has their new place."""
        kept = [(position[row], value) for row, value in zip(self.rows, self.values, strict=True) if row in position]
        return Sparse([row for row, _ in kept], [value for _, value in kept])


@dataclass(slots=True)
class HashFields:
    """Hash fields that were asked for: the rows that have any of them, ascending, and a column of values for each."""

    rows: list[int] = field(default_factory=list)
    values: list[list[bytes | None]] = field(default_factory=list)
    """A column a field: the start of its value, or None where the hash has no such field."""
    lengths: list[list[int | None]] = field(default_factory=list)
    """A column a field: the full length of a value that was cut; None: its length is what it has, if there is one."""

    def extend(self, other: HashFields, start: int) -> None:
        """Add the values of rows that come after."""
        if not self.rows:
            self.values, self.lengths = [[] for _ in other.values], [[] for _ in other.lengths]
        if other.rows:
            self.rows.extend([start + row for row in other.rows] if start else other.rows)
            for column, values in zip(self.values, other.values, strict=True):
                column.extend(values)
            for sizes, lengths in zip(self.lengths, other.lengths, strict=True):
                sizes.extend(lengths)

    def only(self, position: dict[int, int]) -> HashFields:
        """Return what belongs to rows that stay; ``position`` has their new place."""
        kept = [place for place, row in enumerate(self.rows) if row in position]
        return HashFields(
            [position[self.rows[place]] for place in kept],
            [[column[place] for place in kept] for column in self.values],
            [[column[place] for place in kept] for column in self.lengths],
        )


@dataclass(slots=True)
class Page:
    """Keys of one slice, as columns of equal length."""

    keys: list[bytes] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    """Places in ``KEY_TYPES``."""
    encodings: list[int] = field(default_factory=list)
    """Places in ``KeyWords.encodings``; -1: not known."""
    expires: list[int | None] = field(default_factory=list)
    """Unix time in milliseconds; None: never."""
    idle: list[int | None] = field(default_factory=list)
    freq: list[int | None] = field(default_factory=list)
    elements: list[int | None] = field(default_factory=list)
    usage: list[int | None] = field(default_factory=list)
    """Bytes, as MEMORY USAGE answers."""
    heads: Sparse = field(default_factory=Sparse)
    members: Sparse = field(default_factory=Sparse)
    empty_fields: Sparse = field(default_factory=Sparse)
    """How many fields of a hash are empty."""
    fields: HashFields = field(default_factory=HashFields)

    def __len__(self) -> int:
        return len(self.keys)

    def extend(self, other: Page) -> None:
        """Add the rows of another page."""
        start = len(self.keys)
        for name in ("keys", "types", "encodings", "expires", "idle", "freq", "elements", "usage"):
            getattr(self, name).extend(getattr(other, name))
        for name in ("heads", "members", "empty_fields", "fields"):
            getattr(self, name).extend(getattr(other, name), start)

    def only(self, rows: Sequence[int]) -> Page:
        """Return a page of these rows."""
        position = {row: place for place, row in enumerate(rows)}
        page = Page()
        for name in ("keys", "types", "encodings", "expires", "idle", "freq", "elements", "usage"):
            column = getattr(self, name)
            setattr(page, name, [column[row] for row in rows])
        for name in ("heads", "members", "empty_fields", "fields"):
            setattr(page, name, getattr(self, name).only(position))
        return page


@dataclass(slots=True)
class KeyWords:
    """The words of one reading: encodings as they were met, types as places in ``KEY_TYPES``."""

    encodings: list[str] = field(default_factory=list)
    _places: dict[bytes, int] = field(default_factory=dict)

    def encoding(self, word: bytes | None) -> int:
        """Return the place of an encoding.

        >>> names = KeyWords()
        >>> names.encoding(b"listpack"), names.encoding(b"raw"), names.encoding(b"listpack"), names.encoding(None)
        (0, 1, 0, -1)
        """
        if not word:
            return -1
        if word not in self._places:
            self._places[word] = len(self.encodings)
            self.encodings.append(word.decode(errors="replace"))
        return self._places[word]


_TYPES: Final = {name.encode(): place for place, name in enumerate(KEY_TYPES)}
MODULE: Final = KEY_TYPES.index("module")


def type_place(word: bytes) -> int:
    """Return the place of what TYPE answers; what the server does not know by itself is a module's.

    >>> KEY_TYPES[type_place(b"hash")], KEY_TYPES[type_place(b"ReJSON-RL")]
    ('hash', 'module')
    """
    return _TYPES.get(word, MODULE)


@dataclass(slots=True)
class PageReply:
    """A page, and how the scan goes on."""

    unpack: Callable[[], Page]
    """Makes the page: the next slice is asked for before that."""
    keys: int
    """Rows of the page."""
    cursor: bytes = b"0"
    """Cursor of the next slice; ``0``: there is none."""
    seconds: float = 0.0
    """The time that the server spent, and ``rounds`` round trips."""
    rounds: int = 0
    left: Sequence[bytes] = ()
    """Keys for which there was no time: to be asked for by name."""
    large: Sequence[bytes] = ()
    """Keys too large for one slice: to be read in pieces."""
    gone: int = 0
    """Keys that expired or were deleted since they were found."""
    denied: int = 0
    """Keys that this user may not read."""
    unread: int = 0
    """Values too long to be read."""


class Recent:
    """Recognises keys that a scan returns again.

    When the server's table shrinks under a scan, the buckets that become one with the current bucket come again
    (``dictScan`` in dict.c: cursors go up in reversed bits, so nothing else does). So it is enough to remember the
    latest keys, not all of them.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._older: set[bytes] = set()
        self._newer: set[bytes] = set()

    def fresh(self, keys: Sequence[bytes]) -> list[int] | None:
        """Return the positions of keys not seen lately; None when that is all of them.

        >>> recent = Recent()
        >>> recent.fresh([b"a", b"b"]), recent.fresh([b"b", b"c"]), recent.fresh([b"d", b"d"])
        (None, [1], [0])
        """
        page = set(keys)
        again = (page & self._newer) | (page & self._older)
        rows = list(_first(keys, again)) if again or len(page) < len(keys) else None
        self._newer |= page
        if len(self._newer) >= self._window:
            self._older, self._newer = self._newer, set()
        return rows


def _first(keys: Iterable[bytes], seen: set[bytes]) -> Iterable[int]:
    for row, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            yield row
