"""The request that Go's HTTP client makes of a URL as written, and URLs that may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from necropsy._internal.masking import MASK, SECRET_WORDS, masked
from necropsy.model.evidence import Origin
from necropsy.probes.http.url import unrequestable

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_ENCODED_AS_IS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~!$&'()*+,;=:@/[]%")
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@")
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f]")
_USERINFO: Final = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*", re.ASCII)
_ESCAPED: Final = re.compile(rb"%([0-9a-fA-F]{2})")
_SECRET_NAME: Final = re.compile(rf"(?i)^__param_.*(?:{SECRET_WORDS})")
_SECRET_RULE: Final = re.compile(rf"(?i)(\b__param_\S*(?:{SECRET_WORDS})\S* (?:to|=) ).*")


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """An absolute http(s) URL as Go's client would request it."""

    scheme: str
    host: str
    """Host and port as written: the Host header."""
    target: str
    """Target of the request line: path and query, encoded."""
    written: str = "/"
    """Path, query and fragment as Go prints the URL, without a path if none was written: for a Referer."""
    authorized: bool = False
    """A user was written in front of the host: sent as basic authentication, never shown."""

    @property
    def hostname(self) -> str:
        """Host without port and brackets."""
        return split_port(self.host)[0]

    @property
    def port(self) -> int:
        """Port, the scheme's if none is written."""
        return split_port(self.host)[1] or _DEFAULT_PORTS[self.scheme]

    @property
    def text(self) -> str:
        """The URL in full, without user, with a path in any case."""
        return f"{self.scheme}://{self.host}{self.target}"


def split_port(host: str) -> tuple[str, int]:
    """Split a host and its port; 0 when no port is written.

    >>> split_port("a:8080"), split_port("[::1]"), split_port("<address>:80"), split_port("a:")
    (('a', 8080), ('::1', 0), ('<address>', 80), ('a', 0))
    """
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port or not (port.isdigit() or not port):
        name, port = host, ""
    return name.removeprefix("[").removesuffix("]"), int(port or 0)


def parse_http_url(text: str) -> HttpUrl | str:
    """Parse an absolute http(s) URL as Go's ``url.Parse``; a reason, in words, if no request can be made of it.

    >>> parse_http_url("http://a:80/x y?q=1#f").target
    '/x%20y?q=1'
    >>> parse_http_url("http://a:port/")
    "invalid port ':port' after host"
    """
    if _CONTROL.search(text):
        return "a control character in the URL"
    before, sharp, fragment = text.partition("#")
    scheme, _, rest = before.partition("://")
    scheme = scheme.lower()
    rest, mark, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    path = slash + path
    user, at, host = authority.rpartition("@")
    if not _USERINFO.fullmatch(user):
        return "a user that must be escaped"
    problem = unrequestable(scheme, host) or _bad_escape(path) or _bad_escape(fragment)
    if problem:
        return problem
    if not split_port(host)[0]:
        return "no host in the URL"
    if split_port(host)[1] > 65535:
        return f"port {split_port(host)[1]} is larger than 65535"
    path = _encoded(path)
    written = f"{path}{mark}{query}{sharp if fragment else ''}{fragment}"
    return HttpUrl(scheme, host, (path or "/") + mark + query, written, bool(at))


def _bad_escape(text: str) -> str:
    """Return why Go cannot unescape a path or fragment; empty if it can."""
    place = text.find("%")
    while place >= 0:
        digits = text[place + 1 : place + 3]
        if len(digits) < 2 or not _HEX.issuperset(digits):
            return f'invalid URL escape "{text[place : place + 3]}"'
        place = text.find("%", place + 3)
    return ""


def _encoded(path: str) -> str:
    """Return the path as sent (``URL.EscapedPath``): as written if that is a valid encoding, else encoded anew."""
    if _ENCODED_AS_IS.issuperset(path):
        return path
    data = _ESCAPED.sub(lambda match: bytes((int(match[1], 16),)), path.encode("utf-8", "surrogatepass"))
    return "".join(chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in data)


def path_of(url: str) -> str:
    """Return the path of a URL, without query; ``/`` if it has none.

    >>> path_of("http://localhost:8080/health?full=1"), path_of("http://localhost")
    ('/health', '/')
    """
    rest = url.partition("://")[2] or url
    place = re.search("[/?#]", rest)
    return (re.split("[?#]", rest[place.start() :], maxsplit=1)[0] if place else "") or "/"


def presentable(url: str) -> tuple[str, str, int, str]:
    """Return a URL that may be shown, with its host, port and path; for one that cannot be requested, its best guess.

    >>> presentable("http://u:p@localhost:8080/health?key=1")
    ('http://localhost:8080/health?key=***', 'localhost', 8080, '/health?key=***')
    """
    parsed = parse_http_url(url)
    if isinstance(parsed, str):
        return masked(url), "", 0, "/"
    return masked(parsed.text), parsed.hostname, parsed.port, masked(parsed.target)


def mask_labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return labels sorted by name, without the secrets that a parameter or a URL may hold.

    >>> mask_labels({"b": "http://u:p@a/", "__param_token": "abc"})
    (('__param_token', '***'), ('b', 'http://a/'))
    """
    return tuple([(name, MASK if _is_secret(name) else masked(value)) for name, value in sorted(labels.items())])


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def set_headers(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return headers that a configuration sets, without their values; Host and User-Agent have fields of their own.

    >>> set_headers(["Authorization", "host"])
    (('Authorization', '***'),)
    """
    return tuple((name, MASK) for name in dict.fromkeys(names) if name.lower() not in ("host", "user-agent"))


def mask_chain(chain: Iterable[Origin]) -> tuple[Origin, ...]:
    """Return a chain of lines whose descriptions hold no secrets.

    >>> mask_chain([Origin("p.yml", 3, "sets __param_token to abc"), Origin("p.yml", 4, "target http://u:p@a")])[0].what
    'sets __param_token to ***'
    """
    return tuple([_masked_origin(origin) for origin in chain])


def _masked_origin(origin: Origin) -> Origin:
    what = origin.what
    # Most lines have nothing to hide, and some are those of one target alone: a memory would only grow.
    if "@" not in what and "=" not in what and "__param_" not in what:
        return origin
    hidden = _masked_rule(what)
    return origin if hidden == what else Origin(origin.file, origin.line, hidden)


@lru_cache(maxsize=4096)
def _masked_rule(what: str) -> str:
    return _SECRET_RULE.sub(rf"\1{MASK}", masked(what))
