"""Follow ``include`` through texts that somebody else has read.

nginx resolves an include against the folder of the *main* file (its prefix), never against the including file. Evidence,
though, is often a copy: ``/etc/nginx/conf.d/*.conf`` named in a ``nginx.conf`` that lies in somebody's download folder.
So each include has several candidates, tried in turn: as nginx would, then the tails of the path beside the main file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.nginx.tokens import Directive, read

_MAGIC: Final = re.compile(r"[*?\[]")
_DEEPEST: Final = 30
_MOST_DIRECTIVES: Final = 500_000


@dataclass(frozen=True, slots=True)
class Tree:
    """One main file with everything it includes."""

    file: str
    directives: tuple[Directive, ...]
    """Includes replaced by what they include."""
    included: frozenset[str]
    """Names of the files that were pulled in."""
    problems: tuple[ConfigurationError, ...]
    """Includes that no given text answers, and files that nginx would refuse."""


def include_candidates(main: str, pattern: str) -> tuple[str, ...]:
    """Patterns to try for one ``include`` of a main file, best first.

    >>> include_candidates("evidence/nginx.conf", "/etc/nginx/conf.d/*.conf")[:3]
    ('/etc/nginx/conf.d/*.conf', 'evidence/etc/nginx/conf.d/*.conf', 'evidence/nginx/conf.d/*.conf')
    >>> include_candidates("/etc/nginx/nginx.conf", "mime.types")
    ('/etc/nginx/mime.types',)
    """
    folder = posixpath.dirname(main)
    if not pattern.startswith("/"):
        return (posixpath.join(folder, pattern),)
    parts = pattern.strip("/").split("/")
    tails = (posixpath.join(folder, *parts[start:]) for start in range(len(parts)))
    return tuple(dict.fromkeys((pattern, *tails)))


def build(texts: Mapping[str, str], main: str) -> Tree:
    """Read a main file and, in place of each ``include``, the texts that it names.

    Parameters
    ----------
    texts
        Name to whole text, of the main file and of all that may be included.
    main
        Name of the main file.
    """
    builder = _Builder(texts, main)
    directives = builder.file(main, ())
    return Tree(main, directives, frozenset(builder.included), tuple(builder.problems))


def roots(texts: Mapping[str, str]) -> tuple[Tree, ...]:
    """Trees of the files that no other given file includes, in the given order."""
    trees = [build(texts, name) for name in texts]
    included = {name for tree in trees for name in tree.included if name != tree.file}
    found = tuple(tree for tree in trees if tree.file not in included)
    return found or tuple(trees[:1])  # two files that include each other: begin with the first


class _Builder:
    """State of one walk."""

    def __init__(self, texts: Mapping[str, str], main: str) -> None:
        self._texts = texts
        self._main = main
        self._count = 0
        self._parsed: dict[str, tuple[Directive, ...]] = {}
        self.included: set[str] = set()
        self.problems: list[ConfigurationError] = []

    def file(self, name: str, above: tuple[str, ...]) -> tuple[Directive, ...]:
        if name not in self._parsed:
            try:
                self._parsed[name] = read(self._texts[name], name)
            except ConfigurationError as error:
                self._parsed[name] = ()
                self.problems.append(error)
        return tuple(self._resolve(self._parsed[name], (*above, name)))

    def _resolve(self, directives: Iterable[Directive], above: tuple[str, ...]) -> Iterable[Directive]:
        for directive in directives:
            self._count += 1
            if self._count > _MOST_DIRECTIVES:  # includes that include each other twice grow without bound
                if self._count == _MOST_DIRECTIVES + 1:
                    self._problem(directive, f"more than {_MOST_DIRECTIVES:,} directives", "Include each file once.")
                return
            if directive.name == "include" and directive.block is None and len(directive.arguments) == 1:
                yield from self._include(directive, above)
            elif directive.block:
                yield replace(directive, block=tuple(self._resolve(directive.block, above)))
            else:
                yield directive

    def _include(self, directive: Directive, above: tuple[str, ...]) -> Iterable[Directive]:
        (pattern,) = directive.arguments
        names: list[str] = []
        for candidate in include_candidates(self._main, pattern):
            names = _match(self._texts, candidate)
            if names:
                break
        if not names and not _MAGIC.search(pattern):  # a glob may match nothing, says nginx
            self._problem(
                directive, f"includes {pattern}, which was not given", "Give the whole folder of the configuration."
            )
        for name in names:
            if name in above:
                self._problem(directive, f"{name} includes itself", "Break the circle; nginx would refuse it as well.")
            elif len(above) >= _DEEPEST:
                self._problem(directive, f"includes are nested more than {_DEEPEST} deep", "Include less deeply.")
            else:
                self.included.add(name)
                yield from self.file(name, above)

    def _problem(self, directive: Directive, reason: str, hint: str) -> None:
        self.problems.append(ConfigurationError(directive.file, directive.line, reason, hint=hint))


def _match(texts: Mapping[str, str], pattern: str) -> list[str]:
    if pattern in texts:
        return [pattern]
    if not _MAGIC.search(pattern):
        return []
    try:
        expression = _glob(posixpath.normpath(pattern))
    except re.error:  # [z-a] matches nothing
        return []
    return sorted(name for name in texts if expression.fullmatch(posixpath.normpath(name)))


def _glob(pattern: str) -> re.Pattern[str]:
    """Translate a glob(3) pattern: no wildcard matches ``/`` or a leading dot."""
    out: list[str] = []
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        start = place == 1 or pattern[place - 2] == "/"
        if character in "*?":
            out.append((r"(?!\.)" if start else "") + ("[^/]*" if character == "*" else "[^/]"))
            continue
        close = pattern.find("]", place + 1) if character == "[" else -1
        if close > 0:
            members = pattern[place:close].replace("\\", "\\\\").replace("[", "\\[")
            out.append("[" + ("^" + members[1:] if members[0] in "!^" else members) + "]")
            place = close + 1
            continue
        out.append(re.escape(character))
    return re.compile("".join(out))
