"""Sessions that one blackbox probe starts where the application redirects a visitor without a session."""

from __future__ import annotations

import re
from itertools import chain, repeat
from typing import Final

from necropsy.model.probe import Probe
from necropsy.probes.prometheus.blackbox.modules import Module, first_request
from necropsy.probes.prometheus.blackbox.redirects import Cookie, RedirectAnswer, follow

_SESSION: Final = Cookie("SESSION", "/")
_ADDRESS: Final = re.compile(r"[\d.]+|.*:.*")
_SOME_ADDRESS: Final = "192.0.2.1"
"""Stands for the address that a name is resolved to (RFC 5737: nobody has it)."""
_KEEPS_SINCE: Final = (1, 26)


def keeps_cookies_by_host(go_version: str) -> bool:
    """Whether an exporter built with this Go sends a cookie back after a redirect to the same name (golang/go#38988).

    Measured: Go 1.26 and 1.27 do, 1.25, 1.24 and 1.19 do not.

    >>> keeps_cookies_by_host("go1.26.0"), keeps_cookies_by_host("1.25.5")
    (True, False)
    """
    major, _, rest = go_version.removeprefix("go").partition(".")
    minor = re.match(r"\d+", rest)
    return (int(major) if major.isdigit() else 0, int(minor[0]) if minor else 0) >= _KEEPS_SINCE


def sessions_started(probe: Probe, location: str, *, jar_by_host: bool) -> int:
    """Count the requests of one probe that carry no session cookie.

    Parameters
    ----------
    probe
        A blackbox probe by HTTP.
    location
        ``Location`` of the answer to a visitor without a session, sent with the session's cookie; pages that follow
        answer with 200.
    jar_by_host
        Whether the exporter keeps cookies by name: see ``keeps_cookies_by_host``.
    """
    module = Module("http", "http", follows_redirects=probe.follows_redirects)
    request = first_request(probe.url, module)
    if isinstance(request, str):
        return 1  # nothing is asked of the application, and the caller counts what may be
    answers = chain((RedirectAnswer(302, location, (_SESSION,)),), repeat(RedirectAnswer(200)))
    hops = follow(request, module, _resolved, lambda _: next(answers), jar_by_host=jar_by_host)
    return sum(hop.may_create for hop in hops)


def _resolved(name: str) -> str:
    return name if _ADDRESS.fullmatch(name) else _SOME_ADDRESS
