"""One request and its answer over a connection of its own, with the time that each phase took.

HTTP/1.1 by the standard library. HTTP/2 by ``h2``, where a TLS server chooses it and the package is installed.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from necropsy.guard.prober.answer import Answer, Deadline, target_of
from necropsy.guard.prober.module import HttpModule

_CHUNK: Final = 1 << 16


def resolve(host: str, module: HttpModule) -> tuple[str, int]:
    """Return an address of a host and its protocol, 4 or 6, as the module prefers.

    Raises
    ------
    OSError
        The name is not known, or has no address of the protocol and the module wants no other.
    """
    found: dict[int, Any] = {}
    for family, *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
        found.setdefault(6 if family == socket.AF_INET6 else 4, address[0])
    wanted = 4 if module.preferred_ip_protocol == "ip4" else 6
    if wanted in found:
        return str(found[wanted]), wanted
    if not module.ip_protocol_fallback:
        raise OSError(f"{host} has no address for IPv{wanted}")
    other = 10 - wanted
    return str(found[other]), other


def exchange(url: str, address: str, headers: Mapping[str, str], module: HttpModule, method: str, body: bytes,
             deadline: Deadline, *, host: str = "") -> Answer:  # fmt: skip
    """Ask one URL at an address.

    Parameters
    ----------
    address
        IP address of the URL's host.
    host
        Name for Host header and TLS, where it is not the URL's.

    Raises
    ------
    OSError, http.client.HTTPException
        It failed; the message says how.
    """
    parts = urlsplit(url)
    answer = Answer()
    channel = _connect(parts, address, module, deadline, answer, host)
    try:
        if isinstance(channel, ssl.SSLSocket) and channel.selected_alpn_protocol() == "h2":
            from necropsy.guard.prober.http2 import ask

            ask(channel, parts, headers, method, body, deadline, answer, module.body_size_limit)
        else:
            _ask(channel, parts, headers, method, body, deadline, answer, module.body_size_limit)
    finally:
        channel.close()
    return answer


def _connect(
    parts: SplitResult, address: str, module: HttpModule, deadline: Deadline, answer: Answer, host: str
) -> socket.socket:
    began = time.monotonic()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    channel: socket.socket = socket.create_connection((address, port), timeout=deadline.left())
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answer.seconds["connect"] = time.monotonic() - began
    if parts.scheme != "https":
        return channel
    began = time.monotonic()
    try:
        context = _context(module)
        channel.settimeout(deadline.left())
        secured = context.wrap_socket(channel, server_hostname=module.tls.server_name or host or parts.hostname)
    except BaseException:
        channel.close()
        raise
    answer.seconds["tls"] = time.monotonic() - began
    answer.tls_version = {"TLSv1.3": "TLS 1.3", "TLSv1.2": "TLS 1.2"}.get(
        secured.version() or "", secured.version() or ""
    )
    cipher = secured.cipher()
    answer.tls_cipher = _standard_name(cipher[0]) if cipher else ""
    own = secured.getpeercert(binary_form=True)
    answer.certificates = (own,) if own else ()
    return secured


def _standard_name(cipher: str) -> str:
    """Return a cipher under the name that RFCs and Go give it, where OpenSSL gives another.

    >>> _standard_name("ECDHE-RSA-AES256-GCM-SHA384"), _standard_name("ECDHE-ECDSA-CHACHA20-POLY1305")
    ('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256')
    """
    if cipher.startswith("TLS_"):  # those of TLS 1.3 have one name
        return cipher
    exchange_part = re.match(r"(?:(ECDHE|DHE)-(RSA|ECDSA)-)?", cipher)
    assert exchange_part is not None  # noqa: S101 -- for the type checker: it matches the empty text
    key = "_".join(filter(None, exchange_part.groups())) or "RSA"
    rest = re.sub(r"AES(\d+)", r"AES_\1", cipher[exchange_part.end() :]).replace("-", "_")
    rest = f"{rest}_SHA256" if rest.endswith("POLY1305") else rest
    return f"TLS_{key}_WITH_{rest}"


def _context(module: HttpModule) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=module.tls.ca_file)
    if module.tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if module.tls.cert_file:
        context.load_cert_chain(module.tls.cert_file, module.tls.key_file)
    context.set_alpn_protocols(["h2", "http/1.1"] if module.enable_http2 and speaks_http2() else ["http/1.1"])
    return context


def speaks_http2() -> bool:
    """Whether the package for HTTP/2 is installed."""
    from importlib.util import find_spec

    return find_spec("h2") is not None


class _Connection(http.client.HTTPConnection):
    """The library's connection over a socket that was connected here."""

    def __init__(self, channel: socket.socket, deadline: Deadline) -> None:
        super().__init__("unused")
        self.sock = channel
        self._deadline = deadline

    def send(self, data: Any) -> None:
        self.sock.settimeout(self._deadline.left())
        super().send(data)


def _ask(channel: socket.socket, parts: SplitResult, headers: Mapping[str, str], method: str, body: bytes,
         deadline: Deadline, answer: Answer, limit: int) -> None:  # fmt: skip
    began = time.monotonic()
    connection = _Connection(channel, deadline)
    connection.putrequest(method, target_of(parts), skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Connection", "close")
    connection.endheaders(body or None)
    channel.settimeout(deadline.left())
    response = connection.getresponse()
    answer.seconds["processing"] = time.monotonic() - began
    began = time.monotonic()
    answer.status, answer.version = response.status, response.version / 10
    answer.headers = response.getheaders()
    answer.content_length = response.length if response.length is not None else -1
    pieces, size = [], 0
    while True:
        channel.settimeout(deadline.left())
        piece = response.read1(_CHUNK)
        if not piece:
            break
        size += len(piece)
        pieces.append(piece)
        if limit and size > limit:
            answer.problem = f"the body is larger than {limit:,} bytes"
            break
    if not answer.problem and method != "HEAD" and size < answer.content_length:
        answer.problem = f"the body is cut short: {size:,} of {answer.content_length:,} bytes"
    answer.body = b"".join(pieces)[: limit or None]
    answer.seconds["transfer"] = time.monotonic() - began
