"""Prometheus' blackbox exporter: modules, and the request that a target becomes.

Source: github.com/prometheus/blackbox_exporter, config/config.go, prober/handler.go and prober/http.go, up to 0.28.

>>> module = read_modules("modules: {http_2xx: {prober: http}}", "blackbox.yml").modules["http_2xx"]
>>> first_request("172.12.1.189:8080", module).text
'http://172.12.1.189:8080/'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.probes.http.request import HttpUrl, parse_http_url
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.blackbox.validity import check_module
from necropsy.probes.prometheus.blackbox.version import Version, blackbox_version, takes_any_case
from necropsy.probes.syntax.document import parse_yaml
from necropsy.probes.syntax.node import Node

DEFAULT_MODULE: Final = "http_2xx"
HARMLESS: Final = {
    "tcp": "opens a TCP connection, sends no HTTP request",
    "icmp": "sends a ping, reaches no application",
    "dns": "queries a name server, reaches no application",
    "grpc": "calls the gRPC health service, not a page",
    "unix": "opens a socket on the exporter's own machine",
}
"""Probers that send no HTTP request, and why they create no session."""

_MODULE: Final = frozenset(("prober", "timeout", "http", "websocket", *HARMLESS))
_HTTP: Final = frozenset(
    [
        "valid_status_codes",
        "valid_http_versions",
        "preferred_ip_protocol",
        "ip_protocol_fallback",
        "skip_resolve_phase_with_proxy",
        "no_follow_redirects",
        "follow_redirects",
        "fail_if_ssl",
        "fail_if_not_ssl",
        "method",
        "headers",
        "http_headers",
        "fail_if_body_matches_regexp",
        "fail_if_body_not_matches_regexp",
        "fail_if_body_json_matches_cel",
        "fail_if_body_json_not_matches_cel",
        "fail_if_header_matches",
        "fail_if_header_not_matches",
        "body",
        "body_file",
        "compression",
        "body_size_limit",
        "enable_http2",
        "enable_http3",
        "tls_config",
        "basic_auth",
        "authorization",
        "bearer_token",
        "bearer_token_file",
        "oauth2",
        "proxy_url",
        "no_proxy",
        "proxy_from_environment",
        "proxy_connect_header",
        "use_http3",
    ]
)
# The example configuration that every release ships, as far as the names go.
_SHIPPED: Final = {
    "http_2xx": ("http", "GET"),
    "http_post_2xx": ("http", "POST"),
    "tcp_connect": ("tcp", "GET"),
    "pop3s_banner": ("tcp", "GET"),
    "ssh_banner": ("tcp", "GET"),
    "ssh_banner_extract": ("tcp", "GET"),
    "irc_banner": ("tcp", "GET"),
    "grpc": ("grpc", "GET"),
    "grpc_plain": ("grpc", "GET"),
    "icmp": ("icmp", "GET"),
    "icmp_ttl5": ("icmp", "GET"),
}


@dataclass(frozen=True, slots=True)
class Module:
    """One module: how a target is asked."""

    name: str
    prober: str
    """``http``, ``tcp``, ``icmp``, ``dns``, ``grpc``, ``unix``, ``websocket``."""
    method: str = "GET"
    host_header: str = ""
    """Host header that it sets; empty: the target's own."""
    user_agent: str = ""
    """User-Agent that it sets; empty: the exporter's own."""
    follows_redirects: bool = True
    valid_status_codes: tuple[int, ...] = ()
    """Empty: 200 to 299."""
    has_body: bool = False
    header_names: tuple[str, ...] = ()
    """Headers that it sets, credentials among them; their values are not kept."""
    origin: Origin | None = None
    """None for a module that was assumed."""
    version: Version | None = None
    """Version of the exporter, if it is known."""

    def succeeds_with(self, status: int) -> bool:
        """Whether an answer with this status counts as success, as far as the status goes."""
        return status in self.valid_status_codes if self.valid_status_codes else 200 <= status < 300


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules of one or more exporters."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    given: bool = False
    """A configuration was given; otherwise modules are assumed by their names."""
    problems: tuple[ConfigurationError, ...] = ()
    version: Version | None = None
    """Version of the exporter, if it is known."""

    def find(self, name: str) -> Module | None:
        """Return the module of this name; None if the exporter would answer 400. Without configuration, assume one.

        >>> Modules().find("icmp").prober, Modules().find("http_2xx").method, Modules(given=True).find("http_2xx")
        ('icmp', 'GET', None)
        """
        if self.given:
            return self.modules.get(name)
        prober, method = _SHIPPED.get(name, ("http", "GET"))
        if name not in _SHIPPED:
            prober = next((known for known in HARMLESS if name.startswith(known)), "http")
        return Module(name, prober, method, version=self.version)


def read_modules(text: str, file: str, *, version: str | None = None) -> Modules:
    """Read ``blackbox.yml``, as the exporter of a version does; without one, as strictly as the newest.

    Unknown fields, which the exporter refuses, are ``problems``; so are modules that cannot be read.

    Raises
    ------
    ConfigurationError
        Not YAML, or no mapping of modules.
    """
    problems: list[ConfigurationError] = []
    root = schema_checks.mapping(parse_yaml(text, file), "the blackbox exporter's configuration", ("modules",))
    modules: dict[str, Module] = {}
    found = root.get("modules")
    for name, node in found.items() if found is not None else ():
        try:
            modules[name] = _module(name, node, problems, blackbox_version(version) if version else None)
        except ConfigurationError as error:
            problems.append(error)
    return Modules(modules, given=True, problems=tuple(problems))


def _module(name: str, node: Node, problems: list[ConfigurationError], version: Version | None) -> Module:
    fields = schema_checks.mapping(node, "a module", _MODULE, problems)
    problems.extend(check_module(node, fields, version))
    prober = schema_checks.text(fields.get("prober"), "")
    http = schema_checks.mapping(fields["http"], "http", _HTTP, problems) if "http" in fields else {}
    headers = http.get("headers")
    follows = schema_checks.boolean(http.get("follow_redirects"), True)
    if "no_follow_redirects" in http:  # before 0.19
        follows = not schema_checks.boolean(http["no_follow_redirects"], False)
    return Module(
        name=name,
        prober=prober,
        method=schema_checks.text(http.get("method"), "GET") or "GET",
        host_header=_header(headers, "host"),
        user_agent=_header(headers, "user-agent"),
        follows_redirects=follows,
        valid_status_codes=tuple(
            schema_checks.integer(code) for code in schema_checks.sequence(http.get("valid_status_codes"))
        ),
        has_body="body" in http or "body_file" in http,
        header_names=tuple(_header_names(http)),
        origin=(node.key("prober") or node).origin(f"module {name}"),
        version=version,
    )


CREDENTIALS: Final = ("basic_auth", "authorization", "bearer_token", "bearer_token_file", "oauth2")


def _header_names(http: Mapping[str, Node]) -> Iterator[str]:
    for field_name in ("headers", "http_headers"):
        given = http.get(field_name)
        yield from (name for name, _ in (given.items() if given is not None else ()))
    if any(name in http for name in CREDENTIALS):
        yield "Authorization"


def _header(headers: Node | None, name: str) -> str:
    """Return one header; the others are not looked at, as they may hold credentials."""
    for key, value in headers.items() if headers is not None else ():
        if key.lower() == name:
            return value.text()
    return ""


def first_request(target: str, module: Module) -> HttpUrl | str:
    """Return what an HTTP probe asks for first, or the reason why it fails before it asks anything.

    Parameters
    ----------
    target
        The ``target`` parameter, decoded.
    module
        Its module: an http one.

    Notes
    -----
    Whatever does not begin with ``http://`` or ``https://`` (in lower case up to 0.28.0) gets ``http://`` in front; then Go
    parses it;
    an empty path becomes ``/``. The address is resolved first and asked by IP, with the Host header as it was written.
    """
    if not target:
        return "the target parameter is missing"
    if module.prober not in ("http", "websocket"):
        return f"module {module.name} is not an http module"
    if module.prober == "websocket":  # begins with a GET, which the application answers like any other
        target = re.sub(r"^ws", "http", target)
    begins = target.lower() if takes_any_case(module.version) else target
    if not begins.startswith(("http://", "https://")):
        if scheme := re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=:/)", target):
            return (
                f'{scheme[0]}:// is not http:// in lower case, so a host named "{scheme[0]}" is looked for'
                " (blackbox exporter up to 0.28.0)"
            )
        target = f"http://{target}"
    return parse_http_url(target)
