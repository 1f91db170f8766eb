"""Secrets in texts that are shown: users and passwords of URLs, and the values of parameters that are secrets by their name.

Everything that shows an address of a person, of a configuration or of a server passes through here.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "***"
SECRET_WORDS: Final = "pass|pwd|secret|token|key|auth|sess|sid|sign|credential|jwt"  # noqa: S105 -- names, not values
"""Parts of the names of parameters whose values are never shown."""
_SECRET_PARAMETER: Final = re.compile(rf"(?i)([?&;][^=&;]*(?:{SECRET_WORDS})[^=&;]*=)([^&;#/?]+)")
_USER: Final = re.compile(r"(//)([^/?#\s]*)@")
_PLACEHOLDERS: Final = frozenset(("USER", "USER:PASSWORD", ":PASSWORD"))
"""What hints write in the place of a user: without it they would say nothing."""
_PLACEHOLDER: Final = re.compile(r"FILE\b|…")
"""The same in the place of a parameter's value."""


def masked(text: str) -> str:
    """Remove users from URLs in a text, and hide the values of parameters that are secrets by their name.

    >>> masked("http://admin:pw@a/login;jsessionid=1F?token=abc&x=1"), masked("http://me:p@ss@a/")
    ('http://a/login;jsessionid=***?token=***&x=1', 'http://a/')

    The placeholders of our own hints stay.

    >>> masked("Write redis://USER:PASSWORD@HOST:PORT or ?password_file=FILE.")
    'Write redis://USER:PASSWORD@HOST:PORT or ?password_file=FILE.'
    """
    if "@" in text:
        text = _USER.sub(lambda found: found[0] if found[2] in _PLACEHOLDERS else found[1], text)
    return _SECRET_PARAMETER.sub(_hidden, text) if "=" in text else text


def _hidden(found: re.Match[str]) -> str:
    """Return a parameter without its value; a file's name in capitals and an ellipsis are placeholders."""
    is_placeholder = found[1].endswith(("file=", "secret=")) and _PLACEHOLDER.match(found[2])
    return found[0] if is_placeholder else f"{found[1]}{MASK}"


def masked_address(address: str) -> str:
    """Return the address of a server without user and password, whatever characters they have, and without a fragment.

    >>> masked_address("postgres://me:p@ss/w?rd@db/logs?sslpassword=x"), masked_address("duckdb")
    ('postgres://db/logs?sslpassword=***', 'duckdb')
    >>> masked_address("https://me:secret@prometheus:9090/api/@me?x=1#y")
    'https://prometheus:9090/api/@me?x=1'
    """
    scheme, found, rest = address.partition("://")
    if not found:
        return masked(address)
    if scheme.lower() in ("http", "https"):  # an @ may stand in their paths, and passwords are percent-encoded
        return masked(address).partition("#")[0]
    return masked(f"{scheme}://{rest.rpartition('@')[2]}")
