"""Modules of ``blackbox.yml``: the http prober in full; what this prober cannot do is refused by name and line.

::

    modules:
      http_2xx:
        prober: http
        timeout: 5s
        http:
          valid_status_codes: [200, 302]
          fail_if_body_not_matches_regexp: ["UP"]

Source: github.com/prometheus/blackbox_exporter, CONFIGURATION.md, 0.28.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus.duration import parse_duration
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node
from necropsy.wire.http import basic_authorization

OTHER_PROBERS: Final = ("tcp", "dns", "icmp", "grpc", "unix", "websocket")
_NOT_YET: Final = {
    "fail_if_body_json_matches_cel": "CEL expressions",
    "fail_if_body_json_not_matches_cel": "CEL expressions",
    "oauth2": "OAuth 2",
    "enable_http3": "HTTP/3",
    "use_http3": "HTTP/3",
    "proxy_url": "proxies",
    "proxy_from_environment": "proxies",
    "proxy_connect_header": "proxies",
    "skip_resolve_phase_with_proxy": "proxies",
    "no_proxy": "proxies",
}


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """One of ``fail_if_header_matches`` or ``fail_if_header_not_matches``."""

    header: str
    regexp: str
    allow_missing: bool = False


@dataclass(frozen=True, slots=True)
class Tls:
    """``tls_config``."""

    insecure_skip_verify: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class HttpModule:
    """Settings of a request to a target, and conditions of its success."""

    name: str
    timeout_s: float | None = None
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    follow_redirects: bool = True
    valid_status_codes: tuple[int, ...] = ()
    """Empty: 200 to 299."""
    valid_http_versions: tuple[str, ...] = ()
    """``HTTP/1.1``, ``HTTP/2.0``; empty: any."""
    fail_if_ssl: bool = False
    fail_if_not_ssl: bool = False
    body_matches: tuple[str, ...] = ()
    """``fail_if_body_matches_regexp``."""
    body_not_matches: tuple[str, ...] = ()
    header_matches: tuple[HeaderRule, ...] = ()
    header_not_matches: tuple[HeaderRule, ...] = ()
    body_size_limit: int = 0
    """Bytes; 0: none."""
    compression: str = ""
    enable_http2: bool = True
    preferred_ip_protocol: str = "ip6"
    ip_protocol_fallback: bool = True
    tls: Tls = Tls()


def read_modules(text: str, file: str) -> dict[str, HttpModule]:
    """Read the modules of a ``blackbox.yml``.

    Raises
    ------
    ConfigurationError
        Not YAML, an unknown key, a value of the wrong kind, or something that this prober cannot do.
    """
    root = parse_yaml(text, file)
    _known(root, ("modules",), "the configuration")
    modules = root.get("modules")
    return {name: _module(name, node) for name, node in (modules.items() if modules is not None else ())}


def _module(name: str, node: Node) -> HttpModule:
    _known(node, ("prober", "timeout", "http", *OTHER_PROBERS), f"module {name}")
    prober = _text(node, "prober")
    if prober != "http":
        known = prober in OTHER_PROBERS
        raise _error(
            node.get("prober") or node,
            f"module {name}: prober {prober!r} is not served here"
            if known
            else f"module {name}: unknown prober {prober!r}",
            "Only http modules are. Delegate the others to a blackbox exporter: necropsy prober --delegate URL.",
        )
    timeout = node.get("timeout")
    http = node.get("http")
    seconds = _duration(timeout) if timeout is not None else None
    if http is None or http.kind == "null":
        return HttpModule(name, seconds)
    _known(
        http, tuple(_FIELDS) + tuple(_NOT_YET) + _CREDENTIALS + ("body_file", "no_follow_redirects"), f"module {name}"
    )
    for key, what in _NOT_YET.items():
        asked = http.get(key)
        if asked is not None and asked.value not in ("false", "", None):
            raise _error(
                asked, f"module {name}: {what} are not served here", "Delegate this module to a blackbox exporter."
            )
    values: dict[str, Any] = {}
    for key, (target, read) in _FIELDS.items():
        given = http.get(key)
        if given is not None and given.kind != "null":
            values[target] = read(given)
    values["headers"] = values.get("headers", {}) | _authorization(http)
    if (old := http.get("no_follow_redirects")) is not None:
        values["follow_redirects"] = not _boolean(old)
    if (path := http.get("body_file")) is not None:
        values["body"] = _file(path)
    return HttpModule(name, seconds, **values)


_CREDENTIALS: Final = ("basic_auth", "authorization", "bearer_token", "bearer_token_file")


def _authorization(http: Node) -> dict[str, str]:
    """Return the Authorization header that the credentials of a module make."""
    if (basic := http.get("basic_auth")) is not None:
        _known(basic, ("username", "username_file", "password", "password_file"), "basic_auth")
        user, password = _secret(basic, "username"), _secret(basic, "password")
        return {"Authorization": basic_authorization(user, password)}
    if (authorization := http.get("authorization")) is not None:
        _known(authorization, ("type", "credentials", "credentials_file"), "authorization")
        kind = _text(authorization, "type") or "Bearer"
        return {"Authorization": f"{kind} {_secret(authorization, 'credentials')}"}
    if http.get("bearer_token") is not None or http.get("bearer_token_file") is not None:
        return {"Authorization": f"Bearer {_secret(http, 'bearer_token')}"}
    return {}


def _secret(node: Node, key: str) -> str:
    path = node.get(f"{key}_file")
    return _file(path).decode().strip() if path is not None else _text(node, key)


def _file(node: Node) -> bytes:
    """Read a file that a module names: from the working folder, as blackbox does, and not from the configuration's."""
    path = Path(node.text())
    try:
        return path.read_bytes()
    except OSError as error:
        raise _error(node, f"{path}: {error.strerror}", "Name a file that this user may read.") from error


def _known(node: Node, keys: tuple[str, ...], what: str) -> None:
    if node.kind == "null":
        return
    if node.kind != "mapping":
        raise _error(node, f"{what}: expected a mapping", "See CONFIGURATION.md of the blackbox exporter.")
    for key in dict(node.items()):
        if key not in keys:
            raise _error(node.key(key) or node, f"{what}: unknown key {key!r}", f"Known: {', '.join(sorted(keys))}.")


def _error(node: Node, reason: str, hint: str) -> ConfigurationError:
    return ConfigurationError(node.file, node.line, reason, hint=hint)


def _text(node: Node, key: str) -> str:
    value = node.get(key)
    return value.text() if value is not None and value.kind == "scalar" else ""


def _duration(node: Node) -> float:
    try:
        return parse_duration(node.text()) / 1000
    except ValueError as error:
        raise _error(node, str(error), "For example 5s.") from None


def _boolean(node: Node) -> bool:
    if node.value not in ("true", "false"):
        raise _error(node, f"expected true or false, not {node.value!r}", "Write true or false.")
    return node.value == "true"


def _texts(node: Node) -> tuple[str, ...]:
    if node.kind != "sequence":
        raise _error(node, "expected a list", "Write [one, two].")
    return tuple(element.text() for element in node.elements)


def _numbers(node: Node) -> tuple[int, ...]:
    for element in node.elements:
        if not element.text().isdecimal():
            raise _error(element, f"expected a number, not {element.text()!r}", "For example [200, 302].")
    return tuple(int(text) for text in _texts(node))


def _regexps(node: Node) -> tuple[str, ...]:
    import re2

    for element in node.elements:
        try:
            re2.compile(element.text())
        except re2.error as error:
            raise _error(element, f"not a regular expression: {error}", "RE2 syntax: no look-around.") from None
    return _texts(node)


def _header_rules(node: Node) -> tuple[HeaderRule, ...]:
    rules = []
    for element in node.elements:
        _known(element, ("header", "regexp", "allow_missing"), "a header rule")
        missing = element.get("allow_missing")
        rules.append(
            HeaderRule(_text(element, "header"), _text(element, "regexp"), missing is not None and _boolean(missing))
        )
    return tuple(rules)


def _headers(node: Node) -> dict[str, str]:
    return {name: value.text() for name, value in node.items()}


_SIZES: Final = {"B": 1, "KB": 1 << 10, "KIB": 1 << 10, "MB": 1 << 20, "MIB": 1 << 20, "GB": 1 << 30, "GIB": 1 << 30}


def _size(node: Node) -> int:
    text = node.text().upper()
    digits = text.rstrip("BKMGI")
    if not digits.isdecimal() or (text[len(digits) :] or "B") not in _SIZES:
        raise _error(node, f"not a size: {node.text()!r}", "For example 10MB.")
    return int(digits) * _SIZES[text[len(digits) :] or "B"]


def _tls(node: Node) -> Tls:
    known = ("insecure_skip_verify", "ca_file", "cert_file", "key_file", "server_name")
    _known(node, known, "tls_config")
    skip = node.get("insecure_skip_verify")
    return Tls(
        insecure_skip_verify=skip is not None and _boolean(skip),
        ca_file=_text(node, "ca_file") or None,
        cert_file=_text(node, "cert_file") or None,
        key_file=_text(node, "key_file") or None,
        server_name=_text(node, "server_name"),
    )


_FIELDS: Final[dict[str, tuple[str, Callable[[Node], Any]]]] = {
    "method": ("method", Node.text),
    "headers": ("headers", _headers),
    "body": ("body", lambda node: node.text().encode()),
    "follow_redirects": ("follow_redirects", _boolean),
    "valid_status_codes": ("valid_status_codes", _numbers),
    "valid_http_versions": ("valid_http_versions", _texts),
    "fail_if_ssl": ("fail_if_ssl", _boolean),
    "fail_if_not_ssl": ("fail_if_not_ssl", _boolean),
    "fail_if_body_matches_regexp": ("body_matches", _regexps),
    "fail_if_body_not_matches_regexp": ("body_not_matches", _regexps),
    "fail_if_header_matches": ("header_matches", _header_rules),
    "fail_if_header_not_matches": ("header_not_matches", _header_rules),
    "body_size_limit": ("body_size_limit", _size),
    "compression": ("compression", Node.text),
    "enable_http2": ("enable_http2", _boolean),
    "preferred_ip_protocol": ("preferred_ip_protocol", Node.text),
    "ip_protocol_fallback": ("ip_protocol_fallback", _boolean),
    "tls_config": ("tls", _tls),
}
