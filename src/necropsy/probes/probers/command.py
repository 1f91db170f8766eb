"""The request inside a command line: health checks of containers are mostly ``curl`` or ``wget``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_URL: Final = re.compile(r"https?://[^\s'\"|;&<>)]+(?:&[^\s'\"|;&<>)]+)*")
_OPTIONS: Final = {
    "-X": "method",
    "--request": "method",
    "--method": "method",
    "-A": "agent",
    "-U": "agent",
    "--user-agent": "agent",
    "-H": "header",
    "--header": "header",
}
"""Options whose value decides the request."""
_CURL: Final = "-o --output -m --max-time --connect-timeout --retry -u --user -d --data -w --write-out -c -b"
_WGET: Final = "-O -T -t -e -o -Y --timeout --tries --output-document"
_VALUES: Final = {"curl": frozenset(_CURL.split()), "wget": frozenset(_WGET.split())}
"""Options that take a value which does not matter here."""
_HEAD: Final = ("-I", "--head", "--spider")
_LOCATION: Final = ("-L", "--location")
_STATEMENT_ENDS: Final = frozenset(("||", "&&", ";", "|", "&"))


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """The HTTP request that a command makes."""

    url: str
    method: str
    user_agent: str
    """Beginning of its User-Agent; empty when the program is not known."""
    follows_redirects: bool
    host_header: str = ""


def request_of(command: str | Sequence[str]) -> CommandRequest | None:
    """Find the HTTP request in a command; None if there is none to be seen.

    >>> request_of("curl -fsS http://localhost:8080/health || exit 1")
    CommandRequest(url='http://localhost:8080/health', method='GET', user_agent='curl/', follows_redirects=False, host_header='')
    >>> request_of(["wget", "--spider", "-q", "localhost/"]).method
    'HEAD'
    >>> request_of("redis-cli ping") is None
    True
    """
    words = _words(command) if isinstance(command, str) else list(command)
    for start, word in enumerate(words):
        program = word.rsplit("/", 1)[-1]
        if program in ("curl", "wget"):
            end = next((n for n in range(start, len(words)) if words[n] in _STATEMENT_ENDS), len(words))
            return _client(program, words[start + 1 : end])
    found = _URL.search(" ".join(words))
    return CommandRequest(found[0], "GET", "", follows_redirects=True) if found else None


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # a quote that is never closed
        return command.split()


def _client(program: str, arguments: list[str]) -> CommandRequest | None:
    known = {"method": "GET", "agent": "Wget/" if program == "wget" else "curl/", "host": ""}
    follows = program == "wget"
    target = ""
    words = iter(_separated(program, arguments))
    for word in words:
        if not word.startswith("-"):
            target = target or word
            continue
        name, equals, value = word.partition("=")
        if name in _OPTIONS or name in _VALUES[program]:
            value = value if equals else next(words, "")
        if name in _OPTIONS:
            _note(known, _OPTIONS[name], value)
        elif name in _HEAD:
            known["method"] = "HEAD"
        follows = (follows or name in _LOCATION) and word != "--max-redirect=0"
    if not target:
        return None
    url = target if "://" in target else f"http://{target}"
    return CommandRequest(url, known["method"], known["agent"], follows, known["host"])


def _note(known: dict[str, str], what: str, value: str) -> None:
    if what != "header":
        known[what] = value
    elif value.lower().startswith("host:"):
        known["host"] = value[5:].strip()


def _separated(program: str, arguments: list[str]) -> list[str]:
    """Pull letters behind one dash apart: ``-fsSLo`` is ``-f -s -S -L -o``, and ``-XPOST`` is ``-X POST``."""
    words: list[str] = []
    for word in arguments:
        if not word.startswith("-") or word.startswith("--"):
            words.append(word)
            continue
        for place, letter in enumerate(word[1:], 2):
            words.append(f"-{letter}")
            if (f"-{letter}" in _OPTIONS or f"-{letter}" in _VALUES[program]) and place < len(word):
                words.append(word[place:].removeprefix("="))
                break
    return words
