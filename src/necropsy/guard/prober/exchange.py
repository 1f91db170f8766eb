"""One request and its answer over a connection of its own, with the time that each phase took.

HTTP/1.1 by the standard library. HTTP/2 by ``h2``, where a TLS server chooses it and the package is installed.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from typing import Any, Final
from urllib.parse import urlsplit

from necropsy.guard.prober import proxies
from necropsy.guard.prober.answer import Answer, Deadline, target_of
from necropsy.guard.prober.module import HttpModule
from necropsy.guard.prober.question import ALWAYS_WITH_LENGTH, Keeping, ProbeRequest
from necropsy.guard.prober.tls import tls_context

USER_AGENT: Final = "Blackbox-Exporter/0.28.0"
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


def exchange(question: ProbeRequest, module: HttpModule, deadline: Deadline) -> Answer:
    """Ask one URL at an address.

    Raises
    ------
    OSError, http.client.HTTPException
        It failed; the message says how.
    """
    answer = Answer()
    channel = _connect(question, module, deadline, answer)
    keeping = Keeping(answer, module)
    try:
        if isinstance(channel, ssl.SSLSocket) and channel.selected_alpn_protocol() == "h2":
            from necropsy.guard.prober.http2 import ask

            ask(channel, question, deadline, keeping)
        else:
            _ask(channel, question, deadline, keeping)
    finally:
        channel.close()
    return answer


def _connect(question: ProbeRequest, module: HttpModule, deadline: Deadline, answer: Answer) -> socket.socket:
    parts, proxy = urlsplit(question.url), question.proxy
    began = time.monotonic()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    to = proxies.endpoint(proxy) if proxy is not None else (question.address, port)
    channel: socket.socket = socket.create_connection(to, timeout=deadline.left())
    try:
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if proxy is not None and proxy.scheme.startswith("socks5"):
            proxies.socks(channel, proxy, question.address, port, deadline)
        elif proxy is not None and parts.scheme == "https":
            proxies.connect(channel, proxy, module.proxy, question.address, port, deadline, USER_AGENT)
        answer.seconds["connect"] = time.monotonic() - began
        return _secured(channel, question, module, deadline, answer) if parts.scheme == "https" else channel
    except BaseException:
        channel.close()
        raise


def _secured(
    channel: socket.socket, question: ProbeRequest, module: HttpModule, deadline: Deadline, answer: Answer
) -> ssl.SSLSocket:
    began = time.monotonic()
    channel.settimeout(deadline.left())
    name = question.server_name or urlsplit(question.url).hostname
    secured = tls_context(module.tls, http2=module.enable_http2).wrap_socket(channel, server_hostname=name)
    answer.seconds["tls"] = time.monotonic() - began
    answer.tls_version = {"TLSv1.3": "TLS 1.3", "TLSv1.2": "TLS 1.2", "TLSv1.1": "TLS 1.1", "TLSv1": "TLS 1.0"}.get(
        secured.version() or "", secured.version() or ""
    )
    cipher = secured.cipher()
    answer.tls_cipher = _standard_name(cipher[0]) if cipher else ""
    answer.certificates = _chain(secured, "get_unverified_chain")
    answer.verified = () if module.tls.insecure_skip_verify else _chain(secured, "get_verified_chain")
    return secured


def _chain(secured: ssl.SSLSocket, method: str) -> tuple[bytes, ...]:
    """Return a chain as DER: public from Python 3.13 on, before that of the object beneath; else the server's own alone."""
    if hasattr(secured, method):
        return tuple(getattr(secured, method)())
    beneath = getattr(secured, "_sslobj", None)
    if hasattr(beneath, method):
        return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in getattr(beneath, method)() or ())
    own = secured.getpeercert(binary_form=True)
    return (own,) if own else ()


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


class _Connection(http.client.HTTPConnection):
    """The library's connection over a socket that was connected here."""

    def __init__(self, channel: socket.socket, deadline: Deadline) -> None:
        super().__init__("unused")
        self.sock = channel
        self._deadline = deadline

    def send(self, data: Any) -> None:
        self.sock.settimeout(self._deadline.left())
        super().send(data)


def _ask(channel: socket.socket, question: ProbeRequest, deadline: Deadline, keeping: Keeping) -> None:
    answer = keeping.answer
    began = time.monotonic()
    connection = _Connection(channel, deadline)
    connection.putrequest(question.method, _target(question), skip_host=True, skip_accept_encoding=True)
    for name, value in question.headers:
        connection.putheader(name, value)
    if question.in_chunks:
        connection.putheader("Transfer-Encoding", "chunked")
    elif question.body or question.method in ALWAYS_WITH_LENGTH:
        connection.putheader("Content-Length", str(len(question.body)))
    connection.putheader("Connection", "close")
    connection.endheaders(question.body or None, encode_chunked=question.in_chunks)
    channel.settimeout(deadline.left())
    response = connection.getresponse()
    answer.seconds["processing"] = time.monotonic() - began
    began = time.monotonic()
    answer.status, answer.version = response.status, response.version / 10
    answer.headers = response.getheaders()
    answer.content_length = response.length if response.length is not None else -1
    if question.method == "HEAD":  # the library calls it 0: no body comes
        said = response.getheader("Content-Length", "")
        answer.content_length = int(said) if said.isdecimal() else -1
    is_cut = False
    while True:
        channel.settimeout(deadline.left())
        piece = response.read1(_CHUNK)
        if not piece:
            is_cut = question.method != "HEAD" and answer.size < answer.content_length
            break
        if keeping.take(piece):
            break
    if is_cut:
        answer.problem = f"the body is cut short: {answer.size:,} of {answer.content_length:,} bytes"
    keeping.end()
    answer.seconds["transfer"] = time.monotonic() - began


def _target(question: ProbeRequest) -> str:
    """Return what stands in the request line; the whole URL for an HTTP proxy, under the name of the Host header."""
    parts = urlsplit(question.url)
    if question.proxy is None or question.proxy.scheme != "http" or parts.scheme != "http":
        return target_of(parts)
    host = next((value for name, value in question.headers if name.lower() == "host"), parts.netloc)
    return f"http://{host}{target_of(parts)}"
