"""URLs as Go builds them (net/url): what escapes, what does not, and which ones cannot be requested at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

_ALWAYS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_PATH: Final = _ALWAYS | frozenset(b"$&+,/:;=@")
_HOST: Final = _ALWAYS | frozenset(b"!$&'()*+,;=:[]<>\"")


_NO_HOST: Final = re.compile(
    "[{}]".format("".join(re.escape(chr(byte)) for byte in range(128) if byte not in _HOST and byte != ord("%")))
)


def _table(kept: frozenset[int]) -> tuple[str, ...]:
    return tuple(chr(byte) if byte in kept else f"%{byte:02X}" for byte in range(256))


_QUERY_TABLE: Final = (*_table(_ALWAYS)[:32], "+", *_table(_ALWAYS)[33:])
_PATH_TABLE: Final = _table(_PATH)
_HOST_TABLE: Final = _table(_HOST)


def _escape(text: str, table: tuple[str, ...]) -> str:
    return "".join([table[byte] for byte in text.encode("utf-8", "surrogatepass")])


@lru_cache(maxsize=65_536)
def query_escape(text: str) -> str:
    """Escape a key or value of a query (``url.QueryEscape``).

    >>> query_escape("http://a b/?x=ü~")
    'http%3A%2F%2Fa+b%2F%3Fx%3D%C3%BC~'
    """
    return _escape(text, _QUERY_TABLE)


@lru_cache(maxsize=4096)
def path_escape(path: str) -> str:
    """Escape a decoded path (``URL.EscapedPath``): a ``?`` in ``metrics_path`` is no query.

    >>> path_escape("/m?x=1"), path_escape("/sp ace+p~*(:@&=,;"), path_escape("/a%2Fb")
    ('/m%3Fx=1', '/sp%20ace+p~%2A%28:@&=,;', '/a%252Fb')
    """
    return "*" if path == "*" else _escape(path, _PATH_TABLE)


@lru_cache(maxsize=65_536)
def _host_escape(host: str) -> str:
    return _escape(host, _HOST_TABLE)


def encode_query(params: Mapping[str, Iterable[str]]) -> str:
    """Encode parameters sorted by key, bytewise, values in their order (``url.Values.Encode``).

    >>> encode_query({"target": ["a:1", ""], "Z": ["1"]})
    'Z=1&target=a%3A1&target='
    """
    return "&".join(
        [
            f"{query_escape(key)}={query_escape(value)}"
            for key in sorted(params, key=lambda key: key.encode("utf-8", "surrogatepass"))
            for value in params[key]
        ]
    )


def build_url(scheme: str, host: str, path: str, query: str) -> str:
    """Put a URL together (``URL.String``) from a decoded path and an encoded query.

    >>> build_url("http", "172.12.1.189:8080", "noslash", "")
    'http://172.12.1.189:8080/noslash'
    """
    url = f"{scheme}:" if scheme else ""
    if host or (scheme and path):
        url += "//"
    url += _host_escape(host)
    escaped = path_escape(path)
    if escaped and escaped[0] != "/" and host:
        url += "/"
    return f"{url}{escaped}?{query}" if query else url + escaped


def request_path(path: str, query: str) -> str:
    """Return what the request line of a GET carries for a decoded path and an encoded query.

    >>> request_path("", "module=http_2xx")
    '/?module=http_2xx'
    """
    escaped = path_escape(path)
    if not escaped.startswith("/"):
        escaped = f"/{escaped}"
    return f"{escaped}?{query}" if query else escaped


def unrequestable(scheme: str, host: str) -> str:
    """Return why Go's HTTP client never sends a request to such a URL; empty if it does.

    >>> unrequestable("http", "user:secret@host:80")
    'an address cannot contain @'
    """
    if scheme not in ("http", "https"):
        return f"unsupported protocol scheme {scheme!r}"
    if not host:
        return "no host in the URL"
    if bad := _NO_HOST.search(host):
        return f"an address cannot contain {bad[0]}"
    if "%" in host and not host.startswith("["):
        return "an address cannot contain %"
    return _port_problem(host)


def _port_problem(host: str) -> str:
    """Return what is wrong with the port (``url.validOptionalPort``)."""
    rest = host[host.rfind("]") + 1 :] if host.startswith("[") else host[host.rfind(":") :] if ":" in host else ""
    if host.startswith("[") and "]" not in host:
        return "missing ']' in host"
    if rest and (rest[0] != ":" or not all(digit in "0123456789" for digit in rest[1:])):
        return f"invalid port {rest!r} after host"
    return ""


def split_host_port(address: str) -> tuple[str, str] | None:
    """Split ``host:port`` as Go's ``net.SplitHostPort``; None if there is no port or the address is malformed.

    >>> split_host_port("[::1]:443"), split_host_port("::1"), split_host_port("host:")
    (('::1', '443'), None, ('host', ''))
    """
    colon = address.rfind(":")
    if colon < 0:
        return None
    inner = outer = 0
    if address.startswith("["):
        bracket = address.find("]")
        if bracket < 0 or bracket + 1 != colon:
            return None
        host, inner, outer = address[1:bracket], 1, bracket + 1
    else:
        host = address[:colon]
        if ":" in host:
            return None
    if "[" in address[inner:] or "]" in address[outer:]:
        return None
    return host, address[colon + 1 :]
