"""HAProxy's configuration language: words, and which words there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_SECTIONS = (
    "global defaults frontend backend listen peers resolvers mailers userlist cache program http-errors ring log-forward"
    " fcgi-app crt-store traces log-profile acme"
)
SECTIONS: Final = frozenset(_SECTIONS.split())
"""Keywords that begin a section."""

_WITH_VALUE = (
    "inter fastinter downinter port addr rise fall weight maxconn cookie id observe on-error on-marked-down on-marked-up"
    " slowstart source track backlog ca-file crt verify sni check-sni alpn check-alpn check-proto proto init-addr resolvers"
    " resolve-prefer resolve-net error-limit minconn maxqueue pool-max-conn pool-purge-delay agent-port agent-inter agent-addr"
    " agent-send crl-file verifyhost ssl-min-ver ssl-max-ver redir namespace ws"
)
WITH_VALUE: Final = frozenset(_WITH_VALUE.split())
"""Options of a ``server`` line that take a value."""


def lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of each line that has any."""
    for number, line in enumerate(text.splitlines(), 1):
        words = split(line)
        if words:
            yield number, words


def split(line: str) -> list[str]:
    r"""Cut a line into words: quotes, a backslash before what it protects, ``#`` comments.

    >>> split('option httpchk GET "/a b" HTTP/1.1\\r\\nHost:\\ x # comment')
    ['option', 'httpchk', 'GET', '/a b', 'HTTP/1.1\r\nHost: x']
    """
    words: list[str] = []
    word: str | None = None
    quote = ""
    characters = iter(line)
    for character in characters:
        if character == "\\" and quote != "'":
            follower = next(characters, "")
            word = (word or "") + {"r": "\r", "n": "\n", "t": "\t"}.get(follower, follower)
        elif character == quote:
            quote = ""
        elif quote:
            word = (word or "") + character
        elif character in "\"'":
            quote, word = character, word or ""
        elif character == "#":
            break
        elif character.isspace():
            words += [word] if word is not None else []
            word = None
        else:
            word = (word or "") + character
    return [*words, word] if word is not None else words
