"""Session cookies of a log, folded to two answers a line: did the request bring one, did the answer give one.

No value is kept, not even hashed: a cookie is a bearer credential. What is read is the whole header (nginx ``$http_cookie``,
``$sent_http_set_cookie``; Apache ``%{Cookie}i``, ``%{Set-Cookie}o``; such keys of JSON), in which names of session cookies are
looked for, or one cookie by its name (``$cookie_JSESSIONID``). Caddy writes ``REDACTED`` for both headers: that there was a
cookie is then all that is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from necropsy._internal.sql_quoting import literal
from necropsy.sessions.cookie_names import SESSION_COOKIE, is_session_cookie
from necropsy.visits.line_flags import COOKIE_SENT, COOKIE_SET, EMPTY_BODY, TELLS_COOKIE_SENT, TELLS_COOKIE_SET

FIELDS: Final = ("cookie", "own_cookie", "set_cookie", "own_set_cookie")
"""Fields of a line that tell: the whole header of the request, one cookie of it; the same of the answer."""
IN_HEADER: Final = rf"(?i)(?:^|[;,\[\"] ?)(?:{SESSION_COOKIE})=[^;, ]|REDACTED"
"""Finds a session cookie in a header; RE2 and Python alike."""
TELLING: Final = (*FIELDS, "body")
"""Fields of a line that tell its flags: those of cookies; bytes of the response's body."""
_FINDS: Final = re.compile(IN_HEADER, re.ASCII)
NO_BYTES: Final = ("0", "-")
"""How logs write that the response had no body; what is sent with its headers counted in is never so little."""
_TOLD: Final = (
    ("cookie", "own_cookie", COOKIE_SENT, TELLS_COOKIE_SENT),
    ("set_cookie", "own_set_cookie", COOKIE_SET, TELLS_COOKIE_SET),
)
_VARIABLE: Final = re.compile(r"(upstream_)?cookie_(\w+)")
_REQUEST_HEADERS: Final = frozenset({"http_cookie"})
_ANSWER_HEADERS: Final = frozenset({"sent_http_set_cookie", "upstream_http_set_cookie"})


def field_of(variable: str) -> str | None:
    """Return which of ``FIELDS`` a variable of a ``log_format`` is.

    >>> field_of("http_cookie"), field_of("cookie_JSESSIONID"), field_of("sent_http_set_cookie"), field_of("cookie_theme")
    ('cookie', 'own_cookie', 'set_cookie', None)
    """
    if variable in _REQUEST_HEADERS:
        return "cookie"
    if variable in _ANSWER_HEADERS:
        return "set_cookie"
    named = _VARIABLE.fullmatch(variable)
    if named is None or not is_session_cookie(named[2]):
        return None
    return "own_set_cookie" if named[1] else "own_cookie"


def field_of_key(name: str) -> str | None:
    """Return which of ``FIELDS`` a key of JSON is, by its name without case and punctuation.

    >>> field_of_key("requestheaderscookie"), field_of_key("resphdrssetcookie"), field_of_key("cookiejsessionid")
    ('cookie', 'set_cookie', 'own_cookie')
    >>> field_of_key("phpsessid"), field_of_key("cookieconsent"), field_of_key("sessions")
    ('own_cookie', None, None)
    """
    if name.endswith("setcookie"):
        return "set_cookie"
    if name.endswith(("cookie", "cookies")):
        return "cookie"
    _, found, cookie = name.rpartition("cookie")
    if name in {"jsessionid", "phpsessid", "connectsid", "aspnetsessionid"} or (found and is_session_cookie(cookie)):
        return "own_set_cookie" if name.startswith("upstream") else "own_cookie"
    return None


def flags_of(
    value: Mapping[str, int],
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...], int]:
    """Return for the scanner: headers with the flags that they set, single cookies with theirs, flags that all lines have.

    Parameters
    ----------
    value
        The places of the fields' values.
    """
    headers = tuple((value[header], bit) for header, _, bit, _ in _TOLD if header in value)
    own_ones = tuple((value[own], bit) for _, own, bit, _ in _TOLD if own in value)
    return headers, own_ones, sum(told for header, own, _, told in _TOLD if header in value or own in value)


def sql(values: Mapping[str, str]) -> str:
    """Return the DuckDB expression of a line's flags, from those of the fields' values; empty where a log tells nothing."""
    parts = []
    for header, own, bit, told in _TOLD:
        tests = [f"regexp_matches({values[header]}, {literal(IN_HEADER)})"] if header in values else []
        tests += [f"{values[own]} NOT IN ('', '-')"] if own in values else []
        if tests:
            any_of = " OR ".join(f"coalesce({test}, FALSE)" for test in tests)
            parts.append(f"CASE WHEN {any_of} THEN {bit | told} ELSE {told} END")
    if "body" in values:
        parts.append(f"CASE WHEN {values['body']} IN {NO_BYTES} THEN {EMPTY_BODY} ELSE 0 END")
    return f"({' + '.join(parts)})::TINYINT" if parts else ""


def flags(values: Mapping[str, str | None]) -> int:
    """Return a line's flags, from the values of its fields."""
    found = 0
    for header, own, bit, told in _TOLD:
        if header in values or own in values:
            sent = bool(_FINDS.search(values.get(header) or "")) or (values.get(own) or "") not in {"", "-"}
            found |= bit | told if sent else told
    return found | (EMPTY_BODY if values.get("body") in NO_BYTES else 0)
