"""Follow ``include`` through texts that somebody else has read.

nginx resolves an include against the folder of the *main* file (its prefix), never against the including file. A file that
no main file includes (a template that people copy, or a fragment that was given alone) is meant for the main file of the
nearest folder above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.locate import MAGIC, matching
from necropsy.probes.nginx.tokens import Directive, read

_DEEPEST: Final = 30
_HIGHEST: Final = 3
"""Folders above a fragment in which its includes are looked for."""
_MAIN: Final = re.compile(r"^\s*(?:http|events|stream)\s*\{", re.MULTILINE)
"""Directives that only a main file has."""
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


def build(texts: Mapping[str, str], main: str) -> Tree:
    """Read a main file and, in place of each ``include``, the texts that it names.

    Parameters
    ----------
    texts
        Name to whole text, of the main file and of all that may be included.
    main
        Name of the main file.
    """
    builder = _Builder(texts, main, bases(main, texts))
    directives = builder.file(main, ())
    return Tree(main, directives, frozenset(builder.included), tuple(builder.problems))


def bases(file: str, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the main files, or names in their place, against whose folders the includes of a file may count, best first.

    >>> bases("etc/conf.d/a.conf", {"etc/nginx.conf": "http { }", "etc/conf.d/a.conf": "server { }"})
    ('etc/conf.d/a.conf', 'etc/nginx.conf', 'etc/a.conf', 'a.conf')
    """
    if _MAIN.search(texts.get(file, "")):
        return (file,)
    path = PurePosixPath(file.replace("\\", "/"))
    above = [str(folder / path.name) for folder in path.parents[1 : _HIGHEST + 1]]
    mains = [name for name in texts if name != file and _MAIN.search(texts[name]) and _is_below(path, name)]
    nearest = sorted(mains, key=lambda name: -len(PurePosixPath(name).parent.parts))
    return tuple(dict.fromkeys((file, *nearest, *above)))


def _is_below(path: PurePosixPath, main: str) -> bool:
    return PurePosixPath(main.replace("\\", "/")).parent in path.parents


def roots(texts: Mapping[str, str]) -> tuple[Tree, ...]:
    """Trees of the files that no other given file includes, in the given order."""
    trees = [build(texts, name) for name in texts]
    included = {name for tree in trees for name in tree.included if name != tree.file}
    found = tuple(tree for tree in trees if tree.file not in included)
    return found or tuple(trees[:1])  # two files that include each other: begin with the first


class _Builder:
    """State of one walk."""

    def __init__(self, texts: Mapping[str, str], main: str, places: tuple[str, ...]) -> None:
        self._texts = texts
        self._main = main
        self._places = places
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
        names = next((found for place in self._places if (found := matching(self._texts, place, pattern))), [])
        if not names and not MAGIC.search(pattern):  # a glob may match nothing, says nginx
            self._problem(directive, f"includes {pattern}, which was not given", "Give the whole configuration folder.")
        for name in names:
            if name in above:
                self._problem(directive, f"{name} includes itself", "Remove the circle; nginx would refuse it as well.")
            elif len(above) >= _DEEPEST:
                self._problem(directive, f"includes are nested more than {_DEEPEST} deep", "Include less deeply.")
            else:
                self.included.add(name)
                yield from self.file(name, above)

    def _problem(self, directive: Directive, reason: str, hint: str) -> None:
        self.problems.append(ConfigurationError(directive.file, directive.line, reason, hint=hint))
