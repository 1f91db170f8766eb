"""Extraction of values from lines: by key, by pattern, by position, by column. Each twice, by DuckDB and by Python.

Patterns are RE2's in both: DuckDB has it, and so has Arrow. A hostile line takes no longer than it is long.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, TypeAlias

from necropsy._internal.sql_quoting import identifier, literal
from necropsy.evidence.access_log.formats.layout import MAXIMUM_LINE, lines_table

Path: TypeAlias = tuple[str | int, ...]
"""Way to a value inside an object: keys and positions."""
Values: TypeAlias = Mapping[str, str | None]

DEEPEST: Final = 64
"""Brackets in one line of JSON, at most: beyond, it is an attack on parsers and no log line."""


class _Number(str):
    """A number as text, so that it is written as one inside an object."""


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs)) if len({key for key, _ in pairs}) == len(pairs) else _kept_first(pairs)


def _kept_first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _short(number: str) -> str:
    """Write a number as DuckDB does inside of JSON: where JavaScript does so with an exponent, and without a plus sign."""
    if "e" not in number:
        return str(number)
    if _SMALL <= abs(float(number)) < _LARGE:
        written = format(Decimal(number), "f")
        return written if "." in written else f"{written}.0"
    return re.sub(r"e\+?(-?)0*", r"e\1", number)


_SMALL: Final = 1e-6
_LARGE: Final = 1e21


def _decimal(text: str) -> _Number:
    value = float(text)
    return _Number(text if value in {float("inf"), float("-inf")} else repr(value))


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_first_wins, parse_int=_Number, parse_float=_decimal, parse_constant=_Number
)


_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')
_SHORT: Final = 8192
"""Characters of a line in which commas too many are looked for."""


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except ValueError:
        # DuckDB overlooks a comma behind the last value.
        without = _COMMA.sub(lambda found: found[1] or "", text) if len(text) <= _SHORT else text
        if without == text:
            raise
        return _DECODER.decode(without)


@dataclass(frozen=True)
class Objects:
    """Values of objects, one object a line, by the ways to them."""

    paths: Mapping[str, Path]
    """Value to its way."""
    kind: str = "json"

    def table(self, path: str, compression: str) -> str:
        """See ``Lines``."""
        columns = ", ".join(f"{literal(key)}: {literal(kind)}" for key, kind in self._columns.items())
        return (
            f"read_json({literal(path)}, format = 'newline_delimited', ignore_errors = true,"
            f" columns = {{{columns}}}, compression = {literal(compression)}, maximum_object_size = {4 * MAXIMUM_LINE})"
        )

    def sql(self, name: str) -> str:
        """See ``Lines``."""
        top, *rest = self.paths[name]
        value = identifier(str(top))
        if self._columns[str(top)] == "JSON":
            return f"json_extract_string({value}, {literal(_pointer(rest))})"
        for part in rest:
            value = f"{value}[{part + 1}]" if isinstance(part, int) else f"struct_extract({value}, {literal(part)})"
        return value

    @property
    def fits(self) -> str:
        """See ``Lines``."""
        return "TRUE"

    @cached_property
    def _columns(self) -> dict[str, str]:
        tops: dict[str, list[Path]] = {}
        for top, *rest in self.paths.values():
            tops.setdefault(str(top), []).append(tuple(rest))
        return {top: _type(rests) or "JSON" for top, rests in tops.items()}

    def values(self, texts: Sequence[str]) -> list[Values | None]:
        """See ``Lines``."""
        return [self._of(text) for text in texts]

    def _of(self, text: str) -> Values | None:
        try:
            whole = _decoded(text) if text.count("[") + text.count("{") <= DEEPEST else None
            if not isinstance(whole, dict) or not any(whole.get(key) is not None for key in self._columns):
                return None
            found = {
                name: _at(whole, path, inside=self._columns[str(path[0])] == "JSON")
                for name, path in self.paths.items()
            }
            "".join(filter(None, found.values())).encode()
        except (ValueError, RecursionError):  # no JSON, or half of a surrogate pair
            return None
        return found


def _at(value: Any, path: Path, *, inside: bool) -> str | None:
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and len(value) > part else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return None if value is None else _written(value, inside=inside)


def _written(value: Any, *, inside: bool) -> str:
    """Return a value as text: a text as it is, all else as JSON; ``inside``: also a number."""
    if isinstance(value, str) and not (inside and isinstance(value, _Number)):
        return value
    return _as_json(value)


def _as_json(value: Any) -> str:
    if isinstance(value, _Number):
        return _short(value)
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_as_json(one)}" for key, one in value.items()) + "}"
        )
    if isinstance(value, list):
        return f"[{','.join(map(_as_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _type(rests: Iterable[Sequence[str | int]]) -> str | None:
    """Return DuckDB's type for a key whose values lie at these ways below it; None where no type has them all."""
    below: dict[str | int, list[Sequence[str | int]]] = {}
    leaf = False
    for rest in rests:
        if rest:
            below.setdefault(rest[0], []).append(rest[1:])
        else:
            leaf = True
    if not below:
        return "VARCHAR"
    names = [part for part in below if isinstance(part, str)]
    if leaf or (names and len(names) < len(below)) or len({name.lower() for name in names}) < len(names):
        return None
    types = {part: _type(inner) for part, inner in below.items()}
    if None in types.values():
        return None
    if names:
        return f"STRUCT({', '.join(f'{identifier(str(part))} {kind}' for part, kind in types.items())})"
    inner = set(types.values())
    return f"{inner.pop()}[]" if len(inner) == 1 else None


def _pointer(path: Sequence[str | int]) -> str:
    """Return DuckDB's JSON path.

    >>> _pointer(("headers", "User-Agent", 0))
    '$."headers"."User-Agent"[0]'
    """
    return "$" + "".join(
        f"[{part}]" if isinstance(part, int) else '."' + part.replace('"', '\\"') + '"' for part in path
    )


@dataclass(frozen=True)
class Pattern:
    """The groups of one regular expression (RE2) that every line must match."""

    pattern: str
    """With named groups alone."""
    filled: tuple[str, ...]
    """Groups of which one must not be empty."""
    captured: Mapping[str, int] = field(default_factory=dict)
    """Values that are parts of the group ``captured``, ``{one|other}``, from 1."""
    kind: str = "lines"

    @property
    def names(self) -> list[str]:
        """Its groups."""
        return re.findall(r"\(\?P<(\w+)>", self.pattern)

    def table(self, path: str, compression: str) -> str:
        """See ``Lines``."""
        found = f"regexp_extract(line, {literal(self.pattern)}, [{', '.join(map(literal, self.names))}])"
        return f"(SELECT line, {found} AS found FROM {lines_table(path, compression)})"

    def sql(self, name: str) -> str:
        """See ``Lines``."""
        if name in self.captured:
            return f"split_part(regexp_extract(found['captured'], '\\{{([^}}]*)\\}}', 1), '|', {self.captured[name]})"
        return f"found[{literal(name)}]"

    @property
    def fits(self) -> str:
        """See ``Lines``."""
        return "TRUE"

    def values(self, texts: Sequence[str]) -> list[Values | None]:
        """See ``Lines``."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.extract_regex(pa.array(texts, pa.string()), self.pattern).to_pylist()
        return [self._with_captured(one) if one and any(one[name] for name in self.filled) else None for one in found]

    def _with_captured(self, found: dict[str, str]) -> Values:
        if self.captured:
            match = re.search(r"\{([^}]*)\}", found["captured"])
            parts = match[1].split("|") if match else []
            found |= {name: parts[place - 1] if len(parts) >= place else "" for name, place in self.captured.items()}
        return found


@dataclass(frozen=True)
class Keyed:
    """Values behind keys in a line of text."""

    patterns: Mapping[str, str]
    """Value to the expression (RE2 and Python alike) whose one group it is."""
    quoted: bool
    """Whether values may stand in quotation marks, which are none of theirs."""
    kind: str = "lines"

    def table(self, path: str, compression: str) -> str:
        """See ``Lines``."""
        return lines_table(path, compression)

    def sql(self, name: str) -> str:
        """See ``Lines``."""
        found = f"regexp_extract(line, {literal(self.patterns[name])}, 1)"
        return f"trim({found}, '\"')" if self.quoted else found

    @property
    def fits(self) -> str:
        """See ``Lines``."""
        return "TRUE"

    def values(self, texts: Sequence[str]) -> list[Values | None]:
        """See ``Lines``."""
        return [self._of(text) for text in texts]

    def _of(self, text: str) -> Values | None:
        found = {name: match[1] if (match := one.search(text)) else "" for name, one in self._compiled.items()}
        if self.quoted:
            found = {name: value.strip('"') for name, value in found.items()}
        return found if any(found.values()) else None

    @cached_property
    def _compiled(self) -> dict[str, re.Pattern[str]]:
        return {name: re.compile(pattern, re.ASCII) for name, pattern in self.patterns.items()}


@dataclass(frozen=True)
class SeparatedValues:
    """Values between separators, so many a line; one may be joined of several by spaces."""

    separator: str
    count: int
    places: Mapping[str, tuple[int, ...]]
    """Value to the columns that it is made of, from 0."""
    kind: str = "lines"

    def table(self, path: str, compression: str) -> str:
        """See ``Lines``."""
        return f"(SELECT line, string_split(line, {literal(self.separator)}) AS value FROM {lines_table(path, compression)})"

    def sql(self, name: str) -> str:
        """See ``Lines``."""
        return " || ' ' || ".join(f"value[{place + 1}]" for place in self.places[name])

    @property
    def fits(self) -> str:
        """See ``Lines``."""
        return f"len(value) = {self.count}"

    def values(self, texts: Sequence[str]) -> list[Values | None]:
        """See ``Lines``."""
        rows = (text.split(self.separator) for text in texts)
        return [
            {name: " ".join(row[place] for place in places) for name, places in self.places.items()}
            if len(row) == self.count
            else None
            for row in rows
        ]
