"""YAML and JSON as a tree that remembers where everything stood: text scalars, lines, columns, offsets.

Prometheus, Consul and blackbox decide the type of a value by the field that it is for, not by how it looks
(``regex: 8080`` is a regular expression), so scalars stay text here. Positions let a finding name the guilty line and
let a patch insert a line with the right indentation. Nothing is resolved, constructed or executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin

MAX_DEPTH: Final = 200
"""Levels of nesting; real configuration has about ten."""
Kind = Literal["scalar", "mapping", "sequence", "null"]
NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
RENDER_FIRST: Final = (
    "This looks like a template: give the file that it becomes, for example by `envsubst` or `helm template`."
)
"""Hint for a value, or a line, that a program fills in."""
_PLACEHOLDER: Final = re.compile(r"\$\{[A-Za-z_]|\{\{|<%")
_TRUE: Final = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE: Final = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """One value of a configuration file. Do not change it: aliases share it."""

    kind: Kind
    """``scalar``, ``mapping``, ``sequence`` or ``null`` (nothing, ``~`` or ``null`` was written)."""
    value: str | None
    """Text of a scalar, unquoted and unescaped; None for the other kinds."""
    line: int
    """Line on which it begins, from 1."""
    column: int
    """Characters before it on that line: the indentation of a block mapping or sequence."""
    start: int
    """Offset of its first character in the text."""
    end: int
    """Offset just after its last character; blank lines and comments behind it are not part of it."""
    end_line: int
    """Line on which it ends, from 1."""
    file: str
    """Name of the file as it was given."""
    style: str
    """Scalars: ``plain``, ``'``, ``"``, ``|``, ``>``; JSON: ``"``, ``number``, ``literal``. Collections: ``block``,
    ``flow``."""
    pairs: tuple[tuple[Node, Node], ...] = ()
    """Key and value nodes of a mapping as written: with repeated keys and merge keys (``<<``)."""
    elements: tuple[Node, ...] = ()
    """Nodes of a sequence."""
    tag: str | None = None
    """Explicit YAML tag, if one was written."""
    _index: dict[str, tuple[Node, Node]] | None = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<{self.kind} at {self.file}:{self.line}:{self.column + 1}>"

    def __len__(self) -> int:
        return len(self.pairs) if self.kind == "mapping" else len(self.elements)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Node]:
        return iter(self.elements)

    def _by_key(self) -> dict[str, tuple[Node, Node]]:
        """Return key text → (key node, value node), merge keys applied; a repeated key counts with its last value."""
        if self._index is None:
            merged: dict[str, tuple[Node, Node]] = {}
            own: dict[str, tuple[Node, Node]] = {}
            for key, value in self.pairs:
                if key.value == "<<" and key.style == "plain":
                    sources = value.elements if value.kind == "sequence" else (value,)
                    for source in sources:
                        for name, pair in source._by_key().items():  # noqa: SLF001 -- the same class
                            merged.setdefault(name, pair)
                else:
                    own[key.text()] = (key, value)
            for name, pair in merged.items():
                own.setdefault(name, pair)
            self._index = own
        return self._index

    def get(self, key: str) -> Node | None:
        """Return the value of this key of a mapping; None when there is none or this is no mapping."""
        pair = self._by_key().get(key)
        return pair[1] if pair else None

    def key(self, key: str) -> Node | None:
        """Return the node of the key itself: its line and indentation are where a sibling would be written."""
        pair = self._by_key().get(key)
        return pair[0] if pair else None

    def at(self, *path: str | int) -> Node | None:
        """Walk down: ``node.at("scrape_configs", 0, "job_name")``; None as soon as a step is missing."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if isinstance(step, str):
                node = node.get(step)
            else:
                node = node.elements[step] if -len(node.elements) <= step < len(node.elements) else None
        return node

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield (key text, value node) of a mapping, merge keys applied, repeated keys once."""
        for name, (_, value) in self._by_key().items():
            yield name, value

    def entries(self) -> Iterator[tuple[Node, Node]]:
        """Yield (key node, value node) of a mapping, merge keys applied, repeated keys once."""
        yield from self._by_key().values()

    def repeated_keys(self) -> tuple[Node, ...]:
        """Return the key nodes of this mapping whose text has already been used above them."""
        seen: set[str] = set()
        repeated = []
        for key, _ in self.pairs:
            name = key.text()
            if name in seen:
                repeated.append(key)
            seen.add(name)
        return tuple(repeated)

    def text(self, default: str = "") -> str:
        """Return the text of a scalar; ``default`` for null and for collections."""
        return default if self.value is None else self.value

    def texts(self) -> list[str]:
        """Return the texts of a sequence's scalars; a single scalar counts as a sequence of one."""
        if self.kind == "sequence":
            return [element.text() for element in self.elements]
        return [self.value] if self.value is not None else []

    def boolean(self) -> bool:
        """Return a YAML 1.1 boolean (``yes``, ``on``, ``true`` …).

        Raises
        ------
        ConfigurationError
            It is none.
        """
        if self.kind == "scalar" and self.style in ("plain", "literal"):
            if self.value in _TRUE:
                return True
            if self.value in _FALSE:
                return False
        raise self.error(f"{self.text() or self.kind!s}: not a boolean", hint="Write true or false, without quotes.")

    def integer(self) -> int:
        """Return a whole number, decimal or with 0x, 0o, 0b; underscores and, as YAML 1.1 has it, 017 for 15.

        Raises
        ------
        ConfigurationError
            It is none.
        """
        digits = self.text().strip().replace("_", "")
        if re.fullmatch(r"[-+]?0[0-7]+", digits):  # octal in YAML 1.1
            return int(digits, 8)
        try:
            return int(digits, 0)
        except ValueError:
            reason = f"{self.text() or self.kind!s}: not a whole number"
            raise self.error(reason, hint="Write a number such as 10.") from None

    def to_python(self) -> Any:
        """Return dicts, lists, texts and None. Scalars stay text."""
        if self.kind == "mapping":
            return {name: value.to_python() for name, value in self.items()}
        if self.kind == "sequence":
            return [element.to_python() for element in self.elements]
        return self.value

    def origin(self, what: str = "") -> Origin:
        """Return this place as one step of a chain of evidence."""
        return Origin(self.file, self.line, what)

    def error(self, reason: str, *, hint: str = "") -> ConfigurationError:
        """Return (not raise) an error that points here. Of a value that is to be filled in the hint says so."""
        return ConfigurationError(self.file, self.line, reason, hint=RENDER_FIRST if self._is_open() else hint)

    def _is_open(self) -> bool:
        """Tell whether a program fills this value in; ``{{ .Values.port }}`` without quotes is a mapping in a mapping."""
        if self.kind == "mapping" and self.style == "flow":
            return any(key.kind == "mapping" for key, _ in self.pairs)
        return self.value is not None and _PLACEHOLDER.search(self.value) is not None
