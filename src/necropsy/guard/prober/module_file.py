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

import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

from necropsy.guard.prober import client_fields as client
from necropsy.guard.prober.cel import refused
from necropsy.guard.prober.module import HeaderRule, HttpModule
from necropsy.probes.prometheus.blackbox.validity import PROBERS, check_module
from necropsy.probes.prometheus.validity.http_client import CLIENT_FIELDS
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node

OTHER_PROBERS: Final = tuple(name for name in PROBERS if name != "http")
DELEGATE: Final = "Delegate this module to a blackbox exporter: necropsy prober --delegate URL."


def read_modules(text: str, file: str, *, delegates: bool = False) -> dict[str, HttpModule]:
    """Read the modules of a ``blackbox.yml``.

    Parameters
    ----------
    delegates
        Whether another exporter takes the modules that this prober cannot serve: they are left out then, not refused.

    Raises
    ------
    ConfigurationError
        Not YAML, an unknown key, a value of the wrong kind, or something that this prober cannot do.
    """
    root = parse_yaml(text, file)
    client.known(root, ("modules",), "the configuration")
    modules = root.get("modules")
    read = {}
    for name, node in modules.items() if modules is not None else ():
        try:
            read[name] = _module(name, node)
        except client.NotServedError:
            if not delegates:
                raise
    return read


def _module(name: str, node: Node) -> HttpModule:
    client.known(node, ("prober", "timeout", "http", *OTHER_PROBERS), f"module {name}")
    prober = client.text(node, "prober")
    if prober in OTHER_PROBERS:
        reason = f"module {name}: prober {prober!r} is not served here"
        raise client.not_served(node.get("prober") or node, reason, f"Only http modules are. {DELEGATE}")
    http = node.get("http")
    fields = () if http is None else (*_FIELDS, *_SPECIAL, *CLIENT_FIELDS)
    if http is not None:
        client.known(http, fields, f"module {name}")
    for wrong in check_module(node, dict(node.items())):
        raise wrong
    timeout = node.get("timeout")
    seconds = client.duration_s(timeout) if timeout is not None and timeout.kind != "null" else None
    if http is None or http.kind == "null":
        return HttpModule(name, seconds)
    if (asked := http.get("enable_http3")) is not None and client.boolean(asked):
        raise client.not_served(asked, f"module {name}: HTTP/3 is not served here", DELEGATE)
    values: dict[str, Any] = {}
    for key, (target, read) in _FIELDS.items():
        given = http.get(key)
        if given is not None and given.kind != "null":
            values[target] = read(given)
    if (old := http.get("no_follow_redirects")) is not None and old.kind != "null":
        values["follow_redirects"] = not client.boolean(old)
    values |= {"proxy": client.proxy(http), "credentials": client.credentials(http)}
    return HttpModule(name, seconds, **values)


def _numbers(node: Node) -> tuple[int, ...]:
    for element in node.elements:
        if not element.text().isdecimal():
            raise client.error(element, f"expected a number, not {element.text()!r}", "For example [200, 302].")
    return tuple(int(text) for text in client.texts(node))


def _regexps(node: Node) -> tuple[str, ...]:
    import re2

    for element in node.elements:
        try:
            re2.compile(element.text())
        except re2.error as error:
            reason = f"not a regular expression: {error}"
            raise client.error(element, reason, "RE2 syntax: no look-around.") from None
    return client.texts(node)


def _header_rules(node: Node) -> tuple[HeaderRule, ...]:
    rules = []
    for element in node.elements:
        missing = element.get("allow_missing")
        allowed = missing is not None and client.boolean(missing)
        rules.append(HeaderRule(client.text(element, "header"), client.text(element, "regexp"), allowed))
    return tuple(rules)


def _cel(node: Node) -> str:
    if (why := refused(node.text())) is not None:
        raise client.error(node, f"not a CEL expression: {why}", "For example body.status == 'UP'.")
    return node.text()


_COMPRESSIONS: Final = ("", "identity", "gzip", "deflate", "br")


def _compression(node: Node) -> str:
    name = node.text().lower()
    if name not in _COMPRESSIONS:
        known = ", ".join(filter(None, _COMPRESSIONS))
        raise client.error(node, f"unknown compression {node.text()!r}", f"Known: {known}.")
    if name == "br" and find_spec("brotli") is None:
        raise client.error(node, "Brotli needs the package brotli", "pip install 'necropsy[guard]'")
    return name


_UNITS: Final = {"B": 1, "KB": 1 << 10, "KIB": 1 << 10, "MB": 1 << 20, "MIB": 1 << 20, "GB": 1 << 30, "GIB": 1 << 30}
_SIZE: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([KMG]?I?B)", re.IGNORECASE)


def _size(node: Node) -> int:
    """Read ``10MB`` or ``1GB512MB``; 0 needs no unit."""
    text = node.text()
    if text == "0":
        return 0
    parts = _SIZE.findall(text)
    if (
        "".join(number + unit for number, unit in parts) != text
        or not parts
        or any(u.upper() not in _UNITS for _, u in parts)
    ):
        raise client.error(node, f"not a size: {text!r}", "For example 10MB.")
    return sum(int(float(number) * _UNITS[unit.upper()]) for number, unit in parts)


def _body_file(node: Node) -> str:
    client.readable(node)
    return node.text()


_FIELDS: Final[dict[str, tuple[str, Callable[[Node], Any]]]] = {
    "method": ("method", lambda node: node.text() or "GET"),
    "headers": ("headers", lambda node: {name: value.text() for name, value in node.items()}),
    "http_headers": ("more_headers", client.more_headers),
    "body": ("body", lambda node: node.text().encode()),
    "body_file": ("body_file", _body_file),
    "follow_redirects": ("follow_redirects", client.boolean),
    "valid_status_codes": ("valid_status_codes", _numbers),
    "valid_http_versions": ("valid_http_versions", client.texts),
    "fail_if_ssl": ("fail_if_ssl", client.boolean),
    "fail_if_not_ssl": ("fail_if_not_ssl", client.boolean),
    "fail_if_body_matches_regexp": ("body_matches", _regexps),
    "fail_if_body_not_matches_regexp": ("body_not_matches", _regexps),
    "fail_if_body_json_matches_cel": ("json_matches", _cel),
    "fail_if_body_json_not_matches_cel": ("json_not_matches", _cel),
    "fail_if_header_matches": ("header_matches", _header_rules),
    "fail_if_header_not_matches": ("header_not_matches", _header_rules),
    "body_size_limit": ("body_size_limit", _size),
    "compression": ("compression", _compression),
    "enable_http2": ("enable_http2", client.boolean),
    "preferred_ip_protocol": ("preferred_ip_protocol", Node.text),
    "ip_protocol_fallback": ("ip_protocol_fallback", client.boolean),
    "tls_config": ("tls", client.tls),
    "skip_resolve_phase_with_proxy": ("skip_resolve_with_proxy", client.boolean),
    "oauth2": ("oauth2", client.oauth2),
}
"""Keys that are read each by itself."""
_SPECIAL: Final = ("enable_http3", "no_follow_redirects")
