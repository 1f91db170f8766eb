"""The version of Prometheus, which decides what it does with a configuration.

==========  =====================================================================================================
since       change (source: Prometheus' CHANGELOG and the pull request)
==========  =====================================================================================================
2.28.0      one target that cannot be built no longer takes its whole group with it (#8786)
2.30.0      ``__scrape_interval__`` and ``__scrape_timeout__`` are labels (#8911)
2.36.0      relabel actions ``lowercase`` and ``uppercase`` (#10641)
2.38.0      feature flag ``no-default-scrape-port`` (#9523)
2.41.0      relabel actions ``keepequal`` and ``dropequal`` (#11564)
2.44.0      official builds hash labels in another encoding (build tag ``stringlabels``)
2.50.0      ``replace`` with a template as ``target_label`` deletes the label that it means (#13308, in 2.50 or 2.51)
3.0.0       ``.`` of a relabel regex matches a newline; ports are neither added nor removed (#14160); a ``__param_``
            label of a target wins over ``params`` (#11029); any UTF-8 string may be a label name
3.5.0       the label encoding that is hashed changed again, for every build
3.13.0      three more labels on every target before relabelling (native histogram settings)
==========  =====================================================================================================
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from necropsy.model.errors import UsageError

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)?([^\s]*)")


class Version(NamedTuple):
    """A version of Prometheus, comparable with a pair: ``version >= (2, 41)``."""

    major: int
    minor: int
    debian: bool = False
    """Built by Debian (``2.42.0+ds``): without the build tags of official releases."""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}{'+ds' if self.debian else ''}"


@lru_cache(maxsize=64)
def prometheus_version(text: str) -> Version:
    """Read a version as its build information or a user states it.

    >>> prometheus_version("2.42.0+ds"), prometheus_version("v3.1")
    (Version(major=2, minor=42, debian=True), Version(major=3, minor=1, debian=False))

    Raises
    ------
    UsageError
        It is no version.
    """
    match = _VERSION.fullmatch(text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a version of Prometheus", hint="Write it as 2.42.0 or 3.1.")
    return Version(int(match[1]), int(match[2]), "ds" in match[3])
