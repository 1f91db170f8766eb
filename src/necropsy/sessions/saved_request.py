"""The creator of a session, from Spring Security's saved request: read as text, from a JDK stream or from JSON.

A servlet application keeps a ``DefaultSavedRequest`` with all headers, the method and the URL; a reactive one keeps
path and query alone. Of all that, four things are taken. Cookies, Authorization, queries and parameters stay behind, and
a session id that the container wrote into the path (``;jsessionid=``) is cut off.

Source: spring-security ``web/savedrequest/DefaultSavedRequest.java``,
``web/server/savedrequest/WebSessionServerRequestCache.java``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from necropsy.sessions import jdk
from necropsy.sessions.folding import fold_path

_OBJECT: Final = 0x73
"""``TC_OBJECT``: what follows a header's name in the stream is the list of its values."""
_METHODS: Final = frozenset(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])
_SCHEMES: Final = frozenset({"http", "https"})
_URL: Final = re.compile(r"https?://([^/?#\s]*)([^\s]*)\Z")
_HOST: Final = re.compile(r"(?:[\w.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")
_STRING: Final = r'"((?:[^"\\]|\\.)*)"'
_JSON_HEADER: Final = r'(?i:"{}")\s*:\s*(?:\[\s*"[\w.$]+"\s*,\s*)?\[\s*' + _STRING
_JSON_TEXT: Final = r'"{}"\s*:\s*' + _STRING
_JSON_PARTS: Final = {
    "host": re.compile(_JSON_HEADER.format("host")),
    "user-agent": re.compile(_JSON_HEADER.format("user-agent")),
    "method": re.compile(_JSON_TEXT.format("method")),
    "url": re.compile(_JSON_TEXT.format("requestURL")),
    "path": re.compile(_JSON_TEXT.format("requestURI")),
}
_ERROR: Final = "/error"
"""Boot dispatches what was refused to this page, where it is saved as a GET whatever it was: nobody asked for it."""
_LONGEST_AGENT: Final = 256
_LONGEST_PATH: Final = 256


class SavedRequest(NamedTuple):
    """The request that created a session, as far as the session names it."""

    user_agent: str | None = None
    host: str | None = None
    method: str | None = None
    path: str | None = None


NOBODY: Final = SavedRequest()


def creator(value: bytes) -> SavedRequest:
    r"""Read a serialized saved request, which may have been cut off. Arbitrary bytes never raise.

    >>> creator(jdk.STRING_HEADER + b"\0\x0c/orders?id=1")
    SavedRequest(user_agent=None, host=None, method=None, path='/orders')
    >>> creator(b'{"headers":{"Host":["a:80"]},"method":"GET","requestURI":"/a;jsessionid=7"}')
    SavedRequest(user_agent=None, host='a:80', method='GET', path='/a')
    """
    if value.startswith(jdk.STREAM_MAGIC):
        strings = list(jdk.walk(value))
        if value.startswith(jdk.STRING_HEADER):
            return SavedRequest(path=_path(strings[0][0])) if strings else NOBODY
        return _of_stream(strings)
    text = value.decode("utf-8", "replace").lstrip()
    if text.startswith('"'):
        whole = re.match(_STRING, text)
        return SavedRequest(path=_path(_plain(whole[1]))) if whole else NOBODY
    if text.startswith(("{", "[")):
        return _of_json(text)
    return NOBODY


def _of_stream(strings: Iterable[tuple[str, int]]) -> SavedRequest:
    """Read the strings of a ``DefaultSavedRequest`` in the order of its fields: headers, method, parameters, URL, scheme.

    A header may hold anything, a URL (Referer) or a method too: the method is the one before the parameters' map, the
    URL the one before its own scheme.
    """
    found: dict[str, str] = {}
    header = previous = ""
    for text, follower in strings:
        if header:
            found.setdefault(header, text)
            header = ""
        elif follower == _OBJECT and text.lower() in {"host", "user-agent"}:
            header = text.lower()
        elif follower == _OBJECT and text in _METHODS:
            found["method"] = text
        elif text in _SCHEMES and previous.startswith(text + "://"):
            found["url"] = previous
        previous = text
    return _creator(found)


def _of_json(text: str) -> SavedRequest:
    matches = {name: pattern.search(text) for name, pattern in _JSON_PARTS.items()}
    return _creator({name: _plain(match[1]) for name, match in matches.items() if match})


def _creator(found: dict[str, str]) -> SavedRequest:
    url = _URL.match(found.get("url", ""))
    host = found.get("host") or (url[1].rpartition("@")[2] if url else "")
    path = _path(found.get("path") or (url[2] or "/" if url else ""))
    dispatched = path is not None and path.endswith(_ERROR)
    agent = _UNPRINTABLE.sub(" ", found.get("user-agent", "")).strip()[:_LONGEST_AGENT]
    return SavedRequest(
        user_agent=agent or None,
        host=host.lower() if _HOST.match(host) else None,
        method=found["method"] if found.get("method") in _METHODS and not dispatched else None,
        path=None if dispatched else path,
    )


def _path(text: str) -> str | None:
    """Keep the path alone: no query, no path parameters (an id may be one), nothing that looks like a token."""
    path = _UNPRINTABLE.sub("*", re.sub(r";[^/?#]*", "", re.split(r"[?#]", text, maxsplit=1)[0]))
    return fold_path(path)[:_LONGEST_PATH] if path.startswith("/") else None


def _plain(escaped: str) -> str:
    try:
        return str(json.loads(f'"{escaped}"'))
    except ValueError:
        return ""
