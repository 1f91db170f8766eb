"""POST of a message. The address may be a secret, as of a Slack webhook: errors name its host alone."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from necropsy.wire.http import basic_authorization, is_loopback

_TIMEOUT_S: Final = 10.0
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
_LONGEST: Final = 200


class NotSent(Exception):  # noqa: N818 -- what became of a message
    """A message was not taken.

    Attributes
    ----------
    again
        Whether trying again may help: a server that is down, or too busy. A refusal is final.
    after_s
        When the receiver says so: seconds to wait.
    """

    def __init__(self, reason: str, *, again: bool, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.again = again
        self.after_s = after_s


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a message goes where it was addressed."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(url: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
    """Send a JSON body and return the first characters of the answer.

    A proxy of the environment is used, except for the loopback.

    Raises
    ------
    NotSent
        Nobody there, or refused.
    """
    who = host_of(url)
    proxies = urllib.request.ProxyHandler({} if is_loopback(urlsplit(url).hostname or "") else None)
    opener = urllib.request.build_opener(proxies, _Stay())
    address, login = _login(url)
    sent = {"Content-Type": "application/json", "User-Agent": "necropsy", **login, **(headers or {})}
    request = urllib.request.Request(address, json.dumps(body).encode(), sent, method="POST")  # noqa: S310 -- checked where it is configured
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return str(answer.read(_LONGEST).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            said = " ".join(error.read(_LONGEST).decode("utf-8", "replace").split())
        again = error.code >= _SERVER_ERROR or error.code == _TOO_MANY
        wait = error.headers.get("Retry-After", "")
        raise NotSent(
            f"{who} answered {error.code}: {said or error.reason}",
            again=again,
            after_s=float(wait) if wait.isdecimal() else None,
        ) from None
    except (OSError, http.client.HTTPException, ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotSent(f"{who}: {getattr(reason, 'strerror', None) or type(reason).__name__}", again=True) from None


def _login(url: str) -> tuple[str, dict[str, str]]:
    """Return the address without user and password, and the header that carries them.

    >>> _login("http://me:p%40w@127.0.0.1:9093/")
    ('http://127.0.0.1:9093/', {'Authorization': 'Basic bWU6cEB3'})
    """
    parts = urlsplit(url)
    if parts.username is None:
        return url, {}
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, {"Authorization": basic_authorization(unquote(parts.username), unquote(parts.password or ""))}


def host_of(url: str) -> str:
    """Return what may be shown of an address: host and port.

    >>> host_of("https://me:pw@hooks.slack.com/services/T0/B0/secret"), host_of("nonsense")
    ('hooks.slack.com', 'an address that is not a URL')
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    return f"{host}{f':{port}' if port else ''}" if host else "an address that is not a URL"
