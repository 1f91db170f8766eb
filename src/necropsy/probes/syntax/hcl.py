r"""HCL as Consul reads it (version 1 of the language) to the same nodes as YAML and JSON, positions kept.

Consul's definition files are HCL 1 (github.com/hashicorp/hcl, hcl/scanner and hcl/parser), which differs from the HCL 2
of Terraform: keys may be quoted, objects may be written with or without ``=``, commas between items are optional, there
are no expressions, and ``${…}`` inside a string is text. A text that begins with a bracket is JSON.

>>> root = parse_hcl('services {\n  name = "web"\n  port = 80\n  check { http = "http://localhost/health" }\n}', "web.hcl")
>>> root.at("services", "port").text(), root.at("services", "check", "http").line
('80', 4)
"""

from __future__ import annotations

import re
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax.document import MAX_NODES, parse_json
from necropsy.probes.syntax.node import MAX_DEPTH, Kind, Node

_BLANK: Final = re.compile(r"(?:[ \t\r\n\ufeff]|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_IDENTIFIER: Final = re.compile(r"[^\W\d][\w.-]*")
_NUMBER: Final = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d*\.?\d+(?:[eE][+-]?\d+)?)", re.ASCII)
_HEREDOC: Final = re.compile(r"<<(-?)([\w.-]+)\r?\n")
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ENDED: Final = re.compile(r"[ \t\r]*(?:\n|$|[,}\])]|#|//|/\*)")
_EXPRESSION: Final = re.compile(r'"(?:[^"\\]|\\.)*"|#[^\n]*|//[^\n]*|[()\[\]{},\n]')
_HINT: Final = "Run `consul validate` on this file."


def parse_hcl(text: str, file: str, *, expressions: bool = False, limit: int = MAX_NODES) -> Node:
    """Parse a definition file of Consul.

    Parameters
    ----------
    expressions
        Keep what is no value of HCL 1 (``var.port + 1``) as text with the style ``expression``, so that the literal
        values of Terraform's files can be read as well.

    Returns
    -------
    Node
        A mapping. Keys that are written repeatedly (``services { … } services { … }``) stay in its ``pairs``; labels
        (``service "web" { … }``) become nested mappings of one key. Scalars are text.

    Raises
    ------
    ConfigurationError
        Not HCL; with the line.
    """
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return parse_json(text, file, limit=limit)
    return _HclReader(text, file, limit, expressions=expressions).root()


class _HclReader:
    """One pass over a text."""

    def __init__(self, text: str, file: str, limit: int, *, expressions: bool = False) -> None:
        self.text, self.file, self.limit, self.expressions = text, file, limit, expressions
        self.place = 0
        self.count = 0
        self.counted, self.line, self.line_start = 0, 1, 0

    def root(self) -> Node:
        pairs = self._items("", 0)
        end = len(self.text)
        last = self.text.count("\n") + 1
        return Node("mapping", None, 1, 0, 0, end, last, self.file, "block", pairs=pairs)

    def _error(self, reason: str, place: int | None = None) -> ConfigurationError:
        line = self.text.count("\n", 0, self.place if place is None else place) + 1
        return ConfigurationError(self.file, line, f"not HCL: {reason}", hint=_HINT)

    def _peek(self) -> str:
        match = _BLANK.match(self.text, self.place)
        self.place = match.end() if match else self.place
        return self.text[self.place : self.place + 1]

    def _node(self, kind: Kind, value: str | None, end: int, style: str) -> Node:
        """Make the node that begins here; moves nothing."""
        breaks = self.text.count("\n", self.counted, self.place)
        if breaks:
            self.line += breaks
            self.line_start = self.text.rfind("\n", 0, self.place) + 1
        self.counted = self.place
        self.count += 1
        if self.count > self.limit:
            raise self._error(f"more than {self.limit:,} values")
        end_line = self.line + self.text.count("\n", self.place, end)
        column = self.place - self.line_start
        return Node(kind, value, self.line, column, self.place, end, end_line, self.file, style)

    def _items(self, closing: str, depth: int) -> tuple[tuple[Node, Node], ...]:
        """Keys and values up to a closing brace, or the end."""
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH} levels")
        pairs: list[tuple[Node, Node]] = []
        while (first := self._peek()) != closing:
            if not first:
                raise self._error("the end of the text, where a closing brace is missing")
            pairs.append(self._item(depth))
            if self._peek() == ",":
                self.place += 1
        return tuple(pairs)

    def _item(self, depth: int) -> tuple[Node, Node]:
        keys = [self._key()]
        while (following := self._peek()) not in ("=", "{"):
            keys.append(self._key())
        if following == "=":
            if len(keys) > 1:
                raise self._error("an equals sign after two keys: expected a brace")
            self.place += 1
            self._peek()
        value = self._assigned(depth) if following == "=" and self.expressions else self._value(depth)
        for label in reversed(keys[1:]):
            outer = Node(
                "mapping", None, label.line, label.column, label.start, value.end, value.end_line, self.file, "block"
            )
            outer.pairs = ((label, value),)
            value = outer
        return keys[0], value

    def _assigned(self, depth: int) -> Node:
        """Read a value; one that is followed by more on its line, or is none, is an expression."""
        place, count, counted = self.place, self.count, (self.counted, self.line, self.line_start)
        try:
            value = self._value(depth)
            if _ENDED.match(self.text, self.place):
                return value
        except ConfigurationError:
            pass
        self.place, self.count, (self.counted, self.line, self.line_start) = place, count, counted
        end = self._end_of_expression()
        node = self._node("scalar", self.text[place:end].strip(), end, "expression")
        self.place = end
        return node

    def _end_of_expression(self) -> int:
        """Offset where an expression ends: at a line's end, a comma or a closing bracket outside of all brackets."""
        depth, place = 0, self.place
        for match in _EXPRESSION.finditer(self.text, place):
            mark = match[0]
            if mark in ("(", "[", "{"):
                depth += 1
            elif mark in (")", "]", "}"):
                depth -= 1
                if depth < 0:
                    return match.start()
            elif mark in ("\n", ",") and not depth:
                return match.start()
        return len(self.text)

    def _key(self) -> Node:
        if self._peek() == '"':
            return self._string()
        match = _IDENTIFIER.match(self.text, self.place)
        if not match:
            raise self._error(f"{self._found()} where a key is expected")
        key = self._node("scalar", match[0], match.end(), "plain")
        self.place = match.end()
        return key

    def _found(self) -> str:
        return repr(self.text[self.place]) if self.place < len(self.text) else "the end of the text"

    def _value(self, depth: int) -> Node:
        first = self._peek()
        if first == "{":
            return self._collection("mapping", depth)
        if first == "[":
            return self._collection("sequence", depth)
        if first == '"':
            return self._string()
        if first == "<":
            return self._heredoc()
        match = _NUMBER.match(self.text, self.place)
        style = "number"
        if not match:
            match = _IDENTIFIER.match(self.text, self.place)
            style = "literal"
            if not match or match[0] not in ("true", "false"):
                raise self._error(f"{match[0] if match else self._found()} where a value is expected")
        node = self._node("scalar", match[0], match.end(), style)
        self.place = match.end()
        return node

    def _collection(self, kind: Kind, depth: int) -> Node:
        node = self._node(kind, None, self.place, "flow")
        self.place += 1
        if kind == "mapping":
            node.pairs = self._items("}", depth + 1)
        else:
            node.elements = self._elements(depth + 1)
        self.place += 1
        node.end = self.place
        node.end_line = self.line + self.text.count("\n", self.counted, self.place)
        return node

    def _elements(self, depth: int) -> tuple[Node, ...]:
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH} levels")
        elements: list[Node] = []
        while self._peek() != "]":
            elements.append(self._value(depth))
            if self._peek() == ",":
                self.place += 1
            elif self._peek() != "]":
                raise self._error(f"{self._found()} where a comma or the end of the list is expected")
        return tuple(elements)

    def _string(self) -> Node:
        """Read a quoted string; quotes and line breaks inside ``${…}`` are part of it."""
        text, place, braces = self.text, self.place + 1, 0
        while True:
            character = text[place : place + 1]
            if not character or (character == "\n" and not braces):
                raise self._error("a string is not closed")
            if character == '"' and not braces:
                break
            if character == "\\":
                place += 1
            elif text.startswith("${", place):
                braces += 1
                place += 1
            elif braces:
                braces += {"{": 1, "}": -1}.get(character, 0)
            place += 1
        node = self._node("scalar", _ESCAPE.sub(_unescape, text[self.place + 1 : place]), place + 1, '"')
        self.place = place + 1
        return node

    def _heredoc(self) -> Node:
        match = _HEREDOC.match(self.text, self.place)
        if not match:
            raise self._error(f"{self._found()} where a value is expected")
        closing = re.compile(rf"^[ \t]*{re.escape(match[2])}\r?$", re.MULTILINE).search(self.text, match.end())
        if not closing:
            raise self._error(f"the heredoc {match[2]} is not closed")
        lines = self.text[match.end() : closing.start()].splitlines(keepends=True)
        indentation = closing[0][: len(closing[0]) - len(closing[0].lstrip())]
        if match[1] and all(line.startswith(indentation) for line in lines):
            lines = [line[len(indentation) :] for line in lines]
        node = self._node("scalar", "".join(lines), closing.end(), "<<")
        self.place = closing.end()
        return node


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "uUx" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    if len(code) == 3:
        return chr(int(code, 8))
    return _ESCAPES.get(code, code)
