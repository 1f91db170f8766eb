"""Fields of an HTTP client as Prometheus' exporters share them: credentials, TLS, proxies, OAuth 2, more headers.

Source: github.com/prometheus/common, config/http_config.go, 0.67.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from necropsy.guard.prober.module import Credentials, OAuth2, Proxy, SecretText, TlsConfig
from necropsy.guard.prober.tls import TLS_VERSIONS
from necropsy.model.errors import ConfigurationError
from necropsy.probes.syntax import go_duration
from necropsy.probes.syntax.node import Node

_CLIENT_CREDENTIALS: Final = "client_credentials"
PROXY_SCHEMES: Final = ("http", "socks5", "socks5h")
_NO_REFERENCES: Final = "References to a secret manager are not served here: name a file."


class NotServedError(ConfigurationError):
    """A right configuration that this prober cannot follow; another exporter can."""


def error(node: Node, reason: str, hint: str) -> ConfigurationError:
    """Return the error of a value, at its line."""
    return ConfigurationError(node.file, node.line, reason, hint=hint)


def not_served(node: Node, reason: str, hint: str) -> NotServedError:
    """Return the error of a value that is right, and not served here."""
    return NotServedError(node.file, node.line, reason, hint=hint)


def known(node: Node, keys: tuple[str, ...], what: str) -> None:
    """Refuse a node that is no mapping, or has another key."""
    if node.kind == "null":
        return
    if node.kind != "mapping":
        raise error(node, f"{what}: expected a mapping", "See CONFIGURATION.md of the blackbox exporter.")
    for key in dict(node.items()):
        if key not in keys:
            raise error(node.key(key) or node, f"{what}: unknown key {key!r}", f"Known: {', '.join(sorted(keys))}.")


def text(node: Node, key: str) -> str:
    """Return the text of a key; empty where it is not written."""
    value = node.get(key)
    return value.text() if value is not None and value.kind == "scalar" else ""


def texts(node: Node) -> tuple[str, ...]:
    """Return the texts of a list."""
    if node.kind != "sequence":
        raise error(node, "expected a list", "Write [one, two].")
    return tuple(element.text() for element in node.elements)


def boolean(node: Node) -> bool:
    """Return what is true or false."""
    if node.value not in ("true", "false"):
        raise error(node, f"expected true or false, not {node.value!r}", "Write true or false.")
    return node.value == "true"


def duration_s(node: Node) -> float:
    """Return the seconds of a duration as Go writes it: ``5s``, ``1.5s``, ``1m30s``."""
    written = node.text()
    if written == "0":
        return 0.0
    seconds = go_duration.seconds_of(written)
    if seconds is None:
        raise error(node, f"not a duration: {written!r}", "For example 5s.")
    return seconds


def readable(node: Node) -> None:
    """Refuse the name of a file that cannot be read now: said at the start, and not by a probe at night."""
    path = Path(node.text())
    try:
        with path.open("rb"):
            pass
    except OSError as failed:
        raise error(node, f"{path}: {failed.strerror}", "Name a file that this user may read.") from failed


def secret(node: Node, key: str) -> SecretText:
    """Return a secret that is given by ``key``, or by the file that ``key_file`` names."""
    if (reference := node.get(f"{key}_ref")) is not None and reference.kind != "null":
        raise not_served(reference, f"{key}_ref is not served here", _NO_REFERENCES)
    path = node.get(f"{key}_file")
    if path is None or path.kind == "null":
        return SecretText(text(node, key))
    readable(path)
    return SecretText(file=path.text())


def credentials(http: Node) -> Credentials | None:
    """Return what makes the Authorization header; None where nothing does."""
    basic, authorization = http.get("basic_auth"), http.get("authorization")
    if basic is not None and basic.kind != "null":
        return Credentials("Basic", secret(basic, "password"), secret(basic, "username"))
    if authorization is not None and authorization.kind != "null":
        return Credentials(text(authorization, "type").strip() or "Bearer", secret(authorization, "credentials"))
    if http.get("bearer_token") is not None or http.get("bearer_token_file") is not None:
        return Credentials("Bearer", secret(http, "bearer_token"))
    return None


def tls(node: Node) -> TlsConfig:
    """Return a ``tls_config``."""
    skip = node.get("insecure_skip_verify")
    parts: dict[str, str] = {}
    for name in ("ca", "cert", "key"):
        given = secret(node, name)
        parts |= {name: given.text} if given.file is None else {f"{name}_file": given.file}
    for name in ("min_version", "max_version"):
        if (version := text(node, name)) and version not in TLS_VERSIONS:
            raise error(
                node.get(name) or node, f"unknown TLS version {version!r}", f"Known: {', '.join(TLS_VERSIONS)}."
            )
        parts[name] = version
    return TlsConfig(
        insecure_skip_verify=skip is not None and boolean(skip), server_name=text(node, "server_name"), **parts
    )


def proxy(node: Node) -> Proxy:
    """Return the proxy settings that stand among the keys of a client."""
    url = node.get("proxy_url")
    if url is not None and url.text():
        parts = urlsplit(url.text())
        if parts.scheme not in PROXY_SCHEMES or not parts.hostname:
            hint = f"Write http://HOST:PORT; served are {', '.join(PROXY_SCHEMES)}."
            raise not_served(url, f"a proxy by {parts.scheme or 'no scheme'} is not served here", hint)
    from_environment = node.get("proxy_from_environment")
    headers = node.get("proxy_connect_header")
    pairs = [
        (name, value) for name, values in (headers.items() if headers is not None else ()) for value in values.elements
    ]
    return Proxy(
        url=text(node, "proxy_url"),
        no_proxy=text(node, "no_proxy"),
        from_environment=from_environment is not None and boolean(from_environment),
        connect_headers=tuple((name, value.text()) for name, value in pairs),
    )


_OAUTH2: Final = (
    "client_id", "client_secret", "client_secret_file", "client_secret_ref", "scopes", "token_url", "endpoint_params",
    "tls_config", "proxy_url", "no_proxy", "proxy_from_environment", "proxy_connect_header", "grant_type",
)  # fmt: skip
_OF_OTHER_GRANTS: Final = (
    "client_certificate_key", "client_certificate_key_file", "client_certificate_key_ref", "client_certificate_key_id",
    "signature_algorithm", "iss", "audience", "claims",
)  # fmt: skip


def oauth2(node: Node) -> OAuth2:
    """Return an ``oauth2``."""
    known(node, (*_OAUTH2, *_OF_OTHER_GRANTS), "oauth2")
    other = next(filter(None, map(node.get, _OF_OTHER_GRANTS)), None)
    if (grant := text(node, "grant_type")) not in ("", _CLIENT_CREDENTIALS) or other is not None:
        at = other or node.get("grant_type") or node
        raise not_served(
            at, f"oauth2: the grant {grant or 'by certificate'} is not served here", "Delegate this module."
        )
    scopes, parameters, own_tls = node.get("scopes"), node.get("endpoint_params"), node.get("tls_config")
    return OAuth2(
        client_id=text(node, "client_id"),
        client_secret=secret(node, "client_secret"),
        token_url=text(node, "token_url"),
        scopes=texts(scopes) if scopes is not None else (),
        endpoint_params=tuple((n, v.text()) for n, v in parameters.items()) if parameters is not None else (),
        tls=tls(own_tls) if own_tls is not None else TlsConfig(),
        proxy=proxy(node),
    )


def more_headers(node: Node) -> tuple[tuple[str, tuple[SecretText, ...]], ...]:
    """Return ``http_headers``: of each its values, secrets and what its files hold."""
    found = []
    for name, value in node.items():
        known(value, ("values", "secrets", "files"), f"http_headers {name}")
        values = [
            SecretText(e.text())
            for key in ("values", "secrets")
            if (g := value.get(key)) is not None
            for e in g.elements
        ]
        files = value.get("files")
        for element in files.elements if files is not None else ():
            readable(element)
            values.append(SecretText(file=element.text()))
        found.append((name, tuple(values)))
    return tuple(found)
