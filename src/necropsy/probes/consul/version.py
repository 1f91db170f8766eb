"""Versions of Consul: the answers of its API changed over the years.

==========  =====================================================================================================
since       change (source: Consul's CHANGELOG and the documentation of its API)
==========  =====================================================================================================
1.5         ``/v1/health/service/NAME`` takes ``filter``
1.14        ``/v1/catalog/services``, which Prometheus asks first, takes ``filter``; before, it is ignored
==========  =====================================================================================================
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from necropsy.model.errors import UsageError

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?([^\s]*)")
FILTERS_HEALTH: Final = (1, 5)
FILTERS_CATALOG: Final = (1, 14)


@lru_cache(maxsize=16)
def consul_version(text: str) -> tuple[int, int]:
    """Read a version of Consul.

    >>> consul_version("v1.20.1+ent")
    (1, 20)

    Raises
    ------
    UsageError
        It is no version.
    """
    match = _VERSION.fullmatch(text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a version of Consul", hint="Write it as 1.20.")
    return int(match[1]), int(match[2])
