"""JSON (RFC 8259) to nodes, strictly, in one pass."""

from __future__ import annotations

import json
import re
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax.node import MAX_DEPTH, Kind, Node

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape that may be half of a character."""
_LITERAL: Final = re.compile(r"true|false|null")


class JsonReader:
    """One pass over a JSON text. Errors as ``parse_json``."""

    def __init__(self, text: str, file: str, limit: int) -> None:
        self.text, self.file, self.limit = text, file, limit
        self.position = 0
        self.count = 0
        # Lines are counted as the pass goes: up to here, this many, the last beginning there.
        self.counted, self.line, self.line_start = 0, 1, 0
        # Collections that are open, each with its children so far; the first stands for the text itself.
        self.stack: list[tuple[Node | None, list[Node]]] = [(None, [])]

    def read(self) -> Node:
        """Read the one value of the text."""
        self._skip_blank(0)
        while True:
            if self._begin():
                continue
            if self._finish():
                return self.stack[0][1][0]

    def _fail(self, position: int, reason: str) -> ConfigurationError:
        line = self.text.count("\n", 0, position) + 1
        hint = "JSON has no comments, no trailing commas, no single quotes."
        return ConfigurationError(self.file, line, f"not JSON: {reason}", hint=hint)

    def _skip_blank(self, position: int) -> None:
        match = _BLANK.match(self.text, position)
        self.position = match.end() if match else position

    def _node(self, kind: Kind, value: str | None, end: int, style: str) -> Node:
        """Make the node that begins at the current position; positions only ever grow."""
        position = self.position
        breaks = self.text.count("\n", self.counted, position)
        if breaks:
            self.line += breaks
            self.line_start = self.text.rfind("\n", 0, position) + 1
        self.counted = position
        self.count += 1
        if self.count > self.limit:
            raise self._fail(position, f"more than {self.limit:,} values")
        line = self.line
        return Node(kind, value, line, position - self.line_start, position, end, line, self.file, style)

    def _atom(self) -> Node:
        """Read a string, number or literal."""
        text, position = self.text, self.position
        if text.startswith('"', position):
            try:
                value, end = json.decoder.scanstring(text, position + 1, True)  # type: ignore[attr-defined]
            except json.JSONDecodeError as error:
                raise self._fail(error.pos, error.msg.removesuffix(" at")) from None
            if SURROGATE.search(text, position, end):  # Go replaces half a pair, Python keeps it
                value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return self._node("scalar", value, end, '"')
        if match := _NUMBER.match(text, position):
            return self._node("scalar", match[0], match.end(), "number")
        if match := _LITERAL.match(text, position):
            kind: Kind = "null" if match[0] == "null" else "scalar"
            return self._node(kind, None if kind == "null" else match[0], match.end(), "literal")
        found = repr(text[position]) if position < len(text) else "the end of the text"
        raise self._fail(position, f"{found} where a value is expected")

    def _begin(self) -> bool:
        """Read what begins here, a key or a value; True if another must follow at once, False if a value has ended."""
        text = self.text
        opened, children = self.stack[-1]
        first = text[self.position : self.position + 1]
        if opened is not None and opened.kind == "mapping" and len(children) % 2 == 0:
            if first != '"':
                raise self._fail(self.position, "expected a key in double quotes")
            key = self._atom()
            children.append(key)
            self._skip_blank(key.end)
            if not text.startswith(":", self.position):
                raise self._fail(self.position, "expected a colon after the key")
            self._skip_blank(self.position + 1)
            return True
        if first in ("{", "["):
            if len(self.stack) > MAX_DEPTH:
                raise self._fail(self.position, f"nested deeper than {MAX_DEPTH} levels")
            node = self._node("mapping" if first == "{" else "sequence", None, self.position, "flow")
            self.stack.append((node, []))
            self._skip_blank(self.position + 1)
            return not text.startswith("}" if first == "{" else "]", self.position)
        node = self._atom()
        children.append(node)
        self._skip_blank(node.end)
        return False

    def _finish(self) -> bool:
        """Close the collections that end here; True at the end of the text, False if a comma announces more."""
        while True:
            opened, children = self.stack[-1]
            following = self.text[self.position : self.position + 1]
            if opened is None:
                if following:
                    raise self._fail(self.position, f"{following!r} after the end of the value")
                return True
            if following == ",":
                self._skip_blank(self.position + 1)
                return False
            if following != ("}" if opened.kind == "mapping" else "]"):
                raise self._fail(self.position, "expected a comma or the closing bracket")
            self.stack.pop()
            opened.end = self.position + 1
            opened.end_line = self.line + self.text.count("\n", self.counted, self.position)
            if opened.kind == "mapping":
                opened.pairs = tuple(zip(children[::2], children[1::2], strict=True))
            else:
                opened.elements = tuple(children)
            self.stack[-1][1].append(opened)
            self._skip_blank(self.position + 1)
