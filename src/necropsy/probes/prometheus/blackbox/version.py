"""Versions of the blackbox exporter: its behaviour changed over the years.

==========  =====================================================================================================
since       change (source: its CHANGELOG and commits)
==========  =====================================================================================================
0.20.0      its User-Agent is ``Blackbox Exporter/<version>``; before, it is that of Go's client
0.28.0      its User-Agent is ``Blackbox-Exporter/<version>``, as RFC 9110 wants it
after       targets may begin with ``HTTP://`` in any case; an unknown prober keeps it from loading its configuration, and
0.28.0      before, such a module answers 400
==========  =====================================================================================================
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from necropsy.model.errors import UsageError

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?([^\s]*)")
_LAST_RELEASE: Final = (0, 28, 0)
Version = tuple[int, int, int]


@lru_cache(maxsize=16)
def blackbox_version(text: str) -> Version:
    """Read a version of the exporter.

    >>> blackbox_version("0.28"), blackbox_version("v0.23.0+ds")
    ((0, 28, 0), (0, 23, 0))

    Raises
    ------
    UsageError
        It is no version.
    """
    match = _VERSION.fullmatch(text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a version of the blackbox exporter", hint="Write it as 0.28.0.")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def user_agents(version: Version | None) -> tuple[str, ...]:
    """Return the beginnings that its User-Agent may have; without a version those of all.

    >>> user_agents((0, 28, 0)), len(user_agents(None))
    (('Blackbox-Exporter/',), 3)
    """
    if version is None:
        return "Go-http-client/", "Blackbox Exporter/", "Blackbox-Exporter/"
    if version < (0, 20, 0):
        return ("Go-http-client/",)
    return ("Blackbox Exporter/",) if version < (0, 28, 0) else ("Blackbox-Exporter/",)


def takes_any_case(version: Version | None) -> bool:
    """Whether ``HTTP://`` in front of a target is understood: after 0.28.0. Without a version, no: no release does."""
    return version is not None and version > _LAST_RELEASE


def refuses_unknown_probers(version: Version | None) -> bool:
    """Whether an unknown prober keeps the exporter from loading; without a version, yes: it is wrong for every one."""
    return version is None or version > _LAST_RELEASE
