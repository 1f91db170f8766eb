r"""Go's regular expressions and templates on RE2: what Prometheus and its exporters compile, compiled here as well.

RE2 and Go's ``regexp`` share syntax, semantics (leftmost-first) and authors. Python's ``re`` is no substitute: it
refuses a quarter of Go's syntax and disagrees about ``$``, ``\d`` and ``\w``. The three places where RE2 is more
lenient than Go are checked here. Measured against Go's own tables: RE2 and Go agree on all 11.4 million exhaustive
cases of the RE2 test suite.

Templates (``$1``, ``${name}``) are expanded as Go's ``Regexp.Expand`` does, which is not how Python does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from necropsy.probes.prometheus.version import Version

_MEMORY: Final = 64 << 20
"""Bytes that one compiled expression may use; Go has no such limit, RE2's own default is 8 MiB."""
Spans = list[tuple[int, int]]
"""Byte offsets of the whole match and of each group; (-1, -1) for a group that took no part."""


class RegexpRefused(ValueError):  # noqa: N818 -- the caller, who knows file and line, turns it into a ConfigurationError
    """Go's ``regexp`` refuses this expression."""


class Regexp:
    """One compiled expression. Immutable, cheap to share."""

    __slots__ = ("_match", "_unanchored", "names", "pattern")

    def __init__(self, pattern: str, *, angle_groups: bool = True) -> None:
        """Compile ``pattern`` as it stands; ``angle_groups`` allows ``(?<name>…)`` (Go 1.22 and later)."""
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        self.names = _check(pattern, angle_groups=angle_groups)
        try:
            compiled = re2.compile(pattern, options)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise RegexpRefused(text) from None
        self.pattern = pattern
        # The public search() decodes offsets for each call, which takes four times as long as the match itself.
        self._match: Callable[[Any, bytes, int, int], Spans] = compiled._regexp.Match  # noqa: SLF001
        self._unanchored = type(compiled._regexp).Anchor.UNANCHORED  # noqa: SLF001

    def __repr__(self) -> str:
        return f"Regexp({self.pattern!r})"

    def matches(self, text: str) -> bool:
        """Return whether it matches anywhere (relabel expressions carry their own anchors)."""
        data = text.encode("utf-8", "surrogatepass")
        return self._match(self._unanchored, data, 0, len(data))[0][0] >= 0

    def find(self, data: bytes, start: int = 0) -> Spans | None:
        """Return the spans of the leftmost match at or after ``start``."""
        spans = self._match(self._unanchored, data, start, len(data))
        return None if spans[0][0] < 0 else spans

    def replace_all(self, text: str, template: Template) -> str:
        """Return ``text`` with each match replaced, as Go's ``ReplaceAllString``."""
        data = text.encode("utf-8", "surrogatepass")
        pieces: list[bytes] = []
        done = start = 0
        while start <= len(data):
            spans = self.find(data, start)
            if spans is None:
                break
            begin, end = spans[0]
            pieces.append(data[done:begin])
            if end > done or begin == 0:  # Go: no empty match right behind a match
                pieces.append(template.expand(data, spans))
            done = end
            width = 1
            while start + width < len(data) and data[start + width] & 0xC0 == 0x80:
                width += 1
            start = max(end, start + width)
        pieces.append(data[done:])
        return b"".join(pieces).decode("utf-8", "surrogatepass")


class Template:
    """A replacement text, parsed once for one expression."""

    __slots__ = ("parts", "text")

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        """Parse ``text``; ``names`` are the group names of the expression, by index, empty for unnamed groups."""
        self.text = text
        self.parts: list[bytes | tuple[int, ...]] = []
        """Literal bytes, or the indexes of groups of which the first that took part counts."""
        literal = ""
        rest = text
        while True:
            before, dollar, rest = rest.partition("$")
            literal += before
            if not dollar:
                break
            if rest.startswith("$"):
                literal, rest = literal + "$", rest[1:]
            elif (variable := _variable(rest)) is None:
                literal += "$"  # malformed: Go keeps the dollar sign as text
            else:
                name, rest = variable
                groups = _groups(name, names)
                if literal:
                    self.parts.append(literal.encode("utf-8", "surrogatepass"))
                literal = ""
                self.parts.append(groups)
        if literal:
            self.parts.append(literal.encode("utf-8", "surrogatepass"))

    @property
    def constant(self) -> str | None:
        """The text that it always expands to; None if that depends on the match."""
        if any(isinstance(part, tuple) for part in self.parts):
            return None
        return b"".join(part for part in self.parts if isinstance(part, bytes)).decode("utf-8", "surrogatepass")

    def expand(self, data: bytes, spans: Spans) -> bytes:
        """Return the text for one match of the expression in ``data``."""
        pieces = []
        for part in self.parts:
            if isinstance(part, bytes):
                pieces.append(part)
                continue
            for group in part:
                if group < len(spans) and spans[group][0] >= 0:
                    begin, end = spans[group]
                    pieces.append(data[begin:end])
                    break
        return b"".join(pieces)


def _variable(text: str) -> tuple[str, str] | None:
    """Split ``1}…``, ``{name}…`` behind a dollar sign into name and rest; None if malformed (Go: ``extract``)."""
    brace = text.startswith("{")
    begin = 1 if brace else 0
    end = begin
    while end < len(text) and (text[end].isalpha() or text[end].isdecimal() or text[end] == "_"):
        end += 1
    if end == begin:
        return None
    name = text[begin:end]
    if brace:
        if not text.startswith("}", end):
            return None
        end += 1
    return name, text[end:]


def _groups(name: str, names: tuple[str, ...]) -> tuple[int, ...]:
    digits = name.isascii() and name.isdigit()
    if digits and not (name[0] == "0" and len(name) > 1) and len(name) <= 9:  # a number from 1e8 on is a name in Go
        return (int(name),)
    return tuple(index for index, given in enumerate(names) if given == name)


@lru_cache(maxsize=4096)
def _anchored(text: str, *, dot_matches_newline: bool, angle_groups: bool) -> Regexp:
    opening = "^(?s:" if dot_matches_newline else "^(?:"
    return Regexp(f"{opening}{text})$", angle_groups=angle_groups)


def anchored(text: str, version: Version) -> Regexp:
    """Compile a relabel ``regex`` as this Prometheus does: by wrapping the text, which is why ``a)|(?:b`` works.

    Raises
    ------
    RegexpRefused
        Go refuses it; the message says why.
    """
    return _anchored(text, dot_matches_newline=version >= (3, 0), angle_groups=version >= (2, 51))


@lru_cache(maxsize=1024)
def plain(text: str) -> Regexp:
    """Compile an expression that is not anchored, as the blackbox exporter does. Errors as ``anchored``."""
    return Regexp(text)


_TOKEN: Final = re.compile(
    r"\\Q.*?(?:\\E|\Z)"  # quoted text
    r"|\\."  # an escape
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]?"  # a character class
    r"|\(\?P?<([^>]*)>"  # a named group
    r"|\(\??"  # any other group
    r"|\{\d+(?:,\d*)?\}",  # a repetition
    re.DOTALL,
)
_GO_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
_GO_REPEAT_LIMIT: Final = 1000


def _check(pattern: str, *, angle_groups: bool) -> tuple[str, ...]:
    """Refuse what RE2 takes and Go does not; return the names of the groups by index."""
    names = [""]
    for token in _TOKEN.finditer(pattern):
        text, name = token[0], token[1]
        if text == r"\C":
            raise RegexpRefused(r"invalid escape sequence: `\C`")
        if name is not None:
            if not _GO_NAME.fullmatch(name) or (text.startswith("(?<") and not angle_groups):
                raise RegexpRefused(f"invalid named capture: `{text}`")
            names.append(name)
        elif text == "(":
            names.append("")
        elif text[0] == "{" and any(int(n) > _GO_REPEAT_LIMIT for n in re.findall(r"\d+", text)):
            raise RegexpRefused(f"invalid repeat count: `{text}`")
    return tuple(names)
