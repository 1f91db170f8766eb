r"""Cut an nginx configuration into directives, as nginx itself does.

A port of ``ngx_conf_read_token`` (src/core/ngx_conf_file.c) as far as words go: quotes only count where a word begins,
a backslash protects the next character, ``${`` does not open a block, ``#`` only comments where a word could begin, and a
quoted word must be followed by white space, ``;``, ``{`` or ``)``. One limit is left out: nginx refuses words of more
than 4,096 bytes, we read them.

>>> [(d.name, d.arguments, d.line) for d in read('''
... http {                    # one directive with a block
...     log_format main '$remote_addr "'
...                     "$request\t${status}";
... }
... ''', "nginx.conf")[0].block]
[('log_format', ('main', '$remote_addr "', '$request\t${status}'), 3)]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from necropsy.model.errors import ConfigurationError

_SPACE: Final = " \t\r\n"
_ESCAPES: Final = {"t": "\t", "r": "\r", "n": "\n"}
_DEEPEST: Final = 100
_LUA: Final = "_by_lua_block"
# Strings and comments of Lua may hold braces: --[[ ]], --, [[ ]], [=[ ]=], "…", '…'.
_LUA_BRACES: Final = re.compile(
    r"--\[(=*)\[.*?\]\1\]|--[^\n]*|\[(=*)\[.*?\]\2\]|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[{}]", re.DOTALL
)
_HINT: Final = "Run `nginx -t` on this file."


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: ``name argument…;`` or ``name argument… { block }``."""

    name: str
    arguments: tuple[str, ...]
    file: str
    line: int
    """Line of its name, from 1."""
    block: tuple[Directive, ...] | None = None
    """Directives between its braces; None when it ends with a semicolon."""


def read(text: str, file: str) -> tuple[Directive, ...]:
    """Read one file without following its includes.

    Parameters
    ----------
    text
        The whole file.
    file
        Name for positions and errors.

    Raises
    ------
    ConfigurationError
        At the line where nginx would stop, in nginx's words.
    """
    return _NginxReader(text, file).directives(0)


class _NginxReader:
    """A position in one text."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._place = 0
        self._line = 1

    def directives(self, depth: int) -> tuple[Directive, ...]:
        if depth > _DEEPEST:
            raise self._error(f"blocks are nested more than {_DEEPEST} deep")
        found: list[Directive] = []
        while True:
            words, line, end = self._statement()
            if end == "":
                if depth:
                    raise self._error('unexpected end of file, expecting "}"')
                return tuple(found)
            if end == "}":
                if not depth:
                    raise self._error('unexpected "}"')
                return tuple(found)
            block: tuple[Directive, ...] | None = None
            if end == "{":
                if words[0].endswith(_LUA):
                    self._skip_lua()
                    block = ()
                else:
                    block = self.directives(depth + 1)
            found.append(Directive(words[0], tuple(words[1:]), self._file, line, block))

    def _statement(self) -> tuple[list[str], int, str]:
        """Words up to ``;``, ``{``, ``}`` or the end (empty), and the line of the first word."""
        words: list[str] = []
        first = self._line
        while True:
            character = self._skip_blank()
            if character == "":
                if words:
                    raise self._error('unexpected end of file, expecting ";" or "}"')
                return words, first, ""
            if character in ";{" or (character == "}" and not words):
                if not words and character != "}":
                    raise self._error(f'unexpected "{character}"')
                self._place += 1
                return words, first, character
            if character == "}":
                raise self._error('unexpected "}"')
            if not words:
                first = self._line
            words.append(self._quoted(character) if character in "\"'" else self._bare())

    def _skip_blank(self) -> str:
        """Move over white space and comments; the character that follows, not consumed; empty at the end."""
        text, size = self._text, len(self._text)
        while self._place < size:
            character = text[self._place]
            if character == "#":
                end = text.find("\n", self._place)
                self._place = size if end < 0 else end
                continue
            if character not in _SPACE:
                return character
            if character == "\n":
                self._line += 1
            self._place += 1
        return ""

    def _quoted(self, quote: str) -> str:
        begin, started = self._place + 1, self._line
        place = begin
        text, size = self._text, len(self._text)
        while place < size and text[place] != quote:
            place += 2 if text[place] == "\\" else 1
        if place >= size:
            raise ConfigurationError(
                self._file, started, f"unexpected end of file, a {quote} is never closed", hint=_HINT
            )
        self._line += text.count("\n", begin, place)
        self._place = place + 1
        follower = text[self._place : self._place + 1]
        if follower and follower not in _SPACE and follower not in ";{)":
            raise self._error(f'unexpected "{follower}" after a closing quote')
        return _unescape(text[begin:place])

    def _bare(self) -> str:
        begin = place = self._place
        text, size = self._text, len(self._text)
        variable = False
        while place < size:
            character = text[place]
            if character == "{" and variable:
                place += 1
                continue
            variable = character == "$"
            if character == "\\":
                place += 2
                continue
            if character in _SPACE or character in ";{":
                break
            place += 1
        if place >= size:
            self._line += text.count("\n", begin)
            self._place = size
            raise self._error('unexpected end of file, expecting ";" or "}"')
        self._line += text.count("\n", begin, place)
        self._place = place
        return _unescape(text[begin:place])

    def _skip_lua(self) -> None:
        """Move behind the brace that closes a Lua block (lua-nginx-module), whose text is not nginx's."""
        started = self._line
        depth = 1
        for match in _LUA_BRACES.finditer(self._text, self._place):
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if not depth:
                self._line += self._text.count("\n", self._place, match.end())
                self._place = match.end()
                return
        raise ConfigurationError(self._file, started, "this Lua block is never closed", hint=_HINT)

    def _error(self, reason: str) -> ConfigurationError:
        return ConfigurationError(self._file, self._line, reason, hint=_HINT)


def _unescape(word: str) -> str:
    r"""Resolve ``\"``, ``\'``, ``\\``, ``\t``, ``\r`` and ``\n``; any other backslash stays.

    >>> _unescape(r'a\"b\d\.')
    'a"b\\d\\.'
    """
    if "\\" not in word:
        return word
    out: list[str] = []
    place = 0
    while place < len(word):
        character = word[place]
        if character == "\\" and place + 1 < len(word):
            follower = word[place + 1]
            if follower in "\"'\\":
                out.append(follower)
                place += 2
                continue
            if follower in _ESCAPES:
                out.append(_ESCAPES[follower])
                place += 2
                continue
        out.append(character)
        place += 1
    return "".join(out)
