"""Consul's filter expressions (hashicorp/go-bexpr, ``grammar.peg``): text in, tree out.

>>> tree = parse('Service.Meta.stage == "live" and not blue in Service.Tags')
>>> tree.parts[0]
Match(path=('Service', 'Meta', 'stage'), operator='==', value='live', negated=False)
>>> tree.parts[1]
Not(of=Match(path=('Service', 'Tags'), operator='in', value='blue', negated=False))
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DEEPEST: Final = 100
"""Levels of parentheses and ``not``; real filters have two or three."""
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_IDENTIFIER: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_/]*")
_INDEX: Final = re.compile(r"\[[ \t\r\n]*(`[^`]*`|\"[^\"]*\")[ \t\r\n]*\]")
_STEP: Final = re.compile(r"\.([a-zA-Z][a-zA-Z0-9_/]*|[0-9]+)")
_POINTER: Final = re.compile(r'"((?:/[\w.~:|-]+)+)"(?=[ \t\r\n]*[=!]=|[ \t\r\n]+(?:is|not|contains|matches)\b)')
_POINTER_AFTER_IN: Final = re.compile(r'"((?:/[\w.~:|-]+)+)"')
_STRING: Final = re.compile(r"`[^`]*`|\"[^\"]*\"")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?=[ \t\r\n)]|\Z)")
_OPERATORS: Final = (
    (re.compile(r"[ \t\r\n]*==[ \t\r\n]*"), "==", False),
    (re.compile(r"[ \t\r\n]*!=[ \t\r\n]*"), "==", True),
    (re.compile(r"[ \t\r\n]+contains[ \t\r\n]+"), "in", False),
    (re.compile(r"[ \t\r\n]+not[ \t\r\n]+contains[ \t\r\n]+"), "in", True),
    (re.compile(r"[ \t\r\n]+matches[ \t\r\n]+"), "matches", False),
    (re.compile(r"[ \t\r\n]+not[ \t\r\n]+matches[ \t\r\n]+"), "matches", True),
)
_EMPTY: Final = (
    (re.compile(r"[ \t\r\n]+is[ \t\r\n]+empty"), False),
    (re.compile(r"[ \t\r\n]+is[ \t\r\n]+not[ \t\r\n]+empty"), True),
)
_IN: Final = (
    (re.compile(r"[ \t\r\n]+in[ \t\r\n]+"), False),
    (re.compile(r"[ \t\r\n]+not[ \t\r\n]+in[ \t\r\n]+"), True),
)
_NOT: Final = re.compile(r"not[ \t\r\n]+")
_WORDS: Final = {word: re.compile(rf"[ \t\r\n]+{word}[ \t\r\n]+") for word in ("and", "or")}
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))", re.DOTALL)
_PLAIN_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'
}  # fmt: skip


class FilterRefused(ValueError):  # noqa: N818 -- the caller, who knows file and line, turns it into a ConfigurationError
    """Consul refuses this expression."""


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison."""

    path: tuple[str, ...]
    """The selector: ``("Service", "Meta", "stage")``."""
    operator: str
    """``==``, ``in`` (also written ``contains``), ``matches`` or ``empty``."""
    value: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """``not …``."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Joined:
    """``… and …``, ``… or …``; ``and`` binds closer."""

    word: str
    parts: tuple[Expression, ...]


Expression = Match | Not | Joined


def parse(text: str) -> Expression:
    """Parse a filter.

    Raises
    ------
    FilterRefused
        It is none; the message says where.
    """
    parser = _Parser(text)
    parser.space()
    found = parser.either("or", 0)
    parser.space()
    if parser.place != len(text):
        raise parser.refused("the end, and or or")
    return found


class _Parser:
    """Recursive descent, one method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0

    def refused(self, expected: str) -> FilterRefused:
        return FilterRefused(f"character {self.place + 1}: expected {expected}")

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self.place)
        if match:
            self.place = match.end()
        return match

    def space(self) -> None:
        self._take(_SPACE)

    def either(self, word: str, depth: int) -> Expression:
        """Read ``a or b or c``, or with ``and``."""
        parts = [self.either("and", depth) if word == "or" else self._not(depth)]
        while self._take(_WORDS[word]):
            parts.append(self.either("and", depth) if word == "or" else self._not(depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _not(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise FilterRefused(f"nested deeper than {_DEEPEST} levels")
        if self._take(_NOT):
            return Not(self._not(depth + 1))
        if not self._text.startswith("(", self.place):
            return self._match()
        self.place += 1
        self.space()
        inside = self.either("or", depth + 1)
        self.space()
        if not self._text.startswith(")", self.place):
            raise self.refused("a closing parenthesis")
        self.place += 1
        return inside

    def _match(self) -> Match:
        begin = self.place
        path = self._selector()
        if path:
            for pattern, operator, negated in _OPERATORS:
                if self._take(pattern):
                    return Match(path, operator, self._value(), negated)
            for pattern, negated in _EMPTY:
                if self._take(pattern):
                    return Match(path, "empty", "", negated)
        self.place = begin
        value = self._value()
        for pattern, negated in _IN:
            if self._take(pattern):
                path = self._selector(_POINTER_AFTER_IN)  # here nothing else can stand, whatever follows
                if not path:
                    raise self.refused("a selector")
                return Match(path, "in", value, negated)
        raise self.refused("an operator")

    def _selector(self, pointers: re.Pattern[str] = _POINTER) -> tuple[str, ...]:
        pointer = self._take(pointers)
        if pointer:
            return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1][1:].split("/"))
        first = self._take(_IDENTIFIER)
        if first is None:
            return ()
        path = [first[0]]
        while True:
            if step := self._take(_STEP):
                path.append(step[1])
            elif index := self._take(_INDEX):
                path.append(_unquoted(index[1]))
            else:
                return tuple(path)

    def _value(self) -> str:
        if string := self._take(_STRING):
            return _unquoted(string[0])
        if number := self._take(_NUMBER):
            return number[0]
        path = self._selector()
        if not path:
            raise self.refused("a value")
        return ".".join(path)


def _unquoted(text: str) -> str:
    """Unquote as Go's ``strconv.Unquote`` does; quotes cannot be escaped, as the grammar ends a text at the next one."""
    inside = text[1:-1]
    if text[0] == "`":
        return inside.replace("\r", "")
    if "\n" in inside:
        raise FilterRefused("a text in double quotes ends on its line")
    if "\\" not in inside:
        return inside
    return _ESCAPE.sub(_unescaped, inside)


def _unescaped(match: re.Match[str]) -> str:
    byte, short, long, octal, plain = match.groups()
    number = int(byte or short or long or "0", 16) if octal is None else int(octal, 8)
    if byte or octal:
        number &= 0xFF
    if plain is not None:
        if plain not in _PLAIN_ESCAPES:
            raise FilterRefused(f"\\{plain} is not an escape")
        return _PLAIN_ESCAPES[plain]
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise FilterRefused("an escape that is not a character")
    return chr(number)
