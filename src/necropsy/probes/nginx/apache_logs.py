r"""Log formats of an Apache configuration: ``LogFormat``, and what ``CustomLog`` says without naming one.

>>> text = r'''
... LogFormat "%h %l %u %t \"%r\" %>s %b" common
... <VirtualHost *:80>
...     CustomLog logs/api.log "%t %>s \
... %r" env=api
... </VirtualHost>
... IncludeOptional conf-enabled/*.conf
... '''
>>> found = read(text, "httpd.conf")
>>> [(form.name, form.text, form.origin.line) for form in found.formats], found.includes
([('common', '%h %l %u %t "%r" %>s %b', 2), ('of logs/api.log', '%t %>s %r', 4)], ('conf-enabled/*.conf',))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from necropsy.model.evidence import Origin
from necropsy.probes.nginx.logs import LogFormat

_WORD: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|(\S+)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\"'\\])")
_CONTINUED: Final = re.compile(r"\\\r?\n")
_LOGS: Final = frozenset({"customlog", "globallog"})
_INCLUDES: Final = frozenset({"include", "includeoptional"})


@dataclass(frozen=True, slots=True)
class ApacheLogs:
    """The log directives of one file."""

    formats: tuple[LogFormat, ...]
    includes: tuple[str, ...]
    """Files and patterns that it includes, as written."""
    server_root: str
    """Folder that relative names start from; empty when the file does not say."""


def read(text: str, file: str) -> ApacheLogs:
    """Read one file of a configuration; nothing in it is an error: the server is the judge of that.

    Parameters
    ----------
    text
        The whole file.
    file
        Its name, for origins.
    """
    formats: list[LogFormat] = []
    includes: list[str] = []
    root = ""
    for line, name, words in _directives(text):
        origin = Origin(file, line)
        if name == "logformat" and words:
            formats.append(LogFormat(words[1] if len(words) > 1 else "of TransferLog", words[0], "default", origin))
        elif name in _LOGS and len(words) > 1 and "%" in words[1]:
            formats.append(LogFormat(f"of {words[0]}", words[1], "default", origin))
        elif name in _INCLUDES and words:
            includes.append(words[0])
        elif name == "serverroot" and words:
            root = words[0]
    return ApacheLogs(tuple(formats), tuple(includes), root)


def _directives(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the line, the name in lower case and the arguments of each directive; sections are passed through."""
    number = 1
    for whole in re.split(r"(?<!\\)\n", text):
        line = _CONTINUED.sub("", whole).strip()
        if line and line[0] not in "#<":
            name, *rest = line.split(maxsplit=1)
            yield number, name.lower(), [_word(match) for match in _WORD.finditer("".join(rest))]
        number += whole.count("\n") + 1


def _word(match: re.Match[str]) -> str:
    if match[3] is not None:
        return str(match[3])
    return _ESCAPED.sub(r"\1", match[1] if match[1] is not None else match[2])
