"""HTTP as evidence: GET and nothing else, so that reading cannot change what is read.

Times out as a whole, stops at a size, follows redirects on the same host only, and never shows a password: it is sent as
the Authorization header, and the address without it is what errors and sources mention.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from necropsy._internal.masking import masked_address
from necropsy.model.errors import UnreadableSource
from necropsy.model.traffic import REDIRECTS

_LIMIT: Final = 256 << 20
_CHUNK: Final = 1 << 16
_MOST_REDIRECTS: Final = 5
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer, whatever its status."""

    url: str
    """As asked, without user and password."""
    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8 text, damaged characters replaced."""
        return self.body.decode("utf-8", "replace")


class _Stream(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def is_url(locator: str) -> bool:
    """Whether a locator is an address on the web, rather than a file.

    >>> is_url("http://consul:8500"), is_url("consul.json"), is_url("file:///etc/passwd")
    (True, False, False)
    """
    return locator.lower().startswith(("http://", "https://"))


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 20.0,
    limit: int = _LIMIT,
    body: bytes | None = None,
) -> HttpAnswer:
    """GET a URL.

    Parameters
    ----------
    url
        ``http`` or ``https``; ``user:password@`` is sent as basic authentication.
    headers
        More headers, such as a token: sent to this host alone.
    timeout_s
        Seconds for everything together, redirects and body included.
    limit
        Bytes that the body of the answer may have.
    body
        Sent with the GET, as search engines take a query; None: nothing is.

    Returns
    -------
    HttpAnswer
        Also for statuses from 400 on: what a refusal means is for the caller to say.

    Raises
    ------
    UnreadableSource
        No URL, nobody there, too slow, too large, or redirected to another host.
    """
    deadline = time.monotonic() + timeout_s
    sent = dict(headers or {})
    shown, bare, authorization = _taken_apart(url)
    if authorization:
        sent.setdefault("Authorization", authorization)
    asked = bare
    for _ in range(_MOST_REDIRECTS + 1):
        status, received, answered = _once(asked, sent, deadline, limit, shown, body)
        location = received.get("location", "")
        if status not in REDIRECTS or not location:
            return HttpAnswer(shown, status, received, answered)
        asked = _next(asked, location, shown)
    raise UnreadableSource(f"{shown}: redirected more than {_MOST_REDIRECTS} times", hint="Give the final address.")


def _taken_apart(url: str) -> tuple[str, str, str]:
    """Return the address to show, the one to ask, and the Authorization header that it carries."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UnreadableSource("an address that is not a URL", hint="Write it as http://host:port.") from None
    if parts.scheme not in _PORTS or not host:
        raise UnreadableSource(f"{masked_address(url)}: not an http or https URL", hint="Write it as http://host:port.")
    bare = masked_address(url)
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in bare):
        raise UnreadableSource("an address with a space or a control character", hint="Encode it as %20.")
    if parts.username is None:
        return bare, bare, ""
    return bare, bare, basic_authorization(unquote(parts.username), unquote(parts.password or ""))


def basic_authorization(user: str, password: str) -> str:
    """Value of the Authorization header for a user and a password (RFC 7617).

    >>> basic_authorization("me", "p@w")
    'Basic bWU6cEB3'
    """
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _next(asked: str, location: str, shown: str) -> str:
    """Target of a redirect; refused when it leaves the server, as a token must not follow."""
    from urllib.parse import urljoin

    target = urljoin(asked, location)
    if _server(target) != _server(asked):
        raise UnreadableSource(
            f"{shown}: redirects to another server; redirects to other servers are not followed",
            hint="Give that server's address if it is the right one.",
        )
    return masked_address(target)


def _server(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return "", None, None


def _once(
    url: str, headers: Mapping[str, str], deadline: float, limit: int, shown: str, sent: bytes | None
) -> tuple[int, dict[str, str], bytes]:
    """Ask once, without following."""
    import http.client
    import urllib.error
    import urllib.request

    # A proxy cannot reach the loopback of this machine, and must not be asked to. No other handler: none follows a
    # redirect, opens a file, or turns a status into an error.
    opener = urllib.request.OpenerDirector()
    proxies = urllib.request.ProxyHandler({} if is_loopback(urlsplit(url).hostname or "") else None)
    for handler in (proxies, urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
        opener.add_handler(handler)
    request = urllib.request.Request(  # noqa: S310 -- checked above
        url, data=sent, headers={"Accept-Encoding": "identity", **headers}, method="GET"
    )
    left = max(0.001, deadline - time.monotonic())
    try:
        with opener.open(request, timeout=left) as response:
            received = {name.lower(): value for name, value in response.headers.items()}
            return int(response.status), received, _body(response, deadline, limit, shown)
    except TimeoutError:
        raise UnreadableSource(f"{shown}: no answer in time", hint="Check the address.") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise UnreadableSource(f"{shown}: no answer in time", hint="Check the address.") from None
        reason = getattr(error.reason, "strerror", None) or str(error.reason)
        raise UnreadableSource(
            f"{shown}: {reason}", hint="Check that the address is right and the server is running."
        ) from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise UnreadableSource(
            f"{shown}: no HTTP answer ({type(error).__name__})", hint="Check the port, and http or https."
        ) from None


def _body(response: _Stream, deadline: float, limit: int, shown: str) -> bytes:
    """Read to the end; a server that sends one byte at a time does not get more time for it."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise UnreadableSource(f"{shown}: answers more than {limit >> 20} MiB", hint="Check the address.")
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(chunks)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name alone.

    >>> is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("localhost"), is_loopback("10.0.0.1")
    (True, True, True, False)
    """
    import ipaddress

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
