r"""Values of a text line by their place: between which quotation marks, and which words there.

``$remote_addr - $remote_user [$time_local] "$request" $status``: the first part of the line has four words or more, of which
the first is the client and the last two are the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.access_log.formats.layout import lines_table


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is."""

    part: int
    """Between which quotation marks, from 0."""
    first: int | None = None
    """The first of its words, from 0, or from -1 backwards; None: the part as a whole."""
    last: int = 0
    """The last of them, likewise."""
    before: int = 0
    """Characters before it in these words."""
    after: int = 0
    """Characters behind it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of the line must be."""

    number: int
    text: str | None = None
    """This text, whatever blanks there are at its end."""
    least: int = 0
    """So many words at least."""
    most: int | None = None
    words: Mapping[int, str] = field(default_factory=dict)
    """Words that are fixed, by place."""


@dataclass(frozen=True)
class Words:
    """Takes values out of the parts of a line, and out of the words of a part."""

    places: Mapping[str, Place]
    count: int
    """Parts of a line."""
    more: bool
    """Whether it may have more of them."""
    parts: Sequence[Part]
    kind: str = "lines"

    def table(self, path: str, compression: str) -> str:
        """See ``Lines``."""
        table = f"(SELECT line, string_split(line, '\"') AS quoted FROM {lines_table(path, compression)})"
        split = [part.number for part in self.parts if part.text is None]
        if not split:
            return table
        words = ", ".join(f"string_split(quoted[{number + 1}], ' ') AS words_{number}" for number in split)
        return f"(SELECT *, {words} FROM {table})"

    def sql(self, name: str) -> str:
        """See ``Lines``."""
        place = self.places[name]
        if place.first is None:
            return f"quoted[{place.part + 1}]"
        words = f"words_{place.part}"
        first, last = (at + 1 if at >= 0 else at for at in (place.first, place.last))
        value = f"{words}[{first}]" if first == last else f"array_to_string({words}[{first}:{last}], ' ')"
        cut = place.before + place.after
        return f"substr({value}, {place.before + 1}, length({value}) - {cut})" if cut else value

    @property
    def fits(self) -> str:
        """See ``Lines``."""
        conditions = [f"len(quoted) {'>=' if self.more else '='} {self.count}"]
        for part in self.parts:
            if part.text is not None:
                conditions.append(f"rtrim(quoted[{part.number + 1}]) = {literal(part.text)}")
                continue
            words = f"words_{part.number}"
            conditions.append(f"len({words}) {'>=' if part.most is None else '='} {part.least}")
            conditions += [f"{words}[{place + 1}] = {literal(text)}" for place, text in part.words.items()]
        return " AND ".join(conditions)

    def values(self, texts: Sequence[str]) -> list[Mapping[str, str | None] | None]:
        """See ``Lines``."""
        return [self._of(text) for text in texts]

    def _of(self, text: str) -> Mapping[str, str | None] | None:
        quoted = text.split('"')
        if len(quoted) < self.count or (len(quoted) > self.count and not self.more):
            return None
        words: dict[int, list[str]] = {}
        for part in self.parts:
            if part.text is not None:
                if quoted[part.number].rstrip(" ") != part.text:
                    return None
                continue
            some = words[part.number] = quoted[part.number].split(" ")
            if len(some) < part.least or (part.most is not None and len(some) > part.most):
                return None
            if any(some[place] != fixed for place, fixed in part.words.items()):
                return None
        return {name: _value(place, quoted, words) for name, place in self.places.items()}


def _value(place: Place, quoted: Sequence[str], words: Mapping[int, Sequence[str]]) -> str:
    if place.first is None:
        return quoted[place.part]
    some = words[place.part]
    first, last = (at if at >= 0 else at + len(some) for at in (place.first, place.last))
    value = " ".join(some[first : last + 1])
    return value[place.before : max(place.before, len(value) - place.after)]
