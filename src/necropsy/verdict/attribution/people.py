"""People and machines with a browser's name: a browser brings its cookie back, so a client has one session a lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MANY: Final = 1.7
"""Births per client within one lifetime of a session that are more than one browser's."""
_PER_VISIT: Final = 0.3
"""Share of such a client's visits that create: an office behind one address asks for more pages than it has sessions."""
_OTHER_PAGES: Final = 5
"""Pages beside those that create sessions, from which a client that asks them often is many people behind one address."""
_OFTEN: Final = 0.4
_HARDLY: Final = 0.15
"""Births per visit of one client's page below which the page is one that a cookie was brought to."""
_TOO_MANY: Final = 3.0
"""Sessions of people per client from which the clients are no single visitors."""
_MOSTLY: Final = 0.5
"""Share of a page's births for an agent, from machines, from which its other clients are taken for machines too."""


def machines(
    client: NDArray[np.int32],
    births: NDArray[np.float64],
    kind: NDArray[np.int64],
    page: NDArray[np.int32],
    lifetimes: float,
) -> NDArray[np.bool_]:
    """Tell, visit by visit, which browsers are machines.

    Parameters
    ----------
    client
        Client of each visit, numbered from 0.
    births
        Expected births of each visit.
    kind
        Number of the visit's agent and page.
    page
        Number of the visit's page.
    lifetimes
        Lifetimes of a session in the time looked at, at least 1.
    """
    if not client.size:
        return np.zeros(0, dtype=bool)
    many = int(client.max()) + 1
    made = np.bincount(client, births, minlength=many)
    visits = np.bincount(client, minlength=many)
    is_machine = (made >= _MANY * max(1.0, lifetimes)) & (made >= _PER_VISIT * visits)
    is_machine &= ~_is_shared(client, births, page, visits)
    result = is_machine[client]
    kinds = int(kind.max()) + 1
    by_machines = np.bincount(kind, births * result, minlength=kinds)
    by_all = np.bincount(kind, births, minlength=kinds)
    mostly = by_machines > np.maximum(_MOSTLY * by_all, 3.0)
    widened: NDArray[np.bool_] = result | mostly[kind]
    return widened


def _is_shared(
    client: NDArray[np.int32], births: NDArray[np.float64], page: NDArray[np.int32], visits: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """By client: whether many of its visits bring a cookie, to many pages: an office, or a proxy before the log."""
    pair, number = np.unique(client.astype(np.int64) * (int(page.max()) + 1) + page, return_inverse=True)
    count = np.bincount(number)
    keeps = np.bincount(number, births) < _HARDLY * count
    owner = pair // (int(page.max()) + 1)
    pages = np.bincount(owner[keeps], minlength=visits.size)
    asked = np.bincount(owner[keeps], count[keeps], minlength=visits.size)
    shared: NDArray[np.bool_] = (pages >= _OTHER_PAGES) & (asked >= _OFTEN * visits)
    return shared


def identify_visitors(births: float, clients: int) -> bool:
    """Whether clients are single visitors: not where an office or a proxy before the log lends many its address."""
    return births <= _TOO_MANY * clients
