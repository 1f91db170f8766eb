"""The language of a Caddyfile: directives of words, with blocks (caddyserver.com/docs/caddyfile/concepts)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

_TOKEN: Final = re.compile(
    r'(?P<space>[ \t\r]+|\\\r?\n)|(?P<comment>\#[^\n]*)|(?P<line>\n)|"(?P<quoted>(?:\\.|[^"\\])*)"|`(?P<raw>[^`]*)`'
    r"|(?P<word>[^\s]+)",
    re.DOTALL,
)
_ARGUMENT: Final = re.compile(r"\{args[.\[](\d+)\]?\}")
_DEEPEST: Final = 20
"""Snippets that import snippets."""


@dataclass(frozen=True, slots=True)
class CaddyDirective:
    """A line: its words, and the directives of its block."""

    line: int
    words: tuple[str, ...]
    block: tuple[CaddyDirective, ...] | None = None


def directives(text: str) -> tuple[CaddyDirective, ...]:
    r"""Return the directives of a Caddyfile, those of its snippets in the places that import them.

    >>> directives('(check) {\n health_uri {args[0]}\n}\na.example {\n import check "/x y"\n}\n')[-1].block
    (CaddyDirective(line=2, words=('health_uri', '/x y'), block=None),)
    """
    found = _block(_lines(text))
    snippets = {
        one.words[0][1:-1]: one.block
        for one in found
        if one.block is not None and len(one.words) == 1 and re.fullmatch(r"\(.+\)", one.words[0])
    }
    return tuple(_imported(found, snippets, 0))


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of each line; words keep no quotes."""
    number, begin = 1, 1
    words: list[str] = []
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "line":
            if words:
                yield begin, words
            words = []
        elif kind == "quoted":
            words.append(re.sub(r'\\(["\\])', r"\1", token["quoted"]))
        elif kind in ("word", "raw"):
            words.append(token[kind])
        if len(words) == 1 and kind in ("word", "raw", "quoted"):
            begin = number
        number += token[0].count("\n")
    if words:
        yield begin, words


def _block(lines: Iterator[tuple[int, list[str]]]) -> tuple[CaddyDirective, ...]:
    """Return the directives up to the bracket that closes this block, or to the end."""
    found = []
    for number, words in lines:
        if words[0] == "}":
            break
        if words[-1] == "{":
            found.append(CaddyDirective(number, tuple(words[:-1]), _block(lines)))
        else:
            found.append(CaddyDirective(number, tuple(words)))
    return tuple(found)


def _imported(
    found: tuple[CaddyDirective, ...], snippets: Mapping[str, tuple[CaddyDirective, ...] | None], depth: int
) -> Iterator[CaddyDirective]:
    for one in found:
        snippet = snippets.get(one.words[1]) if one.words[:1] == ("import",) and len(one.words) > 1 else None
        if snippet is not None and depth < _DEEPEST:
            filled = (_filled(inside, one.words[2:]) for inside in snippet)
            yield from _imported(tuple(filled), snippets, depth + 1)
        elif one.block is None:
            yield one
        else:
            yield replace(one, block=tuple(_imported(one.block, snippets, depth)))


def _filled(one: CaddyDirective, given: tuple[str, ...]) -> CaddyDirective:
    def value(found: re.Match[str]) -> str:
        return given[int(found[1])] if int(found[1]) < len(given) else found[0]

    words = tuple(_ARGUMENT.sub(value, word) for word in one.words)
    block = None if one.block is None else tuple(_filled(inside, given) for inside in one.block)
    return CaddyDirective(one.line, words, block)
