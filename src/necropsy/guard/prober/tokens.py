"""Tokens of OAuth 2 by client credentials (RFC 6749, 4.4): fetched where a module says, and kept until they are over.

blackbox fetches one for each probe. Here one serves until its ``expires_in`` is over, less ten seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock
from typing import Final
from urllib.parse import quote_plus, urlencode

from necropsy.guard.prober.answer import Answer
from necropsy.guard.prober.module import OAuth2
from necropsy.wire.http import basic_authorization

Post = Callable[[str, dict[str, str], bytes], Answer]
"""Sends headers and a form to a URL."""
_EARLY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token, as its server gave it."""

    header: str
    """Value of the Authorization header."""
    until: float
    """Monotonic seconds; infinite where the server did not say."""


class Tokens:
    """The tokens of all modules, each with the settings that it was fetched by."""

    def __init__(self) -> None:
        self._kept: dict[OAuth2, Token] = {}
        self._lock = Lock()

    def header(self, settings: OAuth2, post: Post) -> str:
        """Return the Authorization header, by a token that is kept or fetched now.

        Raises
        ------
        OSError
            The server cannot be asked, or gives no token.
        """
        with self._lock:
            kept = self._kept.get(settings)
        if kept is None or kept.until < time.monotonic():
            kept = fetched(settings, post)
            with self._lock:
                self._kept[settings] = kept
        return kept.header

    def forget(self, settings: OAuth2) -> None:
        """Forget a token: a target refused it."""
        with self._lock:
            self._kept.pop(settings, None)


def fetched(settings: OAuth2, post: Post) -> Token:
    """Fetch a token: with user and password in a header, and, where that is refused, in the form."""
    secret = settings.client_secret.read()
    form = [("grant_type", "client_credentials"), *settings.endpoint_params]
    if settings.scopes:
        form.append(("scope", " ".join(settings.scopes)))
    plain = {"Content-Type": "application/x-www-form-urlencoded"}
    basic = basic_authorization(quote_plus(settings.client_id), quote_plus(secret))
    answer = post(settings.token_url, {**plain, "Authorization": basic}, urlencode(form).encode())
    if not _is_good(answer):
        form += [("client_id", settings.client_id), *([("client_secret", secret)] if secret else [])]
        answer = post(settings.token_url, plain, urlencode(form).encode())
    if not _is_good(answer):
        raise OSError(f"the token's server answers with status {answer.status}")
    try:
        said = json.loads(answer.body)
        token, kind, expires = said["access_token"], said.get("token_type") or "Bearer", said.get("expires_in")
        until = time.monotonic() + float(expires) - _EARLY_S if expires else float("inf")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OSError("the token's server gives no token") from error
    if not isinstance(token, str) or not token.isprintable():
        raise OSError("the token's server gives no token")
    return Token(f"{'Bearer' if str(kind).lower() == 'bearer' else kind} {token}", until)


def _is_good(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
