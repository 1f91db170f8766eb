"""One HTTP request, as the actors of the lab send it: no redirect is followed, no cookie kept."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_ANSWER_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ActorResponse:
    """The response to a request."""

    status: int
    """0: nothing, the connection failed or the answer took too long."""
    location: str = ""
    cookie: str | None = None
    """``NAME=VALUE`` of the cookie that it sets; None: none."""
    body: str = ""


def ask(place: str, method: str, path: str, headers: Mapping[str, str], body: str = "") -> ActorResponse:
    """Ask ``HOST:PORT``."""
    host, _, port = place.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_ANSWER_S)
    sent = dict(headers)
    if body:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body or None, sent)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        cookie = answer.getheader("Set-Cookie")
        return ActorResponse(
            answer.status,
            answer.getheader("Location", ""),
            None if cookie is None else cookie.partition(";")[0],
            text,
        )
    except (OSError, http.client.HTTPException):
        return ActorResponse(0)
    finally:
        connection.close()
