"""Settings of an HTTP client as Prometheus and its exporters share them (prometheus/common, config/http_config.go)."""

from __future__ import annotations

from typing import Final

from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.validity.section import Check, Section, at_most_one, fields
from necropsy.probes.syntax.node import Node

_BEARER: Final = ("bearer_token", "bearer_token_file")
CLIENT_FIELDS: Final = frozenset(
    (
        "basic_auth",
        "authorization",
        "oauth2",
        *_BEARER,
        "tls_config",
        "follow_redirects",
        "enable_http2",
        "proxy_url",
        "no_proxy",
        "proxy_from_environment",
        "proxy_connect_header",
        "http_headers",
    )
)
"""Fields of every HTTP client of Prometheus."""
_BASIC: Final = frozenset(f"{name}{end}" for name in ("username", "password") for end in ("", "_file", "_ref"))
_AUTHORIZATION: Final = frozenset(("type", "credentials", "credentials_file", "credentials_ref"))
_TLS: Final = frozenset(
    (
        *(f"{name}{end}" for name in ("ca", "cert", "key") for end in ("", "_file", "_ref")),
        "server_name",
        "insecure_skip_verify",
        "min_version",
        "max_version",
    )
)
_RESERVED: Final = frozenset(
    (
        "authorization",
        "host",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-prometheus-scrape-timeout-seconds",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    )
)
"""Headers that nobody may set: they are Prometheus' own, or have settings of their own."""


def check_client(node: Node, what: str) -> None:
    """Check the fields of an HTTP client that stand among others in a mapping. Raises ``ConfigurationError``."""
    section = Section(node, what)
    bearer = any(section.has(name) for name in _BEARER)
    at_most_one(*_BEARER)(section)
    if bearer and (section.written("basic_auth") or section.written("oauth2")):
        at_most_one("basic_auth", "oauth2", *_BEARER)(section)
    _check_basic(section)
    _check_authorization(section, bearer=bearer)
    _check_oauth2(section)
    check_tls(section)
    check_proxy(section)
    check_headers(section, "http_headers")


def _check_basic(section: Section) -> None:
    basic = section.part("basic_auth")
    for check in (fields(_BASIC), at_most_one("username", "username_file", "username_ref")):
        check(basic)
    at_most_one("password", "password_file", "password_ref")(basic)


def _check_authorization(section: Section, *, bearer: bool) -> None:
    if not section.written("authorization"):
        return
    if bearer:
        section.refuse("authorization", "authorization cannot be combined with bearer_token", "Keep one of them.")
    own = section.part("authorization")
    fields(_AUTHORIZATION)(own)
    at_most_one("credentials", "credentials_file", "credentials_ref")(own)
    if own.text("type").strip().lower() == "basic":
        own.refuse("type", 'the type cannot be "basic"', "Use basic_auth.")
    for other in ("basic_auth", "oauth2"):
        if section.written(other):
            at_most_one("authorization", other)(section)


def _check_oauth2(section: Section) -> None:
    if not section.written("oauth2"):
        return
    if section.written("basic_auth"):
        at_most_one("oauth2", "basic_auth")(section)
    own = section.part("oauth2")
    for name in ("client_id", "token_url"):
        if not own.has(name):
            own.refuse(name, f"{name} is missing", f"Add {name}.")
    if not own.text("grant_type").endswith("jwt-bearer"):
        at_most_one("client_secret", "client_secret_file", "client_secret_ref")(own)
    check_tls(own)
    check_proxy(own)


def check_tls(section: Section) -> None:
    """Check ``tls_config``: one source for each of its three parts; a certificate and its key, or neither."""
    tls = section.part("tls_config")
    checks: tuple[Check, ...] = (
        fields(_TLS),
        *(at_most_one(name, f"{name}_file", f"{name}_ref") for name in ("ca", "cert", "key")),
    )
    for check in checks:
        check(tls)
    schema_checks.boolean(tls.node.get("insecure_skip_verify"), False)
    given = {name: any(tls.has(f"{name}{end}") for end in ("", "_file", "_ref")) for name in ("cert", "key")}
    for name, other in (("cert", "key"), ("key", "cert")):
        if given[name] and not given[other]:
            place = next(f"{name}{end}" for end in ("", "_file", "_ref") if tls.has(f"{name}{end}"))
            tls.refuse(place, f"a client's {name} is given without its {other}", f"Add {other} or {other}_file.")


def check_proxy(section: Section) -> None:
    """Refuse settings of a proxy that exclude each other (``ProxyConfig.Validate``)."""
    url = section.has("proxy_url")
    environment = schema_checks.boolean(section.node.get("proxy_from_environment"), False)
    if section.has("proxy_connect_header") and not (url or environment):
        reason = "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"
        section.refuse("proxy_connect_header", reason, "Add proxy_url, or remove proxy_connect_header.")
    if environment and url:
        reason = "if proxy_from_environment is configured, proxy_url must not be configured"
        section.refuse("proxy_url", reason, "Keep one of the two.")
    if section.has("no_proxy"):
        if environment:
            reason = "if proxy_from_environment is configured, no_proxy must not be configured"
            section.refuse("no_proxy", reason, "Set NO_PROXY in the environment of Prometheus.")
        if not url:
            reason = "if no_proxy is configured, proxy_url must also be configured"
            section.refuse("no_proxy", reason, "Add proxy_url, or remove no_proxy.")


def check_headers(section: Section, name: str, *, advice: str = "") -> None:
    """Refuse headers that nobody may set; ``advice`` is the hint for ``Authorization``."""
    headers = section.part(name)
    for key, _ in headers.node.entries():
        if key.text().lower() in _RESERVED:
            hint = advice if key.text().lower() == "authorization" else ""
            raise key.error(
                f"{section.what}: the header {key.text()} is reserved and cannot be set",
                hint=hint or "Remove this line.",
            )
