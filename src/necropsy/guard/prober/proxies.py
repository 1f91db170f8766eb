"""The proxy of a URL, and the way through it: CONNECT (RFC 9110, 9.3.6) or SOCKS 5 (RFC 1928, 1929).

Source of the rules: golang.org/x/net/http/httpproxy, which blackbox uses.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from necropsy.guard.prober.answer import Deadline
from necropsy.guard.prober.module import Proxy
from necropsy.wire.http import basic_authorization

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LONGEST_HEAD: Final = 1 << 16
_SOCKS_FAULTS: Final = {
    1: "general failure", 2: "not allowed", 3: "network unreachable", 4: "host unreachable", 5: "connection refused",
    6: "time to live expired", 7: "unknown command", 8: "unknown kind of address",
}  # fmt: skip


def proxy_of(url: str, proxy: Proxy, environ: Mapping[str, str]) -> SplitResult | None:
    """Return the proxy that a URL is asked through; None: none.

    A proxy of the environment, or one with exceptions (``no_proxy``), is never asked for this machine itself.

    Raises
    ------
    OSError
        The environment names a kind of proxy that is not served here.

    >>> way = proxy_of("http://app.example/", Proxy("http://proxy:3128"), {})
    >>> (way.hostname, way.port) if way else None
    ('proxy', 3128)
    >>> environ = {"HTTP_PROXY": "p:1", "NO_PROXY": ".other, example"}
    >>> proxy_of("http://app.example/", Proxy(from_environment=True), environ) is None
    True
    """
    if not proxy.from_environment:
        if not proxy.url or (proxy.no_proxy and _is_excepted(urlsplit(url), proxy.no_proxy)):
            return None
        return urlsplit(proxy.url)
    name = "HTTPS_PROXY" if url.startswith("https:") else "HTTP_PROXY"
    given = environ.get(name) or environ.get(name.lower()) or ""
    if not given or _is_excepted(urlsplit(url), environ.get("NO_PROXY") or environ.get("no_proxy") or ""):
        return None
    found = urlsplit(given if "://" in given else f"http://{given}")
    if found.scheme not in _PORTS or found.scheme == "https" or not found.hostname:
        raise OSError(f"the proxy that {name} names is not served here: http:// and socks5:// are")
    return found


def _is_excepted(url: SplitResult, exceptions: str) -> bool:
    host = (url.hostname or "").rstrip(".").lower()
    port = url.port or _PORTS.get(url.scheme, 0)
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_matches(host, address, port, part.strip().lower()) for part in exceptions.split(",") if part.strip())


def _matches(host: str, address: IPv4Address | IPv6Address | None, port: int, exception: str) -> bool:
    """Whether one exception is about a host.

    It is ``*``, an address, a network, ``example.com`` (with what is below) or ``.example.com`` (only what is below); a port
    may stand behind it.
    """
    if "/" in exception:
        try:
            return address is not None and address in ip_network(exception, strict=False)
        except ValueError:
            return False
    name, separator, wanted = exception.rpartition(":")
    if not (separator and wanted.isdecimal() and (name.endswith("]") or ":" not in name)):
        name, wanted = exception, str(port)
    own = _address(name.strip("[]"))
    if own is not None or address is not None:
        is_host = own == address or name == "*"
    else:
        name = name if name == "*" else name.removeprefix("*")
        is_host = name in ("*", host) or host.endswith(name if name.startswith(".") else f".{name}")
    return is_host and int(wanted) == port


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def endpoint(proxy: SplitResult) -> tuple[str, int]:
    """Return host and port of a proxy."""
    return proxy.hostname or "", proxy.port or _PORTS[proxy.scheme]


def authorization(proxy: SplitResult) -> str:
    """Return the Proxy-Authorization header of a proxy's user; empty where it has none."""
    if proxy.username is None:
        return ""
    return basic_authorization(unquote(proxy.username), unquote(proxy.password or ""))


def connect(
    channel: socket.socket, proxy: SplitResult, settings: Proxy, host: str, port: int, deadline: Deadline, agent: str
) -> None:
    """Have an HTTP proxy connect to a host.

    Raises
    ------
    OSError
        It refuses, or hangs up.
    """
    to = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = {"User-Agent": agent}
    if own := authorization(proxy):
        headers["Proxy-Authorization"] = own
    given = {name.lower() for name, _ in settings.connect_headers}
    lines = [f"CONNECT {to} HTTP/1.1", f"Host: {to}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in given]
    lines += [f"{name}: {value}" for name, value in settings.connect_headers]
    channel.settimeout(deadline.left())
    channel.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
    head = b""
    while b"\r\n\r\n" not in head:
        channel.settimeout(deadline.left())
        byte = channel.recv(1)  # not more: what follows belongs to the tunnel
        if not byte or len(head) > _LONGEST_HEAD:
            raise ConnectionError("the proxy closed the connection")
        head += byte
    status = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(status) < 2 or status[1] != "200":
        raise ConnectionError(f"the proxy refuses the connection: {' '.join(status[1:])[:80]}")


def socks(channel: socket.socket, proxy: SplitResult, host: str, port: int, deadline: Deadline) -> None:
    """Have a SOCKS 5 proxy connect to a host.

    Raises
    ------
    OSError
        It refuses, or hangs up.
    """
    user, password = unquote(proxy.username or "").encode(), unquote(proxy.password or "").encode()
    channel.settimeout(deadline.left())
    channel.sendall(b"\x05\x02\x00\x02" if user else b"\x05\x01\x00")
    version, way = _exactly(channel, 2, deadline)
    if version != 5 or way not in (0, 2):
        raise ConnectionError("the SOCKS proxy accepts no way to log in that is known here")
    if way == 2:
        channel.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if _exactly(channel, 2, deadline)[1] != 0:
            raise ConnectionError("the SOCKS proxy refuses the user or the password")
    address = _address(host)
    if address is not None:
        target = bytes([1 if address.version == 4 else 4]) + address.packed
    else:
        name = host.encode("idna")
        target = bytes([3, len(name)]) + name
    channel.sendall(b"\x05\x01\x00" + target + port.to_bytes(2))
    _, fault, _, kind = _exactly(channel, 4, deadline)
    if fault:
        raise ConnectionError(f"the SOCKS proxy refuses the connection: {_SOCKS_FAULTS.get(fault, fault)}")
    length = {1: 4, 4: 16}.get(kind) or _exactly(channel, 1, deadline)[0]
    _exactly(channel, length + 2, deadline)


def _exactly(channel: socket.socket, number: int, deadline: Deadline) -> bytes:
    found = b""
    while len(found) < number:
        channel.settimeout(deadline.left())
        piece = channel.recv(number - len(found))
        if not piece:
            raise ConnectionError("the SOCKS proxy closed the connection")
        found += piece
    return found
