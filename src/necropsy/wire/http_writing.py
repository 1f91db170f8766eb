"""PUT, for the treatment alone: import-linter sees to it that nobody else imports this."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from necropsy.model.errors import UnreadableSource

_TIMEOUT_S = 15.0


def put_json(url: str, body: Any, *, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Send a JSON body; return the status and the first 300 characters of the answer. Redirects are not followed.

    Raises
    ------
    UnreadableSource
        Nobody there, or no HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port or 443, timeout=_TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port or 80, timeout=_TIMEOUT_S)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("PUT", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(300).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnreadableSource(
            f"{parts.scheme}://{parts.netloc}: {reason}",
            hint="Check that the address is right and the server is running.",
        ) from error
    finally:
        connection.close()
