"""An http module of ``blackbox.yml``, as values: how a target is asked, and when the answer is a success."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from necropsy.wire.http import basic_authorization


@dataclass(frozen=True, slots=True)
class SecretText:
    """A text that is given as it is, or by a file, which is read again for each probe: tokens are renewed in place."""

    text: str = field(default="", repr=False)
    file: str | None = None
    """From the working folder, as blackbox does, and not from the configuration's."""

    def read(self) -> str:
        """Return the text.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        return self.text if self.file is None else Path(self.file).read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """One of ``fail_if_header_matches`` or ``fail_if_header_not_matches``."""

    header: str
    regexp: str
    allow_missing: bool = False


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """``tls_config``; a certificate or key is a file, or stands in the configuration itself."""

    insecure_skip_verify: bool = False
    ca_file: str | None = None
    ca: str = field(default="", repr=False)
    cert_file: str | None = None
    cert: str = field(default="", repr=False)
    key_file: str | None = None
    key: str = field(default="", repr=False)
    server_name: str = ""
    min_version: str = ""
    """``TLS12``; empty: what the library accepts."""
    max_version: str = ""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy settings of a module, or of its OAuth 2 token's request."""

    url: str = field(default="", repr=False)
    """``http://`` or ``socks5://``, with user and password where it needs them."""
    no_proxy: str = ""
    from_environment: bool = False
    connect_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Headers of the CONNECT request."""

    @property
    def is_set(self) -> bool:
        """Whether any proxy may be used."""
        return bool(self.url) or self.from_environment


@dataclass(frozen=True, slots=True)
class Credentials:
    """The parts of a module's Authorization header."""

    type: str
    """``Basic``, or what stands before the secret, such as ``Bearer``."""
    secret: SecretText
    user: SecretText = SecretText()

    def header(self) -> str:
        """Return the header's value; a file that cannot be read is an ``OSError``."""
        if self.type == "Basic":
            return basic_authorization(self.user.read(), self.secret.read())
        return f"{self.type} {self.secret.read()}"


@dataclass(frozen=True, slots=True)
class OAuth2:
    """``oauth2``: where a token is fetched, by the grant ``client_credentials`` (RFC 6749, 4.4)."""

    client_id: str
    client_secret: SecretText
    token_url: str
    scopes: tuple[str, ...] = ()
    endpoint_params: tuple[tuple[str, str], ...] = ()
    tls: TlsConfig = TlsConfig()
    proxy: Proxy = Proxy()


@dataclass(frozen=True, slots=True)
class HttpModule:
    """Settings of a request to a target, and conditions of its success."""

    name: str
    timeout_s: float | None = None
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    more_headers: tuple[tuple[str, tuple[SecretText, ...]], ...] = ()
    """``http_headers``: each with all its values."""
    credentials: Credentials | None = None
    oauth2: OAuth2 | None = None
    body: bytes = field(default=b"", repr=False)
    body_file: str | None = None
    """Sent in chunks: its size is not known beforehand."""
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
    json_matches: str = ""
    """``fail_if_body_json_matches_cel``."""
    json_not_matches: str = ""
    header_matches: tuple[HeaderRule, ...] = ()
    header_not_matches: tuple[HeaderRule, ...] = ()
    body_size_limit: int = 0
    """Bytes, after unpacking; 0: none."""
    compression: str = ""
    """``gzip``, ``deflate`` or ``br``: what the body is packed with, whatever its headers say."""
    enable_http2: bool = True
    preferred_ip_protocol: str = "ip6"
    ip_protocol_fallback: bool = True
    tls: TlsConfig = TlsConfig()
    proxy: Proxy = Proxy()
    skip_resolve_with_proxy: bool = False

    @property
    def resolves(self) -> bool:
        """Whether the target's name is resolved here, and not by a proxy."""
        return not (self.skip_resolve_with_proxy and self.proxy.is_set)

    @property
    def has_cel(self) -> bool:
        """Whether a CEL expression judges the body."""
        return bool(self.json_matches or self.json_not_matches)

    @property
    def reads_body(self) -> bool:
        """Whether the body is looked into, and not only counted."""
        return (
            self.has_cel or bool(self.body_matches or self.body_not_matches) or self.compression not in ("", "identity")
        )
